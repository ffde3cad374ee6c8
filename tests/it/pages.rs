//! What a grower sees, in a real browser: the map, a plot, why, the land; in Chinese and English, at a
//! desk and on a phone.

use serde_json::Value;

use crate::{
    browser::{Browser, PHONE_WIDTH, Screen},
    plotwise::{Plotwise, Serving, free_address, until},
};

/// A plot whose sensor worked all year.
const DRAINED: &str = "nx-012";

/// A plot of the demo that is ranked, and one with too little data.
struct Plots {
    ranked: String,
    measure_first: String,
    count: usize,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grower_finds_a_plot_and_reads_why_on_desk_and_phone() {
    let plotwise = Plotwise::new();
    let (http, mqtt) = (free_address(), free_address());
    let demo = plotwise.run_service("demo", &http, &mqtt, &[]).await;
    let plots = all_advised(&demo).await;
    on_a_desk(&demo, &plots).await;
    on_a_phone(&demo, &plots).await;
    let (_, status) = demo.terminate();
    assert!(status.success(), "SIGTERM: {status}");
}

/// Waits until every plot of the demo is advised, with the year that comes in while pages are served.
async fn all_advised(demo: &Serving) -> Plots {
    let mut items = Vec::new();
    until("every plot is advised", async || {
        let list = demo.get("/api/v1/plots?limit=1000").await;
        items.clone_from(list["items"].as_array().expect("items"));
        !items.is_empty() && items.iter().all(|plot| plot["status"].is_string())
    })
    .await;
    until("the published year counts", async || {
        let advice = demo.get(&format!("/api/v1/plots/{DRAINED}/advice")).await;
        advice["site"]["coverage"]["value"].as_f64() > Some(0.9)
    })
    .await;
    let list = demo.get("/api/v1/plots?limit=1000").await;
    items.clone_from(list["items"].as_array().expect("items"));
    let first = |status: &str| {
        let found = items.iter().find(|plot| plot["status"] == status);
        found.expect(status)["id"].as_str().expect("a key").to_owned()
    };
    Plots { ranked: first("ranked"), measure_first: first("measure_first"), count: items.len() }
}

async fn on_a_desk(demo: &Serving, plots: &Plots) {
    let browser = Browser::start(Screen::Desk).await;
    browser.open(&demo.url("/")).await;
    let shapes = "path[data-plot]";
    until("every plot is drawn", async || browser.count(shapes).await == plots.count).await;
    the_language_can_be_switched(&browser).await;
    is_marked_as_simulated(&browser).await;
    browser.screenshot("desk-map").await;

    browser.type_into("input[type=search]", &plots.ranked).await;
    until("the others are gone", async || browser.count(shapes).await == 1).await;
    browser.point_at(&format!("path[data-plot='{}']", plots.ranked)).await;
    browser.wait_for("[data-crop]").await;
    the_cards_say_why(&browser).await;
    is_marked_as_simulated(&browser).await;
    browser.screenshot("desk-plot").await;
    why_not_something_else(&browser).await;
    the_land_is_drawn(&browser, &plots.ranked).await;
    is_marked_as_simulated(&browser).await;
    browser.screenshot("desk-land").await;

    browser.open(&demo.url(&format!("/#/plots/{}", plots.measure_first))).await;
    until("it says what to measure first", async || {
        browser.text("main").await.contains("Measure this first")
    })
    .await;
    assert!(!browser.has("[data-crop]").await, "nothing is ranked on a guess");
    is_marked_as_simulated(&browser).await;
    browser.screenshot("desk-measure-first").await;
    nothing_leaves_the_machine(&browser, demo).await;
    browser.quit().await;
}

async fn on_a_phone(demo: &Serving, plots: &Plots) {
    let browser = Browser::start(Screen::Phone).await;
    browser.open(&demo.url("/")).await;
    browser.wait_for("path[data-plot]").await;
    fits(&browser, "the map").await;
    browser.screenshot("phone-map").await;
    browser.click(&format!("a[href='#/plots/{}']", plots.ranked)).await;
    browser.wait_for("[data-crop]").await;
    fits(&browser, "what to plant").await;
    browser.click("details.why-not summary").await;
    fits(&browser, "what is ruled out").await;
    browser.screenshot("phone-plot").await;
    the_land_is_drawn(&browser, &plots.ranked).await;
    fits(&browser, "the land").await;
    is_marked_as_simulated(&browser).await;
    browser.screenshot("phone-land").await;
    nothing_leaves_the_machine(&browser, demo).await;
    browser.quit().await;
}

/// Ends in English.
async fn the_language_can_be_switched(browser: &Browser) {
    let language = "return document.documentElement.lang";
    browser.click("button[lang='zh-CN']").await;
    until("the page is Chinese", async || browser.run(language).await == "zh-CN").await;
    let chinese = browser.text("main").await;
    assert!(chinese.contains("地块") && chinese.contains("模拟"), "{chinese}");
    browser.screenshot("desk-map-zh").await;
    browser.click("button[lang='en']").await;
    until("the page is English", async || browser.run(language).await == "en").await;
    let english = browser.text("main").await;
    assert!(english.contains("Plots") && english.contains("Simulated"), "{english}");
}

async fn is_marked_as_simulated(browser: &Browser) {
    let note = browser.text("[role=note]").await;
    assert!(note.contains("Simulated") || note.contains("模拟"), "no note: {note:?}");
}

async fn the_cards_say_why(browser: &Browser) {
    let cards = browser.count("[data-crop]").await;
    assert!((1..=3).contains(&cards), "{cards} cards");
    for place in 1..=cards {
        let card = browser.text(&format!("[data-crop]:nth-of-type({place})")).await;
        assert!(card.contains(&format!("{place}.")), "{card}");
        assert!(card.contains("Expected yield"), "{card}");
        assert!(["S1", "S2", "S3"].iter().any(|class| card.contains(class)), "{card}");
        assert!(card.contains("For") || card.contains("Against"), "no reasons: {card}");
    }
}

async fn why_not_something_else(browser: &Browser) {
    let item = "details.why-not li";
    assert_eq!(browser.text("details.why-not[open]").await, "", "closed at first");
    browser.click("details.why-not summary").await;
    until("what is ruled out is shown", async || !browser.text(item).await.is_empty()).await;
    let text = browser.text(item).await;
    assert!(text.contains("Rule"), "names its rule: {text}");
}

async fn the_land_is_drawn(browser: &Browser, plot: &str) {
    browser.click(&format!("a[href='#/plots/{plot}/land']")).await;
    let drawn = "return [...document.querySelectorAll('figure canvas')].filter((canvas) => \
        canvas.width > 0 && canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height) \
        .data.some((byte) => byte > 0)).length";
    until("soil moisture is drawn", async || {
        let canvases: Value = browser.run(drawn).await;
        browser.has("figure[data-quantity=soil_moisture] canvas").await
            && canvases.as_u64().is_some_and(|count| count >= 2)
    })
    .await;
}

/// Nothing is wider than the phone.
async fn fits(browser: &Browser, what: &str) {
    let width = browser.run("return document.documentElement.scrollWidth").await;
    let width = width.as_u64().expect("a width");
    assert!(width <= u64::from(PHONE_WIDTH), "{what} is {width} px wide");
}

async fn nothing_leaves_the_machine(browser: &Browser, demo: &Serving) {
    let requests = browser.requests().await;
    let ours = demo.url("/");
    assert!(requests.iter().any(|url| url.starts_with(&format!("{ours}api/"))), "{requests:?}");
    let inside = |url: &&String| url.starts_with("data:") || url.starts_with("blob:");
    // What a fresh browser shows before it is told where to go.
    let blank = |url: &&String| url.starts_with("chrome:") || url.starts_with("about:");
    let left: Vec<_> = requests
        .iter()
        .filter(|url| !url.starts_with(&ours) && !inside(url) && !blank(url))
        .collect();
    assert!(left.is_empty(), "these left the machine: {left:?}");
}

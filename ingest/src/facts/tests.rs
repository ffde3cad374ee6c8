use std::collections::BTreeMap;

use jiff::{Timestamp, civil::date};
use plotwise_config::{
    id::{CooperativeId, DeviceId, PlotId},
    land::{Disease, LandType, Measure, Place, Protection, Severity, SoilClass, Water},
    reading::DepthMm,
    records::{
        Climate, ClimateDay, ClimateMonth, Cooperative, Device, Measured, Official, OrderedMeasure,
        Organ, Outcome, OutcomeStatus, Placement, Plot, Price, Sample, SampleKind, Season, SoldAs,
    },
};
use sea_orm::ConnectionTrait;
use tempfile::TempDir;

use super::*;
use crate::days::Ground;

const CATALOGUE: &str = include_str!("tests/catalogue.toml");

/// A data directory of its own and its facts, with the cooperative `ningxiang` in it.
struct Desk {
    directory: TempDir,
    facts: Facts,
}

impl Desk {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let facts = open(directory.path()).await;
        facts.put_cooperative(&ningxiang()).await.unwrap();
        Self { directory, facts }
    }

    async fn with_plots() -> Self {
        let desk = Self::new().await;
        desk.facts.put_plots(&[plot("nx-01"), plot("nx-02")]).await.unwrap();
        desk
    }
}

fn catalogue() -> Arc<Catalogue> {
    Arc::new(Catalogue::parse(&[("catalogue.toml", CATALOGUE)]).unwrap())
}

async fn open(directory: &Path) -> Facts {
    Facts::open(directory, catalogue()).await.unwrap()
}

fn owner() -> CooperativeId {
    CooperativeId::parse("ningxiang").unwrap()
}

fn ningxiang() -> Cooperative {
    Cooperative {
        id: owner(),
        name: "宁乡合作社".to_owned(),
        timezone: "Asia/Shanghai".to_owned(),
        place: Some(Place { latitude: 28.25, longitude: 112.55 }),
        simulated: true,
    }
}

fn plot_id(id: &str) -> PlotId {
    PlotId::parse(id).unwrap()
}

fn plot(id: &str) -> Plot {
    let ring = vec![[112.5, 28.2], [112.501, 28.2], [112.501, 28.201], [112.5, 28.2]];
    Plot {
        id: plot_id(id),
        cooperative: owner(),
        name: format!("Plot {id}"),
        polygons: vec![vec![ring]],
        centre: Place { latitude: 28.2004, longitude: 112.5007 },
        area_m2: 5450.25,
        contract_area_mu: Some(8.0),
        land_type: LandType::Paddy,
        protection: vec![Protection::BasicFarmland, Protection::GrainZone],
        protection_date: Some(date(2024, 1, 1)),
        soil_class: Some(Official {
            value: SoilClass::SafeUse,
            document: Some("湘农发〔2023〕1号".to_owned()),
            date: Some(date(2023, 5, 1)),
        }),
        measure: Some(OrderedMeasure {
            measure: Measure::StructureAdjustment,
            document: None,
            from: Some(date(2024, 1, 1)),
            to: None,
        }),
        village: Some("塘湾村".to_owned()),
        household: None,
        soil_texture: None,
        drainage: None,
        water: Some(Water::Drained),
        slope_percent: Some(2.5),
        soil_depth_cm: None,
        codes: BTreeMap::from([("registry".to_owned(), "4301240010010300123".to_owned())]),
    }
}

fn device(id: &str) -> Device {
    Device {
        id: DeviceId::parse(id).unwrap(),
        cooperative: owner(),
        name: None,
        profile: "native".to_owned(),
        is_gateway: false,
    }
}

fn placement(id: &str, plot: &str, from_s: i64) -> Placement {
    Placement {
        device: DeviceId::parse(id).unwrap(),
        plot: Some(plot_id(plot)),
        depth: Some(DepthMm(300)),
        from: Timestamp::from_second(from_s).unwrap(),
    }
}

fn season(plot: &str, year: i16) -> Season {
    Season {
        plot: plot_id(plot),
        start: date(year, 5, 20),
        end: Some(date(year, 10, 20)),
        crop: "sweet_potato".parse().unwrap(),
        variety: Some("shangshu_19".parse().unwrap()),
        water: Some(Water::RainFed),
        disease: Some((Disease::BlackSpot, Some(Severity::Slight))),
        confirmed_by: Some("县农技站".to_owned()),
    }
}

fn outcome(plot: &str, variety: &str) -> Outcome {
    Outcome {
        plot: plot_id(plot),
        season_start: date(2025, 5, 20),
        season_end: date(2025, 10, 20),
        crop: "sweet_potato".parse().unwrap(),
        variety: variety.parse().unwrap(),
        yield_kg_ha: 31_000.5,
        planted_on: Some(date(2025, 5, 21)),
        harvested_on: None,
        area_mu: Some(0.5),
        method: Some("weighed".to_owned()),
        marketable_percent: Some(88.0),
        dry_matter_percent: None,
        status: OutcomeStatus::Harvested,
        water: Some(Water::RainFed),
        disease: None,
        why_chosen: None,
        strip: Some("strip-1".to_owned()),
        note: Some("a note, with a comma".to_owned()),
    }
}

fn samples() -> Vec<Sample> {
    let catalogue = catalogue();
    let soil = SampleKind::Soil { sampled_on: date(2025, 3, 1), depth_m: 0.2 };
    let produce = SampleKind::Produce { season_start: date(2025, 5, 20), organ: Organ::Root };
    let sample = |kind: &SampleKind, quantity: &str, measured| Sample {
        plot: plot_id("nx-01"),
        kind: kind.clone(),
        quantity: catalogue.quantity_no(quantity).unwrap(),
        measured,
        laboratory: Some("省所".to_owned()),
        method: None,
    };
    vec![
        sample(&soil, "cadmium", Measured::Value(0.42)),
        sample(&soil, "soil_ph", Measured::Value(5.6)),
        sample(&produce, "cadmium", Measured::Below(0.005)),
    ]
}

fn price(buyer: Option<&str>) -> Price {
    Price {
        cooperative: owner(),
        crop: "sweet_potato".parse().unwrap(),
        sold_as: SoldAs::Starch,
        price_per_kg: 0.9,
        currency: "CNY".to_owned(),
        variety: None,
        buyer: buyer.map(str::to_owned),
        max_t: Some(200.0),
        cost_per_mu: Some(650.0),
        from: Some(date(2026, 1, 1)),
        to: None,
    }
}

const SAME: Changes = Changes { new: 0, changed: 0, same: 2 };
const NEW: Changes = Changes { new: 2, changed: 0, same: 0 };

#[tokio::test]
async fn a_plot_comes_back_as_it_was_and_again_is_the_same() {
    let desk = Desk::new().await;
    let mut plots = vec![plot("nx-01"), plot("nx-02")];
    assert_eq!(desk.facts.put_plots(&plots).await.unwrap(), NEW);
    assert_eq!(desk.facts.put_plots(&plots).await.unwrap(), SAME);
    assert_eq!(desk.facts.plots(&PlotFilter::default()).await.unwrap(), plots);
    plots[1].drainage = Some("poor".parse().unwrap());
    let changes = desk.facts.put_plots(&plots).await.unwrap();
    assert_eq!(changes, Changes { new: 0, changed: 1, same: 1 });
    assert_eq!(desk.facts.plot(&plots[1].id).await.unwrap().as_ref(), Some(&plots[1]));
    assert_eq!(desk.facts.plot(&plot_id("nx-03")).await.unwrap(), None);
}

#[tokio::test]
async fn plots_are_found_by_box_words_and_page() {
    let desk = Desk::with_plots().await;
    let mut east = plot("ost_1");
    east.polygons.clear();
    east.centre = Place { latitude: 28.5, longitude: 113.5 };
    desk.facts.put_plots(&[east]).await.unwrap();
    let ids = async |filter: PlotFilter| -> Vec<String> {
        let plots = desk.facts.plots(&filter).await.unwrap();
        plots.into_iter().map(|plot| plot.id.to_string()).collect()
    };
    let bbox = Some([112.5005, 28.1, 112.6, 28.3]);
    assert_eq!(ids(PlotFilter { bbox, ..PlotFilter::default() }).await, ["nx-01", "nx-02"]);
    let text = Some("NX-0".to_owned());
    assert_eq!(ids(PlotFilter { text, ..PlotFilter::default() }).await, ["nx-01", "nx-02"]);
    let text = Some("t_1".to_owned());
    assert_eq!(ids(PlotFilter { text, ..PlotFilter::default() }).await, ["ost_1"]);
    let page = PlotFilter { after: Some(plot_id("nx-01")), limit: Some(1), ..Default::default() };
    assert_eq!(ids(page).await, ["nx-02"]);
    let elsewhere = CooperativeId::parse("elsewhere").ok();
    let theirs = PlotFilter { cooperative: elsewhere, ..PlotFilter::default() };
    assert!(ids(theirs).await.is_empty());
}

#[tokio::test]
async fn every_kind_of_record_comes_back_as_it_was_and_again_is_the_same() {
    let desk = Desk::with_plots().await;
    let facts = &desk.facts;
    let nx_01 = plot_id("nx-01");

    let seasons = [season("nx-01", 2024), season("nx-01", 2025)];
    assert_eq!(facts.put_seasons(&seasons).await.unwrap(), NEW);
    assert_eq!(facts.put_seasons(&seasons).await.unwrap(), SAME);
    assert_eq!(facts.seasons(&nx_01).await.unwrap(), seasons);

    let outcomes = [outcome("nx-01", "shangshu_19"), outcome("nx-01", "xushu_18")];
    assert_eq!(facts.put_outcomes(&outcomes).await.unwrap(), NEW);
    assert_eq!(facts.put_outcomes(&outcomes).await.unwrap(), SAME);
    assert_eq!(facts.outcomes(&owner()).await.unwrap(), outcomes);

    let samples = samples();
    assert_eq!(facts.put_samples(&samples).await.unwrap().new, 3);
    assert_eq!(facts.put_samples(&samples).await.unwrap().same, 3);
    assert_eq!(facts.samples(&nx_01).await.unwrap(), samples);

    let prices = [price(None), price(Some("淀粉厂"))];
    assert_eq!(facts.put_prices(&prices).await.unwrap(), NEW);
    assert_eq!(facts.put_prices(&prices).await.unwrap(), SAME);
    assert_eq!(facts.prices(&owner()).await.unwrap(), prices);

    let climate = climate();
    assert_eq!(facts.put_climate(&owner(), &climate).await.unwrap(), NEW);
    assert_eq!(facts.put_climate(&owner(), &climate).await.unwrap(), SAME);
    assert_eq!(facts.climate(&owner()).await.unwrap(), climate);
}

fn climate() -> Climate {
    let day = ClimateDay {
        date: date(2025, 7, 1),
        air_temperature_max: 34.1,
        air_temperature_min: 26.0,
        rain: 0.0,
        daily_radiation: Some(21.5),
        sunshine: None,
    };
    let month = ClimateMonth {
        month: 7,
        air_temperature_max: 33.4,
        air_temperature_min: 25.6,
        rain: 130.2,
        daily_radiation: None,
        sunshine: Some(7.4),
    };
    Climate { days: vec![day], months: vec![month] }
}

#[tokio::test]
async fn a_device_list_read_again_does_not_move_devices_back() {
    let desk = Desk::with_plots().await;
    let facts = &desk.facts;
    let list = [
        (device("a"), Some(placement("a", "nx-01", 0))),
        (device("b"), Some(placement("b", "nx-02", 0))),
    ];
    assert_eq!(facts.put_devices(&list).await.unwrap(), NEW);
    let moved = placement("a", "nx-02", 1000);
    assert_eq!(facts.move_device(&moved).await.unwrap(), Change::New);
    assert_eq!(facts.move_device(&moved).await.unwrap(), Change::Same);

    let later = [(device("a"), Some(placement("a", "nx-01", 5000))), list[1].clone()];
    assert_eq!(facts.put_devices(&later).await.unwrap(), SAME);
    let stood = facts.placements_of_device(&list[0].0.id).await.unwrap();
    assert_eq!(stood, [placement("a", "nx-01", 0), moved.clone()]);

    let of_first_plot = facts.placements_of_plot(&plot_id("nx-01")).await.unwrap();
    assert_eq!(of_first_plot, stood, "the placement elsewhere says when this one ended");
    assert_eq!(facts.devices(&DeviceFilter::default()).await.unwrap(), [device("a"), device("b")]);
}

#[tokio::test]
async fn the_ground_of_all_plots_is_that_of_each() {
    let desk = Desk::with_plots().await;
    let facts = &desk.facts;
    let stood = |id, plot, from_s| (device(id), Some(placement(id, plot, from_s)));
    facts.put_devices(&[stood("a", "nx-01", 1), stood("b", "nx-02", 2)]).await.unwrap();
    facts.move_device(&placement("a", "nx-02", 3)).await.unwrap();
    facts.put_devices(&[(device("in-a-shed"), None)]).await.unwrap();
    facts.put_seasons(&[season("nx-02", 2024), season("nx-02", 2025)]).await.unwrap();
    let all = Ground::of_all(facts).await.unwrap();
    let mut each = Vec::new();
    for plot in ["nx-01", "nx-02"] {
        each.extend(Ground::of(facts, &plot_id(plot)).await.unwrap());
    }
    assert_eq!(all, each);
    assert_eq!(all.iter().map(|ground| ground.placements.len()).collect::<Vec<_>>(), [2, 3]);
}

#[tokio::test]
async fn the_directory_knows_owners_tokens_and_depths() {
    let desk = Desk::with_plots().await;
    let facts = &desk.facts;
    let list = [(device("a"), Some(placement("a", "nx-01", 0))), (device("b"), None)];
    facts.put_devices(&list).await.unwrap();
    let before = facts.revision().await.unwrap();
    facts.set_token(&list[0].0.id, [0xa7; 32], Timestamp::UNIX_EPOCH).await.unwrap();
    assert_eq!(facts.revision().await.unwrap(), before + 1);
    let directory = facts.directory().await.unwrap();
    assert_eq!(directory.len(), 2);
    let entry = directory.entry("a").unwrap();
    assert_eq!(entry.token_sha256, Some([0xa7; 32]));
    assert_eq!(entry.own_depth_at(Timestamp::UNIX_EPOCH), Some(DepthMm(300)));
    assert_eq!(directory.entry("b").unwrap().token_sha256, None);

    assert!(facts.remove_device(&list[0].0.id).await.unwrap());
    assert!(!facts.remove_device(&list[0].0.id).await.unwrap());
    assert!(facts.directory().await.unwrap().entry("a").is_none());
}

#[tokio::test]
async fn a_change_by_another_handle_moves_the_revision() {
    let desk = Desk::with_plots().await;
    let other = open(desk.directory.path()).await;
    let before = desk.facts.revision().await.unwrap();
    other.put_plots(&[plot("nx-01")]).await.unwrap();
    assert_eq!(desk.facts.revision().await.unwrap(), before, "nothing changed");
    other.put_plots(&[plot("nx-09")]).await.unwrap();
    assert_eq!(desk.facts.revision().await.unwrap(), before + 1);
    assert!(desk.facts.plot(&plot_id("nx-09")).await.unwrap().is_some());
}

#[tokio::test]
async fn two_handles_that_write_at_once_both_finish() {
    let desk = Desk::new().await;
    let other = open(desk.directory.path()).await;
    let many = |prefix: &str| -> Vec<Plot> {
        (0..1200).map(|number| plot(&format!("{prefix}-{number}"))).collect()
    };
    let (ours, theirs) = (many("a"), many("b"));
    let (first, second) = tokio::join!(desk.facts.put_plots(&ours), other.put_plots(&theirs));
    assert_eq!((first.unwrap().new, second.unwrap().new), (1200, 1200));
}

#[tokio::test]
async fn a_dry_run_counts_and_writes_nothing() {
    let desk = Desk::with_plots().await;
    let before = desk.facts.revision().await.unwrap();
    let dry = desk.facts.dry_run();
    let changes = dry.put_plots(&[plot("nx-01"), plot("nx-03")]).await.unwrap();
    assert_eq!(changes, Changes { new: 1, changed: 0, same: 1 });
    assert_eq!(desk.facts.plot(&plot_id("nx-03")).await.unwrap(), None);
    assert_eq!(desk.facts.revision().await.unwrap(), before);
}

#[tokio::test]
async fn a_record_of_nobody_is_refused_by_name() {
    let desk = Desk::new().await;
    let error = desk.facts.put_seasons(&[season("nowhere", 2025)]).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the season of nowhere from 2025-05-20 names a plot that does not exist; add it first"
    );
    assert_eq!(desk.facts.revision().await.unwrap(), 1);
}

#[tokio::test]
async fn what_is_in_use_is_not_removed() {
    let desk = Desk::with_plots().await;
    let facts = &desk.facts;
    facts.put_seasons(&[season("nx-01", 2025)]).await.unwrap();
    let error = facts.remove_plot(&plot_id("nx-01")).await.unwrap_err();
    assert_eq!(error.to_string(), "plot nx-01 still has 1 seasons; remove these first");
    let error = facts.remove_cooperative(&owner()).await.unwrap_err();
    assert!(error.to_string().contains("2 plots"), "{error}");
    facts.keep_advice(&plot_id("nx-02"), Timestamp::UNIX_EPOCH, None, "{}").await.unwrap();
    assert!(facts.remove_plot(&plot_id("nx-02")).await.unwrap());
    assert!(facts.advice_history(&plot_id("nx-02"), 0, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn advice_is_kept_newest_first_and_changes_no_fact() {
    let desk = Desk::with_plots().await;
    let facts = &desk.facts;
    let nx_01 = plot_id("nx-01");
    let before = facts.revision().await.unwrap();
    let at = |second| Timestamp::from_second(second).unwrap();
    let first = facts.keep_advice(&nx_01, at(10), None, r#"{"n":1}"#).await.unwrap();
    let second = facts.keep_advice(&nx_01, at(20), Some("m-1"), r#"{"n":2}"#).await.unwrap();
    assert!(second > first);
    let last = facts.last_advice(&nx_01).await.unwrap().unwrap();
    assert_eq!((last.id, last.model.as_deref()), (second, Some("m-1")));
    assert_eq!((last.made_at, last.document.as_str()), (at(20), r#"{"n":2}"#));
    assert_eq!(facts.advice_history(&nx_01, 0, 10).await.unwrap().len(), 2);
    assert_eq!(facts.revision().await.unwrap(), before);
}

#[tokio::test]
async fn a_newer_database_is_refused_by_name() {
    let desk = Desk::new().await;
    let newer = "insert into seaql_migrations (version, applied_at) values ('m0999_future', 0)";
    desk.facts.database.execute_unprepared(newer).await.unwrap();
    let error = Facts::open(desk.directory.path(), catalogue()).await.unwrap_err();
    assert!(matches!(&error, FactsError::Newer { migration, .. } if migration == "m0999_future"));
    assert!(error.to_string().contains("newer version of Plotwise"), "{error}");
}

#[tokio::test]
async fn a_place_that_is_no_directory_is_refused_by_path() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "text").unwrap();
    let error = Facts::open(&file, catalogue()).await.unwrap_err();
    assert!(error.to_string().contains("file/plotwise.db"), "{error}");
}

#[tokio::test]
async fn facts_are_there_after_closing_and_opening_again() {
    let desk = Desk::with_plots().await;
    desk.facts.close().await.unwrap();
    let again = open(desk.directory.path()).await;
    assert_eq!(again.plots(&PlotFilter::default()).await.unwrap().len(), 2);
    assert_eq!(again.cooperative(&owner()).await.unwrap(), Some(ningxiang()));
}

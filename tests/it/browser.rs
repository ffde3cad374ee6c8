//! A real Chromium, driven through chromedriver.

use std::{
    collections::BTreeSet,
    path::PathBuf,
    process::{Command, Stdio},
};

use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::{
    ChromeCapabilities, ChromiumLikeCapabilities, LoggingPrefsLogLevel, WebDriver, prelude::*,
};

use crate::plotwise::{Running, free_port, until};

/// Width of the phone that pages have to fit on, CSS pixels.
pub(crate) const PHONE_WIDTH: u32 = 360;

/// What the pages are looked at with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Screen {
    /// 1280 x 900.
    Desk,
    /// [`PHONE_WIDTH`] x 740, with touch.
    Phone,
}

/// A browser with a fresh profile; closed with its driver when dropped.
pub(crate) struct Browser {
    driver: WebDriver,
    _chromedriver: Running,
    _profile: TempDir,
}

impl Browser {
    /// Starts it.
    ///
    /// # Panics
    ///
    /// Where chromedriver or Chromium are not installed; `tests/check.sh` does that.
    pub(crate) async fn start(screen: Screen) -> Self {
        let port = free_port();
        let mut command = Command::new("chromedriver");
        command.arg(format!("--port={port}")).stdout(Stdio::null()).stderr(Stdio::null());
        let chromedriver = Running::start(&mut command);
        let server = format!("http://127.0.0.1:{port}");
        let status = format!("{server}/status");
        until("chromedriver listens", async || reqwest::get(&status).await.is_ok()).await;
        let profile = TempDir::new().expect("a temporary folder");
        let capabilities = capabilities(screen, &profile).expect("capabilities");
        let driver = WebDriver::new(&server, capabilities).await.expect("Chromium starts");
        Self { driver, _chromedriver: chromedriver, _profile: profile }
    }

    /// Ends the session, so that Chromium ends before its profile is removed.
    pub(crate) async fn quit(self) {
        self.driver.quit().await.expect("Chromium ends");
    }

    /// Opens an address.
    pub(crate) async fn open(&self, url: &str) {
        self.driver.goto(url).await.expect("the page opens");
    }

    /// Whether an element is there.
    pub(crate) async fn has(&self, css: &str) -> bool {
        self.count(css).await > 0
    }

    /// How many elements are there.
    pub(crate) async fn count(&self, css: &str) -> usize {
        self.driver.find_all(By::Css(css)).await.map_or(0, |found| found.len())
    }

    /// Waits until an element is there.
    pub(crate) async fn wait_for(&self, css: &str) {
        until(&format!("the page has {css}"), async || self.has(css).await).await;
    }

    /// Clicks, or taps, as soon as the element is there and nothing covers it.
    pub(crate) async fn click(&self, css: &str) {
        until(&format!("{css} can be clicked"), async || {
            match self.driver.find(By::Css(css)).await {
                Ok(element) => element.click().await.is_ok(),
                Err(_) => false,
            }
        })
        .await;
    }

    /// Types into a field.
    pub(crate) async fn type_into(&self, css: &str, text: &str) {
        let field = self.driver.find(By::Css(css)).await.expect("the field");
        field.send_keys(text).await.expect("the field takes keys");
    }

    /// Points at the middle of an element and clicks whatever is on top there.
    pub(crate) async fn point_at(&self, css: &str) {
        let element = self.driver.find(By::Css(css)).await.expect("the element");
        let actions = self.driver.action_chain().move_to_element_center(&element).click();
        actions.perform().await.expect("the pointer moves");
    }

    /// The text that a reader sees.
    pub(crate) async fn text(&self, css: &str) -> String {
        let script = format!("return document.querySelector({})?.innerText ?? ''", json!(css));
        self.run(&script).await.as_str().unwrap_or_default().to_owned()
    }

    /// The result of a script.
    pub(crate) async fn run(&self, script: &str) -> Value {
        let answer = self.driver.execute(script, Vec::new()).await.expect("the script runs");
        answer.json().clone()
    }

    /// Keeps a picture where `PLOTWISE_SCREENSHOTS` names a folder.
    pub(crate) async fn screenshot(&self, name: &str) {
        let Some(folder) = std::env::var_os("PLOTWISE_SCREENSHOTS").map(PathBuf::from) else {
            return;
        };
        std::fs::create_dir_all(&folder).expect("a folder for pictures");
        let file = folder.join(format!("{name}.png"));
        self.driver.screenshot(&file).await.expect("a picture");
    }

    /// Every address that pages asked for since the start, or since this was asked last: the
    /// browser's own record, which no page can hide from.
    pub(crate) async fn requests(&self) -> BTreeSet<String> {
        let log = self.driver.get_log("performance").await.expect("a log of requests");
        log.iter()
            .filter_map(|entry| {
                let entry: Value = serde_json::from_str(&entry.message).ok()?;
                let message = &entry["message"];
                let address = match message["method"].as_str()? {
                    "Network.requestWillBeSent" => &message["params"]["request"]["url"],
                    "Network.webSocketCreated" => &message["params"]["url"],
                    _ => return None,
                };
                Some(address.as_str()?.to_owned())
            })
            .collect()
    }
}

fn capabilities(screen: Screen, profile: &TempDir) -> WebDriverResult<ChromeCapabilities> {
    let mut chrome = DesiredCapabilities::chrome();
    for flag in [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--window-size=1280,900",
    ] {
        chrome.add_arg(flag)?;
    }
    chrome.add_arg(&format!("--user-data-dir={}", profile.path().display()))?;
    chrome.set_logging_prefs("performance", LoggingPrefsLogLevel::All)?;
    if screen == Screen::Phone {
        // A window cannot be made this narrow, and a finger is no mouse.
        let metrics =
            json!({"width": PHONE_WIDTH, "height": 740, "pixelRatio": 2.0, "touch": true});
        chrome.add_experimental_option("mobileEmulation", json!({ "deviceMetrics": metrics }))?;
    }
    Ok(chrome)
}

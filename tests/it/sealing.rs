//! Old readings become sealed blocks by themselves, and nobody can tell but by the size of the file.

use std::{fmt::Write as _, path::PathBuf};

use rusqlite::Connection;

use crate::plotwise::{Plotwise, until};

const DEVICES: usize = 6;

/// A year of every quarter of an hour, less than that of every seventh message.
const MESSAGES: usize = 30_000;

/// A cooperative with a plot and probes that measured there from 2024 on.
struct Farm {
    plotwise: Plotwise,
    readings: PathBuf,
}

impl Farm {
    fn settle() -> Self {
        let plotwise = Plotwise::new();
        plotwise.ok(&["cooperatives", "add", "coop", "--name", "Co-op"]);
        let plots = "id,name,cooperative,land_type,latitude,longitude,area_mu\n\
                     p-1,Plot,coop,dry,28.2,112.5,3\n";
        let plots = plotwise.file("plots.csv", plots);
        plotwise.ok(&["import", "plots", plots.to_str().expect("a path")]);
        let mut devices = "device,cooperative,plot,profile,depth_m\n".to_owned();
        let mut readings = "device,time,soil_moisture,soil_temperature,soil_ph\n".to_owned();
        for device in 1..=DEVICES {
            writeln!(devices, "probe-{device},coop,p-1,native,0.{device}").expect("memory");
        }
        for nth in 0..MESSAGES {
            let time = 1_704_067_200 + nth * 900;
            for device in (1..=DEVICES).filter(|device| (nth + device) % 7 != 0) {
                let day = (nth % 96 * device) as f64;
                let noise = (nth * 7919 * device % 31) as f64 / 1000.0;
                let (moisture, celsius) = (0.2 + noise + day / 5000.0, 18.0 + day / 100.0);
                write!(readings, "probe-{device},{time},{moisture:.3},{celsius:.1}")
                    .expect("memory");
                // Acid is measured once a day.
                let ph = if nth % 96 == 0 { format!("{:.2}", 5.0 + noise) } else { String::new() };
                writeln!(readings, ",{ph}").expect("memory");
            }
        }
        let devices = plotwise.file("devices.csv", &devices);
        plotwise.ok(&["import", "devices", devices.to_str().expect("a path")]);
        let farm = Self { readings: plotwise.file("readings.csv", &readings), plotwise };
        farm.import();
        farm
    }

    fn import(&self) -> serde_json::Value {
        self.plotwise.json(&["import", "readings", self.readings.to_str().expect("a path")])
    }

    fn export(&self) -> String {
        self.plotwise.ok(&["export", "readings"])
    }

    fn database(&self) -> Connection {
        Connection::open(self.plotwise.data().join("readings.db")).expect("the readings")
    }

    /// Observations in rows and sealed, counted past the program.
    fn rows_and_sealed(&self) -> (i64, i64) {
        let both = "select (select count(*) from observation), \
                    (select coalesce(sum(observations), 0) from sealed)";
        let row = self.database().query_row(both, [], |row| Ok((row.get(0)?, row.get(1)?)));
        row.expect("the counts")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn old_readings_are_sealed_through_kills_and_nothing_changes() {
    let farm = Farm::settle();
    let before = farm.export();
    assert!(before.lines().count() > 2 * DEVICES * MESSAGES * 6 / 7);
    let charts = [
        "step=hour&from=2024-02-01T00:00:00Z&to=2024-04-01T00:00:00Z",
        "step=day&from=2024-01-01T00:00:00Z&to=2025-01-01T00:00:00Z",
        "step=raw&from=2024-03-01T00:00:00Z&to=2024-03-05T00:00:00Z&depth=0.3",
    ];
    let chart = |query: &str| format!("/api/v1/plots/p-1/readings?quantity=soil_moisture&{query}");
    let mut drawn = Vec::new();
    let mut kills_between = 0;
    for _ in 0..6 {
        let (_, sealed) = farm.rows_and_sealed();
        let serving =
            farm.plotwise.start(&["serve", "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0"]);
        until("more is sealed", async || {
            let (rows, now_sealed) = farm.rows_and_sealed();
            now_sealed > sealed || rows == 0
        })
        .await;
        serving.kill();
        let (rows, sealed) = farm.rows_and_sealed();
        kills_between += usize::from(rows > 0 && sealed > 0);
        assert!(farm.export() == before, "the export differs after a kill with {rows} rows left");
    }
    eprintln!("{kills_between} of 6 kills found it in the middle of sealing");
    let serving = farm.plotwise.serve().await;
    for query in charts {
        drawn.push(serving.get(&chart(query)).await);
    }
    until("everything is sealed", async || farm.rows_and_sealed().0 == 0).await;
    for (query, drawn) in charts.iter().zip(&drawn) {
        assert!(serving.get(&chart(query)).await == *drawn, "{query}");
    }
    assert!(farm.export() == before, "the export differs once all is sealed");
    let again = farm.import();
    assert_eq!((&again["new"], &again["changed"]), (&0.into(), &0.into()), "{again}");
    serving.terminate();

    let shown = farm.plotwise.json(&["store", "show"]);
    assert_eq!((&shown["rows"], &shown["sealed"]), (&0.into(), &again["rows"]), "{shown}");
    assert!(shown["bytes_a_reading"].as_f64().expect("a number") < 2.0, "{shown}");
    let whole = "pragma integrity_check";
    let whole: String = farm.database().query_row(whole, [], |row| row.get(0)).expect("an answer");
    assert_eq!(whole, "ok");
}

#[test]
fn a_damaged_block_is_named_by_export_and_doctor_and_can_be_brought_back() {
    let farm = Farm::settle();
    let before = farm.export();
    let sealed = farm.plotwise.json(&["store", "seal"]);
    assert_eq!(sealed["observations"], farm.import()["same"]);
    assert!(farm.export() == before);
    let (block, mut data): (i64, Vec<u8>) = farm
        .database()
        .query_row(
            "select id, data from block join sealed on id = block order by id limit 1 offset 3",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .expect("a block");
    let middle = data.len() / 2;
    data[middle] ^= 4;
    let update = "update block set data = ? where id = ?";
    farm.database().execute(update, rusqlite::params![data, block]).expect("a damage");

    let exported = farm.plotwise.run(&["export", "readings"]);
    assert_eq!(exported.status.code(), Some(1));
    let said = String::from_utf8(exported.stderr).expect("UTF-8");
    let named = said.lines().find(|line| line.starts_with("plotwise: missing:"));
    let named = named.unwrap_or_else(|| panic!("{said}"));
    assert!(named.contains("device probe-") && named.contains(" from 202"), "{named}");
    let rest = String::from_utf8(exported.stdout).expect("UTF-8");
    let lost = before.lines().count() - rest.lines().count();
    assert!(lost > 100 && lost < before.lines().count() / 5, "{lost} lines are missing");
    let said = farm.plotwise.run(&["doctor", "--sealed"]);
    assert_eq!(said.status.code(), Some(1));
    let said = String::from_utf8(said.stdout).expect("UTF-8");
    assert!(said.contains("FAIL sealed blocks: the sealed block of device probe-"), "{said}");

    assert!(farm.plotwise.ok(&["store", "drop-damaged"]).starts_with("taken out: "));
    assert!(farm.export() == rest, "nothing else went with it");
    assert_ne!(farm.import()["new"], 0);
    assert_eq!(farm.export().lines().count(), before.lines().count());
    assert!(farm.plotwise.ok(&["doctor", "--sealed"]).contains("ok   sealed blocks: "));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_old_goes_as_it_was_announced_through_a_kill_and_only_where_asked() {
    let farm = Farm::settle();
    farm.plotwise.ok(&["store", "seal", "--until", "2024-06-01"]);
    let before = farm.export();
    assert!(farm.plotwise.refused(&["store", "retain"]).contains("retain_days"));
    // Days from the last week of the readings; they are of 2024, so all of them are old today.
    let announced = farm.plotwise.json(&["store", "retain", "--days", "1"]);
    let announced = announced.as_array().expect("devices");
    assert_eq!(announced.len(), DEVICES, "{announced:?}");
    let count: u64 = announced.iter().filter_map(|one| one["observations"].as_u64()).sum();
    assert_eq!(count, farm.plotwise.observations() as u64);
    assert_eq!(farm.export(), before, "announcing changes nothing");

    let all = farm.plotwise.observations();
    let mut retain = farm.plotwise.start(&["store", "retain", "--days", "1", "--yes"]);
    until("some of it is gone", async || {
        farm.plotwise.observations() < all || retain.ended().is_some()
    })
    .await;
    retain.kill();
    let left = farm.plotwise.json(&["store", "retain", "--days", "1"]);
    let left = left.as_array().expect("devices");
    let left: u64 = left.iter().filter_map(|one| one["observations"].as_u64()).sum();
    assert_eq!(left, farm.plotwise.observations() as u64, "counted as it is");
    // The rest goes by itself once a setting says so.
    farm.plotwise.file("plotwise.toml", "[store]\nretain_days = 1\n");
    let serving = farm.plotwise.serve_with(&["--config", "plotwise.toml"]).await;
    until("all of it is gone", async || farm.plotwise.observations() == 0).await;
    serving.terminate();
    let shown = farm.plotwise.json(&["store", "show"]);
    assert_eq!(shown["let_go"], count, "{shown}");
    // What is imported again is taken in again.
    farm.import();
    assert_eq!(farm.plotwise.observations(), all);
}

//! A wrong profile corrected backwards, from messages kept as they came.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::store::{RawBounds, RawLimits};

/// A flat profile: `time` where the time stands, `fields` as (quantity, key, unit).
fn profile(time: &str, fields: &[(&str, &str, &str)]) -> String {
    let mut text = format!(
        "[[profile]]\nkey = \"flat\"\nmaker = \"M\"\nmodels = [\"m\"]\nname = {{ zh = \"平\", en = \"flat\" }}\n\
         source = \"made up\"\nlinks = []\ntime = [{time}]\n"
    );
    for (quantity, key, unit) in fields {
        write!(
            text,
            "[[profile.field]]\nquantity = \"{quantity}\"\nfrom = [\"{key}\"]\nunit = \"{unit}\"\n"
        )
        .unwrap();
    }
    text
}

const RIGHT: [(&str, &str, &str); 2] =
    [("soil_moisture", "m", "m3/m3"), ("soil_temperature", "t", "°C")];

impl Farm {
    /// With a device `node` that is read by this profile from now on.
    fn read_by(&mut self, text: &str) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("flat.toml"), text).unwrap();
        let catalogue = Catalogue::load(&[folder.path().to_owned()]).unwrap();
        self.decoders = Decoders::new(&catalogue);
        self.devices.retain(|(device, _)| device.as_str() != "node");
        self.devices
            .push((id("node"), Entry { profile: "flat".to_owned(), ..entry("ours", false) }));
    }

    fn replay_raw(&self, from: Option<Timestamp>) -> Retaken {
        let directory = Directory::new(self.devices.clone());
        let again = Again::new(&directory, &self.decoders, &self.settings).unwrap();
        let filter = RawFilter { device: Some(id("node")), from };
        replay_raw(&self.store, &filter, &again, at(30 * 24 * 3600), |_| {}).unwrap()
    }

    /// (measured, quantity, value) of everything.
    fn values(&self) -> Vec<(Timestamp, u16, f64)> {
        let all = self.all();
        let of_each = all.iter().flat_map(|one| {
            one.readings.iter().map(|reading| (one.measured, reading.quantity.0, reading.value))
        });
        of_each.collect()
    }

    fn seal(&self) {
        let until = at(365 * 24 * 3600);
        self.store.sealer().unwrap().seal_all(until, |_| {}).unwrap();
    }
}

fn bounds(store: &Store, keep_days: u32, max_mb: u32) -> RawBounds {
    store.raw_bounds(RawLimits { keep_days, max_mb }).unwrap()
}

#[test]
fn a_unit_that_was_wrong_is_corrected_backwards_in_rows_and_in_sealed_weeks() {
    for is_sealed in [false, true] {
        let mut farm = Farm::new();
        farm.read_by(&profile(
            "\"ts\"",
            &[("soil_moisture", "m", "%"), ("soil_temperature", "t", "°C")],
        ));
        for n in 0..5 {
            let payload = format!(r#"{{"ts": {}, "m": 0.2{n}, "t": 11}}"#, 1_767_225_600 + 60 * n);
            farm.receive(&gate(), UP, &payload, 60 * n);
        }
        assert!(farm.values()[0].2 < 0.01, "a percent of a share");
        if is_sealed {
            farm.seal();
        }
        farm.read_by(&profile("\"ts\"", &RIGHT));
        let retaken = farm.replay_raw(None);
        assert_eq!((retaken.changed, retaken.unchanged, retaken.unreadable), (5, 0, 0));
        let values: Vec<_> = farm.values().iter().map(|(.., value)| *value).collect();
        assert_eq!(values, [0.20, 11.0, 0.21, 11.0, 0.22, 11.0, 0.23, 11.0, 0.24, 11.0]);
        assert_eq!(farm.replay_raw(None).unchanged, 5, "once is enough");
        // A broker that sends one of them again changes nothing.
        farm.receive(&gate(), UP, r#"{"ts": 1767225600, "m": 0.20, "t": 11}"#, 400);
        assert_eq!((farm.values().len(), farm.reasons()), (10, vec![]));
    }
}

#[test]
fn what_a_wrong_field_made_goes_and_what_stood_at_a_wrong_time_moves() {
    let mut farm = Farm::new();
    // Dated by arrival, as the time stands elsewhere, and moisture taken for temperature.
    farm.read_by(&profile("\"when\"", &[("soil_temperature", "m", "°C")]));
    farm.receive(&gate(), UP, r#"{"ts": 1767225600, "m": 0.2, "t": 11}"#, 30);
    assert_eq!(farm.all()[0].measured, at(30));
    farm.read_by(&profile("\"ts\"", &RIGHT));
    assert_eq!(farm.replay_raw(None).changed, 1);
    let all = farm.all();
    assert_eq!((all.len(), all[0].measured, all[0].received), (1, at(0), at(30)));
    assert_eq!(all[0].readings.len(), 2);
}

#[test]
fn what_somebody_corrected_since_is_left_alone() {
    let mut farm = Farm::new();
    farm.read_by(&profile(
        "\"ts\"",
        &[("soil_moisture", "m", "%"), ("soil_temperature", "t", "°C")],
    ));
    farm.receive(&gate(), UP, r#"{"ts": 1767225600, "m": 0.2, "t": 11}"#, 5);
    let directory = Directory::new(farm.devices.clone());
    let again = Again::new(&directory, &farm.decoders, &farm.settings).unwrap();
    let payload =
        br#"{"time": 1767225600, "supersede": true, "readings": {"soil_moisture": 0.31}}"#;
    let message = Message { topic: UP, payload, received: at(9) };
    let mut correction = again.message(Some(&gate()), None, message);
    // Not kept: a correction by hand is no message of the profile's.
    correction.retain(|intake| !matches!(intake, Intake::Raw(_)));
    farm.store.writer().unwrap().commit(&correction).unwrap();
    farm.read_by(&profile("\"ts\"", &RIGHT));
    let retaken = farm.replay_raw(None);
    assert_eq!((retaken.changed, retaken.corrected), (1, 1));
    let values: Vec<_> = farm.values().iter().map(|(.., value)| *value).collect();
    assert_eq!((values, farm.reasons()), (vec![0.31, 11.0], vec![]));
}

#[test]
fn a_profile_that_reads_nothing_takes_nothing_away() {
    let mut farm = Farm::new();
    farm.read_by(&profile("\"ts\"", &RIGHT));
    farm.receive(&gate(), UP, r#"{"ts": 1767225600, "m": 0.2, "t": 11}"#, 5);
    farm.read_by(&profile("\"ts\"", &[("soil_ph", "ph", "pH")]));
    let retaken = farm.replay_raw(None);
    assert_eq!((retaken.changed, retaken.unreadable), (0, 1));
    let example = retaken.example.unwrap_or_default();
    assert!(example.contains("found"), "{example}");
    assert_eq!((farm.values().len(), farm.reasons()), (2, vec![]));
}

#[test]
fn only_messages_that_needed_a_profile_and_came_once_are_kept() {
    let mut farm = Farm::new();
    farm.register("plain", "ours");
    farm.receive(&gate(), "plotwise/v1/plain/up", r#"{"readings": {"soil_ph": 5}}"#, 0);
    farm.read_by(&profile("\"ts\"", &RIGHT));
    for second in [5, 6] {
        farm.receive(&gate(), UP, r#"{"ts": 1767225600, "m": 0.2, "t": 11}"#, second);
    }
    let kept = farm.store.reader().unwrap().raw_sizes().unwrap();
    assert_eq!((kept.messages, kept.oldest), (1, Some(at(5))));
}

#[test]
fn kept_messages_stay_within_their_days_and_their_size() {
    let mut farm = Farm::new();
    farm.read_by(&profile("\"ts\"", &RIGHT));
    let pad = "x".repeat(10_000);
    let day_s = 24 * 3600;
    for day in 0..150 {
        let payload = format!(
            r#"{{"ts": {}, "m": 0.2, "t": 11, "pad": "{pad}"}}"#,
            1_767_225_600 + day * day_s
        );
        farm.receive(&gate(), UP, &payload, day * day_s);
    }
    let sizes = || farm.store.reader().unwrap().raw_sizes().unwrap();
    let keep = |bounds: &mut RawBounds, day| {
        while bounds.keep(at(day * day_s)).unwrap() == crate::upkeep::Step::More {}
        sizes()
    };
    let kept = keep(&mut bounds(&farm.store, 30, 100), 149);
    assert_eq!((kept.messages, kept.oldest), (31, Some(at(119 * day_s))));
    let nothing = keep(&mut bounds(&farm.store, 0, 100), 150);
    assert_eq!((nothing.messages, nothing.bytes), (0, 0));
    assert_eq!(farm.all().len(), 150, "observations stay");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn a_mend_backwards_comes_to_the_same_as_having_been_right_at_first(
        messages in prop::collection::vec((0_i64..40, prop::bool::ANY, 0_u32..5, 0_u32..5), 1..25),
        seal_after in 0_usize..30,
        wrong in 0_usize..4,
    ) {
        let wrongs = [
            profile("\"ts\"", &[("soil_moisture", "m", "%"), ("soil_temperature", "t", "°C")]),
            profile("\"nothing\"", &RIGHT),
            profile("\"ts\"", &[("soil_temperature", "m", "°C")]),
            profile("\"ts\"", &[("soil_moisture", "m", "m3/m3"), ("air_temperature", "t", "°C")]),
        ];
        let mut farms = [Farm::new(), Farm::new()];
        farms[0].read_by(&wrongs[wrong]);
        farms[1].read_by(&profile("\"ts\"", &RIGHT));
        let mut known = std::collections::HashSet::new();
        for (place, (minute, has_time, m, t)) in messages.iter().enumerate() {
            // One message a time: what contradicts another is not put right by a profile.
            if !known.insert((*has_time).then_some(*minute).ok_or(place)) {
                continue;
            }
            let time = if *has_time {
                format!("\"ts\": {}, ", 1_767_225_600 + 60 * minute)
            } else {
                String::new()
            };
            let payload = format!(r#"{{{time}"n": {place}, "m": 0.{m}1, "t": 1{t}}}"#);
            for farm in &farms {
                farm.receive(&gate(), UP, &payload, 3_600 + i64::try_from(place).unwrap());
            }
            if place == seal_after {
                farms[0].seal();
            }
        }
        farms[0].read_by(&profile("\"ts\"", &RIGHT));
        farms[0].replay_raw(None);
        // The store's order of quantities is that in which it met them.
        let [mended, right] = farms.each_ref().map(|farm| {
            let mut all = farm.all();
            for one in &mut all {
                one.readings.sort_by_key(|reading| reading.quantity);
            }
            all
        });
        prop_assert_eq!(mended, right);
        prop_assert_eq!(farms[0].reasons(), farms[1].reasons());
    }
}

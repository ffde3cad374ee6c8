//! Files that people bring: the first byte chooses the kind.
#![no_main]

use std::sync::LazyLock;

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use plotwise_config::{catalogue::Catalogue, id::CooperativeId};
use plotwise_ingest::{
    fuzzing,
    import::{
        Known, Options, parse_climate, parse_devices, parse_outcomes, parse_plots, parse_prices,
        parse_readings, parse_samples, parse_seasons,
    },
};

static KNOWN: LazyLock<(Catalogue, Known)> = LazyLock::new(|| {
    let mut known = Known { directory: fuzzing::directory("native"), ..Known::default() };
    known.cooperatives.insert(CooperativeId::parse("coop").expect("a well-formed name"));
    (Catalogue::shipped().expect("the shipped catalogue holds"), known)
});

fuzz_target!(|data: &[u8]| {
    let Some((kind, file)) = data.split_first() else { return };
    let (catalogue, known) = &*KNOWN;
    let options = Options::new(Timestamp::from_second(1_790_000_000).expect("a moment"));
    match kind % 8 {
        0 => drop(parse_plots(file, &options, known)),
        1 => drop(parse_devices(file, &options, catalogue, known)),
        2 => drop(parse_samples(file, &options, catalogue, known)),
        3 => drop(parse_seasons(file, &options, catalogue, known)),
        4 => drop(parse_outcomes(file, &options, catalogue, known)),
        5 => drop(parse_prices(file, &options, catalogue, known)),
        6 => drop(parse_climate(file, &options, known)),
        _ => {
            if let Ok(readings) = parse_readings(file, &options, catalogue, &known.directory) {
                let wanted = readings.summary().observations;
                assert_eq!(readings.count() as u64, wanted);
            }
        }
    }
});

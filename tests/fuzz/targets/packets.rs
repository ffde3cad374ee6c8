//! MQTT packets, cut anywhere: first byte the version said in a CONNECT before, second how they are cut.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use plotwise_config::catalogue::Catalogue;
use plotwise_ingest::{decode::Decoders, directory::Directory, fuzzing};

static KNOWN: LazyLock<(Directory, Decoders)> = LazyLock::new(|| {
    let catalogue = Catalogue::shipped().expect("the shipped catalogue holds");
    (fuzzing::directory("native"), Decoders::new(&catalogue))
});

fuzz_target!(|data: &[u8]| {
    if let [version, cuts, bytes @ ..] = data {
        let (directory, decoders) = &*KNOWN;
        fuzzing::packets(*version, *cuts, bytes, directory, decoders);
    }
});

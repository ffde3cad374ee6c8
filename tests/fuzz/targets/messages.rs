//! Payloads of every format that a topic names, by every shipped profile: the first byte chooses.
#![no_main]

use std::sync::LazyLock;

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use plotwise_config::catalogue::Catalogue;
use plotwise_ingest::{
    decode::Decoders,
    directory::Directory,
    fuzzing,
    resolve::{Message, Publisher, resolve},
    topic::own_route,
};

const TOPICS: [&str; 4] = [
    "plotwise/v1/node/up",
    "plotwise/v1/node/senml",
    "application/a/device/node/event/up",
    "v3/app/devices/node/up",
];

static KNOWN: LazyLock<(Vec<Directory>, Decoders)> = LazyLock::new(|| {
    let catalogue = Catalogue::shipped().expect("the shipped catalogue holds");
    let profiles = catalogue.profiles().iter().map(|profile| fuzzing::directory(&profile.key));
    (profiles.chain([fuzzing::directory("native")]).collect(), Decoders::new(&catalogue))
});

fuzz_target!(|data: &[u8]| {
    let Some((choice, payload)) = data.split_first() else { return };
    let (directories, decoders) = &*KNOWN;
    let topic = TOPICS[usize::from(*choice) % TOPICS.len()];
    let directory = &directories[usize::from(*choice) / TOPICS.len() % directories.len()];
    let received = Timestamp::from_second(1_790_000_000).expect("a moment of this century");
    let message = Message { topic, payload, received };
    let mut intakes = Vec::new();
    let publisher = Publisher::Token("gate");
    resolve(message, own_route(topic), publisher, directory, decoders, &mut intakes);
    // What comes of a message is bounded by the message.
    assert!(intakes.len() <= payload.len() + 16, "{} of {} bytes", intakes.len(), payload.len());
});

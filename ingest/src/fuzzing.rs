//! Ways in for the fuzzers of `tests/fuzz`, for what is private.
//!
//! Each takes any bytes and must neither panic nor hang nor grow; that is all that it checks.

use std::sync::Arc;

use jiff::Timestamp;
use plotwise_config::id::{CooperativeId, DeviceId};

use crate::{
    credential,
    decode::Decoders,
    directory::{Directory, Entry},
    listener::fuzzing::Fuzzed,
};

pub use crate::store::fuzzing::{kept, packed, sealed};

/// A gateway `gate` and a device `node` of one cooperative, both with `profile`; every token is
/// `token`.
///
/// # Panics
///
/// Never: the names are well-formed.
pub fn directory(profile: &str) -> Directory {
    let entry = |is_gateway| Entry {
        cooperative: CooperativeId::parse("coop").expect("a well-formed name"),
        profile: profile.to_owned(),
        is_gateway,
        token_sha256: Some(credential::hash(b"token")),
        own_depths: Vec::new(),
    };
    let id = |name| DeviceId::parse(name).expect("a well-formed name");
    Directory::new([(id("gate"), entry(true)), (id("node"), entry(false))])
}

/// What a client sends after a CONNECT of its own, cut into reads wherever `cuts` says; every message
/// is acknowledged as soon as it is decoded.
pub fn packets(version: u8, cuts: u8, bytes: &[u8], directory: &Directory, decoders: &Decoders) {
    let mut fuzzed = Fuzzed::new(version, Arc::default());
    let received = Timestamp::UNIX_EPOCH;
    for read in bytes.chunks(usize::from(cuts) + 1) {
        fuzzed.receive(read, directory, decoders, received);
    }
}

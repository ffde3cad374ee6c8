//! Catalogue and profile files as a user may write them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plotwise_config::catalogue::Catalogue;

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data) {
        // Read or refused with an error that can be shown.
        if let Err(error) = Catalogue::parse(&[("profiles/fuzz.toml", text)]) {
            assert!(!error.to_string().is_empty());
        }
    }
});

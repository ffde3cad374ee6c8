//! What stands in the database, as a disk may have changed it: packed rows and sealed blocks.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plotwise_ingest::fuzzing;

fuzz_target!(|data: &[u8]| {
    fuzzing::packed(data);
    fuzzing::kept(data);
    fuzzing::sealed(data);
});

//! What stands in the file, as a disk may have changed it: see [`crate::fuzzing`].

use super::{packed, raw, sealed};

/// A packed row; what can be read is written and read again.
pub fn packed(bytes: &[u8]) {
    let (mut readings, mut again, mut blob) = (Vec::new(), Vec::new(), Vec::new());
    if packed::decode(bytes, &mut readings).is_ok() {
        packed::encode(&readings, &mut blob);
        packed::decode(&blob, &mut again).expect("what we wrote can be read");
        assert_eq!(readings, again);
    }
}

/// What a kept message came to.
pub fn kept(bytes: &[u8]) {
    // Damage is an error.
    let _ = raw::decode(bytes, 1_790_000_000_000);
}

/// A sealed block: first and last time in 8 bytes each, then the block. Checksums are not looked at.
pub fn sealed(bytes: &[u8]) {
    if let Some((times, data)) = bytes.split_first_chunk::<16>() {
        let [first_ms, last_ms] = [0, 8].map(|from| {
            let mut word = [0; 8];
            word.copy_from_slice(&times[from..from + 8]);
            i64::from_le_bytes(word)
        });
        sealed::read_and_write(sealed::BlockKey { device: 1, first_ms, last_ms }, data);
    }
}

//! Where the world's randomness comes from: named streams of one seed, and draws by name.
//!
//! A stream of its own for each part means that a change in one (another device, one more village)
//! leaves the others as they were. A draw by name needs no order at all: the same words give the
//! same number whoever asks first.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// The random numbers of one part of the world.
pub(super) fn stream(seed: u64, part: &str) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(name_hash(seed, &[part]))
}

/// A standard normal draw that belongs to these words.
pub(super) fn normal(seed: u64, words: &[&str]) -> f64 {
    normal_of(name_hash(seed, words))
}

/// A draw from 0 to 1 that belongs to these words.
pub(super) fn share(seed: u64, words: &[&str]) -> f64 {
    unit(mixed(name_hash(seed, words)))
}

/// A draw from `from` to `to` that belongs to these words.
pub(super) fn between(seed: u64, words: &[&str], from: f64, to: f64) -> f64 {
    from + (to - from) * share(seed, words)
}

/// One of `choices` that belongs to these words; `None` where there is none.
pub(super) fn one_of<'a, T>(seed: u64, words: &[&str], choices: &'a [T]) -> Option<&'a T> {
    let at = mixed(name_hash(seed, words)) % u64::try_from(choices.len()).ok()?.max(1);
    choices.get(usize::try_from(at).ok()?)
}

/// A number that stands for the words: FNV-1a, the words kept apart.
pub(super) fn name_hash(seed: u64, words: &[&str]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64 ^ mixed(seed);
    for word in words {
        for byte in word.bytes().chain([0xff]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash
}

/// A standard normal from any number (Box-Muller).
pub(super) fn normal_of(number: u64) -> f64 {
    let first = mixed(number);
    let radius = (-2.0 * (1.0 - unit(first)).ln()).sqrt();
    radius * (std::f64::consts::TAU * unit(mixed(first ^ 0x9e37_79b9_7f4a_7c15))).cos()
}

/// 0 to 1, 1 left out.
pub(super) fn unit(number: u64) -> f64 {
    (number >> 11) as f64 / (1_u64 << 53) as f64
}

/// The finaliser of `SplitMix64`: neighbouring numbers come out unlike.
pub(super) fn mixed(number: u64) -> u64 {
    let mut x = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

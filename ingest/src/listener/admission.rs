//! Who may come in, and how long a wrong answer takes.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{
    credential,
    directory::{Directory, Entry},
};

/// Addresses that are remembered; the one that failed longest ago makes room.
const ADDRESSES_MAX: usize = 4096;

/// Delay of the first wrong answer; doubles with each.
const DELAY_FIRST: Duration = Duration::from_millis(250);

/// Wrong answers that wait at a time: who guesses on many connections shall not take all seats.
const WAITING_MAX: usize = 256;

/// Longest delay.
const DELAY_MAX: Duration = Duration::from_secs(30);

/// After this long without a failure an address starts anew.
const FORGIVEN_AFTER: Duration = Duration::from_mins(10);

/// The entry of `name`, where `password` is its token. An unknown name, a device without a token and
/// a wrong password cannot be told apart, by answer or by time.
pub(super) fn admit<'d>(
    directory: &'d Directory,
    name: Option<&str>,
    password: Option<&[u8]>,
) -> Option<&'d Entry> {
    let entry = name.and_then(|name| directory.entry(name));
    let kept = entry.and_then(|entry| entry.token_sha256.as_ref());
    let is_right = credential::verify(password.unwrap_or_default(), kept);
    entry.filter(|_| is_right)
}

/// Failed attempts by address.
#[derive(Debug)]
pub(super) struct Admission {
    failures: Mutex<HashMap<IpAddr, Failures>>,
    turns: Semaphore,
}

#[derive(Debug)]
struct Failures {
    count: u32,
    last: Instant,
}

impl Default for Admission {
    fn default() -> Self {
        Self { failures: Mutex::default(), turns: Semaphore::new(WAITING_MAX) }
    }
}

impl Admission {
    /// A turn to wait with a wrong answer; `None` where too many do.
    pub(super) fn turn(&self) -> Option<SemaphorePermit<'_>> {
        self.turns.try_acquire().ok()
    }

    /// Notes a failure; how long to wait before saying so. Only wrong answers wait: a gateway behind
    /// the same address with the right token comes in at once.
    pub(super) fn failed(&self, address: IpAddr, now: Instant) -> Duration {
        let address = network(address);
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= ADDRESSES_MAX && !failures.contains_key(&address) {
            let oldest = failures.iter().min_by_key(|(_, known)| known.last);
            if let Some(oldest) = oldest.map(|(address, _)| *address) {
                failures.remove(&oldest);
            }
        }
        let known = failures.entry(address).or_insert(Failures { count: 0, last: now });
        if now.saturating_duration_since(known.last) > FORGIVEN_AFTER {
            known.count = 0;
        }
        known.count = known.count.saturating_add(1);
        known.last = now;
        DELAY_FIRST.saturating_mul(1 << (known.count - 1).min(16)).min(DELAY_MAX)
    }

    /// Forgets the failures of an address that gave a right token.
    pub(super) fn succeeded(&self, address: IpAddr) {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).remove(&network(address));
    }
}

/// What stands for an address: of IPv6 its network, as any host has 2^64 addresses to try from.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() >> 64 << 64).into()),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u16) -> IpAddr {
        IpAddr::from([10, 0, last.to_be_bytes()[0], last.to_be_bytes()[1]])
    }

    #[test]
    fn wrong_answers_come_ever_later() {
        let (admission, now) = (Admission::default(), Instant::now());
        let delays: Vec<u128> =
            (0..10).map(|_| admission.failed(address(1), now).as_millis()).collect();
        assert_eq!(delays[..4], [250, 500, 1000, 2000]);
        assert_eq!(delays[9], 30_000);
        admission.succeeded(address(1));
        assert_eq!(admission.failed(address(1), now), DELAY_FIRST);
    }

    #[test]
    fn an_address_is_forgiven_after_a_while() {
        let (admission, now) = (Admission::default(), Instant::now());
        admission.failed(address(1), now);
        let later = now + FORGIVEN_AFTER + Duration::from_secs(1);
        assert_eq!(admission.failed(address(1), later), DELAY_FIRST);
    }

    #[test]
    fn another_address_of_the_same_network_is_no_stranger() {
        let (admission, now) = (Admission::default(), Instant::now());
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        assert_eq!(admission.failed(address("2001:db8::1"), now), DELAY_FIRST);
        assert_eq!(admission.failed(address("2001:db8::ffff:2"), now), DELAY_FIRST * 2);
        assert_eq!(admission.failed(address("2001:db8:0:1::1"), now), DELAY_FIRST);
        assert_eq!(admission.failed(address("::ffff:10.0.0.1"), now), DELAY_FIRST);
        assert_eq!(admission.failed(address("10.0.0.1"), now), DELAY_FIRST * 2);
    }

    #[test]
    fn the_table_of_addresses_is_bounded() {
        let (admission, now) = (Admission::default(), Instant::now());
        for last in 0..5000 {
            admission.failed(address(last), now + Duration::from_millis(u64::from(last)));
        }
        assert_eq!(admission.failures.lock().unwrap().len(), ADDRESSES_MAX);
    }
}

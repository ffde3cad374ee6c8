//! How often a series is measured, and the steps of about an hour in which its shape is judged.
//!
//! The ISMN rules count rows and take a row for an hour. Here a reading is judged among those that lie
//! whole steps before and after it: the *comb* through that reading. A step is as many readings as come
//! nearest to an hour, so it is exactly one hour wherever the cadence divides an hour, and one reading
//! where the cadence is longer.
//!
//! The cadence is the median spacing of the readings around, taken anew for every six hours of UTC from
//! these and the six before and after: a part of a series has the same cadence as the whole.

/// A cadence holds for so long; as much before and after is looked at, ms.
const BLOCK_MS: i64 = 6 * HOUR_MS;

/// The longest step that is judged (3 h): beyond it a window of 12 h is three readings. Our choice.
const STEP_MS_MAX: i64 = 3 * HOUR_MS;

pub(super) const HOUR_MS: i64 = 3_600_000;

/// The step of a part of a series, and the windows of the rules counted in it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pace {
    /// Length of a step.
    pub(super) step_ms: i64,
    /// Readings in a step.
    pub(super) stride: usize,
    /// Steps in 11, 12 and 24 h: those numbers at an hourly step.
    pub(super) in_11_h: i32,
    pub(super) in_12_h: i32,
    pub(super) in_24_h: i32,
}

impl Pace {
    /// The pace at a cadence; `None` where it is too slow to be judged.
    pub(super) fn of(cadence_ms: i64) -> Option<Self> {
        let stride = ((HOUR_MS + cadence_ms / 2) / cadence_ms).max(1);
        let step_ms = stride * cadence_ms;
        let steps = |hours: i64| i32::try_from((hours * HOUR_MS + step_ms / 2) / step_ms).ok();
        (step_ms <= STEP_MS_MAX).then_some(Self {
            step_ms,
            stride: usize::try_from(stride).ok()?,
            in_11_h: steps(11)?,
            in_12_h: steps(12)?,
            in_24_h: steps(24)?,
        })
    }

    /// A step in hours.
    pub(super) fn step_h(self) -> f64 {
        self.step_ms as f64 / HOUR_MS as f64
    }
}

/// The paces of a series, and which of them each reading has; `times` are milliseconds, in order.
pub(super) fn paces_of(times: &[i64]) -> (Vec<Option<Pace>>, Vec<u32>) {
    let (mut paces, mut of_reading) = (Vec::new(), Vec::with_capacity(times.len()));
    let (mut low, mut high) = (0, 0);
    let mut spacings = Vec::new();
    while of_reading.len() < times.len() {
        let block = times[of_reading.len()].div_euclid(BLOCK_MS);
        let (from, to) = ((block - 1) * BLOCK_MS, (block + 2) * BLOCK_MS);
        low += times[low..].iter().take_while(|time| **time < from).count();
        high = high.max(low);
        high += times[high..].iter().take_while(|time| **time < to).count();
        spacings.clear();
        let pairs = times[low..high].windows(2).map(|pair| pair[1] - pair[0]);
        spacings.extend(pairs.filter(|spacing| *spacing > 0));
        let pace = if spacings.is_empty() {
            None
        } else {
            let middle = (spacings.len() - 1) / 2;
            Pace::of(*spacings.select_nth_unstable(middle).1)
        };
        if paces.last() != Some(&pace) {
            paces.push(pace);
        }
        let number = u32::try_from(paces.len() - 1).unwrap_or(u32::MAX);
        let rest = &times[of_reading.len()..];
        let of_block = rest.iter().take_while(|time| time.div_euclid(BLOCK_MS) == block).count();
        of_reading.resize(of_reading.len() + of_block, number);
    }
    (paces, of_reading)
}

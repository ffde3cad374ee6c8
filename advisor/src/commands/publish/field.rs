//! Made-up sensors that measure a made-up field.
//!
//! Storage and quality checks behave as they would in a field only where readings look like a field's:
//! moisture that rises with rain and falls for days, soil that follows the air with a delay, light that
//! depends on cloud, values rounded as sensors round them, a little noise in the last digit. All
//! sensors stand under the same weather; each has its own soil. The same seed gives the same readings,
//! over however many connections they are sent.
//!
//! # What it leaves out
//!
//! Faults, gaps, late and doubled messages; the demo's world has those. The physics is a sketch, its
//! figures our choice.

use std::{f64::consts::TAU, io::Write as _, sync::Arc, time::Duration};

use plotwise_ingest::publish::{Messages, Outgoing};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

const HOUR_MS: f64 = 3_600_000.0;

/// Clocks of the field are so far ahead of UTC: daylight stands where it does in China.
const ZONE_HOURS: f64 = 8.0;

/// What is measured, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Schedule {
    pub(super) seed: u64,
    /// Of every device's first message, milliseconds since 1970.
    pub(super) start_ms: i64,
    /// Between two messages of a device; at least 1.
    pub(super) every_ms: i64,
    /// Of all devices together.
    pub(super) devices: u64,
    /// Of all devices together; they take turns.
    pub(super) messages: u64,
    /// Messages a second of all devices together; as fast as they go without it.
    pub(super) rate: Option<f64>,
}

/// The messages of some of the devices.
pub(super) struct Field {
    schedule: Schedule,
    probes: Vec<Probe>,
    /// How often each has measured.
    step: u64,
    /// Whose turn it is.
    turn: usize,
    weather: Weather,
}

impl Field {
    /// `names` are those of all devices, `places` those that measure here.
    pub(super) fn new(schedule: Schedule, names: &Arc<[String]>, places: &[usize]) -> Self {
        let probes = places.iter().map(|place| Probe::new(schedule.seed, *place, &names[*place]));
        let weather = Weather::at(&schedule, 0);
        Self { schedule, probes: probes.collect(), step: 0, turn: 0, weather }
    }
}

impl Messages for Field {
    fn fill(&mut self, message: &mut Outgoing) -> bool {
        if self.turn == self.probes.len() {
            self.turn = 0;
            self.step += 1;
            self.weather = Weather::at(&self.schedule, self.step);
        }
        let Some(probe) = self.probes.get_mut(self.turn) else { return false };
        let nth = self.step * self.schedule.devices + probe.place;
        if nth >= self.schedule.messages {
            return false;
        }
        self.turn += 1;
        probe.live_through(&self.weather);
        message.topic.clear();
        message.topic.push_str(&probe.topic);
        probe.payload(&self.weather, self.step, &mut message.payload);
        message.due = match self.schedule.rate {
            Some(rate) => Duration::from_secs_f64(nth as f64 / rate),
            None => Duration::ZERO,
        };
        true
    }
}

/// What all sensors have in common at one moment.
struct Weather {
    time_ms: i64,
    /// Since the moment before, hours.
    hours: f64,
    /// 0 at night, 1 at noon under a clear sky.
    light: f64,
    air_celsius: f64,
    rain_mm_h: f64,
}

impl Weather {
    fn at(schedule: &Schedule, step: u64) -> Self {
        let step = i64::try_from(step).unwrap_or(i64::MAX);
        let time_ms = schedule.start_ms.saturating_add(schedule.every_ms.saturating_mul(step));
        let hours = time_ms as f64 / HOUR_MS + ZONE_HOURS;
        let (day, hour) = ((hours / 24.0).floor(), hours.rem_euclid(24.0));
        let chance = |what: f64, day: f64| unit(schedule.seed, what, day);
        // From one noon to the next the air's mean goes in a straight line.
        let mean = |day: f64| 14.0 + 12.0 * chance(1.0, day);
        let noon = (hours - 12.0) / 24.0;
        let mean = mean(noon.floor()) * (1.0 - noon.fract()) + mean(noon.ceil()) * noon.fract();
        let (is_wet, begins) = (chance(2.0, day) < 0.25, 20.0 * chance(3.0, day));
        let is_raining = is_wet && (begins..begins + 4.0).contains(&hour);
        let cloud = if is_wet { 0.25 } else { 0.5 + 0.5 * chance(4.0, day) };
        Self {
            time_ms,
            hours: schedule.every_ms as f64 / HOUR_MS,
            light: cloud * (TAU * (hour - 6.0) / 24.0).sin().max(0.0),
            air_celsius: mean + 5.0 * (TAU * (hour - 9.0) / 24.0).sin(),
            rain_mm_h: if is_raining { 2.0 + 9.0 * chance(5.0, day) } else { 0.0 },
        }
    }
}

/// One sensor and the soil around it.
struct Probe {
    place: u64,
    topic: String,
    random: ChaCha8Rng,
    wilting_point: f64,
    field_capacity: f64,
    moisture: f64,
    celsius: f64,
    ph: f64,
    salts: f64,
    battery: f64,
}

impl Probe {
    fn new(seed: u64, place: usize, name: &str) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(place as u64);
        let field_capacity = random.random_range(0.24..0.38);
        Self {
            place: place as u64,
            topic: format!("plotwise/v1/{name}/up"),
            wilting_point: field_capacity * 0.4,
            field_capacity,
            moisture: field_capacity * random.random_range(0.6..1.0),
            celsius: 20.0,
            ph: random.random_range(4.8..6.8),
            salts: random.random_range(0.6..1.8),
            battery: random.random_range(0.8..1.0),
            random,
        }
    }

    /// From the moment before to this one.
    fn live_through(&mut self, weather: &Weather) {
        let hours = weather.hours;
        let dry = (self.moisture - self.wilting_point) / (self.field_capacity - self.wilting_point);
        let drained = (self.moisture - self.field_capacity).max(0.0) * (0.15 * hours).min(1.0);
        // 250 mm of soil take the rain up; the crop takes up to 0.5 mm an hour out of them.
        let change = (weather.rain_mm_h - 0.5 * weather.light * dry.clamp(0.0, 1.0)) / 250.0;
        self.moisture = (self.moisture + change * hours - drained).min(self.field_capacity + 0.12);
        self.celsius += (weather.air_celsius - self.celsius) * (hours / 6.0).min(1.0);
        let walk = f64::from(self.random.random::<u8>()) / 255.0 - 0.5;
        self.ph = (self.ph + 0.02 * walk * hours.sqrt()).clamp(4.5, 7.2);
        let charged = 0.01 * weather.light - 0.002;
        self.battery = (self.battery + charged * hours).clamp(0.55, 1.0);
    }

    fn payload(&mut self, weather: &Weather, seq: u64, payload: &mut Vec<u8>) {
        // Noise between -1 and 1, one byte of the number for each quantity.
        let noise = self.random.random::<u64>().to_le_bytes();
        let noise = |nth: usize| f64::from(noise[nth]) / 127.5 - 1.0;
        let ec = self.salts * self.moisture * (1.0 + 0.02 * (self.celsius - 25.0));
        let ppfd = 2_000.0 * weather.light * (1.0 + 0.05 * noise(4));
        payload.clear();
        // Writing to memory cannot fail.
        let _ = write!(payload, r#"{{"time":{},"seq":{seq}"#, weather.time_ms);
        for (key, value, decimals) in [
            (r#","readings":{"soil_moisture":"#, self.moisture + 0.0006 * noise(0), 3),
            (r#","soil_temperature":"#, self.celsius + 0.02 * noise(1), 2),
            (r#","soil_ec":"#, ec + 0.0015 * noise(2), 3),
            (r#","soil_ph":"#, self.ph + 0.008 * noise(3), 2),
            (r#","ppfd":"#, ppfd, 1),
            (r#","battery":"#, self.battery, 2),
        ] {
            payload.extend_from_slice(key.as_bytes());
            push_decimal(payload, value, decimals);
        }
        payload.extend_from_slice(b"}}");
    }
}

/// A number between 0 and 1 that depends on nothing but these.
fn unit(seed: u64, what: f64, day: f64) -> f64 {
    // splitmix64 (Steele, Lea, Flood 2014): its output is spread evenly for any input.
    let mut mixed = seed ^ what.to_bits().rotate_left(20) ^ day.to_bits();
    for _ in 0..2 {
        mixed = mixed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
    }
    (mixed >> 11) as f64 / (1_u64 << 53) as f64
}

/// Writes a value of at least 0 with so many decimals, 1 to 3; several times as fast as `write!`.
fn push_decimal(out: &mut Vec<u8>, value: f64, decimals: u8) {
    let scale = 10_u32.pow(u32::from(decimals));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "readings are below a million, and a saturated cast would show as one"
    )]
    let mut rest = (value * f64::from(scale)).round() as u32;
    let mut digits = [0; 11];
    let (mut place, mut written) = (digits.len(), 0);
    while rest > 0 || written <= decimals {
        if written == decimals {
            place -= 1;
            digits[place] = b'.';
        }
        place -= 1;
        digits[place] = b'0' + (rest % 10).to_le_bytes()[0];
        rest /= 10;
        written += 1;
    }
    out.extend_from_slice(&digits[place..]);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::Value;

    use super::*;

    const QUANTITIES: [&str; 6] =
        ["soil_moisture", "soil_temperature", "soil_ec", "soil_ph", "ppfd", "battery"];

    fn schedule() -> Schedule {
        Schedule {
            seed: 7,
            start_ms: 1_767_225_600_000,
            every_ms: 900_000,
            devices: 5,
            messages: 5 * 96 * 30,
            rate: None,
        }
    }

    fn names() -> Arc<[String]> {
        (0..5).map(|nth| format!("sim-{nth}")).collect()
    }

    /// What these devices send, by topic.
    fn sent(schedule: Schedule, places: &[usize]) -> BTreeMap<String, Vec<Value>> {
        let mut field = Field::new(schedule, &names(), places);
        let (mut message, mut all) = (Outgoing::default(), BTreeMap::new());
        while field.fill(&mut message) {
            let payload = serde_json::from_slice(&message.payload).unwrap();
            all.entry(message.topic.clone()).or_insert_with(Vec::new).push(payload);
        }
        all
    }

    #[test]
    fn the_same_seed_gives_the_same_readings_over_any_number_of_connections() {
        let together = sent(schedule(), &[0, 1, 2, 3, 4]);
        let mut apart = sent(schedule(), &[0, 2, 4]);
        apart.extend(sent(schedule(), &[1, 3]));
        assert_eq!(together, apart);
        assert_ne!(together, sent(Schedule { seed: 8, ..schedule() }, &[0, 1, 2, 3, 4]));
        assert_eq!(together.values().map(Vec::len).sum::<usize>(), 5 * 96 * 30);
    }

    #[test]
    fn messages_are_dealt_out_until_there_are_so_many() {
        let odd = Schedule { messages: 13, ..schedule() };
        let lengths: Vec<usize> = sent(odd, &[0, 1, 2, 3, 4]).values().map(Vec::len).collect();
        assert_eq!(lengths, [3, 3, 3, 2, 2]);
        assert!(sent(odd, &[]).is_empty());
    }

    #[test]
    fn every_reading_is_one_that_a_field_could_give() {
        for messages in sent(schedule(), &[0, 1, 2, 3, 4]).values() {
            for (nth, message) in messages.iter().enumerate() {
                assert_eq!(message["seq"], nth);
                let of = |key: &str| message["readings"][key].as_f64().unwrap();
                assert!((0.05..0.55).contains(&of("soil_moisture")), "{message}");
                assert!((0.0..40.0).contains(&of("soil_temperature")), "{message}");
                assert!((0.0..2.0).contains(&of("soil_ec")), "{message}");
                assert!((4.0..8.0).contains(&of("soil_ph")), "{message}");
                assert!((0.0..2_500.0).contains(&of("ppfd")), "{message}");
                assert!((0.5..=1.0).contains(&of("battery")), "{message}");
            }
            // Slow things are slow, and nothing stands still.
            for key in QUANTITIES {
                let values: Vec<f64> =
                    messages.iter().map(|m| m["readings"][key].as_f64().unwrap()).collect();
                let span = values.iter().fold(f64::MIN, |a, b| a.max(*b))
                    - values.iter().fold(f64::MAX, |a, b| a.min(*b));
                let step = values.windows(2).map(|two| (two[1] - two[0]).abs()).sum::<f64>()
                    / values.len() as f64;
                assert!(span > 0.0 && step < span / 8.0, "{key}: {step} a step of {span}");
            }
        }
    }

    #[test]
    fn decimals_are_written_as_they_are() {
        let written = |value, decimals| {
            let mut out = Vec::new();
            push_decimal(&mut out, value, decimals);
            String::from_utf8(out).unwrap()
        };
        for (value, decimals, wanted) in [
            (0.0, 1, "0.0"),
            (0.0504, 3, "0.050"),
            (0.9996, 3, "1.000"),
            (18.425, 2, "18.43"),
            (1999.96, 1, "2000.0"),
        ] {
            assert_eq!(written(value, decimals), wanted);
        }
    }
}

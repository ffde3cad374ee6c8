//! The world's sensors: what they measure, how they err, how some of them are broken.
//!
//! Each plot has a node in the topsoil, a few a second one; each village has a weather station.
//! Nodes have a bias, noise and steps as real ones do. A dozen is broken, each in its own way
//! ([`Fault`]), never on a plot that is shown for something else. What a node says at a moment
//! depends on seed, node and moment alone, so any span of days can be asked for.

use std::fmt::Write;

use jiff::{Timestamp, civil::Date, civil::date};
use plotwise_config::{
    id::DeviceId,
    reading::DepthMm,
    records::{Device, Placement},
};
use plotwise_model::evapotranspiration::day_length_h;

use super::{
    World, WorldError,
    chance::{mixed, name_hash, normal, normal_of, share, unit},
    land::Role,
    weather::sky,
};

/// Hours between two messages in the last year: light needs one every three hours to count.
pub const STEP_HOURS: u32 = 3;
/// Seconds that the cooperative's clock is ahead of UTC (Asia/Shanghai, no summer time).
const ZONE_S: i64 = 8 * 3600;
/// Moles of photosynthetic light in a MJ of sunshine (units of agronomy: 2.04-2.1).
const LIGHT_MOL_MJ: f64 = 2.04;

/// A message as a sensor sends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorldMessage {
    /// Who sends it.
    pub device: DeviceId,
    /// When it is sent; the payload says by itself when it was measured.
    pub time: Timestamp,
    /// Native JSON.
    pub payload: String,
}

/// How a node is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Sound.
    None,
    /// Moisture frozen at one value for the last four months.
    Stuck,
    /// Now and then a reading far off.
    Spikes,
    /// Now and then a value that cannot be.
    OutOfRange,
    /// Now and then -999.
    Minus999,
    /// Nothing for five weeks.
    SilentWeeks,
    /// Nothing since long ago.
    Silent,
    /// For ten days its clock counts from 1970.
    WrongClock,
    /// For ten days it sends no time.
    NoClock,
    /// Every tenth message comes twice.
    Duplicates,
    /// A whole day at once, in the evening.
    Late,
}

const FAULTS: [Fault; 10] = [
    Fault::Stuck,
    Fault::Spikes,
    Fault::OutOfRange,
    Fault::Minus999,
    Fault::SilentWeeks,
    Fault::WrongClock,
    Fault::NoClock,
    Fault::Duplicates,
    Fault::Late,
    Fault::Late,
];

#[derive(Clone, Copy, Debug)]
struct Extras {
    /// Moisture at 0.1 and 0.4 m.
    depths: bool,
    ph: bool,
    light: bool,
}

/// One sensor node.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) device: Device,
    pub(super) placement: Placement,
    place: usize,
    is_station: bool,
    fault: Fault,
    /// What it measures besides moisture, temperature and EC.
    extras: Extras,
    number: u64,
    gain: f64,
    bias: f64,
    ph_bias: f64,
    moisture_step: f64,
}

impl World {
    pub(super) fn draw_nodes(&self) -> Result<Vec<Node>, WorldError> {
        let mut nodes = Vec::new();
        let mut without_role = 0_usize;
        for place in 0..self.land.len() {
            let role = self.land[place].role;
            let fault = match role {
                Some(Role::SilentSensor) => Fault::Silent,
                Some(_) => Fault::None,
                None => {
                    without_role += 1;
                    let nth = without_role / 4;
                    if without_role.is_multiple_of(4) && nth <= FAULTS.len() {
                        FAULTS[nth - 1]
                    } else {
                        Fault::None
                    }
                }
            };
            nodes.push(self.node(place, "s1", fault, nodes.len())?);
            if matches!(role, Some(Role::DrainedFormerPaddy | Role::UndrainedFormerPaddy)) {
                nodes.push(self.node(place, "s2", Fault::None, nodes.len())?);
            }
        }
        let mut village = "";
        for (place, ground) in self.land.iter().enumerate() {
            if ground.village() != village && ground.role.is_none() {
                village = ground.village();
                nodes.push(self.node(place, "ws", Fault::None, nodes.len())?);
            }
        }
        Ok(nodes)
    }

    fn node(
        &self,
        place: usize,
        suffix: &str,
        fault: Fault,
        nth: usize,
    ) -> Result<Node, WorldError> {
        let ground = &self.land[place];
        let id = DeviceId::parse(&format!("{}-{suffix}", ground.plot.id))?;
        let is_station = suffix == "ws";
        let draw = |what: &str| normal(self.seed, &["node", id.as_str(), what]);
        let chance = |what: &str| share(self.seed, &["node", id.as_str(), what]);
        let first = match ground.role {
            Some(Role::NewSensor) => self.last_day.saturating_sub(jiff::Span::new().days(6)),
            // Half of the nodes came with the start, the rest before the last year.
            _ if nth.is_multiple_of(2) => self.first_day,
            _ => self.learned_until().saturating_sub(jiff::Span::new().days(20)),
        };
        let is_new = ground.role == Some(Role::NewSensor);
        Ok(Node {
            device: Device {
                id: id.clone(),
                cooperative: self.cooperative.clone(),
                name: Some(if is_station { "模拟气象站" } else { "模拟土壤传感器" }.to_owned()),
                profile: "native".to_owned(),
                is_gateway: false,
            },
            placement: Placement {
                device: id.clone(),
                plot: Some(ground.plot.id.clone()),
                depth: (!is_station).then_some(DepthMm(200)),
                from: Timestamp::from_second(midnight_s(first)).unwrap_or(Timestamp::UNIX_EPOCH),
            },
            place,
            is_station,
            fault,
            extras: Extras {
                depths: chance("depths") < 0.3 && !is_new,
                ph: chance("ph") < 0.4 || ground.role.is_some(),
                light: chance("light") < 0.3 || ground.role.is_some(),
            },
            number: name_hash(self.seed, &["noise", id.as_str()]),
            gain: 1.0 + 0.02 * draw("gain"),
            bias: 0.006 * draw("bias"),
            ph_bias: 0.12 * draw("ph"),
            moisture_step: if chance("step") < 0.2 { 0.005 } else { 0.001 },
        })
    }

    /// What the sensors send from `from` to `to`, both included, every `step_hours` (a divisor of 24;
    /// 24 is one message a day, at noon), in the order of sending.
    pub fn messages(
        &self,
        from: Date,
        to: Date,
        step_hours: u32,
    ) -> impl Iterator<Item = WorldMessage> + '_ {
        let step = i64::from(step_hours.clamp(1, 24));
        let slots = 24 / step;
        let first = if slots == 1 { 12 } else { 0 };
        let days = (midnight_s(to) - midnight_s(from)) / 86_400 + 1;
        (0..days.max(0) * slots).flat_map(move |slot| {
            let midnight = midnight_s(from) + slot / slots * 86_400;
            let moment = Moment { midnight, slot: slot % slots, slots, step, first };
            // Nodes are a few seconds apart, in their own order: the merge is a plain loop.
            self.nodes.iter().enumerate().flat_map(move |(nth, node)| {
                self.sent(node, &moment, i64::try_from(nth).unwrap_or(0) * 7)
            })
        })
    }

    fn sent(&self, node: &Node, moment: &Moment, offset_s: i64) -> Vec<WorldMessage> {
        let now = moment.second(moment.slot) + offset_s;
        let payload = if node.fault == Fault::Late && moment.slots > 1 {
            if moment.slot + 1 < moment.slots {
                return Vec::new();
            }
            let day: Vec<String> = (0..moment.slots)
                .filter_map(|slot| self.payload(node, moment, slot, offset_s))
                .collect();
            if day.is_empty() {
                return Vec::new();
            }
            format!("[{}]", day.join(","))
        } else {
            match self.payload(node, moment, moment.slot, offset_s) {
                Some(payload) => payload,
                None => return Vec::new(),
            }
        };
        let Ok(time) = Timestamp::from_second(now) else { return Vec::new() };
        let message = WorldMessage { device: node.device.id.clone(), time, payload };
        let is_doubled = node.fault == Fault::Duplicates && node.chance(now, "twice") < 0.1;
        if is_doubled { vec![message.clone(), message] } else { vec![message] }
    }

    /// One message; `None` while the node does not stand or is silent.
    fn payload(&self, node: &Node, moment: &Moment, slot: i64, offset_s: i64) -> Option<String> {
        let second = moment.second(slot) + offset_s;
        let last = midnight_s(self.last_day) + 86_400;
        let days_left = (last - second) / 86_400;
        if second < node.placement.from.as_second()
            || node.fault == Fault::Silent && days_left < 345
            || node.fault == Fault::SilentWeeks && (100..135).contains(&days_left)
        {
            return None;
        }
        let readings = if node.is_station {
            self.station_readings(node, moment, slot, second)
        } else {
            self.soil_readings(node, moment, second, days_left)
        };
        let number = (moment.midnight - midnight_s(self.first_day)) / 86_400 * moment.slots + slot;
        let time = match node.fault {
            // Without a time only its counter tells two messages apart.
            Fault::NoClock if moment.slots > 1 && (60..70).contains(&days_left) => String::new(),
            Fault::WrongClock if moment.slots > 1 && (60..70).contains(&days_left) => {
                format!("\"time\":{},", moment.slot_of_year(number) * 3600)
            }
            _ => format!("\"time\":{},", second * 1000),
        };
        let seq = if moment.slots > 1 { format!("\"seq\":{number},") } else { String::new() };
        let battery = 0.98 - 0.25 * unit(node.number) * (1.0 - days_left as f64 / 1500.0);
        Some(format!("{{{time}{seq}\"battery\":{battery:.2},\"readings\":{{{readings}}}}}"))
    }

    fn soil_readings(&self, node: &Node, moment: &Moment, second: i64, days_left: i64) -> String {
        let ground = &self.land[node.place];
        let (index, into_day) = self.day_of(moment.midnight, second);
        let water = self.water(node.place, ground.kind.is_paddy());
        let (top, sub) =
            (between_days(&water.top, index, into_day), between_days(&water.sub, index, into_day));
        let moisture = |truth: f64, salt: &str| {
            let value = truth * node.gain + node.bias + 0.003 * node.noise(second, salt);
            let value = node.broken(value, second, days_left);
            (value / node.moisture_step).round() * node.moisture_step
        };
        let hour = into_day * 24.0;
        let soil_c = self.soil_c(index) + 1.1 * wave(hour, 17.0) + 0.15 * node.noise(second, "c");
        let ec = 0.10 + 0.55 * top + 0.03 * unit(node.number) + 0.01 * node.noise(second, "ec");
        let mut text = format!(
            "\"soil_moisture\":{:.3},\"soil_temperature\":{soil_c:.1},\"soil_ec\":{:.3}",
            moisture(top, "top"),
            ec.max(0.01)
        );
        if node.extras.depths {
            let shallow = top - 0.012 * (1.0 - (top / ground.soil.saturation).min(1.0)) * 3.0;
            let (shallow, deep) = (moisture(shallow, "shallow"), moisture(sub, "deep"));
            append(&mut text, "soil_moisture@0.1", shallow, 3);
            append(&mut text, "soil_moisture@0.4", deep, 3);
        }
        if node.extras.ph {
            let ph = ground.ph + node.ph_bias + 0.04 * node.noise(second, "ph");
            append(&mut text, "soil_ph", ph, 2);
        }
        if node.extras.light && moment.slots > 1 {
            let light = self.light_umol(index, hour) * ground.light * node.gain;
            append(&mut text, "ppfd", light, 0);
        }
        text
    }

    fn station_readings(&self, node: &Node, moment: &Moment, slot: i64, second: i64) -> String {
        let (index, into_day) = self.day_of(moment.midnight, second);
        let day = self.weather.days[index];
        let hour = into_day * 24.0;
        let air_c = day.mean_c()
            + (day.maximum_c - day.minimum_c) / 2.0 * wave(hour, 14.0)
            + 0.2 * node.noise(second, "air");
        let damp = if day.rain_mm > 0.0 { 88.0 } else { 72.0 };
        let humidity =
            (damp - 10.0 * wave(hour, 14.0) + 2.0 * node.noise(second, "damp")).clamp(20.0, 100.0);
        // A day's rain falls in some of its slots.
        let weight = |slot: i64| {
            unit(mixed(node.number ^ mixed(index as u64 * 24 + slot.unsigned_abs()))).powi(4)
        };
        let all: f64 = (0..moment.slots).map(weight).sum();
        let rain = day.rain_mm * weight(slot) / all.max(1e-9);
        let mut text = format!(
            "\"air_temperature\":{air_c:.1},\"relative_humidity\":{humidity:.0},\"rain\":{rain:.1}"
        );
        if moment.slots > 1 {
            let light = self.light_umol(index, hour);
            append(&mut text, "global_radiation", light / LIGHT_MOL_MJ, 0);
            append(&mut text, "ppfd", light, 0);
        }
        text
    }

    /// Place in the weather and share of the local day.
    fn day_of(&self, midnight: i64, second: i64) -> (usize, f64) {
        let days = (midnight - midnight_s(self.weather.first)) / 86_400;
        let index = usize::try_from(days).unwrap_or(0).min(self.weather.days.len() - 1);
        (index, (second - midnight) as f64 / 86_400.0)
    }

    /// Light of the open sky at an hour of a day, µmol m⁻² s⁻¹: a half wave over the day's length
    /// whose integral is the day's light.
    fn light_umol(&self, index: usize, hour: f64) -> f64 {
        let length = day_length_h(sky(self.weather.date(index)));
        let since_rise = hour - 12.0 + length / 2.0;
        if !(0.0..length).contains(&since_rise) {
            return 0.0;
        }
        let mol = self.weather.days[index].radiation_mj * LIGHT_MOL_MJ;
        let most = mol * 1e6 * std::f64::consts::PI / (2.0 * length * 3600.0);
        most * (std::f64::consts::PI * since_rise / length).sin()
    }

    /// Soil at 0.2 m follows the air of the days before.
    fn soil_c(&self, index: usize) -> f64 {
        let (mut sum, mut weights, mut weight) = (0.0, 0.0, 1.0);
        for day in self.weather.days[..=index].iter().rev().take(20) {
            sum += weight * day.mean_c();
            weights += weight;
            weight *= 0.82;
        }
        sum / weights + 0.6
    }
}

impl Node {
    fn noise(&self, second: i64, salt: &str) -> f64 {
        normal_of(name_hash(self.number ^ second.unsigned_abs(), &[salt]))
    }

    fn chance(&self, second: i64, salt: &str) -> f64 {
        unit(mixed(name_hash(self.number ^ second.unsigned_abs(), &[salt])))
    }

    /// A moisture as a broken node tells it.
    fn broken(&self, value: f64, second: i64, days_left: i64) -> f64 {
        match self.fault {
            Fault::Stuck if days_left < 120 => 0.312,
            Fault::Spikes if self.chance(second, "spike") < 0.015 => (value * 1.8).min(0.95),
            Fault::OutOfRange if self.chance(second, "range") < 0.03 => 1.35,
            Fault::Minus999 if self.chance(second, "fault") < 0.04 => -999.0,
            _ => value,
        }
    }
}

/// A slot of a local day.
#[derive(Clone, Copy)]
struct Moment {
    midnight: i64,
    slot: i64,
    slots: i64,
    step: i64,
    first: i64,
}

impl Moment {
    fn second(&self, slot: i64) -> i64 {
        self.midnight + (self.first + slot * self.step) * 3600
    }

    /// Hours that a clock reset in between would show.
    fn slot_of_year(&self, number: i64) -> i64 {
        number % (365 * self.slots) * self.step
    }
}

/// Seconds since 1970 of a local midnight.
fn midnight_s(day: Date) -> i64 {
    day.duration_since(date(1970, 1, 1)).as_secs() - ZONE_S
}

/// Adds a reading to those of a message.
fn append(readings: &mut String, key: &str, value: f64, decimals: usize) {
    // Writing to a text cannot fail.
    let _ = write!(readings, ",\"{key}\":{value:.decimals$}");
}

/// 1 at the hour of the peak, -1 half a day from it.
fn wave(hour: f64, peak: f64) -> f64 {
    (std::f64::consts::TAU * (hour - peak) / 24.0).cos()
}

fn between_days(series: &[f32], index: usize, into_day: f64) -> f64 {
    let now = f64::from(series[index]);
    let next = f64::from(series.get(index + 1).copied().unwrap_or(series[index]));
    now + (next - now) * into_day
}

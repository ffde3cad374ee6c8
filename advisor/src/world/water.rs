//! Water in the soil of a plot, day by day: two buckets, and a field that may hold water on top.
//!
//! ```text
//!   rain, irrigation        evapotranspiration
//!        |  (ponding up to the bund)   ^
//!   [ topsoil 0.3 m: wilting point .. field capacity .. saturation ]
//!        |  surplus above field capacity, a share a day   ^ rise from wet subsoil
//!   [ subsoil 0.6 m ]  <- seepage from the slope above, on undrained low land
//!        |  a share a day: little where the land is undrained
//! ```
//!
//! The slow-down of a dry soil is FAO-56's `Ks` (eq. 84) with p = 0.5. The rest is the simplest
//! bookkeeping that makes wet land wet; shares and seepage are our choice. It is the world's own
//! and not the model's, so that a mistake in one does not hide in the other.

use jiff::civil::Date;

use super::weather::{Weather, reference_evapotranspiration_mm};

const TOP_MM: f64 = 300.0;
const SUB_MM: f64 = 600.0;
/// Seedling days of rice need water on the field; these are the first and last day with it.
const FLOODED: [(i8, i8); 2] = [(4, 25), (10, 5)];
/// The field is let dry for a few days in July (ending the first crop, or to stop tillering).
const LET_DRY: [(i8, i8); 2] = [(7, 12), (7, 19)];

/// How a soil holds and loses water. Water contents in m³/m³.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Hydraulics {
    pub(super) saturation: f64,
    pub(super) field_capacity: f64,
    pub(super) wilting_point: f64,
    /// Share of the surplus above field capacity that leaves each day.
    pub(super) surplus_lost: f64,
    /// Water that comes in from above or below while the rainy season lasts, mm a day.
    pub(super) seepage_mm: f64,
    /// Water that may stand on the field, mm.
    pub(super) bund_mm: f64,
    /// Share of heavy rain that runs off.
    pub(super) runoff: f64,
    /// Whether it is watered in dry spells of the warm season.
    pub(super) is_irrigated: bool,
}

/// Daily mean moisture of a plot, m³/m³, in the order of the weather's days.
#[derive(Clone, Debug)]
pub(super) struct SoilWater {
    /// At 0.2 m.
    pub(super) top: Vec<f32>,
    /// At 0.4 m and below.
    pub(super) sub: Vec<f32>,
}

/// Runs the balance over all days; `is_flooded` keeps water on the field as for paddy rice.
pub(super) fn soil_water(soil: &Hydraulics, weather: &Weather, is_flooded: bool) -> SoilWater {
    let mut water = SoilWater {
        top: Vec::with_capacity(weather.days.len()),
        sub: Vec::with_capacity(weather.days.len()),
    };
    let mut store =
        Store { top: soil.field_capacity * TOP_MM, sub: soil.field_capacity * SUB_MM, pond: 0.0 };
    let mut date = weather.first;
    for day in &weather.days {
        let demand = reference_evapotranspiration_mm(date, day) * cover(date.month());
        store.step(soil, date, day.rain_mm, demand, is_flooded && stands_in_water(date));
        water.top.push(to_f32(store.top / TOP_MM));
        water.sub.push(to_f32(store.sub / SUB_MM));
        date = date.tomorrow().unwrap_or(date);
    }
    water
}

/// Water in each bucket and on the field, mm.
struct Store {
    top: f64,
    sub: f64,
    pond: f64,
}

impl Store {
    fn step(&mut self, soil: &Hydraulics, date: Date, rain_mm: f64, demand_mm: f64, wet: bool) {
        let (full, held, dry) =
            (soil.saturation * TOP_MM, soil.field_capacity * TOP_MM, soil.wilting_point * TOP_MM);
        let ran_off = if wet { 0.0 } else { soil.runoff * (rain_mm - 25.0).max(0.0) };
        self.pond += rain_mm - ran_off;
        if wet {
            self.pond = self.pond.max(20.0 + (full - self.top));
        } else if soil.is_irrigated
            && (5..=9).contains(&date.month())
            && self.top < dry + 0.45 * (held - dry)
        {
            self.pond += 25.0;
        }
        let taken = (full - self.top).min(self.pond).max(0.0);
        self.top += taken;
        self.pond = (self.pond - taken).min(if wet { 60.0 } else { soil.bund_mm });

        let sub_full = soil.saturation * SUB_MM;
        let sub_held = soil.field_capacity * SUB_MM;
        // Paddy rice stands on a plough pan: water passes it slowly.
        let passing = if wet { 0.02 } else { soil.surplus_lost };
        let down = (passing * (self.top - held).max(0.0)).min(sub_full - self.sub).max(0.0);
        self.top -= down;
        let seepage =
            if (3..=8).contains(&date.month()) { soil.seepage_mm } else { 0.3 * soil.seepage_mm };
        self.sub = (self.sub + down + seepage).min(sub_full);
        self.sub -= 0.6 * soil.surplus_lost * (self.sub - sub_held).max(0.0);
        if self.sub > sub_held && self.top < full {
            let rise = (0.03 * (self.sub - sub_held)).min(2.0).min(full - self.top);
            self.sub -= rise;
            self.top += rise;
        }
        self.evaporate(soil, demand_mm);
    }

    fn evaporate(&mut self, soil: &Hydraulics, demand_mm: f64) {
        let from_pond = self.pond.min(demand_mm);
        self.pond -= from_pond;
        let rest = demand_mm - from_pond;
        let top = rest * 0.65 * water_stress(soil, self.top / TOP_MM);
        let sub = rest * 0.35 * water_stress(soil, self.sub / SUB_MM);
        self.top = (self.top - top).max(soil.wilting_point * TOP_MM);
        self.sub = (self.sub - sub).max(soil.wilting_point * SUB_MM);
    }
}

/// `Ks`: 1 while water is free, 0 at wilting point.
pub(super) fn water_stress(soil: &Hydraulics, moisture: f64) -> f64 {
    let free = (moisture - soil.wilting_point) / (soil.field_capacity - soil.wilting_point);
    (free / 0.5).clamp(0.0, 1.0)
}

/// How much of the reference evapotranspiration a field of the region uses, by month; our choice.
fn cover(month: i8) -> f64 {
    match month {
        12 | 1 | 2 => 0.5,
        3 | 4 | 11 => 0.65,
        5 | 10 => 0.85,
        _ => 1.05,
    }
}

fn stands_in_water(date: Date) -> bool {
    let day = (date.month(), date.day());
    let within = |span: [(i8, i8); 2]| span[0] <= day && day <= span[1];
    within(FLOODED) && !within(LET_DRY)
}

#[expect(clippy::cast_possible_truncation, reason = "half the memory; moisture needs four digits")]
fn to_f32(value: f64) -> f32 {
    value as f32
}

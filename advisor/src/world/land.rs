//! The made-up land: five villages, sixty plots, thirty households.
//!
//! What kind of land each plot is stands fixed in [`VILLAGES`], so that every seed has the cases
//! that a reader wants to look at ([`Role`]); shape, area, soil and people are drawn. Plots lie in
//! rows, each polygon inside a strip of its own, so none touches another.

mod shape;

use std::collections::BTreeMap;

use jiff::civil::{Date, date};
use plotwise_config::{
    id::{CooperativeId, PlotId},
    land::{Drainage, LandType, Measure, Place, Protection, SoilClass, SoilTexture, Water},
    records::{Official, OrderedMeasure, Plot},
};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

use super::{WorldError, chance::stream, water::Hydraulics};
use shape::{area_m2, centre, located, rows_of_fields};

/// Square metres of a mu.
pub(super) const M2_PER_MU: f64 = 10_000.0 / 15.0;

/// What a plot is shown for; each role has exactly one plot, the same for every seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Former paddy unfit for rice, under structure adjustment, drained.
    DrainedFormerPaddy,
    /// The same beside it, not drained.
    UndrainedFormerPaddy,
    /// Permanent basic farmland, paddy.
    BasicFarmlandPaddy,
    /// Permanent basic farmland, dry land.
    BasicFarmlandDry,
    /// Cadmium between screening and intervention value.
    AboveScreening,
    /// Cadmium above the intervention value.
    AboveIntervention,
    /// Black spot of sweet potato was seen.
    BlackSpot,
    /// Stem nematode of sweet potato was seen.
    StemNematode,
    /// Its sensor stands there for a week.
    NewSensor,
    /// Its sensor fell silent long ago.
    SilentSensor,
    /// Ordinary rain-fed upland.
    DryUpland,
    /// Ordinary land that can be watered.
    IrrigatedLand,
    /// Orchard.
    Orchard,
    /// Paddy in a grain production zone.
    GrainZonePaddy,
    /// Ordinary paddy under water.
    FloodedPaddy,
}

/// The kinds of land of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    FormerPaddyDrained,
    FormerPaddyUndrained,
    Paddy,
    BasicPaddy,
    GrainZonePaddy,
    Upland,
    BasicDry,
    Irrigated,
    Orchard,
}

impl Kind {
    fn parse(letter: char) -> Self {
        match letter {
            'D' => Self::FormerPaddyDrained,
            'U' => Self::FormerPaddyUndrained,
            'P' => Self::Paddy,
            'B' => Self::BasicPaddy,
            'G' => Self::GrainZonePaddy,
            'b' => Self::BasicDry,
            'I' => Self::Irrigated,
            'O' => Self::Orchard,
            _ => Self::Upland,
        }
    }

    pub(super) fn is_former_paddy(self) -> bool {
        matches!(self, Self::FormerPaddyDrained | Self::FormerPaddyUndrained)
    }

    /// Whether rice stands there year by year.
    pub(super) fn is_paddy(self) -> bool {
        matches!(self, Self::Paddy | Self::BasicPaddy | Self::GrainZonePaddy)
    }

    pub(super) fn is_basic_farmland(self) -> bool {
        matches!(self, Self::BasicPaddy | Self::BasicDry)
    }

    fn land_type(self) -> LandType {
        match self {
            Self::Upland | Self::BasicDry => LandType::Dry,
            Self::Irrigated => LandType::Irrigated,
            Self::Orchard => LandType::Orchard,
            _ => LandType::Paddy,
        }
    }

    /// Water regime under any crop but flooded rice.
    pub(super) fn upland_water(self) -> Water {
        match self {
            Self::FormerPaddyDrained => Water::Drained,
            Self::Irrigated => Water::Irrigated,
            _ => Water::RainFed,
        }
    }
}

/// Villages with the kinds of their plots, in the order of the plots' numbers.
const VILLAGES: [(&str, &str, [f64; 2]); 5] = [
    ("塘湾村", "DDUDPPDUDPPDUD", [112.507, 28.202]),
    ("石桥村", "BBBGGGPPBBGG", [112.517, 28.208]),
    ("枫坪村", "RRRRRRbbRRRR", [112.497, 28.214]),
    ("樟木村", "RRRIIRRRbOO", [112.489, 28.205]),
    ("月塘村", "PPRRIIbRROD", [112.513, 28.193]),
];

/// The plot of each role, by its number.
const CAST: [(Role, usize); 15] = [
    (Role::DrainedFormerPaddy, 12),
    (Role::UndrainedFormerPaddy, 13),
    (Role::FloodedPaddy, 5),
    (Role::BasicFarmlandPaddy, 15),
    (Role::GrainZonePaddy, 18),
    (Role::DryUpland, 27),
    (Role::BlackSpot, 28),
    (Role::StemNematode, 30),
    (Role::AboveScreening, 31),
    (Role::BasicFarmlandDry, 33),
    (Role::SilentSensor, 36),
    (Role::IrrigatedLand, 42),
    (Role::Orchard, 48),
    (Role::NewSensor, 53),
    (Role::AboveIntervention, 60),
];

/// A plot with what nobody in the world can see.
#[derive(Clone, Debug)]
pub(super) struct Ground {
    /// What everybody can see.
    pub(super) plot: Plot,
    pub(super) kind: Kind,
    pub(super) role: Option<Role>,
    pub(super) soil: Hydraulics,
    /// In water.
    pub(super) ph: f64,
    /// Total cadmium, mg/kg.
    pub(super) cadmium_mg_kg: f64,
    /// Logarithm of what the plot yields over its like.
    pub(super) fertility: f64,
    /// Share of the open sky's light; hills and trees take the rest.
    pub(super) light: f64,
}

impl Ground {
    pub(super) fn village(&self) -> &str {
        self.plot.village.as_deref().unwrap_or_default()
    }

    pub(super) fn household(&self) -> &str {
        self.plot.household.as_deref().unwrap_or_default()
    }

    pub(super) fn area_mu(&self) -> f64 {
        self.plot.area_m2 / M2_PER_MU
    }
}

/// Role to plot.
pub(super) fn cast(land: &[Ground]) -> BTreeMap<Role, PlotId> {
    land.iter().filter_map(|ground| Some((ground.role?, ground.plot.id.clone()))).collect()
}

/// Makes up all land; `first_day` dates what offices stated.
pub(super) fn draw(
    seed: u64,
    cooperative: &CooperativeId,
    first_day: Date,
) -> Result<Vec<Ground>, WorldError> {
    let mut rng = stream(seed, "land");
    let mut land = Vec::new();
    for (village, kinds, corner) in VILLAGES {
        let turned: f64 = rng.random_range(-0.5..0.5);
        let kinds: Vec<Kind> = kinds.chars().map(Kind::parse).collect();
        let areas: Vec<f64> = kinds.iter().map(|kind| area_mu(*kind, &mut rng)).collect();
        let shapes = rows_of_fields(&areas, &mut rng);
        for (nth, (kind, shape)) in kinds.into_iter().zip(shapes).enumerate() {
            let number = land.len() + 1;
            let outline: Vec<[f64; 2]> =
                shape.iter().map(|point| located(*point, turned, corner)).collect();
            let mut ground = ground(number, kind, first_day, cooperative, &mut rng)?;
            ground.plot.area_m2 = (area_m2(&shape) * 10.0).round() / 10.0;
            ground.plot.contract_area_mu = Some(contract_area_mu(&ground, &mut rng));
            ground.plot.centre = centre(&outline);
            ground.plot.polygons = vec![vec![outline]];
            ground.plot.village = Some(village.to_owned());
            ground.plot.household = Some(household(village, nth / 2, &mut rng));
            land.push(ground);
        }
    }
    Ok(land)
}

fn area_mu(kind: Kind, rng: &mut ChaCha8Rng) -> f64 {
    let median: f64 = match kind {
        Kind::Upland | Kind::BasicDry => 2.6,
        Kind::Orchard => 6.0,
        _ => 4.2,
    };
    let draw: f64 = rng.sample(StandardNormal);
    (median * (0.45 * draw).exp()).clamp(1.3, 13.5)
}

/// Contracts count in tenths of a mu, and often from old measuring by rope.
fn contract_area_mu(ground: &Ground, rng: &mut ChaCha8Rng) -> f64 {
    let draw: f64 = rng.sample(StandardNormal);
    (ground.area_mu() * (1.0 - 0.04 + 0.06 * draw) * 10.0).round() / 10.0
}

/// Some thirty families over the five villages: neighbours often share one.
fn household(village: &str, pair: usize, rng: &mut ChaCha8Rng) -> String {
    const FAMILY: [&str; 7] = ["刘", "陈", "李", "周", "谢", "喻", "姜"];
    let other = usize::from(rng.random_bool(0.15));
    let name = FAMILY[(pair + other) % FAMILY.len()];
    format!("{}{name}家", village.trim_end_matches('村'))
}

fn ground(
    number: usize,
    kind: Kind,
    first_day: Date,
    cooperative: &CooperativeId,
    rng: &mut ChaCha8Rng,
) -> Result<Ground, WorldError> {
    let role = CAST.iter().find(|(_, plot)| *plot == number).map(|(role, _)| *role);
    let id = PlotId::parse(&format!("nx-{number:03}"))?;
    let texture = texture(kind, rng);
    let (drainage, slope_percent, depth) = lie(kind, role, rng);
    let soil = hydraulics(kind, texture, drainage, slope_percent, rng);
    let cadmium_mg_kg = cadmium_mg_kg(kind, role, rng);
    // Of plots whose sensors say too little, people said nothing either.
    let is_told = !matches!(role, Some(Role::NewSensor | Role::SilentSensor));
    let draw: f64 = rng.sample(StandardNormal);
    let plot = Plot {
        name: format!("{}{}", place_name(rng), number),
        id,
        cooperative: cooperative.clone(),
        polygons: Vec::new(),
        centre: Place { latitude: 0.0, longitude: 0.0 },
        area_m2: 0.0,
        contract_area_mu: None,
        land_type: kind.land_type(),
        protection: vec![match kind {
            _ if kind.is_basic_farmland() => Protection::BasicFarmland,
            Kind::GrainZonePaddy => Protection::GrainZone,
            _ => Protection::Ordinary,
        }],
        protection_date: Some(date(first_day.year() - 1, 3, 1)),
        soil_class: soil_class(kind, role, first_day),
        measure: kind.is_former_paddy().then(|| OrderedMeasure {
            measure: Measure::StructureAdjustment,
            document: Some("模拟文件：种植结构调整方案".to_owned()),
            from: Some(date(first_day.year() - 2, 1, 1)),
            to: None,
        }),
        village: None,
        household: None,
        soil_texture: is_told.then_some(texture),
        drainage: is_told.then_some(drainage),
        water: Some(if kind.is_paddy() { Water::Flooded } else { kind.upland_water() }),
        slope_percent: Some(slope_percent),
        soil_depth_cm: Some(depth),
        codes: BTreeMap::new(),
    };
    Ok(Ground {
        ph: ph(kind, role, draw),
        fertility: rng.sample::<f64, _>(StandardNormal) * 0.09,
        light: rng.random_range(0.86..1.0),
        plot,
        kind,
        role,
        soil,
        cadmium_mg_kg,
    })
}

fn place_name(rng: &mut ChaCha8Rng) -> &'static str {
    const NAMES: [&str; 8] = ["大丘", "长丘", "弯丘", "坡上", "塘边", "庙前", "井边", "石嘴"];
    NAMES[rng.random_range(0..NAMES.len())]
}

fn texture(kind: Kind, rng: &mut ChaCha8Rng) -> SoilTexture {
    let choices = match kind {
        Kind::FormerPaddyDrained | Kind::FormerPaddyUndrained => {
            [SoilTexture::Loam, SoilTexture::SiltLoam, SoilTexture::SandyLoam]
        }
        Kind::Upland | Kind::BasicDry => {
            [SoilTexture::SandyLoam, SoilTexture::Loam, SoilTexture::ClayLoam]
        }
        Kind::Irrigated | Kind::Orchard => {
            [SoilTexture::Loam, SoilTexture::SandyLoam, SoilTexture::SiltLoam]
        }
        _ => [SoilTexture::SiltLoam, SoilTexture::SiltyClayLoam, SoilTexture::ClayLoam],
    };
    choices[rng.random_range(0..choices.len())]
}

/// How water leaves, slope in percent and rootable depth in cm.
fn lie(kind: Kind, role: Option<Role>, rng: &mut ChaCha8Rng) -> (Drainage, f64, f64) {
    let drainage = match kind {
        Kind::FormerPaddyUndrained | Kind::GrainZonePaddy => Drainage::Poor,
        Kind::FormerPaddyDrained if role.is_some() || rng.random_bool(0.6) => Drainage::Good,
        Kind::FormerPaddyDrained | Kind::Paddy | Kind::BasicPaddy => Drainage::Moderate,
        Kind::Irrigated if rng.random_bool(0.4) => Drainage::Moderate,
        _ => Drainage::Good,
    };
    let (slope, depth) = match kind {
        Kind::Upland | Kind::Orchard => {
            (rng.random_range(3.0..14.0), rng.random_range(55.0..110.0))
        }
        Kind::BasicDry | Kind::Irrigated => {
            (rng.random_range(1.0..5.0), rng.random_range(70.0..120.0))
        }
        _ => (rng.random_range(0.0..0.9), rng.random_range(75.0..120.0)),
    };
    (drainage, (slope * 10.0_f64).round() / 10.0, f64::round(depth))
}

/// Marks of a texture: drawn about where soil physics puts them, so that wet land reads as wet; the
/// ranges are our choice.
fn hydraulics(
    kind: Kind,
    texture: SoilTexture,
    drainage: Drainage,
    slope_percent: f64,
    rng: &mut ChaCha8Rng,
) -> Hydraulics {
    let (held, dry, full) = match texture {
        SoilTexture::SandyLoam => (0.18..0.23, 0.07..0.11, 0.43..0.46),
        SoilTexture::Loam => (0.25..0.30, 0.11..0.15, 0.44..0.47),
        SoilTexture::SiltLoam => (0.28..0.33, 0.11..0.16, 0.46..0.49),
        _ => (0.34..0.38, 0.19..0.22, 0.47..0.50),
    };
    Hydraulics {
        field_capacity: rng.random_range(held),
        wilting_point: rng.random_range(dry),
        saturation: rng.random_range(full),
        surplus_lost: match drainage {
            Drainage::Good => rng.random_range(0.55..0.75),
            Drainage::Moderate => rng.random_range(0.28..0.42),
            Drainage::Poor => rng.random_range(0.02..0.04),
        },
        seepage_mm: match kind {
            Kind::FormerPaddyUndrained => rng.random_range(1.0..2.0),
            Kind::GrainZonePaddy => 0.4,
            _ => 0.0,
        },
        bund_mm: if kind.is_paddy() || kind == Kind::FormerPaddyUndrained { 15.0 } else { 0.0 },
        runoff: (0.25 + 0.03 * slope_percent).min(0.6),
        is_irrigated: kind == Kind::Irrigated,
    }
}

fn ph(kind: Kind, role: Option<Role>, draw: f64) -> f64 {
    let (mean, spread) = match kind {
        Kind::Upland | Kind::Orchard => (5.15, 0.35),
        Kind::BasicDry | Kind::Irrigated => (5.6, 0.35),
        _ => (5.6, 0.3),
    };
    let ph: f64 = mean + spread * draw;
    // The polluted ones are acid for certain, so that the same band of the standard holds.
    if matches!(role, Some(Role::AboveScreening | Role::AboveIntervention)) {
        ph.clamp(4.9, 5.3)
    } else {
        ph.clamp(4.4, 6.8)
    }
}

/// Lognormal; the cast is kept clear of the borders that it is not shown for.
fn cadmium_mg_kg(kind: Kind, role: Option<Role>, rng: &mut ChaCha8Rng) -> f64 {
    let draw: f64 = rng.sample(StandardNormal);
    let median = if kind.is_paddy() { 0.22 } else { 0.17 };
    let drawn = median * (0.45 * draw).exp();
    match role {
        Some(Role::AboveScreening) => 0.75 * (0.1 * draw).exp(),
        Some(Role::AboveIntervention) => 2.6 * (0.1 * draw).exp(),
        Some(_) => drawn.min(0.24),
        None => drawn.min(1.1),
    }
}

fn soil_class(kind: Kind, role: Option<Role>, first_day: Date) -> Option<Official<SoilClass>> {
    let value = match role {
        Some(Role::AboveScreening) => SoilClass::SafeUse,
        _ if kind.is_basic_farmland() => SoilClass::Priority,
        _ => return None,
    };
    Some(Official {
        value,
        document: Some("模拟文件：耕地土壤环境质量类别划分".to_owned()),
        date: Some(date(first_day.year() - 1, 6, 1)),
    })
}

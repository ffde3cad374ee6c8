//! What really happens on the world's land: yields and cadmium, known to nobody in it.
//!
//! A yield is the product of what the crop gives on good land and of factors between 0 and 1 for
//! wet days, dry soil, soil pH, warmth and light of its season, times what plot, household, village
//! and year add. Every curve is drawn by seed around the crop's middle figure, and each variety has
//! a level and curves of its own: one bears wet soil better, another acid soil or drought. So the
//! best variety differs from plot to plot and from seed to seed.
//!
//! In about one world of five the varieties of a crop do not differ at all, and "no difference" is
//! the right answer. No draw depends on what the catalogue says of a variety; only on its name, and
//! all names are drawn alike.
//!
//! Spreads follow multi-location trials: places and years make most of the variance, then variety
//! by place, then variety (agronomy notes; the shares are judgement).

use std::ops::RangeInclusive;

use super::{
    World,
    chance::{between, normal, share},
    crops::{CROPS, Crop},
    land::{Ground, Kind},
    water::{SoilWater, water_stress},
};

/// Below this share of air in the topsoil roots suffocate.
const AIR_LEAST: f64 = 0.06;
/// What an orchard planted anew gives: of its first twenty years some five bear nothing; our choice.
const YOUNG_ORCHARD: f64 = 0.75;
/// Largest share that a soil-borne disease of sweet potato takes.
const DISEASE_LOSS: f64 = 0.6;

/// A season of one crop on one plot, as the plants met it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Growing {
    /// Share of days with too little air in the soil.
    wet: f64,
    /// Mean of 1 - Ks.
    dry: f64,
    /// °C.
    mean_c: f64,
    /// MJ m⁻² d⁻¹.
    radiation_mj: f64,
}

/// What the plants of a crop, or of one variety, answer with.
#[derive(Clone, Copy, Debug)]
struct Response {
    level: f64,
    wet_loss: f64,
    dry_loss: f64,
    ph_from: f64,
    ph_to: f64,
    best_c: f64,
    light: f64,
}

/// Whether a crop's varieties are all alike in this world.
pub(super) fn varieties_are_alike(seed: u64, crop: &str) -> bool {
    share(seed, &["alike", crop]) < 0.2
}

fn response(seed: u64, crop: &Crop, variety: Option<&str>) -> Response {
    let key = crop.key;
    let own = |what: &str| normal(seed, &["crop", key, what]);
    let mut response = Response {
        level: 0.08 * own("level"),
        wet_loss: crop.wet_loss * (0.2 * own("wet")).exp(),
        dry_loss: (crop.dry_loss * (0.15 * own("dry")).exp()).min(1.3),
        ph_from: crop.ph[0] + 0.15 * own("ph"),
        ph_to: crop.ph[1] + 0.15 * own("ph above"),
        best_c: crop.best_c + 0.8 * own("warmth"),
        light: between(seed, &["crop", key, "light"], 0.6, 1.0),
    };
    if let Some(variety) = variety.filter(|_| !varieties_are_alike(seed, key)) {
        let differ = between(seed, &["differ", key], 0.6, 1.4);
        let own = |what: &str| differ * normal(seed, &["variety", key, variety, what]);
        response.level += 0.08 * own("level");
        response.wet_loss *= (0.35 * own("wet")).exp();
        response.dry_loss = (response.dry_loss * (0.3 * own("dry")).exp()).min(1.3);
        response.ph_from += 0.2 * own("ph");
        response.best_c += 1.0 * own("warmth");
        response.light = (response.light + 0.1 * own("light")).clamp(0.4, 1.2);
    }
    response
}

impl World {
    /// True yield of a plot's household, kg/ha, in the season that is harvested in `year`.
    ///
    /// Without a variety: of the crop's middle.
    pub(super) fn true_yield_kg_ha(
        &self,
        place: usize,
        crop: &Crop,
        variety: Option<&str>,
        year: i16,
    ) -> f64 {
        self.true_yields_kg_ha(place, crop, variety, year..=year).into_iter().sum()
    }

    /// The same for each of `years`.
    pub(super) fn true_yields_kg_ha(
        &self,
        place: usize,
        crop: &Crop,
        variety: Option<&str>,
        years: RangeInclusive<i16>,
    ) -> Vec<f64> {
        let ground = &self.land[place];
        let response = response(self.seed, crop, variety);
        let usual_mj = self.usual_mj.get(crop.key).copied().unwrap_or(15.0);
        let lasting = response.level
            + (acidity(ground.ph, &response)
                * land_factor(ground.kind, crop)
                * self.health(ground, crop, variety))
            .ln();
        years
            .map(|year| {
                let growing = self.growing(place, crop, year);
                let warmth = -((growing.mean_c - response.best_c) / 6.5).powi(2) / 2.0;
                let light = ground.light * growing.radiation_mj / usual_mj.max(0.1);
                let drought = (1.0 - response.dry_loss * growing.dry).max(0.05);
                let added = lasting + warmth - response.wet_loss * growing.wet
                    + response.light * light.max(0.01).ln()
                    + self.added(ground, crop, variety, year);
                15.0 * crop.kg_mu * drought * added.exp()
            })
            .collect()
    }

    /// Cadmium in what is eaten of a crop, mg/kg; `year` `None` for a year like the middle one.
    pub(super) fn true_cadmium_mg_kg(&self, place: usize, crop: &Crop, year: Option<i16>) -> f64 {
        let ground = &self.land[place];
        let per_ph = if crop.is_rice() { 0.15 } else { 0.35 };
        let plot = ground.plot.id.as_str();
        let here = 0.40 * normal(self.seed, &["cadmium", crop.key, plot]);
        let year = year.map_or(0.0, |year| {
            0.35 * normal(self.seed, &["cadmium", crop.key, plot, &year.to_string()])
        });
        let soil = 0.6 * (ground.cadmium_mg_kg / 0.5).ln() + 0.5_f64.ln();
        (crop.cadmium_ratio.ln() + soil - per_ph * (ground.ph - 5.5) + here + year).exp()
    }

    /// What plot, household, village and year add, as a logarithm.
    fn added(&self, ground: &Ground, crop: &Crop, variety: Option<&str>, year: i16) -> f64 {
        let year = year.to_string();
        let (village, plot) = (ground.village(), ground.plot.id.as_str());
        let draw = |words: &[&str]| normal(self.seed, words);
        let mut added = ground.fertility
            + self.skill(ground.household())
            + 0.10 * draw(&["village year", crop.key, village, &year])
            + 0.06 * draw(&["plot crop", crop.key, plot]);
        if let Some(variety) = variety.filter(|_| !varieties_are_alike(self.seed, crop.key)) {
            added += 0.05 * draw(&["variety village", variety, village])
                + 0.03 * draw(&["variety year", variety, &year]);
        }
        added
    }

    /// What a household's care adds, as a logarithm.
    pub(super) fn skill(&self, household: &str) -> f64 {
        0.09 * normal(self.seed, &["skill", household])
    }

    fn health(&self, ground: &Ground, crop: &Crop, variety: Option<&str>) -> f64 {
        let Some(disease) = ground.role.and_then(super::practice::disease_of) else { return 1.0 };
        if crop.key != "sweet_potato" {
            return 1.0;
        }
        let words = ["disease", disease.key(), variety.unwrap_or_default()];
        1.0 - DISEASE_LOSS * share(self.seed, &words)
    }

    /// A season as the plants met it; all years of a plot and crop are made when first asked for.
    fn growing(&self, place: usize, crop: &Crop, year: i16) -> Growing {
        let nth = CROPS.iter().position(|own| own.key == crop.key).unwrap_or(0);
        let years = self.growings[place][nth].get_or_init(|| {
            self.years().map(|year| self.grown_through(place, crop, year)).collect()
        });
        let nth = usize::try_from(year - *self.years().start()).unwrap_or(0);
        years.get(nth).copied().unwrap_or_default()
    }

    fn grown_through(&self, place: usize, crop: &Crop, year: i16) -> Growing {
        let ground = &self.land[place];
        let water = self.water(place, crop.is_rice() && holds_water(ground.kind));
        let days = self.season_days(crop, year);
        let mut sum = Growing::default();
        for index in days.clone() {
            let day = &self.weather.days[index];
            let (top, sub) = (f64::from(water.top[index]), f64::from(water.sub[index]));
            if ground.soil.saturation - top < AIR_LEAST {
                sum.wet += 1.0;
            }
            sum.dry +=
                1.0 - 0.6 * water_stress(&ground.soil, top) - 0.4 * water_stress(&ground.soil, sub);
            sum.mean_c += day.mean_c();
            sum.radiation_mj += day.radiation_mj;
        }
        let count = days.len().max(1) as f64;
        Growing {
            wet: sum.wet / count,
            dry: sum.dry / count,
            mean_c: sum.mean_c / count,
            radiation_mj: sum.radiation_mj / count,
        }
    }

    /// Daily soil water of a plot, made when first asked for.
    pub(super) fn water(&self, place: usize, is_flooded: bool) -> &SoilWater {
        self.waters[place][usize::from(is_flooded)].get_or_init(|| {
            super::water::soil_water(&self.land[place].soil, &self.weather, is_flooded)
        })
    }
}

/// Whether a field can be kept under water at all.
pub(super) fn holds_water(kind: Kind) -> bool {
    kind.is_paddy() || kind.is_former_paddy()
}

/// What the lie of the land leaves of a crop besides water: rice without water standing hardly
/// yields, and former paddies were given up for rice because it did badly there.
fn land_factor(kind: Kind, crop: &Crop) -> f64 {
    match kind {
        _ if crop.is_woody() && kind != Kind::Orchard => YOUNG_ORCHARD,
        Kind::FormerPaddyDrained if crop.is_rice() => 0.35,
        Kind::FormerPaddyUndrained if crop.is_rice() => 0.55,
        _ if crop.is_rice() && !holds_water(kind) => 0.15,
        _ => 1.0,
    }
}

/// 1 between the borders, a quarter lost for each unit of pH beyond.
fn acidity(ph: f64, response: &Response) -> f64 {
    let beyond = (response.ph_from - ph).max(ph - response.ph_to).max(0.0);
    (1.0 - 0.3 * beyond).max(0.2)
}

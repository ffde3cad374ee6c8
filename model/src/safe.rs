//! Step 2 of advice: what may be eaten of what this soil grows.
//!
//! The class that binds is the official one, tightened by samples and never loosened.
//!
//! - Priority or below screening: "soil risk low", never "clean". A crop that takes up much is tested all
//!   the same where the soil's own figure times its mean uptake comes near the food limit: acid fields
//!   of the south give rice above the limit on soil below the screening value.
//! - Safe use or between screening and intervention: test each eaten organ before sale, by the food
//!   standard's limit for it; hold until a produce sample passed. A sample that failed takes the organ out,
//!   and the crop with it where that is the main one: the first of its uses, which yields and prices mean.
//! - Strict control or above intervention: nothing that is eaten or fed (our caution: the law asks
//!   governments to act and binds the farmer by the published list of prohibited produce).
//! - Unknown: ranked, with the condition that says so.

use jiff::civil::Date;
use plotwise_config::{
    catalogue::{
        Catalogue,
        crop::{Crop, CropUse},
        food::FoodLimit,
    },
    land::SoilClass,
    reading::QuantityNo,
    records::{Measured, Organ, Sample, SampleKind, Season},
};

use crate::pollution::{JudgedSample, Pollution, PollutionClass};

/// Uptake of cadmium at or above this counts as high: our choice; rice has 0.9, wheat and maize 0.1-0.16.
pub(crate) const UPTAKE_HIGH: f64 = 0.5;
/// Uptake at or below this counts as low: ours likewise.
pub(crate) const UPTAKE_LOW: f64 = 0.2;

/// Mean uptake times the soil's figure may reach this share of the food limit before the produce has to
/// be tested: our choice, because uptake on single fields varies twofold around its mean.
const EXPECTED_SHARE_MAX: f64 = 0.5;

/// The soil of a plot for everything that may grow there.
#[derive(Clone, Debug)]
pub(crate) struct SoilSafety<'a> {
    /// The class that binds; `None` where neither an office nor a sample says one.
    pub(crate) class: Option<SoilClass>,
    /// Whether the official class is what binds.
    pub(crate) is_official: bool,
    /// Pollutants above their screening value.
    pub(crate) above: Vec<&'a JudgedSample>,
    /// The worst of them.
    pub(crate) worst: Option<&'a JudgedSample>,
    /// Every figure that was judged.
    pub(crate) judged: &'a [JudgedSample],
}

impl<'a> SoilSafety<'a> {
    pub(crate) fn new(pollution: &'a Pollution, official: Option<SoilClass>) -> Self {
        let class = crate::pollution::effective_class(pollution.class, official);
        let measured = crate::pollution::effective_class(pollution.class, None);
        let is_above = |sample: &&JudgedSample| {
            sample.class >= PollutionClass::BetweenScreeningAndIntervention
        };
        Self {
            class,
            is_official: official.is_some() && official > measured,
            above: pollution.judged.iter().filter(is_above).collect(),
            worst: pollution.worst.as_ref(),
            judged: &pollution.judged,
        }
    }
}

/// One organ of a crop that step 2 leaves, and what has to be tested.
#[derive(Clone, Debug)]
pub(crate) struct SafeUse<'a> {
    pub(crate) part: &'a CropUse,
    pub(crate) tests: Vec<ProduceTest<'a>>,
}

/// One pollutant that the produce has to be tested for.
#[derive(Clone, Debug)]
pub(crate) struct ProduceTest<'a> {
    /// `None` where the official class names no pollutant.
    pub(crate) quantity: Option<QuantityNo>,
    /// Limit of the food standard; absent where it sets none for this food.
    pub(crate) limit: Option<&'a FoodLimit>,
    /// A sample of this organ that passed, by the first day of its season.
    pub(crate) passed: Option<Date>,
}

/// A produce sample above its limit.
#[derive(Clone, Debug)]
pub(crate) struct Failure<'a> {
    pub(crate) organ: Organ,
    pub(crate) quantity: QuantityNo,
    pub(crate) value_mg_kg: f64,
    pub(crate) limit: &'a FoodLimit,
    pub(crate) season_start: Date,
}

/// What step 2 leaves of a crop.
#[derive(Clone, Debug)]
pub(crate) enum Safety<'a> {
    /// The main part may be used; what of the others may not stands in the last two.
    Safe { uses: Vec<SafeUse<'a>>, failed: Vec<Failure<'a>>, forbidden: Vec<Organ> },
    /// Nothing of it may be eaten or fed here.
    SoilForbids,
    /// Samples of the produce were above the limit.
    ProduceFailed(Failure<'a>),
}

/// Samples of the plot's produce, newest season first.
pub(crate) struct ProduceSamples<'a> {
    by_season: Vec<(Date, Organ, &'a Sample, Option<&'a Season>)>,
}

impl<'a> ProduceSamples<'a> {
    pub(crate) fn new(samples: &'a [Sample], seasons: &'a [Season]) -> Self {
        let mut by_season: Vec<_> = samples
            .iter()
            .filter_map(|sample| match sample.kind {
                SampleKind::Produce { season_start, organ } => {
                    let season = seasons.iter().find(|season| season.start == season_start);
                    Some((season_start, organ, sample, season))
                }
                SampleKind::Soil { .. } => None,
            })
            .collect();
        by_season.sort_by_key(|(start, ..)| std::cmp::Reverse(*start));
        Self { by_season }
    }

    /// The newest sample of an organ of the crop.
    fn newest(&self, crop: &Crop, organ: Organ, quantity: QuantityNo) -> Option<(Date, Measured)> {
        self.by_season.iter().find_map(|(start, of, sample, season)| {
            let is_crop = season.is_some_and(|season| season.crop == crop.key);
            (is_crop && *of == organ && sample.quantity == quantity)
                .then_some((*start, sample.measured))
        })
    }
}

/// What step 2 leaves of a crop on this soil.
pub(crate) fn safety<'a>(
    catalogue: &'a Catalogue,
    crop: &'a Crop,
    soil: &SoilSafety<'_>,
    produce: &ProduceSamples<'_>,
) -> Safety<'a> {
    let mut uses = Vec::new();
    let mut failed = Vec::new();
    let mut forbidden = Vec::new();
    for (place, part) in crop.uses.iter().enumerate() {
        let is_main = place == 0;
        if part.edible && soil.class == Some(SoilClass::StrictControl) {
            if is_main {
                return Safety::SoilForbids;
            }
            forbidden.push(part.organ);
        } else if let Some(failure) = first_failure(catalogue, crop, part, produce) {
            if is_main {
                return Safety::ProduceFailed(failure);
            }
            failed.push(failure);
        } else {
            let tests = tests_of(catalogue, crop, part, soil, produce);
            uses.push(SafeUse { part, tests });
        }
    }
    Safety::Safe { uses, failed, forbidden }
}

fn first_failure<'a>(
    catalogue: &'a Catalogue,
    crop: &Crop,
    part: &CropUse,
    produce: &ProduceSamples<'_>,
) -> Option<Failure<'a>> {
    limits_of(catalogue, part).iter().find_map(|limit| {
        let quantity = catalogue.quantity_no(&limit.quantity)?;
        let (season_start, measured) = produce.newest(crop, part.organ, quantity)?;
        match measured {
            Measured::Value(value_mg_kg) if value_mg_kg > limit.mg_kg => {
                Some(Failure { organ: part.organ, quantity, value_mg_kg, limit, season_start })
            }
            _ => None,
        }
    })
}

fn tests_of<'a>(
    catalogue: &'a Catalogue,
    crop: &Crop,
    part: &CropUse,
    soil: &SoilSafety<'_>,
    produce: &ProduceSamples<'_>,
) -> Vec<ProduceTest<'a>> {
    if !part.edible {
        return Vec::new();
    }
    let limits = limits_of(catalogue, part);
    let is_safe_use = soil.class == Some(SoilClass::SafeUse);
    if is_safe_use && soil.above.is_empty() {
        return vec![ProduceTest { quantity: None, limit: None, passed: None }];
    }
    let limit_of = |sample: &JudgedSample| {
        let key = &catalogue.quantity(sample.quantity).key;
        limits.iter().find(|limit| limit.quantity == *key)
    };
    let wants_test = |sample: &&JudgedSample| {
        let is_above = soil.above.iter().any(|above| above.quantity == sample.quantity);
        (is_safe_use && is_above)
            || limit_of(sample).is_some_and(|limit| comes_near(part, sample, limit))
    };
    let test = |sample: &JudgedSample| {
        let limit = limit_of(sample);
        // A figure above its limit never gets here: the organ is out.
        let passed = limit.and(produce.newest(crop, part.organ, sample.quantity));
        ProduceTest { quantity: Some(sample.quantity), limit, passed: passed.map(|(day, _)| day) }
    };
    let mut tests: Vec<ProduceTest<'a>> = soil.judged.iter().filter(wants_test).map(test).collect();
    if is_safe_use && soil.is_official {
        // The office knows of more than these samples show.
        tests.push(ProduceTest { quantity: None, limit: None, passed: None });
    }
    tests
}

/// Whether an organ of known uptake may come near its limit on this soil, whatever the class.
fn comes_near(part: &CropUse, sample: &JudgedSample, limit: &FoodLimit) -> bool {
    let uptake = part.cadmium_uptake.as_ref().filter(|_| limit.quantity == "cadmium");
    uptake.is_some_and(|uptake| {
        uptake.mean_ratio * sample.value_mg_kg > EXPECTED_SHARE_MAX * limit.mg_kg
    })
}

fn limits_of<'a>(catalogue: &'a Catalogue, part: &CropUse) -> &'a [FoodLimit] {
    let food = part.food.as_ref();
    let known = catalogue.food_standard().foods.iter();
    food.and_then(|key| known.into_iter().find(|food| food.key == *key))
        .map_or(&[], |food| food.limits.as_slice())
}

#[cfg(test)]
mod tests;

//! Plain averages of outcomes, done honestly, in the place where a trained model will stand.
//!
//! A harvest is the level of its crop, plus effects of village, household, drainage and variety, plus the
//! season of that village, plus the rest. Ordinary harvests mainly teach the level of a place; contrasts
//! between varieties come from strips (varieties side by side) and from official trials, each a block of its
//! own. Everything is pulled towards zero by assumed spreads (`shares`, relative to the crop's level), so
//! that one lucky field makes no winner.
//!
//! ```text
//! harvest = level + village + household + drainage + variety + (village x season | strip) + rest
//! trial   = level                                  + variety + trial                      + rest
//! usual   = level                                                                         + rest
//! ```
//!
//! What it leaves out: weather, soil and every other covariate, and the effect that a household has on
//! the choice of its variety beyond its own mean. The interval is that of a season yet unseen on the plot
//! and is not calibrated. Harvests of seasons that end on or after the day of the question do not count.

mod effects;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::civil::Date;
use plotwise_config::{
    catalogue::{Catalogue, crop::Crop},
    id::{CropKey, VarietyKey},
    land::Drainage,
    records::OutcomeStatus,
};

use crate::{
    advice::{Basis, Evidence, YieldInterval},
    dossier::Harvest,
};
use effects::{Fitted, Layout, Row};

/// Assumed variances as squares of a share of the crop's level: our choice, after the size of
/// environment, variety and plot effects in multi-location trials (environment >> variety).
mod shares {
    pub(super) const SEASON: f64 = 0.18 * 0.18;
    pub(super) const STRIP: f64 = 0.22 * 0.22;
    pub(super) const TRIAL: f64 = 0.30 * 0.30;
    pub(super) const VILLAGE: f64 = 0.12 * 0.12;
    pub(super) const HOUSEHOLD: f64 = 0.10 * 0.10;
    pub(super) const DRAINAGE: f64 = 0.15 * 0.15;
    pub(super) const VARIETY: f64 = 0.12 * 0.12;
    pub(super) const PLOT: f64 = 0.15 * 0.15;
    /// Rows of a strip share the plot; what differs is the soil underfoot and how each variety takes the
    /// season.
    pub(super) const STRIP_ROW: f64 = 0.10 * 0.10;
    /// A mean over sites is exact of those sites; how it carries over to another is not.
    pub(super) const TRIAL_MEAN: f64 = 0.12 * 0.12;
    /// A regional mean is no plot's mean, however narrow the range that a page prints.
    pub(super) const USUAL_LEAST: f64 = 0.15 * 0.15;
}

/// Nominal level of the intervals.
const LEVEL: f64 = 0.8;
/// Quantile of the standard normal at (1 + LEVEL) / 2.
const Z: f64 = 1.281_551_565_545;
/// Beyond this many households of one crop each is nested in its seasons, to bound the dense system.
const HOUSEHOLDS_MAX: usize = 400;

/// Averages of every crop.
#[derive(Clone, Debug, Default)]
pub struct LocalMeans {
    crops: HashMap<CropKey, CropMeans>,
}

/// Where a yield is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ground<'a> {
    pub(crate) village: Option<&'a str>,
    pub(crate) household: Option<&'a str>,
    pub(crate) drainage: Option<Drainage>,
}

/// An expected yield with what it rests on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Estimate {
    pub(crate) interval: YieldInterval,
    pub(crate) evidence: Evidence,
    pub(crate) basis: Basis,
}

/// Whether two varieties of a crop can be told apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Comparison {
    /// Chance that the first yields more.
    Chance(f64),
    /// Never side by side, or one of them grown by fewer than two households.
    None,
}

impl LocalMeans {
    /// Averages over the harvests that were in before `on`.
    ///
    /// `harvests`: of one cooperative, in any order; failures count as the zero they are, abandoned
    /// seasons do not count.
    pub fn fit(catalogue: &Catalogue, harvests: &[Harvest], on: Date) -> Self {
        let mut by_crop: HashMap<&str, Vec<&Harvest>> = HashMap::new();
        for harvest in harvests {
            let outcome = &harvest.outcome;
            let counts = outcome.season_end < on
                && outcome.status != OutcomeStatus::Abandoned
                && outcome.yield_kg_ha.is_finite()
                && outcome.yield_kg_ha >= 0.0;
            if counts {
                by_crop.entry(outcome.crop.as_str()).or_default().push(harvest);
            }
        }
        let crops = catalogue.crops().iter().filter_map(|crop| {
            let harvests = by_crop.get(crop.key.as_str()).map_or(&[][..], Vec::as_slice);
            CropMeans::fit(catalogue, crop, harvests).map(|means| (crop.key.clone(), means))
        });
        Self { crops: crops.collect() }
    }

    /// The averages of one crop; `None` where nothing supports a number.
    pub(crate) fn crop(&self, key: &CropKey) -> Option<&CropMeans> {
        self.crops.get(key)
    }
}

/// Averages of one crop.
#[derive(Clone, Debug)]
pub(crate) struct CropMeans {
    level: f64,
    fitted: Fitted,
    villages: HashMap<String, usize>,
    households: HashMap<String, usize>,
    drainages: BTreeMap<Drainage, (usize, u32)>,
    varieties: HashMap<VarietyKey, Grown>,
    /// All harvests of the crop.
    basis: Basis,
}

/// One variety in the data.
#[derive(Clone, Debug)]
struct Grown {
    effect: usize,
    basis: Basis,
    strips: u32,
    trials: usize,
    /// Varieties of one group are joined by blocks; across groups there is no comparison.
    group: usize,
}

impl CropMeans {
    fn fit(catalogue: &Catalogue, crop: &Crop, harvests: &[&Harvest]) -> Option<Self> {
        let level = level_kg_ha(catalogue, crop, harvests)?;
        let mut draft = Draft::new(level);
        for variety in catalogue.varieties_of(crop.key.as_str()) {
            draft.variety(&variety.key);
        }
        draft.add_harvests(harvests);
        draft.add_trials(catalogue, crop);
        if let Some(usual) = &crop.usual_yield {
            let [from, to] = usual.range_kg_ha;
            let share = ((to - from) / (2.0 * Z * level)).powi(2).max(shares::USUAL_LEAST);
            let block = draft.block("usual".to_owned(), 0.0);
            draft.row(block, vec![0], usual.kg_ha, share);
        }
        draft.finish()
    }

    /// What to expect of a variety, or of the crop, in a season yet unseen.
    pub(crate) fn expect(&self, variety: Option<&VarietyKey>, ground: Ground<'_>) -> Estimate {
        let grown = variety.and_then(|key| self.varieties.get(key));
        let mut places = vec![0];
        // What is not known of this plot counts with its whole assumed spread.
        let mut unseen = shares::SEASON + shares::PLOT;
        let mut effect = |place: Option<usize>, share: f64| match place {
            Some(place) => places.push(place),
            None => unseen += share,
        };
        effect(ground.village.and_then(|name| self.villages.get(name)).copied(), shares::VILLAGE);
        let household = ground.household.and_then(|name| self.households.get(name)).copied();
        effect(household, shares::HOUSEHOLD);
        let drainage = ground.drainage.and_then(|class| self.drainages.get(&class));
        effect(drainage.map(|(place, _)| *place), shares::DRAINAGE);
        effect(grown.map(|grown| grown.effect), shares::VARIETY);
        let expected = self.fitted.sum(&places).max(0.0);
        let variance =
            self.fitted.variance(&places) + unseen * self.level * self.level * self.fitted.scale;
        let reach = quantile(self.fitted.freedom) * variance.sqrt();
        let interval = YieldInterval {
            expected,
            low: (expected - reach).max(0.0),
            high: expected + reach,
            level: LEVEL,
            calibrated: false,
        };
        let (evidence, basis) = match grown {
            Some(grown) => (grown.evidence(), grown.basis),
            None if self.basis.harvests > 0 => (Evidence::LocalOutcomes, self.basis),
            None => (Evidence::Envelope, Basis::default()),
        };
        Estimate { interval, evidence, basis }
    }

    /// Chance that `a` yields more than `b`, where the data can tell at all.
    pub(crate) fn compare(&self, a: &VarietyKey, b: &VarietyKey) -> Comparison {
        let (Some(a), Some(b)) = (self.varieties.get(a), self.varieties.get(b)) else {
            return Comparison::None;
        };
        if a.group != b.group || !a.is_comparable() || !b.is_comparable() {
            return Comparison::None;
        }
        let (difference, error) = self.fitted.difference(a.effect, b.effect);
        if error > 0.0 { Comparison::Chance(normal(difference / error)) } else { Comparison::None }
    }

    /// Harvests of the crop, of any variety.
    pub(crate) fn harvests(&self) -> u32 {
        self.basis.harvests
    }

    /// Harvests of the crop on land of one drainage class.
    pub(crate) fn harvests_on(&self, drainage: Drainage) -> u32 {
        self.drainages.get(&drainage).map_or(0, |(_, count)| *count)
    }
}

impl Grown {
    fn evidence(&self) -> Evidence {
        if self.basis.harvests > self.strips {
            Evidence::LocalOutcomes
        } else if self.strips > 0 {
            Evidence::Strips
        } else if self.trials > 0 {
            Evidence::Trials
        } else {
            Evidence::Envelope
        }
    }

    /// One household's own choice is no comparison: the farmer may be better, not the variety.
    fn is_comparable(&self) -> bool {
        self.basis.households >= 2 || self.strips > 0 || self.trials > 0
    }
}

/// Typical yield of the crop, which the assumed spreads are shares of.
fn level_kg_ha(catalogue: &Catalogue, crop: &Crop, harvests: &[&Harvest]) -> Option<f64> {
    let mean = |values: Vec<f64>| {
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    };
    crop.usual_yield
        .as_ref()
        .map(|usual| usual.kg_ha)
        .or_else(|| mean(harvests.iter().map(|harvest| harvest.outcome.yield_kg_ha).collect()))
        .or_else(|| {
            let trials = catalogue.varieties_of(crop.key.as_str()).flat_map(|v| &v.trials);
            mean(trials.map(|trial| trial.kg_ha).collect())
        })
        .filter(|level| *level > 0.0)
}

/// Rows and effects while they are gathered.
struct Draft {
    level: f64,
    layout: Layout,
    rows: Vec<Row>,
    blocks: HashMap<String, usize>,
    villages: HashMap<String, usize>,
    households: HashMap<String, usize>,
    drainages: BTreeMap<Drainage, (usize, u32)>,
    varieties: HashMap<VarietyKey, Grown>,
    basis: Basis,
}

impl Draft {
    fn new(level: f64) -> Self {
        Self {
            level,
            layout: Layout { variances: vec![f64::INFINITY], blocks: Vec::new() },
            rows: Vec::new(),
            blocks: HashMap::new(),
            villages: HashMap::new(),
            households: HashMap::new(),
            drainages: BTreeMap::new(),
            varieties: HashMap::new(),
            basis: Basis::default(),
        }
    }

    fn effect(&mut self, share: f64) -> usize {
        self.layout.variances.push(share * self.level * self.level);
        self.layout.variances.len() - 1
    }

    fn variety(&mut self, key: &VarietyKey) -> usize {
        if let Some(grown) = self.varieties.get(key) {
            return grown.effect;
        }
        let effect = self.effect(shares::VARIETY);
        let grown = Grown { effect, basis: Basis::default(), strips: 0, trials: 0, group: effect };
        self.varieties.insert(key.clone(), grown);
        effect
    }

    fn block(&mut self, name: String, share: f64) -> usize {
        let next = self.layout.blocks.len();
        let place = *self.blocks.entry(name).or_insert(next);
        if place == next {
            self.layout.blocks.push(share * self.level * self.level);
        }
        place
    }

    fn row(&mut self, block: usize, effects: Vec<usize>, value: f64, share: f64) {
        let variance = share * self.level * self.level;
        self.rows.push(Row { block, effects, value, variance });
    }

    fn add_harvests(&mut self, harvests: &[&Harvest]) {
        let names: BTreeSet<&str> =
            harvests.iter().filter_map(|harvest| harvest.household.as_deref()).collect();
        let is_nested = names.len() > HOUSEHOLDS_MAX;
        let mut seen: HashMap<VarietyKey, (BTreeSet<&str>, BTreeSet<String>)> = HashMap::new();
        let mut all = (BTreeSet::new(), BTreeSet::new());
        for harvest in harvests {
            let outcome = &harvest.outcome;
            let environment = environment_of(harvest);
            let (block, share) = match (&outcome.strip, harvest.household.as_deref()) {
                (Some(strip), _) => {
                    let name = format!("strip {strip} {} {}", outcome.plot, outcome.season_start);
                    (self.block(name, shares::STRIP), shares::STRIP_ROW)
                }
                (None, Some(household)) if is_nested => {
                    let name = format!("season {environment} {household}");
                    (self.block(name, shares::SEASON), shares::PLOT)
                }
                (None, _) => {
                    (self.block(format!("season {environment}"), shares::SEASON), shares::PLOT)
                }
            };
            let mut effects = vec![0];
            if let Some(village) = &harvest.village {
                effects.push(self.village(village));
            }
            if let Some(household) = harvest.household.as_ref().filter(|_| !is_nested) {
                effects.push(self.household(household));
            }
            if let Some(drainage) = harvest.drainage {
                effects.push(self.drainage(drainage));
            }
            effects.push(self.variety(&outcome.variety));
            self.row(block, effects, outcome.yield_kg_ha, share);
            let (households, environments) = seen.entry(outcome.variety.clone()).or_default();
            if let Some(household) = harvest.household.as_deref() {
                households.insert(household);
                all.0.insert(household);
            }
            environments.insert(environment.clone());
            all.1.insert(environment);
            self.basis.harvests += 1;
            if let Some(grown) = self.varieties.get_mut(&outcome.variety) {
                grown.basis.harvests += 1;
                grown.strips += u32::from(outcome.strip.is_some());
            }
        }
        for (variety, (households, environments)) in &seen {
            if let Some(grown) = self.varieties.get_mut(variety) {
                grown.basis.households = count(households.len());
                grown.basis.environments = count(environments.len());
            }
        }
        self.basis.households = count(all.0.len());
        self.basis.environments = count(all.1.len());
    }

    fn village(&mut self, name: &str) -> usize {
        if let Some(&place) = self.villages.get(name) {
            return place;
        }
        let place = self.effect(shares::VILLAGE);
        self.villages.insert(name.to_owned(), place);
        place
    }

    fn household(&mut self, name: &str) -> usize {
        if let Some(&place) = self.households.get(name) {
            return place;
        }
        let place = self.effect(shares::HOUSEHOLD);
        self.households.insert(name.to_owned(), place);
        place
    }

    fn drainage(&mut self, class: Drainage) -> usize {
        if let Some((place, count)) = self.drainages.get_mut(&class) {
            *count += 1;
            return *place;
        }
        let place = self.effect(shares::DRAINAGE);
        self.drainages.insert(class, (place, 1));
        place
    }

    /// Official trials, and the check that a trial names beside the variety.
    fn add_trials(&mut self, catalogue: &Catalogue, crop: &Crop) {
        for variety in catalogue.varieties_of(crop.key.as_str()) {
            for trial in &variety.trials {
                let block = self.block(format!("trial {}", trial.trial.en), shares::TRIAL);
                let effect = self.variety(&variety.key);
                self.row(block, vec![0, effect], trial.kg_ha, shares::TRIAL_MEAN);
                if let Some(grown) = self.varieties.get_mut(&variety.key) {
                    grown.trials += 1;
                }
                if let (Some(check), Some(over)) = (&trial.check, trial.over_check_percent) {
                    let check = self.variety(check);
                    let yielded = trial.kg_ha / (1.0 + over / 100.0).max(0.1);
                    self.row(block, vec![0, check], yielded, shares::TRIAL_MEAN);
                }
            }
        }
    }

    fn finish(mut self) -> Option<CropMeans> {
        let fitted = Fitted::new(&self.layout, &self.rows)?;
        self.join_groups();
        Some(CropMeans {
            level: self.level,
            fitted,
            villages: self.villages,
            households: self.households,
            drainages: self.drainages,
            varieties: self.varieties,
            basis: self.basis,
        })
    }

    /// Varieties that met in a block, directly or over others, form a group.
    fn join_groups(&mut self) {
        let is_variety: BTreeSet<usize> =
            self.varieties.values().map(|grown| grown.effect).collect();
        let mut group: BTreeMap<usize, usize> = is_variety.iter().map(|&e| (e, e)).collect();
        let mut first_of_block: HashMap<usize, usize> = HashMap::new();
        for row in &self.rows {
            let Some(&effect) = row.effects.last().filter(|effect| is_variety.contains(effect))
            else {
                continue;
            };
            let first = *first_of_block.entry(row.block).or_insert(effect);
            let (from, to) = (group[&effect], group[&first]);
            if from != to {
                group.values_mut().filter(|g| **g == from).for_each(|g| *g = to);
            }
        }
        for grown in self.varieties.values_mut() {
            grown.group = group[&grown.effect];
        }
    }
}

/// Village and half-year; a plot without a village is a place of its own.
fn environment_of(harvest: &Harvest) -> String {
    let start = harvest.outcome.season_start;
    let half = if start.month() <= 6 { 1 } else { 2 };
    match &harvest.village {
        Some(village) => format!("{village} {}/{half}", start.year()),
        None => format!("plot {} {}/{half}", harvest.outcome.plot, start.year()),
    }
}

fn count(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

/// Quantile of Student's t at (1 + LEVEL) / 2, by the expansion of Abramowitz and Stegun 26.7.5.
fn quantile(freedom: f64) -> f64 {
    let z = Z;
    z + (z.powi(3) + z) / (4.0 * freedom)
        + (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / (96.0 * freedom * freedom)
}

/// Distribution function of the standard normal, by Abramowitz and Stegun 7.1.26 (error below 2e-7).
fn normal(z: f64) -> f64 {
    let x = z.abs() / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * x);
    let series = [0.254_829_592, -0.284_496_736, 1.421_413_741, -1.453_152_027, 1.061_405_429];
    let polynomial = series.iter().rev().fold(0.0, |sum, coefficient| (sum + coefficient) * t);
    let upper = 0.5 * polynomial * (-x * x).exp();
    if z >= 0.0 { 1.0 - upper } else { upper }
}

#[cfg(test)]
mod tests;

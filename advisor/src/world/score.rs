//! What advice was worth: yuan a mu over years that nobody in the world has seen.
//!
//! Four ways to choose a crop and variety for every plot are put through the same twenty years:
//!
//! - `advice`: the choices that were handed in;
//! - `habit`: what each household would grow by itself;
//! - `best_on_average`: the crop and variety with the best mean margin in the reported harvests of
//!   the same land type, where the law lets it;
//! - `oracle`: the best lawful choice by the world's own truth.
//!
//! A plot earns price x yield - cost. What a buyer does not take (`max_t`) goes at
//! [`SURPLUS_PRICE`] of the price, so prices fall with volume a little. Produce above its cadmium
//! limit may not be sold (Agricultural Product Quality Safety Law, art. 36) and earns nothing that
//! year, whoever chose it. An unlawful choice, and a crop that the world has no buyer for, costs
//! and earns nothing; a plot without a choice lies idle at 0.
//!
//! Habit is no straw man: a family leaves land idle that bears it nothing every other year or so.
//!
//! The oracle is found by local search (one plot changed at a time) from several starts, among them
//! the lawful part of the other three; so none of them beats it.
//!
//! `falsely_safe` counts plots whose choice is eaten or fed and was called fit for sale without a
//! condition, though in a middle year its produce holds more cadmium than the limit.

mod search;

use std::collections::BTreeMap;

use plotwise_config::{
    id::{CropKey, PlotId, VarietyKey},
    records::SoldAs,
};
use serde::Serialize;

use super::{
    World,
    crops::{CROPS, Crop, Cultivar, Market, crop, markets_of},
    land::Ground,
};

/// Share of the price for what the buyer does not take; our choice.
pub const SURPLUS_PRICE: f64 = 0.85;
/// Lost per mu with a crop that nobody in the world buys, yuan; our choice.
const COST_WITHOUT_BUYER: f64 = 500.0;

/// What somebody chose for a plot.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// The crop.
    pub crop: CropKey,
    /// The variety, where one was named.
    pub variety: Option<VarietyKey>,
    /// Whether it was called fit for sale without a condition such as `test_before_sale`.
    pub is_called_safe: bool,
}

/// What the ways of choosing earn, and how often safety was claimed wrongly.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Score {
    /// Mean over plots (by area) and unseen years.
    pub yuan_per_mu: YuanPerMu,
    /// Plots called safe whose produce is not.
    pub falsely_safe: usize,
}

/// Margin of each way of choosing, yuan a mu and season.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct YuanPerMu {
    /// The choices handed in.
    pub advice: f64,
    /// What households would do.
    pub habit: f64,
    /// The best mean of the harvests.
    pub best_on_average: f64,
    /// The best that could be done.
    pub oracle: f64,
}

/// A choice with what it yields: tonnes that may be sold in each unseen year.
#[derive(Clone, Debug)]
struct Prospect {
    crop: &'static Crop,
    variety: Option<VarietyKey>,
    market: &'static Market,
    /// As the market's general price counts them: starch above the usual makes them more.
    tonnes: Vec<f64>,
    cost: f64,
}

/// Chosen option of each plot; `None` lies idle.
type Plan<'a> = Vec<Option<&'a Prospect>>;

impl World {
    /// What `choices` are worth beside the other ways of choosing. Plots that are not named lie idle.
    pub fn score(&self, choices: &BTreeMap<PlotId, Option<Choice>>) -> Score {
        let lawful = self.lawful_prospects();
        let advised = self.advised(choices);
        let (habits, averages) = (self.habits(), self.averages());
        let advice: Plan = advised.iter().map(Option::as_ref).collect();
        let habit: Plan = habits.iter().map(Option::as_ref).collect();
        let average: Plan = averages.iter().map(Option::as_ref).collect();
        let idle: Plan = vec![None; self.land.len()];
        let oracle = [&idle, &habit, &average, &advice]
            .into_iter()
            .map(|start| self.searched(start, &lawful))
            .fold(f64::NEG_INFINITY, f64::max);
        let [advice, habit, best_on_average] =
            [&advice, &habit, &average].map(|plan| self.yuan_per_mu(plan));
        Score {
            yuan_per_mu: YuanPerMu { advice, habit, best_on_average, oracle },
            falsely_safe: self.falsely_safe(choices),
        }
    }

    pub(super) fn falsely_safe(&self, choices: &BTreeMap<PlotId, Option<Choice>>) -> usize {
        let is_wrong = |place: usize, choice: &Choice| {
            choice.is_called_safe
                && crop(choice.crop.as_str()).is_some_and(|crop| {
                    crop.is_edible
                        && crop
                            .cadmium_limit
                            .is_some_and(|limit| self.true_cadmium_mg_kg(place, crop, None) > limit)
                })
        };
        let plots = self.land.iter().enumerate();
        plots
            .filter(|(place, ground)| {
                let choice = choices.get(&ground.plot.id).and_then(Option::as_ref);
                choice.is_some_and(|choice| is_wrong(*place, choice))
            })
            .count()
    }

    fn advised(&self, choices: &BTreeMap<PlotId, Option<Choice>>) -> Vec<Option<Prospect>> {
        (0..self.land.len())
            .map(|place| {
                let ground = &self.land[place];
                let choice = choices.get(&ground.plot.id)?.as_ref()?;
                let known = crop(choice.crop.as_str());
                let lawful = known.filter(|crop| is_lawful(ground, crop));
                Some(match lawful {
                    Some(crop) => self.best_market(place, crop, choice.variety.as_ref()),
                    None => self.wasted(ground, known),
                })
            })
            .collect()
    }

    fn habits(&self) -> Vec<Option<Prospect>> {
        let year = self.last_day.year() + 1;
        (0..self.land.len())
            .map(|place| {
                let ground = &self.land[place];
                let known = crop(self.habit(place, year).last()?)?;
                let variety = self.chosen_variety(ground, known, year);
                Some(if is_lawful(ground, known) {
                    self.best_market(place, known, variety.as_ref())
                } else {
                    self.wasted(ground, Some(known))
                })
            })
            .collect()
    }

    fn averages(&self) -> Vec<Option<Prospect>> {
        let mut sums: BTreeMap<_, (f64, f64)> = BTreeMap::new();
        for outcome in self.outcomes() {
            let Some(place) = self.land.iter().position(|own| own.plot.id == outcome.plot) else {
                continue;
            };
            let land_type = self.land[place].plot.land_type;
            let sum = sums.entry((land_type, outcome.crop, outcome.variety)).or_default();
            *sum = (sum.0 + outcome.yield_kg_ha / 15.0, sum.1 + 1.0);
        }
        (0..self.land.len())
            .map(|place| {
                let ground = &self.land[place];
                let margins =
                    sums.iter().filter_map(|((land_type, key, variety), (sum, count))| {
                        let known = crop(key.as_str())?;
                        let is_open = *land_type == ground.plot.land_type
                            && *count >= 3.0
                            && is_lawful(ground, known);
                        is_open.then(|| {
                            (self.margin(known, Some(variety), sum / count), known, variety)
                        })
                    });
                let best = margins.max_by(|a, b| a.0.total_cmp(&b.0))?;
                (best.0 > 0.0).then(|| self.best_market(place, best.1, Some(best.2)))
            })
            .collect()
    }

    /// Yuan a mu at `kg_mu` in the best market of a variety.
    fn margin(&self, crop: &'static Crop, variety: Option<&VarietyKey>, kg_mu: f64) -> f64 {
        let markets = markets_of(crop, self.uses(crop, variety));
        let starch = self.cultivar(crop, variety).and_then(|own| own.starch_percent);
        let margins = markets
            .into_iter()
            .map(|market| self.price(crop, market, starch) * kg_mu - market.cost);
        margins.fold(f64::NEG_INFINITY, f64::max)
    }

    /// Every lawful option of every plot; the variety named wherever the world has some.
    fn lawful_prospects(&self) -> Vec<Vec<Prospect>> {
        let of_plot = |place: usize| {
            let ground = &self.land[place];
            let crops = CROPS.iter().filter(|crop| self.roster.contains_key(crop.key));
            crops
                .filter(|crop| is_lawful(ground, crop))
                .flat_map(|crop| {
                    let named = self.roster[crop.key].iter().map(|own| Some(&own.key));
                    // The crop's middle, too: advice may name no variety.
                    named
                        .chain([None])
                        .flat_map(move |variety| self.prospects(place, crop, variety))
                })
                .collect()
        };
        (0..self.land.len()).map(of_plot).collect()
    }

    fn wasted(&self, ground: &Ground, crop: Option<&'static Crop>) -> Prospect {
        let crop = crop.unwrap_or(&CROPS[0]);
        let market = &crop.markets[0];
        let tonnes = self.unseen_years().map(|_| 0.0).collect();
        let cost = COST_WITHOUT_BUYER * ground.area_mu();
        Prospect { crop, variety: None, market, tonnes, cost }
    }

    fn cultivar(&self, crop: &Crop, variety: Option<&VarietyKey>) -> Option<&Cultivar> {
        let mut known = self.roster.get(crop.key).into_iter().flatten();
        known.find(|own| Some(&own.key) == variety)
    }

    fn uses(&self, crop: &Crop, variety: Option<&VarietyKey>) -> &[SoldAs] {
        self.cultivar(crop, variety).map_or(&[], |own| own.uses.as_slice())
    }

    /// The option of the market that brings more.
    fn best_market(
        &self,
        place: usize,
        crop: &'static Crop,
        variety: Option<&VarietyKey>,
    ) -> Prospect {
        let alone = |option: &Prospect| self.total_yuan(&vec![Some(option)]);
        let options = self.prospects(place, crop, variety).into_iter();
        options
            .max_by(|a, b| alone(a).total_cmp(&alone(b)))
            .unwrap_or_else(|| self.wasted(&self.land[place], Some(crop)))
    }

    fn prospects(
        &self,
        place: usize,
        crop: &'static Crop,
        variety: Option<&VarietyKey>,
    ) -> Vec<Prospect> {
        let ground = &self.land[place];
        let name = variety.map(VarietyKey::as_str);
        let yields = self.true_yields_kg_ha(place, crop, name, self.unseen_years());
        let tonnes: Vec<f64> = self
            .unseen_years()
            .zip(yields)
            .map(|(year, kg_ha)| {
                let cadmium = || self.true_cadmium_mg_kg(place, crop, Some(year));
                if crop.is_edible && crop.cadmium_limit.is_some_and(|limit| cadmium() > limit) {
                    return 0.0;
                }
                kg_ha / 15.0 * ground.area_mu() / 1000.0
            })
            .collect();
        markets_of(crop, self.uses(crop, variety))
            .into_iter()
            .map(|market| {
                let starch = self.cultivar(crop, variety).and_then(|own| own.starch_percent);
                let paid = self.price(crop, market, starch) / self.price(crop, market, None);
                Prospect {
                    crop,
                    variety: variety.cloned(),
                    market,
                    tonnes: tonnes.iter().map(|tonnes| tonnes * paid).collect(),
                    cost: market.cost * ground.area_mu(),
                }
            })
            .collect()
    }

    fn yuan_per_mu(&self, plan: &Plan) -> f64 {
        let area: f64 = self.land.iter().map(Ground::area_mu).sum();
        self.total_yuan(plan) / area
    }

    /// Mean over the unseen years, all plots together.
    fn total_yuan(&self, plan: &Plan) -> f64 {
        let years = self.unseen_years().count();
        let mut sold: BTreeMap<(&str, SoldAs), (Vec<f64>, &Crop, &Market)> = BTreeMap::new();
        let mut cost = 0.0;
        for option in plan.iter().flatten() {
            cost += option.cost;
            let key = (option.crop.key, option.market.sold_as);
            let (tonnes, ..) =
                sold.entry(key).or_insert_with(|| (vec![0.0; years], option.crop, option.market));
            for (sum, own) in tonnes.iter_mut().zip(&option.tonnes) {
                *sum += own;
            }
        }
        let income: f64 = sold
            .values()
            .flat_map(|(tonnes, crop, market)| {
                tonnes.iter().map(|tonnes| self.income(crop, market, *tonnes))
            })
            .sum();
        income / years as f64 - cost
    }

    fn income(&self, crop: &Crop, market: &Market, tonnes: f64) -> f64 {
        let surplus = market.max_t.map_or(0.0, |most| (tonnes - most).max(0.0));
        1000.0 * self.price(crop, market, None) * (tonnes - surplus * (1.0 - SURPLUS_PRICE))
    }
}

/// The world's own reading of the law, from the same facts that advice has.
///
/// No trees on permanent basic farmland (Land Administration Law, art. 37); no rice under structure
/// adjustment, nor where no water can stand. Two cautions are ours as they are advice's: no rice
/// field is taken for another crop but rape in winter, and nothing that is eaten or fed grows above
/// the intervention value.
fn is_lawful(ground: &Ground, crop: &Crop) -> bool {
    let is_polluted = ground.role == Some(super::Role::AboveIntervention);
    let takes_rice_field = ground.kind.is_paddy() && !crop.is_rice() && crop.key != "rapeseed";
    !(takes_rice_field
        || crop.is_woody() && ground.kind.is_basic_farmland()
        || crop.is_rice() && !ground.kind.is_paddy()
        || crop.is_edible && is_polluted)
}

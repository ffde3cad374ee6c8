//! The oracle's local search: one plot changed at a time, as long as that brings more.

use std::collections::BTreeMap;

use plotwise_config::records::SoldAs;

use super::{Plan, Prospect, World};

impl World {
    /// Changes one plot at a time as long as that brings more; yuan per mu at the end.
    pub(super) fn searched(&self, start: &Plan, lawful: &[Vec<Prospect>]) -> f64 {
        // A lawful start: what is not among the lawful options is searched anew.
        let mut plan: Plan = start
            .iter()
            .zip(lawful)
            .map(|(chosen, options)| {
                let chosen = chosen.as_ref()?;
                options.iter().find(|own| {
                    own.crop.key == chosen.crop.key
                        && own.variety == chosen.variety
                        && own.market.sold_as == chosen.market.sold_as
                        && own.tonnes == chosen.tonnes
                })
            })
            .collect();
        let mut markets = Markets::of(self, &plan);
        for _ in 0..4 {
            let mut has_changed = false;
            for (place, options) in lawful.iter().enumerate() {
                markets.take(plan[place], -1.0);
                let worth =
                    |option: Option<&Prospect>| option.map_or(0.0, |own| markets.worth(own));
                let now = worth(plan[place]);
                let best =
                    options.iter().max_by(|a, b| markets.worth(a).total_cmp(&markets.worth(b)));
                if worth(best).max(0.0) > now + 1e-6 {
                    plan[place] = best.filter(|own| markets.worth(own) > 0.0);
                    has_changed = true;
                }
                markets.take(plan[place], 1.0);
            }
            if !has_changed {
                break;
            }
        }
        self.yuan_per_mu(&plan)
    }
}

/// Tonnes that a plan brings to each market in each year, kept up to date while it changes.
struct Markets<'a> {
    world: &'a World,
    tonnes: BTreeMap<(&'static str, SoldAs), Vec<f64>>,
}

impl<'a> Markets<'a> {
    fn of(world: &'a World, plan: &Plan) -> Self {
        let mut markets = Self { world, tonnes: BTreeMap::new() };
        for option in plan {
            markets.take(*option, 1.0);
        }
        markets
    }

    fn take(&mut self, option: Option<&Prospect>, sign: f64) {
        let Some(option) = option else { return };
        let years = option.tonnes.len();
        let key = (option.crop.key, option.market.sold_as);
        let sums = self.tonnes.entry(key).or_insert_with(|| vec![0.0; years]);
        for (sum, own) in sums.iter_mut().zip(&option.tonnes) {
            *sum += sign * own;
        }
    }

    /// What an option adds to everybody's income, less its cost; mean of the years.
    fn worth(&self, option: &Prospect) -> f64 {
        let there = self.tonnes.get(&(option.crop.key, option.market.sold_as));
        let added: f64 = option
            .tonnes
            .iter()
            .enumerate()
            .map(|(year, tonnes)| {
                let before = there.map_or(0.0, |sums| sums[year]);
                let income = |tonnes| self.world.income(option.crop, option.market, tonnes);
                income(before + tonnes) - income(before)
            })
            .sum();
        added / option.tonnes.len() as f64 - option.cost
    }
}

//! What people in the world did: seasons, strips drawn by lot, and what they told of their harvests.
//!
//! Households grow by habit: rice on paddies, with rape after it on some; on the rest what the
//! family has always grown. Good growers have the favoured variety, which need not be the best. So
//! a plain mean of harvests flatters it, as it does in life. Harvests come with life's faults:
//! failures that nobody reports, yields in jin written as kg, contract area for measured area.

use jiff::{Span, civil::Date};
use plotwise_config::{
    id::{CropKey, VarietyKey},
    land::{Disease, Severity, Water},
    records::{Outcome, OutcomeStatus, Season},
};

use super::{
    World,
    chance::{between, name_hash, normal, one_of, share},
    crops::{Crop, Cultivar, VARIETIES_GROWN, crop},
    land::{Ground, Kind, M2_PER_MU, Role},
    season_window,
};

/// Plots with strips of sweet potato in a year, and with strips of what grows there anyway.
const STRIPS_SWEET_POTATO: usize = 11;
const STRIPS_OTHER: usize = 4;
/// Told as the variety of a crop that the catalogue has no varieties of.
const ORDINARY: &str = "ordinary";
/// Below this share of a good harvest it counts as failed.
const FAILED_BELOW: f64 = 0.22;

/// What was seen on the plots of these roles.
pub(super) fn disease_of(role: Role) -> Option<Disease> {
    match role {
        Role::BlackSpot => Some(Disease::BlackSpot),
        Role::StemNematode => Some(Disease::StemNematode),
        _ => None,
    }
}

/// What stands on a plot from one day to another.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    pub(super) place: usize,
    pub(super) crop: &'static Crop,
    pub(super) year: i16,
    pub(super) start: Date,
    pub(super) end: Date,
    /// One variety, or those of the strips with the check last.
    pub(super) varieties: Vec<VarietyKey>,
    pub(super) is_strips: bool,
}

impl World {
    /// Everything that stood or stands from `first_day` on, by plot and time.
    pub(super) fn draw_standings(&self) -> Vec<Standing> {
        let years = self.first_day.year()..=self.last_day.year();
        let mut standings: Vec<Standing> = years
            .flat_map(|year| {
                let trial = self.strip_plots(year);
                (0..self.land.len()).flat_map(move |place| {
                    self.crops_of_year(place, year, trial.get(&place).copied())
                })
            })
            .filter(|standing| self.first_day <= standing.start && standing.start <= self.last_day)
            .collect();
        standings.sort_by_key(|standing| (standing.place, standing.start));
        standings
    }

    fn crops_of_year(
        &self,
        place: usize,
        year: i16,
        strips: Option<&'static Crop>,
    ) -> Vec<Standing> {
        let mut crops: Vec<&'static Crop> = match strips {
            Some(crop) => vec![crop],
            None => self.habit(place, year).into_iter().filter_map(crop).collect(),
        };
        let ground = &self.land[place];
        let household = ground.household();
        let rape_after = ground.kind.is_paddy()
            && crops.len() == 1
            && share(self.seed, &["rape after rice", household]) < 0.5;
        if rape_after {
            // Harvested in the year after; the same household grows single rice then, too.
            crops.extend(crop("rapeseed"));
        }
        crops
            .into_iter()
            .filter(|crop| self.roster.contains_key(crop.key))
            .map(|crop| self.standing(place, crop, year, strips.is_some()))
            .collect()
    }

    fn standing(&self, place: usize, crop: &'static Crop, year: i16, is_strips: bool) -> Standing {
        let ground = &self.land[place];
        let year = if crop.is_winter { year + 1 } else { year };
        let [start, end] = season_window(crop, year);
        let text = year.to_string();
        let words = ["days", ground.plot.id.as_str(), crop.key, &text];
        // Paddies in two crops have no days to give away.
        let shift = if crop.is_rice() { 1.0 } else { 8.0 };
        let days = (shift * between(self.seed, &words, -1.0, 1.0)).round();
        let varieties = if is_strips {
            self.strip_varieties(ground, crop, &text)
        } else {
            self.chosen_variety(ground, crop, year).into_iter().collect()
        };
        Standing {
            place,
            crop,
            year,
            start: shifted(start, days),
            end: shifted(end, days),
            varieties,
            is_strips,
        }
    }

    /// The crops that a household grows on a plot in a year by habit, in the order of the year.
    pub(super) fn habit(&self, place: usize, year: i16) -> Vec<&'static str> {
        let ground = &self.land[place];
        let (household, plot) = (ground.household(), ground.plot.id.as_str());
        if ground.role.is_some_and(|role| disease_of(role).is_some())
            && year == self.first_day.year() + 1
        {
            return vec!["sweet_potato"];
        }
        if ground.kind.is_paddy() {
            let double = share(self.seed, &["two crops", household]) < 0.3;
            return if double { vec!["rice_early", "rice_late"] } else { vec!["rice_single"] };
        }
        // Nothing: land that stays too wet is left idle every other year or so.
        let choices: &[&'static str] = match ground.kind {
            Kind::FormerPaddyDrained => {
                &["maize", "sweet_potato", "soybean", "peanut", "chili", "potato", "watermelon"]
            }
            Kind::FormerPaddyUndrained => &["maize", "", "soybean", ""],
            Kind::BasicDry => &["maize", "sweet_potato", "soybean", "chili"],
            Kind::Irrigated => &["chili", "watermelon", "maize", "potato", "peanut"],
            Kind::Orchard => &["mandarin", "tea_oil_camellia"],
            _ => &[
                "sweet_potato",
                "maize",
                "peanut",
                "sesame",
                "soybean",
                "cotton",
                "chili",
                "potato",
            ],
        };
        // A family keeps to one crop on a plot and changes now and then; trees stay.
        let turn = if ground.kind == Kind::Orchard { 0 } else { year };
        let keeps = share(self.seed, &["keeps", plot, &year.to_string()]) < 0.6;
        let turn = if keeps { String::new() } else { turn.to_string() };
        one_of(self.seed, &["habit", plot, &turn], choices).copied().into_iter().collect()
    }

    /// The variety that a household takes by itself.
    pub(super) fn chosen_variety(
        &self,
        ground: &Ground,
        crop: &Crop,
        year: i16,
    ) -> Option<VarietyKey> {
        let known = self.grown(crop);
        let Some(favoured) = one_of(self.seed, &["favoured", crop.key], known) else {
            return VarietyKey::parse(ORDINARY).ok();
        };
        let household = ground.household();
        let year = year.to_string();
        let eager = 0.25 + if self.skill(household) > 0.0 { 0.45 } else { 0.0 };
        if share(self.seed, &["takes favoured", household, crop.key, &year]) < eager {
            return Some(favoured.key.clone());
        }
        one_of(self.seed, &["takes", household, crop.key, &year], known).map(|own| own.key.clone())
    }

    /// The varieties of a crop that can be had in the villages.
    pub(super) fn grown(&self, crop: &Crop) -> &[Cultivar] {
        let all = self.roster.get(crop.key).map_or(&[][..], Vec::as_slice);
        &all[..all.len().min(VARIETIES_GROWN)]
    }

    /// Which plots carry strips in a year, and of what: drawn by lot among those that could.
    fn strip_plots(&self, year: i16) -> std::collections::BTreeMap<usize, &'static Crop> {
        let year = year.to_string();
        let mut lots: Vec<(u64, usize)> = (0..self.land.len())
            .filter(|place| self.could_carry_strips(*place))
            .map(|place| {
                let plot = self.land[place].plot.id.as_str();
                (name_hash(self.seed, &["lot", plot, &year]), place)
            })
            .collect();
        lots.sort_unstable();
        let mut drawn = std::collections::BTreeMap::new();
        for (nth, (_, place)) in
            lots.into_iter().take(STRIPS_SWEET_POTATO + STRIPS_OTHER).enumerate()
        {
            let own = self.habit(place, self.first_day.year()).first().and_then(|key| crop(key));
            let sweet_potato = crop("sweet_potato");
            let choice = if nth < STRIPS_SWEET_POTATO { sweet_potato } else { own };
            if let Some(crop) = choice.filter(|crop| self.grown(crop).len() >= 3) {
                drawn.insert(place, crop);
            }
        }
        drawn
    }

    fn could_carry_strips(&self, place: usize) -> bool {
        let ground = &self.land[place];
        let lies_well = matches!(
            ground.kind,
            Kind::FormerPaddyDrained | Kind::Upland | Kind::BasicDry | Kind::Irrigated
        );
        let is_healthy = ground.role.is_none_or(|role| {
            !matches!(
                role,
                Role::BlackSpot
                    | Role::StemNematode
                    | Role::AboveScreening
                    | Role::AboveIntervention
            )
        });
        lies_well && is_healthy
    }

    /// Two or three varieties by lot, and the check that all strips share.
    fn strip_varieties(&self, ground: &Ground, crop: &Crop, year: &str) -> Vec<VarietyKey> {
        let known = self.grown(crop);
        let Some(check) = self.check(crop) else { return Vec::new() };
        let mut lots: Vec<(u64, &VarietyKey)> = known
            .iter()
            .map(|own| &own.key)
            .filter(|key| **key != check)
            .map(|key| {
                let words = ["strip", ground.plot.id.as_str(), year, key.as_str()];
                (name_hash(self.seed, &words), key)
            })
            .collect();
        lots.sort_unstable();
        let count =
            if share(self.seed, &["strips", ground.plot.id.as_str(), year]) < 0.5 { 2 } else { 3 };
        lots.into_iter().take(count).map(|(_, key)| key.clone()).chain([check]).collect()
    }

    /// The common check: the national one of sweet potato, else the first that is grown.
    fn check(&self, crop: &Crop) -> Option<VarietyKey> {
        let known = self.grown(crop);
        let usual = known.iter().find(|own| own.key.as_str() == "xushu_22").or(known.first());
        usual.map(|own| own.key.clone())
    }

    /// A season as told.
    pub(super) fn season_of(&self, standing: &Standing) -> Option<Season> {
        let ground = &self.land[standing.place];
        let disease = ground
            .role
            .and_then(disease_of)
            .filter(|_| standing.crop.key == "sweet_potato")
            .map(|disease| (disease, Some(Severity::Moderate)));
        Some(Season {
            plot: ground.plot.id.clone(),
            start: standing.start,
            end: (standing.end <= self.last_day).then_some(standing.end),
            crop: CropKey::parse(standing.crop.key).ok()?,
            variety: standing.varieties.first().filter(|_| !standing.is_strips).cloned(),
            water: Some(water_of(ground, standing.crop)),
            disease,
            confirmed_by: disease.map(|_| "模拟植保员".to_owned()),
        })
    }

    /// What was told of a standing's harvests; nothing of a failure that was kept quiet.
    pub(super) fn outcomes_of(&self, standing: &Standing) -> Vec<Outcome> {
        if standing.end >= self.learned_until() {
            return Vec::new();
        }
        let count = standing.varieties.len();
        standing
            .varieties
            .iter()
            .filter_map(|variety| self.outcome(standing, variety, count))
            .collect()
    }

    fn outcome(&self, standing: &Standing, variety: &VarietyKey, count: usize) -> Option<Outcome> {
        let (place, crop) = (standing.place, standing.crop);
        let ground = &self.land[place];
        let (plot, start) = (ground.plot.id.as_str(), standing.start.to_string());
        let words = |what: &'static str| ["outcome", plot, &start, variety.as_str(), what];
        let truth = self.true_yield_kg_ha(place, crop, Some(variety.as_str()), standing.year);
        let spread = if standing.is_strips { 0.08 } else { 0.10 };
        let yielded =
            truth * (spread * normal(self.seed, &words("noise").map(|w| w as &str))).exp();
        let has_failed = yielded < FAILED_BELOW * 15.0 * crop.kg_mu;
        let silent = match (standing.is_strips, has_failed) {
            (true, _) => 0.03,
            (false, true) => 0.5,
            (false, false) => 0.1,
        };
        if share(self.seed, &words("silent")) < silent {
            return None;
        }
        let area_mu = ground.plot.area_m2 / M2_PER_MU;
        let mistake = if standing.is_strips { 1.0 } else { share(self.seed, &words("mistake")) };
        let told = match mistake {
            _ if has_failed => 0.0,
            // Jin written into the column of kg.
            ..0.02 => yielded * 2.0,
            // Divided by the area of the contract.
            ..0.10 => yielded * area_mu / ground.plot.contract_area_mu.unwrap_or(area_mu),
            _ => yielded,
        };
        Some(Outcome {
            plot: ground.plot.id.clone(),
            season_start: standing.start,
            season_end: standing.end,
            crop: CropKey::parse(crop.key).ok()?,
            variety: variety.clone(),
            yield_kg_ha: (told / 10.0).round() * 10.0,
            planted_on: Some(standing.start),
            harvested_on: Some(standing.end),
            area_mu: standing.is_strips.then(|| (area_mu / count as f64 * 100.0).round() / 100.0),
            method: Some(if standing.is_strips { "称重" } else { "估产" }.to_owned()),
            marketable_percent: None,
            dry_matter_percent: None,
            status: if has_failed { OutcomeStatus::Failed } else { OutcomeStatus::Harvested },
            water: Some(water_of(ground, crop)),
            disease: None,
            why_chosen: Some(if standing.is_strips { "抽签" } else { "自选" }.to_owned()),
            strip: standing.is_strips.then(|| format!("{plot}-{start}")),
            note: None,
        })
    }
}

fn water_of(ground: &Ground, crop: &Crop) -> Water {
    if crop.is_rice() { Water::Flooded } else { ground.kind.upland_water() }
}

#[expect(clippy::cast_possible_truncation, reason = "a few whole days")]
fn shifted(date: Date, days: f64) -> Date {
    date.saturating_add(Span::new().days(days as i64))
}

//! Step 1 of advice, second half: what stands on the plot now and what stood there before.
//!
//! - What stands now must be in and the field made ready before the next planting.
//! - A crop stays away from itself and its family for the years its record asks. Below half of them it is
//!   ruled out, between half and the whole it carries a warning, and a break of a single year only ever warns
//!   (our choice: the sources give spans, not borders). Rice in between, flooded, halves the years: it clears
//!   most soil-borne disease (ours).
//! - After a disease that stays in the soil the longer gap holds; it rules out a crop without known
//!   varieties, and warns where resistances tell the varieties apart.
//! - Rice does not count as family of dry-land grasses, because its fields are flooded, and green manure not
//!   as family of anything, because it is ploughed in.

use jiff::{ToSpan, civil::Date};
use plotwise_config::{
    catalogue::{
        Catalogue,
        crop::{Crop, CropClass, WaterHabit},
    },
    land::{Disease, Water},
    records::Season,
};

/// Days between harvest and the next planting: our choice; machines need 3-7, hands 7-12.
pub(crate) const TURNAROUND_DAYS: i64 = 7;

const DAYS_A_YEAR: f64 = 365.25;

/// The seasons of a plot, oldest first, as of a day.
#[derive(Clone, Debug)]
pub(crate) struct Past<'a> {
    catalogue: &'a Catalogue,
    seasons: Vec<&'a Season>,
    on: Date,
}

/// What stands on the plot on the day.
#[derive(Clone, Debug)]
pub(crate) struct Standing<'a> {
    pub(crate) crop: Option<&'a Crop>,
    pub(crate) season: &'a Season,
    /// First day that something else can be planted; `None` for what stands for years.
    pub(crate) free_from: Option<Date>,
}

/// A gap that is not over when the crop would be planted.
#[derive(Clone, Debug)]
pub(crate) struct Breach<'a> {
    /// The season it counts from.
    pub(crate) season: &'a Season,
    /// Its crop, where the catalogue knows it.
    pub(crate) before: Option<&'a Crop>,
    /// The disease that makes the gap longer.
    pub(crate) disease: Option<Disease>,
    /// Years that are asked for, after halving.
    pub(crate) years: f64,
    /// Whether flooded rice in between halved them.
    pub(crate) is_halved: bool,
    /// First day that it is over.
    pub(crate) free_on: Date,
    /// Whether the crop is out rather than warned of.
    pub(crate) is_excluding: bool,
}

impl<'a> Past<'a> {
    pub(crate) fn new(catalogue: &'a Catalogue, seasons: &'a [Season], on: Date) -> Self {
        let mut seasons: Vec<&Season> =
            seasons.iter().filter(|season| season.start <= on).collect();
        seasons.sort_by_key(|season| season.start);
        Self { catalogue, seasons, on }
    }

    /// What stands there, the latest where several do.
    pub(crate) fn standing(&self) -> Option<Standing<'a>> {
        let season = *self.seasons.iter().rev().find(|s| s.end.is_none_or(|end| end >= self.on))?;
        let crop = self.catalogue.crop(season.crop.as_str());
        let harvest = season.end.or_else(|| expected_end(crop?, season.start));
        match harvest {
            // The longest cycle is over: what stands there was harvested and nobody said so.
            Some(harvest) if harvest < self.on => None,
            Some(harvest) => {
                let free_from = Some(later(harvest, TURNAROUND_DAYS));
                Some(Standing { crop, season, free_from })
            }
            None => Some(Standing { crop, season, free_from: None }),
        }
    }

    /// Diseases ever seen, each with the season it was last seen in.
    pub(crate) fn diseases(&self) -> Vec<(Disease, &'a Season)> {
        let mut seen: Vec<(Disease, &Season)> = Vec::new();
        for season in self.seasons.iter().rev() {
            if let Some((disease, _)) = season.disease
                && seen.iter().all(|(known, _)| *known != disease)
            {
                seen.push((disease, season));
            }
        }
        seen.sort_by_key(|(disease, _)| *disease);
        seen
    }

    /// Whether rice stood there in the twelve months before `planting`.
    pub(crate) fn is_after_rice(&self, planting: Date) -> bool {
        let since = later(planting, -366);
        self.seasons.iter().any(|season| {
            let end = season.end.unwrap_or(planting);
            end >= since && season.start < planting && self.is_rice(season)
        })
    }

    /// The longest gap that is not over on `planting`; of several the one that excludes.
    pub(crate) fn breach(&self, crop: &Crop, planting: Date) -> Option<Breach<'a>> {
        let has_varieties = self.catalogue.varieties_of(crop.key.as_str()).next().is_some();
        let after_disease = self.gap_after_disease(crop, planting, !has_varieties);
        let repeated = self.gap_of_family(crop, planting);
        match (after_disease, repeated) {
            (Some(disease), Some(family)) => {
                let is_family = family.is_excluding && !disease.is_excluding;
                Some(if is_family { family } else { disease })
            }
            (disease, family) => disease.or(family),
        }
    }

    fn gap_of_family(&self, crop: &Crop, planting: Date) -> Option<Breach<'a>> {
        let years = f64::from(crop.rotation.as_ref()?.gap_years);
        let season = *self.seasons.iter().rev().find(|season| self.is_kin(crop, season))?;
        let mut breach = self.open_gap(season, years, planting)?;
        let half = later(breach.free_on, days_of(-breach.years / 2.0));
        breach.is_excluding = years > 1.0 && planting < half;
        Some(breach)
    }

    fn gap_after_disease(
        &self,
        crop: &Crop,
        planting: Date,
        is_excluding: bool,
    ) -> Option<Breach<'a>> {
        let rotation = crop.rotation.as_ref()?;
        let years = f64::from(rotation.gap_years_after_disease?);
        let seen = self.diseases().into_iter().filter(|(d, _)| rotation.diseases.contains(d));
        let breaches = seen.filter_map(|(disease, season)| {
            let breach = self.open_gap(season, years, planting)?;
            Some(Breach { disease: Some(disease), is_excluding, ..breach })
        });
        breaches.max_by_key(|breach| breach.free_on)
    }

    /// The gap counted from a season, unless it is over.
    fn open_gap(&self, season: &'a Season, years: f64, planting: Date) -> Option<Breach<'a>> {
        let end = season.end.unwrap_or(self.on);
        let is_halved = self.seasons.iter().any(|between| {
            between.start > season.start
                && between.start >= end
                && between.start < planting
                && self.is_flooded_rice(between)
        });
        let years = if is_halved { years / 2.0 } else { years };
        let free_on = later(end, days_of(years));
        let before = self.catalogue.crop(season.crop.as_str());
        let breach = Breach {
            season,
            before,
            disease: None,
            years,
            is_halved,
            free_on,
            is_excluding: false,
        };
        (planting < free_on).then_some(breach)
    }

    fn is_kin(&self, crop: &Crop, season: &Season) -> bool {
        if season.crop == crop.key {
            return true;
        }
        let before = self.catalogue.crop(season.crop.as_str());
        before.is_some_and(|before| {
            before.family == crop.family
                && before.is_rice == crop.is_rice
                && before.class != CropClass::Forage
        })
    }

    fn is_rice(&self, season: &Season) -> bool {
        self.catalogue.crop(season.crop.as_str()).is_some_and(|crop| crop.is_rice)
    }

    fn is_flooded_rice(&self, season: &Season) -> bool {
        let crop = self.catalogue.crop(season.crop.as_str());
        let is_aquatic = |crop: &Crop| crop.water_habit == WaterHabit::Aquatic;
        crop.is_some_and(|crop| crop.is_rice && is_aquatic(crop))
            && season.water.is_none_or(|water| water == Water::Flooded)
    }
}

/// Last day of the longest cycle of the calendar that the season was planted by; `None` for what stands
/// for years, or without a calendar.
fn expected_end(crop: &Crop, start: Date) -> Option<Date> {
    if crop.is_perennial {
        return None;
    }
    let distance = |first: &str| {
        let (month, day) = first.split_once('-')?;
        let planted = Date::new(start.year(), month.parse().ok()?, day.parse().ok()?).ok()?;
        let days = (start - planted).get_days().abs();
        Some(days.min(365 - days.min(365)))
    };
    let calendar = crop
        .calendar
        .iter()
        .min_by_key(|calendar| distance(&calendar.plant[0]).unwrap_or(i32::MAX))?;
    Some(later(start, i64::from(calendar.days[1])))
}

/// Days of so many years.
#[expect(clippy::cast_possible_truncation, reason = "gaps are a few years")]
fn days_of(years: f64) -> i64 {
    (years * DAYS_A_YEAR).round() as i64
}

/// The day so many days later; earlier where negative.
pub(crate) fn later(day: Date, days: i64) -> Date {
    day.saturating_add(days.days())
}

#[cfg(test)]
mod tests;

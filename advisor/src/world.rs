//! The made-up world behind `plotwise demo`: sixty plots near Ningxiang with weather, soil, people,
//! sensors and a truth that none of them knows.
//!
//! Everything follows from a seed and a span of days; nothing reads a clock, a file or a network.
//! What a cooperative would know comes out as the records that an import would make
//! ([`World::plots`], [`World::outcomes`] ...) and as the messages its sensors would send
//! ([`World::messages`]). What only the world knows answers one question: what was the advice worth
//! ([`World::score`])?
//!
//! ```text
//! seed -> land  ---+-> soil water -> messages of (partly broken) sensors
//!      -> weather -+            \
//!      -> truth (response curves) -> yields -> what was told of harvests and strips
//!                               \-> unseen years -> score
//! ```
//!
//! # Invariants
//!
//! - Same seed, same catalogue, same days: the same bytes.
//! - The truth does not come from the catalogue, and nothing is arranged so that a given variety
//!   wins: of varieties the world takes the name and what it is grown for, and draws the rest.
//! - Every name that could be taken for a real one says that it is made up (模拟).
//!
//! # What it leaves out
//!
//! Pests but for two soil-borne diseases, fertiliser, labour as a limit, two crops chosen together
//! for one year: each choice is scored for its own season.

mod chance;
mod crops;
mod laboratory;
mod land;
mod practice;
mod score;
mod sensors;
mod truth;
mod water;
mod weather;

#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    ops::{Range, RangeInclusive},
    sync::OnceLock,
};

use jiff::{Span, civil::Date, civil::date};
use plotwise_config::{
    catalogue::Catalogue,
    id::{BadId, CooperativeId, CropKey, PlotId, VarietyKey},
    land::Place,
    records::{Climate, Cooperative, Device, Outcome, Placement, Plot, Price, Season, SoldAs},
};

pub use land::Role;
pub use score::{Choice, SURPLUS_PRICE, Score, YuanPerMu};
pub use sensors::{STEP_HOURS, WorldMessage};

use chance::normal;
use crops::{CROPS, Crop, Market, Roster};
use land::Ground;
use practice::Standing;
use sensors::Node;
use truth::Growing;
use water::SoilWater;
use weather::Weather;

/// The cooperative's key.
pub const COOPERATIVE: &str = "ningxiang-demo";
/// Starch of fresh weight that a starch factory's general price is for, percent; our choice.
const STARCH_PERCENT: f64 = 21.0;
/// Years of weather before the last day, and as many unseen ones after it.
const YEARS: i16 = 20;

/// Why no world could be made.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorldError {
    /// The days do not hold a year to publish and a harvest before it.
    #[error("a world from {first} to {last} is too short: wanted at least two years")]
    TooShort {
        /// First day asked for.
        first: Date,
        /// Last day asked for.
        last: Date,
    },
    /// A made-up name is not well-formed.
    #[error(transparent)]
    BadId(#[from] BadId),
}

/// A made-up cooperative with everything around it.
#[derive(Debug)]
pub struct World {
    seed: u64,
    cooperative: CooperativeId,
    first_day: Date,
    last_day: Date,
    roster: Roster,
    land: Vec<Ground>,
    weather: Weather,
    /// Mean radiation of each crop's season, MJ m⁻² d⁻¹.
    usual_mj: BTreeMap<&'static str, f64>,
    /// By plot: under upland crops, and flooded; made when first asked for.
    waters: Vec<[OnceLock<SoilWater>; 2]>,
    /// By plot and crop, then year from `first_year` on; made when first asked for.
    growings: Vec<Vec<OnceLock<Vec<Growing>>>>,
    standings: Vec<Standing>,
    nodes: Vec<Node>,
}

impl World {
    /// Makes up the world of `seed` whose sensors and harvests are known from `first_day` to
    /// `last_day`, usually four years: harvests of all but the last, messages of all.
    ///
    /// # Errors
    ///
    /// [`WorldError::TooShort`] if the days span less than two years.
    pub fn new(
        seed: u64,
        catalogue: &Catalogue,
        first_day: Date,
        last_day: Date,
    ) -> Result<Self, WorldError> {
        Self::with_roster(seed, crops::roster(catalogue), first_day, last_day)
    }

    fn with_roster(
        seed: u64,
        roster: Roster,
        first_day: Date,
        last_day: Date,
    ) -> Result<Self, WorldError> {
        if first_day.saturating_add(Span::new().years(2)) > last_day {
            return Err(WorldError::TooShort { first: first_day, last: last_day });
        }
        let cooperative = CooperativeId::parse(COOPERATIVE)?;
        let land = land::draw(seed, &cooperative, first_day)?;
        let weather = Weather::draw(
            seed,
            date(last_day.year() - YEARS, 1, 1),
            date(last_day.year() + YEARS, 12, 31),
        );
        let mut world = Self {
            waters: land.iter().map(|_| Default::default()).collect(),
            growings: land
                .iter()
                .map(|_| CROPS.iter().map(|_| OnceLock::new()).collect())
                .collect(),
            usual_mj: BTreeMap::new(),
            standings: Vec::new(),
            nodes: Vec::new(),
            seed,
            cooperative,
            first_day,
            last_day,
            roster,
            land,
            weather,
        };
        world.usual_mj =
            CROPS.iter().map(|crop| (crop.key, world.mean_radiation_mj(crop))).collect();
        world.standings = world.draw_standings();
        world.nodes = world.draw_nodes()?;
        Ok(world)
    }

    /// The cooperative.
    pub fn cooperative(&self) -> Cooperative {
        Cooperative {
            id: self.cooperative.clone(),
            name: "宁乡示范合作社（模拟）".to_owned(),
            timezone: "Asia/Shanghai".to_owned(),
            place: Some(Place { latitude: weather::LATITUDE, longitude: 112.5 }),
            simulated: true,
        }
    }

    /// Its plots.
    pub fn plots(&self) -> Vec<Plot> {
        self.land.iter().map(|ground| ground.plot.clone()).collect()
    }

    /// The plot that each role is shown on; the same for every seed.
    pub fn cast(&self) -> BTreeMap<Role, PlotId> {
        land::cast(&self.land)
    }

    /// Its sensors and where each stands. Tokens are not made here.
    pub fn devices(&self) -> Vec<(Device, Placement)> {
        self.nodes.iter().map(|node| (node.device.clone(), node.placement.clone())).collect()
    }

    /// What stood and stands on its plots.
    pub fn seasons(&self) -> Vec<Season> {
        self.standings.iter().filter_map(|standing| self.season_of(standing)).collect()
    }

    /// What was told of the harvests before the last year, strips among them.
    pub fn outcomes(&self) -> Vec<Outcome> {
        self.standings.iter().flat_map(|standing| self.outcomes_of(standing)).collect()
    }

    /// Its buyers, what they pay, and what growing costs; made up.
    pub fn prices(&self) -> Vec<Price> {
        CROPS
            .iter()
            .filter(|crop| self.roster.contains_key(crop.key))
            .flat_map(|crop| crop.markets.iter().map(move |market| (crop, market)))
            .flat_map(|(crop, market)| {
                // A starch factory has a price for each variety that is grown for starch.
                let is_starch = market.sold_as == SoldAs::Starch;
                let named = self.roster[crop.key]
                    .iter()
                    .filter(move |own| is_starch && own.uses.contains(&SoldAs::Starch));
                named.map(Some).chain([None]).map(move |variety| (crop, market, variety))
            })
            .filter_map(|(crop, market, variety)| {
                let starch_percent = variety.and_then(|own| own.starch_percent);
                Some(Price {
                    cooperative: self.cooperative.clone(),
                    crop: CropKey::parse(crop.key).ok()?,
                    sold_as: market.sold_as,
                    price_per_kg: self.price(crop, market, starch_percent),
                    currency: "CNY".to_owned(),
                    variety: variety.map(|own| own.key.clone()),
                    buyer: Some(market.buyer.to_owned()),
                    max_t: market.max_t,
                    cost_per_mu: Some(market.cost),
                    from: Some(self.first_day),
                    to: None,
                })
            })
            .collect()
    }

    /// Daily weather of the last twenty years, and normals made of them.
    pub fn climate(&self) -> Climate {
        let from = self.last_day.saturating_sub(Span::new().years(i32::from(YEARS)));
        self.weather.climate(from.max(self.weather.first), self.last_day)
    }

    /// True yield of a plot in the season that is harvested in `year`, kg/ha; the middle of the crop
    /// where no variety is named. `None` for a plot, crop or year that the world does not have.
    pub fn yield_kg_ha(
        &self,
        plot: &PlotId,
        crop: &CropKey,
        variety: Option<&VarietyKey>,
        year: i16,
    ) -> Option<f64> {
        let place = self.land.iter().position(|ground| ground.plot.id == *plot)?;
        let crop = crops::crop(crop.as_str())?;
        let is_known = self.years().contains(&year);
        is_known.then(|| self.true_yield_kg_ha(place, crop, variety.map(VarietyKey::as_str), year))
    }

    /// Whether the varieties of a crop do not differ in this world.
    pub fn varieties_are_alike(&self, crop: &CropKey) -> bool {
        truth::varieties_are_alike(self.seed, crop.as_str())
    }

    /// The first day of the last year: harvests are told of before it, messages by the hour after.
    pub fn learned_until(&self) -> Date {
        let year_ago = self.last_day.saturating_sub(Span::new().years(1));
        year_ago.saturating_add(Span::new().days(1))
    }

    /// Harvest years with weather, but for the first, whose winter crops it does not cover.
    fn years(&self) -> RangeInclusive<i16> {
        self.weather.first.year() + 1..=self.last_day.year() + YEARS
    }

    /// Harvest years after all that is known.
    fn unseen_years(&self) -> RangeInclusive<i16> {
        self.last_day.year() + 1..=self.last_day.year() + YEARS
    }

    /// Yuan per kg, drawn around the market's usual price; a starch factory pays by starch.
    fn price(&self, crop: &Crop, market: &Market, starch_percent: Option<f64>) -> f64 {
        let words = ["price", crop.key, market.sold_as.key()];
        let by_starch = match (market.sold_as, starch_percent) {
            (SoldAs::Starch, Some(percent)) => percent / STARCH_PERCENT,
            _ => 1.0,
        };
        let price = market.price * (0.10 * normal(self.seed, &words)).exp() * by_starch;
        (price * 100.0).round() / 100.0
    }

    /// Places in the weather of a crop's season.
    fn season_days(&self, crop: &Crop, year: i16) -> Range<usize> {
        let [from, to] = season_window(crop, year);
        self.weather.index(from)..self.weather.index(to) + 1
    }

    fn mean_radiation_mj(&self, crop: &Crop) -> f64 {
        let days: Vec<f64> = self
            .years()
            .flat_map(|year| self.season_days(crop, year))
            .map(|index| self.weather.days[index].radiation_mj)
            .collect();
        days.iter().sum::<f64>() / days.len().max(1) as f64
    }
}

/// Planting and harvest day of a crop that is harvested in `year`.
fn season_window(crop: &Crop, year: i16) -> [Date; 2] {
    let [(from_month, from_day), (to_month, to_day)] = crop.window;
    let from = if crop.is_winter { year - 1 } else { year };
    [date(from, from_month, from_day), date(year, to_month, to_day)]
}

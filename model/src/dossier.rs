//! Everything known about a plot and its surroundings when advice is asked for.

use jiff::{Timestamp, civil::Date};
use plotwise_config::{
    day::DaySummary,
    records::{Climate, Cooperative, Outcome, Plot, Price, Sample, Season},
};

/// What is known about one plot.
#[derive(Clone, Debug)]
pub struct Dossier {
    /// The plot.
    pub plot: Plot,
    /// Days of its sensors inside `window`, in any order.
    pub days: Vec<DaySummary>,
    /// First and last day that `days` were asked for, both included.
    pub window: (Date, Date),
    /// Laboratory figures of its soil and produce, of any date.
    pub samples: Vec<Sample>,
    /// What stood and stands there.
    pub seasons: Vec<Season>,
}

/// A harvest with what is needed to tell environments and households apart.
#[derive(Clone, Debug)]
pub struct Harvest {
    /// What was planted and what it yielded.
    pub outcome: Outcome,
    /// Village of the plot; with the season it makes the environment.
    pub village: Option<String>,
    /// Who grew it.
    pub household: Option<String>,
    /// Wetness class of the land it grew on, where known.
    pub drainage: Option<plotwise_config::land::Drainage>,
}

/// What is known about the cooperative that a plot belongs to.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// The cooperative.
    pub cooperative: Cooperative,
    /// Harvests of its plots and strips, of any date.
    pub harvests: Vec<Harvest>,
    /// Prices and buyers it has set; empty where it has set none.
    pub prices: Vec<Price>,
    /// Weather of its place.
    pub climate: Climate,
}

/// What the asker fixes: when, and how much.
#[derive(Clone, Copy, Debug)]
pub struct Question {
    /// When the advice is made.
    pub made_at: Timestamp,
    /// The day that planting is considered from, in the cooperative's zone.
    pub on: Date,
}

//! Seasons and outcomes: what stood on a plot, and what it yielded.

use plotwise_config::{
    id::{CooperativeId, PlotId},
    records::{Outcome, Season},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};

use super::{
    Changes, Facts, FactsError,
    entity::{outcome, plot, season},
    row::{RowReader, from_key_text, key_text, text_of},
    write::{Named, put},
};

impl Facts {
    /// The seasons of a plot, oldest first.
    ///
    /// # Errors
    ///
    /// [`FactsError::Database`], [`FactsError::Damaged`].
    pub async fn seasons(&self, plot: &PlotId) -> Result<Vec<Season>, FactsError> {
        let query = season::Entity::find()
            .filter(season::Column::Plot.eq(plot.as_str()))
            .order_by_asc(season::Column::StartDay);
        query.all(&self.database).await?.into_iter().map(season_from_row).collect()
    }

    /// The seasons of every plot, by plot, oldest first.
    ///
    /// # Errors
    ///
    /// [`FactsError::Database`], [`FactsError::Damaged`].
    pub async fn all_seasons(&self) -> Result<Vec<Season>, FactsError> {
        let query = season::Entity::find()
            .order_by_asc(season::Column::Plot)
            .order_by_asc(season::Column::StartDay);
        query.all(&self.database).await?.into_iter().map(season_from_row).collect()
    }

    /// Adds or changes seasons; plot and first day name one.
    ///
    /// # Errors
    ///
    /// [`FactsError::NoSuchOwner`] for an unknown plot; [`FactsError::Database`].
    pub async fn put_seasons(&self, records: &[Season]) -> Result<Changes, FactsError> {
        let rows = records.iter().map(|record| {
            let named = format!("the season of {} from {}", record.plot, record.start);
            (season_to_row(record), Named { record: named, owner: "plot" })
        });
        put::<season::Entity>(self, rows.collect()).await
    }

    /// The outcomes of a cooperative's plots, by plot and season.
    ///
    /// # Errors
    ///
    /// [`FactsError::Database`], [`FactsError::Damaged`].
    pub async fn outcomes(&self, owner: &CooperativeId) -> Result<Vec<Outcome>, FactsError> {
        let plots = plot::Entity::find()
            .select_only()
            .column(plot::Column::Id)
            .filter(plot::Column::Cooperative.eq(owner.as_str()))
            .into_query();
        let query = outcome::Entity::find()
            .filter(outcome::Column::Plot.in_subquery(plots))
            .order_by_asc(outcome::Column::Plot)
            .order_by_asc(outcome::Column::SeasonStart)
            .order_by_asc(outcome::Column::Crop)
            .order_by_asc(outcome::Column::Variety)
            .order_by_asc(outcome::Column::Strip);
        query.all(&self.database).await?.into_iter().map(outcome_from_row).collect()
    }

    /// Adds or changes outcomes; plot, first day, crop, variety and strip name one.
    ///
    /// # Errors
    ///
    /// [`FactsError::NoSuchOwner`] for an unknown plot; [`FactsError::Database`].
    pub async fn put_outcomes(&self, records: &[Outcome]) -> Result<Changes, FactsError> {
        let rows = records.iter().map(|record| {
            let named = format!("the outcome of {} from {}", record.plot, record.season_start);
            (outcome_to_row(record), Named { record: named, owner: "plot" })
        });
        put::<outcome::Entity>(self, rows.collect()).await
    }
}

fn season_to_row(record: &Season) -> season::Model {
    season::Model {
        plot: record.plot.to_string(),
        start_day: record.start.to_string(),
        end_day: text_of(record.end),
        crop: record.crop.to_string(),
        variety: text_of(record.variety.as_ref()),
        water: text_of(record.water),
        disease: text_of(record.disease.map(|(disease, _)| disease)),
        severity: text_of(record.disease.and_then(|(_, severity)| severity)),
        confirmed_by: record.confirmed_by.clone(),
    }
}

fn season_from_row(row: season::Model) -> Result<Season, FactsError> {
    let key = format!("{} {}", row.plot, row.start_day);
    let read = RowReader::new("season", &key);
    let disease = read.word_if(row.disease.as_deref(), "a disease")?;
    let severity = read.word_if(row.severity.as_deref(), "a severity")?;
    Ok(Season {
        plot: read.word(&row.plot, "a plot's key")?,
        start: read.day(&row.start_day)?,
        end: read.day_if(row.end_day.as_deref())?,
        crop: read.word(&row.crop, "a crop's key")?,
        variety: read.word_if(row.variety.as_deref(), "a variety's key")?,
        water: read.word_if(row.water.as_deref(), "a water regime")?,
        disease: disease.map(|disease| (disease, severity)),
        confirmed_by: row.confirmed_by,
    })
}

fn outcome_to_row(record: &Outcome) -> outcome::Model {
    outcome::Model {
        plot: record.plot.to_string(),
        season_start: record.season_start.to_string(),
        crop: record.crop.to_string(),
        variety: record.variety.to_string(),
        strip: key_text(record.strip.as_deref()),
        season_end: record.season_end.to_string(),
        yield_kg_ha: record.yield_kg_ha,
        planted_on: text_of(record.planted_on),
        harvested_on: text_of(record.harvested_on),
        area_mu: record.area_mu,
        method: record.method.clone(),
        marketable_percent: record.marketable_percent,
        dry_matter_percent: record.dry_matter_percent,
        status: record.status.to_string(),
        water: text_of(record.water),
        disease: text_of(record.disease),
        why_chosen: record.why_chosen.clone(),
        note: record.note.clone(),
    }
}

fn outcome_from_row(row: outcome::Model) -> Result<Outcome, FactsError> {
    let key = format!("{} {} {}", row.plot, row.season_start, row.variety);
    let read = RowReader::new("outcome", &key);
    Ok(Outcome {
        plot: read.word(&row.plot, "a plot's key")?,
        season_start: read.day(&row.season_start)?,
        season_end: read.day(&row.season_end)?,
        crop: read.word(&row.crop, "a crop's key")?,
        variety: read.word(&row.variety, "a variety's key")?,
        yield_kg_ha: row.yield_kg_ha,
        planted_on: read.day_if(row.planted_on.as_deref())?,
        harvested_on: read.day_if(row.harvested_on.as_deref())?,
        area_mu: row.area_mu,
        method: row.method,
        marketable_percent: row.marketable_percent,
        dry_matter_percent: row.dry_matter_percent,
        status: read.word(&row.status, "how a season ended")?,
        water: read.word_if(row.water.as_deref(), "a water regime")?,
        disease: read.word_if(row.disease.as_deref(), "a disease")?,
        why_chosen: row.why_chosen,
        strip: from_key_text(row.strip),
        note: row.note,
    })
}

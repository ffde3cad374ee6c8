//! Advice as it was given, kept so that it can later be compared with the outcome.

use jiff::Timestamp;
use plotwise_config::id::PlotId;
use sea_orm::{
    ActiveValue, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select,
};

use super::{Facts, FactsError, entity::advice, row::RowReader, write::Writing};

/// A piece of advice as it was given.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptAdvice {
    /// Rises with every advice kept.
    pub id: i64,
    /// For which plot.
    pub plot: PlotId,
    /// When.
    pub made_at: Timestamp,
    /// By which model; `None` for catalogue figures and plain averages.
    pub model: Option<String>,
    /// The whole advice as JSON.
    pub document: String,
}

impl Facts {
    /// Keeps an advice; its id. The revision stays: advice follows from facts.
    ///
    /// # Errors
    ///
    /// [`FactsError::Database`], also for a plot that does not exist.
    pub async fn keep_advice(
        &self,
        plot: &PlotId,
        made_at: Timestamp,
        model: Option<&str>,
        document: &str,
    ) -> Result<i64, FactsError> {
        let row = advice::ActiveModel {
            id: ActiveValue::NotSet,
            plot: ActiveValue::Set(plot.to_string()),
            made_at_ms: ActiveValue::Set(made_at.as_millisecond()),
            model: ActiveValue::Set(model.map(str::to_owned)),
            document: ActiveValue::Set(document.to_owned()),
        };
        let writing = Writing::begin(self).await?;
        let kept = advice::Entity::insert(row).exec(&writing.transaction).await?;
        writing.finish(false).await?;
        Ok(kept.last_insert_id)
    }

    /// The newest advice for a plot.
    ///
    /// # Errors
    ///
    /// [`FactsError::Database`], [`FactsError::Damaged`].
    pub async fn last_advice(&self, plot: &PlotId) -> Result<Option<KeptAdvice>, FactsError> {
        newest_first(plot).one(&self.database).await?.map(from_row).transpose()
    }

    /// Advice for a plot, newest first: at most `limit` after the first `skipped`.
    ///
    /// # Errors
    ///
    /// [`FactsError::Database`], [`FactsError::Damaged`].
    pub async fn advice_history(
        &self,
        plot: &PlotId,
        skipped: u64,
        limit: u64,
    ) -> Result<Vec<KeptAdvice>, FactsError> {
        let page = newest_first(plot).offset(skipped).limit(limit);
        page.all(&self.database).await?.into_iter().map(from_row).collect()
    }
}

fn newest_first(plot: &PlotId) -> Select<advice::Entity> {
    advice::Entity::find()
        .filter(advice::Column::Plot.eq(plot.as_str()))
        .order_by_desc(advice::Column::MadeAtMs)
        .order_by_desc(advice::Column::Id)
}

fn from_row(row: advice::Model) -> Result<KeptAdvice, FactsError> {
    let key = row.id.to_string();
    let read = RowReader::new("advice", &key);
    Ok(KeptAdvice {
        id: row.id,
        plot: read.word(&row.plot, "a plot's key")?,
        made_at: read.moment(row.made_at_ms)?,
        model: row.model,
        document: row.document,
    })
}

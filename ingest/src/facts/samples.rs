//! Laboratory samples of soil and produce. Quantities are kept by key, because a number holds only
//! beside the catalogue that gave it out.

use plotwise_config::{
    catalogue::Catalogue,
    id::PlotId,
    records::{Measured, Sample, SampleKind},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use super::{
    Changes, Facts, FactsError,
    entity::sample,
    row::{RowReader, from_key_text, key_text},
    write::{Named, put},
};

const SOIL: &str = "soil";
const PRODUCE: &str = "produce";

impl Facts {
    /// The samples of a plot, oldest first. Figures of quantities that this catalogue does not have
    /// are left out: they come back with the catalogue's file.
    ///
    /// # Errors
    ///
    /// [`FactsError::Database`], [`FactsError::Damaged`].
    pub async fn samples(&self, plot: &PlotId) -> Result<Vec<Sample>, FactsError> {
        let query = sample::Entity::find()
            .filter(sample::Column::Plot.eq(plot.as_str()))
            .order_by_asc(sample::Column::TakenOn)
            .order_by_asc(sample::Column::Kind)
            .order_by_asc(sample::Column::Part)
            .order_by_asc(sample::Column::Quantity)
            .order_by_asc(sample::Column::Laboratory);
        let rows = query.all(&self.database).await?;
        rows.into_iter().filter_map(|row| from_row(row, &self.catalogue).transpose()).collect()
    }

    /// Adds or changes samples; plot, day, depth or organ, quantity and laboratory name one.
    ///
    /// # Errors
    ///
    /// [`FactsError::NoSuchOwner`] for an unknown plot; [`FactsError::Database`].
    pub async fn put_samples(&self, records: &[Sample]) -> Result<Changes, FactsError> {
        let rows = records.iter().map(|record| {
            let row = to_row(record, &self.catalogue);
            let named = format!("the sample of {} of {}", record.plot, row.taken_on);
            (row, Named { record: named, owner: "plot" })
        });
        put::<sample::Entity>(self, rows.collect()).await
    }
}

fn to_row(record: &Sample, catalogue: &Catalogue) -> sample::Model {
    let (kind, taken_on, part) = match &record.kind {
        SampleKind::Soil { sampled_on, depth_m } => (SOIL, sampled_on, depth_m.to_string()),
        SampleKind::Produce { season_start, organ } => (PRODUCE, season_start, organ.to_string()),
    };
    let (value, is_below) = match record.measured {
        Measured::Value(value) => (value, false),
        Measured::Below(limit) => (limit, true),
    };
    sample::Model {
        plot: record.plot.to_string(),
        kind: kind.to_owned(),
        taken_on: taken_on.to_string(),
        part,
        quantity: catalogue.quantity(record.quantity).key.clone(),
        laboratory: key_text(record.laboratory.as_deref()),
        value,
        is_below,
        method: record.method.clone(),
    }
}

fn from_row(row: sample::Model, catalogue: &Catalogue) -> Result<Option<Sample>, FactsError> {
    let Some(quantity) = catalogue.quantity_no(&row.quantity) else { return Ok(None) };
    let key = format!("{} {} {}", row.plot, row.taken_on, row.quantity);
    let read = RowReader::new("sample", &key);
    let taken_on = read.day(&row.taken_on)?;
    let kind = match row.kind.as_str() {
        SOIL => SampleKind::Soil {
            sampled_on: taken_on,
            depth_m: read.word(&row.part, "a depth in m")?,
        },
        PRODUCE => {
            SampleKind::Produce { season_start: taken_on, organ: read.word(&row.part, "an organ")? }
        }
        other => return Err(read.damaged(other, "soil or produce")),
    };
    Ok(Some(Sample {
        plot: read.word(&row.plot, "a plot's key")?,
        kind,
        quantity,
        measured: if row.is_below {
            Measured::Below(row.value)
        } else {
            Measured::Value(row.value)
        },
        laboratory: from_key_text(row.laboratory),
        method: row.method,
    }))
}

//! Cooperatives: the tenants.

use plotwise_config::{id::CooperativeId, land::Place, records::Cooperative};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};

use super::{
    Change, Facts, FactsError,
    entity::{cooperative, device, plot, price},
    row::RowReader,
    write::{Named, Writing},
};

impl Facts {
    /// Every cooperative, in order of its key.
    ///
    /// # Errors
    ///
    /// [`FactsError::Database`], [`FactsError::Damaged`].
    pub async fn cooperatives(&self) -> Result<Vec<Cooperative>, FactsError> {
        let query = cooperative::Entity::find().order_by_asc(cooperative::Column::Id);
        query.all(&self.database).await?.into_iter().map(from_row).collect()
    }

    /// The cooperative with this key.
    ///
    /// # Errors
    ///
    /// [`FactsError::Database`], [`FactsError::Damaged`].
    pub async fn cooperative(&self, id: &CooperativeId) -> Result<Option<Cooperative>, FactsError> {
        let row = cooperative::Entity::find_by_id(id.as_str()).one(&self.database).await?;
        row.map(from_row).transpose()
    }

    /// Adds or changes a cooperative.
    ///
    /// # Errors
    ///
    /// [`FactsError::Database`].
    pub async fn put_cooperative(&self, record: &Cooperative) -> Result<Change, FactsError> {
        let named = Named { record: format!("cooperative {}", record.id), owner: "nothing" };
        let writing = Writing::begin(self).await?;
        let change = writing.put_row::<cooperative::Entity>(&to_row(record), &named).await?;
        writing.finish(change != Change::Same).await?;
        Ok(change)
    }

    /// Removes a cooperative that owns nothing; whether it was there.
    ///
    /// # Errors
    ///
    /// [`FactsError::InUse`] while it owns plots, devices or prices; [`FactsError::Database`].
    pub async fn remove_cooperative(&self, id: &CooperativeId) -> Result<bool, FactsError> {
        let writing = Writing::begin(self).await?;
        let on = &writing.transaction;
        let name = id.as_str();
        let plots =
            plot::Entity::find().filter(plot::Column::Cooperative.eq(name)).count(on).await?;
        let devices =
            device::Entity::find().filter(device::Column::Cooperative.eq(name)).count(on).await?;
        let prices =
            price::Entity::find().filter(price::Column::Cooperative.eq(name)).count(on).await?;
        let holdings = [(plots, "plots"), (devices, "devices"), (prices, "prices")];
        refuse_while_in_use("cooperative", name, &holdings)?;
        let removed = cooperative::Entity::delete_by_id(name).exec(on).await?.rows_affected > 0;
        writing.finish(removed).await?;
        Ok(removed)
    }
}

/// An error that names what still belongs to a thing, where something does.
pub(super) fn refuse_while_in_use(
    what: &'static str,
    id: &str,
    holdings: &[(u64, &str)],
) -> Result<(), FactsError> {
    let held: Vec<String> = holdings
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, kind)| format!("{count} {kind}"))
        .collect();
    if held.is_empty() {
        return Ok(());
    }
    Err(FactsError::InUse { what, id: id.to_owned(), holdings: held.join(", ") })
}

fn to_row(record: &Cooperative) -> cooperative::Model {
    cooperative::Model {
        id: record.id.to_string(),
        name: record.name.clone(),
        timezone: record.timezone.clone(),
        latitude: record.place.map(|place| place.latitude),
        longitude: record.place.map(|place| place.longitude),
        simulated: record.simulated,
    }
}

fn from_row(row: cooperative::Model) -> Result<Cooperative, FactsError> {
    let read = RowReader::new("cooperative", &row.id);
    let place = row.latitude.zip(row.longitude);
    Ok(Cooperative {
        id: read.word(&row.id, "a cooperative's key")?,
        name: row.name,
        timezone: row.timezone,
        place: place.map(|(latitude, longitude)| Place { latitude, longitude }),
        simulated: row.simulated,
    })
}

//! What a file may refer to.

use plotwise_config::id::{CooperativeId, PlotId};
use sea_orm::{EntityTrait, QuerySelect};

use super::{
    Facts, FactsError,
    entity::{cooperative, plot},
    row::RowReader,
};
use crate::import::Known;

impl Facts {
    /// Names of everything that a file may refer to.
    ///
    /// # Errors
    ///
    /// [`FactsError::Database`], [`FactsError::Damaged`].
    pub async fn known(&self) -> Result<Known, FactsError> {
        let mut known = Known { directory: self.directory().await?, ..Known::default() };
        let query = cooperative::Entity::find().select_only().column(cooperative::Column::Id);
        for id in query.into_tuple::<String>().all(&self.database).await? {
            let read = RowReader::new("cooperative", &id);
            known.cooperatives.insert(read.word(&id, "a cooperative's key")?);
        }
        let query = plot::Entity::find()
            .select_only()
            .column(plot::Column::Id)
            .column(plot::Column::Cooperative);
        for (id, owner) in query.into_tuple::<(String, String)>().all(&self.database).await? {
            let read = RowReader::new("plot", &id);
            let plot: PlotId = read.word(&id, "a plot's key")?;
            let owner: CooperativeId = read.word(&owner, "a cooperative's key")?;
            known.plots.insert(plot, owner);
        }
        Ok(known)
    }
}

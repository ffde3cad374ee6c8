//! How facts are written: compared first, in short transactions, with one count of changes.
//!
//! Every write goes through [`put`] or a [`Writing`]; that is what makes running an import again
//! harmless, lets a dry run go all the way but the commit, and lets another process notice.

use sea_orm::{
    ActiveModelBehavior, ActiveModelTrait, ColumnTrait, Condition, DatabaseTransaction,
    EntityTrait, IntoActiveModel, Iterable, ModelTrait, PrimaryKeyToColumn, QueryFilter, SqlErr,
    SqliteTransactionMode, TransactionOptions, TransactionTrait, sea_query::Expr,
    sea_query::ExprTrait,
};
use serde::Serialize;

use super::{Facts, FactsError, entity::change};

/// Rows of one transaction: some 20 ms of work, so that a serving process waits no longer than that.
/// Our choice.
const CHUNK_ROWS: usize = 500;

/// What a write did to one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was not there.
    New,
    /// It was there with other values.
    Changed,
    /// It was there already.
    Same,
}

/// What a write did, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Changes {
    /// Records that were not there.
    pub new: u64,
    /// Records that were there with other values.
    pub changed: u64,
    /// Records that were there already.
    pub same: u64,
}

impl Changes {
    /// Counts one more.
    pub fn count(&mut self, change: Change) {
        match change {
            Change::New => self.new += 1,
            Change::Changed => self.changed += 1,
            Change::Same => self.same += 1,
        }
    }

    /// Both together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self {
            new: self.new + other.new,
            changed: self.changed + other.changed,
            same: self.same + other.same,
        }
    }

    /// Whether anything is different now.
    pub const fn is_any(self) -> bool {
        self.new + self.changed > 0
    }
}

/// A transaction that is about to change facts.
pub(super) struct Writing {
    pub(super) transaction: DatabaseTransaction,
    is_dry: bool,
}

impl Writing {
    /// Takes the write lock at once: a transaction that reads first and writes later would fail when
    /// another process wrote in between, instead of waiting.
    pub(super) async fn begin(facts: &Facts) -> Result<Self, FactsError> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let transaction = facts.database.begin_with_options(options).await?;
        Ok(Self { transaction, is_dry: facts.is_dry })
    }

    /// Commits, and counts the revision up where something changed. A dry run rolls back.
    pub(super) async fn finish(self, has_changed: bool) -> Result<(), FactsError> {
        if self.is_dry {
            return Ok(self.transaction.rollback().await?);
        }
        if has_changed {
            change::Entity::update_many()
                .col_expr(change::Column::Revision, Expr::col(change::Column::Revision).add(1))
                .exec(&self.transaction)
                .await?;
        }
        // Durability: `synchronous=FULL`; what commit returned for is on disk.
        Ok(self.transaction.commit().await?)
    }

    /// Writes one row where it is not there or differs.
    pub(super) async fn put_row<E>(
        &self,
        row: &E::Model,
        record: &Named,
    ) -> Result<Change, FactsError>
    where
        E: EntityTrait,
        E::Model: PartialEq + IntoActiveModel<E::ActiveModel>,
        E::ActiveModel: ActiveModelBehavior + Send,
    {
        let found = E::find().filter(by_key::<E>(row)).one(&self.transaction).await?;
        let mut values = row.clone().into_active_model();
        values = values.reset_all();
        match found {
            Some(found) if found == *row => Ok(Change::Same),
            Some(_) => {
                let update = E::update_many().set(values).filter(by_key::<E>(row));
                update.exec(&self.transaction).await.map_err(|error| record.explain(error))?;
                Ok(Change::Changed)
            }
            None => {
                let insert = E::insert(values).exec_without_returning(&self.transaction).await;
                insert.map_err(|error| record.explain(error))?;
                Ok(Change::New)
            }
        }
    }
}

/// A record as an error names it.
pub(super) struct Named {
    /// What it is and its key, for example `plot nx-01`.
    pub(super) record: String,
    /// What it belongs to.
    pub(super) owner: &'static str,
}

impl Named {
    /// A database error in the words of whoever wrote the record.
    fn explain(&self, error: sea_orm::DbErr) -> FactsError {
        match error.sql_err() {
            Some(SqlErr::ForeignKeyConstraintViolation(_)) => {
                FactsError::NoSuchOwner { record: self.record.clone(), what: self.owner }
            }
            _ => error.into(),
        }
    }
}

/// Writes rows in chunks, each a transaction; those that are there already are left alone.
pub(super) async fn put<E>(
    facts: &Facts,
    rows: Vec<(E::Model, Named)>,
) -> Result<Changes, FactsError>
where
    E: EntityTrait,
    E::Model: PartialEq + IntoActiveModel<E::ActiveModel>,
    E::ActiveModel: ActiveModelBehavior + Send,
{
    let mut total = Changes::default();
    for chunk in rows.chunks(CHUNK_ROWS) {
        let writing = Writing::begin(facts).await?;
        let mut changes = Changes::default();
        for (row, named) in chunk {
            changes.count(writing.put_row::<E>(row, named).await?);
        }
        writing.finish(changes.is_any()).await?;
        total = total.with(changes);
        tokio::task::yield_now().await;
    }
    Ok(total)
}

/// The condition that finds the row with the same primary key.
fn by_key<E: EntityTrait>(row: &E::Model) -> Condition {
    E::PrimaryKey::iter().fold(Condition::all(), |condition, key| {
        let column = key.into_column();
        condition.add(column.eq(row.get(column)))
    })
}

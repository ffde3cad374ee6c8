//! The facts: cooperatives, plots, devices and where they stand, seasons, outcomes, samples, prices,
//! climate, and the advice that was given.
//!
//! One SQLite database, `plotwise.db`, by sea-orm; entities and migrations use only what PostgreSQL
//! has too. Everything in and out is a record of [`plotwise_config::records`].
//!
//! - Writing compares first: a record that is there already is left alone, so running an import again
//!   changes nothing. Large writes are cut into short transactions.
//! - [`Facts::revision`] counts writes that changed something, by whatever process; whoever keeps a
//!   snapshot asks it now and then. Advice that is kept does not count: it follows from facts.
//! - [`Facts::dry_run`] is the same database with every write rolled back.
//!
//! What it leaves out: readings (see the store), passwords, and tokens: only their hashes are kept.
//!
//! Invariant: SQL of one engine alone stands in `connect` and nowhere else, but for the transaction
//! mode in `write`, which other engines ignore.

mod advice;
mod climate;
mod cooperatives;
mod devices;
mod entity;
mod error;
mod known;
mod migration;
mod plots;
mod prices;
mod row;
mod samples;
mod seasons;
#[cfg(test)]
mod tests;
mod write;

use std::{path::Path, sync::Arc, time::Duration};

use plotwise_config::catalogue::Catalogue;
use sea_orm::{
    ConnectOptions, Database, DatabaseConnection, DbErr, EntityTrait,
    sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous},
};
use sea_orm_migration::MigratorTrait;

pub use advice::KeptAdvice;
pub use devices::DeviceFilter;
pub use error::FactsError;
pub use plots::PlotFilter;
pub use write::{Change, Changes};

use entity::change;
use migration::Migrations;

/// Name of the file in the data directory.
pub const FILE_NAME: &str = "plotwise.db";

/// How long a write waits for another process's before it fails. Writers hold the lock for some 20 ms.
const BUSY_TIMEOUT_S: u64 = 10;

/// The facts of one data directory. Cheap to clone; clones share the connections.
#[derive(Clone, Debug)]
pub struct Facts {
    database: DatabaseConnection,
    catalogue: Arc<Catalogue>,
    is_dry: bool,
}

impl Facts {
    /// Opens the facts in `directory`, making the directory and the tables where they are missing.
    ///
    /// # Errors
    ///
    /// [`FactsError::Open`] where the file cannot be made or read, [`FactsError::Newer`] where a
    /// newer program wrote it; nothing is changed then.
    pub async fn open(directory: &Path, catalogue: Arc<Catalogue>) -> Result<Self, FactsError> {
        Self::open_file(&directory.join(FILE_NAME), catalogue).await
    }

    /// The same for a file of another name or place.
    ///
    /// # Errors
    ///
    /// As [`Facts::open`].
    pub async fn open_file(path: &Path, catalogue: Arc<Catalogue>) -> Result<Self, FactsError> {
        let path = path.to_owned();
        let at = |source: Box<dyn std::error::Error + Send + Sync>| FactsError::Open {
            path: path.clone(),
            source,
        };
        let directory = path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(directory).map_err(|error| at(error.into()))?;
        let database = connect(&path).await.map_err(|error| at(error.into()))?;
        if let Some(migration) = unknown_migration(&database).await.map_err(|e| at(e.into()))? {
            let newest = Migrations::migrations();
            return Err(FactsError::Newer {
                migration,
                newest: newest.last().map_or_else(String::new, |last| last.name().to_owned()),
                path,
            });
        }
        if let Err(error) = Migrations::up(&database, None).await {
            // Another process may have opened the same new directory and been faster.
            let pending = Migrations::get_pending_migrations(&database).await;
            if !pending.is_ok_and(|pending| pending.is_empty()) {
                return Err(at(error.into()));
            }
        }
        Ok(Self { database, catalogue, is_dry: false })
    }

    /// The same facts, with every write tried and rolled back: what would an import change?
    #[must_use]
    pub fn dry_run(&self) -> Self {
        Self { is_dry: true, ..self.clone() }
    }

    /// The catalogue whose quantities the samples speak of.
    pub fn catalogue(&self) -> &Arc<Catalogue> {
        &self.catalogue
    }

    /// How often facts have changed, by any process. Never falls.
    ///
    /// # Errors
    ///
    /// [`FactsError::Database`].
    pub async fn revision(&self) -> Result<i64, FactsError> {
        let row = change::Entity::find().one(&self.database).await?;
        Ok(row.map_or(0, |row| row.revision))
    }

    /// Waits for what is in hand and closes the file.
    ///
    /// # Errors
    ///
    /// [`FactsError::Database`].
    pub async fn close(self) -> Result<(), FactsError> {
        Ok(self.database.close().await?)
    }
}

/// Opens the file. The one place that speaks of SQLite.
async fn connect(path: &Path) -> Result<DatabaseConnection, DbErr> {
    let file = path.to_owned();
    let mut options = ConnectOptions::new("sqlite:");
    options.max_connections(4).sqlx_logging(false);
    // A file does not hang up as a server may, and each test is a question more.
    options.test_before_acquire(false).map_sqlx_sqlite_opts(move |sqlite| {
        sqlite
            .filename(&file)
            .create_if_missing(true)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            // Durability: what a person entered is on disk when the command says so.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(BUSY_TIMEOUT_S))
    });
    Database::connect(options).await
}

/// The first applied migration that this program does not know.
async fn unknown_migration(database: &DatabaseConnection) -> Result<Option<String>, DbErr> {
    let known = Migrations::migrations();
    let applied = Migrations::get_migration_models(database).await?;
    Ok(applied
        .into_iter()
        .map(|row| row.version)
        .find(|version| !known.iter().any(|migration| migration.name() == version)))
}

//! What can go wrong with the facts.

use std::path::PathBuf;

use sea_orm::DbErr;

/// Why facts could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FactsError {
    /// The database file could not be opened or prepared.
    #[error("cannot open the facts at {path}; wanted a directory that can be read and written")]
    Open {
        /// The database file.
        path: PathBuf,
        /// What the system or the database said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A newer program wrote the database.
    #[error(
        "the data at {path} are of a newer version of Plotwise: found the migration {migration:?}, \
         wanted none after {newest:?}; use the newer program or another data directory"
    )]
    Newer {
        /// The database file.
        path: PathBuf,
        /// A migration that this program does not know.
        migration: String,
        /// The last one that it knows.
        newest: String,
    },
    /// A record names something that is not there.
    #[error("{record} names a {what} that does not exist; add it first")]
    NoSuchOwner {
        /// The record, for example `plot nx-01`.
        record: String,
        /// What it belongs to.
        what: &'static str,
    },
    /// Something that others belong to was to be removed.
    #[error("{what} {id} still has {holdings}; remove these first")]
    InUse {
        /// The kind of thing.
        what: &'static str,
        /// Its key.
        id: String,
        /// What belongs to it, with counts.
        holdings: String,
    },
    /// A row that this program cannot have written.
    #[error("table {table}, row {key}: found {found:?}, wanted {wanted}")]
    Damaged {
        /// Which table.
        table: &'static str,
        /// Which row.
        key: String,
        /// What stands there.
        found: String,
        /// What would have been right.
        wanted: &'static str,
    },
    /// The database failed.
    #[error("the database of facts failed")]
    Database(#[from] DbErr),
}

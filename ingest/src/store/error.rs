//! What can go wrong with the store.

use std::path::PathBuf;

use rusqlite::ErrorCode;

use super::packed::Damage;

/// Why the store could not be opened, written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The file was written by a later version of Plotwise.
    #[error(
        "{} has version {found}, this program knows versions up to {known}: use a newer Plotwise or \
         another data directory", path.display()
    )]
    Newer {
        /// Which file.
        path: PathBuf,
        /// The file's version.
        found: i64,
        /// The latest version that this program reads.
        known: i64,
    },
    /// A database, but not of Plotwise's readings.
    #[error(
        "{} belongs to another program (application id {found:#x}, wanted {wanted:#x}): use another \
         data directory", path.display()
    )]
    NotAStore {
        /// Which file.
        path: PathBuf,
        /// The id in the file.
        found: i64,
        /// Plotwise's own.
        wanted: i64,
    },
    /// Readings are stored of a quantity that the catalogue does not have.
    #[error(
        "readings of the quantity {key:?} are stored, but the catalogue has no such quantity: put its \
         entry back"
    )]
    QuantityGone {
        /// The quantity's key.
        key: String,
    },
    /// The linked `SQLite` is too old to be trusted with a write-ahead log.
    #[error("SQLite {found} is linked, 3.51.3 or later is needed: earlier ones can damage a log")]
    SqliteTooOld {
        /// The version found.
        found: &'static str,
    },
    /// No room on the disk. Nothing of the batch was written; try again once there is room.
    #[error("no room on the disk for readings")]
    Full(#[source] rusqlite::Error),
    /// The disk or the file cannot be written.
    #[error("the readings cannot be written: {what} is read-only for this user")]
    ReadOnly {
        /// The file or directory.
        what: String,
    },
    /// Another process held the file for longer than we wait. Nothing was written.
    #[error("another process kept the readings locked")]
    Busy(#[source] rusqlite::Error),
    /// The file is damaged.
    #[error("the file of readings is damaged: {what}; restore a backup")]
    Damaged {
        /// What was found.
        what: String,
    },
    /// The data directory cannot be made.
    #[error("the directory {} cannot be made", path.display())]
    Directory {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Anything else that `SQLite` reports: a failing disk, no memory.
    #[error("SQLite failed on the readings")]
    Sqlite(#[source] rusqlite::Error),
}

impl StoreError {
    /// Whether the data is at fault and not the disk: another try would fail in the same way.
    pub(super) fn is_about_data(&self) -> bool {
        match self {
            Self::Damaged { .. } => true,
            Self::Sqlite(error) => matches!(
                error.sqlite_error_code(),
                Some(
                    ErrorCode::ConstraintViolation
                        | ErrorCode::TypeMismatch
                        | ErrorCode::TooBig
                        | ErrorCode::ParameterOutOfRange
                )
            ),
            _ => false,
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full(error),
            Some(ErrorCode::ReadOnly) => Self::ReadOnly { what: super::FILE_NAME.to_owned() },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy(error),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Damaged { what: error.to_string() }
            }
            _ => match error {
                // A column of another type than was written.
                rusqlite::Error::InvalidColumnType(..)
                | rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::IntegralValueOutOfRange(..) => {
                    Self::Damaged { what: error.to_string() }
                }
                error => Self::Sqlite(error),
            },
        }
    }
}

impl From<Damage> for StoreError {
    fn from(damage: Damage) -> Self {
        Self::Damaged { what: damage.to_string() }
    }
}

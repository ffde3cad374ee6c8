//! The tables of `readings.db`, how the file is made, brought up to date, checked and connected to.

use std::{io::ErrorKind, path::Path, time::Duration};

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use super::{StoreError, changes, letters, raw, retention, sealed, summaries, watch};

/// `PLOT` in ASCII: tells our files from others'.
const APPLICATION_ID: i64 = 0x504c_4f54;

/// Version of the newest file that this program knows, kept as `user_version`.
pub(super) const VERSION: i64 = 2;

/// What makes a file of each version from one of the version before it; the first makes it from an
/// empty file. A step that was released is never changed: files that it made are out there.
const STEPS: [&[&str]; 2] = [
    &[TABLES],
    // Not released yet: what the next release adds may grow here.
    &[
        letters::MORE,
        watch::MORE,
        changes::TABLES,
        summaries::TABLES,
        sealed::TABLES,
        raw::TABLES,
        retention::TABLES,
    ],
];

/// The first version whose write-ahead log is free of the bug fixed in 3.51.3.
const SQLITE_VERSION_MIN: i32 = 3_051_003;

/// How long a connection waits for another process's lock. Our choice: a commit takes milliseconds.
pub(super) const BUSY_WAIT: Duration = Duration::from_secs(10);

// `autoincrement`: an integer that was given out is never given out again.
// `delay_ms` is arrival minus measured time: a few bytes where the arrival itself takes six.
// `replaced` holds what a correction replaced, as first stored; NULL where there was no correction.
const TABLES: &str = "
create table device (
    id integer primary key autoincrement,
    name text not null unique
) strict;
create table quantity (
    code integer primary key autoincrement,
    key text not null unique
) strict;
create table observation (
    week integer not null,
    device integer not null,
    time_ms integer not null,
    delay_ms integer not null,
    claimed_ms integer,
    seq integer,
    readings blob not null,
    replaced blob,
    primary key (week, device, time_ms)
) strict, without rowid;
create table last_seen (
    device integer primary key,
    time_ms integer not null,
    received_ms integer not null
) strict;
create table recent (
    id integer primary key,
    device integer not null,
    identity blob not null,
    time_ms integer not null,
    received_ms integer not null,
    expires_ms integer not null
) strict;
create index recent_identity on recent (device, identity);
create index recent_expires on recent (expires_ms);
create table dead_letter (
    id integer primary key autoincrement,
    reason text not null,
    device text,
    topic text not null,
    received_ms integer not null,
    payload blob not null,
    detail text not null,
    fingerprint blob unique
) strict;
";

/// Makes the file where it is missing and checks that it is ours and of a version we know.
pub(super) fn prepare(directory: &Path, path: &Path) -> Result<Connection, StoreError> {
    if rusqlite::version_number() < SQLITE_VERSION_MIN {
        return Err(StoreError::SqliteTooOld { found: rusqlite::version() });
    }
    std::fs::create_dir_all(directory).map_err(|source| match source.kind() {
        ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => {
            StoreError::ReadOnly { what: directory.display().to_string() }
        }
        _ => StoreError::Directory { path: directory.to_owned(), source },
    })?;
    make(path).map_err(|error| {
        if is_unwritable(directory, &error) {
            StoreError::ReadOnly { what: directory.display().to_string() }
        } else {
            error
        }
    })
}

/// The file with its tables and its log. On a read-only disk it is the log that cannot be opened,
/// not the file itself.
fn make(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let mut connection = open(path, flags)?;
    let version = check(&connection, path)?;
    if version == 0 {
        // These three only take effect before the first table; then the log fixes them.
        connection.pragma_update(None, "page_size", 4096)?;
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    }
    use_log(&connection)?;
    if version < VERSION {
        bring_up_to_date(&mut connection, path)?;
    }
    Ok(connection)
}

/// Takes every step that the file lacks, all of them in one transaction.
fn bring_up_to_date(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have taken them meanwhile.
    let version = check(&transaction, path)?;
    let taken = usize::try_from(version).unwrap_or(STEPS.len());
    for statements in STEPS.into_iter().skip(taken).flatten() {
        transaction.execute_batch(statements)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()?;
    if version > 0 && version < VERSION {
        let path = path.display();
        tracing::info!(
            from = version,
            to = VERSION,
            "{path} was brought from version {version} to {VERSION}"
        );
    }
    Ok(())
}

/// A connection that writes to a file that [`prepare`] has made.
pub(super) fn connect_writer(path: &Path) -> Result<Connection, StoreError> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    check(&connection, path)?;
    use_log(&connection)?;
    // Durability: FULL syncs the log at every commit; NORMAL would only at a checkpoint.
    connection.pragma_update(None, "synchronous", "FULL")?;
    // The open leaf of each of some thousands of devices, so that a commit reads nothing.
    connection.pragma_update(None, "cache_size", -32 * 1024)?;
    connection.pragma_update(None, "wal_autocheckpoint", 8192)?;
    connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(connection)
}

/// A connection that moves rows into blocks.
pub(super) fn connect_sealer(path: &Path) -> Result<Connection, StoreError> {
    let connection = connect_writer(path)?;
    // Durability: nobody was told of anything; what a power cut undoes is done again.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "cache_size", -8 * 1024)?;
    // It sees to its own checkpoints, while nobody waits for it.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    Ok(connection)
}

/// A connection that only reads.
pub(super) fn connect_reader(path: &Path) -> Result<Connection, StoreError> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    check(&connection, path)?;
    Ok(connection)
}

fn open(path: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_WAIT)?;
    Ok(connection)
}

/// The file's version; 0 for a file without tables.
fn check(connection: &Connection, path: &Path) -> Result<i64, StoreError> {
    let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let version = number("user_version")?;
    let application = number("application_id")?;
    let tables: i64 =
        connection.query_row("select count(*) from sqlite_schema", [], |row| row.get(0))?;
    let path = || path.to_owned();
    if application != APPLICATION_ID && (tables > 0 || application != 0 || version != 0) {
        let found = application;
        return Err(StoreError::NotAStore { path: path(), found, wanted: APPLICATION_ID });
    }
    if version > VERSION {
        return Err(StoreError::Newer { path: path(), found: version, known: VERSION });
    }
    Ok(version)
}

fn use_log(connection: &Connection) -> Result<(), StoreError> {
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if mode == "wal" {
        Ok(())
    } else {
        // A read-only file keeps the mode it has.
        Err(StoreError::ReadOnly { what: super::FILE_NAME.to_owned() })
    }
}

/// Whether `SQLite` could not open the file because the directory cannot be written.
///
/// `SQLite` says only "unable to open", so we try a file of our own; touching the database itself
/// would drop the locks that other connections of this process hold.
fn is_unwritable(directory: &Path, error: &StoreError) -> bool {
    let StoreError::Sqlite(error) = error else { return false };
    if error.sqlite_error_code() != Some(ErrorCode::CannotOpen) {
        return false;
    }
    let trial = directory.join(".write-trial");
    match std::fs::write(&trial, []) {
        Ok(()) => {
            // Left behind it does no harm.
            let _ = std::fs::remove_file(trial);
            false
        }
        Err(error) => {
            matches!(error.kind(), ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied)
        }
    }
}

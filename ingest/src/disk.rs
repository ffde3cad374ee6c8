//! Room on the disk: below a limit nothing more is taken in, so that what is there stays whole and the
//! machine can still be worked on.
//!
//! A disk that is full to the last byte cannot even be tidied up: deleting from a database wants room for
//! its log. The guard is asked before every commit and looks at the disk once a second at most.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::{
    intake::Intake,
    pipeline::Written,
    store::{StoreError, Writer},
};

/// How old an answer may be.
const LOOK_EVERY: Duration = Duration::from_secs(1);

const MB: u64 = 1_000_000;

/// Less room than was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{free_mb} MB free on the disk, wanted {wanted_mb} MB ([store] disk_free_min_mb); make room, and it \
     goes on by itself"
)]
pub struct LowDisk {
    /// What was found.
    pub free_mb: u64,
    /// What the settings want.
    pub wanted_mb: u64,
}

/// Why a batch was not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unwritten {
    /// It was not tried.
    #[error(transparent)]
    LowDisk(#[from] LowDisk),
    /// The store did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Watches the free room of one disk.
#[derive(Debug)]
pub struct DiskGuard {
    directory: PathBuf,
    wanted_mb: u64,
    looked: Mutex<Option<(Instant, Option<LowDisk>)>>,
}

impl DiskGuard {
    /// A guard of the disk that `directory` is on; with 0 wanted it never says anything.
    pub fn new(directory: PathBuf, wanted_mb: u32) -> Self {
        Self { directory, wanted_mb: wanted_mb.into(), looked: Mutex::new(None) }
    }

    /// What a pipeline commits with: the writer, unless there is too little room.
    pub fn before(
        self: Arc<Self>,
        mut writer: Writer,
    ) -> impl FnMut(&[Intake]) -> Result<Written, Unwritten> + Send + 'static {
        move |batch| {
            self.check()?;
            Ok(writer.write(batch)?)
        }
    }

    /// Whether there is room.
    ///
    /// # Errors
    ///
    /// [`LowDisk`] where there is less than wanted. A disk that cannot be asked is no error: the store
    /// will say what is wrong with it.
    pub fn check(&self) -> Result<(), LowDisk> {
        if self.wanted_mb == 0 {
            return Ok(());
        }
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = looked.filter(|(at, _)| at.elapsed() < LOOK_EVERY);
        let (_, found) = *looked.insert(fresh.unwrap_or_else(|| (Instant::now(), self.look())));
        found.map_or(Ok(()), Err)
    }

    fn look(&self) -> Option<LowDisk> {
        let free_mb = fs4::available_space(&self.directory).ok()? / MB;
        let wanted_mb = self.wanted_mb;
        (free_mb < wanted_mb).then_some(LowDisk { free_mb, wanted_mb })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_the_disk_has_is_named_with_both_figures() {
        let directory = tempfile::tempdir().unwrap();
        let guard = DiskGuard::new(directory.path().to_owned(), u32::MAX);
        let low = guard.check().unwrap_err();
        assert_eq!(low.wanted_mb, u64::from(u32::MAX));
        let said = low.to_string();
        assert!(said.contains(&format!("{} MB free", low.free_mb)), "{said}");
        assert!(said.contains("disk_free_min_mb"), "{said}");
        // The answer of a moment ago.
        assert_eq!(guard.check(), Err(low));
    }

    #[test]
    fn a_disk_with_room_or_without_limit_is_fine() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(DiskGuard::new(directory.path().to_owned(), 1).check(), Ok(()));
        assert_eq!(DiskGuard::new(directory.path().join("gone"), 1).check(), Ok(()));
        assert_eq!(DiskGuard::new(directory.path().to_owned(), 0).check(), Ok(()));
    }
}

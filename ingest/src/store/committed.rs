//! What a commit did, for whoever asked for it and for the counters.

use crate::pipeline::Written;

/// What a commit did. Each observation counts once, under the first that holds of `superseded`,
/// `conflict`, `merged`, `duplicate`, or else `stored`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// New rows.
    pub stored: u64,
    /// Nothing new in them.
    pub duplicate: u64,
    /// Further quantities or depths were added to a row.
    pub merged: u64,
    /// Stored values were corrected.
    pub superseded: u64,
    /// At least one value differs from the stored one; it stays.
    pub conflict: u64,
    /// Dead letters written, those of conflicts among them.
    pub dead_letters: u64,
    /// Those among them that stand for what the store could not take.
    pub refused: u64,
    /// Numbers (`seq`) that were skipped.
    pub missed: u64,
    /// Numbers skipped before that came after all.
    pub filled: u64,
}

impl From<Committed> for Written {
    fn from(done: Committed) -> Self {
        Self {
            stored: done.stored + done.merged + done.superseded,
            duplicate: done.duplicate,
            conflict: done.conflict,
            refused: done.refused,
            missed: done.missed,
            filled: done.filled,
            remarks: Vec::new(),
        }
    }
}

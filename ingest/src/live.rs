//! What was just committed, for whoever listens: pages, `plotwise tap`.
//!
//! The writer thread announces after it has acknowledged, and only where somebody listens. Nobody holds
//! it up: what is announced stands in a ring of bounded size, and a listener that is too slow finds the
//! oldest overwritten. It is told how many it missed and goes on.
//!
//! # What it leaves out
//!
//! Observations that were there already, contradict what is stored, or could not be taken: they changed
//! nothing, or are a dead letter. What another process commits is not heard here.

use std::sync::Arc;

use plotwise_config::reading::Observation;
use tokio::sync::broadcast::{self, error::RecvError};

use crate::{intake::Intake, pipeline::Remark};

/// Observations that a listener may lie behind: some 1 MB of six readings each.
const BEHIND_MAX: usize = 4096;

/// Listeners at a time; each costs a connection and a task.
const LISTENERS_MAX: usize = 64;

/// Announces; cheap to clone.
#[derive(Clone, Debug)]
pub struct Live(broadcast::Sender<Arc<Observation>>);

/// One listener.
#[derive(Debug)]
pub struct Listening(broadcast::Receiver<Arc<Observation>>);

/// What a listener hears.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// An observation that is on disk.
    Observation(Arc<Observation>),
    /// So many observations passed while the listener was busy.
    Missed(u64),
}

impl Default for Live {
    fn default() -> Self {
        Self(broadcast::Sender::new(BEHIND_MAX))
    }
}

impl Live {
    /// Listens from now on; `None` where as many listen as may.
    pub fn listen(&self) -> Option<Listening> {
        // Two that ask at once may both find the last place free: a bound, not a count.
        (self.0.receiver_count() < LISTENERS_MAX).then(|| Listening(self.0.subscribe()))
    }

    /// Announces a batch that is on disk and takes it; `remarks` in order of place.
    pub(crate) fn announce(&self, batch: &mut Vec<Intake>, remarks: &[(usize, Remark)]) {
        if self.0.receiver_count() == 0 {
            return;
        }
        let mut remarks = remarks.iter().map(|(place, _)| *place).peekable();
        for (place, intake) in batch.drain(..).enumerate() {
            let is_new = remarks.next_if_eq(&place).is_none();
            if let (true, Intake::Observation(observation)) = (is_new, intake) {
                // The last listener may have left meanwhile.
                let _ = self.0.send(Arc::new(observation));
            }
        }
    }
}

impl Listening {
    /// The next thing to hear; `None` once nothing will be announced any more. Cancel safe.
    pub async fn next(&mut self) -> Option<Heard> {
        match self.0.recv().await {
            Ok(observation) => Some(Heard::Observation(observation)),
            Err(RecvError::Lagged(missed)) => Some(Heard::Missed(missed)),
            Err(RecvError::Closed) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use plotwise_config::{id::DeviceId, reading::Identity};

    use super::*;

    fn intake(second: i64) -> Intake {
        let moment = Timestamp::from_second(second).unwrap();
        Intake::Observation(Observation {
            device: DeviceId::parse("n-07").unwrap(),
            measured: moment,
            received: moment,
            claimed: None,
            identity: Identity::MeasuredTime,
            seq: None,
            supersede: false,
            readings: Vec::new(),
        })
    }

    async fn second(listening: &mut Listening) -> i64 {
        match listening.next().await {
            Some(Heard::Observation(observation)) => observation.measured.as_second(),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn what_is_new_is_announced_in_order_and_nothing_else() {
        let live = Live::default();
        let mut listening = live.listen().unwrap();
        let mut batch: Vec<Intake> = (0..5).map(intake).collect();
        live.announce(&mut batch, &[(1, Remark::Duplicate), (3, Remark::Conflict)]);
        drop(live);
        for wanted in [0, 2, 4] {
            assert_eq!(second(&mut listening).await, wanted);
        }
        assert_eq!(listening.next().await, None);
    }

    #[tokio::test]
    async fn a_slow_listener_is_told_how_much_it_missed_and_goes_on() {
        let live = Live::default();
        let mut listening = live.listen().unwrap();
        let count = i64::try_from(BEHIND_MAX).unwrap() + 10;
        live.announce(&mut (0..count).map(intake).collect(), &[]);
        assert_eq!(listening.next().await, Some(Heard::Missed(10)));
        assert_eq!(second(&mut listening).await, 10);
    }

    #[test]
    fn where_nobody_listens_the_batch_is_not_touched() {
        let live = Live::default();
        let mut batch = vec![intake(1)];
        live.announce(&mut batch, &[]);
        assert_eq!(batch.len(), 1);
    }

    #[test]
    fn there_is_an_end_to_listeners() {
        let live = Live::default();
        let all: Vec<_> = (0..LISTENERS_MAX).map(|_| live.listen().unwrap()).collect();
        assert!(live.listen().is_none());
        drop(all);
        assert!(live.listen().is_some());
    }
}

//! From a payload to observations: pure functions, one module a format.
//!
//! A decoder never fails. What it can read becomes observations, what it cannot becomes problems,
//! and a message may give both: one unknown quantity costs that reading and nothing else. Problems of
//! one message are gathered by reason, so that a hostile message makes a handful of dead letters and
//! not thousands of copies of itself.
//!
//! Invariant: no clock, no store, no network; the same bytes always decode to the same values.

mod field;
mod infinities;
pub mod native;
mod quantities;
mod reading;
pub mod senml;

use plotwise_config::reading::Observation;

use crate::intake::DeadLetterReason;

pub use quantities::Quantities;

/// Problems of one reason that are told in full; more are counted.
const DETAILS_MAX: usize = 8;

/// What a payload came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decoded {
    /// What could be read, in the payload's order.
    pub observations: Vec<Observation>,
    /// What could not, at most one for each reason.
    pub problems: Vec<Problem>,
}

/// Why a message, or a part of it, could not be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// The reason.
    pub reason: DeadLetterReason,
    /// What was found and what was wanted, in English.
    pub detail: String,
    count: usize,
}

impl Decoded {
    /// A message of which nothing could be read.
    fn nothing(reason: DeadLetterReason, detail: String) -> Self {
        let problems = vec![Problem { reason, detail, count: 1 }];
        Self { observations: Vec::new(), problems }
    }

    /// Notes a problem; `detail` is only called where it is kept.
    fn note(&mut self, reason: DeadLetterReason, detail: impl FnOnce() -> String) {
        let Some(known) = self.problems.iter_mut().find(|problem| problem.reason == reason) else {
            self.problems.push(Problem { reason, detail: detail(), count: 1 });
            return;
        };
        known.count += 1;
        if known.count <= DETAILS_MAX {
            known.detail.push_str("; ");
            known.detail.push_str(&detail());
        } else if known.count == DETAILS_MAX + 1 {
            known.detail.push_str("; and more");
        }
    }
}

/// The beginning of a text from outside, short enough for a message.
fn shown(text: &str) -> String {
    text.chars().take(64).collect()
}

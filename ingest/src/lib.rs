//! From sensors to disk: MQTT, decoders, the durable pipeline, readings and facts.
//!
//! ```text
//! sensor -> listener --+
//!                      +-> decode -> resolve -> commit (fsync) -> PUBACK
//! broker -> link ------+       |        |
//!                              +--------+--> dead letters, in the same transaction
//! ```
//!
//! - [`intake`]: what goes into a commit.
//! - [`directory`]: which devices there are and what they may do.

pub mod directory;
pub mod intake;

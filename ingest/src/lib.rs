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
//! - [`directory`]: which devices there are and what they may do; [`credential`]: their tokens.
//! - [`topic`], [`decode`], [`resolve`]: from a message to what it says, and whether it may.
//! - [`store`]: readings and dead letters on disk, each observation once.
//! - [`days`]: readings as days and charts, flags that follow from values.
//! - [`facts`]: what people told: land, devices, seasons, harvests, prices; in a database.

pub mod clock;
pub mod credential;
pub mod days;
pub mod decode;
pub mod directory;
pub mod facts;
pub mod intake;
pub mod listener;
pub mod pipeline;
pub mod resolve;
pub mod store;
pub mod topic;

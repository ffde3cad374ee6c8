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
//! - [`listener`], [`link`]: where messages come from; [`surroundings`]: what they are given;
//!   [`tls`]: certificates.
//! - [`pipeline`]: group commit, then the acknowledgement. [`publish`]: the other side, for tests of
//!   a whole installation.
//! - [`live`]: what was just committed, for whoever listens.
//! - [`sequence`], [`rhythm`]: which messages of a device are missing, and whether it is late.
//! - [`store`]: readings and dead letters on disk, each observation once.
//! - [`replay`]: dead letters decoded once more.
//! - [`disk`]: below a limit of free room nothing more is taken in.
//! - [`upkeep`]: work on what is stored that nobody waits for.
//! - [`flags`]: quality flags that follow from values; [`days`]: readings as days and charts.
//! - [`import`]: files that people bring, checked whole before anything is written.
//! - [`facts`]: what people told: land, devices, seasons, harvests, prices; in a database.

pub mod clock;
pub mod credential;
pub mod days;
pub mod decode;
pub mod directory;
pub mod disk;
pub mod facts;
pub mod flags;
#[cfg(fuzzing)]
pub mod fuzzing;
pub mod import;
pub mod intake;
pub mod link;
pub mod listener;
pub mod live;
mod local_day;
pub mod pipeline;
pub mod publish;
pub mod replay;
pub mod resolve;
pub mod rhythm;
pub mod sequence;
pub mod store;
pub mod surroundings;
mod task;
pub mod tls;
pub mod topic;
pub mod upkeep;
mod varint;

//! Promises to users, checked end to end with real parts: the real binary, a real Mosquitto, a real
//! Chromium.
//!
//! `tests/check.sh` builds the binary first and installs the parts. Tests on the real readings run
//! where `PLOTWISE_SHARED` names their folder, and say so where they are skipped.
//!
//! - [`plotwise`]: the binary; [`sensor`]: a sensor that misbehaves on command; [`mosquitto`],
//!   [`browser`]: the other real parts.
//! - [`cookfarm`]: real readings over both ways, through crashes; [`demo`]: the made-up cooperative;
//!   [`makers`]: sensors of any maker; [`over_http`]: readings without MQTT, and seen as they come in;
//!   [`clients`]: other people's MQTT clients; [`link`]: other people's broker, and its bad days;
//!   [`days`]: charts and profiles of what is new; [`pages`]: what a grower sees;
//!   [`letters`]: what could not be stored, or was stored wrongly; [`flags`]: readings that are doubted;
//!   [`sealing`]: old readings in blocks; [`refusals`], [`disk`]: bad input and bad days; [`metrics`]: what an operator watches.

mod browser;
mod mosquitto;
mod plotwise;
mod sensor;

mod clients;
mod cookfarm;
mod days;
mod demo;
mod disk;
mod flags;
mod letters;
mod link;
mod makers;
mod metrics;
mod over_http;
mod pages;
mod refusals;
mod sealing;

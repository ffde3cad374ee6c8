//! Promises to users, checked end to end with real parts: the real binary, a real Mosquitto, a real
//! Chromium.
//!
//! `tests/check.sh` builds the binary first and installs the parts. Tests on the real readings run
//! where `PLOTWISE_SHARED` names their folder, and say so where they are skipped.

mod plotwise;

mod refusals;

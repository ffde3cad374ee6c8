//! API, pages and the `plotwise` command: the only crate that fetches, shows and is started.

pub mod world;

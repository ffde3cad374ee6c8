//! The `plotwise` command.

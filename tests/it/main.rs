//! Promises to users, checked end to end with real parts.

//! `recovery rollback`: files, variables and position together, and back again.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    dead_code,
    missing_docs,
    reason = "a test ends where something is not as it must be; each uses its part of support"
)]

#[path = "../support/mod.rs"]
mod support;

mod commands;
mod forks;
mod property;
mod script;
mod travel;
mod tree;

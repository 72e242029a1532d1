//! `prodigy dlq …`: the items of a job that failed for good.

mod clear;
mod details;
mod list;
mod retry;
mod run;
mod show;

pub(super) use run::run;

//! `prodigy events …`: the journal as a person reads it.

mod export;
mod follow;
mod list;
mod run;
mod stats;

pub(super) use run::run;

//! `prodigy sessions …`: all sessions, in any state.

mod list;
mod run;
mod show;

pub(super) use run::run;

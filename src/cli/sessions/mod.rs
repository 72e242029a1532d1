//! `prodigy sessions …`: all sessions, in any state.

mod fork;
mod list;
mod run;
mod show;

pub(super) use run::run;

//! `prodigy recovery …`: the way back of sessions that failed.

mod checkpoint;
mod restoring;
mod rollback;
mod run;
mod status;
mod words;

pub(super) use run::run;

//! `prodigy recovery …`: the way back of sessions that failed.

mod checkpoint;
mod decide;
mod drive;
mod find;
mod initiate;
mod restoring;
mod rollback;
mod rules;
mod run;
mod status;
mod words;

pub(super) use run::run;

//! `prodigy recovery …`: the way back of sessions that failed.

mod auto;
mod checkpoint;
mod dashboard;
mod decide;
mod drive;
mod find;
mod ground;
mod initiate;
mod restoring;
mod rollback;
mod rules;
mod run;
mod status;
mod words;

pub(super) use auto::{after, give_up_open, go_on_with_open};
pub(super) use run::run;

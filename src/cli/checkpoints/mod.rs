//! `prodigy checkpoints …`: restore points of sessions.

mod carried;
mod list;
mod run;
mod show;
mod transfer;
mod validate;

pub(super) use run::run;

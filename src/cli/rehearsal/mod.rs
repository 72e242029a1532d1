//! `cook --dry-run --simulate-failure`: which handlers would run if a step failed, and why.

mod handlers;
mod imagined;
mod outward;
mod tries;

pub(super) use outward::rehearsal;

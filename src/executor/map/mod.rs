//! Runs a map: its items frozen, several at a time, each result exactly once (SPEC 7.4).

mod aggregation;
mod failed_item;
mod freeze;
mod item;
mod phase;
mod results;
mod workers;

pub(super) use results::MapValues;

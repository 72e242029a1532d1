//! The only place that starts programs: process groups, output, time limits, signals,
//! leftovers of a dead run (SPEC 5).

mod birth;
mod capture;
mod clock;
mod drain;
mod ending;
mod flag;
mod leftovers;
mod lookup;
mod run;
mod running;
#[cfg(test)]
mod signal_tests;
mod stop;
mod table;
#[cfg(test)]
mod tests;
mod user;

pub use capture::{Collected, Collector, Keep, Whole};
pub use leftovers::{Leftover, Machine, end_background, end_leftovers};
pub use lookup::{find_program, search_path, starts_like_a_program};
pub use run::{Born, Ended, Inherits, Limits, Program, Sink, SpawnError, Stdin, StopSignal, run};
pub use stop::{Signal, Stop};
pub use user::{hostname, is_root, user_id};

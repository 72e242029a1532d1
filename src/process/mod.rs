//! The only place that starts programs: process groups, output, time limits, signals,
//! leftovers of a dead run (SPEC 5).

mod clock;
mod ending;
mod flag;
mod lookup;
mod pending;
mod run;
mod running;
mod stop;
mod table;
#[cfg(test)]
mod tests;

pub use lookup::{find_program, starts_like_a_program};
pub use pending::*;
pub use run::{Born, Ended, Limits, Program, Sink, SpawnError, Stdin, StopSignal, run};
pub use stop::{Signal, Stop};

//! The only place that starts programs: process groups, output, time limits, signals,
//! leftovers of a dead run (SPEC 5).

mod run;
mod stop;

pub use run::{Born, Ended, Limits, Program, Sink, SpawnError, Stdin, StopSignal, run};
pub use stop::{Signal, Stop};

//! Whoever looks on while a session runs: terminal, progress, JSON lines, summary.

use super::{Address, Event, SessionState};

/// Sees every event once it is recorded, live or replayed.
pub trait Observer: Send {
    /// `event` has been appended and `state` is the state after it.
    fn event(&mut self, event: &Event, state: &SessionState);

    /// A notice that is never recorded.
    fn notice(&mut self, notice: &Notice<'_>) {
        let _ = notice;
    }
}

/// What is told while things run, but never recorded.
#[derive(Debug, Clone)]
pub enum Notice<'a> {
    /// A piece of a step's output as it arrives, secrets masked; `stderr` tells which stream.
    Output {
        /// The step.
        address: &'a Address,
        /// True for stderr.
        stderr: bool,
        /// The bytes.
        bytes: &'a [u8],
    },
    /// What an agent does right now (`Edit src/main.rs`), one line.
    Agent {
        /// The step.
        address: &'a Address,
        /// The line.
        line: &'a str,
        /// True for the agent's own text (shown at `-v`).
        text: bool,
    },
    /// Something a person should know: an environment that changed, an ended leftover process.
    Warning(&'a str),
    /// Progress of the program itself (`resuming at step 4/10`).
    Info(&'a str),
}

//! The person at the terminal, as the executor sees them.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::executor::{Answer, Confirm};
use crate::process::Stop;

use super::confirm;

/// Asks at the terminal, one question at a time; a signal ends the wait for an answer.
pub(super) struct Person {
    stop: Stop,
    turn: Mutex<()>,
}

impl Person {
    pub(super) fn new(stop: Stop) -> Self {
        Self { stop, turn: Mutex::new(()) }
    }

    fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Confirm for Person {
    fn ask(&self, question: &str) -> Answer {
        let _turn = self.turn();
        match confirm::ask(question, &|| self.stop.is_stopped()) {
            confirm::Answer::Yes => Answer::Yes,
            confirm::Answer::No => Answer::No,
            confirm::Answer::NoTerminal => Answer::Nobody,
        }
    }

    fn choose(&self, question: &str, choices: &[&str]) -> Option<usize> {
        let _turn = self.turn();
        confirm::choose(question, choices, &|| self.stop.is_stopped())
    }
}

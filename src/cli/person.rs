//! The person at the terminal, as the executor sees them.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::executor::{Answer, Confirm};
use crate::process::Stop;
use crate::report::Screen;

use super::confirm;

/// Asks at the terminal, one question at a time; a signal ends the wait for an answer.
pub(super) struct Person {
    stop: Stop,
    /// What is drawn on the terminal otherwise.
    screen: Option<Screen>,
    turn: Mutex<()>,
}

impl Person {
    pub(super) fn new(stop: Stop, screen: Option<Screen>) -> Self {
        Self { stop, screen, turn: Mutex::new(()) }
    }

    /// Has the terminal for itself while it asks.
    fn alone<T>(&self, ask: impl FnOnce() -> T) -> T {
        let _turn = self.turn();
        match &self.screen {
            Some(screen) => screen.hide_during(ask),
            None => ask(),
        }
    }

    fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Confirm for Person {
    fn ask(&self, question: &str) -> Answer {
        match self.alone(|| confirm::ask(question, &|| self.stop.is_stopped())) {
            confirm::Answer::Yes => Answer::Yes,
            confirm::Answer::No => Answer::No,
            confirm::Answer::NoTerminal => Answer::Nobody,
        }
    }

    fn choose(&self, question: &str, choices: &[&str]) -> Option<usize> {
        self.alone(|| confirm::choose(question, choices, &|| self.stop.is_stopped()))
    }
}

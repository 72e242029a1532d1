//! The person at the terminal, as the executor sees them.

use std::io::Write as _;
use std::sync::Mutex;

use crate::executor::{Answer, Confirm};
use crate::process::Stop;

use super::args::Color;
use super::confirm::{has_terminal, read_line};
use super::output::Output;

/// Asks at the terminal, one question at a time; a signal ends the wait for an answer.
pub(super) struct Person {
    stop: Stop,
    turn: Mutex<Output>,
}

impl Person {
    pub(super) fn new(stop: Stop, color: Color) -> Self {
        Self { stop, turn: Mutex::new(Output::stderr(color)) }
    }

    /// The answer as typed; `None` without a terminal, or when a signal came first.
    fn answer(&self, question: &str) -> Option<String> {
        if !has_terminal() {
            return None;
        }
        let mut output = self.turn.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        output.text(format_args!("{question} "));
        let _ = output.flush();
        let line = read_line(&|| self.stop.is_stopped())?;
        (!self.stop.is_stopped()).then(|| line.trim().to_ascii_lowercase())
    }
}

impl Confirm for Person {
    fn ask(&self, question: &str) -> Answer {
        match self.answer(&format!("{question} [y/N]")).as_deref() {
            None => Answer::Nobody,
            Some("y" | "yes") => Answer::Yes,
            Some(_) => Answer::No,
        }
    }

    fn choose(&self, question: &str, choices: &[&str]) -> Option<usize> {
        let listed: Vec<String> = choices
            .iter()
            .enumerate()
            .map(|(index, choice)| format!("{}) {choice}", index + 1))
            .collect();
        loop {
            let answer = self.answer(&format!("{question}\n  {}\n>", listed.join("  ")))?;
            let number = answer.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
            let chosen = number.filter(|number| *number < choices.len());
            if let Some(chosen) = chosen.or_else(|| choices.iter().position(|it| **it == answer)) {
                return Some(chosen);
            }
        }
    }
}

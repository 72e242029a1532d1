//! Asks a person at the terminal. Without one nothing is asked and nothing shown.

use std::io::{self, IsTerminal as _};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::args::Color;
use super::output::Output;

/// A person's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Yes.
    Yes,
    /// No, or anything that is not a yes.
    No,
    /// There is nobody to ask.
    NoTerminal,
}

/// True when there is somebody to ask: who can type an answer and read the question.
#[must_use]
pub fn has_terminal() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks a yes-or-no question; an empty answer is no. `stopped` is looked at while waiting, and
/// answers no when it is true.
#[must_use]
pub fn ask(question: &str, stopped: &dyn Fn() -> bool) -> Answer {
    if !has_terminal() {
        return Answer::NoTerminal;
    }
    Output::stderr(Color::Never).text(format_args!("{question} [y/N] "));
    match read_line(stopped) {
        Some(line) if is_yes(&line) => Answer::Yes,
        _ => Answer::No,
    }
}

/// Asks for one of several words until one is given, and tells its place in `choices`; none
/// when there is nobody to ask, at the end of the input, or when `stopped` is true.
#[must_use]
pub fn choose(question: &str, choices: &[&str], stopped: &dyn Fn() -> bool) -> Option<usize> {
    if !has_terminal() {
        return None;
    }
    loop {
        let words = choices.join("/");
        Output::stderr(Color::Never).text(format_args!("{question} [{words}] "));
        if let Some(choice) = chosen(&read_line(stopped)?, choices) {
            return Some(choice);
        }
    }
}

fn is_yes(line: &str) -> bool {
    matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

/// The choice that a line means: the whole word, or letters that only one of them begins with.
fn chosen(line: &str, choices: &[&str]) -> Option<usize> {
    let line = line.trim().to_ascii_lowercase();
    if line.is_empty() {
        return None;
    }
    if let Some(exact) = choices.iter().position(|choice| *choice == line) {
        return Some(exact);
    }
    let mut fitting = (0..choices.len()).filter(|place| {
        choices.get(*place).is_some_and(|choice| choice.starts_with(line.as_str()))
    });
    match (fitting.next(), fitting.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    }
}

/// One line that a person types; none at the end of the input or when `stopped` is true.
/// Nothing behind it is read, so that what is typed ahead stays for the next question.
fn read_line(stopped: &dyn Fn() -> bool) -> Option<String> {
    let stdin = io::stdin();
    let mut line = Vec::new();
    let tick = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
    while !stopped() {
        let mut ready = [PollFd::new(&stdin, PollFlags::IN)];
        match poll(&mut ready, Some(&tick)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => continue,
            Ok(_) => {}
            Err(_) => return None,
        }
        let mut byte = [0];
        match rustix::io::read(&stdin, &mut byte) {
            Ok(1) if byte == *b"\n" => return Some(String::from_utf8_lossy(&line).into_owned()),
            Ok(1) => line.extend(byte),
            Err(rustix::io::Errno::INTR) => {}
            Ok(_) | Err(_) => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_yes_is_a_yes() {
        assert!(is_yes(" Yes\r") && is_yes("y"));
        assert!(!is_yes("") && !is_yes("yep") && !is_yes("no"));
    }

    #[test]
    fn a_choice_may_be_shortened_as_long_as_it_is_clear() {
        let choices = ["retry", "skip", "stop"];
        assert_eq!(chosen("r", &choices), Some(0));
        assert_eq!(chosen("Skip", &choices), Some(1));
        assert_eq!(chosen("s", &choices), None);
        assert_eq!(chosen("", &choices), None);
        assert_eq!(chosen("quit", &choices), None);
    }
}

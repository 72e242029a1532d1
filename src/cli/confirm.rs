//! Asks a person at the terminal.

use std::io::{self, IsTerminal as _};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::output::Console;

/// A person's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Yes.
    Yes,
    /// No, or anything that is not a yes.
    No,
    /// There is nobody to ask: standard input is no terminal.
    NoTerminal,
}

/// Asks a yes-or-no question on stderr and reads the answer from the terminal.
pub fn ask(console: &mut Console, question: &str) -> Answer {
    console.errors.text(format_args!("{question} [y/N] "));
    match read_line(&|| false) {
        None => Answer::NoTerminal,
        Some(line) if matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes") => {
            Answer::Yes
        }
        Some(_) => Answer::No,
    }
}

/// True when there is somebody to ask.
#[must_use]
pub fn has_terminal() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// One line that a person types, without buffering what comes after it; empty at the end of
/// the input or when `stopped` says so, `None` when there is no terminal.
pub fn read_line(stopped: &dyn Fn() -> bool) -> Option<String> {
    if !has_terminal() {
        return None;
    }
    let stdin = io::stdin();
    let mut line = Vec::new();
    let tick = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
    loop {
        if stopped() {
            return Some(String::new());
        }
        let mut ready = [PollFd::new(&stdin, PollFlags::IN)];
        match poll(&mut ready, Some(&tick)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => continue,
            Ok(_) => {}
            Err(_) => return Some(String::new()),
        }
        let mut byte = [0];
        match rustix::io::read(&stdin, &mut byte) {
            Ok(1) if byte != *b"\n" => line.extend(byte),
            Err(rustix::io::Errno::INTR) => {}
            Ok(1) => return Some(String::from_utf8_lossy(&line).into_owned()),
            Ok(_) | Err(_) => return Some(String::new()),
        }
    }
}

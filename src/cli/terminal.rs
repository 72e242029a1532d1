//! The terminal that a run is shown on.

use std::io::{self, IsTerminal as _};

/// Columns where the terminal does not say.
const COLUMNS: u16 = 80;

/// True when lines can be drawn anew: output and errors go to a terminal that moves its cursor.
pub(super) fn can_be_drawn_on() -> bool {
    let moves = std::env::var_os("TERM").is_some_and(|kind| !kind.is_empty() && kind != "dumb");
    moves && io::stdout().is_terminal() && io::stderr().is_terminal()
}

/// How many characters a line holds right now.
pub(super) fn columns() -> u16 {
    match rustix::termios::tcgetwinsize(io::stdout()) {
        Ok(size) if size.ws_col > 0 => size.ws_col,
        _ => COLUMNS,
    }
}

//! Which subcommand of `sessions` it is.

use crate::cli::args::Sessions;
use crate::cli::clean::{self, Wish};
use crate::cli::output::Console;
use crate::exit::{ExitKind, Failure};

use super::{fork, list, show};

/// Runs the subcommand.
pub(crate) fn run(command: &Sessions, console: &mut Console) -> Result<ExitKind, Failure> {
    match command {
        Sessions::List(arguments) => list::run(arguments, console),
        Sessions::Show(arguments) => show::run(arguments, console),
        Sessions::Fork(arguments) => fork::run(arguments, console),
        Sessions::Clean(arguments) => clean::run(&Wish::from(arguments), console),
    }
}

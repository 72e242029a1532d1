//! Which subcommand of `checkpoints` it is.

use crate::cli::args::Checkpoints;
use crate::cli::clean::{self, Wish};
use crate::cli::output::Console;
use crate::exit::{ExitKind, Failure};

use super::{list, show, transfer, validate};

/// Runs the subcommand.
pub(crate) fn run(command: &Checkpoints, console: &mut Console) -> Result<ExitKind, Failure> {
    match command {
        Checkpoints::List(arguments) => list::run(arguments, console),
        Checkpoints::Show(arguments) => show::run(arguments, console),
        Checkpoints::Clean(arguments) => clean::run(&Wish::from(arguments), console),
        Checkpoints::Validate(arguments) => validate::run(arguments, console),
        Checkpoints::Export(arguments) => transfer::export(arguments, console),
        Checkpoints::Import(arguments) => transfer::import(arguments, console),
    }
}

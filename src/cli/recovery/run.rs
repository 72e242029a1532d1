//! Which subcommand of `recovery` it is.

use crate::cli::args::Recovery;
use crate::cli::output::Console;
use crate::exit::{ExitKind, Failure};

use super::{checkpoint, dashboard, initiate, rollback, status};

/// Runs the subcommand.
pub(crate) fn run(command: &Recovery, console: &mut Console) -> Result<ExitKind, Failure> {
    match command {
        Recovery::CreateCheckpoint(arguments) => checkpoint::run(arguments, console),
        Recovery::Rollback(arguments) => rollback::run(arguments, console),
        Recovery::Initiate(arguments) => initiate::run(arguments, console),
        Recovery::Dashboard(arguments) => dashboard::run(arguments, console),
        Recovery::Status(arguments) => status::run(arguments, console),
    }
}

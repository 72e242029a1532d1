//! `prodigy resume`.

use crate::exit::{ExitKind, Failure};

use super::args::Resume;
use super::output::Console;

/// Runs the command.
pub(super) fn run(arguments: &Resume, console: &mut Console) -> Result<ExitKind, Failure> {
    let _ = (arguments, console);
    Err(Failure::new(ExitKind::Failed, "resume is not part of this build"))
}

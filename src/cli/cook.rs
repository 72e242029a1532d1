//! `prodigy cook`.

use crate::exit::{ExitKind, Failure};

use super::args::Cook;
use super::output::Console;

/// Runs the command.
pub(super) fn run(arguments: &Cook, console: &mut Console) -> Result<ExitKind, Failure> {
    let _ = (arguments, console);
    Err(Failure::new(ExitKind::Failed, "cook is not part of this build"))
}

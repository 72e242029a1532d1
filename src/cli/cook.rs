//! `prodigy cook FILE`.

use crate::exit::{ExitKind, Failure};
use crate::playbook;

use super::args::Cook;
use super::output::Console;
use super::{resume, validate};

/// Runs a workflow file, or with `--resume` goes on with a session.
pub(super) fn run(arguments: &Cook, console: &mut Console) -> Result<ExitKind, Failure> {
    if let Some(resumed) = arguments.as_resume() {
        return resume::run(&resumed, console);
    }
    let Some(file) = &arguments.file else {
        return Err(Failure::new(ExitKind::Usage, "no workflow file is named"));
    };
    let loaded = playbook::load(file).map_err(|error| validate::refuse(file, error, console))?;
    validate::show(file, &loaded.problems, &loaded.text, console);
    Err(Failure::new(ExitKind::Failed, "running workflows is not part of this build"))
}

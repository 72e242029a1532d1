//! `prodigy resume-job JOB`: the session of a map workflow goes on, with the items of its dead
//! letter queue where that is asked for.

use crate::exit::{ExitKind, Failure};
use crate::resume::Requeue;

use super::args::ResumeJob;
use super::lookup::Place;
use super::output::Console;
use super::resume::{ItemWish, take_up};

/// Runs the command.
pub(super) fn run(arguments: &ResumeJob, console: &mut Console) -> Result<ExitKind, Failure> {
    let place = Place::open()?;
    let card = place.find_job(&arguments.job)?;
    let requeue = match arguments.force && arguments.from_checkpoint.is_none() {
        true => Requeue::All,
        false => Requeue::Nothing,
    };
    let wish = ItemWish { requeue, extra_runs: Some(arguments.max_retries), ..ItemWish::default() };
    take_up(&place.home, &card, &arguments.as_resume(), &wish, console)
}

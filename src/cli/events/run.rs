//! Which subcommand of `events` it is, and which events it means.

use crate::cli::args::{EventFilter as Wish, Events};
use crate::cli::lookup::Place;
use crate::cli::output::Console;
use crate::exit::{ExitKind, Failure};
use crate::store::Card;
use crate::view::EventFilter;

use super::{export, follow, list, stats};

/// Runs the subcommand.
pub(crate) fn run(command: &Events, console: &mut Console) -> Result<ExitKind, Failure> {
    match command {
        Events::Ls(arguments) => list::run(arguments, console),
        Events::Follow(arguments) => follow::run(arguments, console),
        Events::Stats(arguments) => stats::run(arguments, console),
        Events::Export(arguments) => export::run(arguments, console),
    }
}

/// The session whose events are meant.
pub(super) fn session_of(place: &Place, wish: &Wish) -> Result<Card, Failure> {
    match &wish.job_id {
        Some(job) => place.find_job(job),
        None => place.find_or_latest(wish.session.as_deref()),
    }
}

/// What was asked for on the command line.
pub(super) fn filter(wish: &Wish) -> EventFilter {
    EventFilter { types: wish.types.clone(), since: wish.since, within: wish.step.clone() }
}

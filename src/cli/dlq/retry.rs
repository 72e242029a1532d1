//! `prodigy dlq retry`: items of the dead letter queue run again, in the session they belong to.

use chrono::Utc;

use crate::cli::args::{DlqRetry, Resume};
use crate::cli::lookup::Place;
use crate::cli::output::Console;
use crate::cli::resume::{ItemWish, take_up};
use crate::exit::{ExitKind, Failure};
use crate::resume::{ReduceAfter, Requeue};
use crate::view::{DeadItems, Selection};

use super::run::{say_empty, waiting};

/// Runs the items that are meant again, or shows what would run.
pub(super) fn run(arguments: &DlqRetry, console: &mut Console) -> Result<ExitKind, Failure> {
    let place = Place::open()?;
    let card = place.find_job(&arguments.job)?;
    let state = place.read(&card.session_id)?.state;
    let items = waiting(&state, &card, &arguments.items)?;
    if items.is_empty() {
        say_empty(&card, console);
        return Ok(ExitKind::Success);
    }
    if arguments.dry_run {
        let style = console.output.style();
        let shown = DeadItems::of(&state, Selection::Numbers(&items));
        console.output.text(shown.text(Utc::now(), style));
    }
    let resume = Resume {
        id: Some(arguments.job.clone()),
        plan: arguments.dry_run,
        accept_changes: arguments.accept_changes,
        options: arguments.options.clone(),
        ..Resume::default()
    };
    let wish = ItemWish {
        requeue: match arguments.items.is_empty() {
            true => Requeue::All,
            false => Requeue::These(items),
        },
        reduce: match arguments.no_reduce {
            true => ReduceAfter::Kept,
            false => ReduceAfter::Again,
        },
        extra_runs: arguments.max_retries,
    };
    take_up(&place.home, &card, &resume, &wish, console)
}

//! `prodigy dlq clear`: items do not wait in the dead letter queue any more.

use crate::cli::args::DlqClear;
use crate::cli::confirm::{self, Answer};
use crate::cli::lookup::Place;
use crate::cli::output::Console;
use crate::exit::{ExitKind, Failure};
use crate::session::EventKind;
use crate::store::{Durability, OpenSession};
use crate::view;

use super::run::{say_empty, waiting};

/// Clears the items that are meant, after a question.
pub(super) fn run(arguments: &DlqClear, console: &mut Console) -> Result<ExitKind, Failure> {
    let place = Place::open()?;
    let card = place.find_job(&arguments.job)?;
    let session = OpenSession::open(&place.home, &card.session_id, Durability::Strict)?;
    let items = session.with(|state| waiting(state, &card, &arguments.items))?;
    if items.is_empty() {
        say_empty(&card, console);
        return Ok(ExitKind::Success);
    }
    let what = view::count(items.len() as u64, "item");
    if !arguments.force {
        let question = format!(
            "Take {what} out of the dead letter queue of {}? They count as passed over.",
            card.workflow_id
        );
        match confirm::ask(&question, &|| false) {
            Answer::Yes => {}
            Answer::No => {
                console.remark("nothing was cleared");
                return Ok(ExitKind::Success);
            }
            Answer::NoTerminal => {
                let message =
                    format!("{what} would be cleared, and there is no terminal to ask at");
                let named = |number: &u32| format!(" --item item_{number}");
                let only: String = arguments.items.iter().map(named).collect();
                return Err(Failure::new(ExitKind::NeedsPerson, message)
                    .with_help(format!("prodigy dlq clear {}{only} --force", card.workflow_id)));
            }
        }
    }
    session.commit(EventKind::DlqCleared { items })?;
    session.sync_now()?;
    let left = session.with(|state| state.lifetime.waiting_dead().count());
    drop(session);
    console.remark(format_args!("cleared {what} of {}", card.workflow_id));
    if left > 0 {
        let left = view::count(left as u64, "item");
        console
            .remark(format_args!("still waiting: {left}, prodigy dlq list {}", card.workflow_id));
    } else if card.is_resumable() {
        console.remark(format_args!("to go on without them: prodigy resume {}", card.workflow_id));
    }
    Ok(ExitKind::Success)
}

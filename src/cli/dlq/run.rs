//! Which subcommand of `dlq` it is, and what they share.

use crate::cli::args::Dlq;
use crate::cli::output::Console;
use crate::exit::{ExitKind, Failure};
use crate::session::SessionState;
use crate::store::Card;

use super::{clear, list, retry, show};

/// Runs the subcommand.
pub(crate) fn run(command: &Dlq, console: &mut Console) -> Result<ExitKind, Failure> {
    match command {
        Dlq::List(arguments) => list::run(arguments, console),
        Dlq::Show(arguments) => show::show(arguments, console),
        Dlq::Retry(arguments) => retry::run(arguments, console),
        Dlq::Clear(arguments) => clear::run(arguments, console),
        Dlq::Export(arguments) => show::export(arguments, console),
    }
}

/// The numbers of the items that wait; of those that were named, each must.
pub(super) fn waiting(
    state: &SessionState,
    card: &Card,
    named: &[u32],
) -> Result<Vec<u32>, Failure> {
    let waiting: Vec<u32> = state.lifetime.waiting_dead().map(|(item, _)| item).collect();
    if named.is_empty() {
        return Ok(waiting);
    }
    match named.iter().find(|item| !waiting.contains(item)) {
        Some(other) => Err(no_item(*other, card)),
        None => Ok(named.to_vec()),
    }
}

/// An item that was named is not in the queue.
pub(super) fn no_item(item: u32, card: &Card) -> Failure {
    let message = format!("item_{item} is not in the dead letter queue of {}", card.workflow_id);
    Failure::new(ExitKind::NotFound, message)
        .with_help(format!("prodigy dlq list {}", card.workflow_id))
}

/// Says that there is nothing to do.
pub(super) fn say_empty(card: &Card, console: &mut Console) {
    console.remark(format_args!("the dead letter queue of {} is empty", card.workflow_id));
    if card.is_resumable() {
        console.remark(format_args!(
            "its other items go on with: prodigy resume {}",
            card.workflow_id
        ));
    }
}

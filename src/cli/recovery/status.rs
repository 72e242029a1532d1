//! `prodigy recovery status`: how far recoveries are, by recovery, failure or session.

use serde_json::json;

use crate::cli::args::RecoveryStatus;
use crate::cli::lookup::Place;
use crate::cli::output::Console;
use crate::exit::{ExitKind, Failure};
use crate::recovery::{RecoveryState, Shelf};
use crate::session::RecoveryId;

use super::words;

/// Shows recoveries.
pub(super) fn run(arguments: &RecoveryStatus, console: &mut Console) -> Result<ExitKind, Failure> {
    let place = Place::open()?;
    let shelf = Shelf::of(&place.home);
    let asked = arguments.recovery_id.as_ref().or(arguments.failure_id.as_ref());
    let id = asked.or(arguments.id.as_ref()).map(String::as_str);
    if let Some(id) = id.and_then(RecoveryId::parse) {
        let state = shelf.find(&id)?.ok_or_else(|| unknown(id.as_str()))?;
        match arguments.json {
            true => console.output.json(&json!(state)),
            false => console.output.text(words::state(&state)),
        }
        return Ok(ExitKind::Success);
    }
    let states = match id {
        Some(id) => named(&place, &shelf, id)?,
        None => latest(&place, &shelf)?,
    };
    if arguments.json {
        console.output.json(&json!(states));
        return Ok(ExitKind::Success);
    }
    for (index, state) in states.iter().enumerate() {
        if index > 0 {
            console.output.line("");
        }
        console.output.text(words::state(state));
    }
    if states.is_empty() {
        console.remark("nothing was recovered here");
    }
    Ok(ExitKind::Success)
}

/// The recoveries of a failure or of a session.
fn named(place: &Place, shelf: &Shelf<'_>, id: &str) -> Result<Vec<RecoveryState>, Failure> {
    if id.starts_with("failure-") {
        let states = shelf.of_failure(id)?;
        return if states.is_empty() { Err(unknown(id)) } else { Ok(states) };
    }
    if id.starts_with("recovery-") {
        return Err(unknown(id));
    }
    let card = place.find(id)?;
    Ok(shelf.of_session(&card.session_id)?)
}

/// The latest recovery of this repository.
fn latest(place: &Place, shelf: &Shelf<'_>) -> Result<Vec<RecoveryState>, Failure> {
    let (states, _) = shelf.all()?;
    let here = |state: &RecoveryState| Some(&state.repository) == place.repository.as_ref();
    Ok(states.into_iter().rev().find(here).into_iter().collect())
}

fn unknown(id: &str) -> Failure {
    Failure::new(ExitKind::NotFound, format!("no recovery of {id:?}"))
        .with_help("prodigy recovery status SESSION, or prodigy sessions list")
}

//! `prodigy recovery status`: how far recoveries are, by recovery, failure or session.

use serde_json::json;

use crate::cli::args;
use crate::cli::lookup::Place;
use crate::cli::output::Console;
use crate::cli::resume::header_of;
use crate::exit::{ExitKind, Failure};
use crate::recovery::{RecoveryState, RecoveryStatus, Shelf, catch_up};
use crate::session::{RecoveryId, RecoveryType};
use crate::store::{Durability, OpenSession, StoreError};

use super::rollback::settle;
use super::words;

/// Shows recoveries.
pub(super) fn run(
    arguments: &args::RecoveryStatus,
    console: &mut Console,
) -> Result<ExitKind, Failure> {
    let place = Place::open()?;
    let shelf = Shelf::of(&place.home);
    let asked = arguments.recovery_id.as_ref().or(arguments.failure_id.as_ref());
    let id = asked.or(arguments.id.as_ref()).map(String::as_str);
    if let Some(id) = id.and_then(RecoveryId::parse) {
        let state = shelf.find(&id)?.ok_or_else(|| unknown(id.as_str()))?;
        let state = settled(&place, &shelf, state, console)?;
        let state = as_recorded(&place, state);
        match arguments.json {
            true => console.output.json(&json!(state)),
            false => console.output.text(words::state(&state)),
        }
        return Ok(ExitKind::Success);
    }
    tell_unreadable(&shelf, console)?;
    let states = match id {
        Some(id) => named(&place, &shelf, id)?,
        None => latest(&place, &shelf)?,
    };
    let states: Vec<RecoveryState> = states
        .into_iter()
        .map(|state| Ok(as_recorded(&place, settled(&place, &shelf, state, console)?)))
        .collect::<Result<_, Failure>>()?;
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

/// What a damaged file told of a recovery is not known: nobody is to take it for nothing.
pub(super) fn tell_unreadable(shelf: &Shelf<'_>, console: &mut Console) -> Result<(), Failure> {
    for problem in shelf.all()?.1 {
        let failure = Failure::from(problem);
        console.errors.line(format_args!("warning: {}", failure.message));
        if let Some(help) = failure.help {
            console.errors.line(format_args!("help: {help}"));
        }
    }
    Ok(())
}

/// A rollback that was killed half-way leaves files and position that do not belong together:
/// it is finished, unless somebody is at it.
fn settled(
    place: &Place,
    shelf: &Shelf<'_>,
    state: RecoveryState,
    console: &mut Console,
) -> Result<RecoveryState, Failure> {
    let cut =
        state.recovery_type == RecoveryType::Rollback && state.status == RecoveryStatus::InProgress;
    if !cut {
        return Ok(state);
    }
    let id = &state.recovery_context.session_id;
    let session = match OpenSession::open(&place.home, id, Durability::Strict) {
        Ok(session) => session,
        Err(StoreError::Busy { .. }) => return Ok(state),
        Err(error) => return Err(error.into()),
    };
    let header = header_of(&session.with(Clone::clone))?;
    if settle(&session, &header)?.is_some() {
        let remark =
            format!("finished the rollback of {} that was interrupted", header.workflow_id);
        console.remark(remark);
    }
    Ok(shelf.find(&state.id)?.unwrap_or(state))
}

/// A recovery as the journal has recorded it: a crash may have come before its file was written.
pub(super) fn as_recorded(place: &Place, mut state: RecoveryState) -> RecoveryState {
    if !state.status.is_open() {
        return state;
    }
    let Ok(loaded) = OpenSession::read(&place.home, &state.recovery_context.session_id) else {
        return state;
    };
    catch_up(&mut state, &loaded);
    state
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

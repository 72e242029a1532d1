//! `prodigy checkpoints list`: what can be resumed, or the versions of one session.

use chrono::Utc;
use serde_json::json;

use crate::cli::args::CheckpointsList;
use crate::cli::lookup::{Place, sound};
use crate::cli::output::Console;
use crate::cli::rows::{self, on_disk};
use crate::exit::{ExitKind, Failure};
use crate::session::SessionStatus;
use crate::view::{self, SessionDetail, Sessions, Versions};

use super::carried;

/// Lists sessions, or with `--workflow-id` versions.
pub(super) fn run(arguments: &CheckpointsList, console: &mut Console) -> Result<ExitKind, Failure> {
    let place = Place::open()?;
    if let Some(id) = &arguments.workflow_id {
        return versions(&place, id, arguments.json, console);
    }
    let (mut listed, warnings) = rows::rows(&place)?;
    let known = listed.iter().map(|session| session.row.workflow_id.to_string()).collect();
    let files = carried::carried(&place, &known)?;
    listed.retain(|session| session.card.cleaned_at.is_none());
    let sessions = Sessions::new(listed.iter().map(|session| session.row.clone()).collect());
    if arguments.json {
        let rows = sessions.rows().iter().map(|row| json!(row));
        console.output.json(&rows.chain(files.iter().map(carried::row)).collect());
    } else {
        let style = console.output.style();
        console.output.text(sessions.text(Utc::now(), console.depth(), style));
        carried::list(&files, console);
        for session in listed.iter().filter(|_| console.verbose > 0) {
            let state = session.state.as_ref();
            let disk = on_disk(&place, &session.card);
            if let Some(detail) = state.and_then(|state| SessionDetail::of(state, disk)) {
                console.output.line("");
                console.output.text(detail.text(Utc::now(), style));
            }
        }
    }
    for warning in warnings {
        console.errors.line(warning);
    }
    Ok(ExitKind::Success)
}

/// Where a session stands, and its restore points, oldest first.
fn versions(
    place: &Place,
    id: &str,
    json: bool,
    console: &mut Console,
) -> Result<ExitKind, Failure> {
    let card = place.find(id)?;
    let loaded = place.read(&card.session_id)?;
    let versions = Versions::of(&loaded.state);
    if json {
        console.output.json(&json!(versions));
    } else {
        let status = match view::standing(&loaded.state, on_disk(place, &card).holder) {
            SessionStatus::Running => "in progress",
            status => view::status_words(status).0,
        };
        let position = view::position(&loaded.state);
        console.output.line(format_args!("{}: {position} ({status})", card.workflow_id));
        let style = console.output.style();
        console.output.text(versions.text(Utc::now(), style));
    }
    sound(loaded)
}

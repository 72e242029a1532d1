//! `prodigy sessions list`: all sessions, the latest first.

use chrono::Utc;
use serde_json::json;

use crate::cli::args::SessionsList;
use crate::cli::lookup::Place;
use crate::cli::output::Console;
use crate::cli::rows;
use crate::exit::{ExitKind, Failure};
use crate::view::{SessionRow, Sessions};

/// Lists the sessions that were asked for.
pub(super) fn run(arguments: &SessionsList, console: &mut Console) -> Result<ExitKind, Failure> {
    let place = Place::open()?;
    let (listed, warnings) = rows::rows(&place)?;
    let wanted = |row: &SessionRow| {
        let status = &arguments.status;
        let here = place.repository.as_ref() == Some(&row.repository);
        (status.is_empty() || status.iter().any(|word| word == row.status.as_str()))
            && (here || !arguments.here)
    };
    let rows = listed.into_iter().map(|session| session.row).filter(wanted).collect();
    let sessions = Sessions::new(rows);
    if arguments.json {
        console.output.json(&json!(sessions));
    } else {
        let style = console.output.style();
        console.output.text(sessions.text(Utc::now(), console.depth(), style));
    }
    for warning in warnings {
        console.errors.line(warning);
    }
    Ok(ExitKind::Success)
}

//! `prodigy events ls`.

use serde_json::json;

use crate::cli::args::EventsList;
use crate::cli::lookup::{Place, sound};
use crate::cli::output::Console;
use crate::exit::{ExitKind, Failure};
use crate::view::{event_line, event_rows};

use super::run::{filter, session_of};

/// Lists the events of a session, as far as its journal is good.
pub(super) fn run(arguments: &EventsList, console: &mut Console) -> Result<ExitKind, Failure> {
    let place = Place::open()?;
    let card = session_of(&place, &arguments.filter)?;
    let loaded = place.read(&card.session_id)?;
    let filter = filter(&arguments.filter);
    if arguments.json {
        console.output.json(&json!(event_rows(&loaded.events, &filter)));
    } else {
        let style = console.output.style();
        for event in loaded.events.iter().filter(|event| filter.wants(event)) {
            console.output.text(event_line(event, style));
        }
    }
    sound(loaded)
}

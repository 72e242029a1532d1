//! `prodigy events stats`: what happened how often.

use serde_json::json;

use crate::cli::args::EventsStats;
use crate::cli::lookup::{Place, sound};
use crate::cli::output::Console;
use crate::exit::{ExitKind, Failure};
use crate::session::Event;
use crate::store::{self, Entry, Loaded, OpenSession};
use crate::view::{EventFilter, Statistics};

use super::run::{filter, session_of};

/// Counts the events of one session, or of all.
pub(super) fn run(arguments: &EventsStats, console: &mut Console) -> Result<ExitKind, Failure> {
    let place = Place::open()?;
    let filter = filter(&arguments.filter);
    let mut statistics = Statistics::default();
    let mut only = None;
    if arguments.all {
        for entry in store::cards(&place.home)? {
            add(&place, &entry, &filter, &mut statistics, console);
        }
    } else {
        let card = session_of(&place, &arguments.filter)?;
        let loaded = place.read(&card.session_id)?;
        statistics.add(&wanted(&loaded, &filter));
        only = Some(loaded);
    }
    if arguments.json {
        console.output.json(&json!(statistics));
    } else {
        let style = console.output.style();
        console.output.text(statistics.text(style));
    }
    only.map_or(Ok(ExitKind::Success), sound)
}

fn add(
    place: &Place,
    entry: &Entry,
    filter: &EventFilter,
    statistics: &mut Statistics,
    console: &mut Console,
) {
    // Of a session that was cleaned only the card is left.
    if entry.known().is_some_and(|card| card.cleaned_at.is_some()) {
        return;
    }
    let problem = match OpenSession::read(&place.home, entry.session()) {
        Ok(loaded) => {
            let events = wanted(&loaded, filter);
            if !events.is_empty() {
                statistics.add(&events);
            }
            loaded.damage
        }
        Err(problem) => Some(problem),
    };
    if let Some(problem) = problem {
        console.errors.line(format_args!("warning: not counted in full: {problem}"));
    }
}

fn wanted(loaded: &Loaded, filter: &EventFilter) -> Vec<Event> {
    loaded.events.iter().filter(|event| filter.wants(event)).cloned().collect()
}

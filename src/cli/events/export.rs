//! `prodigy events export`: one JSON object per line.

use std::fmt::Write as _;

use serde_json::json;

use crate::cli::args::EventsExport;
use crate::cli::lookup::{Place, sound};
use crate::cli::output::Console;
use crate::exit::{ExitKind, Failure};
use crate::store;
use crate::view::EventRow;

use super::run::{filter, session_of};

/// Writes the events to stdout, or to a file that was not there before.
pub(super) fn run(arguments: &EventsExport, console: &mut Console) -> Result<ExitKind, Failure> {
    let place = Place::open()?;
    let card = session_of(&place, &arguments.filter)?;
    let loaded = place.read(&card.session_id)?;
    let filter = filter(&arguments.filter);
    let wanted = loaded.events.iter().filter(|event| filter.wants(event));
    let Some(file) = &arguments.output else {
        for event in wanted {
            console.output.line(json!(EventRow::of(event)));
        }
        return sound(loaded);
    };
    if file.symlink_metadata().is_ok() {
        return Err(Failure::new(ExitKind::Usage, format!("{} exists already", file.display()))
            .with_help("give -o the name of a new file"));
    }
    let mut lines = String::new();
    for event in wanted {
        let _ = writeln!(lines, "{}", json!(EventRow::of(event)));
    }
    store::replace_file(file, lines.as_bytes(), Some(0o600))
        .map_err(|error| Failure::of(ExitKind::Failed, &error))?;
    console.remark(format_args!("wrote {}", file.display()));
    sound(loaded)
}

//! `prodigy dlq show` and `export`: what happened to the items that failed for good.

use std::fmt::Write as _;

use chrono::Utc;
use serde_json::json;

use crate::cli::args::{DlqExport, DlqShow};
use crate::cli::lookup::{Place, sound};
use crate::cli::output::Console;
use crate::exit::{ExitKind, Failure};
use crate::store;
use crate::view;

use super::details::details;
use super::run::{no_item, say_empty, waiting};

/// Shows one item, or all that wait.
pub(super) fn show(arguments: &DlqShow, console: &mut Console) -> Result<ExitKind, Failure> {
    let place = Place::open()?;
    let card = place.find_job(&arguments.job)?;
    let loaded = place.read(&card.session_id)?;
    let numbers = match arguments.item {
        Some(item) => vec![item],
        None => waiting(&loaded.state, &card, &[])?,
    };
    let shown = details(&place, &card, &loaded.state, &numbers);
    if let (Some(item), true) = (arguments.item, shown.is_empty()) {
        return Err(no_item(item, &card));
    }
    if arguments.json {
        console.output.json(&json!(shown));
    } else if shown.is_empty() {
        say_empty(&card, console);
    } else {
        let style = console.output.style();
        for detail in shown {
            console.output.text(detail.text(Utc::now(), style));
        }
    }
    sound(loaded)
}

/// Writes those that wait to stdout, or to a file that was not there before.
pub(super) fn export(arguments: &DlqExport, console: &mut Console) -> Result<ExitKind, Failure> {
    let place = Place::open()?;
    let card = place.find_job(&arguments.job)?;
    let loaded = place.read(&card.session_id)?;
    let numbers = waiting(&loaded.state, &card, &[])?;
    let mut lines = String::new();
    for detail in details(&place, &card, &loaded.state, &numbers) {
        let _ = writeln!(lines, "{}", json!(detail));
    }
    let Some(file) = &arguments.output else {
        console.output.text(lines);
        return sound(loaded);
    };
    if file.symlink_metadata().is_ok() {
        return Err(Failure::new(ExitKind::Usage, format!("{} exists already", file.display()))
            .with_help("give -o the name of a new file"));
    }
    store::replace_file(file, lines.as_bytes(), Some(0o600))
        .map_err(|error| Failure::of(ExitKind::Failed, &error))?;
    console.remark(format_args!(
        "wrote {} ({})",
        file.display(),
        view::count(numbers.len() as u64, "item")
    ));
    sound(loaded)
}

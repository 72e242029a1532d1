//! `prodigy dlq list`: the items that failed for good.

use chrono::Utc;
use serde_json::json;

use crate::cli::args::DlqList;
use crate::cli::lookup::{Place, sound};
use crate::cli::output::Console;
use crate::exit::{ExitKind, Failure};
use crate::store::{self, Entry};
use crate::view::{DeadItems, Selection};

/// Lists those of one job, or of all jobs of this repository.
pub(super) fn run(arguments: &DlqList, console: &mut Console) -> Result<ExitKind, Failure> {
    let place = Place::open()?;
    let mut items = DeadItems::default();
    let mut only = None;
    if let Some(job) = &arguments.job {
        let card = place.find_job(job)?;
        let loaded = place.read(&card.session_id)?;
        items.add(DeadItems::of(&loaded.state, Selection::Waiting));
        only = Some(loaded);
    } else {
        for entry in store::cards(&place.home)? {
            add(&place, &entry, &mut items, console);
        }
    }
    if arguments.json {
        console.output.json(&json!(items));
    } else if items.rows().is_empty() {
        console.output.line("no failed items wait");
    } else {
        let style = console.output.style();
        console.output.text(items.text(Utc::now(), style));
    }
    only.map_or(Ok(ExitKind::Success), sound)
}

fn add(place: &Place, entry: &Entry, items: &mut DeadItems, console: &mut Console) {
    let Some(card) = entry.known().filter(|card| card.job_id.is_some()) else { return };
    let here = place.repository.as_ref() == Some(&card.repository);
    if !here || card.cleaned_at.is_some() || card.superseded_by.is_some() {
        return;
    }
    match place.read(&card.session_id) {
        Ok(loaded) => items.add(DeadItems::of(&loaded.state, Selection::Waiting)),
        Err(problem) => {
            console.errors.line(format_args!("warning: left out {}: {problem}", card.workflow_id));
        }
    }
}

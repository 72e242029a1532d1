//! `prodigy sessions show ID`: what a session is, and the processes that ran it.

use chrono::Utc;
use serde_json::json;

use crate::cli::args::SessionsShow;
use crate::cli::lookup::{Place, sound};
use crate::cli::output::Console;
use crate::cli::rows::on_disk;
use crate::exit::{ExitKind, Failure};
use crate::store::{self, Card};
use crate::view::{self, SessionDetail};

/// Shows one session.
pub(super) fn run(arguments: &SessionsShow, console: &mut Console) -> Result<ExitKind, Failure> {
    let place = Place::open()?;
    let card = place.find(&arguments.id)?;
    if card.cleaned_at.is_some() {
        show_card(&card, arguments.json, console);
        return Ok(ExitKind::Success);
    }
    let loaded = place.read(&card.session_id)?;
    let detail = SessionDetail::of(&loaded.state, on_disk(&place, &card));
    let holder = store::holder(&place.home, &card.session_id);
    let (journal, logs) = (place.home.journal(&card.session_id), place.home.logs(&card.session_id));
    if arguments.json {
        let mut shown = json!(detail);
        if let Some(fields) = shown.as_object_mut() {
            fields.insert("holder".to_owned(), json!(holder));
            fields.insert("journal".to_owned(), json!(journal));
            fields.insert("logs".to_owned(), json!(logs));
        }
        console.output.json(&shown);
    } else if let Some(detail) = detail {
        let style = console.output.style();
        console.output.text(detail.text(Utc::now(), style));
        let mut row = |name: &str, value: &str| {
            console.output.line(format_args!("  {name:<11} {}", view::line(value)));
        };
        row("journal", &journal.display().to_string());
        row("logs", &logs.display().to_string());
        if let Some(holder) = holder {
            row("held by", &holder.to_string());
        }
        if loaded.state.only_dead_items_failed() {
            row("to go on", &format!("prodigy dlq retry {}", card.workflow_id));
        } else if card.is_resumable() {
            row("to go on", &format!("prodigy resume {}", card.workflow_id));
        }
    }
    sound(loaded)
}

/// A session whose records were cleaned away.
fn show_card(card: &Card, json: bool, console: &mut Console) {
    if json {
        console.output.json(&json!(card));
        return;
    }
    let (status, _) = view::status_words(card.status);
    let cleaned = view::time(card.cleaned_at, Utc::now());
    console.output.line(format_args!("{} {status}", view::clip(&card.name, 80)));
    console.output.line(format_args!("  id          {}", card.workflow_id));
    console.output.line(format_args!("  session     {}", card.session_id));
    console.output.line(format_args!("  cleaned     {cleaned}: its records were removed"));
}

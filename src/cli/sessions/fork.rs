//! `prodigy sessions fork ID`: a new session from an old point of one.

use serde_json::json;

use crate::cli::args::SessionsFork;
use crate::cli::lookup::Place;
use crate::cli::output::Console;
use crate::exit::{ExitKind, Failure};
use crate::session::{Event, EventKind};
use crate::store::{self, StoreError};

/// Forks the session.
pub(super) fn run(arguments: &SessionsFork, console: &mut Console) -> Result<ExitKind, Failure> {
    let place = Place::open()?;
    let card = place.find(&arguments.id)?;
    let loaded = place.read(&card.session_id)?;
    let versions = &loaded.state.lifetime.versions;
    let seq = match &arguments.at {
        Some(name) => place.version(&loaded, &card.session_id, name)?,
        None => match versions.last() {
            Some(version) => version.seq,
            None => return Err(nothing_to_fork(&place, &card)),
        },
    };
    check_items(&loaded.events, seq, card.workflow_id.as_str())?;
    let version = versions.iter().find(|version| version.seq == seq).map(|it| it.version);
    let forked = store::fork(&place.home, &card.session_id, seq, version)?;
    if arguments.json {
        let mut shown = json!(forked);
        if let Some(fields) = shown.as_object_mut() {
            fields.insert("forked_from".to_owned(), json!(card.session_id));
            fields.insert("forked_at".to_owned(), json!(version));
        }
        console.output.json(&shown);
        return Ok(ExitKind::Success);
    }
    let at = version.map(|version| format!(" at v{version}")).unwrap_or_default();
    console.output.line(format_args!(
        "forked {} ({}) from {}{at}",
        forked.workflow_id, forked.session_id, card.workflow_id
    ));
    console.remark(format_args!(
        "both work in {}: files are as they are now, not as they were then",
        crate::view::line(&forked.directory.display().to_string())
    ));
    console.remark(format_args!("to go on: prodigy resume {}", forked.workflow_id));
    Ok(ExitKind::Success)
}

/// The items of a map that were read again since are not those of then.
fn check_items(events: &[Event], seq: u64, id: &str) -> Result<(), Failure> {
    let frozen = |event: &&Event| matches!(event.kind, EventKind::JobStarted { .. });
    let Some(last) = events.iter().rfind(frozen) else { return Ok(()) };
    let before = events.iter().find(frozen).is_some_and(|first| first.seq <= seq);
    if last.seq <= seq || !before {
        return Ok(());
    }
    let message =
        "the items of the map were read again after that point, and those of then are gone";
    Err(Failure::new(ExitKind::Usage, message).with_help(format!(
        "prodigy checkpoints list --workflow-id {id}   (a later one), or prodigy resume {id} --from-checkpoint …"
    )))
}

fn nothing_to_fork(place: &Place, card: &store::Card) -> Failure {
    StoreError::NotFound {
        what: "checkpoint",
        name: card.workflow_id.to_string(),
        searched: place.home.journal(&card.session_id),
    }
    .into()
}

//! `prodigy sessions fork ID`: a new session from an old point of one.

use serde_json::json;

use crate::cli::args::SessionsFork;
use crate::cli::file_store::{file_store, share};
use crate::cli::lookup::Place;
use crate::cli::output::Console;
use crate::exit::{ExitKind, Failure};
use crate::git::FileStore;
use crate::session::{Event, EventKind, SessionId, SessionState, WorkflowId};
use crate::store::{self, Card, ForkPoint, Loaded, StoreError};

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
    let version = loaded.state.lifetime.all_versions().find(|version| version.seq == seq);
    let new = SessionId::fresh();
    let store = file_store(&place.home, &card.repository, &card.directory);
    // Before the session is there: what it refers to is never gone.
    let files = keep_files(store.as_ref(), &loaded.state, &card, seq, &new);
    let point = ForkPoint { seq, version };
    let forked = store::fork(&place.home, &card.session_id, point, &new);
    if let (Err(_), Some(store)) = (&forked, &store) {
        // That it could not be forked is what a person has to know.
        let _ = store.forget(new.as_str());
    }
    let forked = match forked {
        Err(StoreError::DamagedItems { .. }) if items_are_others(&loaded, seq) => {
            return Err(no_items_of_then(&card.workflow_id));
        }
        forked => forked?,
    };
    if let Err(why) = files {
        console.errors.line(format_args!(
            "warning: the files kept of its checkpoints are not taken along: {why}"
        ));
    }
    let number = version.map(|version| version.version);
    if arguments.json {
        let mut shown = json!(forked);
        if let Some(fields) = shown.as_object_mut() {
            fields.insert("forked_from".to_owned(), json!(card.session_id));
            fields.insert("forked_at".to_owned(), json!(number));
        }
        console.output.json(&shown);
        return Ok(ExitKind::Success);
    }
    let at = number.map(|version| format!(" at v{version}")).unwrap_or_default();
    console.output.line(format_args!(
        "forked {} ({}) from {}{at}",
        forked.workflow_id, forked.session_id, card.workflow_id
    ));
    console.remark(format_args!(
        "both work in {}: files are as they are now, not as they were then",
        crate::view::line(&forked.directory.display().to_string())
    ));
    let id = &forked.workflow_id;
    if let Some(kept) = version.filter(|version| version.files.is_some()) {
        console.remark(format_args!(
            "to have the files of then: prodigy recovery rollback {id} --checkpoint-id v{}",
            kept.version
        ));
    }
    console.remark(format_args!("to go on: prodigy resume {id}"));
    Ok(ExitKind::Success)
}

/// Lets the new session keep the files of the versions that it has from the old one; else why not.
fn keep_files(
    store: Option<&FileStore>,
    state: &SessionState,
    card: &Card,
    seq: u64,
    new: &SessionId,
) -> Result<(), String> {
    let versions = || state.lifetime.all_versions().filter(|version| version.seq <= seq);
    if versions().all(|version| version.files.is_none()) {
        return Ok(());
    }
    let Some(store) = store else {
        return Err(format!("{} is in no git repository", card.directory.display()));
    };
    match share(store, &card.session_id, new, versions()) {
        Ok(true) => Ok(()),
        Ok(false) => Err("some are gone".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// True when the items of the map were read again after event `seq`, as far as that is recorded,
/// or have to be.
fn items_are_others(loaded: &Loaded, seq: u64) -> bool {
    let again = |event: &Event| matches!(event.kind, EventKind::JobStarted { .. });
    let mut later = loaded.events.iter().filter(|event| event.seq > seq);
    !loaded.state.standing.frozen || later.any(again)
}

fn no_items_of_then(id: &WorkflowId) -> Failure {
    let message =
        "the items of the map were read again after that point, and those of then are gone";
    Failure::new(ExitKind::Usage, message).with_help(format!(
        "prodigy checkpoints list --workflow-id {id}   (a later one), or prodigy resume {id} --from-checkpoint …"
    ))
}

fn nothing_to_fork(place: &Place, card: &Card) -> Failure {
    StoreError::NotFound {
        what: "checkpoint",
        name: card.workflow_id.to_string(),
        searched: place.home.journal(&card.session_id),
    }
    .into()
}

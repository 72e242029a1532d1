//! `prodigy checkpoints show ID`: one session as it stood at a version.

use chrono::Utc;
use serde_json::{Value as Json, json};

use crate::cli::args::CheckpointsShow;
use crate::cli::file_store::file_store;
use crate::cli::lookup::{Place, sound, state_at};
use crate::cli::output::Console;
use crate::cli::rows::on_disk;
use crate::exit::{ExitKind, Failure};
use crate::session::{SessionState, Version};
use crate::store::{Card, StoreError, snapshot_in_full};
use crate::view::{self, Checkpoint, Difference, FileChange, KeptAt, standing};

use super::carried;

/// Shows the latest state, the state at `--version`, or what changed between two.
pub(super) fn run(arguments: &CheckpointsShow, console: &mut Console) -> Result<ExitKind, Failure> {
    let place = Place::open()?;
    let card = match place.find(&arguments.id) {
        Err(failure) if failure.kind == ExitKind::NotFound => {
            let shown = carried::show(&place, &arguments.id, arguments.json, console)?;
            return shown.ok_or(failure);
        }
        found => found?,
    };
    let loaded = place.read(&card.session_id)?;
    let at = |name: &str| -> Result<(SessionState, Option<&Version>), Failure> {
        let seq = place.version(&loaded, &card.session_id, name)?;
        let version = loaded.state.lifetime.all_versions().find(|version| version.seq == seq);
        let mut state = state_at(&loaded.events, seq);
        // It may have been looked at only when the files were kept, right after that event.
        if let Some(head) = version.and_then(|version| version.head.clone()) {
            state.lifetime.head = Some(head);
        }
        Ok((state, version))
    };
    let show = |state: &SessionState, console: &mut Console| {
        let version = state.lifetime.latest_version().map_or(0, |version| version.version);
        let files = KeptAt::of(&loaded.state, version);
        show(&place, &card, state, files, arguments.json, console)
    };
    match (&arguments.diff, &arguments.version) {
        (Some((from, to)), _) => {
            let ((before, old), (after, new)) = (at(from)?, at(to)?);
            let mut difference = Difference::of(&before, &after);
            if let (Some(old), Some(new)) = (old, new)
                && let Some(files) = file_changes(&place, &card, old, new, console)
            {
                difference = difference.with_files(files);
            }
            if arguments.json {
                console.output.json(&json!(difference));
            } else {
                console.output.text(difference.text(console.output.style()));
            }
        }
        (None, Some(version)) => show(&at(version)?.0, console)?,
        (None, None) => show(&loaded.state, console)?,
    }
    sound(loaded)
}

/// The files that differ between two versions, where those of both were kept and still are.
fn file_changes(
    place: &Place,
    card: &Card,
    old: &Version,
    new: &Version,
    console: &mut Console,
) -> Option<Vec<FileChange>> {
    let (before, after) = (old.files.as_ref()?, new.files.as_ref()?);
    let store = file_store(&place.home, &card.repository, &card.directory)?;
    let changes = match store.exists() {
        true => store.compare(&before.tree, &after.tree),
        false => return None,
    };
    match changes {
        Ok(changes) => {
            let told = changes.iter().map(|change| FileChange {
                path: change.path.display().to_string(),
                before: change.exists,
                after: !change.removes(),
            });
            Some(told.collect())
        }
        Err(error) => {
            console.remark(format_args!("the files cannot be compared: {error}"));
            None
        }
    }
}

/// `older_than` of the steps whose results are older than one before them.
fn tell_outdated(shown: &mut Json, state: &SessionState) {
    let older = view::outdated(state);
    let steps = shown.get_mut("completed_steps").and_then(Json::as_array_mut);
    for step in steps.into_iter().flatten() {
        let by = step.get("address").and_then(Json::as_str).and_then(|at| older.get(at));
        if let (Some(by), Some(fields)) = (by, step.as_object_mut()) {
            fields.insert("older_than".to_owned(), json!(by));
        }
    }
}

fn show(
    place: &Place,
    card: &Card,
    state: &SessionState,
    files: Option<KeptAt>,
    json: bool,
    console: &mut Console,
) -> Result<(), Failure> {
    let holder = on_disk(place, card).holder;
    if json {
        let status = standing(state, holder);
        let mut shown = snapshot_in_full(state, card.last_synced_seq, status);
        tell_outdated(&mut shown, state);
        if let Some(fields) = shown.as_object_mut() {
            let head = files.as_ref().and_then(|files| files.head().map(ToOwned::to_owned));
            fields.insert("head".to_owned(), json!(head));
            fields.insert("files".to_owned(), json!(files.map(|files| files.json())));
        }
        console.output.json(&shown);
        return Ok(());
    }
    let Some(checkpoint) = Checkpoint::of(state, holder) else {
        return Err(StoreError::NotFound {
            what: "checkpoint",
            name: card.workflow_id.to_string(),
            searched: place.home.journal(&card.session_id),
        }
        .into());
    };
    let checkpoint = checkpoint.with_files(files);
    let depth = console.depth();
    let style = console.output.style();
    console.output.text(checkpoint.text(Utc::now(), depth, style));
    Ok(())
}

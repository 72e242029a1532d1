//! A new session from an old point of another one, which is only read.

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use chrono::Utc;

use crate::session::{Event, EventKind, SessionId, Version, WorkflowId, attempts};

use super::arrival::{job_directory, make_aside, rename_after, take_place, write_journal};
use super::bundle::{ITEMS_PART, RESULTS_PART};
use super::error::{NamePath, io_error};
use super::files::Keep;
use super::job::{FrozenItems, results_end};
use super::journal::{NO_LINE, write_record};
use super::labels::labels;
use super::read::read_events;
use super::{Card, Home, StoreError, files, lock};

/// Where a session is forked.
#[derive(Debug, Clone, Copy)]
pub struct ForkPoint<'a> {
    /// The last event that is copied.
    pub seq: u64,
    /// The version that this is, as the whole session knows it.
    pub version: Option<&'a Version>,
}

/// Makes the session `new` that stands where `id` stood after event `seq`, in the workflow as it
/// is edited since. Returns its card; it is interrupted, and goes on in the same directory. The
/// files that were kept of its versions are only referred to by it: the caller sees to it that they
/// stay.
///
/// # Errors
/// The session is damaged before that event or cannot be read; the items of its map are other ones
/// now; something cannot be written. Nothing is left behind then.
pub fn fork(
    home: &Home,
    id: &SessionId,
    point: ForkPoint<'_>,
    new: &SessionId,
) -> Result<Card, StoreError> {
    make_aside(home, new, |passing| copy(home, id, point, new, passing))
}

fn copy(
    home: &Home,
    id: &SessionId,
    point: ForkPoint<'_>,
    new: &SessionId,
    passing: &Path,
) -> Result<Card, StoreError> {
    let scan = read_events(home, id)?;
    let seq = point.seq;
    let count = usize::try_from(seq).unwrap_or(usize::MAX);
    let Some(copied) = scan.events.get(..count) else {
        return Err(scan.damage.unwrap_or_else(|| StoreError::Unreadable {
            path: home.journal(id),
            reason: format!("there is no record {seq}"),
        }));
    };
    let later = scan.events.get(count..).unwrap_or_default();
    let mut events = forked_events(copied, later, id, point.version, new);
    rename_after(&mut events, id, new);
    let _held = lock::take(home, new)?;
    let within = |path: std::path::PathBuf| {
        path.strip_prefix(home.session(new)).map(|path| passing.join(path)).unwrap_or(path)
    };
    write_journal(&within(home.journal(new)), &events)?;
    let workflow = files::read_private(&home.workflow(id)).named("read", &home.workflow(id))?;
    files::write_private(&within(home.workflow(new)), &workflow, Keep::Durable)?;
    copy_labels(home, id, seq, &within(home.labels(new)))?;
    copy_texts(&home.blobs(id), &within(home.blobs(new)))?;
    let (from, to) = (home.logs(id), within(home.logs(new)));
    for attempt in attempts(copied) {
        let name = attempt.log.file_name();
        copy_file(&from.join(&name), &to.join(&name), u64::MAX)?;
    }
    copy_job(home, copied, passing)?;
    take_place(home, passing, new, &events)
}

/// The events of the new session: those that are copied, with the new ids, the files of the
/// version, the edits of the workflow since, and that it is a fork.
fn forked_events(
    copied: &[Event],
    later: &[Event],
    from: &SessionId,
    version: Option<&Version>,
    new: &SessionId,
) -> Vec<Event> {
    let mut events = copied.to_vec();
    if let Some(Event { kind: EventKind::SessionStarted(header), .. }) = events.first_mut() {
        header.workflow_id = WorkflowId::of(&header.name, new);
        header.session_id = new.clone();
        header.supersedes = None;
    }
    let since = |event: &&Event| {
        matches!(event.kind, EventKind::WorkflowChanged { .. } | EventKind::Moved { .. })
    };
    let edits = later.iter().filter(since);
    let seq = copied.last().map_or(0, |event| event.seq);
    // They were kept right after the version was made.
    let kept = version.and_then(|version| {
        let files = version.files.as_deref()?.clone();
        Some((version.at, EventKind::FilesKept(Box::new(files))))
    });
    let version = version.map(|version| version.version);
    let forked = EventKind::Forked { from: from.clone(), seq, version };
    let added = edits.map(|edit| (edit.at, edit.kind.clone())).chain([(Utc::now(), forked)]);
    for (at, kind) in kept.into_iter().chain(added) {
        let seq = events.len() as u64 + 1;
        events.push(Event::new(seq, at, kind));
    }
    events
}

fn copy_labels(home: &Home, id: &SessionId, seq: u64, to: &Path) -> Result<(), StoreError> {
    let mut bytes = Vec::new();
    for label in labels(home, id)?.iter().filter(|label| label.seq <= seq) {
        write_record(&mut bytes, &NO_LINE, label)
            .map_err(|error| io_error("write", to, error.into()))?;
    }
    match bytes.is_empty() {
        true => Ok(()),
        false => files::write_private(to, &bytes, Keep::Durable),
    }
}

/// Kept texts never change, and each is named by its digest: both sessions share the files.
/// Which of them the copied part refers to does not matter.
fn copy_texts(from: &Path, to: &Path) -> Result<(), StoreError> {
    let entries = match fs::read_dir(from) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.named("read", from)?,
    };
    files::make_directory(to)?;
    for entry in entries {
        let path = entry.named("read", from)?.path();
        let Some(name) = path.file_name() else { continue };
        if fs::hard_link(&path, to.join(name)).is_err() {
            copy_file(&path, &to.join(name), u64::MAX)?;
        }
    }
    files::sync_directory(to).named("sync", to)
}

/// The items of the map, and their results as far as the copied part refers to them.
fn copy_job(home: &Home, copied: &[Event], passing: &Path) -> Result<(), StoreError> {
    let state = super::replay::fold(copied);
    let (Some(job), Some(header)) = (&state.lifetime.job, state.header()) else { return Ok(()) };
    files::make_directory(&job_directory(passing))?;
    let items = home.items(&header.repository, job);
    let copy = passing.join(ITEMS_PART);
    if !copy_file(&items, &copy, u64::MAX)? {
        return Err(io_error("read", &items, io::ErrorKind::NotFound.into()));
    }
    // The items may have been read again since; also where a crash kept that from being recorded.
    FrozenItems::read(copy)?.check(state.lifetime.items, state.lifetime.items_crc)?;
    let results = home.results(&header.repository, job);
    copy_file(&results, &passing.join(RESULTS_PART), results_end(copied))?;
    Ok(())
}

/// Copies at most `most` bytes of a file; false where there is none.
fn copy_file(from: &Path, to: &Path, most: u64) -> Result<bool, StoreError> {
    let mut options = fs::OpenOptions::new();
    let source = match files::open_private(from, options.read(true)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        source => source.named("read", from)?,
    };
    files::make_directory(files::parent_of(to))?;
    let mut options = fs::OpenOptions::new();
    let mut target = files::open_private(to, options.create(true).write(true).truncate(true))
        .named("write", to)?;
    io::copy(&mut source.take(most), &mut target).named("copy", from)?;
    target.sync_all().named("sync", to)?;
    Ok(true)
}

//! The last part of importing and forking: a session that was made aside takes its place. Until its
//! directory has its name nothing of it is seen, and a kill leaves only what is cleaned up.

use std::fs;
use std::path::Path;

use crate::session::{Event, EventKind, SessionId, SessionState};

use super::bundle::ITEMS_PART;
use super::error::{NamePath, io_error};
use super::journal::Journal;
use super::mapping::{Mapping, write_mapping};
use super::{Card, Home, StoreError, files, mirror, replay};

/// Makes a session in a directory of its own, which is removed where it did not take its place.
pub(super) fn make_aside<T>(
    home: &Home,
    id: &SessionId,
    make: impl FnOnce(&Path) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let passing = home.passing_session(id);
    files::make_directory(&passing)?;
    let made = make(&passing);
    if passing.exists() {
        fs::remove_dir_all(&passing).named("remove", &passing)?;
    }
    made
}

/// Gives the session in `passing`, whose records are `events`, its place. The caller holds its lock.
pub(super) fn take_place(
    home: &Home,
    passing: &Path,
    id: &SessionId,
    events: &[Event],
) -> Result<Card, StoreError> {
    let state = replay::fold(events);
    place_job(home, passing, &state)?;
    files::sync_directory(passing).named("sync", passing)?;
    fs::rename(passing, home.session(id)).named("move to", &home.session(id))?;
    files::sync_directory(&home.sessions()).named("sync", &home.sessions())?;
    mirror::replace(home, &state)?;
    map_job(home, &state)?;
    Card::read(home, id).map(Card::not_running)
}

/// Where a session that is made aside has the files of its job.
pub(super) fn job_directory(passing: &Path) -> std::path::PathBuf {
    passing.join("job")
}

/// The items and results of a map go where they are looked for.
fn place_job(home: &Home, passing: &Path, state: &SessionState) -> Result<(), StoreError> {
    let (Some(job), Some(header)) = (&state.lifetime.job, state.header()) else { return Ok(()) };
    if !passing.join(ITEMS_PART).is_file() {
        let reason = "it holds no items of its map".to_owned();
        return Err(StoreError::Unreadable { path: passing.join(ITEMS_PART), reason });
    }
    if !job.ends_with(header.session_id.as_str()) {
        let reason = format!("the job {job:?} is not that of its session");
        return Err(StoreError::Unreadable { path: passing.to_owned(), reason });
    }
    let target = home.job(&header.repository, job);
    // Left by one that was killed here: the session it was for is not there.
    match fs::remove_dir_all(&target) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(io_error("replace", &target, error));
        }
        _ => {}
    }
    let parent = files::parent_of(&target);
    files::make_directory(parent)?;
    let aside = job_directory(passing);
    files::sync_directory(&aside).named("sync", &aside)?;
    fs::rename(&aside, &target).named("move to", &target)?;
    files::sync_directory(parent).named("sync", parent)
}

fn map_job(home: &Home, state: &SessionState) -> Result<(), StoreError> {
    let (Some(job), Some(header)) = (&state.lifetime.job, state.header()) else { return Ok(()) };
    let mapping = Mapping {
        session_id: header.session_id.to_string(),
        job_id: job.clone(),
        workflow_name: header.name.clone(),
        created_at: state.started_at.unwrap_or_else(chrono::Utc::now),
    };
    write_mapping(home, &mapping)
}

/// Gives the job and the failures of a session that gets another id the names that go with it.
pub(super) fn rename_after(events: &mut [Event], old: &SessionId, new: &SessionId) {
    let failure = |id: &mut String| {
        if let Some(number) = old.failure_number(id) {
            *id = new.failure_id(number);
        }
    };
    for event in events {
        match &mut event.kind {
            EventKind::JobStarted { job, .. } => *job = job.replace(old.as_str(), new.as_str()),
            EventKind::RunFinished { failure: Some(known), .. } => failure(&mut known.id),
            EventKind::RecoveryStarted(started) => failure(&mut started.failure),
            _ => {}
        }
    }
}

/// Writes a journal anew: where one record has changed, every checksum behind it does.
pub(super) fn write_journal(path: &Path, events: &[Event]) -> Result<(), StoreError> {
    let mut journal = Journal::create(path)?;
    for event in events {
        journal.append(event)?;
    }
    journal.file().sync_all().named("sync", path)
}

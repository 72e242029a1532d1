//! Removes what finished sessions left behind; their index cards stay, so that lists and
//! statistics remain true (DECISIONS A22).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::Utc;

use crate::session::{SessionId, SessionStatus};

use super::error::{NamePath, io_error};
use super::files::Keep;
use super::find::{Entry, cards, session_ids};
use super::job::remove_job;
use super::read::{read_events, read_session};
use super::{Card, Home, StoreError, files, lock};

/// A session whose records can be removed.
#[derive(Debug)]
pub struct Prunable {
    /// Its card.
    pub card: Card,
    /// Bytes that removing them frees.
    pub bytes: u64,
}

/// Completed and replaced sessions that still have records and have done nothing for
/// `older_than`. Changes nothing.
///
/// # Errors
/// The directory cannot be read.
pub fn prunable(home: &Home, older_than: Duration) -> Result<Vec<Prunable>, StoreError> {
    let now = Utc::now();
    let mut found = Vec::new();
    for entry in cards(home)? {
        let Entry::Known(card) = entry else { continue };
        let idle = (now - card.updated_at).to_std().unwrap_or_default();
        let records = home.journal(&card.session_id).exists();
        if card.is_over() && records && idle >= older_than {
            found.push(Prunable { bytes: bytes_below(&home.session(&card.session_id)), card });
        }
    }
    Ok(found)
}

/// Removes the records of one session: journal, logs, kept texts, labels and snapshot. Of a
/// session that is over the card stays; of one that is not, or that is damaged, nothing does.
/// Returns the bytes freed.
///
/// # Errors
/// Busy, or something cannot be removed.
pub fn prune(home: &Home, id: &SessionId) -> Result<u64, StoreError> {
    let directory = home.session(id);
    if !directory.is_dir() {
        return Err(StoreError::NotFound {
            what: "session",
            name: id.to_string(),
            searched: home.sessions(),
        });
    }
    let _held = lock::take(home, id)?;
    let before = bytes_below(&directory);
    let card = match Card::read(home, id) {
        Ok(card) if card.status != SessionStatus::Running => Some(card),
        // Its process may have recorded more than the card tells.
        _ => read_session(home, id).ok().and_then(|loaded| Card::of(&loaded.state, 0)),
    };
    if let Some(card) = &card {
        remove_file(&home.snapshot(&card.repository, &card.workflow_id))?;
        if let Some(job) = &card.job_id {
            remove_job(home, &card.repository, job, id)?;
        }
    }
    match card.filter(Card::is_over) {
        Some(card) => {
            // First of all: a crash in between leaves a session that says what became of it.
            Card { cleaned_at: Some(Utc::now()), ..card }.write(home, Keep::Durable)?;
            for entry in fs::read_dir(&directory).named("read", &directory)? {
                let path = entry.named("read", &directory)?.path();
                if path != home.card(id) {
                    remove(&path)?;
                }
            }
            files::sync_directory(&directory).named("sync", &directory)?;
        }
        None => {
            let passing = home.passing_session(id);
            fs::rename(&directory, &passing).named("remove", &directory)?;
            remove(&passing)?;
        }
    }
    Ok(before.saturating_sub(bytes_below(&directory)))
}

/// Removes what killed processes left beside the sessions: those without a first record, and
/// imports and removals that were not finished. Returns how many.
///
/// # Errors
/// The directory cannot be read.
pub fn remove_half_made(home: &Home) -> Result<usize, StoreError> {
    let mut removed = 0;
    for id in session_ids(home)? {
        let never_was =
            || matches!(read_events(home, &id), Err(StoreError::NotFound { what: "session", .. }));
        if !never_was() {
            continue;
        }
        // Whoever is just making one holds its lock.
        let Ok(_held) = lock::take(home, &id) else { continue };
        if never_was() && remove(&home.session(&id)).is_ok() {
            removed += 1;
        }
    }
    for entry in fs::read_dir(home.sessions()).into_iter().flatten().flatten() {
        let passing = entry.file_name().to_string_lossy().starts_with(".session-");
        let age = || entry.metadata().ok()?.modified().ok()?.elapsed().ok();
        let abandoned = age().is_some_and(|age| age > ABANDONED);
        if passing && abandoned && remove(&entry.path()).is_ok() {
            removed += 1;
        }
    }
    Ok(removed + remove_lost_jobs(home))
}

/// Removes the files of jobs whose session never came to be: an import or fork was killed in
/// between. Returns how many.
fn remove_lost_jobs(home: &Home) -> usize {
    let repositories = fs::read_dir(home.repositories()).into_iter().flatten().flatten();
    let jobs = repositories.flat_map(|repository| {
        fs::read_dir(repository.path().join("mapreduce/jobs")).into_iter().flatten().flatten()
    });
    let lost = jobs.filter(|job| {
        let name = job.file_name().to_string_lossy().into_owned();
        let session = name.rsplit_once('_').and_then(|(_, id)| SessionId::parse(id));
        let age = || job.metadata().ok()?.modified().ok()?.elapsed().ok();
        session.is_some_and(|id| !home.session(&id).exists())
            && age().is_some_and(|age| age > ABANDONED)
    });
    lost.filter(|job| remove(&job.path()).is_ok()).count()
}

/// What nobody has touched for so long is not being made any more.
pub const ABANDONED: Duration = Duration::from_secs(24 * 3600);

/// Bytes that a session takes on disk; 0 where there is none.
#[must_use]
pub fn size(home: &Home, id: &SessionId) -> u64 {
    bytes_below(&home.session(id))
}

fn remove(path: &Path) -> Result<(), StoreError> {
    let directory = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir());
    match directory {
        true => fs::remove_dir_all(path).named("remove", path),
        false => remove_file(path),
    }
}

fn remove_file(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(io_error("remove", path, error))
        }
        _ => Ok(()),
    }
}

/// Bytes of all files below a directory; what cannot be read counts nothing.
fn bytes_below(directory: &Path) -> u64 {
    let mut waiting: Vec<PathBuf> = vec![directory.to_owned()];
    let mut bytes = 0;
    while let Some(next) = waiting.pop() {
        for entry in fs::read_dir(&next).into_iter().flatten().flatten() {
            match entry.metadata() {
                Ok(metadata) if metadata.is_dir() => waiting.push(entry.path()),
                Ok(metadata) => bytes += metadata.len(),
                Err(_) => {}
            }
        }
    }
    bytes
}

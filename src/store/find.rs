//! Which sessions there are, and which one a person means (DECISIONS A42). What a person
//! typed is only compared with what is there; no path is made of it.

use std::fs;
use std::io;

use chrono::{DateTime, Utc};

use crate::session::{SessionId, SessionStatus};

use super::error::io_error;
use super::read::{read_session, stops_in_a_run};
use super::route::{JOB_PREFIX, no_job, session_of_job};
use super::{Card, Home, StoreError, holder};

/// One session of the list.
#[derive(Debug)]
pub enum Entry {
    /// A session in order.
    Known(Card),
    /// A session whose records are damaged or cannot be read.
    Damaged {
        /// The session.
        session: SessionId,
        /// What is known of it.
        card: Option<Card>,
        /// What is wrong.
        problem: StoreError,
    },
}

/// A prefix of an id has at least this many characters.
const SHORTEST_PREFIX: usize = 4;

/// All sessions, the one that did something last first. Files of others are passed over, and
/// so are sessions that were killed before their first record.
///
/// # Errors
/// The directory cannot be read.
pub fn cards(home: &Home) -> Result<Vec<Entry>, StoreError> {
    let ids = session_ids(home)?;
    let mut entries: Vec<Entry> = ids.iter().filter_map(|id| entry(home, id)).collect();
    entries.sort_by_cached_key(|entry| std::cmp::Reverse(updated_at(home, entry)));
    Ok(entries)
}

/// The session that `text` means: an exact session or workflow id; the exact name of a
/// workflow (the latest resumable session of `repository`, else its latest, else the latest
/// anywhere); an exact job id; or the beginning of one id, at least 4 characters, with or
/// without `session-` or `mapreduce-`.
///
/// # Errors
/// Nothing or several things have that name; the only one is damaged beyond its card.
pub fn find(home: &Home, repository: Option<&str>, text: &str) -> Result<Card, StoreError> {
    if let Some(card) = session(home, text)? {
        return Ok(card);
    }
    let entries = cards(home)?;
    let of_workflow = |entry: &Entry| entry.known().is_some_and(|c| c.workflow_id.as_str() == text);
    let by_id: Vec<&Entry> = entries.iter().filter(|entry| of_workflow(entry)).collect();
    if !by_id.is_empty() {
        return only(by_id, text).cloned();
    }
    if let Some(card) = by_name(&entries, repository, text) {
        return Ok(card.clone());
    }
    if text.starts_with(JOB_PREFIX)
        && let Some(card) = session_of_job(home, &entries, text)?
    {
        return Ok(card);
    }
    let by_prefix: Vec<&Entry> = entries.iter().filter(|one| one.starts_with(text)).collect();
    if by_prefix.is_empty() && text.starts_with(JOB_PREFIX) {
        return Err(no_job(home, text));
    }
    if by_prefix.is_empty() {
        return Err(StoreError::NotFound {
            what: "session",
            name: text.to_owned(),
            searched: home.sessions(),
        });
    }
    let session = only_session(&by_prefix, text)?;
    let mut entries = entries.into_iter();
    match entries.find(|entry| *entry.session() == session) {
        Some(entry) => entry.card(),
        None => Err(ambiguous(text, Vec::new())),
    }
}

/// The session of this repository that `resume` without an id continues: of those that are
/// not completed, not running and not replaced, the one that did something last. Where there is
/// none, one that runs: who takes it up is told who has it.
///
/// # Errors
/// The directory cannot be read.
pub fn latest_resumable(home: &Home, repository: &str) -> Result<Option<Card>, StoreError> {
    let entries = cards(home)?;
    let here = || entries.iter().filter_map(Entry::known).filter(|it| it.repository == repository);
    let running = || here().find(|card| card.status == SessionStatus::Running);
    Ok(here().find(|card| card.is_resumable()).or_else(running).cloned())
}

impl Entry {
    /// The session.
    #[must_use]
    pub fn session(&self) -> &SessionId {
        match self {
            Self::Known(card) => &card.session_id,
            Self::Damaged { session, .. } => session,
        }
    }

    /// What is known of it, damaged or not.
    #[must_use]
    pub fn known(&self) -> Option<&Card> {
        match self {
            Self::Known(card) => Some(card),
            Self::Damaged { card, .. } => card.as_ref(),
        }
    }

    /// Its card, as far as there is one; whoever opens the session is told of the damage.
    fn card(self) -> Result<Card, StoreError> {
        match self {
            Self::Known(card) | Self::Damaged { card: Some(card), .. } => Ok(card),
            Self::Damaged { card: None, problem, .. } => Err(problem),
        }
    }

    fn starts_with(&self, text: &str) -> bool {
        let unique = text.strip_prefix("session-").unwrap_or(text);
        let session = unique.len() >= SHORTEST_PREFIX && self.session().uuid().starts_with(unique);
        let workflow = text.len() >= SHORTEST_PREFIX
            && self.known().is_some_and(|card| card.workflow_id.as_str().starts_with(text));
        let job = text.len() >= SHORTEST_PREFIX
            && self.known().and_then(|card| card.job_id.as_deref()).is_some_and(|job| {
                job.starts_with(text)
                    || job.strip_prefix(JOB_PREFIX).is_some_and(|job| job.starts_with(text))
            });
        session || workflow || job
    }
}

/// The session with exactly this id.
pub(super) fn session(home: &Home, text: &str) -> Result<Option<Card>, StoreError> {
    let known = session_ids(home)?.into_iter().find(|id| id.as_str() == text);
    known.and_then(|id| entry(home, &id)).map(Entry::card).transpose()
}

fn by_name<'e>(entries: &'e [Entry], repository: Option<&str>, name: &str) -> Option<&'e Card> {
    let named = || entries.iter().filter_map(Entry::known).filter(|card| card.name == name);
    let here = |card: &&Card| repository.is_none_or(|repository| card.repository == repository);
    named()
        .find(|card| here(card) && card.is_resumable())
        // A session that another one replaced was written to last, but is not what is meant.
        .or_else(|| named().find(|card| here(card) && card.superseded_by.is_none()))
        .or_else(|| named().find(here))
        .or_else(|| named().next())
}

fn only<'e>(found: Vec<&'e Entry>, text: &str) -> Result<&'e Card, StoreError> {
    let cards: Vec<&Card> = found.into_iter().filter_map(Entry::known).collect();
    match cards[..] {
        [card] => Ok(card),
        _ => Err(ambiguous(text, cards.iter().map(|card| card.session_id.to_string()).collect())),
    }
}

fn only_session(found: &[&Entry], text: &str) -> Result<SessionId, StoreError> {
    match found {
        [entry] => Ok(entry.session().clone()),
        _ => {
            let name = |entry: &&Entry| match entry.known() {
                Some(card) => card.workflow_id.to_string(),
                None => entry.session().to_string(),
            };
            Err(ambiguous(text, found.iter().map(name).collect()))
        }
    }
}

fn ambiguous(text: &str, candidates: Vec<String>) -> StoreError {
    StoreError::Ambiguous { name: text.to_owned(), candidates }
}

/// The ids of all directories that are named as sessions are.
pub(super) fn session_ids(home: &Home) -> Result<Vec<SessionId>, StoreError> {
    let directory = home.sessions();
    let entries = match fs::read_dir(&directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(io_error("read", &directory, error)),
    };
    let mut ids = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| io_error("read", &directory, error))?;
        ids.extend(entry.file_name().to_str().and_then(SessionId::parse));
    }
    Ok(ids)
}

/// One session; none when there has never been a record of it.
fn entry(home: &Home, id: &SessionId) -> Option<Entry> {
    let card = Card::read(home, id);
    match card {
        Ok(card) if card.status != SessionStatus::Running => Some(Entry::Known(card)),
        Ok(card) if holder(home, id).is_some() => Some(Entry::Known(card)),
        // Its process died: in the middle of the run, or before the card was told of its end.
        Ok(card) if stops_in_a_run(home, id) => Some(Entry::Known(card.not_running())),
        Ok(card) => rebuilt(home, id, Some(card)),
        Err(problem @ StoreError::Newer { .. }) => {
            Some(Entry::Damaged { session: id.clone(), card: None, problem })
        }
        Err(_) => rebuilt(home, id, None),
    }
}

fn rebuilt(home: &Home, id: &SessionId, card: Option<Card>) -> Option<Entry> {
    let damaged = |card, problem| Some(Entry::Damaged { session: id.clone(), card, problem });
    let loaded = match read_session(home, id) {
        Ok(loaded) => loaded,
        Err(StoreError::NotFound { .. }) if card.is_none() => return None,
        Err(problem) => return damaged(card.map(Card::not_running), problem),
    };
    let synced = card.as_ref().map_or(0, |card| card.last_synced_seq);
    let mut rebuilt = Card::of(&loaded.state, synced)?;
    if rebuilt.status == SessionStatus::Running && holder(home, id).is_none() {
        rebuilt = rebuilt.not_running();
    }
    match loaded.damage {
        Some(problem) => damaged(Some(rebuilt), problem),
        None => Some(Entry::Known(rebuilt)),
    }
}

fn updated_at(home: &Home, entry: &Entry) -> Option<DateTime<Utc>> {
    match entry.known() {
        Some(card) => Some(card.updated_at),
        None => {
            let changed = fs::metadata(home.session(entry.session())).ok()?.modified().ok()?;
            Some(changed.into())
        }
    }
}

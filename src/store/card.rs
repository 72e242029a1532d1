//! The index card of a session, `session.json`: what lists need to know without the journal.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::session::{Digest, SessionId, SessionKind, SessionState, SessionStatus, WorkflowId};

use super::error::NamePath;
use super::files::Keep;
use super::origin::is_name;
use super::{Home, StoreError, files};

/// The newest format of cards.
const CARD_FORMAT: u32 = 1;

/// The index card. The journal decides where the two differ.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// Version of this format.
    pub format: u32,
    /// The session.
    pub session_id: SessionId,
    /// Its short id.
    pub workflow_id: WorkflowId,
    /// The workflow's name.
    pub name: String,
    /// `standard` or `mapreduce`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The job, once its items are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_id: Option<String>,
    /// How it stands; a session that says it runs but that nobody holds is shown as interrupted.
    pub status: SessionStatus,
    /// The workflow file.
    pub workflow_path: PathBuf,
    /// Hash of its text.
    pub workflow_hash: Digest,
    /// Name of the repository under `state/`.
    pub repository: String,
    /// Working directory of the run.
    pub directory: PathBuf,
    /// When the session started.
    pub created_at: DateTime<Utc>,
    /// When its last event was written.
    pub updated_at: DateTime<Utc>,
    /// Finished top-level steps.
    pub steps_done: usize,
    /// Steps of all passes.
    pub total_steps: usize,
    /// The last event known to be on disk: a journal that ends before it is damaged.
    pub last_synced_seq: u64,
    /// The session that took its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superseded_by: Option<SessionId>,
    /// When its records were removed; only this card is left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cleaned_at: Option<DateTime<Utc>>,
}

impl Card {
    /// The card of a session; none before its first event.
    #[must_use]
    pub fn of(state: &SessionState, last_synced_seq: u64) -> Option<Self> {
        let header = state.header()?;
        let done = |(address, record): &(&crate::session::Address, &crate::session::Record)| {
            address.is_top_level() && record.result.is_some()
        };
        Some(Self {
            format: CARD_FORMAT,
            session_id: header.session_id.clone(),
            workflow_id: header.workflow_id.clone(),
            name: header.name.clone(),
            kind: state.kind().as_str().to_owned(),
            job_id: state.lifetime.job.clone(),
            status: state.status?,
            workflow_path: header.workflow_path.clone(),
            workflow_hash: header.workflow_hash.clone(),
            repository: header.repository.clone(),
            directory: header.directory.clone(),
            created_at: state.started_at?,
            updated_at: state.updated_at?,
            steps_done: state.standing.records().filter(done).count(),
            total_steps: header.total_steps,
            last_synced_seq,
            superseded_by: state.lifetime.superseded_by.clone(),
            cleaned_at: None,
        })
    }

    /// True for the session of a map workflow.
    #[must_use]
    pub fn has_map(&self) -> bool {
        self.kind == SessionKind::Mapreduce.as_str()
    }

    /// True when there is something left to resume.
    #[must_use]
    pub fn is_resumable(&self) -> bool {
        !self.status.is_completed()
            && self.status != SessionStatus::Running
            && self.superseded_by.is_none()
    }

    /// True when it will never run again: completed, or replaced by another session.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.status.is_completed() || self.superseded_by.is_some()
    }

    /// The card of a session that nobody holds: one that says it runs was interrupted.
    pub(super) fn not_running(mut self) -> Self {
        if self.status == SessionStatus::Running {
            self.status = SessionStatus::Interrupted;
        }
        self
    }

    /// The card of a session as it lies on disk, good or not there.
    ///
    /// # Errors
    /// It cannot be read, is damaged, newer, or belongs to another session.
    pub(super) fn read(home: &Home, id: &SessionId) -> Result<Self, StoreError> {
        let path = home.card(id);
        let bytes = files::read_private(&path).named("read", &path)?;
        let card: Self = serde_json::from_slice(&bytes)
            .map_err(|error| unreadable(&path, format!("it is no index card: {error}")))?;
        if card.format > CARD_FORMAT {
            return Err(StoreError::Newer { path, found: card.format, known: CARD_FORMAT });
        }
        if card.session_id != *id {
            return Err(unreadable(&path, format!("it belongs to {}", card.session_id)));
        }
        if !is_name(&card.repository) || WorkflowId::parse(card.workflow_id.as_str()).is_none() {
            return Err(unreadable(&path, "its names are no names".to_owned()));
        }
        Ok(card)
    }

    /// Writes the card.
    pub(super) fn write(&self, home: &Home, keep: Keep) -> Result<(), StoreError> {
        let path = home.card(&self.session_id);
        let mut text = serde_json::to_vec_pretty(self)
            .map_err(|error| unreadable(&path, error.to_string()))?;
        text.push(b'\n');
        files::write_private(&path, &text, keep)
    }
}

fn unreadable(path: &Path, reason: String) -> StoreError {
    StoreError::Unreadable { path: path.to_owned(), reason }
}

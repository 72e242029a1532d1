//! Sessions as rows of a list: from their journals, or from their cards where those are gone.

use crate::exit::Failure;
use crate::session::{SessionKind, SessionState};
use crate::store::{self, Card, Entry, OpenSession, StoreError};
use crate::view::{Holder, OnDisk, SessionRow};

use super::lookup::Place;

/// One session of a list.
pub(super) struct Listed {
    /// What is shown of it.
    pub row: SessionRow,
    /// Its card.
    pub card: Card,
    /// Its state, where the journal was read.
    pub state: Option<SessionState>,
    /// What is wrong with its records.
    pub problem: Option<String>,
}

/// All sessions that something is known of, and warnings about those that are damaged.
pub(super) fn rows(place: &Place) -> Result<(Vec<Listed>, Vec<String>), Failure> {
    let mut rows = Vec::new();
    let mut warnings = Vec::new();
    for entry in store::cards(&place.home)? {
        let (card, mut problem) = match entry {
            Entry::Known(card) => (Some(card), None),
            Entry::Damaged { card, session, problem } => (card, Some((session, problem))),
        };
        if let Some(card) = card {
            let (mut listed, damage) = listed(place, card);
            let found = damage.as_ref().or(problem.as_ref().map(|(_, problem)| problem));
            listed.problem = found.map(ToString::to_string);
            problem = problem.or_else(|| Some((listed.card.session_id.clone(), damage?)));
            rows.push(listed);
        }
        if let Some((session, problem)) = problem {
            warnings.push(format!(
                "warning: {session} is damaged: {problem}\nhelp: prodigy checkpoints validate {session}"
            ));
        }
    }
    Ok((rows, warnings))
}

/// What the disk knows of a session.
pub(super) fn on_disk(place: &Place, card: &Card) -> OnDisk {
    let holder = match store::holder(&place.home, &card.session_id) {
        Some(_) => Holder::Process,
        None => Holder::Nobody,
    };
    OnDisk { holder, size: store::size(&place.home, &card.session_id) }
}

/// The row of a session, and what is wrong with its journal.
fn listed(place: &Place, card: Card) -> (Listed, Option<StoreError>) {
    let disk = on_disk(place, &card);
    let mut state = None;
    let mut damage = None;
    if card.cleaned_at.is_none() {
        match OpenSession::read(&place.home, &card.session_id) {
            Ok(loaded) => (state, damage) = (Some(loaded.state), loaded.damage),
            Err(problem) => damage = Some(problem),
        }
    }
    let row = state.as_ref().and_then(|state| SessionRow::of(state, disk));
    let row = row.unwrap_or_else(|| SessionRow {
        workflow_id: card.workflow_id.clone(),
        session_id: card.session_id.clone(),
        workflow_name: card.name.clone(),
        session_type: match card.has_map() {
            true => SessionKind::Mapreduce,
            false => SessionKind::Standard,
        },
        mapreduce_state: None,
        status: card.status,
        position: format!("step {}/{}", card.steps_done, card.total_steps),
        current_step_index: card.steps_done,
        total_steps: card.total_steps,
        completed_steps: card.steps_done,
        stage: None,
        versions: 0,
        created_at: Some(card.created_at),
        timestamp: Some(card.updated_at),
        size: disk.size,
        repository: card.repository.clone(),
        superseded_by: card.superseded_by.clone(),
    });
    (Listed { row, card, state, problem: None }, damage)
}

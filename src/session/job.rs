//! How far the job of a session is: what lists, snapshots and summaries tell of it.

use serde::Serialize;

use super::address::Address;
use super::items::{item_number, map_address};
use super::run::SessionKind;
use super::state::SessionState;
use super::status::SessionStatus;

/// The part of a map workflow that a session stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Before the items are known.
    Setup,
    /// Items run.
    Map,
    /// Every item has ended.
    Reduce,
}

/// How far a job is, in items.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JobProgress {
    /// `mapreduce-<yyyymmdd_hhmmss>_<session id>`; absent before the items are frozen.
    pub job_id: Option<String>,
    /// The part it stands in.
    pub phase: Phase,
    /// All items.
    pub total_items: u32,
    /// Items that ended, however.
    pub processed: u32,
    /// Items that succeeded.
    pub successful: u32,
    /// Items that wait in the dead letter queue.
    pub in_dlq: u32,
    /// Items that failed or were left out, and are passed over.
    pub skipped: u32,
    /// Items that have not ended.
    pub pending: u32,
}

impl Phase {
    /// The name of its scope.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Setup => "setup",
            Self::Map => "map",
            Self::Reduce => "reduce",
        }
    }
}

impl JobProgress {
    /// How far the job of `state` is; none for a standard session.
    #[must_use]
    pub fn of(state: &SessionState) -> Option<Self> {
        if state.kind() == SessionKind::Standard {
            return None;
        }
        let items = &state.standing.items;
        let total_items = if state.standing.frozen { state.lifetime.items } else { 0 };
        let waiting = state.lifetime.waiting_dead().count();
        let in_dlq = u32::try_from(waiting).unwrap_or(u32::MAX).min(items.failed());
        Some(Self {
            job_id: state.lifetime.job.clone(),
            phase: phase(state),
            total_items,
            processed: items.ended(),
            successful: items.successful(),
            in_dlq,
            skipped: items.skipped() + (items.failed() - in_dlq),
            pending: total_items.saturating_sub(items.ended()),
        })
    }
}

/// The phase that a map session stands in; where items made it fail, that is the map.
fn phase(state: &SessionState) -> Phase {
    let over = |name: &str| state.standing.scope(&Address::root().join(name));
    let failed_in_item = || {
        let failure = state.failure.as_ref()?;
        item_number(&failure.step)
    };
    if state.status == Some(SessionStatus::Failed) && failed_in_item().is_some() {
        return Phase::Map;
    }
    match state.standing.scope(&map_address()) {
        Some(end) if end.goes_on && has(state, Phase::Reduce) => Phase::Reduce,
        Some(_) => Phase::Map,
        None if state.standing.frozen || over("setup").is_some_and(|end| end.goes_on) => Phase::Map,
        None if has(state, Phase::Setup) => Phase::Setup,
        None => Phase::Map,
    }
}

/// True when the workflow has that phase, as far as its header knows the phases.
fn has(state: &SessionState, wanted: Phase) -> bool {
    let phases = state.header().map(|header| header.stages.as_slice()).unwrap_or_default();
    let names = |phase: Phase| phases.iter().any(|name| name == phase.as_str());
    names(wanted) || !names(Phase::Map)
}

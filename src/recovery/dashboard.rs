//! All recoveries at a glance: totals, ways, classes, days, the latest ones, and how sound the
//! checkpoints are (SPEC 9, DECISIONS A59). Keys as people know them from the dashboard of old.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use indexmap::IndexMap;
use serde::Serialize;

use super::choice::class_word;
use super::state::{RecoveryState, RecoveryStatus};
use crate::session::RecoveryType;

/// The latest recoveries that are listed.
const RECENT: usize = 20;

/// The dashboard.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Dashboard {
    /// Totals.
    pub recovery_summary: Summary,
    /// By the way that was gone.
    pub recovery_by_type: IndexMap<&'static str, Share>,
    /// By the class of the failure.
    pub recovery_by_class: BTreeMap<String, Share>,
    /// By the day they were begun, oldest first.
    pub recovery_by_day: BTreeMap<NaiveDate, Day>,
    /// The latest, newest first.
    pub recent_operations: Vec<Operation>,
    /// Checkpoints that can be gone back to.
    pub checkpoint_status: CheckpointStatus,
}

/// Totals.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// All of them.
    pub total_recoveries: usize,
    /// Those that did what they were for.
    pub successful_recoveries: usize,
    /// Those that did not.
    pub failed_recoveries: usize,
    /// Those that are not over.
    pub in_progress_recoveries: usize,
    /// Successful ones in a hundred of all, to two decimals; none without recoveries.
    pub success_rate: Option<f64>,
}

/// A part of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Share {
    /// All of it.
    pub total: usize,
    /// Those that did what they were for.
    pub successful: usize,
}

/// One day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Day {
    /// Did what they were for.
    pub successful: usize,
    /// Did not.
    pub failed: usize,
    /// Are not over.
    pub in_progress: usize,
}

/// One recovery.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Operation {
    /// The recovery.
    pub id: String,
    /// Its failure.
    pub failure_id: String,
    /// Its repository.
    pub repository: String,
    /// Its session.
    pub workflow_id: String,
    /// The step that failed.
    pub step: Option<String>,
    /// The class of the failure.
    pub class: String,
    /// The way.
    pub recovery_type: RecoveryType,
    /// How it stands.
    pub status: RecoveryStatus,
    /// The checkpoint.
    pub target_checkpoint_id: Option<String>,
    /// When it was begun.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub completed_at: Option<DateTime<Utc>>,
    /// Why this way.
    pub reason: String,
    /// What came of it.
    pub result: Option<String>,
}

/// Checkpoints that can be gone back to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CheckpointStatus {
    /// All of them.
    pub total_checkpoints: usize,
    /// Those of sessions whose records are sound.
    pub healthy_checkpoints: usize,
    /// Sessions whose records are damaged.
    pub damaged_sessions: usize,
    /// By session, the one that did something last first.
    pub sessions: Vec<SessionHealth>,
}

/// The checkpoints of one session.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SessionHealth {
    /// Its short id.
    pub workflow_id: String,
    /// Its repository.
    pub repository: String,
    /// How it stands.
    pub status: String,
    /// How many it has.
    pub checkpoints: usize,
    /// The latest.
    pub latest_checkpoint_id: Option<String>,
    /// When that was made.
    pub created_at: Option<DateTime<Utc>>,
    /// What is wrong; none where all is well.
    pub problem: Option<String>,
}

impl Dashboard {
    /// The dashboard of these recoveries and sessions.
    #[must_use]
    pub fn of(states: &[RecoveryState], sessions: Vec<SessionHealth>) -> Self {
        let mut by_type: IndexMap<&'static str, Share> =
            RecoveryType::ALL.iter().map(|way| (way.as_str(), Share::default())).collect();
        let mut by_class: BTreeMap<String, Share> = BTreeMap::new();
        let mut by_day: BTreeMap<NaiveDate, Day> = BTreeMap::new();
        let mut all = Day::default();
        for state in states {
            let ended = state.status;
            let successful = usize::from(ended == RecoveryStatus::Completed);
            let class = class_word(state.recovery_context.class);
            let ways = by_type.entry(state.recovery_type.as_str()).or_default();
            for share in [ways, by_class.entry(class).or_default()] {
                share.total += 1;
                share.successful += successful;
            }
            for day in [by_day.entry(state.started_at.date_naive()).or_default(), &mut all] {
                match ended {
                    RecoveryStatus::Completed => day.successful += 1,
                    RecoveryStatus::Failed => day.failed += 1,
                    RecoveryStatus::Pending | RecoveryStatus::InProgress => day.in_progress += 1,
                }
            }
        }
        Self {
            recovery_summary: Summary {
                total_recoveries: states.len(),
                successful_recoveries: all.successful,
                failed_recoveries: all.failed,
                in_progress_recoveries: all.in_progress,
                success_rate: rate(all.successful, states.len()),
            },
            recovery_by_type: by_type,
            recovery_by_class: by_class,
            recovery_by_day: by_day,
            recent_operations: states.iter().rev().take(RECENT).map(Operation::of).collect(),
            checkpoint_status: CheckpointStatus::of(sessions),
        }
    }
}

/// Parts in a hundred, to two decimals.
fn rate(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| (part as f64 / whole as f64 * 10_000.0).round() / 100.0)
}

impl Operation {
    fn of(state: &RecoveryState) -> Self {
        let context = &state.recovery_context;
        Self {
            id: state.id.to_string(),
            failure_id: state.failure_id.clone(),
            repository: state.repository.clone(),
            workflow_id: context.workflow_id.to_string(),
            step: context.step.as_ref().map(ToString::to_string),
            class: class_word(context.class),
            recovery_type: state.recovery_type,
            status: state.status,
            target_checkpoint_id: state.target_checkpoint_id.clone(),
            started_at: state.started_at,
            completed_at: state.completed_at,
            reason: context.reason.clone(),
            result: state.metadata.get("result").and_then(|it| it.as_str()).map(str::to_owned),
        }
    }
}

impl CheckpointStatus {
    fn of(sessions: Vec<SessionHealth>) -> Self {
        let count = |healthy: bool| {
            let them = sessions.iter().filter(|it| !healthy || it.problem.is_none());
            them.map(|session| session.checkpoints).sum()
        };
        Self {
            total_checkpoints: count(false),
            healthy_checkpoints: count(true),
            damaged_sessions: sessions.iter().filter(|it| it.problem.is_some()).count(),
            sessions,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_counts_all_and_has_two_decimals() {
        assert_eq!(rate(38, 45), Some(84.44));
        assert_eq!(rate(0, 3), Some(0.0));
        assert_eq!(rate(0, 0), None);
    }
}

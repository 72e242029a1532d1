//! How far a recovery is: one small file of its own, since the journal may be what is broken
//! (DECISIONS A61). Its keys are those of the `recovery_states` table that people know.

use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::session::{Address, FailureClass, RecoveryId, RecoveryType, SessionId, WorkflowId};

/// A recovery: what it goes after, which way, and how far it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecoveryState {
    /// The recovery.
    pub id: RecoveryId,
    /// The failure that it goes after.
    pub failure_id: String,
    /// Name of the repository under `state/`.
    pub repository: String,
    /// The way.
    pub recovery_type: RecoveryType,
    /// How it stands.
    pub status: RecoveryStatus,
    /// The checkpoint it goes back to or on from, `<workflow-id>@vN`.
    #[serde(default)]
    pub target_checkpoint_id: Option<String>,
    /// Its steps in order, as they were planned.
    #[serde(default)]
    pub recovery_plan: Vec<StepWord>,
    /// When it was begun.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    #[serde(default)]
    pub completed_at: Option<DateTime<Utc>>,
    /// What was done so far, oldest first.
    #[serde(default)]
    pub progress_steps: Vec<ProgressStep>,
    /// What it was decided from.
    pub recovery_context: RecoveryContext,
    /// The state before a rollback, to which `rollback --undo` goes back.
    #[serde(default)]
    pub rollback_checkpoint_id: Option<String>,
    /// True when records of the session were found damaged.
    #[serde(default)]
    pub corruption_detected: bool,
    /// What the validation before it said; `{}` before that.
    #[serde(default = "nothing")]
    pub validation_results: Value,
    /// What else was said of it: `reason` of a rollback, why it ended.
    #[serde(default)]
    pub metadata: IndexMap<String, Value>,
}

fn nothing() -> Value {
    Value::Object(serde_json::Map::new())
}

/// How a recovery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecoveryStatus {
    /// Decided; nothing is done yet (a person may have to say yes first).
    Pending,
    /// Begun. A crash leaves it so: `initiate` goes on with it.
    InProgress,
    /// It did what it was for.
    Completed,
    /// It did not.
    Failed,
}

impl RecoveryStatus {
    /// The word as it stands in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
            Self::Failed => "failed",
        }
    }

    /// True while it has not ended.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::Pending | Self::InProgress)
    }
}

/// What a recovery does, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepWord {
    /// Integrity, environment, artifacts and requirements are looked at.
    ValidateState,
    /// The files are saved as they are, so that the recovery can be undone.
    SavePresentState,
    /// The best checkpoint that is valid becomes the present state.
    RestoreContext,
    /// The delay of the rule passes.
    Wait,
    /// The fix steps of the rule run.
    ApplyFix,
    /// The failed step runs again, and what follows it.
    RetryStep,
    /// The session goes on from the checkpoint.
    ResumeExecution,
    /// The files become what they were at the checkpoint.
    RestoreFiles,
    /// Variables and position become what they were at the checkpoint.
    SetPosition,
}

/// One step of a recovery.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProgressStep {
    /// What it does.
    pub step: StepWord,
    /// How it stands.
    pub status: RecoveryStatus,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<DateTime<Utc>>,
    /// The attempt of the recovery, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// Of a wait: when it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<DateTime<Utc>>,
    /// What came of it, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// Who chose the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Chooser {
    /// A rule: marked steps are not repeated.
    Rule,
    /// A person, with `--type`, `rollback` or `resume`.
    Person,
}

/// What a recovery was decided from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecoveryContext {
    /// The session.
    pub session_id: SessionId,
    /// Its short id.
    pub workflow_id: WorkflowId,
    /// The step that failed; absent where a session was stopped and nothing failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<Address>,
    /// The class of the failure.
    pub class: FailureClass,
    /// Which recovery of this step it is, from 1.
    #[serde(default = "first")]
    pub number: u32,
    /// Who chose the way.
    pub chosen_by: Chooser,
    /// Why this way, for people.
    pub reason: String,
    /// The rule that matched, as it is written in a rule file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Value>,
    /// Where that rule stands: `built-in`, `recovery.yaml` or `workflow`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule_source: Option<String>,
}

fn first() -> u32 {
    1
}

impl RecoveryState {
    /// A recovery that is decided and not begun.
    #[must_use]
    pub fn new(
        failure_id: String,
        repository: String,
        recovery_type: RecoveryType,
        recovery_context: RecoveryContext,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            id: RecoveryId::fresh(),
            failure_id,
            repository,
            recovery_type,
            status: RecoveryStatus::Pending,
            target_checkpoint_id: None,
            recovery_plan: Vec::new(),
            started_at: now,
            completed_at: None,
            progress_steps: Vec::new(),
            recovery_context,
            rollback_checkpoint_id: None,
            corruption_detected: false,
            validation_results: nothing(),
            metadata: IndexMap::new(),
        }
    }

    /// A step begins. One that a crash left open goes on under its old entry.
    pub fn begin(
        &mut self,
        step: StepWord,
        attempt: Option<u32>,
        now: DateTime<Utc>,
    ) -> &mut ProgressStep {
        self.status = RecoveryStatus::InProgress;
        let open = |it: &ProgressStep| {
            it.step == step && it.attempt == attempt && it.status == RecoveryStatus::InProgress
        };
        let index = match self.progress_steps.iter().position(open) {
            Some(index) => index,
            None => {
                self.progress_steps.push(ProgressStep {
                    step,
                    status: RecoveryStatus::InProgress,
                    started_at: now,
                    completed_at: None,
                    attempt,
                    not_before: None,
                    detail: None,
                });
                self.progress_steps.len() - 1
            }
        };
        &mut self.progress_steps[index]
    }

    /// The step that is open ends.
    pub fn end(&mut self, status: RecoveryStatus, detail: Option<String>, now: DateTime<Utc>) {
        let mut steps = self.progress_steps.iter_mut().rev();
        if let Some(step) = steps.find(|step| step.status == RecoveryStatus::InProgress) {
            step.status = status;
            step.completed_at = Some(now);
            step.detail = detail.or(step.detail.take());
        }
    }

    /// True when this step of this attempt was done before a crash.
    #[must_use]
    pub fn has_done(&self, step: StepWord, attempt: Option<u32>) -> bool {
        self.progress_steps.iter().any(|it| {
            it.step == step && it.attempt == attempt && it.status == RecoveryStatus::Completed
        })
    }

    /// It has not begun after all: it is only decided, and waits for a person.
    pub fn put_off(&mut self) {
        self.status = RecoveryStatus::Pending;
        self.progress_steps.clear();
    }

    /// The recovery ends; a step that is still open ends the same way.
    pub fn finish(&mut self, status: RecoveryStatus, reason: &str, now: DateTime<Utc>) {
        while self.progress_steps.iter().any(|step| step.status == RecoveryStatus::InProgress) {
            self.end(status, None, now);
        }
        self.status = status;
        self.completed_at = Some(now);
        self.metadata.insert("result".to_owned(), Value::from(reason));
    }
}

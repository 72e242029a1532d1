//! The events of a session: immutable facts, appended to its journal one by one.

use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::address::Address;
use super::digest::Digest;
use super::files::{KeptFiles, RollbackStarted};
use super::ids::SessionId;
use super::items::{ItemFailure, ItemStatus, ResultRef};
use super::outcome::{AgentReport, Failure, Report, StepResult};
use super::recovery::{RecoveryFinished, RecoveryStarted};
use super::run::{RunFailure, RunStarted, SessionStarted};
use super::short_result::ShortResult;
use super::status::{PersonsAnswer, SessionStatus, WaitReason};
use super::stored::Stored;

/// One event with its place in the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Its number, counted from 1 without gaps.
    pub seq: u64,
    /// When it was written.
    pub at: DateTime<Utc>,
    /// True for what stands only together with the next event: a crash between the two undoes
    /// both.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub with_next: bool,
    /// What happened.
    #[serde(rename = "event")]
    pub kind: EventKind,
}

impl Event {
    /// An event that stands by itself.
    #[must_use]
    pub fn new(seq: u64, at: DateTime<Utc>, kind: EventKind) -> Self {
        Self { seq, at, with_next: false, kind }
    }
}

/// What can happen. Each variant says who writes it and when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// `cook`, once, before anything else: what this session is.
    SessionStarted(Box<SessionStarted>),
    /// `cook` and every resume, when it has taken the lock: one process begins to run the session.
    RunStarted(Box<RunStarted>),
    /// The executor, before the effect of an attempt.
    StepStarted {
        /// Where.
        address: Address,
        /// The attempt, counted from 1 over the whole life of the session.
        #[serde(default = "first", skip_serializing_if = "is_first")]
        attempt: u32,
        /// What is run, for people, with secrets masked; empty for plain steps of items.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        command: String,
        /// What its author calls it, with secrets masked; only shown.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        name: String,
        /// Its `id`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// The agent's session id, so that a crash can continue its conversation.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        agent_session: Option<String>,
        /// True when the agent continues a conversation that already exists.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        agent_continues: bool,
        /// HEAD before it, in a git repository, where the step asks for commits.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        head: Option<String>,
    },
    /// The executor, right after the spawn: which processes to end after a crash.
    StepSpawned {
        /// Where.
        address: Address,
        /// Process id, which is also the process group.
        pid: i32,
        /// Start time as the kernel tells it.
        born: u64,
    },
    /// The executor, when an agent's process has ended, however it did: the one place where
    /// money and tokens are counted.
    AgentEnded {
        /// Where.
        address: Address,
        /// The attempt.
        attempt: u32,
        /// What it cost, as far as the agent said.
        agent: Box<AgentReport>,
    },
    /// The executor, when an attempt ended and the step goes on: it will be retried,
    /// handled or checked.
    AttemptFinished {
        /// Where.
        address: Address,
        /// The attempt.
        attempt: u32,
        /// What came of it.
        report: Box<Report>,
    },
    /// The executor, before it waits to run an attempt again.
    RetryScheduled {
        /// Where.
        address: Address,
        /// The attempt that will start.
        attempt: u32,
        /// The delay in milliseconds; a wait is never longer than this.
        delay_ms: u64,
        /// When it is over.
        not_before: DateTime<Utc>,
        /// Attempts allowed in all; absent where nothing limits them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_attempts: Option<u32>,
        /// True when the attempt before it does not count (a provider's limit).
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        uncounted: bool,
        /// That of the failure it follows; empty in older journals and after a provider's limit.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        correlation_id: String,
    },
    /// The executor: a handler's condition was looked at, and it runs.
    HandlerStarted {
        /// Where: `3.on_failure[1]`.
        address: Address,
        /// Its id, or its number in the chain.
        id: String,
        /// Its strategy.
        strategy: String,
        /// Which run of the handler, from 1.
        attempt: u32,
        /// The id that ties everything that follows from one failure together.
        correlation_id: String,
    },
    /// The executor: a handler was not run, because its condition was false or could not be
    /// evaluated.
    HandlerSkipped {
        /// Where.
        address: Address,
        /// Its id, or its number in the chain.
        id: String,
        /// Why.
        reason: String,
        /// True when the condition could not be evaluated: the handler counts as failed.
        failed: bool,
    },
    /// The executor: a handler ended.
    HandlerFinished {
        /// Where.
        address: Address,
        /// Its id, or its number in the chain.
        id: String,
        /// Whether all its commands succeeded.
        success: bool,
        /// Why not.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<String>,
        /// Its output.
        #[serde(default)]
        output: Stored,
        /// The name under which later steps see its output.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        capture: Option<String>,
        /// Which run of the handler.
        attempt: u32,
    },
    /// The executor: a failure reached a scope that has handlers, or a step's handlers begin;
    /// holds what `error.*` says until the scope is finished.
    ErrorRaised {
        /// The step, stage or (root) workflow whose handlers answer.
        address: Address,
        /// The step that failed.
        step: Address,
        /// Why.
        failure: Failure,
        /// Its exit code.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        exit_code: Option<i32>,
        /// The attempt that failed.
        attempt: u32,
        /// Its stdout.
        #[serde(default)]
        output: Stored,
        /// Its stderr.
        #[serde(default)]
        stderr: Stored,
        /// Ties retries, handlers and resumes of this failure together.
        correlation_id: String,
    },
    /// The executor: the scope that an error was raised at is through with it.
    ErrorSettled {
        /// The address of the [`EventKind::ErrorRaised`].
        address: Address,
        /// True when the workflow goes on.
        goes_on: bool,
    },
    /// The executor: the items of a loop were evaluated; they never change afterwards.
    LoopStarted {
        /// The loop's step.
        address: Address,
        /// Its items.
        items: Vec<Stored>,
    },
    /// The executor: the work items of the map are frozen in the job's `items.jsonl`.
    JobStarted {
        /// `mapreduce-<yyyymmdd_hhmmss>_<session id>`.
        job: String,
        /// How many items there are.
        items: u32,
        /// A restore point after every so many items, beside the end of the phase.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        checkpoint_frequency: Option<u32>,
        /// CRC-32 of `items.jsonl`; absent in older journals.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        items_crc: Option<u32>,
    },
    /// The executor: an item ended, with its result, or after that was written.
    ItemFinished {
        /// Its number, from 1.
        item: u32,
        /// How it ended.
        #[serde(default, skip_serializing_if = "ItemStatus::is_success")]
        status: ItemStatus,
        /// Its result, where that is short; absent in older journals.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        value: Option<ShortResult>,
        /// Where its result is otherwise.
        #[serde(default, skip_serializing_if = "ResultRef::is_none")]
        result: ResultRef,
    },
    /// The executor: a run of an item failed; before [`EventKind::ItemFinished`] if for good.
    ItemFailed {
        /// Its number, from 1.
        item: u32,
        /// Why, and what follows.
        failure: Box<ItemFailure>,
    },
    /// `dlq clear`: these items do not wait in the dead letter queue any more.
    DlqCleared {
        /// Their numbers.
        items: Vec<u32>,
    },
    /// The executor: one measurement of a `goal_seek` or `validate` loop.
    Scored {
        /// `4.goal[2]` or `5.validate[1]`.
        address: Address,
        /// 0–100.
        score: f64,
        /// True when it reaches the threshold.
        reached: bool,
        /// The validation result, or the text the score was read from.
        #[serde(default)]
        detail: Stored,
    },
    /// The executor: a step ended; it never runs again unless a rewind says so.
    StepFinished {
        /// Where.
        address: Address,
        /// Its `id`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// What came of it.
        result: Arc<StepResult>,
        /// The name of an explicit checkpoint, empty for an unnamed one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        checkpoint: Option<String>,
        /// Of a step that was never started: its name and what it would have run, with secrets
        /// masked; only shown.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        name: String,
    },
    /// The executor: a stage or pass ended.
    ScopeFinished {
        /// `staging`, `pass[2]`.
        address: Address,
        /// Its standing.
        status: super::outcome::StepStatus,
        /// True when the workflow goes on.
        goes_on: bool,
        /// What the restore point after it is called besides (`checkpoint:` of a stage).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        checkpoint: Option<String>,
    },
    /// Whoever sends the session back (SPEC 1 "rewind").
    Rewound {
        /// The prefix under which results, captures and position are forgotten.
        scope: Address,
        /// From this 1-based index of the scope's sequence on; absent: everything under it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<usize>,
        /// How far it reaches below the scope.
        #[serde(default, skip_serializing_if = "Reach::is_subtree")]
        reach: Reach,
        /// Only for the root: back to the state after this event.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to_seq: Option<u64>,
        /// Why.
        cause: RewindCause,
        /// The step or stage whose handler or retry asked for it, where that is not the scope.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Address>,
    },
    /// A confirmation was asked for and answered.
    Confirmed {
        /// The stage or step.
        address: Address,
        /// True for yes.
        yes: bool,
        /// `terminal` or `--yes`.
        by: String,
    },
    /// The executor: the session stops here until something outside changes.
    Waiting {
        /// The stage or step.
        address: Address,
        /// Why.
        reason: WaitReason,
        /// What to do, for people.
        message: String,
        /// When it may go on by itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<DateTime<Utc>>,
    },
    /// `resume --done ADDRESS`, `--rerun ADDRESS`: a person's answer for a marked step.
    Answered {
        /// The step.
        address: Address,
        /// What the person said.
        answer: PersonsAnswer,
    },
    /// `resume --accept-changes`: the session goes on with an edited workflow.
    WorkflowChanged {
        /// Hash of the new file.
        workflow_hash: Digest,
        /// Its steps, of all passes.
        total_steps: usize,
        /// Its stages in order.
        #[serde(default)]
        stages: Vec<String>,
        /// The finished addresses that are kept, old → new.
        kept: Vec<(Address, Address)>,
        /// The addresses of steps that are the same and were edited, old → new: they run again,
        /// their attempts are counted on.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        edited: Vec<(Address, Address)>,
        /// True when the items of the map are read again; results of those that are the same stay.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        items: bool,
    },
    /// The executor, at the orderly end of a run.
    RunFinished {
        /// How the session stands now.
        status: SessionStatus,
        /// Active time of this run in milliseconds.
        active_ms: u64,
        /// The failure that ended it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failure: Option<RunFailure>,
    },
    /// `sessions fork`: everything before was copied from another session, which goes its own way.
    Forked {
        /// That session.
        from: SessionId,
        /// The event that it was copied up to.
        seq: u64,
        /// The version that this was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        version: Option<u32>,
    },
    /// The executor and `recovery`: the files of the working tree are kept as they are now.
    FilesKept(Box<KeptFiles>),
    /// `recovery`: the state as it is becomes a restore point, because something is about to
    /// go back over it.
    CheckpointMade {
        /// The step that ended last, or the root.
        address: Address,
        /// Its name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
    /// `recovery rollback`: from here to the rewind that follows, files are restored.
    RollbackStarted(Box<RollbackStarted>),
    /// `recovery rollback`: the files are restored.
    FilesRestored {
        /// The tree of all files as they are now, which is not that of the checkpoint where some
        /// had to stay as they were.
        tree: String,
    },
    /// `recovery`, when a recovery or a further attempt of it begins.
    RecoveryStarted(Box<RecoveryStarted>),
    /// `recovery`, when a recovery is over.
    RecoveryFinished(Box<RecoveryFinished>),
    /// `resume`: the directory of the session was moved, and it goes on there.
    Moved {
        /// Its working directory now, absolute.
        directory: PathBuf,
        /// The workflow file now.
        workflow_path: PathBuf,
    },
    /// `resume --force`: a new session took this one's place.
    Superseded {
        /// The new one.
        by: SessionId,
    },
}

fn first() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_first(attempt: &u32) -> bool {
    *attempt == 1
}

/// How far a rewind reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// The scope and everything under it.
    #[default]
    Subtree,
    /// The scope's own result and its handlers and checks; finished steps and rounds inside it stay.
    Own,
}

impl Reach {
    fn is_subtree(&self) -> bool {
        *self == Self::Subtree
    }
}

/// Why a session went back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RewindCause {
    /// `retry:` of a stage, or of a handler.
    Retry,
    /// `max_attempts`/`retry_original`/`strategy: retry` of a handler: the step runs again.
    Rerun,
    /// `strategy: partial_resume`.
    PartialResume,
    /// `resume` of a failed step or scope.
    Resume,
    /// `resume --from-checkpoint`.
    FromCheckpoint,
    /// `resume --from-step`.
    FromStep,
    /// `resume --rerun`.
    PersonsRerun,
    /// `on_resume: always`.
    Always,
    /// An edited workflow (`--accept-changes`).
    Edited,
    /// `recovery rollback`.
    Rollback,
    /// `dlq retry`, `resume-job --force`: items of the dead letter queue run again.
    DlqRetry,
}

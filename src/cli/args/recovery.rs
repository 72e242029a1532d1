//! Flags of `recovery`: the way back of sessions that failed.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum, ValueHint};

use super::RunOptions;
use super::assignment::parse_assignment;
use crate::session::{Address, RecoveryType};

/// `recovery …`.
#[derive(Debug, Subcommand)]
pub enum Recovery {
    /// Give the latest restore point of a session a name
    CreateCheckpoint(CreateCheckpoint),
    /// Bring a failed session back, the way its failure asks for
    Initiate(Box<Initiate>),
    /// Show how far recoveries are
    Status(RecoveryStatus),
    /// Go back to a checkpoint, in a git repository with the files
    Rollback(Rollback),
    /// Show how recoveries fared, and how sound the checkpoints are
    Dashboard(RecoveryDashboard),
}

/// `recovery rollback [ID]`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  prodigy recovery rollback                          the last good checkpoint of the latest session
  prodigy recovery rollback --checkpoint-id build-3fa9c1@v4 --reason 'wrong branch'
  prodigy recovery rollback build-3fa9c1 --undo      back to the state before the last rollback
  prodigy resume build-3fa9c1

Nothing runs, and HEAD, branches, index and stash stay as they are. The same command again
finishes a rollback that was killed.

Exit codes:
  0 done                         4 the session runs
  2 ambiguous id                 5 the session or the kept files are damaged
  3 no such session or checkpoint, or its files were not kept
  6 nobody said yes, or a step marked with on_resume is in the way")]
pub struct Rollback {
    /// The session; without it that of the checkpoint, else the latest one of this repository
    #[arg(value_name = "ID")]
    pub id: Option<String>,
    /// Where to: ID@vN, ID@NAME, vN or NAME; v0 is the beginning
    #[arg(long, value_name = "CHECKPOINT", conflicts_with = "undo")]
    pub checkpoint_id: Option<String>,
    /// Why; it is recorded
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Go back to the state before the latest rollback
    #[arg(long)]
    pub undo: bool,
    /// A finished step marked with on_resume is to run again
    #[arg(long, value_name = "ADDRESS", value_parser = Address::parse)]
    pub rerun: Vec<Address>,
    /// A finished step marked with on_resume is done and is not to run again
    #[arg(long, value_name = "ADDRESS", value_parser = Address::parse)]
    pub done: Vec<Address>,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
    /// Print a JSON object
    #[arg(long)]
    pub json: bool,
}

/// `recovery create-checkpoint [ID]`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  prodigy recovery create-checkpoint build-3fa9c1 --name before-upgrade
  prodigy recovery create-checkpoint --type job --metadata ticket=812
  prodigy resume build-3fa9c1 --from-checkpoint before-upgrade

It works while the session runs, too.

Exit codes:
  0 named                        3 no such session, or no restore point yet
  2 ambiguous id, or bad name    5 the session is damaged")]
pub struct CreateCheckpoint {
    /// The session; without it the latest one of this repository
    #[arg(value_name = "ID")]
    pub id: Option<String>,
    /// The name, by default checkpoint-<time>
    #[arg(long, visible_alias = "checkpoint-name", value_name = "NAME")]
    pub name: Option<String>,
    /// What it marks: step, job or workflow
    #[arg(
        long = "type",
        visible_alias = "checkpoint-type",
        value_enum,
        hide_possible_values = true,
        value_name = "TYPE",
        default_value_t = CheckpointType::Step
    )]
    pub kind: CheckpointType,
    /// Say something of it; may be given more than once
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_assignment)]
    pub metadata: Vec<(String, String)>,
    /// Print a JSON object
    #[arg(long)]
    pub json: bool,
}

/// What a named restore point marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum CheckpointType {
    /// The end of a step
    #[default]
    Step,
    /// The end of a job
    Job,
    /// A point of the workflow
    Workflow,
}

impl CheckpointType {
    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Step => "step",
            Self::Job => "job",
            Self::Workflow => "workflow",
        }
    }
}

/// `recovery initiate [ID]`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  prodigy recovery initiate                             the latest failed session of this repository
  prodigy recovery initiate build-3fa9c1 --dry-run      which way, and why; do nothing
  prodigy recovery initiate --failure-id failure-3fa9c1-1
  prodigy recovery initiate build-3fa9c1 --type resume  this way, whatever the rules say

A recovery that was killed goes on where it was.

Exit codes:
  0 the session completed              4 another process holds the session
  1 it failed, or may not go on        5 the session is damaged
  2 nothing failed, or wrong usage     6 a person has to answer or decide
  3 no such session or failure         7 parked
  129, 130, 143 stopped by SIGHUP, SIGINT, SIGTERM")]
pub struct Initiate {
    /// A session, or a failure; without it the latest failed session of this repository
    #[arg(value_name = "ID")]
    pub id: Option<String>,
    /// The failure
    #[arg(long, value_name = "ID", conflicts_with = "id")]
    pub failure_id: Option<String>,
    /// The way: retry, resume or rollback; without it the rules decide
    #[arg(long = "type", value_enum, hide_possible_values = true, value_name = "TYPE")]
    pub kind: Option<RecoveryKind>,
    /// Show which way and why, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Recover once more although the limit is reached
    #[arg(long)]
    pub force: bool,
    /// Continue with a workflow file that was edited
    #[arg(long)]
    pub accept_changes: bool,
    /// Print the recovery as JSON, and nothing of the steps
    #[arg(long, conflicts_with = "output")]
    pub json: bool,
    /// How it runs
    #[command(flatten)]
    pub options: RunOptions,
}

/// The ways back, as typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RecoveryKind {
    /// Fix, wait, run the failed step again
    Retry,
    /// Go on from the last valid checkpoint
    Resume,
    /// Back to the last good checkpoint
    Rollback,
}

impl From<RecoveryKind> for RecoveryType {
    fn from(kind: RecoveryKind) -> Self {
        match kind {
            RecoveryKind::Retry => Self::Retry,
            RecoveryKind::Resume => Self::Resume,
            RecoveryKind::Rollback => Self::Rollback,
        }
    }
}

/// `recovery status [ID]`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  prodigy recovery status                          the latest of this repository
  prodigy recovery status recovery-1c7d0e5b9a42
  prodigy recovery status failure-3fa9c1-1         all that went after this failure
  prodigy recovery status build-3fa9c1 --json      all of this session

Exit codes:
  0 shown     2 ambiguous id     3 no such recovery, failure or session")]
pub struct RecoveryStatus {
    /// A recovery, a failure or a session
    #[arg(value_name = "ID")]
    pub id: Option<String>,
    /// The recovery
    #[arg(long, value_name = "ID", conflicts_with_all = ["id", "failure_id"])]
    pub recovery_id: Option<String>,
    /// The failure
    #[arg(long, value_name = "ID", conflicts_with = "id")]
    pub failure_id: Option<String>,
    /// Print JSON: an object for one recovery by its own id, else an array
    #[arg(long)]
    pub json: bool,
}

/// `recovery dashboard`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  prodigy recovery dashboard
  prodigy recovery dashboard --repository shop --json
  prodigy recovery dashboard --html recoveries.html     one page that needs nothing else")]
pub struct RecoveryDashboard {
    /// Only of this repository, by its name in `sessions list`
    #[arg(long, value_name = "NAME")]
    pub repository: Option<String>,
    /// Write a page with charts
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub html: Option<PathBuf>,
    /// Print a JSON object
    #[arg(long)]
    pub json: bool,
}

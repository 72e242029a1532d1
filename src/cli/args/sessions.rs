//! Flags of `checkpoints` and `sessions`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueHint};

/// `checkpoints …`.
#[derive(Debug, Subcommand)]
pub enum Checkpoints {
    /// List the sessions with restore points, or the versions of one
    List(CheckpointsList),
    /// Show a session as it stood at a version
    Show(CheckpointsShow),
    /// Remove sessions that are over
    Clean(CheckpointsClean),
    /// Check every record of a session
    Validate(CheckpointsValidate),
    /// Pack a session into one file, to resume on another machine
    Export(CheckpointsExport),
    /// Unpack a session
    Import(CheckpointsImport),
}

/// `checkpoints list`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  prodigy checkpoints list
  prodigy checkpoints list --workflow-id build-3fa9c1   its versions
  prodigy checkpoints list --json

Exit codes:
  0 shown     2 ambiguous id     3 no such session     5 the session is damaged")]
pub struct CheckpointsList {
    /// List the versions of this session
    #[arg(long, value_name = "ID")]
    pub workflow_id: Option<String>,
    /// Print a JSON array
    #[arg(long)]
    pub json: bool,
}

/// `checkpoints show ID`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  prodigy checkpoints show build-3fa9c1
  prodigy checkpoints show build --version 2
  prodigy checkpoints show build --diff v1..v3
  prodigy checkpoints show build --verbose      outputs and variables in full

Exit codes:
  0 shown     2 ambiguous id     3 no such session or version     5 the session is damaged")]
pub struct CheckpointsShow {
    /// The session
    #[arg(value_name = "ID")]
    pub id: String,
    /// As it stood at this version or named checkpoint
    #[arg(long, value_name = "vN|NAME")]
    pub version: Option<String>,
    /// What changed from version A to version B
    #[arg(long, value_name = "A..B", conflicts_with = "version", value_parser = parse_range)]
    pub diff: Option<(String, String)>,
    /// Print JSON with the keys of the checkpoint file
    #[arg(long)]
    pub json: bool,
}

/// `checkpoints clean`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  prodigy checkpoints clean --all                    everything that is completed
  prodigy checkpoints clean --all --older-than 7d
  prodigy checkpoints clean --workflow-id build-3fa9c1
  prodigy checkpoints clean --all --force            no question, for scripts

A session that is running is never touched.

Exit codes:
  0 done     2 wrong usage     3 no such session     4 it is running     6 nobody to ask")]
pub struct CheckpointsClean {
    /// What to remove.
    #[command(flatten)]
    pub selection: Selection,
    /// Remove without a question
    #[arg(long, visible_short_alias = 'y', visible_alias = "yes")]
    pub force: bool,
    /// Show what would be removed, and remove nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Print a JSON array of what is (or would be) removed
    #[arg(long)]
    pub json: bool,
}

/// Which sessions `clean` means.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub struct Selection {
    /// Only this session, whatever its state
    #[arg(long, value_name = "ID", conflicts_with = "all")]
    pub workflow_id: Option<String>,
    /// All completed sessions
    #[arg(long)]
    pub all: bool,
    /// Only completed sessions that ended before this long ago (7d, 12h)
    #[arg(long, value_name = "AGE", value_parser = humantime::parse_duration)]
    pub older_than: Option<Duration>,
}

/// `checkpoints validate ID`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  prodigy checkpoints validate build-3fa9c1
  prodigy checkpoints validate build-3fa9c1 --repair

Exit codes:
  0 sound, or repaired     2 ambiguous id     3 no such session
  4 it is running          5 damaged          6 nobody to ask")]
pub struct CheckpointsValidate {
    /// The session
    #[arg(value_name = "ID")]
    pub id: String,
    /// Go back to the last good record, after saying what would run again
    #[arg(long)]
    pub repair: bool,
    /// Repair without a question
    #[arg(short, long, requires = "repair")]
    pub yes: bool,
    /// Print the finding as JSON
    #[arg(long)]
    pub json: bool,
}

/// `checkpoints export ID`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  prodigy checkpoints export build-3fa9c1
  prodigy checkpoints export build-3fa9c1 -o /media/stick/build.prodigy

The archive holds journal, workflow and logs, and in a git repository the files that were kept
at its checkpoints, also those that no commit has.

Exit codes:
  0 written     2 ambiguous id, or the file exists     3 no such session     4 it is running")]
pub struct CheckpointsExport {
    /// The session
    #[arg(value_name = "ID")]
    pub id: String,
    /// The archive to write, by default <workflow-id>.prodigy here
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
    /// Leave out the kept files of the working tree: no rollback will restore them
    #[arg(long)]
    pub without_files: bool,
}

/// `checkpoints import FILE`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  prodigy checkpoints import build.prodigy && prodigy resume build

A session whose id is taken here gets a fresh one. It goes on in its old directory,
or in this one when that does not exist here.

Exit codes:
  0 imported     3 no such file     5 the archive is damaged")]
pub struct CheckpointsImport {
    /// The archive
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
}

/// `sessions …`.
#[derive(Debug, Subcommand)]
pub enum Sessions {
    /// List all sessions
    List(SessionsList),
    /// Show one session
    Show(SessionsShow),
    /// Start a new session from an old point of one, which stays as it is
    Fork(SessionsFork),
    /// Remove sessions that are over
    Clean(SessionsClean),
}

/// `sessions fork ID`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  prodigy sessions fork build-3fa9c1 --at v2
  prodigy sessions fork build --at compiled      a named checkpoint, or the end of a stage
  prodigy sessions fork build                    its latest checkpoint

The new session has ids of its own and runs in the same directory; prodigy resume NEW_ID runs it on.

Exit codes:
  0 forked     2 ambiguous id, or no way to go on from there
  3 no such session or checkpoint     5 the session is damaged")]
pub struct SessionsFork {
    /// The session
    #[arg(value_name = "ID")]
    pub id: String,
    /// The version or named checkpoint; without it the latest version
    #[arg(long, value_name = "vN|NAME")]
    pub at: Option<String>,
    /// Print JSON with the keys of the index card
    #[arg(long)]
    pub json: bool,
}

/// `sessions list`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  prodigy sessions list
  prodigy sessions list --status failed --status interrupted
  prodigy sessions list --here --json")]
pub struct SessionsList {
    /// Only sessions in this state
    #[arg(long, value_name = "STATUS", value_parser = STATUS_WORDS)]
    pub status: Vec<String>,
    /// Only sessions of this repository
    #[arg(long)]
    pub here: bool,
    /// Print a JSON array
    #[arg(long)]
    pub json: bool,
}

/// `sessions show ID`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  prodigy sessions show build-3fa9c1

Exit codes:
  0 shown     2 ambiguous id     3 no such session     5 the session is damaged")]
pub struct SessionsShow {
    /// The session
    #[arg(value_name = "ID")]
    pub id: String,
    /// Print JSON with the keys of the checkpoint file
    #[arg(long)]
    pub json: bool,
}

/// `sessions clean`.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("which").args(["id", "all", "older_than"]).required(true).multiple(true))]
#[command(after_help = "\
Examples:
  prodigy sessions clean --all --older-than 30d
  prodigy sessions clean --id build-3fa9c1

A session that is running is never touched.

Exit codes:
  0 done     2 wrong usage     3 no such session     4 it is running     6 nobody to ask")]
pub struct SessionsClean {
    /// Only this session, whatever its state
    #[arg(long, value_name = "ID", conflicts_with = "all")]
    pub id: Option<String>,
    /// All completed sessions
    #[arg(long)]
    pub all: bool,
    /// Only completed sessions that ended before this long ago (7d, 12h)
    #[arg(long, value_name = "AGE", value_parser = humantime::parse_duration)]
    pub older_than: Option<Duration>,
    /// Remove without a question
    #[arg(long, visible_short_alias = 'y', visible_alias = "yes")]
    pub force: bool,
    /// Show what would be removed, and remove nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Print a JSON array of what is (or would be) removed
    #[arg(long)]
    pub json: bool,
}

const STATUS_WORDS: [&str; 7] = [
    "running",
    "interrupted",
    "completed",
    "completed_with_failures",
    "failed",
    "waiting",
    "parked",
];

fn parse_range(text: &str) -> Result<(String, String), String> {
    match text.split_once("..") {
        Some((from, to)) if !from.is_empty() && !to.is_empty() => {
            Ok((from.to_owned(), to.to_owned()))
        }
        _ => Err(format!("{text:?} is not A..B, for example v1..v3")),
    }
}

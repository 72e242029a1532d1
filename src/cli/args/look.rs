//! Flags of the commands that look at what happened: `events` and `logs`.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand, ValueHint};

use crate::session::Address;
use crate::view::EVENT_TYPES;

/// `events …`.
#[derive(Debug, Subcommand)]
pub enum Events {
    /// List the events of a session
    Ls(EventsList),
    /// Show events as they happen, until the session ends
    Follow(EventsFollow),
    /// Count events, steps, retries and costs
    Stats(EventsStats),
    /// Write the events as JSON Lines
    Export(EventsExport),
}

/// Which events are meant.
#[derive(Debug, Clone, Args)]
pub struct EventFilter {
    /// The session; without it the latest one of this repository
    #[arg(long, value_name = "ID")]
    pub session: Option<String>,
    /// The session of this job
    #[arg(long, value_name = "JOB", conflicts_with = "session")]
    pub job_id: Option<String>,
    /// Only events of this type, e.g. step_finished
    #[arg(long = "type", value_name = "TYPE", hide_possible_values = true, value_parser = EVENT_TYPES)]
    pub types: Vec<String>,
    /// Only events since then: an age (2h) or a time (2026-01-31T12:00:00Z)
    #[arg(long, value_name = "WHEN", value_parser = parse_since)]
    pub since: Option<DateTime<Utc>>,
    /// Only events about this step, stage or loop and what lies below it
    #[arg(long, value_name = "ADDRESS", value_parser = Address::parse)]
    pub step: Option<Address>,
}

/// `events ls`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  prodigy events ls
  prodigy events ls --session build-3fa9c1 --type step_finished
  prodigy events ls --since 2h --json

Exit codes:
  0 shown     2 ambiguous id     3 no such session     5 the session is damaged")]
pub struct EventsList {
    /// Which events.
    #[command(flatten)]
    pub filter: EventFilter,
    /// Print a JSON array
    #[arg(long)]
    pub json: bool,
}

/// `events follow`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  prodigy events follow
  prodigy events follow --session build-3fa9c1 --json | jq .

Exit codes:
  0 the session ended     2 ambiguous id     3 no such session     5 the session is damaged")]
pub struct EventsFollow {
    /// Which events.
    #[command(flatten)]
    pub filter: EventFilter,
    /// Print one JSON object per line
    #[arg(long)]
    pub json: bool,
}

/// `events stats`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  prodigy events stats
  prodigy events stats --session build-3fa9c1 --json
  prodigy events stats --all --since 7d

Exit codes:
  0 shown     2 ambiguous id     3 no such session     5 the session is damaged")]
pub struct EventsStats {
    /// Which events.
    #[command(flatten)]
    pub filter: EventFilter,
    /// Of all sessions together
    #[arg(long, conflicts_with_all = ["session", "job_id"])]
    pub all: bool,
    /// Print a JSON object
    #[arg(long)]
    pub json: bool,
}

/// `events export`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  prodigy events export > events.jsonl
  prodigy events export --session build-3fa9c1 -o events.jsonl

Exit codes:
  0 written     2 ambiguous id, or the file exists     3 no such session     5 the session is damaged")]
pub struct EventsExport {
    /// Which events.
    #[command(flatten)]
    pub filter: EventFilter,
    /// Write to FILE instead of stdout
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
}

/// `logs [ID]`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  prodigy logs                          the latest step of the latest session
  prodigy logs build-3fa9c1 --step 3
  prodigy logs --follow                 as it is printed
  prodigy logs build --list             which logs there are

Exit codes:
  0 shown     2 ambiguous id     3 no such session, or it has no such log")]
pub struct Logs {
    /// The session; without it the latest one of this repository
    #[arg(value_name = "ID")]
    pub id: Option<String>,
    /// The step, by its address
    #[arg(long, value_name = "ADDRESS", value_parser = Address::parse)]
    pub step: Option<Address>,
    /// The attempt; without it the latest
    #[arg(long, value_name = "N", requires = "step", value_parser = clap::value_parser!(u32).range(1..))]
    pub attempt: Option<u32>,
    /// Go on printing until the session ends
    #[arg(short, long, conflicts_with_all = ["list", "json"])]
    pub follow: bool,
    /// List the logs of the session instead
    #[arg(long, conflicts_with_all = ["step", "attempt"])]
    pub list: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

fn parse_since(text: &str) -> Result<DateTime<Utc>, String> {
    if let Ok(age) = humantime::parse_duration(text) {
        let age =
            chrono::Duration::from_std(age).map_err(|_| format!("{text:?} is too long ago"))?;
        return Utc::now()
            .checked_sub_signed(age)
            .ok_or_else(|| format!("{text:?} is too long ago"));
    }
    DateTime::parse_from_rfc3339(text).map(|time| time.with_timezone(&Utc)).map_err(|_| {
        format!("{text:?} is neither an age like 2h nor a time like 2026-01-31T12:00:00Z")
    })
}

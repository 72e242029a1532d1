//! Flags of `dlq`: the items of a job that failed for good.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::RunOptions;
use crate::mapreduce::ItemId;

/// `dlq …`.
#[derive(Debug, Subcommand)]
pub enum Dlq {
    /// List the items that failed for good
    List(DlqList),
    /// Show what happened to them, run by run
    Show(DlqShow),
    /// Run them again; their results go into the job
    Retry(DlqRetry),
    /// Take them out of the queue; they count as passed over
    Clear(DlqClear),
    /// Write them with their values and history as JSON Lines
    Export(DlqExport),
}

/// `dlq list [JOB]`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  prodigy dlq list                   of all jobs of this repository
  prodigy dlq list review-3fa9c1
  prodigy dlq list review --json | jq -r '.[].item_id'

Exit codes:
  0 shown     2 ambiguous id, or it has no job     3 no such job     5 the session is damaged")]
pub struct DlqList {
    /// The job, or its session; without it all jobs of this repository
    #[arg(value_name = "JOB")]
    pub job: Option<String>,
    /// Print a JSON array
    #[arg(long)]
    pub json: bool,
}

/// `dlq show JOB [ITEM]`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  prodigy dlq show review-3fa9c1            all that wait
  prodigy dlq show review item_17           this one, also when it was cleared

Exit codes:
  0 shown     2 ambiguous id, or it has no job     3 no such job or item     5 the session is damaged")]
pub struct DlqShow {
    /// The job, or its session
    #[arg(value_name = "JOB")]
    pub job: String,
    /// The item, item_17 or 17; without it all that wait
    #[arg(value_name = "ITEM", value_parser = parse_item)]
    pub item: Option<u32>,
    /// Print a JSON array
    #[arg(long)]
    pub json: bool,
}

/// `dlq retry JOB`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  prodigy dlq retry review-3fa9c1                   all that wait; reduce runs again
  prodigy dlq retry review --item 17 --item 23
  prodigy dlq retry review --max-parallel 2 --max-retries 1
  prodigy dlq retry review --dry-run

Exit codes:
  0 all succeeded, or the queue is empty   4 another process holds the session
  1 items failed again                     5 the session is damaged
  2 ambiguous id, or it has no job         6 a person has to answer or decide
  3 no such job or item                    7 parked
  129, 130, 143 stopped by SIGHUP, SIGINT, SIGTERM")]
pub struct DlqRetry {
    /// The job, or its session
    #[arg(value_name = "JOB")]
    pub job: String,
    /// Only this item, item_17 or 17
    #[arg(long = "item", value_name = "ITEM", value_parser = parse_item)]
    pub items: Vec<u32>,
    /// Give each item N extra runs, instead of what the workflow says
    #[arg(long, value_name = "N")]
    pub max_retries: Option<u32>,
    /// Do not run a reduce again that has run: only the results change
    #[arg(long)]
    pub no_reduce: bool,
    /// Show what would run again, and run nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Continue with a workflow file that was edited
    #[arg(long)]
    pub accept_changes: bool,
    /// How it runs
    #[command(flatten)]
    pub options: RunOptions,
}

/// `dlq clear JOB`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  prodigy dlq clear review-3fa9c1            after a question
  prodigy dlq clear review --item 17 --force

Their history stays in the journal.

Exit codes:
  0 cleared, or the queue is empty     4 another process holds the session
  2 ambiguous id, or it has no job     5 the session is damaged
  3 no such job or item                6 no terminal to ask at")]
pub struct DlqClear {
    /// The job, or its session
    #[arg(value_name = "JOB")]
    pub job: String,
    /// Only this item, item_17 or 17
    #[arg(long = "item", value_name = "ITEM", value_parser = parse_item)]
    pub items: Vec<u32>,
    /// Do not ask
    #[arg(long)]
    pub force: bool,
}

/// `dlq export JOB`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  prodigy dlq export review-3fa9c1 > failed.jsonl
  prodigy dlq export review -o failed.jsonl     one object per item, also good as `map.input`

Exit codes:
  0 written     2 ambiguous id, or the file exists     3 no such job     5 the session is damaged")]
pub struct DlqExport {
    /// The job, or its session
    #[arg(value_name = "JOB")]
    pub job: String,
    /// Write to FILE instead of stdout
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
}

/// `item_17` or `17`.
fn parse_item(text: &str) -> Result<u32, String> {
    let full = if text.starts_with("item_") { text.to_owned() } else { format!("item_{text}") };
    let id = ItemId::parse(&full).ok_or_else(|| format!("{text:?} is no item: item_17, or 17"))?;
    Ok(id.number())
}

//! Flags of every command that runs steps.

use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args, ValueEnum};

use crate::playbook::PERMISSION_MODES;
use crate::store::Durability;

/// How steps run, whichever command runs them.
#[derive(Debug, Clone, Default, Args)]
pub struct RunOptions {
    /// Answer confirmations with yes
    #[arg(short, long)]
    pub yes: bool,
    /// Do not wait for a provider's limit: save the session and exit 7
    #[arg(long)]
    pub park: bool,
    /// What agents may do in this run, over what the workflow says: acceptEdits, plan, dontAsk …
    #[arg(long, value_name = "MODE", hide_possible_values = true, value_parser = PossibleValuesParser::new(PERMISSION_MODES))]
    pub permission_mode: Option<String>,
    /// Let agents do everything without being asked (the same as permission_mode bypassPermissions)
    #[arg(long, conflicts_with = "permission_mode")]
    pub skip_permissions: bool,
    /// Run so many items of a map at a time, instead of what the workflow says
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub max_parallel: Option<u64>,
    /// When results reach the disk: strict (before the next step) or relaxed (within 50 ms)
    #[arg(long, value_name = "MODE", default_value = "strict", hide_possible_values = true, value_parser = durability())]
    pub durability: Durability,
    /// What to print: text, json (one event per line on stdout, nothing else) or quiet
    #[arg(long, value_enum, hide_possible_values = true, value_name = "MODE", default_value_t = OutputMode::Text)]
    pub output: OutputMode,
}

/// What a run does when the workflow fails.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct AutoRecover {
    /// Recover by itself when the workflow fails, each step at most N times
    /// (without N as `recovery:` says, or 3)
    #[arg(long, value_name = "N", num_args = 0..=1, require_equals = true, value_parser = clap::value_parser!(u32).range(1..))]
    pub auto_recover: Option<Option<u32>>,
}

/// What a run prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum OutputMode {
    /// For people
    #[default]
    Text,
    /// One JSON event per line on stdout, nothing else
    Json,
    /// Nothing but errors
    Quiet,
    /// Nothing at all: stdout is for what the command itself prints
    #[value(skip)]
    Silent,
}

fn durability() -> impl clap::builder::TypedValueParser<Value = Durability> {
    PossibleValuesParser::new(["strict", "relaxed"]).map(|word| match word.as_str() {
        "relaxed" => Durability::Relaxed,
        _ => Durability::Strict,
    })
}

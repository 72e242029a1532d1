//! The whole command line, and what every command takes.

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum, ValueHint};

use super::{
    Checkpoints, Completions, Cook, Dlq, Events, Init, Logs, Man, Recovery, Resume, ResumeJob,
    Schema, Sessions, Validate,
};

/// Runs YAML workflows of shell and agent commands; kill it at any instant and resume.
#[derive(Debug, Parser)]
#[command(
    name = "prodigy",
    version,
    propagate_version = false,
    disable_help_subcommand = true,
    infer_subcommands = false,
    max_term_width = 100,
    after_help = "\
Examples:
  prodigy init                    write an example workflow
  prodigy validate workflow.yaml  all problems of a file at once
  prodigy cook workflow.yaml      run it
  prodigy resume                  continue what was interrupted, where it stopped
  prodigy checkpoints list        what can be resumed

An ID is a session id, a workflow id, a unique prefix of one (4 characters or more),
or the name of a workflow (its latest session in this repository).

Exit codes:
  0 success                 4 another process holds the session
  1 the workflow failed     5 the state is damaged or cannot be written
  2 wrong usage, or an      6 a person has to answer or decide
    invalid workflow        7 parked until a provider's limit resets
  3 not found               129, 130, 143 stopped by SIGHUP, SIGINT, SIGTERM

State lies in $PRODIGY_HOME, by default ~/.prodigy."
)]
pub struct Arguments {
    /// What every command takes.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// Show more; -v, -vv and -vvv also log what the program does, on stderr
    #[arg(short, long, global = true, action = ArgAction::Count, help_heading = "Global options")]
    pub verbose: u8,
    /// Show only errors and what was asked for
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = "Global options")]
    pub quiet: bool,
    /// Use colour: auto (on a terminal), always or never; NO_COLOR and CLICOLOR_FORCE count too
    #[arg(
        long,
        global = true,
        value_enum,
        hide_possible_values = true,
        value_name = "WHEN",
        default_value_t = Color::Auto,
        help_heading = "Global options"
    )]
    pub color: Color,
    /// Work as if started in DIR
    #[arg(
        short = 'C',
        long = "path",
        global = true,
        value_name = "DIR",
        value_hint = ValueHint::DirPath,
        help_heading = "Global options"
    )]
    pub directory: Option<PathBuf>,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Color {
    /// On a terminal
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a workflow
    #[command(visible_alias = "run")]
    Cook(Box<Cook>),
    /// Continue an interrupted session exactly where it stopped
    Resume(Box<Resume>),
    /// Continue the job of a map workflow, by the id of the job or of its session
    ResumeJob(Box<ResumeJob>),
    /// Look at, check and move the restore points of sessions
    #[command(subcommand)]
    Checkpoints(Checkpoints),
    /// All sessions, in any state
    #[command(subcommand)]
    Sessions(Sessions),
    /// The items of a job that failed for good
    #[command(subcommand)]
    Dlq(Dlq),
    /// The way back of sessions that failed
    #[command(subcommand)]
    Recovery(Recovery),
    /// The journal of a session, as a person reads it
    #[command(subcommand)]
    Events(Events),
    /// The output of a step
    Logs(Logs),
    /// Find all problems of workflow files at once
    Validate(Validate),
    /// Print the JSON Schema of the workflow format, for editors
    Schema(Schema),
    /// Write a commented example workflow
    Init(Init),
    /// Print a completion script for a shell
    Completions(Completions),
    /// Print the manual page
    Man(Man),
    /// Print the reference of the command line as Markdown
    #[command(hide = true)]
    Docs,
}

//! Flags of the commands that read or write files of their own: `validate`, `schema`, `init` and the like.

use std::path::PathBuf;

use clap::{Args, ValueHint};

/// `validate FILE…`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  prodigy validate build.yaml
  prodigy validate workflows/*.yaml --json

Nothing is run, and nothing outside the files is looked at.

Exit codes:
  0 all files can run (there may be warnings)
  2 a file has errors
  3 a file is not there")]
pub struct Validate {
    /// Workflow files
    #[arg(value_name = "FILE", required = true, value_hint = ValueHint::FilePath)]
    pub files: Vec<PathBuf>,
    /// Print the problems as a JSON array on stdout
    #[arg(long)]
    pub json: bool,
}

/// `schema`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  prodigy schema -o workflow.schema.json

Then put this in the first line of a workflow, and the editor knows its keys:
  # yaml-language-server: $schema=workflow.schema.json")]
pub struct Schema {
    /// Write to FILE instead of stdout
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
}

/// `init`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  prodigy init
  prodigy init workflows/release.yaml

A file that is there is never overwritten.

Exit codes:
  0 written     2 the file exists already")]
pub struct Init {
    /// The file to write
    #[arg(value_name = "FILE", default_value = "workflow.yaml", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
}

/// `completions SHELL`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  prodigy completions bash > ~/.local/share/bash-completion/completions/prodigy
  prodigy completions zsh > ~/.zfunc/_prodigy
  prodigy completions fish > ~/.config/fish/completions/prodigy.fish")]
pub struct Completions {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    pub shell: clap_complete::Shell,
}

/// `man`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  prodigy man > ~/.local/share/man/man1/prodigy.1
  prodigy man cook | man -l -
  prodigy man checkpoints list | man -l -")]
pub struct Man {
    /// The page of this command instead
    #[arg(value_name = "COMMAND")]
    pub command: Vec<String>,
}

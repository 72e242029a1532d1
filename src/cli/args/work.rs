//! Flags of the commands that run steps: `cook` and `resume`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::assignment::parse_assignment;
use super::{AutoRecover, Fault, RunOptions};
use crate::session::Address;

/// `cook FILE`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  prodigy cook build.yaml
  prodigy cook review.yaml --arg src/a.rs src/b.rs   one pass per value, as $ARG
  prodigy cook review.yaml --map 'src/**/*.rs'       one pass per file
  prodigy cook deploy.yaml --param region=eu -y      no questions
  prodigy cook build.yaml --dry-run                  what would run
  prodigy cook build.yaml --output json > log.jsonl  one event per line

Whatever stops it, Ctrl-C, a crash or a full disk: prodigy resume continues.

Exit codes:
  0 completed     2 invalid workflow or usage   5 state cannot be written   7 parked
  1 failed        3 no such file                6 a person has to answer
  129, 130, 143 stopped by SIGHUP, SIGINT, SIGTERM")]
pub struct Cook {
    /// The workflow file
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath, required_unless_present = "resume")]
    pub file: Option<PathBuf>,
    /// Run one pass for each VALUE, which steps see as $ARG
    #[arg(long = "arg", visible_alias = "args", value_name = "VALUE", num_args = 1.., conflicts_with = "map")]
    pub arguments: Vec<String>,
    /// Run one pass for each file that matches GLOB, in sorted order
    #[arg(long, value_name = "GLOB")]
    pub map: Vec<String>,
    /// Set a parameter of the workflow
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = parse_assignment)]
    pub parameters: Vec<(String, String)>,
    /// Read parameters from a YAML or JSON file; --param goes before it
    #[arg(long = "param-file", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub parameter_file: Option<PathBuf>,
    /// Use this profile of the workflow's env
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Continue session ID instead (the same as prodigy resume ID)
    #[arg(
        long,
        value_name = "ID",
        conflicts_with_all = ["arguments", "map", "parameters", "parameter_file", "profile", "dry_run", "max_iterations"]
    )]
    pub resume: Option<String>,
    /// Show what would run, and run nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Repeat the workflow until a pass changes no file, at most N times
    #[arg(
        short = 'n',
        long,
        value_name = "N",
        value_parser = clap::value_parser!(u64).range(1..),
        conflicts_with_all = ["arguments", "map"]
    )]
    pub max_iterations: Option<u64>,
    /// With --dry-run: show which handlers would run if the step failed, and why: 3, 3=exit:75, 3=timeout
    #[arg(
        long,
        value_name = "ADDRESS[=KIND]",
        value_parser = Fault::parse_with_default,
        requires = "dry_run"
    )]
    pub simulate_failure: Vec<Fault>,
    /// Make a step fail instead of running it: 3=exit:75, 3=timeout; 3=exit:1,times:2 for two attempts
    #[arg(long, value_name = "ADDRESS=KIND", value_parser = str::parse::<Fault>)]
    pub inject: Vec<Fault>,
    /// How it runs
    #[command(flatten)]
    pub options: RunOptions,
    /// Without a person
    #[command(flatten)]
    pub unattended: AutoRecover,
}

impl Cook {
    /// `cook --resume ID` as `resume ID`.
    #[must_use]
    pub fn as_resume(&self) -> Option<Resume> {
        let id = self.resume.clone()?;
        Some(Resume {
            id: Some(id),
            options: self.options.clone(),
            unattended: self.unattended,
            workflow: self.file.clone(),
            ..Resume::default()
        })
    }

    /// How a recovery of its session runs.
    #[must_use]
    pub fn as_recovery(&self) -> Resume {
        Resume { options: self.options.clone(), unattended: self.unattended, ..Resume::default() }
    }
}

/// `resume [ID]`.
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = "\
Examples:
  prodigy resume                          the latest interrupted session of this repository
  prodigy resume build-3fa9c1             this one
  prodigy resume build-3fa9c1 --plan      what would run again and why, then stop
  prodigy resume deploy --from-checkpoint production
  prodigy resume deploy --from-step 3     step 3 once more, also of a completed session
  prodigy resume deploy --done 3          step 3 was done, whatever the journal knows
  prodigy resume deploy --force           start again, as a new session

Finished steps never run again; only what was in flight is repeated.

Exit codes:
  0 completed, or nothing to resume    4 another process holds the session
  1 failed                             5 the session is damaged
  2 ambiguous id or wrong usage        6 a person has to answer or decide
  3 no such session or checkpoint      7 parked
  129, 130, 143 stopped by SIGHUP, SIGINT, SIGTERM")]
pub struct Resume {
    /// The session; without it the latest interrupted one of this repository
    #[arg(value_name = "ID")]
    pub id: Option<String>,
    /// Start again from the beginning as a new session; the old one is kept.
    /// With --from-checkpoint reduce: pass over items that have not ended
    #[arg(long, conflicts_with_all = ["rerun", "done", "max_retries", "from_step", "downstream"])]
    pub force: bool,
    /// Go back to a version (v3) or named checkpoint, or to the start of a stage or phase
    #[arg(long, value_name = "vN|NAME")]
    pub from_checkpoint: Option<String>,
    /// Run this step once more, also in a completed session; later results stay
    #[arg(long, value_name = "ADDRESS", value_parser = Address::parse, conflicts_with = "from_checkpoint")]
    pub from_step: Option<Address>,
    /// With --from-step or an edited workflow: run again what follows, too
    #[arg(long, conflicts_with = "from_checkpoint")]
    pub downstream: bool,
    /// Run this step again although it is marked with on_resume
    #[arg(long, value_name = "ADDRESS", value_parser = Address::parse)]
    pub rerun: Vec<Address>,
    /// Take this step as done: go past it
    #[arg(long, value_name = "ADDRESS", value_parser = Address::parse)]
    pub done: Vec<Address>,
    /// Give the steps that this run starts at N further retries
    #[arg(long, value_name = "N")]
    pub max_retries: Option<u32>,
    /// Show what would be kept, run again and why; run nothing
    #[arg(long)]
    pub plan: bool,
    /// Print the plan as JSON
    #[arg(long, requires = "plan")]
    pub json: bool,
    /// Continue with a workflow file that was edited
    #[arg(long)]
    pub accept_changes: bool,
    /// The workflow file, for a checkpoint that does not name one
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub workflow: Option<PathBuf>,
    /// How it runs
    #[command(flatten)]
    pub options: RunOptions,
    /// Without a person
    #[command(flatten)]
    pub unattended: AutoRecover,
}

/// `resume-job JOB`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  prodigy resume-job mapreduce-20260131_120000_session-…   by the id of the job
  prodigy resume-job review-3fa9c1                          or of its session
  prodigy resume-job review --force --max-retries 3         failed items run again, too
  prodigy resume-job review --from-checkpoint map           all items again

Finished items never run again; those that were in progress run once more.

Exit codes:
  0 completed, or nothing to resume    4 another process holds the session
  1 failed, or items failed for good   5 the session is damaged
  2 ambiguous id, or it has no job     6 a person has to answer or decide
  3 no such job or session             7 parked
  129, 130, 143 stopped by SIGHUP, SIGINT, SIGTERM")]
pub struct ResumeJob {
    /// The job, or its session, by any id or by the name of the workflow
    #[arg(value_name = "JOB")]
    pub job: String,
    /// Run the items of the dead letter queue again, too
    /// (with --from-checkpoint reduce: pass over items that have not ended)
    #[arg(long)]
    pub force: bool,
    /// Give each item of the dead letter queue that runs again N extra runs
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub max_retries: u32,
    /// Go back to a version (v3), or to the start of setup, map or reduce
    #[arg(long, value_name = "vN|PHASE")]
    pub from_checkpoint: Option<String>,
    /// Run this step or item once more (reduce/1, map/item_17); later results stay
    #[arg(long, value_name = "ADDRESS", value_parser = Address::parse, conflicts_with_all = ["from_checkpoint", "force"])]
    pub from_step: Option<Address>,
    /// With --from-step or an edited workflow: run again what follows, too
    #[arg(long, conflicts_with = "from_checkpoint")]
    pub downstream: bool,
    /// Run this step again although it is marked with on_resume
    #[arg(long, value_name = "ADDRESS", value_parser = Address::parse)]
    pub rerun: Vec<Address>,
    /// Take this step as done: go past it
    #[arg(long, value_name = "ADDRESS", value_parser = Address::parse)]
    pub done: Vec<Address>,
    /// Show what would be kept, run again and why; run nothing
    #[arg(long)]
    pub plan: bool,
    /// Print the plan as JSON
    #[arg(long, requires = "plan")]
    pub json: bool,
    /// Continue with a workflow file that was edited
    #[arg(long)]
    pub accept_changes: bool,
    /// How it runs
    #[command(flatten)]
    pub options: RunOptions,
    /// Without a person
    #[command(flatten)]
    pub unattended: AutoRecover,
}

impl ResumeJob {
    /// What it has in common with `resume`.
    #[must_use]
    pub fn as_resume(&self) -> Resume {
        Resume {
            id: Some(self.job.clone()),
            force: self.force && self.from_checkpoint.is_some(),
            from_checkpoint: self.from_checkpoint.clone(),
            from_step: self.from_step.clone(),
            downstream: self.downstream,
            rerun: self.rerun.clone(),
            done: self.done.clone(),
            plan: self.plan,
            json: self.json,
            accept_changes: self.accept_changes,
            options: self.options.clone(),
            unattended: self.unattended,
            ..Resume::default()
        }
    }
}

impl Cook {
    /// `resume --force`: what was asked of the session that starts again.
    #[must_use]
    pub fn again(resume: &Resume, header: Option<&crate::session::SessionStarted>) -> Self {
        let passes =
            header.map(|header| header.passes.iter().map(crate::session::Stored::shown).collect());
        Self {
            file: None,
            arguments: passes.unwrap_or_default(),
            map: Vec::new(),
            parameters: Vec::new(),
            parameter_file: None,
            profile: header.and_then(|header| header.profile.clone()),
            resume: None,
            dry_run: false,
            max_iterations: header.and_then(|header| header.max_iterations),
            simulate_failure: Vec::new(),
            inject: Vec::new(),
            options: resume.options.clone(),
            unattended: resume.unattended,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::super::{Arguments, Command, OutputMode};
    use crate::store::Durability;

    fn parsed(words: &str) -> Result<Command, String> {
        let parsed = Arguments::try_parse_from(words.split(' '));
        parsed.map(|arguments| arguments.command).map_err(|error| error.to_string())
    }

    #[test]
    fn the_table_of_arguments_is_sound() {
        <Arguments as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn passes_and_parameters_are_read() {
        let Ok(Command::Cook(cook)) =
            parsed("prodigy run flow.yaml --args a b --param x=1=2 --param y=")
        else {
            panic!("not read");
        };
        assert_eq!(cook.arguments, ["a", "b"]);
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(cook.parameters, [pair("x", "1=2"), pair("y", "")]);
        assert_eq!(cook.options.durability, Durability::Strict);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for words in [
            "prodigy cook",
            "prodigy cook a.yaml --param x",
            "prodigy cook a.yaml --durability none",
            "prodigy cook a.yaml -n 0",
            "prodigy cook a.yaml --arg a --map *",
            "prodigy cook a.yaml --arg a -n 2",
            "prodigy cook a.yaml --simulate-failure 1",
            "prodigy cook a.yaml --inject 1",
            "prodigy resume x --force --done 3",
            "prodigy resume x --json",
            "prodigy resume x --rerun a//b",
            "prodigy resume -v -q",
        ] {
            assert!(parsed(words).is_err(), "{words}");
        }
    }

    #[test]
    fn cook_can_resume() {
        let Ok(Command::Cook(cook)) = parsed("prodigy cook --resume flow --park --output json")
        else {
            panic!("not read");
        };
        let resume = cook.as_resume().unwrap();
        assert_eq!(resume.id.as_deref(), Some("flow"));
        assert!(resume.options.park && !resume.options.yes);
        assert_eq!(resume.options.output, OutputMode::Json);
    }
}

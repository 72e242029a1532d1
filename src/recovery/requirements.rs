//! What `requires:` asks for, held against the machine: programs and their versions, files,
//! environment variables.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::expr::Template;
use crate::playbook::AGENT_PROGRAM;
use crate::playbook::model::{Body, EnvEntry, Requirements, Step, Workflow};
use crate::playbook::walk::{Branch, each_step};
use crate::playbook::{RequiredTool, Version};
use crate::process::{
    Born, Collector, Ended, Inherits, Keep, Limits, Program, Sink, Stdin, Stop, StopSignal,
    find_program,
};

/// How closely tools are looked at (DECISIONS A19).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Only whether they are there: a plain resume must not wait for them.
    Presence,
    /// Each tool with a bound is asked for its version.
    Versions,
}

/// Where tools, files and variables are looked for.
pub struct Around<'a> {
    /// The working directory of the run.
    pub directory: &'a Path,
    /// The environment of its programs; of two with the same name the later one counts.
    pub environment: Vec<(OsString, OsString)>,
    /// The text of a template of the workflow file, or why it has none.
    pub render: &'a dyn Fn(&Template) -> Result<String, String>,
    /// The wish to stop.
    pub stop: &'a Stop,
}

/// One thing that is required, and whether it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What is required: `node >= 18`, a path, the name of a variable.
    pub what: String,
    /// What kind of thing it is.
    pub kind: RequiredKind,
    /// What was found: the file of a tool with its version, the path; empty for variables.
    pub found: String,
    /// Why it will not do.
    pub lack: Option<Lack>,
}

/// The kinds of requirements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequiredKind {
    /// A program.
    Tool,
    /// A file or directory.
    File,
    /// An environment variable.
    Variable,
}

/// Why something that is required will not do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lack {
    /// What is wrong, with who needs it.
    pub message: String,
    /// What to do.
    pub help: String,
}

/// Looks at everything that the workflow and its steps require, except those that are `over`
/// with what hangs below them; what several ask for is looked at once.
#[must_use]
pub fn look_at_requirements(
    workflow: &Workflow,
    over: &dyn Fn(&Step) -> bool,
    around: &Around<'_>,
    look: Look,
) -> Vec<Finding> {
    let mut round = Round { around, look, findings: Vec::new(), versions: HashMap::new() };
    round.requirements(&workflow.requires, "the workflow", &[]);
    // The variables that are set for each step that is to run, by its address in memory.
    let mut given: HashMap<*const Step, Vec<&str>> = HashMap::new();
    each_step(workflow, &mut |step, spot| {
        let mut names = match spot.below {
            Some(parent) => match given.get(&std::ptr::from_ref(parent)) {
                Some(names) => names.clone(),
                None => return,
            },
            None => env_names(stage_env(workflow, spot.branch)).collect(),
        };
        if over(step) {
            return;
        }
        names.extend(env_names(&step.env));
        if !step.requires.is_empty() {
            round.requirements(&step.requires, &format!("step {:?}", called(step)), &names);
        }
        given.insert(std::ptr::from_ref(step), names);
    });
    round.findings
}

/// What a person calls a step.
fn called(step: &Step) -> String {
    let name = step.name.as_ref().map(|name| name.source().to_owned());
    name.or_else(|| step.id.clone()).unwrap_or_else(|| step.summary())
}

fn env_names(entries: &[EnvEntry]) -> impl Iterator<Item = &str> {
    entries.iter().map(|entry| entry.name.as_str())
}

/// The variables of the stage or phase that a list of steps belongs to.
fn stage_env(workflow: &Workflow, branch: Branch) -> &[EnvEntry] {
    let Branch::Stage(number) = branch else { return &[] };
    let stage = match &workflow.body {
        Body::Steps(_) => None,
        Body::Stages(stages) => stages.get(number),
        Body::MapReduce(job) if number == 0 => job.setup.as_ref(),
        Body::MapReduce(job) => job.reduce.as_ref(),
    };
    stage.map(|stage| stage.env.as_slice()).unwrap_or_default()
}

/// Whether the program of agent steps is missing; a path from the directory of its step is
/// only known when that runs.
pub(super) fn lacks_program(program: &str, around: &Around<'_>) -> Option<Lack> {
    if program.contains('/') && !program.starts_with('/') {
        return None;
    }
    let tool = RequiredTool { name: program.to_owned(), bounds: Vec::new() };
    let mut round =
        Round { around, look: Look::Presence, findings: Vec::new(), versions: HashMap::new() };
    round.tool(&tool, "an agent step").err()
}

struct Round<'a> {
    around: &'a Around<'a>,
    look: Look,
    findings: Vec<Finding>,
    versions: HashMap<PathBuf, Option<Version>>,
}

impl Round<'_> {
    /// `given` are variables that the workflow file sets around the one who asks.
    fn requirements(&mut self, requirements: &Requirements, who: &str, given: &[&str]) {
        for tool in &requirements.tools {
            // Where a step has a PATH of its own, only its run can tell.
            if !given.contains(&"PATH") {
                self.note(RequiredKind::Tool, tool.to_string(), |round| round.tool(tool, who));
            }
        }
        for file in &requirements.files {
            let text = (self.around.render)(file);
            let what = text.clone().unwrap_or_else(|_| file.source().to_owned());
            self.note(RequiredKind::File, what, |round| match text {
                Ok(path) => round.file(&path, who),
                Err(why) => lacking(
                    format!("{who} requires {}: {why}", file.source()),
                    "correct `files` under `requires` in the workflow",
                ),
            });
        }
        for name in &requirements.env {
            if !given.contains(&name.as_str()) {
                self.note(RequiredKind::Variable, name.clone(), |round| round.variable(name, who));
            }
        }
    }

    fn note(
        &mut self,
        kind: RequiredKind,
        what: String,
        look: impl FnOnce(&mut Self) -> Result<String, Lack>,
    ) {
        if self.findings.iter().any(|finding| finding.kind == kind && finding.what == what) {
            return;
        }
        let (found, lack) = match look(self) {
            Ok(found) => (found, None),
            Err(lack) => (String::new(), Some(lack)),
        };
        self.findings.push(Finding { what, kind, found, lack });
    }

    fn tool(&mut self, tool: &RequiredTool, who: &str) -> Result<String, Lack> {
        let path = self.around.env("PATH").unwrap_or_default();
        let file = find_program(OsStr::new(&tool.name), path, self.around.directory);
        let Some(file) = file else {
            let place = if tool.name.contains('/') { "there" } else { "in PATH" };
            return lacking(
                format!("{who} requires {tool}, and {} is not {place}", tool.name),
                &install(tool),
            );
        };
        if tool.bounds.is_empty() || self.look == Look::Presence {
            return Ok(file.display().to_string());
        }
        let version =
            self.versions.entry(file.clone()).or_insert_with(|| version(&file, self.around));
        match version {
            Some(version) if tool.accepts(version) => Ok(format!("{} {version}", file.display())),
            Some(version) => lacking(
                format!("{who} requires {tool}, and {} is {version}", file.display()),
                &install(tool),
            ),
            None => lacking(
                format!("{who} requires {tool}, and {} does not say its version", file.display()),
                &format!(
                    "asked with --version, -version, version and -V; require only `{}`, or name \
                     another program",
                    tool.name
                ),
            ),
        }
    }

    fn file(&self, path: &str, who: &str) -> Result<String, Lack> {
        if self.around.directory.join(path).exists() {
            return Ok(path.to_owned());
        }
        lacking(
            format!("{who} requires the file {path}, which is not there"),
            &format!("put {path} there; paths are relative to {}", self.around.directory.display()),
        )
    }

    fn variable(&self, name: &str, who: &str) -> Result<String, Lack> {
        match self.around.env(name) {
            Some(value) if !value.is_empty() => Ok(String::new()),
            found => {
                let state = if found.is_some() { "empty" } else { "not set" };
                lacking(
                    format!("{who} requires the environment variable {name}, which is {state}"),
                    &format!("export {name}=…"),
                )
            }
        }
    }
}

impl Around<'_> {
    fn env(&self, name: &str) -> Option<&OsStr> {
        let found = self.environment.iter().rev().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_os_str())
    }
}

fn lacking(message: String, help: &str) -> Result<String, Lack> {
    Err(Lack { message, help: help.to_owned() })
}

fn install(tool: &RequiredTool) -> String {
    if tool.name == AGENT_PROGRAM {
        return format!("install {tool} with: npm install -g @anthropic-ai/claude-code");
    }
    if tool.name.contains('/') {
        return format!("put {tool} there, or correct `requires` in the workflow");
    }
    format!("install {tool}, or put it first in PATH")
}

/// How tools are asked for their version; the first that gets an answer counts.
const QUESTIONS: [&str; 4] = ["--version", "-version", "version", "-V"];

/// One question may take so long.
const PATIENCE: Duration = Duration::from_secs(10);

fn version(file: &Path, around: &Around<'_>) -> Option<Version> {
    QUESTIONS.iter().find_map(|question| {
        let said = answer(file, question, around)?;
        Version::find_in(&said)
    })
}

/// What a program prints when it is started with one argument; nothing when it fails.
fn answer(file: &Path, argument: &str, around: &Around<'_>) -> Option<String> {
    let program = Program {
        program: file.as_os_str().to_owned(),
        file: Some(file.to_owned()),
        args: vec![argument.into()],
        inherits: Inherits::Nothing,
        env: around.environment.clone(),
        directory: around.directory.to_owned(),
        stdin: Stdin::Null,
    };
    let limits = Limits {
        timeout: Some(PATIENCE),
        idle: None,
        grace: Duration::from_secs(1),
        signal: StopSignal::Terminate,
        marker: None,
    };
    let mut heard =
        Heard { stdout: Collector::new(Keep::Shown), stderr: Collector::new(Keep::Shown) };
    let ended = crate::process::run(&program, &limits, around.stop, &mut heard).ok()?;
    if ended != Ended::Exited(0) {
        return None;
    }
    // Some print it on stderr (`java -version`).
    Some(format!("{}\n{}", heard.stdout.finish().shown, heard.stderr.finish().shown))
}

struct Heard {
    stdout: Collector,
    stderr: Collector,
}

impl Sink for Heard {
    fn spawned(&mut self, _born: &dyn Fn() -> Born) -> std::io::Result<()> {
        Ok(())
    }

    fn stdout(&mut self, bytes: &[u8]) {
        self.stdout.push(bytes);
    }

    fn stderr(&mut self, bytes: &[u8]) {
        self.stderr.push(bytes);
    }
}

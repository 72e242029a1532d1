//! Whether a session may go on from a checkpoint: looked at before every recovery, so that none
//! begins which could not end well (SPEC 9, DECISIONS A57).

use serde::{Deserialize, Serialize};

use crate::git::Repository;
use crate::playbook::AGENT_PROGRAM;
use crate::playbook::model::{Step, Workflow};
use crate::resume::places;
use crate::session::{Digest, Secrets, SessionState};
use crate::store::Loaded;
use crate::view;

use super::artifacts::artifacts;
use super::integrity::Integrity;
use super::requirements::{Around, Look, RequiredKind, lacks_program, look_at_requirements};

/// What a checkpoint is held against.
pub struct Ground<'a> {
    /// The session as it is on disk.
    pub loaded: &'a Loaded,
    /// What was found of its files ([`Integrity::examine`]).
    pub integrity: &'a Integrity,
    /// The workflow that it would go on with.
    pub workflow: &'a Workflow,
    /// Directory and environment.
    pub around: Around<'a>,
    /// Digests of the environment values that the workflow names, as they are now.
    pub environment: &'a [(String, Digest)],
    /// The present secrets.
    pub secrets: &'a Secrets,
    /// What keeps the surroundings from being those of a run (a secret that is not set), and
    /// what to do; environment and secrets are then not known.
    pub trouble: Option<(String, Option<String>)>,
    /// What becomes of the files before the session goes on.
    pub files: Files,
}

/// What a recovery does to the files of the working directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Files {
    /// It leaves them as they are: what is declared must be there now.
    Stay,
    /// It puts them back as they were at the checkpoint: what differs now is only told.
    Return,
}

/// What was found. Stored with the recovery; its keys stay as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validation {
    /// True when nothing stands against the recovery.
    pub is_valid: bool,
    /// What stands against it, one line each.
    pub errors: Vec<String>,
    /// What a person should know, one line each.
    pub warnings: Vec<String>,
    /// What was looked at, in this order: integrity, environment, artifacts, dependencies.
    pub checks: Vec<Check>,
    /// What to do about the errors: commands, and what to install.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub help: Vec<String>,
}

/// One part of a validation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Which one.
    pub name: CheckName,
    /// How it came out.
    pub status: CheckStatus,
    /// How many things were looked at.
    pub examined: usize,
    /// What was found, errors and warnings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<String>,
}

/// The parts of a validation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckName {
    /// Journal, texts beside it, results of items, snapshot.
    Integrity,
    /// Working directory, HEAD, environment variables, secrets.
    Environment,
    /// What steps declared under `artifacts:`.
    Artifacts,
    /// Tools with their versions, and files, that what still runs requires.
    Dependencies,
}

/// How a part of a validation came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckStatus {
    /// Nothing to say.
    Passed,
    /// Something that a person should know.
    Warning,
    /// Something that stands against going on.
    Failed,
}

impl Validation {
    /// One of its parts.
    #[must_use]
    pub fn check(&self, name: CheckName) -> Option<&Check> {
        self.checks.iter().find(|check| check.name == name)
    }

    /// True when only the integrity of this checkpoint failed, so that an earlier one may do.
    #[must_use]
    pub fn is_damage_only(&self) -> bool {
        let failed = |check: &&Check| check.status == CheckStatus::Failed;
        !self.is_valid
            && self.checks.iter().filter(failed).all(|it| it.name == CheckName::Integrity)
    }

    fn note(&mut self, name: CheckName, notes: Notes) {
        let status = match (notes.errors.is_empty(), notes.warnings.is_empty()) {
            (false, _) => CheckStatus::Failed,
            (true, false) => CheckStatus::Warning,
            (true, true) => CheckStatus::Passed,
        };
        let findings = notes.errors.iter().chain(&notes.warnings).cloned().collect();
        self.checks.push(Check { name, status, examined: notes.examined, findings });
        self.errors.extend(notes.errors);
        self.warnings.extend(notes.warnings);
        for help in notes.help {
            if !self.help.contains(&help) {
                self.help.push(help);
            }
        }
    }
}

/// What one part finds.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// How many things were looked at.
    pub(super) examined: usize,
    /// What stands against going on.
    pub(super) errors: Vec<String>,
    /// What a person should know.
    pub(super) warnings: Vec<String>,
    /// What to do.
    pub(super) help: Vec<String>,
}

/// Looks whether the session may go on from the state `at` an event of it (its latest one, or
/// that of a checkpoint), with `seq` as the number of that event.
#[must_use]
pub fn validate(ground: &Ground<'_>, at: &SessionState, seq: u64) -> Validation {
    let mut validation = Validation::default();
    // The steps that are finished there need nothing any more.
    let places = places(ground.workflow, at);
    let open: Vec<*const Step> = places
        .iter()
        .filter(|place| !at.standing.result(&place.address).is_some_and(|it| it.goes_on))
        .map(|place| std::ptr::from_ref(place.step))
        .collect();
    let top: Vec<*const Step> = ground.workflow.top_steps().map(std::ptr::from_ref).collect();
    let over = |step: &Step| {
        let step = std::ptr::from_ref(step);
        top.contains(&step) && !open.contains(&step)
    };
    validation.note(CheckName::Integrity, integrity(ground, seq));
    let (mut environment, dependencies) = requirements(ground, &over);
    surroundings(ground, at, &mut environment);
    validation.note(CheckName::Environment, environment);
    validation.note(CheckName::Artifacts, artifacts(ground, at, seq));
    validation.note(CheckName::Dependencies, dependencies);
    validation.is_valid = validation.errors.is_empty();
    validation
}

fn integrity(ground: &Ground<'_>, seq: u64) -> Notes {
    let found = ground.integrity;
    let mut notes = Notes { examined: ground.loaded.events.len(), ..Notes::default() };
    let id = ground.loaded.state.header().map(|header| header.workflow_id.to_string());
    let id = id.unwrap_or_default();
    if let Some(damage) = &found.damage {
        // The records up to a restore point are good; only what follows it is given up.
        let versions = &ground.loaded.state.lifetime.versions;
        let lost = match versions.iter().any(|version| version.seq == seq) {
            true => &mut notes.warnings,
            false => &mut notes.errors,
        };
        lost.push(format!("the journal cannot be read to its end: {damage}"));
    }
    if found.torn > 0 {
        let bytes = view::bytes(found.torn);
        notes.warnings.push(format!("a last record of {bytes} was cut short by a crash"));
    }
    for text in found.lost_until(seq) {
        notes.errors.push(format!("record {}: {}", text.seq, text.why));
    }
    if !notes.errors.is_empty() {
        notes.help.push(match found.best_version(&ground.loaded.state) {
            Some(version) => {
                format!("prodigy resume {id} --from-checkpoint v{}", version.version)
            }
            None => format!("prodigy resume {id} --force   (starts again from the beginning)"),
        });
    }
    if let Some(wrong) = &found.snapshot {
        notes.warnings.push(format!("the snapshot will be written anew: {wrong}"));
    }
    notes
}

/// What `requires:` asks for: variables belong to the environment, the rest is a dependency.
fn requirements(ground: &Ground<'_>, over: &dyn Fn(&Step) -> bool) -> (Notes, Notes) {
    let (mut environment, mut dependencies) = (Notes::default(), Notes::default());
    let findings = look_at_requirements(ground.workflow, over, &ground.around, Look::Versions);
    for finding in findings {
        let notes = match finding.kind {
            RequiredKind::Variable => &mut environment,
            RequiredKind::Tool | RequiredKind::File => &mut dependencies,
        };
        notes.examined += 1;
        if let Some(lack) = finding.lack {
            notes.errors.push(lack.message);
            notes.help.push(lack.help);
        }
    }
    let agents: Vec<_> = ground
        .workflow
        .top_steps()
        .filter(|step| !over(step))
        .flat_map(Step::agent_steps)
        .filter(|(step, _)| step.env.iter().all(|entry| entry.name != "PATH"))
        .map(|(_, call)| {
            let command = ground.workflow.agent_command(&call.options);
            command.first().map_or(AGENT_PROGRAM, String::as_str)
        })
        .collect();
    for (index, program) in agents.iter().enumerate() {
        if agents.iter().position(|it| it == program) != Some(index) {
            continue;
        }
        dependencies.examined += 1;
        if let Some(lack) = lacks_program(program, &ground.around) {
            dependencies.errors.push(lack.message);
            dependencies.help.push(lack.help);
        }
    }
    (environment, dependencies)
}

fn surroundings(ground: &Ground<'_>, at: &SessionState, notes: &mut Notes) {
    let Some(header) = at.header().or(ground.loaded.state.header()) else { return };
    notes.examined += 1;
    if !header.directory.is_dir() {
        let directory = header.directory.display();
        notes.errors.push(format!("the directory of the session is gone: {directory}"));
        notes.help.push(format!("put {directory} back"));
    }
    if let Some((trouble, help)) = &ground.trouble {
        notes.errors.push(trouble.clone());
        notes.help.extend(help.clone());
        return;
    }
    if let Some(missing) = at.standing.missing_secret(ground.secrets) {
        notes.errors.push(missing.to_string());
        notes.help.push("set it as before".to_owned());
    }
    // What the last run saw is what the steps up to now ran with.
    let Some(last) = ground.loaded.state.lifetime.runs.last() else { return };
    for (name, digest) in &last.environment {
        notes.examined += 1;
        match ground.environment.iter().find(|(known, _)| known == name) {
            Some((_, present)) if present == digest => {}
            Some(_) => notes.warnings.push(format!("env {name} has another value than before")),
            None => notes.warnings.push(format!("env {name} is not set any more")),
        }
    }
    let recorded = at.standing.records().filter_map(|(_, record)| {
        Some((record.finished_seq, record.result.as_ref()?.head.as_deref()?))
    });
    let Some((_, recorded)) = recorded.max_by_key(|(seq, _)| *seq) else { return };
    notes.examined += 1;
    match Repository::find(&header.directory).and_then(|repository| repository.head()) {
        Some(head) if head == recorded => {}
        Some(head) => notes.warnings.push(format!(
            "HEAD is {} now, and was {} at the checkpoint",
            short(&head),
            short(recorded)
        )),
        None => notes.warnings.push("there is no git repository any more".to_owned()),
    }
}

fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}

//! `prodigy cook`: a new session from a workflow file.

use std::collections::HashSet;
use std::os::unix::ffi::OsStringExt as _;
use std::path::Path;

use indexmap::IndexMap;

use crate::executor::{Constants, Surroundings, parameters};
use crate::exit::{ExitKind, Failure};
use crate::expr::Value;
use crate::playbook::model::Workflow;
use crate::playbook::{Loaded, load};
use crate::process::Stop;
use crate::session::{
    Digest, EventKind, Secrets, SessionId, SessionKind, SessionStarted, Stored, WorkflowId,
};
use crate::store::{Home, OpenSession};

use super::args::Cook;
use super::output::Console;
use super::requirements::Ground;
use super::running::{Prepared, Wanted, absolute, here, lacking, run as run_session};

/// Runs the command.
pub(super) fn run(arguments: &Cook, console: &mut Console) -> Result<ExitKind, Failure> {
    if let Some(resumed) = arguments.as_resume() {
        return super::resume::run(&resumed, console);
    }
    let Some(file) = &arguments.file else {
        return Err(Failure::new(ExitKind::Usage, "no workflow file"));
    };
    let loaded = read_workflow(file, console)?;
    refuse_passes(&loaded.workflow, arguments)?;
    let given = given_parameters(arguments)?;
    if arguments.dry_run {
        return super::rehearse::run(&loaded.workflow, arguments, console);
    }
    let session = Cooking { arguments, file, loaded: &loaded, supersedes: None };
    session.run(given, console)
}

/// A map workflow runs once: its items are in the file.
fn refuse_passes(workflow: &Workflow, arguments: &Cook) -> Result<(), Failure> {
    let options = [
        ("--arg", !arguments.arguments.is_empty()),
        ("--map", !arguments.map.is_empty()),
        ("-n", arguments.max_iterations.is_some()),
    ];
    let given = options.iter().find(|(_, given)| *given);
    match (workflow.session_kind(), given) {
        (SessionKind::Mapreduce, Some((option, _))) => Err(Failure::new(
            ExitKind::Usage,
            format!("{option} has no effect on {}: a map workflow runs once", workflow.name),
        )
        .with_help("its items come from `input:` under `map:`; give values with --param")),
        _ => Ok(()),
    }
}

/// A session about to begin.
pub(super) struct Cooking<'a> {
    pub(super) arguments: &'a Cook,
    pub(super) file: &'a Path,
    pub(super) loaded: &'a Loaded,
    /// The session it replaces (`resume --force`).
    pub(super) supersedes: Option<SessionId>,
}

impl Cooking<'_> {
    /// Makes the session and runs it.
    pub(super) fn run(
        &self,
        given: IndexMap<String, Value>,
        console: &mut Console,
    ) -> Result<ExitKind, Failure> {
        let arguments = self.arguments;
        let workflow = &self.loaded.workflow;
        super::rehearse::refuse_unknown(workflow, &arguments.inject)?;
        let values = parameters(&workflow.parameters, &given).map_err(|errors| wrong(&errors))?;
        let home = Home::open()?;
        let stop = Stop::install().map_err(|error| {
            Failure::new(ExitKind::Failed, "cannot listen to signals").because(error.to_string())
        })?;
        let directory = here()?;
        let plain = |secrets: &Secrets| -> Vec<(String, Stored)> {
            values
                .iter()
                .map(|(name, value)| (name.clone(), Stored::seal(value, secrets)))
                .collect()
        };
        let none = Secrets::default();
        let constants = Constants::evaluate(workflow, &plain(&none), &none)
            .map_err(|error| Failure::new(ExitKind::Usage, error.to_string()))?;
        let surroundings = Surroundings::gather(
            workflow,
            &constants,
            directory.clone(),
            arguments.profile.clone(),
            &stop,
        )
        .map_err(lacking)?;
        super::agents::check_all(workflow, &arguments.options, &surroundings)?;
        let ground = Ground { surroundings: &surroundings, constants: &constants, stop: &stop };
        super::requirements::check_all(workflow, &ground)?;
        let passes = passes(arguments)?;
        let id = SessionId::fresh();
        let count = match arguments.max_iterations {
            Some(count) => usize::try_from(count).unwrap_or(usize::MAX),
            None => passes.len().max(1),
        };
        let started = SessionStarted {
            format: 0,
            prodigy: env!("CARGO_PKG_VERSION").to_owned(),
            workflow_id: WorkflowId::of(&workflow.name, &id),
            kind: workflow.session_kind(),
            session_id: id,
            name: workflow.name.clone(),
            workflow_path: absolute(self.file),
            workflow_hash: Digest::of(self.loaded.text.as_bytes()),
            repository: home.repository(&directory)?,
            directory,
            parameters: plain(&surroundings.secrets),
            passes: passes
                .into_iter()
                .map(|pass| Stored::seal(&pass, &surroundings.secrets))
                .collect(),
            max_iterations: arguments.max_iterations,
            profile: arguments.profile.clone(),
            total_steps: crate::playbook::count_steps(workflow).saturating_mul(count),
            supersedes: self.supersedes.clone(),
            adopted_from: None,
            stages: workflow.stage_names(),
        };
        let session =
            OpenSession::create(&home, started, &self.loaded.text, arguments.options.durability)?;
        if let Some(old) = &self.supersedes {
            supersede(&home, old, session.id(), console);
        }
        let prepared = Prepared {
            session,
            workflow,
            stop,
            constants,
            surroundings,
            events: Vec::new(),
            edited: None,
            starting: HashSet::new(),
            recovery: None,
        };
        let wanted = Wanted {
            options: &arguments.options,
            max_retries: None,
            inject: &arguments.inject,
            color: console.color,
            command: "cook".to_owned(),
        };
        let (home, id) = (prepared.session.home().clone(), prepared.session.id().clone());
        let kind = run_session(prepared, &wanted, console)?;
        super::recovery::after(kind, &home, &id, &arguments.as_recovery(), console)
    }
}

/// Marks the session that a new one replaces; where it cannot be written, the link in the new one stays.
fn supersede(home: &Home, old: &SessionId, new: &SessionId, console: &mut Console) {
    let marked = OpenSession::open(home, old, crate::store::Durability::Strict)
        .and_then(|old| old.commit(EventKind::Superseded { by: new.clone() }).map(drop));
    if let Err(error) = marked {
        console.remark(format_args!("warning: {old} cannot be marked as replaced: {error}"));
    }
}

/// Reads a workflow file; its warnings are shown, its errors end the command.
pub(super) fn read_workflow(file: &Path, console: &mut Console) -> Result<Loaded, Failure> {
    let loaded = load(file).map_err(|error| super::validate::refuse(file, error, console))?;
    super::validate::show(file, &loaded.problems, &loaded.text, console);
    Ok(loaded)
}

/// `--param-file`, and `--param` over it.
fn given_parameters(arguments: &Cook) -> Result<IndexMap<String, Value>, Failure> {
    let mut given = IndexMap::new();
    if let Some(path) = &arguments.parameter_file {
        let text = std::fs::read_to_string(path).map_err(|error| {
            Failure::new(ExitKind::NotFound, format!("cannot read {}", path.display()))
                .because(error.to_string())
        })?;
        let values = crate::playbook::read_values(&text).map_err(|reason| {
            Failure::new(ExitKind::Usage, format!("{}: {reason}", path.display()))
                .with_help("write `name: value` lines, or a JSON object")
        })?;
        given.extend(values);
    }
    for (name, value) in &arguments.parameters {
        given.insert(name.clone(), Value::from(value.as_str()));
    }
    Ok(given)
}

fn wrong(errors: &[crate::executor::ParameterError]) -> Failure {
    let messages: Vec<String> = errors.iter().map(ToString::to_string).collect();
    let failure = Failure::new(ExitKind::Usage, messages.join("\n"));
    match errors.iter().find_map(|error| error.help.clone()) {
        Some(help) => failure.with_help(help),
        None => failure,
    }
}

/// The values of `ARG`: one pass each.
fn passes(arguments: &Cook) -> Result<Vec<Value>, Failure> {
    let mut passes: Vec<Value> =
        arguments.arguments.iter().map(|value| Value::from(value.as_str())).collect();
    for pattern in &arguments.map {
        let found = crate::store::matching(pattern, Path::new(".")).map_err(|reason| {
            Failure::new(ExitKind::Usage, format!("--map {pattern}: {reason}"))
        })?;
        if found.is_empty() {
            return Err(Failure::new(ExitKind::Usage, format!("--map {pattern} fits no file"))
                .with_help("quote the pattern so that the shell leaves it alone"));
        }
        let texts = found.into_iter().map(|path| path.into_os_string().into_vec());
        passes.extend(texts.map(Value::text));
    }
    Ok(passes)
}

//! Checkpoint files without a journal (older versions, hand-written, carried along in a
//! repository) become sessions of their own (SPEC 7.1, DECISIONS A44).

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;

use crate::executor::{Constants, Surroundings, parameters};
use crate::exit::{ExitKind, Failure};
use crate::expr::Value;
use crate::playbook::model::Workflow;
use crate::process::Stop;
use crate::resume::{Place, places};
use crate::session::{
    Captured, Digest, EventKind, Failure as StepFailure, FailureClass, FailureKind, Output, Report,
    Secrets, SessionId, SessionStarted, SessionState, StepResult, StepStatus, Stored, WorkflowId,
};
use crate::store::{
    ForeignCheckpoint, ForeignStep, Home, OpenSession, StoreError, carried_checkpoints,
    read_foreign,
};

use super::args::{Cook, Resume};
use super::cook::{Cooking, read_workflow};
use super::output::Console;
use super::requirements::Ground;
use super::running::{Prepared, Wanted, absolute, here, lacking, run as run_session};

/// Makes a session of the checkpoint and runs it on.
pub(super) fn run(
    home: &Home,
    path: &Path,
    arguments: &Resume,
    console: &mut Console,
) -> Result<ExitKind, Failure> {
    if arguments.force {
        return start_again(path, arguments, console);
    }
    let checkpoint = read_foreign(path).map_err(|error| cannot_read(error, path))?;
    let directory = here()?;
    let file = workflow_file(&checkpoint, path, &directory, arguments)?;
    console.remark(format_args!(
        "taking over the checkpoint {} of {}",
        crate::view::line(&path.display().to_string()),
        crate::view::line(&file.display().to_string())
    ));
    let loaded = read_workflow(&file, console)?;
    let workflow = &loaded.workflow;
    let hash = Digest::of(loaded.text.as_bytes());
    if checkpoint.workflow_hash.as_deref().is_some_and(|it| it.len() == 64 && it != hash.as_str())
        && !arguments.accept_changes
    {
        return Err(Failure::new(
            ExitKind::NeedsPerson,
            "the workflow is not the one that the checkpoint was written for",
        )
        .with_help(format!(
            "prodigy resume {} --accept-changes",
            path.file_stem().unwrap_or_default().to_string_lossy()
        )));
    }
    let stop = Stop::install().map_err(|error| {
        Failure::new(ExitKind::Failed, "cannot listen to signals").because(error.to_string())
    })?;
    let started = started(home, &checkpoint, &file, hash, workflow, directory.clone())?;
    let none = Secrets::default();
    let constants = Constants::evaluate(workflow, &started.parameters, &none)
        .map_err(|error| Failure::new(ExitKind::Usage, error.to_string()))?;
    let surroundings =
        Surroundings::gather(workflow, &constants, directory, None, &stop).map_err(lacking)?;
    let state = SessionState { started: Some(Box::new(started.clone())), ..Default::default() };
    let places = places(workflow, &state);
    check_fit(&checkpoint, &places, &file)?;
    super::agents::check_all(workflow, &arguments.options, &surroundings)?;
    let ground = Ground { surroundings: &surroundings, constants: &constants, stop: &stop };
    super::requirements::check_all(workflow, &ground)?;
    let at = places.get(checkpoint.current_step_index).map(|place| place.address.clone());
    let events = events(&checkpoint, &places, &constants, &surroundings.secrets);
    let session = OpenSession::create(home, started, &loaded.text, arguments.options.durability)?;
    let prepared = Prepared {
        session,
        workflow,
        stop,
        constants,
        surroundings,
        events,
        edited: None,
        starting: at.into_iter().collect(),
        recovery: None,
    };
    let wanted = Wanted {
        options: &arguments.options,
        max_retries: arguments.max_retries,
        inject: &[],
        color: console.color,
        command: "resume".to_owned(),
    };
    let id = prepared.session.id().clone();
    let kind = run_session(prepared, &wanted, console)?;
    super::recovery::after(kind, home, &id, arguments, console)
}

/// `--force`: the workflow from its beginning, with the parameters that the checkpoint knows.
fn start_again(
    path: &Path,
    arguments: &Resume,
    console: &mut Console,
) -> Result<ExitKind, Failure> {
    let (file, given) = match (read_foreign(path), &arguments.workflow) {
        (Err(_), Some(file)) => (absolute(file), IndexMap::new()),
        (Err(error), None) => return Err(cannot_read(error, path)),
        (Ok(checkpoint), _) => {
            (workflow_file(&checkpoint, path, &here()?, arguments)?, variables(&checkpoint))
        }
    };
    let loaded = read_workflow(&file, console)?;
    let known = |name: &str| loaded.workflow.parameters.iter().any(|it| it.name == *name);
    let given = given.into_iter().filter(|(name, _)| known(name)).collect();
    let cook = Cook::again(arguments, None);
    let cooking = Cooking { arguments: &cook, file: &file, loaded: &loaded, supersedes: None };
    console.remark(format_args!("starting {} again from the beginning", loaded.workflow.name));
    cooking.run(given, console)
}

fn variables(checkpoint: &ForeignCheckpoint) -> IndexMap<String, Value> {
    let values = checkpoint.variables.iter();
    values.map(|(name, value)| (name.clone(), Value::from(value.clone()))).collect()
}

fn cannot_read(error: StoreError, path: &Path) -> Failure {
    let failure = Failure::from(error);
    if failure.help.is_some() {
        return failure;
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    failure.with_help(format!(
        "prodigy resume {stem} --force --workflow FILE   (starts again from the beginning)"
    ))
}

/// A checkpoint that tells of steps which the workflow does not have is none of this workflow:
/// taken for it, steps would count as done that never ran.
fn check_fit(
    checkpoint: &ForeignCheckpoint,
    places: &[Place<'_>],
    file: &Path,
) -> Result<(), Failure> {
    let beyond = checkpoint.completed_steps.iter().find(|step| match &step.address {
        Some(address) => !places.iter().any(|place| place.address == *address),
        None => step.index >= places.len(),
    });
    let told = match beyond {
        Some(step) => match &step.address {
            Some(address) => format!("step {address}"),
            None => format!("a step {}", step.index.saturating_add(1)),
        },
        None if checkpoint.current_step_index > places.len() => {
            format!("a step {}", checkpoint.current_step_index)
        }
        None => return Ok(()),
    };
    let stem = checkpoint.path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    Err(Failure::new(
        ExitKind::Damaged,
        format!("the checkpoint {} does not fit {}", checkpoint.path.display(), file.display()),
    )
    .because(format!("it tells of {told}, and the workflow has {} steps", places.len()))
    .with_help(format!("prodigy resume {stem} --force   (starts again from the beginning)")))
}

/// The workflow file: given, or named by the checkpoint. What a repository carries along may
/// only name files of that repository.
fn workflow_file(
    checkpoint: &ForeignCheckpoint,
    path: &Path,
    directory: &Path,
    arguments: &Resume,
) -> Result<PathBuf, Failure> {
    if let Some(given) = &arguments.workflow {
        return Ok(absolute(given));
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let help = format!("prodigy resume {stem} --workflow FILE");
    let Some(named) = &checkpoint.workflow_path else {
        return Err(Failure::new(
            ExitKind::Usage,
            format!("the checkpoint {} does not say which workflow it is of", path.display()),
        )
        .with_help(help));
    };
    let file = absolute(&directory.join(named));
    if !file.exists() {
        return Err(Failure::new(
            ExitKind::NotFound,
            format!("the workflow {} of the checkpoint is not there", file.display()),
        )
        .with_help(help));
    }
    let carried = path.starts_with(carried_checkpoints(directory));
    if carried && !file.starts_with(absolute(directory)) {
        return Err(Failure::new(
            ExitKind::Usage,
            format!(
                "the checkpoint names a workflow outside of this directory: {}",
                file.display()
            ),
        )
        .with_help(help));
    }
    Ok(file)
}

fn started(
    home: &Home,
    checkpoint: &ForeignCheckpoint,
    file: &Path,
    hash: Digest,
    workflow: &Workflow,
    directory: PathBuf,
) -> Result<SessionStarted, Failure> {
    let taken = |id: &SessionId| home.session(id).exists();
    let id = checkpoint.session_id.clone().filter(|id| !taken(id)).unwrap_or_else(SessionId::fresh);
    let known = |name: &str| workflow.parameters.iter().any(|it| it.name == *name);
    let given = variables(checkpoint).into_iter().filter(|(name, _)| known(name)).collect();
    let values = parameters(&workflow.parameters, &given).map_err(|errors| {
        let messages: Vec<String> = errors.iter().map(ToString::to_string).collect();
        Failure::new(ExitKind::Usage, messages.join("\n"))
    })?;
    let none = Secrets::default();
    Ok(SessionStarted {
        format: 0,
        prodigy: env!("CARGO_PKG_VERSION").to_owned(),
        workflow_id: checkpoint
            .workflow_id
            .clone()
            .filter(|it| crate::store::find(home, None, it.as_str()).is_err())
            .unwrap_or_else(|| WorkflowId::of(&workflow.name, &id)),
        session_id: id,
        kind: workflow.session_kind(),
        name: workflow.name.clone(),
        workflow_path: file.to_owned(),
        workflow_hash: hash,
        repository: home.repository(&directory)?,
        directory,
        parameters: values
            .iter()
            .map(|(name, value)| (name.clone(), Stored::seal(value, &none)))
            .collect(),
        passes: Vec::new(),
        max_iterations: None,
        profile: None,
        total_steps: crate::playbook::count_steps(workflow),
        supersedes: None,
        adopted_from: Some(checkpoint.path.display().to_string()),
        stages: workflow.stage_names(),
    })
}

/// What the checkpoint knows, as events: finished steps with their values, attempts used up.
fn events(
    checkpoint: &ForeignCheckpoint,
    places: &[Place<'_>],
    constants: &Constants,
    secrets: &Secrets,
) -> Vec<EventKind> {
    let mut events = Vec::new();
    let finished = |index: usize, place: &Place<'_>| {
        checkpoint.completed_steps.iter().find(|step| match &step.address {
            Some(address) => *address == place.address,
            None => step.index == index,
        })
    };
    let last = (0..places.len()).rev().find(|&index| {
        finished(index, &places[index]).is_some_and(|step| step.success)
            || index < checkpoint.current_step_index
    });
    for (index, place) in places.iter().enumerate() {
        let step = finished(index, place);
        let mut result = match step {
            Some(step) if step.success => result_of(step, place, secrets),
            Some(_) => continue,
            None if index < checkpoint.current_step_index => StepResult::skipped(place.step.kind()),
            None => continue,
        };
        if Some(index) == last {
            result.captures.extend(values(checkpoint, places, constants, secrets));
        }
        events.push(EventKind::StepFinished {
            address: place.address.clone(),
            id: place.step.id.clone(),
            result: Arc::new(result),
            checkpoint: None,
            name: String::new(),
        });
    }
    if let (Some(retry), Some(place)) =
        (&checkpoint.retry, places.get(checkpoint.current_step_index))
    {
        let message = retry.last_error.clone().unwrap_or_else(|| "it failed".to_owned());
        for attempt in 1..=retry.current_attempt.min(100) {
            events.push(EventKind::StepStarted {
                address: place.address.clone(),
                attempt,
                command: place.step.summary(),
                name: place
                    .step
                    .name
                    .as_ref()
                    .map_or_else(String::new, |name| name.source().to_owned()),
                id: place.step.id.clone(),
                agent_session: None,
                agent_continues: false,
                head: None,
            });
            events.push(EventKind::AttemptFinished {
                address: place.address.clone(),
                attempt,
                report: Box::new(Report::failed(StepFailure {
                    kind: FailureKind::Exit,
                    class: FailureClass::Unknown,
                    message: Stored::plain(message.clone()),
                    help: None,
                })),
            });
        }
    }
    events
}

fn result_of(step: &ForeignStep, place: &Place<'_>, secrets: &Secrets) -> StepResult {
    let text = step.output.clone().unwrap_or_default();
    let text = text.trim_end_matches('\n').to_owned();
    let mut result = StepResult::skipped(place.step.kind());
    result.status = StepStatus::Success;
    result.attempts = step.attempts;
    result.report.exit_code = Some(step.exit_code);
    result.report.duration_ms = u64::try_from(step.duration.as_millis()).unwrap_or(u64::MAX);
    result.report.stdout = Output {
        bytes: text.len() as u64,
        text: Stored::seal(&Value::from(text), secrets),
        cut: false,
    };
    if let Some(name) = &place.step.capture.name {
        let known = step.captured_variables.get(name);
        result.captures.push(Captured {
            name: name.clone(),
            value: known.map(|value| Stored::seal(&Value::from(value.clone()), secrets)),
        });
    }
    result
}

/// Values of the checkpoint that no step of the workflow and no variable brings back by itself.
fn values(
    checkpoint: &ForeignCheckpoint,
    places: &[Place<'_>],
    constants: &Constants,
    secrets: &Secrets,
) -> Vec<Captured> {
    let of_steps: HashSet<&str> = places
        .iter()
        .flat_map(|place| [place.step.id.as_deref(), place.step.capture.name.as_deref()])
        .flatten()
        .collect();
    checkpoint
        .variables
        .iter()
        .filter(|(name, _)| !name.starts_with("__") && !of_steps.contains(name.as_str()))
        .filter(|(name, _)| !["shell", "claude", "last"].contains(&name.as_str()))
        .map(|(name, value)| (name, Value::from(value.clone())))
        .filter(|(name, value)| constants.value(name).is_none_or(|(known, _)| known != value))
        .map(|(name, value)| Captured {
            name: name.clone(),
            value: Some(Stored::seal(&value, secrets)),
        })
        .collect()
}

//! `prodigy resume`: a session goes on from where its journal says it is.

use std::path::{Path, PathBuf};

use crate::executor::{Constants, Permissions, Surroundings, SurroundingsError};
use crate::exit::{ExitKind, Failure};
use crate::process::Stop;
use crate::resume::{
    Changes, Decision, Downstream, Earlier, ReduceAfter, Refusal, Request, Requeue, Row,
    before_items_are_read_again, decide, foresee, rows,
};
use crate::session::{
    Address, Digest, EventKind, SessionStarted, SessionState, item_address, item_number,
};
use crate::store::{Card, FrozenItems, Home, OpenSession};

use super::args::Resume;
use super::goal::{Goal, check_downstream, goal};
use super::output::Console;
use super::refusal::refused;
use super::restart::restart;
use super::running::{Prepared, Wanted, end_dead_run, here, lacking, run as run_session};

/// Runs the command.
pub(super) fn run(arguments: &Resume, console: &mut Console) -> Result<ExitKind, Failure> {
    let home = Home::open()?;
    let repository = home.known_repository(&here()?)?;
    let card = match chosen(&home, repository.as_deref(), arguments.id.as_deref())? {
        Found::Card(card) => *card,
        Found::Nothing => {
            console.remark("nothing to resume: no session of this repository is interrupted, failed or waiting");
            return Ok(ExitKind::Success);
        }
        Found::Checkpoint(path) => {
            return super::adopt::run(&home, &path, arguments, console);
        }
    };
    if arguments.force && arguments.from_checkpoint.is_none() {
        return restart(&home, &card, arguments, console);
    }
    take_up(&home, &card, arguments, &ItemWish::default(), console)
}

/// What a person asks of the items of a map, beside what every session knows.
#[derive(Default)]
pub(super) struct ItemWish {
    /// Items of the dead letter queue that run again.
    pub(super) requeue: Requeue,
    /// What becomes of reduce then.
    pub(super) reduce: ReduceAfter,
    /// Extra runs for those items.
    pub(super) extra_runs: Option<u32>,
}

/// Continues a session, or shows what that would do.
pub(super) fn take_up(
    home: &Home,
    card: &Card,
    arguments: &Resume,
    wish: &ItemWish,
    console: &mut Console,
) -> Result<ExitKind, Failure> {
    if arguments.force && arguments.from_checkpoint.as_deref() != Some("reduce") {
        let message = "--force with --from-checkpoint is only for `reduce`, which it lets begin before all items ended";
        return Err(Failure::new(ExitKind::Usage, message).with_help("leave --force out"));
    }
    if arguments.plan {
        return show_plan(home, card, arguments, wish, console);
    }
    let session = OpenSession::open(home, &card.session_id, arguments.durability)?;
    go_on(session, arguments, wish, console)
}

/// What an id, or its absence, stands for.
enum Found {
    Card(Box<Card>),
    /// A checkpoint file without a journal.
    Checkpoint(PathBuf),
    Nothing,
}

fn chosen(home: &Home, repository: Option<&str>, id: Option<&str>) -> Result<Found, Failure> {
    let Some(id) = id else {
        let latest = match repository {
            Some(repository) => crate::store::latest_resumable(home, repository)?,
            None => None,
        };
        if let Some(card) = latest {
            return Ok(Found::Card(Box::new(card)));
        }
        let checkpoint = super::adoptable::latest(home, repository)?;
        return Ok(checkpoint.map_or(Found::Nothing, Found::Checkpoint));
    };
    match crate::store::find(home, repository, id) {
        Ok(card) => Ok(Found::Card(Box::new(card))),
        Err(error @ crate::store::StoreError::NotFound { .. }) => {
            match super::adoptable::find(home, repository, id)? {
                Some(path) => Ok(Found::Checkpoint(path)),
                None => Err(error.into()),
            }
        }
        Err(error) => Err(error.into()),
    }
}

/// What a resume would do: events, plan rows, and the state after them.
struct Outlook {
    decision: Decision,
    rows: Vec<Row>,
}

fn outlook(
    home: &Home,
    state: &SessionState,
    goal: &Goal,
    arguments: &Resume,
    wish: &ItemWish,
    earlier: &Earlier<'_>,
) -> Result<Outlook, Refusal> {
    let mut changed = Vec::new();
    if let Some(changes) = &goal.changes {
        let workflow = &goal.loaded.workflow;
        if changes.items {
            changed.extend(before_items_are_read_again(state));
        }
        let event = EventKind::WorkflowChanged {
            workflow_hash: Digest::of(goal.loaded.text.as_bytes()),
            total_steps: crate::playbook::count_steps(workflow) * passes(state),
            stages: workflow.stage_names(),
            kept: changes.kept.clone(),
            edited: changes.edited.clone(),
            items: changes.items,
        };
        changed.push(event);
    }
    let edited = foresee(state, &changed, earlier);
    let request = Request {
        from_checkpoint: arguments.from_checkpoint.clone(),
        from_step: arguments.from_step.clone(),
        downstream: match arguments.downstream {
            true => Downstream::Again,
            false => Downstream::Kept,
        },
        edited: goal.changes.iter().flat_map(Changes::beginnings).collect(),
        rereads_items: goal.changes.as_ref().is_some_and(|it| it.items),
        accepts_edit: arguments.accept_changes,
        rerun: arguments.rerun.clone(),
        done: arguments.done.clone(),
        requeue: wish.requeue.clone(),
        reduce: wish.reduce,
        items: match arguments.force || arguments.from_step.as_ref().is_some_and(in_map) {
            true => numbers(home, state).unwrap_or_default(),
            false => Vec::new(),
        },
        pass_over: arguments.force,
    };
    let mut decision = decide(&edited, &goal.loaded.workflow, &request, earlier)?;
    let after = foresee(&edited, &decision.events, earlier);
    decision.events.splice(0..0, changed);
    if wish.extra_runs.is_some() {
        decision.starting.retain(is_item);
    }
    let rows = rows(&goal.loaded.workflow, state, &after, &decision, goal.changes.as_ref());
    Ok(Outlook { decision, rows })
}

/// The numbers of all items of the session's job.
fn numbers(home: &Home, state: &SessionState) -> Option<Vec<u32>> {
    let (job, header) = (state.lifetime.job.as_ref()?, state.header()?);
    let items = FrozenItems::open(home, &header.repository, job).ok()?;
    Some(items.numbers().collect())
}

/// True for the scope of an item as a whole.
fn is_item(address: &Address) -> bool {
    item_number(address).is_some_and(|item| item_address(item) == *address)
}

fn in_map(address: &Address) -> bool {
    item_number(address).is_some()
}

/// How often the session runs through its steps.
fn passes(state: &SessionState) -> usize {
    let Some(header) = state.header() else { return 1 };
    let iterations = header.max_iterations.map(|it| usize::try_from(it).unwrap_or(usize::MAX));
    iterations.unwrap_or(header.passes.len()).max(1)
}

/// Takes the session up and runs it to its end.
pub(super) fn go_on(
    session: OpenSession,
    arguments: &Resume,
    wish: &ItemWish,
    console: &mut Console,
) -> Result<ExitKind, Failure> {
    if session.torn() > 0 {
        console.remark(format_args!(
            "the last record of the run before was written only in part ({} bytes): what it told is done again",
            session.torn()
        ));
    }
    let state = session.with(Clone::clone);
    let mut header = header_of(&state)?;
    let moved = super::moved::follow(session.home(), &mut header, console)?;
    let id = header.workflow_id.clone();
    let goal = goal(session.home(), &header, &state, console)?;
    check_downstream(&goal, arguments, id.as_str())?;
    let earlier = |seq| session.at(seq).ok();
    let outlook = match outlook(session.home(), &state, &goal, arguments, wish, &earlier) {
        Ok(outlook) => outlook,
        Err(Refusal::Completed) => {
            console.remark(format_args!("{id} is completed: there is nothing to resume"));
            return Ok(ExitKind::Success);
        }
        Err(refusal) => return Err(refused(refusal, &id.to_string())),
    };
    if let Some(changes) = &goal.changes {
        accept_changes(changes, &outlook, arguments, &id.to_string(), console)?;
    }
    enter_directory(&header.directory)?;
    if moved.is_some() {
        session.home().bind_repository(&header.repository, &header.directory)?;
    }
    let stop = Stop::install().map_err(|error| {
        Failure::new(ExitKind::Failed, "cannot listen to signals").because(error.to_string())
    })?;
    end_dead_run(&state, console);
    let workflow = &goal.loaded.workflow;
    let (constants, surroundings) = surroundings(workflow, &header, &stop)?;
    let permissions =
        Permissions { mode: arguments.permission_mode.clone(), skip: arguments.skip_permissions };
    super::agents::check_open(workflow, &state, &outlook.rows, &permissions, &surroundings)?;
    warn_of_changes(&state, &surroundings, console);
    if let Some(missing) = state.standing.missing_secret(&surroundings.secrets) {
        return Err(Failure::new(ExitKind::NeedsPerson, missing.to_string())
            .with_help(format!("set it as before, then: prodigy resume {id}")));
    }
    for note in &outlook.decision.notes {
        console.remark(note);
    }
    for address in &outlook.decision.passed_over {
        console.remark(format_args!("  step {address} is passed over"));
    }
    let prepared = Prepared {
        session,
        workflow,
        stop,
        constants,
        surroundings,
        events: moved.into_iter().chain(outlook.decision.events).collect(),
        edited: goal.stored_is_old.then_some(goal.loaded.text.as_str()),
        starting: outlook.decision.starting,
    };
    let wanted = Wanted {
        yes: arguments.yes,
        park: arguments.park,
        permissions,
        max_retries: wish.extra_runs.or(arguments.max_retries),
        max_parallel: arguments.max_parallel,
        inject: &[],
        durability: arguments.durability,
        output: arguments.output,
        color: console.color,
        command: match wish.requeue {
            Requeue::Nothing => "resume".to_owned(),
            Requeue::All | Requeue::These(_) => "dlq retry".to_owned(),
        },
    };
    run_session(prepared, &wanted, console)
}

/// What the surroundings lack that they had in the run before.
fn lacking_again(error: SurroundingsError, id: &str) -> Failure {
    if error.secret.is_none() {
        return lacking(error);
    }
    let what = error.help.unwrap_or_else(|| "see that the secret can be had as before".to_owned());
    Failure::new(ExitKind::NeedsPerson, error.message)
        .with_help(format!("{what}, then: prodigy resume {id}"))
}

fn header_of(state: &SessionState) -> Result<SessionStarted, Failure> {
    state
        .header()
        .cloned()
        .ok_or_else(|| Failure::new(ExitKind::Damaged, "the session's first record is missing"))
}

fn surroundings(
    workflow: &crate::playbook::model::Workflow,
    header: &SessionStarted,
    stop: &Stop,
) -> Result<(Constants, Surroundings), Failure> {
    // Secrets may be part of parameters, and parameters of secrets: two looks find both.
    let usage = |error: crate::expr::EvalError| Failure::new(ExitKind::Usage, error.to_string());
    let none = crate::session::Secrets::default();
    let bare: Vec<_> =
        header.parameters.iter().filter(|(_, value)| value.open(&none).is_ok()).cloned().collect();
    let constants = Constants::evaluate(workflow, &bare, &none).map_err(usage);
    let gather = |constants: &Constants| {
        Surroundings::gather(
            workflow,
            constants,
            header.directory.clone(),
            header.profile.clone(),
            stop,
        )
        .map_err(|error| lacking_again(error, &header.workflow_id.to_string()))
    };
    if bare.len() == header.parameters.len() {
        let constants = constants?;
        let surroundings = gather(&constants)?;
        return Ok((constants, surroundings));
    }
    let first = gather(&constants.unwrap_or_default())?;
    let constants = Constants::evaluate(workflow, &header.parameters, &first.secrets)
        .map_err(|error| Failure::new(ExitKind::NeedsPerson, error.to_string()))?;
    let surroundings = gather(&constants)?;
    Ok((constants, surroundings))
}

/// The run goes on where it began.
pub(super) fn enter_directory(directory: &Path) -> Result<(), Failure> {
    std::env::set_current_dir(directory).map_err(|error| {
        Failure::new(
            ExitKind::NotFound,
            format!("the directory of the session is gone: {}", directory.display()),
        )
        .because(error.to_string())
        .with_help("put it back, or change to where it is now, then resume again")
    })
}

/// What differs from the last run, where it may matter.
fn warn_of_changes(state: &SessionState, surroundings: &Surroundings, console: &mut Console) {
    let Some(last) = state.lifetime.runs.last() else { return };
    let now = surroundings.digests();
    for (name, digest) in &last.environment {
        match now.iter().find(|(known, _)| known == name) {
            Some((_, present)) if present != digest => {
                console.remark(format_args!("warning: env {name} has another value than before"));
            }
            Some(_) => {}
            None => console.remark(format_args!("warning: env {name} is not set any more")),
        }
    }
}

fn accept_changes(
    changes: &Changes,
    outlook: &Outlook,
    arguments: &Resume,
    id: &str,
    console: &mut Console,
) -> Result<(), Failure> {
    console.remark("the workflow file was edited since the last run:");
    console.remark(super::plan::table(&outlook.rows));
    tell_settings(changes, console);
    if arguments.accept_changes {
        return Ok(());
    }
    match super::confirm::ask("Go on with the edited workflow?", &|| false) {
        super::confirm::Answer::Yes => Ok(()),
        _ => Err(Failure::new(ExitKind::NeedsPerson, "the workflow file was edited")
            .with_help(format!("prodigy resume {id} --accept-changes"))),
    }
}

fn tell_settings(changes: &Changes, console: &mut Console) {
    for setting in &changes.settings {
        let setting = crate::view::line(setting).into_owned();
        console.remark(format_args!("  {setting}: changed; applies to what still runs"));
    }
    if changes.items {
        console.remark("  the items are read again; those that are the same keep their results");
    }
}

/// `--plan`: shows what would happen, without holding the session.
fn show_plan(
    home: &Home,
    card: &Card,
    arguments: &Resume,
    wish: &ItemWish,
    console: &mut Console,
) -> Result<ExitKind, Failure> {
    let loaded = OpenSession::read(home, &card.session_id)?;
    if let Some(damage) = loaded.damage {
        return Err(damage.into());
    }
    let mut header = header_of(&loaded.state)?;
    super::moved::follow(home, &mut header, console)?;
    let goal = goal(home, &header, &loaded.state, console)?;
    check_downstream(&goal, arguments, header.workflow_id.as_str())?;
    let earlier = |seq| loaded.at(seq);
    let rows = match outlook(home, &loaded.state, &goal, arguments, wish, &earlier) {
        Ok(outlook) => outlook.rows,
        Err(Refusal::Completed) => {
            console.remark(format_args!("{} is completed: nothing would run", header.workflow_id));
            Vec::new()
        }
        Err(refusal) => return Err(refused(refusal, header.workflow_id.as_str())),
    };
    if arguments.json {
        let json = serde_json::to_value(&rows).map_err(anyhow::Error::from)?;
        console.output.json(&json);
    } else if !rows.is_empty() {
        console.output.text(super::plan::table(&rows));
        if let Some(changes) = &goal.changes {
            console.remark("the workflow file was edited since the last run");
            tell_settings(changes, console);
        }
    }
    Ok(ExitKind::Success)
}

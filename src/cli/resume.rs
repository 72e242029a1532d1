//! `prodigy resume`: a session goes on from where its journal says it is.

use std::path::{Path, PathBuf};

use crate::executor::{Constants, Surroundings, SurroundingsError};
use crate::exit::{ExitKind, Failure};
use crate::process::Stop;
use crate::resume::{ReduceAfter, Refusal, Requeue};
use crate::session::{Address, SessionStarted, SessionState};
use crate::store::{Card, Home, OpenSession};

use super::args::Resume;
use super::goal::{check_downstream, goal};
use super::outlook::{accept_changes, outlook, show_plan};
use super::output::Console;
use super::refusal::refused;
use super::requirements::Ground;
use super::restart::restart;
use super::running::{Prepared, Wanted, end_dead_run, here, lacking, run as run_session};
use super::taking::Taking;

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
    if goes_where_it_stood(arguments, wish) {
        let ended = super::recovery::go_on_with_open(home, card, arguments, console)?;
        if let Some(kind) = ended {
            return super::recovery::after(kind, home, &card.session_id, arguments, console);
        }
    }
    let session = OpenSession::open(home, &card.session_id, arguments.options.durability)?;
    super::recovery::give_up_open(home, card)?;
    let kind = go_on(session, arguments, wish, None, console)?;
    super::recovery::after(kind, home, &card.session_id, arguments, console)
}

/// True when nothing is asked but that the session goes on; what a person says of a step of a
/// fix belongs to the recovery that waits for it.
fn goes_where_it_stood(arguments: &Resume, wish: &ItemWish) -> bool {
    arguments.from_checkpoint.is_none()
        && arguments.from_step.is_none()
        && !arguments.downstream
        && arguments.rerun.iter().chain(&arguments.done).all(Address::is_of_recovery)
        && arguments.max_retries.is_none()
        && wish.requeue == Requeue::Nothing
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

/// Takes the session up and runs it to its end.
pub(super) fn go_on(
    session: OpenSession,
    arguments: &Resume,
    wish: &ItemWish,
    taking: Option<Taking<'_>>,
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
    let mut goal = goal(session.home(), &header, &state, console)?;
    check_downstream(&goal, arguments, id.as_str())?;
    if let Some(taking) = &taking {
        goal.loaded.workflow.recovery.rules = vec![taking.rule.clone()];
    }
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
    if let Some(taking) = &taking {
        taking.refuse_marked(&goal.loaded.workflow, &state, &outlook.decision.events)?;
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
    super::agents::check_open(workflow, &state, &outlook.rows, &arguments.options, &surroundings)?;
    let ground = Ground { surroundings: &surroundings, constants: &constants, stop: &stop };
    super::requirements::check_open(workflow, &state, &outlook.rows, &ground)?;
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
    let recovering = taking.is_some();
    let prepared = Prepared {
        session,
        workflow,
        stop,
        constants,
        surroundings,
        events: moved.into_iter().chain(outlook.decision.events).collect(),
        edited: goal.stored_is_old.then_some(goal.loaded.text.as_str()),
        starting: outlook.decision.starting,
        recovery: taking.map(|taking| taking.attempt(workflow)),
    };
    let wanted = Wanted {
        options: &arguments.options,
        max_retries: wish.extra_runs.or(arguments.max_retries),
        inject: &[],
        color: console.color,
        command: match wish.requeue {
            _ if recovering => "recovery initiate".to_owned(),
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

/// What the session is.
pub(super) fn header_of(state: &SessionState) -> Result<SessionStarted, Failure> {
    state
        .header()
        .cloned()
        .ok_or_else(|| Failure::new(ExitKind::Damaged, "the session's first record is missing"))
}

/// The surroundings of a session as they are now, and the values of its workflow.
pub(super) fn surroundings(
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
    let short = |commit: &str| commit.get(..12).unwrap_or(commit).to_owned();
    match (&state.lifetime.head, surroundings.head()) {
        (Some(then), Some(now)) if *then != now => console.remark(format_args!(
            "warning: HEAD is {} now, and was {} when the session was last seen",
            short(&now),
            short(then)
        )),
        (Some(_), None) => console.remark("warning: there is no git repository any more"),
        _ => {}
    }
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

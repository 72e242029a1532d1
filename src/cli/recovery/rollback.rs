//! `prodigy recovery rollback`: back to a checkpoint, files included; it can be undone.

use chrono::Utc;
use serde_json::{Value as Json, json};

use crate::cli::args::Rollback as Arguments;
use crate::cli::confirm::{Answer, ask};
use crate::cli::file_store::file_store;
use crate::cli::lookup::Place;
use crate::cli::moved;
use crate::cli::output::Console;
use crate::cli::resume::header_of;
use crate::cli::running::end_dead_run;
use crate::exit::{ExitKind, Failure};
use crate::recovery::{
    Chooser, FilesReach, RecoveryContext, RecoveryState, RecoveryStatus, Rollback, RollbackRefusal,
    RollbackRequest, RollbackTarget, Shelf, ShelfError, StepWord, plan_rollback, present_failure,
};
use crate::session::{
    Address, FailureClass, PersonsAnswer, RecoveryType, SessionStarted, SessionState, SessionStatus,
};
use crate::store::{self, Card, Durability, OpenSession};
use crate::view;

use super::auto::give_up_open;
use super::restoring::{Done, Rolling, Saved, nothing_left, save, workflow_of};

/// Goes back, or finishes what a killed rollback left.
pub(super) fn run(arguments: &Arguments, console: &mut Console) -> Result<ExitKind, Failure> {
    let place = Place::open()?;
    let (card, checkpoint) = session(&place, arguments)?;
    moved::settle(&place.home, &card, console)?;
    let session = OpenSession::open(&place.home, &card.session_id, Durability::Strict)?;
    let state = session.with(Clone::clone);
    let header = header_of(&state)?;
    end_dead_run(&state, console);
    let target = match (&checkpoint, arguments.undo) {
        (Some(name), _) => RollbackTarget::Version(version(&place, &state, &card, name)?),
        (None, true) => RollbackTarget::Undo,
        (None, false) => RollbackTarget::LastGood,
    };
    if let Some(done) = settle(&session, &header)? {
        console.remark("finished the rollback that was interrupted");
        if done.answers(&target) {
            tell(&session, &header, &done, arguments.json, console);
            return Ok(ExitKind::Success);
        }
    }
    let wish = Wish {
        request: RollbackRequest { target, answers: answers(arguments) },
        reason: arguments.reason.clone(),
        asks: if arguments.yes { Asks::Nobody } else { Asks::Person },
    };
    let mut recovery = recovery(&session, &header, arguments.reason.as_deref());
    let done = go_back(&session, &header, &mut recovery, wish, &|| Ok(()), console)?;
    give_up_open(&place.home, &card)?;
    tell(&session, &header, &done, arguments.json, console);
    Ok(ExitKind::Success)
}

/// How a rollback is asked for.
pub(super) struct Wish {
    pub(super) request: RollbackRequest,
    pub(super) reason: Option<String>,
    pub(super) asks: Asks,
}

/// Whether a person has to say yes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asks {
    Person,
    Nobody,
}

/// Goes back as `recovery`, whose progress is kept; `begin` records what is to be recorded before
/// anything is changed, when nothing stands against it.
pub(super) fn go_back(
    session: &OpenSession,
    header: &SessionStarted,
    recovery: &mut RecoveryState,
    wish: Wish,
    begin: &dyn Fn() -> Result<(), Failure>,
    console: &mut Console,
) -> Result<Done, Failure> {
    let state = session.with(Clone::clone);
    let id = header.workflow_id.as_str();
    let store = file_store(session.home(), &header.repository, &header.directory);
    let reach = if store.is_some() { FilesReach::Repository } else { FilesReach::Nowhere };
    let workflow = workflow_of(session)?.workflow;
    let earlier = |seq| session.at(seq).ok();
    let rollback = plan_rollback(&state, &workflow, &wish.request, reach, &earlier)
        .map_err(|refusal| refused(refusal, id))?;
    let saved = save(session, store, &rollback.version)?;
    if let Some(before) = &state.lifetime.rollback
        && state.lifetime.rests_on_rollback
        && before.version == rollback.version.version
        && saved.are_still(state.lifetime.restored.as_deref())
    {
        // Done already, perhaps by a process that was killed before it could say so.
        begin()?;
        return nothing_left(session, header, before);
    }
    if wish.asks == Asks::Person {
        confirm(header, &rollback, &saved, console)?;
    }
    begin()?;
    let mut rolling = Rolling { session, header, state: recovery };
    let mut done = rolling.go(&rollback.version, saved, wish.reason, wish.request.answers)?;
    done.dropped = Some(rollback);
    Ok(done)
}

/// Finishes what a killed rollback of this session left; none where nothing was left.
pub(super) fn settle(
    session: &OpenSession,
    header: &SessionStarted,
) -> Result<Option<Done>, Failure> {
    let shelf = Shelf::of(session.home());
    let (open, last) =
        session.with(|state| (state.rollback.clone(), state.lifetime.rollback.clone()));
    if let Some(started) = open {
        let known = match &started.recovery {
            Some(id) => match shelf.find(id) {
                // The journal knows where to, and that is what counts.
                Err(ShelfError::Unreadable { .. }) => None,
                found => found?,
            },
            None => None,
        };
        let mut state =
            known.unwrap_or_else(|| recovery(session, header, started.reason.as_deref()));
        let mut rolling = Rolling { session, header, state: &mut state };
        return rolling.finish(&started).map(Some);
    }
    let mut settled = None;
    for mut state in shelf.of_session(session.id())? {
        let rollback = state.recovery_type == RecoveryType::Rollback;
        if !rollback || state.status != RecoveryStatus::InProgress {
            continue;
        }
        match last.as_ref().filter(|it| it.recovery.as_ref() == Some(&state.id)) {
            Some(started) => {
                let mut rolling = Rolling { session, header, state: &mut state };
                settled = Some(rolling.close(started)?);
            }
            // What a rule chose goes on with `recovery initiate`, or `resume`.
            None if state.recovery_context.rule.is_some() => {}
            None => {
                let reason = "killed before anything was changed";
                state.finish(RecoveryStatus::Failed, reason, Utc::now());
                shelf.keep(&state)?;
            }
        }
    }
    Ok(settled)
}

/// A rollback that a person asks for.
fn recovery(session: &OpenSession, header: &SessionStarted, reason: Option<&str>) -> RecoveryState {
    let failure = OpenSession::read(session.home(), session.id())
        .ok()
        .and_then(|loaded| present_failure(&loaded));
    let context = RecoveryContext {
        session_id: header.session_id.clone(),
        workflow_id: header.workflow_id.clone(),
        step: failure.as_ref().and_then(|failure| failure.step.clone()),
        class: failure.as_ref().map_or(FailureClass::Unknown, |failure| failure.class),
        number: 1,
        chosen_by: Chooser::Person,
        reason: reason.unwrap_or("asked for with `recovery rollback`").to_owned(),
        rule: None,
        rule_source: None,
    };
    let id = failure.map(|failure| failure.id).unwrap_or_default();
    let repository = header.repository.clone();
    let mut state = RecoveryState::new(id, repository, RecoveryType::Rollback, context, Utc::now());
    state.recovery_plan =
        vec![StepWord::SavePresentState, StepWord::RestoreFiles, StepWord::SetPosition];
    state
}

/// The session, and the checkpoint as it was named, if it was.
fn session(place: &Place, arguments: &Arguments) -> Result<(Card, Option<String>), Failure> {
    let Some(checkpoint) = &arguments.checkpoint_id else {
        return Ok((place.find_or_latest(arguments.id.as_deref())?, None));
    };
    let (owner, name) = match checkpoint.split_once('@') {
        Some((owner, name)) => (Some(owner), name),
        None => (None, checkpoint.as_str()),
    };
    let card = place.find_or_latest(arguments.id.as_deref().or(owner))?;
    if let Some(owner) = owner
        && place.find(owner)?.session_id != card.session_id
    {
        return Err(Failure::new(
            ExitKind::Usage,
            format!("{checkpoint} is no checkpoint of {}", card.workflow_id),
        )
        .with_help("name the session only once, as ID@vN"));
    }
    Ok((card, Some(name.to_owned())))
}

/// The number of a version, a named checkpoint or a name given from outside.
fn version(place: &Place, state: &SessionState, card: &Card, name: &str) -> Result<u32, Failure> {
    if let Some(version) = state.lifetime.find_version(name) {
        return Ok(version.version);
    }
    let labels = store::labels(&place.home, &card.session_id)?;
    let label = labels.iter().rev().find(|label| label.name == name);
    label.map(|label| label.version).ok_or_else(|| {
        let id = &card.workflow_id;
        Failure::new(ExitKind::NotFound, format!("no checkpoint {name:?} in {id}"))
            .with_help(format!("prodigy checkpoints list --workflow-id {id}"))
    })
}

fn answers(arguments: &Arguments) -> Vec<(Address, PersonsAnswer)> {
    let rerun = arguments.rerun.iter().map(|at| (at.clone(), PersonsAnswer::Rerun));
    rerun.chain(arguments.done.iter().map(|at| (at.clone(), PersonsAnswer::Done))).collect()
}

/// A person is asked, because files are rewritten.
fn confirm(
    header: &SessionStarted,
    rollback: &Rollback,
    saved: &Saved,
    console: &mut Console,
) -> Result<(), Failure> {
    let id = &header.workflow_id;
    let version = rollback.version.version;
    console.remark(format_args!(
        "{id} goes back to v{version} ({}): {}{}",
        after(&rollback.version.address),
        dropped_words(rollback),
        saved.words()
    ));
    match ask("Go back?", &|| false) {
        Answer::Yes => Ok(()),
        Answer::No => Err(Failure::new(ExitKind::NeedsPerson, "nothing was changed")),
        Answer::NoTerminal => {
            Err(Failure::new(ExitKind::NeedsPerson, "a rollback has to be confirmed")
                .because("there is no terminal to ask at; nothing was changed")
                .with_help(format!(
                    "prodigy recovery rollback --checkpoint-id {id}@v{version} --yes"
                )))
        }
    }
}

fn after(address: &Address) -> String {
    match address.is_root() {
        true => "the beginning".to_owned(),
        false => format!("after {}", view::line(address.as_str())),
    }
}

fn dropped_words(rollback: &Rollback) -> String {
    let steps = view::count(rollback.dropped.len() as u64, "finished step");
    let mut text = match rollback.dropped.len() {
        0 => "no finished step runs again".to_owned(),
        1 => format!("{steps} runs again"),
        _ => format!("{steps} run again"),
    };
    if rollback.dropped_items > 0 {
        let items = view::count(u64::from(rollback.dropped_items), "ended item");
        text = format!("{text}, {items} too");
    }
    text
}

/// What was done, and the commands that follow.
pub(super) fn tell(
    session: &OpenSession,
    header: &SessionStarted,
    done: &Done,
    json: bool,
    console: &mut Console,
) {
    let id = &header.workflow_id;
    let status = session.with(|state| state.status).unwrap_or(SessionStatus::Interrupted);
    if json {
        console.output.json(&object(header, status, done));
        return;
    }
    let version = done.version.version;
    let place = after(&done.version.address);
    console.output.line(format_args!("{id} is back at v{version} ({place})"));
    if let Some(dropped) = &done.dropped {
        console.output.line(format_args!("  {}", dropped_words(dropped)));
    }
    for line in done.words() {
        console.output.line(format_args!("  {line}"));
    }
    let undo = done.undo_version;
    console.remark(format_args!("to undo this: prodigy recovery rollback {id} --undo   (v{undo})"));
    if !status.is_completed() {
        console.remark(format_args!("to go on: prodigy resume {id}"));
    }
}

fn object(header: &SessionStarted, status: SessionStatus, done: &Done) -> Json {
    let id = &header.workflow_id;
    let dropped = done.dropped.as_ref();
    json!({
        "workflow_id": id,
        "session_id": header.session_id,
        "repository": header.repository,
        "status": status,
        "checkpoint_id": format!("{id}@v{}", done.version.version),
        "version": done.version.version,
        "address": done.version.address,
        "undo_checkpoint_id": format!("{id}@v{}", done.undo_version),
        "reason": done.reason,
        "steps_to_run_again": dropped.map(|it| &it.dropped),
        "items_to_run_again": dropped.map(|it| it.dropped_items),
        "files": done.files_object(),
        "head": { "recorded": done.version.head, "present": done.head },
        "next": (!status.is_completed()).then(|| format!("prodigy resume {id}")),
    })
}

/// A refusal with the next command.
fn refused(refusal: RollbackRefusal, id: &str) -> Failure {
    let message = refusal.to_string();
    match refusal {
        RollbackRefusal::Superseded(by) => Failure::new(ExitKind::Usage, message)
            .with_help(format!("prodigy recovery rollback {by}")),
        RollbackRefusal::NoVersion(_) | RollbackRefusal::NothingGood => {
            Failure::new(ExitKind::NotFound, message)
                .with_help(format!("prodigy checkpoints list --workflow-id {id}"))
        }
        RollbackRefusal::NothingToUndo => Failure::new(ExitKind::NotFound, message)
            .with_help(format!("prodigy checkpoints list --workflow-id {id}")),
        RollbackRefusal::NoFiles { version, nearest } => {
            let position = format!(
                "prodigy resume {id} --from-checkpoint v{version}   (variables and position only)"
            );
            Failure::new(ExitKind::NotFound, message).with_help(match nearest {
                Some(nearest) => format!(
                    "prodigy recovery rollback --checkpoint-id {id}@v{nearest}, or {position}"
                ),
                None => position,
            })
        }
        RollbackRefusal::Marked(address, _) => {
            let step = view::typed(address.as_str());
            Failure::new(ExitKind::NeedsPerson, message).with_help(format!(
                "prodigy recovery rollback {id} … --rerun {step}   (it is to run again), or --done {step}   (it is done)"
            ))
        }
        RollbackRefusal::NotInTheWay(_) => {
            Failure::new(ExitKind::Usage, message).with_help("leave out --rerun and --done")
        }
    }
}

//! `prodigy recovery rollback`: back to a checkpoint, files included; it can be undone.

use serde_json::{Value as Json, json};

use crate::cli::args::Rollback as Arguments;
use crate::cli::confirm::{Answer, ask};
use crate::cli::lookup::Place;
use crate::cli::output::Console;
use crate::cli::running::end_dead_run;
use crate::exit::{ExitKind, Failure};
use crate::playbook::{Loaded, parse};
use crate::recovery::{
    FilesReach, Rollback, RollbackRefusal, RollbackRequest, RollbackTarget, plan_rollback,
};
use crate::session::{Address, PersonsAnswer, SessionStarted, SessionState, SessionStatus};
use crate::store::{self, Card, Durability, OpenSession};
use crate::view;

use super::restoring::{Done, Saved, finish, restore, save};

/// Goes back, or finishes what a killed rollback left.
pub(super) fn run(arguments: &Arguments, console: &mut Console) -> Result<ExitKind, Failure> {
    let place = Place::open()?;
    let (card, checkpoint) = session(&place, arguments)?;
    let session = OpenSession::open(&place.home, &card.session_id, Durability::Strict)?;
    let state = session.with(Clone::clone);
    let header = super::restoring::header_of(&state)?;
    end_dead_run(&state, console);
    let target = match (&checkpoint, arguments.undo) {
        (Some(name), _) => RollbackTarget::Version(version(&place, &state, &card, name)?),
        (None, true) => RollbackTarget::Undo,
        (None, false) => RollbackTarget::LastGood,
    };
    if let Some(open) = &state.rollback {
        let done = finish(&session, &header, open, console)?;
        console.remark("finished the rollback that was interrupted");
        if target == RollbackTarget::LastGood || target == RollbackTarget::Version(open.version) {
            tell(&header, &session, &done, arguments.json, console);
            return Ok(ExitKind::Success);
        }
    }
    let request = RollbackRequest { target, answers: answers(arguments) };
    go_back(&session, &header, &request, arguments, console)
}

fn go_back(
    session: &OpenSession,
    header: &SessionStarted,
    request: &RollbackRequest,
    arguments: &Arguments,
    console: &mut Console,
) -> Result<ExitKind, Failure> {
    let state = session.with(Clone::clone);
    let id = header.workflow_id.as_str();
    let store = super::restoring::store_of(session.home(), header);
    let reach = if store.is_some() { FilesReach::Repository } else { FilesReach::Nowhere };
    let loaded = workflow(session, header)?;
    let earlier = |seq| session.at(seq).ok();
    let rollback = plan_rollback(&state, &loaded.workflow, request, reach, &earlier)
        .map_err(|refusal| refused(refusal, id))?;
    let saved = save(session, store, &rollback.version)?;
    confirm(header, &rollback, &saved, arguments, console)?;
    let reason = arguments.reason.clone();
    let answers = request.answers.clone();
    let mut done = restore(session, header, &rollback.version, saved, reason, answers)?;
    done.dropped = Some(rollback);
    tell(header, session, &done, arguments.json, console);
    Ok(ExitKind::Success)
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

/// The workflow as it ran.
fn workflow(session: &OpenSession, header: &SessionStarted) -> Result<Loaded, Failure> {
    let id = &header.session_id;
    let text = store::stored_workflow(session.home(), id)?;
    parse(&session.home().workflow(id), &text).map_err(|error| {
        Failure::new(ExitKind::Damaged, "the stored workflow cannot be read")
            .because(error.to_string())
    })
}

/// A person is asked, because files are rewritten.
fn confirm(
    header: &SessionStarted,
    rollback: &Rollback,
    saved: &Saved,
    arguments: &Arguments,
    console: &mut Console,
) -> Result<(), Failure> {
    if arguments.yes {
        return Ok(());
    }
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
fn tell(
    header: &SessionStarted,
    session: &OpenSession,
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

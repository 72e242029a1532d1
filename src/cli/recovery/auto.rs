//! Recovering unattended: after a run that failed, and where a recovery was killed.

use chrono::Utc;

use crate::cli::args::Resume;
use crate::cli::lookup::Place;
use crate::cli::output::Console;
use crate::cli::refusal::refused_marked;
use crate::cli::resume::{ItemWish, go_on, header_of};
use crate::exit::{ExitKind, Failure};
use crate::recovery::{RecoveryState, RecoveryStatus, Shelf, catch_up, repeated_mark};
use crate::session::{RecoveryType, RewindCause, SessionId, returned_to};
use crate::store::{self, Card, Home, OpenSession};

use super::decide::{Asked, decide};
use super::drive::Drive;
use super::restoring::workflow_of;
use super::{find, initiate, rules};

/// Recovers a session whose run ended as `kind` says, again and again while it fails and the
/// limits allow it; only where a person or the workflow asked for that.
pub(crate) fn after(
    mut kind: ExitKind,
    home: &Home,
    session: &SessionId,
    resume: &Resume,
    console: &mut Console,
) -> Result<ExitKind, Failure> {
    let place = Place { home: home.clone(), repository: None };
    close_answered(home, session)?;
    // What a person said of steps was for the run before.
    let resume = &Resume {
        from_checkpoint: None,
        from_step: None,
        downstream: false,
        rerun: Vec::new(),
        done: Vec::new(),
        ..resume.clone()
    };
    while kind == ExitKind::Failed {
        let card = store::find(home, None, session.as_str())?;
        let rules = match rules::rules(home, &card, console) {
            Ok(rules) => rules,
            Err(_) if resume.unattended.auto_recover.is_none() => return Ok(kind),
            Err(failure) => return Err(failure),
        };
        if resume.unattended.auto_recover.is_none() && !rules.auto() {
            return Ok(kind);
        }
        let target = find::look(&place, card)?;
        let asked =
            Asked { way: None, force: false, limit: resume.unattended.auto_recover.flatten() };
        let state = decide(&target, &rules, asked, home, console)?;
        initiate::tell(&state, false, console);
        let mut drive = Drive::new(&place, &target.card, state, resume, rules.allow_rollback())?;
        kind = drive.go(console)?;
        let way = drive.state().recovery_type;
        if way == RecoveryType::Rollback && kind == ExitKind::Success {
            drop(drive);
            kind = go_on_after_rollback(home, session, resume, console)?;
        }
    }
    Ok(kind)
}

/// A rollback runs no step: unattended, the run goes on from there, unless that would repeat a
/// marked step that was started before.
fn go_on_after_rollback(
    home: &Home,
    session: &SessionId,
    resume: &Resume,
    console: &mut Console,
) -> Result<ExitKind, Failure> {
    let session = OpenSession::open(home, session, resume.options.durability)?;
    let state = session.with(Clone::clone);
    let everything = returned_to(state.last_seq, RewindCause::Rollback);
    let workflow = workflow_of(&session)?.workflow;
    let header = header_of(&state)?;
    if let Some(marked) = repeated_mark(&workflow, &state, &[everything]) {
        return Err(refused_marked(marked, &header.workflow_id));
    }
    go_on(session, resume, &ItemWish::default(), None, console)
}

/// Closes what waited for a person who has gone on since.
fn close_answered(home: &Home, session: &SessionId) -> Result<(), Failure> {
    let shelf = Shelf::of(home);
    let mut waiting = shelf.of_session(session)?;
    waiting.retain(|state| state.status == RecoveryStatus::Pending);
    if waiting.is_empty() {
        return Ok(());
    }
    let loaded = OpenSession::read(home, session)?;
    for mut state in waiting {
        if catch_up(&mut state, &loaded) {
            shelf.keep(&state)?;
        }
    }
    Ok(())
}

/// Goes on with a recovery that was killed, if there is one.
pub(crate) fn go_on_with_open(
    home: &Home,
    card: &Card,
    resume: &Resume,
    console: &mut Console,
) -> Result<Option<ExitKind>, Failure> {
    let Some(state) = open(home, card)? else { return Ok(None) };
    let place = Place { home: home.clone(), repository: Some(card.repository.clone()) };
    console.remark(format_args!(
        "going on with {} ({}), which was stopped",
        state.id,
        state.recovery_type.as_str()
    ));
    let rolls_back = state.recovery_type == RecoveryType::Rollback;
    let mut drive = Drive::new(&place, card, state, resume, true)?;
    let kind = drive.go(console)?;
    // A rollback runs no step: what was asked for is still to come.
    Ok((!rolls_back).then_some(kind))
}

/// A person goes another way than the recovery that was killed.
pub(crate) fn give_up_open(home: &Home, card: &Card) -> Result<(), Failure> {
    if let Some(mut state) = open(home, card)? {
        state.finish(RecoveryStatus::Failed, "a person went on another way", Utc::now());
        Shelf::of(home).keep(&state)?;
    }
    Ok(())
}

fn open(home: &Home, card: &Card) -> Result<Option<RecoveryState>, Failure> {
    let states = Shelf::of(home).of_session(&card.session_id)?;
    Ok(states.into_iter().rev().find(|state| state.status == RecoveryStatus::InProgress))
}

//! Recovering unattended: after a run that failed, and where a recovery was killed.

use chrono::Utc;

use crate::cli::args::Resume;
use crate::cli::lookup::Place;
use crate::cli::output::Console;
use crate::exit::{ExitKind, Failure};
use crate::recovery::{RecoveryState, RecoveryStatus, Shelf};
use crate::session::{RecoveryType, SessionId};
use crate::store::{self, Card, Home};

use super::decide::{Asked, decide};
use super::drive::Drive;
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
    while kind == ExitKind::Failed {
        let card = store::find(home, None, session.as_str())?;
        let rules = match rules::rules(home, &card, console) {
            Ok(rules) => rules,
            Err(_) if resume.auto_recover.is_none() => return Ok(kind),
            Err(failure) => return Err(failure),
        };
        if resume.auto_recover.is_none() && !rules.auto() {
            return Ok(kind);
        }
        let target = find::look(&place, card)?;
        let asked = Asked { way: None, force: false, limit: resume.auto_recover.flatten() };
        let state = decide(&target, &rules, asked, &Shelf::of(home), console)?;
        initiate::tell(&state, false, console);
        let mut drive = Drive::new(&place, &target.card, state, resume, rules.allow_rollback())?;
        kind = drive.go(console)?;
    }
    Ok(kind)
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

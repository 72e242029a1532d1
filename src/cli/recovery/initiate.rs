//! `prodigy recovery initiate`: which way, why, and there.

use serde_json::json;

use crate::cli::args::{Initiate, OutputMode, Resume};
use crate::cli::lookup::Place;
use crate::cli::output::Console;
use crate::exit::{ExitKind, Failure};
use crate::recovery::{RecoveryState, Shelf};
use crate::session::RecoveryType;

use super::decide::{Asked, decide, waits_for_person};
use super::drive::Drive;
use super::{find, rules, status, words};

/// Runs the command.
pub(super) fn run(arguments: &Initiate, console: &mut Console) -> Result<ExitKind, Failure> {
    let place = Place::open()?;
    status::tell_unreadable(&Shelf::of(&place.home), console)?;
    let id = arguments.failure_id.as_deref().or(arguments.id.as_deref());
    let target = find::target(&place, id)?;
    let rules = rules::rules(&place.home, &target.card, console)?;
    let asked = Asked { way: arguments.kind.map(Into::into), force: arguments.force, limit: None };
    let state = decide(&target, &rules, asked, &place.home, console)?;
    tell(&state, arguments.json, console);
    if arguments.dry_run {
        if arguments.json {
            console.output.json(&json!(state));
        } else {
            console.output.text(words::state(&state));
        }
        return match state.recovery_type {
            RecoveryType::Person => Err(waits_for_person(&state)),
            _ => Ok(ExitKind::Success),
        };
    }
    let mut options = arguments.options.clone();
    if arguments.json {
        options.output = OutputMode::Silent;
    }
    let resume = Resume { accept_changes: arguments.accept_changes, options, ..Resume::default() };
    let mut drive = Drive::new(&place, &target.card, state, &resume, rules.allow_rollback())?;
    let ended = drive.go(console);
    if arguments.json {
        console.output.json(&json!(drive.state()));
    }
    ended
}

/// Which way, and why.
pub(super) fn tell(state: &RecoveryState, json: bool, console: &mut Console) {
    // That a person must look is said as an error, when the decision is kept.
    if !json && state.recovery_type != RecoveryType::Person {
        let way = state.recovery_type.as_str();
        let reason = crate::view::line(&state.recovery_context.reason).into_owned();
        console.remark(format_args!("{way}: {reason}"));
    }
}

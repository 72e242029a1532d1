//! `cook --dry-run`: what would run; with `--simulate-failure` also what would follow a failure.

use std::fmt::Write as _;

use crate::exit::{ExitKind, Failure};
use crate::playbook::model::{Step, Workflow};
use crate::resume::{Place, places};
use crate::session::{Address, SessionState};

use super::args::{Cook, Fault};
use super::output::Console;
use super::rehearsal::rehearsal;

/// Shows what `cook` would do with the workflow; nothing is started or written.
pub(super) fn run(
    workflow: &Workflow,
    arguments: &Cook,
    console: &mut Console,
) -> Result<ExitKind, Failure> {
    let places = places(workflow, &SessionState::default());
    if arguments.simulate_failure.is_empty() {
        let passes = arguments.arguments.len().max(1);
        console.output.text(listing(workflow, &places, passes));
        return Ok(ExitKind::Success);
    }
    for fault in &arguments.simulate_failure {
        let Some(place) = places.iter().find(|place| place.address == fault.address) else {
            return Err(no_step(&fault.address, &places));
        };
        console.output.text(rehearsal(workflow, place, fault));
    }
    Ok(ExitKind::Success)
}

/// Refuses `--inject` for steps that the workflow cannot have.
pub(super) fn refuse_unknown(workflow: &Workflow, faults: &[Fault]) -> Result<(), Failure> {
    let places = places(workflow, &SessionState::default());
    for Fault { address, .. } in faults {
        let text = address.as_str();
        let in_pass = text.strip_prefix("pass[").and_then(|rest| Some(rest.split_once("]/")?.1));
        let text = in_pass.unwrap_or(text);
        let beside = ["finally[", "on_failure[", "map/", "merge/"];
        let known = beside.iter().any(|scope| text.starts_with(scope))
            || text.contains("on_failure[")
            || places.iter().any(|place| {
                let rest = text.strip_prefix(place.address.as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '/']))
            });
        if !known {
            return Err(no_step(address, &places));
        }
    }
    Ok(())
}

fn no_step(address: &Address, places: &[Place<'_>]) -> Failure {
    const SHOWN: usize = 20;
    let known: Vec<&str> = places.iter().take(SHOWN).map(|it| it.address.as_str()).collect();
    let more = if places.len() > SHOWN { ", …" } else { "" };
    Failure::new(ExitKind::NotFound, format!("the workflow itself has no step {address}"))
        .with_help(format!("its steps: {}{more}", known.join(", ")))
}

fn listing(workflow: &Workflow, places: &[Place<'_>], passes: usize) -> String {
    let steps = if places.len() == 1 { "step" } else { "steps" };
    let mut text = format!("{} would run {} {steps}", workflow.name, places.len());
    if passes > 1 {
        let _ = write!(text, " in each of {passes} passes");
    }
    text.push('\n');
    for place in places {
        let what = place.step.title();
        let what = crate::view::line(&what);
        let _ = writeln!(text, "  {:<4} {what}{}", place.address, settings(place.step));
    }
    if !workflow.finally.is_empty() {
        let _ = writeln!(text, "finally:");
        for step in &workflow.finally {
            let _ = writeln!(text, "       {}", crate::view::line(&step.title()));
        }
    }
    text
}

/// What a step's settings mean for how it runs, in brackets.
fn settings(step: &Step) -> String {
    let mut words = Vec::new();
    if let Some(when) = &step.when {
        words.push(format!("when {}", when.source()));
    }
    if let Some(retry) = &step.retry {
        words.push(format!("up to {} attempts", retry.attempts));
    }
    if step.requires_confirmation {
        words.push("asks first".to_owned());
    }
    if let Some(set) = &step.on_failure {
        words.push(match set.handlers.len() {
            _ if set.ignore => "a failure passes".to_owned(),
            0 => "a failure stops".to_owned(),
            1 => "1 handler".to_owned(),
            count => format!("{count} handlers"),
        });
    }
    if words.is_empty() {
        return String::new();
    }
    format!("   ({})", crate::view::line(&words.join(", ")))
}

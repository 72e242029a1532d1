//! `cook --dry-run`: what would run; with `--simulate-failure` also what would follow a failure.

use std::fmt::Write as _;

use crate::exit::{ExitKind, Failure};
use crate::expr::{EvalError, Lookup, Origin, Path, Scope, Segment, Value};
use crate::playbook::failure::{Condition, Handler, HandlerSet, Strategy};
use crate::playbook::model::{Step, Workflow};
use crate::resume::{Place, places};
use crate::session::{Address, SessionState};

use super::args::{Cook, Fault, FaultKind};
use super::output::Console;

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
            let known: Vec<String> = places.iter().map(|it| it.address.to_string()).collect();
            return Err(Failure::new(
                ExitKind::NotFound,
                format!("the workflow has no step {}", fault.address),
            )
            .with_help(format!("its steps: {}", known.join(", "))));
        };
        console.output.text(rehearsal(workflow, place, fault));
    }
    Ok(ExitKind::Success)
}

fn listing(workflow: &Workflow, places: &[Place<'_>], passes: usize) -> String {
    let steps = if places.len() == 1 { "step" } else { "steps" };
    let mut text = format!("{} would run {} {steps}", workflow.name, places.len());
    if passes > 1 {
        let _ = write!(text, " in each of {passes} passes");
    }
    text.push('\n');
    for place in places {
        let what = place.step.summary();
        let what = crate::view::line(&what);
        let _ = writeln!(text, "  {:<4} {what}{}", place.address, settings(place.step));
    }
    if !workflow.finally.is_empty() {
        let _ = writeln!(text, "finally:");
        for step in &workflow.finally {
            let _ = writeln!(text, "       {}", crate::view::line(&step.summary()));
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

/// What would follow the failure of one step, from the inside out.
fn rehearsal(workflow: &Workflow, place: &Place<'_>, fault: &Fault) -> String {
    let step = place.step;
    let how = match fault.kind {
        FaultKind::Exit(code) => format!("fails with exit code {code}"),
        FaultKind::Timeout => "runs out of time".to_owned(),
    };
    let mut text = format!("if step {} {how}:\n", place.address);
    if let Some(retry) = &step.retry
        && retry.attempts > 1
    {
        let delays: Vec<String> = (1..retry.attempts.min(9))
            .map(|number| humantime::format_duration(retry.delay(number, 0.0)).to_string())
            .collect();
        let _ = writeln!(
            text,
            "  retry       up to {} attempts in all, after {}",
            retry.attempts,
            delays.join(", ")
        );
    }
    if let FaultKind::Exit(code) = fault.kind
        && let Some((_, steps)) = step.on_exit_code.iter().find(|(it, _)| i32::from(*it) == code)
    {
        let _ = writeln!(text, "  runs        on_exit_code {code}: {}", commands(steps));
    }
    let scope = FaultScope { step: &place.address, fault };
    let mut handled = false;
    let stage = place.stage.and_then(|stage| stage.on_failure.as_ref());
    let scopes = [
        ("the step", step.on_failure.as_ref(), true),
        ("its stage", stage, false),
        ("the workflow", workflow.on_failure.as_ref(), false),
    ];
    for (name, set, repairs) in scopes {
        let Some(set) = set else { continue };
        let _ = writeln!(text, "  handlers of {name}:");
        handled = handlers(&mut text, set, &scope, repairs);
        if handled {
            break;
        }
    }
    let end = if handled || step.continue_on_error {
        "the workflow goes on"
    } else {
        "the workflow fails (exit code 1)"
    };
    let _ = writeln!(text, "  then        {end}");
    text
}

/// The handlers of one scope in order, assuming that their commands succeed: true when the
/// failure is dealt with.
fn handlers(text: &mut String, set: &HandlerSet, scope: &FaultScope<'_>, repairs: bool) -> bool {
    if set.ignore {
        text.push_str("    the failure is let pass (on_failure: true)\n");
        return true;
    }
    for (index, handler) in set.handlers.iter().enumerate() {
        let name = handler.id.clone().unwrap_or_else(|| (index + 1).to_string());
        let (runs, why) = match &handler.condition {
            Condition::Always => (Some(true), "no condition".to_owned()),
            Condition::Malformed { reason, .. } => {
                (Some(false), format!("its condition is malformed: {reason}"))
            }
            Condition::When(condition) => match condition.is_true(scope) {
                Ok(true) => (Some(true), format!("{} is true", condition.source())),
                Ok(false) => (Some(false), format!("{} is false", condition.source())),
                Err(EvalError { .. }) => {
                    (None, format!("{} depends on values of the run", condition.source()))
                }
            },
        };
        let verdict = match runs {
            Some(true) => "runs   ",
            Some(false) => "skipped",
            None => "perhaps",
        };
        let _ = writeln!(
            text,
            "    {verdict} {name}: {} ({}){}",
            commands(&handler.steps),
            crate::view::line(&why),
            meaning(handler)
        );
        if runs == Some(true) {
            return deals_with_it(handler, repairs);
        }
    }
    false
}

fn deals_with_it(handler: &Handler, repairs: bool) -> bool {
    match handler.strategy {
        Strategy::Abort { .. } => false,
        Strategy::Fallback | Strategy::Retry { .. } | Strategy::PartialResume { .. } => true,
        _ if handler.max_attempts > 1 || handler.retry_original => true,
        _ if repairs => handler.fail_workflow != Some(true),
        _ => handler.fail_workflow == Some(false),
    }
}

/// What a handler's success would mean.
fn meaning(handler: &Handler) -> String {
    let means = match &handler.strategy {
        Strategy::Retry { .. } => "the original runs again".to_owned(),
        Strategy::Fallback => "its output stands in".to_owned(),
        Strategy::PartialResume { from_step, .. } => format!("back to step {from_step}"),
        Strategy::Intervene { .. } => "the session waits for a person".to_owned(),
        Strategy::Abort { .. } => "then it fails".to_owned(),
        _ if handler.max_attempts > 1 || handler.retry_original => {
            "the original runs again".to_owned()
        }
        _ => return String::new(),
    };
    format!("; {means}")
}

fn commands(steps: &[Step]) -> String {
    let commands: Vec<String> = steps.iter().map(Step::summary).collect();
    if commands.is_empty() {
        "nothing".to_owned()
    } else {
        crate::view::line(&commands.join("; ")).into_owned()
    }
}

/// What is known of a failure that is only imagined.
struct FaultScope<'a> {
    step: &'a Address,
    fault: &'a Fault,
}

impl Scope for FaultScope<'_> {
    fn lookup(&self, path: &Path) -> Lookup {
        let Some(Segment::Field(field)) = path.rest.first() else { return Lookup::Unknown };
        if path.root != "error" {
            return Lookup::Unknown;
        }
        let value = match (field.as_str(), self.fault.kind) {
            ("exit_code", FaultKind::Exit(code)) => Value::from(i64::from(code)),
            ("exit_code", FaultKind::Timeout) => Value::from(124_i64),
            ("kind", FaultKind::Exit(_)) => Value::from("exit"),
            ("kind", FaultKind::Timeout) => Value::from("timeout"),
            ("step", _) => Value::from(self.step.as_str()),
            ("attempt", _) => Value::from(1_i64),
            ("message" | "output" | "stderr", _) => Value::from(""),
            _ => return Lookup::Unknown,
        };
        Lookup::Found { value, origin: Origin::Data, used: 1 }
    }

    fn names(&self) -> Vec<String> {
        vec!["error".to_owned()]
    }
}

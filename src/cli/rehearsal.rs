//! `cook --dry-run --simulate-failure`: which handlers would run if a step failed, and why.

use std::fmt::Write as _;

use crate::expr::{Lookup, Origin, Path, Scope, Segment, Value};
use crate::playbook::failure::{
    Condition, Handler, HandlerScope, HandlerSet, Retry, RetryExhausted, RetryOn, Strategy,
};
use crate::playbook::model::{Step, Workflow};
use crate::resume::Place;
use crate::session::{Address, FailureClass};

use super::args::{Fault, FaultKind};

/// What would follow the failure of one step, from the inside out, as long as the commands of
/// the handlers succeed.
pub(super) fn rehearsal(workflow: &Workflow, place: &Place<'_>, fault: &Fault) -> String {
    let step = place.step;
    let how = match fault.kind {
        FaultKind::Exit(code) => format!("fails with exit code {code}"),
        FaultKind::Timeout => "runs out of time".to_owned(),
    };
    let mut text = format!("if step {} {how}:\n", place.address);
    let tries = step.retry.as_ref().map_or(Tries::One, |retry| Tries::of(retry, fault));
    tries.tell(&mut text);
    if let (Tries::Many { attempts, .. }, Some(times)) = (&tries, fault.times)
        && times < *attempts
    {
        let next = times + 1;
        let _ =
            writeln!(text, "              attempt {next} runs; what follows is for its failure");
    }
    let mut told = Told { text, scope: FaultScope { step: &place.address, fault }, perhaps: false };
    let end = told.step(workflow, place);
    let Told { mut text, perhaps, .. } = told;
    let unless = if perhaps { ", unless a handler marked perhaps runs" } else { "" };
    let _ = writeln!(text, "  then        {}{unless}", end.words());
    text
}

/// How it would end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    GoesOn,
    Passed,
    RunsAgain,
    Waits,
    Fails,
}

impl End {
    fn words(self) -> &'static str {
        match self {
            Self::GoesOn => "the workflow goes on",
            Self::Passed => "the workflow goes on, and ends as completed with failures",
            Self::RunsAgain => "the workflow goes on if that run succeeds",
            Self::Waits => "the session waits for a person (exit code 6)",
            Self::Fails => "the workflow fails (exit code 1)",
        }
    }
}

/// What `retry` makes of the failure.
enum Tries {
    One,
    Many { attempts: u32, delays: Vec<String>, certain: bool },
    NotCovered,
}

impl Tries {
    fn of(retry: &Retry, fault: &Fault) -> Self {
        if retry.attempts < 2 {
            return Self::One;
        }
        let fits = |on: &RetryOn| match (on, fault.kind) {
            (RetryOn::ExitCode(code), FaultKind::Exit(given)) => Some(*code == given),
            (RetryOn::Class(class), FaultKind::Timeout) => Some(*class == FailureClass::Timeout),
            (RetryOn::ExitCode(_), FaultKind::Timeout) => Some(false),
            // What the command prints decides.
            (RetryOn::Class(_) | RetryOn::Pattern(_), _) => None,
        };
        let certain =
            retry.retry_on.is_empty() || retry.retry_on.iter().any(|on| fits(on) == Some(true));
        if !certain && retry.retry_on.iter().all(|on| fits(on) == Some(false)) {
            return Self::NotCovered;
        }
        let delay = |number| humantime::format_duration(retry.delay(number, 0.0)).to_string();
        let delays = (1..retry.attempts.min(9)).map(delay).collect();
        Self::Many { attempts: retry.attempts, delays, certain }
    }

    fn tell(&self, text: &mut String) {
        let _ = match self {
            Self::One => Ok(()),
            Self::NotCovered => writeln!(text, "  no retry    retry_on does not cover it"),
            Self::Many { attempts, delays, certain } => writeln!(
                text,
                "  retry       {}up to {attempts} attempts in all, after {}",
                if *certain { "" } else { "if retry_on covers what it printed, " },
                delays.join(", ")
            ),
        };
    }
}

/// The text so far.
struct Told<'a> {
    text: String,
    scope: FaultScope<'a>,
    /// Some handler's condition needs values that only a run has.
    perhaps: bool,
}

impl Told<'_> {
    fn step(&mut self, workflow: &Workflow, place: &Place<'_>) -> End {
        let step = place.step;
        if let FaultKind::Exit(code) = self.scope.fault.kind
            && let Some((_, steps)) =
                step.on_exit_code.iter().find(|(it, _)| i32::from(*it) == code)
        {
            let _ = writeln!(self.text, "  runs        on_exit_code {code}: {}", commands(steps));
            return End::GoesOn;
        }
        let own = self.set("the step", step.on_failure.as_ref(), HandlerScope::Step);
        if let Some(end) = own {
            return end;
        }
        let exhausted = step.retry.as_ref().map(|retry| retry.on_failure);
        if step.continue_on_error || exhausted == Some(RetryExhausted::Continue) {
            return End::Passed;
        }
        let stage = place.stage.and_then(|stage| stage.on_failure.as_ref());
        self.set("its stage", stage, HandlerScope::Phase)
            .or_else(|| {
                self.set("the workflow", workflow.on_failure.as_ref(), HandlerScope::Workflow)
            })
            .unwrap_or(End::Fails)
    }

    /// The handlers of one scope in order; `None` when the failure goes outward.
    fn set(&mut self, name: &str, set: Option<&HandlerSet>, at: HandlerScope) -> Option<End> {
        let set = set?;
        let _ = writeln!(self.text, "  handlers of {name}:");
        if set.ignore {
            self.text.push_str("    the failure is let pass (on_failure: true)\n");
            return Some(End::Passed);
        }
        for (index, handler) in set.handlers.iter().enumerate() {
            let name = handler.id.clone().unwrap_or_else(|| (index + 1).to_string());
            let (runs, why) = self.verdict(handler, at);
            let verdict = match runs {
                Some(true) => "runs   ",
                Some(false) => "skipped",
                None => "perhaps",
            };
            self.perhaps |= runs.is_none();
            let _ = writeln!(
                self.text,
                "    {verdict} {name}: {} ({}){}",
                commands(&handler.steps),
                crate::view::line(&why),
                if runs == Some(false) { String::new() } else { meaning(handler, at) }
            );
            if runs == Some(true) {
                return end(handler, at);
            }
        }
        None
    }

    /// Whether a handler runs, as far as that is certain, and why.
    fn verdict(&self, handler: &Handler, at: HandlerScope) -> (Option<bool>, String) {
        match handler.scope {
            None | Some(HandlerScope::Command) => {}
            Some(scope) if scope == at => {}
            Some(scope) => {
                let word = match scope {
                    HandlerScope::Command => "commands",
                    HandlerScope::Step => "steps",
                    HandlerScope::Phase => "stages",
                    HandlerScope::Workflow => "the workflow",
                };
                return (Some(false), format!("its scope is failures of {word}"));
            }
        }
        match &handler.condition {
            Condition::Always => (Some(true), "no condition".to_owned()),
            Condition::Malformed { reason, .. } => {
                (Some(false), format!("its condition is malformed: {reason}"))
            }
            Condition::When(condition) => {
                let source = condition.source();
                match condition.is_true(&self.scope) {
                    Ok(true) => (Some(true), format!("{source} is true")),
                    Ok(false) => (Some(false), format!("{source} is false")),
                    Err(_) => (None, format!("{source} depends on values of the run")),
                }
            }
        }
    }
}

/// What follows a handler that succeeded; `None` when the failure goes outward all the same.
fn end(handler: &Handler, at: HandlerScope) -> Option<End> {
    match handler.strategy {
        Strategy::Abort { .. } => return None,
        Strategy::Intervene { .. } => return Some(End::Waits),
        Strategy::Retry { .. } | Strategy::PartialResume { .. } => return Some(End::RunsAgain),
        _ if runs_again(handler) => return Some(End::RunsAgain),
        _ => {}
    }
    let fallback = matches!(handler.strategy, Strategy::Fallback);
    match at {
        HandlerScope::Command | HandlerScope::Step => {
            (handler.fail_workflow != Some(true)).then_some(End::GoesOn)
        }
        HandlerScope::Phase | HandlerScope::Workflow => {
            (handler.fail_workflow == Some(false) || fallback).then_some(End::Passed)
        }
    }
}

fn runs_again(handler: &Handler) -> bool {
    handler.max_attempts > 1 || handler.retry_original
}

/// What a handler's success would mean.
fn meaning(handler: &Handler, at: HandlerScope) -> String {
    let means = match &handler.strategy {
        Strategy::Retry { .. } => "the original runs again".to_owned(),
        Strategy::Fallback => "its output stands in".to_owned(),
        Strategy::PartialResume { from_step, .. } => format!("back to step {from_step}"),
        Strategy::Intervene { .. } => "the session waits for a person".to_owned(),
        Strategy::Abort { .. } => "then it fails".to_owned(),
        _ if runs_again(handler) => "the original runs again".to_owned(),
        _ if end(handler, at).is_none() => "the failure goes on".to_owned(),
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
            // What it would print or say is not known.
            _ => return Lookup::Unknown,
        };
        Lookup::Found { value, origin: Origin::Data, used: 1 }
    }

    fn names(&self) -> Vec<String> {
        vec!["error".to_owned()]
    }
}

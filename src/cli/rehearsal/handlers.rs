//! What the handlers of one scope would make of an imagined failure.

use std::fmt::Write as _;

use crate::playbook::failure::{Condition, Handler, HandlerScope, HandlerSet, Strategy};
use crate::playbook::model::Step;

use super::outward::Told;

/// How it would end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    GoesOn,
    HandlerGoesOn,
    Passed,
    PassedIfAllowed,
    RunsAgain,
    Waits,
    RunFails,
    Fails,
}

impl End {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::GoesOn => "the workflow goes on",
            Self::HandlerGoesOn => "the handler that it belongs to goes on",
            Self::Passed => "the workflow goes on, and ends as completed with failures",
            Self::PassedIfAllowed => {
                "the job goes on, and fails if more items do than error_policy allows"
            }
            Self::RunsAgain => "the workflow goes on if that run succeeds",
            Self::Waits => "the session waits for a person (exit code 6)",
            Self::RunFails => "the rest of finally is left out, and the run fails (exit code 1)",
            Self::Fails => "the workflow fails (exit code 1)",
        }
    }
}

/// The handlers of a set that have been tried in vain.
#[derive(Clone, Copy, Default)]
pub(super) struct Tried {
    /// The first that has not.
    next: usize,
    /// `on_exit_code` has been tried, too.
    codes: bool,
    /// The last of them says `fail_workflow: false`.
    passes: bool,
}

impl Tried {
    pub(super) fn is_nothing(self) -> bool {
        !self.codes
    }

    /// All that come before the one at `index`.
    pub(super) fn all_before(index: usize) -> Self {
        Self { next: index, codes: true, passes: false }
    }

    pub(super) fn all() -> Self {
        Self::all_before(usize::MAX)
    }

    /// `handler`, which failed, and those before it.
    pub(super) fn until(handler: &Handler, index: usize) -> Self {
        let next = if handler.failure_fatal { usize::MAX } else { index + 1 };
        Self { next, codes: true, passes: handler.fail_workflow == Some(false) }
    }
}

impl Told {
    /// The handlers of one scope in order; `None` when the failure goes outward.
    pub(super) fn set(
        &mut self,
        name: &str,
        set: Option<&HandlerSet>,
        at: HandlerScope,
        mut tried: Tried,
    ) -> Option<End> {
        let set = set?;
        if set.handlers.len() > tried.next || set.ignore {
            let next = if tried.next > 0 { "the next " } else { "" };
            let _ = writeln!(self.text, "  {next}handlers of {name}:");
        }
        if set.ignore {
            self.text.push_str("    the failure is let pass (on_failure: true)\n");
            return Some(End::Passed);
        }
        for (index, handler) in set.handlers.iter().enumerate().skip(tried.next) {
            let (runs_now, why) = self.verdict(handler, at);
            let verdict = match runs_now {
                Some(true) => "runs   ",
                Some(false) => "skipped",
                None => "perhaps",
            };
            self.perhaps |= runs_now.is_none();
            let _ = writeln!(
                self.text,
                "    {verdict} {}: {} ({}){}",
                label(handler, index),
                runs(&handler.steps),
                crate::view::line(&why),
                if runs_now == Some(false) { String::new() } else { meaning(handler, at) }
            );
            if runs_now == Some(true) {
                return succeeded(handler, at);
            }
            if let Condition::Malformed { .. } = handler.condition {
                tried = Tried::until(handler, index);
                if handler.failure_fatal {
                    break;
                }
            }
        }
        tried.passes.then_some(End::Passed)
    }

    /// Whether a handler runs, as far as that is certain, and why.
    fn verdict(&self, handler: &Handler, at: HandlerScope) -> (Option<bool>, String) {
        match handler.scope {
            Some(HandlerScope::Command) => match self.imagined.kind {
                Some("inner") => {
                    return (Some(false), "its scope is failures of commands".to_owned());
                }
                Some(_) => {}
                None => return (None, "its scope is failures of commands".to_owned()),
            },
            Some(scope) if scope != at => {
                let word = match scope {
                    HandlerScope::Command | HandlerScope::Step => "steps",
                    HandlerScope::Phase => "stages",
                    HandlerScope::Workflow => "the workflow",
                };
                return (Some(false), format!("its scope is failures of {word}"));
            }
            None | Some(_) => {}
        }
        match &handler.condition {
            Condition::Always => (Some(true), "no condition".to_owned()),
            Condition::Malformed { reason, .. } => {
                (Some(false), format!("its condition is malformed: {reason}"))
            }
            Condition::When(condition) => {
                let source = condition.source();
                match condition.is_true(&self.imagined) {
                    Ok(true) => (Some(true), format!("{source} is true")),
                    Ok(false) => (Some(false), format!("{source} is false")),
                    Err(_) => (None, format!("{source} depends on values of the run")),
                }
            }
        }
    }
}

/// What a person calls a handler: its id, else its number in the chain.
pub(super) fn label(handler: &Handler, index: usize) -> String {
    handler.id.clone().unwrap_or_else(|| (index + 1).to_string())
}

/// What follows a handler that succeeded; `None` when the failure goes outward all the same.
pub(super) fn succeeded(handler: &Handler, at: HandlerScope) -> Option<End> {
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
        _ if succeeded(handler, at).is_none() => "the failure goes on".to_owned(),
        _ => return String::new(),
    };
    format!("; {means}")
}

pub(super) fn runs(steps: &[Step]) -> String {
    let commands: Vec<String> = steps.iter().map(Step::summary).collect();
    if commands.is_empty() {
        "nothing".to_owned()
    } else {
        crate::view::line(&commands.join("; ")).into_owned()
    }
}

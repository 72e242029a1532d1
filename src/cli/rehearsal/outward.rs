//! The way of an imagined failure from its step to the workflow, as long as the commands of the
//! handlers succeed.

use std::fmt::Write as _;
use std::ops::ControlFlow;

use crate::cli::args::{Fault, FaultKind};
use crate::playbook::failure::{HandlerScope, HandlerSet, RetryExhausted};
use crate::playbook::mapreduce::{MapReduce, OnItemFailure};
use crate::playbook::model::{Action, Stage, Step, Workflow};
use crate::playbook::{Around, Part};
use crate::session::map_address;

use super::handlers::{End, Tried, label, runs, succeeded};
use super::imagined::Imagined;
use super::tries::Tries;

/// What would follow the failure of the step that `way` leads to, from the inside out.
pub(in crate::cli) fn rehearsal(
    workflow: &Workflow,
    way: &[Around<'_>],
    fault: &Fault,
) -> Result<String, &'static str> {
    for around in way {
        match around {
            Around::Part(Part::Validation) => return Err("it belongs to a validation"),
            Around::Part(Part::Goal) => return Err("it belongs to a goal"),
            Around::Part(Part::Recovery) => return Err("it belongs to a recovery"),
            _ => {}
        }
    }
    let how = match fault.kind {
        FaultKind::Exit(code) => format!("fails with exit code {code}"),
        FaultKind::Timeout => "runs out of time".to_owned(),
    };
    let mut text = format!("if step {} {how}:\n", fault.address);
    let retry = match way.last() {
        Some(Around::Step(_, step)) => step.retry.as_ref(),
        _ => None,
    };
    let tries = Tries::of(retry, fault);
    tries.tell(fault, &mut text);
    let imagined = Imagined::of(fault, tries.last(fault));
    let mut told = Told { text, imagined, perhaps: false };
    let end = told.outward(workflow, way);
    let Told { mut text, perhaps, .. } = told;
    let unless = if perhaps { ", unless a handler marked perhaps runs" } else { "" };
    let _ = writeln!(text, "  then        {}{unless}", end.words());
    Ok(text)
}

/// The text so far.
pub(super) struct Told {
    pub(super) text: String,
    /// The failure that the handlers that come next see.
    pub(super) imagined: Imagined,
    /// Some handler's condition needs values that only a run has.
    pub(super) perhaps: bool,
}

/// How a failure comes to what is around it: what of its handlers has been tried already.
type Came = ControlFlow<End, Tried>;

impl Told {
    fn outward(&mut self, workflow: &Workflow, way: &[Around<'_>]) -> End {
        let mut tried = Tried::default();
        for (depth, around) in way.iter().enumerate().rev() {
            let before = way.get(..depth).unwrap_or_default();
            let came = match around {
                Around::Step(_, step) => self.step(step, depth + 1 == way.len(), before, tried),
                Around::Part(part) => self.part(*part, before),
                Around::Handler(set, index) => self.handler(set, *index, before, tried),
                Around::Stage(stage) => self.stage(stage, tried),
                Around::Item(job) => self.item(job),
                Around::Finally => ControlFlow::Break(End::RunFails),
            };
            match came {
                ControlFlow::Break(end) => return end,
                ControlFlow::Continue(next) => tried = next,
            }
        }
        let set = workflow.on_failure.as_ref();
        self.set("the workflow", set, HandlerScope::Workflow, tried).unwrap_or(End::Fails)
    }

    fn step(&mut self, step: &Step, is_meant: bool, before: &[Around<'_>], tried: Tried) -> Came {
        if tried.is_nothing()
            && let Some(code) = self.imagined.exit_code
            && let Some((_, steps)) =
                step.on_exit_code.iter().find(|(it, _)| i32::from(*it) == code)
        {
            let _ = writeln!(self.text, "  runs        on_exit_code {code}: {}", runs(steps));
            return goes_on(before);
        }
        let name = if is_meant { "the step" } else { "the step around" };
        match self.set(name, step.on_failure.as_ref(), HandlerScope::Step, tried) {
            Some(End::GoesOn) => return goes_on(before),
            Some(end) => return ControlFlow::Break(end),
            None => {}
        }
        let exhausted = step.retry.as_ref().map(|retry| retry.on_failure);
        if step.continue_on_error || exhausted == Some(RetryExhausted::Continue) {
            return ControlFlow::Break(End::Passed);
        }
        ControlFlow::Continue(Tried::default())
    }

    /// What hangs below a step has failed.
    fn part(&mut self, part: Part, before: &[Around<'_>]) -> Came {
        let Some(Around::Step(at, owner)) = before.last() else {
            return ControlFlow::Continue(Tried::default());
        };
        match part {
            Part::ExitCode => {
                let _ = writeln!(self.text, "  so          on_exit_code of step {at} fails");
                self.imagined = Imagined { step: Some(at.clone()), ..Imagined::default() };
                return ControlFlow::Continue(Tried::all_before(0));
            }
            Part::Round => {
                if matches!(&owner.action, Action::Foreach(each) if each.continue_on_error) {
                    let _ = writeln!(self.text, "  so          the other rounds of step {at} run");
                    return ControlFlow::Break(End::Passed);
                }
                let _ =
                    writeln!(self.text, "  so          step {at} fails, a round of which failed");
            }
            Part::Success | Part::Validation | Part::Goal | Part::Recovery => {
                let _ = writeln!(self.text, "  so          step {at} fails");
            }
        }
        if let Some(retry) =
            owner.retry.as_ref().filter(|it| it.attempts > 1 && part == Part::Round)
        {
            let _ = writeln!(
                self.text,
                "  retry       the rounds that failed, up to {} attempts in all, where retry_on covers it",
                retry.attempts
            );
        }
        self.imagined = Imagined::of_inner(at, self.imagined.exit_code);
        ControlFlow::Continue(Tried::default())
    }

    /// A command of a handler has failed, or one of its own handlers: its retries and its other
    /// handlers, then the next of its set.
    fn handler(
        &mut self,
        set: &HandlerSet,
        index: usize,
        before: &[Around<'_>],
        tried: Tried,
    ) -> Came {
        let Some(handler) = set.handlers.get(index) else {
            return ControlFlow::Continue(Tried::default());
        };
        let name = label(handler, index);
        if tried.is_nothing() {
            let _ = writeln!(self.text, "  so          handler {name} fails");
            if let Some(retry) = handler.retry.as_ref().filter(|retry| retry.attempts > 1) {
                let _ = writeln!(
                    self.text,
                    "  retry       all of it, up to {} runs in all, where retry_on covers it",
                    retry.attempts
                );
            }
            self.imagined.kind = Some("inner");
            self.imagined.attempt = None;
        }
        let at = match before.last() {
            None => HandlerScope::Workflow,
            Some(Around::Stage(_)) => HandlerScope::Phase,
            Some(_) => HandlerScope::Step,
        };
        let own = format!("handler {name}");
        let nested = handler.on_failure.as_deref();
        match self.set(&own, nested, HandlerScope::Step, tried) {
            Some(End::GoesOn | End::Passed) => {
                let _ = writeln!(self.text, "  so          handler {name} has succeeded");
                match succeeded(handler, at) {
                    Some(End::GoesOn) => goes_on(before.split_last().map_or(&[], |it| it.1)),
                    Some(end) => ControlFlow::Break(end),
                    None => ControlFlow::Continue(Tried::all()),
                }
            }
            Some(end) => ControlFlow::Break(end),
            None => {
                if !tried.is_nothing() {
                    let _ = writeln!(self.text, "  so          handler {name} fails");
                }
                // The failure that the next handler sees is the first one: nothing is said of it.
                self.imagined = Imagined::default();
                if let Some(Around::Step(at, _)) = before.last() {
                    self.imagined.step = Some(at.clone());
                }
                ControlFlow::Continue(Tried::until(handler, index))
            }
        }
    }

    fn stage(&mut self, stage: &Stage, tried: Tried) -> Came {
        if let Some(retry) = stage.retry.as_ref().filter(|it| it.attempts > 1 && tried.is_nothing())
        {
            let _ = writeln!(
                self.text,
                "  retry       the whole stage, up to {} attempts in all, where retry_on covers it",
                retry.attempts
            );
        }
        match self.set("its stage", stage.on_failure.as_ref(), HandlerScope::Phase, tried) {
            Some(end) => ControlFlow::Break(end),
            None => ControlFlow::Continue(Tried::default()),
        }
    }

    /// What becomes of an item, and of the map.
    fn item(&mut self, job: &MapReduce) -> Came {
        if let Some(retry) = job.map.retry.as_ref().filter(|retry| retry.attempts > 1) {
            let _ = writeln!(
                self.text,
                "  retry       the whole item, up to {} runs in all, where retry covers it",
                retry.attempts
            );
        }
        let policy = &job.policy;
        let allowed = policy.max_failures.is_some() || policy.failure_threshold.is_some();
        match policy.on_item_failure {
            OnItemFailure::Skip => {
                self.text.push_str("  so          the item is passed over\n");
                ControlFlow::Break(End::Passed)
            }
            OnItemFailure::Dlq if policy.continue_on_failure => {
                self.text.push_str("  so          the item waits in the dead letter queue\n");
                if allowed {
                    return ControlFlow::Break(End::PassedIfAllowed);
                }
                self.text.push_str("              the other items run, and reduce\n");
                ControlFlow::Continue(Tried::default())
            }
            OnItemFailure::Dlq | OnItemFailure::Stop => {
                self.text.push_str("  so          the map stops\n");
                self.imagined = Imagined::of_inner(&map_address(), None);
                ControlFlow::Continue(Tried::default())
            }
        }
    }
}

/// The step was repaired: what it stands in goes on, which may itself be a handler.
fn goes_on(before: &[Around<'_>]) -> Came {
    let inside = before.iter().any(|around| matches!(around, Around::Handler(..)));
    ControlFlow::Break(if inside { End::HandlerGoesOn } else { End::GoesOn })
}

//! What follows a failure at one scope (step, stage, workflow, handler): its handlers in
//! order, then the strategy of the one that succeeded (SPEC 6). One path for all scopes.

use std::time::Duration;

use crate::playbook::failure::{Handler, HandlerScope, HandlerSet, Strategy};
use crate::session::{
    Address, EventKind, Failure, FailureKind, PersonsAnswer, Reach, Report, RewindCause, Stored,
    WaitReason, rewound,
};

use super::frame::Frame;
use super::halt::Halt;
use super::handler::HandlerEnd;
use super::run::Run;

/// A scope that a failure reached.
pub(super) struct FailureScope {
    /// Where its handlers hang.
    pub(super) at: Address,
    /// The sequence that `partial_resume` goes back in.
    pub(super) sequence: Address,
    /// What kind of scope it is.
    pub(super) kind: ScopeKind,
    /// The step that failed.
    pub(super) cause: Address,
}

/// The kinds of scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ScopeKind {
    /// A step: what succeeds in answering its failure repairs it.
    Step,
    /// A handler: as a step, but what runs again is all of it.
    Handler,
    /// A stage or phase: its handlers clean up and notify (DECISIONS A9).
    Phase,
    /// The workflow, or one pass of it.
    Workflow,
}

/// What became of a failure.
#[derive(Debug)]
pub(super) enum Handled {
    /// The scope has been rewound: run it again.
    Again,
    /// Go back to this step of the sequence.
    Back(usize),
    /// A handler repaired it.
    Repaired {
        /// The handler's output.
        output: Stored,
        /// The output stands in for the step's own (`strategy: fallback`).
        stands_in: bool,
    },
    /// It stays failed, and the workflow goes on.
    Passed {
        /// Output of the handler that ran last.
        output: Option<Stored>,
    },
    /// It goes to the scope around.
    Outward {
        /// Output of the handler that ran last.
        output: Option<Stored>,
    },
}

impl<'a> Run<'a> {
    /// Answers a failure with the handlers of `set`, from where the journal says they are.
    pub(super) fn answer_failure(
        &self,
        frame: &Frame<'a>,
        scope: &FailureScope,
        set: &'a HandlerSet,
        report: &Report,
        failure: &Failure,
    ) -> Result<Handled, Halt> {
        if set.ignore {
            return Ok(Handled::Passed { output: None });
        }
        self.raise(scope, report, failure)?;
        let mut last: Option<(&'a Handler, HandlerEnd)> = None;
        let runs = self.rewinds(&scope.at, RewindCause::Rerun) + 1;
        for (index, handler) in set.handlers.iter().enumerate() {
            if wanted_runs(handler) > 1 && runs >= wanted_runs(handler) {
                // No run of the original is left for it: a repair would be in vain.
                last = Some((handler, HandlerEnd { success: false, output: Stored::default() }));
                continue;
            }
            let at = scope.at.below_numbered("on_failure", index + 1);
            let Some(end) = self.run_handler(frame, scope, handler, index, &at)? else { continue };
            let stop = end.success || handler.failure_fatal;
            last = Some((handler, end));
            if stop {
                break;
            }
        }
        let handled = match last {
            None => Handled::Outward { output: None },
            Some((handler, end)) if end.success => {
                self.follow_strategy(frame, scope, handler, end.output)?
            }
            Some((handler, end)) => exhausted(handler, Some(end.output)),
        };
        self.settle(scope, &handled)?;
        Ok(handled)
    }

    /// Records the error once, so that `error.*` and the correlation id survive a crash.
    pub(super) fn raise(
        &self,
        scope: &FailureScope,
        report: &Report,
        failure: &Failure,
    ) -> Result<(), Halt> {
        let (raised, attempt) = self.session.with(|state| {
            let raised = state.standing.error(&scope.at).is_some();
            (raised, state.lifetime.next_attempt(&scope.cause) - 1)
        });
        if raised {
            return Ok(());
        }
        self.commit(EventKind::ErrorRaised {
            address: scope.at.clone(),
            step: scope.cause.clone(),
            failure: failure.clone(),
            exit_code: report.exit_code,
            attempt,
            output: report.stdout.text.clone(),
            stderr: report.stderr.text.clone(),
            correlation_id: self.correlation(&scope.cause),
        })?;
        Ok(())
    }

    /// Records an error that no handler of its scope answers.
    pub(super) fn raise_unanswered(
        &self,
        scope: &FailureScope,
        report: &Report,
        failure: &Failure,
    ) -> Result<(), Halt> {
        self.raise(scope, report, failure)?;
        let settled = self.session.with(|state| {
            state.standing.error(&scope.at).is_some_and(|error| error.settled.is_some())
        });
        if settled { Ok(()) } else { self.settle(scope, &Handled::Outward { output: None }) }
    }

    /// One id for everything that follows from failures of one step of this session: the same
    /// over retries, handlers, their own failures and resumes, without being stored first.
    pub(super) fn correlation(&self, step: &Address) -> String {
        let answered = step.answered();
        if let Some(at) = &answered
            && let Some(id) = self
                .session
                .with(|state| state.standing.error(at).map(|error| error.correlation_id.clone()))
        {
            return id;
        }
        let step = answered.as_ref().unwrap_or(step);
        let name = format!("{}/{step}", self.session.id());
        uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, name.as_bytes()).to_string()
    }

    fn settle(&self, scope: &FailureScope, handled: &Handled) -> Result<(), Halt> {
        let goes_on = match handled {
            // The rewind has forgotten the error.
            Handled::Again | Handled::Back(_) => return Ok(()),
            Handled::Repaired { .. } | Handled::Passed { .. } => true,
            Handled::Outward { .. } => false,
        };
        self.commit(EventKind::ErrorSettled { address: scope.at.clone(), goes_on })?;
        Ok(())
    }

    /// What the success of `handler` means.
    fn follow_strategy(
        &self,
        frame: &Frame<'a>,
        scope: &FailureScope,
        handler: &'a Handler,
        output: Stored,
    ) -> Result<Handled, Halt> {
        match &handler.strategy {
            Strategy::Abort { .. } => return Ok(Handled::Outward { output: Some(output) }),
            Strategy::PartialResume { index, .. } => {
                let count = self.rewinds(&scope.at, RewindCause::PartialResume);
                if count >= handler.max_attempts {
                    return Ok(exhausted(handler, Some(output)));
                }
                self.commit(EventKind::Rewound {
                    scope: scope.sequence.clone(),
                    from: Some(*index),
                    reach: Reach::Subtree,
                    to_seq: None,
                    cause: RewindCause::PartialResume,
                    by: Some(scope.at.clone()),
                })?;
                return Ok(Handled::Back(*index));
            }
            Strategy::Intervene { message } => {
                return self.intervene(frame, scope, message, output);
            }
            Strategy::Retry { .. }
            | Strategy::Fallback
            | Strategy::Recovery
            | Strategy::Cleanup
            | Strategy::Custom => {}
        }
        let runs = wanted_runs(handler);
        if runs > 1 {
            let done = self.rewinds(&scope.at, RewindCause::Rerun) + 1;
            if let Strategy::Retry { delay } = &handler.strategy {
                let factor = 2f64.powi(i32::try_from(done - 1).unwrap_or(i32::MAX));
                let jitter = 1.0 - 0.1 * super::retry::random_share();
                let delay = delay.mul_f64((factor * jitter).min(3600.0));
                let run = self.following_run(&scope.at);
                let delay = delay.min(Duration::from_secs(3600));
                self.schedule_retry(&scope.at, run, delay, runs, self.correlation(&scope.cause))?;
                self.wait_for_retry(frame, &scope.at)?;
            }
            self.go_on(frame)?;
            self.run_again(scope, RewindCause::Rerun)?;
            return Ok(Handled::Again);
        }
        let repairs = match scope.kind {
            ScopeKind::Step | ScopeKind::Handler => handler.fail_workflow != Some(true),
            ScopeKind::Phase | ScopeKind::Workflow => {
                handler.fail_workflow == Some(false)
                    || matches!(handler.strategy, Strategy::Fallback)
            }
        };
        if !repairs {
            return Ok(Handled::Outward { output: Some(output) });
        }
        let stands_in = matches!(handler.strategy, Strategy::Fallback);
        Ok(Handled::Repaired { output, stands_in })
    }

    /// `strategy: intervene`: a person decides; without a terminal the session waits.
    fn intervene(
        &self,
        frame: &Frame<'a>,
        scope: &FailureScope,
        message: &'a crate::expr::Template,
        output: Stored,
    ) -> Result<Handled, Halt> {
        let inner = Frame { error: Some(scope.at.clone()), ..frame.clone() };
        let message = self
            .render(message, &inner, &scope.at)
            .unwrap_or_else(|error| format!("step {} failed ({error})", scope.cause));
        if self.session.with(|state| state.standing.answer(&scope.at)) == Some(PersonsAnswer::Done)
        {
            return Ok(Handled::Repaired { output, stands_in: false });
        }
        // Of a stage or the workflow it is the failed step that a person decides about.
        let outside = matches!(scope.kind, ScopeKind::Phase | ScopeKind::Workflow);
        let choices = ["retry", "skip", "abort"];
        let question = format!("Step {} failed. {message}", scope.cause);
        let choice = self.options.person.choose(&question, &choices);
        self.heed_signals()?;
        match choice {
            Some(0) => {
                self.run_again(scope, RewindCause::PersonsRerun)?;
                Ok(Handled::Again)
            }
            Some(1) if outside => {
                // Past the step that failed, and on with the one after it.
                self.run_again(scope, RewindCause::PersonsRerun)?;
                let answer = PersonsAnswer::Done;
                self.commit(EventKind::Answered { address: scope.cause.clone(), answer })?;
                Ok(Handled::Again)
            }
            Some(1) => Ok(Handled::Repaired { output, stands_in: false }),
            Some(_) => Ok(Handled::Outward { output: Some(output) }),
            None => {
                let at = if outside { &scope.cause } else { &scope.at };
                Err(self.wait_for_person(at, WaitReason::Intervention, message))
            }
        }
    }

    fn rewinds(&self, address: &Address, cause: RewindCause) -> u32 {
        self.session.with(|state| state.lifetime.rewinds(address, cause))
    }

    /// Forgets a scope so that it runs again: of a step its own work and handlers (rounds of a
    /// loop that ended stay), of a stage, workflow or handler everything below.
    pub(super) fn run_again(&self, scope: &FailureScope, cause: RewindCause) -> Result<(), Halt> {
        let reach = match scope.kind {
            // A person has the step run again that failed, as `resume` does.
            _ if cause == RewindCause::PersonsRerun => Reach::Own,
            ScopeKind::Step => Reach::Own,
            ScopeKind::Handler | ScopeKind::Phase | ScopeKind::Workflow => Reach::Subtree,
        };
        if reach == Reach::Own {
            self.forget_failed(&scope.at, cause)?;
        }
        self.commit(rewound(&scope.at, reach, cause))?;
        Ok(())
    }

    /// The failure kinds that a handler of `scope: command` answers.
    pub(super) fn answers(
        handler: &Handler,
        scope: &FailureScope,
        failure: &Failure,
    ) -> Result<(), String> {
        let fits = match handler.scope {
            None => true,
            Some(HandlerScope::Command) => matches!(
                failure.kind,
                FailureKind::Exit
                    | FailureKind::Signal
                    | FailureKind::Timeout
                    | FailureKind::IdleTimeout
                    | FailureKind::Start
                    | FailureKind::TtyInput
                    | FailureKind::Agent
            ),
            Some(HandlerScope::Step) => {
                matches!(scope.kind, ScopeKind::Step | ScopeKind::Handler)
            }
            Some(HandlerScope::Phase) => scope.kind == ScopeKind::Phase,
            Some(HandlerScope::Workflow) => scope.kind == ScopeKind::Workflow,
        };
        if fits { Ok(()) } else { Err("the failure is not of its scope".to_owned()) }
    }
}

/// How often the original may run in all.
fn wanted_runs(handler: &Handler) -> u32 {
    let again = handler.retry_original || matches!(handler.strategy, Strategy::Retry { .. });
    handler.max_attempts.max(if again { 2 } else { 1 })
}

/// The handlers could not help: `fail_workflow: false` lets the workflow go on all the same.
fn exhausted(handler: &Handler, output: Option<Stored>) -> Handled {
    if handler.fail_workflow == Some(false) {
        Handled::Passed { output }
    } else {
        Handled::Outward { output }
    }
}

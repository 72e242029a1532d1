//! One handler: its condition, its steps, its own retries and handlers (SPEC 6.2).

use crate::playbook::failure::{Condition, Handler, RetryExhausted, Strategy};
use crate::playbook::model::Step;
use crate::session::{
    Address, EventKind, Failure, FailureKind, Output, Reach, Report, RewindCause, Stored,
    item_number, rewound,
};

use super::failure::{FailureScope, ScopeKind};
use super::frame::Frame;
use super::halt::Halt;
use super::run::Run;
use super::sequence::Flow;

pub(super) use super::failure::Handled;

/// How a handler ended.
#[derive(Debug)]
pub(super) struct HandlerEnd {
    pub(super) success: bool,
    pub(super) output: Stored,
}

impl<'a> Run<'a> {
    /// Everything that a step's own settings say about its failure.
    pub(super) fn handle(
        &self,
        frame: &Frame<'a>,
        step: &'a Step,
        address: &Address,
        report: &Report,
        failure: &Failure,
    ) -> Result<Handled, Halt> {
        let scope = FailureScope {
            at: address.clone(),
            sequence: frame.base.clone(),
            kind: ScopeKind::Step,
            cause: address.clone(),
        };
        let mut output = None;
        if let Some(end) = self.answer_exit_code(frame, step, &scope, report, failure)? {
            if end.success {
                return Ok(Handled::Repaired { output: end.output, stands_in: false });
            }
            output = Some(end.output);
        }
        let exhausted = step.retry.as_ref().map(|retry| retry.on_failure);
        let handled = match &step.on_failure {
            Some(set) => self.answer_failure(frame, &scope, set, report, failure)?,
            None => Handled::Outward { output },
        };
        Ok(match (handled, exhausted) {
            (Handled::Outward { output }, Some(RetryExhausted::Continue)) => {
                Handled::Passed { output }
            }
            (Handled::Repaired { output, .. }, Some(RetryExhausted::Fallback)) => {
                Handled::Repaired { output, stands_in: true }
            }
            (handled, _) => handled,
        })
    }

    /// `on_exit_code`: the steps for this code, as a handler that is tried first.
    fn answer_exit_code(
        &self,
        frame: &Frame<'a>,
        step: &'a Step,
        scope: &FailureScope,
        report: &Report,
        failure: &Failure,
    ) -> Result<Option<HandlerEnd>, Halt> {
        let Some(code) = report.exit_code else { return Ok(None) };
        let Some((_, steps)) = step.on_exit_code.iter().find(|(it, _)| i32::from(*it) == code)
        else {
            return Ok(None);
        };
        let at = scope.at.below_numbered("on_exit_code", code);
        if let Some(end) = self.recorded_end(&at) {
            return Ok(end);
        }
        self.raise(scope, report, failure)?;
        self.start_handler(&at, &format!("exit code {code}"), "recovery", scope)?;
        let mut inner = frame.at(at.clone());
        inner.error = Some(scope.at.clone());
        let error = match self.sequence(&inner, steps)? {
            Flow::Done => None,
            Flow::Failed(cause) => Some(format!("step {cause}: {}", self.told(&cause))),
        };
        self.finish_handler(&at, &format!("exit code {code}"), error, None).map(Some)
    }

    /// Runs a handler, or takes what is recorded of it; `None` when it is not for this failure.
    pub(super) fn run_handler(
        &self,
        frame: &Frame<'a>,
        scope: &FailureScope,
        handler: &'a Handler,
        index: usize,
        at: &Address,
    ) -> Result<Option<HandlerEnd>, Halt> {
        if let Some(end) = self.recorded_end(at) {
            return Ok(end);
        }
        let id = handler.id.clone().unwrap_or_else(|| (index + 1).to_string());
        let mut inner = frame.at(at.clone());
        inner.error = Some(scope.at.clone());
        loop {
            let started = self.session.with(|state| state.standing.handler(at).is_some());
            if !started {
                if let Some(end) = self.refuse(&inner, scope, handler, &id, at)? {
                    return Ok(end);
                }
                self.start_handler(at, &id, strategy_name(&handler.strategy), scope)?;
            }
            let limit = match self.limit(handler.timeout.as_ref(), &inner, at) {
                Ok(limit) => limit,
                Err(error) => {
                    let message = self.unresolved("timeout", &error).message.shown();
                    return self.finish_handler(at, &id, Some(message), None).map(Some);
                }
            };
            let timed = inner.clone().within(limit, at);
            let head = handler.commit_required.then(|| self.surroundings.head()).flatten();
            let (cause, failure) = match self.handler_steps(&timed, handler, at)? {
                Flow::Failed(cause) => {
                    let message = format!("step {cause}: {}", self.told(&cause));
                    (cause, self.failure(FailureKind::Inner, &message))
                }
                Flow::Done if handler.commit_required && self.surroundings.head() == head => {
                    let message = "it made no commit (commit_required)";
                    (at.clone(), self.failure(FailureKind::NoCommit, message))
                }
                Flow::Done => {
                    return self
                        .finish_handler(at, &id, None, handler.capture.as_deref())
                        .map(Some);
                }
            };
            match self.handler_failed(&inner, handler, at, cause, &failure)? {
                Handled::Again | Handled::Back(_) => {}
                Handled::Repaired { .. } | Handled::Passed { .. } => {
                    return self
                        .finish_handler(at, &id, None, handler.capture.as_deref())
                        .map(Some);
                }
                Handled::Outward { .. } => {
                    let message = failure.message.shown();
                    return self.finish_handler(at, &id, Some(message), None).map(Some);
                }
            }
        }
    }

    /// Its commands, the cleanup of `abort`, and `on_success`.
    fn handler_steps(
        &self,
        frame: &Frame<'a>,
        handler: &'a Handler,
        at: &Address,
    ) -> Result<Flow, Halt> {
        if let Flow::Failed(cause) = self.sequence(frame, &handler.steps)? {
            return Ok(Flow::Failed(cause));
        }
        if let Strategy::Abort { cleanup } = &handler.strategy
            && let Flow::Failed(cause) = self.sequence(&frame.at(at.below("cleanup")), cleanup)?
        {
            return Ok(Flow::Failed(cause));
        }
        if handler.on_success.is_empty() {
            return Ok(Flow::Done);
        }
        self.sequence(&frame.at(at.below("on_success")), &handler.on_success)
    }

    /// A handler failed: its own retries, then its own handlers.
    fn handler_failed(
        &self,
        frame: &Frame<'a>,
        handler: &'a Handler,
        at: &Address,
        cause: Address,
        failure: &Failure,
    ) -> Result<Handled, Halt> {
        let scope =
            FailureScope { at: at.clone(), sequence: at.clone(), kind: ScopeKind::Handler, cause };
        let report = self.report_of(&scope.cause);
        if let Some(retry) = &handler.retry {
            let done = self.session.with(|state| state.lifetime.rewinds(at, RewindCause::Retry));
            if done + 1 < retry.attempts && retry.covers(&report, failure) {
                let delay = retry.delay(done + 1, super::retry::random_share());
                let (run, correlation) = (self.following_run(at), self.correlation(&scope.cause));
                self.schedule_retry(at, run, delay, retry.attempts, correlation)?;
                self.wait_for_retry(frame, at)?;
                self.go_on(frame)?;
                self.commit(rewound(at, Reach::Subtree, RewindCause::Retry))?;
                return Ok(Handled::Again);
            }
        }
        match &handler.on_failure {
            None => Ok(Handled::Outward { output: None }),
            Some(set) => self.answer_failure(frame, &scope, set, &report, failure),
        }
    }

    /// Why a handler does not run, if so: recorded, never an error of the run.
    fn refuse(
        &self,
        frame: &Frame<'a>,
        scope: &FailureScope,
        handler: &'a Handler,
        id: &str,
        at: &Address,
    ) -> Result<Option<Option<HandlerEnd>>, Halt> {
        let failure = self
            .session
            .with(|state| state.standing.error(&scope.at).map(|error| error.failure.clone()));
        let scoped = failure.map_or(Ok(()), |failure| Self::answers(handler, scope, &failure));
        let (reason, failed) = match (&handler.condition, scoped) {
            (_, Err(reason)) => (reason, false),
            (Condition::Always, Ok(())) => return Ok(None),
            (Condition::Malformed { source, reason }, Ok(())) => {
                (format!("its condition {source:?} cannot be read: {reason}"), true)
            }
            (Condition::When(condition), Ok(())) => {
                match condition.is_true(&self.names(frame, at)) {
                    Ok(true) => return Ok(None),
                    Ok(false) => (format!("{} is false", condition.source()), false),
                    Err(error) => (self.unresolved("its condition", &error).message.shown(), true),
                }
            }
        };
        self.commit(EventKind::HandlerSkipped {
            address: at.clone(),
            id: id.to_owned(),
            reason,
            failed,
        })?;
        let end = failed.then(|| HandlerEnd { success: false, output: Stored::default() });
        Ok(Some(end))
    }

    fn start_handler(
        &self,
        at: &Address,
        id: &str,
        strategy: &str,
        scope: &FailureScope,
    ) -> Result<(), Halt> {
        let attempt = self.session.with(|state| state.lifetime.next_attempt(at));
        self.commit(EventKind::HandlerStarted {
            address: at.clone(),
            id: id.to_owned(),
            strategy: strategy.to_owned(),
            attempt,
            correlation_id: self.correlation(&scope.cause),
        })?;
        Ok(())
    }

    fn finish_handler(
        &self,
        at: &Address,
        id: &str,
        error: Option<String>,
        capture: Option<&str>,
    ) -> Result<HandlerEnd, Halt> {
        let (output, attempt) = self.session.with(|state| {
            let last = state
                .standing
                .records_within(at)
                .filter(|(_, record)| record.result.is_some())
                .max_by_key(|(_, record)| record.finished_seq);
            let output = last
                .and_then(|(_, record)| Some(record.result.as_ref()?.report.stdout.text.clone()));
            let attempt = state.standing.handler(at).map_or(1, |handler| handler.attempt);
            (output.unwrap_or_default(), attempt)
        });
        let success = error.is_none();
        self.commit(EventKind::HandlerFinished {
            address: at.clone(),
            id: id.to_owned(),
            success,
            error,
            output: output.clone(),
            capture: capture.map(str::to_owned).filter(|_| success),
            attempt,
        })?;
        self.session.sync()?;
        Ok(HandlerEnd { success, output })
    }

    /// What is recorded of a handler that ended: `Some(None)` when it was passed over.
    fn recorded_end(&self, at: &Address) -> Option<Option<HandlerEnd>> {
        self.session.with(|state| {
            let end = state.standing.handler(at)?.ended.as_ref()?;
            Some(
                (!end.passed_over)
                    .then(|| HandlerEnd { success: end.success, output: end.output.clone() }),
            )
        })
    }

    /// What came of the step at `address`. Of a step of an item that ended only what the dead
    /// letter queue knows is left.
    pub(super) fn report_of(&self, address: &Address) -> Report {
        self.session.with(|state| {
            let record = state.standing.record(address);
            if let Some(report) = record.and_then(|record| record.latest_report()) {
                return report.clone();
            }
            if let Some(error) = state.standing.error(address) {
                return Report { failure: Some(error.failure.clone()), ..Report::default() };
            }
            let dead = item_number(address).and_then(|item| state.lifetime.dead.get(&item));
            let last = dead.and_then(|dead| dead.history.last()).map(|(_, last)| last);
            match last.filter(|last| last.step == *address) {
                Some(last) => Report {
                    failure: Some(last.failure.clone()),
                    exit_code: last.exit_code,
                    stdout: Output { text: last.output.clone(), ..Output::default() },
                    ..Report::default()
                },
                None => Report::default(),
            }
        })
    }
}

fn strategy_name(strategy: &Strategy) -> &'static str {
    match strategy {
        Strategy::Recovery => "recovery",
        Strategy::Retry { .. } => "retry",
        Strategy::Fallback => "fallback",
        Strategy::PartialResume { .. } => "partial_resume",
        Strategy::Intervene { .. } => "intervene",
        Strategy::Abort { .. } => "abort",
        Strategy::Cleanup => "cleanup",
        Strategy::Custom => "custom",
    }
}

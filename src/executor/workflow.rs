//! The whole workflow: passes, steps or stages, its handlers, `finally`, the end of the run.

use std::time::Duration;

use crate::playbook::model::Body;
use crate::session::{
    Address, EventKind, FailureKind, RunFailure, SessionStatus, StepStatus, Stored,
};

use super::failure::{FailureScope, Handled, ScopeKind};
use super::fix::Before;
use super::frame::Frame;
use super::halt::Halt;
use super::run::Run;
use super::sequence::{Flow, Next};

/// How a run ended: what the exit code is made of.
#[derive(Debug)]
pub enum Ending {
    /// Every step is over.
    Over(SessionStatus),
    /// The run stopped before.
    Halted(Halt),
}

impl<'a> Run<'a> {
    /// Runs the session from where its journal says it is to its end, or until it has to stop;
    /// first what comes `before`.
    pub fn execute(&mut self, before: Before<'a>) -> Ending {
        let body = match self.prepare(before) {
            Ok(None) => self.body_again(),
            ended => ended,
        };
        let body = match body {
            Ok(None) => self.keep_promises(),
            ended => ended,
        };
        let status = match &body {
            Ok(None) => self.overall(),
            Ok(Some(_)) => SessionStatus::Failed,
            Err(halt) if halt.is_interruption() => SessionStatus::Interrupted,
            Err(Halt::Waiting(_)) => SessionStatus::Waiting,
            Err(Halt::Parked(_)) => SessionStatus::Parked,
            Err(Halt::Refused { .. }) => SessionStatus::Failed,
            Err(_) => return ended(body, SessionStatus::Failed),
        };
        let cause = match &body {
            Ok(cause) => cause.clone(),
            Err(Halt::Refused { address, .. }) => Some(address.clone()),
            Err(_) => None,
        };
        let finally = self.finally(status, cause);
        let all_done =
            matches!(status, SessionStatus::Completed | SessionStatus::CompletedWithFailures);
        let status = match &finally {
            Ok(true) if all_done => SessionStatus::Failed,
            // As after a kill, the next run makes up for it.
            Err(halt) if all_done && halt.is_interruption() => SessionStatus::Interrupted,
            Err(Halt::Waiting(_)) => SessionStatus::Waiting,
            _ => status,
        };
        let recorded = self.end_run(status, &body);
        match (recorded, body, finally) {
            (Err(halt), ..) | (_, Err(halt), _) => Ending::Halted(halt),
            (_, _, Err(halt)) if all_done || !halt.is_interruption() => Ending::Halted(halt),
            _ => Ending::Over(status),
        }
    }

    /// Everything but `finally`. Where a run was killed between a failure and its own end, this
    /// one only answers that failure; whoever resumed wants the failed step to run again.
    fn body_again(&self) -> Result<Option<Address>, Halt> {
        let Some(cause) = self.body()? else { return Ok(None) };
        let of_before = self.session.with(|state| {
            if state.standing.result(&cause).is_none() {
                return false;
            }
            // Of a loop that was cut the rounds say when it failed.
            let inside = state.standing.records_within(&cause).filter(|(at, record)| {
                !at.is_aside() && record.result.as_ref().is_some_and(|result| !result.goes_on)
            });
            inside.map(|(_, record)| record.finished_seq).min().is_some_and(|it| it <= self.began)
        });
        if !of_before {
            return Ok(Some(cause));
        }
        let again = self.session.with(|state| (self.options.failed_again)(state));
        self.session.commit_together(again)?;
        self.session.sync_now()?;
        self.body()
    }

    /// Everything but `finally`: the first unhandled failure's step, if any.
    fn body(&self) -> Result<Option<Address>, Halt> {
        let passes = self.session.with(|state| {
            state.header().map(|header| (header.passes.clone(), header.max_iterations))
        });
        let (arguments, iterations) = passes.unwrap_or_default();
        if arguments.is_empty() && iterations.is_none() {
            return self.pass(&self.frame(Address::root(), None));
        }
        let mut failed = None;
        let count =
            if arguments.is_empty() { iterations.unwrap_or(1) } else { arguments.len() as u64 };
        for number in 1..=count {
            let at = Address::root().join(&format!("pass[{number}]"));
            let index = usize::try_from(number - 1).unwrap_or(usize::MAX);
            if let Some(cause) = self.one_pass(&at, arguments.get(index).cloned())? {
                failed.get_or_insert(cause);
                if !self.workflow.continue_on_error {
                    break;
                }
            } else if arguments.is_empty() && self.changed_nothing(&at) {
                break;
            }
        }
        Ok(failed)
    }

    /// One pass of `--arg`, `--map` or `-n`; its end is recorded.
    fn one_pass(&self, at: &Address, argument: Option<Stored>) -> Result<Option<Address>, Halt> {
        if let Some(ended) = self.session.with(|state| state.standing.scope(at)) {
            return Ok((!ended.goes_on).then(|| self.failed_step(at)));
        }
        let cause = self.pass(&self.frame(at.clone(), argument))?;
        let status = if cause.is_some() { StepStatus::Failed } else { self.standing_of(at) };
        self.end_scope(at, status, cause.is_none(), None)?;
        Ok(cause)
    }

    pub(super) fn frame(&self, base: Address, argument: Option<Stored>) -> Frame<'a> {
        Frame {
            base,
            stage: None,
            argument,
            round: None,
            error: None,
            scored: None,
            env: Vec::new(),
            deadline: None,
            stop: self.stop.clone(),
            status: None,
        }
    }

    /// Steps or stages once, with the handlers of workflow scope.
    fn pass(&self, frame: &Frame<'a>) -> Result<Option<Address>, Halt> {
        loop {
            let Some(cause) = self.once(frame)? else { return Ok(None) };
            let Some(set) = &self.workflow.on_failure else { return Ok(Some(cause)) };
            let report = self.report_of(&cause);
            let failure = crate::session::failure_of(&report);
            let scope = FailureScope {
                at: frame.base.clone(),
                sequence: frame.base.clone(),
                kind: ScopeKind::Workflow,
                cause: cause.clone(),
            };
            match self.answer_failure(frame, &scope, set, &report, &failure)? {
                Handled::Again | Handled::Back(_) => {}
                Handled::Repaired { .. } | Handled::Passed { .. } => return Ok(None),
                Handled::Outward { .. } => return Ok(Some(cause)),
            }
        }
    }

    fn once(&self, frame: &Frame<'a>) -> Result<Option<Address>, Halt> {
        let limit = match self.limit(self.workflow.timeout.as_ref(), frame, &frame.base) {
            Ok(limit) => limit.map(|limit| limit.saturating_sub(self.earlier_time())),
            Err(error) => {
                self.warn(&format!("the workflow's timeout is left out: {error}"));
                None
            }
        };
        let frame = frame.clone().within(limit, &Address::root());
        match &self.workflow.body {
            Body::Steps(steps) => match self.sequence(&frame, steps)? {
                Flow::Done => Ok(None),
                Flow::Failed(cause) => Ok(Some(cause)),
            },
            Body::MapReduce(job) => self.map_reduce(&frame, job),
            Body::Stages(stages) => {
                for stage in stages {
                    if let Next::Failed(cause) = self.stage(&frame, stage)? {
                        return Ok(Some(cause));
                    }
                }
                Ok(None)
            }
        }
    }

    /// Active time of the runs before this one.
    fn earlier_time(&self) -> Duration {
        Duration::from_millis(self.session.with(|state| state.lifetime.active.earlier_ms()))
    }

    /// `-n` ends with a pass that changes no file of the repository.
    fn changed_nothing(&self, at: &Address) -> bool {
        let commits = self.session.with(|state| {
            let heads = state.standing.records_within(at);
            let mut heads = heads.filter_map(|(_, record)| record.result.as_ref()?.head.clone());
            let first = heads.next();
            let last = heads.last();
            first.is_some() && last.is_some() && first != last
        });
        match &self.surroundings.repository {
            None => false,
            Some(repository) => !commits && !repository.is_dirty().unwrap_or(true),
        }
    }

    /// How a workflow stands whose every step ended so that it goes on.
    fn overall(&self) -> SessionStatus {
        let items_failed = self
            .session
            .with(|state| state.standing.items.failed() + state.standing.items.skipped());
        match self.standing_of(&Address::root()) {
            StepStatus::Failed => SessionStatus::CompletedWithFailures,
            _ if items_failed > 0 => SessionStatus::CompletedWithFailures,
            _ => SessionStatus::Completed,
        }
    }

    /// The `finally` steps of this run: true when one failed. A stopped run's steps only heed a
    /// further signal, and an error tells that it came; a waiting or parked run has none (DECISIONS A10).
    fn finally(&self, status: SessionStatus, cause: Option<Address>) -> Result<bool, Halt> {
        if matches!(status, SessionStatus::Waiting | SessionStatus::Parked)
            || self.workflow.finally.is_empty()
        {
            return Ok(false);
        }
        if let Some(cause) = cause {
            // So that `error.*` tells of it where no handler has.
            let report = self.report_of(&cause);
            let failure = crate::session::failure_of(&report);
            let root = Address::root();
            let kind = ScopeKind::Workflow;
            let scope = FailureScope { at: root.clone(), sequence: root, kind, cause };
            self.raise_unanswered(&scope, &report, &failure)?;
        }
        let run = self.session.with(|state| state.lifetime.run());
        let mut frame = self.frame(Address::root().join(&format!("finally[{run}]")), None);
        frame.status = Some(status);
        frame.error = Some(Address::root());
        frame.stop = self.stop.cleanup();
        match self.sequence(&frame, &self.workflow.finally) {
            Ok(Flow::Done) => Ok(false),
            Ok(Flow::Failed(cause)) => {
                self.warn(&format!("finally failed at step {cause}: {}", self.told(&cause)));
                Ok(true)
            }
            Err(halt) => Err(halt),
        }
    }

    /// Records the orderly end of this run; on disk when this returns.
    fn end_run(
        &self,
        status: SessionStatus,
        body: &Result<Option<Address>, Halt>,
    ) -> Result<(), Halt> {
        let failure = match body {
            Ok(Some(cause)) => Some(self.run_failure(cause)),
            Err(Halt::Refused { address, .. }) => Some(self.run_failure(address)),
            Ok(None) if status == SessionStatus::Failed => {
                let run = self.session.with(|state| state.lifetime.run());
                let at = Address::root().join(&format!("finally[{run}]"));
                Some(self.run_failure(&self.failed_step(&at)))
            }
            _ => None,
        };
        let active = self.stop.active();
        self.commit(EventKind::RunFinished {
            status,
            active_ms: u64::try_from(active.as_millis()).unwrap_or(u64::MAX),
            failure,
        })?;
        self.session.sync_now()?;
        self.session.snapshot(true);
        Ok(())
    }

    fn run_failure(&self, cause: &Address) -> RunFailure {
        let number = self.session.with(|state| state.lifetime.failures) + 1;
        let failure = self.report_of(cause).failure;
        let failure = failure.unwrap_or_else(|| self.failure(FailureKind::Inner, "it failed"));
        RunFailure { id: self.session.id().failure_id(number), step: cause.clone(), failure }
    }
}

fn ended(body: Result<Option<Address>, Halt>, status: SessionStatus) -> Ending {
    match body {
        Err(halt) => Ending::Halted(halt),
        Ok(_) => Ending::Over(status),
    }
}

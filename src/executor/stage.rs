//! One stage: confirmation, its steps, its retries, its handlers, its end as a checkpoint (SPEC 3.2).

use crate::playbook::model::Stage;
use crate::session::{
    Address, EventKind, FailureKind, Reach, Report, RewindCause, StepStatus, rewound,
};

use super::failure::{FailureScope, Handled, ScopeKind};
use super::files::Moment;
use super::frame::Frame;
use super::halt::Halt;
use super::run::Run;
use super::sequence::{Flow, Next};

impl<'a> Run<'a> {
    /// Runs a stage, or takes what is recorded of it.
    pub(super) fn stage(&self, outer: &Frame<'a>, stage: &'a Stage) -> Result<Next, Halt> {
        let at = outer.base.join(&stage.name);
        if let Some(ended) = self.session.with(|state| state.standing.scope(&at)) {
            if ended.goes_on {
                return Ok(Next::On);
            }
            return Ok(Next::Failed(self.failed_step(&at)));
        }
        let mut frame = outer.at(at.clone());
        frame.stage = Some(&stage.name);
        frame.env.push(&stage.env);
        if self.untouched(&at) {
            if let Some(when) = &stage.when {
                match when.is_true(&self.names(&frame, &at)) {
                    Ok(true) => {}
                    Ok(false) => {
                        return self.end_scope(
                            &at,
                            StepStatus::Skipped,
                            true,
                            stage.checkpoint.as_ref(),
                        );
                    }
                    Err(error) => {
                        let report = Report::failed(self.unresolved("when", &error));
                        return self.stage_failed(&frame, stage, at.clone(), at, report);
                    }
                }
            }
            let what = format!("stage {:?}", stage.name);
            if stage.requires_confirmation && !self.confirm(&at, &what)? {
                let failure =
                    self.failure(FailureKind::Interrupted, "the confirmation was refused");
                let report = Report::failed(failure);
                return self.stage_failed(&frame, stage, at.clone(), at, report);
            }
        }
        self.stage_passes(&frame, stage, at)
    }

    /// Runs the stage's steps until they end well or nothing is left to try.
    fn stage_passes(&self, frame: &Frame<'a>, stage: &'a Stage, at: Address) -> Result<Next, Halt> {
        loop {
            self.go_on(frame)?;
            let limit = match self.limit(stage.timeout.as_ref(), frame, &at) {
                Ok(limit) => limit,
                Err(error) => {
                    let report = Report::failed(self.unresolved("timeout", &error));
                    return self.stage_failed(frame, stage, at.clone(), at, report);
                }
            };
            let cause = match self.sequence(&frame.clone().within(limit, &at), &stage.steps)? {
                Flow::Done => {
                    return self.end_scope(
                        &at,
                        self.standing_of(&at),
                        true,
                        stage.checkpoint.as_ref(),
                    );
                }
                Flow::Failed(cause) => cause,
            };
            let report = self.report_of(&cause);
            if self.retry_stage(frame, stage, &at, &cause, &report)? {
                continue;
            }
            return self.stage_failed(frame, stage, at, cause, report);
        }
    }

    /// `retry:` of a stage: true when it has been rewound to run again.
    fn retry_stage(
        &self,
        frame: &Frame<'a>,
        stage: &'a Stage,
        at: &Address,
        cause: &Address,
        report: &Report,
    ) -> Result<bool, Halt> {
        let (Some(retry), Some(failure)) = (&stage.retry, &report.failure) else {
            return Ok(false);
        };
        let done = self.session.with(|state| state.lifetime.rewinds(at, RewindCause::Retry));
        if done + 1 >= retry.attempts || !retry.covers(report, failure) {
            return Ok(false);
        }
        let delay = retry.delay(done + 1, super::retry::random_share());
        let (run, correlation) = (self.following_run(at), self.correlation(cause));
        self.schedule_retry(at, run, delay, retry.attempts, correlation)?;
        self.wait_for_retry(frame, at)?;
        self.commit(rewound(at, Reach::Subtree, RewindCause::Retry))?;
        Ok(true)
    }

    /// The stage's handlers, then its end.
    fn stage_failed(
        &self,
        frame: &Frame<'a>,
        stage: &'a Stage,
        at: Address,
        cause: Address,
        report: Report,
    ) -> Result<Next, Halt> {
        let failure = crate::session::failure_of(&report);
        let scope = FailureScope {
            at: at.clone(),
            sequence: at.clone(),
            kind: ScopeKind::Phase,
            cause: cause.clone(),
        };
        let Some(set) = &stage.on_failure else {
            self.raise_unanswered(&scope, &report, &failure)?;
            self.end_scope(&at, StepStatus::Failed, false, stage.checkpoint.as_ref())?;
            return Ok(Next::Failed(cause));
        };
        match self.answer_failure(frame, &scope, set, &report, &failure)? {
            Handled::Again | Handled::Back(_) => self.stage_passes(frame, stage, at),
            Handled::Repaired { .. } => {
                self.end_scope(&at, StepStatus::Recovered, true, stage.checkpoint.as_ref())
            }
            Handled::Passed { .. } => {
                self.end_scope(&at, StepStatus::Failed, true, stage.checkpoint.as_ref())
            }
            Handled::Outward { .. } => {
                self.end_scope(&at, StepStatus::Failed, false, stage.checkpoint.as_ref())?;
                Ok(Next::Failed(cause))
            }
        }
    }

    /// Records the end of a stage, phase or pass: a checkpoint, always on disk at once, that may
    /// have a name of its own.
    pub(super) fn end_scope(
        &self,
        at: &Address,
        status: StepStatus,
        goes_on: bool,
        name: Option<&String>,
    ) -> Result<Next, Halt> {
        self.commit(EventKind::ScopeFinished {
            address: at.clone(),
            status,
            goes_on,
            checkpoint: name.filter(|_| goes_on).cloned(),
        })?;
        self.session.sync_now()?;
        self.keep_files(Moment::Checkpoint)?;
        self.session.snapshot(true);
        Ok(if goes_on { Next::On } else { Next::Failed(at.clone()) })
    }

    /// True when nothing below `at` has begun.
    fn untouched(&self, at: &Address) -> bool {
        self.session.with(|state| state.standing.records_within(at).next().is_none())
    }

    /// The standing of a scope whose steps all ended so that the workflow goes on.
    pub(super) fn standing_of(&self, at: &Address) -> StepStatus {
        let failed = self.session.with(|state| {
            let standing = &state.standing;
            let is = |address: &Address, status: StepStatus| {
                standing.result(address).is_some_and(|result| result.status == status)
            };
            let mut records = standing.records_within(at);
            // What failed inside a loop that a handler repaired is repaired with it.
            records.any(|(address, _)| {
                !address.is_aside()
                    && !address.is_of_finally()
                    && is(address, StepStatus::Failed)
                    && !std::iter::successors(address.owner(), Address::owner)
                        .any(|around| is(&around, StepStatus::Recovered))
            })
        });
        if failed { StepStatus::Failed } else { StepStatus::Success }
    }

    /// The step whose failure ended the scope `at`.
    pub(super) fn failed_step(&self, at: &Address) -> Address {
        self.session
            .with(|state| {
                let error = state.standing.error(at).map(|error| error.step.clone());
                error.or_else(|| {
                    let failed = state.standing.records_within(at).find(|(address, record)| {
                        address.sequence() == *at
                            && record.result.as_ref().is_some_and(|result| !result.goes_on)
                    });
                    failed.map(|(address, _)| address.clone())
                })
            })
            .unwrap_or_else(|| at.clone())
    }
}

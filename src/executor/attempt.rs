//! The attempts of a step, the retries between them, and the checks after them.

use crate::playbook::model::{Action, OnResume, Step};
use crate::session::{
    Address, Captured, EventKind, FailureKind, Report, RewindCause, Stored, item_number,
};

use super::frame::Frame;
use super::halt::Halt;
use super::run::{Inject, Run};
use super::sequence::Flow;

/// What came of a step's own work, before handlers.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// What came of it.
    pub(super) report: Report,
    /// Names it gave to values.
    pub(super) captures: Vec<Captured>,
    /// The results of a loop's rounds, or of a validation.
    pub(super) detail: Option<Stored>,
    /// The workflow goes on although it failed (`continue_on_error` of a loop, `fail_workflow: false`).
    pub(super) passes: bool,
}

/// One attempt about to start.
pub(super) struct Attempt<'b, 'a> {
    pub(super) frame: &'b Frame<'a>,
    pub(super) step: &'a Step,
    pub(super) address: &'b Address,
    /// Its number, counted over the whole life of the session.
    pub(super) number: u32,
}

impl<'a> Run<'a> {
    /// Runs the step's own work with its retries and checks. `ended` is an attempt whose end is
    /// recorded: it is not run again.
    pub(super) fn perform(
        &self,
        frame: &Frame<'a>,
        step: &'a Step,
        address: &Address,
        mut ended: Option<Report>,
    ) -> Result<Done, Halt> {
        loop {
            let recorded = ended.is_some() && !self.is_planned(address);
            let done = match ended.take() {
                Some(report) if recorded => self.reread(step, address, report),
                _ => {
                    self.wait_for_retry(frame, address)?;
                    self.go_on(frame)?;
                    self.attempt(frame, step, address)?
                }
            };
            if done.report.failure.is_none() {
                return self.check(frame, step, address, done, recorded);
            }
            let retry = self.next_retry(step, address, &done.report);
            if !recorded && (retry.is_some() || step.answers_failure()) {
                self.attempt_ended(address, &done.report)?;
            }
            match retry {
                Some((delay, attempts)) => {
                    let (run, correlation) =
                        (self.following_run(address), self.correlation(address));
                    self.schedule_retry(address, run, delay, attempts, correlation)?;
                }
                None => return Ok(done),
            }
        }
    }

    /// One attempt, from intent to report.
    fn attempt(&self, frame: &Frame<'a>, step: &'a Step, address: &Address) -> Result<Done, Halt> {
        let number = self.session.with(|state| state.lifetime.next_attempt(address));
        let limit = match self.limit(step.timeout.as_ref(), frame, address) {
            Ok(limit) => limit,
            Err(error) => return Ok(Done::failed(self.unresolved("timeout", &error))),
        };
        let frame = frame.clone().within(limit, address);
        let attempt = Attempt { frame: &frame, step, address, number };
        if let Some(done) = self.injected(&attempt)? {
            return Ok(done);
        }
        let mut done = match &step.action {
            Action::Shell(text) => self.shell(&attempt, text)?,
            Action::Claude(call) => self.claude(&attempt, call)?,
            Action::GoalSeek(goal) => self.goal_seek(&attempt, goal)?,
            Action::Foreach(each) => self.foreach(&attempt, each)?,
            Action::WriteFile(file) => self.write_file(&attempt, file)?,
        };
        if done.report.failure.is_none() {
            self.commit_work(&attempt, &mut done);
        }
        // What a validation may complete is looked at after it.
        if done.report.failure.is_none() && step.validate.is_none() {
            done.report.failure = self.missing_artifact(&frame, step, address);
        }
        if let Some(failure) = &mut done.report.failure {
            super::retry::classify(
                failure,
                &done.report.exit_code,
                step,
                &done.report.stdout,
                &done.report.stderr,
            );
        }
        Ok(done)
    }

    /// Records the intent of an attempt; of marked and agent steps it is on disk before the effect.
    pub(super) fn start(
        &self,
        attempt: &Attempt<'_, 'a>,
        command: &str,
        agent: Option<(String, bool)>,
    ) -> Result<(), Halt> {
        let marked = attempt.step.on_resume != OnResume::Rerun || agent.is_some();
        let (agent_session, agent_continues) = match agent {
            Some((session, continues)) => (Some(session), continues),
            None => (None, false),
        };
        let wants_commits = attempt.step.commit_required;
        let plain_of_item = item_number(attempt.address).is_some() && agent_session.is_none();
        let shown = |text: &str| match plain_of_item {
            // What a plain step of an item runs can be told from the workflow and the item.
            true => String::new(),
            false => self.secrets().mask(text),
        };
        let name = self.name_of(attempt.frame, attempt.step, attempt.address);
        self.commit(EventKind::StepStarted {
            address: attempt.address.clone(),
            attempt: attempt.number,
            command: shown(command),
            name: name.as_deref().map(shown).unwrap_or_default(),
            id: attempt.step.id.clone(),
            agent_session,
            agent_continues,
            head: if wants_commits { self.surroundings.head() } else { None },
        })?;
        if marked {
            self.session.sync_now()?;
        }
        Ok(())
    }

    /// Records how an attempt ended, because more follows before the step is over.
    pub(super) fn attempt_ended(&self, address: &Address, report: &Report) -> Result<(), Halt> {
        let number = self.session.with(|state| state.lifetime.next_attempt(address)) - 1;
        self.commit(EventKind::AttemptFinished {
            address: address.clone(),
            attempt: number,
            report: Box::new(report.clone()),
        })?;
        self.session.sync()?;
        Ok(())
    }

    /// What follows a success: validation, then `on_success`.
    fn check(
        &self,
        frame: &Frame<'a>,
        step: &'a Step,
        address: &Address,
        mut done: Done,
        recorded: bool,
    ) -> Result<Done, Halt> {
        let more = step.validate.is_some() || !step.on_success.is_empty();
        if more && !recorded {
            self.attempt_ended(address, &done.report)?;
        }
        if let Some(validate) = &step.validate {
            self.validate(frame, step, address, validate, &mut done)?;
            if done.report.failure.is_none() {
                done.report.failure = self.missing_artifact(frame, step, address);
            }
        }
        if done.report.failure.is_none() && !step.on_success.is_empty() {
            let inner = frame.at(address.below("on_success"));
            if let Flow::Failed(cause) = self.sequence(&inner, &step.on_success)? {
                let message = format!("on_success failed at step {cause}: {}", self.told(&cause));
                done.report.failure = Some(self.failure(FailureKind::Inner, &message));
            }
        }
        Ok(done)
    }

    /// The captures of an attempt that ended in the run before.
    fn reread(&self, step: &Step, address: &Address, report: Report) -> Done {
        let mut done = Done { report, ..Done::default() };
        if matches!(step.action, Action::Foreach(_)) {
            done.detail = self.session.with(|state| self.round_results(state, address));
        }
        self.capture(step, &mut done);
        done
    }

    /// `--inject`: the failure that stands in for the attempt.
    fn injected(&self, attempt: &Attempt<'_, 'a>) -> Result<Option<Done>, Halt> {
        let Some(injection) =
            self.options.injections.iter().find(|injection| injection.address == *attempt.address)
        else {
            return Ok(None);
        };
        if injection.times.is_some_and(|times| attempt.number > times) {
            return Ok(None);
        }
        self.start(attempt, "(made to fail by --inject)", None)?;
        let mut report = Report::default();
        report.failure = Some(match injection.kind {
            Inject::Exit(code) => {
                report.exit_code = Some(code);
                self.failure(FailureKind::Exit, &format!("exit code {code} (injected)"))
            }
            Inject::Timeout => {
                report.exit_code = Some(124);
                self.failure(FailureKind::Timeout, "timed out (injected)")
            }
        });
        Ok(Some(Done { report, ..Done::default() }))
    }

    /// The message of a failed step, for people.
    pub(super) fn told(&self, address: &Address) -> String {
        self.session.with(|state| {
            let record = state.standing.record(address);
            record
                .and_then(|record| record.latest_report()?.failure.as_ref())
                .map_or_else(|| "it failed".to_owned(), |failure| failure.message.shown())
        })
    }

    /// Goes back over what an earlier attempt of a loop left unfinished or failed.
    pub(super) fn forget_failed(&self, below: &Address, cause: RewindCause) -> Result<(), Halt> {
        let failed: Vec<Address> = self.session.with(|state| {
            let failed = state.standing.records_within(below).filter(|(address, record)| {
                *address != below && record.result.as_ref().is_some_and(|result| !result.goes_on)
            });
            failed.map(|(address, _)| address.clone()).collect()
        });
        for scope in failed {
            self.commit(EventKind::Rewound {
                scope,
                from: None,
                reach: crate::session::Reach::Subtree,
                to_seq: None,
                cause,
                by: Some(below.clone()),
            })?;
        }
        Ok(())
    }
}

impl Done {
    /// Work that failed before a command could run.
    pub(super) fn failed(failure: crate::session::Failure) -> Self {
        Self { report: Report::failed(failure), ..Self::default() }
    }
}

impl Step {
    /// True when a failure of this step is followed by something of its own.
    pub(super) fn answers_failure(&self) -> bool {
        self.on_failure.is_some() || !self.on_exit_code.is_empty()
    }
}

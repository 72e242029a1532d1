//! One step: recorded already? skip it? attempts, handlers, finish (SPEC 5, 6).

use std::sync::Arc;

use crate::playbook::model::{Checkpoint, OnResume, Step};
use crate::session::{
    Address, EventKind, Failure, FailureKind, PersonsAnswer, Progress, Report, StepResult,
    StepStatus, Stored, WaitReason, item_number,
};

use super::frame::Frame;
use super::halt::Halt;
use super::handler::Handled;
use super::run::Run;
use super::sequence::Next;

/// What is known of a step before it goes on.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) progress: Progress,
    /// What came of the latest ended attempt, when the step goes on from there.
    pub(super) report: Option<Arc<Report>>,
}

/// What is decided about a step that a crash or a stop caught running.
enum Doubt {
    /// It runs again.
    Rerun,
    /// It is over: go past it.
    Past,
    /// It failed.
    Failed(Failure),
}

impl<'a> Run<'a> {
    /// Runs the step at `address`, or takes what is recorded of it.
    pub(super) fn step(
        &self,
        frame: &Frame<'a>,
        step: &'a Step,
        address: &Address,
    ) -> Result<Next, Halt> {
        let (recorded, known) = self.session.with(|state| {
            let Some(record) = state.standing.record(address) else {
                return (None, Known::default());
            };
            let known = Known { progress: record.progress, report: record.report.clone() };
            (record.result.clone(), known)
        });
        if let Some(result) = recorded {
            return Ok(follow(&result, address));
        }
        self.go_on(frame)?;
        if known.progress == Progress::Pending {
            self.keep_files_before(step, address)?;
        }
        let report = match known.progress {
            Progress::Pending => match self.admit(frame, step, address)? {
                Admission::Runs => None,
                Admission::Skipped => {
                    return self.finish(
                        frame,
                        step,
                        address,
                        StepResult::skipped(step.kind()),
                        false,
                    );
                }
                Admission::Failed(failure) => Some(Report::failed(failure)),
            },
            Progress::InDoubt => match self.doubt(step, address)? {
                Doubt::Rerun => None,
                Doubt::Past => {
                    return self.finish(
                        frame,
                        step,
                        address,
                        StepResult::skipped(step.kind()),
                        false,
                    );
                }
                Doubt::Failed(failure) => Some(Report::failed(failure)),
            },
            Progress::Between => known.report.map(|report| (*report).clone()),
            Progress::Running | Progress::Done => None,
        };
        self.carry_out(frame, step, address, report)
    }

    /// Attempts, checks and handlers until the step is over; `ended` is an attempt that the
    /// journal already knows the end of.
    fn carry_out(
        &self,
        frame: &Frame<'a>,
        step: &'a Step,
        address: &Address,
        mut ended: Option<Report>,
    ) -> Result<Next, Halt> {
        loop {
            let done = self.perform(frame, step, address, ended.take())?;
            let passes = done.passes || step.continue_on_error;
            let mut result = StepResult {
                status: StepStatus::Success,
                attempts: self.attempts_so_far(address),
                head: self.surroundings.head(),
                captures: done.captures,
                detail: done.detail,
                report: done.report,
                ..StepResult::skipped(step.kind())
            };
            let Some(failure) = result.report.failure.clone() else {
                result.goes_on = true;
                return self.finish(frame, step, address, result, true);
            };
            match self.handle(frame, step, address, &result.report, &failure)? {
                Handled::Again => continue,
                Handled::Back(index) => return Ok(Next::Back(index)),
                Handled::Repaired { output, stands_in } => {
                    result.status = StepStatus::Recovered;
                    result.goes_on = true;
                    if stands_in {
                        self.stand_in(step, &mut result, &output);
                    }
                    result.handler = Some(output);
                }
                Handled::Passed { output } => {
                    result.status = StepStatus::Failed;
                    result.goes_on = true;
                    result.handler = output;
                }
                Handled::Outward { output } => {
                    result.status = StepStatus::Failed;
                    result.goes_on = passes;
                    result.handler = output;
                }
            }
            return self.finish(frame, step, address, result, true);
        }
    }

    /// `strategy: fallback`: the handler's output is the step's from now on.
    fn stand_in(&self, step: &Step, result: &mut StepResult, output: &Stored) {
        result.report.exit_code = Some(0);
        result.report.stdout.bytes = output.shown().len() as u64;
        result.report.stdout.text = output.clone();
        result.report.stdout.cut = false;
        if let Some(name) = &step.capture.name {
            result.captures.retain(|captured| captured.name != *name);
            result.captures.push(crate::session::Captured { name: name.clone(), value: None });
        }
    }

    /// Whether a step that has not begun runs: `when`, then its confirmation.
    fn admit(
        &self,
        frame: &Frame<'a>,
        step: &'a Step,
        address: &Address,
    ) -> Result<Admission, Halt> {
        if self.answer(address) == Some(PersonsAnswer::Done) {
            return Ok(Admission::Skipped);
        }
        if let Some(when) = &step.when {
            match when.is_true(&self.names(frame, address)) {
                Ok(true) => {}
                Ok(false) => return Ok(Admission::Skipped),
                Err(error) => return Ok(Admission::Failed(self.unresolved("when", &error))),
            }
        }
        if step.requires_confirmation {
            let name = self.name_of(frame, step, address).unwrap_or_else(|| step.summary());
            let what = format!("step {address} ({name})");
            if !self.confirm(address, &what)? {
                let message = "the confirmation was refused";
                return Ok(Admission::Failed(self.failure(FailureKind::Interrupted, message)));
            }
        }
        Ok(Admission::Runs)
    }

    /// What its author calls the step; as written where it names what is not known yet.
    pub(super) fn name_of(
        &self,
        frame: &Frame<'a>,
        step: &Step,
        address: &Address,
    ) -> Option<String> {
        let name = step.name.as_ref()?;
        Some(self.render(name, frame, address).unwrap_or_else(|_| name.source().to_owned()))
    }

    /// Asks for a confirmation once; the answer yes is recorded.
    pub(super) fn confirm(&self, address: &Address, what: &str) -> Result<bool, Halt> {
        if self.session.with(|state| state.standing.confirmed(address)) {
            return Ok(true);
        }
        let (yes, by) = if self.options.yes {
            (true, "--yes")
        } else {
            let answer = self.options.person.ask(&format!("Run {what}?"));
            self.heed_signals()?;
            match answer {
                super::Answer::Yes => (true, "terminal"),
                super::Answer::No => (false, "terminal"),
                super::Answer::Nobody => {
                    let message = format!("{what} asks for a confirmation");
                    return Err(self.wait_for_person(address, WaitReason::Confirmation, message));
                }
            }
        };
        let confirmed = EventKind::Confirmed { address: address.clone(), yes, by: by.into() };
        self.commit(confirmed)?;
        self.session.sync_now()?;
        Ok(yes)
    }

    /// What a crash means for a step that it caught running (`on_resume`, DECISIONS A11).
    fn doubt(&self, step: &'a Step, address: &Address) -> Result<Doubt, Halt> {
        match self.answer(address) {
            Some(PersonsAnswer::Done) => return Ok(Doubt::Past),
            Some(PersonsAnswer::Rerun) => return Ok(Doubt::Rerun),
            None => {}
        }
        Ok(match step.on_resume {
            OnResume::Rerun | OnResume::Always => Doubt::Rerun,
            OnResume::Skip => Doubt::Past,
            OnResume::Fail => Doubt::Failed(self.failure(
                FailureKind::Interrupted,
                "it was running when the run before was killed (on_resume: fail)",
            )),
            OnResume::Confirm => {
                let question = format!(
                    "Step {address} was running when the run before was killed. Was it done?"
                );
                let choice = self.options.person.choose(&question, &["done", "rerun"]);
                self.heed_signals()?;
                match choice {
                    Some(choice) => {
                        let answer =
                            if choice == 0 { PersonsAnswer::Done } else { PersonsAnswer::Rerun };
                        self.commit(EventKind::Answered { address: address.clone(), answer })?;
                        if choice == 0 { Doubt::Past } else { Doubt::Rerun }
                    }
                    None => {
                        let message = format!(
                            "step {address} was running when the run before was killed, and only a person can say whether it was done (on_resume: confirm)"
                        );
                        return Err(self.wait_for_person(address, WaitReason::OnResume, message));
                    }
                }
            }
        })
    }

    fn answer(&self, address: &Address) -> Option<PersonsAnswer> {
        self.session.with(|state| state.standing.answer(address))
    }

    fn attempts_so_far(&self, address: &Address) -> u32 {
        self.session.with(|state| state.lifetime.next_attempt(address)) - 1
    }

    /// Records the end of a step; on disk before the next one starts.
    fn finish(
        &self,
        frame: &Frame<'a>,
        step: &'a Step,
        address: &Address,
        mut result: StepResult,
        ran: bool,
    ) -> Result<Next, Halt> {
        let checkpoint = match &step.checkpoint {
            Checkpoint::Implicit => None,
            Checkpoint::Explicit => Some(String::new()),
            Checkpoint::Named(name) => Some(name.clone()),
        };
        let explicit = ran && checkpoint.is_some();
        if ran {
            self.record_artifacts(frame, step, address, &mut result);
        }
        let next = follow(&result, address);
        if let Some(last) = frame.round.as_ref().and_then(|round| round.last.as_ref()) {
            match last.keep(step, address, result) {
                Ok(()) => return Ok(next),
                Err(recorded) => result = recorded,
            }
        }
        let name = match item_number(address) {
            None if !ran => self.secrets().mask(&step.title()),
            _ => String::new(),
        };
        self.commit(EventKind::StepFinished {
            address: address.clone(),
            id: step.id.clone(),
            result: Arc::new(result),
            checkpoint,
            name,
        })?;
        if explicit {
            self.session.sync_now()?;
        } else {
            self.session.sync()?;
        }
        self.session.snapshot(explicit);
        if ran {
            self.keep_files_after(step, address)?;
        }
        Ok(next)
    }
}

/// Whether a step that has not begun may run.
enum Admission {
    Runs,
    Skipped,
    Failed(Failure),
}

/// What a recorded result means for the sequence.
fn follow(result: &StepResult, address: &Address) -> Next {
    if result.goes_on { Next::On } else { Next::Failed(address.clone()) }
}

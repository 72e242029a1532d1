//! The fix of a recovery: steps that put right what made a step fail, before it runs again.

use crate::playbook::model::{Body, Step};
use crate::session::{Address, EventKind};

use super::failure::{FailureScope, ScopeKind};
use super::frame::Frame;
use super::halt::Halt;
use super::run::Run;
use super::sequence::Flow;

/// What a run does before the workflow goes on.
#[derive(Debug, Default)]
pub struct Before<'a> {
    /// The fix of a recovery.
    pub fix: Option<Fix<'a>>,
    /// To be recorded then: what goes back over the steps that run again.
    pub events: Vec<EventKind>,
    /// The text of an edited workflow, to be stored once the edit is recorded.
    pub edited: Option<&'a str>,
}

/// A fix.
#[derive(Debug)]
pub struct Fix<'a> {
    /// The step that failed.
    pub step: Address,
    /// Where the steps of the fix stand: `3.recovery[1]`.
    pub at: Address,
    /// The steps.
    pub steps: &'a [Step],
}

impl<'a> Run<'a> {
    /// Does what comes before: the failed step if its fix failed, too, and nothing else may
    /// run then.
    pub(super) fn prepare(&mut self, before: Before<'a>) -> Result<Option<Address>, Halt> {
        let of_fix = |event: &EventKind| match event {
            EventKind::Answered { address, .. } => address.is_of_recovery(),
            _ => false,
        };
        let (answers, events) = before.events.into_iter().partition(of_fix);
        self.session.commit_together(answers)?;
        if let Some(fix) = &before.fix
            && let Flow::Failed(cause) = self.run_fix(fix)?
        {
            self.warn(&format!("the fix failed at step {cause}: {}", self.told(&cause)));
            return Ok(Some(fix.step.clone()));
        }
        self.session.commit_together(events)?;
        self.session.sync_now()?;
        if let Some(text) = before.edited {
            self.session.replace_workflow(text)?;
        }
        self.count_tries();
        Ok(None)
    }

    /// Runs the steps of a fix, from where the journal says they are. They see `error.*` of
    /// the failure as a handler of the step would.
    fn run_fix(&self, fix: &Fix<'a>) -> Result<Flow, Halt> {
        let report = self.report_of(&fix.step);
        let failure = crate::session::failure_of(&report);
        let scope = FailureScope {
            at: fix.step.clone(),
            sequence: fix.at.clone(),
            kind: ScopeKind::Step,
            cause: fix.step.clone(),
        };
        self.raise_unanswered(&scope, &report, &failure)?;
        let mut frame = self.frame_around(&fix.step).at(fix.at.clone());
        frame.error = Some(fix.step.clone());
        self.sequence(&frame, fix.steps)
    }

    /// The surroundings of the stage or pass that `step` stands in.
    fn frame_around(&self, step: &Address) -> Frame<'a> {
        let passes = self
            .session
            .with(|state| state.header().map(|header| header.passes.clone()).unwrap_or_default());
        let argument = step.pass().and_then(|number| passes.get(number.checked_sub(1)?).cloned());
        let base = match step.pass() {
            Some(number) => Address::root().join(&format!("pass[{number}]")),
            None => Address::root(),
        };
        let mut frame = self.frame(base.clone(), argument);
        let stages = match &self.workflow.body {
            Body::Steps(_) => Vec::new(),
            Body::Stages(stages) => stages.iter().collect(),
            Body::MapReduce(job) => [&job.setup, &job.reduce].into_iter().flatten().collect(),
        };
        if let Some(stage) = stages.into_iter().find(|it| step.is_within(&base.join(&it.name))) {
            frame.stage = Some(&stage.name);
            frame.env.push(&stage.env);
        }
        frame
    }
}

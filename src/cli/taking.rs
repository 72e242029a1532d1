//! A recovery that takes a session up: what a plain resume does not know.

use crate::executor::Fix;
use crate::exit::Failure;
use crate::playbook::model::Workflow;
use crate::playbook::recovery::RecoveryRule;
use crate::recovery::repeated_mark;
use crate::session::{Address, EventKind, RecoveryFinished, RecoveryStarted, SessionState};

use super::refusal::refused_marked;
use super::running::Attempt;

/// A recovery that takes a session up.
pub(super) struct Taking<'a> {
    /// What is recorded of it.
    pub(super) started: RecoveryStarted,
    /// Its rule, with the fix.
    pub(super) rule: RecoveryRule,
    /// Where the fix stands.
    pub(super) fix_at: Option<Address>,
    /// True where no person chose: marked steps are not repeated.
    pub(super) automatic: bool,
    /// Tells how the recovery ended, when the run is over.
    pub(super) ended: &'a dyn Fn(&SessionState) -> Option<RecoveryFinished>,
}

impl<'a> Taking<'a> {
    /// What nobody chose repeats no marked step (DECISIONS A11).
    pub(super) fn refuse_marked(
        &self,
        workflow: &Workflow,
        state: &SessionState,
        events: &[EventKind],
    ) -> Result<(), Failure> {
        let marked = match self.automatic {
            true => repeated_mark(workflow, state, events),
            false => None,
        };
        match (marked, state.header()) {
            (Some(marked), Some(header)) => Err(refused_marked(marked, &header.workflow_id)),
            _ => Ok(()),
        }
    }

    /// As a run knows it; `workflow` holds its rule and no other.
    pub(super) fn attempt(self, workflow: &'a Workflow) -> Attempt<'a> {
        let steps = workflow.recovery.rules.first().map_or(&[][..], |rule| &rule.fix);
        let place = self.fix_at.zip(self.started.step.clone());
        Attempt {
            fix: place.map(|(at, step)| Fix { step, at, steps }),
            started: self.started,
            ended: self.ended,
        }
    }
}

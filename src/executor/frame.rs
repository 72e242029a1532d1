//! What a sequence of steps inherits from where it stands: scope, environment, time limit.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::playbook::model::{Action, Checkpoint, EnvEntry, OnResume, Step};
use crate::process::Stop;
use crate::session::{Address, SessionStatus, StepResult, StepStatus, Stored};

/// The surroundings of a sequence.
#[derive(Clone)]
pub struct Frame<'a> {
    /// The scope: step `i` stands at `base.step(i)`.
    pub base: Address,
    /// The stage, where there are stages.
    pub stage: Option<&'a str>,
    /// `ARG` of this pass.
    pub argument: Option<Stored>,
    /// The loop round it belongs to.
    pub round: Option<Arc<Round>>,
    /// Where the error was raised that this sequence answers (`error.*`).
    pub error: Option<Address>,
    /// The loop (`4`) whose latest score `validation.*` tells.
    pub scored: Option<Address>,
    /// Environment of the stage and of the steps around, outermost first.
    pub env: Vec<&'a [EnvEntry]>,
    /// The innermost time limit around.
    pub deadline: Option<Deadline>,
    /// The wish to stop.
    pub stop: Stop,
    /// How the workflow ended, for `finally`.
    pub status: Option<SessionStatus>,
}

/// One round of a loop.
#[derive(Debug)]
pub struct Round {
    /// `item`.
    pub item: Stored,
    /// `item_id`.
    pub id: String,
    /// `item_index`, from 0.
    pub index: usize,
    /// `item_total`.
    pub total: usize,
    /// The last step of an item of a map, whose end the end of the item tells.
    pub last: Option<LastStep>,
}

/// The last step of an item: a success is kept here instead of being recorded, because the
/// item ends with it and is recorded next. A crash in between repeats the step, as it would
/// have a moment before.
#[derive(Debug)]
pub struct LastStep {
    at: Address,
    result: OnceLock<StepResult>,
}

impl LastStep {
    /// Nothing is known yet of the step at `at`.
    #[must_use]
    pub fn new(at: Address) -> Self {
        Self { at, result: OnceLock::new() }
    }

    /// Keeps the result of `step` at `address`, where nothing but the end of the item follows
    /// from it; else gives it back.
    ///
    /// # Errors
    /// It has to be recorded.
    pub fn keep(
        &self,
        step: &Step,
        address: &Address,
        result: StepResult,
    ) -> Result<(), StepResult> {
        let plain = matches!(step.action, Action::Shell(_) | Action::WriteFile(_))
            && matches!(step.checkpoint, Checkpoint::Implicit)
            && step.on_resume == OnResume::Rerun;
        // Only stdout goes into the result of the item.
        let told = result.report.stderr.bytes == 0;
        if plain && told && *address == self.at && result.status == StepStatus::Success {
            self.result.set(result)
        } else {
            Err(result)
        }
    }

    /// What was kept.
    #[must_use]
    pub fn result(&self) -> Option<&StepResult> {
        self.result.get()
    }
}

/// A time limit of a scope.
#[derive(Debug, Clone)]
pub struct Deadline {
    /// In active time of this process.
    pub at: Duration,
    /// Whose limit it is.
    pub owner: Address,
    /// The limit as configured.
    pub limit: Duration,
}

impl<'a> Frame<'a> {
    /// What `owner` waited for is not part of its own limit.
    pub fn postpone(&mut self, owner: &Address, waited: Duration) {
        if let Some(deadline) = self.deadline.as_mut().filter(|it| it.owner == *owner) {
            deadline.at += waited;
        }
    }

    /// The same surroundings for the sequence at `base`.
    #[must_use]
    pub fn at(&self, base: Address) -> Frame<'a> {
        Frame { base, ..self.clone() }
    }

    /// With a limit of `limit` from now for everything at or below `owner`, if that is sooner.
    #[must_use]
    pub fn within(mut self, limit: Option<Duration>, owner: &Address) -> Frame<'a> {
        if let Some(limit) = limit {
            let at = self.stop.active() + limit;
            if self.deadline.as_ref().is_none_or(|deadline| at < deadline.at) {
                self.deadline = Some(Deadline { at, owner: owner.clone(), limit });
            }
        }
        self
    }
}

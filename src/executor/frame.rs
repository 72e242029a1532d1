//! What a sequence of steps inherits from where it stands: scope, environment, time limit.

use std::sync::Arc;
use std::time::Duration;

use crate::playbook::model::EnvEntry;
use crate::process::Stop;
use crate::session::{Address, SessionStatus, Stored};

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

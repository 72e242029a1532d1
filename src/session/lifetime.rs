//! What a rewind never forgets: attempts, costs, active time, rewind counts, versions
//! (SPEC 1 "rewind", DECISIONS A2).

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Utc};

use super::address::Address;
use super::event::{Event, EventKind, RewindCause, RunStarted, SessionStatus};
use super::ids::SessionId;
use super::outcome::AgentReport;

/// Everything that only grows.
#[derive(Debug, Clone, Default)]
pub struct Lifetime {
    attempts: HashMap<Address, u32>,
    /// Steps whose agent was announced and has neither been started nor given up.
    announced: HashSet<Address>,
    rewinds: BTreeMap<(Address, RewindCause), u32>,
    /// Restore points, oldest first; version N stands at index N-1.
    pub versions: Vec<Version>,
    /// The processes that have run the session.
    pub runs: Vec<RunStarted>,
    /// How each handler fared, in order.
    pub handler_history: Vec<HandlerExecution>,
    /// Dollars spent by agents, as far as known.
    pub cost_usd: f64,
    /// Agent calls whose cost was told.
    pub known_costs: u64,
    /// The dearest of them, in dollars.
    pub largest_cost: f64,
    /// Tokens of agents.
    pub tokens: u64,
    /// Agent calls started; one that was announced and never started does not count.
    pub agent_calls: u64,
    /// Active time of earlier runs, in milliseconds.
    pub active_ms: u64,
    /// Failed runs so far (numbers the failure records).
    pub failures: u32,
    /// The session that took this one's place.
    pub superseded_by: Option<SessionId>,
}

/// A restore point: the state after event `seq`.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// Counted from 1; never used twice.
    pub version: u32,
    /// The event.
    pub seq: u64,
    /// The step or stage that ended there.
    pub address: Address,
    /// The name of an explicit checkpoint.
    pub name: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
}

/// One run of one handler.
#[derive(Debug, Clone, PartialEq)]
pub struct HandlerExecution {
    /// Where.
    pub address: Address,
    /// Its id, or its number in the chain.
    pub handler_id: String,
    /// When it ended.
    pub executed_at: DateTime<Utc>,
    /// Whether it succeeded.
    pub success: bool,
    /// Why not.
    pub error: Option<String>,
    /// Which run of it.
    pub attempt: u32,
}

impl Lifetime {
    /// The number the next attempt at `address` gets.
    #[must_use]
    pub fn next_attempt(&self, address: &Address) -> u32 {
        self.attempts.get(address).copied().unwrap_or(0) + 1
    }

    /// How often `address` was the reason to go back for `cause`, since a person last intervened.
    #[must_use]
    pub fn rewinds(&self, address: &Address, cause: RewindCause) -> u32 {
        self.rewinds.get(&(address.clone(), cause)).copied().unwrap_or(0)
    }

    /// The present run, counted from 1.
    #[must_use]
    pub fn run(&self) -> u32 {
        self.runs.last().map_or(0, |run| run.run)
    }

    /// The latest restore point.
    #[must_use]
    pub fn latest_version(&self) -> Option<&Version> {
        self.versions.last()
    }

    /// The restore point called `vN`, `N` or by an explicit name (the latest of that name).
    #[must_use]
    pub fn find_version(&self, name: &str) -> Option<&Version> {
        let number = name.strip_prefix('v').unwrap_or(name).parse::<usize>().ok();
        match number {
            Some(number) => self.versions.get(number.checked_sub(1)?),
            None => {
                self.versions.iter().rev().find(|version| version.name.as_deref() == Some(name))
            }
        }
    }

    /// Agent calls whose cost nobody told.
    #[must_use]
    pub fn unknown_costs(&self) -> u64 {
        self.agent_calls.saturating_sub(self.known_costs)
    }

    pub(super) fn apply(&mut self, event: &Event) {
        match &event.kind {
            EventKind::RunStarted(run) => self.runs.push((**run).clone()),
            EventKind::StepStarted { address, attempt, agent_session, .. } => {
                self.attempts.insert(address.clone(), *attempt);
                if agent_session.is_some() {
                    self.agent_calls += 1;
                    self.announced.insert(address.clone());
                }
            }
            EventKind::StepSpawned { address, .. } => {
                self.announced.remove(address);
            }
            EventKind::AgentEnded { agent, .. } => self.count_agent(agent),
            EventKind::AttemptFinished { address, .. } => self.give_up(address),
            EventKind::StepFinished { address, checkpoint, .. } => {
                self.give_up(address);
                if address.is_top_level() || checkpoint.is_some() {
                    let name = checkpoint.clone().filter(|name| !name.is_empty());
                    self.add_version(event, address, name);
                }
            }
            EventKind::ScopeFinished { address, .. } => {
                self.add_version(event, address, Some(address.to_string()));
            }
            EventKind::Rewound { .. } => self.count_rewind(&event.kind),
            EventKind::HandlerFinished { address, id, success, error, attempt, .. } => {
                self.handler_history.push(HandlerExecution {
                    address: address.clone(),
                    handler_id: id.clone(),
                    executed_at: event.at,
                    success: *success,
                    error: error.clone(),
                    attempt: *attempt,
                });
            }
            EventKind::HandlerSkipped { address, id, reason, failed: true } => {
                self.handler_history.push(HandlerExecution {
                    address: address.clone(),
                    handler_id: id.clone(),
                    executed_at: event.at,
                    success: false,
                    error: Some(reason.clone()),
                    attempt: 0,
                });
            }
            EventKind::RunFinished { status, active_ms, .. } => {
                self.active_ms += active_ms;
                if *status == SessionStatus::Failed {
                    self.failures += 1;
                }
            }
            EventKind::Superseded { by } => self.superseded_by = Some(by.clone()),
            _ => {}
        }
    }

    fn add_version(&mut self, event: &Event, address: &Address, name: Option<String>) {
        let version = u32::try_from(self.versions.len()).unwrap_or(u32::MAX).saturating_add(1);
        self.versions.push(Version {
            version,
            seq: event.seq,
            address: address.clone(),
            name,
            at: event.at,
        });
    }

    /// An announced agent that was never started is no call.
    fn give_up(&mut self, address: &Address) {
        if self.announced.remove(address) {
            self.agent_calls -= 1;
        }
    }

    fn count_agent(&mut self, agent: &AgentReport) {
        if let Some(cost) = agent.cost_usd {
            self.cost_usd += cost;
            self.known_costs += 1;
            self.largest_cost = self.largest_cost.max(cost);
        }
        self.tokens += agent.tokens.unwrap_or(0);
    }

    /// A rewind counts for the address that asked for it. What a person starts anew gets
    /// fresh counts; re-runs also do when their whole stage or sequence runs again.
    fn count_rewind(&mut self, rewound: &EventKind) {
        let EventKind::Rewound { scope, from, cause, by, .. } = rewound else { return };
        let fresh = |counted: RewindCause| match cause {
            RewindCause::Rerun => false,
            RewindCause::Retry | RewindCause::PartialResume => counted == RewindCause::Rerun,
            _ => true,
        };
        self.rewinds.retain(|(address, counted), _| {
            let covered = address.is_within(scope)
                && from
                    .is_none_or(|from| address.index_in(scope).is_none_or(|index| index >= from));
            !(covered && fresh(*counted))
        });
        let asked = by.as_ref().unwrap_or(scope).clone();
        *self.rewinds.entry((asked, *cause)).or_default() += 1;
    }
}

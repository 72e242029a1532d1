//! What a rewind never forgets: attempts, costs, active time, rewind counts, versions
//! (SPEC 1 "rewind", DECISIONS A2).

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, Utc};

use super::active::ActiveTime;
use super::address::Address;
use super::event::{Event, EventKind, Reach, RewindCause};
use super::files::RollbackStarted;
use super::ids::{RecoveryId, SessionId};
use super::items::{DeadItem, Disposition, ItemStatus, item_address, item_number};
use super::log_names::{LogName, LogNames};
use super::outcome::AgentReport;
use super::run::RunStarted;
use super::status::SessionStatus;
use super::tree::range_within;
use super::version::{Good, Version};

/// Everything that only grows.
#[derive(Debug, Clone, Default)]
pub struct Lifetime {
    attempts: BTreeMap<Address, u32>,
    /// Where the logs of attempts before an edit are.
    logs: LogNames,
    /// Items that had ended and were sent back: their first attempts were forgotten.
    items_again: HashSet<u32>,
    /// Steps whose agent was announced and has neither been started nor given up.
    announced: HashSet<Address>,
    rewinds: BTreeMap<Address, BTreeMap<RewindCause, u32>>,
    /// How often everything in a scope was gone back over, whatever for.
    passes: BTreeMap<Address, u32>,
    /// Restore points, oldest first; version N stands at index N-1.
    pub versions: Vec<Version>,
    /// The state before the first step, as version 0; absent before the first run.
    pub beginning: Option<Version>,
    /// The latest rollback, done or under way.
    pub rollback: Option<Box<RollbackStarted>>,
    /// True when nothing has run since that rollback.
    pub rests_on_rollback: bool,
    /// The tree of the files as that rollback left them; absent where it restored none.
    pub restored: Option<String>,
    /// Going back as a whole: the event that did it, and the one it went to.
    pub(super) returns: Vec<(u64, u64)>,
    /// HEAD as it was recorded last, in a git repository.
    pub head: Option<String>,
    /// True when something may have changed files since the latest version.
    pub(super) has_moved_on: bool,
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
    /// Tokens of agents, as far as known.
    pub tokens: u64,
    /// Agent calls whose tokens were told.
    pub known_tokens: u64,
    /// The most that one of them used.
    pub largest_tokens: u64,
    /// Agent calls started; one that was announced and never started does not count.
    pub agent_calls: u64,
    /// How long its runs were active.
    pub active: ActiveTime,
    /// Failed runs so far (numbers the failure records).
    pub failures: u32,
    /// The recoveries of each step and their attempts, over all its failures.
    recoveries: BTreeMap<Address, Vec<(RecoveryId, u32)>>,
    /// How the recoveries that are over ended.
    recovered: BTreeMap<RecoveryId, bool>,
    /// The job of the map.
    pub job: Option<String>,
    /// Its work items.
    pub items: u32,
    /// CRC-32 of the file that holds them, where it was recorded.
    pub items_crc: Option<u32>,
    /// The event after which that file held them.
    pub(super) items_since: u64,
    /// The event of the latest item that ended; 0 before the first.
    pub last_item_seq: u64,
    /// Items that ever failed for good, by number.
    pub dead: BTreeMap<u32, DeadItem>,
    /// A restore point after every so many items.
    checkpoint_frequency: Option<u32>,
    /// Items that ended since the last of those.
    ended_items: u32,
    /// Accepted edits of the workflow: the event, and which step stands where now.
    edits: Vec<(u64, Vec<(Address, Address)>)>,
    /// The session that this one was forked from, and the version it was at.
    pub forked_from: Option<(SessionId, Option<u32>)>,
    /// The session that took this one's place.
    pub superseded_by: Option<SessionId>,
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
        let forgotten = || {
            let item = item_number(address);
            u32::from(item.is_some_and(|item| self.items_again.contains(&item)))
        };
        self.attempts.get(address).copied().unwrap_or_else(forgotten) + 1
    }

    /// The log of an attempt of the step that stands at `address` now.
    #[must_use]
    pub fn log_name(&self, address: &Address, attempt: u32) -> LogName {
        self.logs.of(address, attempt)
    }

    /// The number of the run of a step, stage or handler that follows the present one.
    #[must_use]
    pub fn following_run(&self, address: &Address) -> u32 {
        match self.attempts.get(address) {
            Some(attempts) => attempts + 1,
            None => self.passes.get(address).copied().unwrap_or(0) + 2,
        }
    }

    /// How often `address` was the reason to go back for `cause`, since a person last intervened.
    #[must_use]
    pub fn rewinds(&self, address: &Address, cause: RewindCause) -> u32 {
        self.rewinds.get(address).and_then(|counts| counts.get(&cause)).copied().unwrap_or(0)
    }

    /// How many recoveries went after failures of the step at `address`.
    #[must_use]
    pub fn recoveries(&self, address: &Address) -> u32 {
        let known = self.recoveries.get(address).map(Vec::as_slice).unwrap_or_default();
        let ids: HashSet<&RecoveryId> = known.iter().map(|(id, _)| id).collect();
        u32::try_from(ids.len()).unwrap_or(u32::MAX)
    }

    /// The number, from 1, that an attempt of a recovery has or gets among all those of the step
    /// at `address`.
    #[must_use]
    pub fn recovery_number(&self, address: &Address, id: &RecoveryId, attempt: u32) -> u32 {
        let known = self.recoveries.get(address).map(Vec::as_slice).unwrap_or_default();
        let same = |(known, number): &(RecoveryId, u32)| known == id && *number == attempt;
        let index = known.iter().position(same).unwrap_or(known.len());
        u32::try_from(index + 1).unwrap_or(u32::MAX)
    }

    /// Whether a recovery did what it was for, once it is over.
    #[must_use]
    pub fn recovered(&self, id: &RecoveryId) -> Option<bool> {
        self.recovered.get(id).copied()
    }

    /// Everywhere an attempt was ever started at or below `scope`, also where a rewind has
    /// forgotten it since.
    pub fn ever_started<'a>(&'a self, scope: &'a Address) -> impl Iterator<Item = &'a Address> {
        range_within(&self.attempts, scope).map(|(address, _)| address)
    }

    /// The present run, counted from 1.
    #[must_use]
    pub fn run(&self) -> u32 {
        self.runs.last().map_or(0, |run| run.run)
    }

    /// Where the steps of the workflow as it was after event `seq` stand now, one edit after
    /// the other.
    pub(super) fn edits_after(&self, seq: u64) -> impl Iterator<Item = &[(Address, Address)]> {
        self.edits.iter().filter(move |(at, _)| *at > seq).map(|(_, kept)| kept.as_slice())
    }

    /// Agent calls whose cost nobody told.
    #[must_use]
    pub fn unknown_costs(&self) -> u64 {
        self.agent_calls.saturating_sub(self.known_costs)
    }

    /// Agent calls whose tokens nobody told.
    #[must_use]
    pub fn unknown_tokens(&self) -> u64 {
        self.agent_calls.saturating_sub(self.known_tokens)
    }

    pub(super) fn apply(&mut self, event: &Event) {
        self.active.apply(event);
        match &event.kind {
            EventKind::RunStarted(run) => {
                self.rests_on_rollback = false;
                if run.head.is_some() {
                    self.head.clone_from(&run.head);
                }
                self.runs.push((**run).clone());
                if self.beginning.is_none() {
                    self.beginning = Some(self.version(0, event, &Address::root(), None));
                }
            }
            EventKind::FilesKept(files) => self.keep(files),
            EventKind::CheckpointMade { address, name } => {
                self.add_version(event, address, name.clone(), Good::No);
            }
            EventKind::StepStarted { address, attempt, agent_session, .. } => {
                self.has_moved_on = true;
                self.attempts.insert(address.clone(), *attempt);
                if agent_session.is_some() {
                    self.agent_calls += 1;
                    self.announced.insert(address.clone());
                }
            }
            EventKind::StepSpawned { address, .. } => {
                self.announced.remove(address);
            }
            EventKind::AgentEnded { address, agent, .. } => {
                self.announced.remove(address);
                self.count_agent(agent);
            }
            EventKind::AttemptFinished { address, .. } => self.give_up(address),
            EventKind::StepFinished { address, checkpoint, result, .. } => {
                self.give_up(address);
                if result.head.is_some() {
                    self.head.clone_from(&result.head);
                }
                if address.is_top_level() || checkpoint.is_some() {
                    let name = checkpoint.clone().filter(|name| !name.is_empty());
                    let good = Good::of(result.goes_on, result.status);
                    self.add_version(event, address, name, good);
                }
            }
            EventKind::ScopeFinished { address, status, goes_on, checkpoint } => {
                let good = Good::of(*goes_on, *status);
                let name = checkpoint.clone().unwrap_or_else(|| address.to_string());
                self.add_version(event, address, Some(name), good);
            }
            EventKind::RollbackStarted(rollback) => {
                self.rollback = Some(rollback.clone());
                self.restored = None;
            }
            EventKind::FilesRestored { tree } => self.restored = Some(tree.clone()),
            EventKind::Rewound { to_seq, cause, .. } => {
                self.rests_on_rollback = *cause == RewindCause::Rollback;
                self.returns.extend(to_seq.map(|to_seq| (event.seq, to_seq)));
                // Where the session is now is not where the latest version was.
                self.has_moved_on = true;
                self.count_rewind(&event.kind);
            }
            EventKind::HandlerStarted { address, attempt, .. } => {
                self.attempts.insert(address.clone(), *attempt);
            }
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
            EventKind::RunFinished { status: SessionStatus::Failed, .. } => self.failures += 1,
            EventKind::JobStarted { job, items, checkpoint_frequency, items_crc } => {
                self.items_crc = *items_crc;
                self.items_since = event.seq;
                self.job = Some(job.clone());
                self.items = *items;
                self.checkpoint_frequency = *checkpoint_frequency;
            }
            EventKind::ItemFinished { item, status, .. } => {
                self.last_item_seq = event.seq;
                self.item_ended(event, *item, *status);
            }
            EventKind::ItemFailed { item, failure } => {
                let dead = self.dead.entry(*item).or_default();
                dead.history.push((event.at, (**failure).clone()));
                dead.waits = failure.disposition == Disposition::Dlq;
            }
            EventKind::DlqCleared { items } => {
                for item in items {
                    if let Some(dead) = self.dead.get_mut(item) {
                        dead.waits = false;
                    }
                }
            }
            EventKind::WorkflowChanged { kept, edited, .. } => {
                self.edits.push((event.seq, kept.clone()));
                self.follow_edit(kept, edited);
            }
            EventKind::Forked { from, version, .. } => {
                self.forked_from = Some((from.clone(), *version));
                // The working tree is as it is now, not as it was then.
                self.has_moved_on = true;
            }
            EventKind::RecoveryStarted(started) => {
                let step = started.step.clone().unwrap_or_default();
                let known = self.recoveries.entry(step).or_default();
                let attempt = (started.recovery.clone(), started.attempt);
                if !known.contains(&attempt) {
                    known.push(attempt);
                }
            }
            EventKind::RecoveryFinished(finished) => {
                self.recovered.insert(finished.recovery.clone(), finished.success);
            }
            EventKind::Superseded { by } => self.superseded_by = Some(by.clone()),
            _ => {}
        }
    }

    /// What only running items need is forgotten; every so many items are a restore point.
    fn item_ended(&mut self, event: &Event, item: u32, status: ItemStatus) {
        if status == ItemStatus::Success {
            if let Some(dead) = self.dead.get_mut(&item) {
                dead.waits = false;
            } else {
                forget_first_attempts(&mut self.attempts, &item_address(item));
            }
        }
        self.ended_items += 1;
        if self.checkpoint_frequency.is_some_and(|every| self.ended_items >= every) {
            self.ended_items = 0;
            let good = if status == ItemStatus::Success { Good::Yes } else { Good::No };
            self.add_version(event, &item_address(item), None, good);
        }
    }

    /// What is counted for a step goes where it stands now. Of a step that is gone nothing stays:
    /// another one at its address begins anew.
    fn follow_edit(&mut self, kept: &[(Address, Address)], edited: &[(Address, Address)]) {
        let moved = |address: &Address| edited_address(address, kept, edited);
        self.logs.edited(&self.attempts, moved);
        self.attempts = rekeyed(std::mem::take(&mut self.attempts), moved);
        self.rewinds = rekeyed(std::mem::take(&mut self.rewinds), moved);
        self.passes = rekeyed(std::mem::take(&mut self.passes), moved);
        self.recoveries = rekeyed(std::mem::take(&mut self.recoveries), moved);
    }

    /// Items that had ended run again.
    pub(super) fn note_items_again(&mut self, items: impl Iterator<Item = u32>) {
        self.items_again.extend(items);
    }

    /// Items that run again, or are gone from the job, do not wait in the dead letter queue.
    pub(super) fn take_from_dlq(&mut self, pending: impl Fn(u32) -> bool, scope: Option<u32>) {
        match scope {
            Some(item) => {
                if let Some(dead) = self.dead.get_mut(&item) {
                    dead.waits = dead.waits && !pending(item);
                }
            }
            None => {
                for (item, dead) in &mut self.dead {
                    dead.waits = dead.waits && !pending(*item);
                }
            }
        }
    }

    /// The items that wait in the dead letter queue.
    pub fn waiting_dead(&self) -> impl Iterator<Item = (u32, &DeadItem)> {
        self.dead.iter().filter(|(_, dead)| dead.waits).map(|(item, dead)| (*item, dead))
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
        if let Some(tokens) = agent.tokens {
            self.tokens += tokens;
            self.known_tokens += 1;
            self.largest_tokens = self.largest_tokens.max(tokens);
        }
    }

    /// A rewind counts once for the address that asked for it. What a person starts anew gets
    /// fresh counts; re-runs and retries inside of what runs again as a whole do, too.
    fn count_rewind(&mut self, rewound: &EventKind) {
        let EventKind::Rewound { scope, from, reach, cause, by, .. } = rewound else { return };
        if from.is_none() && *reach == Reach::Subtree {
            *self.passes.entry(scope.clone()).or_default() += 1;
        }
        let fresh = |address: &Address, counted: RewindCause| match cause {
            RewindCause::Rerun | RewindCause::Retry | RewindCause::PartialResume => {
                address != scope && matches!(counted, RewindCause::Rerun | RewindCause::Retry)
            }
            _ => true,
        };
        let covered: Vec<Address> = range_within(&self.rewinds, scope)
            .map(|(address, _)| address)
            .filter(|address| {
                from.is_none_or(|from| address.index_in(scope).is_none_or(|index| index >= from))
            })
            .cloned()
            .collect();
        for address in covered {
            if let Some(counts) = self.rewinds.get_mut(&address) {
                counts.retain(|counted, _| !fresh(&address, *counted));
                if counts.is_empty() {
                    self.rewinds.remove(&address);
                }
            }
        }
        let asked = by.as_ref().unwrap_or(scope).clone();
        if asked != *scope && scope.is_within(&asked) {
            return; // It comes before the rewind of what asked, which is the one that counts.
        }
        *self.rewinds.entry(asked).or_default().entry(*cause).or_default() += 1;
    }
}

/// Where the step at `address` stands after an edit, with what is kept and what was edited, old →
/// new; none for a step that is gone.
#[must_use]
pub(super) fn edited_address(
    address: &Address,
    kept: &[(Address, Address)],
    edited: &[(Address, Address)],
) -> Option<Address> {
    let mut pairs = kept.iter().chain(edited);
    match pairs.find(|(old, _)| address.is_within(old)) {
        Some((old, new)) => Some(address.moved(old, new)),
        // Items that are not in progress, stages, `finally` and the like.
        None if item_number(address).is_some() || !address.is_in_sequence() => {
            Some(address.clone())
        }
        None => None,
    }
}

fn rekeyed<T>(
    map: BTreeMap<Address, T>,
    moved: impl Fn(&Address) -> Option<Address>,
) -> BTreeMap<Address, T> {
    map.into_iter().filter_map(|(address, value)| Some((moved(&address)?, value))).collect()
}

/// An item that succeeded leaves no numbers behind where it had only first attempts.
fn forget_first_attempts(attempts: &mut BTreeMap<Address, u32>, scope: &Address) {
    let once: Vec<Address> = range_within(attempts, scope)
        .filter(|(_, attempts)| **attempts <= 1)
        .map(|(address, _)| address.clone())
        .collect();
    for address in once {
        attempts.remove(&address);
    }
}

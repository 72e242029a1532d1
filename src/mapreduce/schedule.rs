//! Which item is next: the state of a map over its frozen items (SPEC 7.4).
//!
//! Items are named by their position in the frozen list, from 0. The same calls, made
//! while the journal is replayed and while the map runs, lead to the same state. A
//! finished item costs four bits; a call costs the same for ten items and for a million.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

use chrono::{DateTime, Utc};

use super::bits::Bits;

/// The state of all items of a map.
#[derive(Debug, Clone)]
pub struct Schedule {
    total: u32,
    max_parallel: NonZeroU32,
    /// Items that are not fresh any more: started at least once, or ended.
    taken: Bits,
    /// Items that ended for good, in whichever way.
    ended: Bits,
    /// Of those, the ones in the dead letter queue.
    dead: Bits,
    /// Of those, the ones that were passed over.
    skipped: Bits,
    /// No fresh item stands before this one.
    fresh: u32,
    running: BTreeSet<u32>,
    /// Items that have to run (again) as soon as there is room.
    again: BTreeSet<u32>,
    /// Items that wait for the delay before their next attempt.
    delayed: BTreeSet<(DateTime<Utc>, u32)>,
    /// The same by item.
    due: BTreeMap<u32, DateTime<Utc>>,
    unsynced: u32,
    held_until: Option<DateTime<Utc>>,
    stopped: bool,
}

/// How an item ended for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ItemEnd {
    /// Its steps succeeded.
    Succeeded,
    /// It failed and lies in the dead letter queue.
    Dead,
    /// It failed and was passed over (`on_item_failure: skip`).
    Skipped,
}

/// Where an item stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ItemState {
    /// It has to run.
    Pending,
    /// It runs.
    Running,
    /// It waits for the delay before its next attempt.
    Delayed,
    /// It ended for good.
    Ended(ItemEnd),
}

/// What the map does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Start this item; then say so with [`Schedule::start`].
    Start(u32),
    /// Nothing before one of the running items ends.
    WaitForItem,
    /// Nothing before finishes are on disk: as many as may run at a time are not
    /// (DECISIONS A16). Sync, then say so with [`Schedule::synced`].
    WaitForDisk,
    /// Nothing before this time (a running item may end earlier).
    WaitUntil(DateTime<Utc>),
    /// It was stopped, and all that had begun is over.
    Stopped,
    /// Every item has ended.
    Finished,
}

/// How many items stand where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// All.
    pub total: u32,
    /// Running.
    pub running: u32,
    /// To be run, also those that wait for a delay.
    pub pending: u32,
    /// Succeeded.
    pub succeeded: u32,
    /// In the dead letter queue.
    pub dead: u32,
    /// Failed and passed over.
    pub skipped: u32,
}

impl Schedule {
    /// `total` items of which at most `max_parallel` run at a time.
    #[must_use]
    pub fn new(total: u32, max_parallel: NonZeroU32) -> Self {
        Self {
            total,
            max_parallel,
            taken: Bits::new(total),
            ended: Bits::new(total),
            dead: Bits::new(total),
            skipped: Bits::new(total),
            fresh: 0,
            running: BTreeSet::new(),
            again: BTreeSet::new(),
            delayed: BTreeSet::new(),
            due: BTreeMap::new(),
            unsynced: 0,
            held_until: None,
            stopped: false,
        }
    }

    /// What to do at `now`. Items whose delay is over come first, then those that have to
    /// run again, then fresh ones, each in the order of the list.
    #[must_use]
    pub fn next(&self, now: DateTime<Utc>) -> Next {
        if self.ended.count() == self.total {
            return Next::Finished;
        }
        let running = self.running_count();
        if self.stopped && self.again.is_empty() {
            return if running > 0 { Next::WaitForItem } else { Next::Stopped };
        }
        if running >= self.max_parallel.get() {
            return Next::WaitForItem;
        }
        if self.unsynced >= self.max_parallel.get() {
            return Next::WaitForDisk;
        }
        if let Some(until) = self.held_until.filter(|until| *until > now) {
            return Next::WaitUntil(until);
        }
        if let Some(position) = self.again.first().filter(|_| self.stopped) {
            return Next::Start(*position);
        }
        let delayed = self.delayed.first().copied();
        if let Some((due, position)) = delayed
            && due <= now
        {
            return Next::Start(position);
        }
        let fresh = self.taken.first_clear(self.fresh);
        match (self.again.first(), delayed) {
            (Some(position), _) => Next::Start(*position),
            (None, _) if fresh < self.total => Next::Start(fresh),
            (None, Some((due, _))) => Next::WaitUntil(due),
            (None, None) => Next::WaitForItem,
        }
    }

    /// An attempt of the item starts. An item that had ended starts once more only after
    /// [`Self::requeue`]; without it nothing changes.
    pub fn start(&mut self, position: u32) {
        if position < self.total && !self.ended.contains(position) {
            self.leave(position);
            self.taken.insert(position);
            self.fresh = self.taken.first_clear(self.fresh);
            self.running.insert(position);
        }
    }

    /// The item ended for good; its finish is written but not yet synced. A second end of
    /// the same item changes nothing: a result counts exactly once.
    pub fn end(&mut self, position: u32, end: ItemEnd) {
        if position >= self.total || self.ended.contains(position) {
            return;
        }
        self.leave(position);
        self.taken.insert(position);
        self.ended.insert(position);
        match end {
            ItemEnd::Succeeded => {}
            ItemEnd::Dead => _ = self.dead.insert(position),
            ItemEnd::Skipped => _ = self.skipped.insert(position),
        }
        self.unsynced += 1;
    }

    /// An attempt failed and the next one may start at `due`.
    pub fn delay(&mut self, position: u32, due: DateTime<Utc>) {
        if self.leave(position) {
            self.delayed.insert((due, position));
            self.due.insert(position, due);
        }
    }

    /// The item was stopped before its attempt came to an end (an interrupt, a provider
    /// limit): it has to run again, and the attempt does not count.
    pub fn give_back(&mut self, position: u32) {
        if self.running.remove(&position) {
            self.again.insert(position);
        }
    }

    /// A new run begins after a crash or stop: what was running has to run again, what is
    /// recorded is on disk, and nothing is stopped or held any more.
    pub fn begin_run(&mut self) {
        self.again.append(&mut self.running);
        self.unsynced = 0;
        self.held_until = None;
        self.stopped = false;
    }

    /// An ended item has to run again: retried from the dead letter queue, or rewound by a person.
    pub fn requeue(&mut self, position: u32) {
        if self.ended.remove(position) {
            self.dead.remove(position);
            self.skipped.remove(position);
            self.again.insert(position);
        }
    }

    /// All finishes so far are on disk but for the latest `left`.
    pub fn synced(&mut self, left: u32) {
        self.unsynced = self.unsynced.min(left);
    }

    /// Nothing starts before `until` (a provider limit, an open circuit breaker); of
    /// several the latest holds.
    pub fn hold(&mut self, until: DateTime<Utc>) {
        self.held_until = self.held_until.max(Some(until));
    }

    /// Nothing is begun any more in this run; what has begun may end, also what a crash caught
    /// in the middle and what was given back.
    pub fn stop(&mut self) {
        self.stopped = true;
    }

    /// The item failed, and that stops the map: it is begun anew in a later run.
    pub fn stop_at(&mut self, position: u32) {
        self.leave(position);
        self.stop();
    }

    /// Where an item stands; `None` for a position that is not in the list.
    #[must_use]
    pub fn state(&self, position: u32) -> Option<ItemState> {
        if position >= self.total {
            return None;
        }
        Some(if self.ended.contains(position) {
            ItemState::Ended(if self.dead.contains(position) {
                ItemEnd::Dead
            } else if self.skipped.contains(position) {
                ItemEnd::Skipped
            } else {
                ItemEnd::Succeeded
            })
        } else if self.running.contains(&position) {
            ItemState::Running
        } else if self.due.contains_key(&position) {
            ItemState::Delayed
        } else {
            ItemState::Pending
        })
    }

    /// How many items stand where.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let (ended, dead, skipped) = (self.ended.count(), self.dead.count(), self.skipped.count());
        let running = self.running_count();
        Counts {
            total: self.total,
            running,
            pending: self.total - ended - running,
            succeeded: ended - dead - skipped,
            dead,
            skipped,
        }
    }

    /// The items that run, in the order of the list.
    pub fn running(&self) -> impl Iterator<Item = u32> {
        self.running.iter().copied()
    }

    /// The items in the dead letter queue, in the order of the list.
    pub fn dead(&self) -> impl Iterator<Item = u32> {
        self.dead.iter()
    }

    fn running_count(&self) -> u32 {
        u32::try_from(self.running.len()).unwrap_or(u32::MAX)
    }

    /// Takes an item out of where it waits or runs; false when it did neither.
    fn leave(&mut self, position: u32) -> bool {
        if self.running.remove(&position) || self.again.remove(&position) {
            return true;
        }
        let due = self.due.remove(&position);
        due.is_some_and(|due| self.delayed.remove(&(due, position)))
    }
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;

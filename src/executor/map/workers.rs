//! The workers of a map: they take items until none is left, and bring what has ended to the disk.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::executor::frame::Frame;
use crate::executor::halt::Halt;
use crate::executor::run::Run;
use crate::mapreduce::{Breaker, ItemEnd, Next, Permit, Schedule, Ticket, TicketEnd};
use crate::playbook::mapreduce::{ErrorPolicy, Map, MapReduce};
use crate::playbook::spell_duration;
use crate::session::ItemStatus;
use crate::store::JobFiles;

use super::item::ItemRun;

/// What the workers of a map share.
pub(super) struct Phase<'b, 'a> {
    pub(super) map: &'a Map,
    pub(super) policy: &'a ErrorPolicy,
    pub(super) files: &'b JobFiles,
    schedule: Mutex<Work>,
    changed: Condvar,
    /// A worker has left the tree: no more items are taken.
    halted: AtomicBool,
    /// There are finishes to sync, or there will be no more.
    to_sync: Condvar,
    /// So many items run at a time.
    parallel: NonZeroU32,
    /// So many finishes are worth a sync.
    batch: u32,
}

/// What is decided under one lock.
struct Work {
    schedule: Schedule,
    breaker: Option<Breaker>,
    /// The breaker's leave for each item that runs.
    tickets: HashMap<u32, Ticket>,
    /// Items that have ended in this run.
    ended: u64,
    /// Of those, the ones that are on the disk: the first so many.
    synced: u64,
    /// Every worker has ended.
    over: bool,
    /// Workers that wait for a change.
    waiting: u32,
}

/// How long a finish waits at most for others to go to the disk with it.
const GATHER: Duration = Duration::from_millis(5);

/// How long a worker waits at most before it looks whether it has to stop.
const LOOK: Duration = Duration::from_millis(100);

impl<'a> Run<'a> {
    /// Runs the items that have not ended, several at a time.
    pub(super) fn run_items(&self, phase: &Phase<'_, 'a>, frame: &Frame<'a>) -> Result<(), Halt> {
        let most = usize::try_from(phase.parallel.get()).unwrap_or(1);
        let workers = most.min(phase.files.items().count().max(1));
        std::thread::scope(|scope| {
            let syncing = scope.spawn(|| self.keep_synced(phase, frame));
            let running: Vec<_> =
                (0..workers).map(|_| scope.spawn(|| self.work(phase, frame))).collect();
            let mut first = Ok(());
            for worker in running {
                match worker.join() {
                    Ok(Ok(())) => {}
                    Ok(Err(halt)) => first = Err(halt.or_weightier(first.err())),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            phase.work().over = true;
            phase.to_sync.notify_all();
            match syncing.join() {
                Ok(Err(halt)) => Err(halt),
                Ok(Ok(())) => first,
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })?;
        Ok(phase.files.sync()?)
    }

    /// One worker: takes items until none is left.
    fn work(&self, phase: &Phase<'_, 'a>, frame: &Frame<'a>) -> Result<(), Halt> {
        loop {
            let Some(position) = self.take(phase, frame)? else { return Ok(()) };
            let index = usize::try_from(position).unwrap_or(usize::MAX);
            match self.item(phase, frame, index) {
                Ok(run) => self.item_ran(phase, position, &run),
                Err(halt) => {
                    let mut work = phase.work();
                    work.hand_back(position, TicketEnd::Nothing, Utc::now());
                    work.schedule.give_back(position);
                    drop(work);
                    phase.halted.store(true, Ordering::SeqCst);
                    if halt.stops_others() {
                        frame.stop.stop();
                    }
                    phase.changed.notify_all();
                    return Err(halt);
                }
            }
        }
    }

    /// The next item to run; none when the map is over.
    fn take(&self, phase: &Phase<'_, 'a>, frame: &Frame<'a>) -> Result<Option<u32>, Halt> {
        let mut work = phase.work();
        loop {
            self.go_on(frame)?;
            if phase.halted.load(Ordering::SeqCst) {
                return Ok(None);
            }
            let now = Utc::now();
            let wait = match work.next(now) {
                Next::Start(position) => {
                    return Ok(Some(position));
                }
                Next::Finished | Next::Stopped => return Ok(None),
                Next::WaitForItem => LOOK,
                Next::WaitUntil(time) => (time - now).to_std().unwrap_or_default().min(LOOK),
                Next::WaitForDisk => {
                    drop(work);
                    self.sync_items(phase, frame)?;
                    work = phase.work();
                    continue;
                }
            };
            work.waiting += 1;
            work = phase
                .changed
                .wait_timeout(work, wait.max(Duration::from_millis(1)))
                .unwrap_or_else(PoisonError::into_inner)
                .0;
            work.waiting -= 1;
        }
    }

    /// Brings finishes to the disk while the workers go on, until the last of them has ended.
    fn keep_synced(&self, phase: &Phase<'_, 'a>, frame: &Frame<'a>) -> Result<(), Halt> {
        let mut work = phase.work();
        loop {
            let waiting = work.unsynced();
            if waiting == 0 && work.over {
                return Ok(());
            }
            if waiting < phase.batch && !work.over {
                let longest = if waiting == 0 { LOOK } else { GATHER };
                let (again, waited) = phase
                    .to_sync
                    .wait_timeout(work, longest)
                    .unwrap_or_else(PoisonError::into_inner);
                work = again;
                if work.unsynced() == 0 || !waited.timed_out() {
                    continue;
                }
            }
            drop(work);
            self.sync_items(phase, frame)?;
            work = phase.work();
        }
    }

    /// Brings to the disk: long results, and the finishes that hold or refer to results. With
    /// relaxed durability neither.
    fn sync_items(&self, phase: &Phase<'_, 'a>, frame: &Frame<'a>) -> Result<(), Halt> {
        let ended = phase.work().ended;
        if !self.session.is_relaxed() {
            let synced = phase.files.sync().and_then(|()| self.session.sync());
            if let Err(error) = synced {
                phase.work().schedule.stop();
                frame.stop.stop();
                phase.changed.notify_all();
                return Err(error.into());
            }
        }
        let mut work = phase.work();
        work.synced = work.synced.max(ended);
        let left = work.unsynced();
        work.schedule.synced(left);
        if work.waiting > 0 {
            phase.changed.notify_all();
        }
        Ok(())
    }

    fn item_ran(&self, phase: &Phase<'_, 'a>, position: u32, run: &ItemRun) {
        let mut work = phase.work();
        let now = Utc::now();
        let opened = match run {
            ItemRun::Ended(status) => {
                work.ended += 1;
                work.schedule.end(position, end_of(*status));
                // Where a worker cannot go on without the disk, it syncs by itself.
                if work.unsynced() >= phase.batch && work.schedule.next(now) != Next::WaitForDisk {
                    phase.to_sync.notify_all();
                }
                let end = match status {
                    ItemStatus::Success => TicketEnd::Succeeded,
                    ItemStatus::Failed | ItemStatus::Skipped => TicketEnd::Failed,
                };
                let opened = work.hand_back(position, end, now);
                if *status != ItemStatus::Success
                    && phase.policy.stop_reason(&self.tally()).is_some()
                {
                    work.schedule.stop();
                }
                opened
            }
            ItemRun::Again(delay) => {
                let delay = chrono::Duration::from_std(*delay).unwrap_or_default();
                work.schedule.delay(position, now + delay);
                work.hand_back(position, TicketEnd::Failed, now)
            }
            ItemRun::Stops => {
                work.hand_back(position, TicketEnd::Failed, now);
                work.schedule.stop_at(position);
                false
            }
        };
        // A call to the system only where someone waits.
        let waiting = work.waiting > 0;
        let next = work.schedule.next(now);
        let opened = opened && !matches!(next, Next::Finished | Next::Stopped);
        drop(work);
        if let Some(limits) = phase.policy.circuit_breaker.filter(|_| opened) {
            let timeout = spell_duration(limits.timeout);
            self.warn(&format!("items keep failing: none starts for {timeout} (circuit_breaker)"));
        }
        if waiting {
            phase.changed.notify_all();
        }
    }
}

impl<'b, 'a> Phase<'b, 'a> {
    pub(super) fn new(
        job: &'a MapReduce,
        files: &'b JobFiles,
        schedule: Schedule,
        parallel: NonZeroU32,
    ) -> Self {
        Self {
            map: &job.map,
            policy: &job.policy,
            files,
            schedule: Mutex::new(Work {
                schedule,
                breaker: job.policy.circuit_breaker.map(Breaker::new),
                tickets: HashMap::new(),
                ended: 0,
                synced: 0,
                over: false,
                waiting: 0,
            }),
            changed: Condvar::new(),
            halted: AtomicBool::new(false),
            to_sync: Condvar::new(),
            parallel,
            // A sync costs as much as a small item: it waits for company, but not until all wait.
            batch: parallel.get() - parallel.get() / 4,
        }
    }

    /// Every item has ended.
    pub(super) fn is_finished(&self) -> bool {
        matches!(self.work().schedule.next(Utc::now()), Next::Finished)
    }

    fn work(&self) -> MutexGuard<'_, Work> {
        self.schedule.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Work {
    /// What to do at `now`, as far as the circuit breaker lets it; an item to start counts as
    /// started.
    fn next(&mut self, now: DateTime<Utc>) -> Next {
        let next = self.schedule.next(now);
        let Next::Start(position) = next else { return next };
        match self.breaker.as_mut().map(|breaker| breaker.permit(now)) {
            Some(Permit::WaitUntil(time)) => return Next::WaitUntil(time),
            Some(Permit::WaitForProbe) => return Next::WaitForItem,
            Some(Permit::Start(ticket)) => _ = self.tickets.insert(position, ticket),
            None => {}
        }
        self.schedule.start(position);
        next
    }

    /// Finishes that may not be on the disk yet.
    fn unsynced(&self) -> u32 {
        u32::try_from(self.ended - self.synced).unwrap_or(u32::MAX)
    }

    /// The item is not running any more; true when that opened the circuit.
    fn hand_back(&mut self, position: u32, end: TicketEnd, now: DateTime<Utc>) -> bool {
        match (self.breaker.as_mut(), self.tickets.remove(&position)) {
            (Some(breaker), Some(ticket)) => breaker.end(ticket, end, now),
            _ => false,
        }
    }
}

/// How the schedule sees an end.
pub(super) fn end_of(status: ItemStatus) -> ItemEnd {
    match status {
        ItemStatus::Success => ItemEnd::Succeeded,
        ItemStatus::Failed => ItemEnd::Dead,
        ItemStatus::Skipped => ItemEnd::Skipped,
    }
}

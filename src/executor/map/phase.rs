//! The map as a whole: setup, workers that take items, the error policy, reduce, the verdict.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::executor::frame::Frame;
use crate::executor::halt::Halt;
use crate::executor::run::Run;
use crate::executor::sequence::Next as NextStep;
use crate::mapreduce::{
    Breaker, ItemEnd, MapVerdict, Next, Permit, Schedule, StopReason, Tally, Ticket, TicketEnd,
};
use crate::playbook::mapreduce::{ErrorPolicy, Map, MapReduce};
use crate::playbook::spell_duration;
use crate::session::{
    Address, EventKind, FailureKind, ItemStanding, ItemStatus, Report, ResultPlace, ResultRef,
    RewindCause, StepStatus, item_address,
};
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
    /// So many finishes are worth a sync.
    batch: u32,
}

/// What is decided under one lock.
struct Work {
    schedule: Schedule,
    breaker: Option<Breaker>,
    /// The breaker's leave for each item that runs.
    tickets: HashMap<u32, Ticket>,
    /// Finishes that may not be on the disk yet.
    unsynced: u32,
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
    /// Setup, map and reduce: the step whose failure ends the workflow, if any.
    pub(in crate::executor) fn map_reduce(
        &self,
        frame: &Frame<'a>,
        job: &'a MapReduce,
    ) -> Result<Option<Address>, Halt> {
        if let Some(setup) = &job.setup
            && let NextStep::Failed(cause) = self.stage(frame, setup)?
        {
            return Ok(Some(cause));
        }
        let at = Address::root().join("map");
        let ended = self.session.with(|state| state.standing.scope(&at));
        let files = match self.job_files(frame, &job.map)? {
            Ok(files) => files,
            Err(failure) => {
                // A command that was stopped with the run is no failure.
                self.go_on(frame)?;
                return self.map_failed(&at, Report::failed(failure)).map(Some);
            }
        };
        self.rerun_lost(&files)?;
        if ended.is_none()
            && let Some(cause) = self.map_phase(frame, job, &at, &files)?
        {
            return Ok(Some(cause));
        }
        if ended.is_some_and(|ended| !ended.goes_on) {
            return Ok(Some(self.failed_step(&at)));
        }
        let empty = files.items().count() == 0;
        let reduce_at = Address::root().join("reduce");
        if self.session.with(|state| state.standing.scope(&reduce_at)).is_none() {
            self.check_results(&files)?;
        }
        self.map_values.fill(files, &job.map);
        if let Some(reduce) = &job.reduce
            && !empty
            && let NextStep::Failed(cause) = self.stage(frame, reduce)?
        {
            return Ok(Some(cause));
        }
        Ok(self.beyond_policy(&job.policy))
    }

    /// Runs the items that have not ended; the end of the phase is recorded.
    fn map_phase(
        &self,
        frame: &Frame<'a>,
        job: &'a MapReduce,
        at: &Address,
        files: &JobFiles,
    ) -> Result<Option<Address>, Halt> {
        let parallel = match self.resolved_count(&job.map.max_parallel, frame, at) {
            Ok(count) => self.options.max_parallel.unwrap_or(count),
            Err(error) => {
                let report = Report::failed(self.unresolved("max_parallel", &error));
                return self.map_failed(at, report).map(Some);
            }
        };
        let parallel =
            u32::try_from(parallel).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN);
        let phase = Phase {
            map: &job.map,
            policy: &job.policy,
            files,
            schedule: Mutex::new(Work {
                schedule: self.schedule(files, parallel),
                breaker: job.policy.circuit_breaker.map(Breaker::new),
                tickets: HashMap::new(),
                unsynced: 0,
                over: false,
                waiting: 0,
            }),
            changed: Condvar::new(),
            halted: AtomicBool::new(false),
            to_sync: Condvar::new(),
            // A sync costs as much as a small item: it waits for company, but not until all wait.
            batch: parallel.get() - parallel.get() / 4,
        };
        if files.items().count() == 0 {
            self.warn("there are no items: nothing to map, and reduce is left out");
        }
        self.keep_files_before_items(&job.map.template)?;
        let mut inner = frame.at(at.clone());
        inner.stage = Some("map");
        inner.stop = frame.stop.child();
        let workers =
            usize::try_from(parallel.get()).unwrap_or(1).min(files.items().count().max(1));
        std::thread::scope(|scope| {
            let syncing = scope.spawn(|| self.keep_synced(&phase, &inner));
            let running: Vec<_> =
                (0..workers).map(|_| scope.spawn(|| self.work(&phase, &inner))).collect();
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
        phase.files.sync()?;
        let stopped = !matches!(phase.work().schedule.next(Utc::now()), Next::Finished);
        let failed = self.session.with(|state| state.standing.items.failed());
        if stopped {
            let reason = job.policy.stop_reason(&self.tally()).unwrap_or(StopReason::FirstFailure);
            let message = format!("the map stopped: {}", self.told_stop(reason));
            let report = Report::failed(self.failure(FailureKind::Inner, &message));
            return self.map_failed(at, report).map(Some);
        }
        let status = if failed > 0 { StepStatus::Failed } else { StepStatus::Success };
        self.end_scope(at, status, true, None)?;
        Ok(None)
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
                    phase.to_sync.notify_all();
                    LOOK
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
            let waiting = work.unsynced;
            if waiting == 0 && work.over {
                return Ok(());
            }
            let full = waiting >= phase.batch || work.over;
            if waiting == 0 || !full {
                let longest = if waiting == 0 { LOOK } else { GATHER };
                let (again, waited) = phase
                    .to_sync
                    .wait_timeout(work, longest)
                    .unwrap_or_else(PoisonError::into_inner);
                work = again;
                if work.unsynced == 0 || !waited.timed_out() {
                    continue;
                }
            }
            let before = work.unsynced;
            drop(work);
            if let Err(halt) = self.sync_items(phase) {
                phase.work().schedule.stop();
                frame.stop.stop();
                phase.changed.notify_all();
                return Err(halt);
            }
            work = phase.work();
            work.unsynced -= before;
            let left = work.unsynced;
            work.schedule.synced(left);
            phase.changed.notify_all();
        }
    }

    /// Long results, and the finishes that hold or refer to results. With relaxed durability neither.
    fn sync_items(&self, phase: &Phase<'_, 'a>) -> Result<(), Halt> {
        if self.session.is_relaxed() {
            return Ok(());
        }
        phase.files.sync()?;
        Ok(self.session.sync()?)
    }

    fn item_ran(&self, phase: &Phase<'_, 'a>, position: u32, run: &ItemRun) {
        let mut work = phase.work();
        let now = Utc::now();
        let opened = match run {
            ItemRun::Ended(status) => {
                work.unsynced += 1;
                if work.unsynced >= phase.batch {
                    phase.to_sync.notify_all();
                }
                work.schedule.end(position, end_of(*status));
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
                work.schedule.give_back(position);
                work.schedule.stop();
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

    /// The ends of the map so far.
    fn tally(&self) -> Tally {
        self.session.with(|state| {
            let items = &state.standing.items;
            let total = u64::from(state.lifetime.items);
            Tally {
                total,
                dead: u64::from(items.failed()),
                skipped: u64::from(items.skipped()),
                open: total.saturating_sub(u64::from(items.ended())),
            }
        })
    }

    /// The first failed step when more items failed than the policy allows (DECISIONS A27).
    fn beyond_policy(&self, policy: &ErrorPolicy) -> Option<Address> {
        let mut tally = self.tally();
        let waiting = self.session.with(|state| state.lifetime.waiting_dead().count());
        // A person has passed over the others (`dlq clear`).
        let cleared = tally.dead.saturating_sub(waiting as u64);
        tally.dead -= cleared;
        tally.skipped += cleared;
        if policy.verdict(&tally) != MapVerdict::Failed {
            return None;
        }
        self.session.with(|state| {
            let dead = state.lifetime.waiting_dead().next();
            let step = dead.and_then(|(_, dead)| Some(dead.history.last()?.1.step.clone()));
            Some(step.unwrap_or_else(|| Address::root().join("map")))
        })
    }

    /// A power cut can take results whose finish is on the disk: those items run again.
    fn rerun_lost(&self, files: &JobFiles) -> Result<(), Halt> {
        let lost: Vec<u32> = self.session.with(|state| {
            let ended = state.standing.items.results();
            let lost = |place| matches!(place, ResultPlace::File(at) if !files.holds(at));
            ended.filter(|(.., place)| lost(*place)).map(|(item, ..)| item).collect()
        });
        if !lost.is_empty() {
            self.warn(&format!("the results of {} items are lost: they run again", lost.len()));
        }
        for item in lost {
            self.rewind_item(&item_address(item), RewindCause::Resume)?;
        }
        Ok(())
    }

    /// What earlier runs left for reduce is what they wrote.
    fn check_results(&self, files: &JobFiles) -> Result<(), Halt> {
        let older: Vec<ResultRef> = self.session.with(|state| {
            let results = state.standing.items.results().filter_map(|(.., place)| match place {
                ResultPlace::File(at) => Some(at),
                ResultPlace::Record(_) | ResultPlace::Nowhere => None,
            });
            results.filter(|at| files.is_older(*at)).collect()
        });
        for at in older {
            files.result(at)?;
        }
        Ok(())
    }

    /// The items as they stand, ready to be scheduled.
    fn schedule(&self, files: &JobFiles, parallel: NonZeroU32) -> Schedule {
        let total = u32::try_from(files.items().count()).unwrap_or(u32::MAX);
        let mut schedule = Schedule::new(total, parallel);
        self.session.with(|state| {
            for position in 0..total {
                let number = files.items().number(usize::try_from(position).unwrap_or(usize::MAX));
                if let ItemStanding::Ended(status, _) = state.standing.items.standing(number) {
                    schedule.end(position, end_of(status));
                }
            }
        });
        schedule.begin_run();
        let waiting: HashMap<u32, DateTime<Utc>> = self.session.with(|state| {
            let at = Address::root().join("map");
            let records = state.standing.records_within(&at);
            records
                .filter_map(|(address, record)| {
                    let number = crate::session::item_number(address)?;
                    (*address == crate::session::item_address(number))
                        .then_some((number, record.retry.as_ref()?.not_before))
                })
                .collect()
        });
        if !waiting.is_empty() {
            for position in 0..total {
                let number = files.items().number(usize::try_from(position).unwrap_or(usize::MAX));
                if let Some(due) = waiting.get(&number) {
                    schedule.start(position);
                    schedule.delay(position, *due);
                }
            }
        }
        schedule
    }

    fn map_failed(&self, at: &Address, report: Report) -> Result<Address, Halt> {
        let failure = crate::session::failure_of(&report);
        self.commit(EventKind::ErrorRaised {
            address: at.clone(),
            step: at.clone(),
            failure,
            exit_code: None,
            attempt: 1,
            output: crate::session::Stored::default(),
            stderr: crate::session::Stored::default(),
            correlation_id: self.correlation(at),
        })?;
        self.end_scope(at, StepStatus::Failed, false, None)?;
        Ok(at.clone())
    }
}

impl Phase<'_, '_> {
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

    /// The item is not running any more; true when that opened the circuit.
    fn hand_back(&mut self, position: u32, end: TicketEnd, now: DateTime<Utc>) -> bool {
        match (self.breaker.as_mut(), self.tickets.remove(&position)) {
            (Some(breaker), Some(ticket)) => breaker.end(ticket, end, now),
            _ => false,
        }
    }
}

fn end_of(status: ItemStatus) -> ItemEnd {
    match status {
        ItemStatus::Success => ItemEnd::Succeeded,
        ItemStatus::Failed => ItemEnd::Dead,
        ItemStatus::Skipped => ItemEnd::Skipped,
    }
}

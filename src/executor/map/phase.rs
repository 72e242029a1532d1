//! The map as a whole: setup, the items, the error policy, reduce, the verdict.

use std::collections::{HashMap, HashSet};
use std::num::NonZeroU32;

use crate::executor::frame::Frame;
use crate::executor::halt::Halt;
use crate::executor::run::Run;
use crate::executor::sequence::Next as NextStep;
use crate::mapreduce::{MapVerdict, Schedule, StopReason, Tally};
use crate::playbook::mapreduce::{ErrorPolicy, MapReduce};
use crate::session::{
    Address, EventKind, FailureKind, ItemStanding, Report, ResultPlace, ResultRef, RewindCause,
    StepStatus, item_address, item_number,
};
use crate::store::JobFiles;

use super::workers::{Phase, end_of};

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
        let phase = Phase::new(job, files, self.schedule(files, parallel), parallel);
        if files.items().count() == 0 {
            self.warn("there are no items: nothing to map, and reduce is left out");
        }
        self.keep_files_before_items(&job.map.template)?;
        let mut inner = frame.at(at.clone());
        inner.stage = Some("map");
        inner.stop = frame.stop.child();
        self.run_items(&phase, &inner)?;
        let stopped = !phase.is_finished();
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

    /// The ends of the map so far.
    pub(super) fn tally(&self) -> Tally {
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
        let number =
            |position| files.items().number(usize::try_from(position).unwrap_or(usize::MAX));
        let mut schedule = Schedule::new(total, parallel);
        let (begun, waiting) = self.session.with(|state| {
            for position in 0..total {
                if let ItemStanding::Ended(status, _) =
                    state.standing.items.standing(number(position))
                {
                    schedule.end(position, end_of(status));
                }
            }
            let (mut begun, mut waiting) = (HashSet::new(), HashMap::new());
            for (address, record) in state.standing.records_within(&Address::root().join("map")) {
                let Some(item) = item_number(address) else { continue };
                if *address != item_address(item) {
                    begun.insert(item);
                } else if let Some(retry) = &record.retry {
                    waiting.insert(item, retry.not_before);
                }
            }
            (begun, waiting)
        });
        if !begun.is_empty() || !waiting.is_empty() {
            for position in 0..total {
                if begun.contains(&number(position)) {
                    schedule.start(position);
                } else if let Some(due) = waiting.get(&number(position)) {
                    schedule.start(position);
                    schedule.delay(position, *due);
                }
            }
        }
        schedule.begin_run();
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

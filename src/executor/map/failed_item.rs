//! A run of an item that failed: what is recorded of it, and what follows.

use std::time::Duration;

use crate::executor::halt::Halt;
use crate::executor::run::Run;
use crate::mapreduce::StopReason;
use crate::playbook::failure::Retry;
use crate::playbook::mapreduce::OnItemFailure;
use crate::session::{
    Address, Disposition, EventKind, Failure, ItemFailure, ItemStatus, Reach, Report, RewindCause,
    Stored, failure_of, rewound,
};

use super::item::ItemRun;
use super::workers::Phase;

/// How much of a failed step's output the dead letter queue keeps, in bytes.
const TAIL: usize = 4096;

/// A run of an item that failed.
pub(super) struct FailedRun<'b> {
    /// The item's number.
    pub(super) number: u32,
    /// The item's scope.
    pub(super) at: &'b Address,
    /// The step that failed.
    pub(super) cause: &'b Address,
    /// What that step left.
    pub(super) report: Report,
    /// Active time of the run.
    pub(super) took: Duration,
}

/// Another run of the item.
struct Again {
    /// The wait before it.
    delay: Duration,
    /// Runs in all.
    allowed: u32,
}

impl<'a> Run<'a> {
    /// Records the failure, and does what follows from it.
    pub(super) fn item_failed(
        &self,
        phase: &Phase<'_, 'a>,
        run: &FailedRun<'_>,
    ) -> Result<ItemRun, Halt> {
        let failure = failure_of(&run.report);
        let again = self.item_retry(phase, run, &failure);
        let disposition = match (&again, phase.policy.on_item_failure) {
            (Some(_), _) => Disposition::Retry,
            (None, OnItemFailure::Dlq) => Disposition::Dlq,
            (None, OnItemFailure::Skip) => Disposition::Skip,
            (None, OnItemFailure::Stop) => Disposition::Stop,
        };
        let message = failure.message.shown();
        self.record_failure(run, failure, disposition)?;
        if let Some(Again { delay, allowed }) = again {
            let next = self.following_run(run.at);
            self.rewind_item(run.at, RewindCause::Retry)?;
            if !delay.is_zero() {
                self.schedule_retry(run.at, next, delay, allowed, self.correlation(run.cause))?;
            }
            return Ok(ItemRun::Again(delay));
        }
        let status = match disposition {
            Disposition::Stop => {
                self.rewind_item(run.at, RewindCause::Retry)?;
                return Ok(ItemRun::Stops);
            }
            Disposition::Skip => ItemStatus::Skipped,
            Disposition::Dlq | Disposition::Retry => ItemStatus::Failed,
        };
        let result = self.item_result(run.number, run.at, None, status, run.took, Some(&message));
        self.end_item(phase, run.number, status, &result)?;
        Ok(ItemRun::Ended(status))
    }

    /// Nothing where a crash came between this record and what follows from it.
    fn record_failure(
        &self,
        run: &FailedRun<'_>,
        failure: Failure,
        disposition: Disposition,
    ) -> Result<(), Halt> {
        let (earlier, recorded, attempt, cost_usd, agent_session) = self.session.with(|state| {
            let attempt = state.lifetime.next_attempt(run.cause).saturating_sub(1);
            let dead = state.lifetime.dead.get(&run.number);
            let last = dead.and_then(|dead| dead.history.last());
            let costs = state
                .standing
                .records_within(run.at)
                .filter_map(|(_, record)| record.latest_report()?.agent.as_ref()?.cost_usd);
            (
                dead.map_or(0, |dead| dead.history.len()),
                last.is_some_and(|(_, last)| last.step == *run.cause && last.attempt == attempt),
                attempt,
                costs.reduce(|sum, cost| sum + cost),
                state.standing.record(run.cause).and_then(|record| record.agent_session.clone()),
            )
        });
        if recorded && attempt > 0 {
            return Ok(());
        }
        let failure = ItemFailure {
            step: run.cause.clone(),
            run: u32::try_from(earlier + 1).unwrap_or(u32::MAX),
            failure,
            exit_code: run.report.exit_code,
            output: self.failed_output(&run.report),
            attempt,
            cost_usd,
            duration_ms: u64::try_from(run.took.as_millis()).unwrap_or(u64::MAX),
            agent_session,
            disposition,
        };
        self.commit(EventKind::ItemFailed { item: run.number, failure: Box::new(failure) })?;
        Ok(())
    }

    /// Whether the item runs again as a whole, as `map.retry` or a person says.
    fn item_retry(
        &self,
        phase: &Phase<'_, 'a>,
        run: &FailedRun<'_>,
        failure: &Failure,
    ) -> Option<Again> {
        let extra = self.options.extra_retries.filter(|_| self.options.starting.contains(run.at));
        let none = Retry::none();
        let retry = match (&phase.map.retry, extra) {
            (Some(retry), _) => retry,
            (None, Some(_)) => &none,
            (None, None) => return None,
        };
        let (done, ran_ms) = self.session.with(|state| {
            let done = state.lifetime.rewinds(run.at, RewindCause::Retry);
            let dead = state.lifetime.dead.get(&run.number);
            let earlier = dead.into_iter().flat_map(|dead| dead.history.iter().rev());
            let counted = earlier.take(usize::try_from(done).unwrap_or(usize::MAX));
            (done, counted.map(|(_, failure)| failure.duration_ms).sum())
        });
        let allowed = extra.map_or(retry.attempts, |extra| extra.saturating_add(1));
        if done + 1 >= allowed || !retry.covers(&run.report, failure) {
            return None;
        }
        let waited: Duration = (1..=done).map(|number| retry.delay(number, 0.0)).sum();
        let spent = waited + run.took + Duration::from_millis(ran_ms);
        if retry.budget.is_some_and(|budget| spent >= budget) {
            return None;
        }
        let delay = retry.delay(done + 1, crate::executor::retry::random_share());
        Some(Again { delay, allowed })
    }

    /// Why the map stopped; with the item that made it stop at once.
    pub(super) fn told_stop(&self, reason: StopReason) -> String {
        let last = self.session.with(|state| {
            let dead = state.lifetime.dead.iter();
            let failed = dead.filter_map(|(item, dead)| Some((item, dead.history.last()?)));
            let (item, (_, failure)) = failed.max_by_key(|(_, (at, _))| *at)?;
            Some(format!("item_{item} failed ({})", failure.failure.message.shown()))
        });
        match last {
            Some(last) if reason == StopReason::FirstFailure => {
                format!("{last}, and the policy is to stop")
            }
            _ => reason.to_string(),
        }
    }

    /// The item runs anew.
    pub(super) fn rewind_item(&self, at: &Address, cause: RewindCause) -> Result<(), Halt> {
        self.commit(rewound(at, Reach::Subtree, cause))?;
        Ok(())
    }

    /// The end of what a failed step printed: stderr where there is any.
    fn failed_output(&self, report: &Report) -> Stored {
        let stream = if report.stderr.bytes == 0 { &report.stdout } else { &report.stderr };
        let bytes = self.read_back(&stream.text);
        let tail = bytes.get(bytes.len().saturating_sub(TAIL)..).unwrap_or_default();
        Stored::seal(&crate::expr::Value::text(tail.to_vec()), self.secrets())
    }
}

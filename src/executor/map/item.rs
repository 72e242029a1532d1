//! One item: its steps as a scope of their own, its result, and what its failure means.

use std::sync::Arc;
use std::time::Duration;

use crate::executor::frame::{Frame, LastStep, Round};
use crate::executor::halt::Halt;
use crate::executor::run::Run;
use crate::executor::sequence::Flow;
use crate::mapreduce::FrozenItem;
use crate::playbook::failure::Retry;
use crate::playbook::mapreduce::OnItemFailure;
use crate::session::{
    Address, Disposition, EventKind, ItemFailure, ItemStatus, Reach, RewindCause, StepResult,
    StepStatus, Stored, item_address,
};
use crate::store::StoreError;

use super::phase::Phase;

/// What came of one run of an item.
pub(super) enum ItemRun {
    /// It ended; its finish is recorded.
    Ended(ItemStatus),
    /// It runs again after this delay.
    Again(Duration),
    /// It failed, and the map stops.
    Stops,
}

/// How much of a failed step's output the dead letter queue keeps, in bytes.
const TAIL: usize = 4096;

impl<'a> Run<'a> {
    /// Runs the `position`-th item of the job, from where the journal says it is.
    pub(super) fn item(
        &self,
        phase: &Phase<'_, 'a>,
        frame: &Frame<'a>,
        position: usize,
    ) -> Result<ItemRun, Halt> {
        let number = phase.files.items().number(position);
        let at = item_address(number);
        let line = phase.files.items().line(position)?;
        let frozen: FrozenItem =
            serde_json::from_slice(&line).map_err(|error| StoreError::Damaged {
                path: self.session.home().session(self.session.id()),
                line: position + 1,
                reason: format!("the frozen item cannot be read: {error}"),
            })?;
        let started = frame.stop.active();
        let mut inner = frame.at(at.clone());
        let round = Arc::new(Round {
            item: frozen.item,
            id: frozen.item_id.to_string(),
            index: position,
            total: phase.files.items().count(),
            last: Some(LastStep::new(at.step(phase.map.template.len()))),
        });
        inner.round = Some(Arc::clone(&round));
        let limit = self.limit(phase.map.item_timeout.as_ref(), &inner, &at);
        let flow = match limit {
            Ok(limit) => self.sequence(&inner.within(limit, &at), &phase.map.template)?,
            Err(error) => {
                let failure = self.unresolved("agent_timeout_secs", &error);
                return self.item_failed(phase, number, &at, &at, Some(failure), Duration::ZERO);
            }
        };
        let took = frame.stop.active().saturating_sub(started);
        match flow {
            Flow::Done => {
                let kept = round.last.as_ref().and_then(LastStep::result);
                let result = self.item_result(number, &at, kept, "success", took, None);
                self.end_item(phase, number, ItemStatus::Success, &result)?;
                Ok(ItemRun::Ended(ItemStatus::Success))
            }
            Flow::Failed(cause) => self.item_failed(phase, number, &at, &cause, None, took),
        }
    }

    /// Records what a failure of the item means.
    fn item_failed(
        &self,
        phase: &Phase<'_, 'a>,
        number: u32,
        at: &Address,
        cause: &Address,
        failure: Option<crate::session::Failure>,
        took: Duration,
    ) -> Result<ItemRun, Halt> {
        let report = self.report_of(cause);
        let failure = failure.unwrap_or_else(|| crate::session::failure_of(&report));
        let (run, attempt, cost, agent_session) = self.session.with(|state| {
            let records = state.standing.records_within(at);
            let costs =
                records.filter_map(|(_, record)| record.latest_report()?.agent.as_ref()?.cost_usd);
            let cost: Vec<f64> = costs.collect();
            (
                state.lifetime.dead.get(&number).map_or(0, |dead| dead.history.len()) + 1,
                state.lifetime.next_attempt(cause).saturating_sub(1),
                (!cost.is_empty()).then(|| cost.iter().sum()),
                state.standing.record(cause).and_then(|record| record.agent_session.clone()),
            )
        });
        let run = u32::try_from(run).unwrap_or(u32::MAX);
        let again = self.item_retry(phase, at, &report, &failure);
        let disposition = match (again, phase.policy.on_item_failure) {
            (Some(_), _) => Disposition::Retry,
            (None, OnItemFailure::Dlq) => Disposition::Dlq,
            (None, OnItemFailure::Skip) => Disposition::Skip,
            (None, OnItemFailure::Stop) => Disposition::Stop,
        };
        let message = failure.message.shown();
        let output = self.failed_output(&report);
        self.commit(EventKind::ItemFailed {
            item: number,
            failure: Box::new(ItemFailure {
                step: cause.clone(),
                run,
                failure,
                exit_code: report.exit_code,
                output,
                attempt,
                cost_usd: cost,
                duration_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
                agent_session,
                disposition,
            }),
        })?;
        if let Some((delay, allowed)) = again {
            self.rewind_item(at, RewindCause::Retry)?;
            if !delay.is_zero() {
                self.schedule_retry(at, delay, allowed)?;
            }
            return Ok(ItemRun::Again(delay));
        }
        let status = match disposition {
            Disposition::Skip => ItemStatus::Skipped,
            _ => ItemStatus::Failed,
        };
        if disposition == Disposition::Stop {
            self.rewind_item(at, RewindCause::Retry)?;
            return Ok(ItemRun::Stops);
        }
        let result = self.item_result(number, at, None, "failed", took, Some(&message));
        self.end_item(phase, number, status, &result)?;
        Ok(ItemRun::Ended(status))
    }

    /// The delay before the item runs again as a whole, where `map.retry` or `retry_config` allow it.
    fn item_retry(
        &self,
        phase: &Phase<'_, 'a>,
        at: &Address,
        report: &crate::session::Report,
        failure: &crate::session::Failure,
    ) -> Option<(Duration, u32)> {
        let extra = self.options.extra_retries.filter(|_| self.options.starting.contains(at));
        let none = Retry::none();
        let retry = match (&phase.map.retry, extra) {
            (Some(retry), _) => retry,
            (None, Some(_)) => &none,
            (None, None) => return None,
        };
        let done = self.session.with(|state| state.lifetime.rewinds(at, RewindCause::Retry));
        let allowed = extra.map_or(retry.attempts, |extra| extra.saturating_add(1));
        (done + 1 < allowed && retry.covers(report, failure))
            .then(|| (retry.delay(done + 1, crate::executor::retry::random_share()), allowed))
    }

    pub(super) fn rewind_item(&self, at: &Address, cause: RewindCause) -> Result<(), Halt> {
        self.commit(EventKind::Rewound {
            scope: at.clone(),
            from: None,
            reach: Reach::Subtree,
            to_seq: None,
            cause,
            by: None,
        })?;
        Ok(())
    }

    /// The end of what a failed step printed: stderr where there is any.
    fn failed_output(&self, report: &crate::session::Report) -> Stored {
        let stream = if report.stderr.bytes == 0 { &report.stdout } else { &report.stderr };
        let bytes = self.read_back(&stream.text);
        let tail = bytes.get(bytes.len().saturating_sub(TAIL)..).unwrap_or_default();
        Stored::seal(&crate::expr::Value::text(tail.to_vec()), self.secrets())
    }

    /// Writes the result, then records the finish that refers to it.
    fn end_item(
        &self,
        phase: &Phase<'_, 'a>,
        item: u32,
        status: ItemStatus,
        result: &Stored,
    ) -> Result<(), Halt> {
        let line = serde_json::to_vec(result).unwrap_or_default();
        let result = phase.files.append(line)?;
        self.commit(EventKind::ItemFinished { item, status, result })?;
        Ok(())
    }

    /// What reduce sees of an item.
    fn item_result(
        &self,
        number: u32,
        at: &Address,
        kept: Option<&StepResult>,
        status: &'static str,
        took: Duration,
        error: Option<&str>,
    ) -> Stored {
        self.session.with(|state| {
            let last = state
                .standing
                .records_within(at)
                .filter(|(address, record)| address.sequence() == *at && record.result.is_some())
                .max_by_key(|(_, record)| record.finished_seq);
            let recorded = last.and_then(|(_, record)| record.result.as_deref());
            let result = kept.or(recorded);
            let recovered = result.is_some_and(|it| it.status == StepStatus::Recovered);
            let mut captures = state.standing.names.captures_of(at);
            for captured in kept.iter().flat_map(|result| &result.captures) {
                let value = match (&captured.value, kept) {
                    (Some(value), _) => value.clone(),
                    (None, Some(kept)) => kept.report.stdout.text.clone(),
                    (None, None) => Stored::default(),
                };
                captures.retain(|(name, _)| *name != captured.name);
                captures.push((&captured.name, value));
            }
            let attempts = state.lifetime.rewinds(at, RewindCause::Retry) + 1;
            let mut fields = vec![
                ("item_id", Stored::plain(format!("item_{number}"))),
                ("status", Stored::plain(status)),
                (
                    "output",
                    result.map(|result| result.report.stdout.text.clone()).unwrap_or_default(),
                ),
                ("duration", Stored::number(u64::try_from(took.as_millis()).unwrap_or(u64::MAX))),
            ];
            if attempts > 1 {
                fields.push(("attempts", Stored::number(u64::from(attempts))));
            }
            if recovered {
                fields.push(("recovered", Stored::boolean(true)));
            }
            if !captures.is_empty() {
                fields.push(("variables", Stored::object(captures)));
            }
            if let Some(error) = error {
                fields.push(("error", Stored::plain(error)));
            }
            Stored::object(fields)
        })
    }
}

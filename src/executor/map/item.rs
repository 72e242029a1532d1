//! One item: its steps as a scope of their own, and its result.

use std::sync::Arc;
use std::time::Duration;

use crate::executor::frame::{Frame, LastStep, Round};
use crate::executor::halt::Halt;
use crate::executor::names::number as number_of;
use crate::executor::run::Run;
use crate::executor::sequence::Flow;
use crate::mapreduce::FrozenItem;
use crate::session::{
    Address, EventKind, ItemStatus, Report, ResultRef, ShortResult, StepResult, StepStatus, Stored,
    item_address,
};
use crate::store::StoreError;

use super::failed_item::FailedRun;
use super::workers::Phase;

/// What came of one run of an item.
pub(super) enum ItemRun {
    /// It ended; its finish is recorded.
    Ended(ItemStatus),
    /// It runs again after this delay.
    Again(Duration),
    /// It failed, and the map stops.
    Stops,
}

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
                let report = Report::failed(failure);
                let run = FailedRun { number, at: &at, cause: &at, report, took: Duration::ZERO };
                return self.item_failed(phase, &run);
            }
        };
        let took = frame.stop.active().saturating_sub(started);
        match flow {
            Flow::Done => {
                let kept = round.last.as_ref().and_then(LastStep::result);
                let result = self.item_result(number, &at, kept, ItemStatus::Success, took, None);
                self.end_item(phase, number, ItemStatus::Success, &result)?;
                Ok(ItemRun::Ended(ItemStatus::Success))
            }
            Flow::Failed(cause) => {
                let report = self.report_of(&cause);
                let run = FailedRun { number, at: &at, cause: &cause, report, took };
                self.item_failed(phase, &run)
            }
        }
    }

    /// Records the finish with its result; a long result is written before, and referred to.
    pub(super) fn end_item(
        &self,
        phase: &Phase<'_, 'a>,
        item: u32,
        status: ItemStatus,
        result: &Stored,
    ) -> Result<(), Halt> {
        let value = ShortResult::of(result);
        let result = match value {
            Some(_) => ResultRef::NONE,
            None => phase.files.append(serde_json::to_vec(result).unwrap_or_default())?,
        };
        self.commit(EventKind::ItemFinished { item, status, value, result })?;
        Ok(())
    }

    /// What reduce sees of an item.
    pub(super) fn item_result(
        &self,
        number: u32,
        at: &Address,
        kept: Option<&StepResult>,
        status: ItemStatus,
        took: Duration,
        error: Option<&str>,
    ) -> Stored {
        // Seconds, as `${ID.duration}`.
        let duration = number_of(took.as_millis() as f64 / 1000.0);
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
            let failed = state.lifetime.dead.get(&number).map_or(0, |dead| dead.history.len());
            let attempts = failed + usize::from(status == ItemStatus::Success);
            let mut fields = vec![
                ("item_id", Stored::plain(format!("item_{number}"))),
                ("status", Stored::plain(status.in_results())),
                (
                    "output",
                    result.map(|result| result.report.stdout.text.clone()).unwrap_or_default(),
                ),
                ("variables", Stored::object(captures)),
                ("duration", Stored::seal(&duration, self.secrets())),
                ("attempts", Stored::number(attempts as u64)),
            ];
            if recovered {
                fields.push(("recovered", Stored::boolean(true)));
            }
            if let Some(error) = error {
                fields.push(("error", Stored::plain(error)));
            }
            Stored::object(fields)
        })
    }
}

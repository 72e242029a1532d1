//! `foreach:`: the same steps for each item, in order or several rounds at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::executor::attempt::{Attempt, Done};
use crate::executor::frame::{Frame, Round};
use crate::executor::halt::Halt;
use crate::executor::run::Run;
use crate::executor::sequence::Flow;
use crate::playbook::model::Foreach;
use crate::session::{
    Address, EventKind, FailureKind, Progress, Report, RewindCause, SessionState, StepStatus,
    Stored,
};

/// What the rounds of a loop share.
struct Rounds<'b, 'a> {
    frame: Frame<'a>,
    address: &'b Address,
    each: &'a Foreach,
    items: Arc<Vec<Stored>>,
    next: AtomicUsize,
    /// A round has failed, and that ends the loop: no more are begun.
    failed: AtomicBool,
    /// A worker has left the tree: no more rounds are taken.
    halted: AtomicBool,
}

impl<'a> Run<'a> {
    /// One attempt of a loop: the rounds that are not over yet.
    pub(in crate::executor) fn foreach(
        &self,
        attempt: &Attempt<'_, 'a>,
        each: &'a Foreach,
    ) -> Result<Done, Halt> {
        let address = attempt.address;
        let started = attempt.frame.stop.active();
        // An attempt that was cut goes on: what failed in it has been recorded.
        let was_cut = self.session.with(|state| {
            let record = state.standing.record(address);
            record.is_some_and(|record| record.progress == Progress::InDoubt)
        });
        if !was_cut {
            self.forget_failed(address, RewindCause::Retry)?;
        }
        self.start(attempt, "foreach", None)?;
        let known = self.session.with(|state| state.standing.record(address)?.items.clone());
        let items = match known {
            Some(items) => items,
            None => match self.items(attempt, each) {
                Ok(items) => self.freeze(address, &items)?,
                Err(failure) => {
                    // A command that was stopped with the run is no failure.
                    self.go_on(attempt.frame)?;
                    return Ok(Done::failed(failure));
                }
            },
        };
        let parallel = match self.count(&each.parallel, attempt) {
            Ok(count) => usize::try_from(count).unwrap_or(usize::MAX).max(1),
            Err(error) => return Ok(Done::failed(self.unresolved("parallel", &error))),
        };
        let total = items.len();
        let rounds = Rounds {
            frame: Frame { stop: attempt.frame.stop.child(), ..attempt.frame.clone() },
            address,
            each,
            items,
            next: AtomicUsize::new(0),
            failed: AtomicBool::new(false),
            halted: AtomicBool::new(false),
        };
        self.run_rounds(&rounds, parallel.min(total))?;
        let failed = self.failed_rounds(address, total);
        let mut report = Report { exit_code: Some(0), ..Report::default() };
        let took = attempt.frame.stop.active().saturating_sub(started);
        report.duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let mut done = Done { report, ..Done::default() };
        done.detail = self.session.with(|state| self.round_results(state, address));
        if let Some((index, cause)) = failed.first() {
            let message = format!(
                "{} of {total} rounds failed, first round {index} at step {cause}: {}",
                failed.len(),
                self.told(cause)
            );
            done.report.exit_code = Some(1);
            done.report.failure = Some(self.failure(FailureKind::Inner, &message));
            done.passes = each.continue_on_error;
        }
        if let Some(detail) = &done.detail {
            let text = self.outputs(detail);
            done.report.stdout.bytes = text.len() as u64;
            done.report.stdout.text = self.keep_text(text)?;
        }
        self.capture(attempt.step, &mut done);
        Ok(done)
    }

    fn freeze(
        &self,
        address: &Address,
        items: &[crate::expr::Value],
    ) -> Result<Arc<Vec<Stored>>, Halt> {
        let items: Vec<Stored> =
            items.iter().map(|item| Stored::seal(item, self.secrets())).collect();
        self.commit(EventKind::LoopStarted { address: address.clone(), items: items.clone() })?;
        self.session.sync()?;
        Ok(Arc::new(items))
    }

    fn run_rounds(&self, rounds: &Rounds<'_, 'a>, workers: usize) -> Result<(), Halt> {
        if workers <= 1 {
            return self.take_rounds(rounds);
        }
        std::thread::scope(|scope| {
            let running: Vec<_> =
                (0..workers).map(|_| scope.spawn(|| self.take_rounds(rounds))).collect();
            let mut first = Ok(());
            for worker in running {
                match worker.join() {
                    Ok(Ok(())) => {}
                    Ok(Err(halt)) => first = Err(halt.or_weightier(first.err())),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            first
        })
    }

    /// Takes rounds one after the other until none is left. Once one has failed, only those that
    /// a crash caught in the middle.
    fn take_rounds(&self, rounds: &Rounds<'_, 'a>) -> Result<(), Halt> {
        loop {
            if rounds.halted.load(Ordering::SeqCst) {
                return Ok(());
            }
            let index = rounds.next.fetch_add(1, Ordering::SeqCst);
            let Some(item) = rounds.items.get(index) else { return Ok(()) };
            let at = rounds.address.below_numbered("do", index + 1);
            if rounds.failed.load(Ordering::SeqCst) && !self.has_begun(&at) {
                continue;
            }
            let mut frame = rounds.frame.at(at);
            frame.round = Some(Arc::new(Round {
                item: item.clone(),
                id: format!("item_{}", index + 1),
                index,
                total: rounds.items.len(),
                last: None,
            }));
            match self.sequence(&frame, &rounds.each.steps) {
                Ok(Flow::Done) => {}
                Ok(Flow::Failed(_)) if rounds.each.continue_on_error => {}
                Ok(Flow::Failed(_)) => rounds.failed.store(true, Ordering::SeqCst),
                Err(halt) => {
                    rounds.halted.store(true, Ordering::SeqCst);
                    // A limit says nothing about what runs: it has been paid for, and ends.
                    if halt.stops_others() {
                        rounds.frame.stop.stop();
                    }
                    return Err(halt);
                }
            }
        }
    }

    fn has_begun(&self, round: &Address) -> bool {
        self.session.with(|state| state.standing.records_within(round).next().is_some())
    }

    /// The rounds that failed, in item order, with the step that failed in each.
    fn failed_rounds(&self, address: &Address, total: usize) -> Vec<(usize, Address)> {
        self.session.with(|state| {
            let failed = |index: usize| {
                let round = address.below_numbered("do", index);
                let mut records = state.standing.records_within(&round);
                let (cause, _) = records.find(|(at, record)| {
                    at.sequence() == round
                        && record.result.as_ref().is_some_and(|result| !result.goes_on)
                })?;
                Some((index, cause.clone()))
            };
            (1..=total).filter_map(failed).collect()
        })
    }

    /// `ID.results`: what came of each round, in item order.
    pub(in crate::executor) fn round_results(
        &self,
        state: &SessionState,
        address: &Address,
    ) -> Option<Stored> {
        let items = state.standing.record(address)?.items.clone()?;
        let results = items.iter().enumerate().map(|(index, item)| {
            let round = address.below_numbered("do", index + 1);
            let last = state
                .standing
                .records_within(&round)
                .filter(|(at, record)| at.sequence() == round && record.result.is_some())
                .max_by_key(|(_, record)| record.finished_seq)
                .and_then(|(_, record)| record.result.as_ref());
            let status = match last {
                None => "pending",
                Some(result) if !result.goes_on => "failed",
                Some(result) => match result.status {
                    StepStatus::Recovered => "recovered",
                    _ => "success",
                },
            };
            let output = last.map(|result| result.report.stdout.text.clone()).unwrap_or_default();
            Stored::object(vec![
                ("index", Stored::number(index as u64)),
                ("item", item.clone()),
                ("status", Stored::plain(status)),
                ("output", output),
            ])
        });
        Some(Stored::list(results.collect()))
    }

    /// The outputs of all rounds, one after the other, as the loop's own output.
    fn outputs(&self, detail: &Stored) -> Vec<u8> {
        let mut text = Vec::new();
        let results = self.open_stored(detail);
        if let crate::expr::Value::Array(results) = results {
            for result in results {
                if let crate::expr::Value::Object(mut fields) = result {
                    let output = fields.swap_remove("output").unwrap_or_default().to_bytes();
                    if !output.is_empty() {
                        if !text.is_empty() {
                            text.push(b'\n');
                        }
                        text.extend(output);
                    }
                }
            }
        }
        text
    }
}

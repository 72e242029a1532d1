//! Whether and when an attempt runs again; delays and what is left of them survive a crash.

use std::time::Duration;

use chrono::{SubsecRound as _, Utc};

use crate::playbook::failure::{Backoff, Retry, RetryOn};
use crate::playbook::model::Step;
use crate::session::{
    Address, EventKind, Evidence, Failure, FailureClass, Output, Report, RewindCause,
};

use super::frame::Frame;
use super::halt::Halt;
use super::run::Run;

/// How much of an output the classifier reads.
const TAIL: usize = 16 * 1024;

/// Fills in the class of a failure from what the command printed.
pub(super) fn classify(
    failure: &mut Failure,
    exit_code: &Option<i32>,
    step: &Step,
    stdout: &Output,
    stderr: &Output,
) {
    if failure.class != FailureClass::Unknown {
        return;
    }
    let (stdout, stderr) = (stdout.text.shown(), stderr.text.shown());
    let command = match &step.action {
        crate::playbook::model::Action::Shell(text) => text.source(),
        _ => "",
    };
    failure.class = crate::session::classify(&Evidence {
        kind: failure.kind,
        exit_code: *exit_code,
        command,
        stdout: tail(&stdout),
        stderr: tail(&stderr),
    });
}

fn tail(text: &str) -> &str {
    let mut start = text.len().saturating_sub(TAIL);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    &text[start..]
}

impl Retry {
    /// The delay before retry number `retry` (from 1), with `random` in 0–1 for the jitter.
    #[must_use]
    pub fn delay(&self, retry: u32, random: f64) -> Duration {
        let first = self.initial_delay.as_secs_f64();
        let seconds = match self.backoff {
            Backoff::Fixed => first,
            Backoff::Linear { increment } => {
                first + increment.as_secs_f64() * f64::from(retry.saturating_sub(1))
            }
            Backoff::Exponential { factor } => {
                first * factor.powi(i32::try_from(retry.saturating_sub(1)).unwrap_or(i32::MAX))
            }
            Backoff::Fibonacci => first * fibonacci(retry),
        };
        let capped = seconds.min(self.max_delay.as_secs_f64());
        Duration::from_secs_f64((capped * (1.0 - self.jitter * random)).max(0.0))
    }

    /// Whether a failure is one that is retried.
    #[must_use]
    pub fn covers(&self, report: &Report, failure: &Failure) -> bool {
        if self.retry_on.is_empty() {
            return true;
        }
        self.retry_on.iter().any(|on| match on {
            RetryOn::Class(class) => *class == failure.class,
            RetryOn::ExitCode(code) => report.exit_code == Some(*code),
            RetryOn::Pattern(pattern) => regex::Regex::new(pattern).is_ok_and(|pattern| {
                [&failure.message, &report.stdout.text, &report.stderr.text]
                    .iter()
                    .any(|text| pattern.is_match(&text.shown()))
            }),
        })
    }
}

/// 1, 1, 2, 3, 5 … without end.
fn fibonacci(n: u32) -> f64 {
    let (mut current, mut next) = (1.0, 1.0);
    for _ in 1..n {
        (current, next) = (next, current + next);
    }
    current
}

/// A random share in 0–1 for jitter; quality does not matter, only that processes differ.
pub(super) fn random_share() -> f64 {
    let bytes = *uuid::Uuid::new_v4().as_bytes();
    let number = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    f64::from(number) / f64::from(u32::MAX)
}

impl<'a> Run<'a> {
    /// The delay before the next attempt, when the step's `retry` allows one, and how many
    /// attempts that allows in all.
    pub(super) fn next_retry(
        &self,
        step: &Step,
        address: &Address,
        report: &Report,
    ) -> Option<(Duration, u32)> {
        let failure = report.failure.as_ref()?;
        let (tries, spent_ms, reruns) = self.session.with(|state| {
            let record = state.standing.record(address);
            (
                record.map_or(0, |record| record.tries),
                record.map_or(0, |record| record.spent_ms),
                state.lifetime.rewinds(address, RewindCause::Rerun),
            )
        });
        let extra = self.extra_retries(address);
        let none = Retry::none();
        let retry = match (&step.retry, extra) {
            (Some(retry), _) => retry,
            (None, Some(_)) => &none,
            (None, None) => return None,
        };
        // What a person gives counts from this run on (DECISIONS A25).
        let (tries, allowed) = match extra {
            Some(extra) => {
                let before = self.tries_before.get(address).copied().unwrap_or(0);
                (tries.saturating_sub(before), extra.saturating_add(1))
            }
            None => (tries, retry.attempts),
        };
        // A re-run after a handler is one attempt (DECISIONS A26).
        let in_doubt_or_rejected = matches!(
            failure.kind,
            crate::session::FailureKind::Interrupted | crate::session::FailureKind::Expression
        );
        if (reruns > 0 && extra.is_none())
            || tries >= allowed
            || in_doubt_or_rejected
            || !retry.covers(report, failure)
        {
            return None;
        }
        let spent = Duration::from_millis(spent_ms.saturating_add(report.duration_ms));
        if retry.budget.is_some_and(|budget| spent >= budget) {
            return None;
        }
        Some((retry.delay(tries.max(1), random_share()), allowed))
    }

    /// `resume --max-retries N`, where it counts: at the steps this run starts at.
    fn extra_retries(&self, address: &Address) -> Option<u32> {
        self.options.extra_retries.filter(|_| self.options.starting.contains(address))
    }

    /// Records that the next attempt starts after `delay`, unless a run before has done so.
    pub(super) fn schedule_retry(
        &self,
        address: &Address,
        attempt: u32,
        delay: Duration,
        max_attempts: u32,
        correlation_id: String,
    ) -> Result<(), Halt> {
        let scheduled = self.session.with(|state| {
            state.standing.record(address).is_some_and(|record| record.retry.is_some())
        });
        if scheduled {
            return Ok(());
        }
        let delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        let not_before = Utc::now() + chrono::Duration::milliseconds(delay_ms.cast_signed());
        self.commit(EventKind::RetryScheduled {
            address: address.clone(),
            attempt,
            delay_ms,
            // As exact as the times of events, or the attempt would seem to start before it.
            not_before: not_before.trunc_subsecs(3),
            max_attempts: Some(max_attempts),
            uncounted: false,
            correlation_id,
        })?;
        self.session.sync()?;
        Ok(())
    }

    /// The number of the run that follows the present one.
    pub(super) fn following_run(&self, address: &Address) -> u32 {
        self.session.with(|state| state.lifetime.following_run(address))
    }

    /// True when the next attempt was scheduled by the run before, not by a handler.
    pub(super) fn is_planned(&self, address: &Address) -> bool {
        self.session.with(|state| {
            state.standing.error(address).is_none()
                && state.standing.record(address).is_some_and(|record| record.retry.is_some())
        })
    }

    /// Waits for what is left of a scheduled delay, never longer than it was configured.
    pub(super) fn wait_for_retry(&self, frame: &Frame<'a>, address: &Address) -> Result<(), Halt> {
        let plan = self.session.with(|state| state.standing.record(address)?.retry.clone());
        let Some(plan) = plan else { return Ok(()) };
        let left = (plan.not_before - Utc::now()).to_std().unwrap_or_default();
        let left = left.min(Duration::from_millis(plan.delay_ms));
        if !left.is_zero() && !frame.stop.wait(left) {
            self.go_on(frame)?;
        }
        Ok(())
    }
}

impl Retry {
    /// One attempt, and no delay between those that someone else grants.
    pub(super) fn none() -> Self {
        Self {
            attempts: 1,
            backoff: Backoff::Fixed,
            initial_delay: Duration::ZERO,
            max_delay: Duration::ZERO,
            jitter: 0.0,
            retry_on: Vec::new(),
            budget: None,
            on_failure: crate::playbook::failure::RetryExhausted::Stop,
        }
    }
}

//! What stands around a failure: the error itself, its handlers and the retries (SPEC 6.5).

use std::fmt::Write as _;

use chrono::{DateTime, Utc};

use super::table::{Cell, Table};
use super::{Depth, Ink, Style, age, clip, duration_ms, journal_word, line};
use crate::session::{Address, FailureClass, RaisedError, SessionState};

/// What `error_recovery_state` of the snapshot says, as text.
#[derive(Debug, Clone, PartialEq)]
pub struct ErrorRecoveryState {
    active_handlers: Vec<ActiveHandler>,
    error_context: Vec<ErrorContext>,
    handler_execution_history: Vec<Execution>,
    retry_state: Vec<Retry>,
    /// That of the latest error.
    correlation_id: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
struct ActiveHandler {
    address: Address,
    id: String,
    strategy: String,
    attempt: u32,
}

/// What `error.*` says in the handlers of one scope.
#[derive(Debug, Clone, PartialEq)]
struct ErrorContext {
    step: Address,
    message: String,
    class: FailureClass,
    attempt: u32,
    timestamp: DateTime<Utc>,
    correlation_id: String,
    /// Absent while its handlers are at it.
    goes_on: Option<bool>,
}

#[derive(Debug, Clone, PartialEq)]
struct Execution {
    address: Address,
    handler_id: String,
    executed_at: DateTime<Utc>,
    success: bool,
    error: Option<String>,
    attempt: u32,
}

#[derive(Debug, Clone, PartialEq)]
struct Retry {
    step: Address,
    attempt: u32,
    max_attempts: Option<u32>,
    delay_ms: u64,
    last_error: Option<String>,
}

impl ErrorRecoveryState {
    /// That of `state`; none where nothing failed.
    #[must_use]
    pub fn of(state: &SessionState) -> Option<Self> {
        let standing = &state.standing;
        let mut errors: Vec<_> =
            standing.errors().map(|(_, error)| ErrorContext::of(error)).collect();
        errors.sort_by_key(|error| error.timestamp);
        let recovery = Self {
            active_handlers: standing
                .active_handlers()
                .map(|(address, handler)| ActiveHandler {
                    address: address.clone(),
                    id: handler.id.clone(),
                    strategy: handler.strategy.clone(),
                    attempt: handler.attempt,
                })
                .collect(),
            correlation_id: errors.last().map(|error| error.correlation_id.clone()),
            error_context: errors,
            handler_execution_history: state
                .lifetime
                .handler_history
                .iter()
                .map(|execution| Execution {
                    address: execution.address.clone(),
                    handler_id: execution.handler_id.clone(),
                    executed_at: execution.executed_at,
                    success: execution.success,
                    error: execution.error.clone(),
                    attempt: execution.attempt,
                })
                .collect(),
            retry_state: retries(state),
        };
        let empty = recovery.active_handlers.is_empty()
            && recovery.error_context.is_empty()
            && recovery.handler_execution_history.is_empty()
            && recovery.retry_state.is_empty();
        (!empty).then_some(recovery)
    }

    /// As sections; briefly only what is open.
    #[must_use]
    pub fn text(&self, now: DateTime<Utc>, depth: Depth, style: Style) -> String {
        let mut text = String::new();
        let verbose = depth == Depth::Verbose;
        let mut errors = Table::new(&["STEP", "ERROR", "CLASS", "ATTEMPT", "OUTCOME"]);
        for error in self.error_context.iter().filter(|error| verbose || error.goes_on.is_none()) {
            errors.row([
                error.step.as_str().into(),
                clip(&error.message, 80).into(),
                journal_word(&error.class).into(),
                error.attempt.to_string().into(),
                match error.goes_on {
                    None => "handlers at work",
                    Some(true) => "handled",
                    Some(false) => "not handled",
                }
                .into(),
            ]);
        }
        section(&mut text, "errors", &errors, style);
        let mut active = Table::new(&["HANDLER", "ID", "STRATEGY", "RUN"]);
        for handler in &self.active_handlers {
            active.row([
                handler.address.as_str().into(),
                clip(&handler.id, 40).into(),
                handler.strategy.as_str().into(),
                handler.attempt.to_string().into(),
            ]);
        }
        section(&mut text, "active handlers", &active, style);
        let mut retries = Table::new(&["STEP", "ATTEMPT", "DELAY", "LAST ERROR"]);
        for retry in &self.retry_state {
            retries.row([
                retry.step.as_str().into(),
                match retry.max_attempts {
                    Some(most) => format!("{} of {most}", retry.attempt).into(),
                    None => retry.attempt.to_string().into(),
                },
                duration_ms(retry.delay_ms).into(),
                clip(retry.last_error.as_deref().unwrap_or_default(), 80).into(),
            ]);
        }
        section(&mut text, "retries", &retries, style);
        if verbose {
            let mut history = Table::new(&["HANDLER", "ID", "RUN", "RESULT", "AGE", "ERROR"]);
            for execution in &self.handler_execution_history {
                let (word, ink) =
                    if execution.success { ("success", Ink::Good) } else { ("failed", Ink::Bad) };
                history.row([
                    execution.address.as_str().into(),
                    clip(&execution.handler_id, 40).into(),
                    execution.attempt.to_string().into(),
                    Cell::inked(ink, word),
                    age(execution.executed_at, now).into(),
                    clip(execution.error.as_deref().unwrap_or_default(), 80).into(),
                ]);
            }
            section(&mut text, "handler history", &history, style);
            if let Some(correlation_id) = &self.correlation_id {
                let _ = writeln!(text, "correlation id {}", line(correlation_id));
            }
        }
        text
    }
}

impl ErrorContext {
    fn of(error: &RaisedError) -> Self {
        Self {
            step: error.step.clone(),
            message: error.failure.message.shown(),
            class: error.failure.class,
            attempt: error.attempt,
            timestamp: error.at,
            correlation_id: error.correlation_id.clone(),
            goes_on: error.settled,
        }
    }
}

fn retries(state: &SessionState) -> Vec<Retry> {
    let planned = state.standing.records().filter_map(|(address, record)| {
        let plan = record.retry.as_ref()?;
        let failure = record.latest_report().and_then(|report| report.failure.as_ref());
        Some(Retry {
            step: address.clone(),
            attempt: plan.attempt,
            max_attempts: record.max_attempts,
            delay_ms: plan.delay_ms,
            last_error: failure.map(|failure| failure.message.shown()),
        })
    });
    planned.collect()
}

fn section(text: &mut String, heading: &str, table: &Table, style: Style) {
    let rows = table.text(2, style);
    if !rows.is_empty() {
        let _ = write!(text, "{heading}\n{rows}");
    }
}

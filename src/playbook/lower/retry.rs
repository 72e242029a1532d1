//! `retry:` in all its shapes, `retry_defaults:`, and how the two come together (SPEC 3.3, DECISIONS B6, B24).

use std::time::Duration;

use super::action::single_command;
use super::handler::fallback_handler;
use crate::playbook::failure::{Backoff, HandlerSet, Retry, RetryExhausted, RetryOn};
use crate::playbook::model::{Action, Step};
use crate::playbook::reading::{Field, Fields, Reader};
use crate::playbook::yaml::Kind;
use crate::session::FailureClass;

/// Runs in all when a `retry` mapping does not say.
const DEFAULT_ATTEMPTS: u32 = 3;
const DEFAULT_DELAY: Duration = Duration::from_secs(1);
const DEFAULT_MAX_DELAY: Duration = Duration::from_secs(30);
const DEFAULT_FACTOR: f64 = 2.0;
/// The share of a delay that `jitter: true` makes random.
const DEFAULT_JITTER: f64 = 0.3;

/// What one `retry:` or `retry_defaults:` says; the rest is open.
#[derive(Debug, Clone, Default)]
pub struct RetryFields {
    attempts: Option<u32>,
    backoff: Option<Growth>,
    initial_delay: Option<Duration>,
    max_delay: Option<Duration>,
    jitter: Option<f64>,
    retry_on: Option<Vec<RetryOn>>,
    budget: Option<Duration>,
    on_failure: Option<RetryExhausted>,
    fallback: Option<Box<Step>>,
}

#[derive(Debug, Clone, Copy)]
enum Growth {
    Fixed,
    Linear(Option<Duration>),
    Exponential(Option<f64>),
    Fibonacci,
}

const BACKOFFS: [(&str, Growth); 4] = [
    ("fixed", Growth::Fixed),
    ("linear", Growth::Linear(None)),
    ("exponential", Growth::Exponential(None)),
    ("fibonacci", Growth::Fibonacci),
];

const EXHAUSTED: [(&str, RetryExhausted); 3] = [
    ("stop", RetryExhausted::Stop),
    ("continue", RetryExhausted::Continue),
    ("fallback", RetryExhausted::Fallback),
];

/// How classes of failures are spelt.
pub const CLASSES: [(&str, FailureClass); 15] = [
    ("network", FailureClass::Network),
    ("timeout", FailureClass::Timeout),
    ("rate_limit", FailureClass::RateLimit),
    ("server_error", FailureClass::ServerError),
    ("lint", FailureClass::Lint),
    ("test", FailureClass::Test),
    ("build", FailureClass::Build),
    ("auth", FailureClass::Auth),
    ("permission", FailureClass::Permission),
    ("missing_tool", FailureClass::MissingTool),
    ("out_of_memory", FailureClass::OutOfMemory),
    ("disk_full", FailureClass::DiskFull),
    ("merge_conflict", FailureClass::MergeConflict),
    ("corrupt_state", FailureClass::CorruptState),
    ("unknown", FailureClass::Unknown),
];

/// What a `retry:` field says.
pub fn fields(reader: &Reader, field: Field<'_>) -> Option<RetryFields> {
    if Kind::of(field.value) != Kind::Map {
        let retries = match Kind::of(field.value) {
            Kind::Number | Kind::Text => reader.small_count(field, 0)?,
            _ => {
                reader.wrong_kind(field, "a number of retries, or a mapping");
                return None;
            }
        };
        let attempts = Some(retries.saturating_add(1));
        return Some(RetryFields { attempts, ..RetryFields::default() });
    }
    let mut fields = Fields::open(reader, field.value, "`retry`")?;
    let mut retry = RetryFields {
        attempts: fields
            .take_either("attempts", "max_attempts")
            .and_then(|field| reader.small_count(field, 1)),
        ..RetryFields::default()
    };
    if let Some(field) = fields.take("backoff") {
        backoff(reader, field, &mut retry);
    }
    let delay = fields.take("initial_delay").and_then(|field| reader.duration_or_zero(field));
    retry.initial_delay = delay.or(retry.initial_delay);
    let delay = fields.take("max_delay").and_then(|field| reader.duration_or_zero(field));
    retry.max_delay = delay.or(retry.max_delay);
    retry.jitter = jitter(reader, &mut fields);
    retry.retry_on = fields.take("retry_on").map(|field| retry_on(reader, field));
    retry.budget = fields.take("retry_budget").and_then(|field| reader.duration(field));
    if let Some(field) = fields.take("on_failure") {
        exhausted(reader, field, &mut retry);
    }
    fields.finish();
    Some(retry)
}

/// What `retry: {}` means.
pub fn usual() -> Retry {
    RetryFields::default().completed(None)
}

/// The retry of a stage, a handler or an item, which no defaults reach.
pub fn retry(reader: &Reader, field: Field<'_>) -> Option<Retry> {
    let fields = fields(reader, field)?;
    if fields.fallback.is_some() {
        reader.error_with_help(
            field.key,
            "`fallback` with a command is only for steps",
            "write it under `on_failure:` with `strategy: fallback`",
        );
    }
    Some(fields.completed(None))
}

/// Gives a step its own retry, the open parts filled from `retry_defaults`.
pub fn retry_of_step(reader: &Reader, field: Field<'_>, step: &mut Step) {
    let Some(mut fields) = fields(reader, field) else { return };
    if let Some(fallback) = fields.fallback.take() {
        if step.on_failure.is_some() {
            reader.error(field.key, "`fallback` here and `on_failure` of the step say two things");
        }
        let handler = fallback_handler(reader, field.value, *fallback);
        step.on_failure = Some(HandlerSet { handlers: vec![handler], ignore: false });
    }
    step.retry = Some(fields.completed(reader.retry_defaults.get()));
}

/// The retry of a step that has none of its own: `retry_defaults`, for steps that run a
/// command. Loops and goals hold such steps and are not repeated on top of them.
pub fn default_of(reader: &Reader, action: &Action) -> Option<Retry> {
    let defaults = reader.retry_defaults.get()?;
    match action {
        Action::Shell(_) | Action::Claude(_) | Action::WriteFile(_) => {
            Some(defaults.clone().completed(None))
        }
        Action::GoalSeek(_) | Action::Foreach(_) => None,
    }
}

impl RetryFields {
    /// A command that `retry_defaults` cannot hold, because handlers belong to one step.
    pub fn has_fallback(&self) -> bool {
        self.fallback.is_some()
    }

    fn completed(self, defaults: Option<&RetryFields>) -> Retry {
        let nothing = RetryFields::default();
        let defaults = defaults.unwrap_or(&nothing);
        let initial_delay = self.initial_delay.or(defaults.initial_delay).unwrap_or(DEFAULT_DELAY);
        let max_delay = self.max_delay.or(defaults.max_delay).unwrap_or(DEFAULT_MAX_DELAY);
        let growth = self.backoff.or(defaults.backoff).unwrap_or(Growth::Exponential(None));
        Retry {
            attempts: self.attempts.or(defaults.attempts).unwrap_or(DEFAULT_ATTEMPTS),
            backoff: match growth {
                Growth::Fixed => Backoff::Fixed,
                Growth::Linear(increment) => {
                    Backoff::Linear { increment: increment.unwrap_or(initial_delay) }
                }
                Growth::Exponential(factor) => {
                    Backoff::Exponential { factor: factor.unwrap_or(DEFAULT_FACTOR) }
                }
                Growth::Fibonacci => Backoff::Fibonacci,
            },
            initial_delay,
            max_delay: max_delay.max(initial_delay),
            jitter: self.jitter.or(defaults.jitter).unwrap_or(0.0),
            retry_on: self.retry_on.or_else(|| defaults.retry_on.clone()).unwrap_or_default(),
            budget: self.budget.or(defaults.budget),
            on_failure: self.on_failure.or(defaults.on_failure).unwrap_or(RetryExhausted::Stop),
        }
    }
}

/// `backoff: exponential`, or `backoff: {exponential: {initial, max, factor}}`.
fn backoff(reader: &Reader, field: Field<'_>, retry: &mut RetryFields) {
    let Some(entries) = field.value.entries() else {
        retry.backoff = reader.choice(field, &BACKOFFS);
        return;
    };
    if field.value.entry("type").is_some()
        && let Some(mut fields) = Fields::open(reader, field.value, "`backoff`")
    {
        if let Some(growth) = fields.take("type").and_then(|field| reader.choice(field, &BACKOFFS))
        {
            growth_options(reader, growth, fields, retry);
        }
        return;
    }
    let [entry] = entries else {
        reader.error_with_help(
            field.value,
            "`backoff` names one way to grow",
            "for example `backoff: {exponential: {factor: 2}}`",
        );
        return;
    };
    let Some((name, growth)) = BACKOFFS.iter().find(|(name, _)| *name == entry.name).copied()
    else {
        let names: Vec<&str> = BACKOFFS.iter().map(|(name, _)| *name).collect();
        let message = format!("unknown backoff `{}`", entry.name);
        reader.error_with_help(&entry.key, message, format!("one of: {}", names.join(", ")));
        return;
    };
    retry.backoff = Some(growth);
    if Kind::of(&entry.value) == Kind::Null {
        return;
    }
    let inner = Field { name, key: &entry.key, value: &entry.value };
    if Kind::of(&entry.value) != Kind::Map {
        reader.wrong_kind(inner, "a mapping");
        return;
    }
    if let Some(fields) = Fields::open(reader, &entry.value, "`backoff`") {
        growth_options(reader, growth, fields, retry);
    }
}

/// `initial`, `max` and what else belongs to this way to grow.
fn growth_options(
    reader: &Reader,
    mut growth: Growth,
    mut fields: Fields<'_>,
    retry: &mut RetryFields,
) {
    let mut initial = fields.take_either("initial", "initial_delay");
    if matches!(growth, Growth::Fixed)
        && let Some(delay) = fields.take("delay")
        && let Some(other) = initial.replace(delay)
    {
        let message = format!("`{}` says again what `delay` is", other.name);
        reader.error_with_help(other.key, message, "keep `delay`");
    }
    retry.initial_delay = initial.and_then(|field| reader.duration_or_zero(field));
    retry.max_delay =
        fields.take_either("max", "max_delay").and_then(|field| reader.duration_or_zero(field));
    match &mut growth {
        Growth::Linear(increment) => {
            *increment = fields.take("increment").and_then(|field| reader.duration_or_zero(field));
        }
        Growth::Exponential(factor) => {
            let given = ["factor", "base", "multiplier"].map(|name| fields.take(name));
            let mut given = given.into_iter().flatten();
            *factor = given.next().and_then(|field| reader.number(field, 1.0, 1000.0));
            if let Some(second) = given.next() {
                let message = format!("`{}` says again what the factor is", second.name);
                reader.error_with_help(second.key, message, "keep `factor`");
            }
        }
        Growth::Fixed | Growth::Fibonacci => {}
    }
    retry.backoff = Some(growth);
    fields.finish();
}

/// `jitter: true`, `jitter: 0.2`, or `jitter: true` with the older `jitter_factor`.
fn jitter(reader: &Reader, fields: &mut Fields<'_>) -> Option<f64> {
    let jitter = fields.take("jitter");
    let factor = fields.take("jitter_factor");
    if let (None, Some(field)) = (jitter, factor) {
        let message = "`jitter_factor` has no effect alone";
        reader.error_with_help(field.key, message, "write `jitter: 0.3`");
    }
    let factor = factor.and_then(|field| reader.number(field, 0.0, 1.0));
    let field = jitter?;
    match Kind::of(field.value) {
        Kind::Number => reader.number(field, 0.0, 1.0),
        _ => reader.flag(field).map(|on| if on { factor.unwrap_or(DEFAULT_JITTER) } else { 0.0 }),
    }
}

fn retry_on(reader: &Reader, field: Field<'_>) -> Vec<RetryOn> {
    match field.value.items() {
        Some([]) => {
            reader.error_with_help(
                field.value,
                "`retry_on` is empty",
                "remove it to retry every failure",
            );
            Vec::new()
        }
        Some(items) => {
            items.iter().filter_map(|item| retry_on_entry(reader, field.member(item))).collect()
        }
        None => retry_on_entry(reader, field).into_iter().collect(),
    }
}

fn retry_on_entry(reader: &Reader, field: Field<'_>) -> Option<RetryOn> {
    if Kind::of(field.value) == Kind::Map {
        let mut fields = Fields::open(reader, field.value, "`retry_on`")?;
        let pattern = fields.take("pattern").and_then(|field| pattern(reader, field));
        fields.finish();
        return pattern.map(RetryOn::Pattern);
    }
    let text = reader.text(field)?;
    if let Ok(code) = text.parse::<i32>() {
        if !(1..=255).contains(&code) {
            reader.error(
                field.value,
                format!("`retry_on` names exit codes from 1 to 255, not {code}"),
            );
            return None;
        }
        return Some(RetryOn::ExitCode(code));
    }
    reader.choice(field, &CLASSES).map(RetryOn::Class)
}

fn pattern(reader: &Reader, field: Field<'_>) -> Option<String> {
    let text = reader.filled_text(field)?;
    match regex::Regex::new(text) {
        Ok(_) => Some(text.to_owned()),
        Err(error) => {
            let error = error.to_string();
            let reason =
                error.lines().last().unwrap_or_default().trim().trim_start_matches("error: ");
            reader.error(field.value, format!("`pattern` is no regular expression: {reason}"));
            None
        }
    }
}

/// `on_failure: stop|continue|fallback`, or the older `{fallback: {command}}`.
fn exhausted(reader: &Reader, field: Field<'_>, retry: &mut RetryFields) {
    if Kind::of(field.value) != Kind::Map {
        retry.on_failure = reader.choice(field, &EXHAUSTED);
        return;
    }
    let Some(mut fields) = Fields::open(reader, field.value, "`on_failure` of `retry`") else {
        return;
    };
    if let Some(field) = fields.take("fallback")
        && let Some(mut inner) = Fields::open(reader, field.value, "`fallback`")
    {
        retry.on_failure = Some(RetryExhausted::Fallback);
        retry.fallback = single_command(reader, &mut inner, "fallback").map(Box::new);
        inner.finish();
    }
    fields.finish();
}

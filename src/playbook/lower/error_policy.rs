//! `error_policy:`: what failures of items mean (SPEC 3.4, DECISIONS B24, B40).

use std::num::NonZeroU32;

use super::retry;
use crate::playbook::failure::{Retry, RetryExhausted};
use crate::playbook::mapreduce::{BreakerLimits, ErrorCollection, ErrorPolicy, OnItemFailure};
use crate::playbook::reading::{Field, Fields, Reader};
use crate::playbook::yaml::Kind;

/// Its keys, which may also stand at top level.
pub const KEYS: [&str; 7] = [
    "on_item_failure",
    "continue_on_failure",
    "max_failures",
    "failure_threshold",
    "circuit_breaker",
    "error_collection",
    "retry_config",
];

/// What `on_item_failure` may say. `retry` is what `dlq` is after the retries.
const ANSWERS: [(&str, (OnItemFailure, Again)); 4] = [
    ("dlq", (OnItemFailure::Dlq, Again::AsConfigured)),
    ("retry", (OnItemFailure::Dlq, Again::Always)),
    ("skip", (OnItemFailure::Skip, Again::AsConfigured)),
    ("stop", (OnItemFailure::Stop, Again::AsConfigured)),
];

/// Whether an item that failed runs again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Again {
    /// As `retry` or `retry_config` say.
    AsConfigured,
    /// Also when nothing is said about how.
    Always,
}

/// A retry of items, with the field that asks for it.
pub type AskedRetry<'n> = (Field<'n>, Retry);

/// The policy, and the retry of items that it asks for.
pub fn error_policy<'n>(
    reader: &'n Reader,
    outer: &mut Fields<'n>,
) -> (ErrorPolicy, Option<AskedRetry<'n>>) {
    let Some(field) = outer.take("error_policy") else { return policy(reader, outer) };
    for name in KEYS {
        let message = format!("`{name}` stands beside `error_policy`");
        outer.refuse(name, message, "put it under `error_policy:`");
    }
    let Some(mut fields) = Fields::open(reader, field.value, "`error_policy`") else {
        return (ErrorPolicy::default(), None);
    };
    let policy = policy(reader, &mut fields);
    fields.finish();
    policy
}

fn policy<'n>(
    reader: &'n Reader,
    fields: &mut Fields<'n>,
) -> (ErrorPolicy, Option<AskedRetry<'n>>) {
    let mut policy = ErrorPolicy::default();
    let answer = fields.take("on_item_failure");
    let chosen = answer.and_then(|field| reader.choice(field, &ANSWERS));
    policy.on_item_failure = chosen.map_or(policy.on_item_failure, |(chosen, _)| chosen);
    if let Some(field) = fields.take("continue_on_failure") {
        policy.continue_on_failure = reader.flag(field).unwrap_or(true);
    }
    policy.max_failures = fields.take("max_failures").and_then(|field| reader.count(field, 0));
    policy.failure_threshold =
        fields.take("failure_threshold").and_then(|field| share(reader, field));
    policy.circuit_breaker =
        fields.take("circuit_breaker").and_then(|field| circuit_breaker(reader, field));
    if let Some(field) = fields.take("error_collection") {
        policy.error_collection = collection(reader, field).unwrap_or(policy.error_collection);
    }
    let config = fields.take("retry_config");
    let retry = match (config, answer, chosen) {
        (Some(field), ..) => item_retry(reader, field).map(|retry| (field, retry)),
        (None, Some(field), Some((_, Again::Always))) => Some((field, retry::usual())),
        _ => None,
    };
    (policy, retry)
}

/// The retry of an item as a whole. What follows the last attempt is not its business.
pub fn item_retry(reader: &Reader, field: Field<'_>) -> Option<Retry> {
    let retry = retry::retry(reader, field)?;
    if retry.on_failure != RetryExhausted::Stop {
        reader.error_with_help(
            field.key,
            format!("`on_failure` of `{}` is only for steps and stages", field.name),
            "what follows for an item is said by `on_item_failure`",
        );
    }
    Some(retry)
}

/// A share from 0 to 1; per cent are told how to write it.
fn share(reader: &Reader, field: Field<'_>) -> Option<f64> {
    let text = field.value.text().unwrap_or_default();
    match text.trim_end_matches('%').trim().parse::<f64>() {
        Ok(number) if number > 1.0 && number <= 100.0 => {
            let message = format!("`{}` must be a share from 0 to 1, not `{text}`", field.name);
            let help = format!("did you mean `{}`?", number / 100.0);
            reader.error_with_help(field.value, message, help);
            None
        }
        _ => reader.number(field, 0.0, 1.0),
    }
}

fn circuit_breaker(reader: &Reader, field: Field<'_>) -> Option<BreakerLimits> {
    let mut fields = Fields::open(reader, field.value, "`circuit_breaker`")?;
    let usual = BreakerLimits::default();
    let mut count = |name: &'static str, usual: NonZeroU32| {
        let count = fields.take(name).and_then(|field| reader.small_count(field, 1));
        count.and_then(NonZeroU32::new).unwrap_or(usual)
    };
    let failure_threshold = count("failure_threshold", usual.failure_threshold);
    let success_threshold = count("success_threshold", usual.success_threshold);
    let half_open_requests = count("half_open_requests", usual.half_open_requests);
    let timeout = fields.take("timeout").and_then(|field| reader.duration(field));
    fields.finish();
    Some(BreakerLimits {
        failure_threshold,
        success_threshold,
        timeout: timeout.unwrap_or(usual.timeout),
        half_open_requests,
    })
}

/// `aggregate`, `immediate`, `batched:5`, `{batched: 5}` or `{batched: {size: 5}}`.
fn collection(reader: &Reader, field: Field<'_>) -> Option<ErrorCollection> {
    const WORDS: [(&str, ErrorCollection); 2] =
        [("aggregate", ErrorCollection::Aggregate), ("immediate", ErrorCollection::Immediate)];
    if Kind::of(field.value) == Kind::Map {
        let mut fields = Fields::open(reader, field.value, "`error_collection`")?;
        let batched = fields.take("batched");
        if batched.is_none() && field.value.entry("batched").is_none() {
            reader.error_with_help(field.key, "`error_collection` has no `batched`", SPELLINGS);
        }
        fields.finish();
        return batched.and_then(|field| batch(reader, field));
    }
    let text = reader.text(field)?;
    let Some(size) = text.strip_prefix("batched") else {
        if let Some((_, word)) = WORDS.iter().find(|(word, _)| *word == text) {
            return Some(*word);
        }
        let message = format!("`error_collection` cannot be `{text}`");
        reader.error_with_help(field.value, message, SPELLINGS);
        return None;
    };
    let size = size.strip_prefix(':').and_then(|size| size.trim().parse::<NonZeroU32>().ok());
    if size.is_none() {
        let message = format!("`error_collection: {text}` has no size");
        reader.error_with_help(field.value, message, "write `batched:5` for every 5 errors");
    }
    size.map(ErrorCollection::Batched)
}

const SPELLINGS: &str = "write `aggregate`, `immediate` or `batched:5`";

/// `5` or `{size: 5}`.
fn batch(reader: &Reader, field: Field<'_>) -> Option<ErrorCollection> {
    let mut size = Some(field);
    if Kind::of(field.value) == Kind::Map {
        let mut fields = Fields::open(reader, field.value, "`batched`")?;
        size = fields.take("size");
        if size.is_none() && field.value.entry("size").is_none() {
            reader.error(field.key, "`batched` has no `size`");
        }
        fields.finish();
    }
    let size = size.and_then(|field| reader.small_count(field, 1));
    size.and_then(NonZeroU32::new).map(ErrorCollection::Batched)
}

//! `retry` and `retry_defaults`.

use std::time::Duration;

use super::{refuses, says, step, steps};
use crate::playbook::failure::{Backoff, Retry, RetryExhausted, RetryOn, Strategy};
use crate::session::FailureClass;

fn retry(text: &str) -> Retry {
    step(&format!("- shell: a\n  retry: {text}\n")).retry.unwrap()
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_number_counts_the_runs_after_the_first() {
    assert_eq!(retry("3").attempts, 4);
    assert_eq!(retry("\"3\"").attempts, 4);
    assert_eq!(retry("0").attempts, 1);
    assert_eq!(retry("{attempts: 3}").attempts, 3);
    refuses("- shell: a\n  retry: {attempts: 0}\n", "2:21 `attempts` must be at least 1, not 0");
    refuses(
        "- shell: a\n  retry: true\n",
        "2:10 `retry` must be a number of retries, or a mapping, not a boolean",
    );
}

#[test]
fn everything_that_is_not_said_has_a_value() {
    let retry = retry("{attempts: 2}");
    assert_eq!(retry.backoff, Backoff::Exponential { factor: 2.0 });
    assert_eq!((retry.initial_delay, retry.max_delay), (SECOND, 30 * SECOND));
    assert_eq!((retry.jitter, retry.budget, retry.on_failure), (0.0, None, RetryExhausted::Stop));
    assert!(retry.retry_on.is_empty());
}

#[test]
fn backoff_has_many_shapes() {
    let backoff = |text: &str| retry(&format!("{{backoff: {text}}}")).backoff;
    assert_eq!(backoff("fixed"), Backoff::Fixed);
    assert_eq!(backoff("linear"), Backoff::Linear { increment: SECOND });
    assert_eq!(backoff("{linear: {increment: 3s}}"), Backoff::Linear { increment: 3 * SECOND });
    assert_eq!(backoff("{exponential: {base: 3}}"), Backoff::Exponential { factor: 3.0 });
    assert_eq!(backoff("{type: exponential, base: 3}"), Backoff::Exponential { factor: 3.0 });
    assert_eq!(backoff("fibonacci"), Backoff::Fibonacci);
    let whole = retry("{backoff: {fibonacci: {initial: 2s, max: 9s}}}");
    assert_eq!((whole.initial_delay, whole.max_delay), (2 * SECOND, 9 * SECOND));
    refuses("- shell: a\n  retry: {backoff: {custom: {}}}\n", "2:21 unknown backoff `custom`");
    says(
        "- shell: a\n  retry: {backoff: exponentail}\n",
        &["2:20 `backoff` cannot be `exponentail` (did you mean `exponential`?)"],
    );
}

#[test]
fn retry_on_names_classes_codes_and_patterns() {
    let entries = retry("{retry_on: [network, 75, \"2\", {pattern: 'refused$'}]}").retry_on;
    assert_eq!(
        entries,
        [
            RetryOn::Class(FailureClass::Network),
            RetryOn::ExitCode(75),
            RetryOn::ExitCode(2),
            RetryOn::Pattern("refused$".to_owned()),
        ]
    );
    says(
        "- shell: a\n  retry: {retry_on: [netwrk, {pattern: '('}]}\n",
        &[
            "2:22 `retry_on` cannot be `netwrk` (did you mean `network`?)",
            "2:40 `pattern` is no regular expression: unclosed group",
        ],
    );
}

#[test]
fn jitter_is_a_share() {
    assert_eq!(retry("{jitter: true}").jitter, 0.3);
    assert_eq!(retry("{jitter: 0.1}").jitter, 0.1);
    assert_eq!(retry("{jitter: true, jitter_factor: 0.25}").jitter, 0.25);
    assert_eq!(retry("{jitter: false}").jitter, 0.0);
    refuses(
        "- shell: a\n  retry: {jitter: 3}\n",
        "2:19 `jitter` must be a number from 0 to 1, not `3`",
    );
}

#[test]
fn a_fallback_command_becomes_a_handler() {
    let step =
        step("- shell: a\n  retry_config: {attempts: 2, on_failure: {fallback: {command: b}}}\n");
    assert_eq!(step.retry.unwrap().on_failure, RetryExhausted::Fallback);
    let handler = &step.on_failure.unwrap().handlers[0];
    assert!(matches!(handler.strategy, Strategy::Fallback));
    assert_eq!(handler.steps.len(), 1);
}

#[test]
fn defaults_fill_what_a_step_leaves_open() {
    let steps = steps(
        "retry_defaults: {attempts: 5, backoff: fixed, max_delay: 60s}
commands:
  - shell: a
  - shell: b
    retry: {attempts: 2}
  - shell: c
    retry: 0
  - foreach: [x]
    do: [d]
",
    );
    let all: Vec<Option<(u32, Backoff)>> =
        steps.iter().map(|step| step.retry.as_ref().map(|r| (r.attempts, r.backoff))).collect();
    let fixed = |attempts| Some((attempts, Backoff::Fixed));
    assert_eq!(all, [fixed(5), fixed(2), fixed(1), None]);
}

#[test]
fn two_spellings_are_not_given_at_once() {
    refuses(
        "- shell: a\n  retry: 1\n  retry_config: 2\n",
        "3:3 `retry_config` and `retry` mean the same",
    );
}

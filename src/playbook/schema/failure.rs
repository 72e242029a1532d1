//! Retries and failure handlers (SPEC 3.3 `retry`, section 6).

use serde_json::{Value, json};

use super::build::{
    any, choice, described, duration, flag, list, mapping, matching, not_both, number, reference,
    requires, text, whole,
};

/// The definitions of this file, by name.
pub(super) fn definitions() -> Vec<(&'static str, Value)> {
    vec![
        ("retry", retry()),
        ("backoff", backoff()),
        ("on_failure", on_failure()),
        ("handler", handler()),
        ("strategy", strategy()),
    ]
}

fn retry() -> Value {
    let keys = vec![
        ("attempts", whole("Runs in all.", 1)),
        ("max_attempts", whole("Same as `attempts`.", 1)),
        ("backoff", reference("backoff", "How the delays grow (default exponential).")),
        ("initial_delay", reference("delay", "The first delay.")),
        ("max_delay", reference("delay", "No delay is longer.")),
        (
            "jitter",
            any(
                "Shorten each delay by a random part.",
                vec![flag("Use the default share."), number("The share, 0 to 1.", 0.0, Some(1.0))],
            ),
        ),
        ("jitter_factor", number("The share of `jitter: true`, 0 to 1.", 0.0, Some(1.0))),
        (
            "retry_on",
            any(
                "Which failures are retried; all when it is left out.",
                vec![
                    failure_kind(),
                    described(json!({ "type": "array", "items": failure_kind() }), "Any of these."),
                ],
            ),
        ),
        ("retry_budget", duration("No retry starts after this much time since the first attempt.")),
        (
            "on_failure",
            choice(
                "When the attempts are used up: fail (default), go on, or let `on_failure` of the step stand in.",
                &["stop", "continue", "fallback"],
            ),
        ),
    ];
    let policy = not_both(mapping("When and how often.", keys), &[["attempts", "max_attempts"]]);
    any(
        "Run it again when it fails: a number of retries after the first run, or a mapping.",
        vec![whole("Retries after the first run.", 0), policy],
    )
}

fn failure_kind() -> Value {
    let classes = choice(
        "A class of failure.",
        &[
            "network",
            "timeout",
            "rate_limit",
            "server_error",
            "lint",
            "test",
            "build",
            "auth",
            "permission",
            "missing_tool",
            "out_of_memory",
            "disk_full",
            "merge_conflict",
            "corrupt_state",
            "unknown",
        ],
    );
    let code =
        described(json!({ "type": "integer", "minimum": 1, "maximum": 255 }), "An exit code.");
    let pattern = mapping(
        "A regular expression over message and output.",
        vec![("pattern", text("The expression."))],
    );
    any(
        "A class, an exit code, or a pattern.",
        vec![classes, code, requires(pattern, &["pattern"])],
    )
}

fn backoff() -> Value {
    let delay = |description| reference("delay", description);
    let shape = |key: &'static str, inner: Value| {
        requires(mapping("A shape with its numbers.", vec![(key, inner)]), &[key])
    };
    let exponential = mapping(
        "Multiplied each time.",
        vec![
            ("initial", delay("The first delay.")),
            ("max", delay("No delay is longer.")),
            ("factor", number("The factor (default 2).", 1.0, None)),
            ("base", number("Same as `factor`.", 1.0, None)),
        ],
    );
    let linear = mapping(
        "Grows by the same each time.",
        vec![
            ("initial", delay("The first delay.")),
            ("increment", delay("What is added.")),
            ("max", delay("No delay is longer.")),
        ],
    );
    let plain = |description| {
        mapping(
            description,
            vec![("initial", delay("The first delay.")), ("max", delay("No delay is longer."))],
        )
    };
    any(
        "How the delay grows from attempt to attempt.",
        vec![
            choice("The shape.", &["fixed", "linear", "exponential", "fibonacci"]),
            shape("exponential", exponential),
            shape("linear", linear),
            shape("fixed", plain("Always the same.")),
            shape("fibonacci", plain("1, 1, 2, 3, 5 … times the first delay.")),
        ],
    )
}

fn on_failure() -> Value {
    let several = mapping(
        "Several handlers; they are tried until one succeeds.",
        vec![("handlers", list("The handlers.", reference("handler", "One handler.")))],
    );
    any(
        "What to do about a failure.",
        vec![
            flag("`true` ignores it, `false` lets it fail."),
            described(
                json!({ "type": "string", "not": { "enum": ["continue", "ignore", "stop", "skip", "abort", "fail"] } }),
                "A shell command, or a Claude command when it begins with `/`.",
            ),
            reference("steps", "Steps of one handler."),
            reference("handler", "One handler."),
            requires(several, &["handlers"]),
        ],
    )
}

fn handler() -> Value {
    let commands = vec![
        ("shell", text("A shell command; it sees `error.*`.")),
        ("claude", text("A prompt; it sees `error.*`. After `shell` when both are given.")),
        ("commands", reference("commands", "Steps.")),
        ("steps", reference("commands", "Same as `commands`.")),
    ];
    let choosing = vec![
        ("id", matching("Its name: `${ID.output}`.", "^[A-Za-z_][A-Za-z0-9_-]*$")),
        ("when", reference("condition", "Only for failures for which this is true.")),
        ("condition", reference("condition", "Same as `when`.")),
        (
            "priority",
            described(
                json!({ "type": "integer" }),
                "Higher is tried first; then the order of the file.",
            ),
        ),
        (
            "scope",
            choice(
                "Only for failures that come from there.",
                &["command", "step", "phase", "workflow"],
            ),
        ),
    ];
    let meaning = vec![
        ("strategy", reference("strategy", "What its success means (default recovery).")),
        (
            "max_attempts",
            whole("Runs of the original in all; more than 1 runs it again after the handler.", 1),
        ),
        ("max_retries", whole("Runs of the original after the first one.", 0)),
        ("retry_original", flag("Run the original again after the handler succeeded.")),
        (
            "fail_workflow",
            flag(
                "`true`: the failure goes on even when the handler succeeded; `false`: it is recorded and the workflow \
             goes on; left out: a failure that stays goes to the handlers around.",
            ),
        ),
        ("handler_failure_fatal", flag("When this handler fails, no other one is tried.")),
        ("commit_required", flag("HEAD must have moved.")),
        ("timeout", duration("Time for all its steps together.")),
        ("retry", reference("retry", "Run the handler again when it fails.")),
        ("capture", matching("Give its output this name.", "^[A-Za-z_][A-Za-z0-9_-]*$")),
        ("on_failure", reference("on_failure", "What to do when the handler fails.")),
        ("on_success", reference("commands", "Steps after it succeeded.")),
    ];
    let of_strategies = vec![
        ("delay", reference("delay", "For `retry`: the delay before the original runs again.")),
        (
            "from_step",
            any(
                "For `partial_resume`: where to go back to.",
                vec![text("The id of the step."), whole("Its number, from 1.", 1)],
            ),
        ),
        ("message", text("For `intervene`: what the person reads.")),
        ("cleanup", reference("commands", "For `abort`: steps before the failure goes on.")),
    ];
    let keys = [commands, choosing, meaning, of_strategies].concat();
    not_both(
        mapping("One handler: steps, when they run, and what their success means.", keys),
        &[["max_attempts", "max_retries"], ["when", "condition"], ["commands", "steps"]],
    )
}

fn strategy() -> Value {
    let shape = |key: &'static str, keys: Vec<(&str, Value)>| {
        let inner = mapping("What it needs.", keys);
        requires(mapping("A strategy with what it needs.", vec![(key, inner)]), &[key])
    };
    any(
        "What the handler's success means.",
        vec![
            choice(
                "recovery: repaired, go on. retry: run the original again. fallback: the handler's result stands in. \
             partial_resume: go back to an earlier step. intervene: wait for a person. abort: clean up, then fail.",
                &[
                    "recovery",
                    "retry",
                    "fallback",
                    "partial_resume",
                    "intervene",
                    "abort",
                    "cleanup",
                    "custom",
                ],
            ),
            shape(
                "retry",
                vec![
                    ("delay", reference("delay", "The delay before the original runs again.")),
                    ("max_attempts", whole("Runs of the original in all.", 1)),
                ],
            ),
            shape(
                "partial_resume",
                vec![(
                    "from_step",
                    any(
                        "Where to go back to.",
                        vec![text("The id of the step."), whole("Its number, from 1.", 1)],
                    ),
                )],
            ),
            shape("intervene", vec![("message", text("What the person reads."))]),
            shape(
                "abort",
                vec![("cleanup", reference("commands", "Steps before the failure goes on."))],
            ),
        ],
    )
}

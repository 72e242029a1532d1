//! Retries and failure handlers (SPEC 3.3 `retry`, section 6).

use serde_json::{Value, json};

use super::build::{
    any, choice, described, duration, flag, list, mapping, matching, not_both, number, period,
    reference, requires, text, whole,
};
use super::step::Keys;

/// The definitions of this file, by name.
pub(super) fn definitions() -> Keys {
    vec![
        ("retry", retry()),
        ("backoff", backoff()),
        ("on_failure", on_failure()),
        ("handler", handler()),
        ("strategy", strategy()),
    ]
}

fn delay(description: &str) -> Value {
    reference("delay", description)
}

fn retry() -> Value {
    let share = number("The share, 0 to 1.", 0.0, Some(1.0));
    let jitter = any("Shorten each delay by a random part.", vec![flag("As is usual."), share]);
    let several = described(
        json!({ "type": "array", "items": failure_kind(), "minItems": 1 }),
        "Any of these.",
    );
    let retry_on = "Which failures are retried; all when it is left out.";
    let budget = "No retry starts after this much time since the first attempt.";
    let keys = vec![
        ("attempts", whole("Runs in all.", 1)),
        ("max_attempts", whole("Same as `attempts`.", 1)),
        ("backoff", reference("backoff", "How the delays grow (default exponential).")),
        ("initial_delay", delay("The first delay.")),
        ("max_delay", delay("No delay is longer.")),
        ("jitter", jitter),
        ("jitter_factor", number("The share of `jitter: true`, 0 to 1.", 0.0, Some(1.0))),
        ("retry_on", any(retry_on, vec![failure_kind(), several])),
        ("retry_budget", period(budget)),
        ("on_failure", exhausted()),
    ];
    let policy = not_both(mapping("When and how often.", keys), &[["attempts", "max_attempts"]]);
    any(
        "Run it again when it fails: a number of retries after the first run, or a mapping.",
        vec![whole("Retries after the first run.", 0), policy],
    )
}

fn exhausted() -> Value {
    let keys = vec![
        ("shell", text("A command.")),
        ("command", text("Same as `shell`.")),
        ("claude", text("A prompt.")),
    ];
    let command = mapping("The command whose result stands in.", keys);
    let fallback = mapping("A command that stands in.", vec![("fallback", command)]);
    let word = "Fail (default), go on, or let `on_failure` of the step stand in.";
    any(
        "When the attempts are used up.",
        vec![choice(word, &["stop", "continue", "fallback"]), requires(fallback, &["fallback"])],
    )
}

/// A class of failure.
pub(super) fn class() -> Value {
    choice(
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
    )
}

fn failure_kind() -> Value {
    let code = json!({ "type": "integer", "minimum": 1, "maximum": 255 });
    let pattern = vec![("pattern", text("The expression."))];
    let pattern = mapping("A regular expression over message and output.", pattern);
    any(
        "A class, an exit code, or a pattern.",
        vec![class(), described(code, "An exit code."), requires(pattern, &["pattern"])],
    )
}

fn backoff() -> Value {
    let common = vec![
        ("initial", delay("The first delay.")),
        ("initial_delay", delay("Same as `initial`.")),
        ("max", delay("No delay is longer.")),
        ("max_delay", delay("Same as `max`.")),
    ];
    let shape = |name: &'static str, own: Keys| {
        let numbers = mapping("Its numbers.", [common.clone(), own].concat());
        let inner = any("Its numbers, or nothing.", vec![json!({ "type": "null" }), numbers]);
        requires(mapping("A shape with its numbers.", vec![(name, inner)]), &[name])
    };
    let factor = |description| number(description, 1.0, Some(1000.0));
    let exponential = vec![
        ("factor", factor("What it is multiplied with each time (default 2).")),
        ("base", factor("Same as `factor`.")),
        ("multiplier", factor("Same as `factor`.")),
    ];
    let fixed = vec![("delay", delay("Every delay."))];
    let linear = vec![("increment", delay("What is added each time."))];
    let name = || choice("The shape.", &["fixed", "linear", "exponential", "fibonacci"]);
    let all = [vec![("type", name())], common.clone(), fixed.clone(), linear.clone()].concat();
    let named = mapping("A shape by its name.", [all, exponential.clone()].concat());
    any(
        "How the delay grows from attempt to attempt.",
        vec![
            name(),
            requires(named, &["type"]),
            shape("fixed", fixed),
            shape("linear", linear),
            shape("exponential", exponential),
            shape("fibonacci", vec![]),
        ],
    )
}

/// Words that are options elsewhere; as a command they would do nothing (DECISIONS B2).
const WORDS: &[&str] =
    &["continue", "ignore", "skip", "pass", "stop", "abort", "fail", "none", "retry", "fallback"];

fn command() -> Value {
    described(
        json!({ "type": "string", "not": { "enum": WORDS } }),
        "A shell command, or a Claude command when it begins with `/`.",
    )
}

fn on_failure() -> Value {
    let one = any("One handler.", vec![command(), reference("handler", "With its options.")]);
    let several = vec![("handlers", list("The handlers.", one))];
    let several = mapping("Several handlers; they are tried until one succeeds.", several);
    any(
        "What to do about a failure.",
        vec![
            flag("`true` ignores it, `false` lets it fail."),
            command(),
            reference("steps", "Steps of one handler."),
            reference("handler", "One handler."),
            requires(several, &["handlers"]),
        ],
    )
}

fn handler() -> Value {
    let steps = vec![
        ("commands", reference("steps", "Its steps; they see `error.*`.")),
        ("steps", reference("steps", "Same as `commands`.")),
    ];
    // One command stands in the handler itself, with everything a step can say.
    let keys = [super::step::keys(), steps, choosing(), meaning(), of_strategies()].concat();
    let handler = mapping("One handler: steps, when they run, what their success means.", keys);
    not_both(
        handler,
        &[["max_attempts", "max_retries"], ["when", "condition"], ["commands", "steps"]],
    )
}

fn choosing() -> Keys {
    let scopes = ["command", "step", "phase", "workflow"];
    let priority = json!({ "type": ["integer", "string"], "pattern": "^-?[0-9]+$" });
    let order = "Higher is tried first; then the order of the file.";
    vec![
        ("id", matching("Its name: `${ID.output}`.", "^[A-Za-z_][A-Za-z0-9_-]*$")),
        ("when", reference("condition", "Only for failures for which this is true.")),
        ("condition", reference("condition", "Same as `when`.")),
        ("priority", described(priority, order)),
        ("scope", choice("Only for failures that come from there.", &scopes)),
    ]
}

fn meaning() -> Keys {
    let attempts = "Runs of the original in all; more than 1 runs it again after the handler.";
    let fail_workflow = "`true`: the failure goes on even when the handler succeeded; `false`: it \
                         is recorded and the workflow goes on; left out: a failure that stays \
                         goes to the handlers around.";
    vec![
        ("strategy", reference("strategy", "What its success means (default recovery).")),
        ("max_attempts", whole(attempts, 1)),
        ("max_retries", whole("Runs of the original after the first one.", 0)),
        ("retry_original", flag("Run the original again after the handler succeeded.")),
        ("fail_workflow", flag(fail_workflow)),
        ("handler_failure_fatal", flag("When this handler fails, no other one is tried.")),
        ("commit_required", flag("HEAD must have moved.")),
        ("timeout", duration("Time for all its steps together.")),
        ("retry", reference("retry", "Run the handler again when it fails.")),
        ("capture", matching("Give its output this name.", "^[A-Za-z_][A-Za-z0-9_-]*$")),
        ("on_failure", reference("on_failure", "What to do when the handler fails.")),
        ("on_success", reference("commands", "Steps after it succeeded.")),
    ]
}

fn of_strategies() -> Keys {
    vec![
        ("delay", delay("For `retry`: the delay before the original runs again.")),
        ("from_step", from_step()),
        ("message", text("For `intervene`: what the person reads.")),
        ("cleanup", reference("commands", "For `abort`: steps before the failure goes on.")),
    ]
}

fn from_step() -> Value {
    any(
        "For `partial_resume`: the step to go back to.",
        vec![text("The id of the step."), whole("Its number, from 1.", 1)],
    )
}

fn strategy() -> Value {
    let shape = |name: &'static str, own: Keys| {
        let attempts = vec![("max_attempts", whole("Runs of the original in all.", 1))];
        let inner = mapping("What it needs.", [attempts, own].concat());
        requires(mapping("A strategy with what it needs.", vec![(name, inner)]), &[name])
    };
    let cleanup = reference("commands", "Steps before the failure goes on.");
    let names = [
        "recovery",
        "retry",
        "fallback",
        "partial_resume",
        "intervene",
        "abort",
        "cleanup",
        "custom",
    ];
    any(
        "What the handler's success means.",
        vec![
            choice(
                "recovery: repaired, go on. retry: run the original again. fallback: the \
                 handler's result stands in. partial_resume: go back to an earlier step. \
                 intervene: wait for a person. abort: clean up, then fail.",
                &names,
            ),
            shape("retry", vec![("delay", delay("Before the original runs again."))]),
            shape("partial_resume", vec![("from_step", from_step())]),
            shape("intervene", vec![("message", text("What the person reads."))]),
            shape("abort", vec![("cleanup", cleanup)]),
            shape("recovery", vec![]),
            shape("fallback", vec![]),
            shape("cleanup", vec![]),
            shape("custom", vec![]),
        ],
    )
}

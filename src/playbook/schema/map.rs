//! Map workflows (SPEC 3.4).

use serde_json::{Value, json};

use super::build::{
    any, choice, count, described, duration, mapping, matching, named, number, one_of, period,
    reference, requires, text, whole,
};
use super::step::{Keys, NAME, stage_keys};
use crate::playbook::mapreduce::Function;

/// The definitions of this file, by name.
pub(super) fn definitions() -> Keys {
    vec![
        ("setup", setup()),
        ("map", map()),
        ("reduce", phase("Once, when all items have ended.", Keys::new())),
        ("aggregate", aggregate()),
        ("error_policy", mapping("What it means for the rest when an item fails.", policy_keys())),
        ("circuit_breaker", circuit_breaker()),
        ("error_collection", error_collection()),
    ]
}

/// The keys of a file that stand beside `map`.
pub(super) fn beside() -> Keys {
    let own = vec![
        ("setup", reference("setup", "Once, before the items are read.")),
        ("map", reference("map", "The items, and the steps for each of them.")),
        ("reduce", reference("reduce", "Once, when all items have ended.")),
        ("error_policy", reference("error_policy", "What failures of items mean.")),
    ];
    [own, policy_keys()].concat()
}

/// A list of steps, or a stage without a name.
fn phase(description: &str, own: Keys) -> Value {
    let whole = mapping("With options.", [stage_keys(), own].concat());
    let whole = one_of(whole, &["commands", "steps"]);
    any(description, vec![reference("steps", "Its steps."), whole])
}

fn setup() -> Value {
    let index = "Index of the step, the first is 0.";
    let long = mapping("Older spelling.", vec![("command_index", whole(index, 0))]);
    let which = any("Which step.", vec![whole(index, 0), requires(long, &["command_index"])]);
    let captures = "Names for outputs of its steps; the same as `capture_output` in the step.";
    let own = vec![("capture_outputs", named(captures, NAME, which))];
    phase("Once, before the items are read.", own)
}

fn map() -> Value {
    let nested = vec![
        ("commands", reference("steps", "The steps.")),
        ("steps", reference("steps", "Same as `commands`.")),
    ];
    let nested = one_of(mapping("Older spelling.", nested), &["commands", "steps"]);
    let template = "The steps for each item; they see `item`, `item_id`, `item_index`.";
    let template = any(template, vec![reference("steps", "The steps."), nested]);
    let timeouts = vec![
        ("agent_timeout_secs", duration("Time for one run of an item.")),
        ("timeout_policy", choice("For an item as a whole.", &["per_agent", "PerAgent"])),
    ];
    let name = format!("^x-|{NAME}");
    let variables = "Values made of all results, for `reduce`.";
    let keys = vec![
        (
            "input",
            text(
                "A file with the items, `${NAME}` of setup, or a command: JSON, JSON Lines or plain lines.",
            ),
        ),
        ("json_path", text("RFC 9535 path of the items inside a JSON document.")),
        ("filter", reference("condition", "Only items for which this is true.")),
        ("sort_by", text("`field [ASC|DESC] [NULLS FIRST|LAST]`, several with commas.")),
        ("distinct", text("Of items with the same value of this only the first.")),
        ("offset", whole("Leave out so many at the beginning.", 0)),
        ("max_items", count("No more than so many.", 0)),
        ("agent_template", template),
        ("max_parallel", count("How many at a time (default 10).", 1)),
        ("agent_timeout_secs", duration("Time for one run of an item.")),
        ("timeout_config", mapping("Older spelling of `agent_timeout_secs`.", timeouts)),
        ("checkpoint_frequency", whole("A restore point after every so many items.", 1)),
        ("retry", reference("retry", "An item that failed runs again as a whole.")),
        ("variables", named(variables, &name, reference("aggregate", "One value."))),
        ("executor", choice("Where items run.", &["local"])),
    ];
    requires(
        mapping("The items, and the steps for each of them.", keys),
        &["input", "agent_template"],
    )
}

fn aggregate() -> Value {
    let functions = || choice("What is computed of all values.", &Function::NAMES);
    let expression = |description| any(description, vec![text("An expression over a result.")]);
    let of =
        "The value: `output`, `duration`, `status`, a captured name, or a field of JSON output.";
    let options: Keys = vec![
        ("by", expression("The key of `group_by`.")),
        ("separator", text("Between the parts of `concat` (default nothing).")),
        ("order", choice("The order of `sort`.", &["asc", "ascending", "desc", "descending"])),
    ];
    let long = vec![("function", functions()), ("of", expression(of))];
    let long = requires(
        mapping("A function by its name.", [long, options.clone()].concat()),
        &["function"],
    );
    let short = Function::NAMES.map(|name| (name, expression(of))).to_vec();
    let short =
        [short, vec![("of", expression("The value, beside `group_by`."))], options].concat();
    let short = one_of(mapping("A function with its value.", short), &Function::NAMES);
    any("A value made of all results.", vec![functions(), long, short])
}

fn policy_keys() -> Keys {
    let answer = "What becomes of an item that failed: it waits in the dead letter queue \
                  (default), also after retries, is passed over, or stops the map.";
    vec![
        ("on_item_failure", choice(answer, &["dlq", "retry", "skip", "stop"])),
        ("continue_on_failure", super::build::flag("false: the first failure stops the map.")),
        ("max_failures", whole("So many items may fail; one more stops the map.", 0)),
        (
            "failure_threshold",
            number("This share of items may fail; more stops the map.", 0.0, Some(1.0)),
        ),
        ("circuit_breaker", reference("circuit_breaker", "When to pause after failures.")),
        ("error_collection", reference("error_collection", "When errors of items are told.")),
        ("retry_config", reference("retry", "Same as `retry` under `map`.")),
    ]
}

fn circuit_breaker() -> Value {
    mapping(
        "After failures in a row no item starts for a while, then a few are tried.",
        vec![
            ("failure_threshold", whole("So many failures in a row open it (default 5).", 1)),
            ("success_threshold", whole("So many successes close it (default 3).", 1)),
            ("timeout", period("From its opening to the first try (default 30 s).")),
            ("half_open_requests", whole("So many are tried at a time (default 3).", 1)),
        ],
    )
}

fn error_collection() -> Value {
    let size = || described(json!({ "type": "integer", "minimum": 1 }), "The size.");
    let sized = requires(mapping("Its size.", vec![("size", size())]), &["size"]);
    let batched = any("Every so many.", vec![size(), sized]);
    let batched = requires(mapping("Every so many.", vec![("batched", batched)]), &["batched"]);
    any(
        "As they happen (default), at the end, or every so many.",
        vec![
            choice("When.", &["aggregate", "immediate"]),
            matching("Every so many.", "^batched: *[1-9][0-9]*$"),
            batched,
        ],
    )
}

//! Variables, parameters, environment, secrets and the small shapes that return everywhere.

use serde_json::{Value, json};

use super::build::{
    any, choice, described, flag, list, mapping, named, number, reference, requires, text, whole,
};

const ENV_NAME: &str = "^[A-Za-z_][A-Za-z0-9_]*$";

/// The definitions of this file, by name.
pub(super) fn definitions() -> Vec<(&'static str, Value)> {
    vec![
        ("duration", duration()),
        ("delay", delay()),
        ("condition", condition()),
        ("words", words()),
        ("permission_mode", permission_mode()),
        ("variables", variables()),
        ("parameters", parameters()),
        ("env", env()),
        ("secrets", secrets()),
        ("profiles", profiles()),
        ("claude", claude()),
        ("budget", budget()),
        ("limits", limits()),
    ]
}

fn duration() -> Value {
    any(
        "Seconds, or `90s`, `5m`, `1h30m`, `500ms`, `7d`, or a `${…}` that becomes one; more than 0.",
        vec![
            json!({ "type": "number", "exclusiveMinimum": 0 }),
            json!({ "type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?$|^([0-9]+(\.[0-9]+)?(ms|s|m|h|d))+$|\$" }),
        ],
    )
}

fn delay() -> Value {
    any(
        "Seconds, or `500ms`, `5s`, `1m`; 0 is allowed.",
        vec![
            json!({ "type": "number", "minimum": 0 }),
            json!({ "type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?$|^([0-9]+(\.[0-9]+)?(ms|s|m|h|d))+$" }),
        ],
    )
}

fn condition() -> Value {
    any(
        "An expression: `${build.exit_code} == 0 and not ${skip}`; texts stand in quotes.",
        vec![flag("Always or never."), json!({ "type": "string", "minLength": 1 })],
    )
}

fn words() -> Value {
    let separated = json!({ "type": "string", "minLength": 1 });
    any(
        "A list of words, or one text.",
        vec![list("The words.", json!({ "type": "string" })), separated],
    )
}

fn permission_mode() -> Value {
    choice(
        "As the Claude CLI spells it.",
        &["default", "acceptEdits", "auto", "bypassPermissions", "dontAsk", "plan"],
    )
}

fn variables() -> Value {
    described(
        json!({ "type": "object", "additionalProperties": true }),
        "Constants of this file; `${NAME}` is pasted as text. May use parameters and the variables above.",
    )
}

fn parameters() -> Value {
    let kind =
        choice("What its value must be.", &["string", "number", "boolean", "array", "object"]);
    let keys = || {
        vec![
            ("description", text("What it is for.")),
            ("type", kind.clone()),
            ("required", flag("`--param NAME=VALUE` must be given.")),
            (
                "default",
                described(
                    json!({}),
                    "Its value when it is not given; has the type and is in `enum`.",
                ),
            ),
            (
                "enum",
                described(json!({ "type": "array", "minItems": 1 }), "The values it may have."),
            ),
        ]
    };
    let mut with_name = keys();
    with_name.push(("name", text("Its name.")));
    let entry = any(
        "One parameter.",
        vec![text("Its name."), requires(mapping("One parameter.", with_name), &["name"])],
    );
    let older = mapping(
        "The older shape.",
        vec![
            ("required", list("Those that must be given.", entry.clone())),
            ("optional", list("Those that may be given.", entry)),
        ],
    );
    let map = named("By name.", "^[A-Za-z_][A-Za-z0-9_-]*$", mapping("One parameter.", keys()));
    any("What `--param NAME=VALUE` can set; its value is data, never code.", vec![older, map])
}

fn scalar() -> Value {
    described(json!({ "type": ["string", "number", "boolean"] }), "The value.")
}

fn env_value() -> Value {
    let secret = mapping(
        "A value that is masked wherever it appears.",
        vec![("secret", flag("Mask it.")), ("value", scalar())],
    );
    let command = mapping(
        "The output of a command, once per run.",
        vec![("command", text("The command.")), ("cache", flag("It always runs once per run."))],
    );
    let conditional = mapping(
        "One of two values.",
        vec![
            ("condition", reference("condition", "Which one.")),
            ("when_true", scalar()),
            ("when_false", scalar()),
        ],
    );
    let known = ["secret", "command", "condition", "value", "cache", "when_true", "when_false"];
    let by_profile = described(
        json!({
            "type": "object",
            "propertyNames": { "not": { "enum": known } },
            "additionalProperties": scalar(),
            "minProperties": 1,
        }),
        "A value for each profile, and `default`.",
    );
    any(
        "One environment value.",
        vec![
            scalar(),
            requires(secret, &["secret", "value"]),
            requires(command, &["command"]),
            requires(conditional, &["condition", "when_true", "when_false"]),
            by_profile,
        ],
    )
}

fn env() -> Value {
    named("Environment of the commands; texts may hold `${…}`.", ENV_NAME, env_value())
}

fn secrets() -> Value {
    let source = mapping(
        "Where it comes from.",
        vec![
            ("provider", choice("What kind of source.", &["env", "file", "command"])),
            ("key", text("The variable, file or command.")),
        ],
    );
    let value = any(
        "Where the value comes from.",
        vec![
            text("The environment variable that holds it."),
            requires(source, &["provider", "key"]),
        ],
    );
    named(
        "Values that are masked wherever they appear, and exported under these names.",
        ENV_NAME,
        value,
    )
}

fn profiles() -> Value {
    named(
        "Environment for `--profile NAME`, in place of entries of `env`.",
        "^[A-Za-z_][A-Za-z0-9_-]*$",
        env(),
    )
}

fn claude() -> Value {
    mapping(
        "Defaults of all agent steps.",
        vec![
            ("model", text("The model.")),
            ("permission_mode", reference("permission_mode", "How the agent asks for permission.")),
            ("allowed_tools", reference("words", "Tools the agent may use.")),
            ("skip_permissions", flag("The agent asks for nothing.")),
            ("max_turns", whole("Turns at most.", 1)),
            ("max_budget_usd", number("Dollars of one call at most.", 0.0, None)),
            ("extra_args", reference("words", "Arguments that are passed on as they are.")),
            (
                "command",
                reference("words", "The program instead of `claude`, with leading arguments."),
            ),
        ],
    )
}

fn budget() -> Value {
    mapping(
        "Limits of the whole session, over all its runs.",
        vec![
            ("usd", number("Dollars.", 0.0, None)),
            ("tokens", whole("Tokens.", 1)),
            ("agent_calls", whole("Agent calls.", 1)),
            ("wall_time", reference("duration", "Time in which something runs.")),
        ],
    )
}

fn limits() -> Value {
    mapping(
        "When waiting ends.",
        vec![
            (
                "max_wait",
                reference(
                    "duration",
                    "Longest wait for a provider's limit; then the session parks.",
                ),
            ),
            (
                "idle_timeout",
                reference("duration", "An agent that prints nothing for so long is stopped."),
            ),
        ],
    )
}

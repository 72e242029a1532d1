//! Variables, parameters, environment, secrets and the small shapes that return everywhere.

use serde_json::{Value, json};

use super::build::{
    any, choice, described, flag, list, mapping, matching, named, number, period, reference,
    requires, text, whole,
};
use super::step::Keys;

const ENV_NAME: &str = "^[A-Za-z_][A-Za-z0-9_]*$";
const TIME: &str = r"^[0-9]+(\.[0-9]+)?$|^([0-9]+(\.[0-9]+)?(ms|s|m|h|d))+$";

/// The definitions of this file, by name.
pub(super) fn definitions() -> Keys {
    vec![
        ("duration", duration()),
        ("period", time("Seconds, or `90s`, `5m`, `1h30m`, `7d`; more than 0.", TIME)),
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
        ("artifacts", artifacts()),
        ("requires", requirements()),
    ]
}

fn time(description: &str, pattern: &str) -> Value {
    let text = json!({ "type": "string", "pattern": pattern });
    any(description, vec![json!({ "type": "number", "exclusiveMinimum": 0 }), text])
}

fn duration() -> Value {
    time(
        "Seconds, or `90s`, `5m`, `1h30m`, `500ms`, `7d`, or a `${…}` that becomes one; more than 0.",
        &format!(r"{TIME}|\$\{{|^\$[A-Za-z_]"),
    )
}

fn delay() -> Value {
    let text = json!({ "type": "string", "pattern": TIME });
    let number = json!({ "type": "number", "minimum": 0 });
    any("Seconds, or `500ms`, `5s`, `1m`; 0 is allowed.", vec![number, text])
}

fn condition() -> Value {
    any(
        "An expression: `${build.exit_code} == 0 and not ${skip}`; texts stand in quotes.",
        vec![flag("Always or never."), json!({ "type": "string", "minLength": 1 })],
    )
}

fn words() -> Value {
    let separated = json!({ "type": "string", "minLength": 1 });
    let word = json!({ "type": ["string", "number", "boolean"] });
    any("A list of words, or one text.", vec![list("The words.", word), separated])
}

fn permission_mode() -> Value {
    choice("As the Claude CLI spells it.", &crate::playbook::PERMISSION_MODES)
}

fn variables() -> Value {
    described(
        json!({ "type": "object", "additionalProperties": true }),
        "Constants of this file; `${NAME}` is pasted as text. May use parameters and the variables above.",
    )
}

fn parameter() -> Keys {
    let kinds = ["string", "number", "boolean", "array", "object", "any"];
    let kind = any(
        "What its value must be.",
        vec![
            choice("The type.", &kinds),
            matching("Older spellings.", "^(String|Number|Boolean|Array|Object|Any)$"),
        ],
    );
    let default = "Its value when it is not given; has the type and is in `enum`.";
    let choices = json!({ "type": "array", "minItems": 1 });
    vec![
        ("description", text("What it is for.")),
        ("type", kind),
        ("required", flag("`--param NAME=VALUE` must be given.")),
        ("default", described(json!({}), default)),
        ("enum", described(choices, "The values it may have.")),
    ]
}

fn parameters() -> Value {
    let with_name = [parameter(), vec![("name", text("Its name."))]].concat();
    let with_name = requires(mapping("One parameter.", with_name), &["name"]);
    let entry = any("One parameter.", vec![text("Its name."), with_name]);
    let entries =
        |description| described(json!({ "type": "array", "items": entry.clone() }), description);
    let older = vec![
        ("required", entries("Those that must be given.")),
        ("optional", entries("Those that may be given.")),
    ];
    let one = mapping("One parameter with its options.", parameter());
    let one = any("One parameter.", vec![json!({ "type": "null" }), one]);
    let map = named("By name.", "^(x-.*|[A-Za-z_][A-Za-z0-9_-]*)$", one);
    any(
        "What `--param NAME=VALUE` can set; its value is data, never code.",
        vec![mapping("The older shape.", older), map],
    )
}

fn scalar() -> Value {
    text("The value.")
}

fn env_value() -> Value {
    let secret = || ("secret", flag("Mask its value wherever it appears."));
    let value = mapping("A value with options.", vec![("value", scalar()), secret()]);
    let cache = described(json!({ "enum": [true, "true"] }), "It always runs once per run.");
    let command = vec![("command", text("The command.")), ("cache", cache), secret()];
    let command = mapping("The output of a command, once per run.", command);
    let conditional = vec![
        ("condition", reference("condition", "Which one.")),
        ("when_true", scalar()),
        ("when_false", scalar()),
        secret(),
    ];
    let conditional = mapping("One of two values.", conditional);
    let known = ["command", "condition", "value", "cache", "when_true", "when_false"];
    let by_profile = json!({
        "type": "object",
        "propertyNames": { "not": { "enum": known } },
        "additionalProperties": scalar(),
        "minProperties": 1,
    });
    any(
        "One environment value.",
        vec![
            scalar(),
            requires(value, &["value"]),
            requires(command, &["command"]),
            requires(conditional, &["condition", "when_true", "when_false"]),
            described(by_profile, "A value for each profile, and `default`."),
        ],
    )
}

fn env() -> Value {
    named("Environment of the commands; texts may hold `${…}`.", ENV_NAME, env_value())
}

fn secrets() -> Value {
    let source = vec![
        ("provider", choice("What kind of source.", &["env", "file", "command"])),
        ("key", text("The variable, file or command.")),
    ];
    let source = requires(mapping("Where it comes from.", source), &["provider", "key"]);
    let variable = text("The environment variable that holds it.");
    let value = any("Where the value comes from.", vec![variable, source]);
    let about = "Values that are masked wherever they appear, and exported under these names.";
    named(about, ENV_NAME, value)
}

fn profiles() -> Value {
    let nested = vec![
        ("description", text("What it is for.")),
        ("env", reference("env", "Its environment.")),
    ];
    let nested = requires(mapping("With a description.", nested), &["env"]);
    let profile = any("One profile.", vec![nested, reference("env", "Its environment.")]);
    let about = "Environment for `--profile NAME`, in place of entries of `env`.";
    named(about, "", profile)
}

fn claude() -> Value {
    mapping(
        "Defaults of all agent steps.",
        vec![
            ("model", text("The model.")),
            ("permission_mode", reference("permission_mode", "How the agent asks.")),
            ("allowed_tools", reference("words", "Tools the agent may use.")),
            ("skip_permissions", flag("The agent asks for nothing.")),
            ("max_turns", whole("Turns at most.", 1)),
            ("max_budget_usd", number("Dollars of one call at most.", 0.0, None)),
            ("extra_args", reference("words", "Arguments that are passed on as they are.")),
            ("command", reference("words", "The program instead of `claude`, and arguments.")),
        ],
    )
}

fn budget() -> Value {
    mapping(
        "Limits of the whole session, over all its runs.",
        vec![
            ("usd", number("Dollars.", 0.0, None)),
            ("tokens", whole("Tokens.", 0)),
            ("agent_calls", whole("Agent calls.", 0)),
            ("wall_time", period("Time in which something runs.")),
        ],
    )
}

fn limits() -> Value {
    let max_wait = "Longest wait for a provider's limit; then the session parks.";
    mapping(
        "When waiting ends.",
        vec![
            ("max_wait", reference("delay", max_wait)),
            ("idle_timeout", period("An agent that prints nothing for so long is stopped.")),
        ],
    )
}

fn artifacts() -> Value {
    let path = || text("A path, or a pattern: `dist/*.tar.gz`, `target/**/report.xml`.");
    let several = list("Several.", path());
    any("Files that are made, relative to the working directory.", vec![path(), several])
}

fn requirements() -> Value {
    let tool = || {
        let pattern = r"^\s*[^\s<>=,]+\s*((>=?|<=?|==?)\s*v?[0-9]+(\.[0-9]+)*\s*(,\s*|$))*$";
        matching("`node`, or `node >= 18`, or `node >= 18, < 21`.", pattern)
    };
    let tools = || any("Programs.", vec![tool(), list("Several.", tool())]);
    let files = list("Several.", text("A path."));
    let name = || matching("The name of a variable.", ENV_NAME);
    let env = any("Environment variables.", vec![name(), list("Several.", name())]);
    let all = mapping(
        "Programs, files and environment variables.",
        vec![
            ("tools", tools()),
            ("files", any("Files and directories.", vec![text("A path."), files])),
            ("env", env),
        ],
    );
    any("What must be there before the first step.", vec![tool(), list("Programs.", tool()), all])
}

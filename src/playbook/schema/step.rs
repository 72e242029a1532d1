//! Steps and stages (SPEC 3.2, 3.3).

use serde_json::{Value, json};

use super::build::{
    any, choice, count, described, duration, flag, list, mapping, matching, not_both, number,
    one_of, only_beside, reference, requires, text, whole,
};

/// What a stage may be called.
const STAGE: &str = r"^[\p{L}\p{N}_-]([\p{L}\p{N} _-]*[\p{L}\p{N}_-])?$";
/// What a checkpoint may be called.
const LABEL: &str = r"^[\p{L}\p{N}._-]([\p{L}\p{N} ._-]*[\p{L}\p{N}._-])?$";
pub(super) const NAME: &str = "^[A-Za-z_][A-Za-z0-9_-]*$";

/// Keys with their schemas.
pub(super) type Keys = Vec<(&'static str, Value)>;

/// The definitions of this file, by name.
pub(super) fn definitions() -> Keys {
    vec![("steps", steps()), ("commands", commands()), ("step", step()), ("stage", stage())]
}

/// Everything a step can say.
pub(super) fn keys() -> Keys {
    [kinds(), identity(), running(), agent(), capturing(), failing(), resuming(), committing()]
        .concat()
}

/// Options of an agent call.
pub(super) fn agent() -> Keys {
    let schema = described(json!({ "type": "object" }), "JSON Schema of the agent's final text.");
    vec![
        ("model", text("Model of this agent call.")),
        ("max_turns", whole("Turns of the agent at most.", 1)),
        ("max_budget_usd", number("Dollars of this agent call at most.", 0.0, None)),
        ("allowed_tools", reference("words", "Tools the agent may use.")),
        ("permission_mode", reference("permission_mode", "How the agent asks for permission.")),
        ("skip_permissions", flag("The agent asks for nothing.")),
        ("extra_args", reference("words", "Arguments that are passed on as they are.")),
        ("output_schema", schema),
    ]
}

fn steps() -> Value {
    list("Steps, run one after the other.", reference("step", "One step."))
}

fn commands() -> Value {
    let one = reference("step", "One step.");
    any("One step or a list of steps.", vec![one, reference("steps", "Steps in order.")])
}

fn step() -> Value {
    let line = json!({ "type": "string", "minLength": 1 });
    let line = described(line, "A shell command, or a Claude command when it begins with `/`.");
    let agent: Vec<&str> = agent().into_iter().map(|(key, _)| key).collect();
    let step = mapping("One step: exactly one kind, and how it runs.", keys());
    let step = one_of(step, &["shell", "test", "claude", "goal_seek", "foreach", "write_file"]);
    let step = only_beside(step, &agent, "claude");
    let step = only_beside(step, &["do", "parallel", "max_items"], "foreach");
    let step = only_beside(step, &["commit_message"], "auto_commit");
    let step = not_both(
        step,
        &[
            ["working_dir", "cwd"],
            ["continue_on_error", "allow_failure"],
            ["retry", "retry_config"],
        ],
    );
    any("One step of a workflow.", vec![line, step])
}

fn kinds() -> Keys {
    let older = vec![
        ("command", text("The command.")),
        ("on_failure", reference("on_failure", "What to do when it fails.")),
    ];
    let older = requires(mapping("The older form of a test step.", older), &["command"]);
    let whole = reference("foreach", "The whole loop.");
    let loops = any("Run steps for each item.", vec![items(), whole]);
    vec![
        ("shell", text("A shell command. `${…}` of data arrives as one word, never as code.")),
        ("test", any("Older spelling of `shell`.", vec![text("The command."), older])),
        ("claude", text("A prompt or `/command` for the Claude CLI.")),
        ("goal_seek", reference("goal_seek", "Improve and measure until a score is reached.")),
        ("foreach", loops),
        ("write_file", reference("write_file", "Write a file, all or nothing.")),
        ("do", reference("steps", "The steps for each item of `foreach`.")),
        ("parallel", parallel()),
        ("max_items", count("No more than the first N items.", 0)),
    ]
}

/// How many rounds of a loop run at a time.
pub(super) fn parallel() -> Value {
    let limit = count("How many rounds at a time.", 1);
    let ten = flag("10 at a time, or 1.");
    any("Rounds at a time: a number, or `true` for 10 (default 1).", vec![ten, limit])
}

/// The items of a loop.
pub(super) fn items() -> Value {
    let command = json!({ "type": "string", "minLength": 1 });
    let list = json!({ "type": "array", "minItems": 1 });
    any(
        "The items: a list, a command that prints them, or one `${…}` that is a list.",
        vec![
            described(command, "A command, or `${list}`."),
            described(list, "The items themselves."),
        ],
    )
}

fn identity() -> Keys {
    let id = "The name of its result: `${ID.output}`, `${ID.exit_code}`, …; unique in the file.";
    let when = "Run it only when this is true; otherwise it is skipped.";
    vec![
        ("id", matching(id, NAME)),
        ("name", text("Shown to people; nothing else.")),
        ("description", text("What it is for.")),
        ("when", reference("condition", when)),
    ]
}

fn running() -> Keys {
    vec![
        ("timeout", duration("Time for one attempt; then its whole process tree is stopped.")),
        ("env", reference("env", "Environment of this step.")),
        ("working_dir", text("Directory it runs in.")),
        ("cwd", text("Same as `working_dir`.")),
        ("requires_confirmation", flag("Ask a person first; `-y` answers yes.")),
    ]
}

fn capturing() -> Keys {
    let older = "Older; always known of a step with an `id`.";
    let streams = mapping(
        "What is in the captured value.",
        vec![
            ("stdout", flag("stdout is in it (default true).")),
            ("stderr", flag("stderr is in it (default false).")),
            ("exit_code", flag(older)),
            ("success", flag(older)),
            ("duration", flag(older)),
        ],
    );
    let words = "(stdout|stderr|both|all|exit_code|success|duration)";
    let stream = matching("One or several, with commas.", &format!("^{words}( *, *{words})*$"));
    let several = list("Several.", choice("One.", &["stdout", "stderr", "both"]));
    let formats = ["string", "text", "json", "lines", "number", "boolean"];
    let named = |description| {
        let name = matching("The name of the value.", NAME);
        any(description, vec![flag("Only `${shell.output}` or `${claude.output}`."), name])
    };
    vec![
        ("capture_output", named("Give the output this name: `${NAME}`.")),
        ("capture", named("Same as `capture_output`.")),
        ("capture_format", choice("What the captured output must be.", &formats)),
        (
            "capture_streams",
            any("Which streams are captured (default stdout).", vec![stream, several, streams]),
        ),
        ("output_file", text("Also write stdout to this file.")),
    ]
}

fn failing() -> Keys {
    let codes = json!({
        "type": "object",
        "propertyNames": {
            "pattern": "^(x-.*|25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])$",
        },
        "additionalProperties": reference("commands", "What to do for this code."),
    });
    let on_success = "Steps after it succeeded; when they fail, it fails.";
    vec![
        ("retry", reference("retry", "Run it again when it fails.")),
        ("retry_config", reference("retry", "Same as `retry`.")),
        ("on_failure", reference("on_failure", "What to do when it failed for good.")),
        ("on_success", reference("commands", on_success)),
        ("on_exit_code", described(codes, "Exit code → steps; tried before `on_failure`.")),
        ("continue_on_error", flag("A failure is recorded and the workflow goes on.")),
        ("allow_failure", flag("Same as `continue_on_error`.")),
        ("validate", reference("validate", "Check the work after it succeeded, and complete it.")),
    ]
}

fn resuming() -> Keys {
    let name = matching("Its name for `resume --from-checkpoint NAME`.", LABEL);
    let checkpoint = "An explicit restore point after this step.";
    let on_resume = "What a resume does when a crash or interrupt caught this step running: run \
                     it again (default), ask, pass over it, fail it; `always` runs it at the \
                     start of every resume.";
    vec![
        ("artifacts", reference("artifacts", "Files it makes; without them it failed.")),
        ("requires", reference("requires", "What must be there before the first step.")),
        ("checkpoint", any(checkpoint, vec![flag("Without a name."), name])),
        ("on_resume", choice(on_resume, &["rerun", "confirm", "skip", "fail", "always"])),
    ]
}

fn committing() -> Keys {
    vec![
        ("commit_required", flag("HEAD must have moved when it ends, else it failed.")),
        ("auto_commit", flag("Commit what it left in the working tree.")),
        ("commit_message", text("Message of `auto_commit`.")),
    ]
}

fn stage() -> Value {
    let name = "Unique; `resume --from-checkpoint NAME` starts it.";
    let keys = [vec![("name", matching(name, STAGE))], stage_keys()].concat();
    let stage = mapping("A part of the workflow with a name.", keys);
    requires(one_of(stage, &["commands", "steps"]), &["name"])
}

/// Everything of a stage but its name.
pub(super) fn stage_keys() -> Keys {
    let on_failure = "What to do when it failed; its success repairs nothing unless it says so.";
    let always = json!({ "enum": [true, "true"] });
    let name = matching("One more name of its end for `resume --from-checkpoint NAME`.", LABEL);
    let checkpoint = any("The end of a stage always is one.", vec![always, name]);
    vec![
        ("description", text("What it is for.")),
        ("commands", reference("steps", "Its steps.")),
        ("steps", reference("steps", "Same as `commands`.")),
        ("when", reference("condition", "Run it only when this is true.")),
        ("env", reference("env", "Environment of its steps.")),
        ("timeout", duration("Time for one pass over its steps.")),
        ("retry", reference("retry", "Run the whole stage again when it fails.")),
        ("retry_config", reference("retry", "Same as `retry`.")),
        ("on_failure", reference("on_failure", on_failure)),
        ("checkpoint", checkpoint),
        ("requires_confirmation", flag("Ask a person first; `-y` answers yes.")),
    ]
}

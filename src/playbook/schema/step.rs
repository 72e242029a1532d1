//! Steps and stages, and the kinds of steps (SPEC 3.2, 3.3).

use serde_json::{Value, json};

use super::build::{
    any, choice, count, described, duration, flag, list, mapping, matching, not_both, number,
    one_of, only_beside, reference, requires, text, whole,
};

/// What a stage, checkpoint or step may be called.
const LABEL: &str = "^[A-Za-z0-9._-]([A-Za-z0-9 ._-]*[A-Za-z0-9._-])?$";
const NAME: &str = "^[A-Za-z_][A-Za-z0-9_-]*$";

/// The definitions of this file, by name.
pub(super) fn definitions() -> Vec<(&'static str, Value)> {
    vec![
        ("steps", steps()),
        ("commands", commands()),
        ("step", step()),
        ("stage", stage()),
        ("goal_seek", goal_seek()),
        ("foreach", foreach()),
        ("write_file", write_file()),
        ("validate", validate()),
        ("on_incomplete", on_incomplete()),
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
    let line = described(
        json!({ "type": "string", "minLength": 1 }),
        "A shell command, or a Claude command when it begins with `/`.",
    );
    any("One step of a workflow.", vec![line, step_mapping()])
}

fn step_mapping() -> Value {
    let keys = [kinds(), identity(), running(), capturing(), failing(), resuming(), committing()];
    let step = mapping("One step: exactly one kind, and how it runs.", keys.concat());
    let step = one_of(step, &["shell", "test", "claude", "goal_seek", "foreach", "write_file"]);
    let agent = [
        "model",
        "max_turns",
        "max_budget_usd",
        "allowed_tools",
        "permission_mode",
        "skip_permissions",
        "output_schema",
    ];
    let step = only_beside(step, &agent, "claude");
    let step = only_beside(step, &["do", "parallel", "max_items"], "foreach");
    let step = only_beside(step, &["commit_message"], "auto_commit");
    not_both(
        step,
        &[
            ["working_dir", "cwd"],
            ["continue_on_error", "allow_failure"],
            ["retry", "retry_config"],
            ["capture", "capture_output"],
        ],
    )
}

type Keys = Vec<(&'static str, Value)>;

fn kinds() -> Keys {
    vec![
        ("shell", text("A shell command. `${…}` of data arrives as one word, never as code.")),
        ("test", any("Older spelling of `shell`.", vec![text("The command."), older_test()])),
        ("claude", text("A prompt or `/command` for the Claude CLI.")),
        ("goal_seek", reference("goal_seek", "Improve and measure until a score is reached.")),
        (
            "foreach",
            any("Run steps for each item.", vec![items(), reference("foreach", "The whole loop.")]),
        ),
        ("write_file", reference("write_file", "Write a file, all or nothing.")),
        ("do", reference("commands", "The steps for each item of `foreach`.")),
        ("parallel", parallel()),
        ("max_items", count("No more than the first N items.", 0)),
    ]
}

fn older_test() -> Value {
    let keys = vec![
        ("command", text("The command.")),
        ("on_failure", reference("on_failure", "What to do when it fails.")),
    ];
    requires(mapping("The older form of a test step.", keys), &["command"])
}

fn identity() -> Keys {
    vec![
        (
            "id",
            matching(
                "The name of its result: `${ID.output}`, `${ID.exit_code}`, …; unique in the file.",
                NAME,
            ),
        ),
        ("name", text("Shown to people; nothing else.")),
        ("description", text("What it is for.")),
        ("when", reference("condition", "Run it only when this is true; otherwise it is skipped.")),
    ]
}

fn running() -> Keys {
    vec![
        ("timeout", duration("Time for one attempt; then its whole process tree is stopped.")),
        ("env", reference("env", "Environment of this step.")),
        ("working_dir", text("Directory it runs in.")),
        ("cwd", text("Same as `working_dir`.")),
        ("model", text("Model of this agent call.")),
        ("max_turns", whole("Turns of the agent at most.", 1)),
        ("max_budget_usd", number("Dollars of this agent call at most.", 0.0, None)),
        ("allowed_tools", reference("words", "Tools the agent may use.")),
        ("permission_mode", reference("permission_mode", "How the agent asks for permission.")),
        ("skip_permissions", flag("The agent asks for nothing.")),
        (
            "output_schema",
            described(
                json!({ "type": "object" }),
                "JSON Schema that the agent's final text must satisfy.",
            ),
        ),
        ("requires_confirmation", flag("Ask a person first; `-y` answers yes.")),
    ]
}

fn capturing() -> Keys {
    let stream = choice("One stream or both.", &["stdout", "stderr", "both"]);
    let streams = mapping(
        "What is in the captured value.",
        vec![
            ("stdout", flag("stdout is in it (default true).")),
            ("stderr", flag("stderr is in it (default false).")),
            ("exit_code", flag("Older; the exit code is always in `${ID.exit_code}`.")),
            ("success", flag("Older; always in `${ID.success}`.")),
            ("duration", flag("Older; always in `${ID.duration}`.")),
        ],
    );
    let several = matching("Several, with commas.", "^[a-z_]+( *, *[a-z_]+)+$");
    let name = matching("The name of the value.", NAME);
    vec![
        (
            "capture_output",
            any(
                "Give the output this name as well.",
                vec![flag("Only `${shell.output}` or `${claude.output}`."), name],
            ),
        ),
        ("capture", matching("Give the output this name: `${NAME}`.", NAME)),
        (
            "capture_format",
            choice(
                "What the captured output must be.",
                &["string", "text", "json", "lines", "number", "boolean"],
            ),
        ),
        (
            "capture_streams",
            any("Which streams are captured (default stdout).", vec![stream, several, streams]),
        ),
        ("output_file", text("Also write stdout to this file.")),
    ]
}

fn failing() -> Keys {
    let codes = named_codes();
    vec![
        ("retry", reference("retry", "Run it again when it fails.")),
        ("retry_config", reference("retry", "Same as `retry`.")),
        ("on_failure", reference("on_failure", "What to do when it failed for good.")),
        (
            "on_success",
            reference("commands", "Steps after it succeeded; when they fail, it fails."),
        ),
        ("on_exit_code", codes),
        ("continue_on_error", flag("A failure is recorded and the workflow goes on.")),
        ("allow_failure", flag("Same as `continue_on_error`.")),
        ("validate", reference("validate", "Check the work after it succeeded, and complete it.")),
    ]
}

fn named_codes() -> Value {
    described(
        json!({
            "type": "object",
            "propertyNames": { "pattern": "^(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])$" },
            "additionalProperties": reference("commands", "What to do for this code."),
        }),
        "Exit code → steps; tried before `on_failure`.",
    )
}

fn resuming() -> Keys {
    let name = matching("Its name for `resume --from-checkpoint NAME`.", LABEL);
    vec![
        (
            "checkpoint",
            any("An explicit restore point after this step.", vec![flag("Without a name."), name]),
        ),
        (
            "on_resume",
            choice(
                "What a resume does when a crash or interrupt caught this step running: run it again (default), ask, \
             pass over it, fail it; `always` runs it at the start of every resume.",
                &["rerun", "confirm", "skip", "fail", "always"],
            ),
        ),
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
    let keys = vec![
        ("name", matching("Unique; also the name of the checkpoint at its start.", LABEL)),
        ("description", text("What it is for.")),
        ("commands", reference("steps", "Its steps.")),
        ("steps", reference("steps", "Same as `commands`.")),
        ("when", reference("condition", "Run it only when this is true.")),
        ("env", reference("env", "Environment of its steps.")),
        ("timeout", duration("Time for one pass over its steps.")),
        ("retry", reference("retry", "Run the whole stage again when it fails.")),
        (
            "on_failure",
            reference(
                "on_failure",
                "What to do when it failed; its success repairs nothing unless it says so.",
            ),
        ),
        ("checkpoint", flag("The end of a stage always is a checkpoint.")),
        ("requires_confirmation", flag("Ask a person first; `-y` answers yes.")),
    ];
    let stage =
        one_of(mapping("A part of the workflow with a name.", keys), &["commands", "steps"]);
    requires(stage, &["name"])
}

fn parallel() -> Value {
    let limit = count("How many rounds at a time.", 1);
    any(
        "Rounds at a time: a number, or `true` for 10 (default 1).",
        vec![flag("10 at a time, or 1."), limit],
    )
}

fn items() -> Value {
    let command = json!({ "type": "string", "minLength": 1 });
    any(
        "The items: a list, a command that prints them, or one `${…}` that is a list.",
        vec![
            described(command, "A command, or `${list}`."),
            described(json!({ "type": "array" }), "The items themselves."),
        ],
    )
}

fn foreach() -> Value {
    let keys = vec![
        ("items", items()),
        ("foreach", items()),
        ("command", text("A command that prints the items: JSON array, JSON Lines or lines.")),
        ("input", text("A file, or a command when no such file exists.")),
        ("json_path", text("RFC 9535 path of the items inside `input`.")),
        ("do", reference("commands", "The steps for each item; they see `item` and `item_index`.")),
        ("parallel", parallel()),
        ("max_items", count("No more than the first N items.", 0)),
        ("continue_on_error", flag("A failed round does not stop the loop.")),
    ];
    let foreach =
        one_of(mapping("A loop over items.", keys), &["items", "foreach", "command", "input"]);
    requires(only_beside(foreach, &["json_path"], "input"), &["do"])
}

fn goal_seek() -> Value {
    let keys = vec![
        ("goal", text("What is to be reached; shown to the agent.")),
        ("claude", text("The prompt that improves the work.")),
        ("shell", text("The command that improves the work.")),
        (
            "validate",
            text("A command that prints the score: `score: N`, N, or JSON `{\"score\": N}`."),
        ),
        ("threshold", number("The score to reach (default 100).", 0.0, Some(100.0))),
        ("max_attempts", whole("Improvements at most.", 1)),
        ("timeout_seconds", duration("Time for all attempts together.")),
        ("fail_on_incomplete", flag("The step fails when the score is not reached.")),
    ];
    let seek = one_of(
        mapping("Improve and measure until the score is reached.", keys),
        &["claude", "shell"],
    );
    requires(seek, &["goal", "validate"])
}

fn write_file() -> Value {
    let mode = any(
        "Permission bits in octal, for example \"0644\".",
        vec![
            matching("Octal text.", "^0?[0-7]{3}$|^0o[0-7]{3,4}$|^[0-7]{4}$"),
            json!({ "type": "integer" }),
        ],
    );
    let keys = vec![
        ("path", text("The file.")),
        (
            "content",
            any(
                "What is written.",
                vec![text("Text with `${…}`."), json!({ "type": ["object", "array"] })],
            ),
        ),
        ("format", choice("What the content must be (default text).", &["text", "json", "yaml"])),
        ("mode", mode),
        ("create_dirs", flag("Make missing directories.")),
    ];
    requires(mapping("A file, written all or nothing.", keys), &["path", "content"])
}

fn validate() -> Value {
    let keys = vec![
        ("shell", text("A command that prints the result as JSON.")),
        ("claude", text("A prompt whose answer is the result as JSON.")),
        ("command", text("Older spelling of `shell`.")),
        ("commands", reference("commands", "Steps; the last output is the result.")),
        ("result_file", text("Read the result from this file instead of the output.")),
        ("threshold", number("`completion_percentage` to reach (default 100).", 0.0, Some(100.0))),
        ("timeout", duration("Time for one validation.")),
        ("on_incomplete", reference("on_incomplete", "What completes the work.")),
    ];
    let kinds = ["shell", "claude", "command", "commands"];
    let whole = one_of(mapping("A check with what completes the work.", keys), &kinds);
    any(
        "Check the work after the step succeeded: JSON with `completion_percentage`, `status`, `gaps`, `missing`.",
        vec![text("A command."), reference("steps", "Steps."), whole],
    )
}

fn on_incomplete() -> Value {
    let keys = vec![
        ("shell", text("A command.")),
        ("claude", text("A prompt; `${validation.gaps}` and the other results are known.")),
        ("commands", reference("commands", "Steps.")),
        ("max_attempts", whole("How often (default 2).", 1)),
        ("fail_workflow", flag("The step fails when the work stays incomplete (default true).")),
        ("commit_required", flag("HEAD must have moved.")),
    ];
    let whole = one_of(mapping("What completes the work.", keys), &["shell", "claude", "commands"]);
    any(
        "What completes the work, then it is checked again.",
        vec![text("A command."), reference("steps", "Steps."), whole],
    )
}

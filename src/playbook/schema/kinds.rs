//! The kinds of steps that are mappings themselves, and `validate` (SPEC 3.3).

use serde_json::{Value, json};

use super::build::{
    any, choice, count, duration, flag, mapping, matching, not_both, number, one_of, only_beside,
    reference, requires, some_of, text, whole,
};
use super::step::{Keys, agent, items, parallel};

/// The definitions of this file, by name.
pub(super) fn definitions() -> Keys {
    vec![
        ("goal_seek", goal_seek()),
        ("foreach", foreach()),
        ("write_file", write_file()),
        ("validate", validate()),
        ("on_incomplete", on_incomplete()),
    ]
}

fn foreach() -> Value {
    let command = "A command that prints the items: JSON array, JSON Lines or lines.";
    let steps = "The steps for each item; they see `item` and `item_index`.";
    let keys = vec![
        ("items", items()),
        ("foreach", items()),
        ("command", text(command)),
        ("input", text("A file, or a command when no such file exists.")),
        ("json_path", text("RFC 9535 path of the items inside `input`.")),
        ("do", reference("steps", steps)),
        ("commands", reference("steps", "Same as `do`.")),
        ("steps", reference("steps", "Same as `do`.")),
        ("parallel", parallel()),
        ("max_items", count("No more than the first N items.", 0)),
        ("continue_on_error", flag("A failed round does not stop the loop.")),
    ];
    let foreach = mapping("A loop over items.", keys);
    let foreach = one_of(foreach, &["items", "foreach", "command", "input"]);
    only_beside(foreach, &["json_path"], "input")
}

/// One command with the options of its agent call.
fn single(shell: &str, claude: &str) -> Keys {
    let commands = vec![
        ("shell", text(shell)),
        ("command", text("Older spelling of `shell`.")),
        ("claude", text(claude)),
    ];
    [commands, agent()].concat()
}

fn goal_seek() -> Value {
    let score = "A command that prints the score: `score: N`, N, or JSON `{\"score\": N}`.";
    let measure = mapping("What measures.", single("A command.", "A prompt."));
    let measure = one_of(measure, &["shell", "command", "claude"]);
    let own = vec![
        ("goal", text("What is to be reached; shown to the agent.")),
        ("validate", any("What measures.", vec![text(score), measure])),
        ("threshold", number("The score to reach (default 100).", 0.0, Some(100.0))),
        ("max_attempts", whole("Improvements at most (default 5).", 1)),
        ("timeout_seconds", duration("Time for all attempts together.")),
        ("timeout", duration("Same as `timeout_seconds`.")),
        ("fail_on_incomplete", flag("The step fails when the score is not reached.")),
    ];
    let improve =
        single("The command that improves the work.", "The prompt that improves the work.");
    let seek = mapping("Improve and measure until the score is reached.", [own, improve].concat());
    requires(one_of(seek, &["claude", "shell", "command"]), &["goal", "validate"])
}

fn write_file() -> Value {
    let octal = matching("Octal text.", "^(0o)?[0-7]{1,4}$");
    let mode =
        any("Permission bits in octal: \"0644\".", vec![octal, json!({ "type": "integer" })]);
    let keys = vec![
        ("path", text("The file.")),
        ("content", text("What is written; may hold `${…}`.")),
        ("format", choice("What the content must be (default text).", &["text", "json", "yaml"])),
        ("mode", mode),
        ("create_dirs", flag("Make missing directories.")),
    ];
    requires(mapping("A file, written all or nothing.", keys), &["path", "content"])
}

fn validate() -> Value {
    let own = vec![
        ("commands", reference("steps", "Steps; the last output is the result.")),
        ("steps", reference("steps", "Same as `commands`.")),
        ("result_file", text("Read the result from this file instead of the output.")),
        ("threshold", number("`completion_percentage` to reach (default 100).", 0.0, Some(100.0))),
        ("timeout", duration("Time for one validation.")),
        ("on_incomplete", reference("on_incomplete", "What completes the work.")),
    ];
    let single = single(
        "A command that prints the result as JSON.",
        "A prompt whose answer is the result as JSON.",
    );
    let whole = mapping("A check with what completes the work.", [own, single].concat());
    let whole = some_of(whole, &["shell", "claude", "command", "commands", "steps", "result_file"]);
    let whole = not_both(
        whole,
        &[
            ["shell", "claude"],
            ["shell", "commands"],
            ["claude", "commands"],
            ["commands", "steps"],
        ],
    );
    any(
        "Check the work after the step succeeded: JSON with `completion_percentage`, `status`, \
         `gaps`, `missing`.",
        vec![text("A command."), reference("steps", "Steps."), whole],
    )
}

fn on_incomplete() -> Value {
    let own = vec![
        ("commands", reference("steps", "Steps.")),
        ("steps", reference("steps", "Same as `commands`.")),
        ("max_attempts", whole("How often (default 2).", 1)),
        ("fail_workflow", flag("The step fails when the work stays incomplete (default true).")),
        ("commit_required", flag("HEAD must have moved.")),
    ];
    let single = single("A command.", "A prompt; `${validation.gaps}` and the like are known.");
    let whole = mapping("What completes the work.", [own, single].concat());
    let kinds = ["shell", "claude", "command", "commands", "steps"];
    any(
        "What completes the work, then it is checked again.",
        vec![text("A command."), reference("steps", "Steps."), one_of(whole, &kinds)],
    )
}

//! JSON Schema of the workflow format, for editors (SPEC 2 `schema`, 3.1–3.4, 6).

mod build;
mod failure;
mod kinds;
mod map;
mod recovery;
mod step;
mod values;

use serde_json::{Map, Value, json};

use build::{any, choice, duration, flag, list, mapping, one_of, reference, requires, text};

/// The schema (draft 2020-12) of everything a workflow file can say. What it accepts may still
/// be refused by `validate`, which also looks at names and their order.
#[must_use]
pub fn schema() -> Value {
    let definitions: Map<String, Value> = [
        step::definitions(),
        kinds::definitions(),
        failure::definitions(),
        values::definitions(),
        map::definitions(),
        recovery::definitions(),
    ]
    .into_iter()
    .flatten()
    .map(|(name, schema)| (name.to_owned(), schema))
    .collect();
    let mut schema = any(
        "A workflow: a list of steps, or a mapping.",
        vec![reference("steps", "The steps of the workflow."), workflow(), map_workflow()],
    );
    if let Some(fields) = schema.as_object_mut() {
        fields.insert("$schema".to_owned(), "https://json-schema.org/draft/2020-12/schema".into());
        fields.insert("title".to_owned(), "Prodigy workflow".into());
        fields.insert("$defs".to_owned(), definitions.into());
    }
    schema
}

fn workflow() -> Value {
    let body = vec![
        ("mode", choice("The kind of workflow.", &["standard"])),
        ("commands", reference("steps", "The steps, one after the other.")),
        ("steps", reference("steps", "Same as `commands`.")),
        ("stages", list("The stages, one after the other.", reference("stage", "One stage."))),
        (
            "continue_on_error",
            flag("With `--arg` or `--map`: the next pass starts although one failed."),
        ),
    ];
    one_of(
        mapping("A workflow with everything it can say.", [common(), body].concat()),
        &["commands", "steps", "stages"],
    )
}

fn map_workflow() -> Value {
    let mode = vec![("mode", choice("The kind of workflow.", &["mapreduce"]))];
    let keys = [common(), mode, map::beside()].concat();
    requires(mapping("A map workflow: the same steps for many items.", keys), &["map"])
}

/// What every workflow can say.
fn common() -> step::Keys {
    let about = vec![
        ("name", text("Name of the workflow (default: the name of the file).")),
        ("description", text("What it is for.")),
        ("version", text("Version of this file; for people.")),
    ];
    let values = vec![
        ("variables", reference("variables", "Constants of this file.")),
        ("parameters", reference("parameters", "What `--param` can set.")),
        ("env", reference("env", "Environment of all steps.")),
        ("env_files", env_files()),
        ("secrets", reference("secrets", "Values that are masked.")),
        ("profiles", reference("profiles", "Environment for `--profile`.")),
    ];
    let running = vec![
        ("timeout", duration("Time of the whole session in which something runs.")),
        ("retry_defaults", reference("retry", "What `retry` of a step leaves out.")),
        ("on_failure", reference("on_failure", "What to do when the workflow failed.")),
        ("finally", finally()),
        ("snapshots", snapshots()),
        ("recovery", reference("recovery", "What brings a failed session back.")),
        ("shell", shell()),
        ("claude", reference("claude", "Defaults of all agent steps.")),
        ("budget", reference("budget", "Limits of the whole session.")),
        ("limits", reference("limits", "When waiting ends.")),
        ("capture_limit", capture_limit()),
        ("artifacts", reference("artifacts", "Files that the workflow makes.")),
        ("requires", reference("requires", "What must be there before the first step.")),
    ];
    [about, values, running].concat()
}

fn finally() -> Value {
    reference(
        "steps",
        "Steps at the orderly end of each run, also a failed or interrupted one; \
         `${workflow.status}` says which.",
    )
}

fn env_files() -> Value {
    let files = list("Files; later ones win.", text("A file."));
    any("Files with `NAME=VALUE` lines.", vec![text("A file."), files])
}

fn shell() -> Value {
    reference(
        "words",
        "The shell and its arguments, for example [bash, -euo, pipefail, -c] (default [sh, -c]).",
    )
}

fn snapshots() -> Value {
    choice(
        "When the files of a git working tree are kept for `recovery rollback` (default auto): \
         at explicit checkpoints and ends of stages and phases, and with auto also before and \
         after agent steps and otherwise in at most 5 % of the time; always at every checkpoint.",
        &["auto", "always", "explicit", "off"],
    )
}

fn capture_limit() -> Value {
    any(
        "Largest captured value in bytes (default 16 MB); a larger one fails its step.",
        vec![
            json!({ "type": "integer", "minimum": 1 }),
            json!({ "type": "string", "pattern": "^[0-9]+ *([kKmMgG]([iI]?[bB])?|[bB])?$" }),
        ],
    )
}

#[cfg(test)]
mod tests;

//! Checkpoint files without a session here: carried along with a repository, written by hand or
//! by older versions (SPEC 7.1). `resume` continues them; here they are only shown.

use std::collections::HashSet;

use serde_json::{Value as Json, json};

use crate::cli::lookup::{Place, working_directory};
use crate::cli::output::{Console, Output};
use crate::exit::{ExitKind, Failure};
use crate::store::{self, ForeignCheckpoint, StoreError};
use crate::view::{self, Depth};

/// One file: its stem, by which it can be called, and what is in it.
pub(super) struct Carried {
    stem: String,
    checkpoint: Result<ForeignCheckpoint, StoreError>,
}

/// The checkpoint files of the working directory and of its repository's state, but for those
/// of the sessions in `known` (workflow ids).
pub(super) fn carried(place: &Place, known: &HashSet<String>) -> Result<Vec<Carried>, Failure> {
    let mut directories = vec![store::carried_checkpoints(&working_directory()?)];
    directories.extend(place.repository.as_ref().map(|name| place.home.checkpoints(name)));
    let mut found = Vec::new();
    for directory in directories {
        let files = store::checkpoint_files(&directory)?;
        let new = files.into_iter().filter(|(stem, _)| !known.contains(stem));
        found.extend(
            new.map(|(stem, path)| Carried { stem, checkpoint: store::read_foreign(&path) }),
        );
    }
    Ok(found)
}

/// Shows the file that `text` calls, if there is one.
pub(super) fn show(
    place: &Place,
    text: &str,
    json: bool,
    console: &mut Console,
) -> Result<Option<ExitKind>, Failure> {
    let called = |carried: &Carried| {
        let name = carried.checkpoint.as_ref().ok().and_then(|one| one.workflow_name.as_deref());
        carried.stem == text || name == Some(text)
    };
    let Some(carried) = carried(place, &HashSet::new())?.into_iter().find(called) else {
        return Ok(None);
    };
    let checkpoint = carried.checkpoint?;
    if json {
        console.output.json(&in_full(&carried.stem, &checkpoint));
    } else {
        let depth = console.depth();
        tell(&carried.stem, &checkpoint, depth, &mut console.output);
    }
    Ok(Some(ExitKind::Success))
}

/// Lines below the list of sessions.
pub(super) fn list(files: &[Carried], console: &mut Console) {
    if files.is_empty() {
        return;
    }
    console.output.line("\ncheckpoint files without a session here:");
    for Carried { stem, checkpoint } in files {
        match checkpoint {
            Ok(checkpoint) => console.output.line(format_args!(
                "  {}  {} at {}, {}",
                view::line(stem),
                view::status_words(checkpoint.status).0,
                position(checkpoint),
                view::line(&checkpoint.path.display().to_string())
            )),
            Err(problem) => {
                console.output.line(format_args!("  {}  {problem}", view::line(stem)));
            }
        }
    }
}

/// The row of a file in the list of sessions.
pub(super) fn row(carried: &Carried) -> Json {
    match &carried.checkpoint {
        Err(problem) => json!({ "workflow_id": carried.stem, "damage": problem.to_string() }),
        Ok(checkpoint) => {
            let mut row = summary(&carried.stem, checkpoint);
            if let Some(fields) = row.as_object_mut() {
                let done = checkpoint.completed_steps.iter().filter(|step| step.success).count();
                fields.insert("completed_steps".to_owned(), done.into());
            }
            row
        }
    }
}

fn summary(stem: &str, checkpoint: &ForeignCheckpoint) -> Json {
    json!({
        "workflow_id": stem,
        "session_id": checkpoint.session_id,
        "workflow_name": checkpoint.workflow_name,
        "workflow_path": checkpoint.workflow_path,
        "status": checkpoint.status,
        "position": position(checkpoint),
        "current_step_index": checkpoint.current_step_index,
        "total_steps": checkpoint.total_steps,
        "stage": checkpoint.stage,
        "version": checkpoint.version,
        "timestamp": checkpoint.timestamp,
        "checkpoint_file": checkpoint.path,
    })
}

fn in_full(stem: &str, checkpoint: &ForeignCheckpoint) -> Json {
    let steps = checkpoint.completed_steps.iter().map(|step| {
        json!({
            "step_index": step.index,
            "address": step.address,
            "command": step.command,
            "success": step.success,
            "output": step.output,
            "exit_code": step.exit_code,
            "duration": step.duration.as_secs_f64(),
            "attempts": step.attempts,
            "timestamp": step.timestamp,
        })
    });
    let mut shown = summary(stem, checkpoint);
    if let Some(fields) = shown.as_object_mut() {
        fields.insert("variables".to_owned(), json!(checkpoint.variables));
        fields.insert("completed_steps".to_owned(), steps.collect());
        fields.insert("error_recovery_state".to_owned(), json!(checkpoint.error_recovery_state));
    }
    shown
}

fn tell(stem: &str, checkpoint: &ForeignCheckpoint, depth: Depth, output: &mut Output) {
    let name = checkpoint.workflow_name.as_deref().unwrap_or(stem);
    let (status, _) = view::status_words(checkpoint.status);
    output.line(format_args!("{} {status} at {}", view::clip(name, 80), position(checkpoint)));
    let mut row = |name: &str, value: &str| {
        output.line(format_args!("  {name:<9} {}", view::line(value)));
    };
    row("id", stem);
    row("file", &checkpoint.path.display().to_string());
    match &checkpoint.workflow_path {
        Some(path) => row("workflow", &path.display().to_string()),
        None => row("workflow", "not named: resume with --workflow FILE"),
    }
    output.line("steps");
    for step in &checkpoint.completed_steps {
        let standing = if step.success { "done" } else { "failed" };
        let command = view::clip(&step.command, 100);
        output.line(format_args!("  {}  {standing}  {command}", step.index + 1));
        if depth == Depth::Verbose {
            for line in view::output_lines(step.output.as_deref().unwrap_or_default()) {
                output.line(format_args!("     | {line}"));
            }
        }
    }
    if !checkpoint.variables.is_empty() {
        output.line("variables");
    }
    for (name, value) in &checkpoint.variables {
        let value = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
        output.line(format_args!("  {} = {}", view::line(name), view::clip(&value, 100)));
    }
    output.line(format_args!("\nto go on: prodigy resume {}", view::line(stem)));
}

fn position(checkpoint: &ForeignCheckpoint) -> String {
    let step = checkpoint.current_step_index + 1;
    match (&checkpoint.stage, checkpoint.total_steps) {
        (Some(stage), _) => format!("Stage {}", view::line(stage)),
        (None, Some(total)) => format!("step {}/{total}", step.min(total.max(1))),
        (None, None) => format!("step {step}"),
    }
}

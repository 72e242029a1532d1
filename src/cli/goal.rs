//! The workflow that a session goes on with: its file as it is now, or the stored copy.

use crate::exit::{ExitKind, Failure};
use crate::playbook::{LoadError, Loaded, parse};
use crate::resume::{Changes, match_steps};
use crate::session::{Digest, SessionId, SessionStarted, SessionState};
use crate::store::Home;

use super::args::Resume;
use super::output::Console;
use super::validate::refuse;

/// The workflow that the session goes on with.
pub(super) struct Goal {
    /// The workflow, as it is now.
    pub(super) loaded: Loaded,
    /// How it differs from the one that ran, when the file was edited.
    pub(super) changes: Option<Changes>,
    /// True when the stored copy is not this one yet.
    pub(super) stored_is_old: bool,
}

impl Goal {
    /// The workflow as it ran.
    fn unchanged(loaded: Loaded) -> Self {
        Self { loaded, changes: None, stored_is_old: false }
    }
}

/// Reads the workflow of a session: the file as it is now, or the stored copy without it.
pub(super) fn goal(
    home: &Home,
    header: &SessionStarted,
    state: &SessionState,
    console: &mut Console,
) -> Result<Goal, Failure> {
    let stored = stored_workflow(home, &header.session_id, console)?;
    let path = &header.workflow_path;
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            console.remark(format_args!(
                "{} cannot be read ({error}): going on with the stored copy",
                path.display()
            ));
            return Ok(Goal::unchanged(stored));
        }
    };
    let digest = Digest::of(text.as_bytes());
    if digest == Digest::of(stored.text.as_bytes()) {
        return Ok(Goal::unchanged(stored));
    }
    let edited = parse(path, &text).map_err(|error| refuse(path, error, console))?;
    if digest == header.workflow_hash {
        // The edit was recorded, and the run ended before it could store the copy.
        return Ok(Goal { stored_is_old: true, ..Goal::unchanged(edited) });
    }
    let changes = match_steps(&stored.workflow, &edited.workflow, state);
    if changes.is_empty() {
        return Ok(Goal::unchanged(stored));
    }
    Ok(Goal { loaded: edited, changes: Some(changes), stored_is_old: true })
}

fn stored_workflow(home: &Home, id: &SessionId, console: &mut Console) -> Result<Loaded, Failure> {
    let path = home.workflow(id);
    let text = std::fs::read_to_string(&path).map_err(|error| {
        Failure::new(
            ExitKind::Damaged,
            format!("cannot read the stored workflow {}", path.display()),
        )
        .because(error.to_string())
        .with_help(format!("prodigy resume {id} --force   (starts again from the beginning)"))
    })?;
    parse(&path, &text).map_err(|error: LoadError| refuse(&path, error, console))
}

/// `--downstream` alone says nothing.
pub(super) fn check_downstream(goal: &Goal, arguments: &Resume, id: &str) -> Result<(), Failure> {
    if !arguments.downstream || arguments.from_step.is_some() || goal.changes.is_some() {
        return Ok(());
    }
    let message = "--downstream says what follows a step that runs again, and none was named";
    Err(Failure::new(ExitKind::Usage, message)
        .with_help(format!("prodigy resume {id} --from-step ADDRESS --downstream")))
}

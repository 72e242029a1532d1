//! Whether the agent steps that are to run can run at all: told before anything starts.

use std::ffi::OsStr;

use crate::executor::{Permissions, Surroundings, check_agents};
use crate::exit::Failure;
use crate::playbook::AGENT_PROGRAM;
use crate::playbook::model::{Body, Workflow};
use crate::resume::{Action, Row, places};
use crate::session::SessionState;

use super::args::RunOptions;
use super::running::lacking;

/// Refuses a new session whose agents cannot run.
pub(super) fn check_all(
    workflow: &Workflow,
    options: &RunOptions,
    surroundings: &Surroundings,
) -> Result<(), Failure> {
    check_agents(workflow, &workflow.agent_steps(), &permissions(options), surroundings)
        .map_err(lacking)
}

/// Refuses to go on with a session whose agents cannot run; what is finished needs none.
pub(super) fn check_open(
    workflow: &Workflow,
    state: &SessionState,
    rows: &[Row],
    options: &RunOptions,
    surroundings: &Surroundings,
) -> Result<(), Failure> {
    if matches!(workflow.body, Body::MapReduce(_)) {
        return check_all(workflow, options, surroundings);
    }
    let places = places(workflow, state);
    let open = places.iter().filter(|place| {
        !rows.iter().any(|row| row.address == place.address && row.action == Action::Keep)
    });
    let steps: Vec<_> = open.flat_map(|place| place.step.agent_steps()).collect();
    check_agents(workflow, &steps, &permissions(options), surroundings).map_err(lacking)
}

/// What agents may do in this run, over what the workflow says.
pub(super) fn permissions(options: &RunOptions) -> Permissions {
    Permissions { mode: options.permission_mode.clone(), skip: options.skip_permissions }
}

/// The program that the workflow needs and that is not on the path here.
pub(super) fn missing_program(workflow: &Workflow) -> Option<&str> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let directory = std::env::current_dir().ok()?;
    let programs = workflow.agent_steps().into_iter().map(|(_, call)| {
        workflow.agent_command(&call.options).first().map_or(AGENT_PROGRAM, String::as_str)
    });
    let is_relative = |program: &str| program.contains('/') && !program.starts_with('/');
    programs.filter(|program| !is_relative(program)).find(|program| {
        crate::process::find_program(OsStr::new(program), &path, &directory).is_none()
    })
}

//! What agent steps need, looked at before the first step runs and any money is spent.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use crate::agent::{self, Call};
use crate::playbook::model::{ClaudeCall, Step, Workflow};
use crate::playbook::{AGENT_INSTALL, AGENT_PROGRAM};

use super::environment::{Surroundings, SurroundingsError};
use super::permissions::Permissions;

/// Checks that the program of every one of `steps` is there and would not refuse its options.
///
/// # Errors
/// What is missing or refused, and what to do.
pub fn check_agents(
    workflow: &Workflow,
    steps: &[(&Step, &ClaudeCall)],
    permissions: &Permissions,
    surroundings: &Surroundings,
) -> Result<(), SurroundingsError> {
    for (step, call) in steps {
        let command = workflow.agent_command(&call.options);
        let program = command.first().map_or(AGENT_PROGRAM, String::as_str);
        find(program, step, surroundings)?;
        let holds = permissions.over(&call.options, &workflow.claude);
        let own = &call.options.extra_args;
        let call = Call {
            prompt: "any".to_owned(),
            permission_mode: holds.mode,
            skip_permissions: holds.skip,
            extra_args: if own.is_empty() { &workflow.claude.extra_args } else { own }.clone(),
            ..Call::default()
        };
        let mut environment = surroundings.base();
        // Its value is known when the step runs; that it is there means that somebody thought of it.
        if sets(step, "IS_SANDBOX") {
            environment.push((OsString::from("IS_SANDBOX"), OsString::from("1")));
        }
        if let Some(refusal) = agent::refusal(&call, crate::process::user_id(), &environment) {
            let message = format!("step {:?} cannot run: {refusal}", step.summary());
            return Err(SurroundingsError::new(message, None));
        }
    }
    Ok(())
}

/// A name is looked up on the path, a place where it is absolute; another one may depend on the
/// directory of its step.
fn find(program: &str, step: &Step, surroundings: &Surroundings) -> Result<(), SurroundingsError> {
    let relative = program.contains('/') && !program.starts_with('/');
    if relative || sets(step, "PATH") {
        return Ok(());
    }
    let path = surroundings.env("PATH").unwrap_or_default();
    let found = crate::process::find_program(OsStr::new(program), path, &surroundings.directory);
    if found.is_some() {
        return Ok(());
    }
    let help = if program == AGENT_PROGRAM {
        format!(
            "install it with: {AGENT_INSTALL}\n(or name another program: claude: {{command: [PROGRAM]}})"
        )
    } else {
        "install it, or correct `command:` of `claude:` in the workflow".to_owned()
    };
    let lack = match Path::new(program).exists() {
        true => "is no program that may be executed",
        false => "is not there",
    };
    let message = format!("step {:?} needs {program}, which {lack}", step.summary());
    Err(SurroundingsError::new(message, Some(help)))
}

fn sets(step: &Step, name: &str) -> bool {
    step.env.iter().any(|entry| entry.name == name)
}

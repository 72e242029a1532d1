//! What a recovery is held against before it begins: the session's files, and the surroundings
//! it would run in.

use crate::cli::resume::surroundings;
use crate::executor::Surroundings;
use crate::expr::Template;
use crate::playbook::model::Workflow;
use crate::process::Stop;
use crate::recovery::{Around, Files, Ground, Integrity, Validation, validate};
use crate::session::{Secrets, SessionState};
use crate::store::{Home, Loaded};

/// Looks whether a session may go on with `workflow` from the state `at` (after event `seq`).
/// Tools are asked for their versions, commands of `env:` are run.
#[expect(dead_code, reason = "the recoveries that call it come with their own file")]
pub(crate) fn look(
    home: &Home,
    loaded: &Loaded,
    workflow: &Workflow,
    (at, seq): (&SessionState, u64),
    files: Files,
    stop: &Stop,
) -> Validation {
    let integrity = Integrity::examine(home, loaded);
    let Some(header) = loaded.state.header() else { return Validation::default() };
    let gathered = surroundings(workflow, header, stop);
    let (trouble, gathered) = match gathered {
        Ok(gathered) => (None, Some(gathered)),
        Err(failure) => (Some((failure.message, failure.help)), None),
    };
    let render = |text: &Template| match &gathered {
        Some((constants, surroundings)) => {
            surroundings.render(text, constants).map_err(|error| error.to_string())
        }
        None => Ok(text.source().to_owned()),
    };
    let of = |look: fn(&Surroundings) -> _| gathered.as_ref().map(|(_, found)| look(found));
    let none = Secrets::default();
    let ground = Ground {
        loaded,
        integrity: &integrity,
        workflow,
        around: Around {
            directory: &header.directory,
            environment: of(Surroundings::base).unwrap_or_else(|| std::env::vars_os().collect()),
            render: &render,
            stop,
        },
        environment: &gathered.as_ref().map(|(_, it)| it.digests()).unwrap_or_default(),
        secrets: gathered.as_ref().map_or(&none, |(_, it)| &it.secrets),
        trouble,
        files,
    };
    validate(&ground, at, seq)
}

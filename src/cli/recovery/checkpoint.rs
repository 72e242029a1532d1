//! `prodigy recovery create-checkpoint`: a name for the latest restore point, given from outside.

use chrono::Utc;
use serde_json::json;

use crate::cli::args::CreateCheckpoint;
use crate::cli::lookup::Place;
use crate::cli::output::Console;
use crate::exit::{ExitKind, Failure};
use crate::session::SessionState;
use crate::store;

/// Names the latest restore point.
pub(super) fn run(
    arguments: &CreateCheckpoint,
    console: &mut Console,
) -> Result<ExitKind, Failure> {
    let place = Place::open()?;
    let card = place.find_or_latest(arguments.id.as_deref())?;
    let name = match &arguments.name {
        Some(name) => name.clone(),
        None => format!("checkpoint-{}", Utc::now().format("%Y%m%dT%H%M%S%.3fZ")),
    };
    let state = place.read(&card.session_id)?.state;
    check(&name, &state)?;
    let metadata = arguments.metadata.iter().cloned().collect();
    let kind = arguments.kind.as_str();
    let label = store::add_label(&place.home, &card.session_id, &name, kind, metadata)?;
    let id = &card.workflow_id;
    if arguments.json {
        console.output.json(&json!({
            "checkpoint_id": format!("{id}@v{}", label.version),
            "workflow_id": id,
            "session_id": card.session_id,
            "repository": card.repository,
            "version": label.version,
            "checkpoint_name": label.name,
            "checkpoint_type": label.kind,
            "created_at": label.at,
            "metadata": label.metadata,
        }));
    } else {
        let name = crate::view::typed(&label.name);
        console.output.line(format_args!("{id}@v{} is now called {name}", label.version));
        console
            .remark(format_args!("to go back to it: prodigy resume {id} --from-checkpoint {name}"));
    }
    Ok(ExitKind::Success)
}

/// A name stands for one thing only: `--from-checkpoint` takes versions, stages, named
/// checkpoints and these.
fn check(name: &str, state: &SessionState) -> Result<(), Failure> {
    let wrong = |why: String| {
        Err(Failure::new(ExitKind::Usage, format!("{name:?} cannot be the name of a checkpoint"))
            .because(why)
            .with_help("letters, digits, space and . _ - make a name, for example before-upgrade"))
    };
    if let Err(why) = crate::playbook::check_checkpoint_name(name) {
        return wrong(why.to_owned());
    }
    let stages = state.header().map(|header| header.stages.as_slice()).unwrap_or_default();
    if stages.iter().any(|stage| stage == name) {
        return wrong("a stage or phase is called so".to_owned());
    }
    match state.lifetime.find_version(name) {
        Some(version) => wrong(format!("v{} is called so by the workflow", version.version)),
        None => Ok(()),
    }
}

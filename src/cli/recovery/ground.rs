//! What a recovery is held against before it begins: the session's files, and the surroundings
//! it would run in.

use crate::cli::resume::surroundings;
use crate::executor::Surroundings;
use crate::exit::{ExitKind, Failure};
use crate::expr::Template;
use crate::playbook::model::Workflow;
use crate::playbook::parse;
use crate::process::Stop;
use crate::recovery::{Around, Files, Ground, Integrity, Validation, validate};
use crate::session::{RecoveryType, Secrets, SessionState, WorkflowId};
use crate::store::{self, Home, Loaded, StoreError};

/// The checkpoint that a recovery goes on from, and what was found about it.
pub(super) struct Footing {
    pub(super) validation: Validation,
    /// `vN`, where the present state is damaged and an earlier checkpoint is not.
    pub(super) earlier: Option<u32>,
}

/// Looks whether a session may go on from its present state; a resume takes the best earlier
/// checkpoint where records of the present one are damaged (DECISIONS A57), and a rollback puts
/// the files back itself.
pub(super) fn footing(
    home: &Home,
    loaded: &Loaded,
    way: RecoveryType,
    stop: &Stop,
) -> Result<Footing, Failure> {
    let workflow = workflow(home, loaded)?;
    let files = match way {
        RecoveryType::Rollback => Files::Return,
        RecoveryType::Retry | RecoveryType::Resume | RecoveryType::Person => Files::Stay,
    };
    let integrity = Integrity::examine(home, loaded);
    let present = (&loaded.state, loaded.state.last_seq);
    let validation = look(loaded, &integrity, &workflow, present, files, stop);
    let lost = integrity.lost_until(loaded.state.last_seq).next().is_some();
    if way != RecoveryType::Resume || !lost {
        return Ok(Footing { validation, earlier: None });
    }
    let Some(best) = integrity.best_version(&loaded.state) else {
        return Ok(Footing { validation, earlier: None });
    };
    let Some(state) = loaded.at(best.seq) else {
        return Ok(Footing { validation, earlier: None });
    };
    let mut earlier = look(loaded, &integrity, &workflow, (&state, best.seq), files, stop);
    let damaged = validation.check(crate::recovery::CheckName::Integrity);
    let mut warnings = damaged.map(|check| check.findings.clone()).unwrap_or_default();
    warnings.retain(|warning| !earlier.warnings.contains(warning));
    warnings.append(&mut earlier.warnings);
    earlier.warnings = warnings;
    Ok(Footing { validation: earlier, earlier: Some(best.version) })
}

/// What stands against a recovery, as an error.
pub(super) fn refused(validation: &Validation, id: &WorkflowId) -> Failure {
    let kind = if validation.is_damage_only() { ExitKind::Damaged } else { ExitKind::Failed };
    let failure = Failure::new(kind, format!("{id} cannot be recovered as it is"))
        .because(validation.errors.join("\n"));
    if validation.help.is_empty() {
        return failure;
    }
    failure.with_help(validation.help.join("\n"))
}

/// The workflow that the session would go on with: its file, or the stored copy where that is
/// gone or wrong (which the run tells).
fn workflow(home: &Home, loaded: &Loaded) -> Result<Workflow, Failure> {
    let Some(header) = loaded.state.header() else {
        return Err(Failure::new(ExitKind::Damaged, "the session's first record is missing"));
    };
    let path = &header.workflow_path;
    let text = std::fs::read_to_string(path);
    if let Some(Ok(edited)) = text.ok().map(|text| parse(path, &text)) {
        return Ok(edited.workflow);
    }
    let path = home.workflow(&header.session_id);
    let text = store::stored_workflow(home, &header.session_id)?;
    let unreadable =
        |_| StoreError::Unreadable { path: path.clone(), reason: "it is no workflow".to_owned() };
    Ok(parse(&path, &text).map_err(unreadable)?.workflow)
}

/// Holds the state `at` (after event `seq`) against what is there. Tools are asked for their
/// versions, commands of `env:` are run.
fn look(
    loaded: &Loaded,
    integrity: &Integrity,
    workflow: &Workflow,
    (at, seq): (&SessionState, u64),
    files: Files,
    stop: &Stop,
) -> Validation {
    let Some(header) = loaded.state.header() else { return Validation::default() };
    let (trouble, gathered) = match surroundings(workflow, header, stop) {
        Ok(gathered) => (None, Some(gathered)),
        Err(failure) => (Some((failure.message, failure.help)), None),
    };
    let render = |text: &Template| match &gathered {
        Some((constants, surroundings)) => {
            surroundings.render(text, constants).map_err(|error| error.to_string())
        }
        None => Ok(text.source().to_owned()),
    };
    let no_secrets = Secrets::default();
    let found: Option<&Surroundings> = gathered.as_ref().map(|(_, found)| found);
    let ground = Ground {
        loaded,
        integrity,
        workflow,
        around: Around {
            directory: &header.directory,
            environment: found.map_or_else(|| std::env::vars_os().collect(), Surroundings::base),
            render: &render,
            stop,
        },
        environment: &found.map(Surroundings::digests).unwrap_or_default(),
        secrets: found.map_or(&no_secrets, |found| &found.secrets),
        trouble,
        files,
    };
    validate(&ground, at, seq)
}

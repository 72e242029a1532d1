//! Whether what steps declared under `artifacts:` is still there and as it was, and the way back
//! to before the step that makes it.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::playbook::model::Step;
use crate::resume::step_alone;
use crate::session::{Address, Artifact, Digest, EventKind, Progress, SessionState};
use crate::store::{artifact_paths, checksum};
use crate::view;

use super::validation::{Files, Ground, Notes};

/// Holds the files against what the state `at` event `seq` says of them.
pub(super) fn artifacts(ground: &Ground<'_>, at: &SessionState, seq: u64) -> Notes {
    let mut notes = Notes::default();
    for made in latest(at) {
        notes.examined += 1;
        let Some((how, grave)) = difference(&made, ground, at, seq) else { continue };
        let name = view::typed(&made.artifact.path.shown());
        let message = format!("the artifact {name} of step {} {how}", made.step);
        if grave && ground.files == Files::Stay {
            notes.errors.push(message);
            notes.help.push(way_to_make(ground, at, made.step));
        } else {
            notes.warnings.push(message);
        }
    }
    notes
}

/// An artifact as it was recorded last.
struct Made<'a> {
    artifact: &'a Artifact,
    step: &'a Address,
    seq: u64,
}

fn latest(at: &SessionState) -> Vec<Made<'_>> {
    let mut latest: BTreeMap<String, Made<'_>> = BTreeMap::new();
    for (step, record) in at.standing.records() {
        let artifacts = record.result.as_ref().map(|result| result.artifacts.as_slice());
        for artifact in artifacts.unwrap_or_default() {
            let name = artifact.path.to_json().to_string();
            let seq = record.finished_seq;
            if latest.get(&name).is_none_or(|known| known.seq < seq) {
                latest.insert(name, Made { artifact, step, seq });
            }
        }
    }
    latest.into_values().collect()
}

/// How an artifact differs from what was recorded, and whether that stands against going on.
fn difference(
    made: &Made<'_>,
    ground: &Ground<'_>,
    at: &SessionState,
    seq: u64,
) -> Option<(String, bool)> {
    let artifact = made.artifact;
    let path = match artifact.path.open(ground.secrets) {
        Ok(path) => path.to_bytes(),
        Err(missing) => return Some((format!("has a name that is not known: {missing}"), true)),
    };
    let path = Path::new(OsStr::from_bytes(&path));
    let sum = match checksum(&ground.around.directory.join(path)) {
        Ok(sum) => sum,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Some(("is not there any more".to_owned(), true));
        }
        Err(error) => return Some((format!("cannot be read: {error}"), true)),
    };
    if sum.digest == artifact.digest {
        return None;
    }
    if let Some(step) = made_later(artifact, &sum.digest, ground, seq) {
        return Some((format!("is as step {step} left it, which runs again"), false));
    }
    let running =
        |progress| matches!(progress, Progress::Running | Progress::InDoubt | Progress::Between);
    let mut open = at.standing.records().filter(|(_, record)| running(record.progress));
    if let Some((step, _)) = open.next()
        && of_workflow(ground).iter().any(|own| own == path)
    {
        let how = format!("has another content than then; step {step} was at work on it");
        return Some((how, false));
    }
    let mut how = "has another content than then".to_owned();
    if sum.bytes != artifact.bytes {
        let (now, then) = (view::bytes(sum.bytes), view::bytes(artifact.bytes));
        how.push_str(&format!(" ({now}, it was {then})"));
    }
    Some((how, true))
}

/// The step behind the checkpoint that left an artifact as it is now.
fn made_later<'g>(
    artifact: &Artifact,
    digest: &Digest,
    ground: &'g Ground<'_>,
    seq: u64,
) -> Option<&'g Address> {
    let later = ground.loaded.events.iter().rev().take_while(|event| event.seq > seq);
    later.into_iter().find_map(|event| match &event.kind {
        EventKind::StepFinished { address, result, .. } => {
            let mut artifacts = result.artifacts.iter();
            artifacts.any(|it| it.path == artifact.path && it.digest == *digest).then_some(address)
        }
        _ => None,
    })
}

/// The paths that the workflow itself declares: any of its steps may change them.
fn of_workflow(ground: &Ground<'_>) -> Vec<PathBuf> {
    let declared = ground.workflow.artifacts.iter();
    declared
        .filter_map(|text| (ground.around.render)(text).ok())
        .filter_map(|text| artifact_paths(&text, ground.around.directory).ok())
        .flatten()
        .collect()
}

/// The command that makes an artifact again: the step that declares it, alone. On what only the
/// workflow declares several steps may have worked.
fn way_to_make(ground: &Ground<'_>, at: &SessionState, step: &Address) -> String {
    let state = &ground.loaded.state;
    let declares = |step: &Step| !step.artifacts.is_empty();
    let alone = step_alone(step, ground.workflow, at).is_some_and(declares);
    match state.header() {
        Some(header) if alone => {
            let step = view::typed(step.as_str());
            format!("prodigy resume {} --from-step {step}", header.workflow_id)
        }
        _ => way_before(state, at, step),
    }
}

/// The command that goes back to before the step (that around it, for an inner one).
fn way_before(state: &SessionState, at: &SessionState, step: &Address) -> String {
    let id = state.header().map(|header| header.workflow_id.to_string()).unwrap_or_default();
    let mut around = step.clone();
    while let Some(owner) = around.owner().filter(|_| !around.is_top_level()) {
        around = owner;
    }
    let record = at.standing.record(&around).filter(|record| record.result.is_some());
    let end = record.map_or(u64::MAX, |record| record.finished_seq);
    // A version counts while its step still stands as it was then.
    let stands = |address: &Address, seq: u64| {
        at.standing.record(address).is_some_and(|record| record.finished_seq == seq)
    };
    let before = state.lifetime.versions.iter().rev().find(|version| {
        version.seq < end && version.address != around && stands(&version.address, version.seq)
    });
    let sequence = around.sequence();
    let begins_stage = !sequence.is_root()
        && sequence.pass().is_none()
        && before.is_none_or(|version| version.address.sequence() != sequence);
    match before {
        _ if begins_stage => {
            format!("prodigy resume {id} --from-checkpoint {}", view::typed(sequence.as_str()))
        }
        Some(version) => format!("prodigy resume {id} --from-checkpoint v{}", version.version),
        None => format!("prodigy resume {id} --force   (starts again from the beginning)"),
    }
}

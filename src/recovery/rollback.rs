//! Rollback: which version a session goes back to, and what stands in the way (DECISIONS A11,
//! A14, A62). Nothing runs: variables and position, and in a git repository the files.

use crate::playbook::model::{OnResume, Workflow};
use crate::resume::places;
use crate::session::{Address, PersonsAnswer, SessionState, StepStatus, Version, item_number};

/// What a person asks of a rollback.
#[derive(Debug, Clone, Default)]
pub struct RollbackRequest {
    /// Where to.
    pub target: RollbackTarget,
    /// What the person said of marked steps.
    pub answers: Vec<(Address, PersonsAnswer)>,
}

/// Where a rollback goes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum RollbackTarget {
    /// The latest version that ended well, in a repository one whose files are kept.
    #[default]
    LastGood,
    /// This version.
    Version(u32),
    /// The state before the latest rollback.
    Undo,
}

/// Whether files can be restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilesReach {
    /// The session runs in a git repository.
    Repository,
    /// It does not: variables and position only.
    Nowhere,
}

/// Where a rollback goes, and what that means.
#[derive(Debug, Clone, PartialEq)]
pub struct Rollback {
    /// The version.
    pub version: Version,
    /// Finished steps that are not finished any more.
    pub dropped: Vec<Address>,
    /// Ended items of a map that have not ended any more.
    pub dropped_items: u32,
}

/// Why a rollback cannot go where it is asked to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RollbackRefusal {
    /// A new session took its place.
    #[error("the session was restarted as {0}")]
    Superseded(String),
    /// There is no such version.
    #[error("there is no checkpoint v{0}")]
    NoVersion(u32),
    /// There is nothing yet to go back to.
    #[error("there is no checkpoint yet that ended well")]
    NothingGood,
    /// No rollback was done that could be undone.
    #[error("no rollback was done here")]
    NothingToUndo,
    /// The version has no files.
    #[error("the files at v{version} were not kept{}", nearest_words(*nearest))]
    NoFiles {
        /// The version.
        version: u32,
        /// The nearest version that has.
        nearest: Option<u32>,
    },
    /// A marked step is done, and going back over it means that it would run again.
    #[error("step {0} is marked `on_resume: {1}`, so that nothing automatic repeats it")]
    Marked(Address, &'static str),
    /// A person spoke of a step that is not gone back over.
    #[error("step {0} is not gone back over: there is nothing to say of it")]
    NotInTheWay(Address),
}

fn nearest_words(nearest: Option<u32>) -> String {
    match nearest {
        Some(nearest) => format!("; the nearest that has files is v{nearest}"),
        None => ", and neither were those at any other".to_owned(),
    }
}

/// Decides where a rollback goes; `earlier` tells the state after an older event.
///
/// # Errors
/// It cannot go there.
pub fn plan_rollback(
    state: &SessionState,
    workflow: &Workflow,
    request: &RollbackRequest,
    reach: FilesReach,
    earlier: &crate::resume::Earlier<'_>,
) -> Result<Rollback, RollbackRefusal> {
    if let Some(by) = &state.lifetime.superseded_by {
        return Err(RollbackRefusal::Superseded(by.to_string()));
    }
    let version = target(state, &request.target, reach)?.clone();
    if reach == FilesReach::Repository && version.files.is_none() {
        let nearest = state.lifetime.nearest_with_files(version.version);
        return Err(RollbackRefusal::NoFiles { version: version.version, nearest });
    }
    let then = earlier(version.seq).unwrap_or_default();
    let done = |state: &SessionState, address: &Address| state.standing.result(address).is_some();
    let dropped: Vec<Address> = state
        .standing
        .records()
        .filter(|(address, record)| {
            address.is_top_level()
                && item_number(address).is_none()
                && record.result.is_some()
                && !done(&then, address)
        })
        .map(|(address, _)| address.clone())
        .collect();
    let mut unsaid: Vec<&Address> = request.answers.iter().map(|(address, _)| address).collect();
    for place in places(workflow, state) {
        let Some(mark) = mark(place.step.on_resume) else { continue };
        let result = state.standing.result(&place.address);
        let ran = result.is_some_and(|result| result.status == StepStatus::Success);
        if !ran || done(&then, &place.address) {
            continue;
        }
        if !unsaid.contains(&&place.address) {
            return Err(RollbackRefusal::Marked(place.address, mark));
        }
        unsaid.retain(|address| **address != place.address);
    }
    if let Some(address) = unsaid.first() {
        return Err(RollbackRefusal::NotInTheWay((*address).clone()));
    }
    let items = |state: &SessionState| state.standing.items.ended();
    Ok(Rollback { version, dropped, dropped_items: items(state).saturating_sub(items(&then)) })
}

fn mark(on_resume: OnResume) -> Option<&'static str> {
    match on_resume {
        OnResume::Rerun | OnResume::Always => None,
        OnResume::Confirm => Some("confirm"),
        OnResume::Skip => Some("skip"),
        OnResume::Fail => Some("fail"),
    }
}

fn target<'s>(
    state: &'s SessionState,
    target: &RollbackTarget,
    reach: FilesReach,
) -> Result<&'s Version, RollbackRefusal> {
    let lifetime = &state.lifetime;
    let numbered = |number: u32| {
        let found = lifetime.all_versions().find(|version| version.version == number);
        found.ok_or(RollbackRefusal::NoVersion(number))
    };
    match target {
        RollbackTarget::Version(number) => numbered(*number),
        RollbackTarget::Undo => {
            let done = lifetime.rollback.as_ref().ok_or(RollbackRefusal::NothingToUndo)?;
            numbered(done.undo_version)
        }
        RollbackTarget::LastGood => {
            let good = || {
                let versions = lifetime.all_versions().rev();
                versions.filter(|version| version.good && lifetime.is_current(version))
            };
            let with_files = good().find(|version| version.files.is_some());
            let chosen = match reach {
                FilesReach::Repository => with_files.or_else(|| good().next()),
                FilesReach::Nowhere => good().find(|version| version.version > 0),
            };
            chosen.ok_or(RollbackRefusal::NothingGood)
        }
    }
}

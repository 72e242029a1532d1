//! `artifacts:`: files that must be there when a step or the workflow ends, and their checksums
//! in the journal (DECISIONS A56).

use std::collections::HashMap;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::expr::Value;
use crate::playbook::model::Step;
use crate::session::{
    Address, Artifact, Digest, EventKind, Failure, FailureKind, Report, StepResult, StepStatus,
    Stored,
};
use crate::store::{ArtifactError, artifact_paths, checksum, stamp};

use super::frame::Frame;
use super::halt::Halt;
use super::run::Run;

/// What is known of the workflow's own artifacts: the stamp of each as it was last looked at,
/// and the checksum that was last recorded.
#[derive(Default)]
pub(super) struct Watched(Mutex<HashMap<PathBuf, Seen>>);

struct Seen {
    stamp: Digest,
    recorded: Digest,
}

impl<'a> Run<'a> {
    /// Why a step that succeeded has failed after all: a file that it declares is not there.
    pub(super) fn missing_artifact(
        &self,
        frame: &Frame<'a>,
        step: &'a Step,
        address: &Address,
    ) -> Option<Failure> {
        self.artifacts_of(frame, step, address).err()
    }

    /// Adds to the result of a step what it leaves; without a file that it declares it failed.
    pub(super) fn record_artifacts(
        &self,
        frame: &Frame<'a>,
        step: &'a Step,
        address: &Address,
        result: &mut StepResult,
    ) {
        if matches!(result.status, StepStatus::Success | StepStatus::Recovered)
            && !step.artifacts.is_empty()
        {
            let recorded = self.artifacts_of(frame, step, address).and_then(|paths| {
                let sums = paths.iter().map(|path| self.artifact(path));
                sums.collect::<io::Result<Vec<_>>>().map_err(|error| {
                    let message = format!("artifacts: {error}");
                    self.failure(FailureKind::MissingArtifact, &message)
                })
            });
            match recorded {
                Ok(artifacts) => result.artifacts = artifacts,
                Err(failure) => {
                    result.status = StepStatus::Failed;
                    result.goes_on = step.continue_on_error;
                    result.report.failure = Some(failure);
                }
            }
        }
        if address.is_top_level() {
            let changed = self.changed_artifacts();
            let known = |artifact: &Artifact| result.artifacts.iter().any(|it| it == artifact);
            let new: Vec<Artifact> = changed.into_iter().filter(|it| !known(it)).collect();
            result.artifacts.extend(new);
        }
    }

    /// The end of a workflow whose steps all went well: it failed when a file that it declares
    /// is not there.
    pub(super) fn keep_promises(&self) -> Result<Option<Address>, Halt> {
        let mut missing = Vec::new();
        for declared in self.declared() {
            if let Err(error) = artifact_paths(&declared, &self.surroundings.directory) {
                missing.push(error.to_string());
            }
        }
        if missing.is_empty() {
            return Ok(None);
        }
        let message = format!("artifacts of the workflow: {}", missing.join("; "));
        let failure = self.failure(FailureKind::MissingArtifact, &message);
        let report = Report::failed(failure.clone());
        self.commit(EventKind::ErrorRaised {
            address: Address::root(),
            step: Address::root(),
            failure,
            exit_code: None,
            attempt: 0,
            output: report.stdout.text,
            stderr: report.stderr.text,
            correlation_id: self.correlation(&Address::root()),
        })?;
        Ok(Some(Address::root()))
    }

    /// The files that a step declares, as they are recorded.
    fn artifacts_of(
        &self,
        frame: &Frame<'a>,
        step: &'a Step,
        address: &Address,
    ) -> Result<Vec<PathBuf>, Failure> {
        if step.artifacts.is_empty() {
            return Ok(Vec::new());
        }
        let unresolved = |error| self.unresolved("artifacts", &error);
        let directory = self.directory(frame, step, address).map_err(unresolved)?;
        // Recorded paths are those that a person in the directory of the run would write.
        let within = directory.strip_prefix(&self.surroundings.directory).unwrap_or(&directory);
        let mut paths = Vec::new();
        for declared in &step.artifacts {
            let declared = self.render(declared, frame, address).map_err(unresolved)?;
            let found = artifact_paths(&declared, &directory).map_err(|error| {
                let message = match error {
                    ArtifactError::Missing(_) => format!("it did not make {declared} (artifacts)"),
                    other => format!("artifacts: {other}"),
                };
                self.failure(FailureKind::MissingArtifact, &message)
            })?;
            paths.extend(found.iter().map(|path| within.join(path)));
        }
        paths.sort();
        paths.dedup();
        Ok(paths)
    }

    fn artifact(&self, path: &Path) -> io::Result<Artifact> {
        let sum = checksum(&self.surroundings.directory.join(path)).map_err(|error| {
            io::Error::new(error.kind(), format!("cannot read {}: {error}", path.display()))
        })?;
        let name = Value::text(path.as_os_str().as_bytes().to_vec());
        let path = Stored::seal(&name, self.secrets());
        Ok(Artifact { path, digest: sum.digest, bytes: sum.bytes })
    }

    /// The workflow's own artifacts that are other than recorded; each is read again only when
    /// its size or times changed.
    fn changed_artifacts(&self) -> Vec<Artifact> {
        if self.workflow.artifacts.is_empty() {
            return Vec::new();
        }
        let mut watched = self.watched.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut changed = Vec::new();
        for declared in self.declared() {
            let paths = artifact_paths(&declared, &self.surroundings.directory);
            for path in paths.unwrap_or_default() {
                let Ok(stamp) = stamp(&self.surroundings.directory.join(&path)) else { continue };
                let seen = watched.get(&path);
                if seen.is_some_and(|seen| seen.stamp == stamp) {
                    continue;
                }
                let Ok(artifact) = self.artifact(&path) else { continue };
                let recorded = artifact.digest.clone();
                if seen.is_none_or(|seen| seen.recorded != recorded) {
                    changed.push(artifact);
                }
                watched.insert(path, Seen { stamp, recorded });
            }
        }
        changed
    }

    /// What the workflow itself declares, with its values; what has none is told at the start.
    fn declared(&self) -> Vec<String> {
        let render = |text| self.surroundings.render(text, &self.constants).ok();
        self.workflow.artifacts.iter().filter_map(render).collect()
    }
}

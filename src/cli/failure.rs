//! What errors of the store mean for a person: exit code and next command.

use std::path::Path;

use crate::exit::{ExitKind, Failure};
use crate::mapreduce::JobId;
use crate::process::Signal;
use crate::recovery::ShelfError;
use crate::session::SessionId;
use crate::store::StoreError;

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let failure = Self::of(kind_of(&error), &error);
        match &error {
            StoreError::Io { path, .. } => failure.with_help(format!(
                "see that {} can be read and written, then try again",
                path.display()
            )),
            StoreError::DiskFull { .. } => {
                failure.with_help("make space, then continue with prodigy resume")
            }
            StoreError::Damaged { path, .. } => match session_in(path) {
                Some(id) => failure.with_help(format!("prodigy checkpoints validate {id}")),
                None => failure,
            },
            StoreError::DamagedItems { path, .. } => match job_of(path) {
                Some(job) => failure.with_help(format!(
                    "prodigy resume {} --force   (starts again as a new session)",
                    job.session()
                )),
                None => failure,
            },
            StoreError::DamagedResult { path, .. } => match job_of(path) {
                Some(job) => failure.with_help(format!(
                    "prodigy resume-job {job} --from-checkpoint map   (all items run again)"
                )),
                None => failure,
            },
            StoreError::Newer { .. } => {
                failure.with_help("use the prodigy that wrote it, or a newer one")
            }
            StoreError::Busy { session, .. } => failure.with_help(format!(
                "wait until it ends, and look on with prodigy events follow --session {session}"
            )),
            StoreError::NotFound { what: "session" | "checkpoint", .. }
            | StoreError::NoJob { .. } => failure.with_help("prodigy sessions list"),
            StoreError::NotFound { .. } | StoreError::Unreadable { .. } => failure,
            StoreError::NoHome { .. } => failure.with_help("export PRODIGY_HOME=/an/absolute/path"),
            StoreError::Ambiguous { candidates, .. } => {
                let mut failure = failure;
                failure.message.push(':');
                for candidate in candidates {
                    failure.message.push_str("\n  ");
                    failure.message.push_str(candidate);
                }
                failure.with_help("give one of these ids, or more of its letters")
            }
            StoreError::Untrusted { path, .. } => failure.with_help(format!(
                "chmod 700 {0}   (after looking at who owns it: ls -ld {0})",
                path.display()
            )),
        }
    }
}

impl From<ShelfError> for Failure {
    fn from(error: ShelfError) -> Self {
        match error {
            ShelfError::Store(error) => error.into(),
            ShelfError::Unreadable { .. } => Self::of(ExitKind::Damaged, &error).with_help(
                "remove that file: what was done stands in the journal, and prodigy recovery initiate begins anew",
            ),
        }
    }
}

impl From<Signal> for ExitKind {
    fn from(signal: Signal) -> Self {
        match signal {
            Signal::Hangup => Self::Hangup,
            Signal::Interrupt => Self::Interrupted,
            Signal::Terminate => Self::Terminated,
        }
    }
}

fn kind_of(error: &StoreError) -> ExitKind {
    match error {
        StoreError::Io { .. }
        | StoreError::DiskFull { .. }
        | StoreError::Damaged { .. }
        | StoreError::DamagedItems { .. }
        | StoreError::DamagedResult { .. }
        | StoreError::Newer { .. }
        | StoreError::NoHome { .. }
        | StoreError::Unreadable { .. }
        | StoreError::Untrusted { .. } => ExitKind::Damaged,
        StoreError::Busy { .. } => ExitKind::Busy,
        StoreError::NotFound { .. } | StoreError::NoJob { .. } => ExitKind::NotFound,
        StoreError::Ambiguous { .. } => ExitKind::Usage,
    }
}

/// The session whose directory `path` lies in.
fn session_in(path: &Path) -> Option<SessionId> {
    path.ancestors().find_map(|part| SessionId::parse(part.file_name()?.to_str()?))
}

/// The job whose directory `path` lies in.
fn job_of(path: &Path) -> Option<JobId> {
    path.ancestors().find_map(|part| JobId::parse(part.file_name()?.to_str()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_names_the_session_to_check() {
        let id = SessionId::fresh();
        let path = Path::new("/home/me/.prodigy/sessions").join(id.as_str()).join("journal.jsonl");
        let failure = Failure::from(StoreError::Damaged { path, line: 7, reason: "sum".into() });
        assert_eq!(failure.kind, ExitKind::Damaged);
        assert_eq!(failure.help, Some(format!("prodigy checkpoints validate {id}")));
    }

    #[test]
    fn an_ambiguous_id_lists_what_it_fits() {
        let candidates = vec!["build-1".to_owned(), "build-2".to_owned()];
        let failure = Failure::from(StoreError::Ambiguous { name: "build".into(), candidates });
        assert_eq!(failure.kind, ExitKind::Usage);
        assert!(failure.message.ends_with("\n  build-1\n  build-2"), "{}", failure.message);
    }
}

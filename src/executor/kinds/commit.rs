//! `auto_commit` and `commit_required`: what a step leaves in the repository (SPEC 8).

use crate::executor::attempt::{Attempt, Done};
use crate::executor::run::Run;
use crate::session::FailureKind;

impl<'a> Run<'a> {
    /// Commits what a successful attempt left, and checks that HEAD moved where that is asked for.
    pub(in crate::executor) fn commit_work(&self, attempt: &Attempt<'_, 'a>, done: &mut Done) {
        let step = attempt.step;
        if !step.auto_commit && !step.commit_required {
            return;
        }
        let Some(repository) = &self.surroundings.repository else {
            let message = "it asks for a commit, but the directory is in no git repository";
            done.report.failure = Some(self.failure(FailureKind::NoCommit, message));
            return;
        };
        if step.auto_commit {
            let message = match &step.commit_message {
                Some(text) => self.render(text, attempt.frame, attempt.address),
                None => Ok(format!(
                    "prodigy: {} step {}",
                    self.workflow.name,
                    step.id.as_deref().unwrap_or(attempt.address.as_str())
                )),
            };
            let committed =
                message.map_err(|error| format!("commit_message: {error}")).and_then(|message| {
                    repository
                        .commit_all(&message, &self.surroundings.base())
                        .map_err(|error| error.to_string())
                });
            if let Err(message) = committed {
                done.report.failure = Some(self.failure(FailureKind::NoCommit, &message));
                return;
            }
        }
        if step.commit_required {
            let before = self
                .session
                .with(|state| state.standing.record(attempt.address)?.head_before.clone());
            if repository.head() == before {
                let message = "it made no commit (commit_required)";
                done.report.failure = Some(self.failure(FailureKind::NoCommit, message));
            }
        }
    }
}

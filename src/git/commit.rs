//! Uncommitted work: is there any, and into a commit with it.

use std::ffi::OsString;

use super::command::Setting;
use super::{GitError, Repository};

/// Who commits where nobody said who they are.
const NOBODY: [&str; 4] = ["-c", "user.name=Prodigy", "-c", "user.email=prodigy@localhost"];

impl Repository {
    /// True when the working tree or the index differ from HEAD, untracked files included.
    ///
    /// # Errors
    /// Git fails.
    pub fn is_dirty(&self) -> Result<bool, GitError> {
        self.git(&["status", "--porcelain", "-z"]).map(|listing| !listing.is_empty())
    }

    /// Commits everything that is not committed (ignored files stay out), with the
    /// environment `env` for git and its hooks, and returns the new commit's id; `None` when
    /// there was nothing to commit.
    ///
    /// # Errors
    /// Git fails, or a hook refuses.
    pub fn commit_all(
        &self,
        message: &str,
        env: &[(OsString, OsString)],
    ) -> Result<Option<String>, GitError> {
        let setting = Setting { env: Some(env), input: None };
        self.git_in(&setting, &["add", "--all"])?;
        let diff = ["diff", "--cached", "--quiet", "--no-ext-diff", "--no-textconv"];
        let staged = self.ask_git(&setting, &diff)?;
        match staged.code {
            0 => return Ok(None),
            1 => {}
            _ => return Err(staged.into_error(&diff)),
        }
        let mut args = if self.knows_who_commits(&setting)? { Vec::new() } else { NOBODY.to_vec() };
        args.extend(["commit", "--quiet", "--file=-"]);
        let setting = Setting { env: Some(env), input: Some(message.as_bytes().to_vec()) };
        self.git_in(&setting, &args)?;
        Ok(self.head())
    }

    /// Whether an identity is set, in the configuration or the environment; what git guesses
    /// from the host name is none.
    fn knows_who_commits(&self, setting: &Setting) -> Result<bool, GitError> {
        for identity in ["GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"] {
            let answer =
                self.ask_git(setting, &["-c", "user.useConfigOnly=true", "var", identity])?;
            if answer.code != 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

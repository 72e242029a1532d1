//! Where everything lies: `$PRODIGY_HOME`, default `~/.prodigy`. Nothing else joins state paths.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use crate::session::{Digest, LogName, RecoveryId, SessionId, WorkflowId};

use super::error::NamePath;
use super::origin::{self, Moved};
use super::{StoreError, files};

/// The state directory.
#[derive(Debug, Clone)]
pub struct Home {
    root: PathBuf,
}

impl Home {
    /// The state directory of this user, created with mode 0700 when it is missing.
    ///
    /// # Errors
    /// It cannot be made, or belongs to someone else or is writable by others; no variable
    /// tells where it is.
    pub fn open() -> Result<Self, StoreError> {
        let root = locate(std::env::var_os("PRODIGY_HOME"), std::env::var_os("HOME"))?;
        Self::at(&root)
    }

    /// The state directory at an absolute path, as [`Self::open`].
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn at(root: &Path) -> Result<Self, StoreError> {
        files::make_directory(root)?;
        let metadata = fs::metadata(root).named("read", root)?;
        let untrusted = |reason: String| StoreError::Untrusted { path: root.to_owned(), reason };
        let me = rustix::process::geteuid().as_raw();
        if metadata.uid() != me {
            return Err(untrusted(format!(
                "it belongs to user {}, and this is user {me}",
                metadata.uid()
            )));
        }
        if metadata.mode() & 0o022 != 0 {
            return Err(untrusted(format!(
                "others may write to it (mode {:04o}); chmod go-w makes it private",
                metadata.mode() & 0o7777
            )));
        }
        Ok(Self { root: root.to_owned() })
    }

    /// The directory itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// `sessions`.
    #[must_use]
    pub fn sessions(&self) -> PathBuf {
        self.root.join("sessions")
    }

    /// `sessions/<id>`.
    #[must_use]
    pub fn session(&self, id: &SessionId) -> PathBuf {
        self.sessions().join(id.as_str())
    }

    /// `sessions/<id>/journal.jsonl`: the truth.
    #[must_use]
    pub fn journal(&self, id: &SessionId) -> PathBuf {
        self.session(id).join("journal.jsonl")
    }

    /// `sessions/<id>/journal.damaged-<time>`: what a repair cut off.
    #[must_use]
    pub fn damaged_journal(&self, id: &SessionId, time: &DateTime<Utc>) -> PathBuf {
        let time = time.format("%Y%m%dT%H%M%S%.6fZ");
        self.session(id).join(format!("journal.damaged-{time}"))
    }

    /// A directory beside the sessions for one that is being taken in or removed.
    #[must_use]
    pub fn passing_session(&self, id: &SessionId) -> PathBuf {
        self.sessions().join(format!(".{id}.{}", std::process::id()))
    }

    /// `sessions/<id>/session.json`: the index card.
    #[must_use]
    pub fn card(&self, id: &SessionId) -> PathBuf {
        self.session(id).join("session.json")
    }

    /// `sessions/<id>/workflow.yaml`: the workflow as it ran.
    #[must_use]
    pub fn workflow(&self, id: &SessionId) -> PathBuf {
        self.session(id).join("workflow.yaml")
    }

    /// `sessions/<id>/labels.jsonl`: names given to checkpoints from outside.
    #[must_use]
    pub fn labels(&self, id: &SessionId) -> PathBuf {
        self.session(id).join("labels.jsonl")
    }

    /// `sessions/<id>/logs`.
    #[must_use]
    pub fn logs(&self, id: &SessionId) -> PathBuf {
        self.session(id).join("logs")
    }

    /// `sessions/<id>/logs/<address>.<attempt>.log`.
    #[must_use]
    pub fn log(&self, id: &SessionId, name: &LogName) -> PathBuf {
        self.logs(id).join(name.file_name())
    }

    /// `sessions/<id>/blobs`: large texts under their digest.
    #[must_use]
    pub fn blobs(&self, id: &SessionId) -> PathBuf {
        self.session(id).join("blobs")
    }

    /// `sessions/<id>/blobs/<sha256>`.
    #[must_use]
    pub fn blob(&self, id: &SessionId, digest: &Digest) -> PathBuf {
        self.blobs(id).join(digest.as_str())
    }

    /// `sessions/<id>/tmp`: files that live as long as a step.
    #[must_use]
    pub fn scratch(&self, id: &SessionId) -> PathBuf {
        self.session(id).join("tmp")
    }

    /// `resume_locks/<id>.lock`.
    #[must_use]
    pub fn lock(&self, id: &SessionId) -> PathBuf {
        self.root.join("resume_locks").join(format!("{id}.lock"))
    }

    /// `state`: one directory for each repository.
    #[must_use]
    pub fn repositories(&self) -> PathBuf {
        self.root.join("state")
    }

    /// `state/<repo>/checkpoints`.
    #[must_use]
    pub fn checkpoints(&self, repository: &str) -> PathBuf {
        self.repositories().join(repository).join("checkpoints")
    }

    /// `state/<repo>/checkpoints/<workflow-id>.json`.
    #[must_use]
    pub fn snapshot(&self, repository: &str, id: &WorkflowId) -> PathBuf {
        self.checkpoints(repository).join(format!("{id}.json"))
    }

    /// `state/<repo>/origin.json`: which directory the name stands for.
    #[must_use]
    pub fn origin(&self, repository: &str) -> PathBuf {
        self.repositories().join(repository).join("origin.json")
    }

    /// `recovery`: one directory for each repository in which something was recovered.
    #[must_use]
    pub fn recoveries(&self) -> PathBuf {
        self.root.join("recovery")
    }

    /// `state/<repo>/files.git`: the files of its working tree as they were kept.
    #[must_use]
    pub fn kept_files(&self, repository: &str) -> PathBuf {
        self.repositories().join(repository).join("files.git")
    }

    /// `recovery/<repo>`.
    #[must_use]
    pub fn recovery(&self, repository: &str) -> PathBuf {
        self.recoveries().join(repository)
    }

    /// `recovery/<repo>/<recovery-id>.json`: how far a recovery is.
    #[must_use]
    pub fn recovery_state(&self, repository: &str, id: &RecoveryId) -> PathBuf {
        self.recovery(repository).join(format!("{id}.json"))
    }

    /// `recovery.yaml`: the user's rules for recoveries.
    #[must_use]
    pub fn recovery_rules(&self) -> PathBuf {
        self.root.join("recovery.yaml")
    }

    /// `worktrees/<repo>/<session>`.
    #[must_use]
    pub fn worktree(&self, repository: &str, id: &SessionId) -> PathBuf {
        self.root.join("worktrees").join(repository).join(id.as_str())
    }

    /// The name under `state/` of the repository (or plain directory) that `directory` lies in:
    /// the base name of its canonical git top level, with `-<8 hex>` when another one has it.
    /// A repository that was moved keeps its name.
    ///
    /// # Errors
    /// The directory is gone, or the origin file cannot be read or written.
    pub fn repository(&self, directory: &Path) -> Result<String, StoreError> {
        origin::name(self, directory)
    }

    /// As [`Self::repository`], but only if it has a name already; writes nothing.
    ///
    /// # Errors
    /// The directory is gone.
    pub fn known_repository(&self, directory: &Path) -> Result<Option<String>, StoreError> {
        origin::known_name(self, directory)
    }

    /// Whether the repository called `name`, which is not where it was any more, may now be the
    /// one that `here` lies in. Writes nothing.
    ///
    /// # Errors
    /// `here` is gone.
    pub fn moved_repository(&self, name: &str, here: &Path) -> Result<Option<Moved>, StoreError> {
        origin::moved(self, name, here)
    }

    /// From now on `name` stands for the directory that `here` lies in, unless that has a name
    /// already.
    ///
    /// # Errors
    /// The origin file cannot be written.
    pub fn bind_repository(&self, name: &str, here: &Path) -> Result<(), StoreError> {
        origin::bind(self, name, here)
    }
}

/// `.prodigy/checkpoints` in a working directory: checkpoints carried along with a repository.
#[must_use]
pub fn carried_checkpoints(directory: &Path) -> PathBuf {
    directory.join(".prodigy").join("checkpoints")
}

fn locate(home: Option<OsString>, users: Option<OsString>) -> Result<PathBuf, StoreError> {
    let no_home = |reason: &str| Err(StoreError::NoHome { reason: reason.to_owned() });
    if let Some(home) = home {
        let home = PathBuf::from(home);
        return match home.is_absolute() {
            true => Ok(home),
            false if home.as_os_str().is_empty() => no_home("PRODIGY_HOME is empty"),
            false => no_home(&format!("PRODIGY_HOME={} is not absolute", home.display())),
        };
    }
    match users.map(PathBuf::from) {
        Some(users) if users.is_absolute() => Ok(users.join(".prodigy")),
        Some(users) if !users.as_os_str().is_empty() => {
            no_home(&format!("HOME={} is not absolute", users.display()))
        }
        _ => no_home("HOME is not set"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_variables_decide_and_nothing_is_guessed() {
        let path = |text: &str| Some(OsString::from(text));
        assert_eq!(locate(path("/a b"), path("/home/x")).unwrap(), Path::new("/a b"));
        assert_eq!(locate(None, path("/home/x")).unwrap(), Path::new("/home/x/.prodigy"));
        for (home, users) in [
            (path(""), path("/home/x")),
            (path("relative"), path("/home/x")),
            (None, None),
            (None, path("")),
            (None, path("relative")),
        ] {
            let error = locate(home, users).unwrap_err();
            assert!(error.to_string().contains("set PRODIGY_HOME"), "{error}");
        }
    }

    #[test]
    fn the_directory_is_private_or_refused() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("deep/home");
        let home = Home::at(&root).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode(home.root()), 0o700);
        assert_eq!(mode(&place.path().join("deep")), 0o700);
        fs::set_permissions(&root, fs::Permissions::from_mode(0o770)).unwrap();
        let error = Home::at(&root).unwrap_err();
        assert!(matches!(error, StoreError::Untrusted { .. }), "{error}");
        fs::set_permissions(&root, fs::Permissions::from_mode(0o755)).unwrap();
        std::os::unix::fs::symlink(&root, place.path().join("link")).unwrap();
        Home::at(&place.path().join("link")).unwrap();
        fs::write(place.path().join("file"), "x").unwrap();
        Home::at(&place.path().join("file/home")).unwrap_err();
        Home::at(&place.path().join("file")).unwrap_err();
    }

    #[test]
    fn ten_first_users_at_once_all_get_it() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("a/b/c");
        std::thread::scope(|scope| {
            for _ in 0..10 {
                scope.spawn(|| Home::at(&root).unwrap());
            }
        });
    }
}

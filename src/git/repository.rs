//! Where a repository is: found by looking at files, without running git.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::GitError;
use crate::process::Stop;

/// A repository with a working tree.
#[derive(Clone)]
pub struct Repository {
    /// The top directory of the working tree.
    pub top: PathBuf,
    /// The git directory of this working tree: its HEAD and index.
    pub git_dir: PathBuf,
    /// The git directory that all working trees share: branches and objects.
    pub common_dir: PathBuf,
    pub(super) stop: Stop,
}

impl Repository {
    /// The repository that `directory` lies in, if any.
    #[must_use]
    pub fn find(directory: &Path) -> Option<Self> {
        let start = directory.canonicalize().ok()?;
        start.ancestors().find_map(Self::at)
    }

    /// The same repository; git runs (and the hooks of a commit) end when `stop` does.
    #[must_use]
    pub fn heeding(mut self, stop: &Stop) -> Self {
        self.stop = stop.clone();
        self
    }

    /// The kind of object ids that it has: `sha1` or `sha256`.
    ///
    /// # Errors
    /// Git fails.
    pub(super) fn object_format(&self) -> Result<String, GitError> {
        let args = ["rev-parse", "--show-object-format"];
        Ok(String::from_utf8_lossy(&self.git(&args)?).trim().to_owned())
    }

    fn at(top: &Path) -> Option<Self> {
        let entry = top.join(".git");
        let git_dir = if entry.is_dir() {
            entry
        } else {
            // Working trees and submodules: a file that names the directory.
            let text = fs::read(&entry).ok()?;
            top.join(path_from(text.strip_prefix(b"gitdir:")?))
        };
        if !git_dir.join("HEAD").exists() {
            return None;
        }
        let common_dir = match fs::read(git_dir.join("commondir")) {
            Ok(text) => git_dir.join(path_from(&text)),
            Err(_) => git_dir.clone(),
        };
        Some(Self { top: top.to_owned(), git_dir, common_dir, stop: Stop::never() })
    }
}

fn path_from(text: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(text.trim_ascii()))
}

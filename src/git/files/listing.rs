//! What of a working tree is kept: tracked files and untracked ones that no rule ignores.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use crate::git::{GitError, Repository};

use super::store::path_of;

/// Files above this size are not kept.
pub(super) const LARGEST: u64 = 50 << 20;

/// Whether each file is tried before git reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    Plain,
    /// Also whether it can be read: git stops at the first that cannot.
    AtAccess,
}

/// Something of the working tree that is not kept, and never touched.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeftOut {
    /// Relative to the top directory.
    pub path: PathBuf,
    /// Why.
    pub reason: WhyLeftOut,
}

/// Why something is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WhyLeftOut {
    /// It is larger than 50 MB.
    TooLarge,
    /// It is a submodule, or another repository below this one.
    Repository,
    /// It cannot be read.
    Unreadable,
    /// It is no file, directory or link.
    Special,
}

/// The files of a working tree.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// What is kept, relative to the top.
    pub(super) files: BTreeSet<PathBuf>,
    pub(super) left_out: BTreeSet<LeftOut>,
    /// What is tracked and not there.
    pub(super) gone: BTreeSet<PathBuf>,
}

impl Listing {
    /// Asks git for names, and the disk for what they are.
    pub(super) fn of(repository: &Repository, look: Look) -> Result<Self, GitError> {
        let names = repository.git(&[
            "-c",
            "core.fsmonitor=false",
            "ls-files",
            "-z",
            "-t",
            "--cached",
            "--others",
            "--exclude-standard",
        ])?;
        let mut listing = Self::default();
        let mut plain = HashMap::new();
        for line in names.split(|byte| *byte == 0) {
            // A letter, a space, the path.
            let Some(name) = line.get(2..).filter(|name| !name.is_empty()) else { continue };
            if let Some(directory) = name.strip_suffix(b"/") {
                listing.leave_out(path_of(directory), WhyLeftOut::Repository);
                continue;
            }
            let path = path_of(name);
            let there = stands_in_directories(&repository.top, &path, &mut plain)
                && repository.top.join(&path).symlink_metadata().is_ok();
            if there {
                listing.take(&repository.top, path, look);
            } else if !line.starts_with(b"?") {
                listing.gone.insert(path);
            }
        }
        Ok(listing)
    }

    fn take(&mut self, top: &Path, path: PathBuf, look: Look) {
        let whole = top.join(&path);
        let Ok(metadata) = whole.symlink_metadata() else { return };
        let kind = metadata.file_type();
        if kind.is_symlink() {
            self.files.insert(path);
        } else if kind.is_dir() {
            // Tracked as a submodule, or a directory where a file was.
            if whole.join(".git").symlink_metadata().is_ok() {
                self.leave_out(path, WhyLeftOut::Repository);
            }
        } else if !kind.is_file() {
            self.leave_out(path, WhyLeftOut::Special);
        } else if metadata.len() > LARGEST {
            self.leave_out(path, WhyLeftOut::TooLarge);
        } else if look == Look::AtAccess && fs::File::open(&whole).is_err() {
            self.leave_out(path, WhyLeftOut::Unreadable);
        } else {
            self.files.insert(path);
        }
    }

    fn leave_out(&mut self, path: PathBuf, reason: WhyLeftOut) {
        self.left_out.insert(LeftOut { path, reason });
    }
}

/// False when a link or a file stands where the path needs a directory: the path does not exist
/// in this tree. What is known of directories is remembered.
fn stands_in_directories(top: &Path, path: &Path, known: &mut HashMap<PathBuf, bool>) -> bool {
    let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) else {
        return true;
    };
    if let Some(known) = known.get(parent) {
        return *known;
    }
    let plain = stands_in_directories(top, parent, known)
        && top.join(parent).symlink_metadata().is_ok_and(|it| it.is_dir());
    known.insert(parent.to_owned(), plain);
    plain
}

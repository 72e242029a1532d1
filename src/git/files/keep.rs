//! Keeping: the working tree as a tree of git objects of our own.

use std::collections::BTreeSet;
use std::fs::{self, DirEntry};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::git::GitError;
use crate::git::head::is_id;

use super::listing::{LeftOut, Listing, Look};
use super::store::{FileStore, HOLDERS, Locked, line_of, list_of, path_of};

/// The files of a working tree as they were kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The id of the tree.
    pub tree: String,
    /// HEAD at that moment; absent before the first commit.
    pub head: Option<String>,
    /// The id of the text with the ignore rules that stand outside the working tree, if any.
    pub rules: Option<String>,
    /// What was left out, sorted by path.
    pub left_out: Vec<LeftOut>,
    /// What was not there and would have been kept although a rule ignores it, because it was
    /// tracked; sorted.
    pub tracked: Vec<PathBuf>,
}

impl FileStore {
    /// Keeps tracked and untracked files, byte by byte, with their exec bits and links, for
    /// `holder` (a session's id) until it is told to forget.
    ///
    /// # Errors
    /// Git is missing or fails, or files change faster than they can be read.
    pub fn keep(&self, holder: &str) -> Result<Kept, GitError> {
        let locked = self.lock()?;
        let rules = locked.keep_rules()?;
        let (tree, listing) = match locked.take(Look::Plain) {
            Ok(taken) => taken,
            Err(GitError::Failed { .. }) => locked.take(Look::AtAccess)?,
            Err(error) => return Err(error),
        };
        let head = self.repository.head();
        locked.hold(holder, &tree, head.as_deref())?;
        if let Some(rules) = &rules {
            locked.refer(holder, rules)?;
        }
        let left_out = listing.left_out.into_iter().collect();
        let mut kept = Kept { tree, head, rules, left_out, tracked: Vec::new() };
        kept.tracked = locked.matched_now(&listing.gone, &kept)?.into_iter().collect();
        Ok(kept)
    }

    /// Keeps for `other`, too, those of `ids` that are kept for `holder`; tells whether that were
    /// all of them.
    ///
    /// # Errors
    /// Git fails.
    pub fn share(&self, holder: &str, other: &str, ids: &[&str]) -> Result<bool, GitError> {
        if !self.exists() {
            return Ok(ids.is_empty());
        }
        let locked = self.lock()?;
        let mut all = true;
        let mut orders = String::new();
        for id in ids {
            match locked.path(&reference(holder, id)).exists() {
                true => orders.push_str(&format!("update {} {id}\n", reference(other, id))),
                false => all = false,
            }
        }
        if !orders.is_empty() {
            locked.git(&["update-ref", "--stdin"], Some(orders.into_bytes()))?;
        }
        Ok(all)
    }

    /// Those for whom something has been kept for at least `age`.
    #[must_use]
    pub fn holders(&self, age: Duration) -> Vec<String> {
        let holders = fs::read_dir(self.place.join(HOLDERS)).into_iter().flatten().flatten();
        let kept_for = |holder: &DirEntry| holder.metadata().ok()?.modified().ok()?.elapsed().ok();
        let old = holders.filter(|holder| kept_for(holder).is_some_and(|time| time >= age));
        old.filter_map(|holder| holder.file_name().into_string().ok()).collect()
    }

    /// Lets go of everything that was kept for `holder`, and of its space.
    ///
    /// # Errors
    /// Git fails.
    pub fn forget(&self, holder: &str) -> Result<(), GitError> {
        if !self.exists() {
            return Ok(());
        }
        let locked = self.lock()?;
        let prefix = format!("{HOLDERS}/{holder}/");
        let names = locked.git(&["for-each-ref", "--format=%(refname)", &prefix], None)?;
        let names = String::from_utf8_lossy(&names);
        let orders: String = names.lines().map(|name| format!("delete {name}\n")).collect();
        if orders.is_empty() {
            return Ok(());
        }
        locked.git(&["update-ref", "--stdin"], Some(orders.into_bytes()))?;
        // Nobody else writes objects now: we hold the lock.
        locked.git(&["prune", "--expire=now"], None)?;
        Ok(())
    }
}

impl Locked<'_> {
    /// Brings our index to the state of the working tree; returns its tree.
    fn take(&self, look: Look) -> Result<(String, Listing), GitError> {
        let listing = Listing::of(&self.store.repository, look)?;
        let known = self.git(&["ls-files", "-z"], None)?;
        let known: BTreeSet<PathBuf> =
            known.split(|byte| *byte == 0).filter(|it| !it.is_empty()).map(path_of).collect();
        let gone = list_of(known.difference(&listing.files).map(PathBuf::as_path));
        if !gone.is_empty() {
            self.git(&["update-index", "-z", "--force-remove", "--stdin"], Some(gone))?;
        }
        let files = list_of(listing.files.iter().map(PathBuf::as_path));
        let update = ["update-index", "-z", "--add", "--remove", "--replace", "--stdin"];
        self.git(&update, Some(files))?;
        let tree = line_of(&self.git(&["write-tree"], None)?);
        Ok((tree, listing))
    }

    /// Makes sure that a tree stays: its objects are in our own store, as far as the commit
    /// `base` of the user's does not hold them, and a reference names it.
    pub(super) fn hold(
        &self,
        holder: &str,
        tree: &str,
        base: Option<&str>,
    ) -> Result<(), GitError> {
        if self.path(&reference(holder, tree)).exists() {
            return Ok(());
        }
        let base = base.map(|commit| format!("^{commit}^{{tree}}"));
        let mut walk = vec!["rev-list", "--objects", "--no-object-names", tree];
        walk.extend(base.as_deref());
        let listed = match self.git(&walk, None) {
            // The commit is not what it should be: everything is ours then.
            Err(GitError::Failed { .. }) if base.is_some() => {
                self.git(&["rev-list", "--objects", "--no-object-names", tree], None)?
            }
            listed => listed?,
        };
        let listed = String::from_utf8_lossy(&listed);
        let borrowed: String = listed
            .lines()
            .filter(|id| is_id(id) && !self.has_loose(id))
            .map(|id| format!("{id}\n"))
            .collect();
        if !borrowed.is_empty() {
            self.copy(borrowed.into_bytes())?;
        }
        self.refer(holder, tree)
    }

    pub(super) fn has_loose(&self, id: &str) -> bool {
        let (directory, file) = id.split_at(2);
        self.path("objects").join(directory).join(file).exists()
    }

    /// Copies objects that only the user's repository has: what no commit of theirs needs, their
    /// git removes some day.
    fn copy(&self, ids: Vec<u8>) -> Result<(), GitError> {
        let pack = self.git(&["pack-objects", "--quiet", "--stdout"], Some(ids))?;
        self.unpack(pack, &["unpack-objects", "-q"])
    }

    /// Makes the objects of a pack our own, with this command of git.
    pub(super) fn unpack(&self, pack: Vec<u8>, command: &[&str]) -> Result<(), GitError> {
        let incoming = self.path("incoming");
        if incoming.exists() {
            std::fs::remove_dir_all(&incoming).map_err(GitError::io("empty", &incoming))?;
        }
        std::fs::create_dir_all(&incoming).map_err(GitError::io("make", &incoming))?;
        let elsewhere = [("GIT_OBJECT_DIRECTORY", incoming.as_os_str())];
        self.git_with(&elsewhere, command, Some(pack))?;
        for directory in entries(&incoming)? {
            for file in entries(&directory)? {
                let Ok(name) = file.strip_prefix(&incoming) else { continue };
                let target = self.path("objects").join(name);
                if let Some(parent) = target.parent() {
                    std::fs::create_dir_all(parent).map_err(GitError::io("make", parent))?;
                }
                std::fs::rename(&file, &target).map_err(GitError::io("move", &file))?;
            }
        }
        Ok(())
    }

    /// Names an object, so that it stays.
    pub(super) fn refer(&self, holder: &str, id: &str) -> Result<(), GitError> {
        let name = reference(holder, id);
        if !self.path(&name).exists() {
            self.git(&["update-ref", &name, id], None)?;
        }
        Ok(())
    }
}

fn reference(holder: &str, id: &str) -> String {
    format!("{HOLDERS}/{holder}/{id}")
}

fn entries(directory: &Path) -> Result<Vec<PathBuf>, GitError> {
    let named = |error| GitError::io("read", directory)(error);
    if !directory.is_dir() {
        return Ok(Vec::new());
    }
    let entries = std::fs::read_dir(directory).map_err(named)?;
    entries.map(|entry| entry.map(|entry| entry.path()).map_err(named)).collect()
}

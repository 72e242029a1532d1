//! Putting files back: what would change, and which files stay as they are.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::git::GitError;

use super::keep::Kept;
use super::listing::WhyLeftOut;
use super::store::{FileStore, Locked, line_of, path_of};

/// From the files of now to those of another time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restoration {
    /// The tree of the files as they are now.
    pub from: String,
    /// The tree to bring the working tree to.
    pub goal: String,
    /// What differs, sorted by path.
    pub changes: Vec<Change>,
    /// What would differ, too, and stays as it is.
    pub left: Vec<Left>,
}

/// One path that differs between two trees, as a restoration of the second changes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Relative to the top directory.
    pub path: PathBuf,
    /// What is to be there; absent where nothing is to be there.
    pub(super) wanted: Option<Wanted>,
    /// True when something is there already.
    pub exists: bool,
}

/// What is to be at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) id: String,
    pub(super) kind: FileKind,
}

/// What git distinguishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileKind {
    Plain,
    Executable,
    Link,
}

/// A path that a restoration does not touch although it differs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Left {
    /// Relative to the top directory.
    pub path: PathBuf,
    /// Why.
    pub why: WhyLeft,
}

/// Why a path is not touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WhyLeft {
    /// It is ignored now.
    IgnoredNow,
    /// It was ignored then.
    IgnoredThen,
    /// It is not kept (see [`WhyLeftOut`]), now or then.
    NotCovered(WhyLeftOut),
    /// Something that is not touched stands in its way.
    InTheWay,
}

impl Change {
    /// True when the path is to be removed.
    #[must_use]
    pub fn removes(&self) -> bool {
        self.wanted.is_none()
    }
}

impl FileStore {
    /// True when every object of a tree is there: it can be restored.
    ///
    /// # Errors
    /// Git cannot be run.
    pub fn holds(&self, tree: &str) -> Result<bool, GitError> {
        if !self.exists() {
            return Ok(false);
        }
        let answer = self.lock()?.ask(&[], &["rev-list", "--objects", "--quiet", tree], None)?;
        Ok(answer.code == 0)
    }

    /// What it takes to have the files of `then`, where `now` was kept just now. The goal is
    /// kept for `holder`.
    ///
    /// # Errors
    /// Git fails, or objects are missing.
    pub fn plan(&self, holder: &str, now: &Kept, then: &Kept) -> Result<Restoration, GitError> {
        let locked = self.lock()?;
        let differing = locked.differences(&now.tree, &then.tree)?;
        let mut left = uncovered(&differing, now, then);
        let of = |wanted: &dyn Fn(&Change) -> bool| -> BTreeSet<PathBuf> {
            let covered = differing.iter().filter(|it| wanted(it) && !left.contains_key(&it.path));
            covered.map(|it| it.path.clone()).collect()
        };
        let made_since = of(&Change::removes);
        let gone_since = of(&|change| !change.exists);
        for path in locked.ignored_then(&made_since, then)? {
            left.insert(path, WhyLeft::IgnoredThen);
        }
        for path in locked.ignored_now(&gone_since, now)? {
            left.insert(path, WhyLeft::IgnoredNow);
        }
        let goal = match left.is_empty() {
            true => then.tree.clone(),
            false => {
                let goal = locked.goal(&left, now, then)?;
                locked.hold(holder, &goal, None)?;
                goal
            }
        };
        let changes = differing.into_iter().filter(|it| !left.contains_key(&it.path)).collect();
        let left = left.into_iter().map(|(path, why)| Left { path, why }).collect();
        Ok(Restoration { from: now.tree.clone(), goal, changes, left })
    }

    /// What differs between two trees, sorted by path.
    ///
    /// # Errors
    /// Git fails, or objects are missing.
    pub fn compare(&self, from: &str, to: &str) -> Result<Vec<Change>, GitError> {
        self.lock()?.differences(from, to)
    }

    /// The restoration from one tree to another, as it was planned before a crash.
    ///
    /// # Errors
    /// Git fails, or objects are missing.
    pub fn planned(&self, from: &str, goal: &str) -> Result<Restoration, GitError> {
        let changes = self.compare(from, goal)?;
        Ok(Restoration { from: from.to_owned(), goal: goal.to_owned(), changes, left: Vec::new() })
    }

    /// Makes the working tree what was planned; `stay` is a directory that is not removed, even
    /// when it gets empty. May be done again after a crash. On disk when this returns. Returns
    /// what could not be done because something that is not touched stands in the way.
    ///
    /// # Errors
    /// Git or the disk fails: a part may be restored, and the rest is when this is done again.
    pub fn restore(&self, plan: &Restoration, stay: &Path) -> Result<Vec<Left>, GitError> {
        let locked = self.lock()?;
        let left = locked.apply(&plan.changes, stay)?;
        self.sync()?;
        Ok(left)
    }

    fn sync(&self) -> Result<(), GitError> {
        let top = &self.repository.top;
        let directory = fs::File::open(top).map_err(GitError::io("open", top))?;
        #[cfg(target_os = "linux")]
        rustix::fs::syncfs(&directory).map_err(|error| GitError::io("sync", top)(error.into()))?;
        #[cfg(not(target_os = "linux"))]
        {
            drop(directory);
            rustix::fs::sync();
        }
        Ok(())
    }
}

impl Locked<'_> {
    /// What differs between two trees.
    fn differences(&self, from: &str, to: &str) -> Result<Vec<Change>, GitError> {
        let args =
            ["diff-tree", "-r", "-z", "--raw", "--no-renames", "--full-index", from, to, "--"];
        let listing = self.git(&args, None)?;
        let mut fields = listing.split(|byte| *byte == 0);
        let mut changes = Vec::new();
        // `:mode mode id id S NUL path NUL` each.
        while let (Some(about), Some(path)) = (fields.next(), fields.next()) {
            let Some(change) = change(about, path) else { continue };
            changes.push(change);
        }
        Ok(changes)
    }

    /// The tree `then` with some paths as they are `now`.
    fn goal(
        &self,
        as_now: &BTreeMap<PathBuf, WhyLeft>,
        now: &Kept,
        then: &Kept,
    ) -> Result<String, GitError> {
        let index = self.path("index.goal");
        let env: [(&str, &OsStr); 1] = [("GIT_INDEX_FILE", index.as_os_str())];
        self.git_with(&env, &["read-tree", &then.tree], None)?;
        let mut orders = Vec::new();
        let mut order = |about: &[u8], path: &[u8]| {
            orders.extend_from_slice(about);
            orders.push(b'\t');
            orders.extend_from_slice(path);
            orders.push(0);
        };
        let nothing = format!("0 {}", "0".repeat(then.tree.len()));
        for path in as_now.keys() {
            order(nothing.as_bytes(), path.as_os_str().as_bytes());
        }
        let listing = self.git(&["ls-tree", "-r", "-z", "--full-tree", &now.tree], None)?;
        for entry in listing.split(|byte| *byte == 0) {
            let Some(tab) = entry.iter().position(|byte| *byte == b'\t') else { continue };
            let (about, path) = entry.split_at(tab);
            let path = path.get(1..).unwrap_or_default();
            if as_now.contains_key(&path_of(path)) {
                order(about, path);
            }
        }
        self.git_with(&env, &["update-index", "-z", "--replace", "--index-info"], Some(orders))?;
        let goal = line_of(&self.git_with(&env, &["write-tree"], None)?);
        let _ = fs::remove_file(index);
        Ok(goal)
    }
}

/// What differs and is not kept, now or then.
fn uncovered(differing: &[Change], now: &Kept, then: &Kept) -> BTreeMap<PathBuf, WhyLeft> {
    let left_out: BTreeMap<&Path, WhyLeftOut> =
        now.left_out.iter().chain(&then.left_out).map(|it| (&*it.path, it.reason)).collect();
    let reason = |path: &Path| path.ancestors().find_map(|above| left_out.get(above).copied());
    let left = differing.iter().filter_map(|change| {
        Some((change.path.clone(), WhyLeft::NotCovered(reason(&change.path)?)))
    });
    left.collect()
}

fn change(about: &[u8], path: &[u8]) -> Option<Change> {
    let about = std::str::from_utf8(about.strip_prefix(b":")?).ok()?;
    let mut words = about.split(' ');
    let (old, new, _, id) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let kind = match new {
        "100755" => Some(FileKind::Executable),
        "120000" => Some(FileKind::Link),
        "000000" => None,
        _ => Some(FileKind::Plain),
    };
    Some(Change {
        path: path_of(path),
        wanted: kind.map(|kind| Wanted { id: id.to_owned(), kind }),
        exists: old != "000000",
    })
}

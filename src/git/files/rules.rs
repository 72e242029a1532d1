//! The rules by which files are ignored: those of now, and those of another time.

use std::collections::{BTreeSet, HashSet};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::git::GitError;
use crate::git::command::{Answer, Setting};

use super::keep::Kept;
use super::store::{Locked, line_of, list_of, path_of};

/// What `git check-ignore` answers where no path is ignored.
const NONE_IGNORED: i32 = 1;

impl Locked<'_> {
    /// Keeps the rules that stand outside the working tree, where there are any.
    pub(super) fn keep_rules(&self) -> Result<Option<String>, GitError> {
        let mut text = Vec::new();
        let own = self.store.repository.common_dir.join("info/exclude");
        // The later of two rules decides, and those of the repository come after the user's.
        for path in self.user_rules()?.iter().chain([&own]) {
            for line in fs::read(path).unwrap_or_default().split(|byte| *byte == b'\n') {
                if !line.is_empty() && !line.starts_with(b"#") && line != b"\r" {
                    text.extend_from_slice(line);
                    text.push(b'\n');
                }
            }
        }
        if text.is_empty() {
            return Ok(None);
        }
        let id = self.git(&["hash-object", "-w", "--no-filters", "--stdin"], Some(text))?;
        Ok(Some(line_of(&id)))
    }

    /// The file of `core.excludesFile`; asked for once.
    fn user_rules(&self) -> Result<Option<PathBuf>, GitError> {
        if let Some(known) = self.store.user_rules.get() {
            return Ok(known.clone());
        }
        let repository = &self.store.repository;
        let args = ["config", "--type=path", "--get", "core.excludesFile"];
        let answer = repository.ask_git(&Setting::default(), &args)?;
        let found = match answer.code {
            0 => Some(repository.top.join(path_of(answer.output.trim_ascii_end()))),
            _ => usual_rules(),
        };
        Ok(self.store.user_rules.get_or_init(|| found).clone())
    }

    /// Those of `paths` that are ignored now; what is tracked is not.
    pub(super) fn ignored_now(
        &self,
        paths: &BTreeSet<PathBuf>,
        now: &Kept,
    ) -> Result<BTreeSet<PathBuf>, GitError> {
        let mut ignored = self.matched_now(paths, now)?;
        if !ignored.is_empty() {
            let args = ["-c", "core.fsmonitor=false", "ls-files", "-z", "--cached"];
            let tracked = self.store.repository.git(&args)?;
            let tracked: HashSet<&[u8]> = tracked.split(|byte| *byte == 0).collect();
            ignored.retain(|path| !tracked.contains(path.as_os_str().as_bytes()));
        }
        Ok(ignored)
    }

    /// Those of `paths` that a rule matches now, tracked or not.
    pub(super) fn matched_now(
        &self,
        paths: &BTreeSet<PathBuf>,
        now: &Kept,
    ) -> Result<BTreeSet<PathBuf>, GitError> {
        let repository = &self.store.repository;
        // Git does not look behind links; the rules say something of what would be there.
        let (behind, plain): (BTreeSet<PathBuf>, BTreeSet<PathBuf>) =
            paths.iter().cloned().partition(|path| stands_behind_link(&repository.top, path));
        let mut matched = BTreeSet::new();
        if !plain.is_empty() {
            let setting = Setting { env: None, input: Some(dotted(plain.iter())) };
            let args =
                ["-c", "core.fsmonitor=false", "check-ignore", "--no-index", "-z", "--stdin"];
            matched = ignored_in(repository.ask_git(&setting, &args)?, &args)?;
        }
        if !behind.is_empty() {
            matched.extend(self.matched(&behind, &self.rule_files(&now.tree)?, now)?);
        }
        Ok(matched)
    }

    /// Those of `paths` that the rules of `then` ignore: what was tracked by force since, too.
    pub(super) fn ignored_then(
        &self,
        paths: &BTreeSet<PathBuf>,
        then: &Kept,
    ) -> Result<BTreeSet<PathBuf>, GitError> {
        if paths.is_empty() {
            return Ok(BTreeSet::new());
        }
        let files = self.rule_files(&then.tree)?;
        let mut ignored = self.matched(paths, &files, then)?;
        for path in &then.tracked {
            ignored.remove(path);
        }
        Ok(ignored)
    }

    /// Those of `paths` that rules match whose files are given, with those outside of the
    /// working tree as they were `when`. They are asked in a place of their own.
    fn matched(
        &self,
        paths: &BTreeSet<PathBuf>,
        files: &[(PathBuf, String)],
        when: &Kept,
    ) -> Result<BTreeSet<PathBuf>, GitError> {
        if files.is_empty() && when.rules.is_none() {
            return Ok(BTreeSet::new());
        }
        let place = self.path("rules");
        if place.exists() {
            fs::remove_dir_all(&place).map_err(GitError::io("empty", &place))?;
        }
        fs::create_dir_all(&place).map_err(GitError::io("make", &place))?;
        for (path, id) in files {
            let target = place.join(path);
            if let Some(parent) = target.parent() {
                fs::create_dir_all(parent).map_err(GitError::io("make", parent))?;
            }
            let text = self.git(&["cat-file", "blob", id], None)?;
            fs::write(&target, text).map_err(GitError::io("write", &target))?;
        }
        let outside = match &when.rules {
            Some(rules) => self.git(&["cat-file", "blob", rules], None)?,
            None => Vec::new(),
        };
        self.write("info/exclude", &outside)?;
        let tree = [("GIT_WORK_TREE", place.as_os_str())];
        let args = ["check-ignore", "--no-index", "-z", "--stdin"];
        let mut call = self.call(&tree, Some(dotted(paths.iter())));
        call.directory = &place;
        ignored_in(call.answer(&super::store::with_settings(&args))?, &args)
    }

    /// The `.gitignore` files of a tree, with their ids.
    fn rule_files(&self, tree: &str) -> Result<Vec<(PathBuf, String)>, GitError> {
        let listing = self.git(&["ls-tree", "-r", "-z", "--full-tree", tree], None)?;
        // `mode type id TAB path` each.
        let entries = listing.split(|byte| *byte == 0).filter_map(|entry| {
            let tab = entry.iter().position(|byte| *byte == b'\t')?;
            let (about, path) = (entry.get(..tab)?, entry.get(tab + 1..)?);
            let path = path_of(path);
            let about = std::str::from_utf8(about).ok()?;
            let mut words = about.split(' ');
            let is_file = words.next()?.starts_with("100");
            let id = words.nth(1)?;
            let is_rules = path.file_name() == Some(OsStr::new(".gitignore"));
            (is_file && is_rules).then(|| (path.clone(), id.to_owned()))
        });
        Ok(entries.collect())
    }
}

/// Where git looks when nothing else is said.
fn usual_rules() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let configuration = set("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| set("HOME").map(|home| PathBuf::from(home).join(".config")))?;
    Some(configuration.join("git/ignore"))
}

/// True when a link or file stands where the path needs a directory.
fn stands_behind_link(top: &Path, path: &Path) -> bool {
    let mut above = path.ancestors().skip(1).filter(|above| !above.as_os_str().is_empty());
    above.any(|above| top.join(above).symlink_metadata().is_ok_and(|it| !it.is_dir()))
}

fn ignored_in(answer: Answer, args: &[&str]) -> Result<BTreeSet<PathBuf>, GitError> {
    match answer.code {
        0 => Ok(paths_in(&answer.output)),
        NONE_IGNORED => Ok(BTreeSet::new()),
        _ => Err(answer.into_error(args)),
    }
}

/// Paths as git reads them with `-z`, so that none of them looks like a pattern.
fn dotted<'p>(paths: impl Iterator<Item = &'p PathBuf>) -> Vec<u8> {
    let dotted: Vec<PathBuf> = paths.map(|path| Path::new(".").join(path)).collect();
    list_of(dotted.iter().map(PathBuf::as_path))
}

fn paths_in(output: &[u8]) -> BTreeSet<PathBuf> {
    let paths = output.split(|byte| *byte == 0).filter_map(|path| path.strip_prefix(b"./"));
    paths.map(|path| PathBuf::from(OsStr::from_bytes(path))).collect()
}

//! What changed since a commit: files of the present working tree, and commits.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::command::Setting;
use super::{GitError, Repository};

/// A file with a NUL this early is no text, as git sees it.
const TEXT_CHECK: usize = 8000;

/// What changed; paths are relative to the top directory and sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// New files, committed or not (ignored files never count).
    pub files_added: Vec<PathBuf>,
    /// Files with other content or another type.
    pub files_modified: Vec<PathBuf>,
    /// Files that are gone.
    pub files_deleted: Vec<PathBuf>,
    /// Ids of the commits since, oldest first.
    pub commits: Vec<String>,
    /// Lines added in text files.
    pub insertions: u64,
    /// Lines removed from text files.
    pub deletions: u64,
}

impl Changes {
    /// All files that were added, modified or deleted, sorted.
    #[must_use]
    pub fn files_changed(&self) -> Vec<PathBuf> {
        let all = [&self.files_added, &self.files_modified, &self.files_deleted];
        let all: BTreeSet<_> = all.into_iter().flatten().cloned().collect();
        all.into_iter().collect()
    }
}

impl Repository {
    /// Compares the working tree as it is now with the commit `from` (with nothing at all for
    /// `None`, before the first commit), and lists the commits since. Renamed files count as
    /// deleted and added.
    ///
    /// # Errors
    /// Git fails, for example because there is no such commit.
    pub fn changes(&self, from: Option<&str>) -> Result<Changes, GitError> {
        let base = match from {
            Some(commit) => commit.to_owned(),
            None => self.empty_tree()?,
        };
        let mut sorted = Sorted::default();
        let diff = self.git(&[
            "diff",
            "--raw",
            "--numstat",
            "-z",
            "--no-renames",
            "--no-ext-diff",
            "--no-textconv",
            "--end-of-options",
            &base,
            "--",
        ])?;
        sorted.take_diff(&diff);
        let untracked = self.git(&["ls-files", "-z", "--others", "--exclude-standard"])?;
        for path in untracked.split(|byte| *byte == 0).filter(|path| !path.is_empty()) {
            let path = Path::new(OsStr::from_bytes(path));
            sorted.take_untracked(path, lines_of(&self.top.join(path)));
        }
        Ok(Changes { commits: self.commits_since(from)?, ..sorted.into_changes() })
    }

    fn commits_since(&self, from: Option<&str>) -> Result<Vec<String>, GitError> {
        let Some(head) = self.head() else { return Ok(Vec::new()) };
        if from == Some(head.as_str()) {
            return Ok(Vec::new());
        }
        let range = from.map_or_else(|| head.clone(), |from| format!("{from}..{head}"));
        let listing = self.git(&["rev-list", "--reverse", "--end-of-options", &range, "--"])?;
        Ok(String::from_utf8_lossy(&listing).lines().map(str::to_owned).collect())
    }

    fn empty_tree(&self) -> Result<String, GitError> {
        let setting = Setting { env: None, input: Some(Vec::new()) };
        let id = self.git_in(&setting, &["hash-object", "-t", "tree", "--stdin"])?;
        Ok(String::from_utf8_lossy(&id).trim().to_owned())
    }
}

#[derive(Default)]
struct Sorted {
    added: BTreeSet<PathBuf>,
    modified: BTreeSet<PathBuf>,
    deleted: BTreeSet<PathBuf>,
    insertions: u64,
    deletions: u64,
}

impl Sorted {
    /// `:mode mode id id S NUL path NUL` for each file, then `insertions TAB deletions TAB path
    /// NUL` for each.
    fn take_diff(&mut self, diff: &[u8]) {
        let mut fields = diff.split(|byte| *byte == 0);
        while let Some(field) = fields.next() {
            if field.starts_with(b":") {
                let path = fields.next().unwrap_or_default();
                let path = PathBuf::from(OsStr::from_bytes(path));
                match field.last() {
                    Some(b'A') => self.added.insert(path),
                    Some(b'D') => self.deleted.insert(path),
                    _ => self.modified.insert(path),
                };
            } else {
                let mut counts = field.splitn(3, |byte| *byte == b'\t').map(number);
                self.insertions += counts.next().unwrap_or(0);
                self.deletions += counts.next().unwrap_or(0);
            }
        }
    }

    fn take_untracked(&mut self, path: &Path, lines: u64) {
        self.insertions += lines;
        if self.deleted.remove(path) {
            // Only out of the index: the file itself is still there.
            self.modified.insert(path.to_owned());
        } else if !self.modified.contains(path) {
            self.added.insert(path.to_owned());
        }
    }

    fn into_changes(self) -> Changes {
        Changes {
            files_added: self.added.into_iter().collect(),
            files_modified: self.modified.into_iter().collect(),
            files_deleted: self.deleted.into_iter().collect(),
            commits: Vec::new(),
            insertions: self.insertions,
            deletions: self.deletions,
        }
    }
}

/// `-` stands for a binary file.
fn number(digits: &[u8]) -> u64 {
    std::str::from_utf8(digits).ok().and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// The number of lines of a text file, as git counts them; 0 for anything else.
fn lines_of(file: &Path) -> u64 {
    let is_file = file.symlink_metadata().is_ok_and(|it| it.is_file());
    let Some(mut open) = is_file.then(|| File::open(file).ok()).flatten() else { return 0 };
    let mut buffer = vec![0; 64 * 1024];
    let (mut lines, mut at_line_start, mut first) = (0, true, true);
    while let Ok(count @ 1..) = open.read(&mut buffer) {
        let bytes = buffer.get(..count).unwrap_or_default();
        if first && bytes.iter().take(TEXT_CHECK).any(|byte| *byte == 0) {
            return 0;
        }
        first = false;
        lines += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        at_line_start = bytes.ends_with(b"\n");
    }
    if at_line_start { lines } else { lines + 1 }
}

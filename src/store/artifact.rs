//! Files that a workflow declares as its results (`artifacts:`): which they are, and their checksums.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::session::{Digest, Hashing};

use super::pattern::matching;

/// One pattern may fit so many files; they are all named in the record of the step.
const MOST: usize = 1000;

/// Why the files of a declaration cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// Nothing is there.
    #[error("{0} is not there")]
    Missing(String),
    /// The pattern cannot be read.
    #[error("{declared}: {reason}")]
    Pattern {
        /// The pattern.
        declared: String,
        /// What is wrong with it.
        reason: String,
    },
    /// More files than a record should name.
    #[error("{declared} fits {count} files, more than {MOST}; declare their directory instead")]
    Many {
        /// The pattern.
        declared: String,
        /// How many it fits.
        count: usize,
    },
}

/// What a file or directory holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checksum {
    /// Of the content; of a directory: of all names and contents in it.
    pub digest: Digest,
    /// Size of the content; of a directory: of all files in it together.
    pub bytes: u64,
}

/// The files that `declared` names: itself when something of that name is there, else what it
/// fits as a pattern. Relative to `directory` unless it is absolute; at least one.
///
/// # Errors
/// None is there, too many are, or the pattern is none.
pub fn artifact_paths(declared: &str, directory: &Path) -> Result<Vec<PathBuf>, ArtifactError> {
    if directory.join(declared).exists() {
        return Ok(vec![PathBuf::from(declared)]);
    }
    let found = matching(declared, directory)
        .map_err(|reason| ArtifactError::Pattern { declared: declared.to_owned(), reason })?;
    match found.len() {
        0 => Err(ArtifactError::Missing(declared.to_owned())),
        count if count > MOST => Err(ArtifactError::Many { declared: declared.to_owned(), count }),
        _ => Ok(found),
    }
}

/// The checksum of a file, or of everything in a directory; links inside it are not followed.
///
/// # Errors
/// It is not there, or cannot be read.
pub fn checksum(path: &Path) -> io::Result<Checksum> {
    Sum::of(path, By::Content)
}

/// The same of sizes, times and numbers instead of contents: while it stays, nothing was written.
///
/// # Errors
/// It is not there, or cannot be read.
pub fn stamp(path: &Path) -> io::Result<Digest> {
    Sum::of(path, By::Metadata).map(|sum| sum.digest)
}

/// What of a file is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Content,
    Metadata,
}

struct Sum {
    hashing: Hashing,
    bytes: u64,
    by: By,
}

impl Sum {
    fn of(path: &Path, by: By) -> io::Result<Checksum> {
        let mut sum = Sum { hashing: Hashing::default(), bytes: 0, by };
        let kind = std::fs::metadata(path)?.file_type();
        if kind.is_dir() {
            sum.directory(path)?;
        } else if kind.is_file() {
            sum.file(path)?;
        } else {
            sum.hashing.add(b"neither file nor directory");
        }
        Ok(Checksum { digest: sum.hashing.finish(), bytes: sum.bytes })
    }

    fn file(&mut self, path: &Path) -> io::Result<u64> {
        if self.by == By::Metadata {
            let data = std::fs::metadata(path)?;
            let times = [data.mtime(), data.mtime_nsec(), data.ctime(), data.ctime_nsec()];
            self.hashing.add(&data.ino().to_le_bytes());
            times.iter().for_each(|time| self.hashing.add(&time.to_le_bytes()));
            return Ok(data.len());
        }
        let mut file = File::open(path)?;
        let mut piece = vec![0; 128 * 1024];
        let mut length = 0;
        loop {
            let read = file.read(&mut piece)?;
            let Some(bytes) = piece.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
            self.hashing.add(bytes);
            length += read as u64;
        }
        self.bytes += length;
        Ok(length)
    }

    /// Each entry with a mark of its kind, its name and the length of what follows, so that no
    /// two trees look alike.
    fn directory(&mut self, path: &Path) -> io::Result<()> {
        let mut entries = std::fs::read_dir(path)?.collect::<io::Result<Vec<_>>>()?;
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let (kind, path) = (entry.file_type()?, entry.path());
            if kind.is_dir() {
                self.name(b'd', entry.file_name().as_bytes());
                self.directory(&path)?;
                self.hashing.add(b"/");
            } else if kind.is_file() {
                self.name(b'f', entry.file_name().as_bytes());
                let length = self.file(&path)?;
                self.hashing.add(&length.to_le_bytes());
            } else if kind.is_symlink() {
                self.name(b'l', entry.file_name().as_bytes());
                self.name(b'>', std::fs::read_link(&path)?.as_os_str().as_bytes());
            } else {
                self.name(b's', entry.file_name().as_bytes());
            }
        }
        Ok(())
    }

    fn name(&mut self, mark: u8, name: &[u8]) {
        self.hashing.add(&[mark]);
        self.hashing.add(&(name.len() as u64).to_le_bytes());
        self.hashing.add(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_there_goes_before_the_pattern_it_could_be() {
        let place = tempfile::tempdir().unwrap();
        let paths = |declared: &str| {
            let found = artifact_paths(declared, place.path()).map_err(|error| error.to_string());
            found.map(|paths| paths.into_iter().map(|it| it.display().to_string()).collect())
        };
        let ok = |names: &[&str]| Ok(names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>());
        std::fs::create_dir_all(place.path().join("out/deep")).unwrap();
        for name in ["a[1].txt", "a1.txt", "out/b.xml", "out/deep/c.xml", "out/.d.xml"] {
            std::fs::write(place.path().join(name), name).unwrap();
        }
        assert_eq!(paths("a[1].txt"), ok(&["a[1].txt"]));
        assert_eq!(paths("a[0-9].txt"), ok(&["a1.txt"]));
        assert_eq!(paths("out"), ok(&["out"]));
        assert_eq!(paths("out/*.xml"), ok(&["out/b.xml"]));
        assert_eq!(paths("**/*.xml"), ok(&["out/b.xml", "out/deep/c.xml"]));
        assert_eq!(paths("out/*.html"), Err("out/*.html is not there".to_owned()));
        let many = place.path().join("many");
        std::fs::create_dir(&many).unwrap();
        (0..=MOST).for_each(|number| std::fs::write(many.join(number.to_string()), "").unwrap());
        let refused = paths("many/*").unwrap_err();
        assert_eq!(
            refused,
            "many/* fits 1001 files, more than 1000; declare their directory instead"
        );
        let absolute = place.path().join("out/b.xml");
        assert_eq!(
            artifact_paths(absolute.to_str().unwrap(), Path::new("/")).unwrap(),
            vec![absolute]
        );
    }

    #[test]
    fn every_change_of_a_tree_shows_in_its_checksum() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("tree");
        let sum = || checksum(&root).unwrap();
        std::fs::create_dir_all(root.join("d")).unwrap();
        std::fs::write(root.join("a"), "one").unwrap();
        std::fs::write(root.join("d/b"), "two").unwrap();
        std::os::unix::fs::symlink("a", root.join("l")).unwrap();
        let before = sum();
        assert_eq!(before.bytes, 6);
        let changes: [(&str, &dyn Fn(), &dyn Fn()); 5] = [
            ("content", &|| std::fs::write(root.join("d/b"), "twO").unwrap(), &|| {
                std::fs::write(root.join("d/b"), "two").unwrap();
            }),
            ("name", &|| std::fs::rename(root.join("a"), root.join("A")).unwrap(), &|| {
                std::fs::rename(root.join("A"), root.join("a")).unwrap();
            }),
            ("place", &|| std::fs::rename(root.join("d/b"), root.join("b")).unwrap(), &|| {
                std::fs::rename(root.join("b"), root.join("d/b")).unwrap();
            }),
            ("empty directory", &|| std::fs::create_dir(root.join("e")).unwrap(), &|| {
                std::fs::remove_dir(root.join("e")).unwrap();
            }),
            (
                "link",
                &|| {
                    std::fs::remove_file(root.join("l")).unwrap();
                    std::os::unix::fs::symlink("d", root.join("l")).unwrap();
                },
                &|| {
                    std::fs::remove_file(root.join("l")).unwrap();
                    std::os::unix::fs::symlink("a", root.join("l")).unwrap();
                },
            ),
        ];
        for (what, change, undo) in changes {
            change();
            assert_ne!(sum(), before, "{what}");
            undo();
            assert_eq!(sum(), before, "{what} undone");
        }
        let file = checksum(&root.join("a")).unwrap();
        assert_eq!(file, Checksum { digest: Digest::of(b"one"), bytes: 3 });
        assert!(checksum(&root.join("gone")).is_err());
    }
}

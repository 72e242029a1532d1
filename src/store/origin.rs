//! Which directory a name under `state/` stands for (DECISIONS A43).

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::session::Digest;

use super::error::{NamePath, io_error};
use super::files::Keep;
use super::{Home, StoreError, files};

/// `origin.json`: the directory, and how to know it again after it was moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Origin {
    path: PathBuf,
    device: u64,
    inode: u64,
}

/// The name of the repository that `directory` lies in; given now if it has none.
pub(super) fn name(home: &Home, directory: &Path) -> Result<String, StoreError> {
    let origin = Origin::of(directory)?;
    let names = origin.names();
    if let Some(known) = origin.find(home, &names) {
        return Ok(known);
    }
    if let Some(moved) = origin.find_moved(home) {
        origin.write(&home.origin(&moved))?;
        return Ok(moved);
    }
    let [plain, longer] = names;
    if origin.claim(&home.origin(&plain))? {
        return Ok(plain);
    }
    if !origin.claim(&home.origin(&longer))? {
        // Only this path has this name: what lies there is damaged.
        origin.write(&home.origin(&longer))?;
    }
    Ok(longer)
}

/// The name it has already.
pub(super) fn known_name(home: &Home, directory: &Path) -> Result<Option<String>, StoreError> {
    let origin = Origin::of(directory)?;
    Ok(origin.find(home, &origin.names()).or_else(|| origin.find_moved(home)))
}

/// A repository that lies elsewhere than it did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// Its top level as it was known; nothing is there now.
    pub from: PathBuf,
    /// Where it may be now.
    pub to: PathBuf,
    /// True when the file system says that it is the same directory; a copy is only like it.
    pub is_same: bool,
}

impl Moved {
    /// The path that `old` has now; none for paths outside of the repository.
    #[must_use]
    pub fn path(&self, old: &Path) -> Option<PathBuf> {
        let inside = old.strip_prefix(&self.from).ok()?;
        Some(if inside.as_os_str().is_empty() { self.to.clone() } else { self.to.join(inside) })
    }
}

/// Whether the repository `name` may now be the one that `here` lies in.
pub(super) fn moved(home: &Home, name: &str, here: &Path) -> Result<Option<Moved>, StoreError> {
    let origin = Origin::of(here)?;
    let known = is_name(name).then(|| Origin::read(&home.origin(name))).flatten();
    Ok(known.filter(|known| !known.path.exists()).map(|known| Moved {
        is_same: (known.device, known.inode) == (origin.device, origin.inode),
        from: known.path,
        to: origin.path,
    }))
}

/// Gives the directory that `here` lies in the name of one that is gone.
pub(super) fn bind(home: &Home, name: &str, here: &Path) -> Result<(), StoreError> {
    let origin = Origin::of(here)?;
    if is_name(name) && origin.find(home, &origin.names()).is_none() {
        origin.write(&home.origin(name))?;
    }
    Ok(())
}

/// True for a name that [`name`] can have given: one component of a path, and not hidden.
pub(super) fn is_name(text: &str) -> bool {
    (1..=120).contains(&text.len())
        && !text.starts_with(['-', '.'])
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

impl Origin {
    fn of(directory: &Path) -> Result<Self, StoreError> {
        let canonical = fs::canonicalize(directory).named("find", directory)?;
        // A `.git` that is a file belongs to a worktree or submodule: a place of its own.
        let top = canonical.ancestors().find(|above| above.join(".git").exists());
        let path = top.unwrap_or(&canonical).to_owned();
        let metadata = fs::metadata(&path).named("read", &path)?;
        Ok(Self { device: metadata.dev(), inode: metadata.ino(), path })
    }

    fn read(path: &Path) -> Option<Self> {
        serde_json::from_slice(&files::read_private(path).ok()?).ok()
    }

    /// The base name made safe, and the same with a digest for the later one of two.
    fn names(&self) -> [String; 2] {
        let base = self.path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        let mut name: String = base
            .chars()
            .map(|letter| match letter {
                'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' | '.' => letter,
                _ => '-',
            })
            .take(80)
            .collect();
        if name.trim_matches(['-', '.']).is_empty() {
            "directory".clone_into(&mut name);
        } else if name.starts_with(['-', '.']) {
            name.insert(0, '_');
        }
        let digest = Digest::of(self.path.as_os_str().as_encoded_bytes());
        let longer = format!("{name}-{}", digest.as_str().get(..8).unwrap_or_default());
        [name, longer]
    }

    fn find(&self, home: &Home, names: &[String; 2]) -> Option<String> {
        let ours = |name: &&String| {
            Self::read(&home.origin(name)).is_some_and(|known| known.path == self.path)
        };
        names.iter().find(ours).cloned()
    }

    /// The name of the same directory when it had another path, which is gone now; also where
    /// that has been noticed already.
    fn find_moved(&self, home: &Home) -> Option<String> {
        let entries = fs::read_dir(home.repositories()).ok()?;
        entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).find(|name| {
            Self::read(&home.origin(name)).is_some_and(|known| {
                let same = (known.device, known.inode) == (self.device, self.inode);
                known.path == self.path || same && !known.path.exists()
            })
        })
    }

    fn write(&self, path: &Path) -> Result<(), StoreError> {
        let text = serde_json::to_vec(self).unwrap_or_default();
        files::write_private(path, &text, Keep::Durable)
    }

    /// Makes the file if nobody else has; true when it is ours.
    fn claim(&self, path: &Path) -> Result<bool, StoreError> {
        let directory = files::parent_of(path);
        files::make_directory(directory)?;
        let text = serde_json::to_vec(self).unwrap_or_default();
        match files::create_private(path, &text) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Ok(Self::read(path).is_some_and(|known| known.path == self.path))
            }
            Err(error) => Err(io_error("write", path, error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stands_for_one_directory() {
        let place = tempfile::tempdir().unwrap();
        let home = Home::at(&place.path().join("home")).unwrap();
        let make = |path: &str| {
            let directory = place.path().join(path);
            fs::create_dir_all(directory.join(".git")).unwrap();
            fs::create_dir_all(directory.join("src/deep")).unwrap();
            directory
        };
        let (first, second) = (make("one/app"), make("two/app"));
        assert_eq!(home.known_repository(&first).unwrap(), None);
        assert_eq!(home.repository(&first).unwrap(), "app");
        assert_eq!(home.repository(&first.join("src/deep")).unwrap(), "app");
        let other = home.repository(&second).unwrap();
        assert!(other.starts_with("app-") && other.len() == 12, "{other}");
        assert_eq!(home.repository(&second).unwrap(), other);
        assert_eq!(home.known_repository(&second).unwrap(), Some(other));
    }

    #[test]
    fn a_moved_repository_keeps_its_name() {
        let place = tempfile::tempdir().unwrap();
        let home = Home::at(&place.path().join("home")).unwrap();
        let old = place.path().join("old");
        fs::create_dir(&old).unwrap();
        assert_eq!(home.repository(&old).unwrap(), "old");
        let new = place.path().join("new");
        fs::rename(&old, &new).unwrap();
        assert_eq!(home.repository(&new).unwrap(), "old");
        assert_eq!(home.repository(&new).unwrap(), "old");
        fs::create_dir(&old).unwrap();
        assert_ne!(home.repository(&old).unwrap(), "old");
    }

    #[test]
    fn odd_base_names_are_safe() {
        let place = tempfile::tempdir().unwrap();
        let home = Home::at(&place.path().join("home")).unwrap();
        for (directory, name) in
            [("a b\n!", "a-b--"), (".hidden", "_.hidden"), ("日本", "directory"), ("-rf", "_-rf")]
        {
            let directory = place.path().join(directory);
            fs::create_dir(&directory).unwrap();
            assert_eq!(home.repository(&directory).unwrap(), name);
        }
        assert!(home.repository(&place.path().join("gone")).is_err());
    }

    #[test]
    fn many_at_once_agree() {
        let place = tempfile::tempdir().unwrap();
        let home = Home::at(&place.path().join("home")).unwrap();
        let directory = place.path().join("app");
        fs::create_dir(&directory).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..10 {
                scope.spawn(|| assert_eq!(home.repository(&directory).unwrap(), "app"));
            }
        });
    }
}

//! The part of a restoration that writes: each file is replaced in one step, and what is not kept
//! is never touched.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::git::GitError;

use super::receive::Receiver;
use super::restore::{Change, Left, WhyLeft};
use super::store::{Locked, with_settings};

impl Locked<'_> {
    /// Removes first, so that directories and files can change places, then writes.
    pub(super) fn apply(&self, changes: &[Change], stay: &Path) -> Result<Vec<Left>, GitError> {
        let top = &self.store.repository.top;
        let mut left = Vec::new();
        for change in changes {
            let _ = fs::remove_file(part_of(&top.join(&change.path)));
        }
        for change in changes.iter().rev().filter(|change| change.removes()) {
            remove(top, &change.path, stay)?;
        }
        let mut ids = Vec::new();
        let mut wanted = Vec::new();
        for change in changes {
            let Some(what) = &change.wanted else { continue };
            if make_room(top, &change.path)? {
                ids.extend_from_slice(what.id.as_bytes());
                ids.push(b'\n');
                wanted.push((top.join(&change.path), what.kind));
            } else {
                left.push(blocked(change));
            }
        }
        if !wanted.is_empty() {
            let args = ["cat-file", "--batch", "--buffer"];
            let mut receiver = Receiver::new(wanted);
            let call = self.call(&[], Some(ids));
            let (code, message) =
                call.stream(&with_settings(&args), &mut |bytes| receiver.take(bytes))?;
            receiver.finish(code, message)?;
        }
        left.sort();
        Ok(left)
    }
}

fn blocked(change: &Change) -> Left {
    Left { path: change.path.clone(), why: WhyLeft::InTheWay }
}

/// The name under which a file is written before it takes its place.
pub(super) fn part_of(path: &Path) -> PathBuf {
    // A name of its own for each path, and the same when it is done again.
    let mut hash = crc32fast::Hasher::new();
    hash.update(path.as_os_str().as_bytes());
    let name = format!(".prodigy-restores-{:08x}", hash.finalize());
    path.with_file_name(OsString::from(name))
}

/// Removes a file and the directories that it leaves empty.
fn remove(top: &Path, path: &Path, stay: &Path) -> Result<(), GitError> {
    let whole = top.join(path);
    if !parents_are_directories(top, path) {
        // It is not there: a link or file took the place of its directory.
        return Ok(());
    }
    match whole.symlink_metadata() {
        // Done before a crash, which also put a directory of the goal there.
        Ok(metadata) if metadata.is_dir() => return Ok(()),
        Ok(_) => fs::remove_file(&whole).map_err(GitError::io("remove", &whole))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(GitError::io("look at", &whole)(error)),
    }
    for directory in whole.ancestors().skip(1) {
        if directory == top || stay.starts_with(directory) || fs::remove_dir(directory).is_err() {
            break;
        }
    }
    Ok(())
}

fn parents_are_directories(top: &Path, path: &Path) -> bool {
    let above = path.ancestors().skip(1).filter(|above| !above.as_os_str().is_empty());
    above.into_iter().all(|above| top.join(above).symlink_metadata().is_ok_and(|it| it.is_dir()))
}

/// Makes the directories above a file, and clears its own place of empty directories; false
/// when something that is not kept stands there.
fn make_room(top: &Path, path: &Path) -> Result<bool, GitError> {
    let mut above: Vec<&Path> = path.ancestors().skip(1).collect();
    above.retain(|above| !above.as_os_str().is_empty());
    for directory in above.into_iter().rev() {
        let whole = top.join(directory);
        match whole.symlink_metadata() {
            Ok(metadata) if metadata.is_dir() => {}
            Ok(_) => return Ok(false),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir(&whole).map_err(GitError::io("make", &whole))?;
            }
            Err(error) => return Err(GitError::io("look at", &whole)(error)),
        }
    }
    let whole = top.join(path);
    match whole.symlink_metadata() {
        Ok(metadata) if metadata.is_dir() => Ok(holds_no_file(&whole) && remove_empty(&whole)),
        _ => Ok(true),
    }
}

fn holds_no_file(directory: &Path) -> bool {
    fs::read_dir(directory).is_ok_and(|mut entries| {
        entries.all(|entry| {
            entry.is_ok_and(|entry| {
                let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
                is_directory && holds_no_file(&entry.path())
            })
        })
    })
}

fn remove_empty(directory: &Path) -> bool {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        if !remove_empty(&entry.path()) {
            return false;
        }
    }
    fs::remove_dir(directory).is_ok()
}

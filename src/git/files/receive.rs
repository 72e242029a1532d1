//! Takes the answer of `git cat-file --batch` as it comes, and writes each object to its place.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::git::GitError;
use crate::git::command::Flow;

use super::apply::part_of;
use super::restore::FileKind;

/// Writes files in the order in which their ids were asked for.
pub(super) struct Receiver {
    wanted: std::vec::IntoIter<(PathBuf, FileKind)>,
    /// Of the line in front of an object.
    header: Vec<u8>,
    open: Option<Open>,
    failure: Option<GitError>,
}

/// The object that is being received.
struct Open {
    path: PathBuf,
    kind: FileKind,
    /// Bytes that are still to come.
    left: u64,
    into: Into,
}

enum Into {
    File(File),
    /// What a link points to.
    Target(Vec<u8>),
}

impl Receiver {
    pub(super) fn new(wanted: Vec<(PathBuf, FileKind)>) -> Self {
        Self { wanted: wanted.into_iter(), header: Vec::new(), open: None, failure: None }
    }

    /// The next bytes.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Flow {
        match self.feed(bytes) {
            Ok(()) => Flow::On,
            Err(error) => {
                self.failure = Some(error);
                Flow::End
            }
        }
    }

    /// Whether everything came.
    pub(super) fn finish(mut self, code: i32, message: String) -> Result<(), GitError> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        if code != 0 || self.open.is_some() || self.wanted.next().is_some() {
            let message = match message.is_empty() {
                true => "it ended too soon".to_owned(),
                false => message,
            };
            return Err(GitError::Failed { command: "cat-file".to_owned(), message });
        }
        Ok(())
    }

    fn feed(&mut self, mut bytes: &[u8]) -> Result<(), GitError> {
        while !bytes.is_empty() {
            let Some(mut open) = self.open.take() else {
                let end = bytes.iter().position(|byte| *byte == b'\n');
                let (line, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
                self.header.extend_from_slice(line);
                bytes = rest.get(1..).unwrap_or_default();
                // The end of an object is an empty line.
                if end.is_some() && !self.header.is_empty() {
                    self.begin()?;
                }
                continue;
            };
            let room = usize::try_from(open.left).unwrap_or(usize::MAX).min(bytes.len());
            let (now, rest) = bytes.split_at(room);
            open.take(now)?;
            bytes = rest;
            if open.left == 0 { open.finish()? } else { self.open = Some(open) }
        }
        Ok(())
    }

    /// `id blob size`.
    fn begin(&mut self) -> Result<(), GitError> {
        let header = String::from_utf8_lossy(&std::mem::take(&mut self.header)).into_owned();
        let size = header.rsplit_once(" ").and_then(|(about, size)| {
            about.ends_with(" blob").then(|| size.parse::<u64>().ok()).flatten()
        });
        let (Some(size), Some((path, kind))) = (size, self.wanted.next()) else {
            let message = format!("an object is missing or no file: {header}");
            return Err(GitError::Failed { command: "cat-file".to_owned(), message });
        };
        let open = Open::new(path, kind, size)?;
        if size == 0 {
            return open.finish();
        }
        self.open = Some(open);
        Ok(())
    }
}

impl Open {
    fn new(path: PathBuf, kind: FileKind, size: u64) -> Result<Self, GitError> {
        let into = match kind {
            FileKind::Link => Into::Target(Vec::new()),
            FileKind::Plain | FileKind::Executable => {
                let part = part_of(&path);
                let mode = if kind == FileKind::Executable { 0o777 } else { 0o666 };
                let mut options = OpenOptions::new();
                options.create(true).truncate(true).write(true).mode(mode);
                Into::File(options.open(&part).map_err(GitError::io("write", &part))?)
            }
        };
        Ok(Self { path, kind, left: size, into })
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), GitError> {
        self.left -= bytes.len() as u64;
        match &mut self.into {
            Into::Target(target) => {
                target.extend_from_slice(bytes);
                Ok(())
            }
            Into::File(file) => file.write_all(bytes).map_err(GitError::io("write", &self.path)),
        }
    }

    /// The finished file takes its place in one step.
    fn finish(self) -> Result<(), GitError> {
        let part = part_of(&self.path);
        match self.into {
            Into::Target(target) => {
                std::os::unix::fs::symlink(OsStr::from_bytes(&target), &part)
                    .map_err(GitError::io("write", &part))?;
            }
            Into::File(file) => {
                if let Some(mode) = mode_as_before(&self.path, self.kind) {
                    file.set_permissions(Permissions::from_mode(mode))
                        .map_err(GitError::io("set the mode of", &part))?;
                }
            }
        }
        fs::rename(&part, &self.path).map_err(GitError::io("replace", &self.path))
    }
}

/// The mode bits of the file that is replaced, with the exec bits as they are wanted: what was
/// private stays private.
fn mode_as_before(path: &Path, kind: FileKind) -> Option<u32> {
    let metadata = path.symlink_metadata().ok().filter(fs::Metadata::is_file)?;
    let mode = metadata.permissions().mode() & 0o7777;
    Some(match kind {
        FileKind::Executable if mode & 0o100 != 0 => mode,
        FileKind::Executable => mode | ((mode & 0o444) >> 2),
        FileKind::Plain | FileKind::Link => mode & !0o111,
    })
}

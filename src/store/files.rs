//! Writing files so that they are there in full or not at all, and private where they are state.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{Access, OFlags, access};
use rustix::process::{Resource, getrlimit};
use tempfile::NamedTempFile;

use super::StoreError;
use super::error::{NamePath, io_error};

/// Whether a file must outlive a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// Synced, and its directory too.
    Durable,
    /// A cache: it can be rebuilt, so nothing waits for the disk.
    Cached,
}

/// How the names of temporary files begin.
const TEMPORARY: &str = ".prodigy-";

/// Nobody takes this long to write a temporary file: its process died.
const ABANDONED: Duration = Duration::from_secs(60);

/// Writes a whole file so that it is there in full or not at all: temporary file in the same
/// directory, sync, rename, sync of the directory. For users' files too (`output_file`, `write_file`).
///
/// `mode` sets the permissions; without it an existing file keeps its own and a new one gets
/// 0644 without the bits of the umask. A symbolic link stays and its target is replaced. What is
/// no regular file (`/dev/null`, a pipe) is written to as it is.
///
/// # Errors
/// Names the path.
pub fn replace_file(path: &Path, bytes: &[u8], mode: Option<u32>) -> Result<(), StoreError> {
    let target = follow_links(path).named("write", path)?;
    let existing = match fs::metadata(&target) {
        Ok(metadata) if metadata.is_dir() => {
            return Err(io_error("write", path, io::ErrorKind::IsADirectory.into()));
        }
        Ok(metadata) if !metadata.is_file() => {
            let mut file = OpenOptions::new().write(true).open(&target).named("write", path)?;
            return file.write_all(bytes).named("write", path);
        }
        Ok(metadata) => Some(metadata.permissions().mode() & 0o7777),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(io_error("write", path, error)),
    };
    let exact = mode.or(existing);
    replace(&target, bytes, exact, Keep::Durable).named("write", path)
}

/// Writes a file of the state directory, mode 0600, in full or not at all.
pub(super) fn write_private(path: &Path, bytes: &[u8], keep: Keep) -> Result<(), StoreError> {
    replace(path, bytes, Some(0o600), keep).named("write", path)
}

/// Writes a file of the state directory through `write`, mode 0600, in full or not at all.
/// A cache: nothing waits for the disk.
pub(super) fn write_cached(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), StoreError> {
    let mut temporary = temporary_beside(path).named("write", path)?;
    let mut out = BufWriter::new(Bounded { file: temporary.as_file_mut(), length: 0 });
    write(&mut out).and_then(|()| out.flush()).named("write", path)?;
    drop(out);
    temporary.persist(path).map_err(|error| io_error("write", path, error.error))?;
    Ok(())
}

/// Refuses to write past the file size limit.
struct Bounded<'f> {
    file: &'f mut File,
    length: u64,
}

impl Write for Bounded<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        check_size(self.length + bytes.len() as u64)?;
        let written = self.file.write(bytes)?;
        self.length += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// A temporary file, mode 0600, in the directory of `path`.
pub(super) fn temporary_beside(path: &Path) -> io::Result<NamedTempFile> {
    temporary_in(parent_of(path), 0o600)
}

/// A temporary file; what hinders it is said of the directory, since nobody knows the file's name.
fn temporary_in(directory: &Path, mode: u32) -> io::Result<NamedTempFile> {
    let permissions = Permissions::from_mode(mode);
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMPORARY).permissions(permissions).tempfile_in(directory).map_err(|error| {
        let refused = access(directory, Access::WRITE_OK | Access::EXEC_OK).err();
        refused.map_or(error, io::Error::from)
    })
}

/// Removes temporary files of dead processes from a directory; best effort.
pub(super) fn remove_leftovers(directory: &Path) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let temporary = entry.file_name().to_string_lossy().starts_with(TEMPORARY);
        let age = || entry.metadata().ok()?.modified().ok()?.elapsed().ok();
        if temporary && age().is_some_and(|age| age > ABANDONED) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Makes a file of the state directory that must not exist yet; it appears with its content.
pub(super) fn create_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = temporary_beside(path)?;
    temporary.as_file().write_all(bytes)?;
    temporary.as_file().set_permissions(Permissions::from_mode(0o600))?;
    temporary.as_file().sync_all()?;
    temporary.persist_noclobber(path).map_err(|error| error.error)?;
    sync_directory(parent_of(path))
}

/// Writes a file of a directory that nobody looks into yet: synced, but not its directory.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let mut options = OpenOptions::new();
    let mut file = open_private(path, options.create_new(true).write(true)).named("write", path)?;
    check_size(bytes.len() as u64)
        .and_then(|()| file.write_all(bytes))
        .and_then(|()| file.sync_all())
        .named("write", path)
}

/// Makes a directory and its missing parents with mode 0700, whatever the umask.
pub(super) fn make_directory(path: &Path) -> Result<(), StoreError> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        make_directory(parent)?;
    }
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => {
            fs::set_permissions(path, Permissions::from_mode(0o700)).named("create", path)?;
            sync_directory(parent_of(path)).named("sync", parent_of(path))
        }
        // Another process was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(io_error("create", path, error)),
    }
}

/// Makes the names in a directory outlive a power cut. File systems that cannot sync a
/// directory keep its names by themselves.
pub(super) fn sync_directory(path: &Path) -> io::Result<()> {
    match File::open(path)?.sync_all() {
        Err(error)
            if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) =>
        {
            Ok(())
        }
        result => result,
    }
}

/// Opens a state file: mode 0600 when it is made, never through a symbolic link, and never
/// anything but a regular file (a pipe would block).
pub(super) fn open_private(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits();
    let flags = i32::try_from(flags).map_err(|_| io::ErrorKind::Unsupported)?;
    let file = options.mode(0o600).custom_flags(flags).open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    Ok(file)
}

/// Reads a state file as a whole.
pub(super) fn read_private(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = open_private(path, OpenOptions::new().read(true))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Refuses what would go past the file size limit: the kernel's answer to that is a deadly signal.
pub(super) fn check_size(bytes: u64) -> io::Result<()> {
    match getrlimit(Resource::Fsize).current {
        Some(limit) if bytes > limit => Err(io::ErrorKind::FileTooLarge.into()),
        _ => Ok(()),
    }
}

fn replace(path: &Path, bytes: &[u8], mode: Option<u32>, keep: Keep) -> io::Result<()> {
    check_size(bytes.len() as u64)?;
    let directory = parent_of(path);
    let temporary = temporary_in(directory, mode.map_or(0o644, |_| 0o600))?;
    temporary.as_file().write_all(bytes)?;
    if let Some(mode) = mode {
        temporary.as_file().set_permissions(Permissions::from_mode(mode))?;
    }
    if keep == Keep::Durable {
        temporary.as_file().sync_all()?;
    }
    temporary.persist(path).map_err(|error| error.error)?;
    match keep {
        Keep::Durable => sync_directory(directory),
        Keep::Cached => Ok(()),
    }
}

/// The directory that holds `path`.
pub(super) fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Where a chain of symbolic links ends, also when nothing is there yet.
fn follow_links(path: &Path) -> io::Result<PathBuf> {
    let mut target = path.to_owned();
    for _ in 0..40 {
        match fs::read_link(&target) {
            Ok(next) => target = parent_of(&target).join(next),
            Err(_) => return Ok(target), // no link, or nothing there
        }
    }
    Err(rustix::io::Errno::LOOP.into())
}

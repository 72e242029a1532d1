//! The files of recoveries, `recovery/<repo>/<recovery-id>.json`: small, replaced as a whole (DECISIONS A61).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::session::RecoveryId;

use super::error::{NamePath, io_error};
use super::files::{self, Keep};
use super::{Home, StoreError};

/// Replaces the file of a recovery; on disk when this returns.
///
/// # Errors
/// It cannot be written.
pub fn write_recovery(
    home: &Home,
    repository: &str,
    id: &RecoveryId,
    bytes: &[u8],
) -> Result<(), StoreError> {
    files::make_directory(&home.recovery(repository))?;
    files::write_private(&home.recovery_state(repository, id), bytes, Keep::Durable)
}

/// The files of all recoveries of all repositories, with their paths. Files of others are
/// passed over.
///
/// # Errors
/// A file or directory cannot be read.
pub fn read_recoveries(home: &Home) -> Result<Vec<(PathBuf, Vec<u8>)>, StoreError> {
    let mut found = Vec::new();
    for directory in entries(&home.recoveries())?.into_iter().filter(|path| path.is_dir()) {
        for path in entries(&directory)? {
            if is_recovery(&path) {
                let bytes = files::read_private(&path).named("read", &path)?;
                found.push((path, bytes));
            }
        }
    }
    Ok(found)
}

fn is_recovery(path: &Path) -> bool {
    let id = path.file_stem().and_then(|stem| stem.to_str()).and_then(RecoveryId::parse);
    id.is_some() && path.extension().is_some_and(|extension| extension == "json")
}

fn entries(directory: &Path) -> Result<Vec<PathBuf>, StoreError> {
    match fs::read_dir(directory) {
        Ok(entries) => entries
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<io::Result<_>>()
            .named("read", directory),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(io_error("read", directory, error)),
    }
}

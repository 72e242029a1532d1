//! From a job to its session and back: two small files in `state/mappings` that say the same
//! (SPEC 7.1). They are a way to look things up: what they say is in the journal, too.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::session::SessionId;

use super::error::io_error;
use super::files::{self, Keep};
use super::job::file_name;
use super::{Home, StoreError};

/// Which session a job belongs to, and the other way round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mapping {
    /// The session.
    pub session_id: String,
    /// The job.
    pub job_id: String,
    /// The workflow's name.
    pub workflow_name: String,
    /// When the job began.
    pub created_at: chrono::DateTime<chrono::Utc>,
}

/// Records which session a job belongs to, in both directions.
///
/// # Errors
/// It cannot be written.
pub fn write_mapping(home: &Home, mapping: &Mapping) -> Result<(), StoreError> {
    files::make_directory(&home.mappings())?;
    let bytes = serde_json::to_vec_pretty(mapping)
        .map_err(|error| io_error("write", &home.mappings(), error.into()))?;
    for path in [home.job_mapping(&mapping.job_id), home.session_mapping(&mapping.session_id)] {
        files::write_private(&path, &bytes, Keep::Durable)?;
    }
    Ok(())
}

/// True when both directions are there.
#[must_use]
pub fn is_mapped(home: &Home, session: &SessionId, job: &str) -> bool {
    home.job_mapping(job).is_file() && home.session_mapping(session.as_str()).is_file()
}

impl Home {
    /// `state/mappings`: which session a job belongs to.
    #[must_use]
    pub fn mappings(&self) -> PathBuf {
        self.repositories().join("mappings")
    }

    pub(super) fn job_mapping(&self, job: &str) -> PathBuf {
        self.mappings().join(format!("job-{}.json", file_name(job)))
    }

    pub(super) fn session_mapping(&self, session: &str) -> PathBuf {
        self.mappings().join(format!("{}.json", file_name(session)))
    }
}

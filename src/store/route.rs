//! From the id of a job to its session (SPEC 7.3): the mapping file, then the session part of
//! the id, then a scan of the sessions. Ids are compared, never made into paths.

use std::fs;

use crate::session::SessionId;

use super::find::{Entry, session};
use super::mapping::Mapping;
use super::{Card, Home, StoreError, files};

/// What every job id begins with.
pub(super) const JOB_PREFIX: &str = "mapreduce-";

/// The session of a job, where there is one.
///
/// # Errors
/// The sessions cannot be read, or the only candidate is damaged beyond its card.
pub(super) fn session_of_job(
    home: &Home,
    entries: &[Entry],
    job: &str,
) -> Result<Option<Card>, StoreError> {
    let is_its = |card: &Card| card.job_id.as_deref().is_none_or(|known| known == job);
    for id in [mapped_session(home, job), session_part(job)].into_iter().flatten() {
        if let Some(card) = session(home, id.as_str())?.filter(is_its) {
            return Ok(Some(card));
        }
    }
    let of_job = |card: &&Card| card.job_id.as_deref() == Some(job);
    Ok(entries.iter().filter_map(Entry::known).find(of_job).cloned())
}

/// What was looked for and where, when no session belongs to `job`.
pub(super) fn no_job(home: &Home, job: &str) -> StoreError {
    let mappings = home.mappings();
    let mut searched = vec![match mapped_session(home, job) {
        Some(id) => format!("its mapping in {} names {id}, which is not there", mappings.display()),
        None => format!("no mapping of it in {}", mappings.display()),
    }];
    searched.push(match session_part(job) {
        Some(id) => format!("no session {id} in {}", home.sessions().display()),
        None => "its id holds no session id".to_owned(),
    });
    searched.push("no session says that the job is its own".to_owned());
    StoreError::NoJob { name: job.to_owned(), searched }
}

/// The session that the mapping file of a job names.
fn mapped_session(home: &Home, job: &str) -> Option<SessionId> {
    let wanted = format!("job-{job}.json");
    let entries = fs::read_dir(home.mappings()).ok()?;
    let file = entries.flatten().find(|entry| entry.file_name().to_str() == Some(&wanted))?;
    let mapping: Mapping = serde_json::from_slice(&files::read_private(&file.path()).ok()?).ok()?;
    SessionId::parse(&mapping.session_id)
}

/// The session id inside a job id.
fn session_part(job: &str) -> Option<SessionId> {
    SessionId::parse(job.strip_prefix(JOB_PREFIX)?.rsplit_once('_')?.1)
}

//! Which checkpoint file without a journal a person means: in the state directory, or carried
//! along in the working directory. Names are compared, never joined.

use std::cmp::Reverse;
use std::path::PathBuf;

use crate::exit::Failure;
use crate::store::{ForeignCheckpoint, Home, carried_checkpoints, read_foreign};

use super::running::here;

/// The checkpoint file that `id` names: by its file name or the workflow's name.
pub(super) fn find(
    home: &Home,
    repository: Option<&str>,
    id: &str,
) -> Result<Option<PathBuf>, Failure> {
    let files = files(home, repository)?;
    if let Some((_, path)) = files.iter().find(|(stem, _)| stem == id) {
        return Ok(Some(path.clone()));
    }
    let named = files.into_iter().find(|(_, path)| {
        read_foreign(path).is_ok_and(|it| it.workflow_name.as_deref() == Some(id))
    });
    Ok(named.map(|(_, path)| path))
}

/// The latest checkpoint file of this directory that is neither completed nor has become a
/// session. One that cannot be read is as good as any: whoever takes it up is told why.
pub(super) fn latest(home: &Home, repository: Option<&str>) -> Result<Option<PathBuf>, Failure> {
    let mut open: Vec<_> = files(home, repository)?
        .into_iter()
        .filter(|(stem, _)| !is_session(home, stem))
        .map(|(_, path)| (read_foreign(&path).ok(), path))
        .filter(|(read, _)| read.as_ref().is_none_or(|it| is_open(home, it)))
        .collect();
    open.sort_by_key(|(read, _)| Reverse(read.as_ref().and_then(|it| it.timestamp)));
    Ok(open.into_iter().map(|(_, path)| path).next())
}

fn is_open(home: &Home, checkpoint: &ForeignCheckpoint) -> bool {
    let known = checkpoint.session_id.as_ref().is_some_and(|id| home.session(id).exists())
        || checkpoint.workflow_id.as_ref().is_none_or(|id| is_session(home, id.as_str()));
    !known && !checkpoint.status.is_completed()
}

fn is_session(home: &Home, id: &str) -> bool {
    crate::store::find(home, None, id).is_ok()
}

fn files(home: &Home, repository: Option<&str>) -> Result<Vec<(String, PathBuf)>, Failure> {
    let mut files = Vec::new();
    if let Some(repository) = repository {
        files.extend(crate::store::checkpoint_files(&home.checkpoints(repository))?);
    }
    files.extend(crate::store::checkpoint_files(&carried_checkpoints(&here()?))?);
    Ok(files)
}

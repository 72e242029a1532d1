//! Names given to restore points from outside (DECISIONS A13): an append-only file with a
//! short lock of its own, so that a running session can be labelled too.

use std::fs::OpenOptions;
use std::io::{self, Write};

use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::session::SessionId;

use super::error::{NamePath, io_error};
use super::journal::{NO_LINE, check_record, write_record};
use super::{Home, StoreError, files, lock, read};

/// A name for a restore point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// The name.
    pub name: String,
    /// The version it stands for.
    pub version: u32,
    /// The event that the version is the state after.
    pub seq: u64,
    /// When it was given.
    pub at: DateTime<Utc>,
    /// `step`, `job` or `workflow`, as asked for.
    pub kind: String,
    /// What else was said of it.
    #[serde(default)]
    pub metadata: IndexMap<String, String>,
}

/// Gives the latest restore point of a session a name; on disk when this returns.
///
/// # Errors
/// There is no session or no restore point yet; it cannot be read or written.
pub fn add_label(
    home: &Home,
    id: &SessionId,
    name: &str,
    kind: &str,
    metadata: IndexMap<String, String>,
) -> Result<Label, StoreError> {
    let loaded = read::read_session(home, id)?;
    let Some(version) = loaded.state.lifetime.latest_version() else {
        return Err(StoreError::NotFound {
            what: "checkpoint",
            name: name.to_owned(),
            searched: home.journal(id),
        });
    };
    let label = Label {
        name: name.to_owned(),
        version: version.version,
        seq: version.seq,
        at: Utc::now(),
        kind: kind.to_owned(),
        metadata,
    };
    append(home, id, &label)?;
    Ok(label)
}

/// All labels of a session, oldest first. A torn last line is left out.
///
/// # Errors
/// They cannot be read or are damaged.
pub fn labels(home: &Home, id: &SessionId) -> Result<Vec<Label>, StoreError> {
    let path = home.labels(id);
    let bytes = match files::read_private(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(io_error("read", &path, error)),
    };
    let damaged = |line: usize, reason: String| StoreError::Damaged {
        path: path.clone(),
        line: line + 1,
        reason,
    };
    whole_lines(&bytes)
        .split_inclusive(|byte| *byte == b'\n')
        .enumerate()
        .map(|(number, line)| {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            check_record(line, &NO_LINE).map_err(|why| damaged(number, why.to_owned()))?;
            serde_json::from_slice(line).map_err(|error| damaged(number, error.to_string()))
        })
        .collect()
}

fn append(home: &Home, id: &SessionId, label: &Label) -> Result<(), StoreError> {
    let path = home.labels(id);
    let mut line = Vec::new();
    write_record(&mut line, &NO_LINE, label)
        .map_err(|error| io_error("append to", &path, error.into()))?;
    let mut options = OpenOptions::new();
    options.create(true).read(true).append(true);
    let file = files::open_private(&path, &mut options).named("open", &path)?;
    lock::wait(&file).named("lock", &path)?;
    let length = whole_lines(&files::read_private(&path).named("read", &path)?).len() as u64;
    file.set_len(length).named("cut", &path)?;
    if let Err(error) = (&file).write_all(&line) {
        let _ = file.set_len(length);
        return Err(io_error("append to", &path, error));
    }
    file.sync_all().named("sync", &path)?;
    files::sync_directory(files::parent_of(&path)).named("sync", &path)
}

fn whole_lines(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
    bytes.get(..end).unwrap_or_default()
}

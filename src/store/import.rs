//! Takes in a session from an archive, to go on with it here.

use std::fs;
use std::path::{Path, PathBuf};

use crate::session::{Event, EventKind, SessionId, SessionStarted, WorkflowId};

use super::arrival::{make_aside, rename_after, take_place, write_journal};
use super::error::NamePath;
use super::journal::Journal;
use super::scan::{Scan, read_journal};
use super::{Card, Home, StoreError, bundle, lock};

/// What was taken in.
#[derive(Debug)]
pub struct Imported {
    /// The session as it is here.
    pub card: Card,
    /// Its id in the archive, where that was taken already.
    pub formerly: Option<SessionId>,
    /// Where it runs from now on, because its directory is not here.
    pub moved_to: Option<PathBuf>,
    /// The kept files of its working tree, as a pack of git, where the archive had them: to be
    /// taken in, and removed.
    pub kept: Option<PathBuf>,
}

/// Takes in a session. It gets a fresh id when there is one of that id here, and goes on in
/// `here` when the directory that it ran in does not exist on this machine.
///
/// # Errors
/// The archive cannot be read, is damaged or newer; nothing is left behind then.
pub fn import(home: &Home, archive: &Path, here: &Path) -> Result<Imported, StoreError> {
    make_aside(home, &SessionId::fresh(), |passing| take_in(home, archive, here, passing))
}

fn take_in(
    home: &Home,
    archive: &Path,
    here: &Path,
    passing: &Path,
) -> Result<Imported, StoreError> {
    bundle::unpack(archive, passing)?;
    let unreadable = |reason: &str| StoreError::Unreadable {
        path: archive.to_owned(),
        reason: reason.to_owned(),
    };
    let file_name = |path: PathBuf| path.file_name().map(|name| passing.join(name));
    let id = SessionId::fresh();
    let journal = file_name(home.journal(&id)).ok_or_else(|| unreadable("it holds no journal"))?;
    let Scan { mut events, damage, end, .. } =
        read_journal(&journal).map_err(|_| unreadable("it holds no journal"))?;
    if let Some(damage) = damage {
        return Err(damage);
    }
    let Some(header) = events.first_mut().and_then(header_of) else {
        return Err(unreadable("its journal is empty"));
    };
    if SessionId::parse(header.session_id.as_str()).is_none()
        || WorkflowId::parse(header.workflow_id.as_str()).is_none()
    {
        return Err(unreadable("its ids are no ids"));
    }
    let old = header.clone();
    let moved_to = bind(home, header, here)?;
    if home.session(&header.session_id).exists() {
        header.workflow_id = WorkflowId::of(&header.name, &id);
        header.session_id = id;
    }
    let formerly = (old.session_id != header.session_id).then(|| old.session_id.clone());
    let (id, changed) = (header.session_id.clone(), *header != old);
    rename_after(&mut events, &old.session_id, &id);
    let _held = lock::take(home, &id)?;
    match changed {
        true => {
            fs::remove_file(&journal).named("replace", &journal)?;
            write_journal(&journal, &events)?;
        }
        false => drop(Journal::resume(&journal, end)?),
    }
    let card = take_place(home, passing, &id, &events)?;
    let kept = Some(home.session(&id).join(bundle::FILES)).filter(|path| path.exists());
    Ok(Imported { card, formerly, moved_to, kept })
}

fn header_of(event: &mut Event) -> Option<&mut SessionStarted> {
    match &mut event.kind {
        EventKind::SessionStarted(started) => Some(started),
        _ => None,
    }
}

/// Binds a session to a directory of this machine.
fn bind(
    home: &Home,
    header: &mut SessionStarted,
    here: &Path,
) -> Result<Option<PathBuf>, StoreError> {
    let there = header.directory.is_absolute() && header.directory.is_dir();
    let directory = match there {
        true => header.directory.clone(),
        false => fs::canonicalize(here).named("find", here)?,
    };
    if let Ok(inside) = header.workflow_path.strip_prefix(&header.directory) {
        header.workflow_path = directory.join(inside);
    }
    header.repository = home.repository(&directory)?;
    header.directory.clone_from(&directory);
    Ok((!there).then_some(directory))
}

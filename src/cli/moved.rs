//! A session whose directory was moved: where it goes on (DECISIONS A43).

use std::path::{Path, PathBuf};

use crate::exit::Failure;
use crate::session::{Digest, EventKind, SessionId, SessionStarted};
use crate::store::{Card, Durability, Home, OpenSession};

use super::output::Console;
use super::running::here;

/// Where the directory and the workflow file of a session are now.
#[derive(Debug, Clone)]
pub(super) struct NewPlace {
    /// The working directory.
    pub(super) directory: PathBuf,
    /// The workflow file.
    pub(super) workflow_path: PathBuf,
}

/// What is recorded of the place of a session.
pub(super) struct OldPlace<'a> {
    /// The session.
    pub(super) session: &'a SessionId,
    /// The name of its repository under `state/`.
    pub(super) repository: &'a str,
    /// Its working directory.
    pub(super) directory: &'a Path,
    /// Its workflow file.
    pub(super) workflow_path: &'a Path,
}

/// Binds a session to where its directory is now; the event that records it.
pub(super) fn follow(
    home: &Home,
    header: &mut SessionStarted,
    console: &mut Console,
) -> Result<Option<EventKind>, Failure> {
    let old = OldPlace {
        session: &header.session_id,
        repository: &header.repository,
        directory: &header.directory,
        workflow_path: &header.workflow_path,
    };
    let Some(new) = new_place(home, &old, console)? else { return Ok(None) };
    header.directory.clone_from(&new.directory);
    header.workflow_path.clone_from(&new.workflow_path);
    Ok(Some(EventKind::Moved { directory: new.directory, workflow_path: new.workflow_path }))
}

/// Records it before anything else is done with a session: where its directory is now.
pub(super) fn settle(home: &Home, card: &Card, console: &mut Console) -> Result<(), Failure> {
    if card.directory.exists() {
        return Ok(());
    }
    let loaded = OpenSession::read(home, &card.session_id)?;
    // Nothing is written behind damage.
    let Some(mut header) = loaded.state.header().filter(|_| loaded.damage.is_none()).cloned()
    else {
        return Ok(());
    };
    let Some(moved) = follow(home, &mut header, console)? else { return Ok(()) };
    let session = OpenSession::open(home, &card.session_id, Durability::Strict)?;
    session.commit(moved)?;
    session.sync_now()?;
    Ok(home.bind_repository(&header.repository, &header.directory)?)
}

/// Where a session is now whose directory is gone, and whose repository is the one around
/// us: the same directory, or a copy that holds the workflow which ran. Says so.
pub(super) fn new_place(
    home: &Home,
    old: &OldPlace<'_>,
    console: &mut Console,
) -> Result<Option<NewPlace>, Failure> {
    if old.directory.exists() {
        return Ok(None);
    }
    let Some(moved) = home.moved_repository(old.repository, &here()?)? else { return Ok(None) };
    let Some(directory) = moved.path(old.directory).filter(|it| it.is_dir()) else {
        return Ok(None);
    };
    let inside = moved.path(old.workflow_path);
    if !moved.is_same && !inside.as_deref().is_some_and(|file| ran(home, old.session, file)) {
        return Ok(None);
    }
    console.remark(format_args!(
        "{} was moved: going on in {}",
        old.directory.display(),
        directory.display()
    ));
    let workflow_path = inside.unwrap_or_else(|| old.workflow_path.to_owned());
    Ok(Some(NewPlace { directory, workflow_path }))
}

/// True when `file` holds the text of the workflow as it ran.
fn ran(home: &Home, session: &SessionId, file: &Path) -> bool {
    let read = |path: &Path| std::fs::read(path).ok().map(|text| Digest::of(&text));
    let stored = read(&home.workflow(session));
    stored.is_some() && stored == read(file)
}

//! Which session a person means: the state directory, the repository, and what was typed.

use std::path::PathBuf;

use crate::exit::{ExitKind, Failure};
use crate::session::{Event, SessionId, SessionState};
use crate::store::{self, Card, Entry, Home, Label, Loaded, OpenSession};

/// Where sessions are looked for.
pub(super) struct Place {
    /// The state directory.
    pub home: Home,
    /// The name under `state/` of the repository that the working directory lies in, if it has one.
    pub repository: Option<String>,
}

impl Place {
    /// The state directory of this user, seen from the working directory.
    pub(super) fn open() -> Result<Self, Failure> {
        let home = Home::open()?;
        let repository = home.known_repository(&working_directory()?)?;
        Ok(Self { home, repository })
    }

    /// The session that `text` means.
    pub(super) fn find(&self, text: &str) -> Result<Card, Failure> {
        Ok(store::find(&self.home, self.repository.as_deref(), text)?)
    }

    /// The session of a map workflow that `text` means.
    pub(super) fn find_job(&self, text: &str) -> Result<Card, Failure> {
        let card = self.find(text)?;
        match card.has_map() {
            true => Ok(card),
            false => Err(Failure::new(
                ExitKind::Usage,
                format!("{} runs a standard workflow: it has no job", card.workflow_id),
            )
            .with_help(format!("prodigy resume {}", card.workflow_id))),
        }
    }

    /// The session that `text` means, or without one the latest of this repository.
    pub(super) fn find_or_latest(&self, text: Option<&str>) -> Result<Card, Failure> {
        if let Some(text) = text {
            return self.find(text);
        }
        let here = |card: &Card| self.repository.as_ref() == Some(&card.repository);
        let mut cards = store::cards(&self.home)?.into_iter();
        let latest = cards.find_map(|entry| match entry {
            Entry::Known(card) | Entry::Damaged { card: Some(card), .. } if here(&card) => {
                Some(card)
            }
            _ => None,
        });
        latest.ok_or_else(|| {
            Failure::new(ExitKind::NotFound, "no session of this repository")
                .because(format!("looked in {}", self.home.sessions().display()))
                .with_help("prodigy cook FILE, or prodigy sessions list for all repositories")
        })
    }

    /// The journal of a session as far as it is good, and the state after it.
    pub(super) fn read(&self, id: &SessionId) -> Result<Loaded, Failure> {
        Ok(OpenSession::read(&self.home, id)?)
    }

    /// Number of the event after which a version, a named checkpoint or a label stands.
    pub(super) fn version(
        &self,
        loaded: &Loaded,
        id: &SessionId,
        name: &str,
    ) -> Result<u64, Failure> {
        if let Some(version) = loaded.state.lifetime.find_version(name) {
            return Ok(version.seq);
        }
        let labels = store::labels(&self.home, id)?;
        let labelled: Option<&Label> = labels.iter().rev().find(|label| label.name == name);
        labelled.map(|label| label.seq).ok_or_else(|| {
            let versions = loaded.state.lifetime.versions.len();
            let known = match versions {
                0 => "it has no checkpoint yet".to_owned(),
                1 => "it has v1".to_owned(),
                last => format!("it has v1 to v{last}"),
            };
            let id = loaded.state.header().map_or(id.as_str(), |it| it.workflow_id.as_str());
            Failure::new(ExitKind::NotFound, format!("no checkpoint {name:?} in {id}"))
                .because(known)
                .with_help(format!("prodigy checkpoints list --workflow-id {id}"))
        })
    }
}

/// What could be read was shown; damage behind it is an error all the same.
pub(super) fn sound(loaded: Loaded) -> Result<ExitKind, Failure> {
    match loaded.damage {
        Some(damage) => Err(damage.into()),
        None => Ok(ExitKind::Success),
    }
}

/// The state after event `seq`.
pub(super) fn state_at(events: &[Event], seq: u64) -> SessionState {
    let end = events.partition_point(|event| event.seq <= seq);
    store::fold(events.get(..end).unwrap_or_default())
}

/// The working directory.
pub(super) fn working_directory() -> Result<PathBuf, Failure> {
    std::env::current_dir().map_err(|error| {
        Failure::new(ExitKind::NotFound, "the working directory is gone")
            .because(error.to_string())
            .with_help("cd to a directory that exists, or use -C DIR")
    })
}

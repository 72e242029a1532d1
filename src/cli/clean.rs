//! `checkpoints clean` and `sessions clean`: removes the records of sessions that are over.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value as Json, json};

use crate::exit::{ExitKind, Failure};
use crate::git::FileStore;
use crate::session::SessionId;
use crate::store::{self, Card, Entry, Prunable, StoreError};
use crate::view;

use super::args::{CheckpointsClean, SessionsClean};
use super::confirm::{self, Answer};
use super::file_store::file_store;
use super::lookup::Place;
use super::output::Console;

/// What is to be removed, and how.
pub(super) struct Wish<'a> {
    id: Option<&'a str>,
    older_than: Option<Duration>,
    without_question: bool,
    dry_run: bool,
    json: bool,
    command: &'static str,
}

impl<'a> From<&'a CheckpointsClean> for Wish<'a> {
    fn from(arguments: &'a CheckpointsClean) -> Self {
        Self {
            id: arguments.selection.workflow_id.as_deref(),
            older_than: arguments.selection.older_than,
            without_question: arguments.force,
            dry_run: arguments.dry_run,
            json: arguments.json,
            command: "prodigy checkpoints clean",
        }
    }
}

impl<'a> From<&'a SessionsClean> for Wish<'a> {
    fn from(arguments: &'a SessionsClean) -> Self {
        Self {
            id: arguments.id.as_deref(),
            older_than: arguments.older_than,
            without_question: arguments.force,
            dry_run: arguments.dry_run,
            json: arguments.json,
            command: "prodigy sessions clean",
        }
    }
}

/// Removes what was meant, after a question.
pub(super) fn run(wish: &Wish<'_>, console: &mut Console) -> Result<ExitKind, Failure> {
    let place = Place::open()?;
    let meant = match wish.id {
        Some(id) => one(&place, id, wish.older_than)?,
        None => store::prunable(&place.home, wish.older_than.unwrap_or_default())?,
    };
    if meant.is_empty() && !wish.json {
        console.remark("nothing to remove");
    }
    if wish.dry_run {
        told(&meant, wish, console);
        return Ok(ExitKind::Success);
    }
    let question = !meant.is_empty() && !wish.without_question;
    if question && !asked(&meant, wish, console)? {
        console.remark("nothing was removed");
        return Ok(ExitKind::Success);
    }
    let mut removed = Vec::new();
    for session in meant {
        match store::prune(&place.home, &session.card.session_id) {
            Ok(bytes) => {
                forget_files(&place, &session.card, console);
                removed.push(Prunable { bytes, ..session });
            }
            // Someone resumed it since it was looked at.
            Err(StoreError::Busy { session, holder }) if wish.id.is_none() => {
                console.remark(format_args!("left alone: {session} is in use by {holder}"));
            }
            Err(error) => {
                told(&removed, wish, console);
                return Err(error.into());
            }
        }
    }
    if wish.id.is_none() {
        store::remove_half_made(&place.home)?;
        forget_lost_files(&place, console)?;
    }
    told(&removed, wish, console);
    Ok(ExitKind::Success)
}

/// The one session that was named, unless it is too young or its records are gone already.
fn one(place: &Place, id: &str, older_than: Option<Duration>) -> Result<Vec<Prunable>, Failure> {
    let card = place.find(id)?;
    if let Some(holder) = store::holder(&place.home, &card.session_id) {
        let session = card.session_id.to_string();
        return Err(StoreError::Busy { session, holder: holder.to_string() }.into());
    }
    let age = (chrono::Utc::now() - card.updated_at).to_std().unwrap_or_default();
    if card.cleaned_at.is_some() || older_than.is_some_and(|least| age < least) {
        return Ok(Vec::new());
    }
    let bytes = store::size(&place.home, &card.session_id);
    Ok(vec![Prunable { card, bytes }])
}

/// The files that were kept of a session go with its records; a repository that is gone or
/// broken is no reason to keep the records.
fn forget_files(place: &Place, card: &Card, console: &mut Console) {
    if let Some(store) = file_store(&place.home, &card.repository, &card.directory) {
        forget(&store, card.session_id.as_str(), card.workflow_id.as_str(), console);
    }
}

/// The same of sessions without records: a fork, an import or a removal was killed in between.
fn forget_lost_files(place: &Place, console: &mut Console) -> Result<(), Failure> {
    let mut directories = BTreeMap::new();
    for card in store::cards(&place.home)?.iter().filter_map(Entry::known) {
        directories.insert(card.repository.clone(), card.directory.clone());
    }
    let stores = directories
        .iter()
        .filter_map(|(repository, directory)| file_store(&place.home, repository, directory));
    for store in stores {
        for holder in store.holders(store::ABANDONED) {
            let session = SessionId::parse(&holder);
            if session.is_some_and(|id| !place.home.journal(&id).exists()) {
                forget(&store, &holder, &holder, console);
            }
        }
    }
    Ok(())
}

fn forget(store: &FileStore, holder: &str, named: &str, console: &mut Console) {
    if let Err(error) = store.forget(holder) {
        console.errors.line(format_args!("warning: the files of {named} are not removed: {error}"));
    }
}

/// True when a person says yes.
fn asked(meant: &[Prunable], wish: &Wish<'_>, console: &mut Console) -> Result<bool, Failure> {
    let resumable = meant.iter().filter(|session| !session.card.is_over()).count();
    let mut question = format!("Remove {} ({})", sessions(meant.len()), total(meant));
    if resumable > 0 {
        question.push_str(", which could still be resumed");
    }
    question.push('?');
    if confirm::has_terminal() {
        for session in meant {
            console.errors.line(format_args!("  {}", in_words(session)));
        }
    }
    match confirm::ask(&question, &|| false) {
        Answer::Yes => Ok(true),
        Answer::No => Ok(false),
        Answer::NoTerminal => Err(Failure::new(
            ExitKind::NeedsPerson,
            format!("removing {} has to be confirmed", sessions(meant.len())),
        )
        .because("there is no terminal to ask at")
        .with_help(format!("{} {}--force", wish.command, wish.selection()))),
    }
}

impl Wish<'_> {
    /// The options that chose the sessions, as typed.
    fn selection(&self) -> String {
        let mut text = match self.id {
            Some(id) if self.command.contains("checkpoints") => format!("--workflow-id {id} "),
            Some(id) => format!("--id {id} "),
            None => "--all ".to_owned(),
        };
        if let Some(age) = self.older_than {
            text.push_str(&format!("--older-than '{}' ", humantime::format_duration(age)));
        }
        text
    }
}

fn told(sessions: &[Prunable], wish: &Wish<'_>, console: &mut Console) {
    if wish.json {
        console.output.json(&sessions.iter().map(row).collect());
        return;
    }
    let word = if wish.dry_run { "would remove" } else { "removed" };
    for session in sessions {
        console.output.line(format_args!("{word} {}", in_words(session)));
    }
}

fn row(session: &Prunable) -> Json {
    let card = &session.card;
    json!({
        "workflow_id": card.workflow_id,
        "session_id": card.session_id,
        "workflow_name": card.name,
        "status": card.status,
        "timestamp": card.updated_at,
        "size_bytes": session.bytes,
    })
}

fn in_words(session: &Prunable) -> String {
    let card = &session.card;
    let (status, _) = view::status_words(card.status);
    format!("{} ({status}, {})", card.workflow_id, view::bytes(session.bytes))
}

fn sessions(number: usize) -> String {
    format!("the records of {}", counted(number, "session"))
}

fn total(sessions: &[Prunable]) -> String {
    view::bytes(sessions.iter().map(|session| session.bytes).sum())
}

fn counted(number: usize, noun: &str) -> String {
    view::count(u64::try_from(number).unwrap_or(u64::MAX), noun)
}

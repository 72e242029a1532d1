//! `prodigy checkpoints export ID` and `import FILE`: sessions move to another machine.

use std::path::{Path, PathBuf};

use crate::cli::args::{CheckpointsExport, CheckpointsImport};
use crate::cli::file_store::file_store;
use crate::cli::lookup::{Place, working_directory};
use crate::cli::output::Console;
use crate::exit::{ExitKind, Failure};
use crate::git::FileStore;
use crate::session::EventKind;
use crate::store::{self, Card, StoreError};

/// What is told where the kept files do not come along.
const WITHOUT: &str =
    "without the files that were kept at its checkpoints, rollbacks restore no files of before";

/// Packs a session into one file that was not there before.
pub(super) fn export(
    arguments: &CheckpointsExport,
    console: &mut Console,
) -> Result<ExitKind, Failure> {
    let place = Place::open()?;
    let card = place.find(&arguments.id)?;
    let target = arguments
        .output
        .clone()
        .unwrap_or_else(|| PathBuf::from(format!("{}.prodigy", card.workflow_id)));
    if target.symlink_metadata().is_ok() {
        return Err(Failure::new(ExitKind::Usage, format!("{} exists already", target.display()))
            .with_help(format!("prodigy checkpoints export {} -o OTHER_FILE", card.workflow_id)));
    }
    if let Some(holder) = store::holder(&place.home, &card.session_id) {
        let session = card.session_id.to_string();
        return Err(StoreError::Busy { session, holder: holder.to_string() }.into());
    }
    let kept = match arguments.without_files {
        true => None,
        false => pack(&place, &card, console),
    };
    store::export(&place.home, &card.session_id, &target, kept.as_deref())?;
    console.output.line(format_args!("wrote {}", target.display()));
    if kept.is_some() {
        console.remark("it holds the files that were kept at its checkpoints, too (--without-files leaves them out)");
    }
    console.remark(format_args!(
        "on the other machine: prodigy checkpoints import {} && prodigy resume {}",
        target.file_name().unwrap_or_default().display(),
        card.workflow_id
    ));
    Ok(ExitKind::Success)
}

/// The kept files of a session; what cannot be had is only told.
fn pack(place: &Place, card: &Card, console: &mut Console) -> Option<Vec<u8>> {
    let packed = store_of(place, card)?.pack(card.session_id.as_str());
    packed.unwrap_or_else(|error| {
        console.errors.line(format_args!("warning: {WITHOUT}: {error}"));
        None
    })
}

/// Takes in the kept files of a session that was imported; what cannot be had is only told.
fn take_in(place: &Place, card: &Card, pack: &Path, console: &mut Console) {
    let taken = match (store_of(place, card), std::fs::read(pack)) {
        (None, _) => Err(format!("{} lies in no git repository", card.directory.display())),
        (_, Err(error)) => Err(error.to_string()),
        (Some(store), Ok(bytes)) => {
            let ids = kept_ids(place, card);
            let taken = store.take_in(card.session_id.as_str(), bytes, &ids);
            taken.map_err(|error| error.to_string())
        }
    };
    match taken {
        Ok(()) => console.remark("the files that were kept at its checkpoints are here, too"),
        Err(why) => console.errors.line(format_args!("warning: {WITHOUT}: {why}")),
    }
    // They are in their place now, or are of no use.
    let _ = std::fs::remove_file(pack);
}

fn store_of(place: &Place, card: &Card) -> Option<FileStore> {
    file_store(&place.home, &card.repository, &card.directory)
}

/// The ids of everything that the session kept.
fn kept_ids(place: &Place, card: &Card) -> Vec<String> {
    let Ok(loaded) = place.read(&card.session_id) else { return Vec::new() };
    let mut ids = Vec::new();
    for event in &loaded.events {
        match &event.kind {
            EventKind::FilesKept(kept) => {
                ids.push(kept.tree.clone());
                ids.extend(kept.rules.clone());
            }
            EventKind::RollbackStarted(started) => {
                ids.extend(started.files.iter().flat_map(|it| [it.from.clone(), it.goal.clone()]));
            }
            _ => {}
        }
    }
    ids
}

/// Unpacks a session.
pub(super) fn import(
    arguments: &CheckpointsImport,
    console: &mut Console,
) -> Result<ExitKind, Failure> {
    let file = &arguments.file;
    if let Err(error) = std::fs::metadata(file)
        && error.kind() == std::io::ErrorKind::NotFound
    {
        return Err(Failure::new(ExitKind::NotFound, format!("no file {}", file.display()))
            .with_help("name an archive; prodigy checkpoints export ID writes one"));
    }
    let place = Place::open()?;
    let imported = store::import(&place.home, file, &working_directory()?)?;
    let card = &imported.card;
    console.output.line(format_args!("imported {} ({})", card.workflow_id, card.session_id));
    if let Some(formerly) = &imported.formerly {
        console.remark(format_args!("{formerly} is here already, so it got a fresh id"));
    }
    if let Some(directory) = &imported.moved_to {
        console.remark(format_args!("it goes on in {}", directory.display()));
    }
    match &imported.kept {
        Some(pack) => take_in(&place, card, pack, console),
        None if kept_ids(&place, card).is_empty() => {}
        None => console.remark(format_args!("the archive is {WITHOUT}")),
    }
    if card.is_resumable() {
        console.remark(format_args!("to go on: prodigy resume {}", card.workflow_id));
    }
    Ok(ExitKind::Success)
}

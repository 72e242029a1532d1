//! `prodigy checkpoints export ID` and `import FILE`: sessions move to another machine.

use std::path::PathBuf;

use crate::cli::args::{CheckpointsExport, CheckpointsImport};
use crate::cli::lookup::{Place, working_directory};
use crate::cli::output::Console;
use crate::exit::{ExitKind, Failure};
use crate::store::{self, StoreError};

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
    store::export(&place.home, &card.session_id, &target)?;
    console.output.line(format_args!("wrote {}", target.display()));
    console.remark(format_args!(
        "on the other machine: prodigy checkpoints import {} && prodigy resume {}",
        target.file_name().unwrap_or_default().display(),
        card.workflow_id
    ));
    Ok(ExitKind::Success)
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
        return Err(Failure::new(ExitKind::NotFound, format!("no file {}", file.display())));
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
    if card.is_resumable() {
        console.remark(format_args!("to go on: prodigy resume {}", card.workflow_id));
    }
    Ok(ExitKind::Success)
}

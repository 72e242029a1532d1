//! `prodigy resume --force`: a new session takes the place of an old one.

use crate::exit::{ExitKind, Failure};
use crate::store::{Card, Home, OpenSession};

use super::args::{Cook, Resume};
use super::cook::{Cooking, read_workflow};
use super::moved::{OldPlace, new_place};
use super::output::Console;
use super::resume::enter_directory;
use super::running::end_dead_run;

/// `--force`: a new session from the beginning; the old one is kept and marked. Needs no more
/// than the index card of the old one (DECISIONS A45).
pub(super) fn restart(
    home: &Home,
    card: &Card,
    arguments: &Resume,
    console: &mut Console,
) -> Result<ExitKind, Failure> {
    if let Some(holder) = crate::store::holder(home, &card.session_id) {
        return Err(crate::store::StoreError::Busy {
            session: card.session_id.to_string(),
            holder: holder.to_string(),
        }
        .into());
    }
    let old = OldPlace {
        session: &card.session_id,
        repository: &card.repository,
        directory: &card.directory,
        workflow_path: &card.workflow_path,
    };
    let (directory, workflow_path) = match new_place(home, &old, console)? {
        Some(new) => (new.directory, new.workflow_path),
        None => (card.directory.clone(), card.workflow_path.clone()),
    };
    enter_directory(&directory)?;
    let file = if workflow_path.exists() {
        workflow_path
    } else {
        console.remark(format_args!(
            "{} is gone: starting again from the stored copy",
            workflow_path.display()
        ));
        home.workflow(&card.session_id)
    };
    let loaded = read_workflow(&file, console)?;
    let old = OpenSession::read(home, &card.session_id).ok();
    let header = old.as_ref().and_then(|old| old.state.header().cloned());
    let cook = Cook::again(arguments, header.as_ref());
    let given = header.as_ref().map(|header| {
        let none = crate::session::Secrets::default();
        let plain = header
            .parameters
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), value.open(&none).ok()?)));
        plain.collect()
    });
    let cooking = Cooking {
        arguments: &cook,
        file: &file,
        loaded: &loaded,
        supersedes: Some(card.session_id.clone()),
    };
    if let Some(old) = &old {
        end_dead_run(&old.state, console);
    }
    console.remark(format_args!("starting {} again from the beginning", card.name));
    cooking.run(given.unwrap_or_default(), console)
}

//! The details of failed items: their values from the frozen items, and where their logs are.

use std::collections::HashMap;
use std::path::PathBuf;

use serde_json::Value as Json;

use crate::cli::lookup::Place;
use crate::mapreduce::FrozenItem;
use crate::session::{ItemFailure, SessionState};
use crate::store::{Card, FrozenItems};
use crate::view::{DeadDetail, RunLogs};

/// The details of the items with these numbers, as far as they ever failed for good.
pub(super) fn details(
    place: &Place,
    card: &Card,
    state: &SessionState,
    numbers: &[u32],
) -> Vec<DeadDetail> {
    let job = state.lifetime.job.as_deref().unwrap_or_default();
    // Without the file the history is still worth showing.
    let items = FrozenItems::open(&place.home, &card.repository, job).ok();
    let places: HashMap<u32, usize> = items
        .iter()
        .flat_map(FrozenItems::numbers)
        .enumerate()
        .map(|(index, number)| (number, index))
        .collect();
    let value = |number: u32| -> Json {
        let line = places.get(&number).and_then(|index| items.as_ref()?.line(*index).ok());
        let frozen = line.and_then(|line| serde_json::from_slice::<FrozenItem>(&line).ok());
        frozen.map_or(Json::Null, |frozen| frozen.item.to_json())
    };
    let logs = |failure: &ItemFailure| logs(place, card, state, failure);
    let details =
        numbers.iter().filter_map(|number| DeadDetail::of(state, *number, value(*number), logs));
    details.collect()
}

fn logs(place: &Place, card: &Card, state: &SessionState, failure: &ItemFailure) -> RunLogs {
    let name = state.lifetime.log_name(&failure.step, failure.attempt);
    let log = place.home.log(&card.session_id, &name);
    RunLogs {
        log: log.exists().then(|| log.display().to_string()),
        agent_log: failure.agent_session.as_deref().and_then(agent_log),
    }
}

/// The log that the agent itself keeps of a conversation.
fn agent_log(session: &str) -> Option<String> {
    let root = std::env::var_os("CLAUDE_CONFIG_DIR").map(PathBuf::from);
    let home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".claude"));
    let projects = std::fs::read_dir(root.or(home)?.join("projects")).ok()?;
    let wanted = format!("{session}.jsonl");
    for project in projects.flatten() {
        let files = std::fs::read_dir(project.path()).into_iter().flatten().flatten();
        if let Some(file) =
            files.into_iter().find(|file| file.file_name().to_str() == Some(&wanted))
        {
            return Some(file.path().display().to_string());
        }
    }
    None
}

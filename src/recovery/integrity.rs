//! Is everything that a session recorded still there and as it was written? Journal, texts
//! beside it, results of items, snapshot.

use serde_json::Value as Json;

use crate::session::{Event, EventKind, SessionState, Version};
use crate::store::{self, FrozenItems, Home, Loaded};

/// What was found of one session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Integrity {
    /// What is wrong behind the last good record of the journal.
    pub damage: Option<String>,
    /// Bytes of a last line that a crash cut short; the next run drops it.
    pub torn: u64,
    /// Records whose texts or results are missing or changed, oldest first.
    pub lost: Vec<LostText>,
    /// What is wrong with the snapshot, which nothing depends on: the next run writes it anew.
    pub snapshot: Option<String>,
}

/// A text beside the journal, or the result of an item, that cannot be had any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostText {
    /// The record that refers to it.
    pub seq: u64,
    /// Why.
    pub why: String,
}

impl Integrity {
    /// Looks at everything that the good records of a session refer to.
    #[must_use]
    pub fn examine(home: &Home, loaded: &Loaded) -> Self {
        Self {
            damage: loaded.damage.as_ref().map(ToString::to_string),
            torn: loaded.torn,
            lost: lost(home, loaded),
            snapshot: wrong_snapshot(home, &loaded.state),
        }
    }

    /// The texts that the state after event `seq` needs and cannot have.
    pub fn lost_until(&self, seq: u64) -> impl Iterator<Item = &LostText> {
        self.lost.iter().filter(move |text| text.seq <= seq)
    }

    /// The latest restore point of the session whose records can all be read.
    #[must_use]
    pub fn best_version<'s>(&self, state: &'s SessionState) -> Option<&'s Version> {
        let first_lost = self.lost.first().map_or(u64::MAX, |text| text.seq);
        state.lifetime.versions.iter().rev().find(|version| version.seq < first_lost)
    }
}

fn lost(home: &Home, loaded: &Loaded) -> Vec<LostText> {
    let Some(header) = loaded.state.header() else { return Vec::new() };
    let job = loaded.state.lifetime.job.as_deref();
    let mut lost = Vec::new();
    for event in &loaded.events {
        for digest in digests(event) {
            if let Err(error) = store::kept(home, &header.session_id, &digest) {
                lost.push(LostText { seq: event.seq, why: error.to_string() });
            }
        }
        let failed = match (&event.kind, job) {
            (EventKind::ItemFinished { result, .. }, Some(job)) if result.length > 0 => {
                store::read_result(home, &header.repository, job, *result).err()
            }
            (EventKind::JobStarted { .. }, Some(job)) => {
                FrozenItems::open(home, &header.repository, job).err()
            }
            _ => None,
        };
        lost.extend(failed.map(|error| LostText { seq: event.seq, why: error.to_string() }));
    }
    lost
}

/// The digests of the texts that a record refers to.
fn digests(event: &Event) -> Vec<String> {
    let mut found = Vec::new();
    // Most records refer to none, and only these have results.
    if let Ok(json) = serde_json::to_value(event) {
        push_digests(&json, &mut found);
    }
    found
}

fn push_digests(json: &Json, digests: &mut Vec<String>) {
    match json {
        Json::Object(fields) => {
            digests.extend(fields.get("$blob").and_then(Json::as_str).map(str::to_owned));
            fields.values().for_each(|field| push_digests(field, digests));
        }
        Json::Array(items) => items.iter().for_each(|item| push_digests(item, digests)),
        _ => {}
    }
}

fn wrong_snapshot(home: &Home, state: &SessionState) -> Option<String> {
    let header = state.header()?;
    let path = home.snapshot(&header.repository, &header.workflow_id);
    let text = match std::fs::read(&path) {
        Ok(text) => text,
        Err(error) => return Some(format!("cannot read {}: {error}", path.display())),
    };
    match serde_json::from_slice::<Json>(&text) {
        Ok(json) if json.get("session_id") == Some(&Json::from(header.session_id.as_str())) => None,
        Ok(_) => Some(format!("{} is of another session", path.display())),
        Err(error) => Some(format!("{} is damaged: {error}", path.display())),
    }
}

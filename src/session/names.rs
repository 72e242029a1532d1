//! What names mean: ids and captures of the steps that ended, seen from where one stands.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::address::Address;
use super::outcome::{Captured, StepKind, StepResult};
use super::stored::Stored;

/// Ids and captures. What a loop round captures is only seen inside that round
/// (DECISIONS A30); everything else is seen by all later steps.
#[derive(Debug, Clone, Default)]
pub struct Names {
    ids: BTreeMap<(Address, String), IdEntry>,
    captures: BTreeMap<(Address, String), Vec<CaptureEntry>>,
    latest: BTreeMap<(Address, StepKind), Vec<LatestEntry>>,
}

/// The step that has an id.
#[derive(Debug, Clone)]
pub struct IdEntry {
    /// Where it runs or ran last.
    pub address: Address,
    /// Its result, once it ended.
    pub result: Option<Arc<StepResult>>,
    /// Output of the handler that answered its latest failure.
    pub handler: Option<Stored>,
}

#[derive(Debug, Clone)]
struct CaptureEntry {
    address: Address,
    result: Arc<StepResult>,
    index: usize,
}

#[derive(Debug, Clone)]
struct LatestEntry {
    seq: u64,
    address: Address,
    result: Arc<StepResult>,
}

/// How many results of a kind are remembered, so that going back finds an earlier one.
const REMEMBERED: usize = 64;

impl Names {
    /// The step called `id`, seen from `reader`.
    #[must_use]
    pub fn id(&self, reader: &Address, id: &str) -> Option<&IdEntry> {
        visible(reader).find_map(|scope| self.ids.get(&(scope, id.to_owned())))
    }

    /// The value captured as `name`, seen from `reader`.
    #[must_use]
    pub fn capture(&self, reader: &Address, name: &str) -> Option<&Stored> {
        let entry = visible(reader)
            .find_map(|scope| self.captures.get(&(scope, name.to_owned()))?.last())?;
        let captured = entry.result.captures.get(entry.index)?;
        Some(captured.value.as_ref().unwrap_or(&entry.result.report.stdout.text))
    }

    /// All ids seen from `reader`.
    pub fn ids<'names>(&'names self, reader: &'names Address) -> impl Iterator<Item = &'names str> {
        let seen = self.ids.keys().filter(|(scope, _)| reader.is_within(scope));
        seen.map(|(_, id)| id.as_str())
    }

    /// What was captured in the round `round` itself: name and value.
    #[must_use]
    pub fn captures_of(&self, round: &Address) -> Vec<(&str, Stored)> {
        let own = self.captures.keys().filter(|(scope, _)| scope == round);
        own.filter_map(|(_, name)| Some((name.as_str(), self.capture(round, name)?.clone())))
            .collect()
    }

    /// How many captures there are, seen or not.
    #[must_use]
    pub fn capture_count(&self) -> usize {
        self.captures.len()
    }

    /// All captures seen from `reader`: name and value.
    #[must_use]
    pub fn captures(&self, reader: &Address) -> BTreeMap<&str, &Stored> {
        let mut seen = BTreeMap::new();
        for (scope, name) in self.captures.keys() {
            if reader.is_within(scope)
                && let Some(value) = self.capture(reader, name)
            {
                seen.insert(name.as_str(), value);
            }
        }
        seen
    }

    /// The latest result of a step of this kind (of any kind for `None`), seen from `reader`.
    #[must_use]
    pub fn latest(&self, reader: &Address, kind: Option<StepKind>) -> Option<&Arc<StepResult>> {
        const ALL: [StepKind; 5] = [
            StepKind::Shell,
            StepKind::Claude,
            StepKind::GoalSeek,
            StepKind::Foreach,
            StepKind::WriteFile,
        ];
        visible(reader).find_map(|scope| {
            ALL.into_iter()
                .filter(|candidate| kind.is_none_or(|kind| kind == *candidate))
                .filter_map(|candidate| self.latest.get(&(scope.clone(), candidate))?.last())
                .max_by_key(|entry| entry.seq)
                .map(|entry| &entry.result)
        })
    }

    pub(super) fn define_id(&mut self, address: &Address, id: &str) {
        let key = (address.round(), id.to_owned());
        let handler = self.ids.get(&key).and_then(|entry| entry.handler.clone());
        self.ids.insert(key, IdEntry { address: address.clone(), result: None, handler });
    }

    pub(super) fn record(
        &mut self,
        address: &Address,
        id: Option<&str>,
        result: &Arc<StepResult>,
        seq: u64,
    ) {
        let round = address.round();
        if let Some(id) = id {
            let entry = IdEntry {
                address: address.clone(),
                result: Some(Arc::clone(result)),
                handler: result.handler.clone(),
            };
            self.ids.insert((round.clone(), id.to_owned()), entry);
        }
        for (index, captured) in result.captures.iter().enumerate() {
            let entries = self.captures.entry((round.clone(), captured.name.clone())).or_default();
            // A rewind has forgotten an earlier result of the same step, save of a re-run.
            if entries.last().is_some_and(|last| last.address == *address) {
                entries.pop();
            }
            entries.push(CaptureEntry {
                address: address.clone(),
                result: Arc::clone(result),
                index,
            });
        }
        if result.status != super::outcome::StepStatus::Skipped {
            let entries = self.latest.entry((round, result.kind)).or_default();
            if entries.len() >= REMEMBERED {
                entries.remove(0);
            }
            entries.push(LatestEntry { seq, address: address.clone(), result: Arc::clone(result) });
        }
    }

    /// A handler of the step `3` is at `3.on_failure[1]`: its output is seen as `ID.handler`.
    pub(super) fn note_handler(&mut self, handler: &Address, output: &Stored) {
        let Some(end) = handler.as_str().rfind(".on_") else { return };
        let step = &handler.as_str()[..end];
        for entry in self.ids.values_mut().filter(|entry| entry.address.as_str() == step) {
            entry.handler = Some(output.clone());
        }
    }

    /// What came of the handler called `id`, which answers at `handler`.
    pub(super) fn record_handler(&mut self, handler: &Address, id: &str, result: StepResult) {
        let entry = IdEntry {
            address: handler.clone(),
            handler: result.handler.clone(),
            result: Some(Arc::new(result)),
        };
        self.ids.insert((handler.round(), id.to_owned()), entry);
    }

    /// `capture:` of a handler: its output under a name of its own.
    pub(super) fn capture_handler(&mut self, handler: &Address, name: &str, output: &Stored) {
        let mut result = StepResult::skipped(StepKind::Shell);
        result.captures = vec![Captured { name: name.to_owned(), value: Some(output.clone()) }];
        let entries = self.captures.entry((handler.round(), name.to_owned())).or_default();
        entries.retain(|entry| entry.address != *handler);
        entries.push(CaptureEntry { address: handler.clone(), result: Arc::new(result), index: 0 });
    }

    /// The rounds of a finished loop are not looked into any more.
    pub(super) fn forget_rounds(&mut self, of: &Address) {
        let inside = |scope: &Address| scope != of && scope.is_within(of);
        self.ids.retain(|(scope, _), _| !inside(scope));
        self.captures.retain(|(scope, _), _| !inside(scope));
        self.latest.retain(|(scope, _), _| !inside(scope));
    }

    /// A map item that ended is not looked into any more.
    pub(super) fn forget_round(&mut self, round: &Address) {
        self.ids.retain(|(scope, _), _| !scope.is_within(round));
        self.captures.retain(|(scope, _), _| !scope.is_within(round));
        self.latest.retain(|(scope, _), _| !scope.is_within(round));
    }

    pub(super) fn forget(&mut self, gone: impl Fn(&Address) -> bool) {
        self.ids.retain(|_, entry| !gone(&entry.address));
        self.captures.retain(|_, entries| {
            entries.retain(|entry| !gone(&entry.address));
            !entries.is_empty()
        });
        self.latest.retain(|_, entries| {
            entries.retain(|entry| !gone(&entry.address));
            !entries.is_empty()
        });
    }

    pub(super) fn rename(&mut self, kept: &[(Address, Address)]) {
        let place = |address: &Address| {
            kept.iter()
                .find(|(old, _)| address.is_within(old))
                .map(|(old, new)| address.moved(old, new))
        };
        self.ids.retain(|_, entry| rename_or_drop(&mut entry.address, place));
        self.captures.retain(|_, entries| {
            entries.retain_mut(|entry| rename_or_drop(&mut entry.address, place));
            !entries.is_empty()
        });
        self.latest.retain(|_, entries| {
            entries.retain_mut(|entry| rename_or_drop(&mut entry.address, place));
            !entries.is_empty()
        });
    }
}

fn rename_or_drop(address: &mut Address, place: impl Fn(&Address) -> Option<Address>) -> bool {
    match place(address) {
        Some(new) => {
            *address = new;
            true
        }
        None => false,
    }
}

/// The rounds that `reader` stands in, innermost first, then the session.
fn visible(reader: &Address) -> impl Iterator<Item = Address> {
    let mut next = Some(reader.round());
    std::iter::from_fn(move || {
        let scope = next.take()?;
        if !scope.is_root() {
            next = Some(scope.outside());
        }
        Some(scope)
    })
}

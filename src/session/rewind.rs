//! Going back: what a rewind forgets, what an edited workflow keeps, what a crash leaves in doubt.

use std::sync::Arc;

use super::address::Address;
use super::event::{EventKind, Reach, RewindCause};
use super::items::{ItemStanding, Items, item_number, map_address};
use super::record::Progress;
use super::standing::Standing;
use super::stored::Stored;
use super::tree::{move_subtree, range_within, retain_within};

/// Back over a scope: over it alone, or over all that is in it.
#[must_use]
pub fn rewound(scope: &Address, reach: Reach, cause: RewindCause) -> EventKind {
    EventKind::Rewound { scope: scope.clone(), from: None, reach, to_seq: None, cause, by: None }
}

/// Back to what the session was after this event.
#[must_use]
pub fn returned_to(seq: u64, cause: RewindCause) -> EventKind {
    EventKind::Rewound {
        scope: Address::root(),
        from: None,
        reach: Reach::Subtree,
        to_seq: Some(seq),
        cause,
        by: None,
    }
}

impl Standing {
    /// After a crash nobody knows how a running attempt ended: it does not count as a try.
    pub(super) fn doubt_what_was_running(&mut self) {
        for record in self.records.values_mut() {
            if record.progress == Progress::Running {
                record.progress = Progress::InDoubt;
                record.tries = record.tries.saturating_sub(1);
            }
        }
    }

    /// Processes and conversations belong to the session that this one was copied from.
    pub(super) fn fork(&mut self) {
        self.doubt_what_was_running();
        for record in self.records.values_mut() {
            record.group = None;
            if record.result.is_none() && record.agent_session.is_some() {
                record.agent_to_fork = record.agent_session.take();
            }
        }
    }

    pub(super) fn rewind(&mut self, rewound: &EventKind) {
        let EventKind::Rewound { scope, from, reach, cause, to_seq, .. } = rewound else { return };
        if to_seq.is_some() {
            return; // The loader returns to the state after that event.
        }
        self.forget_items(scope, *reach);
        if *cause == RewindCause::Edited && scope.as_str() == "map" {
            // What makes the items runs again, and may make others.
            self.frozen = false;
        }
        let rounds = self.rounds_that_stay(scope, *reach);
        let covers = |address: &Address| covers(scope, *from, *reach, address);
        retain_within(&mut self.records, scope, |address| !covers(address));
        retain_within(&mut self.scopes, scope, |address| !covers(address));
        retain_within(&mut self.errors, scope, |address| !covers(address));
        retain_within(&mut self.scores, scope, |address| !covers(address));
        retain_within(&mut self.handlers, scope, |address| !covers(address));
        retain_within(&mut self.confirmed, scope, |address| !covers(address));
        if *cause != RewindCause::Rerun {
            self.names.forget(covers);
        }
        if let Some(items) = rounds {
            self.reopen_loop(scope, items);
        }
    }

    /// The items of a loop that is only opened again: its rounds stay what they are.
    fn rounds_that_stay(&self, scope: &Address, reach: Reach) -> Option<Arc<Vec<Stored>>> {
        let record = self.records.get(scope).filter(|_| reach == Reach::Own)?;
        record.items.clone()
    }

    /// A loop goes on with the items it had, and its rounds see what they captured.
    fn reopen_loop(&mut self, at: &Address, items: Arc<Vec<Stored>>) {
        let first = at.below("do[");
        let inside = range_within(&self.records, at);
        let mut ended: Vec<_> = inside
            .filter(|(address, _)| address.as_str().starts_with(first.as_str()))
            .filter(|(_, record)| record.result.is_some())
            .collect();
        ended.sort_by_key(|(_, record)| record.finished_seq);
        self.names.forget_rounds(at);
        for (address, record) in ended {
            if let Some(result) = &record.result {
                self.names.record(address, record.id.as_deref(), result, record.finished_seq);
            }
        }
        self.records.entry(at.clone()).or_default().items = Some(items);
    }

    /// The items that a rewind of `scope` covers and that have ended.
    pub(super) fn ended_items(&self, scope: &Address, reach: Reach) -> Vec<u32> {
        let whole = reach == Reach::Subtree && (scope.is_root() || scope.as_str() == "map");
        let ended = self.items.results().map(|(item, ..)| item);
        match item_number(scope) {
            Some(item) => ended.filter(|it| *it == item).collect(),
            None if whole => ended.collect(),
            None => Vec::new(),
        }
    }

    /// The items that a rewind of `scope` covers have not ended any more.
    fn forget_items(&mut self, scope: &Address, reach: Reach) {
        let whole = reach == Reach::Subtree;
        if whole && (scope.is_root() || scope.as_str() == "setup") {
            self.frozen = false;
        }
        match item_number(scope) {
            Some(item) => self.items.forget(item),
            None if whole && (scope.is_root() || scope.as_str() == "map") => {
                self.items = Items::default();
            }
            None => {}
        }
    }

    /// Back before the items were read again, or had to be: those of then may be others, of which
    /// nothing is known any more. Results that still stand `now` are of items that are the same.
    pub(super) fn read_items_again(&mut self, now: &Items) {
        let map = map_address();
        let then = std::mem::take(&mut self.items);
        for (item, status, result) in then.results() {
            if now.standing(item) == ItemStanding::Ended(status, result) {
                self.items.end(item, status, result);
            }
        }
        self.frozen = false;
        self.forget_inside(&map);
        self.scopes.remove(&map);
    }

    /// What is inside an item is not looked into once it ended: a finished item costs a few bytes.
    pub(super) fn forget_inside(&mut self, scope: &Address) {
        retain_within(&mut self.records, scope, |_| false);
        retain_within(&mut self.errors, scope, |_| false);
        retain_within(&mut self.scores, scope, |_| false);
        retain_within(&mut self.handlers, scope, |_| false);
        retain_within(&mut self.confirmed, scope, |_| false);
        self.names.forget_round(scope);
        if self.latest.as_ref().is_some_and(|latest| latest.is_within(scope)) {
            self.latest = None;
        }
    }

    /// Gives finished steps the addresses they have in an edited workflow; what is not kept goes.
    pub(super) fn rename(&mut self, kept: &[(Address, Address)]) {
        let mut renamed = Standing {
            names: std::mem::take(&mut self.names),
            items: std::mem::take(&mut self.items),
            frozen: self.frozen,
            ..Standing::default()
        };
        for (old, new) in kept {
            move_subtree(&mut self.records, &mut renamed.records, old, new);
            move_subtree(&mut self.scopes, &mut renamed.scopes, old, new);
            move_subtree(&mut self.errors, &mut renamed.errors, old, new);
            move_subtree(&mut self.scores, &mut renamed.scores, old, new);
            move_subtree(&mut self.handlers, &mut renamed.handlers, old, new);
            move_subtree(&mut self.confirmed, &mut renamed.confirmed, old, new);
        }
        renamed.names.rename(kept);
        *self = renamed;
    }
}

/// True when a rewind forgets what is recorded at `address`.
#[must_use]
pub fn covers(scope: &Address, from: Option<usize>, reach: Reach, address: &Address) -> bool {
    if !address.is_within(scope) {
        return false;
    }
    if let Some(from) = from {
        return match address.index_in(scope) {
            Some(index) => index >= from,
            // Stages, handlers and the like of the scope itself go with it.
            None => address == scope || !scope.is_root(),
        };
    }
    match reach {
        Reach::Subtree => true,
        Reach::Own => {
            let rest = address.as_str().get(scope.as_str().len()..).unwrap_or_default();
            let inside = if scope.is_root() {
                !rest.is_empty() && !rest.starts_with("on_failure[")
            } else {
                rest.starts_with(".do[") || rest.starts_with('/')
            };
            !inside
        }
    }
}

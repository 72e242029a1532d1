//! Which file holds what an attempt printed. An accepted edit of the workflow gives steps other
//! addresses; their logs stay where they are, and no later attempt writes into them.

use std::collections::BTreeMap;

use super::address::Address;

/// The name of the log of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogName {
    /// Where the step stood when it ran.
    pub address: Address,
    /// How many edits that moved steps had been accepted by then.
    pub edit: u32,
    /// The attempt.
    pub attempt: u32,
}

impl LogName {
    /// `<address>.<attempt>.log`, after the Nth such edit `<address>.eN.<attempt>.log`; no two
    /// attempts of a session share it.
    #[must_use]
    pub fn file_name(&self) -> String {
        let address = self.address.file_name();
        match self.edit {
            0 => format!("{address}.{}.log", self.attempt),
            edit => format!("{address}.e{edit}.{}.log", self.attempt),
        }
    }
}

/// Where the steps stood whose attempts were made before the latest edit.
#[derive(Debug, Clone, Default)]
pub(super) struct LogNames {
    edit: u32,
    before: BTreeMap<Address, Vec<Span>>,
}

/// Attempts of one step that were logged under one address.
#[derive(Debug, Clone)]
struct Span {
    last_attempt: u32,
    address: Address,
    edit: u32,
}

impl LogNames {
    /// The log of an attempt of the step that stands at `address` now.
    pub(super) fn of(&self, address: &Address, attempt: u32) -> LogName {
        let mut spans = self.before.get(address).into_iter().flatten();
        match spans.find(|span| attempt <= span.last_attempt) {
            Some(span) => LogName { address: span.address.clone(), edit: span.edit, attempt },
            None => LogName { address: address.clone(), edit: self.edit, attempt },
        }
    }

    /// An edit was accepted: `attempts` are those of the steps as they stood before, `moved` tells
    /// where a step stands now, if it is still there.
    pub(super) fn edited(
        &mut self,
        attempts: &BTreeMap<Address, u32>,
        moved: impl Fn(&Address) -> Option<Address>,
    ) {
        if attempts.keys().all(|address| moved(address).as_ref() == Some(address)) {
            return;
        }
        let mut before = BTreeMap::new();
        for (address, &last_attempt) in attempts {
            let Some(now) = moved(address) else { continue };
            let mut spans = self.before.remove(address).unwrap_or_default();
            if spans.last().is_none_or(|span| span.last_attempt < last_attempt) {
                spans.push(Span { last_attempt, address: address.clone(), edit: self.edit });
            }
            before.insert(now, spans);
        }
        self.before = before;
        self.edit += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    #[test]
    fn logs_follow_their_step_and_are_never_shared() {
        let mut names = LogNames::default();
        let attempts = BTreeMap::from([(at("1"), 1), (at("2"), 3)]);
        assert_eq!(names.of(&at("2"), 3).file_name(), "2.3.log");
        let same = |address: &Address| Some(address.clone());
        names.edited(&attempts, same);
        assert_eq!(names.of(&at("2"), 4).file_name(), "2.4.log");
        // A step is put before the second.
        names
            .edited(&attempts, |old| Some(if old.as_str() == "2" { at("3") } else { old.clone() }));
        assert_eq!(names.of(&at("3"), 3).file_name(), "2.3.log");
        assert_eq!(names.of(&at("3"), 4).file_name(), "3.e1.4.log");
        assert_eq!(names.of(&at("2"), 1).file_name(), "2.e1.1.log");
        assert_eq!(names.of(&at("1"), 1).file_name(), "1.1.log");
        // The first is removed; the others go back.
        let attempts = BTreeMap::from([(at("1"), 1), (at("2"), 1), (at("3"), 4)]);
        names.edited(&attempts, |old| match old.as_str() {
            "1" => None,
            "2" => Some(at("1")),
            _ => Some(at("2")),
        });
        assert_eq!(names.of(&at("2"), 2).file_name(), "2.2.log");
        assert_eq!(names.of(&at("2"), 4).file_name(), "3.e1.4.log");
        assert_eq!(names.of(&at("2"), 5).file_name(), "2.e2.5.log");
        assert_eq!(names.of(&at("1"), 1).file_name(), "2.e1.1.log");
    }
}

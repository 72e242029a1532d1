//! Results that are older than what they were built on: a step before them ran again, and they
//! did not (DECISIONS A49).

use std::collections::BTreeMap;

use super::order::order;
use crate::session::{Address, RewindCause, SessionState, StepStatus, map_address};

/// The top-level steps whose results are older than a step before them, with that step.
#[must_use]
pub fn outdated(state: &SessionState) -> BTreeMap<Address, Address> {
    let mut ended: Vec<(Address, u64)> = state
        .standing
        .records()
        .filter(|(address, record)| {
            // What serves other steps is started anew by every resume.
            let serves = state.lifetime.rewinds(address, RewindCause::Always) > 0;
            let ran = record.result.as_ref().is_some_and(|it| it.status != StepStatus::Skipped);
            address.is_top_level() && ran && !serves
        })
        .map(|(address, record)| (address.clone(), record.finished_seq))
        .collect();
    let map = map_address();
    let of_map = state.lifetime.versions.iter().rev().find(|version| version.address == map);
    // It ends anew, too, where none of its items ran again.
    let last_item = Some(state.lifetime.last_item_seq).filter(|seq| *seq > 0);
    ended.extend(of_map.map(|version| (map, last_item.unwrap_or(version.seq))));
    ended.sort_by_cached_key(|(address, _)| order(address, state));
    let mut older = BTreeMap::new();
    let mut latest: Option<(Address, u64)> = None;
    for (address, seq) in ended {
        match &latest {
            Some((by, at)) if *at > seq => {
                older.insert(address, by.clone());
            }
            _ => latest = Some((address, seq)),
        }
    }
    older
}

#[cfg(test)]
mod tests {
    use super::super::story::{Story, address};
    use super::*;
    use crate::session::{Reach, rewound};

    #[test]
    fn what_ran_before_a_step_that_ran_again_is_older() {
        let mut story = Story::new("flow", 3, &[]);
        story.done("1", "a").done("2", "b").done("10", "c");
        assert_eq!(outdated(&story.state), BTreeMap::new());
        let again = |cause| rewound(&address("2"), Reach::Subtree, cause);
        story.add(again(RewindCause::FromStep)).done("2", "b");
        assert_eq!(outdated(&story.state), BTreeMap::from([(address("10"), address("2"))]));
        story.add(again(RewindCause::Always)).done("2", "b");
        assert_eq!(outdated(&story.state), BTreeMap::new());
    }
}

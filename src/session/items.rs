//! The items of a map as the fold keeps them: a few bytes each, however many there are
//! (SPEC 7.4, DECISIONS A18).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::address::Address;
use super::outcome::Failure;
use super::stored::Stored;

/// Where the result of an item stands in the job's `results.jsonl`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ResultRef {
    /// First byte of its line.
    #[serde(rename = "at")]
    pub offset: u64,
    /// Bytes of the line, without its end.
    #[serde(rename = "len")]
    pub length: u32,
    /// CRC-32 of those bytes.
    pub crc: u32,
}

impl ResultRef {
    /// Stands where there is none: the result is short, or a person passed over the item.
    pub const NONE: Self = Self { offset: 0, length: 0, crc: 0 };

    pub(super) fn is_none(&self) -> bool {
        *self == Self::NONE
    }
}

/// Where the result of an item that ended is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResultPlace {
    /// There is none: a person passed over the item.
    Nowhere,
    /// In the record with this number, the one of its end.
    Record(u64),
    /// In the job's `results.jsonl`.
    File(ResultRef),
}

/// How an item ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemStatus {
    /// Its steps all ended so that it goes on.
    #[default]
    Success,
    /// It failed for good.
    Failed,
    /// It failed, and the policy passes over it (`on_item_failure: skip`).
    Skipped,
}

impl ItemStatus {
    pub(super) fn is_success(&self) -> bool {
        *self == Self::Success
    }

    /// The word that results have for it.
    #[must_use]
    pub fn in_results(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failed | Self::Skipped => "failed",
        }
    }
}

/// What the policy says about the failure of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disposition {
    /// It waits in the dead letter queue.
    Dlq,
    /// It runs again.
    Retry,
    /// It is passed over.
    Skip,
    /// The whole map stops.
    Stop,
}

/// One failure of an item: what the dead letter queue tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ItemFailure {
    /// The step that failed.
    pub step: Address,
    /// Which run of the item, from 1.
    pub run: u32,
    /// Why.
    pub failure: Failure,
    /// Its exit code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// The end of what it printed.
    #[serde(default)]
    pub output: Stored,
    /// Attempt of the failed step, which names its log.
    pub attempt: u32,
    /// Dollars that the run spent on agents, as far as known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// How long the run took, in milliseconds.
    #[serde(default)]
    pub duration_ms: u64,
    /// The agent's session of the failed step, which names the agent's own log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_session: Option<String>,
    /// What follows.
    pub disposition: Disposition,
}

/// An item that failed for good, with everything that ever happened to it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DeadItem {
    /// Its failures in order, over all runs.
    pub history: Vec<(DateTime<Utc>, ItemFailure)>,
    /// False once it was queued again, succeeded, or was cleared.
    pub waits: bool,
}

/// How an item stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ItemStanding {
    /// It has not ended.
    #[default]
    Pending,
    /// It ended.
    Ended(ItemStatus, ResultPlace),
}

/// All items of the job.
#[derive(Debug, Clone, Default)]
pub struct Items {
    /// By number; index 0 is `item_1`.
    standing: Vec<ItemStanding>,
    successful: u32,
    failed: u32,
    skipped: u32,
}

impl Items {
    /// How the item with this number (from 1) stands.
    #[must_use]
    pub fn standing(&self, item: u32) -> ItemStanding {
        let index = usize::try_from(item).ok().and_then(|item| item.checked_sub(1));
        index.and_then(|index| self.standing.get(index)).copied().unwrap_or_default()
    }

    /// Items that succeeded.
    #[must_use]
    pub fn successful(&self) -> u32 {
        self.successful
    }

    /// Items that failed for good.
    #[must_use]
    pub fn failed(&self) -> u32 {
        self.failed
    }

    /// Items that failed and are passed over.
    #[must_use]
    pub fn skipped(&self) -> u32 {
        self.skipped
    }

    /// Items that ended.
    #[must_use]
    pub fn ended(&self) -> u32 {
        self.successful + self.failed + self.skipped
    }

    /// The items that ended, in input order, with where their results are.
    pub fn results(&self) -> impl Iterator<Item = (u32, ItemStatus, ResultPlace)> {
        (1..).zip(&self.standing).filter_map(|(item, standing)| match standing {
            ItemStanding::Ended(status, result) => Some((item, *status, *result)),
            ItemStanding::Pending => None,
        })
    }

    pub(super) fn end(&mut self, item: u32, status: ItemStatus, result: ResultPlace) {
        self.forget(item);
        let Some(index) = usize::try_from(item).ok().and_then(|item| item.checked_sub(1)) else {
            return;
        };
        if self.standing.len() <= index {
            self.standing.resize(index + 1, ItemStanding::Pending);
        }
        self.standing[index] = ItemStanding::Ended(status, result);
        *self.count(status) += 1;
    }

    pub(super) fn forget(&mut self, item: u32) {
        let index = usize::try_from(item).ok().and_then(|item| item.checked_sub(1));
        let Some(standing) = index.and_then(|index| self.standing.get_mut(index)) else { return };
        if let ItemStanding::Ended(status, _) = std::mem::take(standing) {
            *self.count(status) -= 1;
        }
    }

    fn count(&mut self, status: ItemStatus) -> &mut u32 {
        match status {
            ItemStatus::Success => &mut self.successful,
            ItemStatus::Failed => &mut self.failed,
            ItemStatus::Skipped => &mut self.skipped,
        }
    }
}

/// The number of the item that `address` is or lies in.
#[must_use]
pub fn item_number(address: &Address) -> Option<u32> {
    let rest = address.as_str().strip_prefix("map/item_")?;
    let end = rest.find(['/', '.']).unwrap_or(rest.len());
    rest.get(..end)?.parse().ok()
}

/// The scope of the map.
#[must_use]
pub fn map_address() -> Address {
    Address::root().join("map")
}

/// The scope of the item with this number.
#[must_use]
pub fn item_address(item: u32) -> Address {
    Address::root().join("map").join(&format!("item_{item}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: ResultPlace = ResultPlace::Record(9);

    #[test]
    fn items_are_counted_once_however_often_they_end() {
        let mut items = Items::default();
        items.end(3, ItemStatus::Failed, AT);
        items.end(1, ItemStatus::Success, AT);
        items.end(3, ItemStatus::Success, AT);
        assert_eq!((items.successful(), items.failed(), items.ended()), (2, 0, 2));
        let numbers: Vec<u32> = items.results().map(|(item, _, _)| item).collect();
        assert_eq!(numbers, [1, 3]);
        items.forget(3);
        items.forget(7);
        assert_eq!(items.ended(), 1);
        assert_eq!(items.standing(3), ItemStanding::Pending);
    }

    #[test]
    fn the_record_of_an_end_holds_the_result_or_says_where_it_is() {
        for (record, place) in [
            (r#"{"item":1,"value":{"output":"a"}}"#, ResultPlace::Record(5)),
            (r#"{"item":1}"#, ResultPlace::Nowhere),
            // As older journals have them.
            (r#"{"item":1,"result":{"at":0,"len":0,"crc":0}}"#, ResultPlace::Nowhere),
            (
                r#"{"item":1,"result":{"at":7,"len":2,"crc":3}}"#,
                ResultPlace::File(ResultRef { offset: 7, length: 2, crc: 3 }),
            ),
        ] {
            let event = format!(
                r#"{{"seq":5,"at":"2026-01-31T12:00:00Z","event":{{"item_finished":{record}}}}}"#
            );
            let mut state = crate::session::SessionState::default();
            state.apply(&serde_json::from_str(&event).unwrap());
            let ended = ItemStanding::Ended(ItemStatus::Success, place);
            assert_eq!(state.standing.items.standing(1), ended, "{record}");
        }
    }

    #[test]
    fn numbers_and_addresses_fit() {
        assert_eq!(item_number(&item_address(17).step(2).below("on_success")), Some(17));
        assert_eq!(item_number(&Address::root().join("map")), None);
    }
}

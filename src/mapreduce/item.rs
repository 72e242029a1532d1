//! One work item: its id, its frozen value, and the hash that tells whether it is still the same.

use std::fmt;
use std::num::NonZeroU32;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::expr::Value;
use crate::session::{Address, Digest, Secrets, Stored};

/// `item_<n>`: the n-th item of the input, counted from 1 before filter and sort.
///
/// So the id of an item does not depend on the selection, and for input that is read line
/// by line it is the number of the line (blank ones not counted).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemId(NonZeroU32);

impl ItemId {
    /// The id of the item at `position` of the input, counted from 0; `None` beyond four
    /// billion items.
    #[must_use]
    pub fn at_position(position: usize) -> Option<Self> {
        u32::try_from(position).ok()?.checked_add(1).and_then(NonZeroU32::new).map(Self)
    }

    /// Accepts exactly `item_<n>` without leading zeros: safe in an address and as a file name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("item_")?;
        let plain = !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit());
        if plain { digits.parse().ok().map(Self) } else { None }
    }

    /// The number, from 1.
    #[must_use]
    pub fn number(self) -> u32 {
        self.0.get()
    }

    /// The scope of its steps: `map/item_17`, below `root` (a pass, or the session).
    #[must_use]
    pub fn address(self, root: &Address) -> Address {
        root.join("map").join(&self.to_string())
    }

    /// The item that `address` is, or lies in.
    #[must_use]
    pub fn of_address(address: &Address) -> Option<Self> {
        let mut parts = address.as_str().split('/');
        parts.by_ref().find(|part| *part == "map")?;
        Self::parse(parts.next()?.split('.').next()?)
    }
}

impl fmt::Display for ItemId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "item_{}", self.0)
    }
}

impl Serialize for ItemId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ItemId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            serde::de::Error::custom(format!("{text:?} is no item id; they look like item_17"))
        })
    }
}

/// A selected work item.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Its id.
    pub id: ItemId,
    /// What the input holds for it.
    pub value: Value,
}

/// A work item as one line of `items.jsonl` holds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FrozenItem {
    /// Its id.
    pub item_id: ItemId,
    /// The value, byte for byte, with references in the place of secrets.
    pub item: Stored,
}

impl Item {
    /// The hash of its value. Key order, the way a number is written and whether a text is
    /// UTF-8 all count: an item is the same only when a step could not tell the difference.
    #[must_use]
    pub fn hash(&self) -> Digest {
        let value = Stored::seal(&self.value, &Secrets::default());
        Digest::of(&serde_json::to_vec(&value).unwrap_or_default())
    }

    /// The item as it is frozen.
    #[must_use]
    pub fn freeze(&self, secrets: &Secrets) -> FrozenItem {
        FrozenItem { item_id: self.id, item: Stored::seal(&self.value, secrets) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(value: impl Into<Value>) -> Item {
        Item { id: ItemId::at_position(16).unwrap(), value: value.into() }
    }

    fn json(text: &str) -> Value {
        serde_json::from_str::<serde_json::Value>(text).unwrap().into()
    }

    #[test]
    fn ids_count_from_one_and_read_back() {
        let id = ItemId::at_position(16).unwrap();
        assert_eq!(id.to_string(), "item_17");
        assert_eq!(ItemId::parse("item_17"), Some(id));
        assert_eq!(id.number(), 17);
        assert_eq!(ItemId::at_position(usize::MAX), None);
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in [
            "item_",
            "item_0",
            "item_007",
            "item_-1",
            "item_+1",
            "item_1/..",
            "Item_1",
            "1",
            "",
            "item_99999999999",
        ] {
            assert_eq!(ItemId::parse(text), None, "{text:?}");
        }
        let error = serde_json::from_str::<ItemId>("\"item_x\"").unwrap_err();
        assert!(error.to_string().contains("item_17"), "{error}");
    }

    #[test]
    fn an_address_names_its_item() {
        let id = ItemId::at_position(16).unwrap();
        let address = id.address(&Address::root());
        assert_eq!(address.as_str(), "map/item_17");
        assert_eq!(ItemId::of_address(&address), Some(id));
        assert_eq!(ItemId::of_address(&address.step(2).below_numbered("do", 3)), Some(id));
        let pass = Address::root().join("pass[2]");
        assert_eq!(ItemId::of_address(&id.address(&pass).step(1)), Some(id));
        assert_eq!(ItemId::of_address(&Address::root().join("setup").step(1)), None);
    }

    #[test]
    fn every_difference_that_a_step_could_see_changes_the_hash() {
        let values = [
            json("1"),
            json("1.0"),
            json("\"1\""),
            json(r#"{"a":1,"b":2}"#),
            json(r#"{"b":2,"a":1}"#),
            Value::Bytes(vec![255]),
            Value::from("\u{fffd}"),
            Value::Null,
        ];
        let hashes: std::collections::BTreeSet<_> =
            values.iter().map(|value| item(value.clone()).hash()).collect();
        assert_eq!(hashes.len(), values.len());
        assert_eq!(item(json(r#"{"a": 1}"#)).hash(), item(json(r#"{"a":1}"#)).hash());
    }

    #[test]
    fn a_frozen_item_opens_to_the_same_bytes() {
        let secrets = Secrets::new(vec![("TOKEN".to_owned(), "s3cret-value".to_owned())]);
        for value in
            [Value::Bytes(vec![0, 255]), json(r#"{"$x":[1.10,null]}"#), "s3cret-value".into()]
        {
            let frozen = item(value.clone()).freeze(&secrets);
            let line = serde_json::to_string(&frozen).unwrap();
            assert!(!line.contains("s3cret-value"), "{line}");
            let back: FrozenItem = serde_json::from_str(&line).unwrap();
            assert_eq!(back, frozen);
            assert_eq!(back.item.open(&secrets).unwrap(), value);
        }
    }
}

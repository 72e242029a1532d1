//! The result of an item that is short enough to stand in the record of the item's end: one write
//! and one sync for both.

use serde::ser::Serializer;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value as Json};

use super::items::ItemStatus;
use super::stored::Stored;

/// Longer ones would make the journal slow to read.
const LONGEST: usize = 512;
/// Deeper ones could not be read again inside of a record.
const DEEPEST: usize = 64;

/// A short result, as text until someone wants it: what the record tells anyway, and what is as
/// in most results, is left out.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ShortResult(Box<RawValue>);

impl PartialEq for ShortResult {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get()
    }
}

impl ShortResult {
    /// The short form of a result; none where it is not short.
    #[must_use]
    pub fn of(result: &Stored) -> Option<Self> {
        let text = to_raw_value(&Telling(result.entries()?)).ok()?;
        let brackets = text.get().bytes().filter(|byte| matches!(byte, b'{' | b'[')).count();
        (text.get().len() <= LONGEST && brackets <= DEEPEST).then_some(Self(text))
    }

    /// The whole result of the item with this number that ended so; null where this is none.
    #[must_use]
    pub fn whole(&self, item: u32, status: ItemStatus) -> Stored {
        let Ok(told) = serde_json::from_str::<Map<String, Json>>(self.0.get()) else {
            return Stored::default();
        };
        let mut whole = Map::new();
        whole.insert("item_id".to_owned(), format!("item_{item}").into());
        whole.insert("status".to_owned(), status.in_results().into());
        whole.insert("output".to_owned(), Json::Null);
        whole.insert("variables".to_owned(), Map::new().into());
        whole.insert("duration".to_owned(), Json::Null);
        whole.insert("attempts".to_owned(), 1.into());
        whole.extend(told);
        Stored::from(whole)
    }
}

/// The entries of a result without those that [`ShortResult::whole`] puts back.
struct Telling<'a>(&'a Map<String, Json>);

impl Serialize for Telling<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().filter(|(name, value)| match name.as_str() {
            "item_id" | "status" => false,
            "variables" => value.as_object().is_none_or(|variables| !variables.is_empty()),
            "attempts" => value.as_u64() != Some(1),
            _ => true,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(output: &str, variables: &str, attempts: u32) -> Stored {
        serde_json::from_str(&format!(
            r#"{{"item_id":"item_7","status":"success","output":{output},"variables":{variables},"duration":0.001,"attempts":{attempts}}}"#
        ))
        .unwrap()
    }

    #[test]
    fn a_short_result_comes_back_whole_and_in_order() {
        for (output, variables, attempts, text) in [
            ("\"\"", "{}", 1, r#"{"output":"","duration":0.001}"#),
            (
                r#"{"$bytes":"/wA="}"#,
                r#"{"a":1.50}"#,
                3,
                r#"{"output":{"$bytes":"/wA="},"variables":{"a":1.50},"duration":0.001,"attempts":3}"#,
            ),
        ] {
            let result = result(output, variables, attempts);
            let short = ShortResult::of(&result).unwrap();
            assert_eq!(serde_json::to_string(&short).unwrap(), text);
            let read: ShortResult = serde_json::from_str(text).unwrap();
            let whole = read.whole(7, ItemStatus::Success);
            assert_eq!(
                serde_json::to_string(&whole).unwrap(),
                serde_json::to_string(&result).unwrap()
            );
        }
    }

    #[test]
    fn long_and_deep_ones_are_not_short() {
        let long = format!("\"{}\"", "x".repeat(LONGEST));
        assert!(ShortResult::of(&result(&long, "{}", 1)).is_none());
        let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
        assert!(ShortResult::of(&result("null", &format!("{{\"a\":{deep}}}"), 1)).is_none());
        assert!(ShortResult::of(&Stored::plain("text")).is_none());
    }
}

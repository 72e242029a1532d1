//! The keys of `sort_by`: `item.score DESC NULLS LAST, name` (DECISIONS B33).

use std::cmp::Ordering;

use super::{
    EvalError, Place, Scope, SyntaxError, Use, Value, comparison::rank, cursor::Cursor,
    evaluation::Evaluation, expression::uses_of, parser, tree::Node, written::written,
};

/// A list of sort keys, read once.
#[derive(Debug, Clone, PartialEq)]
pub struct SortKeys {
    source: String,
    place: Place,
    keys: Vec<Key>,
}

#[derive(Debug, Clone, PartialEq)]
struct Key {
    node: Node,
    direction: Direction,
    nulls: Nulls,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Ascending,
    Descending,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nulls {
    First,
    Last,
}

written!(SortKeys);

impl SortKeys {
    /// Reads `expr [ASC|DESC] [NULLS FIRST|LAST], …`; ascending with nulls last unless written.
    ///
    /// # Errors
    /// Points at the first place that does not fit.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        let mut cursor = Cursor::new(text, 0);
        let mut keys = Vec::new();
        loop {
            keys.push(key(&mut cursor)?);
            cursor.skip_space();
            if cursor.peek().is_none() {
                return Ok(Self { source: text.to_owned(), place: Place::default(), keys });
            }
            if !cursor.take(",") {
                return Err(parser::unexpected(&cursor)
                    .with_help("a key is `expression [ASC|DESC] [NULLS FIRST|NULLS LAST]`"));
            }
        }
    }

    /// The names it uses.
    #[must_use]
    pub fn uses(&self) -> Vec<Use> {
        self.keys.iter().flat_map(|key| uses_of(&key.node)).collect()
    }

    /// The values of the keys for one item, to be given to [`Self::compare`].
    ///
    /// # Errors
    /// As [`super::Expression::evaluate`].
    pub fn evaluate(&self, scope: &dyn Scope) -> Result<Vec<Value>, EvalError> {
        self.keys.iter().map(|key| Evaluation::new(scope).node(&key.node)).collect()
    }

    /// How two items compare by their key values. Values of different kinds have a fixed order.
    #[must_use]
    pub fn compare(&self, left: &[Value], right: &[Value]) -> Ordering {
        self.keys
            .iter()
            .zip(left.iter().zip(right))
            .map(|(key, (left, right))| key.compare(left, right))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

impl Key {
    fn compare(&self, left: &Value, right: &Value) -> Ordering {
        let nulls_first = match (left, right) {
            (Value::Null, Value::Null) => return Ordering::Equal,
            (Value::Null, _) => Ordering::Less,
            (_, Value::Null) => Ordering::Greater,
            _ if self.direction == Direction::Descending => return rank(left, right).reverse(),
            _ => return rank(left, right),
        };
        if self.nulls == Nulls::First { nulls_first } else { nulls_first.reverse() }
    }
}

fn key(cursor: &mut Cursor<'_>) -> Result<Key, SyntaxError> {
    let node = parser::expression(cursor)?;
    let mut word = |wanted: &[&str]| {
        let before = cursor.at();
        cursor.skip_space();
        let found = cursor.word().map(str::to_ascii_uppercase);
        let found = found.filter(|word| wanted.contains(&word.as_str()));
        if found.is_none() {
            cursor.go_to(before);
        }
        found
    };
    let direction = match word(&["ASC", "DESC"]).as_deref() {
        Some("DESC") => Direction::Descending,
        _ => Direction::Ascending,
    };
    let nulls = match word(&["NULLS"]) {
        None => Nulls::Last,
        Some(_) => match word(&["FIRST", "LAST"]).as_deref() {
            Some("FIRST") => Nulls::First,
            Some(_) => Nulls::Last,
            None => {
                cursor.skip_space();
                return Err(cursor.error("`FIRST` or `LAST` is missing after `NULLS`"));
            }
        },
    };
    Ok(Key { node, direction, nulls })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expr::sample::Sample;

    fn sorted(keys: &str, items: &[&str]) -> Vec<String> {
        let keys = SortKeys::parse(keys).expect("sort keys");
        let mut rows: Vec<(Vec<Value>, &str)> = items
            .iter()
            .map(|item| {
                let scope = Sample::default().with_json("item", item);
                (keys.evaluate(&scope).expect("key values"), *item)
            })
            .collect();
        rows.sort_by(|left, right| keys.compare(&left.0, &right.0));
        rows.into_iter().map(|(_, item)| item.to_owned()).collect()
    }

    #[test]
    fn keys_have_direction_and_a_place_for_nulls() {
        let items = [r#"{"n":2}"#, r"{}", r#"{"n":10}"#];
        assert_eq!(sorted("item.n", &items), [r#"{"n":2}"#, r#"{"n":10}"#, "{}"]);
        assert_eq!(sorted("item.n DESC", &items), [r#"{"n":10}"#, r#"{"n":2}"#, "{}"]);
        assert_eq!(sorted("item.n desc nulls first", &items)[0], "{}");
        assert_eq!(sorted("item.n ASC NULLS FIRST", &items)[0], "{}");
    }

    #[test]
    fn later_keys_break_ties() {
        let items = [r#"{"a":1,"b":"y"}"#, r#"{"a":1,"b":"x"}"#, r#"{"a":0,"b":"z"}"#];
        assert_eq!(
            sorted("item.a DESC, item.b", &items),
            [r#"{"a":1,"b":"x"}"#, r#"{"a":1,"b":"y"}"#, r#"{"a":0,"b":"z"}"#]
        );
    }

    #[test]
    fn anything_else_is_an_error() {
        for (text, at) in [("item.a DOWN", 7), ("item.a,", 7), ("item.a NULLS", 12), ("", 0)] {
            assert_eq!(SortKeys::parse(text).expect_err(text).span.start, at, "{text}");
        }
    }
}

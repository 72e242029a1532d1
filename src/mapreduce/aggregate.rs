//! `map.variables`: one value out of many (SPEC 3.4).
//!
//! Values are given in input order, so that an aggregate is the same after any number of resumes.
//!
//! | function | result | nothing to work on |
//! |---|---|---|
//! | `count` | how many values are not null | 0 |
//! | `sum` | exact: integers stay integers, 0.1 + 0.2 is 0.3, 1.10 + 2 is 3.10 | 0 |
//! | `average`, `median` | exact where it can be: of 1 and 2 it is 1.5, of 1 and 3 it is 2 | null |
//! | `variance`, `stddev` | of the items as the whole population (divided by n) | null |
//! | `min`, `max` | the value as it was written, in the order of `sort_by` | null |
//! | `collect` | the list of all values, null where there is none | `[]` |
//! | `unique` | the list without repetitions, first come first; `5` and `5.0` are the same | `[]` |
//! | `sort` | the sorted list, in the order of `sort_by` | `[]` |
//! | `flatten` | one list out of lists; what is no list is an element | `[]` |
//! | `concat` | one text | the empty text |
//! | `merge` | one object; of fields with the same name mappings are merged, else the last wins | `{}` |
//! | `group_by` | an object: key → list of values, in the order in which keys come first | `{}` |
//!
//! Null (also a missing field) is passed over by all but `collect`, `group_by` (where only
//! the key counts). The functions of numbers take texts that look like numbers; every other
//! value is passed over and counted ([`Accumulator::passed_over`]), as is what `merge` gets
//! that is no object: a map of many hours does not fail because of one odd value.
//!
//! `count`, `sum`, `average`, `variance`, `stddev`, `min` and `max` keep no values.

use indexmap::IndexMap;

use super::key::Key;
use super::number::{Decimal, Quantity};
use crate::expr::{SortKeys, Value};
use crate::playbook::mapreduce::{Direction, Function};

/// An aggregate in the making.
#[derive(Debug)]
pub struct Accumulator {
    so_far: SoFar,
    order: Order,
    passed_over: u64,
}

#[derive(Debug)]
enum SoFar {
    Count(u64),
    Sum(Quantity),
    Average {
        sum: Quantity,
        count: u64,
    },
    Median(Vec<Quantity>),
    /// Welford's way: no difference of two large sums.
    Spread {
        count: u64,
        mean: f64,
        squares: f64,
        root: bool,
    },
    /// The winner so far; `true` looks for the greatest.
    Extreme(Option<Value>, bool),
    Sorted(Vec<Value>, Direction),
    Collected(Vec<Value>),
    Unique(IndexMap<Key, Value>),
    Flat(Vec<Value>),
    Text {
        bytes: Vec<u8>,
        separator: Vec<u8>,
        empty: bool,
    },
    Merged(IndexMap<String, Value>),
    Groups(IndexMap<String, Vec<Value>>),
}

/// The order of values that `sort_by` has.
#[derive(Debug)]
struct Order(Option<SortKeys>);

impl Order {
    fn of_sort_by() -> Self {
        Self(SortKeys::parse("value").ok())
    }

    fn compare(&self, left: &Value, right: &Value) -> std::cmp::Ordering {
        let keys = self.0.as_ref();
        keys.map_or(std::cmp::Ordering::Equal, |keys| {
            keys.compare(std::slice::from_ref(left), std::slice::from_ref(right))
        })
    }
}

impl Accumulator {
    /// An empty one.
    #[must_use]
    pub fn new(function: &Function) -> Self {
        let zero = Quantity::Exact(Decimal::whole(0));
        let spread = |root| SoFar::Spread { count: 0, mean: 0.0, squares: 0.0, root };
        let so_far = match function {
            Function::Count => SoFar::Count(0),
            Function::Sum => SoFar::Sum(zero),
            Function::Average => SoFar::Average { sum: zero, count: 0 },
            Function::Median => SoFar::Median(Vec::new()),
            Function::Variance => spread(false),
            Function::Stddev => spread(true),
            Function::Min => SoFar::Extreme(None, false),
            Function::Max => SoFar::Extreme(None, true),
            Function::Sort(direction) => SoFar::Sorted(Vec::new(), *direction),
            Function::Collect => SoFar::Collected(Vec::new()),
            Function::Unique => SoFar::Unique(IndexMap::new()),
            Function::Flatten => SoFar::Flat(Vec::new()),
            Function::Concat { separator } => SoFar::Text {
                bytes: Vec::new(),
                separator: separator.clone().into_bytes(),
                empty: true,
            },
            Function::Merge => SoFar::Merged(IndexMap::new()),
            Function::GroupBy => SoFar::Groups(IndexMap::new()),
        };
        Self { so_far, order: Order::of_sort_by(), passed_over: 0 }
    }

    /// One more value. For `group_by` the value is its own key.
    pub fn push(&mut self, value: Value) {
        if let SoFar::Groups(_) = self.so_far {
            let key = value.clone();
            return self.push_with_key(value, &key);
        }
        if value == Value::Null {
            if let SoFar::Collected(values) = &mut self.so_far {
                values.push(value);
            }
            return;
        }
        let taken = match &mut self.so_far {
            SoFar::Sum(_) | SoFar::Average { .. } | SoFar::Median(_) | SoFar::Spread { .. } => {
                Quantity::of(&value).map(|number| self.so_far.push_number(number)).is_some()
            }
            SoFar::Merged(fields) => match value {
                Value::Object(more) => {
                    merge(fields, more);
                    true
                }
                _ => false,
            },
            SoFar::Extreme(winner, greatest) => {
                let order = winner.as_ref().map(|winner| self.order.compare(&value, winner));
                if order.is_none_or(|order| if *greatest { order.is_gt() } else { order.is_lt() }) {
                    *winner = Some(value);
                }
                true
            }
            other => {
                other.push_any(value);
                true
            }
        };
        self.passed_over += u64::from(!taken);
    }

    /// One more value of the group `key` (as text); without a key it is passed over. For
    /// every other function the key plays no role.
    pub fn push_with_key(&mut self, value: Value, key: &Value) {
        match &mut self.so_far {
            SoFar::Groups(_) if *key == Value::Null => self.passed_over += 1,
            SoFar::Groups(groups) => groups.entry(key.to_text()).or_default().push(value),
            _ => self.push(value),
        }
    }

    /// How many values could not be used (null is not counted, but for keys of groups).
    #[must_use]
    pub fn passed_over(&self) -> u64 {
        self.passed_over
    }

    /// The aggregate.
    #[must_use]
    pub fn finish(self) -> Value {
        match self.so_far {
            SoFar::Count(count) => count.into(),
            SoFar::Sum(sum) => sum.to_value(),
            SoFar::Average { count: 0, .. } => Value::Null,
            SoFar::Average { sum, count } => sum.divided_by(count).to_value(),
            SoFar::Median(numbers) => median(numbers),
            SoFar::Spread { count: 0, .. } => Value::Null,
            SoFar::Spread { count, squares, root, .. } => {
                #[expect(clippy::cast_precision_loss, reason = "exact for any number of items")]
                let variance = squares / count as f64;
                Quantity::Float(if root { variance.sqrt() } else { variance }).to_value()
            }
            SoFar::Extreme(winner, _) => winner.unwrap_or_default(),
            SoFar::Sorted(mut values, direction) => {
                values.sort_by(|left, right| match direction {
                    Direction::Descending => self.order.compare(right, left),
                    Direction::Ascending => self.order.compare(left, right),
                });
                Value::Array(values)
            }
            SoFar::Collected(values) | SoFar::Flat(values) => Value::Array(values),
            SoFar::Unique(values) => Value::Array(values.into_values().collect()),
            SoFar::Text { bytes, .. } => Value::text(bytes),
            SoFar::Merged(fields) => Value::Object(fields),
            SoFar::Groups(groups) => Value::Object(
                groups.into_iter().map(|(key, values)| (key, Value::Array(values))).collect(),
            ),
        }
    }
}

impl SoFar {
    fn push_number(&mut self, number: Quantity) {
        match self {
            Self::Sum(sum) => *sum = sum.plus(number),
            Self::Average { sum, count } => {
                *sum = sum.plus(number);
                *count += 1;
            }
            Self::Median(numbers) => numbers.push(number),
            Self::Spread { count, mean, squares, .. } => {
                *count += 1;
                let distance = number.to_f64() - *mean;
                #[expect(clippy::cast_precision_loss, reason = "exact for any number of items")]
                let step = distance / *count as f64;
                *mean += step;
                *squares += distance * (number.to_f64() - *mean);
            }
            _ => {}
        }
    }

    /// A value that is not null, for the functions that take any.
    fn push_any(&mut self, value: Value) {
        match self {
            Self::Count(count) => *count += 1,
            Self::Sorted(values, _) | Self::Collected(values) => values.push(value),
            Self::Unique(values) => _ = values.entry(Key::of(&value)).or_insert(value),
            Self::Flat(values) => match value {
                Value::Array(items) => values.extend(items),
                other => values.push(other),
            },
            Self::Text { bytes, separator, empty } => {
                if !std::mem::take(empty) {
                    bytes.extend_from_slice(separator);
                }
                bytes.extend(value.to_bytes());
            }
            _ => {}
        }
    }
}

fn median(mut numbers: Vec<Quantity>) -> Value {
    numbers.sort_by(Quantity::compare);
    let upper = numbers.len() / 2;
    match (numbers.get(upper), numbers.get(upper.wrapping_sub(1))) {
        (Some(upper), Some(lower)) if numbers.len().is_multiple_of(2) => {
            lower.plus(*upper).divided_by(2).to_value()
        }
        (Some(middle), _) => middle.to_value(),
        (None, _) => Value::Null,
    }
}

/// Mappings are merged, of everything else the later one stays.
fn merge(fields: &mut IndexMap<String, Value>, more: IndexMap<String, Value>) {
    for (name, value) in more {
        match (fields.get_mut(&name), value) {
            (Some(Value::Object(inner)), Value::Object(more)) => merge(inner, more),
            (_, value) => {
                fields.insert(name, value);
            }
        }
    }
}

#[cfg(test)]
#[path = "aggregate_tests.rs"]
mod tests;

//! Which items of the input are work, and in which order (SPEC 3.4).
//!
//! The order of the steps is fixed, wherever the keys stand in the file: number the items
//! by their position in the input, then `filter`, `sort_by`, `distinct`, `offset`, `max_items`.
//! So `distinct` keeps the item that sorts first, and `offset` and `max_items` page through
//! the sorted, distinct list.

use std::collections::{BTreeSet, HashSet};

use super::item::{Item, ItemId};
use super::key::Key;
use crate::expr::{EvalError, Expression, Lookup, Origin, Path, Scope, Segment, SortKeys, Value};

/// What a workflow file says about the selection; every part may be missing.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// `filter:`: items for which it is not true are no work.
    pub filter: Option<Expression>,
    /// `sort_by:`; items that compare equal keep their order.
    pub sort_by: Option<SortKeys>,
    /// `distinct:`: of the items with the same key only the first is work. Items whose key
    /// is null are all kept: they are not known to be the same.
    pub distinct: Option<Expression>,
    /// `offset:`: so many are left out at the beginning.
    pub offset: u64,
    /// `max_items:`: at most so many.
    pub max_items: Option<u64>,
}

/// What came of a selection.
#[derive(Debug, Clone, PartialEq)]
pub struct Selected {
    /// The work, in the order in which it starts.
    pub items: Vec<Item>,
    /// How many items the input had.
    pub input: usize,
    /// How many of them `filter` left out.
    pub filtered: usize,
    /// How many `distinct` left out.
    pub duplicates: usize,
    /// Bare names that no item of the input has as a field and no one else knows: they were
    /// null for each item. Most often a misspelt field or a text without quotes: worth a warning.
    pub unknown_names: Vec<String>,
}

impl Selected {
    /// Why an input that has items leaves none to work on; none where it does.
    #[must_use]
    pub fn why_none(&self) -> Option<String> {
        if !self.items.is_empty() || self.input == 0 {
            return None;
        }
        let paged = self.input - self.filtered - self.duplicates;
        let causes = [
            (self.filtered, "`filter`"),
            (self.duplicates, "`distinct`"),
            (paged, "`offset` and `max_items`"),
        ];
        let causes = causes.iter().filter(|(items, _)| *items > 0);
        let causes: Vec<String> =
            causes.map(|(items, cause)| format!("{items} left out by {cause}")).collect();
        let items = if self.input == 1 { "item" } else { "items" };
        Some(format!("of {} {items} in the input none is left: {}", self.input, causes.join(", ")))
    }
}

/// An item that cannot be selected or left out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    /// A key could not be evaluated for an item.
    #[error("{key} of {item}: {error}")]
    Evaluation {
        /// `filter`, `sort_by` or `distinct`.
        key: &'static str,
        /// The item.
        item: ItemId,
        /// Why (secrets may be inside: mask before showing).
        error: EvalError,
    },
    /// More items than ids.
    #[error("the input has more than {} items", u32::MAX)]
    TooMany,
}

/// Selects the work of an input. `outer` knows the names outside the items: variables,
/// parameters, captures of the setup, the environment.
///
/// A bare name means a field of the item when any item of the input has a field of that
/// name at its top; then it is null for the items without it. Else it means what `outer`
/// knows by that name. So what a name means does not differ from item to item.
///
/// # Errors
/// Names the key and the item that could not be evaluated.
pub fn select(
    values: Vec<Value>,
    selection: &Selection,
    outer: &dyn Scope,
) -> Result<Selected, SelectionError> {
    let input = values.len();
    let mut items = Vec::with_capacity(input);
    for (position, value) in values.into_iter().enumerate() {
        let id = ItemId::at_position(position).ok_or(SelectionError::TooMany)?;
        items.push(Item { id, value });
    }
    let names = Names::among(&bare_names(selection), &items, outer);
    if let Some(filter) = &selection.filter {
        items = filtered_by(filter, items, &names)?;
    }
    let filtered = input - items.len();
    if let Some(keys) = &selection.sort_by {
        items = sorted_by(keys, items, &names)?;
    }
    let sorted = items.len();
    if let Some(key) = &selection.distinct {
        items = distinct_by(key, items, &names)?;
    }
    let duplicates = sorted - items.len();
    let offset = usize::try_from(selection.offset).unwrap_or(usize::MAX).min(items.len());
    items.drain(..offset);
    if let Some(limit) = selection.max_items {
        items.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    }
    Ok(Selected { items, input, filtered, duplicates, unknown_names: names.unknown })
}

fn filtered_by(
    filter: &Expression,
    items: Vec<Item>,
    names: &Names<'_>,
) -> Result<Vec<Item>, SelectionError> {
    let mut kept = Vec::with_capacity(items.len());
    for item in items {
        let keep = filter.is_true(&names.seen_from(&item));
        if keep.map_err(|error| failed("filter", &item, error))? {
            kept.push(item);
        }
    }
    Ok(kept)
}

fn sorted_by(
    keys: &SortKeys,
    items: Vec<Item>,
    names: &Names<'_>,
) -> Result<Vec<Item>, SelectionError> {
    let mut rows = Vec::with_capacity(items.len());
    for item in items {
        let row = keys.evaluate(&names.seen_from(&item));
        rows.push((row.map_err(|error| failed("sort_by", &item, error))?, item));
    }
    rows.sort_by(|(left, _), (right, _)| keys.compare(left, right));
    Ok(rows.into_iter().map(|(_, item)| item).collect())
}

fn distinct_by(
    key: &Expression,
    items: Vec<Item>,
    names: &Names<'_>,
) -> Result<Vec<Item>, SelectionError> {
    let mut seen = HashSet::new();
    let mut kept = Vec::with_capacity(items.len());
    for item in items {
        let value = key.evaluate(&names.seen_from(&item));
        let value = value.map_err(|error| failed("distinct", &item, error))?;
        if value == Value::Null || seen.insert(Key::of(&value)) {
            kept.push(item);
        }
    }
    Ok(kept)
}

fn failed(key: &'static str, item: &Item, error: EvalError) -> SelectionError {
    SelectionError::Evaluation { key, item: item.id, error }
}

/// The names that stand for the item itself and its place.
const OWN: [&str; 4] = ["item", "item_id", "item_index", "item_total"];

/// The first names of all expressions, without those of [`OWN`], and whether each may be missing.
fn bare_names(selection: &Selection) -> Vec<(String, bool)> {
    let uses = [&selection.filter, &selection.distinct]
        .into_iter()
        .flatten()
        .flat_map(Expression::uses)
        .chain(selection.sort_by.iter().flat_map(SortKeys::uses));
    uses.map(|name| (name.path.root, name.optional))
        .filter(|(root, _)| !OWN.contains(&root.as_str()))
        .collect()
}

/// Those of `names` that some item has as a field.
fn fields_among(names: &[(String, bool)], items: &[Item]) -> BTreeSet<String> {
    let mut missing: BTreeSet<&str> = names.iter().map(|(name, _)| name.as_str()).collect();
    let mut fields = BTreeSet::new();
    for item in items {
        if missing.is_empty() {
            break;
        }
        if let Value::Object(entries) = &item.value {
            missing.retain(|name| {
                let found = entries.contains_key(*name);
                if found {
                    fields.insert((*name).to_owned());
                }
                !found
            });
        }
    }
    fields
}

/// What bare names mean, the same for each item of the input.
struct Names<'a> {
    /// Those that mean fields of the item.
    fields: BTreeSet<String>,
    /// Those that no one knows.
    unknown: Vec<String>,
    outer: &'a dyn Scope,
    input: usize,
}

impl<'a> Names<'a> {
    fn among(names: &[(String, bool)], items: &[Item], outer: &'a dyn Scope) -> Self {
        let fields = fields_among(names, items);
        let mut unknown: Vec<String> = Vec::new();
        for (name, optional) in names {
            let path = Path { root: name.clone(), rest: Vec::new() };
            let told = *optional || items.is_empty() || unknown.contains(name);
            if !told && !fields.contains(name) && outer.lookup(&path) == Lookup::Unknown {
                unknown.push(name.clone());
            }
        }
        Self { fields, unknown, outer, input: items.len() }
    }

    fn seen_from<'item>(&'item self, item: &'item Item) -> ItemScope<'item> {
        ItemScope { item, names: self }
    }
}

/// What the names of an expression mean for one item.
struct ItemScope<'a> {
    item: &'a Item,
    names: &'a Names<'a>,
}

impl Scope for ItemScope<'_> {
    fn lookup(&self, path: &Path) -> Lookup {
        let own = |value| Lookup::Found { value, origin: Origin::Data, used: 0 };
        match path.root.as_str() {
            "item" => below(&self.item.value, &path.rest),
            "item_id" => own(self.item.id.to_string().into()),
            "item_index" => own(u64::from(self.item.id.number() - 1).into()),
            "item_total" => own((self.names.input as u64).into()),
            field if self.names.fields.contains(field) => match &self.item.value {
                Value::Object(entries) => match entries.get(field) {
                    Some(value) => below(value, &path.rest),
                    None => own(Value::Null),
                },
                _ => own(Value::Null),
            },
            _ => match self.names.outer.lookup(path) {
                Lookup::Unknown => own(Value::Null),
                found @ Lookup::Found { .. } => found,
            },
        }
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = OWN.iter().map(|&name| name.to_owned()).collect();
        names.extend(self.names.fields.iter().cloned());
        names.extend(self.names.outer.names());
        names
    }
}

/// Walks down by reference as far as there are fields, so that a large item is not copied
/// for a small part of it.
fn below(mut value: &Value, rest: &[Segment]) -> Lookup {
    let mut used = 0;
    while let (Value::Object(entries), Some(Segment::Field(field))) = (value, rest.get(used)) {
        used += 1;
        match entries.get(field) {
            Some(inner) => value = inner,
            None => {
                return Lookup::Found { value: Value::Null, origin: Origin::Data, used };
            }
        }
    }
    Lookup::Found { value: value.clone(), origin: Origin::Data, used }
}

#[cfg(test)]
#[path = "selection_tests.rs"]
mod tests;

//! Tests of the selection.

use indexmap::IndexMap;
use proptest::prelude::*;

use super::*;

#[derive(Default)]
struct Outer(IndexMap<String, Value>);

impl Scope for Outer {
    fn lookup(&self, path: &Path) -> Lookup {
        match self.0.get(&path.root) {
            None => Lookup::Unknown,
            Some(value) => {
                Lookup::Found { value: value.clone(), origin: Origin::Authored, used: 0 }
            }
        }
    }

    fn names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }
}

fn values(json: &str) -> Vec<Value> {
    match Value::from(serde_json::from_str::<serde_json::Value>(json).expect("JSON")) {
        Value::Array(items) => items,
        other => vec![other],
    }
}

fn filter(text: &str) -> Selection {
    Selection { filter: Some(Expression::parse(text).expect("filter")), ..Selection::default() }
}

fn numbers(json: &str, selection: &Selection) -> Vec<u32> {
    let selected = select(values(json), selection, &Outer::default()).expect("selection");
    selected.items.iter().map(|item| item.id.number()).collect()
}

const BOOKS: &str = r#"[
    {"n": "a", "score": 5, "kind": "x"},
    {"n": "b", "score": 9, "kind": "y"},
    {"n": "c", "kind": "x"},
    {"n": "d", "score": 7, "kind": "y"},
    {"n": "e", "score": 7}
]"#;

#[test]
fn everything_is_selected_unless_something_is_said() {
    assert_eq!(numbers(BOOKS, &Selection::default()), [1, 2, 3, 4, 5]);
}

#[test]
fn ids_stay_those_of_the_input() {
    assert_eq!(numbers(BOOKS, &filter("item.score >= 7")), [2, 4, 5]);
    let sorted = Selection {
        sort_by: Some(SortKeys::parse("item.score DESC").unwrap()),
        ..filter("item.score > 5")
    };
    assert_eq!(numbers(BOOKS, &sorted), [2, 4, 5], "equal ones keep their order");
}

#[test]
fn a_bare_field_means_the_item_s() {
    for (bare, full) in [
        ("score >= 7", "item.score >= 7"),
        ("score == null", "item.score == null"),
        ("!score", "!item.score"),
        ("kind == 'x' || score == 9", "item.kind == 'x' || item.score == 9"),
        ("exists(kind)", "exists(item.kind)"),
        ("nothing == null", "item.nothing == null"),
    ] {
        assert_eq!(numbers(BOOKS, &filter(bare)), numbers(BOOKS, &filter(full)), "{bare}");
    }
}

#[test]
fn names_from_outside_are_seen_and_fields_win() {
    let mut outer = Outer::default();
    outer.0.insert("least".to_owned(), Value::from(7_u64));
    outer.0.insert("score".to_owned(), Value::from(100_u64));
    let selected = select(values(BOOKS), &filter("score >= ${least}"), &outer).unwrap();
    let ids: Vec<u32> = selected.items.iter().map(|item| item.id.number()).collect();
    assert_eq!(ids, [2, 4, 5], "the item without the field is not given the variable");
    assert!(selected.unknown_names.is_empty());
}

#[test]
fn a_name_that_no_one_knows_is_null_and_told() {
    let selected =
        select(values(BOOKS), &filter("knd == x && exists(maybe)"), &Outer::default()).unwrap();
    assert!(selected.items.is_empty());
    assert_eq!(selected.unknown_names, ["knd", "x"]);
    let nothing = select(Vec::new(), &filter("knd == 'x'"), &Outer::default()).unwrap();
    assert!(nothing.unknown_names.is_empty(), "no items, no fields to know");
}

#[test]
fn texts_are_items_too() {
    let json = r#"["src/a.rs", "b.md", 7]"#;
    assert_eq!(numbers(json, &filter("ends_with(item, '.rs')")), [1]);
    assert_eq!(numbers(json, &filter("item == 7")), [3]);
    assert_eq!(
        numbers(json, &filter("item_index > 0 && item_id != 'item_3' && item_total == 3")),
        [2]
    );
}

#[test]
fn deep_fields_and_elements_are_found() {
    let json = r#"[{"a": {"b": [1, {"c": "x"}]}}, {"a": {"b": []}}, {"a": 3}]"#;
    assert_eq!(numbers(json, &filter("a.b[1].c == 'x'")), [1]);
    assert_eq!(numbers(json, &filter("item.a.b[0] == null")), [2, 3]);
}

#[test]
fn distinct_keeps_what_sorts_first_and_all_without_a_key() {
    let selection = Selection {
        sort_by: Some(SortKeys::parse("n DESC").unwrap()),
        distinct: Some(Expression::parse("item.kind").unwrap()),
        ..Selection::default()
    };
    assert_eq!(numbers(BOOKS, &selection), [5, 4, 3]);
    let json = r#"[{}, {}, {"kind": null}, {"kind": 1}, {"kind": 1.0}, {"kind": "1"}]"#;
    let distinct =
        Selection { distinct: Some(Expression::parse("kind").unwrap()), ..Selection::default() };
    assert_eq!(numbers(json, &distinct), [1, 2, 3, 4, 6]);
    let selected = select(values(json), &distinct, &Outer::default()).unwrap();
    assert_eq!((selected.input, selected.filtered, selected.duplicates), (6, 0, 1));
}

#[test]
fn offset_and_limit_page_through_what_is_left() {
    let page = |offset, max_items| Selection { offset, max_items, ..filter("score") };
    assert_eq!(numbers(BOOKS, &page(0, None)), [1, 2, 4, 5]);
    assert_eq!(numbers(BOOKS, &page(1, Some(2))), [2, 4]);
    assert_eq!(numbers(BOOKS, &page(3, Some(9))), [5]);
    assert_eq!(numbers(BOOKS, &page(u64::MAX, Some(1))), [0; 0]);
    assert_eq!(numbers(BOOKS, &page(0, Some(0))), [0; 0]);
    assert_eq!(numbers(BOOKS, &page(0, Some(u64::MAX))), [1, 2, 4, 5]);
}

#[test]
fn what_cannot_be_evaluated_names_key_and_item() {
    let json = r#"[{"a": 1}, {"a": {"b": 1}}]"#;
    let error = select(values(json), &filter("a > 0"), &Outer::default()).unwrap_err();
    let message = error.to_string();
    assert!(message.starts_with("filter of item_2: cannot compare the object"), "{message}");
}

proptest! {
    /// A selection is the documented sequence of simple steps.
    #[test]
    fn a_selection_is_its_steps_one_after_another(
        scores in proptest::collection::vec((0_i64..6, 0_i64..4), 0..40),
        offset in 0_u64..10,
        max_items in proptest::option::of(0_u64..20),
    ) {
        let items: Vec<Value> = scores
            .iter()
            .map(|(s, k)| serde_json::json!({"s": s, "k": k}).into())
            .collect();
        let selection = Selection {
            filter: Some(Expression::parse("s > 1").unwrap()),
            sort_by: Some(SortKeys::parse("s DESC").unwrap()),
            distinct: Some(Expression::parse("k").unwrap()),
            offset,
            max_items,
        };
        let mut rows: Vec<(usize, i64, i64)> =
            scores.iter().enumerate().map(|(at, (s, k))| (at + 1, *s, *k)).collect();
        rows.retain(|row| row.1 > 1);
        rows.sort_by_key(|row| -row.1);
        let mut seen = BTreeSet::new();
        rows.retain(|row| seen.insert(row.2));
        let limit = max_items.map_or(usize::MAX, |limit| limit as usize);
        let expected: Vec<usize> =
            rows.into_iter().skip(offset as usize).take(limit).map(|row| row.0).collect();
        let selected = select(items, &selection, &Outer::default()).unwrap();
        let found: Vec<usize> =
            selected.items.iter().map(|item| item.id.number() as usize).collect();
        prop_assert_eq!(found, expected);
    }
}

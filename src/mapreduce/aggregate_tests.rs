//! Tests of the aggregates.

use proptest::prelude::*;

use super::*;

fn json(text: &str) -> Value {
    serde_json::from_str::<serde_json::Value>(text).expect("JSON").into()
}

/// The aggregate as JSON, and how many values were passed over.
fn of(function: &Function, values: &str) -> (String, u64) {
    let mut accumulator = Accumulator::new(function);
    if let Value::Array(values) = json(values) {
        values.into_iter().for_each(|value| accumulator.push(value));
    }
    let passed_over = accumulator.passed_over();
    (accumulator.finish().to_json().to_string(), passed_over)
}

fn named(name: &str, values: &str) -> String {
    of(&Function::named(name).expect(name), values).0
}

#[test]
fn every_name_has_its_function() {
    for name in Function::NAMES {
        assert!(Function::named(name).is_some(), "{name}");
    }
    assert_eq!(Function::named("Count"), None);
    assert_eq!(Function::named("total"), None);
}

#[test]
fn nothing_to_work_on_has_a_result_too() {
    let expected = [
        "0", "0", "null", "null", "null", "null", "null", "null", "[]", "[]", "\"\"", "{}", "[]",
        "[]", "{}",
    ];
    for (name, expected) in Function::NAMES.into_iter().zip(expected) {
        assert_eq!(named(name, "[]"), expected, "{name}");
        if name != "collect" {
            assert_eq!(named(name, "[null, null]"), expected, "{name} of null");
        }
    }
}

#[test]
fn numbers_stay_exact() {
    assert_eq!(named("sum", "[1, 2, 3]"), "6");
    assert_eq!(named("sum", "[0.1, 0.2]"), "0.3");
    assert_eq!(named("sum", "[9007199254740993, 1]"), "9007199254740994");
    assert_eq!(named("average", "[1, 2]"), "1.5");
    assert_eq!(named("average", "[1, 3]"), "2");
    assert_eq!(named("average", "[1, 1, 2]"), "1.3333333333333333");
    assert_eq!(named("median", "[9, 1, 5]"), "5");
    assert_eq!(named("median", "[4, 1, 2, 9]"), "3");
    assert_eq!(named("median", "[1, 2]"), "1.5");
    assert_eq!(named("median", "[\"10\", 9, 2.50]"), "9");
    assert_eq!(named("variance", "[2, 4, 4, 4, 5, 5, 7, 9]"), "4");
    assert_eq!(named("stddev", "[2, 4, 4, 4, 5, 5, 7, 9]"), "2");
    assert_eq!(named("variance", "[7]"), "0");
}

#[test]
fn texts_that_look_like_numbers_are_numbers_and_the_rest_is_passed_over() {
    let values = r#"["3", " 4.5 ", 2, null, true, "x", [1], {"a": 1}, ""]"#;
    assert_eq!(of(&Function::Sum, values), ("9.5".to_owned(), 5));
    assert_eq!(of(&Function::Average, values).0, "3.1666666666666665");
    assert_eq!(of(&Function::Median, values).0, "3");
    assert_eq!(of(&Function::Count, values), ("8".to_owned(), 0));
}

#[test]
fn the_least_and_greatest_are_as_they_were_written() {
    assert_eq!(named("min", r#"["b", "a", null]"#), r#""a""#);
    assert_eq!(named("max", r#"[1.10, "1.09", 1]"#), "1.10");
    assert_eq!(named("min", "[10, 9, 9.0]"), "9", "the first of equal ones");
    assert_eq!(named("max", "[9, 9.0]"), "9");
}

#[test]
fn lists_are_made_in_order() {
    assert_eq!(named("collect", r#"[2, null, "a"]"#), r#"[2,null,"a"]"#);
    assert_eq!(named("unique", r#"[2, 2.0, "2", null, 1, 2]"#), r#"[2,"2",1]"#);
    assert_eq!(named("flatten", r"[[1, [2]], 3, null, []]"), "[1,[2],3]");
    assert_eq!(named("sort", r#"[10, "b", 9, "a", null]"#), r#"[9,10,"a","b"]"#);
    let descending = Function::Sort(Direction::Descending);
    assert_eq!(of(&descending, "[1, 3, 2]").0, "[3,2,1]");
}

#[test]
fn texts_are_joined_byte_for_byte() {
    let comma = Function::Concat { separator: ", ".to_owned() };
    assert_eq!(of(&comma, r#"["a", null, 1.50, "", [1]]"#).0, r#""a, 1.50, , [1]""#);
    let mut accumulator = Accumulator::new(&Function::Concat { separator: String::new() });
    accumulator.push(Value::Bytes(vec![255]));
    accumulator.push(Value::from("x"));
    assert_eq!(accumulator.finish(), Value::Bytes(vec![255, b'x']));
}

#[test]
fn objects_are_merged_and_the_last_wins() {
    let values =
        r#"[{"a": 1, "b": {"x": 1, "y": [1]}}, 7, {"b": {"y": [2]}, "c": 3}, {"a": {"z": 1}}]"#;
    assert_eq!(
        of(&Function::Merge, values),
        (r#"{"a":{"z":1},"b":{"x":1,"y":[2]},"c":3}"#.to_owned(), 1)
    );
}

#[test]
fn groups_are_lists_by_key() {
    let mut accumulator = Accumulator::new(&Function::GroupBy);
    for (value, key) in [("1", "\"b\""), ("2", "\"a\""), ("3", "\"b\""), ("4", "null"), ("5", "7")]
    {
        accumulator.push_with_key(json(value), &json(key));
    }
    assert_eq!(accumulator.passed_over(), 1);
    assert_eq!(accumulator.finish().to_json().to_string(), r#"{"b":[1,3],"a":[2],"7":[5]}"#);
    assert_eq!(named("group_by", r#"["x", "y", "x"]"#), r#"{"x":["x","x"],"y":["y"]}"#);
}

proptest! {
    #[test]
    fn integers_aggregate_as_integers(numbers in proptest::collection::vec(-1_000_000_000_i64..1_000_000_000, 1..40)) {
        let list = format!("{numbers:?}");
        prop_assert_eq!(named("sum", &list), numbers.iter().sum::<i64>().to_string());
        prop_assert_eq!(named("min", &list), numbers.iter().min().unwrap().to_string());
        prop_assert_eq!(named("max", &list), numbers.iter().max().unwrap().to_string());
        prop_assert_eq!(named("count", &list), numbers.len().to_string());
        let mut sorted = numbers.clone();
        sorted.sort_unstable();
        prop_assert_eq!(named("sort", &list).replace(',', ", "), format!("{sorted:?}"));
        if numbers.len() % 2 == 1 {
            prop_assert_eq!(named("median", &list), sorted[numbers.len() / 2].to_string());
        }
    }

    #[test]
    fn the_spread_is_that_of_the_definition(numbers in proptest::collection::vec(-1e3..1e3_f64, 1..40)) {
        let list = serde_json::to_string(&numbers).unwrap();
        let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
        let expected = numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / numbers.len() as f64;
        let variance: f64 = named("variance", &list).parse().unwrap();
        let deviation: f64 = named("stddev", &list).parse().unwrap();
        prop_assert!((variance - expected).abs() <= 1e-6, "{variance} {expected}");
        prop_assert!((deviation - expected.sqrt()).abs() <= 1e-4);
    }

    #[test]
    fn any_values_are_aggregated_without_panic(text in r#"(null|true|-?[0-9]{1,30}|"[a-z0-9]{0,3}"|\[1\]|\{"a":1\})(,(null|1e300|-?[0-9]{1,3}\.[0-9]{1,3}|"[0-9.]{1,4}"|\{"a":2\})){0,9}"#) {
        // Texts such as 007 are no JSON: those are not what this is about.
        if let Ok(list) = serde_json::from_str::<serde_json::Value>(&format!("[{text}]")) {
            for name in Function::NAMES {
                let _ = named(name, &list.to_string());
            }
        }
    }
}

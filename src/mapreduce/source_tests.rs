//! Tests of reading items.

use proptest::prelude::*;

use super::*;

/// The items as JSON texts; plain texts are quoted, so kinds can be told apart.
fn items(text: &str) -> Vec<String> {
    shown(read_items(text.as_bytes(), Form::Detect, None).expect("items"))
}

fn selected(text: &str, form: Form, path: &str) -> Vec<String> {
    let path = ItemPath::parse(path).expect("path");
    shown(read_items(text.as_bytes(), form, Some(&path)).expect("items"))
}

fn shown(items: Vec<Value>) -> Vec<String> {
    items.iter().map(|item| item.to_json().to_string()).collect()
}

fn error(text: &str, form: Form) -> SourceError {
    read_items(text.as_bytes(), form, None).expect_err("no items")
}

#[test]
fn a_list_gives_its_elements_and_an_object_itself() {
    assert_eq!(items(r#" [1, "a", {"b": 1.10}, [2]] "#), ["1", r#""a""#, r#"{"b":1.10}"#, "[2]"]);
    assert_eq!(items(r#"{"a": 1}"#), [r#"{"a":1}"#]);
    assert_eq!(items("[]"), [""; 0]);
}

#[test]
fn nothing_is_no_items() {
    for text in ["", "\n\n", " \t\r\n", "null\n", "\u{feff}"] {
        assert_eq!(items(text), [""; 0], "{text:?}");
    }
}

#[test]
fn several_documents_are_each_an_item() {
    assert_eq!(items("{\"a\":1}\n{\"a\":2}\n\n"), [r#"{"a":1}"#, r#"{"a":2}"#]);
    assert_eq!(items("{\n \"a\": 1\n}\n{\n \"a\": 2\n}\n").len(), 2, "as `jq` prints them");
    assert_eq!(items("[1]\r\n[2]\r\n"), ["[1]", "[2]"]);
    assert_eq!(items("\"one two\"\n\"three\"\n"), [r#""one two""#, r#""three""#]);
}

#[test]
fn other_text_is_lines() {
    assert_eq!(items("one two\r\n\nthree"), [r#""one two""#, r#""three""#]);
    assert_eq!(items("  indented \n"), [r#""  indented ""#], "spaces belong to the line");
    assert_eq!(items("1\n2\n"), [r#""1""#, r#""2""#]);
    assert_eq!(items("[id].tsx\n[...slug].tsx\n").len(), 2, "file names of a web framework");
    assert_eq!(items("[INFO] hello\n"), [r#""[INFO] hello""#]);
    assert_eq!(items("\"quoted\" and not\n"), [r#""\"quoted\" and not""#]);
}

#[test]
fn bytes_that_are_no_text_survive() {
    let items = read_items(b"a\xff\nb\n", Form::Detect, None).unwrap();
    assert_eq!(items, [Value::Bytes(b"a\xff".to_vec()), Value::from("b")]);
}

#[test]
fn a_byte_order_mark_is_no_content() {
    assert_eq!(items("\u{feff}[1]"), ["1"]);
    assert_eq!(items("\u{feff}a\n"), [r#""a""#]);
}

#[test]
fn the_name_of_a_file_settles_its_form() {
    assert_eq!(Form::of_file_name("out/Items.JSON"), Form::Json);
    assert_eq!(Form::of_file_name("a.jsonl"), Form::JsonLines);
    assert_eq!(Form::of_file_name("a.ndjson"), Form::JsonLines);
    assert_eq!(Form::of_file_name("files.txt"), Form::Detect);
    assert_eq!(Form::of_file_name("json"), Form::Detect);
    let read = |text: &str, form| shown(read_items(text.as_bytes(), form, None).unwrap());
    assert_eq!(read("[1]\n", Form::JsonLines), ["[1]"], "one line is one item");
    assert_eq!(read("42", Form::Json), ["42"]);
    assert!(matches!(error("plain\n", Form::Json), SourceError::NotJson { line: 1, .. }));
    assert!(matches!(error("{}\nplain\n", Form::JsonLines), SourceError::NotJson { line: 2, .. }));
}

#[test]
fn broken_json_is_an_error_with_its_line() {
    for (text, line) in [
        ("[{\"a\": 1},\n {\"a\": 2", 2),
        ("{\"a\":1}\n{\"a\":2}\n{\"a\":", 3),
        ("{\"a\":1}\ndone\n", 2),
        ("[1,\n2,\n]", 3),
        ("{a: 1}", 1),
        ("[", 1),
    ] {
        match error(text, Form::Detect) {
            SourceError::NotJson { line: found, reason, .. } => {
                assert_eq!(found, line, "{text:?}: {reason}");
                assert!(!reason.contains(" at line "), "{reason}");
            }
            other => panic!("{text:?}: {other}"),
        }
    }
    let message = error("[1,\n2,\n]", Form::Detect).to_string();
    assert_eq!(message, "line 3, column 1: not JSON: trailing comma");
}

#[test]
fn deep_json_is_refused_and_not_a_crash() {
    let deep = "[".repeat(1_000_000);
    let message = error(&deep, Form::Detect).to_string();
    assert!(message.contains("recursion limit"), "{message}");
    let fits = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    assert_eq!(items(&fits).len(), 1);
}

#[test]
fn a_path_selects_in_a_document() {
    let text = r#"{"items": [{"id": 1}, {"id": 2}], "other": {"x": 1}}"#;
    assert_eq!(selected(text, Form::Detect, "$.items[*]"), [r#"{"id":1}"#, r#"{"id":2}"#]);
    assert_eq!(selected(text, Form::Detect, "$.items[*].id"), ["1", "2"]);
    assert_eq!(selected(text, Form::Detect, "$.items"), [r#"{"id":1}"#, r#"{"id":2}"#]);
    assert_eq!(selected(text, Form::Detect, "$['items'][0]"), [r#"{"id":1}"#]);
    assert_eq!(selected(text, Form::Detect, "$.nothing[*]"), [""; 0]);
    assert_eq!(selected(text, Form::Detect, "$.items[?@.id == 2].id"), ["2"]);
    assert_eq!(selected("[1, 2]", Form::Detect, "$[*]"), ["1", "2"]);
}

#[test]
fn only_a_path_to_one_place_spreads_a_list() {
    let text = r#"{"groups": [[1, 2]], "a,b": [3, 4]}"#;
    assert_eq!(selected(text, Form::Detect, "$.groups[*]"), ["[1,2]"]);
    assert_eq!(selected(text, Form::Detect, "$.groups[0]"), ["1", "2"]);
    assert_eq!(selected(text, Form::Detect, "$..groups[0]"), ["[1,2]"]);
    assert_eq!(selected(text, Form::Detect, r"$['a,b']"), ["3", "4"]);
}

#[test]
fn a_path_sees_several_documents_as_a_list() {
    let text = "{\"id\": 1}\n{\"id\": 2}\n";
    assert_eq!(selected(text, Form::Detect, "$[*]").len(), 2);
    assert_eq!(selected(text, Form::Detect, "$[*].id"), ["1", "2"]);
    assert_eq!(selected("{\"id\": 1}\n", Form::JsonLines, "$[*].id"), ["1"]);
}

#[test]
fn a_path_needs_json() {
    let path = ItemPath::parse("$[*]").unwrap();
    let error = read_items(b"\nsrc/a.rs\n", Form::Detect, Some(&path)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`json_path` needs JSON, and this is plain text that starts with \"src/a.rs\""
    );
    assert_eq!(read_items(b"", Form::Detect, Some(&path)), Ok(Vec::new()));
}

#[test]
fn a_path_that_cannot_be_read_says_where() {
    for text in ["items[*]", "$.items[", "$.items[*", "$[?(@.a = 1)]", ""] {
        let error = ItemPath::parse(text).expect_err(text);
        assert!(!error.message.is_empty() && error.offset <= text.len(), "{text}: {error:?}");
    }
}

/// The crate's numbers are kept as they were written (`arbitrary_precision`) and its
/// objects in their order; the path library must read both.
#[test]
fn paths_work_with_numbers_as_written_and_keys_in_order() {
    let text = r#"[{"z": 1.10, "a": 1e2}, {"z": 2, "a": 9007199254740993}, {"z": -0.5, "a": 3}]"#;
    assert_eq!(selected(text, Form::Detect, "$[*].z"), ["1.10", "2", "-0.5"]);
    assert_eq!(selected(text, Form::Detect, "$[0].*"), ["1.10", "1e+2"]);
    assert_eq!(selected(text, Form::Detect, "$[?@.z > 1.05].z"), ["1.10", "2"]);
    assert_eq!(selected(text, Form::Detect, "$[?@.z == 1.1].z"), ["1.10"]);
    assert_eq!(selected(text, Form::Detect, "$[?@.a == 100].z"), ["1.10"]);
    assert_eq!(selected(text, Form::Detect, "$[?@.a < 1e3].z"), ["1.10", "-0.5"]);
    assert_eq!(selected(text, Form::Detect, "$[?@.a == 9007199254740993].z"), ["2"]);
    assert_eq!(selected(text, Form::Detect, "$[-1].z"), ["-0.5"]);
    assert_eq!(selected(text, Form::Detect, "$[0:2].z"), ["1.10", "2"]);
}

#[test]
fn the_functions_of_the_standard_are_there() {
    let text = r#"[{"name": "main.rs", "n": [1, 2]}, {"name": "a.py", "n": []}]"#;
    assert_eq!(selected(text, Form::Detect, "$[?length(@.name) == 4].name"), [r#""a.py""#]);
    assert_eq!(selected(text, Form::Detect, "$[?count(@.n[*]) > 1].name"), [r#""main.rs""#]);
    assert_eq!(selected(text, Form::Detect, "$[?value(@.name) == 'a.py'].name"), [r#""a.py""#]);
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        for form in [Form::Detect, Form::Json, Form::JsonLines] {
            let _ = read_items(&bytes, form, None);
        }
    }

    #[test]
    fn json_like_text_is_read_without_panic(text in r#"[\[\]{}",:a-c0-9 \n.e-]{0,60}"#) {
        let _ = read_items(text.as_bytes(), Form::Detect, None);
        if let Ok(path) = ItemPath::parse(&text) {
            let _ = read_items(b"[[1],{\"a\":2}]", Form::Detect, Some(&path));
        }
    }

    #[test]
    fn lists_and_json_lines_give_the_same_items(numbers in proptest::collection::vec(any::<i64>(), 2..20)) {
        let objects: Vec<String> = numbers.iter().map(|n| format!("{{\"n\":{n}}}")).collect();
        let list = format!("[{}]", objects.join(","));
        prop_assert_eq!(items(&list), items(&objects.join("\n")));
        prop_assert_eq!(items(&list), objects);
    }

    #[test]
    fn plain_lines_come_back_as_they_are(lines in proptest::collection::vec("[a-z][ -~]{0,20}", 1..20)) {
        let read = read_items(lines.join("\n").as_bytes(), Form::Detect, None).unwrap();
        prop_assert_eq!(read, lines.into_iter().map(Value::from).collect::<Vec<_>>());
    }
}

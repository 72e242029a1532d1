//! Tests of the expression language.

use super::*;
use crate::expr::sample::Sample;

fn scope() -> Sample {
    Sample::default()
        .with_data("mode", "production")
        .with_data("count", "5")
        .with_data("ratio", Value::Number(serde_json::Number::from_f64(5.0).expect("a number")))
        .with_data("yes", true)
        .with_data("text_true", "true")
        .with_data("text_false", "false")
        .with_data("zero", "0")
        .with_data("nothing", Value::Null)
        .with_data("empty", "")
        .with_data(
            "unit-tests",
            serde_json::json!({"exit_code": 1, "success": false, "failed": true}),
        )
        .with_json(
            "item",
            r#"{"p": 5, "tags": ["a", "b"], "o": {"k": 1}, "none": [], "name": "src/a.rs"}"#,
        )
        .with_data("hostile", "' or true or '")
}

fn is_true(text: &str) -> bool {
    let expression = Expression::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    expression.is_true(&scope()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn syntax(text: &str) -> SyntaxError {
    Expression::parse(text).expect_err(text)
}

fn fails(text: &str) -> EvalError {
    Expression::parse(text).expect(text).evaluate(&scope()).expect_err(text)
}

#[test]
fn true_expressions() {
    for text in [
        "true",
        "${yes}",
        "yes",
        "${mode} == 'production'",
        "mode == \"production\"",
        "'${mode}' == 'production'",
        "'${mode}-x' == \"production-x\"",
        "count == 5",
        "'5' == 5",
        "5 == 5.0",
        "5.0 == ratio",
        "count < 10",
        "'9' < '10'",
        "'b' > 'a'",
        "${unit-tests.exit_code != 0}",
        "unit-tests.exit_code == 1 && !unit-tests.success",
        "${unit-tests.exit_code == 1 && unit-tests.failed}",
        "${(yes || nothing) && count}",
        "not false and true",
        "not nothing == 5",
        "false and false or true",
        "true OR false AND false",
        "mode =~ '^prod'",
        "mode matches 'tion$'",
        "matches(item.name, '\\.rs$')",
        r"item.name =~ '\.rs$'",
        "'a' in item.tags",
        "'x' not in item.tags",
        "item.p in [1, 5, 'x']",
        "item.tags contains 'b'",
        "contains(mode, 'duct')",
        "item.o contains 'k'",
        "starts_with(item.name, 'src/') and ends_with(item.name, '.rs')",
        "length(item.tags) == 2",
        "length(mode) > 3",
        "upper('ä') == 'Ä' && lower('X') == 'x'",
        "exists(item.p) and not exists(item.q) and not exists(whatever.it.is)",
        "exists(${item.p})",
        "is_null(item.q) && is_null(nothing) && item.q == null",
        "is_number(item.p) && is_string(mode) && is_bool(yes)",
        "is_array(item.tags) && is_object(item.o)",
        "failed(unit-tests) and not success(unit-tests)",
        "failed('unit-tests')",
        "text_true == true",
        "yes == 'true'",
        "${unknown:-5} > 3",
        "${empty:-x} == 'x'",
        "${item.tags | length} == 2",
        "item.tags == ['a', 'b']",
        "item.tags == '[\"a\",\"b\"]'",
        "item.none == '' and item.tags != ''",
        "item['p'] == item.p",
        "item.tags[-1] == 'b'",
        "-1 < 0 and 1e3 == 1000",
        r"'it\'s' == 'it\'s' and 'a\\b' != 'a\b' or true",
        r"'\n' == '\\n'",
        "null == nothing",
        "null != ''",
        "item.none == []",
        "!(count > 10)",
        "hostile != ''",
    ] {
        assert!(is_true(text), "{text}");
    }
}

#[test]
fn false_expressions() {
    for text in [
        "false",
        "null",
        "0",
        "''",
        "'false'",
        "'0'",
        "text_false",
        "zero",
        "[]",
        "item.none",
        "item.q",
        "item.q.r",
        "nothing > 5",
        "5 > nothing",
        "nothing =~ '.'",
        "'5.0' == '5'",
        "mode == 5",
        "yes == 1",
        "not true or false",
        "null contains 'x'",
        "'x' in null",
        "hostile == ''",
        "'${hostile}' == ''",
        "mode == '${hostile}'",
    ] {
        assert!(!is_true(text), "{text}");
    }
}

#[test]
fn an_unknown_name_is_an_error_that_offers_quotes() {
    let error = fails("${mode} == production");
    assert_eq!(error.message, "unknown name `production`");
    assert_eq!(error.help.as_deref(), Some("write 'production' if it is a text"));
    let error = fails("mdoe == 'x'");
    assert_eq!(error.help.as_deref(), Some("did you mean `mode`? (write 'mdoe' if it is a text)"));
    assert!(fails("success(unit-test)").help.expect("help").contains("unit-tests"));
    assert!(fails("${unknown} == 1").message.contains("unknown name `unknown`"));
}

#[test]
fn values_that_cannot_be_compared_are_both_named() {
    let error = fails("item.o > 5");
    assert_eq!(error.message, "cannot compare the object `{\"k\":1}` with the number `5`");
    assert!(fails("item.o == 5").message.contains("the number `5`"));
    assert!(fails("'abc' < 5").message.contains("the text `abc`"));
    assert!(fails("mode =~ 5").message.contains("is no pattern"));
    assert!(fails("mode =~ '${hostile}('").message.contains("not a regular expression"));
}

#[test]
fn errors_point_at_their_place() {
    for (text, span, help) in [
        ("", 0..0, None),
        ("a = 1", 2..3, Some("write `==`")),
        ("a & b", 2..3, Some("write `&&` or `and`")),
        ("a | b", 2..3, Some("write `||` or `or`; filters stand inside `${…}`")),
        ("(a", 0..1, None),
        ("a)", 1..2, None),
        ("a ==", 4..4, None),
        ("a and", 5..5, None),
        ("'abc", 0..1, None),
        ("a b", 2..3, None),
        ("a < b < c", 6..7, Some("join them with `and`: `a < b and b < c`")),
        ("5s", 0..2, Some("write '5s' if it is a text")),
        ("$mode", 0..1, Some("write `${name}` or just `name`")),
        ("x.startsWith('a')", 0..13, Some("write `starts_with(x, …)`")),
        ("item.name.toLowerCase()", 0..22, Some("write `lower(item.name)`")),
        ("start_with(a, 'b')", 0..10, Some("did you mean `starts_with`?")),
        ("is_not_null(a)", 0..11, Some("write `not is_null(…)`")),
        ("length(a, 3)", 0..12, Some("compare the length: `length(x) == 3`")),
        ("a =~ '('", 5..8, None),
        ("exists('a' == b)", 0..16, None),
        ("[1, 2", 0..1, None),
        ("a == and", 5..8, None),
    ] {
        let error = syntax(text);
        assert_eq!((error.span.clone(), error.help.as_deref()), (span, help), "{text}: {error}");
    }
    assert_eq!(syntax("mode = 'x'").with_caret("mode = 'x'"), "mode = 'x'\n     ^");
}

#[test]
fn hostile_input_is_refused_without_a_crash() {
    for deep in ["(", "not ", "!", "[", "length(", "${a == ", "'${", "${a:-"] {
        let error = syntax(&deep.repeat(100_000));
        assert!(error.message.contains("nested deeper"), "{deep}: {error}");
    }
    let long = vec!["yes"; 100_000].join(" and ");
    assert!(is_true(&long), "long chains are not deep");
}

#[test]
fn uses_tell_what_may_be_missing() {
    let expression =
        Expression::parse("a.b == ${c:-1} and exists(d) and success(e)").expect("read");
    let uses: Vec<(String, bool)> =
        expression.uses().iter().map(|used| (used.path.to_string(), used.optional)).collect();
    let expected = [("a.b", false), ("c", true), ("d", true), ("e.success", false)];
    assert_eq!(uses, expected.map(|(name, optional)| (name.to_owned(), optional)));
}

proptest::proptest! {
    #[test]
    fn no_input_panics(text in "[-a-z0-9 .'\"\\\\${}()\\[\\]<>=!~&|,:*äß\n]{0,40}") {
        if let Ok(expression) = Expression::parse(&text) {
            let _ = expression.evaluate(&scope());
        }
        if let Err(error) = Expression::parse(&text) {
            let _ = error.with_caret(&text);
        }
        if let Ok(text) = crate::expr::Template::parse(&text) {
            let _ = text.evaluate(&scope());
        }
    }
}

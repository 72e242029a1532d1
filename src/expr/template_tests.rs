//! Tests of texts with holes.

use super::*;
use crate::expr::sample::Sample;

fn scope() -> Sample {
    Sample::default()
        .with_data("name", "world")
        .with_data("empty", "")
        .with_data("nothing", Value::Null)
        .with_data("capture", r#"{"version": 1.10, "files": ["a.rs", "b.md"]}"#)
        .with_json(
            "item",
            r#"{"id": 7, "rust-version": "1.89", "tags": ["x", "y z"], "a b": {"c": 1}}"#,
        )
        .with_data("my-id", "dashed")
        .with_data("dollar", "${name} $ARG")
        .with("fixed", "-a -b", Origin::Authored)
}

fn render(text: &str) -> String {
    Template::parse(text).expect(text).render(&scope()).expect(text)
}

fn value(text: &str) -> Value {
    Template::parse(text).expect(text).evaluate(&scope()).expect(text).0
}

fn syntax(text: &str) -> SyntaxError {
    Template::parse(text).expect_err(text)
}

#[test]
fn paths_reach_fields_and_elements() {
    assert_eq!(render("Hello ${name}!"), "Hello world!");
    assert_eq!(render("${item.id}/${item.rust-version}"), "7/1.89");
    assert_eq!(render("${item.tags[0]} ${item.tags[-1]}"), "x y z");
    assert_eq!(render("${item['a b'].c} ${item[\"a b\"]['c']}"), "1 1");
    assert_eq!(render("${my-id} ${ name }"), "dashed world");
}

#[test]
fn one_hole_keeps_the_type() {
    assert_eq!(value("${item.id}"), Value::from(7_i64));
    assert_eq!(value("${item.tags}"), Value::Array(vec!["x".into(), "y z".into()]));
    assert_eq!(value(" ${item.id}"), Value::from(" 7"));
    assert_eq!(value("${item.id == 7}"), Value::Bool(true));
    assert_eq!(value("${item.missing.deeper}"), Value::Null);
}

#[test]
fn a_capture_that_holds_json_is_json() {
    assert_eq!(render("v${capture.version} ${capture.files[1]}"), "v1.10 b.md");
}

#[test]
fn defaults_take_the_place_of_missing_null_and_empty() {
    assert_eq!(render("${unknown:-x}${unknown.field:-y}${empty:-z}${nothing:-n}"), "xyzn");
    assert_eq!(render("${name:-x}"), "world");
    assert_eq!(render("${unknown:-a ${name} b}"), "a world b");
    assert_eq!(render("${unknown:-${empty:-${name}}}"), "world");
    assert_eq!(render("${unknown:-}|${unknown:-a\\}b}"), "|a}b");
}

#[test]
fn literal_dollars_stay() {
    assert_eq!(render(r"\${name} $${name} $HOME $5 $ \$ARG"), "${name} ${name} $HOME $5 $ $ARG");
    assert_eq!(render("${dollar}"), "${name} $ARG", "values are not expanded again");
}

#[test]
fn the_argument_is_replaced_everywhere() {
    let scope = scope().with_data("ARG", "src/a b");
    let render = |text: &str| Template::parse(text).expect(text).render(&scope).expect(text);
    assert_eq!(render("/fix $ARG, ${ARG}. $ARGS"), "/fix src/a b, src/a b. $ARGS");
    assert_eq!(self::render("/fix $ARG"), "/fix $ARG", "without an argument it stays");
}

#[test]
fn filters_apply_in_order() {
    assert_eq!(render("${name | upper}"), "WORLD");
    assert_eq!(render("${item.tags | first | upper}"), "X");
    assert_eq!(render("${item.tags | json}"), r#"["x","y z"]"#);
    assert_eq!(render("got:\n${item.tags | lines}"), "got:\nx\ny z");
    assert_eq!(render("${item.tags:csv} ${item.tags:json}"), r#"x,y z ["x","y z"]"#);
    assert_eq!(render("${item.tags:lines}"), "x\ny z");
    assert_eq!(value("${capture.files:*.rs}"), Value::Array(vec!["a.rs".into()]));
    assert_eq!(value("${item.tags | length}"), Value::from(2_u64));
}

#[test]
fn unknown_names_are_errors_with_the_nearest_name() {
    let text = Template::parse("${nmae}").expect("a text");
    let error = text.evaluate(&scope()).expect_err("an unknown name");
    assert_eq!(error.message, "unknown name `nmae` in `${nmae}`");
    assert_eq!(error.help.as_deref(), Some("did you mean `name`?"));
}

#[test]
fn the_origin_is_the_greatest_of_the_parts() {
    let origin = |text: &str| Template::parse(text).expect(text).evaluate(&scope()).expect(text).1;
    assert_eq!(origin("plain"), Origin::Authored);
    assert_eq!(origin("${fixed}"), Origin::Authored);
    assert_eq!(origin("${fixed} ${name}"), Origin::Data);
    assert_eq!(origin("${unknown:-x}"), Origin::Authored);
    assert_eq!(origin("${name:-x}"), Origin::Data);
}

#[test]
fn older_forms_are_refused_with_the_new_spelling() {
    for (text, help) in [
        ("${env:HOME}", "write `${env.HOME}`"),
        ("${x|default:false}", "write `${x:-false}`"),
        ("${x | default('a b')}", "write `${x:-a b}`"),
        ("${json:a.b:from:var}", "write `${var.a.b}`"),
        ("${json:$.a.b:from:var}", "write `${var.a.b}`"),
        (
            "${file:VERSION}",
            "run `cat VERSION` in a shell step with `capture: NAME` and write `${NAME}`",
        ),
        (
            "${cmd:git rev-parse HEAD}",
            "run `git rev-parse HEAD` in a shell step with `capture: NAME` and write `${NAME}`",
        ),
    ] {
        assert_eq!(syntax(text).help.as_deref(), Some(help), "{text}");
    }
    assert_eq!(syntax("${s|length:100}").message, "the filter `length` takes no argument");
}

#[test]
fn holes_that_cannot_be_read_point_at_their_place() {
    for (text, span) in [
        ("a ${name", 2..4),
        ("a ${", 2..4),
        ("${}", 0..3),
        ("${{ name }}", 0..3),
        ("${a b}", 4..5),
        ("${name | uper}", 9..13),
        ("${name%.txt}", 6..7),
        ("${a.}", 4..5),
        ("${a[x]}", 4..5),
    ] {
        assert_eq!(syntax(text).span, span, "{text}");
    }
    assert_eq!(syntax("${name | uper}").help.as_deref(), Some("did you mean `upper`?"));
}

#[test]
fn hostile_nesting_is_refused() {
    let deep = format!("{}x{}", "${a:-".repeat(100_000), "}".repeat(100_000));
    assert!(syntax(&deep).message.contains("nested deeper"));
}

#[test]
fn uses_tell_what_may_be_missing() {
    let text = Template::parse("${a.b} ${c:-${d}} $ARG ${e == f}").expect("a text");
    let uses: Vec<(String, bool)> =
        text.uses().iter().map(|used| (used.path.to_string(), used.optional)).collect();
    let expected =
        [("a.b", false), ("c", true), ("d", false), ("ARG", true), ("e", false), ("f", false)];
    assert_eq!(uses, expected.map(|(name, optional)| (name.to_owned(), optional)));
    assert_eq!(text.uses()[0].span, 2..5);
}

#[test]
fn bytes_that_are_not_text_cannot_be_rendered() {
    let scope = Sample::default().with_data("raw", Value::Bytes(vec![b'a', 0xff]));
    let text = Template::parse("x${raw}").expect("a text");
    assert_eq!(text.evaluate(&scope).expect("bytes").0, Value::Bytes(b"xa\xff".to_vec()));
    assert!(text.render(&scope).is_err());
}

#[test]
fn a_literal_has_no_holes() {
    assert_eq!(Template::literal("${x}").render(&scope()).as_deref(), Ok("${x}"));
    assert_eq!(Template::parse(r"a \${x}").expect("a text").as_literal(), Some("a ${x}"));
    assert_eq!(Template::parse("").expect("a text").as_literal(), Some(""));
    assert_eq!(value(""), Value::from(""));
    assert_eq!(Template::parse("${x}").expect("a text").as_literal(), None);
}

//! Tests of what else a command tells: its uses, words, display, and other languages.

use super::{render, scope};
use crate::expr::{Dialect, Form, Quoting, ShellText};

#[test]
fn other_languages_get_constants_only() {
    let render = |text: &str| ShellText::parse(text).expect(text).render(&scope(), Dialect::Other);
    let text = |text: &str| render(text).expect("a script").text;
    assert_eq!(text("print('${flags}', \"${HOME}\")"), "print('-a  -b', \"${HOME}\")");
    assert_eq!(text("f(${nobody.x:-{\"a\": 1}}, ${flags:-x})"), "f({\"a\": 1}, -a  -b)");
    assert_eq!(text("$${file} \\${flags}"), "${file} \\${flags}");
    let error = render("print('${item.name}')").expect_err("data");
    assert!(error.help.expect("help").contains("exported variable"));
}

#[test]
fn people_see_the_values() {
    let display = |text: &str| render(text, &scope()).expect("script").display;
    assert_eq!(
        display("cp ${item.name} \"${item.id}\" '${item.name}'"),
        "cp 'it'\\''s' \"7\" 'it's'"
    );
    assert_eq!(display("echo ${list} ${item.x:-y}"), "echo 'a b' '' 'c*' '$(d)' y");
    assert_eq!(display("cat <<'E'\n$ ${item.id}\nE\n"), "cat <<'E'\n$ 7\nE\n");
}

#[test]
fn simple_commands_have_words() {
    let words = |text: &str| {
        let words = render(text, &scope()).expect(text).words?;
        Some(
            words.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect::<Vec<_>>(),
        )
    };
    for (text, expected) in [
        ("cargo test --all", vec!["cargo", "test", "--all"]),
        ("  git  log -1 --format=%H\n", vec!["git", "log", "-1", "--format=%H"]),
        ("grep 'a $b' \"c  d\" ''", vec!["grep", "a $b", "c  d", ""]),
        ("cp ${item.name} x${file}y", vec!["cp", "it's", "xmy file; $(touch hacked).txty"]),
        ("cp \"${list}\" '${item.id}'", vec!["cp", "a b  c* $(d)", "7"]),
        ("cp ${list} z", vec!["cp", "a b", "", "c*", "$(d)", "z"]),
        ("tool ${flags}", vec!["tool", "-a", "-b"]),
        ("./run.sh ${build-id}", vec!["./run.sh", "dash ed"]),
        ("true", vec!["true"]),
        (" false\n", vec!["false"]),
    ] {
        assert_eq!(
            words(text).as_deref(),
            Some(&expected.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>()[..]),
            "{text}"
        );
    }
    for text in [
        "",
        "echo a",
        "cd x",
        "A=1 tool",
        "tool *.rs",
        "tool ~/x",
        "tool $HOME",
        "tool a; b",
        "tool a | b",
        "tool > f",
        "tool \\n",
        "tool \"$x\"",
        "tool a\ntool b",
        "! tool",
        "# x",
        "if x",
        "tool {a,b}",
        "tool 'open",
        "tool ${unknown}",
        "${item.name} x",
        "exec tool",
        "tool a # b",
        "[ a ]",
        "tool &",
        "(tool)",
        "tool ü",
        "'if' x",
        "true x",
        "true 'false'",
        "exit",
    ] {
        assert_eq!(words(text), None, "{text}");
    }
}

#[test]
fn uses_tell_how_names_stand() {
    let used = |text: &str| -> Vec<(String, Quoting)> {
        ShellText::parse(text)
            .expect(text)
            .uses()
            .into_iter()
            .map(|used| match used.form {
                Form::Shell { quoting, .. } => (used.path.to_string(), quoting),
                other => panic!("{other:?}"),
            })
            .collect()
    };
    let text = "a ${b.c} \"${d}\" '${e}' $((${f})) # ${g}\ncat <<X\n${h}\nX\ncat <<'X'\n${i}\nX\n${j:-${k}}";
    let expected = [
        ("b.c", Quoting::Bare),
        ("d", Quoting::Double),
        ("e", Quoting::Single),
        ("f", Quoting::Arithmetic),
        ("g", Quoting::Comment),
        ("h", Quoting::HereDocument),
        ("i", Quoting::HereDocument),
        ("j", Quoting::Bare),
        ("k", Quoting::Bare),
    ];
    assert_eq!(used(text), expected.map(|(name, quoting)| (name.to_owned(), quoting)));
    let form = |text: &str| ShellText::parse(text).expect(text).uses().remove(0);
    let Form::Shell { in_for, certain, raw, whole, .. } = form("for f in ${x}; do :; done").form
    else {
        panic!("a shell form");
    };
    assert_eq!((in_for, certain, raw, whole), (true, false, false, false));
    let Form::Shell { in_for, certain, raw, whole, .. } = form("${x.y | raw}").form else {
        panic!("a shell form");
    };
    assert_eq!((in_for, certain, raw, whole), (false, true, true, true));
    assert!(matches!(
        form("for f in ${x | lines}; do :; done").form,
        Form::Shell { in_for: false, .. }
    ));
    assert!(matches!(
        form("for f in \"${x}\"; do :; done").form,
        Form::Shell { in_for: false, .. }
    ));
    assert!(
        form("echo ${x:-1}").optional && form("# ${x.y}").optional && !form("echo ${x}").optional
    );
    assert_eq!(form("echo ${x.y}").span, 7..10);
}

#[test]
fn mentions_are_the_names_the_shell_may_expand() {
    let text = ShellText::parse("echo $a \"${b:-$c}\" ${#d} ${e.f} $1 $$ $a '$g'").expect("a text");
    assert_eq!(text.mentions(), ["a", "b", "c", "d", "e", "g"]);
}

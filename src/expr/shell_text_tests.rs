//! Tests of shell commands with holes: every value is run through real shells.

use std::{
    os::unix::ffi::OsStrExt,
    process::{Command, Output, Stdio},
};

use super::*;
use crate::expr::{Form, Origin, Value, sample::Sample};

const SHELLS: [&str; 2] = ["sh", "bash"];

fn render(text: &str, scope: &Sample) -> Result<ShellScript, EvalError> {
    ShellText::parse(text)
        .unwrap_or_else(|error| panic!("{text}: {error}"))
        .render(scope, Dialect::Posix)
}

/// Runs a script as its caller does: variables set, large values in files.
fn run(shell: &str, script: &ShellScript) -> Output {
    let directory = tempfile::tempdir().expect("a directory");
    let mut command = Command::new(shell);
    command.arg("-c").arg(&script.text).current_dir(directory.path()).stdin(Stdio::null());
    // In other locales bash itself garbles broken UTF-8 in `$(…)`, which some of the tests use.
    command.env("LC_ALL", "C");
    for (name, value) in &script.env {
        command.env(name, std::ffi::OsStr::from_bytes(value));
    }
    for (name, bytes) in &script.files {
        let path = directory.path().join(format!(".{name}"));
        std::fs::write(&path, bytes).expect("a file");
        command.env(name, &path);
    }
    command.output().unwrap_or_else(|error| panic!("{shell}: {error}"))
}

#[track_caller]
fn prints(text: &str, scope: &Sample, expected: &[u8]) {
    for shell in SHELLS {
        prints_in(shell, text, scope, expected);
    }
}

#[track_caller]
fn prints_in(shell: &str, text: &str, scope: &Sample, expected: &[u8]) {
    let script = render(text, scope).unwrap_or_else(|error| panic!("{text}: {error}"));
    let output = run(shell, &script);
    assert!(
        output.stdout == expected && output.status.success(),
        "{shell}: {text}\nscript: {}\nexpected: {:?}\nstdout:   {:?}\nstderr: {}",
        script.text,
        String::from_utf8_lossy(expected),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[track_caller]
fn untouched(text: &str, scope: &Sample) {
    let script = render(text, scope).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(
        script,
        ShellScript {
            text: text.to_owned(),
            display: text.to_owned(),
            words: script.words.clone(),
            ..ShellScript::default()
        }
    );
}

#[path = "shell_round_trip_tests.rs"]
mod round_trip;
#[path = "shell_views_tests.rs"]
mod views;

fn scope() -> Sample {
    Sample::default()
        .with("flags", "-a  -b", Origin::Authored)
        .with("command", "echo 'one two' | tr a-z A-Z", Origin::Authored)
        .with("quote", "'", Origin::Authored)
        .with("test_command", "echo run; echo $((1+1))", Origin::Parameter)
        .with_data("file", "my file; $(touch hacked).txt")
        .with_data("number", "08")
        .with_data("negative", "-3")
        .with_data("empty", "")
        .with_data("nothing", Value::Null)
        .with_data("list", serde_json::json!(["a b", "", "c*", "$(d)"]))
        .with_data("lines", "a b\nc d\n")
        .with_json(
            "item",
            r#"{"name": "it's", "id": 7, "o": {"k": [1]}, "files": ["src/a.rs", "b.md"]}"#,
        )
        .with_data("build-id", "dash ed")
}

#[test]
fn what_belongs_to_the_shell_is_left_alone() {
    for text in [
        "awk '{print $2}' f",
        "echo ${HOME:-x} ${f##*.} $1 \"$@\" ${10} $$ $? ${unknown} ${un-known}",
        "for f in *.rs; do echo ${f%.rs} \"${f:0:3}\" ${#f} ${f^^} ${!f} ${f/a/b}; done",
        "echo ${arr[0]} ${arr[@]} ${arr[$i]} $(ls | wc -l) `date` $((1 + x))",
        "echo ${file%.txt} ${file##*/} ${#file} ${file:0:3} ${file-x} $file",
        "cat <<'EOF'\n${HOME} $(x) `y` \\\nEOF\n",
        "echo \"a 'b' \\\" ${x:-\"}\"} $'\\'' \"\n# c'mment\nEOF",
        "echo \"unterminated $(case x in",
        "echo ) } ]] esac done fi ;; \" ' `",
        "",
    ] {
        untouched(text, &scope());
    }
}

#[test]
fn constants_are_part_of_the_command() {
    prints("printf '[%s]' ${flags}", &scope(), b"[-a][-b]");
    prints("printf '[%s]' \"${flags}\" '${flags}'", &scope(), b"[-a  -b][-a  -b]");
    prints("${command}", &scope(), b"ONE TWO\n");
    prints("echo x; ${command}", &scope(), b"x\nONE TWO\n");
    prints("cat <<'E'\n${flags}\nE\n", &scope(), b"-a  -b\n");
    assert_eq!(render("tool ${flags} x", &scope()).expect("script").text, "tool -a  -b x");
}

#[test]
fn quotes_in_constants_count_for_the_data_behind_them() {
    prints("printf %s ${quote}${file}${quote}", &scope(), b"my file; $(touch hacked).txt");
    prints("printf %s ${quote} ${item.name} ${quote}", &scope(), b" it's ");
}

#[test]
fn a_parameter_alone_is_the_command_and_other_data_is_not() {
    prints("${test_command}", &scope(), b"run\n2\n");
    prints(" ${test_command}\n", &scope(), b"run\n2\n");
    prints("printf %s ${test_command}", &scope(), b"echo run; echo $((1+1))");
    let error = render("${file}", &scope()).expect_err("data as a command");
    assert_eq!(error.help.as_deref(), Some("write `${file | raw}` to run the value as a command"));
    assert!(render("${item.name}", &scope()).is_err());
    let error = render("${test_command | trim}", &scope()).expect_err("data as a command");
    assert!(error.help.expect("help").contains("raw"));
}

#[test]
fn raw_and_words_are_on_purpose() {
    let scope = scope().with_data("code", "echo a; echo 'b  c'");
    prints("${code | raw}", &scope, b"a\nb  c\n");
    prints("x=$(${code | raw}); printf %s \"$x\"", &scope, b"a\nb  c");
    prints("printf '[%s]' ${code | words}", &scope, b"[echo][a;][echo]['b][c']");
    prints("printf '[%s]' \"${code | words}\"", &scope, b"[echo a; echo 'b c']");
}

#[test]
fn quote_is_for_a_shell_inside_the_shell() {
    let scope = scope().with_data("v", "it's $(x)  *");
    prints("sh -c \"printf '[%s]' ${v | quote}\"", &scope, b"[it's $(x)  *]");
    prints("printf '[%s]' ${v | quote}", &scope, b"[it's $(x)  *]");
    prints("sh -c \"printf '[%s]' ${list | quote}\"", &scope, b"[a b][][c*][$(d)]");
}

#[test]
fn lists_are_words_where_they_stand_bare() {
    prints("printf '[%s]' ${list}", &scope(), b"[a b][][c*][$(d)]");
    prints("printf '[%s]' x${list}y", &scope(), b"[xa b][][c*][$(d)y]");
    prints("printf '[%s]' \"${list}\" '${list}'", &scope(), b"[a b  c* $(d)][a b  c* $(d)]");
    prints("for f in ${lines | lines}; do printf '[%s]' \"$f\"; done", &scope(), b"[a b][c d]");
    prints("for f in ${item.files:*.rs}; do echo $f; done", &scope(), b"src/a.rs\n");
    prints("x=${list}; printf %s \"$x\"", &scope(), b"a b  c* $(d)");
    prints("echo x > ${list | json}; cat '${list | json}'", &scope(), b"x\n");
    prints("echo hi >${lines | lines}; cat 'a b c d'", &scope(), b"hi\n");
    prints("case ${list} in a*) echo yes;; esac", &scope(), b"yes\n");
    prints_in("bash", "[[ ${list} == 'a b'* ]] && echo yes", &scope(), b"yes\n");
    prints_in("bash", "a=(${list}); echo ${#a[@]}", &scope(), b"4\n");
    let nothing = scope().with_data("none", Vec::<Value>::new());
    prints("printf '[%s]' a ${none} b; for f in ${none}; do exit 1; done", &nothing, b"[a][b]");
}

#[test]
fn long_lists_and_large_values_arrive_whole() {
    let items: Vec<Value> = (0..20_000).map(|n| Value::from(format!("it's {n}"))).collect();
    let scope = Sample::default().with_data("list", items);
    prints("set -- ${list}; printf '%s %s' $# \"$20000\" | head -c 5", &scope, b"20000");
    prints("for f in ${list}; do last=$f; done; printf %s \"$last\"", &scope, b"it's 19999");
    let large: Vec<u8> = (0..1_000_000_u32).map(|n| (n % 251 + 1) as u8).collect();
    let mut large = [large, b"\n\n'\n".to_vec()].concat();
    let scope = value_of(&large);
    prints("printf %s \"${x}\"", &scope, &large);
    prints("printf %s ${x} '${x}' | wc -c | tr -d ' '", &scope, b"2000008\n");
    large.push(b'\n');
    prints("cat <<E\n${x}\nE\n", &scope, &large);
    prints("cat <<'E'\n${x}\nE\n", &scope, &large);
}

fn value_of(bytes: &[u8]) -> Sample {
    Sample::default().with_data("x", Value::text(bytes.to_vec()))
}

#[test]
fn large_values_change_nothing_else() {
    let scope = value_of(&vec![b'x'; 200_000]).with_data("small", "s");
    prints("printf '%s %s' $? $# # ${x}", &scope, b"0 0");
    prints("printf '%s %s ' $? $#; printf %.1s ${x}; env printf %s ${small}", &scope, b"0 0 xs");
    let script = render("false; : ${x}\necho two\nnosuchcommand", &scope).expect("script");
    let stderr = run("bash", &script).stderr;
    assert!(String::from_utf8_lossy(&stderr).contains("line 3"), "line numbers stay");
    prints("set -eu\n: ${x}\necho on", &scope, b"on\n");
    assert!(!script.display.contains("xxxx"), "people are told how much it is");
    assert!(script.display.contains("(200000 bytes of ${x})"));
    let program = "#!".repeat(60_000);
    prints(&format!("echo ok; exit 0\n{program}"), &scope, b"ok\n");
}

#[test]
fn defaults_are_read_by_the_shell() {
    for (text, printed) in [
        ("printf '[%s]' ${item.x:-y}", "[y]"),
        ("printf '[%s]' ${item.x:-a b}", "[a][b]"),
        ("printf '[%s]' ${item.x:-\"a b\"}", "[a b]"),
        ("printf '[%s]' \"${item.x:-a b}\"", "[a b]"),
        ("printf '[%s]' '${item.x:-a b}'", "[a b]"),
        ("printf '[%s]' ${nobody.x:-http://h/?a&b}", "[http://h/?a&b]"),
        ("printf '[%s]' ${nothing:-n} ${empty:-e}", "[n][e]"),
        ("printf '[%s]' ${item.id:-a b} \"${item.name:-x}\"", "[7][it's]"),
        ("printf '[%s]' ${item.x:-${item.name}} ${item.x:-${unknown:-z}}", "[it's][z]"),
        ("printf '[%s]' ${item.x:-$((1+2))} \"${item.x:-$(echo hi)}\"", "[3][hi]"),
        ("printf '[%s]' '${item.x:-${item.name}}'", "[it's]"),
        ("printf '[%s]' ${flags:-x}", "[-a][-b]"),
        ("printf '[%s]' ${item.id:-${nobody.y}}", "[7]"),
        ("cat <<E\n${item.x:-a b}\nE", "a b\n"),
        ("cat <<'E'\n${item.x:-a b} ${item.name:-x} $\nE", "a b it's $\n"),
        ("echo $((${item.x:-4} + ${item.id:-1}))", "11\n"),
    ] {
        prints(text, &scope(), printed.as_bytes());
    }
    let script = render("echo ${item.x:-y} ${unknown:-y}", &scope()).expect("script");
    assert_eq!(script.text, "echo y ${unknown:-y}");
}

#[test]
fn only_numbers_stand_in_arithmetic() {
    prints("echo $((${number} + ${item.id})) $((5-${negative}))", &scope(), b"15 8\n");
    prints("i=1; echo $((i + $(echo ${number} | sed s/0//)))", &scope(), b"9\n");
    prints("echo $( (echo ${item.name}) )", &scope(), b"it's\n");
    prints_in("bash", "((x = ${item.id} * 2)); echo $x", &scope(), b"14\n");
    prints_in("bash", "[[ ${item.id} -eq 7 ]] && echo yes", &scope(), b"yes\n");
    prints_in("bash", "a=(x y z); s=abcdef; echo ${s:${item.o.k[0]}:2}", &scope(), b"bc\n");
    for text in [
        "echo $((${file} + 1))",
        "echo \"$((${item.name}))\"",
        "((${file}))",
        "for ((i=0; i<${file}; i++)); do :; done",
        "[[ ${file} -eq 7 ]]",
        "[[ 7 -lt \"${file}\" ]]",
        "[[ -n x && 1 -ge '${file}' ]]",
        "echo ${a[${file}]}",
        "echo \"${s:${file}:2}\"",
        "a[${file}]=1",
        "let x=${file}",
        "echo $[${file}]",
        "echo $((${x:-${file}}))",
        "echo $((\"${file}\"))",
    ] {
        let error = render(text, &scope()).expect_err(text);
        assert!(error.message.contains("arithmetic"), "{text}: {error}");
    }
}

#[test]
fn only_names_stand_where_the_shell_evaluates_names() {
    let scope = scope()
        .with_data("var", "v1")
        .with_data("pair", "v2=a b")
        .with_data("bad", "a[$(touch hacked)]");
    prints("unset ${var}; export ${pair}; printf %s \"$v2\"", &scope, b"a b");
    prints("export y=${bad}; printf %s \"$y\"", &scope, b"a[$(touch hacked)]");
    prints_in(
        "bash",
        "printf -v ${var} %s ${bad}; printf %s \"$v1\"",
        &scope,
        b"a[$(touch hacked)]",
    );
    for text in [
        "unset ${bad}",
        "declare \"${bad}\"=1",
        "export ${bad}",
        "read ${bad} < /dev/null",
        "printf -v ${bad} x",
        "[ -v ${bad} ]",
        "test -v '${bad}'",
    ] {
        let error = render(text, &scope).expect_err(text);
        assert!(error.message.contains("name of a variable"), "{text}: {error}");
    }
    assert!(render("declare -i n=${bad}", &scope).expect_err("-i").message.contains("arithmetic"));
    assert!(render("[[ -v ${bad} ]]", &scope).is_err());
}

#[test]
fn empty_expansions_still_are_part_of_their_word() {
    let scope = scope().with_data("none", Vec::<Value>::new());
    prints("printf '[%s]' ${none}#'a'\nprintf '[%s]' ${item.x:-}#'b'", &scope, b"[#a][#b]");
    prints("set -u; printf '[%s]' x ${none} ${item.x:-} y", &scope, b"[x][y]");
    prints("echo ${item.x:-2}>f; cat f", &scope, b"2\n");
}

#[test]
fn here_documents_nest() {
    for (text, printed) in [
        ("x=\"$(cat <<E\n${item.name} \"q\"\nE\n)\"; printf %s \"$x\"", "it's \"q\""),
        ("x=\"$(cat <<'E'\n${item.name} $y\nE\n)\"; printf %s \"$x\" ${item.name}", "it's $yit's"),
        (
            "cat <<A; cat <<'B'\n${item.name} $(cat <<C\n${file}\nC\n)\nA\n$x ${item.name}\nB\nprintf %s ${item.name}",
            "it's my file; $(touch hacked).txt\n$x it's\nit's",
        ),
        ("(cat <<E\n${item.name}\nE\n) | tr a-z A-Z", "IT'S\n"),
        ("x=`cat <<'E'\n${item.name} \\\\$y\nE\n`; printf %s \"$x\"", "it's \\$y"),
        (
            "case a in a) cat <<E\n${item.name}\nE\n;; b) ;; esac; printf %s ${item.name}",
            "it's\nit's",
        ),
        ("cat <<E 2>&1 | cat; printf %s \"${item.name}\"\nx'\nE\n", "x'\nit's"),
    ] {
        prints(text, &scope(), printed.as_bytes());
    }
}

#[test]
fn a_literal_dollar_stays_one() {
    prints(
        r#"echo \${file} "\${file}" '\${file}' $${file} "$${file}" '$${file}'"#,
        &scope(),
        b"${file} ${file} ${file} ${file} ${file} ${file}\n",
    );
    prints("cat <<E\n\\${file} $${file}\nE", &scope(), b"${file} ${file}\n");
    prints(
        "cat <<'E'\n\\${file} $${file} ${item.id} \\${HOME} $x\nE",
        &scope(),
        b"${file} ${file} 7 \\${HOME} $x\n",
    );
    prints("cat <<'E'\n$${file} \\\\ $HOME `x`\nE", &scope(), b"${file} \\\\ $HOME `x`\n");
    untouched("perl -e 'print \"\\${foo}\"'", &scope());
    prints(r#"printf %s \\${item.id}"#, &scope(), b"\\7");
    prints(r#"printf %s "\\${item.id}""#, &scope(), b"\\7");
}

#[test]
fn the_argument_is_data() {
    let scope = scope().with_data("ARG", "a;b 'c'");
    prints(
        "printf '[%s]' $ARG ${ARG} \"$ARG\" '$ARG' x$ARG",
        &scope,
        b"[a;b 'c'][a;b 'c'][a;b 'c'][a;b 'c'][xa;b 'c']",
    );
    untouched("echo $ARG ${ARG} $ARGS", &self::scope());
    untouched("echo \\$ARG", &self::scope());
}

#[test]
fn errors_come_before_anything_runs() {
    let error = render("echo ${itme.name}", &scope()).expect_err("an unknown name");
    assert_eq!(error.help.as_deref(), Some("did you mean `item`?"));
    let error = render("echo ${x}", &value_of(b"a\0b")).expect_err("NUL");
    assert!(error.message.contains("NUL byte (byte 1)"), "{error}");
    assert!(render("cat <<${file}\nx\n", &scope()).is_err());
    assert!(render("echo a # ${itme.name}", &scope()).is_ok(), "a comment");
}

proptest::proptest! {
    #[test]
    fn any_command_without_our_holes_is_left_alone(text in "[a-c $'\"`(){}\\[\\]<>;&|#=\n\\\\!*-]{0,60}") {
        if let Ok(shell) = ShellText::parse(&text)
            && shell.uses().iter().all(|used| !matches!(used.form, Form::Shell { certain: true, .. }))
            && !text.contains("$${")
        {
            let script = shell.render(&Sample::default(), Dialect::Posix).expect("no holes");
            proptest::prop_assert_eq!(script.text, text);
        }
    }

    #[test]
    fn no_command_panics(text in "[ab $'\"`(){}.:|\\[\\]<>;&#=\n\\\\!-]{0,60}") {
        if let Ok(shell) = ShellText::parse(&text) {
            let scope = Sample::default().with_data("a", "x y").with("b", "'", Origin::Authored);
            let _ = shell.render(&scope, Dialect::Posix);
            let _ = shell.render(&scope, Dialect::Other);
            let _ = shell.uses();
        }
    }
}

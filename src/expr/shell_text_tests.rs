//! Tests of shell commands with holes: every value is run through real shells.

use std::{
    os::unix::ffi::OsStrExt,
    process::{Command, Output, Stdio},
};

use proptest::prelude::*;

use super::*;
use crate::expr::{Form, Origin, Quoting, Value, sample::Sample};

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

/// Commands that print exactly the value of `x.v`.
const PLACES: [&str; 34] = [
    "printf %s ${x.v}",
    "printf %s \"${x.v}\"",
    "printf %s '${x.v}'",
    "printf '%s' ''\"\"${x.v}''",
    "printf %s \"$(printf %s ${x.v}; printf x)\" | head -c -1",
    "printf %s \"$(printf %s \"${x.v}\"; printf x)\" | head -c -1",
    "printf %s \"$(printf %s '${x.v}'; printf x)\" | head -c -1",
    "printf %s \"`printf %s ${x.v}; printf x`\" | head -c -1",
    "printf %s \"`printf %s '${x.v}'; printf x`\" | head -c -1",
    "printf %s \"`printf %s \\\"${x.v}\\\"; printf x`\" | head -c -1",
    "y=`printf %s \"${x.v}\"; printf x`; printf %s \"${y%x}\"",
    "y=`printf %s \\`printf %s X\\` >/dev/null; printf %s ${x.v}; printf x`; printf %s \"${y%x}\"",
    "cat <<EOF | head -c -1\n${x.v}\nEOF",
    "cat <<'EOF' | head -c -1\n${x.v}\nEOF",
    "cat <<\"E O F\" | head -c -1\n${x.v}\nE O F\n",
    "cat <<\\EOF | head -c -1\n${x.v}\nEOF\n",
    "cat <<-EOF | head -c -1\n\t\t${x.v}\n\tEOF\n",
    "cat <<-'EOF' | head -c -1\n\t\t${x.v}\n\tEOF\nprintf ''",
    "# it's ${x.v} `\nprintf %s ${x.v} # \" ${x.v}",
    "case ${x.v} in ${x.v}) printf %s \"${x.v}\";; *) echo no;; esac",
    "y=$(case a in a) printf %s ${x.v};; esac; printf x); printf %s \"${y%x}\"",
    "y=${x.v}; printf %s \"$y\"",
    "y=a${x.v}b; y=${y#a}; printf %s \"${y%b}\"",
    "set -- a ${x.v} b; test $# = 3 && printf %s \"$2\"",
    "f() { printf %s \"$1\"; }; f ${x.v}",
    "if [ ${x.v} = \"${x.v}\" ]; then printf %s ${x.v}; fi",
    "for i in ${x.v}; do printf %s \"$i\"; done",
    "( printf %s ${x.v} )",
    "{ printf %s ${x.v}; }",
    "unset u; printf %s ${u:-${x.v}}",
    "unset u; printf %s \"${u:-${x.v}}\"",
    "printf %s \"${x.nope:-${x.v}}\"",
    "printf %s ${x.v:-de\"fa}\"ult}",
    "u=a${x.v}b; v=\"${u#\"a${x.v}\"}\"; test \"$v\" = b && printf %s \"${x.v:-it's}\"",
];

/// The same for what only bash knows.
const BASH_PLACES: [&str; 8] = [
    "[[ ${x.v} == ${x.v} ]] && printf %s ${x.v}",
    "[[ x${x.v} =~ x${x.v} ]] && printf %s \"${x.v}\"",
    "printf %s $'${x.v}'",
    "printf '%s%s' $'\\'' $'\\'${x.v}' | tail -c +3",
    "a=(${x.v} b); [ ${#a[@]} = 2 ] && printf %s \"${a[0]}\"",
    "cat <<< ${x.v} | head -c -1",
    "cat <(printf %s ${x.v})",
    "u=a${x.v}b; v=${u/a${x.v}/}; [ \"$v\" = b ] && printf %s ${x.v}",
];

const HOSTILE: [&[u8]; 36] = [
    b"",
    b"plain",
    b" two  words ",
    b"$(touch hacked)",
    b"`touch hacked`",
    b"'; touch hacked; '",
    b"\"; touch hacked; \"",
    b"'\"'\"'",
    b"$HOME ${HOME} $$ $1 $((1+1)) ${x.v}",
    b"a\nb\n\nc",
    b"\n",
    b"trailing\n\n\n",
    b"-n",
    b"-rf",
    b"--help",
    b"*",
    b"[a-z]* ? {a,b} ~ ~root",
    b"\\",
    b"\\\\ \\n \\' \\\" \\$ \\`",
    b"a\\\nb",
    b"EOF",
    b"E O F",
    b"\nEOF\ntouch hacked\n",
    b"PRODIGY_END_1",
    b"!! !x",
    b"; & | < > ( ) # =",
    "ä ö 漢字 🦀 \u{200b}\u{202e}".as_bytes(),
    b"\xff\xfe\x80\x81\x82\x83\x84\x85\x86\x87\x88",
    b"\xc3\x28 \xe2\x82",
    b"\x01\x02\x03\x07\x08\x1b[31m\x7f\x0b\x0c\r\n",
    b"\t\ttabs\n\ttabs",
    b"%s %d %n \\033",
    b"}",
    b"${",
    b")) ]] esac done",
    b"a[$(touch hacked)]",
];

fn value_scope(value: &[u8]) -> Sample {
    let fields = [("v".to_owned(), Value::text(value.to_vec()))].into_iter().collect();
    Sample::default().with_data("x", Value::Object(fields))
}

/// Whether the shell itself can be trusted with the value in this place: a test that a value is
/// itself goes wrong when the value reads as an operator of `[`.
fn fits(place: &str, value: &[u8]) -> bool {
    let operator = value.starts_with(b"-") || matches!(value, b"!" | b"(" | b")" | b"=" | b"!=");
    let for_nothing = place.contains("[ ${x.v}") && operator;
    // An empty value counts as missing, so the default takes its place.
    let default = (place.contains("${x.v:-") || place.contains("=~")) && value.is_empty();
    !for_nothing && !default
}

/// What goes wrong with a value in the places that fit, by shell.
fn failures(value: &[u8]) -> Vec<String> {
    let scope = value_scope(value);
    let mut failures = Vec::new();
    for (shell, places) in [("sh", &PLACES[..]), ("bash", &PLACES[..]), ("bash", &BASH_PLACES[..])]
    {
        for place in places.iter().filter(|place| fits(place, value)) {
            let script = render(place, &scope).unwrap_or_else(|error| panic!("{place}: {error}"));
            let output = run(shell, &script);
            if output.stdout != value || !output.status.success() {
                failures.push(format!(
                    "{shell}: {place:?} with {:?}\n  script {:?}\n  stdout {:?}\n  stderr {:?}",
                    String::from_utf8_lossy(value),
                    script.text,
                    String::from_utf8_lossy(&output.stdout),
                    String::from_utf8_lossy(&output.stderr)
                ));
            }
        }
    }
    failures
}

#[test]
fn hostile_values_arrive_as_they_are_everywhere() {
    let failures: Vec<String> = HOSTILE.iter().flat_map(|value| failures(value)).collect();
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}

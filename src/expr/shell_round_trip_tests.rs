//! Round trips: any value through real shells, in every place of a command, byte for byte.

use proptest::prelude::*;

use super::{render, run};
use crate::expr::{Value, sample::Sample};

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

/// What goes wrong with a value in the places that fit, by shell; only `every` n-th place is
/// tried, beginning with `first`.
fn failures(value: &[u8], first: usize, every: usize) -> Vec<String> {
    let scope = value_scope(value);
    let mut failures = Vec::new();
    for (shell, places) in [("sh", &PLACES[..]), ("bash", &PLACES[..]), ("bash", &BASH_PLACES[..])]
    {
        let places = places.iter().skip(first % every).step_by(every);
        for place in places.filter(|place| fits(place, value)) {
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

/// Everything is tried with this variable set; without it a part that is quick.
fn is_long() -> bool {
    std::env::var_os("PRODIGY_LONG_TESTS").is_some()
}

#[test]
fn hostile_values_arrive_as_they_are_everywhere() {
    let every = if is_long() { 1 } else { 5 };
    let failures: Vec<String> = HOSTILE
        .iter()
        .enumerate()
        .flat_map(|(number, value)| failures(value, number, every))
        .collect();
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}

fn any_value() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::sample::select(
            &[
                "$(", ")", "`", "'", "\"", "\\", "$", "${", "}", "\n", " ", "\t", "*", "?", "[",
                "]", "~", "-", "--", ";", "&", "|", "<", ">", "(", "#", "!", "=", "EOF", "\r",
                "%s", "a", "0", "ä", "漢", "🦀",
            ][..]
        )
        .prop_map(|text| text.as_bytes().to_vec()),
        any::<u8>().prop_map(|byte| vec![byte.max(1)]),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// Ways to stand inside of something else; `@` is the command.
const AROUND: [&str; 12] = [
    "{ @\n}",
    "( @\n)",
    "if true; then @\nfi",
    "case a in b) no;; (a) @\n;; esac",
    "for i in 1; do @\ndone",
    "f() { @\n}; f",
    "y=$( @\nprintf x)\nprintf %s \"${y%x}\"",
    "y=\"$(case 1 in 1) @\nprintf x;; esac)\"; printf %s \"${y%x}\"",
    "printf %s \"$(\n@\nprintf x)\" | head -c -1",
    "cat <<E1 | head -c -2\n$( @\nprintf x)\nE1\n",
    "while :; do @\nbreak; done # it's ${x.v}",
    "true && ! false && { @\n} || no 'a' \"b\"",
];

fn any_command() -> impl Strategy<Value = String> {
    let around = prop::collection::vec(prop::sample::select(&AROUND[..]), 0..4);
    (prop::sample::select(&PLACES[..]), around).prop_map(|(place, around)| {
        around.into_iter().enumerate().fold(place.to_owned(), |command, (level, around)| {
            around.replace("E1", &format!("LEVEL{level}")).replace('@', &command)
        })
    })
}

fn cases() -> ProptestConfig {
    let cases = if is_long() { 2_000 } else { 64 };
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn any_value_arrives_as_it_is(value in any_value(), first in 0_usize..12) {
        let failures = failures(&value, first, 12);
        prop_assert!(failures.is_empty(), "{}", failures.join("\n"));
    }

    #[test]
    fn any_value_arrives_in_nested_commands(value in any_value(), command in any_command()) {
        prop_assume!(fits(&command, &value));
        let script = render(&command, &value_scope(&value)).expect("a script");
        for shell in ["sh", "bash"] {
            let output = run(shell, &script);
            prop_assert!(
                output.stdout == value,
                "{shell}: {command}\nscript: {}\nstdout: {:?}\nstderr: {}",
                script.text,
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            );
        }
    }
}

//! Files as a whole: YAML that is legal but odd, limits, encodings, speed.

use std::path::Path;
use std::time::{Duration, Instant};

use super::{found, refuses, says, steps, workflow};
use crate::playbook::{LoadError, load};

#[test]
fn anchors_and_merge_keys_work() {
    let steps = steps(
        "commands:
  - &base {shell: a, timeout: 5}
  - *base
  - {<<: *base, shell: b}
  - {<<: [{timeout: 9}, *base], shell: c}
",
    );
    assert_eq!(steps[1].timeout, steps[0].timeout);
    assert_eq!(steps[2].timeout, steps[0].timeout);
    assert_ne!(steps[3].timeout, steps[0].timeout);
    refuses("- &a [*a]\n", "1:7 an anchor cannot stand inside itself");
    refuses("- {<<: 5, shell: a}\n", "1:4 `<<` needs a mapping, or a list of mappings");
    // What stands at an anchor is reported once, however often it is used.
    refuses("- &a {shell: a, tiemout: 5}\n- *a\n", "1:17 unknown key `tiemout` in a step");
}

#[test]
fn a_key_is_given_once() {
    says(
        "name: a\ncommands: [x]\nname: b\n",
        &["3:1 `name` is already given on line 1 (keep one of the two)"],
    );
}

#[test]
fn a_file_holds_one_document() {
    refuses("- a\n---\n- b\n", "2:1 a file holds one YAML document");
    assert_eq!(steps("%YAML 1.2\n---\n- a\n...\n").len(), 1);
    for empty in ["", "# nothing\n", "---\n"] {
        let problems = found(empty);
        assert_eq!(problems.len(), 1, "{empty:?} {problems:?}");
        assert_eq!(problems[0].severity, crate::playbook::Severity::Error);
    }
}

#[test]
fn byte_order_marks_and_carriage_returns_are_accepted() {
    assert_eq!(
        workflow("\u{feff}name: a\r\ncommands:\r\n  - shell: |\r\n      b\r\n      c\r\n").name,
        "a"
    );
}

#[test]
fn broken_yaml_says_where() {
    let problems = found("commands:\n  - shell: \"a\n");
    assert_eq!(problems.len(), 1);
    assert!(problems[0].message.starts_with("this is not valid YAML"), "{problems:?}");
    refuses("? [a]\n: b\n", "1:3 a key must be text");
    refuses("- shell: !include a\n", "1:10 the tag `!include` does not fit here");
    assert_eq!(steps("- shell: !!str 5\n").len(), 1);
}

#[test]
fn places_inside_folded_and_escaped_texts_are_exact() {
    says_places(
        r#"
- claude: >
    first line
    of ${one} text

    and ${two}
- claude: "say \"hi\" to ${three}"
- claude: 'it''s ${four}'
- claude: plain over
    lines ${five}
- {claude: "a\tb ${six}", when: "${seven}"}
- claude: >-  # note |
    folded ${eight}
"#,
    );
}

/// Every unknown name is pointed at where it stands in the file.
#[track_caller]
fn says_places(text: &str) {
    let problems = found(text);
    let names = text.matches("${").count();
    assert_eq!(problems.len(), names, "{problems:#?}");
    for problem in problems {
        let name = problem.message.strip_prefix("unknown name `").unwrap().trim_end_matches('`');
        let line = text.lines().nth(problem.at.line - 1).unwrap_or_default();
        let pointed: String =
            line.chars().skip(problem.at.column - 1).take(problem.length).collect();
        assert_eq!(pointed, name, "{}: {line}", problem.at);
    }
}

#[test]
fn deep_nesting_is_refused() {
    let deep = format!("variables: {{a: {}{}}}\ncommands: [x]\n", "[".repeat(80), "]".repeat(80));
    assert!(found(&deep)[0].message.contains("nested deeper than 64"), "{:?}", found(&deep));
    let block: String =
        (0..100_000).map(|depth| format!("{}a:\n", " ".repeat(depth % 200))).collect();
    assert!(!found(&block).is_empty());
}

#[test]
fn alias_bombs_are_refused_quickly() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..40 {
        let below = format!("*a{}", level - 1);
        bomb.push_str(&format!("a{level}: &a{level} [{}]\n", [below.as_str(); 9].join(", ")));
    }
    let started = Instant::now();
    let problems = found(&bomb);
    assert!(problems[0].message.contains("expand to more than 10 MB"), "{problems:?}");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[test]
fn what_is_no_text_is_refused_clearly() {
    let directory = tempfile::tempdir().unwrap();
    let refusal = |name: &str, bytes: &[u8]| {
        let file = directory.path().join(name);
        std::fs::write(&file, bytes).unwrap();
        match load(&file) {
            Err(LoadError::Problems(problems, _)) => problems[0].message.clone(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refusal("a.yml", b"\xff\xfea\0b\0"), "the file is UTF-16");
    assert_eq!(refusal("b.yml", b"a\0b\0"), "the file is binary or UTF-16");
    assert_eq!(refusal("c.yml", b"name: caf\xe9\n"), "the file is not UTF-8 text");
    assert_eq!(refusal("d.yml", &vec![b'#'; (10 << 20) + 1]), "the file is larger than 10 MB");
    assert!(matches!(load(directory.path()), Err(LoadError::Read(..))));
    assert!(matches!(load(Path::new("/nowhere/flow.yml")), Err(LoadError::Read(..))));
}

#[test]
fn no_text_makes_the_reader_panic() {
    let file = "name: a\ncommands:\n  - shell: |\n      echo ${a | b}\n    on_failure: {handlers: [{when: 'x ==', shell: b}]}\n  - foreach: {items: [1, \"é${\"], do: [a]}\n";
    for (start, _) in file.char_indices() {
        found(&file[..start]);
        found(&file[start..]);
        for broken in ["\"", "{", "- ", ": ", "\t", "\n", "&a ", "*a", "|", "é"] {
            found(&format!("{}{broken}{}", &file[..start], &file[start..]));
        }
    }
}

//! The command line as a person or a script meets it: help, usage errors, exit codes, streams.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    dead_code,
    missing_docs,
    reason = "a test ends where something is not as it must be; each uses its part of support"
)]

mod support;

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use support::{Ran, Sandbox};

/// Every command that can be typed, as `prodigy --help` and the helps below it tell.
fn commands(sandbox: &Sandbox) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut open = vec![Vec::new()];
    while let Some(words) = open.pop() {
        let mut arguments: Vec<String> = words.clone();
        arguments.push("--help".to_owned());
        let help = sandbox.run(&arguments).exits(0);
        assert_eq!(help.stderr, "", "{arguments:?}");
        let listed = help.stdout.split("\nCommands:\n").nth(1).unwrap_or_default();
        let listed = listed.lines().take_while(|line| !line.is_empty());
        let names: Vec<String> =
            listed.filter_map(|line| Some(line.split_whitespace().next()?.to_owned())).collect();
        if names.is_empty() {
            found.push(words);
            continue;
        }
        for name in names {
            let mut inner = words.clone();
            inner.push(name);
            open.push(inner);
        }
    }
    found
}

#[test]
fn every_command_explains_itself() {
    let sandbox = Sandbox::new();
    let commands = commands(&sandbox);
    assert!(commands.contains(&vec!["checkpoints".to_owned(), "list".to_owned()]), "{commands:?}");
    assert!(commands.len() >= 20, "{commands:?}");
    for mut words in commands {
        words.push("--help".to_owned());
        let help = sandbox.run(&words).exits(0).stdout;
        assert!(help.contains("Examples:"), "{words:?}: {help}");
        assert!(help.contains("Usage: prodigy"), "{words:?}: {help}");
    }
    assert!(!sandbox.state().exists(), "help touches no state");
}

#[test]
fn the_committed_reference_is_the_printed_one() {
    let printed = Sandbox::new().run(&["docs"]).exits(0).stdout;
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/cli.md");
    let committed = std::fs::read_to_string(path).unwrap();
    assert!(printed == committed, "docs/cli.md is old: prodigy docs > docs/cli.md");
}

#[test]
fn a_misspelt_command_is_answered_with_the_nearest() {
    let sandbox = Sandbox::new();
    let ran = sandbox.run(&["cok", "a.yaml"]).exits(2);
    assert_eq!(ran.stdout, "");
    assert!(ran.stderr.contains("'cook'"), "{}", ran.stderr);
    assert!(ran.stderr.ends_with("\nhelp: prodigy --help\n"), "{}", ran.stderr);
    let ran = sandbox.run(&["checkpoints", "show", "--jsno", "x"]).exits(2);
    assert!(ran.stderr.contains("'--json'"), "{}", ran.stderr);
    assert!(ran.stderr.ends_with("\nhelp: prodigy checkpoints show --help\n"), "{}", ran.stderr);
    sandbox.run(&[""; 0]).exits(2);
}

#[test]
fn every_error_is_told_once() {
    let sandbox = Sandbox::new();
    let errors = |ran: &Ran| ran.stderr.lines().filter(|line| line.starts_with("error")).count();
    for arguments in [["init", "no/such/place.yaml"], ["validate", "absent.yaml"]] {
        let ran = sandbox.run(&arguments).exits(3);
        assert_eq!(errors(&ran), 1, "{ran:#?}");
        assert_eq!(ran.stderr.matches("No such file").count(), 1, "{ran:#?}");
        assert_eq!(ran.stdout, "");
    }
}

#[test]
fn completions_and_man_pages_come_from_the_same_table() {
    let sandbox = Sandbox::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = sandbox.run(&["completions", shell]).exits(0).stdout;
        assert!(script.contains("checkpoints") && script.contains("simulate-failure"), "{shell}");
    }
    assert!(sandbox.run(&["man"]).exits(0).stdout.contains(".TH prodigy 1"));
    let page = sandbox.run(&["man", "checkpoints", "clean"]).exits(0).stdout;
    assert!(page.contains("older\\-than"), "{page}");
    sandbox.run(&["man", "nonsense"]).exits(2);
}

#[test]
fn an_example_is_written_once_and_is_valid() {
    let sandbox = Sandbox::new();
    let ran = sandbox.run(&["init", "my flow.yaml"]).exits(0);
    assert!(ran.stdout.contains("prodigy cook 'my flow.yaml'"), "{}", ran.stdout);
    let written = sandbox.read("my flow.yaml");
    sandbox.run(&["init", "my flow.yaml"]).exits(2);
    assert_eq!(sandbox.read("my flow.yaml"), written);
    let ran = sandbox.run(&["validate", "my flow.yaml"]).exits(0);
    assert_eq!(ran.stderr, "", "the example has no warnings");
}

#[test]
fn problems_are_told_on_stderr_and_as_json_on_stdout() {
    let sandbox = Sandbox::new();
    sandbox.write("good.yaml", "commands:\n  - shell: echo hi\n");
    sandbox.write("bad.yaml", "commands:\n  - shel: echo hi\n");
    let ran = sandbox.run(&["validate", "good.yaml"]).exits(0);
    assert!(ran.stdout.contains("good.yaml: ok") && ran.stderr.is_empty(), "{ran:#?}");
    let ran = sandbox.run(&["validate", "good.yaml", "bad.yaml"]).exits(2);
    assert!(ran.stderr.contains("bad.yaml:2:5") && ran.stderr.contains("shell"), "{ran:#?}");
    let ran = sandbox.run(&["validate", "--json", "good.yaml", "bad.yaml"]).exits(2);
    assert_eq!(ran.json().as_array().map(Vec::len), Some(1), "{ran:#?}");
    assert_eq!(ran.stderr, "");
    sandbox.run(&["validate", "bad.yaml", "absent.yaml"]).exits(3);
    sandbox.run(&["-C", "nowhere", "validate", "good.yaml"]).exits(3);
    std::fs::create_dir(sandbox.directory().join("below")).unwrap();
    sandbox.run(&["-C", "below", "validate", "../good.yaml"]).exits(0);
}

#[test]
fn the_schema_is_json_that_knows_the_keys() {
    let sandbox = Sandbox::new();
    let schema = sandbox.run(&["schema"]).exits(0);
    assert!(schema.json().to_string().contains("goal_seek"));
    sandbox.run(&["schema", "-o", "workflow.schema.json"]).exits(0);
    assert_eq!(sandbox.read("workflow.schema.json"), schema.stdout);
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let sandbox = Sandbox::new();
    let mut child = sandbox.command(&["docs"]).spawn().unwrap();
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    let mut first = String::new();
    reader.read_line(&mut first).unwrap();
    drop(reader);
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!(ran.exits(0).stderr, "");
    // A pipe that nobody ever reads: the first write already fails.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let ran = sandbox.command(&["docs"]).stdout(Stdio::from(writer)).output().unwrap();
    assert_eq!(Ran::of(ran).exits(0).stderr, "");
}

#[test]
fn output_that_cannot_be_written_is_an_error() {
    let sandbox = Sandbox::new();
    let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") else {
        println!("skipped: no /dev/full here");
        return;
    };
    let ran = sandbox.command(&["docs"]).stdout(full).output().unwrap();
    let ran = Ran::of(ran).exits(1);
    assert!(ran.stderr.contains("cannot write to standard output"), "{}", ran.stderr);
}

#[test]
fn colour_is_only_for_those_who_want_it() {
    let sandbox = Sandbox::new();
    assert!(!sandbox.run(&["--help"]).stdout.contains('\u{1b}'));
    assert!(sandbox.run(&["--help", "--color", "always"]).stdout.contains('\u{1b}'));
    let forced = |name: &str, value: &str, arguments: &[&str]| {
        let ran = sandbox.command(arguments).env(name, value).output().unwrap();
        Ran::of(ran).stderr.contains('\u{1b}')
    };
    assert!(forced("CLICOLOR_FORCE", "1", &["validate", "absent.yaml"]));
    assert!(!forced("CLICOLOR_FORCE", "0", &["validate", "absent.yaml"]));
    assert!(!forced("CLICOLOR_FORCE", "1", &["--color=never", "validate", "absent.yaml"]));
    assert!(!forced("NO_COLOR", "1", &["validate", "absent.yaml"]));
    assert!(forced("NO_COLOR", "1", &["--color=always", "validate", "absent.yaml"]));
}

#[test]
fn the_name_of_a_step_is_shown_beside_what_it_runs() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "flow.yaml",
        "commands:\n  - {id: v, shell: echo 7}\n  - {name: 'Ship ${v.output}', shell: 'echo shipped'}\n",
    );
    let rehearsed = sandbox.run(&["cook", "flow.yaml", "--dry-run"]).exits(0).stdout;
    assert!(rehearsed.contains("Ship ${v.output} - shell: echo shipped"), "{rehearsed}");
    let ran = sandbox.run(&["cook", "flow.yaml"]).exits(0);
    let lines = |word: &str| {
        ran.stdout.lines().chain(ran.stderr.lines()).any(|line| {
            line.starts_with(word) && line.contains("Ship 7 - ") && line.contains("echo shipped")
        })
    };
    assert!(lines("running") && lines("done"), "{ran:#?}");
    let shown = sandbox.run(&["checkpoints", "show", "flow"]).exits(0).stdout;
    assert!(shown.contains("Ship 7 - "), "{shown}");
    let events = sandbox.run(&["events", "ls"]).exits(0).stdout;
    assert!(events.contains("attempt 1: Ship 7 - "), "{events}");
}

#[test]
fn validate_warns_where_a_program_reads_outside_data_as_code() {
    let sandbox = Sandbox::new();
    let warned = [
        ("eval ${p}", "eval"),
        ("if true; then eval \"echo ${p}\"; fi", "eval"),
        ("sh -c \"echo ${p}\"", "sh -c"),
        ("bash -euo pipefail -c 'echo ${p}'", "bash -c"),
        ("sudo -u root bash -lc ${p}", "bash -lc"),
        ("ls | xargs -n1 sh -c \"echo ${p}\"", "sh -c"),
        ("ssh -p 22 host \"ls ${p}\"", "ssh"),
        ("out=$(ssh host ls ${p})", "ssh"),
        ("awk -F: \"/${p}/\" file", "awk"),
        ("python3 -c \"print('${p}')\"", "python3 -c"),
        ("sh <<EOF\n      echo ${p}\n      EOF", "sh"),
        ("cat <<EOF | ssh host\n      echo ${p}\n      EOF", "ssh"),
        ("cat <<-EOF | sudo bash 2> log\n      echo ${p}\n      EOF", "bash"),
        ("python3 - <<EOF\n      print('${p}')\n      EOF", "python3"),
    ];
    let fine = [
        "sh -c 'echo \"$1\"' sh ${p}",
        "sh -c \"echo ${p | quote}\"",
        "sh -c \"echo ${n} ${flags}\"",
        "bash script.sh ${p}",
        "ssh ${p} ls",
        "awk -v name=${p} '{print name}' ${p}",
        "python3 -c 'import sys' ${p}",
        "cat <<EOF >file; sh file\n      ${p}\n      EOF",
        "sh script.sh <<EOF\n      ${p}\n      EOF",
        "ssh host 'cat >file' <<EOF\n      ${p}\n      EOF",
        "sh <<EOF\n      echo ${p | quote}\n      EOF",
        "echo \"sh -c ${p}\"; bash -c \"$(cat ${p})\"",
    ];
    let top =
        "parameters: {p: {type: string}, n: {type: number}}\nvariables: {flags: -x}\ncommands:\n";
    let flow = |command: &str| format!("{top}  - shell: |\n      {command}\n");
    for (command, program) in warned {
        sandbox.write("flow.yaml", &flow(command));
        let ran = sandbox.run(&["validate", "flow.yaml"]).exits(0);
        let (line, start) = match command.split_once('\n') {
            Some((_, next)) => (6, next.find("${p}").unwrap() - 6),
            None => (5, command.find("${p}").unwrap()),
        };
        let column = 9 + start;
        let message = format!("warning: `p` is data, and `{program}` reads it as code once more");
        assert!(ran.stderr.contains(&message), "{command}: {ran:#?}");
        assert!(
            ran.stderr.contains(&format!("flow.yaml:{line}:{column}\n")),
            "{command}: {ran:#?}"
        );
        assert!(ran.stderr.contains("help: "), "{command}: {ran:#?}");
    }
    for command in fine {
        sandbox.write("flow.yaml", &flow(command));
        let ran = sandbox.run(&["validate", "flow.yaml"]).exits(0);
        assert!(!ran.stderr.contains("as code"), "{command}: {ran:#?}");
    }
}

//! Every file of `examples/` does what its head says: it is valid without warnings, runs offline and
//! ends with the code of its line `# exit: N` (0 without one; `killed` when it kills Prodigy itself).

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

use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};

use support::{Ran, Sandbox};

/// A working directory with a copy of `examples/`.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    let copy = sandbox.directory().join("examples");
    std::fs::create_dir(&copy).unwrap();
    for path in examples() {
        std::fs::copy(&path, copy.join(path.file_name().unwrap())).unwrap();
    }
    sandbox
}

fn examples() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// The workflows, as a person in the working directory names them, with their text.
fn workflows() -> Vec<(String, String)> {
    examples()
        .iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .map(|path| {
            let name = format!("examples/{}", path.file_name().unwrap().to_str().unwrap());
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect()
}

#[test]
fn every_example_ends_as_its_head_says() {
    let workflows = workflows();
    assert!(workflows.len() >= 10, "{workflows:?}");
    std::thread::scope(|scope| {
        for (name, text) in &workflows {
            scope.spawn(move || run(name, text));
        }
    });
}

fn run(name: &str, text: &str) {
    let sandbox = sandbox();
    let checked = sandbox.run(&["validate", name]).exits(0);
    assert_eq!(checked.stderr, "", "{name} has warnings");
    let mut arguments = vec!["cook", name];
    if text.contains("\n  pause:\n") {
        arguments.extend(["--param", "pause=0"]); // slow for people only
    }
    let output = sandbox.command(&arguments).output().unwrap();
    let wanted = text.lines().find_map(|line| line.strip_prefix("# exit: ")).unwrap_or("0");
    if wanted == "killed" {
        assert_eq!(output.status.signal(), Some(9), "{name}: {output:?}");
    } else {
        let code = wanted.parse().unwrap();
        let ran = Ran::of(output);
        assert_eq!(ran.code, Some(code), "{name}: {ran:#?}");
    }
}

/// The heads show commands, one after the other; each can be typed as it is.
#[test]
fn heads_show_how_to_run_them() {
    for (name, text) in workflows() {
        let sandbox = sandbox();
        let head = text.lines().take_while(|line| line.starts_with('#'));
        let shown: Vec<&str> = head.filter_map(|line| line.strip_prefix("#   prodigy ")).collect();
        assert!(shown.iter().any(|line| line.starts_with(&format!("cook {name}"))), "{name}");
        for line in shown {
            let command = line.split("  ").next().unwrap();
            let mut words = shlex::split(command).unwrap();
            if words[0] == "cook" && text.contains("\n  pause:\n") {
                words.extend(["--param", "pause=0"].map(str::to_owned));
            }
            let output = sandbox.command(&words).output().unwrap();
            assert!(!matches!(output.status.code(), Some(2..=5)), "{name}: {command}: {output:?}");
        }
    }
}

#[test]
fn the_variants_in_the_heads_do_what_they_say() {
    let sandbox = sandbox();
    sandbox.run(&["cook", "examples/compensation.yaml", "--param", "seats=1"]).exits(0);
    sandbox.run(&["cook", "examples/retry.yaml", "--inject", "2=exit:75,times:2"]).exits(0);
    let simulated = ["cook", "examples/handlers.yaml", "--dry-run", "--simulate-failure"];
    sandbox.run(&[&simulated[..], &["3=timeout"]].concat()).exits(0);
    sandbox.run(&["cook", "examples/stages.yaml", "-y"]).exits(0);
    let tour = ["cook", "examples/tour.yaml", "--param", "pause=0", "--param", "who=Ada"];
    sandbox.run(&tour).exits(0);
    assert_eq!(
        sandbox.read("example-output/report.txt"),
        "Hello, Ada.\nSettings: colour=blue (by a handler: true)\nSquares: [\"4\",\"9\",\"16\"]\n"
    );
}

#[test]
fn a_killed_example_goes_on_where_it_was() {
    let sandbox = sandbox();
    let killed = sandbox.command(&["cook", "examples/crash.yaml"]).output().unwrap();
    assert_eq!(killed.status.signal(), Some(9), "{killed:?}");
    assert_eq!(sandbox.read("example-output/crash.log"), "one\ntwo\nthree\n");
    sandbox.run(&["resume"]).exits(0);
    let log = sandbox.read("example-output/crash.log");
    assert_eq!(log, "one\ntwo\nthree\nthree\nfour, with 42\n");
    // It is over: nothing is left to resume, and nothing runs.
    sandbox.run(&["resume", "crash"]).exits(0);
    assert_eq!(sandbox.read("example-output/crash.log"), log);
}

#[test]
fn a_waiting_example_goes_on_with_the_answer() {
    let sandbox = sandbox();
    let waiting = sandbox.run(&["cook", "examples/stages.yaml"]).exits(6);
    assert!(waiting.stdout.contains("prodigy resume stages-"), "{waiting:#?}");
    sandbox.run(&["resume", "stages"]).exits(6);
    let ran = sandbox.run(&["resume", "stages", "-y", "-v"]).exits(0);
    assert!(ran.stdout.contains("deploy package-1.0 to production"), "{ran:#?}");
    assert!(!ran.stdout.contains("staging/1 |"), "{ran:#?}");
}

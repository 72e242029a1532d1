//! The journal of a rich session, cut after every record as a crash would leave it: the resume
//! does what is missing, all of it, and nothing that is recorded as finished.

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

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde_json::Value as Json;
use support::Sandbox;

/// Each command says its word with its address. What fails depends on the attempt alone, so that
/// nothing outside of the journal knows how far the session was.
const FLOW: &str = r#"
on_failure: ./say never
stages:
  - name: build
    commands:
      - {id: one, shell: ./say one && echo 1}
      - {id: two, shell: "./say two && [ $PRODIGY_ATTEMPT -gt 2 ] && echo 2", retry: {attempts: 4, initial_delay: 1ms}}
      - id: three
        shell: ./say three && [ $PRODIGY_ATTEMPT -gt 1 ] && echo 3
        on_failure: {commands: [{shell: ./say mend}, {shell: ./say mended}], max_attempts: 3}
      - {shell: "./say four && printf 'a b\n\n${one.output}${two.output}${three.output}'", capture_output: sum, checkpoint: summed}
      - {id: five, shell: "./say five; exit 9", on_failure: {shell: "./say repaired; echo ${error.exit_code}"}}
      - {shell: ./say lost; exit 1, continue_on_error: true}
      - {shell: ./say unwanted, when: "${two.output} == 7"}
      - {id: code, shell: "./say code; exit 75", on_exit_code: {75: {shell: ./say special}}}
      - {write_file: {path: written, content: "${sum}"}}
  - name: loops
    commands:
      - foreach: [a, b, c]
        do:
          - {shell: "./say in ${item}"}
          - {shell: "./say out ${item} && echo ${item}"}
        id: sequence
      - foreach: [e, f, g, h]
        parallel: 2
        do:
          - {shell: "./say side ${item} && echo ${item}"}
        id: side
  - name: again
    retry: {attempts: 4, initial_delay: 0}
    commands:
      - ./say first
      - ./say second && [ $PRODIGY_ATTEMPT -gt 1 ]
  - name: end
    commands:
      - {shell: "./say last && printf '%s|' ${sum} ${sequence.output | lines} ${side.output | lines} ${five.handler} > result", on_success: ./say cheer}
finally:
  - ./say "finally ${workflow.status}"
"#;

const SAY: &str = "#!/bin/sh\necho \"$PRODIGY_STEP $*\" >> words\n";
const RESULT: &str = "a b\n\n123|a|b|c|e|f|g|h|";

struct Recorded {
    sandbox: Sandbox,
    session: PathBuf,
    lines: Vec<String>,
    card: Json,
}

fn record() -> Recorded {
    use std::os::unix::fs::PermissionsExt as _;
    let sandbox = Sandbox::new();
    let say = sandbox.write("say", SAY);
    std::fs::set_permissions(say, std::fs::Permissions::from_mode(0o755)).unwrap();
    sandbox.write("flow.yaml", FLOW);
    sandbox.run(&["cook", "flow.yaml"]).exits(0);
    assert!(sandbox.read("result").starts_with(RESULT), "{}", sandbox.read("result"));
    let mut sessions = std::fs::read_dir(sandbox.state().join("sessions")).unwrap();
    let session = sessions.next().unwrap().unwrap().path();
    let journal = std::fs::read_to_string(session.join("journal.jsonl")).unwrap();
    let card = std::fs::read_to_string(session.join("session.json")).unwrap();
    Recorded {
        sandbox,
        session,
        lines: journal.split_inclusive('\n').map(str::to_owned).collect(),
        card: serde_json::from_str(&card).unwrap(),
    }
}

/// The addresses that need not run again after the events of these lines: their finish is there,
/// or the end of the only attempt they have.
fn finished(lines: &[String]) -> BTreeSet<String> {
    let mut finished = BTreeSet::new();
    for line in lines {
        let event = serde_json::from_str::<Json>(line).unwrap()["event"].take();
        if let Some(step) = event.get("step_finished") {
            finished.insert(step["address"].as_str().unwrap().to_owned());
        }
        if let Some(attempt) = event.get("attempt_finished") {
            let address = attempt["address"].as_str().unwrap();
            if !wavers(address) {
                finished.insert(address.to_owned());
            }
        }
        if let Some(rewound) = event.get("rewound") {
            let scope = rewound["scope"].as_str().unwrap();
            finished.retain(|address| {
                let below = address.strip_prefix(scope);
                !(scope.is_empty()
                    || below.is_some_and(|it| it.is_empty() || it.starts_with(['/', '.'])))
            });
        }
    }
    finished
}

/// How often each address said something.
fn said(sandbox: &Sandbox) -> BTreeMap<String, u32> {
    let text = std::fs::read_to_string(sandbox.directory().join("words")).unwrap_or_default();
    let mut said = BTreeMap::new();
    for line in text.lines() {
        *said.entry(line.split(' ').next().unwrap().to_owned()).or_default() += 1;
    }
    said
}

/// Steps that fail at first, and so may say their word more than once or need their handlers.
fn wavers(address: &str) -> bool {
    ["build/2", "build/3", "again/1", "again/2"].iter().any(|it| address.starts_with(it))
}

#[test]
fn a_journal_cut_after_any_record_is_resumed_to_the_same_end() {
    let recorded = record();
    let Recorded { sandbox, session, lines, card } = &recorded;
    let all = said(sandbox);
    assert!(lines.len() > 80, "{} records", lines.len());
    let long = std::env::var_os("PRODIGY_LONG_TESTS").is_some();
    let snapshots = sandbox.state().join("state/work/checkpoints");
    for cut in (1..=lines.len()).step_by(if long { 1 } else { 5 }) {
        let prefix = &lines[..cut];
        std::fs::write(session.join("journal.jsonl"), prefix.concat()).unwrap();
        let mut card = card.clone();
        card["status"] = "running".into();
        card["last_synced_seq"] = (cut / 2).into();
        std::fs::write(session.join("session.json"), card.to_string()).unwrap();
        let _ = std::fs::remove_dir_all(&snapshots);
        for file in ["words", "result", "written"] {
            let _ = std::fs::remove_file(sandbox.directory().join(file));
        }
        let done = finished(prefix);
        let over = prefix.iter().any(|line| line.contains("\"run_finished\""));
        let ran = sandbox.run(&["resume"]);
        let told = || format!("cut after record {cut}: {}{ran:#?}", prefix[cut - 1]);
        assert_eq!(ran.code, Some(0), "{}", told());
        assert_eq!(sandbox.status(), "completed_with_failures", "{}", told());
        let said = said(sandbox);
        if over {
            assert!(said.is_empty(), "{}", told());
            continue;
        }
        for (address, times) in &said {
            // The stage `again` runs once more as a whole.
            let repeated = done.contains(address) && !address.starts_with("again/");
            assert!(!repeated, "{address} was finished; {}", told());
            assert!(*times == 1 || wavers(address), "{address} {times} times; {}", told());
        }
        for address in all.keys().filter(|it| !wavers(it) && !it.starts_with("finally")) {
            assert!(
                done.contains(address) || said.contains_key(address),
                "{address} was lost; {}",
                told()
            );
        }
        for address in ["build/2", "build/3", "again/1", "again/2"] {
            assert!(done.contains(address) || said.contains_key(address), "{address}; {}", told());
        }
        let words = sandbox.read("words");
        let last = "finally completed_with_failures\n";
        assert_eq!(words.matches(last).count(), 1, "{words}{}", told());
        if !done.contains("end/1") {
            assert!(sandbox.read("result").starts_with(RESULT), "{}", told());
        }
        if !done.contains("build/9") {
            assert_eq!(sandbox.read("written"), "a b\n\n123", "{}", told());
        }
    }
}

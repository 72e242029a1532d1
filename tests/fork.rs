//! `sessions fork`: a new session from an old point, which leaves the old one alone; and sessions
//! with a map that move to another machine.

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

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use prodigy::session::EventKind;
use prodigy::store::JobFiles;
use serde_json::Value;
use support::agents::Agents;
use support::live::{Live, wait_until};
use support::past::Past;
use support::{Ran, Sandbox};

/// Forks and returns the new workflow id.
#[track_caller]
fn fork(sandbox: &Sandbox, id: &str, at: &str) -> String {
    let card = sandbox.run(&["sessions", "fork", id, "--at", at, "--json"]).exits(0).json();
    assert_eq!(card["status"], "interrupted", "{card:#}");
    card["workflow_id"].as_str().unwrap().to_owned()
}

fn only_id(sandbox: &Sandbox) -> String {
    let list = sandbox.run(&["sessions", "list", "--json"]).exits(0).json();
    assert_eq!(list.as_array().unwrap().len(), 1, "{list:#}");
    list[0]["workflow_id"].as_str().unwrap().to_owned()
}

/// All files below a directory with their contents.
fn tree(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut waiting = vec![root.to_owned()];
    while let Some(directory) = waiting.pop() {
        for entry in std::fs::read_dir(directory).unwrap().flatten() {
            match entry.file_type().unwrap().is_dir() {
                true => waiting.push(entry.path()),
                false => drop(files.insert(entry.path(), std::fs::read(entry.path()).unwrap())),
            }
        }
    }
    files
}

/// The files of a session and of its job.
fn files_of(sandbox: &Sandbox, id: &str) -> BTreeMap<PathBuf, Vec<u8>> {
    let shown = sandbox.run(&["sessions", "show", id, "--json"]).exits(0).json();
    let session = shown["session_id"].as_str().unwrap();
    let mut files = tree(&sandbox.state().join("sessions").join(session));
    let jobs = sandbox.state().join("state/work/mapreduce/jobs");
    if jobs.exists() {
        files.extend(
            tree(&jobs).into_iter().filter(|(path, _)| path.to_str().unwrap().contains(session)),
        );
    }
    files
}

const STEPS: &str = r#"
variables: {v: start}
commands:
  - {shell: "echo one >> words; echo ${v}-one", capture_output: v, checkpoint: first}
  - {shell: "echo two >> words; seq 1 20000; echo >&2 printed", id: two}
  - {shell: "echo three >> words; [ -e go ]"}
  - {shell: 'echo "four ${v} $(echo "${two.output}" | wc -l)" >> words'}
"#;

#[test]
fn failed_and_completed_sessions_are_forked_and_stay_as_they_are() {
    let sandbox = Sandbox::new();
    sandbox.write("flow.yaml", STEPS);
    sandbox.run(&["cook", "flow.yaml"]).exits(1);
    let old = only_id(&sandbox);
    for completed in [false, true] {
        if completed {
            sandbox.write("go", "");
            sandbox.run(&["resume", &old]).exits(0);
        }
        let before = files_of(&sandbox, &old);
        for (at, words) in [
            ("v1", "two three four start-one 20000"),
            ("first", "two three four start-one 20000"),
            ("v2", "three four start-one 20000"),
        ] {
            let new = fork(&sandbox, &old, at);
            assert_ne!(new, old);
            sandbox.write("words", "");
            sandbox.write("go", "");
            let shown = sandbox.run(&["sessions", "show", &new]).exits(0);
            assert!(shown.stdout.contains("forked from"), "{shown:#?}");
            let logs = sandbox.run(&["logs", &new, "--step", "1"]);
            assert_eq!((logs.code, &*logs.stdout), (Some(0), "start-one\n"), "{logs:#?}");
            sandbox.run(&["resume", &new]).exits(0);
            assert_eq!(sandbox.words("words"), words, "{at}");
            std::fs::remove_file(sandbox.directory().join("go")).unwrap();
        }
        assert_eq!(files_of(&sandbox, &old), before);
    }
    // Both go on by themselves: what one cleans away the other still has.
    let new = fork(&sandbox, &old, "v2");
    sandbox.run(&["checkpoints", "clean", "--workflow-id", &old, "--force"]).exits(0);
    sandbox.write("words", "");
    sandbox.write("go", "");
    sandbox.run(&["resume", &new]).exits(0);
    assert_eq!(sandbox.words("words"), "three four start-one 20000");
}

#[test]
fn an_interrupted_session_is_forked_while_it_runs() {
    let sandbox = Sandbox::new();
    let yaml = r#"
commands:
  - echo one >> words
  - 'echo "two $PRODIGY_SESSION_ID" >> words; [ -e go ] || { touch waiting; exec sleep 600; }'
  - echo three >> words
"#;
    sandbox.write("flow.yaml", yaml);
    let live = Live::start(sandbox.command(&["cook", "flow.yaml"]));
    wait_until("the second step", || sandbox.directory().join("waiting").exists());
    let old = only_id(&sandbox);
    let new = fork(&sandbox, &old, "v1");
    sandbox.write("words", "");
    sandbox.write("go", "");
    sandbox.run(&["resume", &new]).exits(0);
    let words = sandbox.words("words");
    assert!(words.starts_with("two session-") && words.ends_with(" three"), "{words}");
    // The old one runs as if nothing had been.
    let shown = sandbox.run(&["sessions", "show", &old, "--json"]).json();
    assert_eq!(shown["status"], "running", "{shown:#}");
    live.kill();
    sandbox.write("words", "");
    sandbox.run(&["resume", &old]).exits(0);
    assert!(sandbox.words("words").ends_with("three"));
}

#[test]
fn what_cannot_be_forked_is_told() {
    let sandbox = Sandbox::new();
    sandbox.write("flow.yaml", STEPS);
    sandbox.run(&["cook", "flow.yaml"]).exits(1);
    for (arguments, code, told) in [
        (&["flow", "--at", "v9"][..], 3, "no checkpoint"),
        (&["flow", "--at", "nothing"], 3, "no checkpoint"),
        (&["none", "--at", "v1"], 3, "no session"),
    ] {
        let ran = sandbox.run(&[&["sessions", "fork"][..], arguments].concat()).exits(code);
        assert!(ran.stderr.contains(told), "{ran:#?}");
    }
    only_id(&sandbox);
    let ran = sandbox.run(&["sessions", "fork", "flow"]).exits(0);
    assert!(
        ran.stdout.contains("at v3") && ran.stderr.contains("prodigy resume flow-"),
        "{ran:#?}"
    );
}

#[test]
fn a_fork_from_before_an_edit_goes_on_with_the_edited_workflow() {
    let sandbox = Sandbox::new();
    sandbox.write("flow.yaml", STEPS);
    sandbox.run(&["cook", "flow.yaml"]).exits(1);
    let edited = STEPS.replace("commands:\n", "commands:\n  - echo zero >> words\n");
    sandbox.write("flow.yaml", &edited);
    sandbox.write("go", "");
    let old = only_id(&sandbox);
    sandbox.run(&["resume", "--accept-changes"]).exits(0);
    let new = fork(&sandbox, &old, "v1");
    sandbox.write("words", "");
    sandbox.run(&["resume", &new]).exits(0);
    assert_eq!(sandbox.words("words"), "zero two three four start-one 20000");
}

const MAP: &str = r#"
mode: mapreduce
setup: ['seq 1 6 > items; echo setup >> words']
map:
  input: items
  max_parallel: 1
  checkpoint_frequency: 2
  agent_template:
    - shell: 'echo ${item} >> words; [ ${item} != 3 ] || [ -e three ] || exit 1; echo made-${item}'
error_policy: {max_failures: 1}
reduce:
  - 'echo "reduce ${map.successful}/${map.total}" >> words; cp "${map.results_file}" results.json'
"#;

fn outputs(sandbox: &Sandbox) -> Vec<String> {
    let results: Value = serde_json::from_str(&sandbox.read("results.json")).unwrap();
    let output = |it: &Value| it["output"].as_str().unwrap_or_default().to_owned();
    results.as_array().unwrap().iter().map(output).collect()
}

#[test]
fn a_map_is_forked_with_its_items_and_results() {
    let sandbox = Sandbox::new();
    sandbox.write("flow.yaml", MAP);
    sandbox.run(&["cook", "flow.yaml"]).exits(0);
    assert_eq!(sandbox.words("words"), "setup 1 2 3 4 5 6 reduce 5/6");
    let old = only_id(&sandbox);
    let before = files_of(&sandbox, &old);
    sandbox.write("items", "changed since\n");
    let versions = sandbox.run(&["checkpoints", "list", "--workflow-id", &old, "--json"]).json();
    let of = |address: &str| {
        let rows = versions.as_array().unwrap();
        let row = rows.iter().find(|row| row["address"] == address).unwrap();
        format!("v{}", row["version"])
    };
    for (address, words) in [
        ("map/item_2", "3 4 5 6 reduce 6/6"),
        ("map/item_4", "5 6 reduce 5/6"),
        ("map", "reduce 5/6"),
    ] {
        let new = fork(&sandbox, &old, &of(address));
        sandbox.write("words", "");
        sandbox.write("three", "");
        sandbox.run(&["resume", &new]).exits(0);
        assert_eq!(sandbox.words("words"), words);
        assert_eq!(outputs(&sandbox)[4], "made-5");
        let third = if address == "map/item_2" { "made-3" } else { "" };
        assert_eq!(outputs(&sandbox)[2], third);
        // Its job is its own, and found by its own id.
        let job = sandbox.run(&["sessions", "show", &new, "--json"]).json();
        let job = job["mapreduce_state"]["job_id"].as_str().unwrap().to_owned();
        let plan = sandbox.run(&["resume-job", &job, "--plan"]).exits(0);
        assert!(plan.stderr.contains(&new), "{plan:#?}");
        if third.is_empty() {
            sandbox.write("words", "");
            sandbox.run(&["dlq", "retry", &new]).exits(0);
            assert_eq!(sandbox.words("words"), "3 reduce 6/6");
        }
        assert_eq!(files_of(&sandbox, &old), before);
    }
    // Read again, the items are the same; once they are others, those of then are gone.
    let of_two = of("map/item_2");
    sandbox.run(&["resume", &old, "--from-checkpoint", "setup"]).exits(0);
    fork(&sandbox, &old, &of_two);
    sandbox.write("flow.yaml", &MAP.replace("seq 1 6", "seq 2 7"));
    sandbox.run(&["resume", &old, "--from-checkpoint", "setup", "--accept-changes"]).exits(0);
    let ran = sandbox.run(&["sessions", "fork", &old, "--at", &of_two]).exits(2);
    assert!(ran.stderr.contains("were read again"), "{ran:#?}");
}

#[test]
fn an_edit_of_the_items_that_a_kill_cut_off_gives_no_fork_wrong_results() {
    let sandbox = Sandbox::new();
    sandbox.write("items", "1\n2\n3\n");
    let flow = "name: cut\nmap:\n  input: items\n  agent_template: ['echo ${item} >> words; echo made-${item}']\nreduce: ['cp \"${map.results_file}\" results.json; [ -e go ]']\n";
    sandbox.write("flow.yaml", flow);
    sandbox.run(&["cook", "flow.yaml"]).exits(1);
    let old = only_id(&sandbox);
    let list = ["checkpoints", "list", "--workflow-id", &old, "--json"];
    let rows = sandbox.run(&list).exits(0).json();
    let at_map = rows.as_array().unwrap().iter().find(|row| row["address"] == "map").unwrap();
    let at_map = format!("v{}", at_map["version"]);
    // Killed before the items are read: those of then are still there.
    sandbox.write("flow.yaml", &flow.replace("input: items", "input: kill -9 $PPID; cat items"));
    assert_eq!(sandbox.run(&["resume", "--accept-changes"]).code, None);
    sandbox.write("items", "1\nb\n3\n");
    sandbox.write("flow.yaml", &flow.replace("input: items", "input: cat items"));
    let new = fork(&sandbox, &old, &at_map);
    sandbox.write("words", "");
    sandbox.write("go", "");
    sandbox.run(&["resume", &new, "--accept-changes"]).exits(0);
    assert_eq!(sandbox.words("words"), "b");
    assert_eq!(outputs(&sandbox), ["made-1", "made-b", "made-3"]);
    // Killed after they were frozen and before that was recorded.
    let shown = sandbox.run(&["sessions", "show", &old, "--json"]).exits(0).json();
    let job = shown["mapreduce_state"]["job_id"].as_str().unwrap();
    let home = prodigy::store::Home::at(&sandbox.state()).unwrap();
    let line = |(index, item): (usize, &str)| {
        format!(r#"{{"item_id":"item_{}","item":"{item}"}}"#, index + 1).into_bytes()
    };
    let lines = ["1", "b", "3"].into_iter().enumerate().map(line);
    JobFiles::freeze(&home, "work", job, lines).unwrap();
    let ran = sandbox.run(&["sessions", "fork", &old, "--at", &at_map]).exits(2);
    assert!(ran.stderr.contains("were read again"), "{ran:#?}");
    assert_eq!(sandbox.run(&["sessions", "list", "--json"]).json().as_array().unwrap().len(), 2);
}

#[test]
fn a_fork_goes_on_with_a_copy_of_a_conversation_and_counts_what_was_spent() {
    let scenario = "match:*Task a*
cost:0.5
say:a
---
match:*Task b*
tool_bash:echo $$ > tool-pid; exec sleep 600
---
match:*Task b*
cost:0.25
say:b
";
    let yaml = "
commands:
  - foreach: [a, b]
    parallel: 2
    do:
      - {claude: 'Task ${item}'}
      - {shell: 'echo ${claude.output} >> told', checkpoint: 'one'}
";
    let agents = Agents::new(scenario, yaml);
    let sandbox = &agents.sandbox;
    let live = Live::start(agents.command(&["cook", "flow.yaml"]));
    let in_tool = || {
        let pid = std::fs::read_to_string(sandbox.directory().join("tool-pid"));
        pid.is_ok_and(|pid| pid.ends_with('\n')) && sandbox.directory().join("told").exists()
    };
    wait_until("the tool of the second agent", in_tool);
    wait_until("the first checkpoint", || {
        let list = sandbox.run(&["checkpoints", "list", "--workflow-id", "flow", "--json"]).json();
        list.as_array().is_some_and(|list| !list.is_empty())
    });
    let old = only_id(sandbox);
    let new = fork(sandbox, &old, "v1");
    agents.run(&["resume", &new]).exits(0);
    let pid = sandbox.read("tool-pid");
    assert!(Path::new(&format!("/proc/{}", pid.trim())).exists(), "the old one's tool runs on");
    let calls = agents.calls();
    let of_b: Vec<&Value> =
        calls.iter().filter(|it| it["prompt"].as_str().unwrap().contains("Task b")).collect();
    assert_eq!(of_b.len(), 2, "{calls:#?}");
    assert_ne!(of_b[0]["session"], of_b[1]["session"]);
    let argv = of_b[1]["argv"].to_string();
    let original = of_b[0]["session"].as_str().unwrap();
    assert!(argv.contains("--fork-session") && argv.contains(original), "{argv}");
    assert!(of_b[1]["prompt"].as_str().unwrap().contains("was interrupted"), "{:#}", of_b[1]);
    assert_eq!(sandbox.words("told"), "a b");
    let stats = sandbox.run(&["sessions", "show", &new, "--json"]).json();
    assert_eq!(stats["agents"]["cost_usd"], 0.75, "{stats:#}");
    live.kill();
}

/// Runs a command and kills it after `delay`, if it still runs.
fn killed_after(sandbox: &Sandbox, arguments: &[&str], delay: Duration) -> bool {
    let mut child = sandbox.command(arguments).spawn().unwrap();
    let start = Instant::now();
    let mut over = false;
    wait_until("the moment to kill", || {
        over = child.try_wait().unwrap().is_some();
        over || start.elapsed() >= delay
    });
    if over {
        return false;
    }
    child.kill().unwrap();
    child.wait().unwrap().code().is_none()
}

#[test]
fn a_fork_or_import_that_is_killed_leaves_nothing_or_everything() {
    let sandbox = Sandbox::new();
    sandbox.write("flow.yaml", MAP);
    sandbox.run(&["cook", "flow.yaml"]).exits(0);
    let old = only_id(&sandbox);
    let before = files_of(&sandbox, &old);
    sandbox.run(&["checkpoints", "export", &old, "-o", "flow.prodigy"]).exits(0);
    let rounds = if std::env::var_os("PRODIGY_LONG_TESTS").is_some() { 200 } else { 16 };
    let commands = [
        &["sessions", "fork", &*old, "--at", "v3"][..],
        &["checkpoints", "import", "flow.prodigy"],
    ];
    for arguments in commands {
        let start = Instant::now();
        sandbox.run(arguments).exits(0);
        let whole = start.elapsed();
        let mut kills = 0;
        for round in 0..rounds {
            kills += u32::from(killed_after(&sandbox, arguments, whole * round / rounds));
            let list = sandbox.run(&["sessions", "list", "--json"]).exits(0).json();
            for session in list.as_array().unwrap() {
                let id = session["session_id"].as_str().unwrap();
                sandbox.run(&["checkpoints", "validate", id]).exits(0);
            }
        }
        assert!(kills > 0);
    }
    assert_eq!(files_of(&sandbox, &old), before);
    // Whatever is there runs to its end.
    sandbox.write("three", "");
    let list = sandbox.run(&["sessions", "list", "--json"]).exits(0).json();
    for session in list.as_array().unwrap() {
        sandbox.run(&["resume", session["session_id"].as_str().unwrap()]).exits(0);
    }
}

/// The same machine with another home.
fn elsewhere(sandbox: &Sandbox, home: &Path, arguments: &[&str]) -> Ran {
    Ran::of(sandbox.command(arguments).env("PRODIGY_HOME", home).output().unwrap())
}

#[test]
fn a_half_done_map_goes_on_elsewhere() {
    let sandbox = Sandbox::new();
    let crash = MAP.replace(
        "made-${item}'",
        "made-${item}; [ ${item} != 5 ] || [ -e five ] || kill -9 $PPID'",
    );
    sandbox.write("flow.yaml", &crash);
    assert_eq!(sandbox.run(&["cook", "flow.yaml"]).code, None);
    assert_eq!(sandbox.words("words"), "setup 1 2 3 4 5");
    let old = only_id(&sandbox);
    sandbox.run(&["checkpoints", "export", &old, "-o", "flow.prodigy"]).exits(0);
    sandbox.write("five", "");
    sandbox.write("items", "changed since\n");
    let home = sandbox.root().join("another");
    let ran = elsewhere(&sandbox, &home, &["checkpoints", "import", "flow.prodigy"]).exits(0);
    assert!(ran.stdout.contains(&old), "{ran:#?}");
    for (expected, count) in [(old.as_str(), 1), ("", 2)] {
        let list = elsewhere(&sandbox, &home, &["sessions", "list", "--json"]).exits(0).json();
        let list = list.as_array().unwrap();
        assert_eq!(list.len(), count);
        let session = list.iter().find(|it| it["status"] == "interrupted").unwrap();
        let id = session["workflow_id"].as_str().unwrap();
        assert!(expected.is_empty() || id == expected);
        sandbox.write("words", "");
        let dead = elsewhere(&sandbox, &home, &["dlq", "list", id]).exits(0);
        assert!(dead.stdout.contains("item_3"), "{dead:#?}");
        elsewhere(&sandbox, &home, &["resume", id]).exits(0);
        assert_eq!(sandbox.words("words"), "5 6 reduce 5/6");
        assert_eq!(outputs(&sandbox)[0], "made-1");
        let job = session["mapreduce_state"]["job_id"].as_str().unwrap();
        let done = elsewhere(&sandbox, &home, &["resume-job", job]).exits(0);
        assert!(done.stderr.contains("nothing to resume"), "{done:#?}");
        if count == 1 {
            // The id is taken now: another comes in beside it.
            let ran = elsewhere(&sandbox, &home, &["checkpoints", "import", "flow.prodigy"]);
            assert!(ran.exits(0).stderr.contains("fresh id"));
        }
    }
    // The session it left goes on as well.
    sandbox.write("words", "");
    sandbox.run(&["resume", &old]).exits(0);
    assert_eq!(sandbox.words("words"), "5 6 reduce 5/6");
}

#[test]
fn an_archive_cannot_take_the_job_of_another_session() {
    let sandbox = Sandbox::new();
    sandbox.write("flow.yaml", MAP);
    sandbox.run(&["cook", "flow.yaml"]).exits(0);
    let old = only_id(&sandbox);
    let shown = sandbox.run(&["sessions", "show", &old, "--json"]).json();
    let job = shown["mapreduce_state"]["job_id"].as_str().unwrap().to_owned();
    let before = files_of(&sandbox, &old);
    let other = Sandbox::new();
    let past = Past::new(&other, "forged", 1);
    let started = EventKind::JobStarted {
        job: job.clone(),
        items: 1,
        checkpoint_frequency: None,
        items_crc: None,
    };
    past.commit(started);
    let id = past.id.to_string();
    let home = past.session.home().clone();
    let line = br#"{"item_id":"item_1","item":1}"#.to_vec();
    JobFiles::freeze(&home, "work", &job, [line].into_iter()).unwrap();
    drop(past);
    let forged = sandbox.root().join("forged");
    let forged = forged.to_str().unwrap();
    other.run(&["checkpoints", "export", &id, "-o", forged]).exits(0);
    let ran = sandbox.run(&["checkpoints", "import", forged]).exits(5);
    assert!(ran.stderr.contains("not that of its session"), "{ran:#?}");
    assert_eq!(files_of(&sandbox, &old), before);
    only_id(&sandbox);
}

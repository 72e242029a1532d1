//! Jobs of map workflows on the command line: which session an id means, going on after a kill
//! and from each phase, and the dead letter queue.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where something is not as it must be"
)]

mod support;

use std::path::PathBuf;

use support::killed::CRASH;
use support::live::{Live, wait_until};
use support::{Ran, Sandbox};

/// Setup, six items of which the third fails until there is a file `go`, and reduce.
const FLOW: &str = r#"
name: review
mode: mapreduce
setup:
  - echo setup >> words
map:
  input: "seq 1 6"
  max_parallel: 2
  agent_template:
    - shell: "echo ${item} >> words; echo said ${item}; [ -e go ] || [ ${item} != 3 ]"
reduce:
  - echo reduce >> words
"#;

fn cooked(yaml: &str) -> (Sandbox, Ran) {
    let sandbox = Sandbox::new();
    sandbox.write("flow.yaml", yaml);
    let ran = sandbox.run(&["cook", "flow.yaml"]);
    (sandbox, ran)
}

/// The words of the file in alphabetical order, where items run at the same time.
fn sorted(sandbox: &Sandbox) -> String {
    let words = sandbox.words("words");
    let mut words: Vec<&str> = words.split(' ').collect();
    words.sort_unstable();
    words.join(" ")
}

fn job(sandbox: &Sandbox) -> String {
    let list = sandbox.run(&["sessions", "list", "--json"]).exits(0).json();
    list[0]["mapreduce_state"]["job_id"].as_str().unwrap().to_owned()
}

fn mapping(sandbox: &Sandbox, job: &str) -> PathBuf {
    sandbox.state().join(format!("state/mappings/job-{job}.json"))
}

#[test]
fn a_job_is_found_by_every_id_it_has() {
    let (sandbox, ran) = cooked(FLOW);
    ran.exits(1);
    let list = sandbox.run(&["sessions", "list", "--json"]).exits(0).json();
    let (job, session) = (job(&sandbox), list[0]["session_id"].as_str().unwrap().to_owned());
    let ids = [&job, &session, list[0]["workflow_id"].as_str().unwrap(), "review", &session[..14]];
    for id in ids {
        for command in [&["resume-job", id][..], &["resume", id]] {
            let ran = sandbox.run(command).exits(1);
            assert!(ran.stderr.contains("prodigy dlq retry review-"), "{ran:#?}");
        }
    }
    // Without the mapping the id itself leads to the session, and so does the session's card.
    std::fs::remove_file(mapping(&sandbox, &job)).unwrap();
    sandbox.run(&["resume-job", &job]).exits(1);
    sandbox.run(&["resume-job", &job[..24]]).exits(1);
    // A mapping that names another session is not believed.
    let other = session.replace(&session[8..14], "000000");
    let wrong = format!(
        "{{\"session_id\":\"{other}\",\"job_id\":\"{job}\",\"workflow_name\":\"x\",\"created_at\":\"2026-01-01T00:00:00Z\"}}"
    );
    std::fs::write(mapping(&sandbox, &job), wrong).unwrap();
    sandbox.run(&["resume-job", &job]).exits(1);
    assert_eq!(sorted(&sandbox), "1 2 3 4 5 6 reduce setup", "nothing ran again");
    // What runs puts back the files that lead to it.
    std::fs::remove_dir_all(sandbox.state().join("state/mappings")).unwrap();
    sandbox.run(&["resume-job", &job, "--force", "--max-retries", "0"]).exits(1);
    let back = std::fs::read_to_string(mapping(&sandbox, &job)).unwrap();
    assert!(back.contains(&session) && back.contains("\"review\""), "{back}");
}

#[test]
fn a_job_that_is_not_there_is_told_with_all_places() {
    let (sandbox, ran) = cooked(FLOW);
    ran.exits(1);
    let unknown = "mapreduce-20200101_000000_session-93c8f475-17d2-4163-bf2e-c24095dd5254";
    for id in [unknown, "mapreduce-20200101_000000", "mapreduce-../../etc/passwd"] {
        let ran = sandbox.run(&["resume-job", id]).exits(3);
        for place in ["mappings", "session", "help: "] {
            assert!(ran.stderr.contains(place), "{ran:#?}");
        }
    }
    sandbox.run(&["resume-job", "nonexistent-123"]).exits(3);
    sandbox.write("plain.yaml", "name: plain\ncommands: [echo hi]\n");
    sandbox.run(&["cook", "plain.yaml"]).exits(0);
    let ran = sandbox.run(&["resume-job", "plain"]).exits(2);
    assert!(ran.stderr.contains("it has no job"), "{ran:#?}");
}

#[test]
fn a_killed_map_goes_on_where_it_was() {
    for command in ["resume", "resume-job"] {
        let yaml = FLOW
            .replace("seq 1 6", "seq 1 150")
            .replace("[ -e go ]", "true")
            .replace("echo said ${item};", &format!("if [ ${{item}} = 77 ]; then {CRASH}; fi;"));
        let (sandbox, ran) = cooked(&yaml);
        assert_eq!(ran.code, None);
        let done = sandbox.words("words").split(' ').count();
        assert!((77..100).contains(&done), "{done}");
        let ran = sandbox.run(&[command, "review"]).exits(0);
        assert!(ran.stdout.contains("of 150 done, "), "{ran:#?}");
        assert!(ran.stdout.contains("items    150 of 150 done"), "{ran:#?}");
        let words = sandbox.words("words");
        let again: Vec<&str> = words.split(' ').collect();
        let once: std::collections::BTreeSet<&str> = again.iter().copied().collect();
        assert_eq!(once.len(), 152, "every item, setup and reduce");
        assert!(again.len() <= 152 + 2, "only what was in flight is repeated");
        assert_eq!(sandbox.status(), "completed");
        let results = sandbox.run(&["sessions", "show", "review", "--json"]).exits(0).json();
        assert_eq!(results["mapreduce_state"]["successful"], 150);
    }
}

#[test]
fn interrupted_again_and_again_no_item_runs_twice() {
    let yaml = FLOW
        .replace("seq 1 6", "seq 1 40")
        .replace("max_parallel: 2", "max_parallel: 1")
        .replace(
            "[ -e go ]",
            "case ${item} in 9|18|27) [ -e at-${item} ] || { echo > at-${item}; kill -INT $PPID; sleep 100; };; esac",
        )
        .replace("|| [ ${item} != 3 ]", "");
    let (sandbox, ran) = cooked(&yaml);
    ran.exits(130);
    let mut resumes = 0;
    while sandbox.run(&["resume"]).code == Some(130) {
        resumes += 1;
    }
    assert_eq!(resumes, 2);
    assert_eq!(sandbox.status(), "completed");
    let words = sandbox.words("words");
    let items: Vec<&str> = words.split(' ').filter(|word| word.parse::<u32>().is_ok()).collect();
    let once: std::collections::BTreeSet<&str> = items.iter().copied().collect();
    assert_eq!(once.len(), 40);
    assert_eq!(items.len(), 43, "only what the interrupts stopped is repeated: {words}");
    assert!(words.starts_with("setup 1 2 3") && words.ends_with("reduce"), "{words}");
}

#[test]
fn a_failed_setup_or_reduce_runs_again_alone() {
    let (sandbox, ran) = cooked(&FLOW.replace("echo setup", "test -e go && echo setup"));
    ran.exits(1);
    assert_eq!(sandbox.words("words"), "");
    sandbox.write("go", "");
    sandbox.run(&["resume-job", "review"]).exits(0);
    assert_eq!(sorted(&sandbox), "1 2 3 4 5 6 reduce setup");

    let flow = FLOW.replace("echo reduce", "test -e gone && echo reduce");
    let sandbox = Sandbox::new();
    sandbox.write("flow.yaml", &flow);
    sandbox.write("go", "");
    let ran = sandbox.run(&["cook", "flow.yaml"]).exits(1);
    assert!(ran.stdout.contains("review failed at reduce step 1: step reduce/1"), "{ran:#?}");
    assert_eq!(sorted(&sandbox), "1 2 3 4 5 6 setup");
    sandbox.write("gone", "");
    sandbox.run(&["resume", "review"]).exits(0);
    assert_eq!(sorted(&sandbox), "1 2 3 4 5 6 reduce setup");
}

#[test]
fn force_runs_the_failed_items_again_and_then_reduce() {
    let (sandbox, ran) = cooked(FLOW);
    assert!(ran.exits(1).stdout.contains("retry    prodigy dlq retry review-"));
    let ran = sandbox.run(&["resume-job", "review", "--force", "--max-retries", "1"]).exits(1);
    assert_eq!(ran.stdout.matches("failed    map/item_3/1: exit code 1").count(), 2, "{ran:#?}");
    sandbox.write("go", "");
    let ran = sandbox.run(&["resume-job", "review", "--force"]).exits(0);
    assert!(ran.stderr.contains("1 item runs again") && ran.stderr.contains("reduce runs again"));
    assert_eq!(sandbox.words("words").matches('3').count(), 4);
    assert!(sandbox.words("words").ends_with("reduce 3 reduce"));
    let ran = sandbox.run(&["resume-job", "review", "--force"]).exits(0);
    assert!(ran.stderr.contains("nothing to resume"), "{ran:#?}");
}

#[test]
fn a_map_that_stopped_goes_on_with_what_is_left() {
    let yaml = FLOW.replace("max_parallel: 2", "max_parallel: 1")
        + "error_policy:\n  on_item_failure: stop\n";
    let (sandbox, ran) = cooked(&yaml);
    ran.exits(1);
    assert_eq!(sandbox.words("words"), "setup 1 2 3");
    sandbox.run(&["resume"]).exits(1);
    assert_eq!(sandbox.words("words"), "setup 1 2 3 3");
    sandbox.write("go", "");
    sandbox.run(&["resume"]).exits(0);
    assert_eq!(sandbox.words("words"), "setup 1 2 3 3 3 4 5 6 reduce");
}

#[test]
fn each_phase_can_be_the_start() {
    let sandbox = Sandbox::new();
    sandbox.write("flow.yaml", &FLOW.replace("max_parallel: 2", "max_parallel: 1"));
    sandbox.write("go", "");
    sandbox.run(&["cook", "flow.yaml"]).exits(0);
    let all = "setup 1 2 3 4 5 6 reduce";
    assert_eq!(sandbox.words("words"), all);
    let from = |phase: &str| {
        std::fs::remove_file(sandbox.directory().join("words")).unwrap();
        sandbox.run(&["resume-job", "review", "--from-checkpoint", phase]).exits(0);
        sandbox.words("words")
    };
    assert_eq!(from("reduce"), "reduce");
    assert_eq!(from("map"), "1 2 3 4 5 6 reduce");
    assert_eq!(from("setup"), "setup reduce", "the items are the same, and so are their results");
}

#[test]
fn items_that_another_setup_changed_run_again() {
    let yaml = FLOW
        .replace("echo setup >> words", "cp wanted items.txt")
        .replace("\"seq 1 6\"", "items.txt")
        .replace("max_parallel: 2", "max_parallel: 1");
    let sandbox = Sandbox::new();
    sandbox.write("flow.yaml", &yaml);
    sandbox.write("go", "");
    sandbox.write("wanted", "a\nb\nc\n");
    sandbox.run(&["cook", "flow.yaml"]).exits(0);
    sandbox.write("wanted", "a\nx\n");
    sandbox.run(&["resume", "--from-checkpoint", "setup", "review"]).exits(0);
    assert_eq!(sandbox.words("words"), "a b c reduce x reduce");
    let shown = sandbox.run(&["sessions", "show", "review", "--json"]).exits(0).json();
    assert_eq!(shown["mapreduce_state"]["total_items"], 2);
    assert_eq!(shown["mapreduce_state"]["successful"], 2);
}

#[test]
fn without_a_setup_its_start_is_where_the_items_are_read() {
    let sandbox = Sandbox::new();
    let template = "agent_template: ['echo ${item} >> words']\n";
    sandbox.write("flow.yaml", &format!("map:\n  input: items\n  {template}"));
    sandbox.write("items", "a\nb\n");
    sandbox.run(&["cook", "flow.yaml"]).exits(0);
    sandbox.write("items", "a\nx\n");
    sandbox.run(&["resume", "flow", "--from-checkpoint", "map"]).exits(0);
    assert_eq!(sorted(&sandbox), "a a b b");
    sandbox.run(&["resume", "flow", "--from-checkpoint", "setup"]).exits(0);
    assert_eq!(sorted(&sandbox), "a a b b x");
}

#[test]
fn reduce_before_the_end_of_the_map_needs_a_persons_word() {
    let yaml = FLOW.replace("max_parallel: 2", "max_parallel: 1")
        + "error_policy:\n  on_item_failure: stop\n";
    let (sandbox, ran) = cooked(&yaml);
    ran.exits(1);
    let ran = sandbox.run(&["resume", "--from-checkpoint", "reduce"]).exits(1);
    assert!(ran.stderr.contains("4 items have not ended") && ran.stderr.contains("--force"));
    assert_eq!(sandbox.words("words"), "setup 1 2 3");
    let ran = sandbox.run(&["resume", "--from-checkpoint", "reduce", "--force"]);
    assert!(ran.stderr.contains("4 items that have not ended are passed over"), "{ran:#?}");
    assert_eq!(sandbox.words("words"), "setup 1 2 3 reduce");
    sandbox.run(&["resume", "review", "--from-checkpoint", "map", "--force"]).exits(2);
}

#[test]
fn the_dead_letter_queue_is_listed_shown_cleared_and_exported() {
    let (sandbox, ran) = cooked(FLOW);
    ran.exits(1);
    let list = sandbox.run(&["dlq", "list", "--json"]).exits(0).json();
    assert_eq!(list[0]["item_id"], "item_3");
    assert_eq!(list[0]["exit_code"], 1);
    assert_eq!(list.as_array().unwrap().len(), 1);
    let shown = sandbox.run(&["dlq", "show", "review", "3", "--json"]).exits(0).json();
    assert_eq!(shown[0]["item"], "3");
    assert_eq!(shown[0]["history"][0]["output"], "said 3");
    assert!(sandbox.run(&["dlq", "show", "review"]).exits(0).stdout.contains("| said 3"));
    sandbox.run(&["dlq", "show", "review", "item_4"]).exits(3);
    sandbox.run(&["dlq", "retry", "review", "--item", "4"]).exits(3);
    let exported = sandbox.run(&["dlq", "export", "review"]).exits(0).stdout;
    assert_eq!(exported.lines().count(), 1);
    let plan = sandbox.run(&["dlq", "retry", "review", "--dry-run"]).exits(0).stdout;
    assert!(plan.contains("item_3") && plan.contains("reduce/1"), "{plan}");
    let ran = sandbox.run(&["dlq", "clear", "review", "--item", "3"]).exits(6);
    assert!(ran.stderr.contains(" --item item_3 --force"), "no more than was asked: {ran:#?}");
    sandbox.run(&["dlq", "clear", "review", "--force"]).exits(0);
    assert!(sandbox.run(&["dlq", "list"]).exits(0).stdout.contains("no failed items"));
    sandbox.run(&["resume"]).exits(0);
    assert_eq!(sandbox.status(), "completed_with_failures");
    let shown = sandbox.run(&["dlq", "show", "review", "3", "--json"]).exits(0).json();
    assert_eq!(shown[0]["waits"], false);
    assert_eq!(sorted(&sandbox), "1 2 3 4 5 6 reduce setup", "nothing ran again");
}

#[test]
fn a_retry_can_leave_reduce_alone() {
    let (sandbox, ran) = cooked(FLOW);
    ran.exits(1);
    sandbox.run(&["dlq", "retry", "review", "--no-reduce", "--max-retries", "2"]).exits(1);
    let shown = sandbox.run(&["dlq", "show", "review", "3", "--json"]).exits(0).json();
    assert_eq!(shown[0]["history"].as_array().unwrap().len(), 4, "the history is kept");
    sandbox.write("go", "");
    sandbox.run(&["dlq", "retry", "review", "--no-reduce", "--item", "item_3"]).exits(0);
    assert_eq!(sandbox.words("words").matches("reduce").count(), 1);
    let ran = sandbox.run(&["dlq", "retry", "review"]).exits(0);
    assert!(ran.stderr.contains("is empty"), "{ran:#?}");
}

#[test]
fn a_job_that_runs_cannot_be_resumed_beside_it() {
    let sandbox = Sandbox::new();
    sandbox.write("flow.yaml", &FLOW.replace("echo said ${item};", "echo > began; sleep 100;"));
    let running = Live::start(sandbox.command(&["cook", "flow.yaml"]));
    wait_until("the first item", || sandbox.directory().join("began").exists());
    let ran = sandbox.run(&["resume-job", "review"]).exits(4);
    assert!(ran.stderr.contains("in use by"), "{ran:#?}");
    sandbox.run(&["dlq", "clear", "review", "--force"]).exits(4);
    running.signal(rustix::process::Signal::INT);
    running.end().exits(130);
}

#[test]
fn what_a_killed_run_left_of_its_items_is_ended_before_they_run_again() {
    let sandbox = Sandbox::new();
    sandbox.write("go", "");
    let once = "[ -e began ] || { echo > began; sleep 100; };";
    sandbox.write("flow.yaml", &FLOW.replace("echo said ${item};", once));
    let running = Live::start(sandbox.command(&["cook", "flow.yaml"]));
    wait_until("the first item", || sandbox.directory().join("began").exists());
    running.kill();
    assert!(!sandbox.living().is_empty(), "an item outlives its run");
    let ran = sandbox.run(&["resume"]).exits(0);
    assert!(ran.stderr.contains("ended a process that the run before left"), "{ran:#?}");
    assert_eq!(sandbox.living(), Vec::<String>::new());
}

#[test]
fn a_cleaned_session_leaves_nothing_of_its_job() {
    let (sandbox, ran) = cooked(&FLOW.replace("[ -e go ]", "true"));
    ran.exits(0);
    let (job, repository) = (job(&sandbox), sandbox.state().join("state/work"));
    assert!(repository.join("mapreduce/jobs").join(&job).exists());
    assert!(mapping(&sandbox, &job).exists());
    sandbox.run(&["sessions", "clean", "--id", "review", "--force"]).exits(0);
    assert!(!repository.join("mapreduce/jobs").join(&job).exists());
    assert!(!mapping(&sandbox, &job).exists());
    let logs = sandbox.run(&["resume-job", &job]);
    assert_ne!(logs.code, Some(1), "{logs:#?}");
}

#[test]
fn the_small_output_of_an_item_is_found_without_a_file() {
    let (sandbox, ran) = cooked(FLOW);
    ran.exits(1);
    for item in [2, 3] {
        let step = format!("map/item_{item}/1");
        let shown = sandbox.run(&["logs", "review", "--step", &step]).exits(0);
        assert_eq!(shown.stdout, format!("said {item}\n"));
    }
    let logs = std::fs::read_dir(sandbox.state().join("sessions")).unwrap().next().unwrap();
    assert!(!logs.unwrap().path().join("logs/map%2Fitem_2%2F1.1.log").exists());
}

#[test]
fn a_missing_workflow_and_a_damaged_journal_are_told() {
    let (sandbox, ran) = cooked(FLOW);
    ran.exits(1);
    std::fs::rename(sandbox.directory().join("flow.yaml"), sandbox.directory().join("moved"))
        .unwrap();
    sandbox.write("go", "");
    let ran = sandbox.run(&["resume-job", "review", "--force"]).exits(0);
    assert!(ran.stderr.contains("flow.yaml") && ran.stderr.contains("stored copy"), "{ran:#?}");
    let list = sandbox.run(&["sessions", "list", "--json"]).exits(0).json();
    let session = list[0]["session_id"].as_str().unwrap().to_owned();
    let journal = sandbox.state().join(format!("sessions/{session}/journal.jsonl"));
    let text = std::fs::read_to_string(&journal).unwrap();
    std::fs::write(&journal, text.replacen("item_finished", "item_funished", 1)).unwrap();
    let ran = sandbox.run(&["resume-job", &session, "--from-checkpoint", "map"]).exits(5);
    assert!(ran.stderr.contains("journal.jsonl:") && ran.stderr.contains("checkpoints validate"));
}

#[test]
fn events_and_positions_know_the_job() {
    let (sandbox, ran) = cooked(FLOW);
    let ran = ran.exits(1);
    assert!(ran.stdout.contains("review failed at map 6/6"), "{ran:#?}");
    assert!(ran.stdout.contains("items    5 of 6 done, 1 in the dead letter queue"), "{ran:#?}");
    let job = job(&sandbox);
    let arguments = ["events", "ls", "--job-id", &job, "--type", "item_failed", "--json"];
    let events = sandbox.run(&arguments).exits(0).json();
    assert_eq!(events.as_array().unwrap().len(), 1);
    let stats = sandbox.run(&["events", "stats", "--job-id", "review", "--json"]).exits(0).json();
    assert_eq!(stats["items"]["success"], 5);
    assert_eq!(stats["items"]["failed_runs"], 1);
    for command in [&["checkpoints", "list"][..], &["checkpoints", "show", "review"]] {
        assert!(sandbox.run(command).exits(0).stdout.contains("map 6/6"));
    }
    let shown = sandbox.run(&["sessions", "show", "review"]).exits(0).stdout;
    assert!(shown.contains(&job) && shown.contains("prodigy dlq retry"), "{shown}");
}

#[test]
fn a_version_in_the_middle_of_the_map_drops_what_came_after_it() {
    let yaml = FLOW
        .replace("max_parallel: 2", "max_parallel: 1\n  checkpoint_frequency: 2")
        .replace("[ -e go ]", "true");
    let (sandbox, ran) = cooked(&yaml);
    ran.exits(0);
    let list = ["checkpoints", "list", "--workflow-id", "review", "--json"];
    let versions = sandbox.run(&list).exits(0).json();
    let after_four = versions.as_array().unwrap().iter().find(|it| it["address"] == "map/item_4");
    let version = format!("v{}", after_four.unwrap()["version"]);
    let ran = sandbox.run(&["resume-job", "review", "--from-checkpoint", &version]).exits(0);
    assert!(ran.stderr.contains("and 2 items that had ended run again"), "{ran:#?}");
    assert_eq!(sandbox.words("words"), "setup 1 2 3 4 5 6 reduce 5 6 reduce");
}

#[test]
fn several_jobs_go_on_at_once() {
    let sandbox = Sandbox::new();
    let names = ["one", "two", "three"];
    for name in names {
        let yaml = FLOW
            .replace("name: review", &format!("name: {name}"))
            .replace("words", name)
            .replace("echo said ${item};", "[ -e go ] || { [ ${item} != 3 ] || kill -9 $PPID; };");
        sandbox.write(&format!("{name}.yaml"), &yaml);
        assert_eq!(sandbox.run(&["cook", &format!("{name}.yaml")]).code, None);
    }
    sandbox.write("go", "");
    let running = names.map(|name| (name, Live::start(sandbox.command(&["resume-job", name]))));
    for (name, live) in running {
        live.end().exits(0);
        let words = sandbox.words(name);
        assert!(words.starts_with("setup ") && words.ends_with(" reduce"), "{name}: {words}");
        let once: std::collections::BTreeSet<&str> = words.split(' ').collect();
        assert_eq!(once.len(), 8, "{name}: {words}");
    }
}

#[test]
fn the_events_of_a_job_are_followed_to_its_end() {
    let sandbox = Sandbox::new();
    let wait = "echo > began; until [ -e go ]; do sleep 0.01; done;";
    sandbox.write("flow.yaml", &FLOW.replace("echo said ${item};", wait));
    let running = Live::start(sandbox.command(&["cook", "flow.yaml"]));
    wait_until("the first item", || sandbox.directory().join("began").exists());
    let job = job(&sandbox);
    let following = Live::start(sandbox.command(&["events", "follow", "--job-id", &job, "--json"]));
    sandbox.write("go", "");
    running.end().exits(0);
    let told = following.end().exits(0).stdout;
    let kinds: Vec<String> = told
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|event| event["type"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(kinds.iter().filter(|it| *it == "item_finished").count(), 6, "{kinds:?}");
    assert_eq!(kinds.last().map(String::as_str), Some("run_finished"), "{kinds:?}");
}

#[test]
fn a_retry_that_was_killed_is_not_taken_for_an_empty_queue() {
    let yaml = FLOW.replace(
        "|| [ ${item} != 3 ]",
        "|| [ ${item} != 3 ] || { [ -e kill ] && kill -9 $PPID; false; }",
    );
    let (sandbox, ran) = cooked(&yaml);
    ran.exits(1);
    sandbox.write("kill", "");
    assert_eq!(sandbox.run(&["dlq", "retry", "review"]).code, None);
    let ran = sandbox.run(&["dlq", "retry", "review"]).exits(0);
    assert!(ran.stderr.contains("go on with: prodigy resume review-"), "{ran:#?}");
    sandbox.write("go", "");
    sandbox.run(&["resume"]).exits(0);
    assert_eq!(sandbox.status(), "completed");
    assert!(sandbox.words("words").ends_with("reduce"), "reduce saw the new result");
}

#[test]
fn the_exported_queue_is_the_input_of_another_map() {
    let (sandbox, ran) = cooked(FLOW);
    ran.exits(1);
    sandbox.run(&["dlq", "export", "review", "-o", "failed.jsonl"]).exits(0);
    sandbox.run(&["dlq", "export", "review", "-o", "failed.jsonl"]).exits(2);
    sandbox.write(
        "other.yaml",
        "map:\n  input: failed.jsonl\n  agent_template:\n    - echo ${item.item_id} ${item.item} > again\n",
    );
    sandbox.run(&["cook", "other.yaml"]).exits(0);
    assert_eq!(sandbox.words("again"), "item_3 3");
}

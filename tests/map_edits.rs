//! Map workflows that are edited between two runs: what is kept, what runs, and with which file.

#![allow(
    clippy::unwrap_used,
    dead_code,
    missing_docs,
    reason = "a test ends where something is not as it must be; each uses its part of support"
)]

mod support;

use support::Sandbox;

/// Six items; the fourth fails until there is a file `go`.
const FLOW: &str = "
name: edit
setup: ['echo setup >> words; cp wanted items']
map:
  input: items
  max_parallel: 1
  agent_template:
    - echo ${item} >> words
    - '[ ${item} != 4 ] || [ -e go ] || exit 5; echo old-${item}'
reduce: ['echo reduce >> words; cp \"${map.results_file}\" results.json']
";

/// Ran until the end of the map, or until the fourth item.
fn ran(policy: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("wanted", "1\n2\n3\n4\n5\n6\n");
    sandbox.write("flow.yaml", &format!("{FLOW}{policy}"));
    sandbox.run(&["cook", "flow.yaml"]).exits(1);
    sandbox
}

const STOP: &str = "on_item_failure: stop\n";

/// The workflow with something else in it.
fn edit(sandbox: &Sandbox, from: &str, to: &str) {
    let text = sandbox.read("flow.yaml");
    assert!(text.contains(from), "{text}");
    sandbox.write("flow.yaml", &text.replace(from, to));
}

fn outputs(sandbox: &Sandbox) -> String {
    let results: serde_json::Value = serde_json::from_str(&sandbox.read("results.json")).unwrap();
    let results = results.as_array().unwrap();
    let outputs: Vec<&str> = results.iter().map(|it| it["output"].as_str().unwrap()).collect();
    outputs.join(" ")
}

#[test]
fn an_edited_template_counts_for_the_items_that_still_run() {
    let sandbox = ran(STOP);
    assert_eq!(sandbox.words("words"), "setup 1 2 3 4");
    edit(&sandbox, "exit 5; echo old", "true; echo new");
    let ran = sandbox.run(&["resume"]).exits(6);
    assert!(ran.stderr.contains("map.agent_template: changed"), "{ran:#?}");
    assert!(ran.stderr.contains("--accept-changes"), "{ran:#?}");
    let plan = sandbox.run(&["resume", "--plan"]).exits(0).stdout;
    assert!(plan.contains("3 of 6 items ended, 3 run"), "{plan}");
    assert_eq!(sandbox.words("words"), "setup 1 2 3 4", "nothing ran");
    sandbox.run(&["resume-job", "edit", "--accept-changes"]).exits(0);
    // The map stopped at the failure of item 4, which runs as a whole.
    assert_eq!(sandbox.words("words"), "setup 1 2 3 4 4 5 6 reduce");
    assert_eq!(outputs(&sandbox), "old-1 old-2 old-3 new-4 new-5 new-6");
}

#[test]
fn failed_items_run_again_with_the_mended_template() {
    let sandbox = ran("");
    edit(&sandbox, "exit 5; echo old", "true; echo new");
    let refused = sandbox.run(&["dlq", "retry", "edit", "--item", "4"]).exits(6);
    let told = refused.stderr.lines().last().unwrap();
    assert!(told.starts_with("help: prodigy dlq retry edit-"), "what was asked for: {told}");
    assert!(told.ends_with(" --item 4 --accept-changes"), "{told}");
    assert_eq!(sandbox.words("words"), "setup 1 2 3 4 5 6 reduce", "nothing ran");
    sandbox.run(&["dlq", "retry", "edit", "--accept-changes"]).exits(0);
    assert_eq!(sandbox.words("words"), "setup 1 2 3 4 5 6 reduce 4 reduce");
    assert_eq!(outputs(&sandbox), "old-1 old-2 old-3 new-4 old-5 old-6");
    assert_eq!(sandbox.status(), "completed");
}

#[test]
fn other_items_are_read_again_and_the_same_ones_keep_their_results() {
    let sandbox = ran(STOP);
    // The file changed, too: an item is the same only where its value is.
    sandbox.write("items", "1\nb\n3\n4\n5\n6\n7\n8\n");
    sandbox.write("go", "");
    edit(&sandbox, "max_parallel", "filter: item != '3'\n  max_parallel");
    let ran = sandbox.run(&["resume"]).exits(6);
    assert!(ran.stderr.contains("map.filter: changed"), "{ran:#?}");
    assert!(ran.stderr.contains("the items are read again"), "{ran:#?}");
    let plan = sandbox.run(&["resume", "--plan"]).exits(0).stdout;
    assert!(plan.contains("its items are read again; 3 ended"), "{plan}");
    sandbox.run(&["resume", "--accept-changes"]).exits(0);
    assert_eq!(sandbox.words("words"), "setup 1 2 3 4 b 4 5 6 7 8 reduce");
    assert_eq!(outputs(&sandbox), "old-1 old-b old-4 old-5 old-6 old-7 old-8");
    let shown = sandbox.run(&["sessions", "show", "edit", "--json"]).exits(0).json();
    assert_eq!(shown["mapreduce_state"]["total_items"], 7);
}

#[test]
fn a_reduce_that_saw_other_items_runs_again() {
    let sandbox = ran("");
    assert_eq!(sandbox.words("words"), "setup 1 2 3 4 5 6 reduce");
    sandbox.write("go", "");
    edit(&sandbox, "max_parallel", "max_items: 5\n  max_parallel");
    sandbox.run(&["dlq", "retry", "edit", "--accept-changes"]).exits(0);
    assert_eq!(sandbox.words("words"), "setup 1 2 3 4 5 6 reduce 4 reduce");
    assert_eq!(outputs(&sandbox), "old-1 old-2 old-3 old-4 old-5");
}

#[test]
fn how_many_run_at_a_time_may_change() {
    let alone = "mkdir alone && sleep 0.02 && rmdir alone && echo old";
    for (arguments, from, to) in [
        (&["resume", "--max-parallel", "1"][..], "name: edit", "name: edit"),
        (&["resume-job", "edit", "--max-parallel", "1"], "name: edit", "name: edit"),
        (&["resume", "--accept-changes"], "${width}", "1"),
        (&["resume", "--accept-changes"], "{width: 4}", "{width: 1}"),
    ] {
        let sandbox = Sandbox::new();
        sandbox.write("wanted", "1\n2\n3\n4\n5\n6\n");
        let flow = FLOW
            .replace("max_parallel: 1", "max_parallel: ${width}")
            .replace("[ -e go ] || exit 5; echo old", &format!("[ -e go ] || exit 5; {alone}"))
            .replace("'[ ${item} != 4 ] ||", "'[ ${item} = 4 ] || [ -e go ] || sleep 0.2;");
        sandbox.write("flow.yaml", &format!("variables: {{width: 4}}\n{STOP}{flow}"));
        sandbox.run(&["cook", "flow.yaml"]).exits(1);
        sandbox.write("go", "");
        edit(&sandbox, from, to);
        // Two at a time would be in the way of each other.
        let _ = std::fs::remove_dir(sandbox.directory().join("alone"));
        sandbox.run(arguments).exits(0);
    }
}

#[test]
fn an_edit_that_a_crash_kept_from_being_stored_is_still_the_workflow() {
    let sandbox = ran(STOP);
    let sessions = std::fs::read_dir(sandbox.state().join("sessions")).unwrap();
    let stored = sessions.flatten().next().unwrap().path().join("workflow.yaml");
    let old = std::fs::read_to_string(&stored).unwrap();
    edit(&sandbox, "exit 5; echo old", "kill -9 $PPID; echo new");
    assert_eq!(sandbox.run(&["resume", "--accept-changes"]).code, None);
    assert_ne!(std::fs::read_to_string(&stored).unwrap(), old);
    std::fs::write(&stored, &old).unwrap();
    sandbox.write("go", "");
    sandbox.run(&["resume"]).exits(0);
    assert!(outputs(&sandbox).starts_with("old-1 old-2 old-3 new"), "{}", outputs(&sandbox));
    assert_ne!(std::fs::read_to_string(&stored).unwrap(), old);
}

/// Three items that all ended; reduce fails until there is a file `go`.
const REDUCING: &str = "
name: edit
map:
  input: items
  max_parallel: 1
  agent_template: ['echo ${item} >> words; echo old-${item}']
reduce:
  - {shell: 'echo publish >> words', on_resume: confirm}
  - {shell: 'cp \"${map.results_file}\" results.json; [ -e go ]'}
";

fn reducing(flow: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("items", "1\n2\n3\n");
    sandbox.write("others", "a\n2\nc\n");
    sandbox.write("flow.yaml", flow);
    sandbox.run(&["cook", "flow.yaml"]).exits(1);
    assert_eq!(sandbox.words("words"), "1 2 3 publish");
    sandbox
}

#[test]
fn a_marked_step_of_a_reduce_that_saw_other_items_needs_a_person() {
    for (answer, words) in
        [("--rerun", "1 2 3 publish a c publish"), ("--done", "1 2 3 publish a c")]
    {
        let sandbox = reducing(REDUCING);
        sandbox.write("go", "");
        edit(&sandbox, "input: items", "input: others");
        let refused = sandbox.run(&["resume", "--accept-changes"]).exits(6);
        assert!(refused.stderr.contains("reduce/1 is marked `on_resume: confirm`"), "{refused:#?}");
        assert_eq!(sandbox.words("words"), "1 2 3 publish", "nothing ran");
        sandbox.run(&["resume", "--accept-changes", answer, "reduce/1"]).exits(0);
        assert_eq!(sandbox.words("words"), words);
        assert_eq!(outputs(&sandbox), "old-a old-2 old-c");
    }
}

#[test]
fn results_of_items_that_are_others_now_do_not_come_back() {
    let flow = REDUCING.replace(", on_resume: confirm", "");
    let sandbox = reducing(&flow);
    let versions = ["checkpoints", "list", "--workflow-id", "edit", "--json"];
    let versions = sandbox.run(&versions).exits(0).json();
    let version = |address: &str| {
        let mut rows = versions.as_array().unwrap().iter();
        format!("v{}", rows.find(|row| row["address"] == address).unwrap()["version"])
    };
    edit(&sandbox, "input: items", "input: others");
    // Back to before the edit, and the edit in one; and when its items have been read.
    let back = version("map");
    let plan = ["resume", "--accept-changes", "--from-checkpoint", &back, "--plan"];
    let plan = sandbox.run(&plan).exits(0).stdout;
    assert!(plan.contains("its items are read again; 3 ended"), "{plan}");
    sandbox.run(&["resume", "--accept-changes"]).exits(1);
    assert_eq!(sandbox.words("words"), "1 2 3 publish a c publish");
    sandbox.write("words", "");
    sandbox.run(&["resume", "--from-checkpoint", &version("reduce/1")]).exits(1);
    assert_eq!(sandbox.words("words"), "a c publish", "only the second is the same");
    assert_eq!(outputs(&sandbox), "old-a old-2 old-c");
    // The same way back by a rollback, which runs nothing itself.
    sandbox.run(&["recovery", "rollback", "--checkpoint-id", &back, "--yes"]).exits(0);
    sandbox.write("words", "");
    sandbox.write("go", "");
    sandbox.run(&["resume"]).exits(0);
    assert_eq!(sandbox.words("words"), "a c publish");
    assert_eq!(outputs(&sandbox), "old-a old-2 old-c");
}

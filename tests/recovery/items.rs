//! Items of a map that failed: a recovery runs what waits in the dead letter queue again, and
//! reduce sees each item exactly once.

use super::support::Sandbox;
use super::{LINT, sandbox};

/// Six items, of which the third and the fifth fail as often as `times` says.
fn flow(times: u32, settings: &str) -> String {
    format!(
        "
map:
  input: seq 1 6
  max_parallel: 2
  agent_template:
    - shell: './flaky item-${{item}} $([ ${{item}} = 3 ] || [ ${{item}} = 5 ] && echo {times} || echo 0) || {LINT}'
    - shell: 'echo ${{item}}'
reduce:
  - shell: './say reduce; cp ${{map.results_file}} results.json'
recovery: {{{settings}}}
"
    )
    .replace("'./flaky", "\"./flaky")
    .replace("exit 1; }'", "exit 1; }\"")
}

/// What reduce was given of each item.
fn reduced(sandbox: &Sandbox) -> Vec<String> {
    let results: serde_json::Value = serde_json::from_str(&sandbox.read("results.json")).unwrap();
    let done = results.as_array().unwrap().iter().filter(|result| result["status"] == "success");
    let mut items: Vec<String> = done.map(|result| result["item_id"].to_string()).collect();
    items.sort();
    items
}

fn times(sandbox: &Sandbox, word: &str) -> usize {
    sandbox.heard().split(' ').filter(|it| *it == word).count()
}

fn all_went_through(sandbox: &Sandbox, runs_of_failed: usize, reduces: usize) {
    for item in 1..=6 {
        let runs = if item == 3 || item == 5 { runs_of_failed } else { 1 };
        assert_eq!(times(sandbox, &format!("item-{item}")), runs, "{}", sandbox.heard());
    }
    assert_eq!(times(sandbox, "reduce"), reduces, "{}", sandbox.heard());
    let items = reduced(sandbox);
    assert_eq!(items.len(), 6, "{items:?}");
    assert!(items.windows(2).all(|pair| pair[0] != pair[1]), "{items:?}");
    let dead = sandbox.run(&["dlq", "list", "--json"]).exits(0).json();
    assert!(dead.as_array().unwrap().is_empty(), "{dead:#?}");
}

#[test]
fn dead_items_run_again_with_the_fix_and_reduce_has_each_once() {
    let sandbox = sandbox(&flow(1, "rules: [{class: lint, fix: ./say fix}]"));
    sandbox.run(&["cook", "flow.yaml"]).exits(1);
    assert_eq!(reduced(&sandbox).len(), 4);
    let plan = sandbox.initiate(&["--dry-run", "--json"]).exits(0).json();
    assert_eq!(plan["recovery_context"]["step"], "map/item_3/1");
    sandbox.initiate(&[]).exits(0);
    all_went_through(&sandbox, 2, 2);
    assert_eq!(times(&sandbox, "fix"), 1, "one fix for all of them");
    assert_eq!(sandbox.recoveries()[0]["status"], "completed");
    assert_eq!(sandbox.status(), "completed");
}

#[test]
fn unattended_as_well_and_as_often_as_the_rule_says() {
    let rules = "auto: true, rules: [{class: lint, fix: ./say fix, attempts: 3}]";
    let sandbox = sandbox(&flow(2, rules));
    sandbox.run(&["cook", "flow.yaml"]).exits(0);
    all_went_through(&sandbox, 3, 3);
    let states = sandbox.recoveries();
    assert_eq!(states.len(), 1, "{states:#?}");
    assert_eq!(states[0]["status"], "completed");
}

#[test]
fn without_a_rule_they_wait_for_a_person() {
    let sandbox = sandbox(&flow(1, "auto: true"));
    let ran = sandbox.run(&["cook", "flow.yaml"]).exits(6);
    assert!(ran.stderr.contains("a person must look at step map/item_3"), "{ran:#?}");
    assert!(ran.stderr.contains("prodigy dlq retry flow-"), "{ran:#?}");
    sandbox.run(&["dlq", "retry", "flow"]).exits(0);
    all_went_through(&sandbox, 2, 2);
    assert_eq!(sandbox.recoveries()[0]["status"], "completed");
}

#[test]
fn killed_at_every_word_of_it_no_item_is_lost_or_twice() {
    let rules = "rules: [{class: lint, fix: ./say fix}]";
    for crash in [
        "7:before",
        "8:before",
        "8:after",
        "9:before",
        "9:after",
        "10:before",
        "11:before",
        "11:after",
    ] {
        let sandbox = sandbox(&flow(1, rules).replace("max_parallel: 2", "max_parallel: 1"));
        sandbox.run(&["cook", "flow.yaml"]).exits(1);
        let ran = sandbox
            .command(&["recovery", "initiate", "flow"])
            .env("CRASH", crash)
            .output()
            .unwrap();
        let killed = ran.status.code().is_none();
        sandbox.run(&["recovery", "initiate", "flow"]).exits(if killed { 0 } else { 2 });
        let items = reduced(&sandbox);
        assert_eq!(items.len(), 6, "{crash}: {items:?}");
        assert!(items.windows(2).all(|pair| pair[0] != pair[1]), "{crash}: {items:?}");
        let states = sandbox.recoveries();
        assert_eq!(states.len(), 1, "{crash}: {states:#?}");
        assert_eq!(states[0]["status"], "completed", "{crash}: {states:#?}");
    }
}

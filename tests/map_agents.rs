//! Agents at the items of a map: limits, costs, conversations that go on, and what the dead letter
//! queue tells of those that failed.

#![allow(
    clippy::unwrap_used,
    dead_code,
    missing_docs,
    reason = "a test ends where something is not as it must be; each uses its part of support"
)]

mod support;

use serde_json::Value as Json;
use support::agents::Agents;
use support::live::{Live, wait_until};

const FLOW: &str = "
name: review
map:
  input: seq 1 8
  max_parallel: 2
  agent_template:
    - {claude: 'Do ${item}.', capture_output: said, retry: 0}
    - echo \"${said} about ${item}\"
reduce: ['cp \"${map.results_file}\" results.json; echo ${map.successful} > reduced']
";

fn outputs(agents: &Agents) -> Vec<String> {
    let results: Json = serde_json::from_str(&agents.sandbox.read("results.json")).unwrap();
    let results = results.as_array().unwrap();
    results.iter().map(|it| it["output"].as_str().unwrap().to_owned()).collect()
}

/// What all items print.
fn all() -> Vec<String> {
    (1..=8).map(|item| format!("well about {item}")).collect()
}

#[test]
fn a_limit_stops_all_launches_and_is_no_failure_of_an_item() {
    let hour = chrono::Utc::now().timestamp() + 3600;
    let agents = Agents::new("", FLOW);
    agents.play(&format!("say:well\n---\nmatch:*Do 4*\nlimit:{hour}\n---\nmatch:*Do 4*\nsay:well"));
    let ran = agents.run(&["cook", "flow.yaml", "--park"]).exits(7);
    assert!(ran.stdout.contains("prodigy resume review"), "{ran:#?}");
    assert_eq!(agents.sandbox.status(), "parked");
    let launched = agents.calls().len();
    assert!((4..=5).contains(&launched), "{launched} launches, 2 at a time");
    let dead = agents.run(&["dlq", "list", "--json"]).exits(0).json();
    assert_eq!(dead.as_array().map(Vec::len), Some(0), "{dead}");
    agents.play("say:well");
    agents.run(&["resume"]).exits(0);
    assert_eq!(outputs(&agents), all());
    let again: Vec<String> =
        agents.prompts().into_iter().filter(|it| it.starts_with('>')).collect();
    assert_eq!(again, [">Do 4."], "its conversation goes on");
    assert_eq!(agents.calls().len(), 9, "nothing else is paid again");
}

#[test]
fn a_job_waits_for_the_end_of_a_limit_by_itself() {
    let soon = chrono::Utc::now().timestamp() + 3;
    let agents = Agents::new("", FLOW);
    agents.play(&format!("say:well\n---\nmatch:*Do 3*\nlimit:{soon}\n---\nmatch:*Do 3*\nsay:well"));
    let ran = agents.cook().exits(0);
    assert!(ran.stdout.contains("no agent starts before"), "{ran:#?}");
    assert_eq!(outputs(&agents), all());
    assert_eq!(agents.calls().len(), 9);
}

#[test]
fn the_dead_letter_queue_tells_what_an_agent_cost_and_where_its_log_is() {
    let agents = Agents::new("", &FLOW.replace("retry: 0", "retry: 0, model: opus"));
    agents.play("say:well\ncost:0.25\n---\nmatch:*Do 5*\ncost:0.5\nmax_turns");
    let ran = agents.cook().exits(1);
    assert!(ran.stdout.contains("7 of 8 done, 1 in the dead letter queue"), "{ran:#?}");
    let list = agents.run(&["dlq", "list", "review", "--json"]).exits(0).json();
    assert_eq!(list[0]["item_id"], "item_5");
    assert_eq!(list[0]["step"], "map/item_5/1");
    assert_eq!(list[0]["cost_usd"], 0.5, "{list}");
    let shown = agents.run(&["dlq", "show", "review", "5", "--json"]).exits(0).json();
    let log = shown[0]["history"][0]["logs"]["agent_log"].as_str().unwrap();
    assert!(std::path::Path::new(log).exists(), "{log}");
    // Without the one that failed the money is counted once.
    assert!((agents.spent().0 - (7.0 * 0.25 + 0.5)).abs() < 1e-9, "{:?}", agents.spent());
    agents.play("say:well\ncost:0.25");
    agents.run(&["dlq", "retry", "review"]).exits(0);
    assert_eq!(outputs(&agents), all());
    assert_eq!(agents.calls().len(), 8 + 1, "only the failed item runs again");
    assert_eq!(agents.sandbox.read("reduced"), "8\n");
}

#[test]
fn agents_that_a_kill_cut_go_on_with_their_conversations() {
    let agents = Agents::new("match:*Do [34]*\nhang\n---\nsay:well", FLOW);
    let live = Live::start(agents.command(&["cook", "flow.yaml"]));
    wait_until("agents 3 and 4", || agents.calls().len() == 4 && agents.conversations() == 4);
    live.kill();
    agents.play("say:well");
    agents.run(&["resume"]).exits(0);
    assert_eq!(outputs(&agents), all());
    let prompts = agents.prompts();
    assert_eq!(prompts.iter().filter(|it| it.starts_with('>')).count(), 2, "{prompts:?}");
    assert_eq!(prompts.len(), 4 + 6);
}

#[test]
fn an_agent_is_stopped_at_the_time_limit_of_its_item() {
    let flow = FLOW.replace("max_parallel: 2", "max_parallel: 8\n  agent_timeout_secs: 2");
    let agents = Agents::new("say:well\n---\nmatch:*Do 6*\ntool_bash:sleep 3001\nhang", &flow);
    agents.cook().exits(1);
    let list = agents.run(&["dlq", "list", "review", "--json"]).exits(0).json();
    assert_eq!(list.as_array().unwrap().len(), 1, "{list}");
    assert_eq!((&list[0]["item_id"], &list[0]["kind"]), (&"item_6".into(), &"timeout".into()));
    assert_eq!(agents.sandbox.living(), [""; 0], "with all that its tools started");
}

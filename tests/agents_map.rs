//! Agents as items of a map: what stops all of them leaves the others to be done, and is no dead letter.

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

use support::agents::Agents;

const MAP: &str = "
map:
  input: printf 'a\\nb\\nc\\nd\\n'
  max_parallel: 2
  agent_template: [{claude: \"Do ${item}\"}]
reduce:
  - shell: echo ${map.successful}/${map.failed} > counted
";

/// Ended and failed items, as the session tells them.
fn items(agents: &Agents) -> (u64, u64) {
    let dead = agents.run(&["dlq", "list", "--json"]).exits(0).json();
    let dead =
        dead.as_array().map_or_else(|| dead["items"].as_array().map_or(0, Vec::len), Vec::len);
    (agents.events("item_finished").len() as u64, dead as u64)
}

#[test]
fn wrong_credentials_stop_the_map_and_leave_its_items_to_be_done() {
    for scenario in ["401", "403", "credit"] {
        // One at a time: the first has ended before the second stops the map.
        let agents = Agents::new("", &MAP.replace("max_parallel: 2", "max_parallel: 1"));
        agents.play(&format!("match:*Do a*\ncost:0.5\nsay:fine\n---\n{scenario}"));
        let ran = agents.cook().exits(1);
        assert_eq!(items(&agents), (1, 0), "{scenario}: {ran:#?}");
        assert_eq!(agents.sandbox.status(), "failed", "{scenario}");
        assert!(agents.calls().len() <= 3, "{scenario}: {:?}", agents.prompts());
        assert!(!agents.sandbox.directory().join("counted").exists(), "{scenario}");
        let plan = agents.run(&["resume", "--plan"]).exits(0).stdout;
        assert!(plan.contains("agents: $0.50 spent so far, $0.50 of it not paid again"), "{plan}");
        agents.play("cost:0.25\nsay:fine");
        agents.run(&["resume"]).exits(0);
        assert_eq!(agents.sandbox.read("counted"), "4/0\n", "{scenario}");
        let again = agents.prompts().into_iter().filter(|it| it.ends_with("Do a")).count();
        assert_eq!(again, 1, "{scenario}: a finished item is not paid again");
    }
}

#[test]
fn a_limit_parks_the_whole_map_and_counts_no_item_as_failed() {
    let agents = Agents::new("", MAP);
    let later = chrono::Utc::now().timestamp() + 3600;
    agents.play(&format!("match:*Do a*\nsay:fine\n---\nlimit:{later}"));
    let ran = agents.run(&["cook", "flow.yaml", "--park"]).exits(7);
    assert!(ran.stdout.contains("limit is reached until"), "{ran:#?}");
    assert_eq!(agents.sandbox.status(), "parked");
    let (ended, dead) = items(&agents);
    assert!(ended <= 1 && dead == 0, "{ran:#?}");
    assert!(agents.calls().len() <= 3, "{:?}", agents.prompts());
    agents.play("say:fine");
    agents.run(&["resume"]).exits(0);
    assert_eq!(agents.sandbox.read("counted"), "4/0\n");
    // Those that met the limit go on with their conversations.
    let mut prompts = agents.prompts();
    prompts.sort();
    prompts.dedup();
    assert!(prompts.iter().any(|prompt| prompt.starts_with(">Do ")), "{prompts:?}");
}

#[test]
fn a_map_waits_for_a_short_limit_and_goes_on_by_itself() {
    let agents = Agents::new("", MAP);
    let soon = chrono::Utc::now().timestamp() + 3;
    agents.play(&format!("match:*Do a*\nlimit:{soon}\n---\nmatch:*Do a*\nsay:fine\n---\nsay:fine"));
    let ran = agents.cook().exits(0);
    assert!(ran.stdout.contains("no agent starts before"), "{ran:#?}");
    assert_eq!(agents.sandbox.read("counted"), "4/0\n");
    assert_eq!(agents.calls().len(), 5, "{:?}", agents.prompts());
}

#[test]
fn a_budget_of_calls_holds_for_the_items_of_a_map() {
    let agents = Agents::new("cost:0.5", &format!("budget: {{agent_calls: 3}}{MAP}"));
    let ran = agents.cook().exits(7);
    assert!(ran.stdout.contains("budget is used up: 3 agent calls are made"), "{ran:#?}");
    assert!(ran.stdout.contains("3 calls, $1.50"), "{ran:#?}");
    assert_eq!(agents.calls().len(), 3);
    assert_eq!(agents.spent(), (1.5, 3, 0));
    let plan = agents.run(&["resume", "--plan"]).exits(0).stdout;
    assert!(plan.contains("agents: $1.50 spent so far, $1.50 of it not paid again"), "{plan}");
    agents.sandbox.write("flow.yaml", &format!("budget: {{agent_calls: 9}}{MAP}"));
    agents.run(&["resume", "--accept-changes"]).exits(0);
    assert_eq!(agents.calls().len(), 4);
}

/// What agents may do is said with a run, and each command that runs items can say it.
#[test]
fn every_command_that_runs_agents_again_says_what_they_may_do() {
    for command in [
        &["dlq", "retry", "flow"][..],
        &["resume-job", "flow", "--force"],
        &["recovery", "initiate"],
    ] {
        let workflow = "map:\n  input: printf 'a\\n'\n  agent_template: [{claude: Do it, retry: 0}]\n\
                        recovery: {rules: [{class: any, strategy: retry}]}\n";
        let agents = Agents::new("refusal\n---\nsay:fine", workflow);
        agents.cook().exits(1);
        let words = [command, &["--permission-mode", "plan"]].concat();
        agents.run(&words).exits(0);
        let modes: Vec<_> = agents.calls().iter().map(|it| it["argv"].to_string()).collect();
        assert_eq!(modes.len(), 2, "{command:?}");
        assert!(modes[1].contains("--permission-mode=plan"), "{command:?}: {modes:?}");
    }
}

//! Limits and budgets: nothing is launched against a limit, and the session waits, parks and goes on.

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

use chrono::{DateTime, TimeDelta, Utc};
use rustix::process::Signal;
use support::agents::Agents;
use support::killed::CRASH;
use support::live::{Live, wait_until};

/// A limit that ends so many seconds from now, rounded up.
fn limit_for(seconds: i64) -> String {
    format!("limit:{}", Utc::now().timestamp() + 1 + seconds)
}

#[test]
fn a_session_waits_for_a_limit_and_goes_on_with_the_conversation() {
    let agents = Agents::new(
        &format!("{}\n---\nsay:done", limit_for(2)),
        "commands: [{id: it, claude: x, retry: 0}, {shell: 'echo ${it.attempts} > tried'}]",
    );
    let ran = agents.cook().exits(0);
    assert!(ran.stdout.contains("no agent starts before"), "{ran:#?}");
    assert_eq!(agents.prompts(), ["x", ">x"]);
    let retries = agents.events("retry_scheduled");
    assert_eq!(retries[0].1["uncounted"], true, "a limit is no attempt");
    assert_eq!(agents.sandbox.status(), "completed");
}

#[test]
fn the_wait_for_a_limit_is_no_part_of_the_time_of_the_step() {
    let agents = Agents::new(
        &format!("{}\n---\nsay:done", limit_for(4)),
        "commands: [{claude: x, timeout: 4s}]",
    );
    agents.cook().exits(0);
    assert_eq!(agents.prompts(), ["x", ">x"]);
}

#[test]
fn an_agent_that_is_silent_at_a_limit_met_the_limit() {
    let until = Utc::now().timestamp() + 3;
    let limit = format!(r#"{{"status":"rejected","resetsAt":{until}}}"#);
    let agents = Agents::new(
        &format!(
            "raw:{{\"type\":\"rate_limit_event\",\"rate_limit_info\":{limit}}}\nhang\n---\nsay:done"
        ),
        "limits: {idle_timeout: 2s}\ncommands: [{claude: x}]",
    );
    agents.cook().exits(0);
    assert_eq!(agents.prompts(), ["x", ">x"]);
    assert_eq!(agents.events("retry_scheduled")[0].1["uncounted"], true);
}

#[test]
fn a_limit_parks_the_session_where_the_wait_would_be_too_long_or_was_not_wished() {
    let hour = limit_for(3600);
    for (flow, arguments) in [
        (
            "limits: {max_wait: 1m}\ncommands: [{claude: x}, {shell: touch later}]",
            vec!["cook", "flow.yaml"],
        ),
        ("commands: [{claude: x}, {shell: touch later}]", vec!["cook", "flow.yaml", "--park"]),
    ] {
        let agents = Agents::new(&hour, flow);
        let ran = agents.run(&arguments).exits(7);
        assert!(ran.stdout.contains("limit is reached until"), "{ran:#?}");
        assert_eq!(agents.sandbox.status(), "parked");
        let waiting = agents.events("waiting");
        let until: DateTime<Utc> = waiting[0].1["until"].as_str().unwrap().parse().unwrap();
        assert!(until - Utc::now() > TimeDelta::minutes(50), "{waiting:?}");
        agents.play("say:done");
        agents.run(&["resume"]).exits(0);
        assert_eq!(agents.prompts(), ["x", ">x"]);
        assert!(agents.sandbox.directory().join("later").exists());
    }
}

#[test]
fn too_many_requests_and_overload_are_no_attempts() {
    for scenario in ["429", "529", "limit_text:You've hit your limit · resets 3am"] {
        let agents =
            Agents::new(scenario, "limits: {max_wait: 1s}\ncommands: [{claude: x, retry: 0}]");
        agents.cook().exits(7);
        assert_eq!(agents.calls().len(), 1, "{scenario}");
        agents.play("say:done");
        agents.run(&["resume"]).exits(0);
        assert_eq!(agents.prompts(), ["x", ">x"], "{scenario}");
    }
}

/// When prodigy wrote last to the only log that holds this text.
fn last_write_of(agents: &Agents, text: &str) -> DateTime<Utc> {
    let sessions = std::fs::read_dir(agents.sandbox.state().join("sessions")).unwrap();
    let logs = sessions.flat_map(|session| {
        std::fs::read_dir(session.unwrap().path().join("logs")).unwrap().map(|log| log.unwrap())
    });
    let mut holding = logs
        .filter(|log| std::fs::read_to_string(log.path()).is_ok_and(|said| said.contains(text)));
    let found = holding.next().unwrap_or_else(|| panic!("no log holds {text:?}"));
    assert!(holding.next().is_none(), "several logs hold {text:?}");
    found.metadata().unwrap().modified().unwrap().into()
}

#[test]
fn sixty_four_agents_stop_launching_at_the_first_sign_of_a_limit() {
    let items: Vec<String> = (0..160).map(|item| format!("i{item}")).collect();
    let flow = format!(
        "commands:\n  - foreach: [{}]\n    parallel: 64\n    do: [{{claude: \"Do ${{item}}.\"}}]\n",
        items.join(", ")
    );
    let agents = Agents::new("", &flow);
    // The limit lasts longer than all that runs takes to end.
    let scenario =
        format!("say:ok\n---\nmatch:*Do i70.*\n{}\n---\nmatch:*Do i70.*\nsay:ok", limit_for(3600));
    agents.play(&scenario);
    agents.run(&["cook", "flow.yaml", "--park"]).exits(7);
    assert_eq!(agents.sandbox.status(), "parked");
    let limited = agents.calls();
    assert!(limited.len() < 160, "{} launches although a limit was met", limited.len());
    // Nothing was launched that the journal does not know of.
    assert_eq!(agents.events("step_spawned").len(), limited.len());
    // What the agent said was written to its log before it was understood: the last of it is
    // the end of its answer, which follows the sign within a moment.
    let sign = last_write_of(&agents, "hit your limit");
    let late: Vec<_> = agents
        .events("step_spawned")
        .into_iter()
        .filter(|(at, _)| *at > sign + TimeDelta::milliseconds(100))
        .collect();
    assert!(late.is_empty(), "launched after the limit was met at {sign}: {late:?}");
    // Those that ran when it was met ended, and are not paid again.
    let done = agents.events("step_finished").len();
    assert!(done > 0);
    agents.play("say:ok");
    agents.run(&["resume"]).exits(0);
    let again: Vec<String> =
        agents.prompts().into_iter().filter(|it| it.starts_with('>')).collect();
    assert_eq!(again, [">Do i70."]);
    assert_eq!(agents.calls().len(), 161, "every item once, the limited one twice");
}

#[test]
fn an_agent_that_got_through_before_does_not_end_a_limit() {
    // The slow one was started before the limit and ends well after it was met.
    let agents = Agents::new(
        "",
        "commands:\n  - foreach: [slow, fast, next]\n    parallel: 2\n    do: [{claude: \"Do ${item}.\"}]\n",
    );
    agents.play(&format!(
        "say:ok\n---\nmatch:*slow*\ntouch:started\nwait_for:limited\n---\nmatch:*fast*\nwait_for:started\ntouch:limited\n{}\n---\nmatch:*fast*\nsay:ok",
        limit_for(3600)
    ));
    agents.run(&["cook", "flow.yaml", "--park"]).exits(7);
    let mut prompts = agents.prompts();
    prompts.sort();
    assert_eq!(prompts, ["Do fast.", "Do slow."]);
    // The round that is over is paid for, although the loop goes on.
    let plan = agents.run(&["resume", "--plan"]).exits(0).stdout;
    assert!(plan.contains("agent: to run, $0.0055 spent so far, $0.0055 of it saved]"), "{plan}");
}

#[test]
fn an_agent_that_overcomes_the_limit_that_it_met_ends_it() {
    // The program itself repeats its request and gets through: neither a park nor a long wait.
    let agents = Agents::new(
        "retry:429\nsay:ok\n---\nsay:ok",
        "limits: {max_wait: 1s}\ncommands: [{claude: a}, {claude: b}]",
    );
    agents.cook().exits(0);
    assert_eq!(agents.prompts(), ["a", "b"]);
    // Others wait in the meantime, and go on as soon as it got through.
    let agents = Agents::new(
        "match:*one*\nwait_for:started\nretry:429\ntouch:met\nwait_for:go\nsay:ok\n---\nmatch:*two*\ntouch:started\nwait_for:met\nsleep:0.5\nsay:ok\n---\nsay:ok",
        "commands:\n  - foreach: [one, two, three]\n    parallel: 2\n    do: [{claude: \"Do ${item}.\"}]\n",
    );
    let live = Live::start(agents.command(&["cook", "flow.yaml"]));
    wait_until("the limit", || {
        agents.sandbox.directory().join("met").exists() && agents.events("step_finished").len() == 1
    });
    assert_eq!(agents.calls().len(), 2, "the third waits");
    agents.sandbox.write("go", "");
    live.end().exits(0);
    let [.., (second, _), (third, _)] = &agents.events("step_spawned")[..] else { panic!() };
    assert!(*third - *second < TimeDelta::seconds(20), "a wait is 30 s long");
}

#[test]
fn a_budget_parks_the_session_and_a_raised_one_lets_it_go_on() {
    let flow = |budget: &str| {
        format!("budget: {budget}\ncommands: [{{claude: a}}, {{claude: b}}, {{claude: c}}]")
    };
    for (small, large) in [
        ("{usd: 0.9}", "{usd: 9}"),
        ("{tokens: 2000}", "{tokens: 90000}"),
        ("{agent_calls: 2}", "{agent_calls: 9}"),
    ] {
        let agents = Agents::new("cost:0.5", &flow(small));
        let ran = agents.cook().exits(7);
        assert!(ran.stdout.contains("budget is used up"), "{ran:#?}");
        assert_eq!(agents.prompts(), ["a", "b"], "{small}");
        // The same budget does not grow by resuming.
        agents.run(&["resume"]).exits(7);
        assert_eq!(agents.prompts(), ["a", "b"], "{small}");
        agents.sandbox.write("flow.yaml", &flow(large));
        agents.run(&["resume"]).exits(6);
        let ran = agents.run(&["resume", "--accept-changes"]).exits(0);
        assert!(ran.stderr.contains("budget"), "{ran:#?}");
        assert_eq!(agents.prompts(), ["a", "b", "c"], "{small}");
    }
}

#[test]
fn a_cost_that_nobody_told_is_not_zero() {
    // Dead agents tell no cost: each counts as the dearest known call, here 0.5.
    let agents = Agents::new(
        "cost:0.5\n---\nkill",
        "budget: {usd: 1.2}\ncommands: [{claude: a}, {claude: b, on_failure: true}, {claude: c}]",
    );
    let ran = agents.cook().exits(7);
    assert!(
        ran.stdout.contains("$1.50 of 1.20 USD are spent (with a guess for 2 calls"),
        "{ran:#?}"
    );
    assert_eq!(agents.prompts(), ["a", "b", ">b"]);
    assert_eq!(agents.spent(), (0.5, 3, 2));
    // Tokens likewise: each call that tells them uses 1020.
    let agents = Agents::new(
        "success\n---\nkill",
        "budget: {tokens: 3000}\ncommands: [{claude: a}, {claude: b, on_failure: true}, {claude: c}]",
    );
    let ran = agents.cook().exits(7);
    assert!(ran.stdout.contains("3060 of 3000 tokens are used"), "{ran:#?}");
    assert_eq!(agents.prompts(), ["a", "b", ">b"]);
}

#[test]
fn a_call_that_asked_nothing_of_the_model_costs_nothing() {
    // The smallest budget would be used up by a guess.
    for scenario in ["401", "start_error:error: unknown option '--nonsense'"] {
        let agents =
            Agents::new(scenario, "budget: {usd: 0.5, tokens: 5000}\ncommands: [{claude: x}]");
        agents.cook().exits(1);
        assert_eq!(agents.spent(), (0.0, 1, 0), "{scenario}");
        agents.play("cost:0.1");
        agents.run(&["resume"]).exits(0);
    }
    let agents = Agents::new("", "commands: [/no-such-thing]");
    agents.cook().exits(1);
    assert_eq!(agents.spent(), (0.0, 1, 0));
    let agents = Agents::new("slow_start:600\n---\nsay:ok", "commands: [{claude: x}]");
    let live = Live::start(agents.command(&["cook", "flow.yaml"]));
    wait_until("the call", || agents.begun());
    live.signal(Signal::INT);
    live.end().exits(130);
    assert_eq!(agents.spent(), (0.0, 1, 0));
    agents.run(&["resume"]).exits(0);
    assert_eq!(agents.prompts(), ["x", "x"]);
}

#[test]
fn agents_side_by_side_do_not_run_past_a_budget_together() {
    let flow = |budget: &str| {
        format!(
            "budget: {budget}\ncommands:\n  - foreach: [a, b, c, d, e, f, g, h]\n    parallel: 8\n    do: [{{claude: \"Do ${{item}}\"}}]"
        )
    };
    for budget in ["{agent_calls: 3}", "{usd: 1.4}", "{tokens: 3000}"] {
        let agents = Agents::new("cost:0.5", &flow(budget));
        agents.cook().exits(7);
        assert_eq!(agents.calls().len(), 3, "{budget}");
        agents.sandbox.write("flow.yaml", &flow("{usd: 90}"));
        agents.run(&["resume", "--accept-changes"]).exits(0);
        assert_eq!(agents.calls().len(), 8, "{budget}");
    }
}

#[test]
fn a_wall_time_is_counted_over_all_runs() {
    let agents = Agents::new(
        "success",
        "budget: {wall_time: 2s}\ncommands: [{claude: a}, {shell: 'sleep 2.1'}, {claude: b}]",
    );
    agents.cook().exits(7);
    agents.run(&["resume"]).exits(7);
    assert_eq!(agents.prompts(), ["a"]);
}

#[test]
fn a_run_that_was_killed_has_used_its_wall_time() {
    let agents = Agents::new(
        "success",
        &format!(
            "budget: {{wall_time: 2s}}\ncommands: [{{claude: a}}, {{shell: 'sleep 2.1'}}, {{shell: '{CRASH}'}}, {{claude: b}}]"
        ),
    );
    assert_eq!(agents.cook().signal, Some(9));
    agents.run(&["resume"]).exits(7);
    assert_eq!(agents.prompts(), ["a"]);
    let shown = agents.run(&["sessions", "show", "flow", "--json"]).exits(0).json();
    assert!(shown["active_ms"].as_u64().unwrap() >= 2100, "{shown:#}");
}

//! Agent steps against the stand-in: what they are started with, what comes of each outcome.

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

#[test]
fn text_cost_tokens_and_conversation_are_variables_and_in_the_journal() {
    let agents = Agents::new(
        "say:All is well.\ncost:0.25",
        r#"
commands:
  - {id: look, claude: "Look at it"}
  - {shell: "echo ${claude.output}/${claude.cost_usd}/${look.cost_usd}/${look.tokens}/${claude.session_id}/${look.turns} > told"}
"#,
    );
    agents.cook().exits(0);
    let calls = agents.calls();
    let id = calls[0]["session"].as_str().unwrap();
    assert_eq!(agents.sandbox.read("told"), format!("All is well./0.25/0.25/1020/{id}/1\n"));
    assert_eq!(agents.spent(), (0.25, 1, 0));
    let started = agents.events("step_started");
    assert_eq!(started[0].1["agent_session"], id);
    assert_eq!(agents.events("agent_ended")[0].1["agent"]["cost_usd"], 0.25);
}

#[test]
fn every_option_of_workflow_and_step_reaches_the_program() {
    let agents = Agents::new(
        "success",
        r#"
claude: {model: one, permission_mode: plan, max_turns: 9, extra_args: [--effort, low]}
commands:
  - claude: "-p looks like a flag; so it goes to stdin"
  - claude: "/compact now"
    model: two
    permission_mode: acceptEdits
    allowed_tools: [Edit, "Bash(git *)"]
    max_turns: 3
    max_budget_usd: 0.5
"#,
    );
    agents.cook().exits(0);
    let calls = agents.calls();
    let words = |index: usize| {
        let words = calls[index]["argv"].as_array().unwrap();
        let words: Vec<&str> = words.iter().map(|word| word.as_str().unwrap()).collect();
        words[6..].join(" ")
    };
    assert_eq!(words(0), "--permission-mode=plan --model=one --max-turns=9 --effort low");
    assert_eq!(
        words(1),
        "--permission-mode=acceptEdits --allowedTools=Edit,Bash(git *) --model=two --max-turns=3 --max-budget-usd=0.5 --effort low"
    );
    assert_eq!(calls[0]["prompt"], "-p looks like a flag; so it goes to stdin");
}

#[test]
fn a_person_may_say_more_about_permissions_than_the_workflow() {
    let agents = Agents::new("success", "claude: {permission_mode: plan}\ncommands: [{claude: x}]");
    agents.run(&["cook", "flow.yaml", "--permission-mode", "acceptEdits"]).exits(0);
    let argv = agents.calls()[0]["argv"].to_string();
    assert!(argv.contains("--permission-mode=acceptEdits"), "{argv}");
    agents.run(&["cook", "flow.yaml", "--permission-mode", "all"]).exits(2);
}

#[test]
fn permissions_are_never_skipped_for_root_and_that_is_said_before_the_first_step() {
    let agents = Agents::new(
        "success",
        "commands: [{shell: touch ran}, {claude: x, skip_permissions: true}]",
    );
    if !rustix::process::geteuid().is_root() {
        agents.cook().exits(0);
        assert!(agents.calls()[0]["argv"].to_string().contains("--dangerously-skip-permissions"));
        return;
    }
    let ran = agents.cook().exits(2);
    assert!(ran.stderr.contains("does not skip permissions for root"), "{ran:#?}");
    assert!(!agents.sandbox.directory().join("ran").exists());
    assert!(agents.calls().is_empty());
    let in_sandbox = agents.command(&["cook", "flow.yaml"]).env("IS_SANDBOX", "1").output();
    assert!(in_sandbox.unwrap().status.success());
}

#[test]
fn shell_steps_need_no_agent_and_a_missing_one_is_told_before_the_first_step() {
    let agents = Agents::new("success", "commands: [{shell: touch ran}]");
    std::fs::remove_file(agents.sandbox.root().join("bin/claude")).unwrap();
    let path = |name: &str| {
        let bin = agents.sandbox.root().join("only");
        std::fs::create_dir_all(&bin).unwrap();
        let found = std::env::split_paths(&std::env::var_os("PATH").unwrap())
            .map(|it| it.join(name))
            .find(|it| it.exists());
        let _ = std::os::unix::fs::symlink(found.unwrap(), bin.join(name));
        bin
    };
    for name in ["sh", "touch", "git"] {
        path(name);
    }
    let cook = |command: &str| {
        let words: Vec<&str> = command.split(' ').collect();
        support::Ran::of(agents.command(&words).env("PATH", path("sh")).output().unwrap())
    };
    cook("cook flow.yaml").exits(0);
    std::fs::remove_file(agents.sandbox.directory().join("ran")).unwrap();
    agents.sandbox.write("flow.yaml", "commands: [{shell: touch ran}, {claude: x}]");
    let ran = cook("cook flow.yaml").exits(2);
    assert!(ran.stderr.contains("npm install -g @anthropic-ai/claude-code"), "{ran:#?}");
    assert!(!agents.sandbox.directory().join("ran").exists());
    let ran = cook("validate flow.yaml").exits(0);
    assert!(
        ran.stdout.contains("needs claude, which is not there; install claude with: npm install"),
        "{ran:#?}"
    );
    // Another program is looked for as well.
    let nowhere = agents.sandbox.root().join("nowhere");
    let flow = format!("claude: {{command: {}}}\ncommands: [{{claude: x}}]", nowhere.display());
    agents.sandbox.write("flow.yaml", &flow);
    let told = format!("needs {}, which is not there", nowhere.display());
    assert!(cook("validate flow.yaml").exits(0).stdout.contains(&told));
    assert!(cook("cook flow.yaml").exits(2).stderr.contains(&told));
    std::fs::write(&nowhere, "").unwrap();
    assert!(cook("cook flow.yaml").exits(2).stderr.contains("no program that may be executed"));
}

#[test]
fn another_program_may_stand_for_claude() {
    let agents = Agents::new("success", "commands: [{claude: x}]");
    let stand_in = agents.sandbox.root().join("bin/claude");
    let other = agents.sandbox.root().join("bin/other");
    std::fs::rename(stand_in, &other).unwrap();
    let yaml = format!(
        "claude: {{command: [{}, --safe-mode]}}\ncommands: [{{claude: x}}]",
        other.display()
    );
    agents.sandbox.write("flow.yaml", &yaml);
    agents.cook().exits(0);
    assert_eq!(agents.calls()[0]["argv"][0], "--safe-mode");
}

/// Outcomes that fail the step at once: the scenario, and what is told and helps.
const FAILURES: &[(&str, &str)] = &[
    ("max_turns:2", "Reached maximum number of turns (2) ("),
    ("max_turns:2", "help: raise `max_turns`"),
    ("max_budget", "Reached maximum budget ($0.01) ("),
    ("refusal", "unable to respond"),
    ("max_tokens", "output token maximum"),
    ("400", "400 invalid request"),
    ("413", "Request too large"),
    ("exit:5", "claude answered, but then ended with exit code 5"),
    ("bang_blocked", "Shell command permission check failed ("),
    ("bang_blocked", "help: see `allowed-tools`"),
];

#[test]
fn a_failed_answer_is_a_failed_step_whatever_the_exit_code() {
    for (scenario, told) in FAILURES {
        let agents = Agents::new(scenario, "commands: [{id: it, claude: x}]");
        let ran = agents.cook().exits(1);
        let shown = format!("{}{}", ran.stdout, ran.stderr);
        assert!(shown.contains(told), "{scenario}: {ran:#?}");
        assert_eq!(agents.calls().len(), 1, "{scenario}");
    }
}

#[test]
fn an_unknown_slash_command_fails_and_says_where_commands_live() {
    let agents = Agents::new("success", "commands: [/no-such-thing now]");
    let ran = agents.cook().exits(1);
    let shown = format!("{}{}", ran.stdout, ran.stderr);
    assert!(shown.contains("/no-such-thing") && shown.contains(".claude/commands"), "{ran:#?}");
}

#[test]
fn what_cannot_go_on_stops_the_whole_run_at_once() {
    for scenario in ["401", "403", "404", "not_logged_in", "credit"] {
        let agents = Agents::new(
            scenario,
            "commands: [{claude: x, retry: 3, on_failure: true}, {shell: touch later}]",
        );
        let ran = agents.cook().exits(1);
        let told = if scenario == "404" { "correct `model`" } else { "log in with `claude`" };
        let told = format!("  help     {told}");
        assert!(ran.stdout.contains(&told), "{scenario}: {ran:#?}");
        assert_eq!(agents.calls().len(), 1, "{scenario}");
        assert!(!agents.sandbox.directory().join("later").exists(), "{scenario}");
        assert_eq!(agents.sandbox.status(), "failed", "{scenario}");
        // When a person has mended it, the session goes on with the same conversation.
        agents.play("say:now");
        agents.run(&["resume"]).exits(0);
        assert_eq!(agents.prompts(), ["x", ">x"], "{scenario}");
        assert!(agents.sandbox.directory().join("later").exists(), "{scenario}");
    }
}

#[test]
fn denied_tools_are_told_and_the_step_stands_by_its_checks() {
    let agents = Agents::new("denied:Bash", "commands: [{claude: x}]");
    let ran = agents.cook().exits(0);
    let shown = format!("{}{}", ran.stdout, ran.stderr);
    assert!(shown.contains("was refused 1 tool use: Bash"), "{ran:#?}");
}

#[test]
fn tools_are_shown_as_they_are_used_and_text_only_when_asked_for() {
    let agents =
        Agents::new("tool_edit:notes.md:hi\nsay:I wrote notes.", "commands: [{claude: x}]");
    let ran = agents.cook().exits(0);
    assert!(ran.stdout.contains("Write notes.md"), "{ran:#?}");
    let ran = agents.run(&["cook", "flow.yaml", "-v"]).exits(0);
    assert!(ran.stdout.contains("Write notes.md"), "{ran:#?}");
    assert!(ran.stdout.contains("I wrote notes."), "{ran:#?}");
}

const SCHEMA: &str = r#"
commands:
  - id: it
    claude: Judge it
    output_schema: {type: object, required: [verdict], properties: {verdict: {type: string}}}
  - {shell: "echo ${it.output.verdict}/${it.cost_usd} > told"}
"#;

#[test]
fn an_answer_of_the_wrong_form_is_sent_back_with_the_reason() {
    let agents = Agents::new(
        "say:It is good.\ncost:0.1\n---\nsay:{\"verdict\": 3}\ncost:0.2\n---\nsay:{\"verdict\": \"good\"}\ncost:0.3",
        SCHEMA,
    );
    agents.cook().exits(0);
    assert_eq!(agents.sandbox.read("told"), "good/0.6\n");
    let calls = agents.calls();
    assert_eq!(calls.len(), 3);
    assert!(calls[1]["prompt"].as_str().unwrap().contains("it is not a JSON document"));
    assert!(calls[2]["prompt"].as_str().unwrap().contains("/verdict"), "{}", calls[2]["prompt"]);
    for call in &calls[1..] {
        assert_eq!((&call["session"], &call["resumed"]), (&calls[0]["session"], &true.into()));
    }
    assert_eq!(agents.spent().1, 3);
}

#[test]
fn an_answer_that_stays_of_the_wrong_form_fails_after_two_corrections() {
    let agents = Agents::new("say:never", SCHEMA);
    let ran = agents.cook().exits(1);
    assert!(ran.stdout.contains("does not satisfy output_schema"), "{ran:#?}");
    assert_eq!(agents.calls().len(), 3);
}

#[test]
fn secrets_are_masked_in_everything_that_an_agent_prints() {
    let agents = Agents::new(
        "tool_bash:echo the key is s3cret-v4lue\nsay:It is s3cret-v4lue.\nstderr:s3cret-v4lue",
        "secrets: {KEY: KEY}\ncommands: [{id: it, claude: x}, {shell: 'test ${it.output} = \"It is $KEY.\"'}]",
    );
    let output = agents.command(&["cook", "flow.yaml", "-v"]).env("KEY", "s3cret-v4lue").output();
    let ran = support::Ran::of(output.unwrap()).exits(0);
    assert!(!format!("{ran:?}").contains("s3cret-v4lue"), "{ran:#?}");
    let found = std::process::Command::new("grep")
        .args(["-rl", "s3cret-v4lue"])
        .arg(agents.sandbox.state())
        .output()
        .unwrap();
    assert!(found.stdout.is_empty(), "{}", String::from_utf8_lossy(&found.stdout));
}

#[test]
fn a_retry_of_a_failed_agent_begins_a_new_conversation() {
    let agents = Agents::new(
        "cost:0.5\nmax_turns:1\n---\nsay:ok\ncost:0.25",
        "commands: [{id: it, claude: x, retry: {attempts: 2, initial_delay: 0}}, {shell: 'echo ${it.cost_usd} > told'}]",
    );
    agents.cook().exits(0);
    assert_eq!(agents.prompts(), ["x", "x"]);
    assert_eq!(agents.sandbox.read("told"), "0.75\n", "costs add up over attempts");
    assert_eq!(agents.spent(), (0.75, 2, 0));
}

//! The reader of Claude's output over whole transcripts: own ones in `tests/agent`, and a collection of
//! recorded ones beside the repository where there is one.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    dead_code,
    missing_docs,
    reason = "a test ends where something is not as it must be; each uses its part of support"
)]

use std::path::{Path, PathBuf};

use chrono::{DateTime, FixedOffset};
use prodigy::agent::{AgentFailure, Call, Exit, Happening, Reader, RetryAdvice, Verdict, verdict};

fn now() -> DateTime<FixedOffset> {
    DateTime::parse_from_rfc3339("2026-11-20T09:00:00Z").unwrap()
}

/// Reads a transcript in pieces of `size` bytes.
fn read(transcript: &[u8], size: usize, prompt: &str) -> (Reader, Vec<Happening>) {
    let mut reader = Reader::of(&Call { prompt: prompt.into(), ..Call::default() });
    let mut happenings = Vec::new();
    for piece in transcript.chunks(size) {
        happenings.extend(reader.push(piece));
    }
    happenings.extend(reader.finish());
    (reader, happenings)
}

fn judge(transcript: &[u8], exit: Exit) -> Verdict {
    verdict(&read(transcript, 1000, "go").0, exit, "", now())
}

fn outcome(verdict: &Verdict) -> Result<String, AgentFailure> {
    match &verdict.result {
        Ok(answer) => Ok(answer.text.clone()),
        Err(failed) => Err(failed.kind),
    }
}

fn own(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/agent").join(name);
    std::fs::read(path).unwrap()
}

/// Recorded transcripts, which are not part of the repository.
fn recorded() -> Option<PathBuf> {
    let shared = std::env::var_os("PRODIGY_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let samples = shared.join("facts/claude-samples");
    samples.join("INDEX").exists().then_some(samples)
}

/// What each recorded transcript means.
fn expected(name: &str) -> Result<&'static str, AgentFailure> {
    use AgentFailure as F;
    match name {
        "ok" | "ok.single" | "tool_bash_echo" | "permission_denied" | "write_accept_edits"
        | "tool_exit7" | "retry_then_ok" | "model_fallback" | "slash_command" | "resume_ok"
        | "partial_messages" | "hook_events" | "mcp_failed" => Ok("Hello from the stub."),
        "subagent" | "result_not_last" => Ok("main answer"),
        "two_results" => Ok("after bg"),
        "json_schema" => Ok(r#"{"name":"bob"}"#),
        "error_529" => Err(F::Overloaded),
        "error_429" => Err(F::RateLimit),
        "error_500" => Err(F::Server),
        "error_401" | "not_logged_in" => Err(F::Auth),
        "error_404_model" => Err(F::Configuration),
        "error_413" | "refusal" | "max_tokens" => Err(F::Model),
        "error_conn_refused" | "error_timeout" => Err(F::Network),
        "max_turns" | "max_budget" => Err(F::Bounded),
        "unknown_command" => Err(F::UnknownCommand),
        "command_bang_blocked" => Err(F::CommandBlocked),
        "resume_unknown" => Err(F::NoConversation),
        "sigint_streaming" | "sigint_in_tool" => Err(F::Interrupted),
        "sigterm" => Err(F::Killed),
        other => panic!("a new recording, {other}: say what it means"),
    }
}

#[test]
fn recorded_transcripts_mean_what_they_meant() {
    let Some(samples) = recorded() else {
        eprintln!("skipped: no recorded transcripts beside the repository");
        return;
    };
    let index = std::fs::read_to_string(samples.join("INDEX")).unwrap();
    let mut count = 0;
    for line in index.lines() {
        let (file, code) = line.split_once(" exit=").unwrap();
        let name = file.rsplit_once('.').unwrap().0;
        let transcript = std::fs::read(samples.join(file)).unwrap();
        let verdict = judge(&transcript, Exit::Code(code.trim().parse().unwrap()));
        assert_eq!(outcome(&verdict).as_deref(), expected(name).as_ref().map(|t| *t), "{file}");
        assert!(!verdict.report.session_id.is_empty(), "{file}");
        // What a cut answer cost is not known.
        let cut = ["sigterm", "sigint_streaming"].contains(&name);
        assert_eq!(verdict.report.cost_usd.is_some(), !cut, "{file}");
        count += 1;
    }
    assert!(count >= 36, "only {count} transcripts");
}

#[test]
fn recorded_transcripts_can_be_cut_anywhere() {
    let Some(samples) = recorded() else {
        eprintln!("skipped: no recorded transcripts beside the repository");
        return;
    };
    for file in ["two_results.jsonl", "sigint_in_tool.jsonl", "subagent.jsonl"] {
        let transcript = std::fs::read(samples.join(file)).unwrap();
        let whole = read(&transcript, usize::MAX, "go").1;
        for size in [1, 7, 64] {
            assert_eq!(read(&transcript, size, "go").1, whole, "{file} by {size}");
        }
        for end in (0..transcript.len()).step_by(97) {
            let verdict = judge(&transcript[..end], Exit::Signal(9));
            assert!(verdict.result.is_err(), "{file} cut at {end}");
        }
    }
}

#[test]
fn an_answer_comes_with_its_cost_and_what_was_done() {
    let (reader, happenings) = read(&own("answer_with_tools.jsonl"), 10, "/ns:deep now");
    let lines: Vec<String> = happenings.iter().map(ToString::to_string).collect();
    let expected = [
        "Edit src/main.rs",
        "Agent: look around",
        "Bash: cargo test",
        "Bash: touch x",
        "All tests pass.",
    ];
    assert_eq!(lines, expected);
    let verdict = verdict(&reader, Exit::Code(0), "", now());
    assert_eq!(verdict.result.unwrap().text, "All tests pass.");
    let report = verdict.report;
    assert_eq!(report.session_id, "5a0c1c52-9d3c-4b0e-8a51-0f7d3e2b9c11");
    assert_eq!((report.cost_usd, report.tokens, report.turns), (Some(0.011), Some(2040), Some(4)));
    assert_eq!(report.denials, 1);
    assert_eq!(verdict.warnings.len(), 1, "{:?}", verdict.warnings);
}

#[test]
fn the_last_of_two_results_counts_and_turns_add_up() {
    let verdict = judge(&own("woken_by_background_task.jsonl"), Exit::Code(0));
    assert_eq!(outcome(&verdict), Ok("second answer".into()));
    assert_eq!(verdict.report.cost_usd, Some(0.0165));
    assert_eq!((verdict.report.tokens, verdict.report.turns), (Some(3060), Some(3)));
}

#[test]
fn a_line_torn_by_an_event_is_put_together_again() {
    let transcript = own("torn_by_event.jsonl");
    let (reader, happenings) = read(&transcript, 5, "go");
    assert_eq!(happenings, [Happening::Text("one two".into())]);
    assert_eq!(reader.skipped(), 1, "only the line that is no JSON");
    assert_eq!(outcome(&judge(&transcript, Exit::Code(0))), Ok("one two".into()));
}

#[test]
fn an_account_s_limit_is_waited_for() {
    for (file, until) in [
        ("limit_event.jsonl", "2026-11-20T10:20:00Z"),
        ("limit_in_words.jsonl", "2026-11-21T15:00:00Z"),
    ] {
        let failed = judge(&own(file), Exit::Code(1)).result.unwrap_err();
        assert_eq!(failed.kind, AgentFailure::Limit, "{file}");
        assert_eq!(failed.retry, RetryAdvice::ResumeAt(Some(until.parse().unwrap())), "{file}");
        assert!(failed.kind.is_provider_limit());
    }
}

#[test]
fn what_would_only_cost_is_stopped_at_once() {
    let transcript = own("unauthorized.jsonl");
    let (reader, happenings) = read(&transcript, 100, "go");
    assert_eq!(happenings, [Happening::NotAuthorized]);
    let failed = verdict(&reader, Exit::Ordered, "", now()).result.unwrap_err();
    assert_eq!((failed.kind, failed.retry), (AgentFailure::Auth, RetryAdvice::StopRun));

    let (reader, happenings) = read(&transcript, 100, "/no-such thing");
    assert_eq!(happenings[0], Happening::UnknownCommand("no-such".into()));
    assert!(happenings[0].ends_the_call());
    let failed = verdict(&reader, Exit::Ordered, "", now()).result.unwrap_err();
    assert_eq!((failed.kind, failed.retry), (AgentFailure::UnknownCommand, RetryAdvice::No));
    assert!(failed.message.contains("/no-such"));
}

#[test]
fn the_way_it_ended_decides_where_there_is_no_result() {
    use AgentFailure as F;
    let transcript = own("overloaded_then_answer_cut.jsonl");
    for (exit, kind) in [
        (Exit::Stopped, F::Interrupted),
        (Exit::TimedOut, F::TimedOut),
        (Exit::Idle, F::Hang),
        (Exit::Signal(9), F::Killed),
        (Exit::Code(143), F::Killed),
        (Exit::Code(0), F::NoResult),
        (Exit::Code(1), F::NoResult),
    ] {
        let failed = judge(&transcript, exit).result.unwrap_err();
        assert_eq!(failed.kind, kind, "{exit:?}");
        assert_eq!(failed.text, "half an answer");
    }
}

#[test]
fn a_good_answer_is_kept_whatever_follows_but_not_always_believed() {
    let transcript = own("answer_with_tools.jsonl");
    for exit in [Exit::Stopped, Exit::Idle, Exit::TimedOut] {
        let verdict = judge(&transcript, exit);
        assert_eq!(outcome(&verdict), Ok("All tests pass.".into()), "{exit:?}");
        assert_eq!(verdict.warnings.len(), 2, "{exit:?}");
    }
    for exit in [Exit::Code(1), Exit::Signal(9), Exit::Code(143)] {
        let failed = judge(&transcript, exit).result.unwrap_err();
        assert_eq!(failed.kind, AgentFailure::ExitMismatch, "{exit:?}");
        assert_eq!(failed.text, "All tests pass.");
    }
    // Stopped while it worked on after its first answer: that work is not done.
    let woken = own("woken_by_background_task.jsonl");
    let text = String::from_utf8(woken).unwrap();
    let until_second: Vec<&str> = text.lines().take(6).collect();
    let verdict = judge(until_second.join("\n").as_bytes(), Exit::Stopped);
    assert_eq!(outcome(&verdict), Err(AgentFailure::Interrupted));
}

#[test]
fn an_interrupted_call_keeps_its_cost() {
    let verdict = judge(&own("interrupted_in_tool.jsonl"), Exit::Code(1));
    assert_eq!(outcome(&verdict), Err(AgentFailure::Interrupted));
    assert_eq!(verdict.report.cost_usd, Some(0.0055));
}

#[test]
fn start_errors_are_told_by_stderr() {
    use AgentFailure as F;
    let judge = |code: i32, stderr: &str| {
        verdict(&Reader::default(), Exit::Code(code), stderr, now()).result.unwrap_err()
    };
    for (stderr, kind) in [
        ("Error: Session ID 5a0c1c52 is already in use.\n", F::SessionInUse),
        ("No conversation found with session ID: x", F::NoConversation),
        ("Not logged in · Please run /login", F::Auth),
        ("error: unknown option '--nope'\n", F::Configuration),
        ("Claude AI usage limit reached|1795170000", F::Limit),
        ("", F::Configuration),
    ] {
        assert_eq!(judge(1, stderr).kind, kind, "{stderr}");
    }
    let failed = judge(1, "error: unknown option '--nope'\n");
    assert_eq!(failed.retry, RetryAdvice::StopRun);
    assert_eq!(
        failed.message,
        "claude did not start (ended with exit code 1): error: unknown option '--nope'"
    );
    assert_eq!(judge(0, "").kind, F::Configuration);
}

#[test]
fn what_goes_wrong_beside_the_work_is_told_as_it_happens() {
    let transcript = r#"{"type":"system","subtype":"init","mcp_servers":[{"name":"good","status":"connected"},{"name":"bad","status":"failed"}]}
{"type":"system","subtype":"api_retry","attempt":2,"max_retries":10,"error_status":500,"error":"server_error"}
{"type":"system","subtype":"model_fallback","content":"sonnet instead of opus"}
"#;
    let (_, happenings) = read(transcript.as_bytes(), 20, "go");
    let told: Vec<String> = happenings.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "MCP server bad did not start",
            "waiting for API (attempt 2/10)",
            "sonnet instead of opus"
        ]
    );
    assert!(happenings.iter().all(|happening| !happening.ends_the_call()));
}

#[test]
fn noise_of_any_kind_is_skipped_and_counted() {
    let mut transcript = b"\xff\xfe\x00 noise\n\n{\"type\":\n[1]\n12\n{}\n".to_vec();
    transcript.extend(own("answer_with_tools.jsonl"));
    let (reader, _) = read(&transcript, 3, "go");
    assert_eq!(reader.skipped(), 4);
    assert!(verdict(&reader, Exit::Code(0), "", now()).result.is_ok());
}

//! The reader of Claude's output over whole transcripts: own ones in `tests/agent`, and a collection of
//! recorded ones beside the repository where there is one.

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
        assert_eq!(verdict.report.cost_usd.is_some(), name != "sigterm", "{file}");
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

//! Outputs as real tools print them, and the class of each.

mod machine;
mod outside;
mod work;

use super::*;
use FailureClass::*;

/// Command, exit code, stdout, stderr, class.
type Case = (&'static str, i32, &'static str, &'static str, FailureClass);

fn class(case: &Case) -> Verdict {
    let (command, code, stdout, stderr, _) = case;
    explain(&Evidence { kind: FailureKind::Exit, exit_code: Some(*code), command, stdout, stderr })
}

fn all_hold(cases: &[Case]) {
    let wrong: Vec<String> = cases
        .iter()
        .map(|case| (case, class(case)))
        .filter(|(case, found)| found.class != case.4)
        .map(|(case, found)| {
            format!(
                "{} → {:?} ({}), not {:?}\n{}{}",
                case.0, found.class, found.why, case.4, case.2, case.3
            )
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn decoys_do_not_fool_it() {
    all_hold(&[
        // A test of that name passed; something else went wrong.
        (
            "./ci.sh",
            3,
            "test client::network_timeout ... ok\ntest client::connection_refused ... ok\ntest result: ok. 2 passed; 0 failed; 0 ignored\n",
            "",
            Unknown,
        ),
        (
            "./ci.sh",
            1,
            "PASS src/rate-limit.test.js\n  ✓ answers 429 too many requests (3 ms)\n  ✓ survives: connection timed out\n",
            "",
            Unknown,
        ),
        (
            "./ci.sh",
            1,
            "--- PASS: TestDiskFull (0.00s)\nok  \texample.com/network\t0.01s\n",
            "",
            Unknown,
        ),
        (
            "pytest",
            1,
            "tests/test_net.py::test_permission_denied PASSED\ntests/test_a.py::test_x FAILED\n=== 1 failed, 1 passed in 0.1s ===\n",
            "",
            Test,
        ),
        // It is quoted, or the log of something that was tried.
        (
            "./check",
            1,
            "the log said \"connection timed out\" yesterday\n",
            "check: it did not\n",
            Unknown,
        ),
        ("./check", 1, "> fatal: Authentication failed\n", "unexpected text above\n", Unknown),
        (
            "./check",
            1,
            "2026-01-02T10:00:00Z INFO connection refused, trying the next host\nall hosts tried, answer is 7\n",
            "",
            Unknown,
        ),
        ("sh -x run.sh", 1, "", "+ echo no space left on device\n+ false\n", Unknown),
        ("./check", 1, "", "thing `permission denied` is not an option\n", Unknown),
        // It was so at first; the end says something else.
        (
            "./deploy",
            1,
            EARLY,
            "error[E0308]: mismatched types\nerror: could not compile `demo` (lib) due to 1 previous error\n",
            Build,
        ),
        (
            "npm run lint",
            1,
            "",
            "npm WARN network connection refused, using cache\n\n✖ 1 problem (1 error, 0 warnings)\n",
            Lint,
        ),
        // Not what it looks like.
        (
            "npx watch",
            1,
            "",
            "Error: ENOSPC: System limit for number of file watchers reached, watch '/app'\n",
            Unknown,
        ),
        ("echo 500 files", 1, "500 files copied\n", "", Unknown),
        ("./count", 1, "0 failures\n", "", Unknown),
        ("false", 1, "", "", Unknown),
        ("exit 7", 7, "", "", Unknown),
        ("grep -q x file", 1, "", "", Unknown),
    ]);
}

/// Fifty lines after a network problem that was survived.
const EARLY: &str = "curl: (7) Failed to connect to mirror port 80: Connection refused\n\
    1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\n16\n17\n18\n19\n20\n21\n22\n23\n24\n25\n";

#[test]
fn the_kind_decides_where_it_can() {
    let evidence = |kind, exit_code| Evidence {
        kind,
        exit_code,
        command: "curl https://example.com",
        stdout: "",
        stderr: "curl: (28) Connection timed out",
    };
    assert_eq!(classify(&evidence(FailureKind::Timeout, None)), Timeout);
    assert_eq!(classify(&evidence(FailureKind::IdleTimeout, None)), Timeout);
    assert_eq!(classify(&evidence(FailureKind::Exit, Some(28))), Network);
    assert_eq!(classify(&evidence(FailureKind::Start, None)), MissingTool);
    assert_eq!(classify(&evidence(FailureKind::Capture, None)), Unknown);
}

#[test]
fn signals_and_special_codes() {
    let evidence = |kind, code, command, stderr| Evidence {
        kind,
        exit_code: Some(code),
        command,
        stdout: "",
        stderr,
    };
    assert_eq!(classify(&evidence(FailureKind::Signal, 137, "./x", "")), OutOfMemory);
    assert_eq!(classify(&evidence(FailureKind::Signal, 143, "./x", "")), Unknown);
    assert_eq!(classify(&evidence(FailureKind::Signal, 139, "./x", "")), Unknown);
    assert_eq!(classify(&evidence(FailureKind::Exit, 124, "timeout 5 ./x", "")), Timeout);
    assert_eq!(classify(&evidence(FailureKind::Exit, 124, "./x", "")), Timeout);
    assert_eq!(classify(&evidence(FailureKind::Exit, 124, "ls | xargs ./x", "")), Unknown);
    assert_eq!(classify(&evidence(FailureKind::Exit, 137, "timeout -k 1 5 ./x", "")), Timeout);
    assert_eq!(classify(&evidence(FailureKind::Signal, 152, "./x", "")), Timeout);
    assert_eq!(classify(&evidence(FailureKind::Exit, 127, "./x", "")), MissingTool);
    assert_eq!(classify(&evidence(FailureKind::Exit, 126, "./x", "")), Permission);
}

#[test]
fn agents_say_it_in_json() {
    let evidence = |stdout| Evidence {
        kind: FailureKind::Agent,
        exit_code: Some(1),
        command: "/fix the build",
        stdout,
        stderr: "",
    };
    let overloaded = r#"API Error: 529 {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
    assert_eq!(classify(&evidence(overloaded)), ServerError);
    assert_eq!(classify(&evidence("Claude AI usage limit reached|1750000000")), RateLimit);
    assert_eq!(classify(&evidence("You've hit your session limit · resets 3pm")), RateLimit);
    assert_eq!(classify(&evidence("Invalid API key · Please run /login")), Auth);
    assert_eq!(classify(&evidence("API Error: 500 Internal server error")), ServerError);
    assert_eq!(classify(&evidence("I could not finish the task.")), Unknown);
}

#[test]
fn colours_and_endless_lines_do_not_matter() {
    let stderr =
        format!("\u{1b}[31mcat: x: \u{1b}[1mPermission denied\u{1b}[0m\n{}", "é".repeat(3_000));
    let evidence = Evidence {
        kind: FailureKind::Exit,
        exit_code: Some(1),
        command: "cat x",
        stdout: "",
        stderr: &stderr,
    };
    assert_eq!(classify(&evidence), Permission);
}

#[test]
fn every_class_of_the_table_says_why() {
    for rule in RULES.iter() {
        assert!(!rule.why.is_empty() && !rule.why.ends_with('.'), "{}", rule.pattern);
        assert!((1.0..=12.0).contains(&rule.weight), "{}", rule.pattern);
    }
}

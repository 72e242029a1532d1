//! Crashes and errors at every call to the system that changes something: the n-th write, sync,
//! rename … kills prodigy or fails. Needs `strace`; without it nothing is tested.

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

use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use support::{Ran, Sandbox};

const FLOW: &str = r#"
commands:
  - {shell: "echo one >> words; printf 'a\nb'", capture_output: value}
  - {shell: "echo two >> words; exit 3", on_failure: "echo mended >> words", checkpoint: named}
  - {shell: "[ \"${value}\" = \"$(printf 'a\nb')\" ] && echo three >> words"}
"#;
const WORDS: [&str; 4] = ["one", "two", "mended", "three"];

/// Calls that change something, or that everything stands on.
const CALLS: [&str; 8] =
    ["write", "fdatasync", "fsync", "renameat", "mkdir", "ftruncate", "clone3", "pwrite64"];
/// How they can fail.
const ERRORS: [(&str, &str); 7] = [
    ("write", "ENOSPC"),
    ("write", "EIO"),
    ("fdatasync", "EIO"),
    ("fsync", "EIO"),
    ("renameat", "ENOSPC"),
    ("mkdir", "EACCES"),
    ("openat", "EMFILE"),
];

fn can_trace() -> bool {
    let tried = Command::new("strace")
        .args(["-o", "/dev/null", "true"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    tried.is_ok_and(|status| status.success())
}

/// The command under strace, which does to the `n`-th `call` of prodigy (not of its steps) what
/// `fault` says.
fn faulty(sandbox: &Sandbox, arguments: &[&str], call: &str, n: usize, fault: &str) -> Ran {
    let like = sandbox.command(&[""; 0]);
    let mut command = Command::new("strace");
    command.args(["-o", "trace", "-e", &format!("trace=?{call}")]);
    command.args(["-e", &format!("inject=?{call}:{fault}:when={n}")]);
    command.arg(env!("CARGO_BIN_EXE_prodigy")).args(arguments);
    command.current_dir(sandbox.directory()).env_clear();
    command.envs(like.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Ran::of(command.output().unwrap())
}

/// How often the program makes this call in a run without faults.
fn count(call: &str) -> usize {
    let sandbox = Sandbox::new();
    sandbox.write("flow.yaml", FLOW);
    // The thousandth is never reached.
    faulty(&sandbox, &["cook", "flow.yaml"], call, 60_000, "error=EIO").exits(0);
    sandbox.read("trace").lines().filter(|line| line.starts_with(call)).count()
}

/// Whether a session has begun; one that was killed before its first record has not.
fn begun(sandbox: &Sandbox) -> bool {
    let list = sandbox.run(&["sessions", "list", "--json"]).exits(0).json();
    !list.as_array().unwrap().is_empty()
}

/// After the fault, and perhaps another one in the resume, everything comes to its end.
fn check(call: &str, n: usize, fault: &str) -> Result<(), String> {
    let sandbox = Sandbox::new();
    sandbox.write("flow.yaml", FLOW);
    let ran = faulty(&sandbox, &["cook", "flow.yaml"], call, n, fault);
    let mut told = format!("{call} {n} {fault}: {ran:#?}");
    if ran.stderr.contains("panicked") || !matches!(ran.code, None | Some(0 | 1 | 2 | 5 | 137)) {
        return Err(told);
    }
    let first = sandbox.words("words");
    for _ in 0..2 {
        if !begun(&sandbox) {
            if !first.is_empty() {
                return Err(format!("steps of no session: {first}\n{told}"));
            }
            break;
        }
        if sandbox.status() == "completed" {
            break;
        }
        let again = faulty(&sandbox, &["resume"], call, n, fault);
        told += &format!("\nresume: {again:#?}");
        if again.stderr.contains("panicked") {
            return Err(told);
        }
    }
    let last = if begun(&sandbox) { &["resume"][..] } else { &["cook", "flow.yaml"] };
    let ran = sandbox.run(last);
    told += &format!("\nat last: {ran:#?}");
    let words = sandbox.words("words");
    let of = |word: &str| words.split(' ').filter(|it| *it == word).count();
    let repeated = words.split(' ').count().saturating_sub(WORDS.len());
    let place = |word: &&str| words.split(' ').position(|it| it == *word);
    let order: Vec<usize> = WORDS.iter().filter_map(place).collect();
    let right = ran.code == Some(0)
        && sandbox.status() == "completed"
        // A step that cannot be started has failed, which its handler mends.
        && WORDS.iter().all(|word| of(word) >= 1 || *word == "two" && told.contains("cannot start"))
        && repeated <= 3
        && order.is_sorted();
    if right { Ok(()) } else { Err(format!("words: {words}\n{told}")) }
}

fn check_all(faults: Vec<(&str, usize, String)>) {
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(String::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some((call, n, fault)) = faults.get(next.fetch_add(1, Ordering::Relaxed))
                {
                    if let Err(difference) = check(call, *n, fault) {
                        *wrong.lock().unwrap() += &format!("{difference}\n\n");
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{wrong}");
}

/// Every n, or some of them.
fn some(count: usize) -> impl Iterator<Item = usize> {
    let long = std::env::var_os("PRODIGY_LONG_TESTS").is_some();
    (1..=count).step_by(if long { 1 } else { (count / 6).max(1) })
}

#[test]
fn a_kill_at_any_call_is_resumed() {
    if !can_trace() {
        eprintln!("skipped: strace cannot be used here");
        return;
    }
    let mut faults = Vec::new();
    for call in CALLS {
        faults.extend(some(count(call)).map(|n| (call, n, "signal=KILL".to_owned())));
    }
    assert!(faults.len() > 20, "only {} faults", faults.len());
    check_all(faults);
}

#[test]
fn an_error_of_any_call_is_told_and_resumed() {
    if !can_trace() {
        eprintln!("skipped: strace cannot be used here");
        return;
    }
    let mut faults = Vec::new();
    for (call, error) in ERRORS {
        faults.extend(some(count(call)).map(|n| (call, n, format!("error={error}"))));
    }
    assert!(faults.len() > 20, "only {} faults", faults.len());
    check_all(faults);
}

//! What keeps prodigy fast, in counts that do not depend on the machine: calls to the system,
//! bytes and memory of a step and of an item. Times are measured by `cargo bench`.

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

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use support::{Ran, Sandbox};

/// How often each call was made.
type Calls = BTreeMap<String, usize>;

fn can_trace() -> bool {
    let tried = Command::new("strace")
        .args(["-o", "/dev/null", "true"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let can = tried.is_ok_and(|status| status.success());
    if !can {
        eprintln!("skipped: strace cannot be used here");
    }
    can
}

/// The calls of `cook` with these arguments: of its main thread, which runs the steps, or with
/// `-f` of all its threads and programs.
fn calls(sandbox: &Sandbox, options: &[&str], arguments: &[&str]) -> Calls {
    let like = sandbox.command(&[""; 0]);
    let mut command = Command::new("strace");
    command.args(["-qq", "-o", "trace"]).args(options);
    command.args([env!("CARGO_BIN_EXE_prodigy"), "cook"]).args(arguments);
    command.current_dir(sandbox.directory()).env_clear();
    command.envs(like.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    Ran::of(command.output().unwrap()).exits(0);
    let mut calls = Calls::new();
    for line in sandbox.read("trace").lines() {
        let line = line.trim_start_matches(|it: char| it.is_ascii_digit() || it == ' ');
        // Whether the start of a program is looked up there depends on the clock.
        let looks_up = line.contains("\"/proc/");
        if let Some((name, _)) = line.split_once('(').filter(|_| !looks_up) {
            *calls.entry(name.to_owned()).or_default() += 1;
        }
    }
    calls
}

fn of(calls: &Calls, name: &str) -> usize {
    calls.get(name).copied().unwrap_or(0)
}

/// Appended to a log or a result, or put into the room of the journal.
fn writes(calls: &Calls) -> usize {
    of(calls, "write") + of(calls, "pwrite64")
}

fn all(calls: &Calls) -> usize {
    calls.values().sum()
}

fn steps(count: usize, step: &str) -> String {
    format!("commands:\n{}", format!("  - {step}\n").repeat(count))
}

fn cook(steps_of: &str, more: &[&str]) -> Calls {
    let sandbox = Sandbox::new();
    sandbox.write("flow.yaml", steps_of);
    calls(&sandbox, &[], &[&["flow.yaml", "--output", "quiet"], more].concat())
}

fn bytes_below(directory: &Path) -> u64 {
    let entries = std::fs::read_dir(directory).unwrap().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => bytes_below(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}

/// Bytes of state that a run of `flow` leaves.
fn state_of(sandbox: &Sandbox, flow: &str) -> u64 {
    sandbox.write("flow.yaml", flow);
    sandbox.run(&["cook", "flow.yaml", "--durability", "relaxed"]).exits(0);
    bytes_below(&sandbox.state())
}

#[test]
fn a_step_makes_few_calls_and_the_hundredth_no_more_than_the_first() {
    if !can_trace() {
        return;
    }
    let [few, more, many] = [10, 60, 110].map(|count| cook(&steps(count, "shell: /bin/true"), &[]));
    for (before, after) in [(&few, &more), (&more, &many)] {
        let each = (all(after) - all(before)) as f64 / 50.0;
        assert!(each <= 60.0, "{each} calls a step: {before:?} {after:?}");
        assert_eq!(of(after, "fdatasync") - of(before, "fdatasync"), 50, "one sync a step");
        assert_eq!(of(after, "clone3") - of(before, "clone3"), 50, "one process a step");
        let writes = writes(after) - writes(before);
        assert!(writes <= 3 * 50 + 20, "{writes} writes for 50 steps");
    }
}

#[test]
fn relaxed_steps_do_not_wait_for_the_disk() {
    if !can_trace() {
        return;
    }
    let relaxed = ["--durability", "relaxed"];
    let [few, many] = [10, 60].map(|count| cook(&steps(count, "shell: /bin/true"), &relaxed));
    let (few, many) = (of(&few, "fdatasync"), of(&many, "fdatasync"));
    assert!(many.abs_diff(few) <= 5, "{few} syncs with 10 steps, {many} with 60");
}

#[test]
fn handlers_that_nobody_needs_cost_no_call() {
    if !can_trace() {
        return;
    }
    let plain = cook(&steps(50, "shell: /bin/true"), &[]);
    let step =
        "{shell: /bin/true, retry: 2, on_failure: [{shell: echo failed}, {shell: echo more}]}";
    let with = cook(&steps(50, step), &[]);
    for call in ["write", "fdatasync", "clone3", "openat"] {
        let (plain, with) = (of(&plain, call), of(&with, call));
        assert!(with.abs_diff(plain) <= 3, "{call}: {plain} without, {with} with handlers");
    }
}

#[test]
fn items_share_their_syncs() {
    if !can_trace() {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("flow.yaml", MAP);
    let traced = ["-f", "-e", "trace=fdatasync,write,pwrite64"];
    let mut counts = Vec::new();
    for count in [20, 100] {
        sandbox.write("items.txt", &"item\n".repeat(count));
        let arguments = ["flow.yaml", "--output", "quiet", "--max-parallel", "8"];
        counts.push(calls(&sandbox, &traced, &arguments));
    }
    let more = |call: &str| of(&counts[1], call).saturating_sub(of(&counts[0], call));
    // Results and journal once for each six items, and at most once for each that was slow.
    assert!(more("fdatasync") <= 110, "{counts:?}");
    // Start, end and result; snapshots beside them.
    let written = writes(&counts[1]).saturating_sub(writes(&counts[0]));
    assert!(written <= 5 * 80, "{counts:?}");
}

const MAP: &str = "
name: many
mode: mapreduce
map:
  input: items.txt
  agent_template:
    - shell: 'true'
";

#[test]
fn an_item_leaves_at_most_400_bytes() {
    let sizes = [100, 500].map(|count| {
        let sandbox = Sandbox::new();
        sandbox.write("items.txt", &"item\n".repeat(count));
        state_of(&sandbox, MAP)
    });
    let each = (sizes[1] - sizes[0]) / 400;
    assert!(each <= 400, "{each} bytes an item");
}

#[test]
fn captured_output_takes_space_as_often_as_it_was_captured() {
    let capture = "{shell: \"head -c 10240 /dev/zero | tr '\\\\0' x\", capture_output: cNUMBER}";
    let sizes = [20, 60, 100].map(|count: usize| {
        let list: String = (1..=count)
            .map(|number| format!("  - {}\n", capture.replace("NUMBER", &number.to_string())))
            .collect();
        state_of(&Sandbox::new(), &format!("commands:\n{list}"))
    });
    let (first, second) = (sizes[1] - sizes[0], sizes[2] - sizes[1]);
    assert!(second * 10 <= first * 11, "40 captures took {first} bytes, the next {second}");
    // In the journal, in the log, and in the snapshot as value, output and capture.
    assert!(second / 40 <= 6 * 10_240, "{} bytes a capture", second / 40);
}

/// The most memory that prodigy has held when the last of `count` steps runs, in KB.
#[cfg(target_os = "linux")]
fn peak_after(count: usize, step: &str) -> u64 {
    let sandbox = Sandbox::new();
    let last = "  - shell: grep VmHWM /proc/$PPID/status > peak\n";
    sandbox.write("flow.yaml", &(steps(count, step) + last));
    sandbox.run(&["cook", "flow.yaml", "--durability", "relaxed"]).exits(0);
    let peak = sandbox.read("peak");
    peak.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn finished_steps_are_no_burden() {
    let (few, many) = (peak_after(20, "shell: /bin/true"), peak_after(520, "shell: /bin/true"));
    assert!(many - few <= 4 * 1024, "{few} KB after 20 steps, {many} KB after 520");
}

#[cfg(target_os = "linux")]
#[test]
fn what_nobody_captures_does_not_stay_in_memory() {
    let step = "shell: yes $PRODIGY_STEP | head -c 60000";
    let (few, many) = (peak_after(20, step), peak_after(220, step));
    // The texts alone are 12 MB.
    assert!(many - few <= 5 * 1024, "{few} KB after 20 steps, {many} KB after 220");
}

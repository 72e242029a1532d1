//! Values, outputs and files of a size or shape that nobody expects, and places that cannot be written.

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

use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use support::live::{Live, wait_until};
use support::{Ran, Sandbox};

fn is_long() -> bool {
    std::env::var_os("PRODIGY_LONG_TESTS").is_some()
}

fn cook(sandbox: &Sandbox, yaml: &str) -> Ran {
    sandbox.write("flow.yaml", yaml);
    sandbox.run(&["cook", "flow.yaml"])
}

/// The most memory that a process has had, in bytes.
fn peak(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1024)
}

#[test]
fn floods_of_output_cost_no_memory_and_the_end_is_kept() {
    let megabytes = if is_long() { 1000 } else { 300 };
    let sandbox = Sandbox::new();
    sandbox.write(
        "flow.yaml",
        &format!(
            r#"
commands:
  - {{shell: "head -c {megabytes}M /dev/zero | tr '\\0' 'x'; head -c 30M /dev/zero | tr '\\0' 'e' >&2; printf '\\nthe end'; echo x > ready; until [ -e go ]; do sleep 0.01; done", id: flood}}
  - printf %s "${{flood.output}}" | tail -c 7 > end
"#
        ),
    );
    let live = Live::start(sandbox.command(&["cook", "flow.yaml"]));
    wait_until("the flood", || sandbox.directory().join("ready").exists());
    let peak = peak(live.pid()).unwrap();
    assert!(peak < 100_000_000, "{peak} bytes");
    sandbox.write("go", "");
    let ran = live.end();
    // Whether a cut output may be a value is the rule of captures; here only that nothing breaks.
    if ran.code == Some(0) {
        assert_eq!(sandbox.words("end"), "the end");
    } else {
        let ran = ran.exits(1);
        assert!(ran.stdout.contains("16"), "the limit is told: {ran:#?}");
    }
    let shown = sandbox.run(&["logs", "flow"]);
    assert!(shown.code == Some(0) || shown.stdout.len() < 50_000_000, "{:?}", shown.code);
}

#[test]
fn a_capture_arrives_whole_byte_for_byte() {
    let sandbox = Sandbox::new();
    let ran = cook(
        &sandbox,
        r#"
commands:
  - {shell: "head -c 3750000 /dev/urandom | base64 -w 0 | tee big", capture_output: big}
  - {shell: "printf 'a\\377\\200\\033[31m\\r\\n\\ttab é b'", capture_output: bytes}
  - {shell: "head -c 200000 big", capture_output: middle}
  - "[ -e go ]"
  - |
    printf %s ${bytes} > bytes
    printf %s "${middle}" > middle
  - |
    cat > copy <<EOF
    ${big}
    EOF
  - {write_file: {path: written, content: "${big}"}}
"#,
    );
    let ran = ran.exits(1);
    assert!(ran.stdout.len() < 1_000_000);
    sandbox.write("go", "");
    sandbox.run(&["resume"]).exits(0);
    let bytes = |name: &str| std::fs::read(sandbox.directory().join(name)).unwrap();
    let big = bytes("big");
    assert_eq!(big.len(), 5_000_000);
    assert_eq!(bytes("bytes"), b"a\xff\x80\x1b[31m\r\n\ttab \xc3\xa9 b");
    assert_eq!(bytes("middle"), big[..200_000]);
    let copy = bytes("copy");
    assert!(copy.strip_suffix(b"\n").unwrap() == big);
    assert!(bytes("written") == big);
}

#[test]
fn a_capture_over_the_limit_fails_its_step() {
    let sandbox = Sandbox::new();
    let ran = cook(
        &sandbox,
        "commands:\n  - {shell: head -c 20M /dev/zero | tr '\\0' x, capture_output: c}\n  - echo next > words\n",
    );
    let ran = ran.exits(1);
    assert!(ran.stdout.contains("16"), "{ran:#?}");
    assert_eq!(sandbox.words("words"), "");
}

#[test]
fn a_nul_in_a_value_is_an_error_of_that_step_alone() {
    let sandbox = Sandbox::new();
    cook(
        &sandbox,
        r#"
commands:
  - {shell: "printf 'a\\0b'", capture_output: c}
  - {shell: "printf %s ${c} > out", continue_on_error: true, id: user}
  - echo "${user.success}" > words
"#,
    )
    .exits(0);
    assert_eq!(sandbox.words("words"), "false");
    let out = std::fs::read(sandbox.directory().join("out")).unwrap_or_default();
    assert_eq!(out, b"", "nothing arrives cut");
}

/// Runs `validate` on a file, with a limit for time and memory.
fn validated(sandbox: &Sandbox, text: &str) -> Ran {
    sandbox.write("hostile.yaml", text);
    let begin = Instant::now();
    let ran = sandbox.run(&["validate", "hostile.yaml"]);
    assert!(begin.elapsed() < Duration::from_secs(30), "{:?}", begin.elapsed());
    assert!(matches!(ran.code, Some(0 | 2)), "{ran:.2000?}");
    assert!(ran.stdout.len() + ran.stderr.len() < 200_000, "{} bytes", ran.stderr.len());
    ran
}

#[test]
fn hostile_files_are_refused_quickly() {
    let sandbox = Sandbox::new();
    let mut bomb = "x-a: &a [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
    for (name, before) in "bcdefghij".chars().zip("abcdefghi".chars()) {
        let many = vec![format!("*{before}"); 9].join(", ");
        writeln!(bomb, "x-{name}: &{name} [{many}]").unwrap();
    }
    bomb.push_str("commands: [echo hi]\n");
    let mut merges = "x-a: &a {k0: v}\n".to_owned();
    for number in 1..40 {
        let before = if number == 1 { "a".to_owned() } else { format!("m{}", number - 1) };
        writeln!(merges, "x-m{number}: &m{number} {{one: *{before}, two: *{before}}}").unwrap();
    }
    merges.push_str("commands: [echo hi]\n");
    let cyclic = "x-a: &a [*a]\ncommands: [echo hi]\n";
    let brackets = format!("commands: {}{}\n", "[".repeat(100_000), "]".repeat(100_000));
    let braces = format!("commands: {}\n", "{a: ".repeat(100_000));
    let mut handlers = "echo x".to_owned();
    for _ in 0..1000 {
        handlers = format!("{{shell: x, on_failure: {handlers}}}");
    }
    let handlers = format!("commands:\n  - {handlers}\n");
    let expression = format!(
        "commands:\n  - {{shell: x, when: '{}1{}'}}\n",
        "(".repeat(50_000),
        ")".repeat(50_000)
    );
    let negation = format!("commands:\n  - {{shell: x, when: '{}true'}}\n", "not ".repeat(50_000));
    let interpolation = format!("commands:\n  - 'echo {}'\n", "${a".repeat(50_000));
    for text in [&bomb, &merges, cyclic, &brackets, &braces, &handlers, &expression, &negation] {
        validated(&sandbox, text).exits(2);
    }
    validated(&sandbox, &interpolation);
    for text in
        ["", "# nothing\n", "---\n...\n", "commands: []\n", "\u{feff}", "\0\0", "null\n", "7\n"]
    {
        validated(&sandbox, text).exits(2);
    }
    let big = format!("commands:\n  - echo hi\nx-big: {}\n", "y".repeat(30_000_000));
    let ran = validated(&sandbox, &big).exits(2);
    assert!(ran.stderr.contains("10 MB"), "{ran:#?}");
}

#[test]
fn twenty_thousand_steps_are_bounded() {
    let sandbox = Sandbox::new();
    let mut text = "commands:\n".to_owned();
    for number in 0..20_000 {
        writeln!(text, "  - {{id: s{number}, shell: 'echo {number}', when: '1 == 2'}}").unwrap();
    }
    validated(&sandbox, &text).exits(0);
}

#[test]
fn ids_from_outside_reach_nothing_and_run_nothing() {
    let sandbox = Sandbox::new();
    cook(&sandbox, "commands:\n  - 'false'\n").exits(1);
    let session = std::fs::read_dir(sandbox.state().join("sessions")).unwrap().next().unwrap();
    let session = session.unwrap();
    // A session that lies outside, and would run if a path could be made of an id.
    let outside = sandbox.root().join("outside");
    std::fs::create_dir(&outside).unwrap();
    for file in std::fs::read_dir(session.path()).unwrap() {
        let file = file.unwrap().path();
        if file.is_file() {
            std::fs::copy(&file, outside.join(file.file_name().unwrap())).unwrap();
        }
    }
    let long = "x".repeat(5000);
    let ids = [
        "../../outside",
        "../../../outside",
        outside.to_str().unwrap(),
        "..",
        ".",
        "/",
        "*",
        "%2e%2e%2foutside",
        "....//outside",
        "session-*",
        "\u{1b}[2J",
        "a\nb",
        long.as_str(),
        "-",
        "~",
    ];
    for id in ids {
        for command in [
            &["resume"][..],
            &["sessions", "show"],
            &["checkpoints", "show"],
            &["checkpoints", "validate"],
            &["checkpoints", "export"],
            &["sessions", "fork"],
            &["logs"],
            &["cook", "--resume"],
        ] {
            let ran = sandbox.run(&[command, &[id]].concat());
            assert!(matches!(ran.code, Some(2 | 3)), "{command:?} {id:.60?} {ran:#?}");
            assert!(!ran.stderr.contains('\u{1b}') && !ran.stdout.contains('\u{1b}'), "{ran:#?}");
        }
        let ran = sandbox.run(&["checkpoints", "clean", "--force", "--workflow-id", id]);
        assert!(matches!(ran.code, Some(2 | 3)), "{id:.60?} {ran:#?}");
        let ran = sandbox.run(&["events", "ls", "--session", id]);
        assert!(matches!(ran.code, Some(2 | 3)), "{id:.60?} {ran:#?}");
    }
    assert_eq!(std::fs::read_dir(&outside).unwrap().count(), 3, "nothing was added or removed");
}

/// A sandbox whose binary runs below `sh -c`, which sets things up first.
fn below(sandbox: &Sandbox, script: &str) -> Command {
    let like = sandbox.command(&[""; 0]);
    let mut command = Command::new("sh");
    command.args(["-c", script]).current_dir(sandbox.directory()).env_clear();
    command.envs(like.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.env("PRODIGY", env!("CARGO_BIN_EXE_prodigy"));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[test]
fn state_is_private_whatever_the_umask() {
    for umask in ["000", "022", "027", "077"] {
        let sandbox = Sandbox::new();
        sandbox.write("flow.yaml", "commands:\n  - {shell: echo out; echo err >&2, capture_output: c}\n  - {shell: head -c 300000 /dev/zero | tr '\\0' x, capture_output: d}\n  - 'false'\n");
        let script = format!("umask {umask}; \"$PRODIGY\" cook flow.yaml");
        let ran = Ran::of(below(&sandbox, &script).output().unwrap()).exits(1);
        let count = check_modes(&sandbox.state());
        assert!(count > 8, "{umask}: {count} {ran:#?}");
        sandbox.run(&["resume"]).exits(1);
        check_modes(&sandbox.state());
    }
}

/// 0700 for directories, 0600 for files; returns how many there are.
fn check_modes(path: &Path) -> usize {
    let mut count = 1;
    let mode = path.metadata().unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode, if path.is_dir() { 0o700 } else { 0o600 }, "{}: {mode:o}", path.display());
    if path.is_dir() {
        for entry in std::fs::read_dir(path).unwrap() {
            count += check_modes(&entry.unwrap().path());
        }
    }
    count
}

#[test]
fn a_reader_that_is_gone_or_a_full_device_stops_no_run() {
    for (to, code) in [("/dev/full", Some(1)), ("&-", None)] {
        let sandbox = Sandbox::new();
        let mut yaml = "commands:\n".to_owned();
        for number in 0..50 {
            writeln!(yaml, "  - echo {number} >> words").unwrap();
        }
        sandbox.write("flow.yaml", &yaml);
        let script = format!("\"$PRODIGY\" cook flow.yaml -vv >{to} 2>err");
        let ran = Ran::of(below(&sandbox, &script).output().unwrap());
        let told = sandbox.read("err");
        assert!(!told.contains("panicked"), "{told}");
        assert_eq!(sandbox.words("words").split(' ').count(), 50, "{to} {ran:#?} {told}");
        assert!(ran.code == Some(0) || ran.code == code, "{to}: {ran:#?} {told}");
        let status = sandbox.status();
        assert_eq!(status, "completed", "{to}");
    }
    // All three closed: nothing of what is said may land in a file that takes their number.
    let sandbox = Sandbox::new();
    sandbox.write("flow.yaml", "commands:\n  - echo hello; echo x > words\n  - 'false'\n");
    let script = "\"$PRODIGY\" cook flow.yaml <&- >&- 2>&-";
    Ran::of(below(&sandbox, script).output().unwrap()).exits(1);
    sandbox.run(&["checkpoints", "validate", "flow"]).exits(0);
    assert_eq!(sandbox.words("words"), "x");
    // `| head -1`.
    let script =
        "\"$PRODIGY\" events export | head -1 >/dev/null; \"$PRODIGY\" sessions list >/dev/full";
    let ran = Ran::of(below(&sandbox, script).output().unwrap()).exits(1);
    assert!(ran.stderr.contains("standard output"), "{ran:#?}");
}

#[test]
fn homes_that_cannot_be_used_are_told_before_anything_runs() {
    let sandbox = Sandbox::new();
    sandbox.write("flow.yaml", "commands:\n  - echo x >> words\n");
    let file = sandbox.write("file", "");
    let long = sandbox.directory().join("x".repeat(300));
    let homes = [file.join("below"), file.clone(), "/proc/none".into(), "/dev/null".into(), long];
    for home in homes {
        for arguments in [&["cook", "flow.yaml"][..], &["resume"], &["sessions", "list"]] {
            let mut command = sandbox.command(arguments);
            let ran = Ran::of(command.env("PRODIGY_HOME", &home).output().unwrap());
            // Where nothing can be, a list may be empty; a run says why it cannot begin.
            let lists = arguments[0] != "cook";
            assert!(ran.code == Some(5) || lists && ran.code == Some(0), "{home:?} {ran:#?}");
            assert_eq!(sandbox.words("words"), "");
            if ran.code == Some(5) {
                // The path, or what is in its way.
                let named =
                    [&home, &file].iter().any(|it| ran.stderr.contains(it.to_str().unwrap()));
                assert!(named, "{home:?} {ran:#?}");
            }
        }
    }
    let spaces = sandbox.root().join("a home with spaces é");
    let mut command = sandbox.command(&["cook", "flow.yaml"]);
    Ran::of(command.env("PRODIGY_HOME", &spaces).output().unwrap()).exits(0);
    let link = sandbox.root().join("link");
    std::os::unix::fs::symlink(&spaces, &link).unwrap();
    let mut command = sandbox.command(&["sessions", "list", "--json"]);
    let ran = Ran::of(command.env("PRODIGY_HOME", &link).output().unwrap()).exits(0);
    assert_eq!(ran.json().as_array().unwrap().len(), 1);
}

/// A small file system of its own, unmounted at the end; none where that is not allowed.
struct SmallDisk(std::path::PathBuf);

impl SmallDisk {
    fn mount(path: &Path, kilobytes: u32) -> Option<Self> {
        std::fs::create_dir_all(path).unwrap();
        let options = format!("size={kilobytes}k,mode=0700");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "prodigy-test"])
            .arg(path)
            .stderr(Stdio::null())
            .status();
        mounted.is_ok_and(|status| status.success()).then(|| Self(path.to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_stops_the_run_and_a_resume_goes_on() {
    for (kilobytes, free) in [(400, 0_u64), (400, 12), (400, 40), (400, 64), (400, 100)] {
        let sandbox = Sandbox::new();
        let Some(disk) = SmallDisk::mount(&sandbox.state(), kilobytes) else {
            eprintln!("skipped: no file system can be mounted here");
            return;
        };
        // Each step leaves output; the disk is full before or in between.
        let mut yaml = "commands:\n".to_owned();
        for number in 0..12 {
            writeln!(yaml, "  - echo w{number} >> words; head -c 9000 /dev/zero | tr '\\0' x")
                .unwrap();
        }
        sandbox.write("flow.yaml", &yaml);
        let filler = disk.0.join("filler");
        std::fs::write(
            &filler,
            vec![1; usize::try_from((u64::from(kilobytes) - free) * 1024).unwrap()],
        )
        .map_or_else(|error| assert!(free == 0, "{error}"), |()| ());
        let ran = sandbox.run(&["cook", "flow.yaml"]);
        let stopped = sandbox.words("words");
        assert_eq!(ran.code, Some(5), "{free} KB free: {ran:#?}");
        assert!(ran.stderr.contains("disk is full"), "{free} KB free: {ran:#?}");
        assert!(ran.stderr.contains("help: "), "{ran:#?}");
        assert_eq!(sandbox.living(), [""; 0]);
        for arguments in
            [&["sessions", "list"][..], &["checkpoints", "list"], &["resume", "--plan"]]
        {
            let ran = sandbox.run(arguments);
            assert!(matches!(ran.code, Some(0 | 5)), "{arguments:?} {ran:#?}");
        }
        std::fs::remove_file(&filler).unwrap();
        let listed = sandbox.run(&["sessions", "list", "--json"]).exits(0).json();
        let begun = !listed.as_array().unwrap().is_empty();
        assert!(begun || stopped.is_empty(), "{free} KB free: steps of no session: {stopped}");
        let arguments = if begun { &["resume"][..] } else { &["cook", "flow.yaml"] };
        sandbox.run(arguments).exits(0);
        let words = sandbox.words("words");
        let mut counts = std::collections::BTreeMap::new();
        words.split(' ').for_each(|word| *counts.entry(word).or_insert(0) += 1);
        assert_eq!(counts.len(), 12, "{words}");
        assert!(counts.values().sum::<i32>() <= 13, "{free} KB free: {words}");
    }
}

#[test]
fn a_home_that_became_read_only_is_told_and_nothing_runs() {
    let sandbox = Sandbox::new();
    let Some(disk) = SmallDisk::mount(&sandbox.state(), 4000) else {
        eprintln!("skipped: no file system can be mounted here");
        return;
    };
    cook(&sandbox, "commands:\n  - echo one >> words\n  - echo two >> words; [ -e go ]\n").exits(1);
    let remount = |how: &str| {
        let options = format!("remount,{how}");
        let done = Command::new("mount").args(["-o", &options]).arg(&disk.0).status().unwrap();
        assert!(done.success());
    };
    remount("ro");
    sandbox.write("go", "");
    for arguments in [&["resume"][..], &["cook", "flow.yaml"], &["resume", "flow", "--force"]] {
        let ran = sandbox.run(arguments).exits(5);
        assert!(ran.stderr.contains(sandbox.state().to_str().unwrap()), "{ran:#?}");
        assert_eq!(sandbox.words("words"), "one two");
    }
    sandbox.run(&["sessions", "list"]).exits(0);
    sandbox.run(&["checkpoints", "show", "flow"]).exits(0);
    sandbox.run(&["events", "ls"]).exits(0);
    remount("rw");
    sandbox.run(&["resume"]).exits(0);
    assert_eq!(sandbox.words("words"), "one two two");
}

/// A run that may have few files open at once, with a loop that needs more; its rounds wait for
/// a file `go`.
fn short_of_files(sandbox: &Sandbox) -> Live {
    sandbox.write(
        "flow.yaml",
        "commands:\n  - foreach: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]\n    parallel: 16\n    do:\n      - 'echo x >> begun; until [ -e go ]; do sleep 0.02; done; echo ${item} >> words'\n",
    );
    let mut command = Command::new("sh");
    let prodigy = sandbox.command(&[""; 0]);
    command.env_clear().envs(prodigy.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.args(["-c", "ulimit -n 48; exec \"$PRODIGY\" cook flow.yaml"]);
    command.env("PRODIGY", env!("CARGO_BIN_EXE_prodigy")).current_dir(sandbox.directory());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let live = Live::start(command);
    wait_until("the first rounds", || sandbox.words("begun").len() > 4);
    live
}

#[test]
fn a_machine_without_room_for_a_process_is_waited_for() {
    let sandbox = Sandbox::new();
    sandbox.write("begun", "");
    let live = short_of_files(&sandbox);
    sandbox.write("go", "");
    live.end().exits(0);
    assert_eq!(sandbox.words("words").split(' ').count(), 16);
}

#[test]
fn a_machine_that_stays_without_room_ends_the_run_and_not_the_step() {
    let sandbox = Sandbox::new();
    sandbox.write("begun", "");
    let ran = short_of_files(&sandbox).end().exits(1);
    assert!(ran.stdout.contains("flow interrupted"), "{ran:#?}");
    assert!(!ran.stdout.contains("failed"), "{ran:#?}");
    assert!(ran.stderr.contains("cannot start sh: Too many open files"), "{ran:#?}");
    assert!(
        ran.stderr.contains("help: ") && ran.stderr.contains("prodigy resume flow-"),
        "{ran:#?}"
    );
    sandbox.write("go", "");
    sandbox.run(&["resume"]).exits(0);
    assert_eq!(sandbox.words("words").split(' ').count(), 16);
}

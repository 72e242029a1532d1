//! Real programs: how they end, how they are ended, and what of them is left.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use super::*;

/// Longer than anything here takes: a test that reaches it has failed.
const LONG: Duration = Duration::from_secs(60);

#[derive(Default)]
struct Heard {
    born: Option<Born>,
    out: Vec<u8>,
    err: Vec<u8>,
    total: usize,
    panics: bool,
    ends_at: Option<&'static str>,
    refuses: bool,
}

impl Sink for Heard {
    fn spawned(&mut self, born: &dyn Fn() -> Born) -> std::io::Result<()> {
        self.born = Some(born());
        if self.refuses { Err(std::io::Error::other("the disk is full")) } else { Ok(()) }
    }

    fn stdout(&mut self, bytes: &[u8]) {
        self.total += bytes.len();
        if self.out.len() < 1 << 20 {
            self.out.extend_from_slice(bytes);
        }
        assert!(!self.panics, "on purpose");
    }

    fn stderr(&mut self, bytes: &[u8]) {
        self.err.extend_from_slice(bytes);
    }

    fn wants_end(&mut self) -> bool {
        self.ends_at.is_some_and(|text| self.text().contains(text))
    }
}

impl Heard {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.out).into_owned()
    }
}

fn shell(script: &str) -> Program {
    let path = std::env::var_os("PATH").unwrap();
    Program {
        program: "sh".into(),
        args: vec!["-c".into(), script.into()],
        file: None,
        inherits: Inherits::Nothing,
        env: vec![("PATH".into(), path)],
        directory: "/".into(),
        stdin: Stdin::Null,
    }
}

fn limits() -> Limits {
    Limits {
        timeout: Some(LONG),
        idle: None,
        grace: LONG,
        signal: StopSignal::Terminate,
        marker: None,
    }
}

fn run_quietly(program: &Program, limits: &Limits) -> (Ended, Heard) {
    let mut heard = Heard::default();
    let ended = run(program, limits, &Stop::never(), &mut heard).unwrap();
    (ended, heard)
}

/// Waits until a condition holds; fails the test when it never does.
fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let limit = Instant::now() + LONG;
    while !holds() {
        assert!(Instant::now() < limit, "never: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn lives(pid: i32) -> bool {
    table::entry(pid).is_some_and(|entry| !entry.zombie)
}

fn pid_in(file: &Path) -> i32 {
    fs::read_to_string(file).unwrap().trim().parse().unwrap()
}

#[test]
fn output_and_exit_code() {
    let (ended, heard) = run_quietly(&shell("echo out; echo err >&2; exit 3"), &limits());
    assert_eq!(ended, Ended::Exited(3));
    assert_eq!((heard.text().as_str(), heard.err.as_slice()), ("out\n", b"err\n".as_slice()));
    let born = heard.born.unwrap();
    assert!(born.pid > 0);
    assert!(born.start > 0 || !Path::new("/proc/self").exists());
}

#[test]
fn a_signal_is_told_apart() {
    assert_eq!(run_quietly(&shell("kill -9 $$"), &limits()).0, Ended::Signaled(9));
}

#[test]
fn only_the_given_environment_and_directory() {
    let place = tempfile::tempdir().unwrap();
    let mut program =
        shell("pwd -P; env | grep -v -e ^PATH= -e ^PWD= -e ^_= -e ^SHLVL= -e ^OLDPWD=");
    program.directory = place.path().canonicalize().unwrap();
    program.env.push(("A".into(), "1 2".into()));
    let (_, heard) = run_quietly(&program, &limits());
    assert_eq!(heard.text(), format!("{}\nA=1 2\n", program.directory.display()));
}

#[test]
fn what_cannot_start_says_why() {
    let mut heard = Heard::default();
    let mut start =
        |program: &Program| run(program, &limits(), &Stop::never(), &mut heard).unwrap_err();
    let mut program = shell("");
    program.program = "no-such-program".into();
    let error = start(&program);
    assert_eq!(error.source.kind(), std::io::ErrorKind::NotFound);
    assert!(error.to_string().contains("no-such-program"), "{error}");
    program.program = "/etc/passwd".into();
    assert_eq!(start(&program).source.kind(), std::io::ErrorKind::PermissionDenied);
    program = shell("");
    program.directory = "/no/such/place".into();
    assert!(start(&program).to_string().contains("/no/such/place"));
}

#[test]
fn a_sink_that_refuses_ends_the_program() {
    let mut heard = Heard { refuses: true, ..Heard::default() };
    let program = shell("trap '' TERM; while :; do sleep 1; done");
    let error = run(&program, &limits(), &Stop::never(), &mut heard).unwrap_err();
    assert!(error.to_string().contains("disk is full"), "{error}");
    assert!(!lives(heard.born.unwrap().pid));
}

#[test]
fn more_input_than_a_pipe_holds_and_more_output() {
    let mut program = shell("cat; echo done >&2");
    let bytes: Vec<u8> = (0..3_000_000u32).map(|n| (n % 251) as u8).collect();
    program.stdin = Stdin::Bytes(bytes.clone());
    let mut heard = Heard::default();
    assert_eq!(run(&program, &limits(), &Stop::never(), &mut heard).unwrap(), Ended::Exited(0));
    assert_eq!(heard.total, bytes.len());
    assert_eq!(heard.out, bytes[..heard.out.len()]);
    assert_eq!(heard.err, b"done\n");
}

#[test]
fn input_that_nobody_reads() {
    let mut program = shell("exit 4");
    program.stdin = Stdin::Bytes(vec![b'x'; 1_000_000]);
    assert_eq!(run_quietly(&program, &limits()).0, Ended::Exited(4));
    program.stdin = Stdin::Bytes(Vec::new());
    program.args = vec!["-c".into(), "cat; exit 5".into()];
    assert_eq!(run_quietly(&program, &limits()).0, Ended::Exited(5));
    assert_eq!(run_quietly(&shell("cat; exit 6"), &limits()).0, Ended::Exited(6));
}

#[test]
fn a_flood_needs_no_memory() {
    let (ended, heard) = run_quietly(&shell("head -c 200000000 /dev/zero"), &limits());
    assert_eq!((ended, heard.total), (Ended::Exited(0), 200_000_000));
}

#[test]
fn a_background_process_neither_blocks_nor_dies() {
    let place = tempfile::tempdir().unwrap();
    let mut program = shell(
        "(while :; do echo noise; echo more >> log; sleep 0.01; done) & echo $!; echo last >&2",
    );
    program.directory = place.path().to_owned();
    let (ended, heard) = run_quietly(&program, &limits());
    assert_eq!(ended, Ended::Exited(0));
    assert_eq!(heard.err, b"last\n");
    let pid: i32 = heard.text().lines().find_map(|line| line.parse().ok()).unwrap();
    let log = place.path().join("log");
    fs::write(&log, "").unwrap();
    eventually("it writes on", || fs::read(&log).unwrap().len() > 50);
    assert!(lives(pid));
    rustix::process::kill_process(
        rustix::process::Pid::from_raw(pid).unwrap(),
        rustix::process::Signal::KILL,
    )
    .unwrap();
}

#[test]
fn a_timeout_takes_the_whole_tree_also_what_left_the_group() {
    let place = tempfile::tempdir().unwrap();
    let mut program = shell(
        "setsid sh -c 'echo $$ > left; exec sleep 1000' &
         (setsid sh -c 'echo $$ > orphan; exec sleep 1000' &) ; sleep 1000",
    );
    program.directory = place.path().to_owned();
    program.env.push(("PRODIGY_SESSION_ID".into(), place.path().into()));
    program.env.push(("PRODIGY_STEP".into(), "1".into()));
    let (left, orphan) = (place.path().join("left"), place.path().join("orphan"));
    let stop = Stop::never();
    let mut limits = limits();
    limits.marker = Some((place.path().to_str().unwrap().to_owned(), "1".to_owned()));
    std::thread::scope(|scope| {
        let running = scope.spawn(|| run(&program, &limits, &stop, &mut Heard::default()).unwrap());
        eventually("both write their pid", || {
            [&left, &orphan].iter().all(|file| fs::read(file).is_ok_and(|it| it.ends_with(b"\n")))
        });
        stop.stop();
        assert_eq!(running.join().unwrap(), Ended::Stopped);
    });
    assert!(!lives(pid_in(&left)) && !lives(pid_in(&orphan)));
}

#[test]
fn one_without_marker_group_or_parent_is_still_remembered() {
    let place = tempfile::tempdir().unwrap();
    let mut program = shell(
        "setsid env -i sh -c 'trap \"\" TERM; echo $$ > left; while :; do sleep 1; done' & wait",
    );
    program.directory = place.path().to_owned();
    let left = place.path().join("left");
    let stop = Stop::never();
    let mut limits = limits();
    limits.grace = Duration::from_millis(100);
    std::thread::scope(|scope| {
        let running = scope.spawn(|| run(&program, &limits, &stop, &mut Heard::default()).unwrap());
        eventually("it writes its pid", || fs::read(&left).is_ok_and(|it| it.ends_with(b"\n")));
        stop.stop();
        assert_eq!(running.join().unwrap(), Ended::Stopped);
    });
    assert!(!lives(pid_in(&left)));
}

#[test]
fn a_panic_of_ours_leaves_nothing_behind() {
    let mut heard = Heard { panics: true, ..Heard::default() };
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        run(&shell("echo $$; sleep 1000"), &limits(), &Stop::never(), &mut heard)
    }));
    assert!(result.is_err());
    assert!(!lives(heard.born.unwrap().pid));
}

#[test]
fn time_is_up_even_when_the_program_ignores_it() {
    let mut limits = limits();
    limits.timeout = Some(Duration::from_millis(50));
    limits.grace = Duration::from_millis(50);
    let program = shell("trap '' TERM; while :; do sleep 1; done");
    let (ended, heard) = run_quietly(&program, &limits);
    assert_eq!(ended, Ended::TimedOut);
    assert!(!lives(heard.born.unwrap().pid));
}

#[test]
fn a_stopped_program_may_say_its_last_words() {
    let mut heard = Heard { ends_at: Some("ready"), ..Heard::default() };
    let program = shell("trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.01; done");
    let ended = run(&program, &limits(), &Stop::never(), &mut heard).unwrap();
    assert_eq!((ended, heard.text().as_str()), (Ended::Ordered, "ready\nbye\n"));
}

#[test]
fn silence_has_its_own_limit() {
    let mut limits = limits();
    limits.idle = Some(Duration::from_millis(300));
    let (ended, heard) =
        run_quietly(&shell("for i in 1 2 3 4 5; do echo $i; sleep 0.1; done; sleep 1000"), &limits);
    assert_eq!((ended, heard.text().as_str()), (Ended::Idle, "1\n2\n3\n4\n5\n"));
}

#[test]
fn a_stopped_handle_starts_nothing_and_children_follow_parents() {
    let stop = Stop::never();
    let (round, other) = (stop.child(), stop.child());
    round.stop();
    assert!(round.is_stopped() && round.child().is_stopped());
    assert!(!stop.is_stopped() && !other.is_stopped());
    assert!(!round.wait(LONG), "does not wait");
    assert!(other.wait(Duration::from_millis(1)));
    stop.stop();
    assert!(other.is_stopped() && !other.wait(LONG));
    let mut heard = Heard::default();
    assert_eq!(run(&shell("echo no"), &limits(), &other, &mut heard).unwrap(), Ended::Stopped);
    assert!(heard.born.is_none());
    assert_eq!(stop.requested(), None, "no signal came");
}

#[test]
fn a_waiter_wakes_up_when_stopped() {
    let stop = Stop::never();
    let round = stop.child();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| round.wait(LONG));
        stop.stop();
        assert!(!waiting.join().unwrap());
    });
}

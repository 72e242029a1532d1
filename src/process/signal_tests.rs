//! Signals to a real process: the test binary starts itself again in a role, installs the
//! handlers there and is signalled from here.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal as Kind, WaitId, WaitIdOptions, kill_process, waitid};

use super::stop::hangup_is_ignored;
use super::*;

const LONG: Duration = Duration::from_secs(60);

/// In a role: says everything aloud.
struct Aloud;

impl Sink for Aloud {
    fn spawned(&mut self, born: &dyn Fn() -> Born) -> std::io::Result<()> {
        say(&format!("pid {}", born().pid));
        Ok(())
    }

    fn stdout(&mut self, bytes: &[u8]) {
        std::io::stdout().write_all(bytes).unwrap();
        std::io::stdout().flush().unwrap();
    }

    fn stderr(&mut self, bytes: &[u8]) {
        self.stdout(bytes);
    }
}

fn say(line: &str) {
    Aloud.stdout(format!("{line}\n").as_bytes());
}

fn run_aloud(script: &str, stop: &Stop) -> Ended {
    run_aloud_until(script, StopSignal::Terminate, stop)
}

fn run_aloud_until(script: &str, signal: StopSignal, stop: &Stop) -> Ended {
    let program = Program {
        program: "sh".into(),
        args: vec!["-c".into(), script.into()],
        file: None,
        inherits: Inherits::Everything,
        env: Vec::new(),
        directory: "/".into(),
        stdin: Stdin::Null,
    };
    let limits = Limits { timeout: None, idle: None, grace: LONG, signal, marker: None };
    run(&program, &limits, stop, &mut Aloud).unwrap()
}

/// Not a test of its own: what the process under test does.
#[test]
fn role() {
    let Ok(role) = std::env::var("PRODIGY_TEST_ROLE") else { return };
    let begin = Instant::now();
    let stop = Stop::install().unwrap();
    say(&format!("installed in {:?}", begin.elapsed()));
    match role.as_str() {
        "patient" => {
            let ended = run_aloud("echo ready; sleep 1000 & wait", &stop);
            say(&format!("{ended:?} {:?}", stop.requested()));
            let cleanup = stop.cleanup();
            say(&format!("{:?}", run_aloud("exit 7", &cleanup)));
        }
        "agent" => {
            let script = "trap 'echo int; exit 0' INT
                sh -c 'trap \"echo term; exit\" TERM; echo ready; while :; do sleep 0.01; done' &
                wait; while :; do sleep 0.01; done";
            say(&format!("{:?}", run_aloud_until(script, StopSignal::Interrupt, &stop)));
        }
        "stubborn" => {
            let ended = run_aloud("trap '' TERM; echo ready; while :; do sleep 1; done", &stop);
            say(&format!("{ended:?} urgent {}", stop.is_urgent()));
        }
        "orphans" => {
            run_aloud("(sleep 0.05 &) ; exit 0", &stop);
            let limit = Instant::now() + LONG;
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
            while waitid(WaitId::All, options).is_ok() && Instant::now() < limit {
                run_aloud("exit 0", &stop);
            }
            say(&format!("buried {}", waitid(WaitId::All, options).is_err()));
            run_aloud("setsid env -i sleep 1234 &", &stop);
            let ended = end_background(&[], LONG);
            say(&format!("ended {:?}", ended.first().map(|leftover| leftover.command.as_str())));
        }
        "terminal" => {
            say(&format!("{:?}", run_aloud("read line < /dev/tty; echo no", &stop)));
        }
        other => panic!("no such role: {other}"),
    }
}

struct Actor {
    child: Child,
    lines: Receiver<String>,
}

impl Actor {
    fn start(role: &str) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(role_args());
        Self::from(command, role)
    }

    fn from(mut command: Command, role: &str) -> Self {
        let mut child = command
            .env("PRODIGY_TEST_ROLE", role)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            out.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        Self { child, lines }
    }

    /// Everything up to and with the first line that holds `text`.
    fn until(&mut self, text: &str) -> String {
        let mut heard = String::new();
        while !heard.lines().any(|line| line.contains(text)) {
            match self.lines.recv_timeout(LONG) {
                Ok(line) => heard.push_str(&format!("{line}\n")),
                Err(_) => panic!("no {text:?} in {heard:?}"),
            }
        }
        heard
    }

    fn signal(&self, kind: Kind) {
        kill_process(number(self.child.id()), kind).unwrap();
    }
}

impl Drop for Actor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn role_args() -> [&'static str; 4] {
    ["--exact", "process::signal_tests::role", "--nocapture", "--test-threads=1"]
}

fn number(pid: u32) -> Pid {
    Pid::from_raw(i32::try_from(pid).unwrap()).unwrap()
}

/// The number behind `pid `.
fn pid_in(heard: &str) -> i32 {
    heard.lines().find_map(|line| line.strip_prefix("pid ")).unwrap().parse().unwrap()
}

fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let limit = Instant::now() + LONG;
    while !holds() {
        assert!(Instant::now() < limit, "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn lives(pid: i32) -> bool {
    table::entry(pid).is_some_and(|entry| !entry.zombie)
}

#[test]
fn each_signal_stops_the_program_and_says_which_it_was() {
    for (kind, name) in [(Kind::INT, "Interrupt"), (Kind::TERM, "Terminate"), (Kind::HUP, "Hangup")]
    {
        if kind == Kind::HUP && hangup_is_ignored() {
            println!("skipped: the tests run where a hangup is ignored, as under nohup");
            continue;
        }
        let mut actor = Actor::start("patient");
        let child = pid_in(&actor.until("ready"));
        actor.signal(kind);
        actor.until(&format!("Stopped Some({name})"));
        actor.until("Exited(7)");
        assert!(!lives(child));
    }
}

#[test]
fn an_interrupt_goes_to_the_program_alone_and_then_to_what_it_leaves() {
    let mut actor = Actor::start("agent");
    actor.until("ready");
    actor.signal(Kind::TERM);
    let heard = actor.until("Stopped");
    // The shell may add that its `sleep` was terminated.
    let words: Vec<_> =
        heard.lines().filter(|line| ["int", "term", "Stopped"].contains(line)).collect();
    assert_eq!(words, ["int", "term", "Stopped"], "{heard}");
}

#[test]
fn under_nohup_or_in_the_background_of_a_script() {
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' INT HUP; exec \"$0\" \"$@\""]);
    command.arg(std::env::current_exe().unwrap()).args(role_args());
    let mut actor = Actor::from(command, "patient");
    actor.until("ready");
    actor.signal(Kind::HUP);
    actor.signal(Kind::INT);
    actor.until("Stopped Some(Interrupt)");
}

#[test]
fn a_second_signal_is_not_patient() {
    let mut actor = Actor::start("stubborn");
    let child = pid_in(&actor.until("ready"));
    actor.signal(Kind::INT);
    eventually("it stops", || {
        // As a person would: again and again.
        if actor.child.try_wait().unwrap().is_none() {
            actor.signal(Kind::INT);
        }
        !lives(child)
    });
    actor.until("Stopped urgent true");
}

#[test]
fn suspended_and_continued_with_its_children() {
    let mut actor = Actor::start("patient");
    let child = pid_in(&actor.until("ready"));
    let own = i32::try_from(actor.child.id()).unwrap();
    if !std::path::Path::new("/proc/self/stat").exists() {
        println!("skipped: no /proc to look at states");
        return;
    }
    let state = |pid: i32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        stat.rsplit(") ").next().and_then(|rest| rest.chars().next())
    };
    actor.signal(Kind::TSTP);
    eventually("both are suspended", || state(own) == Some('T') && state(child) == Some('T'));
    actor.signal(Kind::CONT);
    eventually("both go on", || state(own) == Some('S') && state(child) == Some('S'));
    actor.signal(Kind::TERM);
    actor.until("Stopped Some(Terminate)");
}

#[test]
fn orphans_come_to_us_and_no_zombies_pile_up() {
    if !cfg!(target_os = "linux") {
        println!("skipped: orphans come to us on Linux only");
        return;
    }
    let mut actor = Actor::start("orphans");
    actor.until("buried true");
    actor.until("ended Some(\"sleep 1234\")");
}

#[test]
fn a_program_that_wants_the_terminal_is_told_apart() {
    let words: Vec<_> = role_args().into_iter().map(str::to_owned).collect();
    let exe = std::env::current_exe().unwrap();
    let command_line = format!("'{}' {}", exe.display(), words.join(" "));
    let mut command = Command::new("script");
    command.args(["-qec", &command_line, "/dev/null"]);
    if Command::new("script").arg("--version").output().is_err() {
        println!("skipped: no `script` to make a terminal");
        return;
    }
    Actor::from(command, "terminal").until("TtyInput");
}

//! Runs that `kill -9` ends at a random instant.

#![allow(dead_code, reason = "each test file uses the parts it needs")]

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::Sandbox;
use super::live::eventually;

/// A shell command that ends prodigy as `kill -9` does, the first time, in the middle of a step.
pub const CRASH: &str = "{ [ -e crashed ] || { echo x > crashed; kill -9 $PPID; sleep 100; }; }";

/// Random numbers that a printed seed repeats.
pub struct Random(pub u64);

impl Random {
    /// A seed of this process: print it when something is wrong.
    pub fn seeded() -> Self {
        Self(u64::from(std::process::id()) << 20 | 0x9e37)
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    /// An instant within the time that something takes.
    pub fn within(&mut self, whole: Duration) -> Duration {
        Duration::from_micros(self.below(u64::try_from(whole.as_micros()).unwrap().max(1)))
    }
}

/// `many` with `PRODIGY_LONG_TESTS`, else `few`.
pub fn few_or_many(few: usize, many: usize) -> usize {
    if std::env::var_os("PRODIGY_LONG_TESTS").is_some() { many } else { few }
}

/// The exit code of the command; none when it still ran after `delay` and was killed.
pub fn code_unless_killed(mut command: Command, delay: Duration) -> Option<i32> {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let mut over = false;
    eventually(delay, || {
        over = child.try_wait().unwrap().is_some();
        over
    });
    if !over {
        child.kill().unwrap();
    }
    code_of(&mut child)
}

fn code_of(child: &mut Child) -> Option<i32> {
    let status = child.wait().unwrap();
    (status.signal() != Some(9)).then(|| status.code().unwrap_or(-1))
}

/// The steps that finished, in order: none of them twice without a rewind in between.
#[track_caller]
pub fn finished_once(events: &str) -> Vec<String> {
    let mut finished: Vec<String> = Vec::new();
    for line in events.lines() {
        let json: serde_json::Value = serde_json::from_str(line).unwrap();
        let event = &json["event"];
        if let Some(step) = event.get("step_finished") {
            let address = step["address"].as_str().unwrap().to_owned();
            assert!(!finished.contains(&address), "{address} finished twice\n{events}");
            finished.push(address);
        } else if let Some(rewound) = event.get("rewound") {
            finished.retain(|address| !is_rewound(address, rewound));
        }
    }
    finished
}

/// Whether the rewind takes back what this step has finished.
fn is_rewound(address: &str, rewound: &serde_json::Value) -> bool {
    let scope = rewound["scope"].as_str().unwrap();
    let Some(rest) = address.strip_prefix(scope) else { return false };
    if !(scope.is_empty() || rest.is_empty() || rest.starts_with(['/', '.'])) {
        return false;
    }
    if rewound["reach"] == "own" {
        return rest.is_empty() || rest.trim_start_matches('.').starts_with("on_");
    }
    let from = rewound["from"].as_u64().unwrap_or(0);
    let step = rest.trim_start_matches('/').split(['/', '.']).next();
    // Handlers and stages have no number.
    step.and_then(|step| step.parse().ok()).is_none_or(|step: u64| step >= from)
}

/// What a session went through until its end.
pub struct Killed {
    /// Exit code of the run that was not killed.
    pub code: i32,
    pub kills: usize,
    /// How long all runs took.
    pub took: Duration,
}

impl Sandbox {
    /// Runs `first`, kills it at random instants, up to `kills` times, and takes it up with
    /// `again`; with `first` while there is no session yet. `whole` is about what a run takes.
    pub fn killed(
        &self,
        random: &mut Random,
        whole: Option<Duration>,
        first: &[&str],
        again: &[&str],
    ) -> Killed {
        const MOST: usize = 3;
        let begin = Instant::now();
        let mut kills = 0;
        let mut arguments = first;
        loop {
            let delay = match whole {
                Some(whole) if kills < MOST => random.within(whole),
                _ => Duration::from_secs(120),
            };
            if let Some(code) = code_unless_killed(self.command(arguments), delay) {
                return Killed { code, kills, took: begin.elapsed() };
            }
            kills += 1;
            // Killed before its first record it has not begun, and begins again.
            let listed = self.run(&["sessions", "list", "--json"]).exits(0).json();
            let begun = listed.as_array().is_some_and(|it| !it.is_empty());
            arguments = if begun { again } else { first };
        }
    }
}

//! Workflows made at random, each run twice: once in peace, and once killed and stopped again and again.
//! Both come to the same end: exit code, status, results, variables, and what was said.
//! Then what failed is cured, and both are resumed. A few by default; 200 with `PRODIGY_LONG_TESTS=1`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    dead_code,
    missing_docs,
    reason = "a test ends where something is not as it must be; each uses its part of support"
)]

mod author;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use author::{Author, FINALLY, Flow, SAY};
use rustix::process::Signal;
use serde_json::{Value, json};
use support::Sandbox;
use support::killed::{Random, few_or_many, finished_once};
use support::live::{Live, eventually, hear_signals};

/// How often one run is cut: then it may end.
const CUTS: usize = 5;

#[test]
fn a_run_that_is_cut_anywhere_ends_as_its_twin_in_peace() {
    hear_signals();
    let mut random = Random::seeded();
    let mut cuts = 0;
    let flows = few_or_many(8, 200);
    for _ in 0..flows {
        cuts += one_pair(&mut random);
    }
    assert!(cuts >= flows, "only {cuts} cuts in {flows} runs");
}

/// Returns how often the second twin was cut.
fn one_pair(random: &mut Random) -> usize {
    let flow = Author::new(random).flow();
    eprintln!("{:#}", flow.workflow);
    let (peace, cut) = (Twin::new(&flow), Twin::new(&flow));
    let mut cuts = 0;
    for cured in [false, true] {
        let begin = Instant::now();
        let code = peace.run(cured, &mut |_| None).0;
        let whole = begin.elapsed();
        let (same, times) = cut.run(cured, &mut |sofar| {
            let signal = if random.below(3) == 0 { Signal::TERM } else { Signal::KILL };
            (sofar < CUTS).then(|| (random.within(whole), signal))
        });
        cuts += times;
        let events = cut.sandbox.events();
        assert_eq!(code, same, "{events}");
        assert_eq!(peace.outcome(), cut.outcome(), "{events}");
        finished_once(&events);
        if code != 1 {
            break;
        }
    }
    cuts
}

#[derive(Debug, PartialEq)]
struct Outcome {
    status: Option<String>,
    steps: BTreeSet<String>,
    variables: Value,
    said: BTreeSet<String>,
    /// Files that steps have written, and what is in them.
    files: BTreeSet<(String, String)>,
}

struct Twin<'f> {
    sandbox: Sandbox,
    flow: &'f Flow,
}

impl<'f> Twin<'f> {
    fn new(flow: &'f Flow) -> Self {
        let sandbox = Sandbox::new();
        for name in ["say", "mend"] {
            let path = sandbox.write(name, SAY);
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        // JSON is YAML.
        sandbox.write("flow.yaml", &flow.workflow.to_string());
        sandbox.write("items.txt", &flow.items);
        Self { sandbox, flow }
    }

    /// Runs it, or what failed of it once that is `cured`, to its end; `cut` says how the next run is
    /// cut, by the number of cuts so far. The exit code, and how often it was cut.
    fn run(
        &self,
        cured: bool,
        cut: &mut dyn FnMut(usize) -> Option<(Duration, Signal)>,
    ) -> (i32, usize) {
        // Quiet: nobody reads what it prints before it has ended.
        let cook = ["cook", "flow.yaml", "-y", "-q"].map(str::to_owned).into_iter();
        let cook: Vec<String> = cook.chain(self.flow.arguments.clone()).collect();
        let resume = ["resume", "-q"].map(str::to_owned).to_vec();
        let mut arguments = cook.clone();
        if cured {
            self.sandbox.write("cured", "");
            arguments.clone_from(&self.flow.cure);
        }
        let mut cuts = 0;
        loop {
            let mut live = Live::start(self.sandbox.command(&arguments));
            if let Some((delay, signal)) = cut(cuts)
                && !eventually(delay, || live.is_over())
            {
                live.signal(signal);
                cuts += 1;
            }
            let ran = live.end();
            let status = self.status();
            if let Some(code) = ran.code.filter(|code| *code != 143) {
                assert!(status.is_some(), "{ran:#?}");
                return (code, cuts);
            }
            // Cut before its first record it has not begun, and begins again.
            match status.as_deref() {
                None => arguments.clone_from(&cook),
                // Cut after its last record.
                Some("completed" | "completed_with_failures") => return (0, cuts),
                Some("failed") if !cured => return (1, cuts),
                // Cut before the first record of its next run.
                Some("failed") => {}
                // A recovery that was killed goes on where it was.
                Some(_) if arguments[0] == "recovery" && ran.code.is_none() => {}
                Some(_) => arguments.clone_from(&resume),
            }
        }
    }

    /// What has come of it, without what differs from run to run.
    fn outcome(&self) -> Outcome {
        let shown = ["checkpoints", "show", &self.session(), "--json"];
        let shown = self.sandbox.run(&shown).exits(0).json();
        let steps = shown["completed_steps"].as_array().unwrap().iter().map(|step| {
            let told = ["address", "success", "output", "exit_code"].map(|key| step[key].clone());
            json!(told).to_string()
        });
        let files = std::fs::read_dir(self.sandbox.directory()).unwrap().flatten();
        let files = files.map(|file| file.file_name().into_string().unwrap());
        let read = |name: String| (name.clone(), self.sandbox.read(&name));
        let status = self.status();
        let mut variables = shown["variables"].clone();
        // A workflow that only writes files says nothing.
        let words = self.sandbox.directory().join("words");
        let words = if words.exists() { self.sandbox.read("words") } else { String::new() };
        let mut said: BTreeSet<_> = words.lines().map(str::to_owned).collect();
        if status.as_deref() == Some("failed") {
            // A signal that hits `finally` of a failed run skips the rest of it.
            said.retain(|word| !word.starts_with(FINALLY));
            variables["shell"] = Value::Null;
        }
        Outcome {
            status,
            steps: steps.collect(),
            variables,
            said,
            files: files.filter(|name| name.ends_with(".said")).map(read).collect(),
        }
    }

    fn list(&self) -> Value {
        self.sandbox.run(&["sessions", "list", "--json"]).exits(0).json()
    }

    /// None before it has begun.
    fn status(&self) -> Option<String> {
        self.list()[0]["status"].as_str().map(str::to_owned)
    }

    fn session(&self) -> String {
        self.list()[0]["session_id"].as_str().unwrap().to_owned()
    }
}

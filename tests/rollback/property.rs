//! Whatever steps do to files: after a rollback files, variables and position are those of the
//! checkpoint, what is the user's stays, and undoing it brings everything back. A few cases by
//! default; 120 with `PRODIGY_LONG_TESTS=1`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use crate::script::Random;
use crate::support::Sandbox;
use crate::tree::{covered, files, git, ignored, repository};

/// Steps of each workflow.
const STEPS: usize = 5;

fn cases() -> u64 {
    let long = std::env::var_os("PRODIGY_LONG_TESTS").is_some_and(|value| value != "0");
    if long { 120 } else { 12 }
}

/// A session that ran, with a copy of everything at the end of each of its steps.
struct Case {
    sandbox: Sandbox,
    id: String,
}

/// What a rollback must restore, as the program itself tells it.
#[derive(Debug, PartialEq)]
struct Told {
    variables: Json,
    steps: Vec<Json>,
}

impl Case {
    fn new(random: &mut Random) -> Self {
        let sandbox = Sandbox::new();
        let top = sandbox.directory();
        git(&top, &["init", "--quiet", "--initial-branch=main"], b"");
        git(&top, &["config", "core.fsmonitor", "no-such-program"], b"");
        if random.below(2) == 0 {
            git(&top, &["config", "core.autocrlf", "true"], b"");
        }
        let root = sandbox.root().display().to_string();
        std::fs::create_dir(sandbox.root().join("states")).unwrap();
        std::fs::create_dir(sandbox.root().join("scripts")).unwrap();
        let mut workflow = String::from("name: any\nsnapshots: always\ncommands:\n");
        for step in 1..=STEPS {
            let script = sandbox.root().join(format!("scripts/{step}"));
            let text = random.script(step);
            let copy = format!("cp -a '{root}/work' '{root}/states/{step}'\necho value {step}\n");
            std::fs::write(&script, format!("{text}{copy}")).unwrap();
            let script = script.display();
            let _ = writeln!(workflow, "  - {{shell: \"sh '{script}'\", capture: v{step}}}");
        }
        if random.below(2) == 0 {
            workflow.push_str("  - {shell: exit 3}\n");
        }
        // Outside of the working tree, which changes.
        let file = sandbox.root().join("any.yml");
        std::fs::write(&file, workflow).unwrap();
        let ran = sandbox.run(&["cook", file.to_str().unwrap()]);
        assert!(matches!(ran.code, Some(0 | 1)), "{ran:#?}");
        let list = sandbox.run(&["sessions", "list", "--json"]).exits(0).json();
        let id = list[0]["workflow_id"].as_str().unwrap().to_owned();
        Self { sandbox, id }
    }

    fn told(&self, version: Option<usize>) -> Told {
        let version = version.map(|version| version.to_string());
        let mut args = vec!["checkpoints", "show", &self.id, "--json"];
        if let Some(version) = &version {
            args.extend(["--version", version]);
        }
        let shown = self.sandbox.run(&args).exits(0).json();
        Told {
            variables: shown["variables"].clone(),
            steps: shown["completed_steps"].as_array().unwrap().clone(),
        }
    }

    /// The state at the end of a step.
    fn state(&self, step: usize) -> PathBuf {
        self.sandbox.root().join(format!("states/{step}"))
    }

    /// A copy of everything as it is now.
    fn copy(&self, name: &str) -> PathBuf {
        let copy = self.sandbox.root().join(name);
        let status = std::process::Command::new("cp")
            .arg("-a")
            .arg(self.sandbox.directory())
            .arg(&copy)
            .status();
        assert!(status.unwrap().success());
        copy
    }
}

/// The files are those of `then`, but for what was ignored then or in `before`.
fn assert_restored(now: &Path, then: &Path, before: &Path, left: &[Json]) {
    let (then_files, before_files, now_files) = (files(then), files(before), files(now));
    let (then_covered, before_covered) = (covered(then), covered(before));
    let all: BTreeSet<PathBuf> = then_files.keys().chain(before_files.keys()).cloned().collect();
    let ignored_then = ignored(then, &all);
    let ignored_before = ignored(before, &all);
    let in_the_way: Vec<&Path> = left
        .iter()
        .filter(|left| left["reason"] == "in_the_way")
        .map(|left| Path::new(left["path"].as_str().unwrap()))
        .collect();
    for path in &in_the_way {
        let blocked = before_files.keys().any(|other| {
            !before_covered.contains(other) && (other.starts_with(path) || path.starts_with(other))
        });
        assert!(blocked, "nothing is in the way of {}", path.display());
    }
    for path in all.iter().chain(now_files.keys()) {
        let (is_then, is_before) = (then_covered.contains(path), before_covered.contains(path));
        let expected = match (is_then, is_before) {
            _ if in_the_way.contains(&path.as_path()) => continue,
            (true, true) => then_files.get(path),
            (true, false) if ignored_before.contains(path) => before_files.get(path),
            (true, false) => then_files.get(path),
            (false, true) if ignored_then.contains(path) => before_files.get(path),
            (false, true) => None,
            (false, false) => before_files.get(path),
        };
        assert_eq!(now_files.get(path), expected, "{} ({is_then}, {is_before})", path.display());
    }
}

#[test]
fn files_variables_and_position_are_those_of_the_checkpoint() {
    let seed = std::env::var("PRODIGY_SEED").ok().and_then(|seed| seed.parse().ok());
    for number in 0..cases() {
        let seed = seed.unwrap_or(0x5eed_0000 + number * 7919);
        println!("PRODIGY_SEED={seed}");
        one_case(seed, Kills::None);
    }
}

#[test]
fn a_rollback_that_is_killed_is_finished() {
    let seed = std::env::var("PRODIGY_SEED").ok().and_then(|seed| seed.parse().ok());
    for number in 0..cases() {
        let seed = seed.unwrap_or(0x0dd5_0000 + number * 104_729);
        println!("PRODIGY_SEED={seed}");
        one_case(seed, Kills::Some);
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kills {
    None,
    Some,
}

fn one_case(seed: u64, kills: Kills) {
    let mut random = Random(seed);
    for _ in 0..10 {
        random.below(2);
    }
    let case = Case::new(&mut random);
    let top = case.sandbox.directory();
    let version = 1 + usize::try_from(random.below(STEPS as u64)).unwrap();
    let (told_then, told_before) = (case.told(Some(version)), case.told(None));
    let status_before = case.sandbox.status();
    let before = case.copy("before");
    let theirs = repository(&top);

    let target = format!("{}@v{version}", case.id);
    let back = ["recovery", "rollback", "--checkpoint-id", &target, "--yes", "--json"];
    if kills == Kills::Some {
        kill_some(&case, &back, &mut random);
    }
    let done = case.sandbox.run(&back).exits(0).json();
    if random.below(2) == 0 {
        // Asked for again, as a script does that saw no answer: it is done already.
        let again = case.sandbox.run(&back).exits(0).json();
        assert_eq!(again["undo_checkpoint_id"], done["undo_checkpoint_id"]);
    }
    let left = done["files"]["left"].as_array().cloned();
    // After a crash what was left is not told again.
    if let Some(left) = left.filter(|_| kills == Kills::None) {
        assert_restored(&top, &case.state(version), &before, &left);
    }
    assert_eq!(repository(&top), theirs, "branches, index, stash, HEAD");
    assert_eq!(case.told(None), told_then);
    assert_eq!(case.sandbox.status(), "interrupted");
    assert_eq!(done["version"], version);

    let undo = ["recovery", "rollback", "--undo", "--yes", "--json"];
    if !(kills == Kills::Some && kill(&case, &undo, &mut random) == Killed::Done) {
        case.sandbox.run(&undo).exits(0);
    }
    assert_eq!(files(&top), files(&before), "undone");
    assert_eq!(repository(&top), theirs);
    assert_eq!(case.told(None), told_before);
    assert_eq!(case.sandbox.status(), status_before);
}

/// Kills the rollback at a few instants; what it leaves is known as such.
fn kill_some(case: &Case, back: &[&str], random: &mut Random) {
    for _ in 0..=random.below(3) {
        if kill(case, back, random) == Killed::InTheMiddle && random.below(2) == 0 {
            case.sandbox.run(&["recovery", "status", &case.id]).exits(0);
        }
    }
}

/// How far a killed rollback came.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Killed {
    /// Nothing was changed.
    Before,
    InTheMiddle,
    /// It was done, whether it could say so or not.
    Done,
}

fn kill(case: &Case, rollback: &[&str], random: &mut Random) -> Killed {
    let count = || {
        let events = case.sandbox.events();
        let of = |word: &str| events.matches(word).count();
        (of("{\"rollback_started\""), of("\"cause\":\"rollback\""))
    };
    let (_, done_before) = count();
    let mut command = case.sandbox.command(rollback);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let delay = Duration::from_millis(random.below(250));
    let start = Instant::now();
    while start.elapsed() < delay && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let (started, done) = count();
    match (started > done, done > done_before) {
        (true, _) => Killed::InTheMiddle,
        (false, true) => Killed::Done,
        (false, false) => Killed::Before,
    }
}

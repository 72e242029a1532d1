//! A sandbox whose `claude` is the stand-in beside this file.

#![allow(dead_code, reason = "each test file uses the parts it needs")]

use std::path::Path;
use std::process::Command;

use serde_json::Value as Json;

use super::{Ran, Sandbox};

/// A sandbox, and what its agents do.
pub struct Agents {
    pub sandbox: Sandbox,
}

impl Agents {
    /// Every call does `scenario` (see the head of the stand-in); the workflow is `flow.yaml`.
    pub fn new(scenario: &str, workflow: &str) -> Self {
        let sandbox = Sandbox::new();
        let bin = sandbox.root().join("bin");
        std::fs::create_dir(&bin).unwrap();
        let stand_in = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/claude");
        std::os::unix::fs::symlink(stand_in, bin.join("claude")).unwrap();
        sandbox.write("flow.yaml", workflow);
        let agents = Self { sandbox };
        agents.play(scenario);
        agents
    }

    /// From now on calls do this, counted from the first again.
    pub fn play(&self, scenario: &str) {
        std::fs::write(self.sandbox.root().join("scenario"), scenario).unwrap();
        let _ = std::fs::remove_dir_all(self.sandbox.root().join("calls.calls"));
    }

    /// The binary with the stand-in first on the path.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let root = self.sandbox.root();
        let mut command = self.sandbox.command(arguments);
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut directories = vec![root.join("bin")];
        directories.extend(std::env::split_paths(&path));
        command
            .env("PATH", std::env::join_paths(directories).unwrap())
            .env("CLAUDE_STUB", root.join("scenario"))
            .env("CLAUDE_STUB_LOG", root.join("calls"));
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments).output().unwrap())
    }

    /// `cook flow.yaml`.
    pub fn cook(&self) -> Ran {
        self.run(&["cook", "flow.yaml"])
    }

    /// Every call that was made, oldest first.
    pub fn calls(&self) -> Vec<Json> {
        let log = std::fs::read_to_string(self.sandbox.root().join("calls")).unwrap_or_default();
        log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// True when an agent has been called: then there is a session.
    pub fn begun(&self) -> bool {
        !self.calls().is_empty()
    }

    /// How many conversations are on disk, where they can be gone on with.
    pub fn conversations(&self) -> usize {
        let projects = self.sandbox.root().join("home/.claude/projects");
        let files =
            |directory: std::path::PathBuf| std::fs::read_dir(directory).into_iter().flatten();
        let directories = files(projects).flatten().map(|it| it.path());
        directories.flat_map(files).count()
    }

    /// The prompts of all calls, `>` before those that went on with a conversation.
    pub fn prompts(&self) -> Vec<String> {
        let calls = self.calls();
        let told = calls.iter().map(|call| {
            let sign = if call["resumed"] == true { ">" } else { "" };
            let prompt = call["prompt"].as_str().unwrap();
            format!("{sign}{}", prompt.lines().last().unwrap_or_default())
        });
        told.collect()
    }

    /// The events of the session with this key, oldest first, each with its time.
    pub fn events(&self, key: &str) -> Vec<(chrono::DateTime<chrono::Utc>, Json)> {
        let events = self.sandbox.events();
        let found = events.lines().filter_map(|line| {
            let json: Json = serde_json::from_str(line).unwrap();
            let at = json["timestamp"].as_str()?.parse().ok()?;
            Some((at, json["event"].get(key)?.clone()))
        });
        found.collect()
    }

    /// Dollars, calls and calls of unknown cost, as the session tells them.
    #[track_caller]
    pub fn spent(&self) -> (f64, u64, u64) {
        let list = self.sandbox.run(&["events", "stats", "--json"]).exits(0).json();
        let agents = &list["agents"];
        (
            agents["cost_usd"].as_f64().unwrap(),
            agents["calls"].as_u64().unwrap(),
            agents["unknown_costs"].as_u64().unwrap(),
        )
    }
}

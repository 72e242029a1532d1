//! Recoveries with the real program: each way, its limits, what may never be repeated, and each
//! way again with a kill at every word.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    dead_code,
    missing_docs,
    reason = "a test ends where something is not as it must be; each uses its part of support"
)]

mod auto;
mod checkpoints;
mod crashes;
mod damage;
mod dashboard;
mod items;
mod limits;
mod rollbacks;
mod rules;
#[path = "../support/mod.rs"]
mod support;
mod table;
mod ways;

use serde_json::Value;
use support::{Ran, Sandbox};

/// `say WORD [CODE]` appends the word and ends with the code; `flaky WORD TIMES` fails that often
/// first. Where `CRASH` names the number of words so far, they kill prodigy before or after theirs;
/// a word said right before a kill is not counted.
const SAY: &str = r#"#!/bin/sh
crash() {
  [ "$CRASH" = "$1" ] || return 0
  [ ! -e crashed ] || return 0
  echo "$2" > crashed
  pid=$$
  while [ "$(cat /proc/$pid/comm)" != prodigy ]; do
    pid=$(sed 's/.*) //' /proc/$pid/stat | cut -d' ' -f2)
  done
  kill -9 "$pid"
  exit 9
}
count() { [ -e words ] && wc -l < words | tr -d ' ' || echo 0; }
heard() { echo $(( $(grep -cx -- "$1" words) - $(cat crashed 2>/dev/null | grep -cx -- "$1") )); }
crash "$(count):before"
echo "$1" >> words
crash "$(count):after" "$1"
case "$0" in
  *flaky) [ "$(heard "$1")" -gt "$2" ] ;;
  *) exit "${2:-0}" ;;
esac
"#;

/// A place with `say` and `flaky`, and this workflow as `flow.yaml`.
pub fn sandbox(workflow: &str) -> Sandbox {
    use std::os::unix::fs::PermissionsExt as _;
    let sandbox = Sandbox::new();
    for name in ["say", "flaky"] {
        let path = sandbox.write(name, SAY);
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    sandbox.write("flow.yaml", workflow);
    sandbox
}

impl Sandbox {
    /// The user's own rules.
    pub fn user_rules(&self, rules: &str) {
        std::fs::create_dir_all(self.state()).unwrap();
        std::fs::write(self.state().join("recovery.yaml"), rules).unwrap();
    }

    /// What nobody knows the reason of runs again: without this a person has to look.
    pub fn repeats_unknown(&self) {
        self.user_rules("rules: [{class: unknown, strategy: resume}]\n");
    }

    /// Everything said so far.
    pub fn heard(&self) -> String {
        let words = std::fs::read_to_string(self.directory().join("words")).unwrap_or_default();
        words.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The recoveries of the session, oldest first.
    pub fn recoveries(&self) -> Vec<Value> {
        let shown = self.run(&["recovery", "status", "flow", "--json"]).exits(0);
        shown.json().as_array().unwrap().clone()
    }

    /// The types of the events, oldest first.
    pub fn event_types(&self) -> Vec<String> {
        let events = self.run(&["events", "ls", "--json"]).exits(0).json();
        let types = events.as_array().unwrap().iter().map(|event| &event["type"]);
        types.map(|it| it.as_str().unwrap().to_owned()).collect()
    }

    /// `recovery initiate` with more arguments.
    pub fn initiate(&self, more: &[&str]) -> Ran {
        self.run(&[&["recovery", "initiate", "flow"], more].concat())
    }
}

/// Prints what the formatter of a well known tool prints when it finds something.
pub const LINT: &str =
    "{ echo 'would reformat a.py' >&2; echo '1 file would be reformatted.' >&2; exit 1; }";

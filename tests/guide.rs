//! The example workflows of the user's guide to resuming, word for word, with stand-ins for the
//! programs they call and for the Claude CLI: to their end, through failures, and after a kill.

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

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use support::live::{Live, wait_until};
use support::{Ran, Sandbox};

const REFACTORING: &str = r#"
name: refactor-codebase
description: Refactor entire codebase with checkpoints

commands:
  - shell: "find . -name '*.py' > files.txt"
    capture_output: file_list

  - claude: "/analyze-code ${file_list}"
    id: analysis
    checkpoint: true  # Explicit checkpoint after analysis

  - shell: "python scripts/prepare_refactor.py"

  - claude: "/refactor-module src/core"
    checkpoint: true
    retry: 3

  - claude: "/refactor-module src/utils"
    checkpoint: true
    retry: 3

  - shell: "python -m pytest"
    id: test_suite

  - claude: "/fix-test-failures"
    when: "${test_suite.exit_code} != 0"
"#;

const PIPELINE: &str = r#"
name: data-pipeline
description: Process large dataset with resumable stages

variables:
  batch_size: 1000
  output_dir: "processed_data"

commands:
  - shell: "mkdir -p ${output_dir}"

  - shell: "python extract_data.py --batch-size ${batch_size}"
    id: extract
    timeout: 3600
    checkpoint: true

  - shell: "python transform_data.py --input raw_data --output ${output_dir}"
    id: transform
    checkpoint: true
    retry: 2

  - shell: "python validate_data.py ${output_dir}"
    id: validate

  - claude: "/generate-report ${output_dir}/validation.json"
    when: "${validate.success}"
"#;

const DEPLOYMENT: &str = r#"
name: staged-deployment
description: Deploy application with resumable stages

stages:
  - name: build
    commands:
      - shell: "npm run build"
      - shell: "npm run test"
    checkpoint: true

  - name: staging
    commands:
      - shell: "npm run deploy:staging"
      - claude: "/run-integration-tests staging"
    checkpoint: true
    retry: 2

  - name: production
    commands:
      - claude: "/verify-staging-metrics"
      - shell: "npm run deploy:production"
    checkpoint: true
    requires_confirmation: true
"#;

const RESILIENT: &str = r#"
name: resilient-workflow
description: Workflow with error handling and recovery

commands:
  - shell: "python initialize.py"
    id: init

  - shell: "python risky_operation.py"
    id: risky_op
    retry: 3
    on_failure:
      - shell: "python cleanup.py"
      - claude: "/diagnose-failure ${risky_op.error}"
    checkpoint: true

  - shell: "python continue_processing.py"
    when: "${risky_op.success}"

  - claude: "/handle-partial-success"
    when: "${risky_op.partial_success}"
"#;

/// Tells what it was called with, then fails while a file `fail-WORD` exists for one of its words, and
/// hangs once where `hang-WORD` exists.
const PROGRAM: &str = r#"#!/bin/sh
echo "$(basename "$0") $*" >> words
for word; do
  if [ -e "hang-$word" ]; then rm "hang-$word"; touch here; exec sleep 60; fi
  if [ -e "fail-$word" ]; then echo "$word is broken" >&2; exit 1; fi
done
"#;

/// A place with `python`, `npm` and `claude`.
struct Place {
    sandbox: Sandbox,
}

impl Place {
    fn new(workflow: &str) -> Self {
        let sandbox = Sandbox::new();
        let programs = sandbox.root().join("bin");
        std::fs::create_dir(&programs).unwrap();
        for name in ["python", "npm"] {
            std::fs::write(programs.join(name), PROGRAM).unwrap();
            let executable = std::fs::Permissions::from_mode(0o755);
            std::fs::set_permissions(programs.join(name), executable).unwrap();
        }
        let stand_in = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/claude");
        symlink(stand_in, programs.join("claude")).unwrap();
        let commands = sandbox.directory().join(".claude/commands");
        std::fs::create_dir_all(&commands).unwrap();
        for word in workflow.split(['"', ' ']).filter_map(|word| word.strip_prefix('/')) {
            std::fs::write(commands.join(format!("{word}.md")), "Do $ARGUMENTS").unwrap();
        }
        sandbox.write("flow.yaml", workflow);
        Self { sandbox }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.sandbox.command(arguments);
        let inherited = std::env::var("PATH").unwrap_or_default();
        let programs = self.sandbox.root().join("bin");
        command
            .env("PATH", format!("{}:{inherited}", programs.display()))
            .env("CLAUDE_STUB_LOG", self.sandbox.root().join("calls"));
        command
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments).output().unwrap())
    }

    /// The programs that were called, in order.
    fn called(&self) -> Vec<String> {
        let words = self.sandbox.directory().join("words");
        let words = std::fs::read_to_string(words).unwrap_or_default();
        words.lines().map(ToOwned::to_owned).collect()
    }

    /// What agents were asked, in order.
    fn asked(&self) -> Vec<String> {
        let calls = std::fs::read_to_string(self.sandbox.root().join("calls")).unwrap_or_default();
        let prompt = |line: &str| {
            let call: serde_json::Value = serde_json::from_str(line).unwrap();
            call["prompt"].as_str().unwrap().trim_end().to_owned()
        };
        calls.lines().map(prompt).collect()
    }
}

#[test]
fn a_refactoring_runs_to_its_end() {
    let place = Place::new(REFACTORING);
    place.run(&["cook", "flow.yaml"]).exits(0);
    assert_eq!(place.called(), ["python scripts/prepare_refactor.py", "python -m pytest"]);
    let asked = ["/analyze-code", "/refactor-module src/core", "/refactor-module src/utils"];
    assert_eq!(place.asked(), asked);
    let list = place.run(&["checkpoints", "list", "--workflow-id", "refactor-codebase"]).exits(0);
    assert!(list.stdout.contains("v7"), "{}", list.stdout);
}

#[test]
fn a_refactoring_whose_tests_fail_goes_on_when_they_pass() {
    let place = Place::new(REFACTORING);
    place.sandbox.write("fail-pytest", "");
    place.run(&["cook", "flow.yaml"]).exits(1);
    std::fs::remove_file(place.sandbox.directory().join("fail-pytest")).unwrap();
    place.run(&["resume", "refactor-codebase"]).exits(0);
    assert_eq!(place.called()[1..], ["python -m pytest", "python -m pytest"]);
    assert_eq!(place.asked().len(), 3, "no agent was paid twice");
}

#[test]
fn a_killed_pipeline_goes_on_at_the_step_that_ran() {
    let place = Place::new(PIPELINE);
    place.sandbox.write("hang-transform_data.py", "");
    let run = Live::start(place.command(&["cook", "flow.yaml"]));
    wait_until("the transformation", || place.sandbox.directory().join("here").exists());
    run.kill();
    let shown = place.run(&["checkpoints", "show", "data-pipeline", "--verbose"]).exits(0).stdout;
    assert!(shown.starts_with("data-pipeline interrupted at step 3/5\n"), "{shown}");
    place.run(&["resume", "data-pipeline"]).exits(0);
    let transform = "python transform_data.py --input raw_data --output processed_data";
    assert_eq!(
        place.called(),
        [
            "python extract_data.py --batch-size 1000",
            transform,
            transform,
            "python validate_data.py processed_data"
        ]
    );
    assert_eq!(place.asked(), ["/generate-report processed_data/validation.json"]);
    // From the beginning, as a new session.
    place.run(&["resume", "data-pipeline", "--force"]).exits(0);
    assert_eq!(place.called().len(), 7);
}

#[test]
fn a_deployment_stops_for_a_person_before_production() {
    let place = Place::new(DEPLOYMENT);
    let ran = place.run(&["cook", "flow.yaml"]).exits(6);
    assert!(ran.stdout.contains("production"), "{}", ran.stdout);
    place.run(&["resume", "staged-deployment"]).exits(6);
    place.run(&["resume", "staged-deployment", "-y"]).exits(0);
    let called =
        ["npm run build", "npm run test", "npm run deploy:staging", "npm run deploy:production"];
    assert_eq!(place.called(), called);
    assert_eq!(place.asked(), ["/run-integration-tests staging", "/verify-staging-metrics"]);
}

#[test]
fn a_deployment_can_skip_to_production() {
    let place = Place::new(DEPLOYMENT);
    place.sandbox.write("fail-deploy:staging", "");
    place.run(&["cook", "flow.yaml"]).exits(1);
    // The stage ran three times.
    assert_eq!(place.called().len(), 5);
    let list = place.run(&["checkpoints", "list"]).exits(0).stdout;
    assert!(list.contains("Stage 2/3 - staging"), "{list}");
    let skip = ["resume", "staged-deployment", "--from-checkpoint", "production", "-y"];
    let ran = place.run(&skip).exits(0);
    assert!(ran.stderr.contains("step staging/1 is passed over"), "{ran:#?}");
    assert_eq!(place.called()[5..], ["npm run deploy:production"]);
    assert_eq!(place.asked(), ["/verify-staging-metrics"]);
}

#[test]
fn a_resilient_workflow_recovers_and_handles_the_partial_success() {
    let place =
        Place::new(&RESILIENT.replace("retry: 3", "retry: {attempts: 4, initial_delay: 0}"));
    place.sandbox.write("fail-risky_operation.py", "");
    place.run(&["cook", "flow.yaml"]).exits(0);
    let risky = "python risky_operation.py";
    assert_eq!(
        place.called(),
        ["python initialize.py", risky, risky, risky, risky, "python cleanup.py"]
    );
    assert_eq!(place.asked(), ["/diagnose-failure exit code 1", "/handle-partial-success"]);
    assert_eq!(place.sandbox.status(), "completed");
}

#[test]
fn a_resilient_workflow_whose_cleanup_fails_is_resumed_with_more_retries() {
    let place =
        Place::new(&RESILIENT.replace("retry: 3", "retry: {attempts: 4, initial_delay: 0}"));
    place.sandbox.write("fail-risky_operation.py", "");
    place.sandbox.write("fail-cleanup.py", "");
    place.run(&["cook", "flow.yaml"]).exits(1);
    let shown = place.run(&["checkpoints", "show", "resilient-workflow", "--verbose"]).exits(0);
    assert!(shown.stdout.contains("handler history"), "{}", shown.stdout);
    assert_eq!(place.called().len(), 6);
    place.run(&["resume", "resilient-workflow", "--max-retries", "5"]).exits(1);
    assert_eq!(place.called().len(), 6 + 6 + 1, "five more retries are six runs, then the cleanup");
    std::fs::remove_file(place.sandbox.directory().join("fail-risky_operation.py")).unwrap();
    place.run(&["resume", "resilient-workflow"]).exits(0);
    let last = place.called().split_off(13);
    assert_eq!(last, ["python risky_operation.py", "python continue_processing.py"]);
    assert!(place.asked().is_empty());
}

//! Sessions that lie on the disk as if a run had left them, written through the library.

#![allow(dead_code, reason = "each test file uses the parts it needs")]

use std::sync::Arc;

use prodigy::session::{
    Address, Digest, EventKind, Output, Report, RunStarted, SessionId, SessionKind, SessionStarted,
    SessionStatus, StepKind, StepResult, StepStatus, Stored, WorkflowId,
};
use prodigy::store::{Durability, Home, OpenSession};

use super::Sandbox;

/// A session held by the test, as by a run.
pub struct Past {
    pub session: OpenSession,
    pub id: SessionId,
    pub workflow_id: WorkflowId,
}

impl Past {
    /// A session of `name` in the working directory of `sandbox`, in its first run.
    pub fn new(sandbox: &Sandbox, name: &str, total_steps: usize) -> Self {
        let home = Home::at(&sandbox.state()).unwrap();
        let directory = sandbox.directory().canonicalize().unwrap();
        let id = SessionId::fresh();
        let workflow_id = WorkflowId::of(name, &id);
        let text = "commands:\n  - shell: echo hi\n";
        let started = SessionStarted {
            format: 1,
            prodigy: "test".to_owned(),
            session_id: id.clone(),
            workflow_id: workflow_id.clone(),
            kind: SessionKind::Standard,
            name: name.to_owned(),
            workflow_path: directory.join("flow.yaml"),
            workflow_hash: Digest::of(text.as_bytes()),
            repository: home.repository(&directory).unwrap(),
            directory,
            parameters: Vec::new(),
            passes: Vec::new(),
            max_iterations: None,
            profile: None,
            total_steps,
            supersedes: None,
            adopted_from: None,
            stages: Vec::new(),
        };
        let session = OpenSession::create(&home, started, text, Durability::Strict).unwrap();
        let past = Self { session, id, workflow_id };
        past.commit(EventKind::RunStarted(Box::new(RunStarted {
            run: 1,
            pid: 1,
            host: "host".to_owned(),
            boot_id: String::new(),
            pid_namespace: String::new(),
            command: "cook flow.yaml".to_owned(),
            correlation_id: "run-1".to_owned(),
            environment: Vec::new(),
            head: None,
            relaxed: false,
            max_retries: None,
        })));
        past
    }

    pub fn commit(&self, kind: EventKind) {
        self.session.commit(kind).unwrap();
    }

    pub fn start(&self, step: &str) -> &Self {
        self.commit(EventKind::StepStarted {
            address: address(step),
            attempt: 1,
            command: format!("shell: make step-{step}"),
            name: String::new(),
            id: None,
            agent_session: None,
            agent_continues: false,
            head: None,
        });
        self
    }

    /// Writes into the log of a step, as its output would.
    pub fn print(&self, step: &str, text: &str) -> &Self {
        use std::io::Write as _;
        let path =
            self.session.home().logs(&self.id).join(format!("{}.1.log", address(step).file_name()));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut log = std::fs::OpenOptions::new().append(true).create(true).open(path).unwrap();
        log.write_all(text.as_bytes()).unwrap();
        self
    }

    /// A step that started ends with this output.
    pub fn finish(&self, step: &str, printed: &str) -> &Self {
        let report = Report {
            exit_code: Some(0),
            stdout: Output {
                text: Stored::plain(printed),
                bytes: printed.len() as u64,
                cut: false,
            },
            duration_ms: 1200,
            ..Report::default()
        };
        let result = StepResult {
            status: StepStatus::Success,
            attempts: 1,
            report,
            ..StepResult::skipped(StepKind::Shell)
        };
        self.commit(EventKind::StepFinished {
            address: address(step),
            id: None,
            result: Arc::new(result),
            checkpoint: None,
            name: String::new(),
        });
        self
    }

    pub fn end(self, status: SessionStatus) -> (SessionId, WorkflowId) {
        self.commit(EventKind::RunFinished { status, active_ms: 2400, failure: None });
        self.session.sync_now().unwrap();
        (self.id, self.workflow_id)
    }
}

pub fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

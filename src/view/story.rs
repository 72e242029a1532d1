//! Hand-made sessions for tests: events one second apart, folded as they come.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::session::{
    Address, AgentReport, Digest, Event, EventKind, Failure, FailureClass, FailureKind, Observer,
    Output, Report, RunFailure, RunStarted, SessionId, SessionKind, SessionStarted, SessionState,
    SessionStatus, StepKind, StepResult, StepStatus, Stored, WorkflowId,
};

/// A session that a test tells.
pub struct Story {
    pub events: Vec<Event>,
    pub state: SessionState,
}

/// When every story begins.
pub fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000, 0).unwrap()
}

/// Any text as an address, also one that no person could type.
pub fn address(text: &str) -> Address {
    Address::root().join(text)
}

impl Story {
    /// A session of `name` that runs for the first time.
    pub fn new(name: &str, total_steps: usize, stages: &[&str]) -> Self {
        Self::with(name, total_steps, stages, |_| {})
    }

    /// As [`Self::new`], with a header changed by `change`.
    pub fn with(
        name: &str,
        total_steps: usize,
        stages: &[&str],
        change: impl FnOnce(&mut SessionStarted),
    ) -> Self {
        let session_id = SessionId::parse("session-3fa9c1aa-0000-4000-8000-000000000001").unwrap();
        let mut started = SessionStarted {
            format: 1,
            prodigy: "0.1.0".into(),
            workflow_id: WorkflowId::of(name, &session_id),
            session_id,
            kind: SessionKind::Standard,
            name: name.into(),
            workflow_path: "/repo/flow.yml".into(),
            workflow_hash: Digest::of(b"x"),
            directory: "/repo".into(),
            repository: "repo".into(),
            parameters: Vec::new(),
            passes: Vec::new(),
            max_iterations: None,
            profile: None,
            total_steps,
            supersedes: None,
            adopted_from: None,
            stages: stages.iter().map(|stage| (*stage).to_owned()).collect(),
        };
        change(&mut started);
        let mut story = Self { events: Vec::new(), state: SessionState::default() };
        story.add(EventKind::SessionStarted(Box::new(started)));
        story.run("cook");
        story
    }

    pub fn add(&mut self, kind: EventKind) -> &mut Self {
        let seq = self.events.len() as u64 + 1;
        let at = start() + TimeDelta::seconds(i64::try_from(seq).unwrap());
        let event = Event::new(seq, at, kind);
        self.state.apply(&event);
        self.events.push(event);
        self
    }

    pub fn run(&mut self, command: &str) -> &mut Self {
        let run = self.state.lifetime.run() + 1;
        self.add(EventKind::RunStarted(Box::new(RunStarted {
            run,
            pid: 4242,
            host: "host".into(),
            boot_id: "boot".into(),
            pid_namespace: "1".into(),
            command: command.into(),
            correlation_id: format!("run-{run}"),
            environment: Vec::new(),
            head: None,
            relaxed: false,
            max_retries: None,
        })))
    }

    pub fn started(&mut self, at: &str, attempt: u32, command: &str) -> &mut Self {
        self.add(EventKind::StepStarted {
            address: address(at),
            attempt,
            command: command.into(),
            name: String::new(),
            id: None,
            agent_session: None,
            agent_continues: false,
            head: None,
        })
    }

    pub fn attempt_failed(&mut self, at: &str, attempt: u32, report: Report) -> &mut Self {
        self.add(EventKind::AttemptFinished {
            address: address(at),
            attempt,
            report: Box::new(report),
        })
    }

    /// The step's end; that of its agent, where it had one, goes before.
    pub fn finished(&mut self, at: &str, result: StepResult) -> &mut Self {
        if let Some(agent) = &result.report.agent {
            let agent = agent.clone();
            self.add(EventKind::AgentEnded { address: address(at), attempt: 1, agent });
        }
        self.add(EventKind::StepFinished {
            address: address(at),
            id: None,
            result: Arc::new(result),
            checkpoint: None,
            name: String::new(),
        })
    }

    /// A shell step that starts and succeeds.
    pub fn done(&mut self, at: &str, command: &str) -> &mut Self {
        self.started(at, 1, command).finished(at, result(StepStatus::Success, 1, Report::default()))
    }

    pub fn ended(&mut self, status: SessionStatus) -> &mut Self {
        self.add(EventKind::RunFinished { status, active_ms: 80_000, failure: None })
    }

    /// Tells the whole story to an observer.
    pub fn tell(&self, observer: &mut dyn Observer) {
        let mut state = SessionState::default();
        for event in &self.events {
            state.apply(event);
            observer.event(event, &state);
        }
    }
}

pub fn result(status: StepStatus, attempts: u32, report: Report) -> StepResult {
    StepResult {
        status,
        goes_on: status != StepStatus::Failed,
        attempts,
        report,
        ..StepResult::skipped(StepKind::Shell)
    }
}

pub fn output(text: &str) -> Output {
    Output { text: Stored::plain(text), bytes: text.len() as u64, cut: false }
}

pub fn failed_report(code: i32, stdout: &str, stderr: &str) -> Report {
    Report {
        exit_code: Some(code),
        stdout: output(stdout),
        stderr: output(stderr),
        duration_ms: 1_250,
        failure: Some(Failure {
            kind: FailureKind::Exit,
            class: FailureClass::Unknown,
            message: Stored::plain(format!("exit code {code}")),
            help: None,
        }),
        agent: None,
    }
}

pub fn agent_report(cost_usd: Option<f64>) -> Report {
    Report {
        exit_code: Some(0),
        stdout: output("ok"),
        duration_ms: 30_000,
        agent: Some(Box::new(AgentReport {
            session_id: "a".into(),
            cost_usd,
            tokens: Some(1_000),
            ..AgentReport::default()
        })),
        ..Report::default()
    }
}

/// A story that tells every kind of event at least once.
pub fn everything() -> Story {
    let mut story = Story::new("flow", 3, &[]);
    let one = || address("1");
    let failed = || failed_report(1, "out\n", "err\n");
    story.started("1", 1, "make\nall");
    story.add(EventKind::StepSpawned { address: one(), pid: 77, born: 1 });
    story.add(EventKind::AgentEnded { address: one(), attempt: 1, agent: Box::default() });
    story.attempt_failed("1", 1, failed());
    story.add(EventKind::RetryScheduled {
        address: one(),
        attempt: 2,
        delay_ms: 1_500,
        not_before: start(),
        max_attempts: None,
        uncounted: true,
        correlation_id: String::new(),
    });
    story.started("1", 2, "make all").attempt_failed("1", 2, failed());
    story.add(EventKind::ErrorRaised {
        address: one(),
        step: one(),
        failure: Failure {
            kind: FailureKind::Exit,
            class: FailureClass::Network,
            message: Stored::plain("no route\u{1b}[2J"),
            help: None,
        },
        exit_code: Some(1),
        attempt: 2,
        output: Stored::default(),
        stderr: Stored::default(),
        correlation_id: "corr-1".into(),
    });
    let handler = |number: u32| address(&format!("1.on_failure[{number}]"));
    story.add(EventKind::HandlerSkipped {
        address: handler(1),
        id: "1".into(),
        reason: "its condition is false".into(),
        failed: false,
    });
    for (number, success) in [(2, false), (3, true)] {
        story.add(EventKind::HandlerStarted {
            address: handler(number),
            id: format!("fix-{number}"),
            strategy: "recovery".into(),
            attempt: 1,
            correlation_id: "corr-1".into(),
        });
        story.add(EventKind::HandlerFinished {
            address: handler(number),
            id: format!("fix-{number}"),
            success,
            error: (!success).then(|| "exit code 9".into()),
            output: Stored::default(),
            capture: None,
            attempt: 1,
        });
    }
    story.add(EventKind::ErrorSettled { address: one(), goes_on: true });
    story.finished("1", result(StepStatus::Recovered, 2, failed()));
    let items = vec![Stored::plain("a"), Stored::plain("b")];
    story.add(EventKind::LoopStarted { address: address("2"), items });
    story.add(EventKind::Scored {
        address: address("2.goal[1]"),
        score: 80.0,
        reached: false,
        detail: Stored::default(),
    });
    let confirmed =
        EventKind::Confirmed { address: address("3"), yes: true, by: "terminal".into() };
    story.add(confirmed);
    story.add(EventKind::Waiting {
        address: address("3"),
        reason: crate::session::WaitReason::Limit,
        message: "the provider's limit ends at noon".into(),
        until: None,
    });
    story.ended(SessionStatus::Parked).run("resume flow");
    story.add(EventKind::Answered {
        address: address("3"),
        answer: crate::session::PersonsAnswer::Done,
    });
    story.add(EventKind::WorkflowChanged {
        edited: Vec::new(),
        workflow_hash: Digest::of(b"y"),
        total_steps: 3,
        stages: Vec::new(),
        kept: vec![(one(), one())],
        items: false,
    });
    story.add(EventKind::Rewound {
        scope: one(),
        from: None,
        reach: crate::session::Reach::Subtree,
        to_seq: None,
        cause: crate::session::RewindCause::Rerun,
        by: Some(handler(3)),
    });
    story.add(EventKind::ScopeFinished {
        address: address("pass[1]"),
        status: StepStatus::Failed,
        goes_on: false,
        checkpoint: None,
    });
    story.add(EventKind::RunFinished {
        status: SessionStatus::Failed,
        active_ms: 61_000,
        failure: Some(RunFailure {
            id: "f1".into(),
            step: address("3"),
            failure: failed().failure.unwrap(),
        }),
    });
    tell_items(&mut story);
    tell_recovery(&mut story);
    tell_rollback(&mut story);
    let other = SessionId::parse("session-00000000-0000-4000-8000-000000000002").unwrap();
    story.add(EventKind::Forked { from: other.clone(), seq: 17, version: Some(1) });
    story.add(EventKind::Moved {
        directory: "/elsewhere".into(),
        workflow_path: "/elsewhere/flow.yaml".into(),
    });
    story.add(EventKind::Superseded { by: other });
    story
}

/// The present state, and the way back that was begun from it.
fn tell_rollback(story: &mut Story) {
    use crate::session::{KeptFiles, RollbackStarted};
    story.add(EventKind::CheckpointMade {
        address: address("1"),
        name: Some("before-rollback".into()),
    });
    story.add(EventKind::FilesRestored { tree: "9c1f0e7d2b".repeat(4) });
    story.add(EventKind::FilesKept(Box::new(KeptFiles {
        tree: "0123456789abcdef".into(),
        head: Some("fedcba9876543210".into()),
        rules: None,
        left_out: Vec::new(),
        tracked: Vec::new(),
    })));
    story.add(EventKind::RollbackStarted(Box::new(RollbackStarted {
        version: 1,
        to_seq: 4,
        undo_version: 2,
        files: None,
        reason: None,
        recovery: None,
        answers: Vec::new(),
    })));
}

/// A recovery that helps.
fn tell_recovery(story: &mut Story) {
    use crate::session::{RecoveryFinished, RecoveryId, RecoveryStarted, RecoveryType};
    let recovery = RecoveryId::parse("recovery-0123456789ab").unwrap();
    story.add(EventKind::RecoveryStarted(Box::new(RecoveryStarted {
        recovery: recovery.clone(),
        failure: "failure-3fa9c1-1".into(),
        kind: RecoveryType::Retry,
        step: Some(address("3")),
        attempt: 2,
        reason: "the network failed".into(),
    })));
    story.add(EventKind::RecoveryFinished(Box::new(RecoveryFinished {
        recovery,
        success: true,
        reason: "step 3 succeeded".into(),
    })));
}

/// A map of two items, of which one fails, runs again and is cleared.
fn tell_items(story: &mut Story) {
    use crate::session::{Disposition, ItemFailure, ItemStatus, ResultRef, item_address};
    story.add(EventKind::JobStarted {
        job: "job".into(),
        items: 2,
        checkpoint_frequency: None,
        items_crc: None,
    });
    let result = ResultRef { offset: 0, length: 2, crc: 3 };
    story.add(EventKind::ItemFinished {
        item: 1,
        status: ItemStatus::Success,
        value: None,
        result,
    });
    let failure = ItemFailure {
        step: item_address(2).step(1),
        run: 1,
        failure: failed_report(1, "", "").failure.unwrap(),
        exit_code: Some(1),
        output: Stored::plain("oops"),
        attempt: 1,
        cost_usd: None,
        duration_ms: 5,
        agent_session: None,
        disposition: Disposition::Dlq,
    };
    story.add(EventKind::ItemFailed { item: 2, failure: Box::new(failure) });
    story.add(EventKind::ItemFinished { item: 2, status: ItemStatus::Failed, value: None, result });
    story.add(EventKind::DlqCleared { items: vec![2] });
}

/// Three steps, of which the first is done and the second failed.
pub fn failed() -> Story {
    let mut story = Story::new("data pipeline", 3, &[]);
    story.done("1", "a");
    let report = failed_report(2, "", "");
    let failure = report.failure.clone().unwrap();
    story.finished("2", result(StepStatus::Failed, 1, report));
    story.add(EventKind::RunFinished {
        status: SessionStatus::Failed,
        active_ms: 80_000,
        failure: Some(RunFailure { id: "f1".into(), step: address("2"), failure }),
    });
    story
}

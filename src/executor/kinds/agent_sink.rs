//! What becomes of an agent's output while it runs: read, logged as it came, shown as it works.

use std::fs::File;
use std::io::Write as _;

use crate::agent::{Happening, Reader};
use crate::executor::run::Run;
use crate::process::{Born, Collected, Collector, Keep, Sink};
use crate::session::{Address, EventKind, Notice};
use crate::store::StoreError;

/// Takes the output of one agent call.
pub(super) struct AgentSink<'b, 'a> {
    run: &'b Run<'a>,
    address: &'b Address,
    reader: Reader,
    stderr: Collector,
    log: Option<File>,
    failed: Option<StoreError>,
    started: bool,
    ends: bool,
}

impl<'b, 'a> AgentSink<'b, 'a> {
    pub(super) fn new(
        run: &'b Run<'a>,
        address: &'b Address,
        attempt: u32,
        reader: Reader,
    ) -> Self {
        let log = run.session.log(address, attempt);
        if let Err(error) = &log {
            run.warn(&format!("the agent's log is left out: {error}"));
        }
        Self {
            run,
            address,
            reader,
            stderr: Collector::new(Keep::Shown),
            log: log.ok(),
            failed: None,
            started: false,
            ends: false,
        }
    }

    /// True when there was a process.
    pub(super) fn has_started(&self) -> bool {
        self.started
    }

    /// What was read, or why the session could not record the spawn.
    pub(super) fn finish(self) -> Result<(Reader, Collected), StoreError> {
        match self.failed {
            Some(error) => Err(error),
            None => Ok((self.reader, self.stderr.finish())),
        }
    }

    fn write(&mut self, bytes: &[u8]) {
        let secrets = self.run.secrets();
        let masked;
        let shown: &[u8] = if secrets.is_empty() {
            bytes
        } else {
            masked = secrets.mask_bytes(bytes);
            &masked
        };
        if self.log.as_mut().is_some_and(|log| log.write_all(shown).is_err()) {
            self.log = None;
            self.run.warn("the agent's log cannot be written any more");
        }
    }

    fn happened(&mut self, happening: &Happening) {
        let throttled = self
            .reader
            .retry()
            .is_some_and(|retry| retry.status == Some(429) || retry.error == "rate_limit");
        self.run.agent_happened(happening, throttled);
        self.ends |= happening.ends_the_call();
        let line = self.run.secrets().mask(&happening.to_string());
        let text = matches!(happening, Happening::Text(_));
        self.run.session.notice(&Notice::Agent { address: self.address, line: &line, text });
    }
}

impl Sink for AgentSink<'_, '_> {
    fn spawned(&mut self, born: Born) -> std::io::Result<()> {
        self.started = true;
        let spawned = EventKind::StepSpawned {
            address: self.address.clone(),
            pid: born.pid,
            born: born.start,
        };
        self.run.commit(spawned).map_err(|error| {
            let message = error.to_string();
            self.failed = Some(error);
            std::io::Error::other(message)
        })
    }

    fn stdout(&mut self, bytes: &[u8]) {
        self.write(bytes);
        for happening in self.reader.push(bytes) {
            self.happened(&happening);
        }
    }

    fn stderr(&mut self, bytes: &[u8]) {
        self.write(bytes);
        self.stderr.push(bytes);
    }

    fn wants_end(&mut self) -> bool {
        self.ends
    }
}

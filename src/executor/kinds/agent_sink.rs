//! What becomes of an agent's output while it runs: read, logged as it came, shown as it works.

use crate::agent::{Happening, Reader};
use crate::executor::run::Run;
use crate::process::{Born, Collected, Collector, Keep, Sink};
use crate::session::{Address, Notice};
use crate::store::StoreError;

use super::log::Log;
use super::sink::record_spawn;

/// Takes the output of one agent call.
pub(super) struct AgentSink<'b, 'a> {
    run: &'b Run<'a>,
    address: &'b Address,
    reader: Reader,
    stderr: Collector,
    log: Log<'b, 'a>,
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
        let log = Log::new(run, address, attempt);
        let stderr = Collector::new(Keep::Shown);
        Self { run, address, reader, stderr, log, failed: None, started: false, ends: false }
    }

    /// True when there was a process.
    pub(super) fn has_started(&self) -> bool {
        self.started
    }

    /// What was read, or why the session could not record the spawn.
    pub(super) fn finish(mut self) -> Result<(Reader, Collected), StoreError> {
        self.log.finish();
        for happening in self.reader.finish() {
            self.happened(&happening);
        }
        match self.failed {
            Some(error) => Err(error),
            None => Ok((self.reader, self.stderr.finish())),
        }
    }

    fn happened(&mut self, happening: &Happening) {
        let throttled = self
            .reader
            .retry()
            .is_some_and(|retry| retry.status == Some(429) || retry.error == "rate_limit");
        self.run.agent_happened(self.address, happening, throttled);
        self.ends |= happening.ends_the_call();
        let line = self.run.secrets().mask(&happening.to_string());
        let text = matches!(happening, Happening::Text(_));
        self.run.session.notice(&Notice::Agent { address: self.address, line: &line, text });
    }
}

impl Sink for AgentSink<'_, '_> {
    fn spawned(&mut self, born: &dyn Fn() -> Born) -> std::io::Result<()> {
        self.started = true;
        record_spawn(self.run, self.address, born, &mut self.failed)
    }

    fn stdout(&mut self, bytes: &[u8]) {
        self.log.stdout(bytes);
        for happening in self.reader.push(bytes) {
            self.happened(&happening);
        }
    }

    fn stderr(&mut self, bytes: &[u8]) {
        self.log.stderr(bytes);
        self.stderr.push(bytes);
    }

    fn wants_end(&mut self) -> bool {
        self.ends
    }
}

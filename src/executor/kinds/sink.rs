//! What becomes of a program's output while it runs: collected, logged, shown.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;

use crate::executor::run::Run;
use crate::process::{Born, Collector, Sink};
use crate::session::{Address, EventKind, Notice};
use crate::store::StoreError;

/// Takes the output of one attempt.
pub(super) struct StepSink<'b, 'a> {
    run: &'b Run<'a>,
    address: &'b Address,
    attempt: u32,
    pub(super) stdout: Collector,
    pub(super) stderr: Collector,
    log: Option<File>,
    log_failed: bool,
    /// Why the session could not record the spawn.
    pub(super) failed: Option<StoreError>,
}

impl<'b, 'a> StepSink<'b, 'a> {
    pub(super) fn new(
        run: &'b Run<'a>,
        address: &'b Address,
        attempt: u32,
        stdout: Collector,
        stderr: Collector,
    ) -> Self {
        Self { run, address, attempt, stdout, stderr, log: None, log_failed: false, failed: None }
    }

    /// The log is made with the first output: silent steps have none.
    fn write(&mut self, bytes: &[u8], stderr: bool) {
        let secrets = self.run.secrets();
        let masked;
        let shown: &[u8] = if secrets.is_empty() {
            bytes
        } else {
            masked = secrets.mask_bytes(bytes);
            &masked
        };
        if self.log.is_none() && !self.log_failed {
            self.log = self.run.session.log(self.address, self.attempt).ok();
        }
        let written = self.log.as_mut().map(|log| log.write_all(shown));
        if !matches!(written, Some(Ok(()))) && !self.log_failed {
            self.log_failed = true;
            self.log = None;
            let log = self.log_path();
            self.run.warn(&format!("cannot write the log {}", log.display()));
        }
        let notice = Notice::Output { address: self.address, stderr, bytes: shown };
        self.run.session.notice(&notice);
    }

    fn log_path(&self) -> PathBuf {
        self.run.session.home().log(self.run.session.id(), self.address, self.attempt)
    }
}

impl Sink for StepSink<'_, '_> {
    fn spawned(&mut self, born: Born) -> std::io::Result<()> {
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
        self.stdout.push(bytes);
        self.write(bytes, false);
    }

    fn stderr(&mut self, bytes: &[u8]) {
        self.stderr.push(bytes);
        self.write(bytes, true);
    }
}

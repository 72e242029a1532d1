//! What becomes of a program's output while it runs: collected, logged, shown.

use crate::executor::run::Run;
use crate::process::{Born, Collected, Collector, Sink};
use crate::session::{Address, EventKind, Notice, item_number};
use crate::store::StoreError;

use super::log::Log;

/// Takes the output of one attempt.
pub(super) struct StepSink<'b, 'a> {
    run: &'b Run<'a>,
    address: &'b Address,
    stdout: Collector,
    stderr: Collector,
    log: Log<'b, 'a>,
    failed: Option<StoreError>,
}

impl<'b, 'a> StepSink<'b, 'a> {
    pub(super) fn new(
        run: &'b Run<'a>,
        address: &'b Address,
        attempt: u32,
        stdout: Collector,
        stderr: Collector,
    ) -> Self {
        let log = match item_number(address) {
            Some(_) => Log::held(run, address, attempt),
            None => Log::new(run, address, attempt),
        };
        Self { run, address, stdout, stderr, log, failed: None }
    }

    /// What stdout and stderr said, or why the session could not record the spawn.
    pub(super) fn finish(mut self) -> Result<(Collected, Collected), StoreError> {
        let [stdout, stderr] = self.log.finish();
        self.show(&stdout, false);
        self.show(&stderr, true);
        match self.failed {
            Some(error) => Err(error),
            None => Ok((self.stdout.finish(), self.stderr.finish())),
        }
    }

    fn show(&self, bytes: &[u8], stderr: bool) {
        if !bytes.is_empty() {
            self.run.session.notice(&Notice::Output { address: self.address, stderr, bytes });
        }
    }
}

impl Sink for StepSink<'_, '_> {
    fn spawned(&mut self, born: &dyn Fn() -> Born) -> std::io::Result<()> {
        if is_found_by_mark(self.address) {
            return Ok(());
        }
        record_spawn(self.run, self.address, born, &mut self.failed)
    }

    fn stdout(&mut self, bytes: &[u8]) {
        self.stdout.push(bytes);
        let shown = self.log.stdout(bytes);
        self.show(&shown, false);
    }

    fn stderr(&mut self, bytes: &[u8]) {
        self.stderr.push(bytes);
        let shown = self.log.stderr(bytes);
        self.show(&shown, true);
    }
}

/// True when no process of a step has to be recorded: those of items are found by the session's
/// mark in their environment, where the system shows that.
pub(super) fn is_found_by_mark(address: &Address) -> bool {
    cfg!(target_os = "linux") && item_number(address).is_some()
}

/// Records which process runs; where that fails it is killed, and `failed` says why.
pub(super) fn record_spawn(
    run: &Run<'_>,
    address: &Address,
    born: &dyn Fn() -> Born,
    failed: &mut Option<StoreError>,
) -> std::io::Result<()> {
    let born = born();
    let spawned =
        EventKind::StepSpawned { address: address.clone(), pid: born.pid, born: born.start };
    run.commit(spawned).map_err(|error| {
        let message = error.to_string();
        *failed = Some(error);
        std::io::Error::other(message)
    })
}

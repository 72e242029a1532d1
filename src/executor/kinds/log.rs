//! The log of an attempt: made with the first output, so that silent steps have none, and items
//! that print little have none either (their results and the journal hold it); secrets are
//! masked also where they arrive in pieces.

use std::fs::File;
use std::io::Write as _;
use std::time::{Duration, Instant};

use crate::executor::run::Run;
use crate::report::Masker;
use crate::session::Address;

/// Where the output of one attempt is written.
pub(super) struct Log<'b, 'a> {
    run: &'b Run<'a>,
    address: &'b Address,
    attempt: u32,
    file: Target,
    stdout: Masker,
    stderr: Masker,
}

/// What is known of the file.
enum Target {
    NotYet,
    /// It is not worth a file so far.
    Held {
        /// What came.
        bytes: Vec<u8>,
        /// Since when.
        since: Instant,
    },
    Open(File),
    /// It could not be written, which was told once.
    Lost,
}

/// So much output is worth a file, and any that a step prints after so long a time.
const SMALL: usize = 4096;
const SHORT: Duration = Duration::from_secs(1);

impl<'b, 'a> Log<'b, 'a> {
    pub(super) fn new(run: &'b Run<'a>, address: &'b Address, attempt: u32) -> Self {
        let masker = || Masker::new(run.secrets());
        Self { run, address, attempt, file: Target::NotYet, stdout: masker(), stderr: masker() }
    }

    /// As [`Self::new`], but a small output makes no file: for the many steps of items.
    pub(super) fn held(run: &'b Run<'a>, address: &'b Address, attempt: u32) -> Self {
        let file = Target::Held { bytes: Vec::new(), since: Instant::now() };
        Self { file, ..Self::new(run, address, attempt) }
    }

    /// Writes what came from stdout, and returns what may be shown of it.
    pub(super) fn stdout(&mut self, bytes: &[u8]) -> Vec<u8> {
        let shown = self.stdout.feed(bytes);
        self.write(&shown);
        shown
    }

    /// Writes what came from stderr, and returns what may be shown of it.
    pub(super) fn stderr(&mut self, bytes: &[u8]) -> Vec<u8> {
        let shown = self.stderr.feed(bytes);
        self.write(&shown);
        shown
    }

    /// Writes what was held back, when both streams have ended; stdout and stderr in turn.
    pub(super) fn finish(&mut self) -> [Vec<u8>; 2] {
        let rest = [self.stdout.finish(), self.stderr.finish()];
        for shown in &rest {
            self.write(shown);
        }
        rest
    }

    fn write(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let mut held = Vec::new();
        if let Target::Held { bytes: before, since } = &mut self.file {
            before.extend_from_slice(bytes);
            if before.len() <= SMALL && since.elapsed() < SHORT {
                return;
            }
            held = std::mem::take(before);
            self.file = Target::NotYet;
        }
        let bytes = if held.is_empty() { bytes } else { &held };
        if matches!(self.file, Target::NotYet) {
            self.file = match self.run.session.log(self.address, self.attempt) {
                Ok(file) => Target::Open(file),
                Err(error) => self.lost(&error.to_string()),
            };
        }
        if let Target::Open(file) = &mut self.file
            && let Err(error) = file.write_all(bytes)
        {
            let name =
                self.run.session.with(|state| state.lifetime.log_name(self.address, self.attempt));
            let path = self.run.session.home().log(self.run.session.id(), &name);
            self.file = self.lost(&format!("cannot write {}: {error}", path.display()));
        }
    }

    fn lost(&self, why: &str) -> Target {
        self.run.warn(&format!("the log of step {} is left out: {why}", self.address));
        Target::Lost
    }
}

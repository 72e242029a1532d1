//! One program from spawn to end: output, time limits, stopping.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use rustix::io::Errno;

use super::Stop;
use super::running::Running;

/// What to start.
#[derive(Debug, Clone)]
pub struct Program {
    /// The program as it is called: a path, or a name looked up in PATH.
    pub program: OsString,
    /// The file that it is, when the caller has found it already.
    pub file: Option<PathBuf>,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// What it has of our own environment.
    pub inherits: Inherits,
    /// Its variables besides those; of two with the same name the later one counts.
    pub env: Vec<(OsString, OsString)>,
    /// Its working directory.
    pub directory: PathBuf,
    /// Its stdin.
    pub stdin: Stdin,
}

/// What a program has of the environment of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inherits {
    /// All of it, where nothing else is set: cheaper than handing over a copy.
    Everything,
    /// None of it.
    Nothing,
}

/// The stdin of a program.
#[derive(Debug, Clone, Default)]
pub enum Stdin {
    /// Nothing to read.
    #[default]
    Null,
    /// These bytes, then the end.
    Bytes(Vec<u8>),
}

/// When a program is stopped.
#[derive(Debug, Clone)]
pub struct Limits {
    /// After this much active time.
    pub timeout: Option<Duration>,
    /// After this much active time without any output.
    pub idle: Option<Duration>,
    /// From the first signal to SIGKILL.
    pub grace: Duration,
    /// The first signal.
    pub signal: StopSignal,
    /// The session and the step, as this program's environment names them in
    /// `PRODIGY_SESSION_ID` and `PRODIGY_STEP`: by both, processes that left the group and lost
    /// their parent are found when the program is stopped.
    pub marker: Option<(String, String)>,
}

/// The polite way to stop a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StopSignal {
    /// SIGTERM, to the whole group.
    #[default]
    Terminate,
    /// SIGINT, to the program (Claude).
    Interrupt,
}

/// Takes what a program writes and says, as it comes.
pub trait Sink {
    /// The program runs: `born` tells its pid (also its group) and the kernel's start time.
    /// Called before any output.
    ///
    /// # Errors
    /// The program is killed at once and the error returned.
    fn spawned(&mut self, born: &dyn Fn() -> Born) -> std::io::Result<()>;
    /// Bytes from stdout.
    fn stdout(&mut self, bytes: &[u8]);
    /// Bytes from stderr.
    fn stderr(&mut self, bytes: &[u8]);
    /// Asked after each piece of output: true stops the program as a timeout would
    /// (`Ended::Ordered`).
    fn wants_end(&mut self) -> bool {
        false
    }
}

/// Which process it is: the pid alone may be another's one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Born {
    /// Process id and group.
    pub pid: i32,
    /// Start time as the kernel tells it.
    pub start: u64,
}

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this code.
    Exited(i32),
    /// By this signal, not from us.
    Signaled(i32),
    /// We stopped it: its time was up.
    TimedOut,
    /// We stopped it: it was silent for too long.
    Idle,
    /// We stopped it: [`Stop`] was asked.
    Stopped,
    /// We stopped it: the sink wanted its end.
    Ordered,
    /// It was stopped by the kernel because it read from the terminal in the background.
    TtyInput,
}

/// A program that could not be started.
#[derive(Debug, thiserror::Error)]
#[error("cannot start {program}: {source}")]
pub struct SpawnError {
    /// The program.
    pub program: String,
    /// Why.
    pub source: std::io::Error,
}

impl SpawnError {
    /// True where the machine had no room for another process (memory, processes, open files):
    /// that says nothing about the program.
    #[must_use]
    pub fn is_shortage(&self) -> bool {
        is_shortage(&self.source)
    }
}

fn is_shortage(error: &std::io::Error) -> bool {
    let known = [Errno::AGAIN, Errno::NOMEM, Errno::MFILE, Errno::NFILE];
    error.raw_os_error().is_some_and(|code| known.iter().any(|it| it.raw_os_error() == code))
}

/// How long a shortage of the machine may last before the program counts as not started.
const SHORTAGE: Duration = Duration::from_secs(5);

/// Runs a program in its own process group until it ends or has to.
///
/// Where the machine has no room for another process, it is tried again for some seconds.
///
/// The program is over when its own process ends: what it left running in the background may
/// keep the pipes, and lives on unless the program was stopped.
///
/// # Errors
/// It could not be started, or the sink refused it.
pub fn run(
    program: &Program,
    limits: &Limits,
    stop: &Stop,
    sink: &mut dyn Sink,
) -> Result<Ended, SpawnError> {
    let begin = stop.active();
    let mut pause = Duration::from_millis(10);
    let started = loop {
        if stop.is_stopped() {
            return Ok(Ended::Stopped);
        }
        match Running::start(program, limits, stop) {
            Err(error) if is_shortage(&error) && stop.active().saturating_sub(begin) < SHORTAGE => {
                if stop.wait(pause) {
                    pause = (pause * 2).min(Duration::from_millis(500));
                }
            }
            started => break started,
        }
    };
    started
        .and_then(|running| running.until_end(sink))
        .map_err(|source| SpawnError { program: program.name(), source })
}

impl Program {
    fn name(&self) -> String {
        self.program.to_string_lossy().into_owned()
    }
}

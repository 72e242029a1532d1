//! The lock of a session: a kernel lock on a file that is never deleted or replaced, so that a
//! crash leaves nothing stale and a reused pid blocks nobody. The only file that names fs2.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use rustix::process::{Pid, test_kill_process};
use serde::{Deserialize, Serialize};

use crate::session::SessionId;

use super::error::NamePath;
use super::{Home, StoreError, files};

/// The lock, held until this is dropped or the process dies.
#[derive(Debug)]
pub struct Held {
    _file: File,
}

/// Who holds a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Its process; 0 when it has not said so yet.
    pub pid: u32,
    /// Its host.
    pub host: String,
    /// When it took the lock.
    pub started: Option<DateTime<Utc>>,
    /// What it does (`prodigy resume`).
    pub command: String,
}

impl std::fmt::Display for Holder {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Some(started) = self.started else { return formatter.write_str("another process") };
        let Self { pid, host, command, .. } = self;
        let started = started.format("%Y-%m-%d %H:%M:%S UTC");
        write!(formatter, "pid {pid} on {host} since {started} ({command})")
    }
}

/// Readers that ask for the holder have the lock for a moment: a live holder is believed after this long.
const PATIENCE: Duration = Duration::from_millis(50);
/// A process that was killed while it started a program leaves the lock to the child until that has
/// become the program; and a new holder has not said yet who it is. Such words are believed only after
/// this long.
const PATIENCE_IN_DOUBT: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(2);

/// Takes the lock of a session, or says at once who has it.
///
/// # Errors
/// Busy, or the lock file cannot be opened or written.
pub fn take(home: &Home, id: &SessionId) -> Result<Held, StoreError> {
    let path = home.lock(id);
    files::make_directory(files::parent_of(&path))?;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true);
    let mut file = files::open_private(&path, &mut options).named("lock", &path)?;
    if let Some(holder) =
        ask(&mut file, PATIENCE, fs2::FileExt::try_lock_exclusive).named("lock", &path)?
    {
        return Err(StoreError::Busy { session: id.to_string(), holder: holder.to_string() });
    }
    let text = serde_json::to_string(&Holder::present()).unwrap_or_default();
    let written =
        file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(text.as_bytes()));
    written.named("write", &path)?;
    Ok(Held { _file: file })
}

/// Who holds the session now, if anyone. Creates nothing.
#[must_use]
pub fn holder(home: &Home, id: &SessionId) -> Option<Holder> {
    let mut file = files::open_private(&home.lock(id), OpenOptions::new().read(true)).ok()?;
    ask(&mut file, Duration::ZERO, fs2::FileExt::try_lock_shared).ok().flatten()
}

/// Takes the lock, or tells who has it and does not let go of it in time.
fn ask(
    file: &mut File,
    patience: Duration,
    take: impl Fn(&File) -> io::Result<()>,
) -> io::Result<Option<Holder>> {
    let begin = Instant::now();
    loop {
        match take(file) {
            Ok(()) => return Ok(None),
            Err(error) if !is_contended(&error) => return Err(error),
            Err(_) => {}
        }
        let holder = read(file);
        let patience = if holder.is_doubtful() { PATIENCE_IN_DOUBT } else { patience };
        if begin.elapsed() >= patience {
            return Ok(Some(holder));
        }
        std::thread::sleep(PAUSE);
    }
}

/// Waits for the lock of a file that is only held for moments; closing the file frees it.
pub(super) fn wait(file: &File) -> io::Result<()> {
    fs2::FileExt::lock_exclusive(file)
}

impl Holder {
    /// True when it is not named, or its process is known to have ended.
    fn is_doubtful(&self) -> bool {
        let Some(pid) = i32::try_from(self.pid).ok().and_then(Pid::from_raw) else { return true };
        self.host == host() && test_kill_process(pid) == Err(rustix::io::Errno::SRCH)
    }

    fn present() -> Self {
        let host = host();
        // Only the subcommand: other arguments may hold what nobody else should read.
        let command: Vec<String> = std::env::args_os()
            .take(2)
            .map(|word| {
                let word = word.to_string_lossy().into_owned();
                word.rsplit('/').next().unwrap_or_default().to_owned()
            })
            .collect();
        Self {
            pid: std::process::id(),
            host,
            started: Some(Utc::now()),
            command: command.join(" "),
        }
    }
}

fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

fn is_contended(error: &io::Error) -> bool {
    error.kind() == fs2::lock_contended_error().kind()
}

fn read(file: &mut File) -> Holder {
    let mut text = String::new();
    let known = file.rewind().and_then(|()| file.read_to_string(&mut text));
    known.ok().and_then(|_| serde_json::from_str(&text).ok()).unwrap_or(Holder {
        pid: 0,
        host: String::new(),
        started: None,
        command: String::new(),
    })
}

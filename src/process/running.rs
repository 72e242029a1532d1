//! A program while it runs: one poll loop for its pipes, its end, its limits and our stop.

use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, waitid,
};

use super::birth;
use super::clock::TICK;
use super::drain::keep_reading;
use super::ending::{Family, leave_group};
use super::lookup::{find_again, search_path};
use super::run::{Born, Ended, Inherits, Limits, Program, Sink, Stdin, StopSignal};
use super::stop::{Stop, readable, timespec};

/// How long a background process that holds the pipes may still write for the program.
const HOLDER_GRACE: Duration = Duration::from_millis(50);
/// How often the end is looked for where the kernel cannot wake us for it.
const END_CHECK: Duration = Duration::from_millis(5);
/// How often we look who of a stopped program's family still lives.
const FAMILY_CHECK: Duration = Duration::from_millis(20);
/// After SIGKILL nobody lives on, unless the kernel itself hangs in a call.
const KILL_LIMIT: Duration = Duration::from_secs(5);
/// Bytes read at once: as many as cost little to have ready for each of many silent programs.
const PIECE: usize = 16 * 1024;

pub(super) struct Running<'a> {
    child: Child,
    pid: Pid,
    /// When it began, where that is known without asking.
    tick: Option<u64>,
    limits: &'a Limits,
    stop: &'a Stop,
    stdin: Option<Feed<'a>>,
    stdout: Option<PipeReader>,
    stderr: Option<PipeReader>,
    /// Holds the ends that the program writes to. While it does, the pipes do not hang up, and the
    /// end of the program wakes us once, not three times.
    writers: Option<Command>,
    _counted: Counted,
    end: End,
    /// Made for the first output: most programs of a long run say nothing.
    buffer: Vec<u8>,
    /// Active time at the latest output, or the start.
    heard: Duration,
}

/// One of the programs that run now.
struct Counted;

/// How many there are.
static PROGRAMS: AtomicUsize = AtomicUsize::new(0);

struct Feed<'a> {
    pipe: ChildStdin,
    left: &'a [u8],
}

/// How the end of the program is noticed.
enum End {
    /// The pidfd becomes readable.
    Wakes(OwnedFd),
    /// Only by asking, where there are no pidfds.
    Asked,
    /// It has ended. It is not waited for yet: its number still is its own.
    Seen,
}

/// What ends one wait besides the program.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wake {
    Stop,
    Urgent,
    Nothing,
}

impl<'a> Running<'a> {
    pub(super) fn start(
        program: &'a Program,
        limits: &'a Limits,
        stop: &'a Stop,
    ) -> io::Result<Self> {
        let counted = Counted::new();
        let (stdout, to_stdout) = io::pipe()?;
        let (stderr, to_stderr) = io::pipe()?;
        let before = birth::clock();
        let (mut child, writers) = spawn(program, to_stdout, to_stderr)?;
        let tick = birth::tick_since(before);
        let number = i32::try_from(child.id()).map_err(io::Error::other)?;
        let pid = Pid::from_raw(number).ok_or_else(|| io::Error::other("no process id"))?;
        let stdin = match (&program.stdin, child.stdin.take()) {
            (Stdin::Bytes(bytes), Some(pipe)) => Some(Feed::new(pipe, bytes)),
            _ => None,
        };
        let end = end_of(pid);
        // Another program that starts has copies of all our files for a moment: with several at a
        // time, pipes that hang up late cost more than they save.
        let holds = counted.is_alone() && matches!(end, End::Wakes(_));
        Ok(Self {
            stdout: Some(stdout),
            stderr: Some(stderr),
            writers: holds.then_some(writers),
            _counted: counted,
            end,
            buffer: Vec::new(),
            heard: stop.active(),
            child,
            pid,
            tick,
            limits,
            stop,
            stdin,
        })
    }

    pub(super) fn until_end(mut self, sink: &mut dyn Sink) -> io::Result<Ended> {
        if let Err(refused) = sink.spawned(&|| self.born()) {
            self.kill(sink);
            return Err(refused);
        }
        let stop = self.stop;
        let _watching = stop.watch();
        let started = stop.active();
        let mut now = started;
        let mut looked = started;
        loop {
            if self.turn(self.next_look(started, now), Wake::Stop, sink) {
                break;
            }
            now = stop.active();
            let reads_terminal = now.saturating_sub(looked) >= TICK && {
                looked = now;
                // It runs for so long that one wake more is nothing; two open files are.
                self.writers = None;
                self.waits_for_terminal()
            };
            let why = if stop.is_stopped() {
                Ended::Stopped
            } else if sink.wants_end() {
                Ended::Ordered
            } else if self.limits.timeout.is_some_and(|limit| now.saturating_sub(started) >= limit)
            {
                Ended::TimedOut
            } else if self.limits.idle.is_some_and(|limit| now.saturating_sub(self.heard) >= limit)
            {
                Ended::Idle
            } else if reads_terminal {
                Ended::TtyInput
            } else {
                continue;
            };
            self.end(sink);
            return Ok(why);
        }
        self.drain(sink);
        let status = self.child.wait()?;
        leave_group(self.pid);
        self.stdout.take().into_iter().for_each(|pipe| keep_reading(pipe.into()));
        self.stderr.take().into_iter().for_each(|pipe| keep_reading(pipe.into()));
        Ok(ended(status))
    }

    /// How long nothing but output, the end or a stop can matter.
    fn next_look(&self, started: Duration, now: Duration) -> Duration {
        let timeout = self.limits.timeout.map(|limit| started.saturating_add(limit));
        let idle = self.limits.idle.map(|limit| self.heard.saturating_add(limit));
        let due = [timeout, idle].into_iter().flatten().min();
        due.map_or(TICK, |due| due.saturating_sub(now).min(TICK))
    }

    /// Waits once, at most `longest`, and moves what there is to move. True when the program has
    /// ended.
    fn turn(&mut self, longest: Duration, wake: Wake, sink: &mut dyn Sink) -> bool {
        let mut writable = PollFlags::empty();
        let (mut out, mut err, mut ended) = (writable, writable, writable);
        let (end, longest) = match &self.end {
            End::Wakes(fd) => (Some(fd.as_fd()), longest),
            End::Asked => (None, longest.min(END_CHECK)),
            End::Seen => (None, longest),
        };
        {
            let stdin = self.stdin.as_ref().map(|feed| feed.pipe.as_fd());
            let sources = [
                (stdin, PollFlags::OUT, &mut writable),
                (self.stdout.as_ref().map(AsFd::as_fd), PollFlags::IN, &mut out),
                (self.stderr.as_ref().map(AsFd::as_fd), PollFlags::IN, &mut err),
                (end, PollFlags::IN, &mut ended),
            ];
            let mut ready = Vec::with_capacity(sources.len());
            let mut fds = Vec::with_capacity(8);
            for (fd, flags, flag) in sources {
                if let Some(fd) = fd {
                    fds.push(PollFd::from_borrowed_fd(fd, flags));
                    ready.push(flag);
                }
            }
            match wake {
                Wake::Stop => fds.extend(self.stop.wakes().map(readable)),
                Wake::Urgent => fds.extend(self.stop.urgent_wake().map(readable)),
                Wake::Nothing => {}
            }
            if poll(&mut fds, Some(&timespec(longest))).is_ok() {
                for (flags, fd) in ready.into_iter().zip(&fds) {
                    *flags = fd.revents();
                }
            }
        }
        if !writable.is_empty() && !self.stdin.as_mut().is_some_and(Feed::write) {
            self.stdin = None;
        }
        // At its end and empty: there is nothing to read.
        let over = PollFlags::HUP;
        if out == over {
            self.stdout = None;
        } else if !out.is_empty() {
            read_piece(&mut self.stdout, &mut self.buffer, |bytes| sink.stdout(bytes));
        }
        if err == over {
            self.stderr = None;
        } else if !err.is_empty() {
            read_piece(&mut self.stderr, &mut self.buffer, |bytes| sink.stderr(bytes));
        }
        if !out.is_empty() || !err.is_empty() {
            self.heard = self.stop.active();
        }
        if !ended.is_empty() || (matches!(self.end, End::Asked) && has_ended(self.pid)) {
            self.end = End::Seen;
        }
        matches!(self.end, End::Seen)
    }

    /// After the end: takes what is in the pipes, and for a short while what a background
    /// process still writes.
    fn drain(&mut self, sink: &mut dyn Sink) {
        self.stdin = None;
        self.writers = None;
        self.turn(Duration::ZERO, Wake::Nothing, sink);
        let mut present = waiting_in(&self.stdout);
        while present > 0 && self.stdout.is_some() {
            let read = read_piece(&mut self.stdout, &mut self.buffer, |bytes| sink.stdout(bytes));
            present = present.saturating_sub(read);
        }
        let mut present = waiting_in(&self.stderr);
        while present > 0 && self.stderr.is_some() {
            let read = read_piece(&mut self.stderr, &mut self.buffer, |bytes| sink.stderr(bytes));
            present = present.saturating_sub(read);
        }
        let deadline = Instant::now() + HOLDER_GRACE;
        while self.stdout.is_some() || self.stderr.is_some() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            self.turn(left, Wake::Nothing, sink);
        }
    }

    /// Asks, waits, kills: the program and everything it started.
    fn end(&mut self, sink: &mut dyn Sink) {
        let mut family = self.family();
        match self.limits.signal {
            StopSignal::Interrupt => {
                let _ = kill_process(self.pid, Signal::INT);
            }
            StopSignal::Terminate => family.signal(Signal::TERM),
        }
        // One that was stopped takes the signal only when it goes on.
        family.signal(Signal::CONT);
        let deadline = self.stop.active().saturating_add(self.limits.grace);
        while !self.stop.is_urgent() {
            let left = deadline.saturating_sub(self.stop.active());
            if left.is_zero() {
                break;
            }
            if !matches!(self.end, End::Seen) {
                if self.turn(left.min(TICK), Wake::Urgent, sink) {
                    // What it leaves behind had no signal yet when only the program got one.
                    family.look();
                    family.signal(Signal::TERM);
                }
            } else if family.look() {
                self.turn(left.min(FAMILY_CHECK), Wake::Urgent, sink);
            } else {
                break;
            }
        }
        self.kill_family(family, sink);
    }

    fn kill(&mut self, sink: &mut dyn Sink) {
        self.kill_family(self.family(), sink);
    }

    fn born(&self) -> Born {
        let pid = self.pid.as_raw_pid();
        Born { pid, start: birth::start_of(pid, self.tick) }
    }

    fn family(&self) -> Family {
        Family::of(self.pid, self.born().start, self.limits.marker.as_ref())
    }

    fn kill_family(&mut self, mut family: Family, sink: &mut dyn Sink) {
        let deadline = Instant::now() + KILL_LIMIT;
        let mut pause = Duration::from_millis(1);
        while family.look() && Instant::now() < deadline {
            family.signal(Signal::KILL);
            self.turn(pause, Wake::Nothing, sink);
            pause = (pause * 2).min(FAMILY_CHECK);
        }
        self.drain(sink);
        let _ = self.child.try_wait();
        family.bury();
    }

    /// Stopped by the kernel because it wanted the terminal, which is not its own.
    fn waits_for_terminal(&self) -> bool {
        let options = WaitIdOptions::STOPPED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let signal = waitid(WaitId::Pid(self.pid), options)
            .ok()
            .flatten()
            .and_then(|status| status.stopping_signal());
        [Signal::TTIN, Signal::TTOU].iter().any(|kind| signal == Some(kind.as_raw()))
    }
}

impl Drop for Running<'_> {
    /// A panic of ours does not leave the program behind.
    fn drop(&mut self) {
        if std::thread::panicking() && matches!(self.child.try_wait(), Ok(None)) {
            let _ = kill_process_group(self.pid, Signal::KILL);
            let _ = self.child.wait();
        }
    }
}

impl Counted {
    fn new() -> Self {
        PROGRAMS.fetch_add(1, Ordering::Relaxed);
        Self
    }

    fn is_alone(&self) -> bool {
        PROGRAMS.load(Ordering::Relaxed) == 1
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        PROGRAMS.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<'a> Feed<'a> {
    fn new(pipe: ChildStdin, bytes: &'a [u8]) -> Self {
        // A full pipe must not block the loop that also reads the answers.
        let _ = rustix::io::ioctl_fionbio(&pipe, true);
        Self { pipe, left: bytes }
    }

    /// Writes what fits; false when there is nothing left to write, or nobody to read it.
    fn write(&mut self) -> bool {
        match self.pipe.write(self.left) {
            Ok(count) => {
                self.left = self.left.get(count..).unwrap_or_default();
                !self.left.is_empty()
            }
            Err(error) => {
                matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
            }
        }
    }
}

/// The program, and what holds the writing ends of its pipes.
///
/// No `pre_exec`, and the program as a path: else std would fork instead of `posix_spawn`.
fn spawn(
    program: &Program,
    stdout: PipeWriter,
    stderr: PipeWriter,
) -> io::Result<(Child, Command)> {
    let stdin = match program.stdin {
        Stdin::Null => Stdio::null(),
        Stdin::Bytes(_) => Stdio::piped(),
    };
    let found = match &program.file {
        Some(file) => Some(file.clone()),
        None if program.program.as_bytes().contains(&b'/') => None,
        None => {
            let path = search_path(&program.env, program.inherits).unwrap_or_default();
            find_again(&program.program, &path, &program.directory)
        }
    };
    let mut command = Command::new(found.as_deref().unwrap_or(Path::new(&program.program)));
    if program.inherits == Inherits::Nothing {
        command.env_clear();
    }
    let child = command
        .arg0(&program.program)
        .args(&program.args)
        .envs(program.env.iter().map(|(name, value)| (name, value)))
        .current_dir(&program.directory)
        .stdin(stdin)
        .stdout(stdout)
        .stderr(stderr)
        .process_group(0)
        .spawn()
        .map_err(|error| {
            if program.directory.is_dir() {
                return error;
            }
            let directory = program.directory.display();
            io::Error::new(error.kind(), format!("no working directory {directory}"))
        })?;
    Ok((child, command))
}

/// Reads once; forgets the pipe at its end. Only called when reading does not block.
fn read_piece(
    pipe: &mut Option<impl Read>,
    buffer: &mut Vec<u8>,
    take: impl FnOnce(&[u8]),
) -> usize {
    let Some(open) = pipe else { return 0 };
    buffer.resize(PIECE, 0);
    match open.read(buffer) {
        Ok(0) => *pipe = None,
        Ok(count) => {
            take(buffer.get(..count).unwrap_or_default());
            return count;
        }
        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
        Err(_) => *pipe = None,
    }
    0
}

fn waiting_in(pipe: &Option<impl AsFd>) -> usize {
    let bytes = pipe.as_ref().and_then(|pipe| rustix::io::ioctl_fionread(pipe).ok());
    bytes.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(0)
}

fn has_ended(pid: Pid) -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    !matches!(waitid(WaitId::Pid(pid), options), Ok(None))
}

fn ended(status: ExitStatus) -> Ended {
    match (status.code(), status.signal()) {
        (Some(code), _) => Ended::Exited(code),
        (None, Some(signal)) => Ended::Signaled(signal),
        (None, None) => Ended::Exited(-1),
    }
}

#[cfg(target_os = "linux")]
fn end_of(pid: Pid) -> End {
    rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty())
        .map_or(End::Asked, End::Wakes)
}

#[cfg(not(target_os = "linux"))]
fn end_of(_: Pid) -> End {
    End::Asked
}

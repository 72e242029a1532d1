//! The wish to stop, as signals bring it: shared by everything that waits.

use std::io;
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal as Kind, WaitId, WaitIdOptions, getpid, kill_process, waitid};
use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

use super::clock::{Clock, TICK, Watching};
use super::flag::Flag;
use super::table;

/// The same signal again this soon is the same wish: `timeout` and terminals tell the process
/// and its group.
const ECHO: Duration = Duration::from_millis(100);

/// What asked this process to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// The terminal is gone: exit code 129.
    Hangup,
    /// Ctrl-C: exit code 130.
    Interrupt,
    /// `kill`: exit code 143.
    Terminate,
}

impl Signal {
    /// 129, 130 or 143.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Hangup => 129,
            Self::Interrupt => 130,
            Self::Terminate => 143,
        }
    }
}

/// A cheap handle on the wish to stop.
#[derive(Clone)]
pub struct Stop(Arc<Handle>);

struct Handle {
    parent: Option<Stop>,
    own: Flag,
    heeds: Heeds,
    root: Arc<Root>,
}

/// Which signal stops a handle.
#[derive(Clone, Copy)]
enum Heeds {
    Any,
    SecondOnly,
}

/// What all handles of one installation share.
#[derive(Default)]
struct Root {
    first: OnceLock<Signal>,
    asked: Flag,
    urgent: Flag,
    clock: Clock,
}

impl Default for Stop {
    fn default() -> Self {
        Self::never()
    }
}

impl Stop {
    /// Installs the signal handlers (INT, TERM also where they were inherited as ignored; HUP
    /// stays ignored under nohup; TSTP/CONT suspend and continue the children and every timer).
    /// Processes that lose their parent below us become our children, so that they can be found.
    ///
    /// # Errors
    /// The system refuses.
    pub fn install() -> io::Result<Self> {
        adopt_orphans();
        let stop = Self::never();
        let root = Arc::clone(&stop.0.root);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let streams = {
            let _inside = runtime.enter();
            Streams::open()?
        };
        std::thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || runtime.block_on(streams.listen(&root)))?;
        Ok(stop)
    }

    /// A handle that no signal touches, for children and tests.
    #[must_use]
    pub fn never() -> Self {
        Self::with(None, Heeds::Any, Arc::new(Root::default()))
    }

    /// A handle that stops when this one does, or by itself through [`Self::stop`]: for the
    /// rounds of one loop.
    #[must_use]
    pub fn child(&self) -> Self {
        Self::with(Some(self.clone()), self.0.heeds, Arc::clone(&self.0.root))
    }

    /// A handle for what still runs after the wish to stop (`finally`): only a signal that comes
    /// from now on stops it.
    #[must_use]
    pub fn cleanup(&self) -> Self {
        let heeds = if self.0.root.asked.is_raised() { Heeds::SecondOnly } else { Heeds::Any };
        Self::with(None, heeds, Arc::clone(&self.0.root))
    }

    /// Stops everything that waits on this handle (not its parents).
    pub fn stop(&self) {
        self.0.own.raise();
    }

    /// Why to stop, once a signal asked.
    #[must_use]
    pub fn requested(&self) -> Option<Signal> {
        if self.0.heeded().is_raised() { self.0.root.first.get().copied() } else { None }
    }

    /// True once [`Self::stop`] was called or a signal came.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.0.heeded().is_raised() || self.line().any(|handle| handle.own.is_raised())
    }

    /// True after the second signal: no grace any more.
    #[must_use]
    pub fn is_urgent(&self) -> bool {
        self.0.root.urgent.is_raised()
    }

    /// Waits for `duration` of active time; false when stopped before.
    #[must_use]
    pub fn wait(&self, duration: Duration) -> bool {
        let _watching = self.watch();
        let end = self.active().saturating_add(duration);
        while !self.is_stopped() {
            let left = end.saturating_sub(self.active());
            if left.is_zero() {
                return true;
            }
            let mut wakes: Vec<_> = self.wakes().map(readable).collect();
            if poll(&mut wakes, Some(&timespec(left.min(TICK)))).is_err() {
                // Interrupted by a signal, or out of memory: neither may become a busy loop.
                std::thread::yield_now();
            }
        }
        false
    }

    /// Active time of this process so far: the clock stands still while suspended by Ctrl-Z.
    #[must_use]
    pub fn active(&self) -> Duration {
        self.0.root.clock.active()
    }

    /// To be held by a loop that looks at [`Self::active`] at every tick.
    pub(super) fn watch(&self) -> Watching<'_> {
        self.0.root.clock.watch()
    }

    /// One of these becomes readable when this handle stops.
    pub(super) fn wakes(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.line().map(|handle| &handle.own).chain([self.0.heeded()]).filter_map(Flag::readable)
    }

    /// Becomes readable at the second signal.
    pub(super) fn urgent_wake(&self) -> Option<BorrowedFd<'_>> {
        self.0.root.urgent.readable()
    }

    /// This handle, its parent and so on.
    fn line(&self) -> impl Iterator<Item = &Handle> {
        std::iter::successors(Some(&*self.0), |handle| {
            handle.parent.as_ref().map(|parent| &*parent.0)
        })
    }

    fn with(parent: Option<Self>, heeds: Heeds, root: Arc<Root>) -> Self {
        Self(Arc::new(Handle { parent, own: Flag::default(), heeds, root }))
    }
}

impl Handle {
    fn heeded(&self) -> &Flag {
        match self.heeds {
            Heeds::Any => &self.root.asked,
            Heeds::SecondOnly => &self.root.urgent,
        }
    }
}

impl Root {
    fn ask(&self, signal: Signal) {
        if self.first.set(signal).is_err() && signal != Signal::Hangup {
            // A terminal that closes may hang up twice; only a person or a supervisor insists.
            self.urgent.raise();
        }
        self.asked.raise();
    }
}

pub(super) fn readable(fd: BorrowedFd<'_>) -> PollFd<'_> {
    PollFd::from_borrowed_fd(fd, PollFlags::IN)
}

pub(super) fn timespec(duration: Duration) -> Timespec {
    Timespec::try_from(duration).unwrap_or(Timespec { tv_sec: i32::MAX.into(), tv_nsec: 0 })
}

/// The signals we listen to.
struct Streams {
    interrupt: Stream,
    terminate: Stream,
    hangup: Option<Stream>,
    suspend: Option<Stream>,
    resume: Stream,
}

impl Streams {
    fn open() -> io::Result<Self> {
        let ignored = Ignored::at_start();
        if ignored.holds(SignalKind::child()) {
            // Ignored children leave no exit status; a handler, even an idle one, brings it back.
            drop(signal(SignalKind::child())?);
        }
        let unless_ignored = |kind: SignalKind| -> io::Result<Option<Stream>> {
            if ignored.holds(kind) { Ok(None) } else { signal(kind).map(Some) }
        };
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: unless_ignored(SignalKind::hangup())?,
            suspend: unless_ignored(SignalKind::from_raw(Kind::TSTP.as_raw()))?,
            resume: signal(SignalKind::from_raw(Kind::CONT.as_raw()))?,
        })
    }

    async fn listen(mut self, root: &Root) {
        let mut latest: Option<(Signal, Instant)> = None;
        loop {
            let came = tokio::select! {
                _ = self.interrupt.recv() => Signal::Interrupt,
                _ = self.terminate.recv() => Signal::Terminate,
                () = next(self.hangup.as_mut()) => Signal::Hangup,
                () = next(self.suspend.as_mut()) => {
                    suspend();
                    continue;
                }
                _ = self.resume.recv() => {
                    tell_descendants(Kind::CONT);
                    continue;
                }
            };
            let now = Instant::now();
            let echo = latest.is_some_and(|(signal, at)| signal == came && now - at < ECHO);
            if !echo {
                latest = Some((came, now));
                root.ask(came);
            }
        }
    }
}

/// The next signal; never when it is not listened to.
async fn next(stream: Option<&mut Stream>) {
    match stream {
        Some(stream) => {
            stream.recv().await;
        }
        None => std::future::pending().await,
    }
}

/// The children sit in their own groups, where Ctrl-Z does not reach them.
fn suspend() {
    tell_descendants(Kind::STOP);
    let _ = kill_process(getpid(), Kind::STOP);
}

fn tell_descendants(signal: Kind) {
    let own = getpid().as_raw_pid();
    for process in table::with_descendants(table::living(), |entry| entry.parent == own) {
        if let Some(pid) = Pid::from_raw(process.pid) {
            let _ = kill_process(pid, signal);
        }
    }
}

/// The signals this process was started to ignore, as `nohup` does it: one bit for each. Where
/// the kernel does not tell: none.
struct Ignored(u64);

impl Ignored {
    fn at_start() -> Self {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        Self(mask.and_then(|digits| u64::from_str_radix(digits.trim(), 16).ok()).unwrap_or(0))
    }

    fn holds(&self, kind: SignalKind) -> bool {
        self.0 >> (kind.as_raw_value() - 1) & 1 == 1
    }
}

#[cfg(test)]
pub(super) fn hangup_is_ignored() -> bool {
    Ignored::at_start().holds(SignalKind::hangup())
}

/// True after [`Stop::install`] in a process that had no children before: then whatever is below
/// us was started by us.
static ONLY_OWN_CHILDREN: AtomicBool = AtomicBool::new(false);

pub(super) fn has_only_own_children() -> bool {
    ONLY_OWN_CHILDREN.load(Ordering::Relaxed)
}

/// True when nobody is our child, dead or alive.
pub(super) fn has_no_children() -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    waitid(WaitId::All, options).err() == Some(rustix::io::Errno::CHILD)
}

#[cfg(target_os = "linux")]
fn adopt_orphans() {
    // Refused only by kernels before 3.4: orphans are then found by their environment alone.
    if rustix::process::set_child_subreaper(Some(getpid())).is_ok() {
        ONLY_OWN_CHILDREN.store(has_no_children(), Ordering::Relaxed);
    }
}

#[cfg(not(target_os = "linux"))]
fn adopt_orphans() {}

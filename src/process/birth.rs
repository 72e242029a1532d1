//! When a process began, as the kernel will tell it, without asking the kernel: while a program is
//! being loaded nobody can read about it, and who asks right after the start sleeps until then.

use std::sync::OnceLock;

use super::table;

/// What the clock of start times shows now, in the kernel's ticks since boot; None where the system
/// has no such clock.
#[cfg(target_os = "linux")]
pub(super) fn clock() -> Option<u64> {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let tick = 1_000_000_000 / rustix::param::clock_ticks_per_second();
    let nanoseconds = u64::try_from(now.tv_sec).ok()?.checked_mul(1_000_000_000)?;
    nanoseconds.checked_add(u64::try_from(now.tv_nsec).ok()?)?.checked_div(tick)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn clock() -> Option<u64> {
    None
}

/// The tick in which something happened that began when the clock showed `before` and is over now;
/// None where that was more than one.
pub(super) fn tick_since(before: Option<u64>) -> Option<u64> {
    clock().filter(|now| Some(*now) == before)
}

/// The start time of a process that began in `tick`; where that is not known, what the kernel says.
pub(super) fn start_of(pid: i32, tick: Option<u64>) -> u64 {
    /// Whether this clock is the one that the kernel's start times are taken from: looked at once.
    static AGREES: OnceLock<bool> = OnceLock::new();
    tick.filter(|tick| *AGREES.get_or_init(|| table::start_of(pid) == *tick))
        .unwrap_or_else(|| table::start_of(pid))
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn the_clock_tells_what_the_kernel_will() {
        if clock().is_none() {
            return;
        }
        let mut known = 0;
        for _ in 0..50 {
            let before = clock();
            let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
            let pid = i32::try_from(child.id()).unwrap();
            let tick = tick_since(before);
            known += usize::from(tick.is_some());
            assert_eq!(start_of(pid, tick), table::start_of(pid));
            assert_eq!(tick.unwrap_or_else(|| table::start_of(pid)), table::start_of(pid));
            drop(child.stdin.take());
            child.wait().unwrap();
        }
        assert!(known > 0, "no process began within one tick");
    }
}

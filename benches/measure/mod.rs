//! Times, sizes, and which rivals are here.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// Whether a program can be measured beside ours.
pub fn installed(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

pub fn timed(run: impl FnOnce()) -> Duration {
    let start = Instant::now();
    run();
    start.elapsed()
}

pub fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

pub fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Bytes of all files at or below a place.
pub fn size(path: &Path) -> u64 {
    let entries = std::fs::read_dir(path).map(|it| it.flatten().collect::<Vec<_>>());
    entries.unwrap_or_default().iter().fold(0, |sum, entry| match entry.metadata() {
        Ok(data) if data.is_dir() => sum + size(&entry.path()),
        Ok(data) => sum + data.len(),
        Err(_) => sum,
    })
}

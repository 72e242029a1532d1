//! A thread that does a job some time after it was asked to, however often it was asked.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// The thread; it ends, without doing what is still asked for, when this is dropped.
#[derive(Debug)]
pub(super) struct Background {
    wishes: Arc<Wishes>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Wishes {
    asked: AtomicBool,
    ended: AtomicBool,
}

impl Background {
    /// Starts the thread. It is idle until it is asked; then it waits until `pause` has passed
    /// since the start or the time that `job` told after its last run, and runs `job`.
    pub(super) fn start(
        name: &str,
        pause: Duration,
        mut job: impl FnMut() -> Duration + Send + 'static,
    ) -> io::Result<Self> {
        let wishes = Arc::<Wishes>::default();
        let seen = Arc::clone(&wishes);
        let work = move || {
            let mut due = Instant::now() + pause;
            while seen.wait_until(due) {
                let pause = job();
                due = Instant::now() + pause;
            }
        };
        let thread = thread::Builder::new().name(name.to_owned()).spawn(work)?;
        Ok(Self { wishes, thread: Some(thread) })
    }

    /// Asks for the job; costs next to nothing when it was asked for already.
    pub(super) fn ask(&self) {
        if !self.wishes.asked.swap(true, Ordering::AcqRel)
            && let Some(thread) = &self.thread
        {
            thread.thread().unpark();
        }
    }
}

impl Wishes {
    /// Waits until the job is asked for and due; false when the thread shall end.
    fn wait_until(&self, due: Instant) -> bool {
        loop {
            if self.ended.load(Ordering::Acquire) {
                return false;
            }
            if !self.asked.load(Ordering::Acquire) {
                thread::park();
                continue;
            }
            match due.checked_duration_since(Instant::now()) {
                Some(left) if !left.is_zero() => thread::park_timeout(left),
                _ => {
                    self.asked.store(false, Ordering::Release);
                    return true;
                }
            }
        }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.wishes.ended.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join(); // a panic in the job has been told by its hook
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn it_works_when_asked_and_not_more_often_than_it_may() {
        let (done, runs) = mpsc::channel();
        let pause = Duration::from_millis(20);
        let background = Background::start("test", Duration::ZERO, move || {
            done.send(Instant::now()).unwrap();
            pause
        })
        .unwrap();
        background.ask();
        let first = runs.recv_timeout(Duration::from_secs(10)).unwrap();
        for _ in 0..100 {
            background.ask();
        }
        let second = runs.recv_timeout(Duration::from_secs(10)).unwrap();
        assert!(second - first >= pause);
        drop(background);
        assert!(runs.try_iter().count() <= 1);
    }
}

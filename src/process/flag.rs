//! A flag that goes up once, and that a poll loop can wait for.

use std::io::{PipeReader, PipeWriter, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// Goes up once and stays up. Its pipe is made only when someone polls for it.
#[derive(Default)]
pub(super) struct Flag {
    raised: AtomicBool,
    announced: AtomicBool,
    /// One byte is written when the flag goes up and never read: readable for ever.
    /// `None` when the system gave no pipe; waiters then see the flag at their next tick.
    pipe: OnceLock<Option<(PipeReader, PipeWriter)>>,
}

impl Flag {
    pub(super) fn raise(&self) {
        self.raised.store(true, Ordering::SeqCst);
        if let Some(Some((_, writer))) = self.pipe.get() {
            self.announce(writer);
        }
    }

    pub(super) fn is_raised(&self) -> bool {
        self.raised.load(Ordering::SeqCst)
    }

    /// Becomes readable when the flag goes up, for ever.
    pub(super) fn readable(&self) -> Option<BorrowedFd<'_>> {
        let (reader, writer) = self.pipe.get_or_init(|| std::io::pipe().ok()).as_ref()?;
        // Raised before the pipe was there: `raise` may have missed it.
        if self.is_raised() {
            self.announce(writer);
        }
        Some(reader.as_fd())
    }

    fn announce(&self, mut writer: &PipeWriter) {
        if !self.announced.swap(true, Ordering::SeqCst) {
            let _ = writer.write(&[1]);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    use super::Flag;

    fn is_readable(flag: &Flag) -> bool {
        let mut fds = [PollFd::from_borrowed_fd(flag.readable().unwrap(), PollFlags::IN)];
        let now = Timespec::try_from(Duration::ZERO).unwrap();
        poll(&mut fds, Some(&now)).unwrap() == 1
    }

    #[test]
    fn readable_once_raised_whoever_came_first() {
        let polled_first = Flag::default();
        assert!(!is_readable(&polled_first));
        polled_first.raise();
        assert!(is_readable(&polled_first) && is_readable(&polled_first));
        let raised_first = Flag::default();
        raised_first.raise();
        assert!(is_readable(&raised_first) && raised_first.is_raised());
    }
}

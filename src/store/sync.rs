//! Group sync: all threads that wait for the disk share one `fdatasync`.

use std::fs::File;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};

use super::StoreError;
use super::error::Latched;

/// How far the journal is on disk.
#[derive(Debug)]
pub(super) struct GroupSync {
    file: Arc<File>,
    path: PathBuf,
    failed: Arc<OnceLock<Latched>>,
    appended: AtomicU64,
    progress: Mutex<Progress>,
    moved: Condvar,
}

#[derive(Debug)]
struct Progress {
    synced: u64,
    leading: bool,
}

impl GroupSync {
    /// For a journal of which nothing is known to be on disk.
    pub(super) fn new(file: Arc<File>, path: PathBuf, failed: Arc<OnceLock<Latched>>) -> Self {
        Self {
            file,
            path,
            failed,
            appended: AtomicU64::new(0),
            progress: Mutex::new(Progress { synced: 0, leading: false }),
            moved: Condvar::new(),
        }
    }

    /// Event `seq` has been written.
    pub(super) fn appended(&self, seq: u64) {
        self.appended.store(seq, Ordering::Release);
    }

    /// The last event that is on disk.
    pub(super) fn synced(&self) -> u64 {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).synced
    }

    /// Waits until everything written so far is on disk. The first thread that comes syncs for
    /// all that come meanwhile; a failure is remembered, because after it the kernel counts
    /// the lost pages as written.
    pub(super) fn sync(&self) -> Result<(), StoreError> {
        let wanted = self.appended.load(Ordering::Acquire);
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if progress.synced >= wanted {
                return Ok(());
            }
            if let Some(failure) = self.failed.get() {
                return Err(failure.error());
            }
            if progress.leading {
                progress = self.moved.wait(progress).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            progress.leading = true;
            drop(progress);
            let reached = self.appended.load(Ordering::Acquire);
            let result = self.file.sync_data();
            progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
            progress.leading = false;
            match result {
                Ok(()) => progress.synced = progress.synced.max(reached),
                Err(error) => {
                    let _ = self.failed.set(Latched::new("sync", &self.path, &error));
                }
            }
            self.moved.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_sync_is_told_to_all_and_never_tried_again() {
        // A pipe cannot be synced.
        let (_reader, writer) = std::io::pipe().unwrap();
        let file = Arc::new(File::from(std::os::fd::OwnedFd::from(writer)));
        let failed = Arc::<OnceLock<Latched>>::default();
        let disk = GroupSync::new(file, "journal".into(), Arc::clone(&failed));
        disk.sync().unwrap(); // nothing to sync
        disk.appended(1);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| assert!(disk.sync().is_err()));
            }
        });
        assert!(failed.get().is_some());
        assert_eq!(disk.synced(), 0);
        assert!(disk.sync().unwrap_err().to_string().contains("cannot sync journal"));
    }
}

//! Reads on what background processes write after their step is over: with their pipes closed
//! a server would die of its next log line, with the pipes full it would hang.

use std::fs::File;
use std::io::{PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, OnceLock, PoisonError};

use rustix::event::poll;

use super::stop::readable;

/// Hands over a pipe that someone still writes to. What comes is thrown away.
pub(super) fn keep_reading(pipe: OwnedFd) {
    static DRAIN: OnceLock<Option<Mutex<Entrance>>> = OnceLock::new();
    // Without a thread the pipe is closed, as it would be without us.
    if let Some(entrance) = DRAIN.get_or_init(|| Entrance::open().ok()) {
        entrance.lock().unwrap_or_else(PoisonError::into_inner).give(pipe);
    }
}

struct Entrance {
    pipes: Sender<File>,
    bell: PipeWriter,
}

impl Entrance {
    fn open() -> std::io::Result<Mutex<Self>> {
        let (pipes, new) = channel();
        let (ringing, bell) = std::io::pipe()?;
        std::thread::Builder::new()
            .name("drain".to_owned())
            .stack_size(64 * 1024)
            .spawn(move || drain(&new, ringing))?;
        Ok(Mutex::new(Self { pipes, bell }))
    }

    fn give(&mut self, pipe: OwnedFd) {
        if self.pipes.send(File::from(pipe)).is_ok() {
            let _ = self.bell.write(&[1]);
        }
    }
}

fn drain(new: &Receiver<File>, mut ringing: PipeReader) {
    let mut pipes: Vec<File> = Vec::new();
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let mut fds: Vec<_> = pipes.iter().map(|pipe| readable(pipe.as_fd())).collect();
        fds.push(readable(ringing.as_fd()));
        if poll(&mut fds, None).is_err() {
            continue;
        }
        let ready: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        let mut ready = ready.into_iter();
        pipes.retain_mut(|pipe| {
            !ready.next().unwrap_or(false) || pipe.read(&mut buffer).is_ok_and(|count| count > 0)
        });
        if ready.next().unwrap_or(false) {
            let _ = ringing.read(&mut buffer);
            pipes.extend(new.try_iter());
        }
    }
}

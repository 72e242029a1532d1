//! What observers wrote, for tests.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use super::level::{Level, Wishes};
use crate::playbook::mapreduce::ErrorCollection;
use crate::view::Style;

/// A writer whose text can be read afterwards.
#[derive(Clone, Default)]
pub struct Capture(Arc<Mutex<Vec<u8>>>);

impl Capture {
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Capture {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A reader that is gone.
pub struct Gone;

impl Write for Gone {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
}

pub fn wishes(level: Level) -> Wishes {
    Wishes {
        level,
        style: Style::Plain,
        log: Box::new(|_, address, attempt| {
            Some(PathBuf::from(format!("/logs/{}.{attempt}.log", address.file_name())))
        }),
        item_errors: ErrorCollection::default(),
    }
}

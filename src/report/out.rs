//! A stream that nobody may be reading any more.

use std::io::Write;

/// Writes and forgets: a reader that is gone, a dead terminal or a full disk must never
/// stop a run, so errors end here.
pub struct Out(Box<dyn Write + Send>);

impl Out {
    /// Writes to `writer`.
    pub fn new(writer: Box<dyn Write + Send>) -> Self {
        Self(writer)
    }

    /// Writes all of `text`, in one piece where the system allows it.
    pub fn write(&mut self, text: &str) {
        if !text.is_empty() {
            let _ = self.0.write_all(text.as_bytes()).and_then(|()| self.0.flush());
        }
    }
}

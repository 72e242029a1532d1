//! Single records of a journal, read again by their number.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;

use crate::session::{Event, SessionId};

use super::error::{NamePath, io_error};
use super::journal::{CRC_END, NO_LINE, OPENING, check_record};
use super::{Home, StoreError};

/// The journal of a session as far as it was written when this was opened.
#[derive(Debug)]
pub struct Records {
    path: PathBuf,
    file: File,
    /// Where each record begins, and where the last one ends.
    bounds: Vec<u64>,
}

impl Records {
    /// Looks where each record stands: record N is line N.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub fn open(home: &Home, id: &SessionId) -> Result<Self, StoreError> {
        let path = home.journal(id);
        let file = File::open(&path).named("read", &path)?;
        let mut reader = BufReader::with_capacity(1 << 16, &file);
        let (mut bounds, mut offset) = (vec![0], 0);
        loop {
            let buffer = reader.fill_buf().named("read", &path)?;
            if buffer.is_empty() {
                break;
            }
            let ends = (offset + 1..).zip(buffer).filter(|(_, byte)| **byte == b'\n');
            bounds.extend(ends.map(|(end, _)| end));
            let size = buffer.len();
            offset += size as u64;
            reader.consume(size);
        }
        Ok(Self { path, file, bounds })
    }

    /// The record with this number, from 1.
    ///
    /// # Errors
    /// There is none, it cannot be read, or it is not what was written.
    pub fn event(&self, seq: u64) -> Result<Event, StoreError> {
        let number = usize::try_from(seq).unwrap_or(usize::MAX);
        let bound = |index: usize| self.bounds.get(index).copied();
        let (Some(start), Some(end)) = (number.checked_sub(1).and_then(bound), bound(number))
        else {
            let missing = std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
            return Err(io_error("read", &self.path, missing));
        };
        let line = self.read(start, end - 1)?;
        let before = match number.checked_sub(2).and_then(bound) {
            Some(start) => self.digits(start)?,
            None => NO_LINE,
        };
        let damaged =
            |reason: String| StoreError::Damaged { path: self.path.clone(), line: number, reason };
        check_record(&line, &before).map_err(|why| damaged(why.to_owned()))?;
        serde_json::from_slice(&line)
            .map_err(|error| damaged(format!("this prodigy cannot read it: {error}")))
    }

    /// The checksum that the record which begins at `start` tells of itself.
    fn digits(&self, start: u64) -> Result<[u8; 8], StoreError> {
        let head = self.read(start, start + CRC_END as u64)?;
        let digits = head.get(OPENING.len()..).and_then(|digits| digits.try_into().ok());
        Ok(digits.unwrap_or(NO_LINE))
    }

    fn read(&self, start: u64, end: u64) -> Result<Vec<u8>, StoreError> {
        let mut bytes = vec![0; usize::try_from(end - start).unwrap_or(usize::MAX)];
        self.file.read_exact_at(&mut bytes, start).named("read", &self.path)?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::{finish, home, start, started};
    use crate::store::{Durability, OpenSession};

    #[test]
    fn each_record_is_read_again_and_a_changed_one_is_told() {
        let (_place, home) = home();
        let session =
            OpenSession::create(&home, started("flow"), "text", Durability::Strict).unwrap();
        let written =
            [start(1), finish(1, "one"), start(2)].map(|kind| session.commit(kind).unwrap());
        let records = Records::open(&home, session.id()).unwrap();
        for event in &written {
            assert_eq!(records.event(event.seq).unwrap(), **event);
        }
        assert!(records.event(0).is_err());
        assert!(records.event(1).is_ok());
        assert!(records.event(5).is_err());
        let path = home.journal(session.id());
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replacen("\"one\"", "\"two\"", 1)).unwrap();
        let records = Records::open(&home, session.id()).unwrap();
        assert!(matches!(records.event(3), Err(StoreError::Damaged { line: 3, .. })));
    }
}

//! The journal: one JSON line an event, each with a checksum that also covers the line before
//! it, so that lost, doubled and swapped lines are noticed (DECISIONS A20). This file appends.
//!
//! While a session is open its journal ends in zeros, room for the next records: a sync then finds
//! the file's size and place unchanged and writes nothing but the records, one trip to the disk
//! instead of two or three.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use serde::Serialize;

use crate::session::{Event, EventKind};

use super::StoreError;
use super::error::{Latched, NamePath, io_error};
use super::files;

/// The newest format of journals that this program writes and reads.
pub const JOURNAL_FORMAT: u32 = 1;

/// A line is `{"crc":"` + 8 hexadecimal digits + `",` + the event's own fields.
pub(super) const OPENING: &[u8; 8] = b"{\"crc\":\"";
/// Where the digits end.
pub(super) const CRC_END: usize = 16;
/// What stands behind the digits.
pub(super) const CLOSING: &[u8; 2] = b"\",";
/// Where the bytes begin that the checksum covers.
pub(super) const CONTENT: usize = 18;
/// Stands for the checksum of the line before the first.
pub(super) const NO_LINE: [u8; 8] = *b"00000000";

/// Brackets within brackets, up to what the JSON reader follows.
const DEEPEST: usize = 127;

/// Bytes of room that are made at once: for some hundreds of records.
pub(super) const ROOM: usize = 1 << 16;
static ZEROS: [u8; ROOM] = [0; ROOM];

/// Buffers up to this size are kept for the next event.
const KEPT_BUFFER: usize = 1 << 20;

/// A journal open for appending.
#[derive(Debug)]
pub(super) struct Journal {
    file: Arc<File>,
    path: PathBuf,
    /// Bytes of records.
    length: u64,
    /// Bytes of the file: behind the records there are zeros.
    size: u64,
    crc: [u8; 8],
    line: Vec<u8>,
    failed: Arc<OnceLock<Latched>>,
}

/// Where the good part of a journal ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct End {
    /// Bytes up to there.
    pub length: u64,
    /// Checksum of the last line.
    pub crc: [u8; 8],
    /// True when the last record is whole and only its line end is missing.
    pub unended: bool,
}

impl Default for End {
    fn default() -> Self {
        Self { length: 0, crc: NO_LINE, unended: false }
    }
}

impl Journal {
    /// Makes the journal of a new session; there must not be one.
    pub(super) fn create(path: &Path) -> Result<Self, StoreError> {
        Self::open(path, OpenOptions::new().create_new(true).write(true), End::default())
    }

    /// Opens a journal and cuts off what lies behind `end`, its good part.
    pub(super) fn resume(path: &Path, end: End) -> Result<Self, StoreError> {
        Self::open(path, OpenOptions::new().write(true), end)
    }

    fn open(path: &Path, options: &mut OpenOptions, end: End) -> Result<Self, StoreError> {
        let file = files::open_private(path, options).named("open", path)?;
        if file.metadata().named("read", path)?.len() != end.length {
            file.set_len(end.length).named("cut", path)?;
        }
        let mut journal = Self {
            file: Arc::new(file),
            path: path.to_owned(),
            length: end.length,
            size: end.length,
            crc: end.crc,
            line: Vec::new(),
            failed: Arc::new(OnceLock::new()),
        };
        if end.unended {
            journal.line.push(b'\n');
            journal.write_line()?;
        }
        Ok(journal)
    }

    /// The file, to sync it without holding the journal.
    pub(super) fn file(&self) -> Arc<File> {
        Arc::clone(&self.file)
    }

    /// Where a failed write or sync is remembered.
    pub(super) fn failure(&self) -> Arc<OnceLock<Latched>> {
        Arc::clone(&self.failed)
    }

    /// Appends one event with one write. After a failure the file ends where it did before,
    /// and nothing can be appended any more.
    pub(super) fn append(&mut self, event: &Event) -> Result<(), StoreError> {
        if let Some(failure) = self.failed.get() {
            return Err(failure.error());
        }
        let crc = write_record(&mut self.line, &self.crc, event)
            .map_err(|error| io_error("append to", &self.path, error.into()))?;
        check_readable(event, &self.line)
            .map_err(|why| io_error("append to", &self.path, io::Error::other(why)))?;
        self.write_line()?;
        self.crc = crc;
        if self.line.capacity() > KEPT_BUFFER {
            self.line = Vec::new();
        }
        Ok(())
    }

    fn write_line(&mut self) -> Result<(), StoreError> {
        let grown = self.length + self.line.len() as u64;
        if let Err(error) = self.write_behind(grown) {
            return Err(self.fail(&error));
        }
        self.length = grown;
        if grown > self.size {
            self.size = grown;
            self.make_room();
        }
        Ok(())
    }

    fn write_behind(&self, grown: u64) -> io::Result<()> {
        if grown > self.size {
            files::check_size(grown)?;
        }
        self.file.write_all_at(&self.line, self.length)
    }

    /// Where there is no room to be had, each record makes its own.
    fn make_room(&mut self) {
        let size = self.length + ROOM as u64;
        let fits = files::check_size(size).is_ok();
        match fits.then(|| self.file.write_all_at(&ZEROS, self.length)) {
            Some(Ok(())) => self.size = size,
            Some(Err(_)) => self.cut(),
            None => {}
        }
    }

    fn fail(&mut self, error: &io::Error) -> StoreError {
        let latched = Latched::new("append to", &self.path, error);
        let told = latched.error();
        // Should this fail too, the next reader finds a torn last line and cuts it off.
        self.cut();
        let _ = self.failed.set(latched);
        told
    }

    /// Without the room behind the records.
    fn cut(&mut self) {
        if self.file.set_len(self.length).is_ok() {
            self.size = self.length;
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        if self.size > self.length {
            self.cut();
        }
    }
}

/// Puts one record into `line`, with its line end; returns its checksum.
pub(super) fn write_record(
    line: &mut Vec<u8>,
    before: &[u8; 8],
    record: &impl Serialize,
) -> serde_json::Result<[u8; 8]> {
    line.clear();
    line.extend_from_slice(OPENING);
    line.extend_from_slice(&NO_LINE);
    line.push(b'"');
    serde_json::to_writer(&mut *line, record)?;
    // The record's own brace becomes the comma before its fields.
    line[CONTENT - 1] = b',';
    let crc = checksum(before, &line[CONTENT..]);
    line[OPENING.len()..CRC_END].copy_from_slice(&crc);
    line.push(b'\n');
    Ok(crc)
}

/// Refuses what could be written but not read again.
fn check_readable(event: &Event, line: &[u8]) -> Result<(), &'static str> {
    if let EventKind::Scored { score, .. } = &event.kind
        && !score.is_finite()
    {
        return Err("a score is no number");
    }
    let (mut depth, mut deepest, mut quoted, mut escaped) = (0_usize, 0, false, false);
    for byte in line {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    match deepest <= DEEPEST {
        true => Ok(()),
        false => Err("a value is nested too deeply"),
    }
}

/// The checksum of a line, when it has the shape of a record and the checksum fits.
pub(super) fn check_record(line: &[u8], before: &[u8; 8]) -> Result<[u8; 8], &'static str> {
    let content = line.get(CONTENT..).filter(|_| {
        line.starts_with(OPENING) && line.get(CRC_END..CONTENT) == Some(CLOSING.as_slice())
    });
    let crc = checksum(before, content.ok_or("this is no record")?);
    match line.get(OPENING.len()..CRC_END) {
        Some(written) if *written == crc => Ok(crc),
        _ => Err("its checksum does not fit it and the record before it"),
    }
}

/// The checksum of a line as 8 digits: over the digits of the line before and its content.
pub(super) fn checksum(before: &[u8; 8], content: &[u8]) -> [u8; 8] {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(before);
    hasher.update(content);
    let crc = hasher.finalize();
    let mut digits = [0; 8];
    for (place, digit) in digits.iter_mut().enumerate() {
        let nibble = (crc >> (28 - 4 * place)) & 15;
        *digit = b"0123456789abcdef"[nibble as usize];
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Address;
    use crate::store::scan::scan;
    use crate::store::tests::{finish, started};

    fn event(seq: u64) -> Event {
        let kind = match seq {
            1 => EventKind::SessionStarted(Box::new(started("flow"))),
            _ => finish(1, "x"),
        };
        Event::new(seq, chrono::Utc::now(), kind)
    }

    #[test]
    fn records_find_room_and_none_is_left_behind() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("journal");
        let size = || std::fs::metadata(&path).unwrap().len();
        let mut journal = Journal::create(&path).unwrap();
        journal.append(&event(1)).unwrap();
        let with_room = size();
        (2..100).for_each(|seq| journal.append(&event(seq)).unwrap());
        assert_eq!(size(), with_room);
        (100..1000).for_each(|seq| journal.append(&event(seq)).unwrap());
        assert!(size() > with_room);
        let length = journal.length;
        drop(journal);
        assert_eq!(size(), length);
        assert_eq!(scan(&path, &std::fs::read(&path).unwrap()).unwrap().last, 999);
    }

    #[test]
    fn a_failed_write_leaves_the_file_as_it_was_and_is_never_followed_by_another() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("journal");
        let mut journal = Journal::create(&path).unwrap();
        journal.append(&event(1)).unwrap();
        let before = std::fs::read(&path).unwrap();
        let writable = std::mem::replace(&mut journal.file, Arc::new(File::open(&path).unwrap()));
        assert!(journal.append(&event(2)).is_err());
        journal.file = writable;
        let again = journal.append(&event(2)).unwrap_err();
        assert!(again.to_string().contains("append to"), "{again}");
        assert_eq!(std::fs::read(&path).unwrap(), before);
        assert!(Journal::create(&path).is_err(), "there is a journal already");
    }

    #[test]
    fn half_a_line_is_cut_back_when_the_disk_is_full() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("journal");
        let mut journal = Journal::create(&path).unwrap();
        journal.append(&event(1)).unwrap();
        let mut before = std::fs::read(&path).unwrap();
        before.truncate(usize::try_from(journal.length).unwrap());
        journal.file.write_all_at(b"{\"crc\":\"12", journal.length).unwrap();
        let full = io::Error::from(io::ErrorKind::StorageFull);
        assert!(matches!(journal.fail(&full), StoreError::DiskFull { .. }));
        assert!(matches!(journal.append(&event(2)), Err(StoreError::DiskFull { .. })));
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }

    #[test]
    fn what_could_not_be_read_again_is_not_written() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("journal");
        let mut journal = Journal::create(&path).unwrap();
        journal.append(&event(1)).unwrap();
        let scored = |score, detail: &str| EventKind::Scored {
            address: Address::root().step(1),
            score,
            reached: false,
            detail: serde_json::from_str(detail).unwrap(),
        };
        let mut seq = 2;
        let mut refused = 0;
        for depth in 100..=127 {
            let nested = format!("{}\"]\\\\\"{}", "[".repeat(depth), "]".repeat(depth));
            let kind = scored(50.0, &nested);
            match journal.append(&Event::new(seq, chrono::Utc::now(), kind)) {
                Ok(()) => seq += 1,
                Err(_) => refused += 1,
            }
        }
        assert!(refused > 0 && refused < 10, "{refused}");
        let kind = scored(f64::NAN, "1");
        assert!(journal.append(&Event::new(seq, chrono::Utc::now(), kind)).is_err());
        let read = scan(&path, &std::fs::read(&path).unwrap()).unwrap();
        assert!(read.damage.is_none(), "{:?}", read.damage);
        assert_eq!(read.events.len() as u64, seq - 1);
    }
}

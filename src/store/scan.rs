//! Reads a journal and tells a torn last line (a crash) from damage (anything else).

use std::fs::OpenOptions;
use std::io::{self, BufRead, BufReader, Seek as _, SeekFrom};
use std::path::Path;

use crate::session::{Event, EventKind, SessionStarted};

use super::StoreError;
use super::error::NamePath;
use super::files;
use super::journal::{CLOSING, CONTENT, CRC_END, End, JOURNAL_FORMAT, OPENING, check_record};

/// What a journal holds.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// All events up to the first bad record; none where they were taken one by one.
    pub events: Vec<Event>,
    /// What the first record says.
    pub header: Option<Box<SessionStarted>>,
    /// The number of the last good record.
    pub last: u64,
    /// What is wrong behind them.
    pub damage: Option<StoreError>,
    /// Where the damage is a hole as a power cut leaves it in what was not on disk yet, and as one
    /// sees in a record that is just being written: bytes from the hole to the end.
    pub hole: Option<u64>,
    /// Bytes of a torn last line or unfinished group, without zeros behind it: they are room for
    /// records.
    pub torn: u64,
    /// Where the good part ends.
    pub end: End,
    /// What follows it and stands only together with what has not been read yet.
    group: Group,
}

/// Records of which each stands only together with the next.
#[derive(Debug, Default)]
struct Group {
    events: Vec<Event>,
    /// Bytes of their lines.
    length: u64,
    /// Checksum of the last line.
    crc: [u8; 8],
}

/// Reads the journal at `path`.
pub(super) fn read_journal(path: &Path) -> Result<Scan, StoreError> {
    let mut events = Vec::new();
    let scan = walk_journal(path, &mut |event| events.push(event))?;
    Ok(Scan { events, ..scan })
}

/// Reads the journal at `path` and hands over its events one by one: all of a large job would
/// take much memory.
pub(super) fn walk_journal(path: &Path, take: &mut dyn FnMut(Event)) -> Result<Scan, StoreError> {
    let file = files::open_private(path, OpenOptions::new().read(true)).named("read", path)?;
    let from = |place| {
        let mut file = &file;
        file.seek(SeekFrom::Start(place))?;
        Ok(BufReader::with_capacity(1 << 16, file))
    };
    look_twice(path, from, take)
}

/// Reads a journal that `from` opens at a place. Who looks on while another process appends can
/// read a line in two pieces, of which one is still the zeros that the other was written over: only
/// what is bad at a second look, too, is damaged.
fn look_twice<Lines: BufRead>(
    path: &Path,
    mut from: impl FnMut(u64) -> io::Result<Lines>,
    take: &mut dyn FnMut(Event),
) -> Result<Scan, StoreError> {
    let mut scan = Scan::default();
    let mut bad = None;
    loop {
        let place = scan.end.length;
        walk(path, from(place).named("read", path)?, take, &mut scan)?;
        if scan.damage.is_none() || bad == Some(scan.end.length) {
            return Ok(scan);
        }
        bad = Some(scan.end.length);
        scan = Scan { damage: None, hole: None, group: Group::default(), ..scan };
    }
}

/// Reads lines behind what `scan` has seen.
///
/// # Errors
/// They cannot be read, or have a newer format; damage is part of the answer.
fn walk(
    path: &Path,
    mut lines: impl BufRead,
    take: &mut dyn FnMut(Event),
    scan: &mut Scan,
) -> Result<(), StoreError> {
    let mut line = Vec::new();
    loop {
        line.clear();
        let length = lines.read_until(b'\n', &mut line).named("read", path)?;
        if line.pop_if(|byte| *byte == b'\n').is_none() {
            return read_tail(path, &line, scan, take);
        }
        match read_line(&line, scan) {
            Ok((event, crc)) => scan.accept(event, crc, length, take),
            Err(Bad::Newer(found)) => return Err(newer(path, found)),
            Err(Bad::Damaged(reason)) => {
                scan.damage = Some(damaged(path, scan.next(), reason));
                if is_holed(&line, scan.tip()) {
                    let behind = filled(&mut lines).named("read", path)?;
                    scan.hole = Some(scan.group.length + length as u64 + behind);
                }
                return Ok(());
            }
        }
    }
}

/// How many bytes there are before the zeros at the end.
fn filled(bytes: &mut impl BufRead) -> io::Result<u64> {
    let (mut read, mut filled) = (0, 0);
    loop {
        let piece = bytes.fill_buf()?;
        if piece.is_empty() {
            return Ok(filled);
        }
        if let Some(last) = piece.iter().rposition(|byte| *byte != 0) {
            filled = read + last as u64 + 1;
        }
        let length = piece.len();
        read += length as u64;
        bytes.consume(length);
    }
}

impl Scan {
    /// A hole behind event `synced`, the last that is known to have been on disk, is a torn end.
    pub(super) fn forgive_hole(&mut self, synced: u64) {
        if self.last >= synced.max(1)
            && let Some(hole) = self.hole.take()
        {
            self.torn = hole;
            self.damage = None;
        }
    }

    /// A journal that ends before event `synced`, which was on disk, is damaged.
    pub(super) fn check_length(&mut self, path: &Path, synced: u64) {
        let last = self.last;
        if self.damage.is_none() && last < synced {
            let reason = format!("it ends after record {last}, but record {synced} was on disk");
            self.damage = Some(damaged(path, self.next(), reason));
        }
    }

    fn accept(&mut self, event: Event, crc: [u8; 8], bytes: usize, take: &mut dyn FnMut(Event)) {
        if let EventKind::SessionStarted(started) = &event.kind {
            self.header = Some(started.clone());
        }
        let whole = !event.with_next;
        self.group.events.push(event);
        self.group.length += bytes as u64;
        self.group.crc = crc;
        if whole {
            let group = std::mem::take(&mut self.group);
            self.last += group.events.len() as u64;
            self.end.crc = crc;
            self.end.length += group.length;
            group.events.into_iter().for_each(take);
        }
    }

    /// The number of the last record that was read.
    fn read(&self) -> u64 {
        self.last + self.group.events.len() as u64
    }

    /// Its checksum.
    fn crc(&self) -> &[u8; 8] {
        if self.group.events.is_empty() { &self.end.crc } else { &self.group.crc }
    }

    /// Where it ends.
    fn tip(&self) -> u64 {
        self.end.length + self.group.length
    }

    /// The line behind it.
    fn next(&self) -> usize {
        usize::try_from(self.read()).unwrap_or(usize::MAX).saturating_add(1)
    }
}

enum Bad {
    Damaged(String),
    Newer(u32),
}

/// What stands behind the last line end: nothing, a whole record, or a torn one; then zeros.
fn read_tail(
    path: &Path,
    tail: &[u8],
    scan: &mut Scan,
    take: &mut dyn FnMut(Event),
) -> Result<(), StoreError> {
    let zeros = tail.iter().rev().take_while(|byte| **byte == 0).count();
    let line = &tail[..tail.len() - zeros];
    match read_line(line, scan) {
        _ if line.is_empty() => {}
        Ok((event, crc)) => {
            scan.accept(event, crc, line.len(), take);
            scan.end.unended = scan.group.events.is_empty();
        }
        Err(Bad::Newer(found)) => return Err(newer(path, found)),
        Err(Bad::Damaged(_)) if is_torn(line) => scan.torn = line.len() as u64,
        Err(Bad::Damaged(reason)) => {
            scan.damage = Some(damaged(path, scan.next(), reason));
            let hole = scan.group.length + line.len() as u64;
            scan.hole = is_holed(line, scan.tip()).then_some(hole);
        }
    }
    if scan.damage.is_none() {
        scan.torn += std::mem::take(&mut scan.group).length;
    }
    Ok(())
}

fn read_line(line: &[u8], before: &Scan) -> Result<(Event, [u8; 8]), Bad> {
    let bad = |reason: &str| Err(Bad::Damaged(reason.to_owned()));
    let crc = check_record(line, before.crc()).map_err(|why| Bad::Damaged(why.to_owned()))?;
    let first = before.read() == 0;
    if first && let Some(found) = format_of(line).filter(|found| *found > JOURNAL_FORMAT) {
        return Err(Bad::Newer(found));
    }
    let event: Event = serde_json::from_slice(line)
        .map_err(|error| Bad::Damaged(format!("this prodigy cannot read it: {error}")))?;
    let expected = before.read() + 1;
    if event.seq != expected {
        return Err(Bad::Damaged(format!(
            "record {expected} is missing, {} stands here",
            event.seq
        )));
    }
    match &event.kind {
        EventKind::SessionStarted(_) if !first => bad("a second beginning"),
        EventKind::Rewound { to_seq: Some(to), .. } if *to >= event.seq => {
            bad("it goes back to a record that comes later")
        }
        EventKind::SessionStarted(_) => Ok((event, crc)),
        _ if first => bad("the first record does not say what the session is"),
        _ => Ok((event, crc)),
    }
}

/// The format that a first record tells, also when nothing else in it is known here.
fn format_of(line: &[u8]) -> Option<u32> {
    let record: serde_json::Value = serde_json::from_slice(line).ok()?;
    record.get("event")?.get("session_started")?.get("format")?.as_u64()?.try_into().ok()
}

/// True for the beginning of a record whose rest is missing; false for anything that no
/// append of ours can have left, such as a whole record with something behind it.
fn is_torn(line: &[u8]) -> bool {
    let shape = |place: usize| match place {
        0..8 => Some(OPENING[place]),
        16..18 => Some(CLOSING[place - CRC_END]),
        _ => None,
    };
    let head = line.iter().take(CONTENT).enumerate().all(|(place, byte)| match shape(place) {
        Some(expected) => *byte == expected,
        None => byte.is_ascii_digit() || (b'a'..=b'f').contains(byte),
    });
    let text = match std::str::from_utf8(line) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(), // cut inside a letter
    };
    head && text && is_open(line)
}

/// True for the beginning of a record, or nothing, followed by zeros up to the end of a page: the
/// pages of a file reach the disk, and whoever reads it meanwhile, each by itself. `start` is the
/// line's place in the file.
fn is_holed(line: &[u8], start: u64) -> bool {
    const PAGE: u64 = 4096;
    let Some(hole) = line.iter().position(|byte| *byte == 0) else { return false };
    let (written, hole) = line.split_at(hole);
    let zeros = hole.iter().take_while(|byte| **byte == 0).count();
    is_torn(written) && (start + (written.len() + zeros) as u64).is_multiple_of(PAGE)
}

/// True when the outermost bracket is not closed, and no byte stands there that JSON escapes.
fn is_open(line: &[u8]) -> bool {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for byte in line {
        match byte {
            0..0x20 => return false,
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => depth += 1,
            b'}' | b']' if !quoted => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return false;
                }
            }
            _ => {}
        }
    }
    true
}

fn damaged(path: &Path, line: usize, reason: String) -> StoreError {
    StoreError::Damaged { path: path.to_owned(), line, reason }
}

fn newer(path: &Path, found: u32) -> StoreError {
    StoreError::Newer { path: path.to_owned(), found, known: JOURNAL_FORMAT }
}

/// Reads the bytes of a journal, for tests.
#[cfg(test)]
pub(super) fn scan(path: &Path, bytes: &[u8]) -> Result<Scan, StoreError> {
    let mut events = Vec::new();
    let from = |place| Ok(&bytes[usize::try_from(place).unwrap()..]);
    let scan = look_twice(path, from, &mut |event| events.push(event))?;
    Ok(Scan { events, ..scan })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::journal::write_record;
    use crate::store::tests::{finish, started};

    #[test]
    fn a_record_that_is_written_while_one_looks_on_is_no_damage() {
        let mut crc = *b"00000000";
        let mut lines = Vec::new();
        for seq in 1..=9 {
            let kind = match seq {
                1 => EventKind::SessionStarted(Box::new(started("flow"))),
                _ => finish(1, "x"),
            };
            let mut line = Vec::new();
            let event = Event::new(seq, chrono::Utc::now(), kind);
            crc = write_record(&mut line, &crc, &event).unwrap();
            lines.push(line);
        }
        let whole = lines.concat();
        // Zeros where records three to six came later, in the middle of a page.
        let (from, to) = (lines[..2].concat().len(), lines[..6].concat().len() - 5);
        let mut stale = whole.clone();
        stale[from..to].fill(0);
        let path = Path::new("journal");
        let at = |bytes: &[u8], place: u64| bytes[usize::try_from(place).unwrap()..].to_vec();
        let mut looks = 0;
        let mut seen = Vec::new();
        let open = |place| {
            looks += 1;
            let bytes = if looks == 1 { &stale } else { &whole };
            Ok(io::Cursor::new(at(bytes, place)))
        };
        let scan = look_twice(path, open, &mut |event: Event| seen.push(event.seq)).unwrap();
        assert!(scan.damage.is_none(), "{:?}", scan.damage);
        assert_eq!(seen, (1..=9).collect::<Vec<_>>());
        assert_eq!(scan.end.length, whole.len() as u64);
        // What stays so is damaged.
        let open = |place| Ok(io::Cursor::new(at(&stale, place)));
        let scan = look_twice(path, open, &mut |_| {}).unwrap();
        assert_eq!(scan.last, 2);
        assert!(matches!(scan.damage, Some(StoreError::Damaged { line: 3, .. })));
    }
}

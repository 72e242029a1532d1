//! The files of a map job: its frozen items, and the results of those that ended (SPEC 7.1, 7.4).

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::session::{Event, EventKind, ResultRef, SessionId};

use super::error::{NamePath, io_error};
use super::files;
use super::{Home, StoreError};

/// Where a line of `items.jsonl` stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Line {
    offset: u64,
    length: u32,
    /// The number that the line begins with: `{"item_id":"item_17"`.
    number: u32,
}

/// The frozen items of one job.
pub struct FrozenItems {
    path: PathBuf,
    file: File,
    lines: Vec<Line>,
    /// CRC-32 of the whole file.
    crc: u32,
}

/// The files of one job, open for running it. Shared by the threads that run items.
pub struct JobFiles {
    directory: PathBuf,
    items: FrozenItems,
    results: Mutex<Results>,
    /// Where the results of this run begin.
    begin: u64,
}

/// The end of `results.jsonl`.
struct Results {
    file: Arc<File>,
    end: u64,
    /// Up to here it is on the disk.
    synced: u64,
}

impl FrozenItems {
    /// Opens the items of a job: reads where each stands.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn open(home: &Home, repository: &str, job: &str) -> Result<Self, StoreError> {
        Self::read(home.job(repository, job).join(ITEMS))
    }

    /// The same for a file that lies elsewhere.
    pub(super) fn read(path: PathBuf) -> Result<Self, StoreError> {
        let file = match File::open(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(StoreError::DamagedItems { path, reason: "it is gone".to_owned() });
            }
            opened => opened.named("read", &path)?,
        };
        let (lines, crc) = index(&file).named("read", &path)?;
        Ok(Self { path, file, lines, crc })
    }

    /// CRC-32 of the file, for [`Self::check`] of a later run.
    #[must_use]
    pub fn crc(&self) -> u32 {
        self.crc
    }

    /// Holds the file against what was recorded of it.
    ///
    /// # Errors
    /// It is not what was written.
    pub fn check(&self, count: u32, crc: Option<u32>) -> Result<(), StoreError> {
        let damaged = |reason| Err(StoreError::DamagedItems { path: self.path.clone(), reason });
        if usize::try_from(count).ok() != Some(self.lines.len()) {
            return damaged(format!("it holds {} of {count} items", self.lines.len()));
        }
        match crc {
            Some(crc) if crc != self.crc => damaged("it is not what was written".to_owned()),
            _ => Ok(()),
        }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.lines.len()
    }

    /// The number of the item that is the `index`-th to run, from 0; 0 where its line has none.
    #[must_use]
    pub fn number(&self, index: usize) -> u32 {
        self.lines.get(index).map_or(0, |line| line.number)
    }

    /// All numbers in the order they run.
    pub fn numbers(&self) -> impl Iterator<Item = u32> {
        self.lines.iter().map(|line| line.number)
    }

    /// The number of the item that a line holds; 0 where there is none.
    #[must_use]
    pub fn number_in(line: &[u8]) -> u32 {
        number(line)
    }

    /// The line of the item that is the `index`-th to run, from 0.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn line(&self, index: usize) -> Result<Vec<u8>, StoreError> {
        let Some(line) = self.lines.get(index) else {
            let missing = std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
            return Err(io_error("read", &self.path, missing));
        };
        read_at(&self.file, line.offset, line.length).named("read", &self.path)
    }
}

impl JobFiles {
    /// Freezes the items of a new job, one line each; on disk when this returns.
    ///
    /// # Errors
    /// Anything that cannot be written.
    pub fn freeze(
        home: &Home,
        repository: &str,
        job: &str,
        items: impl Iterator<Item = Vec<u8>>,
    ) -> Result<(), StoreError> {
        let directory = home.job(repository, job);
        files::make_directory(&directory)?;
        let path = directory.join(ITEMS);
        let mut temporary = files::temporary_beside(&path).named("write", &path)?;
        let mut out = BufWriter::new(temporary.as_file_mut());
        for line in items {
            out.write_all(&line).and_then(|()| out.write_all(b"\n")).named("write", &path)?;
        }
        out.flush().named("write", &path)?;
        drop(out);
        temporary.as_file().sync_data().named("sync", &path)?;
        temporary.persist(&path).map_err(|error| io_error("write", &path, error.error))?;
        files::sync_directory(&directory).named("sync", &directory)
    }

    /// Opens the files of a job: reads where each item stands, and cuts off a torn last result.
    ///
    /// # Errors
    /// They cannot be read or written.
    pub fn open(home: &Home, repository: &str, job: &str) -> Result<Self, StoreError> {
        let directory = home.job(repository, job);
        let items = FrozenItems::open(home, repository, job)?;
        let path = directory.join(RESULTS);
        let mut options = OpenOptions::new();
        options.create(true).read(true).append(true);
        let file = files::open_private(&path, &mut options).named("write", &path)?;
        let end = whole_lines(&file).named("read", &path)?;
        file.set_len(end).named("write", &path)?;
        // What a dead run wrote may not have reached the disk.
        let results = Results { file: Arc::new(file), end, synced: 0 };
        Ok(Self { directory, items, results: Mutex::new(results), begin: end })
    }

    /// The frozen items.
    #[must_use]
    pub fn items(&self) -> &FrozenItems {
        &self.items
    }

    /// Appends a result; it survives `kill -9` from here on, a power cut after [`Self::sync`].
    ///
    /// # Errors
    /// It cannot be written; the file is as it was before.
    pub fn append(&self, mut line: Vec<u8>) -> Result<ResultRef, StoreError> {
        let path = self.directory.join(RESULTS);
        let crc = crc32fast::hash(&line);
        let length = u32::try_from(line.len())
            .map_err(|_| io_error("append to", &path, std::io::ErrorKind::FileTooLarge.into()))?;
        line.push(b'\n');
        let mut results = self.results();
        let offset = results.end;
        if let Err(error) = (&*results.file).write_all(&line) {
            let _ = results.file.set_len(offset);
            return Err(io_error("append to", &path, error));
        }
        results.end += line.len() as u64;
        Ok(ResultRef { offset, length, crc })
    }

    /// True where the file still holds a result that was appended.
    #[must_use]
    pub fn holds(&self, at: ResultRef) -> bool {
        at.offset + u64::from(at.length) < self.results().end
    }

    /// True for a result that a run before this one appended.
    #[must_use]
    pub fn is_older(&self, at: ResultRef) -> bool {
        at.offset < self.begin
    }

    /// Every result so far is on disk when this returns.
    ///
    /// # Errors
    /// The sync failed.
    pub fn sync(&self) -> Result<(), StoreError> {
        let (file, end) = {
            let results = self.results();
            if results.synced >= results.end {
                return Ok(());
            }
            (Arc::clone(&results.file), results.end)
        };
        file.sync_data().named("sync", &self.directory.join(RESULTS))?;
        let mut results = self.results();
        results.synced = results.synced.max(end);
        Ok(())
    }

    /// A result as it was appended.
    ///
    /// # Errors
    /// It cannot be read, or is not what was written.
    pub fn result(&self, at: ResultRef) -> Result<Vec<u8>, StoreError> {
        let path = self.directory.join(RESULTS);
        let file = Arc::clone(&self.results().file);
        checked(&path, read_at(&file, at.offset, at.length).named("read", &path)?, at)
    }

    /// Writes the file of all results through `write`, and returns its path.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write_all_results(
        &self,
        write: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>,
    ) -> Result<PathBuf, StoreError> {
        let path = self.directory.join(ALL_RESULTS);
        let mut temporary = files::temporary_beside(&path).named("write", &path)?;
        let mut out = BufWriter::new(temporary.as_file_mut());
        write(&mut out).and_then(|()| out.flush()).named("write", &path)?;
        drop(out);
        temporary.persist(&path).map_err(|error| io_error("write", &path, error.error))?;
        Ok(path)
    }

    fn results(&self) -> std::sync::MutexGuard<'_, Results> {
        self.results.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const ITEMS: &str = "items.jsonl";
const RESULTS: &str = "results.jsonl";
const ALL_RESULTS: &str = "results.json";

fn read_at(file: &File, offset: u64, length: u32) -> std::io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
    file.read_exact_at(&mut bytes, offset)?;
    Ok(bytes)
}

/// Where each line stands, and the CRC-32 of all.
fn index(file: &File) -> std::io::Result<(Vec<Line>, u32)> {
    let mut reader = BufReader::with_capacity(1 << 16, file);
    let (mut lines, mut offset, mut length) = (Vec::new(), 0, 0);
    let mut start = Vec::with_capacity(NUMBERED);
    let mut crc = crc32fast::Hasher::new();
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            return Ok((lines, crc.finalize()));
        }
        crc.update(buffer);
        let size = buffer.len();
        for byte in buffer {
            if *byte == b'\n' {
                lines.push(Line { offset, length, number: number(&start) });
                start.clear();
                offset += u64::from(length) + 1;
                length = 0;
            } else {
                if start.len() < NUMBERED {
                    start.push(*byte);
                }
                length += 1;
            }
        }
        reader.consume(size);
    }
}

/// How much of a line holds its item's number.
const NUMBERED: usize = 32;

/// The number of the item that a line begins with.
fn number(start: &[u8]) -> u32 {
    let digits = start.strip_prefix(b"{\"item_id\":\"item_").unwrap_or_default();
    digits.iter().take_while(|byte| byte.is_ascii_digit()).fold(0, |number: u32, digit| {
        number.saturating_mul(10).saturating_add(u32::from(digit - b'0'))
    })
}

/// Bytes up to the end of the last whole line.
fn whole_lines(file: &File) -> std::io::Result<u64> {
    let mut end = file.metadata()?.len();
    let mut block = [0; 4096];
    while end > 0 {
        let start = end.saturating_sub(block.len() as u64);
        let size = usize::try_from(end - start).unwrap_or(block.len());
        let Some(bytes) = block.get_mut(..size) else { break };
        file.read_exact_at(bytes, start)?;
        if let Some(last) = bytes.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + last as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

/// The result of an item, read without holding the session.
///
/// # Errors
/// It cannot be read, or is not what was written.
pub fn read_result(
    home: &Home,
    repository: &str,
    job: &str,
    at: ResultRef,
) -> Result<Vec<u8>, StoreError> {
    let path = home.results(repository, job);
    let file = File::open(&path).named("read", &path)?;
    checked(&path, read_at(&file, at.offset, at.length).named("read", &path)?, at)
}

/// Bytes of `results.jsonl` that `events` refer to.
pub(super) fn results_end(events: &[Event]) -> u64 {
    let end = |event: &Event| match &event.kind {
        EventKind::ItemFinished { result, .. } if *result != ResultRef::NONE => {
            result.offset + u64::from(result.length) + 1
        }
        _ => 0,
    };
    events.iter().map(end).max().unwrap_or(0)
}

/// The bytes of a result, if they are those that were written.
fn checked(path: &Path, bytes: Vec<u8>, at: ResultRef) -> Result<Vec<u8>, StoreError> {
    if crc32fast::hash(&bytes) == at.crc {
        return Ok(bytes);
    }
    let reason = format!("the result at byte {} is not what was written", at.offset);
    Err(StoreError::DamagedResult { path: path.to_owned(), reason })
}

/// Removes the files of a job and what leads to them; what is not there is no error.
pub(super) fn remove_job(
    home: &Home,
    repository: &str,
    job: &str,
    session: &SessionId,
) -> Result<(), StoreError> {
    let directory = home.job(repository, job);
    let missing = |error: &std::io::Error| error.kind() == std::io::ErrorKind::NotFound;
    match std::fs::remove_dir_all(&directory) {
        Err(error) if !missing(&error) => return Err(io_error("remove", &directory, error)),
        _ => {}
    }
    for path in [home.job_mapping(job), home.session_mapping(session.as_str())] {
        match std::fs::remove_file(&path) {
            Err(error) if !missing(&error) => return Err(io_error("remove", &path, error)),
            _ => {}
        }
    }
    Ok(())
}

impl Home {
    /// `state/<repo>/mapreduce/jobs/<job>`.
    #[must_use]
    pub fn job(&self, repository: &str, job: &str) -> PathBuf {
        self.repositories().join(repository).join("mapreduce/jobs").join(file_name(job))
    }

    /// `state/<repo>/mapreduce/jobs/<job>/items.jsonl`.
    #[must_use]
    pub fn items(&self, repository: &str, job: &str) -> PathBuf {
        self.job(repository, job).join(ITEMS)
    }

    /// `state/<repo>/mapreduce/jobs/<job>/results.jsonl`.
    #[must_use]
    pub fn results(&self, repository: &str, job: &str) -> PathBuf {
        self.job(repository, job).join(RESULTS)
    }

    /// `state/<repo>/mapreduce/jobs/<job>/results.json`: all results, where reduce asked for them.
    #[must_use]
    pub fn all_results(&self, repository: &str, job: &str) -> PathBuf {
        self.job(repository, job).join(ALL_RESULTS)
    }
}

/// An id as one part of a path, whatever it holds.
pub(super) fn file_name(id: &str) -> &str {
    Path::new(id).file_name().and_then(std::ffi::OsStr::to_str).unwrap_or("none")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(home: &Home, items: &[&str]) -> JobFiles {
        JobFiles::freeze(home, "repo", "job", items.iter().map(|it| it.as_bytes().to_vec()))
            .unwrap();
        JobFiles::open(home, "repo", "job").unwrap()
    }

    #[test]
    fn items_and_results_come_back_and_damage_is_told() {
        let root = tempfile::tempdir().unwrap();
        let home = Home::at(&root.path().join("state")).unwrap();
        let files = job(&home, &["one", "", "three"]);
        assert_eq!(files.items().count(), 3);
        assert_eq!(files.items().line(2).unwrap(), b"three");
        assert!(files.items().line(3).is_err());
        let first = files.append(b"{\"a\":1}".to_vec()).unwrap();
        let second = files.append(b"{\"b\":2}".to_vec()).unwrap();
        files.sync().unwrap();
        assert_eq!(files.result(second).unwrap(), b"{\"b\":2}");
        assert!(files.result(ResultRef { crc: 0, ..first }).is_err());
        // A torn last line goes; what was whole stays.
        let path = home.job("repo", "job").join(RESULTS);
        let mut torn = std::fs::read(&path).unwrap();
        torn.extend(b"{\"c\":");
        std::fs::write(&path, torn).unwrap();
        let files = JobFiles::open(&home, "repo", "job").unwrap();
        let third = files.append(b"{\"d\":4}".to_vec()).unwrap();
        assert_eq!(files.result(third).unwrap(), b"{\"d\":4}");
        assert_eq!(files.result(first).unwrap(), b"{\"a\":1}");
    }

    #[test]
    fn hostile_job_ids_stay_inside() {
        let root = tempfile::tempdir().unwrap();
        let home = Home::at(&root.path().join("state")).unwrap();
        assert!(home.job("repo", "../../x").starts_with(home.repositories()));
        assert!(!home.job("repo", "../../x").to_string_lossy().contains(".."));
    }
}

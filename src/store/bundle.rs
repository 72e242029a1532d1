//! A session as one portable file: JSON lines, so that any tool can look into it.
//!
//! ```text
//! {"archive":{"kind":"prodigy-session","format":1,"session_id":…,"workflow_id":…,"name":…}}
//! {"file":{"name":"journal.jsonl","bytes":N,"sha256":…}}
//! {"data":"<base64>"}            as many as the file needs
//! {"end":{"files":2}}
//! ```
//!
//! An archive with the kept files of the working tree (`files.pack`, a pack of git) has format 2.
//!
//! Only the files that make a session are in it, and only their names are taken in, so that
//! no archive reaches outside the directory of its session.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, Write};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::session::{SessionId, SessionState, WorkflowId};

use super::error::{NamePath, io_error};
use super::job::results_end;
use super::read::read_events;
use super::{Card, Home, StoreError, blobs, files, replay};

/// The newest format of archives.
const FORMAT: u32 = 2;
/// That of archives without kept files: older programs read them, too.
const PLAIN_FORMAT: u32 = 1;
/// The kept files of the working tree.
pub(super) const FILES: &str = "files.pack";
const KIND: &str = "prodigy-session";
/// Bytes of a file in one line; divisible by 3, so that only the last line has padding.
const CHUNK: u64 = 384 * 1024;
/// No line is longer than this.
const LONGEST_LINE: u64 = 1 << 20;

/// The frozen items of a map.
pub(super) const ITEMS_PART: &str = "job/items.jsonl";
/// Their results.
pub(super) const RESULTS_PART: &str = "job/results.jsonl";

/// One line of an archive.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Archive(Heading),
    File(Part),
    Data(String),
    End(Ending),
}

#[derive(Debug, Serialize, Deserialize)]
struct Heading {
    kind: String,
    format: u32,
    session_id: SessionId,
    workflow_id: WorkflowId,
    name: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Part {
    name: String,
    bytes: u64,
    sha256: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Ending {
    files: usize,
}

/// Writes a session into the file `target`, which appears in full or not at all and is private.
/// Returns its card. The archive holds journal, workflow, logs, kept texts, labels, the items and
/// results of a map, and the kept files of the working tree, `kept`, as a pack of git.
///
/// # Errors
/// The session is damaged or cannot be read; the target cannot be written.
pub fn export(
    home: &Home,
    id: &SessionId,
    target: &Path,
    kept: Option<&[u8]>,
) -> Result<Card, StoreError> {
    let scan = read_events(home, id)?;
    if let Some(damage) = scan.damage {
        return Err(damage);
    }
    let state = replay::fold(&scan.events);
    let card = Card::of(&state, state.last_seq).ok_or_else(|| StoreError::NotFound {
        what: "session",
        name: id.to_string(),
        searched: home.sessions(),
    })?;
    let temporary = files::temporary_beside(target).named("write", target)?;
    let mut out = BufWriter::new(temporary);
    let heading = Heading {
        kind: KIND.to_owned(),
        format: if kept.is_some() { FORMAT } else { PLAIN_FORMAT },
        session_id: card.session_id.clone(),
        workflow_id: card.workflow_id.clone(),
        name: card.name.clone(),
    };
    write_line(&mut out, &Line::Archive(heading)).named("write", target)?;
    let files = session_files(home, id, &state)?;
    for (name, path) in &files {
        // A running session goes on writing; the archive holds what was checked.
        let most = match name.as_str() {
            "journal.jsonl" => scan.end.length,
            RESULTS_PART => results_end(&scan.events),
            _ => u64::MAX,
        };
        pack_file(&mut out, target, name, path, most)?;
    }
    if let Some(kept) = kept {
        pack_part(&mut out, target, FILES, (&mut io::Cursor::new(kept), kept.len() as u64))?;
    }
    let files = files.len() + usize::from(kept.is_some());
    write_line(&mut out, &Line::End(Ending { files })).named("write", target)?;
    let temporary =
        out.into_inner().map_err(|error| io_error("write", target, error.into_error()))?;
    temporary.as_file().sync_all().named("sync", target)?;
    temporary.persist(target).map_err(|error| io_error("write", target, error.error))?;
    files::sync_directory(files::parent_of(target)).named("sync", target)?;
    Ok(card)
}

/// Unpacks an archive into an empty directory; every file is checked by size and digest.
pub(super) fn unpack(archive: &Path, into: &Path) -> Result<(), StoreError> {
    let file = File::open(archive).named("read", archive)?;
    let mut lines = Lines { reader: BufReader::new(file), path: archive, number: 0 };
    match lines.next()? {
        Line::Archive(heading) if heading.kind == KIND && heading.format > FORMAT => {
            let path = archive.to_owned();
            return Err(StoreError::Newer { path, found: heading.format, known: FORMAT });
        }
        Line::Archive(heading) if heading.kind == KIND => {}
        _ => return Err(lines.bad("this is no archive of a session")),
    }
    let mut count = 0;
    loop {
        match lines.next()? {
            Line::File(part) => {
                unpack_file(&mut lines, &part, into)?;
                count += 1;
            }
            Line::End(ending) if ending.files == count => return Ok(()),
            _ => return Err(lines.bad("something is missing before it")),
        }
    }
}

fn pack_file(
    out: &mut impl Write,
    target: &Path,
    name: &str,
    path: &Path,
    most: u64,
) -> Result<(), StoreError> {
    let mut source =
        files::open_private(path, OpenOptions::new().read(true)).named("read", path)?;
    let bytes = source.metadata().named("read", path)?.len().min(most);
    pack_part(out, target, name, (&mut source, bytes))
}

/// Writes the first `bytes` of a source.
fn pack_part<S: Read + Seek>(
    out: &mut impl Write,
    target: &Path,
    name: &str,
    (source, bytes): (&mut S, u64),
) -> Result<(), StoreError> {
    let path = Path::new(name);
    let mut hash = Sha256::new();
    let mut left = bytes;
    while left > 0 {
        hash.update(chunk(source, &mut left).named("read", path)?);
    }
    let part = Part { name: name.to_owned(), bytes, sha256: digits(hash) };
    write_line(out, &Line::File(part)).named("write", target)?;
    source.rewind().named("read", path)?;
    left = bytes;
    while left > 0 {
        let chunk = chunk(source, &mut left).named("read", path)?;
        write_line(out, &Line::Data(BASE64.encode(chunk))).named("write", target)?;
    }
    Ok(())
}

/// The next piece of a file of which `left` bytes are still to come.
fn chunk(source: &mut impl Read, left: &mut u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let wanted = CHUNK.min(*left);
    if Read::by_ref(source).take(wanted).read_to_end(&mut bytes)? as u64 != wanted {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    *left -= wanted;
    Ok(bytes)
}

fn unpack_file(lines: &mut Lines<'_>, part: &Part, into: &Path) -> Result<(), StoreError> {
    if !is_session_file(&part.name) {
        return Err(lines.bad(&format!("{:?} is no file of a session", part.name)));
    }
    let path = into.join(&part.name);
    files::make_directory(files::parent_of(&path))?;
    let mut options = OpenOptions::new();
    options.create_new(true).write(true);
    let mut file = files::open_private(&path, &mut options).named("write", &path)?;
    let mut hash = Sha256::new();
    let mut left = part.bytes;
    while left > 0 {
        let Line::Data(text) = lines.next()? else {
            return Err(lines.bad("the file before it is not complete"));
        };
        let bytes = BASE64.decode(text).map_err(|_| lines.bad("it is no base64"))?;
        left = match left.checked_sub(bytes.len() as u64) {
            Some(left) if !bytes.is_empty() => left,
            _ => return Err(lines.bad("the file is not as large as it says")),
        };
        hash.update(&bytes);
        file.write_all(&bytes).named("write", &path)?;
    }
    if digits(hash) != part.sha256 {
        return Err(lines.bad(&format!("{} is not what its digest says", part.name)));
    }
    file.sync_all().named("sync", &path)
}

/// The files of a session that an archive holds: their name in it, and where they are.
fn session_files(
    home: &Home,
    id: &SessionId,
    state: &SessionState,
) -> Result<Vec<(String, PathBuf)>, StoreError> {
    let mut found = vec![("journal.jsonl".to_owned(), home.journal(id))];
    if let (Some(job), Some(header)) = (&state.lifetime.job, state.header()) {
        let results = home.results(&header.repository, job);
        if results.is_file() {
            found.push((RESULTS_PART.to_owned(), results));
        }
        // Without its items a job cannot go on: that they are not there is an error.
        found.push((ITEMS_PART.to_owned(), home.items(&header.repository, job)));
    }
    for (name, path) in [("workflow.yaml", home.workflow(id)), ("labels.jsonl", home.labels(id))] {
        if path.is_file() {
            found.push((name.to_owned(), path));
        }
    }
    for (name, directory) in [("logs", home.logs(id)), ("blobs", home.blobs(id))] {
        let entries = match fs::read_dir(&directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(io_error("read", &directory, error)),
        };
        for entry in entries {
            let path = entry.named("read", &directory)?.path();
            let file = path.file_name().and_then(|file| file.to_str());
            let name = file.map(|file| format!("{name}/{file}"));
            found
                .extend(name.filter(|name| is_session_file(name)).map(|name| (name, path.clone())));
        }
    }
    Ok(found)
}

/// The names that an archive may hold.
fn is_session_file(name: &str) -> bool {
    match name.split_once('/') {
        None => matches!(name, "journal.jsonl" | "workflow.yaml" | "labels.jsonl" | FILES),
        Some(("job", _)) => matches!(name, ITEMS_PART | RESULTS_PART),
        Some(("blobs", digest)) => blobs::parse(digest).is_some(),
        Some(("logs", log)) => {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_%+.".contains(&byte);
            log.ends_with(".log")
                && !log.starts_with('.')
                && log.len() < 256
                && log.bytes().all(plain)
        }
        Some(_) => false,
    }
}

fn write_line(out: &mut impl Write, line: &Line) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}

fn digits(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The lines of an archive.
struct Lines<'p> {
    reader: BufReader<File>,
    path: &'p Path,
    number: usize,
}

impl Lines<'_> {
    fn next(&mut self) -> Result<Line, StoreError> {
        self.number += 1;
        let mut line = Vec::new();
        let mut limited = self.reader.by_ref().take(LONGEST_LINE);
        limited.read_until(b'\n', &mut line).named("read", self.path)?;
        if line.last() != Some(&b'\n') {
            return Err(self.bad("the archive is cut off here, or this is none"));
        }
        serde_json::from_slice(&line)
            .map_err(|error| self.bad(&format!("no line of an archive: {error}")))
    }

    fn bad(&self, reason: &str) -> StoreError {
        StoreError::Damaged {
            path: self.path.to_owned(),
            line: self.number,
            reason: reason.to_owned(),
        }
    }
}

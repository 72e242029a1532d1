//! From a file to a workflow, or to all that is wrong with it.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::model::Workflow;
use super::reading::Reader;
use super::recovery::Recovery;
use super::{Problem, Severity, check, lower, yaml};

/// The largest workflow file, in bytes.
const MAX_SIZE: u64 = 10 << 20;

/// A workflow that can run.
#[derive(Debug)]
pub struct Loaded {
    /// The workflow.
    pub workflow: Workflow,
    /// The text of the file, without a byte order mark.
    pub text: String,
    /// Warnings, in file order.
    pub problems: Vec<Problem>,
}

/// Why there is no workflow.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("cannot read {}: {}", .0.display(), .1)]
    Read(PathBuf, #[source] std::io::Error),
    /// It can be read but not run: its errors and warnings in file order, and its text.
    #[error("the workflow file has {} problems", .0.len())]
    Problems(Vec<Problem>, String),
}

/// Reads a workflow file (UTF-8 YAML or JSON, at most 10 MB).
///
/// # Errors
/// When it cannot be read, or with every problem that was found.
pub fn load(file: &Path) -> Result<Loaded, LoadError> {
    let unreadable = |error| LoadError::Read(file.to_path_buf(), error);
    let opened = std::fs::File::open(file).map_err(unreadable)?;
    if opened.metadata().map_err(unreadable)?.is_dir() {
        return Err(unreadable(std::io::ErrorKind::IsADirectory.into()));
    }
    let mut bytes = Vec::new();
    opened.take(MAX_SIZE + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_SIZE {
        return Err(refused(file, 1, 1, "the file is larger than 10 MB", "split it"));
    }
    let text = decode(file, bytes)?;
    parse(file, &text)
}

/// Reads a workflow from the text of `file`.
///
/// # Errors
/// With every problem that was found.
pub fn parse(file: &Path, text: &str) -> Result<Loaded, LoadError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).to_owned();
    if text.len() as u64 > MAX_SIZE {
        return Err(refused(file, 1, 1, "the file is larger than 10 MB", "split it"));
    }
    let (root, defects) = yaml::read(&text);
    let reader = Reader::new(file);
    let readable = defects.is_empty();
    note(&reader, defects);
    let workflow = root.as_ref().and_then(|root| lower::workflow(&reader, root, file));
    if let Some(workflow) = workflow.as_ref().filter(|_| readable && reader.has_all_names()) {
        for problem in check::check(workflow, &reader.file()) {
            reader.note(problem);
        }
    }
    let mut problems = reader.into_problems();
    if let Some(root) = &root {
        put_right(&mut problems, root, &text);
    }
    match workflow {
        Some(workflow) if problems.iter().all(|p| p.severity == Severity::Warning) => {
            Ok(Loaded { workflow, text, problems })
        }
        _ => Err(LoadError::Problems(problems, text)),
    }
}

/// Reads rules of recoveries from the text of `file`: what `recovery:` of a workflow holds.
/// Warnings are not told.
///
/// # Errors
/// With every problem that was found.
pub fn parse_recovery(file: &Path, text: &str) -> Result<Recovery, LoadError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).to_owned();
    if text.len() as u64 > MAX_SIZE {
        return Err(refused(file, 1, 1, "the file is larger than 10 MB", "split it"));
    }
    if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return Ok(Recovery::default());
    }
    let (root, defects) = yaml::read(&text);
    let reader = Reader::new(file);
    note(&reader, defects);
    let recovery = root.as_ref().and_then(|root| lower::recovery(&reader, root));
    let mut problems = reader.into_problems();
    if let Some(root) = &root {
        put_right(&mut problems, root, &text);
    }
    match recovery {
        Some(recovery) if problems.iter().all(|p| p.severity == Severity::Warning) => Ok(recovery),
        _ => Err(LoadError::Problems(problems, text)),
    }
}

/// What is wrong with the YAML itself.
fn note(reader: &Reader, defects: Vec<yaml::Defect>) {
    for defect in defects {
        let at = reader.position_at(defect.line, defect.column);
        let problem = Problem::error(at, defect.length, defect.message);
        reader.note(match defect.help {
            Some(help) => problem.with_help(help),
            None => problem,
        });
    }
}

/// Points into folded and escaped texts exactly, as far as anyone reads.
fn put_right(problems: &mut [Problem], root: &yaml::Node, text: &str) {
    const READ: usize = 100;
    let counted: Vec<(usize, usize)> =
        problems.iter().take(READ).map(|problem| (problem.at.line, problem.at.column)).collect();
    let places = yaml::unfold(root, text, &counted);
    for problem in problems.iter_mut() {
        if let Some((line, column)) = places.get(&(problem.at.line, problem.at.column)) {
            (problem.at.line, problem.at.column) = (*line, *column);
        }
    }
}

/// The text of a file; anything but UTF-8 is refused with what it probably is.
fn decode(file: &Path, bytes: Vec<u8>) -> Result<String, LoadError> {
    let help = "save it as UTF-8 text";
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(refused(file, 1, 1, "the file is UTF-16", help));
    }
    match String::from_utf8(bytes) {
        Ok(text) if text.contains('\0') => {
            Err(refused(file, 1, 1, "the file is binary or UTF-16", help))
        }
        Ok(text) => Ok(text),
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let before = String::from_utf8_lossy(error.as_bytes().get(..valid).unwrap_or_default());
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
            Err(refused(file, line, column, "the file is not UTF-8 text", help))
        }
    }
}

fn refused(file: &Path, line: usize, column: usize, message: &str, help: &str) -> LoadError {
    let at = Reader::new(file).position_at(line, column);
    LoadError::Problems(vec![Problem::error(at, 1, message).with_help(help)], String::new())
}

//! `prodigy logs [ID]`: what a step printed.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::PathBuf;

use serde_json::json;

use crate::exit::{ExitKind, Failure};
use crate::session::{Address, EventKind, Progress, Report, ResultRef, Stored, item_number};
use crate::store::{Card, Loaded};
use crate::view;

use super::args::Logs;
use super::lookup::Place;
use super::output::Console;
use super::watch::Watch;

/// One attempt of one step, and where its log is.
struct Log {
    /// Where the step stands now, or stood when an edit removed it.
    step: Address,
    attempt: u32,
    /// True when an edit removed the step.
    gone: bool,
    /// That of the failure that it is about or that its step answers; absent without one.
    correlation_id: Option<String>,
    path: PathBuf,
    /// Absent when it printed nothing.
    bytes: Option<u64>,
}

/// Shows one log, follows it, or lists all.
pub(super) fn run(arguments: &Logs, console: &mut Console) -> Result<ExitKind, Failure> {
    let place = Place::open()?;
    let card = place.find_or_latest(arguments.id.as_deref())?;
    let loaded = place.read(&card.session_id)?;
    let logs = logs(&place, &card, &loaded);
    if arguments.list {
        list(&logs, arguments.json, console);
        return Ok(ExitKind::Success);
    }
    if arguments.follow {
        return follow(arguments, &place, &card, console);
    }
    let log = chosen(&logs, arguments)
        // Items that print little have no files.
        .or_else(|| logs.last().filter(|_| card.job_id.is_some() && arguments.step.is_none()))
        .ok_or_else(|| none(&card, arguments))?;
    let small = match log.bytes {
        Some(_) => Vec::new(),
        None => small_output(&place, &card, &loaded, log),
    };
    if arguments.json {
        let text = if small.is_empty() { read(log)? } else { small };
        console.output.json(&json!({
            "session_id": card.session_id,
            "address": log.step,
            "attempt": log.attempt,
            "correlation_id": log.correlation_id,
            "path": log.path,
            "size": log.bytes.unwrap_or(text.len() as u64),
            "text": String::from_utf8_lossy(&text),
        }));
        return Ok(ExitKind::Success);
    }
    if !small.is_empty() {
        let step = view::line(log.step.as_str()).into_owned();
        console.remark(format_args!("step {step}, attempt {}: in the results", log.attempt));
        let _ = console.output.write_all(&small);
        return Ok(ExitKind::Success);
    }
    announce(log, console);
    copy(log, 0, console)?;
    Ok(ExitKind::Success)
}

/// What a step of an item printed, where that was too little for a file: the journal holds it,
/// or the result of the item.
fn small_output(place: &Place, card: &Card, loaded: &Loaded, log: &Log) -> Vec<u8> {
    let Some(item) = item_number(&log.step) else { return Vec::new() };
    let both = |report: &Report| {
        let mut text = report.stdout.text.shown();
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text + &report.stderr.text.shown()
    };
    for event in loaded.events.iter().rev() {
        let text = match &event.kind {
            EventKind::AttemptFinished { address, attempt, report }
                if *address == log.step && *attempt == log.attempt =>
            {
                both(report)
            }
            EventKind::StepFinished { address, result, .. } if *address == log.step => {
                both(&result.report)
            }
            EventKind::ItemFinished { item: ended, status, value, result } if *ended == item => {
                output_in(&match value {
                    Some(short) => short.whole(item, *status),
                    None => read_result(place, card, *result),
                })
            }
            _ => continue,
        };
        if !text.is_empty() {
            return text.into_bytes();
        }
    }
    Vec::new()
}

/// The result of an item; null where it cannot be read.
fn read_result(place: &Place, card: &Card, at: ResultRef) -> Stored {
    let job = card.job_id.as_deref().unwrap_or_default();
    let bytes = crate::store::read_result(&place.home, &card.repository, job, at);
    bytes.ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

/// The output that the result of an item holds.
fn output_in(result: &Stored) -> String {
    let json = result.to_json();
    let mut text = json["output"].as_str().unwrap_or_default().to_owned();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// All attempts in the order in which they started.
fn logs(place: &Place, card: &Card, loaded: &Loaded) -> Vec<Log> {
    let correlations = crate::session::correlations(&loaded.events);
    let log = |made: crate::session::Attempt| {
        let path = place.home.log(&card.session_id, &made.log);
        let bytes = std::fs::metadata(&path).ok().map(|metadata| metadata.len());
        let crate::session::Attempt { step, gone, log } = made;
        let cause = step.answered();
        let correlation_id = correlations.get(cause.as_ref().unwrap_or(&step)).cloned();
        Log { step, attempt: log.attempt, gone, correlation_id, path, bytes }
    };
    crate::session::attempts(&loaded.events).into_iter().map(log).collect()
}

/// The attempt that was asked for, or the latest; without a step the latest that printed anything.
fn chosen<'l>(logs: &'l [Log], arguments: &Logs) -> Option<&'l Log> {
    let any = arguments.step.is_some();
    logs.iter().rev().find(|log| fits(log, arguments) && (any || log.bytes.is_some()))
}

fn none(card: &Card, arguments: &Logs) -> Failure {
    let what = match (&arguments.step, arguments.attempt) {
        (Some(step), Some(attempt)) => format!("no attempt {attempt} of step {step}"),
        (Some(step), None) => format!("step {step} has not run"),
        (None, _) => "no step has printed anything".to_owned(),
    };
    Failure::new(ExitKind::NotFound, format!("{what} in {}", card.session_id))
        .with_help(format!("prodigy logs {} --list", card.workflow_id))
}

fn list(logs: &[Log], json: bool, console: &mut Console) {
    if json {
        let row = |log: &Log| {
            json!({
                "address": log.step,
                "attempt": log.attempt,
                "correlation_id": log.correlation_id,
                "removed": log.gone,
                "path": log.bytes.map(|_| &log.path),
                "size": log.bytes.unwrap_or(0),
            })
        };
        console.output.json(&logs.iter().map(row).collect());
        return;
    }
    for log in logs {
        let step = view::line(log.step.as_str());
        let place = match log.bytes {
            Some(bytes) => format!("{} ({})", log.path.display(), view::bytes(bytes)),
            None => "printed nothing".to_owned(),
        };
        let gone = if log.gone { " (removed by an edit)" } else { "" };
        console.output.line(format_args!("step {step}{gone}, attempt {}: {place}", log.attempt));
    }
}

fn announce(log: &Log, console: &mut Console) {
    let step = view::line(log.step.as_str()).into_owned();
    let place = match log.grown(0) {
        true => log.path.display().to_string(),
        false => "it printed nothing".to_owned(),
    };
    console.remark(format_args!("step {step}, attempt {}: {place}", log.attempt));
}

fn read(log: &Log) -> Result<Vec<u8>, Failure> {
    match std::fs::read(&log.path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(unreadable(log, &error)),
        bytes => Ok(bytes.unwrap_or_default()),
    }
}

/// Copies what is behind `from`, and tells how long the log is now.
fn copy(log: &Log, from: u64, console: &mut Console) -> Result<u64, Failure> {
    let mut file = match File::open(&log.path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(from),
        file => file.map_err(|error| unreadable(log, &error))?,
    };
    let mut end = from;
    let mut chunk = vec![0; 64 * 1024];
    io::Seek::seek(&mut file, io::SeekFrom::Start(from))
        .map_err(|error| unreadable(log, &error))?;
    while !console.output.ended() {
        match file.read(&mut chunk) {
            Ok(0) => break,
            Ok(count) => {
                let _ = console.output.write_all(chunk.get(..count).unwrap_or_default());
                end += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable(log, &error)),
        }
    }
    let _ = console.output.flush();
    Ok(end)
}

fn unreadable(log: &Log, error: &io::Error) -> Failure {
    Failure::new(ExitKind::Damaged, format!("cannot read {}", log.path.display()))
        .because(error.to_string())
}

/// Shows what steps print as they print it, until the session ends.
fn follow(
    arguments: &Logs,
    place: &Place,
    card: &Card,
    console: &mut Console,
) -> Result<ExitKind, Failure> {
    let mut watch = Watch::new(place, &card.session_id);
    let mut open: Vec<(Log, u64)> = Vec::new();
    let mut seen = None;
    let mut announced = None;
    loop {
        let running = watch.is_running();
        let mut over = HashSet::new();
        if let Some(loaded) = watch.news()? {
            let logs = logs(place, card, &loaded);
            let from = seen.unwrap_or_else(|| first_to_follow(&logs, &loaded, arguments));
            seen = Some(logs.len());
            open.extend(
                logs.into_iter().skip(from).filter(|log| fits(log, arguments)).map(|log| (log, 0)),
            );
            over.extend(
                open.iter().map(|(log, _)| log.name()).filter(|name| is_over(name, &loaded)),
            );
        }
        for (log, end) in &mut open {
            let before = *end;
            if log.grown(before) && announced.as_ref() != Some(&log.name()) {
                announce(log, console);
                announced = Some(log.name());
            }
            *end = copy(log, before, console)?;
        }
        open.retain(|(log, _)| !over.contains(&log.name()));
        if console.output.ended() || !running {
            return Ok(ExitKind::Success);
        }
        watch.pause();
    }
}

/// The first attempt that still runs; when none does, the latest that printed something.
fn first_to_follow(logs: &[Log], loaded: &Loaded, arguments: &Logs) -> usize {
    let running = logs.iter().position(|log| fits(log, arguments) && !is_over(&log.name(), loaded));
    let latest = || logs.iter().rposition(|log| fits(log, arguments) && log.bytes.is_some());
    running.or_else(latest).unwrap_or(logs.len())
}

fn fits(log: &Log, arguments: &Logs) -> bool {
    arguments.step.as_ref().is_none_or(|step| log.step == *step && !log.gone)
        && arguments.attempt.is_none_or(|attempt| log.attempt == attempt)
}

/// True when nothing more can come into the log of an attempt.
fn is_over((step, attempt): &(Address, u32), loaded: &Loaded) -> bool {
    let record = loaded.state.standing.record(step);
    record.is_none_or(|record| record.attempt != *attempt || record.progress != Progress::Running)
}

impl Log {
    fn name(&self) -> (Address, u32) {
        (self.step.clone(), self.attempt)
    }

    fn grown(&self, before: u64) -> bool {
        std::fs::metadata(&self.path).is_ok_and(|metadata| metadata.len() > before)
    }
}

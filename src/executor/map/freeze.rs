//! From `input:` to the frozen items of a job.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::Utc;

use crate::executor::frame::Frame;
use crate::executor::halt::Halt;
use crate::executor::kinds::output_of;
use crate::executor::run::Run;
use crate::expr::{Dialect, EvalError, Origin, Template};
use crate::mapreduce::{Form, ItemPath, JobId, Selection, read_items, select};
use crate::playbook::mapreduce::Map;
use crate::session::{
    Address, EventKind, Failure, FailureKind, RewindCause, item_address, item_number, map_address,
};
use crate::store::{FrozenItems, JobFiles, Mapping, is_mapped, write_mapping};

impl<'a> Run<'a> {
    /// The files of this session's job; its items are expanded and frozen first where that has
    /// not been done. A failure where there are no items to be had.
    pub(super) fn job_files(
        &self,
        frame: &Frame<'a>,
        map: &'a Map,
    ) -> Result<Result<JobFiles, Failure>, Halt> {
        let (job, began, frozen, repository, name) = self.session.with(|state| {
            let header = state.header();
            (
                state.lifetime.job.clone(),
                state.started_at,
                state.standing.frozen,
                header.map(|header| header.repository.clone()).unwrap_or_default(),
                header.map(|header| header.name.clone()).unwrap_or_default(),
            )
        });
        let home = self.session.home();
        let job = match job {
            Some(job) if frozen => {
                self.map_session(&job, &name)?;
                job
            }
            known => {
                let lines = match self.frozen_lines(frame, map) {
                    Ok(lines) => lines,
                    Err(failure) => return Ok(Err(failure)),
                };
                // A setup that ran again makes other items of the same job, and what a crash
                // left before the job was recorded is written over: the id is the same.
                let began = began.unwrap_or_else(Utc::now);
                let job = known.unwrap_or_else(|| JobId::new(began, self.session.id()).to_string());
                self.forget_changed(&repository, &job, &lines)?;
                JobFiles::freeze(home, &repository, &job, lines.into_iter())?;
                let items = FrozenItems::open(home, &repository, &job)?;
                self.map_session(&job, &name)?;
                self.commit(EventKind::JobStarted {
                    job: job.clone(),
                    items: u32::try_from(items.count()).unwrap_or(u32::MAX),
                    checkpoint_frequency: map.checkpoint_frequency,
                    items_crc: Some(items.crc()),
                })?;
                self.session.sync_now()?;
                job
            }
        };
        let files = JobFiles::open(home, &repository, &job)?;
        let (count, crc) =
            self.session.with(|state| (state.lifetime.items, state.lifetime.items_crc));
        files.items().check(count, crc)?;
        Ok(Ok(files))
    }

    /// From the job to this session and back, where that is not there or was removed.
    fn map_session(&self, job: &str, workflow: &str) -> Result<(), Halt> {
        let (home, session) = (self.session.home(), self.session.id());
        if is_mapped(home, session, job) {
            return Ok(());
        }
        let mapping = Mapping {
            session_id: session.to_string(),
            job_id: job.to_owned(),
            workflow_name: workflow.to_owned(),
            created_at: Utc::now(),
        };
        Ok(write_mapping(home, &mapping)?)
    }

    /// Items that are read again keep their results only where nothing about them changed
    /// (DECISIONS A29); recorded before the new ones take the place of the old.
    fn forget_changed(&self, repository: &str, job: &str, lines: &[Vec<u8>]) -> Result<(), Halt> {
        let begun: BTreeSet<u32> = self.session.with(|state| {
            let map = map_address();
            let records = state.standing.records_within(&map);
            let inside = records.filter_map(|(address, _)| item_number(address));
            state.standing.items.results().map(|(item, ..)| item).chain(inside).collect()
        });
        if begun.is_empty() {
            return Ok(());
        }
        let new: HashMap<u32, &[u8]> =
            lines.iter().map(|line| (FrozenItems::number_in(line), line.as_slice())).collect();
        let mut same: HashSet<u32> = HashSet::new();
        let old = FrozenItems::open(self.session.home(), repository, job)?;
        for (index, number) in old.numbers().enumerate() {
            if begun.contains(&number) && new.get(&number) == Some(&old.line(index)?.as_slice()) {
                same.insert(number);
            }
        }
        let changed = begun.into_iter().filter(|item| !same.contains(item));
        for item in changed {
            self.rewind_item(&item_address(item), RewindCause::FromCheckpoint)?;
        }
        Ok(self.session.sync_now()?)
    }

    /// The selected items, as lines.
    fn frozen_lines(&self, frame: &Frame<'a>, map: &'a Map) -> Result<Vec<Vec<u8>>, Failure> {
        let at = Address::root().join("map");
        let unresolved = |what: &str, error: &EvalError| self.unresolved(what, error);
        let (bytes, form) = self.input_bytes(frame, map, &at)?;
        let path = match &map.json_path {
            Some(path) => Some(ItemPath::parse(path).map_err(|error| {
                self.failure(FailureKind::Expression, &format!("json_path {path:?}: {error}"))
            })?),
            None => None,
        };
        let values = read_items(&bytes, form, path.as_ref()).map_err(|error| {
            let message = format!("map.input {:?}: {error}", map.input.source());
            self.failure(FailureKind::Expression, &message)
        })?;
        let limit = match &map.max_items {
            Some(limit) => Some(
                self.resolved_count(limit, frame, &at)
                    .map_err(|error| unresolved("max_items", &error))?,
            ),
            None => None,
        };
        let selection = Selection {
            filter: map.filter.clone(),
            sort_by: map.sort_by.clone(),
            distinct: map.distinct.clone(),
            offset: map.offset,
            max_items: limit,
        };
        let selected = select(values, &selection, &self.names(frame, &at))
            .map_err(|error| self.failure(FailureKind::Expression, &error.to_string()))?;
        match (selected.why_none(), &map.json_path) {
            (Some(why), _) => self.warn(&format!("map: {why}")),
            (None, Some(path)) if selected.input == 0 => {
                self.warn(&format!("map: nothing in the input is at json_path {path:?}"));
            }
            _ => {}
        }
        for name in &selected.unknown_names {
            self.warn(&format!("map: no item has a field {name:?}; it counts as null"));
        }
        let mut lines = Vec::with_capacity(selected.items.len());
        for item in &selected.items {
            let line = serde_json::to_vec(&item.freeze(self.secrets())).map_err(|error| {
                self.failure(FailureKind::Expression, &format!("{}: {error}", item.id))
            })?;
            lines.push(line);
        }
        Ok(lines)
    }

    /// The bytes of the input: of the file, or where there is no such file a captured value or
    /// what the command prints.
    fn input_bytes(
        &self,
        frame: &Frame<'a>,
        map: &'a Map,
        at: &Address,
    ) -> Result<(Vec<u8>, Form), Failure> {
        let names = self.names(frame, at);
        let source = map.input.source();
        let template = Template::parse(source).ok();
        let known = template.and_then(|text| Some((text.evaluate(&names).ok()?, text.is_value())));
        if let Some(((value, origin), is_value)) = known {
            let name = value.to_text();
            let path = self.surroundings.directory.join(&name);
            if path.is_file() {
                let bytes = std::fs::read(&path).map_err(|error| {
                    let message = format!("map.input: cannot read {}: {error}", path.display());
                    self.failure(FailureKind::File, &message)
                })?;
                return Ok((bytes, Form::of_file_name(&name)));
            }
            let looks_like_file = !name.trim().contains(char::is_whitespace)
                && [".json", ".jsonl", ".ndjson", ".txt", ".csv"]
                    .iter()
                    .any(|it| name.ends_with(it));
            if looks_like_file {
                let message = format!(
                    "map.input: there is no file {} (relative to the directory of the run)",
                    path.display()
                );
                return Err(self.failure(FailureKind::File, &message));
            }
            // What setup captured is no command, but the document itself.
            if is_value && origin == Origin::Data {
                return Ok((value.to_bytes(), Form::Detect));
            }
            if path.is_dir() && !name.is_empty() {
                let message = format!(
                    "map.input: {} is a directory, no file of items (what is in it: `ls {name}`)",
                    path.display()
                );
                return Err(self.failure(FailureKind::File, &message));
            }
        }
        let dialect = Dialect::of(&self.workflow.shell.words[0]);
        let prepared = map.input.render(&names, dialect).and_then(|script| {
            let env = self.environment(frame, &[], at, 1, &map.input.mentions())?;
            Ok((script, env))
        });
        let (script, env) = prepared.map_err(|error| self.unresolved("map.input", &error))?;
        let directory = &self.surroundings.directory;
        output_of(&self.workflow.shell, &script, env, directory, &frame.stop)
            .map(|bytes| (bytes, Form::Detect))
            .map_err(|message| self.failure(FailureKind::Exit, &format!("map.input: {message}")))
    }
}

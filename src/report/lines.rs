//! The words of events: one line per change, shared by the terminal and by plain output so
//! that the two never differ.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use super::failure::output_end;
use super::items::Progress;
use super::level::{Level, Wishes};
use super::live_output::LiveOutput;
use crate::mapreduce::ErrorCollector;
use crate::session::{
    Address, Event, EventKind, JobProgress, Notice, PersonsAnswer, Report, SessionKind,
    SessionState, StepResult, StepStatus,
};
use crate::view::{self, Ink};

/// Most characters of a command or a message in one line.
pub(super) const WIDTH: usize = 160;

/// Turns events and notices into lines of text.
pub struct Lines {
    wishes: Wishes,
    /// Attempts whose failure has been shown in full.
    shown: HashMap<Address, u32>,
    /// Steps whose output was shown as it came.
    seen: HashSet<Address>,
    live: LiveOutput,
    pub(super) text: String,
    /// How far the map is.
    pub(super) progress: Progress,
    /// Failures of items that are told later.
    pub(super) item_errors: ErrorCollector<String>,
}

impl Lines {
    pub fn new(wishes: Wishes) -> Self {
        let item_errors = ErrorCollector::new(wishes.item_errors);
        Self {
            wishes,
            item_errors,
            shown: HashMap::new(),
            seen: HashSet::new(),
            live: LiveOutput::default(),
            text: String::new(),
            progress: Progress::default(),
        }
    }

    /// How much is shown.
    pub fn level(&self) -> Level {
        self.wishes.level
    }

    /// The lines of an event, each with its newline; often none.
    pub fn event(&mut self, event: &Event, state: &SessionState) -> &str {
        self.text.clear();
        if let EventKind::RunStarted(_) = &event.kind {
            self.progress.begin(event.at);
        }
        if self.of_item(event, state) {
            return &self.text;
        }
        self.left_of_items(event);
        match &event.kind {
            EventKind::StepFinished { address, result, .. } => {
                self.flush_output(address);
                self.step_finished(address, result, state);
                self.shown.remove(address);
                self.seen.remove(address);
            }
            EventKind::AttemptFinished { address, attempt, report } => {
                self.flush_output(address);
                self.attempt_finished(address, *attempt, report, state);
                self.seen.remove(address);
            }
            _ if self.wishes.level == Level::Quiet => {}
            _ => self.other(event, state),
        }
        &self.text
    }

    /// The lines of a notice.
    pub fn notice(&mut self, notice: &Notice<'_>) -> &str {
        self.text.clear();
        let style = self.wishes.style;
        match notice {
            _ if self.wishes.level == Level::Quiet => {}
            Notice::Warning(message) => {
                let warning = style.paint(Ink::Caution, "warning:");
                let _ = writeln!(self.text, "{warning} {}", view::paragraph(message, 2));
            }
            Notice::Info(message) => {
                let _ = writeln!(self.text, "{}", view::paragraph(message, 2));
            }
            Notice::Agent { address, line, text: false } => {
                self.live.say(address, line, style, &mut self.text);
            }
            _ if self.wishes.level < Level::Verbose => {}
            Notice::Output { address, stderr, bytes } => {
                if !self.seen.contains(*address) {
                    self.seen.insert((*address).clone());
                }
                self.live.add(address, *stderr, bytes, style, &mut self.text);
            }
            Notice::Agent { address, line, .. } => {
                self.live.say(address, line, style, &mut self.text);
            }
        }
        &self.text
    }

    fn flush_output(&mut self, address: &Address) {
        self.live.flush(address, self.wishes.style, &mut self.text);
    }

    fn step_finished(&mut self, address: &Address, result: &StepResult, state: &SessionState) {
        let failed = result.status == StepStatus::Failed;
        if self.wishes.level == Level::Quiet && !failed {
            return;
        }
        let (word, ink) = view::step_words(result.status);
        self.word(word, ink, address, state);
        self.command(address, state);
        if failed {
            let message = result.report.failure.as_ref().map(|failure| failure.message.shown());
            if let Some(message) = message {
                let _ = write!(self.text, ": {}", view::clip(&message, WIDTH));
            }
        }
        let attempts = result.attempts;
        if result.status != StepStatus::Skipped {
            let _ = write!(self.text, " ({}", view::duration_ms(result.report.duration_ms));
            if attempts > 1 {
                let _ = write!(self.text, ", {attempts} attempts");
            }
            let cost = result.report.agent.as_ref().and_then(|agent| agent.cost_usd);
            if let Some(cost) = cost {
                let _ = write!(self.text, ", {}", view::dollars(cost));
            }
            self.text.push(')');
        }
        self.text.push('\n');
        if failed {
            let attempt = state.standing.record(address).map_or(attempts, |record| record.attempt);
            if self.shown.get(address) != Some(&attempt) {
                self.failure(address, attempt, &result.report, state);
            }
            let failure = result.report.failure.as_ref();
            if let Some(help) = failure.and_then(|failure| failure.help.as_ref()) {
                let _ = writeln!(self.text, "    help: {}", view::line(help));
            }
        }
    }

    fn attempt_finished(
        &mut self,
        address: &Address,
        attempt: u32,
        report: &Report,
        state: &SessionState,
    ) {
        let Some(failure) = &report.failure else { return };
        if self.wishes.level == Level::Quiet {
            return;
        }
        self.word("failed", Ink::Bad, address, state);
        let _ = writeln!(
            self.text,
            " attempt {attempt}: {} ({})",
            view::clip(&failure.message.shown(), WIDTH),
            view::duration_ms(report.duration_ms)
        );
        self.failure(address, attempt, report, state);
        self.shown.insert(address.clone(), attempt);
    }

    /// The end of the output and the log.
    fn failure(&mut self, address: &Address, attempt: u32, report: &Report, state: &SessionState) {
        self.output_and_log(address, attempt, output_end(report), state);
    }

    /// The end of an output that was not shown as it came, and the log.
    pub(super) fn output_and_log(
        &mut self,
        address: &Address,
        attempt: u32,
        end_of: Vec<String>,
        state: &SessionState,
    ) {
        let style = self.wishes.style;
        let (faint, end) = (style.start(Ink::Faint), style.end());
        if !self.seen.contains(address) {
            for line in end_of {
                let _ = writeln!(self.text, "    {faint}|{end} {line}");
            }
        }
        if attempt == 0 {
            return; // It failed before anything was run.
        }
        if let Some(log) = (self.wishes.log)(state, address, attempt) {
            let _ = writeln!(self.text, "    log: {}", view::line(&log.display().to_string()));
        }
    }

    fn other(&mut self, event: &Event, state: &SessionState) {
        match &event.kind {
            EventKind::RunStarted(run) => self.run_started(run.run, state),
            EventKind::StepStarted { address, attempt, .. } => {
                self.word("running", Ink::Strong, address, state);
                self.command(address, state);
                if *attempt > 1 {
                    let _ = write!(self.text, " (attempt {attempt})");
                }
                self.text.push('\n');
            }
            // A call of an agent that its step goes on after; the next one says so itself.
            EventKind::RetryScheduled { uncounted: true, delay_ms: 0, .. } => {}
            EventKind::RetryScheduled { address, attempt, delay_ms, .. } => {
                self.word("retry", Ink::Caution, address, state);
                let delay = view::duration_ms(*delay_ms);
                let _ = writeln!(self.text, " attempt {attempt} in {delay}");
            }
            EventKind::HandlerStarted { address, id, strategy, .. } => {
                self.word("handle", Ink::Caution, address, state);
                self.handler_id(address, id);
                if !strategy.is_empty() && strategy != "recovery" {
                    let _ = write!(self.text, " ({})", view::line(strategy));
                }
                self.text.push('\n');
            }
            EventKind::HandlerSkipped { address, id, reason, failed } => {
                let word = if *failed { ("failed", Ink::Bad) } else { ("skipped", Ink::Faint) };
                self.word(word.0, word.1, address, state);
                self.handler_id(address, id);
                let _ = writeln!(self.text, " handler: {}", view::clip(reason, WIDTH));
            }
            EventKind::HandlerFinished { address, id, success, error, .. } => {
                let word = if *success { ("handled", Ink::Good) } else { ("failed", Ink::Bad) };
                self.word(word.0, word.1, address, state);
                self.handler_id(address, id);
                match error {
                    Some(error) if !success => {
                        let _ = write!(self.text, " handler: {}", view::clip(error, WIDTH));
                    }
                    _ if !success => self.text.push_str(" handler"),
                    _ => {}
                }
                self.text.push('\n');
            }
            EventKind::LoopStarted { address, items } => {
                self.word("loop", Ink::Strong, address, state);
                let _ = writeln!(self.text, " {}", view::count(items.len() as u64, "item"));
            }
            EventKind::JobStarted { job, items, .. } => {
                let items = view::count(u64::from(*items), "item");
                let _ = writeln!(self.text, "map       {items} ({})", view::line(job));
            }
            EventKind::DlqCleared { items } => {
                let items = view::count(items.len() as u64, "item");
                let _ = writeln!(self.text, "cleared   {items} of the dead letter queue");
            }
            EventKind::Scored { address, score, reached, .. } => {
                self.word("score", if *reached { Ink::Good } else { Ink::Caution }, address, state);
                let _ = writeln!(
                    self.text,
                    " {score}, threshold {}",
                    if *reached { "reached" } else { "not reached" }
                );
            }
            EventKind::ScopeFinished { address, status, .. } => {
                let (word, ink) = view::step_words(*status);
                self.word(word, ink, address, state);
                self.text.push('\n');
            }
            EventKind::Rewound { scope, from, to_seq, cause, by, .. } => {
                let target = from.map_or_else(|| scope.clone(), |from| scope.step(from));
                self.word("back", Ink::Caution, &target, state);
                let _ = write!(self.text, ": {}", view::rewind_words(*cause));
                if let Some(to_seq) = to_seq {
                    let _ = write!(self.text, ", to event {to_seq}");
                }
                if let Some(by) = by {
                    let _ = write!(self.text, ", asked for by {}", view::line(by.as_str()));
                }
                self.text.push('\n');
            }
            EventKind::Confirmed { address, yes, by } => {
                let word = if *yes { ("confirmed", Ink::Good) } else { ("refused", Ink::Bad) };
                self.word(word.0, word.1, address, state);
                let _ = writeln!(self.text, " by {}", view::line(by));
            }
            EventKind::Answered { address, answer } => {
                self.word("answer", Ink::Caution, address, state);
                self.text.push_str(match answer {
                    PersonsAnswer::Done => " it was done\n",
                    PersonsAnswer::Rerun => " run it again\n",
                });
            }
            EventKind::WorkflowChanged { kept, .. } => {
                let same = view::count(kept.len() as u64, "step");
                let _ = writeln!(self.text, "changed   the workflow was edited; as before: {same}");
            }
            EventKind::Forked { from, .. } => {
                let _ = writeln!(self.text, "forked    from {from}");
            }
            EventKind::RecoveryStarted(started) => {
                let (way, id) = (started.kind.as_str(), &started.recovery);
                let reason = view::clip(&started.reason, WIDTH);
                let _ = writeln!(self.text, "recover   {way}: {reason} ({id})");
            }
            EventKind::RecoveryFinished(finished) => {
                let (word, ink) = match finished.success {
                    true => ("recovered", Ink::Good),
                    false => ("failed", Ink::Bad),
                };
                let word = self.wishes.style.paint(ink, &format!("{word:<9}"));
                let reason = view::clip(&finished.reason, WIDTH);
                let _ = writeln!(self.text, "{word} {reason} ({})", finished.recovery);
            }
            EventKind::Moved { directory, .. } => {
                let directory = directory.display().to_string();
                let _ = writeln!(self.text, "moved     to {}", view::line(&directory));
            }
            EventKind::Superseded { by } => {
                let _ = writeln!(self.text, "replaced  by {by}");
            }
            // What follows says it, or the summary does.
            EventKind::SessionStarted(_)
            | EventKind::StepSpawned { .. }
            | EventKind::AgentEnded { .. }
            | EventKind::AttemptFinished { .. }
            | EventKind::StepFinished { .. }
            | EventKind::ItemFinished { .. }
            | EventKind::ItemFailed { .. }
            | EventKind::ErrorRaised { .. }
            | EventKind::ErrorSettled { .. }
            | EventKind::Waiting { .. }
            | EventKind::FilesKept(_)
            | EventKind::CheckpointMade { .. }
            | EventKind::RollbackStarted(_)
            | EventKind::FilesRestored { .. }
            | EventKind::RunFinished { .. } => {}
        }
    }

    fn run_started(&mut self, run: u32, state: &SessionState) {
        let Some(header) = state.header() else { return };
        let style = self.wishes.style;
        let name = style.paint(Ink::Strong, &view::clip(&header.name, WIDTH));
        let id = &header.workflow_id;
        if run > 1 {
            let at = view::position(state);
            let counts = match JobProgress::of(state).filter(|job| job.total_items > 0) {
                Some(job) => Some(view::item_counts(&job)),
                None => Some(view::StepCounts::of(state))
                    .filter(|it| !it.is_empty())
                    .map(|it| it.to_string()),
            };
            let counts = counts.map(|counts| format!(": {counts}")).unwrap_or_default();
            let _ = writeln!(self.text, "resume    {name} at {at}{counts} ({id})");
        } else if header.kind == SessionKind::Mapreduce {
            let phases = header.stages.join(", ");
            let _ = writeln!(self.text, "run       {name}: {} ({id})", view::line(&phases));
        } else if header.stages.is_empty() {
            let steps = view::count(header.total_steps as u64, "step");
            let _ = writeln!(self.text, "run       {name}, {steps} ({id})");
        } else {
            let stages = view::count(header.stages.len() as u64, "stage");
            let _ = writeln!(self.text, "run       {name}, {stages} ({id})");
        }
    }

    /// The word in its column, then where.
    pub(super) fn word(&mut self, word: &str, ink: Ink, address: &Address, state: &SessionState) {
        let style = self.wishes.style;
        let _ = write!(self.text, "{}{word:<9}{} ", style.start(ink), style.end());
        if !address.is_root() || word == "back" {
            view::push_label(&mut self.text, address, state);
        }
    }

    fn command(&mut self, address: &Address, state: &SessionState) {
        let Some(record) = state.standing.record(address) else { return };
        let title = record.title();
        if !title.is_empty() {
            self.text.push(' ');
            self.text.push_str(&view::clip(&title, WIDTH));
        }
    }

    /// The handler's id where it says more than the address.
    fn handler_id(&mut self, address: &Address, id: &str) {
        if !address.as_str().ends_with(&format!("[{id}]")) {
            let _ = write!(self.text, " {}", view::clip(id, WIDTH));
        }
    }
}

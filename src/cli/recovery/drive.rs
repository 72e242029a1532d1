//! Does a recovery: each of its steps is kept before and after, so that a crash goes on there.

use std::time::Duration;

use chrono::Utc;

use crate::cli::args::{OutputMode, Resume};
use crate::cli::confirm;
use crate::cli::lookup::Place;
use crate::cli::moved;
use crate::cli::output::Console;
use crate::cli::refusal::refused_marked;
use crate::cli::resume::{ItemWish, go_on};
use crate::cli::taking::Taking;
use crate::exit::{ExitKind, Failure};
use crate::playbook::model::Workflow;
use crate::playbook::recovery::RecoveryRule;
use crate::process::Stop;
use crate::recovery::{
    Chooser, Outcome, RecoveryState, RecoveryStatus, RollbackRequest, Shelf, StepWord,
    delay_before, doubtful_mark, is_past_fix, last_attempt, outcome, repeated_mark,
};
use crate::resume::Requeue;
use crate::session::{
    Address, EventKind, Reach, RecoveryFinished, RecoveryStarted, RecoveryType, RewindCause,
    SessionState, SessionStatus, rewound,
};
use crate::store::{Card, Loaded, OpenSession};

use super::decide::{NEXT, waits_for_person};
use super::ground::{footing, refused};
use super::rules::read_again;

/// A recovery under way.
pub(super) struct Drive<'a> {
    place: &'a Place,
    card: &'a Card,
    state: RecoveryState,
    rule: RecoveryRule,
    resume: &'a Resume,
    allow_rollback: bool,
    stop: Stop,
    /// The checkpoint to go back to, because later records are damaged.
    earlier: Option<String>,
    /// True until a run has heard what a person says of steps (`--rerun`, `--done`).
    first_run: bool,
}

impl<'a> Drive<'a> {
    /// A recovery that is about to begin or go on.
    pub(super) fn new(
        place: &'a Place,
        card: &'a Card,
        state: RecoveryState,
        resume: &'a Resume,
        allow_rollback: bool,
    ) -> Result<Self, Failure> {
        let rule = match &state.recovery_context.rule {
            Some(written) => read_again(written)?,
            None => read_again(&serde_json::json!({ "class": "any", "strategy": "resume" }))?,
        };
        let stop = Stop::install().map_err(|error| {
            Failure::new(ExitKind::Failed, "cannot listen to signals").because(error.to_string())
        })?;
        let (earlier, first_run) = (None, true);
        Ok(Self { place, card, state, rule, resume, allow_rollback, stop, earlier, first_run })
    }

    /// How it stands.
    pub(super) fn state(&self) -> &RecoveryState {
        &self.state
    }

    /// Goes the way to its end, or until it has to stop.
    pub(super) fn go(&mut self, console: &mut Console) -> Result<ExitKind, Failure> {
        moved::settle(&self.place.home, self.card, console)?;
        if self.read()?.state.status.is_some_and(SessionStatus::is_completed) {
            return self.end(true, "the workflow went to its end", ExitKind::Success);
        }
        self.keep()?;
        match self.state.recovery_type {
            RecoveryType::Person => Err(waits_for_person(&self.state)),
            RecoveryType::Retry => {
                self.validate(console)?;
                self.retry(console)
            }
            RecoveryType::Resume => {
                self.validate(console)?;
                self.resume(console)
            }
            RecoveryType::Rollback => {
                self.ask_to_roll_back()?;
                self.validate(console)?;
                self.roll_back(console)
            }
        }
    }

    /// Looks whether the way may be gone, before its first attempt; what is found is kept.
    fn validate(&mut self, console: &mut Console) -> Result<(), Failure> {
        let loaded = self.read()?;
        if last_attempt(&loaded.events, &self.state.id).is_some() {
            return Ok(());
        }
        self.open(StepWord::ValidateState, None)?;
        let falls_back = self.state.recovery_type == RecoveryType::Resume;
        let footing = footing(&self.place.home, &loaded, self.state.recovery_type, &self.stop)?;
        let found = footing.validation;
        for warning in &found.warnings {
            console.errors.line(format_args!("warning: {}", crate::view::line(warning)));
        }
        self.state.validation_results = serde_json::json!(found);
        self.earlier = footing.earlier.map(|version| format!("v{version}"));
        if let Some(version) = &self.earlier {
            self.state.corruption_detected = true;
            self.state.target_checkpoint_id = Some(format!("{}@{version}", self.card.workflow_id));
        }
        // A damaged journal is cut back to its last good record.
        let repairable = falls_back && found.is_damage_only() && loaded.damage.is_some();
        if found.is_valid || repairable {
            return self.close(RecoveryStatus::Completed, None);
        }
        self.close(RecoveryStatus::Failed, found.errors.first().cloned())?;
        let refused = refused(&found, &self.card.workflow_id);
        self.end(false, &found.errors.join("; "), refused.kind)?;
        Err(refused)
    }

    /// Fix, wait, run the failed step again, as often as the rule says.
    fn retry(&mut self, console: &mut Console) -> Result<ExitKind, Failure> {
        let attempts = self.rule.attempts.unwrap_or(1);
        let mut kind = ExitKind::Failed;
        loop {
            let loaded = self.read()?;
            let attempt = match last_attempt(&loaded.events, &self.state.id) {
                None => 1,
                Some((attempt, false)) => attempt,
                Some((attempt, true)) => match self.judge(&loaded.state) {
                    Outcome::Recovered(why) => return self.end(true, &why, kind),
                    Outcome::FailedAgain(why) if attempt >= attempts => {
                        return self.end(false, &why, ExitKind::Failed);
                    }
                    Outcome::FailedAgain(why) => {
                        self.close(RecoveryStatus::Failed, Some(why))?;
                        attempt + 1
                    }
                    Outcome::Open => attempt,
                },
            };
            self.refuse_marked(&loaded.state)?;
            self.wait(attempt, console)?;
            let fix = !self.rule.fix.is_empty();
            let word = if fix { StepWord::ApplyFix } else { StepWord::RetryStep };
            self.open(word, Some(attempt))?;
            kind = self.run(attempt, attempts, console)?;
            let after = self.read()?;
            if fix && is_past_fix(&after.events, &self.state.id, attempt) {
                self.close(RecoveryStatus::Completed, None)?;
                self.open(StepWord::RetryStep, Some(attempt))?;
            }
            if self.judge(&after.state) == Outcome::Open {
                return Ok(kind); // Stopped, or it waits for something.
            }
        }
    }

    /// On from the last checkpoint that is valid.
    fn resume(&mut self, console: &mut Console) -> Result<ExitKind, Failure> {
        let loaded = self.read()?;
        if loaded.damage.is_some() {
            self.repair(&loaded, console)?;
        }
        if let Some((_, true)) = last_attempt(&loaded.events, &self.state.id) {
            match self.judge(&loaded.state) {
                Outcome::Recovered(why) => return self.end(true, &why, ExitKind::Success),
                Outcome::FailedAgain(why) => return self.end(false, &why, ExitKind::Failed),
                Outcome::Open => {}
            }
        }
        self.open(StepWord::ResumeExecution, None)?;
        let kind = self.run(1, 1, console)?;
        let after = self.read()?;
        match self.judge(&after.state) {
            Outcome::Recovered(why) => self.end(true, &why, kind),
            Outcome::FailedAgain(why) => self.end(false, &why, ExitKind::Failed),
            Outcome::Open => Ok(kind),
        }
    }

    /// The session goes on from its last good record; what is cut off is kept aside.
    fn repair(&mut self, loaded: &Loaded, console: &mut Console) -> Result<(), Failure> {
        self.state.corruption_detected = true;
        self.open(StepWord::RestoreContext, None)?;
        if self.is_automatic()
            && let Some(marked) = self.doubtful(loaded)
        {
            self.end(false, &marked.message, marked.kind)?;
            return Err(marked);
        }
        let repaired = crate::store::repair(&self.place.home, &self.card.session_id)?;
        let version = loaded.state.lifetime.latest_version();
        self.state.target_checkpoint_id =
            version.map(|version| format!("{}@v{}", self.card.workflow_id, version.version));
        let target = self.state.target_checkpoint_id.clone().unwrap_or("its start".to_owned());
        let detail = format!("on from record {} ({target})", repaired.last_seq);
        console.remark(format_args!(
            "the records behind {target} are damaged ({} bytes): what they told is done again",
            repaired.lost_bytes
        ));
        if let Some(saved) = &repaired.saved {
            console.remark(format_args!("they are kept in {}", saved.display()));
        }
        self.close(RecoveryStatus::Completed, Some(detail))
    }

    /// A marked step that may have run behind the damage: only a person can say.
    fn doubtful(&self, loaded: &Loaded) -> Option<Failure> {
        let id = &self.card.workflow_id;
        let marked = doubtful_mark(&self.workflow()?, &loaded.state)?;
        let step = &marked.address;
        Some(
            Failure::new(
                ExitKind::NeedsPerson,
                format!("whether step {step} has run is not known: its record may be damaged"),
            )
            .because(format!("it is marked `on_resume: {}`", marked.mark))
            .with_help(format!(
                "prodigy recovery initiate {id} --type resume   (it may run again), or prodigy checkpoints validate {id} --repair, then prodigy resume {id} --done {step}"
            )),
        )
    }

    /// A marked step that would be refused after the delay is refused before it.
    fn refuse_marked(&mut self, state: &SessionState) -> Result<(), Failure> {
        let Some(step) = self.step().filter(|_| self.is_automatic()) else { return Ok(()) };
        let again = rewound(step, Reach::Own, RewindCause::Resume);
        let marked = self.workflow().and_then(|it| repeated_mark(&it, state, &[again]));
        let Some(marked) = marked else { return Ok(()) };
        let refused = refused_marked(marked, &self.card.workflow_id);
        self.end(false, &refused.message, refused.kind)?;
        Err(refused)
    }

    /// The workflow as the session has it.
    fn workflow(&self) -> Option<Workflow> {
        let text = crate::store::stored_workflow(&self.place.home, &self.card.session_id).ok()?;
        let path = self.place.home.workflow(&self.card.session_id);
        Some(crate::playbook::parse(&path, &text).ok()?.workflow)
    }

    /// The delay before an attempt; a crash in it waits for what is left.
    fn wait(&mut self, attempt: u32, console: &mut Console) -> Result<(), Failure> {
        let first = self.rule.delay.unwrap_or(Duration::ZERO);
        if first.is_zero() || self.state.has_done(StepWord::Wait, Some(attempt)) {
            return Ok(());
        }
        let delay = delay_before(first, attempt);
        let now = Utc::now();
        // The first delay counts from the failure, which may be long ago.
        let from = match attempt {
            1 => self.read()?.state.updated_at.unwrap_or(now).min(now),
            _ => now,
        };
        let end = from + chrono::Duration::from_std(delay).unwrap_or_default();
        let end =
            *self.state.begin(StepWord::Wait, Some(attempt), now).not_before.get_or_insert(end);
        self.keep()?;
        let left = (end - now).to_std().unwrap_or_default().min(delay);
        if !left.is_zero() {
            console.remark(format_args!(
                "waiting {} before attempt {attempt}",
                crate::view::duration_ms(u64::try_from(left.as_millis()).unwrap_or(u64::MAX))
            ));
        }
        if !self.stop.wait(left) {
            return Err(self.stopped());
        }
        self.close(RecoveryStatus::Completed, None)
    }

    fn stopped(&self) -> Failure {
        let kind = self.stop.requested().map_or(ExitKind::Interrupted, ExitKind::from);
        Failure::new(kind, "stopped while waiting")
            .with_help(format!("prodigy recovery initiate {}   (goes on)", self.card.workflow_id))
    }

    /// One run of the session as an attempt of this recovery.
    fn run(
        &mut self,
        attempt: u32,
        attempts: u32,
        console: &mut Console,
    ) -> Result<ExitKind, Failure> {
        if self.stop.requested().is_some() {
            return Err(self.stopped());
        }
        let home = &self.place.home;
        let session =
            OpenSession::open(home, &self.card.session_id, self.resume.options.durability)?;
        let context = &self.state.recovery_context;
        let step = context.step.clone();
        let fixes = !self.rule.fix.is_empty()
            && !is_past_fix(&self.read()?.events, &self.state.id, attempt);
        let fix_at = step.as_ref().filter(|_| fixes).map(|step| {
            let id = &self.state.id;
            let number = session.with(|it| it.lifetime.recovery_number(step, id, attempt));
            step.below_numbered("recovery", number)
        });
        let recovery = self.state.id.clone();
        let ended = |state: &SessionState| {
            let (success, reason) = match outcome(state, step.as_ref()) {
                Outcome::Recovered(why) => (true, why),
                Outcome::FailedAgain(why) if attempt >= attempts => (false, why),
                Outcome::FailedAgain(_) | Outcome::Open => return None,
            };
            Some(RecoveryFinished { recovery: recovery.clone(), success, reason })
        };
        let taking = Taking {
            started: self.started(attempt),
            rule: self.rule.clone(),
            fix_at,
            automatic: self.is_automatic(),
            ended: &ended,
        };
        super::restoring::keep_present(&session, console)?;
        // A recovery that was killed in its fix has not put them back into the map yet.
        let dead_items = |state: &SessionState| {
            let failed = state.status == Some(SessionStatus::Failed) || state.unanswered.is_some();
            failed && state.only_dead_items_are_left()
        };
        let requeue = match session.with(dead_items) {
            true => Requeue::All,
            false => Requeue::Nothing,
        };
        let wish = ItemWish { requeue, ..ItemWish::default() };
        let mut resume = Resume { from_checkpoint: self.earlier.take(), ..self.resume.clone() };
        if !std::mem::take(&mut self.first_run) {
            resume.rerun.clear();
            resume.done.clear();
        }
        let ran = go_on(session, &resume, &wish, Some(taking), console);
        if let Err(failure) = &ran
            && last_attempt(&self.read()?.events, &self.state.id).is_none()
        {
            self.put_off(failure)?;
        }
        ran
    }

    /// A rule rolls back only with a person's yes, or where that is allowed (DECISIONS A52). One
    /// that has begun had it.
    fn ask_to_roll_back(&self) -> Result<(), Failure> {
        let begun = self.state.status == RecoveryStatus::InProgress;
        if begun || !self.is_automatic() || self.resume.options.yes || self.allow_rollback {
            return Ok(());
        }
        let id = &self.card.workflow_id;
        let question = format!("Roll {id} back to its last good checkpoint, with the files?");
        match confirm::ask(&question, &|| self.stop.is_stopped()) {
            confirm::Answer::Yes => Ok(()),
            confirm::Answer::No | confirm::Answer::NoTerminal => Err(Failure::new(
                ExitKind::NeedsPerson,
                format!("a person has to say whether {id} is rolled back"),
            )
            .because("files change that a person may have edited since")
            .with_help(format!("prodigy recovery initiate {id} --yes"))),
        }
    }

    /// Back to the last good checkpoint.
    fn roll_back(&mut self, console: &mut Console) -> Result<ExitKind, Failure> {
        let home = &self.place.home;
        let session =
            OpenSession::open(home, &self.card.session_id, self.resume.options.durability)?;
        let header = crate::cli::resume::header_of(&session.with(Clone::clone))?;
        let done = match super::rollback::settle(&session, &header)? {
            Some(done) => {
                console.remark("finished the rollback that was interrupted");
                if let Some(state) = Shelf::of(home).find(&self.state.id)? {
                    self.state = state;
                }
                done
            }
            None => {
                let started = match last_attempt(&self.read()?.events, &self.state.id) {
                    None => vec![EventKind::RecoveryStarted(Box::new(self.started(1)))],
                    Some(_) => Vec::new(),
                };
                let begin = || Ok(session.commit_together(started.clone())?);
                let wish = super::rollback::Wish {
                    request: RollbackRequest::default(),
                    reason: Some(self.state.recovery_context.reason.clone()),
                    asks: match self.is_automatic() || self.resume.options.yes {
                        true => super::rollback::Asks::Nobody,
                        false => super::rollback::Asks::Person,
                    },
                };
                let recovery = &mut self.state;
                let done =
                    super::rollback::go_back(&session, &header, recovery, wish, &begin, console);
                if let Err(failure) = &done
                    && session.with(|state| state.rollback.is_none())
                {
                    self.put_off(failure)?;
                }
                done?
            }
        };
        session.commit(EventKind::RecoveryFinished(Box::new(RecoveryFinished {
            recovery: self.state.id.clone(),
            success: true,
            reason: format!("back at v{}", done.version.version),
        })))?;
        let for_people = matches!(self.resume.options.output, OutputMode::Text | OutputMode::Quiet);
        if for_people {
            super::rollback::tell(&session, &header, &done, false, console);
        }
        Ok(ExitKind::Success)
    }

    /// Nothing was changed, so there is nothing to go on with: it waits for a person's word, or
    /// has failed.
    fn put_off(&mut self, failure: &Failure) -> Result<(), Failure> {
        if failure.kind != ExitKind::NeedsPerson {
            return self.end(false, &failure.message, failure.kind).map(drop);
        }
        self.state.put_off();
        if let Some(help) = &failure.help {
            self.state.metadata.insert(NEXT.to_owned(), help.clone().into());
        }
        self.keep()
    }

    fn started(&self, attempt: u32) -> RecoveryStarted {
        let context = &self.state.recovery_context;
        RecoveryStarted {
            recovery: self.state.id.clone(),
            failure: self.state.failure_id.clone(),
            kind: self.state.recovery_type,
            step: context.step.clone(),
            attempt,
            reason: context.reason.clone(),
        }
    }

    fn is_automatic(&self) -> bool {
        self.state.recovery_context.chosen_by == Chooser::Rule
    }

    fn judge(&self, state: &SessionState) -> Outcome {
        outcome(state, self.step())
    }

    fn step(&self) -> Option<&Address> {
        self.state.recovery_context.step.as_ref()
    }

    fn read(&self) -> Result<Loaded, Failure> {
        self.place.read(&self.card.session_id)
    }

    fn end(&mut self, success: bool, why: &str, kind: ExitKind) -> Result<ExitKind, Failure> {
        let status = if success { RecoveryStatus::Completed } else { RecoveryStatus::Failed };
        self.state.finish(status, why, Utc::now());
        self.keep()?;
        Ok(kind)
    }

    fn open(&mut self, step: StepWord, attempt: Option<u32>) -> Result<(), Failure> {
        self.state.begin(step, attempt, Utc::now());
        self.keep()
    }

    fn close(&mut self, status: RecoveryStatus, detail: Option<String>) -> Result<(), Failure> {
        self.state.end(status, detail, Utc::now());
        self.keep()
    }

    fn keep(&self) -> Result<(), Failure> {
        Ok(Shelf::of(&self.place.home).keep(&self.state)?)
    }
}

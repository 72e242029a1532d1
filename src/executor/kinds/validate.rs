//! `validate:`: after a success, is the work complete? If not, complete it and look again.

use crate::executor::attempt::Done;
use crate::executor::frame::Frame;
use crate::executor::halt::Halt;
use crate::executor::run::Run;
use crate::executor::sequence::Flow;
use crate::expr::Value;
use crate::playbook::model::{OnIncomplete, Step, Validate};
use crate::session::{Address, EventKind, FailureKind, Score, Stored};

impl<'a> Run<'a> {
    /// Looks at the work until it is complete or nothing is left to try; a failure goes into `done`.
    pub(in crate::executor) fn validate(
        &self,
        frame: &Frame<'a>,
        step: &'a Step,
        address: &Address,
        validate: &'a Validate,
        done: &mut Done,
    ) -> Result<(), Halt> {
        let mut round = 1;
        loop {
            let score = match self.look(frame, step, address, validate, round)? {
                Ok(score) => score,
                Err(message) => {
                    done.report.failure = Some(self.failure(FailureKind::Incomplete, &message));
                    return Ok(());
                }
            };
            done.detail = Some(score.detail);
            if score.reached {
                return Ok(());
            }
            let message = format!(
                "the work is {} % complete, {} % are asked for",
                super::goal_seek::percent(score.score),
                super::goal_seek::percent(validate.threshold)
            );
            let more = validate.on_incomplete.as_ref().filter(|more| round <= more.max_attempts);
            let Some(more) = more else {
                done.report.failure = Some(self.failure(FailureKind::Incomplete, &message));
                done.passes = validate.on_incomplete.as_ref().is_some_and(|it| !it.fail_workflow);
                return Ok(());
            };
            if let Some(message) = self.complete(frame, address, more, round)? {
                done.report.failure = Some(self.failure(FailureKind::Incomplete, &message));
                done.passes = !more.fail_workflow;
                return Ok(());
            }
            round += 1;
        }
    }

    /// One look: recorded, or made now.
    fn look(
        &self,
        frame: &Frame<'a>,
        step: &'a Step,
        address: &Address,
        validate: &'a Validate,
        round: u32,
    ) -> Result<Result<Score, String>, Halt> {
        let at = address.below_numbered("validate", round);
        if let Some(score) = self.session.with(|state| state.standing.score(&at).cloned()) {
            return Ok(Ok(score));
        }
        let limit = match self.limit(validate.timeout.as_ref(), frame, address) {
            Ok(limit) => limit,
            Err(error) => return Ok(Err(format!("validate.timeout: {error}"))),
        };
        let mut inner = frame.at(at.clone()).within(limit, &at);
        inner.scored = Some(address.clone());
        let flow = self.sequence(&inner, &validate.steps)?;
        let text = match &validate.result_file {
            Some(file) => {
                let path = self
                    .render(file, frame, address)
                    .and_then(|name| Ok(self.directory(frame, step, address)?.join(name)));
                let path = match path {
                    Ok(path) => path,
                    Err(error) => return Ok(Err(format!("result_file: {error}"))),
                };
                match std::fs::read(&path) {
                    Ok(bytes) => bytes,
                    Err(error) => {
                        return Ok(Err(format!("cannot read {}: {error}", path.display())));
                    }
                }
            }
            None => {
                let last = at.step(validate.steps.len());
                let text = self.report_of(&last).stdout.text;
                self.read_back(&text)
            }
        };
        let score = match (completion(&text), flow) {
            (Ok(score), _) => score,
            (Err(_), Flow::Failed(cause)) => {
                return Ok(Err(format!("validation step {cause} failed: {}", self.told(&cause))));
            }
            (Err(reason), Flow::Done) => {
                return Ok(Err(format!("the validation result cannot be read: {reason}")));
            }
        };
        let reached = score >= validate.threshold;
        self.scored(&at, score, reached, text).map(Ok)
    }

    /// Records a measurement; on disk before anything follows from it.
    pub(super) fn scored(
        &self,
        at: &Address,
        score: f64,
        reached: bool,
        text: Vec<u8>,
    ) -> Result<Score, Halt> {
        let parsed = serde_json::from_slice::<serde_json::Value>(&text).ok();
        let detail = match parsed {
            Some(json) => Stored::seal(&Value::from(json), self.secrets()),
            None => self.keep_text(text)?,
        };
        self.commit(EventKind::Scored { address: at.clone(), score, reached, detail })?;
        self.session.sync()?;
        let score = self.session.with(|state| state.standing.score(at).cloned());
        Ok(score.unwrap_or(Score { seq: 0, score: 0.0, reached, detail: Stored::default() }))
    }

    /// `on_incomplete`: a message when it failed itself.
    fn complete(
        &self,
        frame: &Frame<'a>,
        address: &Address,
        more: &'a OnIncomplete,
        round: u32,
    ) -> Result<Option<String>, Halt> {
        let at = address.below_numbered("on_incomplete", round);
        let mut inner = frame.at(at.clone());
        inner.scored = Some(address.clone());
        let before = self.head_before(&at, more.commit_required);
        if let Flow::Failed(cause) = self.sequence(&inner, &more.steps)? {
            return Ok(Some(format!("on_incomplete step {cause} failed: {}", self.told(&cause))));
        }
        if more.commit_required && before.is_some() && self.surroundings.head() == before {
            return Ok(Some("on_incomplete made no commit (commit_required)".to_owned()));
        }
        Ok(None)
    }

    /// HEAD before the sequence `at`: of a sequence that a crash cut, as its first step saw it.
    fn head_before(&self, at: &Address, wanted: bool) -> Option<String> {
        if !wanted {
            return None;
        }
        let recorded = self.session.with(|state| {
            let first = state.standing.record(&at.step(1))?;
            first.head_before.clone()
        });
        recorded.or_else(|| self.surroundings.head())
    }
}

/// `completion_percentage` of a validation result.
fn completion(text: &[u8]) -> Result<f64, String> {
    let json: serde_json::Value =
        serde_json::from_slice(text).map_err(|error| format!("it is not JSON ({error})"))?;
    let number = json.get("completion_percentage").and_then(serde_json::Value::as_f64);
    let number = number.or_else(|| {
        let complete = json.get("status")?.as_str()? == "complete";
        complete.then_some(100.0)
    });
    match number {
        Some(number) if (0.0..=100.0).contains(&number) => Ok(number),
        Some(number) => Err(format!("completion_percentage is {number}")),
        None => Err("it has no completion_percentage".to_owned()),
    }
}

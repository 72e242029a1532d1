//! What an agent step keeps of a call: the answer, or the failure.

use crate::agent::{self, Answer, Failed};
use crate::executor::attempt::{Attempt, Done};
use crate::executor::halt::Halt;
use crate::executor::run::Run;
use crate::playbook::AGENT_INSTALL;
use crate::playbook::model::ClaudeCall;
use crate::session::{Failure, FailureClass, FailureKind, Report};

/// Whether an answer is what the step asked for.
pub(super) enum Fit {
    /// It is: the text that the step keeps.
    Good(String),
    /// It is not what `output_schema` asks for.
    Bad {
        /// The prompt that asks the agent to correct itself.
        correction: String,
        /// What is wrong, for people.
        reason: String,
    },
}

/// The answer as the step keeps it: its text, or with `output_schema` the JSON that satisfies it.
pub(super) fn fit(call: &ClaudeCall, answer: &Answer) -> Fit {
    let Some(schema) = &call.output_schema else { return Fit::Good(answer.text.clone()) };
    match agent::structured_answer(&schema.to_json(), answer) {
        Ok(json) => Fit::Good(json.to_string()),
        Err(correction) => {
            let problems = correction.lines().filter_map(|line| line.strip_prefix("- "));
            let reason = problems.collect::<Vec<_>>().join("; ");
            Fit::Bad { correction, reason }
        }
    }
}

impl<'a> Run<'a> {
    pub(super) fn answered(
        &self,
        attempt: &Attempt<'_, 'a>,
        mut report: Report,
        text: String,
    ) -> Result<Done, Halt> {
        report.exit_code = Some(0);
        report.stdout.bytes = text.len() as u64;
        report.stdout.text = self.keep_text(text.trim_end_matches('\n').as_bytes().to_vec())?;
        let mut done = Done { report, ..Done::default() };
        self.capture(attempt.step, &mut done);
        Ok(done)
    }

    /// The report of an answer that is not what was asked for; it holds what was judged.
    pub(super) fn misfit(&self, mut report: Report, answer: &Answer, reason: &str) -> Report {
        let text = answer.structured.as_ref().map_or(answer.text.clone(), ToString::to_string);
        report.exit_code = Some(1);
        report.stdout.bytes = text.len() as u64;
        report.stdout.text = self.seal(&text);
        let message = format!("the answer does not satisfy output_schema: {reason}");
        report.failure = Some(self.failure(FailureKind::Capture, &message));
        report
    }

    /// The prompt that asks to correct an answer of an earlier run.
    pub(super) fn correction(&self, call: &ClaudeCall, misfit: &Report) -> Option<String> {
        let text = String::from_utf8(self.read_back(&misfit.stdout.text)).ok()?;
        match fit(call, &Answer { text, structured: None }) {
            Fit::Bad { correction, .. } => Some(correction),
            Fit::Good(_) => None,
        }
    }

    pub(super) fn failed_report(
        &self,
        mut report: Report,
        failed: &Failed,
    ) -> Result<Report, Halt> {
        report.stdout.bytes = failed.text.len() as u64;
        report.stdout.text = self.keep_text(failed.text.clone().into_bytes())?;
        report.failure = Some(Failure {
            kind: failed.kind.kind(),
            class: failed.class,
            message: self.seal(&failed.message),
            help: failed.kind.next_step().map(str::to_owned),
        });
        Ok(report)
    }

    pub(super) fn no_agent(&self, error: &crate::process::SpawnError) -> Failure {
        let missing = error.source.kind() == std::io::ErrorKind::NotFound;
        let mut failure = self.failure(FailureKind::Start, &error.to_string());
        if missing {
            failure.class = FailureClass::MissingTool;
            failure.help = Some(format!("install it with: {AGENT_INSTALL}"));
        }
        failure
    }
}

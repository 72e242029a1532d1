//! From what a command printed to what the journal keeps and later steps see.

use crate::expr::Value;
use crate::playbook::model::{CaptureFormat, Step};
use crate::process::{Collected, Whole};
use crate::session::{Captured, FailureKind, Output, Stored, item_number};

use super::attempt::{Attempt, Done};
use super::halt::Halt;
use super::run::Run;

/// Larger texts lie beside the journal.
const INLINE: usize = 64 * 1024;
/// The same for what nobody has asked to capture: a long run must not hold it all (of an item
/// of a map it holds nothing once the item has ended).
const UNASKED: usize = 16 * 1024;

impl<'a> Run<'a> {
    /// A stream as the journal keeps it, without its trailing newlines, as in a shell.
    pub(super) fn keep_output(
        &self,
        attempt: &Attempt<'_, 'a>,
        collected: Collected,
    ) -> Result<Output, Halt> {
        let total = collected.total;
        let (mut bytes, cut) = match collected.whole {
            Whole::Bytes(bytes) => (bytes, false),
            Whole::NotKept | Whole::Overflow { .. } => (collected.shown.into_bytes(), true),
        };
        while bytes.last() == Some(&b'\n') {
            bytes.pop();
        }
        let asked = attempt.step.capture.name.is_some() || item_number(attempt.address).is_some();
        let inline = if asked { INLINE } else { UNASKED };
        Ok(Output { text: self.keep_within(inline, bytes)?, bytes: total, cut })
    }

    /// A text as the journal keeps it: inline, or beside the journal when it is large.
    pub(super) fn keep_text(&self, bytes: Vec<u8>) -> Result<Stored, Halt> {
        self.keep_within(INLINE, bytes)
    }

    fn keep_within(&self, inline: usize, bytes: Vec<u8>) -> Result<Stored, Halt> {
        if bytes.len() <= inline {
            return Ok(Stored::seal(&Value::text(bytes), self.secrets()));
        }
        let bytes =
            if self.secrets().is_empty() { bytes } else { self.secrets().mask_bytes(&bytes) };
        let digest = self.session.keep(&bytes)?;
        Ok(Stored::blob(&digest, bytes.len() as u64))
    }

    /// Fills in what the step's `capture…` keys ask for; a text that does not have its format
    /// fails the step.
    pub(super) fn capture(&self, step: &Step, done: &mut Done) {
        let Some(name) = &step.capture.name else { return };
        let report = &done.report;
        let streams = step.capture.streams;
        let failed = report.failure.is_some();
        if !streams.stderr && step.capture.format.is_none() && streams.stdout {
            done.captures = vec![Captured { name: name.clone(), value: None }];
            return;
        }
        let mut text = Vec::new();
        if streams.stdout {
            text.extend(self.read_back(&report.stdout.text));
        }
        if streams.stderr {
            if !text.is_empty() && !report.stderr.is_empty() {
                text.push(b'\n');
            }
            text.extend(self.read_back(&report.stderr.text));
        }
        let value = Value::text(text);
        let value = match step.capture.format {
            None | Some(CaptureFormat::String) => Ok(value),
            Some(format) => convert(&value, format, !failed),
        };
        match value {
            Ok(value) => {
                let stored = match &value {
                    Value::String(_) | Value::Bytes(_) => self.keep_text(value.to_bytes()),
                    _ => Ok(Stored::seal(&value, self.secrets())),
                };
                if let Ok(stored) = stored {
                    done.captures = vec![Captured { name: name.clone(), value: Some(stored) }];
                }
            }
            Err(_) if failed => {}
            Err(message) => {
                let message = format!("capture {name:?}: {message}");
                done.report.failure = Some(self.failure(FailureKind::Capture, &message));
            }
        }
    }

    /// The bytes of a recorded text.
    pub(super) fn read_back(&self, stored: &Stored) -> Vec<u8> {
        self.open_stored(stored).to_bytes()
    }

    /// A recorded value as it was; large ones are read from beside the journal. Secrets that it
    /// refers to were found to be set before the run began.
    pub(super) fn open_stored(&self, stored: &Stored) -> Value {
        let kept = |digest: &str| {
            self.session.kept(digest).map_err(|error| self.warn(&error.to_string())).ok()
        };
        stored.open_with(self.secrets(), &kept).unwrap_or_default()
    }
}

/// A captured text in another format.
fn convert(value: &Value, format: CaptureFormat, succeeded: bool) -> Result<Value, String> {
    let Value::String(text) = value else {
        return Err("the output is not UTF-8".into());
    };
    let trimmed = text.trim();
    match format {
        CaptureFormat::String => Ok(value.clone()),
        CaptureFormat::Json => serde_json::from_str::<serde_json::Value>(text)
            .map(Value::from)
            .map_err(|error| format!("the output is not JSON: {error}")),
        CaptureFormat::Lines => Ok(Value::Array(text.lines().map(Value::from).collect())),
        CaptureFormat::Number => trimmed
            .parse::<serde_json::Number>()
            .map(Value::Number)
            .map_err(|_| format!("{trimmed:?} is no number")),
        CaptureFormat::Boolean => Ok(Value::from(match trimmed.to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => true,
            "false" | "no" | "0" => false,
            _ => succeeded,
        })),
    }
}

//! The observer for programs: every event as one line of JSON, and nothing else.

use std::fmt::Write as _;
use std::io::Write;

use super::out::Out;
use crate::session::{Event, Observer, SessionState, Stored};

/// `--output json`: `{"session_id", "correlation_id", "seq", "at", "event"}` per line, with
/// secrets as `***`. The correlation id is that of the run; `null` before the first one begins.
pub struct JsonLines {
    out: Out,
    line: String,
}

impl JsonLines {
    /// Writes to `out`; errors of `out` are swallowed.
    #[must_use]
    pub fn new(out: Box<dyn Write + Send>) -> Self {
        Self { out: Out::new(out), line: String::new() }
    }
}

impl Observer for JsonLines {
    fn event(&mut self, event: &Event, state: &SessionState) {
        self.line.clear();
        if json_line(event, state, &mut self.line).is_ok() {
            self.out.write(&self.line);
        }
    }
}

/// Appends the line of `event` to `line`.
///
/// # Errors
/// The event cannot be written as JSON, which does not happen for recorded events.
pub fn json_line(
    event: &Event,
    state: &SessionState,
    line: &mut String,
) -> Result<(), serde_json::Error> {
    let json = shown_json(event)?;
    let session = state.header().map(|header| header.session_id.as_str());
    let correlation = state.lifetime.runs.last().map(|run| run.correlation_id.as_str());
    let fields = json.strip_prefix('{').unwrap_or(&json);
    let _ = writeln!(
        line,
        r#"{{"session_id":{},"correlation_id":{},{fields}"#,
        serde_json::to_string(&session)?,
        serde_json::to_string(&correlation)?,
    );
    Ok(())
}

/// The event as JSON, with stored values as people see them.
fn shown_json(event: &Event) -> Result<String, serde_json::Error> {
    let recorded = serde_json::to_string(event)?;
    if !recorded.contains("\"$") {
        return Ok(recorded); // Nothing in it is anything but plain JSON.
    }
    let whole: Stored = serde_json::from_str(&recorded)?;
    Ok(whole.to_json().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expr::Value;
    use crate::report::capture::{Capture, Gone};
    use crate::session::{Secrets, SessionStatus, StepStatus};
    use crate::view::story::{Story, failed_report, result};

    fn story() -> Story {
        let secrets = Secrets::new(vec![("TOKEN".into(), "hunter22".into())]);
        let mut report = failed_report(1, "x", "x");
        report.stdout.text = Stored::seal(&Value::from("key hunter22\n"), &secrets);
        report.stderr.text = Stored::seal(&Value::Bytes(vec![0xff, b'x']), &secrets);
        let mut story = Story::new("flow", 1, &[]);
        story.started("1", 1, "echo \"$x\" hi");
        story.finished("1", result(StepStatus::Failed, 1, report));
        story.ended(SessionStatus::Failed);
        story
    }

    #[test]
    fn every_event_is_one_object_that_names_its_session_and_run() {
        let capture = Capture::default();
        let story = story();
        story.tell(&mut JsonLines::new(Box::new(capture.clone())));
        let text = capture.text();
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), story.events.len());
        assert_eq!(lines[0]["correlation_id"], serde_json::Value::Null);
        for (number, line) in lines.iter().enumerate() {
            assert_eq!(line["session_id"], "session-3fa9c1aa-0000-4000-8000-000000000001");
            assert_eq!(line["seq"], number as u64 + 1);
            assert!(number == 0 || line["correlation_id"] == "run-1");
        }
        assert_eq!(lines[2]["event"]["step_started"]["command"], "echo \"$x\" hi");
        let report = &lines[3]["event"]["step_finished"]["result"]["report"];
        assert_eq!(report["stdout"]["text"], "key ***\n");
        assert_eq!(report["stderr"]["text"], "\u{fffd}x");
        assert!(!text.contains("$secret"));
    }

    #[test]
    fn a_reader_that_is_gone_stops_nothing() {
        story().tell(&mut JsonLines::new(Box::new(Gone)));
    }
}

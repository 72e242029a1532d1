//! The observer for everything that is not a terminal: one line per change, no control codes.

use std::io::Write;

use super::items::is_inside;
use super::level::{Level, Wishes};
use super::lines::Lines;
use super::out::Out;
use crate::session::{Event, EventKind, Notice, Observer, SessionState};

/// One line per change.
pub struct Plain {
    lines: Lines,
    out: Out,
}

impl Plain {
    /// Writes to `out`; errors of `out` are swallowed.
    #[must_use]
    pub fn new(out: Box<dyn Write + Send>, wishes: Wishes) -> Self {
        Self { lines: Lines::new(wishes), out: Out::new(out) }
    }
}

impl Observer for Plain {
    fn event(&mut self, event: &Event, state: &SessionState) {
        if let EventKind::StepStarted { address, .. } = &event.kind
            && is_inside(address)
            && self.lines.level() < Level::Verbose
        {
            return;
        }
        self.out.write(self.lines.event(event, state));
    }

    fn notice(&mut self, notice: &Notice<'_>) {
        self.out.write(self.lines.notice(notice));
    }
}

#[cfg(test)]
mod tests {
    use snapbox::{assert_data_eq, str};

    use super::*;
    use crate::report::capture::{Capture, Gone, wishes};
    use crate::report::level::Level;
    use crate::session::{EventKind, Report, SessionStatus, StepStatus, Stored};
    use crate::view::Style;
    use crate::view::story::{Story, address, agent_report, everything, failed_report, result};

    fn told(story: &Story, level: Level) -> String {
        let capture = Capture::default();
        story.tell(&mut Plain::new(Box::new(capture.clone()), wishes(level)));
        capture.text()
    }

    /// A step that fails twice and is handled, and one that fails for good.
    fn story() -> Story {
        let mut story = Story::new("data pipeline", 4, &[]);
        story.done("1", "cargo build");
        story.started("2", 1, "cargo test");
        story.attempt_failed(
            "2",
            1,
            failed_report(101, "running 2 tests\n", "error: one failed\n"),
        );
        story.add(EventKind::RetryScheduled {
            address: address("2"),
            attempt: 2,
            delay_ms: 5_000,
            not_before: crate::view::story::start(),
            max_attempts: None,
            uncounted: false,
            correlation_id: String::new(),
        });
        story.started("2", 2, "cargo test");
        story.attempt_failed("2", 2, failed_report(101, "", "still\n"));
        story.add(EventKind::HandlerStarted {
            address: address("2.on_failure[1]"),
            id: "fix".into(),
            strategy: "recovery".into(),
            attempt: 1,
            correlation_id: "c".into(),
        });
        story.done("2.on_failure[1]/1", "/fix-tests");
        story.add(EventKind::HandlerFinished {
            address: address("2.on_failure[1]"),
            id: "fix".into(),
            success: true,
            error: None,
            output: Stored::default(),
            capture: None,
            attempt: 1,
        });
        story.finished("2", result(StepStatus::Recovered, 2, failed_report(101, "", "still\n")));
        story.finished("3", result(StepStatus::Skipped, 0, Report::default()));
        story.started("4", 1, "deploy\nnow");
        story.finished(
            "4",
            result(StepStatus::Failed, 1, failed_report(1, "", "no route\u{1b}[2J\n")),
        );
        story.ended(SessionStatus::Failed);
        story
    }

    #[test]
    fn one_line_per_change() {
        assert_data_eq!(
            told(&story(), Level::Normal),
            str![[r#"
run       data pipeline, 4 steps (data-pipeline-3fa9c1)
running   1/4 cargo build
done      1/4 cargo build (0ms)
running   2/4 cargo test
failed    2/4 attempt 1: exit code 101 (1.2s)
    | running 2 tests
    | error: one failed
    log: /logs/2.1.log
retry     2/4 attempt 2 in 5s
running   2/4 cargo test (attempt 2)
failed    2/4 attempt 2: exit code 101 (1.2s)
    | still
    log: /logs/2.2.log
handle    2.on_failure[1] fix
running   2.on_failure[1]/1 /fix-tests
done      2.on_failure[1]/1 /fix-tests (0ms)
handled   2.on_failure[1] fix
recovered 2/4 cargo test (1.2s, 2 attempts)
skipped   3/4
running   4/4 deploy …
failed    4/4 deploy …: exit code 1 (1.2s)
    | no route/x1b[2J
    log: /logs/4.1.log

"#]]
        );
    }

    #[test]
    fn the_lines_of_all_events() {
        assert_data_eq!(
            told(&everything(), Level::Normal),
            str![[r#"
run       flow, 3 steps (flow-3fa9c1)
running   1/3 make …
failed    1/3 attempt 1: exit code 1 (1.2s)
    | out
    | err
    log: /logs/1.1.log
retry     1/3 attempt 2 in 1.5s
running   1/3 make all (attempt 2)
failed    1/3 attempt 2: exit code 1 (1.2s)
    | out
    | err
    log: /logs/1.2.log
skipped   1.on_failure[1] handler: its condition is false
handle    1.on_failure[2] fix-2
failed    1.on_failure[2] fix-2 handler: exit code 9
handle    1.on_failure[3] fix-3
handled   1.on_failure[3] fix-3
recovered 1/3 make all (1.2s, 2 attempts)
loop      2/3 2 items
score     2.goal[1] 80, threshold not reached
confirmed 3/3 by terminal
resume    flow at step 2/3: 1 recovered, 2 to do (flow-3fa9c1)
answer    3/3 it was done
changed   the workflow was edited; as before: 1 step
back      1/3: run again after its handler, asked for by 1.on_failure[3]
failed    pass[1]
map       2 items (job)
done      map/item_1 (1/2)
failed    map/item_2/1: exit code 1 (5ms)
    | oops
    log: /logs/map%2Fitem_2%2F1.1.log
failed    map/item_2 (2/2)
cleared   1 item of the dead letter queue
recover   retry: the network failed (recovery-0123456789ab)
recovered step 3 succeeded (recovery-0123456789ab)
forked    from session-00000000-0000-4000-8000-000000000002
moved     to /elsewhere
replaced  by session-00000000-0000-4000-8000-000000000002

"#]]
        );
    }

    #[test]
    fn quiet_shows_what_failed_for_good() {
        assert_data_eq!(
            told(&story(), Level::Quiet),
            str![[r#"
failed    4/4 deploy …: exit code 1 (1.2s)
    | no route/x1b[2J
    log: /logs/4.1.log

"#]]
        );
    }

    #[test]
    fn output_shown_live_is_not_shown_again() {
        let mut story = Story::new("flow", 1, &[]);
        story.started("1", 1, "make");
        let capture = Capture::default();
        let mut plain = Plain::new(Box::new(capture.clone()), wishes(Level::Verbose));
        story.tell(&mut plain);
        let at = address("1");
        for bytes in [&b"one\ntw"[..], b"o\n\x1b[31mthr"] {
            plain.notice(&Notice::Output { address: &at, stderr: false, bytes });
        }
        story.finished("1", result(StepStatus::Failed, 1, failed_report(1, "one\ntwo\nthr", "")));
        plain.event(story.events.last().unwrap(), &story.state);
        assert_data_eq!(
            capture.text(),
            str![[r#"
run       flow, 1 step (flow-3fa9c1)
running   1/1 make
1 | one
1 | two
1 | thr
failed    1/1 make: exit code 1 (1.2s)
    log: /logs/1.1.log

"#]]
        );
    }

    #[test]
    fn long_output_keeps_twenty_lines_of_both_streams() {
        let many = |name: &str| (1..=50).map(|n| format!("{name} {n}\n")).collect::<String>();
        let mut story = Story::new("flow", 1, &[]);
        story.finished(
            "1",
            result(StepStatus::Failed, 1, failed_report(1, &many("out"), &many("err"))),
        );
        let text = told(&story, Level::Quiet);
        assert_eq!(text.matches("    | ").count(), 20);
        assert!(text.contains("| out 50\n    | err 41\n") && text.contains("| err 50\n"), "{text}");
        assert!(text.contains("| out 41\n") && !text.contains("| out 40\n"), "{text}");
    }

    #[test]
    fn costs_of_agents_stand_beside_the_time() {
        let mut story = Story::new("flow", 1, &[]);
        story.started("1", 1, "/fix");
        story.finished("1", result(StepStatus::Success, 1, agent_report(Some(0.42))));
        assert!(told(&story, Level::Normal).ends_with("done      1/1 /fix (30s, $0.42)\n"));
    }

    #[test]
    fn colours_change_no_word() {
        let capture = Capture::default();
        let coloured = Wishes { style: Style::Coloured, ..wishes(Level::Normal) };
        everything().tell(&mut Plain::new(Box::new(capture.clone()), coloured));
        let text = capture.text();
        assert!(text.contains("\u{1b}[31mfailed"), "{text}");
        let plain: Vec<_> = crate::view::output_lines(&text).collect();
        assert_eq!(plain.join("\n") + "\n", told(&everything(), Level::Normal));
    }

    /// A generous limit for a test build: the cost must not grow with what came before.
    #[test]
    fn many_events_cost_little() {
        let mut story = Story::new("flow", 10_000, &[]);
        for step in 1..=10_000 {
            story.done(&step.to_string(), "true");
        }
        let mut plain = Plain::new(Box::new(std::io::sink()), wishes(Level::Normal));
        let begun = std::time::Instant::now();
        for event in &story.events {
            plain.event(event, &story.state);
        }
        let each = begun.elapsed() / u32::try_from(story.events.len()).unwrap();
        assert!(each < std::time::Duration::from_micros(200), "{each:?} an event");
    }

    #[test]
    fn a_reader_that_is_gone_stops_nothing() {
        story().tell(&mut Plain::new(Box::new(Gone), wishes(Level::Verbose)));
    }

    #[test]
    fn names_cannot_drive_the_terminal() {
        let mut story = Story::new("evil\u{1b}]0;owned\u{7}\nrun", 1, &["st\u{1b}[2Jage"]);
        story.done("st\u{9b}2Jage/1", "echo \u{1b}[2J\u{8}");
        story.ended(SessionStatus::Completed);
        for level in [Level::Quiet, Level::Normal, Level::Verbose] {
            let text = told(&story, level);
            assert!(!text.chars().any(|letter| letter.is_control() && letter != '\n'), "{text:?}");
        }
    }
}

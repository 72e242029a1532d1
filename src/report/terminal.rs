//! The observer for terminals: finished steps scroll by as one line each, what runs stands in
//! a live region below, in the same words as [`super::Plain`] has.

use std::io::Write;

use super::items::is_inside;
use super::level::{Level, Wishes};
use super::lines::Lines;
use super::screen::{Columns, Screen};
use crate::session::{Event, EventKind, Notice, Observer, SessionState, item_address, map_address};
use crate::view;

/// A live region and lines above it.
pub struct Terminal {
    lines: Lines,
    screen: Screen,
}

impl Terminal {
    /// Draws on `out`, which is a terminal with `columns()` characters a line; errors of
    /// `out` are swallowed.
    #[must_use]
    pub fn new(out: Box<dyn Write + Send>, columns: Columns, wishes: Wishes) -> Self {
        Self { lines: Lines::new(wishes), screen: Screen::new(out, columns) }
    }

    /// The screen, for those who need the terminal to themselves for a while.
    #[must_use]
    pub fn screen(&self) -> Screen {
        self.screen.clone()
    }

    /// How far the map is, with the rate and the time that is left.
    fn tell_map(&self, event: &Event, state: &SessionState) {
        if self.lines.level() != Level::Quiet {
            let words = self.lines.progress.words(event.at, state);
            self.screen.tell_whole(&format!("map       {words}"));
        }
    }
}

impl Observer for Terminal {
    fn event(&mut self, event: &Event, state: &SessionState) {
        let quiet = self.lines.level() == Level::Quiet;
        let lines = self.lines.event(event, state);
        match &event.kind {
            EventKind::StepStarted { address, .. } if !quiet => {
                self.screen.show(address, lines);
                if is_inside(address) {
                    self.tell_map(event, state);
                }
            }
            EventKind::AttemptFinished { address, .. }
            | EventKind::StepFinished { address, .. } => {
                self.screen.hide(address);
                self.screen.scroll(lines);
            }
            EventKind::RetryScheduled { address, .. } if !quiet && !lines.is_empty() => {
                self.screen.scroll(lines);
                self.screen.show(address, lines);
            }
            EventKind::JobStarted { .. } => {
                self.screen.scroll(lines);
                self.tell_map(event, state);
            }
            EventKind::ItemFinished { item, .. } => {
                self.screen.hide_within(&item_address(*item));
                self.screen.scroll(lines);
                self.tell_map(event, state);
            }
            EventKind::ItemFailed { item, .. } => {
                self.screen.hide_within(&item_address(*item));
                self.screen.scroll(lines);
            }
            EventKind::ScopeFinished { address, .. } => {
                self.screen.hide_within(address);
                self.screen.scroll(lines);
                if *address == map_address() {
                    self.screen.tell_whole("");
                }
            }
            EventKind::RunFinished { .. } => {
                self.screen.scroll(lines);
                self.screen.clear();
            }
            _ => self.screen.scroll(lines),
        }
    }

    fn notice(&mut self, notice: &Notice<'_>) {
        if let Notice::Agent { address, line, text: false } = notice {
            self.screen.note(address, &view::clip(line, 80));
            if self.lines.level() < Level::Verbose {
                return;
            }
        }
        self.screen.scroll(self.lines.notice(notice));
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.screen.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::capture::{Capture, Gone, wishes};
    use crate::report::plain::Plain;
    use crate::session::{Report, SessionStatus, StepStatus};
    use crate::view::story::{Story, address, failed_report, result};

    fn story() -> Story {
        let mut story = Story::new("flow", 3, &[]);
        story.done("1", "cargo build");
        story.started("2", 1, "cargo test");
        story.finished("2", result(StepStatus::Failed, 1, failed_report(1, "", "bad\n")));
        story.finished("3", result(StepStatus::Skipped, 0, Report::default()));
        story.ended(SessionStatus::Failed);
        story
    }

    /// What a terminal of 60 columns shows in the end, and had scrolled.
    fn screen(written: &str) -> Vec<String> {
        let mut rows = vec![String::new()];
        let (mut row, mut column) = (0, 0);
        let mut rest = written;
        while let Some(letter) = rest.chars().next() {
            if let Some(sequence) = rest.strip_prefix("\u{1b}[") {
                let end = sequence.find(|one: char| one.is_ascii_alphabetic()).unwrap();
                let number: usize = sequence[..end].parse().unwrap();
                match &sequence[end..=end] {
                    "A" => row -= number,
                    "B" => row += number,
                    "K" => rows[row].clear(),
                    "m" => {}
                    other => panic!("unexpected sequence {other}"),
                }
                rest = &sequence[end + 1..];
                continue;
            }
            rest = &rest[letter.len_utf8()..];
            match letter {
                '\r' => column = 0,
                '\n' => (row, column) = (row + 1, 0),
                _ => {
                    if column == 60 {
                        (row, column) = (row + 1, 0);
                    }
                    if rows.len() <= row {
                        rows.resize(row + 1, String::new());
                    }
                    let mut letters: Vec<char> = rows[row].chars().collect();
                    letters.resize(letters.len().max(column + 1), ' ');
                    letters[column] = letter;
                    rows[row] = letters.into_iter().collect();
                    column += 1;
                }
            }
            if rows.len() <= row {
                rows.resize(row + 1, String::new());
            }
        }
        rows.iter().map(|row| row.trim_end().to_owned()).collect()
    }

    #[test]
    fn what_scrolled_by_is_what_plain_output_says_without_the_starts() {
        let (drawn, plain) = (Capture::default(), Capture::default());
        let mut terminal = Terminal::new(Box::new(drawn.clone()), || 60, wishes(Level::Normal));
        story().tell(&mut terminal);
        drop(terminal);
        story().tell(&mut Plain::new(Box::new(plain.clone()), wishes(Level::Normal)));
        let mut shown = screen(&drawn.text());
        assert_eq!(shown.pop().as_deref(), Some(""), "the region is gone");
        let text = plain.text();
        let expected: Vec<_> = text.lines().filter(|line| !line.starts_with("running")).collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn what_runs_stands_below_with_its_note() {
        let drawn = Capture::default();
        let mut terminal = Terminal::new(Box::new(drawn.clone()), || 60, wishes(Level::Normal));
        let mut story = Story::new("flow", 3, &[]);
        story.done("1", "a").started("2", 2, "/fix everything");
        story.tell(&mut terminal);
        let at = address("2");
        terminal.notice(&Notice::Agent { address: &at, line: "Edit src/main.rs", text: false });
        terminal.notice(&Notice::Info("hello"));
        let shown = screen(&drawn.text());
        assert_eq!(shown[shown.len() - 2], "hello");
        let live = shown.last().unwrap();
        assert!(live.starts_with("running   2/3 /fix everything (attempt 2)  "), "{live}");
        terminal.screen().hide_during(|| {
            assert_eq!(screen(&drawn.text()).last().unwrap(), "", "a question has the screen");
        });
    }

    #[test]
    fn nothing_is_written_while_nothing_runs() {
        let drawn = Capture::default();
        let terminal = Terminal::new(Box::new(drawn.clone()), || 60, wishes(Level::Normal));
        terminal.screen().scroll("x\n");
        terminal.screen().hide_during(|| {});
        drop(terminal);
        assert_eq!(drawn.text(), "x\n");
    }

    #[test]
    fn a_dead_terminal_stops_nothing() {
        story().tell(&mut Terminal::new(Box::new(Gone), || 0, wishes(Level::Verbose)));
    }
}

//! A terminal with a live region at its lower end, and lines that scroll by above it.

use std::fmt;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle, TermLike};

use super::out::Out;
use crate::session::Address;
use crate::view;

/// Most steps shown at a time.
const SHOWN: usize = 5;

/// How often the elapsed times are drawn anew.
const TICK: Duration = Duration::from_millis(200);

/// How many characters a line of the terminal holds right now.
pub type Columns = fn() -> u16;

/// The live region. Clones are the same screen.
#[derive(Clone)]
pub struct Screen {
    bar: ProgressBar,
    running: Arc<Mutex<Vec<Running>>>,
    whole: Arc<Mutex<String>>,
    lines: Lines,
}

/// What runs, and since when.
struct Running {
    address: Address,
    line: String,
    note: String,
    since: Instant,
}

/// Where everything is written, shared by the region and the lines above it.
#[derive(Clone)]
struct Lines {
    drawing: Arc<Mutex<Drawing>>,
    columns: Columns,
}

/// What is written at once when the drawing is complete.
struct Drawing {
    out: Out,
    pending: String,
}

impl Screen {
    /// A screen on `out`, with nothing in its live region.
    pub fn new(out: Box<dyn Write + Send>, columns: Columns) -> Self {
        let drawing = Drawing { out: Out::new(out), pending: String::new() };
        let lines = Lines { drawing: Arc::new(Mutex::new(drawing)), columns };
        let running = Arc::new(Mutex::new(Vec::new()));
        let whole = Arc::new(Mutex::new(String::new()));
        let target = ProgressDrawTarget::term_like_with_hz(Box::new(lines.clone()), 10);
        let bar = ProgressBar::with_draw_target(None, target);
        let (shown, first) = (Arc::clone(&running), Arc::clone(&whole));
        let live = move |_: &ProgressState, text: &mut dyn fmt::Write| {
            let columns = usize::from(columns());
            let _ = text.write_str(&region(&held(&first), &held(&shown), columns));
        };
        if let Ok(style) = ProgressStyle::with_template("{live}") {
            bar.set_style(style.with_key("live", live));
        }
        bar.enable_steady_tick(TICK);
        Self { bar, running, whole, lines }
    }

    /// `line` stands for what runs at `address` from now on.
    pub fn show(&self, address: &Address, line: &str) {
        let mut running = held(&self.running);
        running.retain(|one| one.address != *address);
        running.push(Running {
            address: address.clone(),
            // Without colours, so that it can be cut to the width of the terminal.
            line: view::output_lines(line).next().unwrap_or_default().into_owned(),
            note: String::new(),
            since: Instant::now(),
        });
        drop(running);
        self.bar.tick();
    }

    /// `line` tells how far the whole is, above everything that runs; an empty one takes it away.
    /// Drawn with the next tick.
    pub fn tell_whole(&self, line: &str) {
        line.clone_into(&mut held(&self.whole));
    }

    /// What goes on at `address` right now; shown behind its line.
    pub fn note(&self, address: &Address, note: &str) {
        if let Some(one) = held(&self.running).iter_mut().find(|one| one.address == *address) {
            note.clone_into(&mut one.note);
        }
    }

    /// Nothing runs at `address` any more. Drawn with the next line.
    pub fn hide(&self, address: &Address) {
        held(&self.running).retain(|one| one.address != *address);
    }

    /// Nothing runs at `scope` or anywhere below it any more. Drawn with the next line.
    pub fn hide_within(&self, scope: &Address) {
        held(&self.running).retain(|one| !one.address.is_within(scope));
    }

    /// Nothing runs any more: the region goes.
    pub fn clear(&self) {
        held(&self.running).clear();
        held(&self.whole).clear();
        self.hide_during(|| {});
    }

    /// Lets whole lines scroll by above the region.
    pub fn scroll(&self, lines: &str) {
        if !lines.is_empty() {
            self.hide_during(|| held(&self.lines.drawing).out.write(lines));
        }
    }

    /// Takes the region away while `action` uses the terminal (to ask a person something).
    /// Nothing else is written meanwhile: `action` must not commit events, or it waits for itself.
    pub fn hide_during<T>(&self, action: impl FnOnce() -> T) -> T {
        self.bar.suspend(action)
    }

    /// Ends the ticking and takes the region away for good.
    pub fn close(&self) {
        self.bar.disable_steady_tick();
        self.clear();
    }
}

/// The lines of the region: how far the whole is, then what runs; what started last stands lowest.
fn region(whole: &str, running: &[Running], columns: usize) -> String {
    let hidden = running.len().saturating_sub(SHOWN);
    let mut text = view::clip(whole, columns.max(20).saturating_sub(1)).into_owned();
    if hidden > 0 {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&format!("… and {hidden} more"));
    }
    for one in &running[hidden..] {
        if !text.is_empty() {
            text.push('\n');
        }
        let elapsed = view::duration(one.since.elapsed().as_secs());
        let note = if one.note.is_empty() { String::new() } else { format!("  {}", one.note) };
        // The time stands in front of the note, where the end of the line cannot hide it.
        let room = columns.max(20).saturating_sub(elapsed.len() + 3);
        let line = view::clip(&one.line, room);
        let room = room.saturating_sub(line.chars().count());
        text.push_str(&format!("{line}  {elapsed}{}", note.chars().take(room).collect::<String>()));
    }
    text
}

fn held<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Lines {
    fn write(&self, text: &str) -> io::Result<()> {
        held(&self.drawing).pending.push_str(text);
        Ok(())
    }

    fn moved(&self, count: usize, direction: char) -> io::Result<()> {
        if count == 0 { Ok(()) } else { self.write(&format!("\u{1b}[{count}{direction}")) }
    }
}

impl fmt::Debug for Lines {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Lines")
    }
}

impl TermLike for Lines {
    fn width(&self) -> u16 {
        (self.columns)().max(20)
    }

    fn move_cursor_up(&self, count: usize) -> io::Result<()> {
        self.moved(count, 'A')
    }

    fn move_cursor_down(&self, count: usize) -> io::Result<()> {
        self.moved(count, 'B')
    }

    fn move_cursor_right(&self, count: usize) -> io::Result<()> {
        self.moved(count, 'C')
    }

    fn move_cursor_left(&self, count: usize) -> io::Result<()> {
        self.moved(count, 'D')
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.write(&format!("{text}\n"))
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.write(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.write("\r\u{1b}[2K")
    }

    fn flush(&self) -> io::Result<()> {
        let Drawing { out, pending } = &mut *held(&self.drawing);
        out.write(pending);
        pending.clear();
        Ok(())
    }
}

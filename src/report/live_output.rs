//! The output of steps as it comes, whole lines at a time, each with the step it is from.

use std::collections::HashMap;
use std::fmt::Write as _;

use crate::session::Address;
use crate::view::{self, Ink, Style};

/// A line longer than this is shown in pieces.
const LONGEST: usize = 8 * 1024;

/// Begun lines of each stream of each running step.
#[derive(Default)]
pub struct LiveOutput {
    begun: HashMap<Address, [Vec<u8>; 2]>,
}

impl LiveOutput {
    /// Takes a piece of output and appends the lines it completes to `text`.
    pub fn add(
        &mut self,
        address: &Address,
        stderr: bool,
        bytes: &[u8],
        style: Style,
        text: &mut String,
    ) {
        if !self.begun.contains_key(address) {
            self.begun.insert(address.clone(), Default::default());
        }
        let Some(streams) = self.begun.get_mut(address) else { return };
        let begun = &mut streams[usize::from(stderr)];
        begun.extend_from_slice(bytes);
        let end = match begun.iter().rposition(|byte| *byte == b'\n') {
            Some(newline) => newline + 1,
            None if begun.len() >= LONGEST => begun.len(),
            None => return,
        };
        push_lines(address, &begun[..end], style, text);
        begun.drain(..end);
    }

    /// Appends what a step began and did not end.
    pub fn flush(&mut self, address: &Address, style: Style, text: &mut String) {
        let Some(streams) = self.begun.remove(address) else { return };
        for begun in streams.iter().filter(|begun| !begun.is_empty()) {
            push_lines(address, begun, style, text);
        }
    }

    /// Appends what an agent says or does.
    pub fn say(&mut self, address: &Address, line: &str, style: Style, text: &mut String) {
        push_lines(address, line.as_bytes(), style, text);
    }
}

fn push_lines(address: &Address, bytes: &[u8], style: Style, text: &mut String) {
    let (faint, end) = (style.start(Ink::Faint), style.end());
    let address = view::line(address.as_str());
    for line in view::output_lines(&String::from_utf8_lossy(bytes)) {
        let _ = writeln!(text, "{faint}{address} |{end} {line}");
    }
}

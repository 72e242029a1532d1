//! Keeps what a stream said: its beginning and end for people, all of it for values.

use std::collections::VecDeque;

/// What people are shown of a stream: this much, head and tail together.
const SHOWN: usize = 1024 * 1024;
/// What is kept of the end, once the whole is longer than what is shown.
const TAIL: usize = SHOWN / 2;

/// How much of a stream is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Text to show: at most 1 MB, head and tail.
    Shown,
    /// Besides that every byte, unless there are more than this many.
    Whole(usize),
}

/// Collects one stream; memory stays bounded whatever comes.
#[derive(Debug)]
pub struct Collector {
    keep: Keep,
    total: u64,
    /// The first bytes: all that may still be needed as a whole or as the head.
    head: Vec<u8>,
    /// The last bytes that came after those in `head`.
    tail: VecDeque<u8>,
}

/// What a stream said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collected {
    /// How many bytes came.
    pub total: u64,
    /// For people: everything, or head and tail with a marker in between. Bytes that are no
    /// UTF-8 are replaced.
    pub shown: String,
    /// True when `shown` leaves something out.
    pub cut: bool,
    /// Every byte, as far as it was wanted.
    pub whole: Whole,
}

/// The complete bytes of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whole {
    /// Nobody asked for them.
    NotKept,
    /// All of them.
    Bytes(Vec<u8>),
    /// There were more than this limit: a value must be complete or not be at all.
    Overflow {
        /// The limit, in bytes.
        limit: usize,
    },
}

impl Collector {
    /// Begins with nothing.
    #[must_use]
    pub fn new(keep: Keep) -> Self {
        Self { keep, total: 0, head: Vec::new(), tail: VecDeque::new() }
    }

    /// Takes the next bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.total += bytes.len() as u64;
        let room = self.most_in_head().saturating_sub(self.head.len());
        let (first, rest) = bytes.split_at(room.min(bytes.len()));
        self.head.extend_from_slice(first);
        let rest = rest.get(rest.len().saturating_sub(TAIL)..).unwrap_or_default();
        let over = (self.tail.len() + rest.len()).saturating_sub(TAIL);
        self.tail.drain(..over);
        self.tail.extend(rest);
    }

    /// How many bytes came so far.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// What came in all.
    #[must_use]
    pub fn finish(self) -> Collected {
        let all_here = self.tail.is_empty();
        let cut = self.total > SHOWN as u64;
        let shown = if cut {
            self.head_and_tail()
        } else {
            let mut text = self.head.clone();
            text.extend(&self.tail);
            String::from_utf8_lossy(&text).into_owned()
        };
        let whole = match self.keep {
            Keep::Shown => Whole::NotKept,
            Keep::Whole(limit) if all_here && self.head.len() <= limit => Whole::Bytes(self.head),
            Keep::Whole(limit) => Whole::Overflow { limit },
        };
        Collected { total: self.total, shown, cut, whole }
    }

    /// Never less than what is shown when nothing is left out.
    fn most_in_head(&self) -> usize {
        match self.keep {
            Keep::Shown => SHOWN - TAIL,
            Keep::Whole(limit) => limit.max(SHOWN - TAIL),
        }
    }

    fn head_and_tail(&self) -> String {
        let head = self.head.get(..SHOWN - TAIL).unwrap_or(&self.head);
        let mut tail: Vec<u8> = self.tail.iter().copied().collect();
        if tail.len() < TAIL {
            // The end still sits in the head, which was kept whole.
            let from = self.head.len().saturating_sub(TAIL - tail.len()).max(head.len());
            tail.splice(0..0, self.head.get(from..).unwrap_or_default().iter().copied());
        }
        let left_out = self.total - (head.len() + tail.len()) as u64;
        let (head, tail) = (trim_end(head), trim_start(&tail));
        format!(
            "{}\n… {left_out} bytes left out …\n{}",
            String::from_utf8_lossy(head),
            String::from_utf8_lossy(tail)
        )
    }
}

/// Without the first bytes of a character that was cut apart.
fn trim_end(text: &[u8]) -> &[u8] {
    let whole = match std::str::from_utf8(text) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        _ => text.len(),
    };
    text.get(..whole).unwrap_or(text)
}

/// Without the last bytes of a character that was cut apart.
fn trim_start(text: &[u8]) -> &[u8] {
    let inside = text.iter().take(3).take_while(|byte| **byte & 0xc0 == 0x80).count();
    text.get(inside..).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collect(keep: Keep, bytes: &[u8], piece: usize) -> Collected {
        let mut collector = Collector::new(keep);
        bytes.chunks(piece).for_each(|chunk| collector.push(chunk));
        assert!(collector.head.len() + collector.tail.len() <= 2 * SHOWN);
        collector.finish()
    }

    fn numbered(bytes: usize) -> Vec<u8> {
        (0..).flat_map(|line: u32| format!("line {line}\n").into_bytes()).take(bytes).collect()
    }

    #[test]
    fn what_fits_is_shown_as_it_came() {
        for keep in [Keep::Shown, Keep::Whole(10)] {
            for length in [0, 9, TAIL, TAIL + 1, SHOWN] {
                let bytes = numbered(length);
                let collected = collect(keep, &bytes, 4096);
                assert!(collected.shown.as_bytes() == bytes && !collected.cut, "{length}");
                assert_eq!(collected.total, length as u64);
            }
        }
    }

    #[test]
    fn beyond_that_head_and_tail() {
        for (keep, piece) in
            [(Keep::Shown, 1000), (Keep::Whole(SHOWN), 65536), (Keep::Shown, usize::MAX)]
        {
            let bytes = numbered(3 * SHOWN);
            let collected = collect(keep, &bytes, piece);
            let marker = format!("\n… {} bytes left out …\n", 2 * SHOWN);
            let (head, tail) = collected.shown.split_once(&marker).unwrap();
            assert!(collected.cut && bytes.starts_with(head.as_bytes()));
            assert!(bytes.ends_with(tail.as_bytes()));
            assert_eq!(head.len() + tail.len(), SHOWN);
        }
    }

    #[test]
    fn the_end_is_shown_also_when_everything_was_kept() {
        let bytes = numbered(SHOWN + 7);
        let collected = collect(Keep::Whole(2 * SHOWN), &bytes, 100);
        assert!(collected.shown.contains("\n… 7 bytes left out …\n"));
        assert!(bytes.ends_with(&collected.shown.as_bytes()[collected.shown.len() - TAIL..]));
        assert_eq!(collected.whole, Whole::Bytes(bytes));
    }

    #[test]
    fn a_value_is_complete_or_not_there() {
        let bytes = [0xff, 0, b'x'];
        assert_eq!(collect(Keep::Whole(3), &bytes, 2).whole, Whole::Bytes(bytes.to_vec()));
        assert_eq!(collect(Keep::Whole(2), &bytes, 2).whole, Whole::Overflow { limit: 2 });
        assert_eq!(collect(Keep::Shown, &bytes, 2).whole, Whole::NotKept);
        let long = numbered(SHOWN);
        assert_eq!(collect(Keep::Whole(9), &long, 5000).whole, Whole::Overflow { limit: 9 });
    }

    #[test]
    fn no_character_is_cut_apart() {
        let bytes = "€".repeat(SHOWN).into_bytes();
        let collected = collect(Keep::Shown, &bytes, 777);
        assert!(!collected.shown.contains('\u{fffd}'));
    }
}

//! Masks secrets in a stream of bytes, also where a secret arrives in pieces (SPEC 11).

use crate::session::Secrets;

/// Replaces secrets by `***`. Holds back only what may be the beginning of one.
pub struct Masker {
    secrets: Secrets,
    /// Which bytes a secret can begin with.
    begins: [bool; 256],
    held: Vec<u8>,
}

/// What stands at the front of a text.
enum Front {
    /// No secret begins here.
    Open,
    /// One or more secrets, overlapping or not, of so many bytes together.
    Secret(usize),
    /// More bytes are needed to tell.
    Unknown,
}

/// Whether more can follow.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stream {
    Goes,
    Ended,
}

impl Masker {
    /// A masker for one stream.
    #[must_use]
    pub fn new(secrets: &Secrets) -> Self {
        let mut begins = [false; 256];
        for value in secrets.values() {
            if let Some(first) = value.as_bytes().first() {
                begins[usize::from(*first)] = true;
            }
        }
        Self { secrets: secrets.clone(), begins, held: Vec::new() }
    }

    /// Takes the next piece and gives what can be shown by now.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<u8> {
        if self.secrets.is_empty() {
            return bytes.to_vec();
        }
        self.held.extend_from_slice(bytes);
        self.advance(Stream::Goes)
    }

    /// The rest, when the stream has ended.
    pub fn finish(&mut self) -> Vec<u8> {
        self.advance(Stream::Ended)
    }

    fn advance(&mut self, stream: Stream) -> Vec<u8> {
        let mut shown = Vec::with_capacity(self.held.len());
        let mut rest = self.held.as_slice();
        while !rest.is_empty() {
            let open = rest.iter().position(|byte| self.begins[usize::from(*byte)]);
            let (plain, after) = rest.split_at(open.unwrap_or(rest.len()));
            shown.extend_from_slice(plain);
            rest = after;
            match self.front(rest, stream) {
                Front::Secret(length) => {
                    shown.extend_from_slice(b"***");
                    rest = &rest[length..];
                }
                Front::Open => {
                    let (first, after) = rest.split_at(rest.len().min(1));
                    shown.extend_from_slice(first);
                    rest = after;
                }
                Front::Unknown => break,
            }
        }
        self.held = rest.to_vec();
        shown
    }

    /// Secrets that begin inside one that was found are masked together with it.
    fn front(&self, text: &[u8], stream: Stream) -> Front {
        let mut end = 0;
        let mut at = 0;
        while at == 0 || at < end {
            let rest = &text[at..];
            for secret in self.secrets.values().map(str::as_bytes) {
                if rest.starts_with(secret) {
                    end = end.max(at + secret.len());
                    break; // The others are shorter.
                }
                if stream == Stream::Goes && secret.starts_with(rest) {
                    return Front::Unknown;
                }
            }
            at += 1;
        }
        if end == 0 { Front::Open } else { Front::Secret(end) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(values: &[&str]) -> Secrets {
        Secrets::new(
            values.iter().map(|value| ((*value).to_owned(), (*value).to_owned())).collect(),
        )
    }

    /// `text` in pieces of `size` bytes.
    fn masked(values: &[&str], text: &str, size: usize) -> String {
        let mut masker = Masker::new(&secrets(values));
        let mut shown = Vec::new();
        for piece in text.as_bytes().chunks(size) {
            shown.extend(masker.feed(piece));
        }
        shown.extend(masker.finish());
        String::from_utf8(shown).unwrap()
    }

    #[test]
    fn no_cut_shows_a_secret() {
        let values = ["hunter22", "hunter22-plus", "22-x"];
        let text = "a hunter22-plus b hunter22 c hunter2 hunter22-x hunter22-plu";
        for size in 1..=text.len() {
            let shown = masked(&values, text, size);
            assert_eq!(shown, "a *** b *** c hunter2 *** ***-plu", "{size}");
        }
    }

    #[test]
    fn what_cannot_be_a_secret_is_not_held_back() {
        let mut masker = Masker::new(&secrets(&["hunter22"]));
        assert_eq!(masker.feed(b"Password: "), b"Password: ");
        assert_eq!(masker.feed(b"x hunt"), b"x ");
        assert_eq!(masker.feed(b"ing"), b"hunting");
        assert_eq!(masker.feed(b"hunter2"), b"");
        assert_eq!(masker.finish(), b"hunter2");
        assert_eq!(Masker::new(&Secrets::default()).feed(&[0xff, 0]), [0xff, 0]);
    }

    #[test]
    fn repeated_beginnings() {
        for size in 1..6 {
            assert_eq!(masked(&["aab"], "aaab aaaab", size), "a*** aa***");
        }
    }
}

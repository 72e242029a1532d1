//! A regular expression that is equal to another when it is written the same.

use regex::Regex;

/// A regular expression, compiled once.
#[derive(Debug, Clone)]
pub(super) struct Pattern(Regex);

impl Pattern {
    /// Compiles `source`; the error is one line that says what is wrong.
    pub(super) fn compile(source: &str) -> Result<Self, String> {
        Regex::new(source).map(Self).map_err(|error| {
            let text = error.to_string();
            let reason = text.lines().last().unwrap_or_default().trim().to_owned();
            let reason = reason.strip_prefix("error: ").unwrap_or(&reason);
            format!("`{source}` is not a regular expression: {reason}")
        })
    }

    /// Whether it occurs in `text`.
    pub(super) fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_that_cannot_be_compiled_says_why_in_one_line() {
        let message = Pattern::compile("a(").expect_err("an open group");
        assert!(message.starts_with("`a(` is not a regular expression: "), "{message}");
        assert!(!message.contains('\n'), "{message}");
    }
}

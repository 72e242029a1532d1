//! One use of a name with everything around it.

use crate::expr::{Form, Segment, Use, nearest};
use crate::playbook::Problem;

use super::moment::{Role, Standing};
use super::text::Text;

/// One use, where it stands.
pub(super) struct Seen<'a, 'u> {
    pub(super) text: Text<'a>,
    pub(super) role: Role,
    pub(super) standing: &'u Standing<'a>,
    pub(super) used: &'u Use,
}

impl Seen<'_, '_> {
    pub(super) fn error(&self, message: impl Into<String>) -> Problem {
        let at = self.text.locate(&self.used.span, self.standing.at);
        Problem::error(at, self.text.length(&self.used.span), message)
    }

    pub(super) fn warning(&self, message: impl Into<String>) -> Problem {
        let at = self.text.locate(&self.used.span, self.standing.at);
        Problem::warning(at, self.text.length(&self.used.span), message)
    }

    pub(super) fn root(&self) -> &str {
        &self.used.path.root
    }

    pub(super) fn field(&self) -> Option<&str> {
        match self.used.path.rest.first() {
            Some(Segment::Field(field)) => Some(field),
            _ => None,
        }
    }

    /// True for a bare `${name}` of a shell command, which is the shell's when nobody knows it.
    pub(super) fn may_be_the_shells(&self) -> bool {
        matches!(self.used.form, Form::Shell { certain: false, .. })
    }

    /// True for a word of an expression that stands outside `${…}`.
    pub(super) fn is_bare_word(&self) -> bool {
        let before = self.text.source().get(..self.used.span.start).unwrap_or_default();
        let written = self.text.source().get(self.used.span.clone()).unwrap_or_default();
        let open = before.rfind("${").is_some_and(|start| !before[start..].contains('}'));
        matches!(self.text, Text::Condition(_)) && !open && !written.starts_with("${")
    }
}

/// A path as one writes it.
pub(super) fn written(used: &Use) -> String {
    let mut text = used.path.root.clone();
    for segment in &used.path.rest {
        match segment {
            Segment::Field(field) => {
                text.push('.');
                text.push_str(field);
            }
            Segment::Index(index) => text.push_str(&format!("[{index}]")),
        }
    }
    text
}

/// The known name that was probably meant.
pub(super) fn meant<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let known: Vec<String> = known.into_iter().map(str::to_owned).collect();
    nearest(name, &known).into_iter().next()
}

//! Which names a text or expression uses, for checks before anything runs.

use std::ops::Range;

use super::Path;

/// One use of a name.
#[derive(Debug, Clone, PartialEq)]
pub struct Use {
    /// The path as written.
    pub path: Path,
    /// Where, in bytes of the source text.
    pub span: Range<usize>,
    /// True when a missing name is no error here: it has a `:-` default or stands inside `exists(…)`.
    pub optional: bool,
    /// What kind of place it stands in.
    pub form: Form,
}

/// The kind of place a name is used in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `${…}` of a prompt, path or other field: an unknown name is an error.
    Text,
    /// An expression (`when`, `filter`, …): an unknown first name is an error.
    Expression,
    /// `${…}` of a shell command.
    Shell {
        /// How it stands there.
        quoting: Quoting,
        /// True when it can only be ours (dotted, indexed, filtered): unknown is an error.
        /// False for a bare `${name}`, which belongs to the shell unless the name is known.
        certain: bool,
        /// `| raw`: pasted as shell code.
        raw: bool,
        /// It is the list of `for x in ${…}`, without `lines` or `words`.
        in_for: bool,
        /// The whole command is nothing but this.
        whole: bool,
    },
}

/// The quoting around a hole of a shell command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quoting {
    /// Not quoted.
    Bare,
    /// Inside `"…"`.
    Double,
    /// Inside `'…'` or `$'…'`.
    Single,
    /// In a here-document.
    HereDocument,
    /// In a comment.
    Comment,
    /// In `$((…))` or another arithmetic place: only numbers may stand there.
    Arithmetic,
}

//! The tree of a YAML file: every node knows where it stands, every scalar keeps its text.

/// One node.
#[derive(Debug, Clone)]
pub struct Node {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// How many characters of that line belong to it, at least 1.
    pub length: usize,
    /// What it holds.
    pub content: Content,
}

/// What a node holds.
#[derive(Debug, Clone)]
pub enum Content {
    /// Text with the way it was written; see [`super::Kind`] for what it means.
    Scalar(String, Style),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping in file order, without duplicates, merge keys resolved.
    Map(Vec<Entry>),
}

/// One entry of a mapping. The key is always a scalar.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The text of the key.
    pub name: String,
    /// Where the key stands.
    pub key: Node,
    /// The value.
    pub value: Node,
}

/// How a scalar was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Without quotes: may be a number, a boolean or null.
    Plain,
    /// In quotes, or tagged `!!str`: always text.
    Quoted,
    /// After `|` or `>`: always text; the content is indented by this many columns.
    Block(u32),
}

impl Node {
    /// The text of a scalar.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Scalar(text, _) => Some(text),
            Content::List(_) | Content::Map(_) => None,
        }
    }

    /// The members of a sequence.
    #[must_use]
    pub fn items(&self) -> Option<&[Node]> {
        match &self.content {
            Content::List(items) => Some(items),
            Content::Scalar(..) | Content::Map(_) => None,
        }
    }

    /// The entries of a mapping.
    #[must_use]
    pub fn entries(&self) -> Option<&[Entry]> {
        match &self.content {
            Content::Map(entries) => Some(entries),
            Content::Scalar(..) | Content::List(_) => None,
        }
    }

    /// The value of a key of a mapping.
    #[must_use]
    pub fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries()?.iter().find(|entry| entry.name == name)
    }

    /// How deep it is nested, itself included.
    pub(super) fn height(&self) -> usize {
        1 + match &self.content {
            Content::Scalar(..) => 0,
            Content::List(items) => items.iter().map(Self::height).max().unwrap_or(0),
            Content::Map(entries) => {
                entries.iter().map(|entry| entry.value.height()).max().unwrap_or(0)
            }
        }
    }

    /// What a copy of it costs, in bytes, roughly.
    pub(super) fn weight(&self) -> usize {
        const NODE: usize = 64;
        NODE + match &self.content {
            Content::Scalar(text, _) => text.len(),
            Content::List(items) => items.iter().map(Self::weight).sum(),
            Content::Map(entries) => {
                entries.iter().map(|entry| NODE + entry.name.len() + entry.value.weight()).sum()
            }
        }
    }
}

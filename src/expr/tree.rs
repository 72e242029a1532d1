//! What a text or an expression is made of once it has been read.

use std::ops::Range;

use super::{Path, Value, filter::Filter, pattern::Pattern};

/// A part of a text.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece {
    /// As it is.
    Text(String),
    /// `${…}`.
    Hole(Box<Hole>),
    /// The word `$ARG`: replaced when the scope knows it, else left as it is.
    Argument(Name),
}

/// What stands between `${` and `}`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Hole {
    /// The value.
    pub body: Node,
    /// The text after `:-`, used when the value is missing, null or empty.
    pub default: Option<Vec<Piece>>,
    /// What is applied to the value, in this order.
    pub filters: Vec<Filter>,
}

/// A use of a name, where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Name {
    pub path: Path,
    pub span: Range<usize>,
}

/// A node of an expression. Chains of `and` and `or` are lists, so that the depth of a tree
/// is the depth of its parentheses.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Constant(Value),
    /// A string literal with `${…}` inside.
    Text(Vec<Piece>),
    Hole(Box<Hole>),
    Name(Name),
    List(Vec<Node>),
    Not(Box<Node>),
    All(Vec<Node>),
    Any(Vec<Node>),
    Compare(Box<Node>, Comparison, Box<Node>),
    /// `=~` or `matches` with a pattern that is known when it is read.
    Matches(Box<Node>, Pattern),
    /// `exists(path)`.
    Exists(Name),
    Call(Function, Vec<Node>),
}

/// An operator between two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Matches,
    In,
    NotIn,
    Contains,
}

/// A function of the language, apart from those that the parser turns into other nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Contains,
    StartsWith,
    EndsWith,
    Length,
    Lower,
    Upper,
    IsNull,
    IsNumber,
    IsString,
    IsBool,
    IsArray,
    IsObject,
}

/// Whether a missing name matters where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    Required,
    Optional,
}

impl Node {
    /// Calls `visit` for every name.
    pub(super) fn names(&self, need: Need, visit: &mut dyn FnMut(&Name, Need)) {
        match self {
            Self::Constant(_) => {}
            Self::Text(pieces) => names_of(pieces, need, visit),
            Self::Hole(hole) => hole.names(need, visit),
            Self::Name(name) => visit(name, need),
            Self::Exists(name) => visit(name, Need::Optional),
            Self::Not(node) | Self::Matches(node, _) => node.names(need, visit),
            Self::Compare(left, _, right) => {
                left.names(need, visit);
                right.names(need, visit);
            }
            Self::List(nodes) | Self::All(nodes) | Self::Any(nodes) | Self::Call(_, nodes) => {
                for node in nodes {
                    node.names(need, visit);
                }
            }
        }
    }
}

impl Hole {
    /// Calls `visit` for every name.
    pub(super) fn names(&self, need: Need, visit: &mut dyn FnMut(&Name, Need)) {
        let own = if self.default.is_some() { Need::Optional } else { need };
        self.body.names(own, visit);
        names_of(self.default.as_deref().unwrap_or_default(), need, visit);
    }
}

/// Calls `visit` for every name of a text.
pub(super) fn names_of(pieces: &[Piece], need: Need, visit: &mut dyn FnMut(&Name, Need)) {
    for piece in pieces {
        match piece {
            Piece::Text(_) => {}
            Piece::Hole(hole) => hole.names(need, visit),
            Piece::Argument(name) => visit(name, Need::Optional),
        }
    }
}

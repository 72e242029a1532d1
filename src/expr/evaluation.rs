//! Evaluates texts, holes and expressions against a scope, and remembers who wrote the values.

use super::{
    EvalError, Origin, Path, Scope, Segment, Value, access,
    comparison::compare,
    filter::Filter,
    nearest::did_you_mean,
    tree::{Function, Hole, Name, Node, Piece},
};

/// One evaluation; [`Self::origin`] is the greatest of all values it has read so far.
pub(super) struct Evaluation<'a> {
    scope: &'a dyn Scope,
    origin: Origin,
}

impl<'a> Evaluation<'a> {
    pub(super) fn new(scope: &'a dyn Scope) -> Self {
        Self { scope, origin: Origin::Authored }
    }

    pub(super) fn origin(&self) -> Origin {
        self.origin
    }

    /// The typed value of a text that is exactly one hole, else a text.
    pub(super) fn text(&mut self, pieces: &[Piece]) -> Result<Value, EvalError> {
        if let [Piece::Hole(hole)] = pieces {
            return self.hole(hole);
        }
        let mut bytes = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Text(text) => bytes.extend_from_slice(text.as_bytes()),
                Piece::Hole(hole) => {
                    let value = self.hole(hole)?;
                    bytes.extend(joined(&value, hole.separator()));
                }
                Piece::Argument(name) => match access::find(&name.path, self.scope) {
                    Some((value, origin)) => {
                        self.origin = self.origin.max(origin);
                        bytes.extend(value.to_bytes());
                    }
                    None => bytes.extend_from_slice(b"$ARG"),
                },
            }
        }
        Ok(Value::text(bytes))
    }

    pub(super) fn hole(&mut self, hole: &Hole) -> Result<Value, EvalError> {
        let mut value = match (&hole.body, &hole.default) {
            (Node::Name(name), Some(default)) => match access::find(&name.path, self.scope) {
                Some((value, origin)) if !is_empty(&value) => {
                    self.origin = self.origin.max(origin);
                    value
                }
                _ => match default.as_slice() {
                    [] => Value::String(String::new()),
                    pieces => self.text(pieces)?,
                },
            },
            (Node::Name(name), None) => {
                self.name(name).ok_or_else(|| access::unknown(&name.path, self.scope))?
            }
            (body, _) => self.node(body)?,
        };
        for filter in &hole.filters {
            value = filter.apply(value)?;
        }
        Ok(value)
    }

    fn name(&mut self, name: &Name) -> Option<Value> {
        let (value, origin) = access::find(&name.path, self.scope)?;
        self.origin = self.origin.max(origin);
        Some(value)
    }

    pub(super) fn node(&mut self, node: &Node) -> Result<Value, EvalError> {
        Ok(match node {
            Node::Constant(value) => value.clone(),
            Node::Text(pieces) => Value::text(self.text(pieces)?.to_bytes()),
            Node::Hole(hole) => self.hole(hole)?,
            Node::Name(name) => {
                self.name(name).ok_or_else(|| unknown_word(&name.path, self.scope))?
            }
            Node::List(nodes) => {
                Value::Array(nodes.iter().map(|node| self.node(node)).collect::<Result<_, _>>()?)
            }
            Node::Not(node) => Value::Bool(!self.node(node)?.is_truthy()),
            Node::All(nodes) => {
                for node in nodes {
                    if !self.node(node)?.is_truthy() {
                        return Ok(Value::Bool(false));
                    }
                }
                Value::Bool(true)
            }
            Node::Any(nodes) => {
                for node in nodes {
                    if self.node(node)?.is_truthy() {
                        return Ok(Value::Bool(true));
                    }
                }
                Value::Bool(false)
            }
            Node::Compare(left, comparison, right) => {
                let (left, right) = (self.node(left)?, self.node(right)?);
                Value::Bool(compare(&left, *comparison, &right)?)
            }
            Node::Matches(node, pattern) => {
                let value = self.node(node)?;
                Value::Bool(value != Value::Null && pattern.is_match(&value.to_text()))
            }
            Node::Exists(name) => {
                Value::Bool(self.name(name).is_some_and(|value| value != Value::Null))
            }
            Node::Call(function, nodes) => self.call(*function, nodes)?,
        })
    }

    fn call(&mut self, function: Function, nodes: &[Node]) -> Result<Value, EvalError> {
        let mut values = nodes.iter().map(|node| self.node(node)).collect::<Result<Vec<_>, _>>()?;
        let second = if values.len() > 1 { values.pop().unwrap_or_default() } else { Value::Null };
        let first = values.pop().unwrap_or_default();
        Ok(match function {
            Function::Contains => {
                Value::Bool(compare(&first, super::tree::Comparison::Contains, &second)?)
            }
            Function::StartsWith => Value::Bool(
                first != Value::Null && first.to_bytes().starts_with(&second.to_bytes()),
            ),
            Function::EndsWith => {
                Value::Bool(first != Value::Null && first.to_bytes().ends_with(&second.to_bytes()))
            }
            Function::Length => Filter::Length.apply(first)?,
            Function::Lower => Filter::Lower.apply(first)?,
            Function::Upper => Filter::Upper.apply(first)?,
            Function::IsNull => Value::Bool(first == Value::Null),
            Function::IsNumber => Value::Bool(matches!(first, Value::Number(_))),
            Function::IsString => Value::Bool(matches!(first, Value::String(_) | Value::Bytes(_))),
            Function::IsBool => Value::Bool(matches!(first, Value::Bool(_))),
            Function::IsArray => Value::Bool(matches!(first, Value::Array(_))),
            Function::IsObject => Value::Bool(matches!(first, Value::Object(_))),
        })
    }
}

impl Hole {
    /// What stands between the elements when the value is a list and becomes part of a text.
    pub(super) fn separator(&self) -> Option<&'static [u8]> {
        self.filters.last().and_then(Filter::separator)
    }
}

/// The bytes of a value inside a text; lists of lines are joined, other lists are JSON.
pub(super) fn joined(value: &Value, separator: Option<&[u8]>) -> Vec<u8> {
    match (value, separator) {
        (Value::Array(items), Some(separator)) => {
            items.iter().map(Value::to_bytes).collect::<Vec<_>>().join(separator)
        }
        (value, _) => value.to_bytes(),
    }
}

/// Whether a default takes the place of a value: null or the empty text, as in a shell.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Bytes(bytes) => bytes.is_empty(),
        _ => false,
    }
}

/// The error for a bare word of an expression that nobody knows: most often a text without quotes.
fn unknown_word(path: &Path, scope: &dyn Scope) -> EvalError {
    let error = EvalError::new(format!("unknown name `{}`", path.root));
    let near = did_you_mean(&path.root, &scope.names());
    if let [.., Segment::Field(field)] = path.rest.as_slice()
        && matches!(field.as_str(), "success" | "failed" | "exit_code" | "output")
    {
        let help = near.unwrap_or_else(|| format!("no step has the id `{}`", path.root));
        return error.help(help);
    }
    let text = format!("write '{path}' if it is a text");
    error.help(near.map_or(text.clone(), |near| format!("{near} ({text})")))
}

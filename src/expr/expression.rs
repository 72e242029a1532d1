//! The one expression language of `when`, `filter`, conditions and sort keys (SPEC 4.3).

use super::{
    EvalError, Form, Place, Scope, SyntaxError, Use, Value,
    cursor::Cursor,
    evaluation::Evaluation,
    parser,
    tree::{Need, Node},
    written::written,
};

/// An expression, read once.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    source: String,
    place: Place,
    node: Node,
}

written!(Expression);

impl Expression {
    /// Reads an expression: `${a.b} == 'x' and not c`, `${a != 0}`, `exists(x)`.
    ///
    /// # Errors
    /// Points at the first place that does not fit.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        let mut cursor = Cursor::new(text, 0);
        let node = parser::expression(&mut cursor)?;
        cursor.skip_space();
        if cursor.peek().is_some() {
            return Err(parser::unexpected(&cursor));
        }
        Ok(Self { source: text.to_owned(), place: Place::default(), node })
    }

    /// A constant (`when: true`).
    #[must_use]
    pub fn constant(value: bool) -> Self {
        Self {
            source: value.to_string(),
            place: Place::default(),
            node: Node::Constant(Value::Bool(value)),
        }
    }

    /// The names it uses.
    #[must_use]
    pub fn uses(&self) -> Vec<Use> {
        uses_of(&self.node)
    }

    /// Its typed value.
    ///
    /// # Errors
    /// An unknown first name, or operands that cannot be compared.
    pub fn evaluate(&self, scope: &dyn Scope) -> Result<Value, EvalError> {
        Evaluation::new(scope).node(&self.node)
    }

    /// Whether its value counts as true (DECISIONS B34).
    ///
    /// # Errors
    /// As [`Self::evaluate`].
    pub fn is_true(&self, scope: &dyn Scope) -> Result<bool, EvalError> {
        self.evaluate(scope).map(|value| value.is_truthy())
    }
}

/// The names that an expression uses.
pub(super) fn uses_of(node: &Node) -> Vec<Use> {
    let mut uses = Vec::new();
    node.names(Need::Required, &mut |name, need| {
        uses.push(Use {
            path: name.path.clone(),
            span: name.span.clone(),
            optional: need == Need::Optional,
            form: Form::Expression,
        });
    });
    uses
}

#[cfg(test)]
#[path = "expression_tests.rs"]
mod tests;

//! The one expression language of `when`, `filter`, conditions and sort keys (SPEC 4.3).

use serde::{Serialize, Serializer};

use super::{EvalError, Place, Scope, SyntaxError, Use, Value};

/// An expression, read once.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    source: String,
    place: Place,
}

impl Expression {
    /// Reads an expression: `${a.b} == 'x' and not c`, `${a != 0}`, `exists(x)`.
    ///
    /// # Errors
    /// Points at the first place that does not fit.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        Ok(Self { source: text.to_owned(), place: Place::default() })
    }

    /// A constant (`when: true`).
    #[must_use]
    pub fn constant(value: bool) -> Self {
        Self { source: value.to_string(), place: Place::default() }
    }

    /// The same, standing at `place` of its file.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = place;
        self
    }

    /// Where it stands in its file.
    #[must_use]
    pub fn place(&self) -> Place {
        self.place
    }

    /// The text as written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The names it uses.
    #[must_use]
    pub fn uses(&self) -> Vec<Use> {
        Vec::new()
    }

    /// Its typed value.
    ///
    /// # Errors
    /// An unknown first name, or operands that cannot be compared.
    pub fn evaluate(&self, scope: &dyn Scope) -> Result<Value, EvalError> {
        let _ = scope;
        Ok(Value::Null)
    }

    /// Whether its value counts as true (DECISIONS B34).
    ///
    /// # Errors
    /// As [`Self::evaluate`].
    pub fn is_true(&self, scope: &dyn Scope) -> Result<bool, EvalError> {
        self.evaluate(scope).map(|value| value.is_truthy())
    }
}

impl Serialize for Expression {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.source)
    }
}

//! Text with `${…}` holes, as in prompts, paths and every other field that is not shell code.

use serde::{Serialize, Serializer};

use super::{EvalError, Origin, Place, Scope, SyntaxError, Use, Value};

/// A text with holes, read once.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    source: String,
    place: Place,
}

impl Template {
    /// Reads a text: `${path}`, `${path:-default}`, `${path | filter}`, `${a == b}`, `$ARG`;
    /// `\${` and `$${` are a literal `${`.
    ///
    /// # Errors
    /// A hole that is not closed or whose inside cannot be read.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        Ok(Self { source: text.to_owned(), place: Place::default() })
    }

    /// A text without holes, whatever it holds.
    #[must_use]
    pub fn literal(text: &str) -> Self {
        Self { source: text.to_owned(), place: Place::default() }
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

    /// The text, when it has no holes (escapes resolved).
    #[must_use]
    pub fn as_literal(&self) -> Option<&str> {
        None
    }

    /// The names it uses.
    #[must_use]
    pub fn uses(&self) -> Vec<Use> {
        Vec::new()
    }

    /// Its value: the typed value when the text is exactly one hole, else the text with all
    /// values inserted. The origin is the greatest of its parts (a literal is authored).
    ///
    /// # Errors
    /// An unknown name without a default, or a filter that does not fit its value.
    pub fn evaluate(&self, scope: &dyn Scope) -> Result<(Value, Origin), EvalError> {
        let _ = scope;
        Ok((Value::Null, Origin::Data))
    }

    /// [`Self::evaluate`] as text.
    ///
    /// # Errors
    /// As [`Self::evaluate`], and bytes that are not UTF-8.
    pub fn render(&self, scope: &dyn Scope) -> Result<String, EvalError> {
        Ok(self.evaluate(scope)?.0.to_text())
    }
}

impl Serialize for Template {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.source)
    }
}

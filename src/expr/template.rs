//! Text with `${…}` holes, as in prompts, paths and every other field that is not shell code.

use super::{
    EvalError, Form, Origin, Place, Scope, SyntaxError, Use, Value,
    cursor::Cursor,
    evaluation::{Evaluation, joined},
    filter::Filter,
    hole::{End, pieces},
    tree::{Need, Piece, names_of},
    written::written,
};

/// A text with holes, read once.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    source: String,
    place: Place,
    pieces: Vec<Piece>,
}

written!(Template);

impl Template {
    /// Reads a text: `${path}`, `${path:-default}`, `${path | filter}`, `${a == b}`, `$ARG`;
    /// `\${` and `$${` are a literal `${`.
    ///
    /// # Errors
    /// A hole that is not closed or whose inside cannot be read.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        let pieces = pieces(&mut Cursor::new(text, 0), End::Source)?;
        Ok(Self { source: text.to_owned(), place: Place::default(), pieces })
    }

    /// A text without holes, whatever it holds.
    #[must_use]
    pub fn literal(text: &str) -> Self {
        Self {
            source: text.to_owned(),
            place: Place::default(),
            pieces: vec![Piece::Text(text.to_owned())],
        }
    }

    /// The text, when it has no holes (escapes resolved).
    #[must_use]
    pub fn as_literal(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [] => Some(""),
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// True when it is nothing but one value, not meant as code.
    #[must_use]
    pub fn is_value(&self) -> bool {
        matches!(self.pieces.as_slice(), [Piece::Hole(hole)] if !hole.filters.contains(&Filter::Raw))
    }

    /// The names it uses.
    #[must_use]
    pub fn uses(&self) -> Vec<Use> {
        let mut uses = Vec::new();
        names_of(&self.pieces, Need::Required, &mut |name, need| {
            uses.push(Use {
                path: name.path.clone(),
                span: name.span.clone(),
                optional: need == Need::Optional,
                form: Form::Text,
            });
        });
        uses
    }

    /// Its value: the typed value when the text is exactly one hole, else the text with all
    /// values inserted. The origin is the greatest of its parts (a literal is authored).
    ///
    /// # Errors
    /// An unknown name without a default, or a filter that does not fit its value.
    pub fn evaluate(&self, scope: &dyn Scope) -> Result<(Value, Origin), EvalError> {
        let mut evaluation = Evaluation::new(scope);
        let value = evaluation.text(&self.pieces)?;
        Ok((value, evaluation.origin()))
    }

    /// [`Self::evaluate`] as text.
    ///
    /// # Errors
    /// As [`Self::evaluate`], and bytes that are not UTF-8.
    pub fn render(&self, scope: &dyn Scope) -> Result<String, EvalError> {
        let value = self.evaluate(scope)?.0;
        let separator = match self.pieces.as_slice() {
            [Piece::Hole(hole)] => hole.separator(),
            _ => None,
        };
        String::from_utf8(joined(&value, separator)).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            EvalError::new(format!("the value of `{}` is not UTF-8 (byte {at})", self.source))
                .help("only a shell step can work with such bytes")
        })
    }
}

#[cfg(test)]
#[path = "template_tests.rs"]
mod tests;

//! What a hole of a command means: the shell's own, a constant to paste, or data to carry.

use std::rc::Rc;

use super::symbol::{Candidate, Reading};
use crate::expr::{
    EvalError, Form, Origin, Quoting, Scope, Use, Value, access,
    evaluation::{Evaluation, is_empty, joined},
    filter::Filter,
    tree::{Name, Need},
};

/// What a hole means.
#[derive(Debug, Clone)]
pub(in crate::expr) enum Meaning {
    /// It belongs to the shell.
    Shell,
    /// Text of the author: part of the command.
    Paste(Rc<[u8]>),
    /// A value from outside.
    Data(Rc<Datum>),
    /// `${name:-…}` without a value: the default counts.
    Missing,
}

/// A value from outside.
#[derive(Debug)]
pub(in crate::expr) struct Datum {
    pub value: Value,
    /// The value before a final `| quote`: where the shell removes the quotes again.
    pub unquoted: Option<Value>,
    /// What stands between the elements of a list inside quotes.
    pub separator: &'static [u8],
}

/// Where a hole stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::expr) struct Site {
    pub quoting: Quoting,
    /// In the list of `for name in …`.
    pub in_for: bool,
}

/// Decides what holes mean while a command is scanned.
pub(in crate::expr) trait Meanings {
    /// The meaning of a hole.
    fn meaning(&mut self, hole: usize) -> Result<Meaning, EvalError>;

    /// The meaning of a hole with its default as a literal text, for the places where the
    /// shell does not look inside.
    fn literal(&mut self, hole: usize) -> Result<Meaning, EvalError>;

    /// The scanner has come to a hole.
    fn stands(&mut self, hole: usize, site: Site);
}

/// Fills the holes with the values of a scope.
pub(in crate::expr) struct Filling<'a> {
    reading: &'a Reading,
    source: &'a str,
    scope: &'a dyn Scope,
    known: Vec<Option<Meaning>>,
}

impl<'a> Filling<'a> {
    pub(in crate::expr) fn new(
        reading: &'a Reading,
        source: &'a str,
        scope: &'a dyn Scope,
    ) -> Self {
        Self { reading, source, scope, known: vec![None; reading.candidates.len()] }
    }

    fn find(&self, candidate: &Candidate) -> Result<Meaning, EvalError> {
        if let Some(name) = candidate.name() {
            if !candidate.certain && !access::knows(&name.path.root, self.scope) {
                return Ok(Meaning::Shell);
            }
            if candidate.open {
                return Ok(match access::find(&name.path, self.scope) {
                    Some((value, origin)) if !is_empty(&value) => {
                        self.weigh(candidate, value, origin, None)?
                    }
                    _ => Meaning::Missing,
                });
            }
        }
        self.evaluate(candidate)
    }

    fn evaluate(&self, candidate: &Candidate) -> Result<Meaning, EvalError> {
        let mut evaluation = Evaluation::new(self.scope);
        let value = evaluation.hole(&candidate.hole)?;
        let unquoted = match candidate.hole.filters.split_last() {
            Some((Filter::Quote, rest)) => {
                let mut hole = candidate.hole.clone();
                hole.filters = rest.to_vec();
                Some(Evaluation::new(self.scope).hole(&hole)?)
            }
            _ => None,
        };
        self.weigh(candidate, value, evaluation.origin(), unquoted)
    }

    /// Decides between text and data.
    fn weigh(
        &self,
        candidate: &Candidate,
        value: Value,
        origin: Origin,
        unquoted: Option<Value>,
    ) -> Result<Meaning, EvalError> {
        let separator: &'static [u8] =
            if candidate.has(&Filter::OlderLines) { b"\n" } else { b" " };
        let pasted = |value: &Value| {
            let bytes = joined(value, candidate.hole.separator().map(|_| separator));
            super::carrier::without_nul(&bytes, self.text(candidate))?;
            Ok(Meaning::Paste(bytes.into()))
        };
        if origin == Origin::Authored || candidate.has(&Filter::Raw) {
            return pasted(&value);
        }
        if self.reading.whole && !candidate.has(&Filter::Words) {
            if origin == Origin::Parameter && candidate.hole.filters.is_empty() {
                return pasted(&value);
            }
            let text = self.text(candidate);
            let name = text.trim_start_matches(['$', '{']).trim_end_matches('}');
            let name = name.split([':', '|']).next().unwrap_or(name).trim();
            return Err(EvalError::new(format!(
                "`{text}` is the whole command, but its value comes from outside the workflow"
            ))
            .help(format!("write `${{{name} | raw}}` to run the value as a command")));
        }
        Ok(Meaning::Data(Rc::new(Datum { value, unquoted, separator })))
    }

    fn text(&self, candidate: &Candidate) -> &'a str {
        self.source.get(candidate.span.clone()).unwrap_or_default()
    }
}

impl Meanings for Filling<'_> {
    fn meaning(&mut self, hole: usize) -> Result<Meaning, EvalError> {
        if let Some(Some(meaning)) = self.known.get(hole) {
            return Ok(meaning.clone());
        }
        let Some(candidate) = self.reading.candidates.get(hole) else {
            return Ok(Meaning::Shell);
        };
        let meaning = self.find(candidate)?;
        if let Some(known) = self.known.get_mut(hole) {
            *known = Some(meaning.clone());
        }
        Ok(meaning)
    }

    fn literal(&mut self, hole: usize) -> Result<Meaning, EvalError> {
        match self.reading.candidates.get(hole) {
            Some(candidate) if candidate.open => self.evaluate(candidate),
            _ => self.meaning(hole),
        }
    }

    fn stands(&mut self, _: usize, _: Site) {}
}

/// Collects the uses of names without any values.
pub(in crate::expr) struct Survey<'a> {
    reading: &'a Reading,
    pub uses: Vec<Use>,
}

impl<'a> Survey<'a> {
    pub(in crate::expr) fn new(reading: &'a Reading) -> Self {
        Self { reading, uses: Vec::new() }
    }
}

impl Meanings for Survey<'_> {
    fn meaning(&mut self, hole: usize) -> Result<Meaning, EvalError> {
        let open = self.reading.candidates.get(hole).is_some_and(|candidate| candidate.open);
        if open { Ok(Meaning::Missing) } else { self.literal(hole) }
    }

    fn literal(&mut self, _: usize) -> Result<Meaning, EvalError> {
        // A number may stand everywhere.
        Ok(Meaning::Data(Rc::new(Datum {
            value: Value::from(0_u64),
            unquoted: None,
            separator: b" ",
        })))
    }

    fn stands(&mut self, hole: usize, site: Site) {
        let Some(candidate) = self.reading.candidates.get(hole) else {
            return;
        };
        let optional = candidate.open || site.quoting == Quoting::Comment;
        let form = Form::Shell {
            quoting: site.quoting,
            certain: candidate.certain,
            raw: candidate.has(&Filter::Raw),
            in_for: site.in_for
                && ![Filter::Lines, Filter::OlderLines, Filter::Words]
                    .iter()
                    .any(|filter| candidate.has(filter)),
            whole: self.reading.whole,
        };
        let mut add = |name: &Name, need| {
            self.uses.push(Use {
                path: name.path.clone(),
                span: name.span.clone(),
                optional: optional || need == Need::Optional,
                form,
            });
        };
        // Elsewhere the default is scanned too, and its holes come by themselves.
        if matches!(site.quoting, Quoting::Single | Quoting::Comment) {
            candidate.hole.names(Need::Required, &mut add);
        } else {
            candidate.hole.body.names(Need::Required, &mut add);
        }
    }
}

//! Reading of texts: plain ones, names, templates, expressions and shell commands.

use super::reader::{Field, Reader};
use crate::expr::{Expression, ShellText, Template};
use crate::playbook::yaml::Kind;

impl Reader {
    /// Text; a number or boolean is taken as it was written (`name: 2024`).
    pub fn text<'n>(&self, field: Field<'n>) -> Option<&'n str> {
        match Kind::of(field.value) {
            Kind::Text | Kind::Number | Kind::Bool(_) => field.value.text(),
            Kind::Null | Kind::List | Kind::Map => {
                self.wrong_kind(field, "text");
                None
            }
        }
    }

    /// Text with something in it.
    pub fn filled_text<'n>(&self, field: Field<'n>) -> Option<&'n str> {
        let text = self.text(field)?;
        if text.trim().is_empty() {
            self.error(field.value, format!("`{}` is empty", field.name));
            return None;
        }
        Some(text)
    }

    /// A name that can stand in `${…}`: letters, digits, `_` and `-`, not starting with a digit or `-`.
    pub fn name(&self, field: Field<'_>) -> Option<String> {
        let text = self.text(field)?;
        let mut characters = text.chars();
        let starts = characters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
        if starts && characters.all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')) {
            return Some(text.to_owned());
        }
        self.error_with_help(
            field.value,
            format!("`{}: {text}` is no name", field.name),
            "a name has letters, digits, `_` and `-`, and starts with a letter or `_`",
        );
        None
    }

    /// Text with `${…}` holes.
    pub fn template(&self, field: Field<'_>) -> Option<Template> {
        let text = self.text(field)?;
        match Template::parse(text) {
            Ok(template) => Some(template.at(self.place(field.value))),
            Err(error) => {
                self.syntax_error(field.value, text, &error);
                None
            }
        }
    }

    /// Text with holes that is not empty.
    pub fn filled_template(&self, field: Field<'_>) -> Option<Template> {
        self.filled_text(field)?;
        self.template(field)
    }

    /// A condition: an expression, or `true`/`false`.
    pub fn expression(&self, field: Field<'_>) -> Option<Expression> {
        if let Kind::Bool(value) = Kind::of(field.value) {
            return Some(Expression::constant(value).at(self.place(field.value)));
        }
        let text = self.filled_text(field)?;
        match Expression::parse(text) {
            Ok(expression) => Some(expression.at(self.place(field.value))),
            Err(error) => {
                self.syntax_error(field.value, text, &error);
                None
            }
        }
    }

    /// A shell command.
    pub fn shell_text(&self, field: Field<'_>) -> Option<ShellText> {
        let text = self.filled_text(field)?;
        match ShellText::parse(text) {
            Ok(command) => Some(command.at(self.place(field.value))),
            Err(error) => {
                self.syntax_error(field.value, text, &error);
                None
            }
        }
    }

    /// A list of texts, or one text.
    pub fn texts(&self, field: Field<'_>) -> Vec<String> {
        match field.value.items() {
            Some(items) => items
                .iter()
                .filter_map(|item| self.text(field.member(item)))
                .map(str::to_owned)
                .collect(),
            None => self.text(field).map(str::to_owned).into_iter().collect(),
        }
    }
}

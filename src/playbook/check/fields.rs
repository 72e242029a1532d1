//! Does a name have the field that is asked for?

use crate::expr::Segment;
use crate::playbook::model::{CaptureFormat, Constant};
use crate::session::StepKind;

use super::look::{Cause, Look};
use super::moment::Meaning;
use super::seen::{Seen, meant, written};
use crate::playbook::builtins::{Builtin, Fields, result_fields};

impl Look<'_, '_> {
    pub(super) fn builtin_fields(&mut self, builtin: &Builtin, seen: &Seen<'_, '_>) {
        let name = builtin.name;
        match builtin.fields {
            Fields::Any => {}
            Fields::None => {
                if !seen.used.path.rest.is_empty() {
                    let message = format!("`{name}` is a plain value and has no fields");
                    self.report(Cause::Field, name, seen.error(message));
                }
            }
            Fields::OneOf(_) | Fields::Result(_) => self.one_of(&builtin.fields.names(), seen),
        }
    }

    /// Reports a first field that is none of `fields`.
    fn one_of(&mut self, fields: &[&str], seen: &Seen<'_, '_>) {
        let name = seen.root();
        match seen.used.path.rest.first() {
            None => {}
            Some(Segment::Field(field)) if fields.contains(&field.as_str()) => {}
            // With a default it is never an error (DECISIONS B12).
            Some(_) if seen.used.optional => {}
            Some(Segment::Field(field)) => {
                let problem = seen.error(format!("`{name}` has no field `{field}`"));
                let help = match meant(field, fields.iter().copied()) {
                    Some(near) => format!("did you mean `{name}.{near}`?"),
                    None => format!("it has {}", listed(fields)),
                };
                self.report(Cause::Field, &format!("{name}.{field}"), problem.with_help(help));
            }
            Some(Segment::Index(_)) => {
                let problem = seen.error(format!("`{name}` is not a list"));
                self.report(
                    Cause::Field,
                    name,
                    problem.with_help(format!("it has {}", listed(fields))),
                );
            }
        }
    }

    pub(super) fn nothing_ran(&mut self, builtin: &Builtin, seen: &Seen<'_, '_>) {
        let ran = match builtin.name {
            "shell" => self.ran.contains(&StepKind::Shell),
            "claude" => self.ran.contains(&StepKind::Claude),
            "last" => !self.ran.is_empty(),
            _ => true,
        };
        if !ran && !seen.used.optional && !seen.used.path.rest.is_empty() {
            let kind = if builtin.name == "last" { "" } else { builtin.name };
            let message = format!("no {kind} step runs before this place").replace("  ", " ");
            let help = format!("write `${{{}:-}}` if it may be empty", written(seen.used));
            self.report(Cause::NothingRan, builtin.name, seen.warning(message).with_help(help));
        }
    }

    pub(super) fn step_fields(&mut self, seen: &Seen<'_, '_>) {
        let Some(definitions) = self.declared.steps.get(seen.root()) else { return };
        let result = definitions.iter().rfind(|each| !matches!(each.meaning, Meaning::Captured(_)));
        if let Some(definition) = result {
            let kind = match definition.meaning {
                Meaning::Result(kind) => kind,
                Meaning::Aggregate => return,
                _ => StepKind::Shell,
            };
            return self.one_of(&result_fields(kind), seen);
        }
        let text = definitions
            .iter()
            .all(|each| !matches!(each.meaning, Meaning::Captured(Some(CaptureFormat::Json))));
        if let Some(field @ ("exit_code" | "stderr" | "stdout" | "partial_success")) = seen.field()
            && text
        {
            let name = seen.root();
            let problem = seen
                .warning(format!("`{name}` is captured output and has no `{field}` of the step"))
                .with_help(format!("give the step an `id` and write `${{ID.{field}}}`"));
            self.report(Cause::Field, &format!("{name}.{field}"), problem);
        }
    }

    /// A mapping of `variables:` is known beforehand, so a field it does not have is a slip.
    pub(super) fn constant_fields(&mut self, seen: &Seen<'_, '_>) {
        if self.declared.steps.contains_key(seen.root()) || seen.used.optional {
            return;
        }
        let Some(variable) = self.declared.variables.get(seen.root()) else { return };
        let (mut value, mut path) = (&variable.value, seen.root().to_owned());
        for segment in &seen.used.path.rest {
            let (Constant::Map(entries), Segment::Field(field)) = (value, segment) else { return };
            let Some((_, inner)) = entries.iter().find(|(name, _)| name == field) else {
                let names: Vec<&str> = entries.iter().map(|(name, _)| name.as_str()).collect();
                let help = match meant(field, names.iter().copied()) {
                    Some(near) => format!("did you mean `{path}.{near}`?"),
                    None => format!("it has {}", listed(&names)),
                };
                let problem =
                    seen.error(format!("`{path}` has no field `{field}`")).with_help(help);
                return self.report(Cause::Field, &format!("{path}.{field}"), problem);
            };
            value = inner;
            path = format!("{path}.{field}");
        }
    }
}

fn listed(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => "no fields".to_owned(),
    }
}

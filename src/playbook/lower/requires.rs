//! `requires:` and `artifacts:` of workflows and steps (DECISIONS A56).

use super::env::is_env_name;
use crate::expr::Template;
use crate::playbook::reading::{Field, Fields, Reader};
use crate::playbook::requirements::{RequiredTool, Requirements};
use crate::playbook::yaml::Kind;

/// A tool, a list of tools, or `{tools, files, env}`.
pub fn requires(reader: &Reader, field: Field<'_>) -> Requirements {
    if Kind::of(field.value) != Kind::Map {
        return Requirements { tools: tools(reader, Some(field)), ..Requirements::default() };
    }
    let Some(mut fields) = Fields::open(reader, field.value, "`requires`") else {
        return Requirements::default();
    };
    if field.value.entries().is_some_and(<[_]>::is_empty) {
        reader.error(field.value, "`requires` is empty");
    }
    let requirements = Requirements {
        tools: tools(reader, fields.take("tools")),
        files: members(reader, fields.take("files"))
            .into_iter()
            .filter_map(|member| reader.filled_template(member))
            .collect(),
        env: members(reader, fields.take("env"))
            .into_iter()
            .filter_map(|member| variable(reader, member))
            .collect(),
    };
    fields.finish();
    requirements
}

/// Paths and patterns; one text or a list.
pub fn artifacts(reader: &Reader, field: Field<'_>) -> Vec<Template> {
    members(reader, Some(field)).into_iter().filter_map(|member| artifact(reader, member)).collect()
}

fn artifact(reader: &Reader, member: Field<'_>) -> Option<Template> {
    let template = reader.filled_template(member)?;
    if let Some(Err(error)) = template.as_literal().map(globset::Glob::new) {
        let message = format!("`{}` is no pattern: {}", member.name, error.kind());
        reader.error(member.value, message);
        return None;
    }
    Some(template)
}

fn tools(reader: &Reader, field: Option<Field<'_>>) -> Vec<RequiredTool> {
    members(reader, field).into_iter().filter_map(|member| tool(reader, member)).collect()
}

fn tool(reader: &Reader, member: Field<'_>) -> Option<RequiredTool> {
    let text = reader.filled_text(member)?;
    match RequiredTool::parse(text) {
        Ok(tool) => Some(tool),
        Err(why) => {
            reader.error(member.value, format!("`{text}` is no tool: {why}"));
            None
        }
    }
}

fn variable(reader: &Reader, member: Field<'_>) -> Option<String> {
    let name = reader.filled_text(member)?;
    if is_env_name(name) {
        return Some(name.to_owned());
    }
    reader.error_with_help(
        member.value,
        format!("`{name}` is no name for an environment variable"),
        "name it only; its value is looked at when the workflow starts",
    );
    None
}

/// The members of a list, or the one text that stands in its place.
fn members<'n>(reader: &Reader, field: Option<Field<'n>>) -> Vec<Field<'n>> {
    let Some(field) = field else { return Vec::new() };
    let Some(items) = field.value.items() else { return vec![field] };
    if items.is_empty() {
        reader.error(field.value, format!("`{}` is empty", field.name));
    }
    items.iter().map(|item| field.member(item)).collect()
}

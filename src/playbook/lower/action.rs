//! The kind of a step: exactly one of `shell`, `claude`, `goal_seek`, `foreach`, `write_file`, `test` (SPEC 3.3).

use super::on_failure::on_failure;
use super::{claude, foreach, goal_seek, write_file};
use crate::playbook::failure::HandlerSet;
use crate::playbook::model::{Action, Step};
use crate::playbook::reading::{Field, Fields, Reader, Sequence};
use crate::playbook::yaml::Kind;

/// The keys that make a step.
const KINDS: [&str; 6] = ["shell", "claude", "goal_seek", "foreach", "write_file", "test"];
/// Kinds of later versions.
const NOT_YET: [&str; 3] = ["workflow", "use", "template"];

/// Handlers that stand inside `test:`, with the field they were given in.
pub type HandlersOfTest<'n> = Option<(Field<'n>, Option<HandlerSet>)>;

/// What a step does, and the handlers of the older `test: {command, on_failure}`.
pub fn action<'n>(
    reader: &'n Reader,
    fields: &mut Fields<'n>,
    sequence: Sequence<'_>,
) -> (Option<Action>, HandlersOfTest<'n>) {
    let later = NOT_YET.iter().any(|name| fields.has(name));
    if later {
        fields.refuse_not_yet(&NOT_YET);
        for name in ["with", "outputs"] {
            fields.take_any_value(name);
        }
        reader.lose_names();
    }
    let given = KINDS.iter().filter(|name| fields.has(name)).count();
    let mut kinds = Vec::new();
    for name in KINDS {
        kinds.extend(fields.take(name));
    }
    if let [first, second, ..] = kinds.as_slice() {
        reader.error_with_help(
            second.key,
            format!("a step does one thing, this one has `{}` and `{}`", first.name, second.name),
            "make two steps of it",
        );
    }
    let Some(kind) = kinds.first().copied() else {
        if given == 0 && !later && !fields.probably_meant(&KINDS) {
            let name = fields.node().entry("name").and_then(|entry| entry.value.text());
            let help = match name.filter(|name| !name.contains(char::is_whitespace)) {
                Some(name) => format!("for a Claude command write `claude: \"/{name}\"`"),
                None => "give it one of: shell, claude, goal_seek, foreach, write_file".to_owned(),
            };
            reader.error_with_help(fields.node(), "this step has no command", help);
        }
        return (None, None);
    };
    let action = match kind.name {
        "shell" => reader.shell_text(kind).map(Action::Shell),
        "test" => return test(reader, kind, sequence),
        "claude" => claude::call(reader, kind, fields).map(|call| Action::Claude(Box::new(call))),
        "goal_seek" => {
            goal_seek::goal_seek(reader, kind).map(|seek| Action::GoalSeek(Box::new(seek)))
        }
        "foreach" => {
            foreach::foreach(reader, kind, fields).map(|each| Action::Foreach(Box::new(each)))
        }
        _ => write_file::write_file(reader, kind).map(|file| Action::WriteFile(Box::new(file))),
    };
    if kind.name != "claude" {
        claude::refuse_options(fields);
    }
    (action, None)
}

/// One `shell` (or the older `command`) or `claude` with its options, where a whole step would be too much.
pub fn single_command(reader: &Reader, fields: &mut Fields<'_>, whole: &str) -> Option<Step> {
    let shell = fields.take_either("shell", "command");
    let claude = fields.take("claude");
    if let (Some(shell), Some(_)) = (shell, claude) {
        reader.error_with_help(
            shell.key,
            format!("`{whole}` has `{}` and `claude`", shell.name),
            "one command stands here",
        );
    }
    if let Some(field) = claude {
        let call = claude::call(reader, field, fields)?;
        return Some(Step::plain(reader.position(field.value), Action::Claude(Box::new(call))));
    }
    let field = shell?;
    claude::refuse_options(fields);
    let text = reader.shell_text(field)?;
    Some(Step::plain(reader.position(field.value), Action::Shell(text)))
}

/// `test: COMMAND`, or `test: {command, on_failure}` as in older files (DECISIONS B22).
fn test<'n>(
    reader: &'n Reader,
    kind: Field<'n>,
    sequence: Sequence<'_>,
) -> (Option<Action>, HandlersOfTest<'n>) {
    if Kind::of(kind.value) != Kind::Map {
        return (reader.shell_text(kind).map(Action::Shell), None);
    }
    let Some(mut fields) = Fields::open(reader, kind.value, "`test`") else { return (None, None) };
    let command = fields.take("command").and_then(|field| reader.shell_text(field));
    let handlers =
        fields.take("on_failure").map(|field| (field, on_failure(reader, field, Some(sequence))));
    if command.is_none()
        && !kind.value.entries().is_some_and(|e| e.iter().any(|e| e.name == "command"))
    {
        reader.error(kind.key, "`test` has no `command`");
    }
    fields.finish();
    (command.map(Action::Shell), handlers)
}

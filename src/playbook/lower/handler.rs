//! One handler of `on_failure:` (SPEC 6.2, DECISIONS B7–B9, B42).

use super::action::single_command;
use super::on_failure::on_failure;
use super::retry;
use super::step::{one_or_more_steps, step_from, steps};
use super::strategy::{needs_commands, strategy};
use crate::expr::Expression;
use crate::playbook::Problem;
use crate::playbook::failure::{Condition, Handler, HandlerScope, Strategy};
use crate::playbook::model::Step;
use crate::playbook::reading::{Field, Fields, Reader, Sequence};
use crate::playbook::yaml::{Kind, Node};

/// The keys that give a handler its commands.
const COMMANDS: [&str; 4] = ["shell", "claude", "commands", "steps"];
const SINGLE_COMMANDS: [&str; 6] =
    ["shell", "claude", "goal_seek", "foreach", "write_file", "test"];

const SCOPES: [(&str, HandlerScope); 4] = [
    ("command", HandlerScope::Command),
    ("step", HandlerScope::Step),
    ("phase", HandlerScope::Phase),
    ("workflow", HandlerScope::Workflow),
];

/// A handler whose result stands in for that of its step.
pub fn fallback_handler(reader: &Reader, node: &Node, step: Step) -> Handler {
    Handler { strategy: Strategy::Fallback, ..Handler::of_steps(reader.position(node), vec![step]) }
}

/// A handler with its priority.
pub fn handler<'n>(
    reader: &'n Reader,
    fields: &mut Fields<'n>,
    sequence: Option<Sequence<'_>>,
) -> (Handler, i64) {
    let mut handler = Handler::of_steps(reader.position(fields.node()), Vec::new());
    handler.id = fields.take("id").and_then(|field| reader.name(field));
    if let Some(field) = fields.take_either("when", "condition") {
        handler.condition = condition(reader, field);
    }
    let priority = fields.take("priority").and_then(|field| priority(reader, field)).unwrap_or(0);
    handler.scope = fields.take("scope").and_then(|field| reader.choice(field, &SCOPES));
    handler.timeout = fields.take("timeout").and_then(|field| reader.limit(field));
    handler.retry = fields.take("retry").and_then(|field| retry::retry(reader, field));
    handler.fail_workflow = fields.take("fail_workflow").and_then(|field| reader.flag(field));
    handler.failure_fatal = reader.flag_or_false(fields.take("handler_failure_fatal"));
    handler.commit_required = reader.flag_or_false(fields.take("commit_required"));
    handler.capture = fields.take("capture").and_then(|field| capture(reader, field));
    // A handler's own failure has no step to go back to.
    handler.on_failure =
        fields.take("on_failure").and_then(|field| on_failure(reader, field, None)).map(Box::new);
    handler.on_success =
        fields.take("on_success").map(|field| one_or_more_steps(reader, field)).unwrap_or_default();
    let attempts = attempts(reader, fields);
    let retry_original = fields.take("retry_original");
    let chosen = strategy(reader, fields, sequence);
    let attempts = chosen.max_attempts.or(attempts);
    handler.strategy = chosen.strategy;
    set_attempts(reader, &mut handler, attempts, retry_original);
    handler.steps = commands(reader, fields);
    if says_nothing(&handler) && !fields.probably_meant(&COMMANDS) {
        reader.error_with_help(
            fields.node(),
            "this handler does nothing",
            "give it one of: shell, claude, commands",
        );
    }
    (handler, priority)
}

/// Whether a handler has neither commands nor anything else that it does.
fn says_nothing(handler: &Handler) -> bool {
    let told = handler.fail_workflow.is_some() || handler.max_attempts > 1;
    let fallback = matches!(handler.strategy, Strategy::Fallback);
    handler.steps.is_empty() && needs_commands(&handler.strategy) && (!told || fallback)
}

impl Handler {
    /// Whether it says nothing but, perhaps, `fail_workflow`.
    pub(super) fn does_nothing(&self) -> bool {
        self.steps.is_empty()
            && self.on_success.is_empty()
            && self.max_attempts == 1
            && matches!(self.strategy, Strategy::Recovery | Strategy::Cleanup | Strategy::Custom)
            && matches!(self.condition, Condition::Always)
            && self.scope.is_none()
    }
}

/// The name of the output; older files could give it several.
fn capture(reader: &Reader, field: Field<'_>) -> Option<String> {
    if Kind::of(field.value) == Kind::Map {
        reader.lose_names();
        reader.error_with_help(
            field.value,
            "`capture` of a handler is one name",
            "write `capture: NAME`, or `capture: NAME` in the steps under `commands:`",
        );
        return None;
    }
    reader.name(field)
}

/// A malformed condition does not stop the file, it is only warned of (SPEC 6.2).
fn condition(reader: &Reader, field: Field<'_>) -> Condition {
    let source = field.value.text().unwrap_or_default();
    match Expression::parse(source) {
        Err(error) if !source.is_empty() => {
            let at = reader.place(field.value).locate(source, error.span.start);
            let message = format!("this condition cannot be read: {}", error.message);
            let help = error.help.clone().unwrap_or_else(|| {
                "when it is reached, its handler counts as failed and the next one is tried"
                    .to_owned()
            });
            reader
                .note(Problem::warning(reader.position_at(at.0, at.1), 1, message).with_help(help));
            Condition::Malformed { source: source.to_owned(), reason: error.message }
        }
        _ => reader.expression(field).map_or(Condition::Always, Condition::When),
    }
}

fn priority(reader: &Reader, field: Field<'_>) -> Option<i64> {
    let text = reader.text(field)?;
    let priority = text.parse().ok();
    if priority.is_none() {
        reader.error(field.value, format!("`priority` must be a whole number, not `{text}`"));
    }
    priority
}

/// `max_attempts: N`, or the older `max_retries: N`, which is one run more (DECISIONS B7).
fn attempts(reader: &Reader, fields: &mut Fields<'_>) -> Option<u32> {
    let attempts = fields.take("max_attempts");
    let retries = fields.take("max_retries");
    if let (Some(_), Some(field)) = (attempts, retries) {
        reader.error_with_help(
            field.key,
            "`max_retries` and `max_attempts` say the same in two ways",
            "keep `max_attempts`, the number of runs in all",
        );
    }
    match (attempts, retries) {
        (Some(field), _) => reader.small_count(field, 1),
        (None, Some(field)) => {
            reader.small_count(field, 0).map(|retries| retries.saturating_add(1))
        }
        (None, None) => None,
    }
}

/// How often the original runs: said, or what strategy and `retry_original` need.
fn set_attempts(
    reader: &Reader,
    handler: &mut Handler,
    attempts: Option<u32>,
    retry_original: Option<Field<'_>>,
) {
    let flag = retry_original.and_then(|field| reader.flag(field));
    handler.retry_original = flag == Some(true);
    let least = match handler.strategy {
        Strategy::Retry { .. } => 3,
        _ if handler.retry_original => 2,
        _ => 1,
    };
    handler.max_attempts = attempts.unwrap_or(least);
    if let Some(field) = retry_original
        && let (Some(again), Some(attempts)) = (flag, attempts)
        && again == (attempts == 1)
        && !matches!(handler.strategy, Strategy::PartialResume { .. })
    {
        let message = if again {
            "`retry_original: true` needs more than one run, `max_attempts` allows one".to_owned()
        } else {
            format!(
                "`max_attempts: {attempts}` runs the original again, `retry_original: false` does not"
            )
        };
        reader.error_with_help(
            field.key,
            message,
            "keep `max_attempts`, the number of runs in all",
        );
    }
}

/// The commands of a handler: a list, one command with its options, or `shell` and `claude`
/// together, which run in this order.
fn commands<'n>(reader: &'n Reader, fields: &mut Fields<'n>) -> Vec<Step> {
    if let Some(list) = fields.take_either("commands", "steps") {
        if let Some(field) = SINGLE_COMMANDS
            .into_iter()
            .find(|name| fields.has(name))
            .and_then(|name| fields.take(name))
        {
            reader.error_with_help(
                field.key,
                format!("`{}` stands beside `{}`", field.name, list.name),
                format!("write it as a step under `{}:`", list.name),
            );
        }
        return steps(reader, list);
    }
    let mut commands = Vec::new();
    if fields.has("shell") && fields.has("claude") {
        if let Some(field) = fields.take("shell")
            && let Some(text) = reader.shell_text(field)
        {
            let action = crate::playbook::model::Action::Shell(text);
            commands.push(Step::plain(reader.position(field.value), action));
        }
        commands.extend(single_command(reader, fields, "on_failure"));
    } else if SINGLE_COMMANDS.iter().any(|name| fields.has(name)) {
        commands.push(step_from(reader, fields, Sequence { ids: &[], at: None }));
    } else {
        for name in SINGLE_COMMANDS {
            fields.take(name);
        }
    }
    commands
}

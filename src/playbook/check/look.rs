//! Looks at every use of a name, in the order of execution: is it known there, does it have
//! that field, and does its value fit the place?

use std::collections::{HashMap, HashSet};

use crate::expr::{Dialect, Form, Origin, Segment, Use};
use crate::playbook::Problem;
use crate::playbook::model::{CaptureFormat, Constant};
use crate::session::StepKind;

use super::builtins::{self, BUILTINS, Builtin, Fields, Known, RESULT_FIELDS};
use super::declared::Declared;
use super::moment::{Definition, Meaning, Moment, Part, Standing};
use super::nearest::{distance, nearest};
use super::text::Text;

/// All problems with uses of names.
pub(super) fn look<'a>(
    moments: &[Moment<'a>],
    declared: &Declared<'a>,
    dialect: Dialect,
) -> Vec<Problem> {
    let mut look = Look {
        declared,
        dialect,
        ready: HashSet::new(),
        rounds: Vec::new(),
        closed: HashMap::new(),
        ran: HashSet::new(),
        validated: false,
        reported: HashSet::new(),
        problems: Vec::new(),
    };
    for moment in moments {
        look.moment(moment);
    }
    look.problems
}

struct Look<'a, 'd> {
    declared: &'d Declared<'a>,
    dialect: Dialect,
    /// Ids and captures that have a value.
    ready: HashSet<&'a str>,
    /// For each loop around: the names that got their value inside it.
    rounds: Vec<Vec<&'a str>>,
    /// Names of loops that are over.
    closed: HashMap<&'a str, Definition<'a>>,
    ran: HashSet<StepKind>,
    validated: bool,
    /// Causes that have been reported: one problem for each (DECISIONS B46).
    reported: HashSet<(Cause, String)>,
    problems: Vec<Problem>,
}

/// What one problem is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Cause {
    Unknown,
    TooEarly,
    Loop,
    Place,
    Field,
    NothingRan,
    Typo,
}

/// One use with everything around it.
struct Seen<'a, 'u> {
    text: Text<'a>,
    standing: &'u Standing<'a>,
    used: &'u Use,
}

impl Seen<'_, '_> {
    fn error(&self, message: impl Into<String>) -> Problem {
        let at = self.text.locate(&self.used.span, self.standing.at);
        Problem::error(at, self.text.length(&self.used.span), message)
    }

    fn warning(&self, message: impl Into<String>) -> Problem {
        let at = self.text.locate(&self.used.span, self.standing.at);
        Problem::warning(at, self.text.length(&self.used.span), message)
    }

    fn root(&self) -> &str {
        &self.used.path.root
    }

    fn field(&self) -> Option<&str> {
        match self.used.path.rest.first() {
            Some(Segment::Field(field)) => Some(field),
            _ => None,
        }
    }

    /// True for a bare `${name}` of a shell command, which is the shell's when nobody knows it.
    fn may_be_the_shells(&self) -> bool {
        matches!(self.used.form, Form::Shell { certain: false, .. })
    }

    /// True for a word of an expression that stands outside `${…}`.
    fn is_bare_word(&self) -> bool {
        let before = self.text.source().get(..self.used.span.start).unwrap_or_default();
        let written = self.text.source().get(self.used.span.clone()).unwrap_or_default();
        let open = before.rfind("${").is_some_and(|start| !before[start..].contains('}'));
        matches!(self.text, Text::Condition(_)) && !open && !written.starts_with("${")
    }
}

impl<'a> Look<'a, '_> {
    fn moment(&mut self, moment: &Moment<'a>) {
        match moment {
            Moment::Text(text, _, standing) => {
                for used in &text.uses() {
                    self.used(&Seen { text: *text, standing, used });
                }
            }
            Moment::Named(definition) => {
                let new = self.ready.insert(definition.name);
                self.closed.remove(definition.name);
                if let Some(round) = self.rounds.last_mut().filter(|_| new) {
                    round.push(definition.name);
                }
            }
            Moment::Foreseen(name) => {
                self.ready.insert(name);
            }
            Moment::Ran(kind) => {
                self.ran.insert(*kind);
            }
            Moment::Validated => self.validated = true,
            Moment::Checkpoint(..) | Moment::Unreadable { .. } => {}
            Moment::LoopBegins => self.rounds.push(Vec::new()),
            Moment::LoopEnds => {
                for name in self.rounds.pop().unwrap_or_default() {
                    self.ready.remove(name);
                    if let Some(first) = self.declared.steps.get(name).and_then(|all| all.first()) {
                        self.closed.insert(name, *first);
                    }
                }
            }
        }
    }

    fn used(&mut self, seen: &Seen<'a, '_>) {
        let name = seen.root();
        if let Some(builtin) = builtins::find(name) {
            if self.is_known(builtin, seen.standing) {
                self.builtin_fields(builtin, seen);
                self.nothing_ran(builtin, seen);
                self.form(seen);
            } else if self.declared.is_constant(name) {
                self.form(seen);
            } else {
                self.wrong_place(builtin, seen);
            }
        } else if self.ready.contains(name) {
            self.step_fields(seen);
            self.form(seen);
        } else if self.declared.is_constant(name) {
            self.constant_fields(seen);
            self.form(seen);
        } else if seen.standing.env.contains(&name) || seen.used.optional {
            // Its own environment; or a name with a default, which may be missing.
        } else if let Some(definition) = self.closed.get(name).copied() {
            self.outside_its_loop(definition, seen);
        } else if let Some(definitions) = self.declared.steps.get(name) {
            self.too_early(definitions, seen);
        } else {
            self.unknown(seen);
        }
    }

    fn report(&mut self, cause: Cause, about: &str, problem: Problem) {
        if self.reported.insert((cause, about.to_owned())) {
            self.problems.push(problem);
        }
    }

    fn is_known(&self, builtin: &Builtin, standing: &Standing<'_>) -> bool {
        match builtin.known {
            Known::Everywhere => true,
            Known::InHandlers => matches!(standing.part, Part::Handler | Part::Finally),
            Known::InLoops => standing.loops > 0,
            Known::AfterValidation => self.validated || standing.validation,
            Known::WithStages => self.declared.stages,
            Known::InMapWorkflows => false,
        }
    }

    fn wrong_place(&mut self, builtin: &Builtin, seen: &Seen<'_, '_>) {
        if seen.used.optional || seen.may_be_the_shells() {
            return;
        }
        let name = builtin.name;
        let (message, help) = match builtin.known {
            Known::InHandlers => (
                format!("`{name}` is only known in failure handlers and in `finally`"),
                "elsewhere write `${ID.error}` with the id of the step",
            ),
            Known::InLoops => (
                format!("`{name}` is only known inside the `do` of a `foreach`"),
                "move the step into the loop, or use `${ID.results}` of the loop after it",
            ),
            Known::AfterValidation => (
                format!("`{name}` is only known after a step with `validate`"),
                "no step before this one has a `validate`",
            ),
            Known::WithStages => (
                format!("`{name}` is only known in workflows with `stages`"),
                "this workflow has no stages",
            ),
            Known::InMapWorkflows | Known::Everywhere => {
                (format!("`{name}` is only known in map workflows"), "this workflow has no map")
            }
        };
        self.report(Cause::Place, name, seen.error(message).with_help(help));
    }

    fn builtin_fields(&mut self, builtin: &Builtin, seen: &Seen<'_, '_>) {
        let name = builtin.name;
        match builtin.fields {
            Fields::Any => {}
            Fields::None => {
                if !seen.used.path.rest.is_empty() {
                    let message = format!("`{name}` is a plain value and has no fields");
                    self.report(Cause::Field, name, seen.error(message));
                }
            }
            Fields::OneOf(fields) => self.one_of(fields, seen),
        }
    }

    /// Reports a first field that is none of `fields`.
    fn one_of(&mut self, fields: &[&str], seen: &Seen<'_, '_>) {
        let name = seen.root();
        match seen.used.path.rest.first() {
            None => {}
            Some(Segment::Field(field)) if fields.contains(&field.as_str()) => {}
            Some(Segment::Field(field)) => {
                let problem = seen.error(format!("`{name}` has no field `{field}`"));
                let help = match nearest(field, fields.iter().copied()) {
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

    fn nothing_ran(&mut self, builtin: &Builtin, seen: &Seen<'_, '_>) {
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

    fn step_fields(&mut self, seen: &Seen<'_, '_>) {
        let Some(definitions) = self.declared.steps.get(seen.root()) else { return };
        let results =
            definitions.iter().filter(|each| !matches!(each.meaning, Meaning::Captured(_)));
        if let Some(definition) = results.last() {
            let mut fields = RESULT_FIELDS.to_vec();
            if definition.meaning == Meaning::Result(StepKind::Foreach) {
                fields.push("results");
            }
            return self.one_of(&fields, seen);
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
    fn constant_fields(&mut self, seen: &Seen<'_, '_>) {
        if self.declared.steps.contains_key(seen.root()) || seen.used.optional {
            return;
        }
        let Some(variable) = self.declared.variables.get(seen.root()) else { return };
        let (mut value, mut path) = (&variable.value, seen.root().to_owned());
        for segment in &seen.used.path.rest {
            let (Constant::Map(entries), Segment::Field(field)) = (value, segment) else { return };
            let Some((_, inner)) = entries.iter().find(|(name, _)| name == field) else {
                let names: Vec<&str> = entries.iter().map(|(name, _)| name.as_str()).collect();
                let help = match nearest(field, names.iter().copied()) {
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

    fn outside_its_loop(&mut self, definition: Definition<'a>, seen: &Seen<'_, '_>) {
        let name = definition.name;
        if seen.may_be_the_shells() && assigns(seen.text.source(), name) {
            return;
        }
        let line = definition.at.line;
        let problem = seen
            .error(format!("`{name}` is only known inside the loop that sets it (line {line})"))
            .with_help("after the loop use `${ID.results}` with the id of the `foreach` step");
        self.report(Cause::Loop, name, problem);
    }

    fn too_early(&mut self, definitions: &[Definition<'a>], seen: &Seen<'_, '_>) {
        let name = seen.root();
        if seen.may_be_the_shells() && assigns(seen.text.source(), name) {
            return;
        }
        let line = definitions.first().map_or(0, |definition| definition.at.line);
        let (message, help) = if seen.standing.own == Some(name) {
            (
                format!("`{name}` is used before it exists: it is this step itself"),
                "its result is known in its handlers and in later steps".to_owned(),
            )
        } else if seen.standing.part == Part::Start {
            (
                format!("`{name}` is used before it exists: this is read before the first step"),
                format!("it is set by the step at line {line}"),
            )
        } else {
            (
                format!("`{name}` is used before it exists: it is set by the step at line {line}"),
                format!("move that step up, or write `${{{}:-}}`", written(seen.used)),
            )
        };
        self.report(Cause::TooEarly, name, seen.error(message).with_help(help));
    }

    fn unknown(&mut self, seen: &Seen<'a, '_>) {
        let name = seen.root();
        let looks_like_env = name.chars().all(|each| matches!(each, 'A'..='Z' | '0'..='9' | '_'));
        if self.declared.open_env && looks_like_env && seen.used.path.rest.is_empty() {
            return;
        }
        let known = self.visible(seen.standing);
        if seen.may_be_the_shells() {
            return self.typo(seen, &known);
        }
        let near = nearest(name, known.iter().copied());
        let mut problem = seen.error(format!("unknown name `{name}`"));
        problem.help = if let Some(near) = near {
            Some(format!("did you mean `{near}`?"))
        } else if let Some(newer) = builtins::newer_spelling(name) {
            Some(newer.to_owned())
        } else if name == "always" && seen.is_bare_word() {
            Some("write `true`, or leave the condition out".to_owned())
        } else if seen.is_bare_word() && seen.used.path.rest.is_empty() {
            Some(format!("text stands in quotes: '{name}'"))
        } else if looks_like_env && seen.used.path.rest.is_empty() {
            Some(format!("write `${{env.{name}}}` for a variable of the environment"))
        } else if known.is_empty() {
            None
        } else {
            Some(
                "a name is a variable, a parameter, a captured value or the `id` of a step"
                    .to_owned(),
            )
        };
        self.report(Cause::Unknown, name, problem);
    }

    /// A bare `${file_lst}` of a shell command belongs to the shell, but beside a capture
    /// `file_list` it is probably a slip (DECISIONS B4, A37).
    fn typo(&mut self, seen: &Seen<'_, '_>, known: &[&str]) {
        let name = seen.root();
        let limit = if name.len() > 4 { 2 } else { 1 };
        let near = known.iter().filter(|candidate| {
            name.len() > 2 && candidate.len() > 2 && distance(name, candidate) <= limit
        });
        let Some(near) = near.min_by_key(|candidate| distance(name, candidate)) else { return };
        if COMMON_ENVIRONMENT.contains(&name) || assigns(seen.text.source(), name) {
            return;
        }
        let problem = seen
            .warning(format!("`${{{name}}}` is no name of this workflow and is left to the shell"))
            .with_help(format!("did you mean `{near}`?"));
        self.report(Cause::Typo, name, problem);
    }

    /// The names that have a value at this place.
    fn visible(&self, standing: &Standing<'a>) -> Vec<&'a str> {
        let steps = self
            .declared
            .names()
            .filter(|name| self.ready.contains(name) || self.declared.is_constant(name));
        let builtins = BUILTINS.iter().filter(|builtin| self.is_known(builtin, standing));
        let names = steps.chain(builtins.map(|builtin| builtin.name));
        let mut names: Vec<&str> = names.chain(standing.env.iter().copied()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Whether the value fits the place it stands in: `raw`, `for … in`, a whole command.
    fn form(&mut self, seen: &Seen<'_, '_>) {
        let Form::Shell { raw, in_for, whole, .. } = seen.used.form else { return };
        let origin = self.declared.origin(&seen.used.path);
        let path = written(seen.used);
        if raw {
            if origin != Origin::Authored {
                let problem = seen
                    .warning(format!("`{path} | raw` runs whatever the value holds as shell code"));
                self.problems.push(problem.with_help("leave `| raw` out to pass it as one word"));
            }
        } else if self.dialect == Dialect::Other && origin != Origin::Authored {
            let problem = seen.error(format!(
                "`{path}` is data and cannot be written into a program of this `shell:`"
            ));
            let help =
                format!("read it from the environment, where it is exported as `{}`", seen.root());
            self.problems.push(problem.with_help(help));
        } else if whole && origin == Origin::Data && !seen.text.source().contains("words") {
            let problem =
                seen.error(format!("the whole command is the value of `{path}`, which is data"));
            let help = format!("write `${{{path} | raw}}` to run it as shell code on purpose");
            self.problems.push(problem.with_help(help));
        } else if in_for && self.declared.is_single_text(&seen.used.path) {
            let problem = seen.warning(format!("`{path}` is one word here, so the loop runs once"));
            let help =
                format!("write `${{{path} | lines}}` for its lines, or `| words` for its words");
            self.problems.push(problem.with_help(help));
        }
    }
}

/// Names that are usually in the environment: no slip, however close to a name of the file.
const COMMON_ENVIRONMENT: &[&str] = &[
    "EDITOR", "HOME", "HOSTNAME", "LANG", "LOGNAME", "OLDPWD", "PATH", "PWD", "RANDOM", "SHELL",
    "TERM", "TMPDIR", "UID", "USER",
];

/// True when the shell command itself gives `name` a value.
fn assigns(command: &str, name: &str) -> bool {
    let word =
        |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let setters =
        ["for", "read", "export", "local", "declare", "typeset", "readonly", "getopts", "select"];
    command.match_indices(name).any(|(start, _)| {
        let before = &command[..start];
        let after = &command[start + name.len()..];
        if word(before.bytes().last()) || word(after.bytes().next()) || before.ends_with('$') {
            return false;
        }
        let line = before.rsplit(['\n', ';', '|', '&', '(']).next().unwrap_or(before);
        let assigned = after.starts_with('=') || after.starts_with("+=") || after.starts_with("[");
        (assigned && !before.ends_with('{'))
            || line.split_whitespace().any(|each| setters.contains(&each) || each == "mapfile")
                && !before.ends_with('{')
    })
}

/// A path as one writes it.
fn written(used: &Use) -> String {
    let mut text = used.path.root.clone();
    for segment in &used.path.rest {
        match segment {
            Segment::Field(field) => {
                text.push('.');
                text.push_str(field);
            }
            Segment::Index(index) => text.push_str(&format!("[{index}]")),
        }
    }
    text
}

fn listed(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => "no fields".to_owned(),
    }
}

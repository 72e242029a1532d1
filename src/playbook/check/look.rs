//! Looks at every use of a name, in the order of execution: is it known there, does it have
//! that field, and does its value fit the place?

use std::collections::{HashMap, HashSet};

use crate::expr::Dialect;
use crate::playbook::Problem;
use crate::session::StepKind;

use super::declared::Declared;
use super::forms::assigns;
use super::moment::{Definition, Meaning, Moment, Part, Rounds, Standing};
use super::seen::{Seen, meant, written};
use crate::playbook::builtins::{self, BUILTINS, Builtin, Known};

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
        map: MapStanding::Ahead,
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

/// What is known so far, on the way through the moments.
pub(super) struct Look<'a, 'd> {
    pub(super) declared: &'d Declared<'a>,
    pub(super) dialect: Dialect,
    /// Ids and captures that have a value.
    ready: HashSet<&'a str>,
    /// For each loop around: the names that got their value inside it.
    rounds: Vec<Vec<&'a str>>,
    /// Names of loops that are over.
    closed: HashMap<&'a str, (Definition<'a>, Rounds)>,
    map: MapStanding,
    /// The kinds of steps that have run.
    pub(super) ran: HashSet<StepKind>,
    validated: bool,
    /// Causes that have been reported: one problem for each (DECISIONS B46).
    reported: HashSet<(Cause, String)>,
    pub(super) problems: Vec<Problem>,
}

/// Where the way is, seen from the map.
enum MapStanding {
    Ahead,
    /// In its steps; what had run and been validated before them is what is seen after them.
    Inside(HashSet<StepKind>, bool),
    Behind,
}

/// What one problem is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Cause {
    Unknown,
    TooEarly,
    Loop,
    Place,
    Field,
    NothingRan,
    Typo,
    ReadAgain,
}

impl<'a> Look<'a, '_> {
    fn moment(&mut self, moment: &Moment<'a>) {
        match moment {
            Moment::Text(text, role, standing) => {
                for used in &text.uses() {
                    self.used(&Seen { text: *text, role: *role, standing, used });
                }
            }
            Moment::Named(definition) => self.name(definition.name),
            Moment::Foreseen(name) => self.name(name),
            Moment::Ran(kind) => {
                self.ran.insert(*kind);
            }
            Moment::Validated => self.validated = true,
            Moment::Checkpoint(..) => {}
            Moment::LoopBegins(rounds) => {
                self.rounds.push(Vec::new());
                if *rounds == Rounds::Map {
                    self.map = MapStanding::Inside(self.ran.clone(), self.validated);
                }
            }
            Moment::LoopEnds(rounds) => self.loop_ends(*rounds),
        }
    }

    fn loop_ends(&mut self, rounds: Rounds) {
        for name in self.rounds.pop().unwrap_or_default() {
            self.ready.remove(name);
            if let Some(first) = self.declared.steps.get(name).and_then(|all| all.first()) {
                self.closed.insert(name, (*first, rounds));
            }
        }
        if rounds == Rounds::Map
            && let MapStanding::Inside(ran, validated) =
                std::mem::replace(&mut self.map, MapStanding::Behind)
        {
            (self.ran, self.validated) = (ran, validated);
        }
    }

    fn name(&mut self, name: &'a str) {
        let new = self.ready.insert(name);
        self.closed.remove(name);
        if let Some(round) = self.rounds.last_mut().filter(|_| new) {
            round.push(name);
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
        } else if let Some((definition, rounds)) = self.closed.get(name).copied() {
            self.outside_its_loop(definition, rounds, seen);
        } else if let Some(definitions) = self.declared.steps.get(name) {
            self.too_early(definitions, seen);
        } else {
            self.unknown(seen);
        }
    }

    pub(super) fn report(&mut self, cause: Cause, about: &str, problem: Problem) {
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
            Known::FromMapOn => self.declared.map && !matches!(self.map, MapStanding::Ahead),
            Known::AfterMap => matches!(self.map, MapStanding::Behind),
            Known::InMerge => false,
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
            Known::InLoops if self.declared.map => (
                format!(
                    "`{name}` is only known in `agent_template` and in the `do` of a `foreach`"
                ),
                "in `reduce` use `${map.results}` or `${map.results_file}`",
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
            Known::AfterMap if self.declared.map => (
                format!("`{name}` is only known when all items have ended"),
                "use it in `reduce`, in failure handlers of the workflow or in `finally`",
            ),
            Known::FromMapOn if self.declared.map => (
                format!("`{name}` is only known when the items have been read"),
                "use it in `agent_template`, in `reduce` or later",
            ),
            Known::InMerge => (
                format!("`{name}` is only known in the commands of `merge`"),
                "for the directory of the run write `${workflow.dir}`",
            ),
            Known::AfterMap | Known::FromMapOn | Known::Everywhere => {
                (format!("`{name}` is only known in map workflows"), "this workflow has no map")
            }
        };
        self.report(Cause::Place, name, seen.error(message).with_help(help));
    }

    fn outside_its_loop(
        &mut self,
        definition: Definition<'a>,
        rounds: Rounds,
        seen: &Seen<'_, '_>,
    ) {
        let name = definition.name;
        if seen.may_be_the_shells() && assigns(seen.text.source(), name) {
            return;
        }
        let line = definition.at.line;
        let (place, help) = match rounds {
            Rounds::Foreach => (
                "the loop that sets it",
                "after the loop use `${ID.results}` with the id of the `foreach` step",
            ),
            Rounds::Map => (
                "the item that sets it",
                "after the map use `${map.results}`, in which each item has its `variables`",
            ),
        };
        let problem = seen
            .error(format!("`{name}` is only known inside {place} (line {line})"))
            .with_help(help);
        self.report(Cause::Loop, name, problem);
    }

    fn too_early(&mut self, definitions: &[Definition<'a>], seen: &Seen<'_, '_>) {
        let name = seen.root();
        if seen.may_be_the_shells() && assigns(seen.text.source(), name) {
            return;
        }
        let line = definitions.first().map_or(0, |definition| definition.at.line);
        let of_map = definitions.first().is_some_and(|each| each.meaning == Meaning::Aggregate);
        let (message, help) = if of_map {
            (
                format!("`{name}` is used before it exists: it is made of the results of the map"),
                "use it in `reduce` or later".to_owned(),
            )
        } else if seen.standing.own == Some(name) {
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
        let looks_like_env =
            |name: &str| name.chars().all(|each| matches!(each, 'A'..='Z' | '0'..='9' | '_'));
        let from_env = looks_like_env(name) && seen.used.path.rest.is_empty();
        if self.declared.open_env && from_env {
            return;
        }
        let known = self.visible(seen.standing);
        if seen.may_be_the_shells() {
            return self.typo(seen, &known);
        }
        let known = known.into_iter().filter(|near| !from_env || looks_like_env(near));
        let near = meant(name, known);
        let mut problem = seen.error(format!("unknown name `{name}`"));
        problem.help = if let Some(near) = near {
            Some(format!("did you mean `{near}`?"))
        } else if let Some(newer) = builtins::newer_spelling(name) {
            Some(newer.to_owned())
        } else if name == "always" && seen.is_bare_word() {
            Some("write `true`, or leave the condition out".to_owned())
        } else if seen.is_bare_word() && seen.used.path.rest.is_empty() {
            Some(format!("text stands in quotes: '{name}'"))
        } else if from_env {
            Some(format!("write `${{env.{name}}}` for a variable of the environment"))
        } else {
            Some(
                "a name is a variable, a parameter, a captured value or the `id` of a step"
                    .to_owned(),
            )
        };
        self.report(Cause::Unknown, name, problem);
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
}

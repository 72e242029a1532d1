//! A workflow as a list of moments in the order of execution: what is looked at, what gets a name.

use crate::playbook::Position;
use crate::playbook::model::CaptureFormat;
use crate::session::StepKind;

use super::text::Text;

/// One moment.
#[derive(Debug)]
pub(super) enum Moment<'a> {
    /// A text is evaluated.
    Text(Text<'a>, Role, Standing<'a>),
    /// A name gets a value.
    Named(Definition<'a>),
    /// A name that gets its value later is seen from here on.
    Foreseen(&'a str),
    /// A step of this kind has run.
    Ran(StepKind),
    /// A validation has run.
    Validated,
    /// A named restore point.
    Checkpoint(&'a str, &'a Position),
    /// The rounds of a loop begin.
    LoopBegins(Rounds),
    /// They are over: what was named inside is not seen any more.
    LoopEnds(Rounds),
}

/// What runs the same steps many times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rounds {
    /// The `do` of a `foreach`.
    Foreach,
    /// The `agent_template` of a map.
    Map,
}

/// What a text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// `when:`.
    When,
    /// `input:` of a loop or map: a whole value may be the name of a file.
    FileOrCommand,
    /// Anything else.
    Other,
}

/// Where a text stands: decides which names it sees.
#[derive(Debug, Clone)]
pub(super) struct Standing<'a> {
    /// The step, handler, stage or map it belongs to.
    pub(super) at: &'a Position,
    /// The id of the step it belongs to, while that has no result yet.
    pub(super) own: Option<&'a str>,
    /// What part of the workflow it is in.
    pub(super) part: Part,
    /// How many loops are around it.
    pub(super) loops: usize,
    /// True inside `on_incomplete`.
    pub(super) validation: bool,
    /// Environment names of the step and stage around it.
    pub(super) env: Vec<&'a str>,
}

/// The parts of a workflow that see different names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Before the first step: `env`, `env_files`, defaults.
    Start,
    /// The steps one after the other.
    Steps,
    /// What hangs below a step and does not follow a failure: `validate`, `on_success`, `goal_seek`.
    Below,
    /// After a failure.
    Handler,
    /// `finally`.
    Finally,
}

/// A name and what it stands for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Definition<'a> {
    /// The name.
    pub(super) name: &'a str,
    /// The step, handler or map that gives it.
    pub(super) at: &'a Position,
    /// What it is.
    pub(super) meaning: Meaning,
    /// True when the workflow never goes on after this step failed.
    pub(super) stops: bool,
}

/// What a name of a step stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The result of a step of this kind.
    Result(StepKind),
    /// The output of a handler.
    Handler,
    /// A captured value.
    Captured(Option<CaptureFormat>),
    /// An entry of `map.variables`.
    Aggregate,
}

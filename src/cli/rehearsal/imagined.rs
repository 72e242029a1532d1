//! What is known of a failure that is only imagined.

use crate::cli::args::{Fault, FaultKind};
use crate::expr::{Lookup, Origin, Path, Scope, Segment, Value};
use crate::session::Address;

/// The values of `error.*`, as far as they do not depend on a run.
#[derive(Default)]
pub(super) struct Imagined {
    pub(super) step: Option<Address>,
    pub(super) kind: Option<&'static str>,
    pub(super) exit_code: Option<i32>,
    /// The attempt that nothing follows any more.
    pub(super) attempt: Option<u32>,
}

impl Imagined {
    pub(super) fn of(fault: &Fault, attempt: Option<u32>) -> Self {
        Self {
            step: Some(fault.address.clone()),
            kind: Some(match fault.kind {
                FaultKind::Exit(_) => "exit",
                FaultKind::Timeout => "timeout",
            }),
            exit_code: Some(fault.kind.exit_code()),
            attempt,
        }
    }

    /// The failure of something because of what is in it.
    pub(super) fn of_inner(step: &Address, exit_code: Option<i32>) -> Self {
        Self { step: Some(step.clone()), kind: Some("inner"), exit_code, attempt: None }
    }
}

impl Scope for Imagined {
    fn lookup(&self, path: &Path) -> Lookup {
        let Some(Segment::Field(field)) = path.rest.first() else { return Lookup::Unknown };
        if path.root != "error" {
            return Lookup::Unknown;
        }
        let value = match field.as_str() {
            "exit_code" => self.exit_code.map(|code| Value::from(i64::from(code))),
            "kind" => self.kind.map(Value::from),
            "class" => self.kind.filter(|kind| *kind == "timeout").map(Value::from),
            "step" => self.step.as_ref().map(|step| Value::from(step.as_str())),
            "attempt" => self.attempt.map(|attempt| Value::from(i64::from(attempt))),
            // What it would print or say is not known.
            _ => None,
        };
        match value {
            Some(value) => Lookup::Found { value, origin: Origin::Data, used: 1 },
            None => Lookup::Unknown,
        }
    }

    fn names(&self) -> Vec<String> {
        vec!["error".to_owned()]
    }
}

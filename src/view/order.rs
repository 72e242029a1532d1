//! The order in which people expect addresses: `2` before `10`, stages as in the file, what
//! hangs below a step right behind it, `finally` last.

use crate::session::{Address, SessionState};

/// One part of an address; compared part by part.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// A number.
    Number(u64),
    /// A stage, by its place in the workflow.
    Stage(usize),
    /// Any other name.
    Name(String),
}

/// What to sort addresses of a session by.
#[must_use]
pub fn order(address: &Address, state: &SessionState) -> Vec<Part> {
    let stages = state.header().map_or(&[][..], |header| &header.stages);
    address
        .as_str()
        .split(['/', '.', '[', ']'])
        .filter(|part| !part.is_empty())
        .map(|part| match part.parse() {
            Ok(number) => Part::Number(number),
            Err(_) => match stages.iter().position(|stage| stage == part) {
                Some(place) => Part::Stage(place),
                None => Part::Name(part.to_owned()),
            },
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::story::{Story, address};
    use super::*;

    #[test]
    fn as_the_workflow_runs() {
        let story = Story::new("flow", 9, &["test", "build"]);
        let expected = [
            "2",
            "2.on_failure[1]/1",
            "2.on_failure[1]/10",
            "10",
            "test/1",
            "test/1.do[2]/1",
            "test/1.do[11]/1",
            "build/1",
            "finally[1]/1",
        ];
        let mut sorted = expected.map(address);
        sorted.sort();
        sorted.sort_by_key(|one| order(one, &story.state));
        assert_eq!(sorted.each_ref().map(Address::as_str), expected);
    }
}

//! Where a step stands in the tree of a session (SPEC 1 "address"): `3`, `staging/1`,
//! `3.on_failure[1]/2`, `4.do[17]/1`. Counted from 1, as a person counts.

use std::borrow::Borrow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// An address, or a prefix of one (a scope). The root scope is empty.
///
/// `/` goes down into a sequence, `.` to what hangs below a step, so that everything
/// below `a` starts with `a.` or `a/`. Those two sort next to each other, which makes a
/// whole subtree one range of an ordered map.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(transparent)]
pub struct Address(Box<str>);

impl Address {
    /// The scope of the whole session.
    #[must_use]
    pub fn root() -> Self {
        Self::default()
    }

    /// The step `index` (from 1) of the sequence whose scope this is.
    #[must_use]
    pub fn step(&self, index: usize) -> Self {
        self.join(&index.to_string())
    }

    /// The named part `name` (`staging`, `setup`, `pass[2]`) of this scope.
    #[must_use]
    pub fn join(&self, name: &str) -> Self {
        if self.0.is_empty() {
            Self(name.into())
        } else {
            Self(format!("{}/{name}", self.0).into())
        }
    }

    /// What hangs below a step: `3.on_success`, `3.goal` ….
    #[must_use]
    pub fn below(&self, name: &str) -> Self {
        if self.0.is_empty() {
            Self(name.into())
        } else {
            Self(format!("{}.{name}", self.0).into())
        }
    }

    /// A numbered thing below a step: `3.on_failure[1]`, `3.do[17]`.
    #[must_use]
    pub fn below_numbered(&self, name: &str, number: impl fmt::Display) -> Self {
        self.below(&format!("{name}[{number}]"))
    }

    /// True for a step of a handler, a fix, a validation or a goal: what its failure means is that
    /// construct's business, not the workflow's.
    #[must_use]
    pub fn is_aside(&self) -> bool {
        [".on_", ".cleanup", ".validate[", ".goal[", ".recovery["]
            .iter()
            .any(|part| self.0.contains(part))
            || self.0.starts_with("on_failure[")
    }

    /// True for what runs in `finally`: it belongs to one run, and no later run asks how it ended.
    #[must_use]
    pub fn is_of_finally(&self) -> bool {
        self.0.starts_with("finally[")
    }

    /// The step, stage, pass or workflow whose failure the outermost handler that this address lies
    /// in answers; none outside of handlers.
    #[must_use]
    pub fn answered(&self) -> Option<Self> {
        if self.0.starts_with("on_failure[") {
            return Some(Self::root());
        }
        let starts = [".on_failure[", ".on_exit_code["].map(|part| self.0.find(part));
        let start = starts.into_iter().flatten().min()?;
        Some(Self(self.0[..start].into()))
    }

    /// True for a step of a fix (`3.recovery[1]/1`): it runs before the failed step runs again.
    #[must_use]
    pub fn is_of_recovery(&self) -> bool {
        self.0.contains(".recovery[")
    }

    /// The step that this address hangs below (`3` of `3.do[17]/1`), if any.
    #[must_use]
    pub fn owner(&self) -> Option<Self> {
        let dot = self.0.rfind('.')?;
        Some(Self(self.0[..dot].into()))
    }

    /// This address, which lies within `old`, as it is when `old` becomes `new`.
    #[must_use]
    pub fn moved(&self, old: &Address, new: &Address) -> Self {
        match self.0.strip_prefix(&*old.0) {
            Some(rest) => Self(format!("{new}{rest}").into()),
            None => self.clone(),
        }
    }

    /// The innermost loop round or map item that this address lies in: what is captured
    /// there is not seen outside. Root when there is none.
    #[must_use]
    pub fn round(&self) -> Self {
        let end = match self.0.rfind(".do[") {
            Some(start) => self.0[start..].find(']').map(|end| start + end + 1),
            None if self.0.starts_with("map/") => {
                Some(self.0[4..].find(['/', '.']).map_or(self.0.len(), |end| end + 4))
            }
            None => None,
        };
        end.map_or_else(Self::root, |end| Self(self.0[..end].into()))
    }

    /// The round around this round: that of the loop step itself.
    #[must_use]
    pub fn outside(&self) -> Self {
        match self.0.rfind(".do[") {
            Some(start) => Self(self.0[..start].into()).round(),
            None => Self::root(),
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True for the scope of the whole session.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// True when this is `scope` itself or lies below it.
    #[must_use]
    pub fn is_within(&self, scope: &Address) -> bool {
        if scope.is_root() {
            return true;
        }
        match self.0.strip_prefix(&*scope.0) {
            Some(rest) => rest.is_empty() || rest.starts_with(['.', '/', '[']),
            None => false,
        }
    }

    /// The 1-based index of the direct child of `scope` that this address lies in or is.
    #[must_use]
    pub fn index_in(&self, scope: &Address) -> Option<usize> {
        let rest = if scope.is_root() {
            &*self.0
        } else {
            self.0.strip_prefix(&*scope.0)?.strip_prefix('/')?
        };
        let end = rest.find(['.', '/', '[']).unwrap_or(rest.len());
        rest.get(..end)?.parse().ok()
    }

    /// The scope of the sequence this step stands in: the address without its last index.
    #[must_use]
    pub fn sequence(&self) -> Self {
        match self.0.rfind('/') {
            Some(end) => Self(self.0[..end].into()),
            None => Self::root(),
        }
    }

    /// True for a step that counts as a checkpoint version when it ends: one that stands
    /// directly in the workflow, a stage, a phase or a pass, not below another step.
    #[must_use]
    pub fn is_top_level(&self) -> bool {
        let elsewhere = ["finally[", "map/", "on_failure["];
        !self.0.contains('.') && !elsewhere.iter().any(|part| self.0.starts_with(part))
    }

    /// True for a step of the workflow, a stage, a phase or a pass, and for what hangs below one;
    /// not for stages and passes themselves, `finally` and the workflow's own handlers.
    #[must_use]
    pub fn is_in_sequence(&self) -> bool {
        let own = ["finally[", "on_failure["].iter().any(|part| self.0.starts_with(part));
        let first = self.0.split('.').next().unwrap_or_default();
        let last = first.rsplit('/').next().unwrap_or_default();
        !own && last.bytes().all(|byte| byte.is_ascii_digit()) && !last.is_empty()
    }

    /// The pass of `--arg`, `--map` or `-n` that this address lies in.
    #[must_use]
    pub fn pass(&self) -> Option<usize> {
        self.0.strip_prefix("pass[")?.split(']').next()?.parse().ok()
    }

    /// A file name that no other address shares: every byte but letters, digits, `-` and
    /// `_` is written `%XX`; very long ones end in a hash.
    #[must_use]
    pub fn file_name(&self) -> String {
        let mut name = String::with_capacity(self.0.len() + 8);
        for byte in self.0.bytes() {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') {
                name.push(char::from(byte));
            } else {
                name.push_str(&format!("%{byte:02X}"));
            }
        }
        if name.len() > 180 {
            let hash = super::digest::Digest::of(self.0.as_bytes());
            name.truncate(140);
            name.push_str("%+");
            name.push_str(&hash.as_str()[..32]);
        }
        name
    }

    /// Reads an address that a person typed.
    ///
    /// # Errors
    /// Says what is wrong when the text does not follow the grammar of SPEC 1.
    pub fn parse(text: &str) -> Result<Self, String> {
        let bad = |why: &str| {
            Err(format!(
                "{text:?} is not an address: {why}; addresses look like 3, staging/1 or 3.on_failure[1]/2"
            ))
        };
        if text.is_empty() {
            return bad("it is empty");
        }
        if text.len() > 4096 || text.chars().any(char::is_control) {
            return bad("it holds what no address can hold");
        }
        if text.split('/').any(|part| part.is_empty() || part.starts_with('.')) {
            return bad("a part is empty");
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Borrow<str> for Address {
    fn borrow(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_read_as_in_the_specification() {
        let root = Address::root();
        assert_eq!(
            root.step(3).below_numbered("on_failure", 1).step(2).as_str(),
            "3.on_failure[1]/2"
        );
        assert_eq!(root.join("staging").step(1).as_str(), "staging/1");
        assert_eq!(root.join("pass[2]").step(4).pass(), Some(2));
    }

    #[test]
    fn a_scope_holds_what_is_below_it_and_not_its_neighbours() {
        let three = Address::root().step(3);
        assert!(three.below("goal").is_within(&three));
        assert!(!Address::root().step(30).is_within(&three));
        assert_eq!(Address::root().step(30).below("do").index_in(&Address::root()), Some(30));
        let stage = Address::root().join("staging");
        assert_eq!(stage.step(12).index_in(&stage), Some(12));
        assert_eq!(stage.step(12).sequence(), stage);
    }

    #[test]
    fn what_is_in_a_handler_answers_the_failure_of_what_the_outermost_hangs_below() {
        for (text, answered) in [
            ("3.on_failure[1]/2.on_exit_code[7]/1", Some("3")),
            ("map/item_2/1.on_exit_code[7]/1.on_failure[1]", Some("map/item_2/1")),
            ("one.on_failure[1].cleanup/1", Some("one")),
            ("on_failure[2]/1.do[1]/1", Some("")),
            ("3.do[1]/1", None),
        ] {
            let address = Address::parse(text).unwrap().answered();
            assert_eq!(address.as_ref().map(Address::as_str), answered, "{text}");
        }
    }

    #[test]
    fn file_names_are_injective() {
        let one = Address::parse("a.b/1").unwrap().file_name();
        let two = Address::parse("a/b.1").unwrap().file_name();
        assert_ne!(one, two);
        assert!(!one.contains('/'));
    }
}

//! What a workflow or a step needs before it can run (`requires:`), and versions of tools.

use std::cmp::Ordering;
use std::fmt;

use serde::Serialize;

use crate::expr::Template;

/// `requires:`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Requirements {
    /// Programs, looked up in PATH.
    pub tools: Vec<RequiredTool>,
    /// Files and directories, relative to the working directory of the run.
    pub files: Vec<Template>,
    /// Environment variables that are set and not empty.
    pub env: Vec<String>,
}

impl Requirements {
    /// True when nothing is needed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tools.is_empty() && self.files.is_empty() && self.env.is_empty()
    }
}

/// A program that is needed: `node`, or `node >= 18`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct RequiredTool {
    /// The name of the program, or a path.
    pub name: String,
    /// All of them hold for its version; none: any version will do.
    pub bounds: Vec<Bound>,
}

/// One bound of a version: `>= 18`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Bound {
    /// How the tool's version relates to [`Self::version`].
    pub relation: Relation,
    /// The version of the bound.
    pub version: Version,
}

/// How two versions relate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// `>=`.
    AtLeast,
    /// `>`.
    Above,
    /// `<=`.
    AtMost,
    /// `<`.
    Below,
    /// `==` or `=`: the parts that are written agree, so that 3.12.4 is `== 3.12`.
    Exactly,
}

/// The numbers of a version, the most significant one first: 1.2.10 is above 1.2.9.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Version(Vec<u64>);

/// The operators as they are written; those of two characters first.
const RELATIONS: [(&str, Relation); 6] = [
    (">=", Relation::AtLeast),
    ("<=", Relation::AtMost),
    ("==", Relation::Exactly),
    (">", Relation::Above),
    ("<", Relation::Below),
    ("=", Relation::Exactly),
];

impl RequiredTool {
    /// Reads `node`, `node >= 18` or `node >= 18, < 21`.
    ///
    /// # Errors
    /// What is wrong with the text, and what to write.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let end = text.find(['<', '>', '=', ',']).unwrap_or(text.len());
        let (name, bounds) = text.split_at(end);
        let name = name.trim_end();
        if name.is_empty() {
            return Err("the name of the tool is missing".to_owned());
        }
        if name.contains("${") {
            return Err("a tool is named as it is, without `${…}`".to_owned());
        }
        if let Some((tool, rest)) = name.split_once(char::is_whitespace) {
            return Err(match Version::parse(rest.trim().trim_start_matches('v')) {
                Some(version) => format!("write `{tool} >= {version}`"),
                None => "the name of a tool is one word".to_owned(),
            });
        }
        if bounds.starts_with(',') {
            return Err(format!("several tools are written as a list: [{text}]"));
        }
        let bounds = match bounds.is_empty() {
            true => Vec::new(),
            false => bounds.split(',').map(Bound::parse).collect::<Result<_, _>>()?,
        };
        Ok(Self { name: name.to_owned(), bounds })
    }

    /// Whether a tool of this version will do.
    #[must_use]
    pub fn accepts(&self, version: &Version) -> bool {
        self.bounds.iter().all(|bound| bound.holds_for(version))
    }
}

impl fmt::Display for RequiredTool {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.name)?;
        for (index, bound) in self.bounds.iter().enumerate() {
            formatter.write_str(if index == 0 { " " } else { ", " })?;
            bound.fmt(formatter)?;
        }
        Ok(())
    }
}

impl Bound {
    fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let known = RELATIONS.iter().find_map(|(operator, relation)| {
            Some((text.strip_prefix(operator)?.trim(), *relation))
        });
        let Some((version, relation)) = known else {
            return Err(format!("`{text}` is no bound; write for example `>= 1.2`"));
        };
        match Version::parse(version.trim_start_matches('v')) {
            Some(version) => Ok(Self { relation, version }),
            None => Err(format!("`{version}` is no version; write for example `>= 1.2`")),
        }
    }

    fn holds_for(&self, version: &Version) -> bool {
        let order = version.order(&self.version);
        match self.relation {
            Relation::AtLeast => order.is_ge(),
            Relation::Above => order.is_gt(),
            Relation::AtMost => order.is_le(),
            Relation::Below => order.is_lt(),
            Relation::Exactly => version.begins_with(&self.version),
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operator = match self.relation {
            Relation::AtLeast => ">=",
            Relation::Above => ">",
            Relation::AtMost => "<=",
            Relation::Below => "<",
            Relation::Exactly => "==",
        };
        write!(formatter, "{operator} {}", self.version)
    }
}

impl Version {
    /// Reads numbers with dots between them.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let parts = text.split('.').map(|part| {
            let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            if digits { part.parse().ok() } else { None }
        });
        parts.collect::<Option<Vec<u64>>>().map(Self)
    }

    /// The version in what a tool says of itself: the first numbers with dots between them, or
    /// else the first number that stands alone (`git version 2.43.0`, `v18.19.1`, `less 608`).
    #[must_use]
    pub fn find_in(text: &str) -> Option<Self> {
        let candidates = || {
            let apart = |each: char| !each.is_ascii_alphanumeric() && each != '.';
            text.split(apart).filter_map(leading_version)
        };
        candidates().find(|version| version.0.len() > 1).or_else(|| candidates().next())
    }

    /// As people count: 1.10 is above 1.9, and 1.2 is the same as 1.2.0.
    #[must_use]
    pub fn order(&self, other: &Version) -> Ordering {
        self.significant().cmp(other.significant())
    }

    /// The numbers without the zeros at the end, which change nothing.
    fn significant(&self) -> &[u64] {
        let end = self.0.iter().rposition(|part| *part != 0).map_or(0, |last| last + 1);
        self.0.get(..end).unwrap_or_default()
    }

    fn begins_with(&self, start: &Version) -> bool {
        let part = |index| self.0.get(index).copied().unwrap_or(0);
        start.0.iter().enumerate().all(|(index, wanted)| part(index) == *wanted)
    }
}

/// The version that a word begins with, after letters such as `v` or `go`.
fn leading_version(word: &str) -> Option<Version> {
    let word = word.trim_start_matches(|each: char| each.is_ascii_alphabetic());
    let end = word.find(|each: char| !each.is_ascii_digit() && each != '.').unwrap_or(word.len());
    Version::parse(word.get(..end)?.trim_end_matches('.'))
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self.0.iter().map(u64::to_string).collect();
        formatter.write_str(&parts.join("."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_are_read_with_and_without_bounds() {
        let written = |text: &str| RequiredTool::parse(text).map(|tool| tool.to_string());
        for (text, meaning) in [
            ("node", "node"),
            (" ./bin/tool ", "./bin/tool"),
            ("node>=18", "node >= 18"),
            ("node >= v18.2", "node >= 18.2"),
            ("node >=18 , <21", "node >= 18, < 21"),
            ("python3 = 3.12", "python3 == 3.12"),
        ] {
            assert_eq!(written(text).as_deref(), Ok(meaning));
        }
        for (text, why) in [
            (">= 18", "the name of the tool is missing"),
            ("node 18", "write `node >= 18`"),
            ("cargo nextest", "the name of a tool is one word"),
            ("node >= latest", "`latest` is no version; write for example `>= 1.2`"),
            ("node >= 18,", "`` is no bound; write for example `>= 1.2`"),
            ("node >= 18 19", "`18 19` is no version; write for example `>= 1.2`"),
            ("node, npm", "several tools are written as a list: [node, npm]"),
            ("${tool}", "a tool is named as it is, without `${…}`"),
        ] {
            assert_eq!(written(text), Err(why.to_owned()), "{text}");
        }
    }

    #[test]
    fn bounds_compare_numbers_not_texts() {
        let accepts = |bounds: &str, version: &str| {
            let tool = RequiredTool::parse(&format!("t {bounds}")).unwrap();
            tool.accepts(&Version::parse(version).unwrap())
        };
        for (bounds, good, bad) in [
            (">= 1.2", "1.2", "1.1.9"),
            (">= 1.9", "1.10", "1.8"),
            (">= 1.2.0", "1.2", "1"),
            ("> 1.2", "1.2.1", "1.2.0"),
            ("<= 3", "3.0.0", "3.0.1"),
            ("< 2", "1.99", "2"),
            ("== 3.12", "3.12.4", "3.13"),
            ("= 3.12.0", "3.12", "3.12.1"),
            (">= 18, < 21", "20.11", "21.0"),
        ] {
            assert!(accepts(bounds, good), "{good} {bounds}");
            assert!(!accepts(bounds, bad), "{bad} {bounds}");
        }
    }

    #[test]
    fn a_version_is_found_in_what_tools_say() {
        for (said, version) in [
            ("git version 2.43.0", "2.43.0"),
            ("v18.19.1", "18.19.1"),
            ("go version go1.22.1 linux/amd64", "1.22.1"),
            ("rustc 1.89.0 (29483883e 2025-08-04)", "1.89.0"),
            ("gcc (Ubuntu 13.2.0-23ubuntu4) 13.2.0", "13.2.0"),
            ("OpenSSH_9.6p1 Ubuntu-3ubuntu13, OpenSSL 3.0.13 30 Jan 2024", "9.6"),
            ("jq-1.7.1", "1.7.1"),
            ("openjdk 21.0.2 2024-01-16", "21.0.2"),
            ("less 608 (GNU regular expressions)", "608"),
            ("2.0.30 (Claude Code)", "2.0.30"),
            ("1.0.0-rc.1", "1.0.0"),
        ] {
            let found = Version::find_in(said).map(|version| version.to_string());
            assert_eq!(found.as_deref(), Some(version), "{said}");
        }
        assert_eq!(Version::find_in("unknown option: --version"), None);
    }
}

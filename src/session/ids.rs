//! The ids of sessions and workflows; checked before they touch a path (SPEC 11).

use std::fmt;

use serde::{Deserialize, Serialize};

/// `session-<uuid>`: one execution of a workflow, over any number of resumes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionId(Box<str>);

impl SessionId {
    /// A fresh one.
    #[must_use]
    pub fn fresh() -> Self {
        Self(format!("session-{}", uuid::Uuid::new_v4()).into())
    }

    /// Accepts exactly `session-<uuid>` in lower case; anything else is not a session id.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let uuid = uuid::Uuid::try_parse(text.strip_prefix("session-")?).ok()?;
        let id = format!("session-{uuid}");
        (id == text).then(|| Self(id.into()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The uuid without `session-`.
    #[must_use]
    pub fn uuid(&self) -> &str {
        self.0.strip_prefix("session-").unwrap_or(&self.0)
    }

    /// `failure-<6 hex>-<number>`: the id of one of its failed runs.
    #[must_use]
    pub fn failure_id(&self, number: u32) -> String {
        format!("{}{number}", self.failure_prefix())
    }

    /// The number of one of its failed runs; none for an id that cannot be of this session.
    #[must_use]
    pub fn failure_number(&self, id: &str) -> Option<u32> {
        id.strip_prefix(&self.failure_prefix())?.parse().ok()
    }

    fn failure_prefix(&self) -> String {
        format!("failure-{}-", self.uuid().get(..6).unwrap_or_default())
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// `<name-slug>-<6 hex>`: the short, typable id of a session; names its checkpoint file.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WorkflowId(Box<str>);

impl WorkflowId {
    /// The id of session `session` of a workflow called `name`.
    #[must_use]
    pub fn of(name: &str, session: &SessionId) -> Self {
        let hex: String = session.uuid().chars().filter(char::is_ascii_hexdigit).take(6).collect();
        Self(format!("{}-{hex}", slug(name)).into())
    }

    /// Accepts letters, digits, `-`, `_` and `.` (not in front), up to 100 characters: safe as a file name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=100).contains(&text.len())
            && !text.starts_with(['.', '-'])
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
        fits.then(|| Self(text.into()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for WorkflowId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// `recovery-<12 hex>`: one recovery, over any number of crashes; names its file.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RecoveryId(Box<str>);

impl RecoveryId {
    /// A fresh one.
    #[must_use]
    pub fn fresh() -> Self {
        let hex: String = uuid::Uuid::new_v4().simple().to_string().chars().take(12).collect();
        Self(format!("recovery-{hex}").into())
    }

    /// Accepts exactly `recovery-` and 12 lower-case hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let hex = text.strip_prefix("recovery-")?;
        let fits = hex.len() == 12
            && hex.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        fits.then(|| Self(text.into()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RecoveryId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A name made safe for ids and file names: lower-case words joined by single dashes.
#[must_use]
pub fn slug(name: &str) -> String {
    let mut slug = String::new();
    for letter in name.chars() {
        if letter.is_ascii_alphanumeric() {
            slug.push(letter.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
        if slug.len() >= 48 {
            break;
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "workflow".to_owned() } else { slug.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_ids_are_no_ids() {
        for text in ["../../x", "session-../x", "", "session-", "/etc", "session-%2e%2e", "*"] {
            assert_eq!(SessionId::parse(text), None, "{text}");
        }
        for text in ["../x", ".hidden", "a/b", "", "a\nb", "-rf"] {
            assert_eq!(WorkflowId::parse(text), None, "{text}");
        }
        for text in ["recovery-", "recovery-../../../x", "recovery-0123456789AB", "0123456789ab"] {
            assert_eq!(RecoveryId::parse(text), None, "{text}");
        }
        let fresh = SessionId::fresh();
        assert_eq!(SessionId::parse(fresh.as_str()), Some(fresh));
        let fresh = RecoveryId::fresh();
        assert_eq!(RecoveryId::parse(fresh.as_str()), Some(fresh));
    }

    #[test]
    fn slugs_are_typable() {
        assert_eq!(slug("Data Pipeline!! (v2)"), "data-pipeline-v2");
        assert_eq!(slug("../../\u{1b}[31m"), "31m");
        assert_eq!(slug("日本"), "workflow");
    }
}

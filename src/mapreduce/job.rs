//! `mapreduce-<yyyymmdd_hhmmss>_<session id>`: the id of the MapReduce part of a session.

use std::fmt;

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::session::SessionId;

/// How the time in a job id is written, in UTC (DECISIONS A71).
const TIME: &str = "%Y%m%d_%H%M%S";

/// The id of a job. It holds the session id, so that the one leads to the other without
/// any file, and it is checked before it touches a path.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId {
    text: Box<str>,
    session: SessionId,
}

impl JobId {
    /// The id of the job of `session`, which began at `at`; fractions of a second are dropped.
    #[must_use]
    pub fn new(at: DateTime<Utc>, session: &SessionId) -> Self {
        let text = format!("mapreduce-{}_{session}", at.format(TIME));
        Self { text: text.into(), session: session.clone() }
    }

    /// Accepts exactly `mapreduce-<yyyymmdd_hhmmss>_<session id>` with a time that exists.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("mapreduce-")?;
        let (time, session) = (rest.get(..15)?, rest.get(15..)?.strip_prefix('_')?);
        let session = SessionId::parse(session)?;
        let at = NaiveDateTime::parse_from_str(time, TIME).ok()?.and_utc();
        let id = Self::new(at, &session);
        // The parser of times is lenient about spaces and signs; ids are not.
        (*id.text == *text).then_some(id)
    }

    /// The session that the job belongs to.
    #[must_use]
    pub fn session(&self) -> &SessionId {
        &self.session
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl Serialize for JobId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for JobId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            let shape = "mapreduce-<yyyymmdd_hhmmss>_<session id>";
            serde::de::Error::custom(format!("{text:?} is no job id; they look like {shape}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESSION: &str = "session-93c8f475-17d2-4163-bf2e-c24095dd5254";

    #[test]
    fn an_id_leads_back_to_its_session() {
        let session = SessionId::parse(SESSION).unwrap();
        let at = DateTime::from_timestamp(1_762_974_090, 999_000_000).unwrap();
        let id = JobId::new(at, &session);
        assert_eq!(id.as_str(), format!("mapreduce-20251112_190130_{SESSION}"));
        let read = JobId::parse(id.as_str()).unwrap();
        assert_eq!(read.session(), &session);
        assert_eq!(read, id);
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(serde_json::from_str::<JobId>(&json).unwrap(), id);
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in [
            "mapreduce-20251112_190130".to_owned(),
            format!("mapreduce-20251112-190130_{SESSION}"),
            format!("mapreduce-20251312_190130_{SESSION}"),
            format!("mapreduce-20251112_196130_{SESSION}"),
            format!("mapreduce-2025111_2190130_{SESSION}"),
            format!("mapreduce- 0251112_190130_{SESSION}"),
            format!("mapreduce-20251112_190130_{SESSION}/.."),
            format!("mapreduce-20251112_190130_../{SESSION}"),
            format!("mapreduce-日日日日日_{SESSION}"),
            SESSION.to_owned(),
            String::new(),
        ] {
            assert_eq!(JobId::parse(&text), None, "{text:?}");
        }
        assert!(serde_json::from_str::<JobId>("\"mapreduce-x\"").is_err());
    }
}

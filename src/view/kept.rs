//! Whether the files of a checkpoint are kept, so that `recovery rollback` can restore them.

use serde_json::{Value as Json, json};

use super::{count, line};
use crate::session::{LeftOutReason, SessionState, Version};

/// The files of one checkpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptAt {
    version: Version,
    /// The nearest checkpoint that has files, where this one has none.
    nearest: Option<u32>,
}

impl KeptAt {
    /// Those of a version, as the whole session knows them; none outside of a git repository.
    #[must_use]
    pub fn of(state: &SessionState, version: u32) -> Option<Self> {
        let lifetime = &state.lifetime;
        let version = lifetime.all_versions().find(|it| it.version == version)?.clone();
        let nearest = match version.files {
            Some(_) => None,
            None => lifetime.nearest_with_files(version.version),
        };
        let in_git = version.head.is_some() || version.files.is_some() || nearest.is_some();
        in_git.then_some(Self { version, nearest })
    }

    /// As one line.
    #[must_use]
    pub fn text(&self) -> String {
        let Some(files) = &self.version.files else {
            return match self.nearest {
                Some(nearest) => format!("not kept (nearest: v{nearest})"),
                None => "not kept".to_owned(),
            };
        };
        let short = |id: &str| id.get(..12).unwrap_or(id).to_owned();
        let mut text = "kept".to_owned();
        if let Some(head) = &files.head {
            text = format!("{text}, HEAD {}", short(head));
        }
        match files.left_out.as_slice() {
            [] => text,
            [one] => format!("{text}, without {}", line(&one.path.shown())),
            many => format!("{text}, without {}", count(many.len() as u64, "path")),
        }
    }

    /// `{kept: true, tree, head, left_out}` or `{kept: false, nearest_version}`.
    #[must_use]
    pub fn json(&self) -> Json {
        let Some(files) = &self.version.files else {
            return json!({ "kept": false, "nearest_version": self.nearest });
        };
        let left_out = files.left_out.iter();
        let left_out = left_out.map(|it| {
            let reason = match it.reason {
                LeftOutReason::TooLarge => "too_large",
                LeftOutReason::Repository => "repository",
                LeftOutReason::Unreadable => "unreadable",
                LeftOutReason::Special => "special",
            };
            json!({ "path": it.path.shown(), "reason": reason })
        });
        let left_out: Vec<Json> = left_out.collect();
        json!({ "kept": true, "tree": files.tree, "head": files.head, "left_out": left_out })
    }

    /// HEAD at that moment.
    #[must_use]
    pub fn head(&self) -> Option<&str> {
        self.version.head.as_deref()
    }
}

//! What a step says, as a hash: formatting, comments, key order and place do not count (DECISIONS A5).

use super::model::Step;
use crate::session::Digest;

/// The content hash of a lowered step with everything below it.
#[must_use]
pub fn digest(step: &Step) -> Digest {
    // The model holds nothing that JSON cannot; its Debug form would still tell steps apart.
    let json = serde_json::to_vec(step).unwrap_or_else(|_| format!("{step:?}").into_bytes());
    Digest::of(&json)
}

//! The only place that runs git (SPEC 8).

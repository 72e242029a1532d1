//! The only place that starts, watches and ends programs (SPEC 5).

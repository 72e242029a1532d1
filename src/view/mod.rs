//! Pure answers from events, shared by lists, `--json` and reports.

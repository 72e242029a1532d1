//! YAML → one strict `Workflow`, or all problems of the file at once (SPEC 3).

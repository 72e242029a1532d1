//! Walks the workflow tree and makes its effects happen (SPEC 5, 6).

//! Workflows with one thing wrong each, and exactly where it is.

mod fields;
mod hints;
mod kit;
mod loops;
mod order;
mod own_names;
mod shell;

mod unknown;
mod variables;

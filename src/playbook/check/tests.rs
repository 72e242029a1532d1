//! Workflows with one thing wrong each, and exactly where it is.

mod fields;
mod kit;
mod loops;
mod order;
mod own_names;
mod shell;
mod stages;
mod unknown;
mod variables;

//! Prodigy runs YAML workflows of shell and agent commands, and resumes them after any crash.
//!
//! A session is an append-only list of events; everything else is a function of that list.
//! From the top floor down (imports point only downwards):
//!
//! | module | what it is |
//! |---|---|
//! | `cli` | one file per subcommand: parse, call, show |
//! | `executor` | walks the workflow tree and makes effects happen |
//! | `recovery` | what brings a failed session back, and how far that is |
//! | `resume`, `report` | which session and what runs again; observers that write for people |
//! | `store`, `view` | the disk; pure answers from events |
//! | `playbook`, `session`, `agent` | YAML → workflow; the pure fold of events into state; what Claude is told and what it says |
//! | `mapreduce` | the pure part of MapReduce: items, order of work, error policy, aggregates |
//! | `expr` | values, templates, shell quoting, expressions |
//! | `process`, `git`, `exit` | the ground floor: programs, git, the one door for errors |

pub mod agent;
pub mod cli;
pub mod executor;
pub mod exit;
pub mod expr;
pub mod git;
pub mod mapreduce;
pub mod playbook;
pub mod process;
pub mod recovery;
pub mod report;
pub mod resume;
pub mod session;
pub mod store;
pub mod view;

//! Where a session goes on: what is kept, what runs again and why (SPEC 7.3). It decides and
//! returns events; whoever holds the session records them.

mod changes;
mod checkpoint;
mod foresee;
mod map;
mod plan;
mod request;
mod settings;
mod tree;

pub use changes::{Changes, match_steps};
pub use foresee::{Earlier, foresee};
pub use map::{ReduceAfter, Requeue, before_items_are_read_again};
pub use plan::{Action, Row, RowAgents, rows};
pub use request::{Decision, Refusal, Request, decide};
pub use tree::{Place, places};

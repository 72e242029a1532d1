//! Where a session goes on: what is kept, what runs again and why (SPEC 7.3). It decides and
//! returns events; whoever holds the session records them.

mod changes;
mod checkpoint;
mod edited;
mod failed;
mod foresee;
mod from_step;
mod map;
mod path;
mod plan;
mod request;
mod settings;
mod tree;

pub use changes::{Changes, match_steps};
pub use failed::failed_again;
pub use foresee::{Earlier, foresee};
pub use from_step::step_alone;
pub use map::{ReduceAfter, Requeue};
pub use plan::{Action, Row, RowAgents, rows};
pub use request::{Decision, Downstream, Refusal, Request, decide};
pub use tree::{Place, places};

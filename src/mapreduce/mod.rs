//! The pure part of MapReduce: items and their selection, the order of the work, the error
//! policy, aggregates (SPEC 3.4, 7.4). No IO, no clock, no threads: times come as arguments.

mod aggregate;
mod bits;
mod breaker;
mod estimate;
mod item;
mod job;
mod key;
mod number;
mod policy;
mod schedule;
mod selection;
mod source;

pub use aggregate::Accumulator;
pub use breaker::{Breaker, Permit, Ticket, TicketEnd};
pub use estimate::Pace;
pub use item::{FrozenItem, Item, ItemId};
pub use job::JobId;
pub use policy::{ErrorCollector, MapVerdict, StopReason, Tally};
pub use schedule::{Counts, ItemEnd, ItemState, Next, Schedule};
pub use selection::{Selected, Selection, SelectionError, select};
pub use source::{Form, ItemPath, PathError, SourceError, read_items};

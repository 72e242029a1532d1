//! Walks the workflow tree and makes effects happen. Before anything with an effect it asks
//! the session whether a finish is recorded at this address; that is all there is to resume.

mod artifacts;
mod attempt;
mod budget;
mod capture;
mod confirm;
mod environment;
mod failure;
mod files;
mod fix;
mod frame;
mod gate;
mod halt;
mod handler;
mod kinds;
mod map;
mod names;
mod permissions;
mod preflight;
mod programs;
mod retry;
mod run;
mod sequence;
mod stage;
mod step;
mod values;
mod workflow;

pub use confirm::{Answer, Confirm};
pub use environment::{Surroundings, SurroundingsError};
pub use files::{kept_before, kept_files};
pub use fix::{Before, Fix};
pub use halt::Halt;
pub use permissions::Permissions;
pub use preflight::check_agents;
pub use run::{Inject, Injection, Options, Run};
pub use values::{Constants, ParameterError, parameters};
pub use workflow::Ending;

//! YAML text → a small tree of positioned nodes (SPEC 3: anchors, merge keys, limits, duplicate keys).

mod build;
pub(crate) mod scalar;
mod tree;
mod unfold;

pub use build::{Defect, read};
pub use scalar::Kind;
pub use tree::{Content, Entry, Node, Style};
pub use unfold::unfold;

//! Typed reading of YAML nodes, one function a kind of value, every problem noted with its place.

mod duration;
mod fields;
mod nearest;
mod older;
mod reader;
mod texts;
mod values;

pub use duration::{parse_duration, spell_duration};
pub use fields::Fields;
pub use nearest::nearest;
pub use reader::{Field, Reader, Sequence};
pub use values::{constant, value};

//! The inside of [`super::ShellText`]: finding holes, following the shell's quoting, placing data.

mod bare;
mod carrier;
mod frame;
mod heredoc;
mod insertion;
mod meaning;
mod other;
mod quoted;
mod scanner;
mod symbol;
mod words;

pub(super) use meaning::{Filling, Survey};
pub(super) use other::render_other;
pub(super) use scanner::Scanner;
pub(super) use symbol::{Reading, read};
pub(super) use words::words;

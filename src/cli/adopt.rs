//! pending
use super::args::Resume;
use super::output::Console;
use crate::exit::{ExitKind, Failure};
use crate::store::Home;
use std::path::{Path, PathBuf};
pub(super) fn find(_: &Home, _: Option<&str>, _: &str) -> Result<Option<PathBuf>, Failure> {
    Ok(None)
}
pub(super) fn run(_: &Home, _: &Path, _: &Resume, _: &mut Console) -> Result<ExitKind, Failure> {
    unimplemented!()
}

//! pending
use std::path::{Path, PathBuf}; use crate::exit::{ExitKind, Failure}; use crate::store::Home; use super::args::Resume; use super::output::Console;
pub(super) fn find(_: &Home, _: Option<&str>, _: &str) -> Result<Option<PathBuf>, Failure> { Ok(None) }
pub(super) fn run(_: &Home, _: &Path, _: &Resume, _: &mut Console) -> Result<ExitKind, Failure> { unimplemented!() }

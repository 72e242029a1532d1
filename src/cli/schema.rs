//! `prodigy schema`: the JSON Schema of the workflow format.

use crate::exit::{ExitKind, Failure};
use crate::playbook;
use crate::store::replace_file;

use super::args::Schema;
use super::output::Console;

/// Prints the schema, or writes it to a file.
pub(super) fn run(arguments: &Schema, console: &mut Console) -> Result<ExitKind, Failure> {
    let schema = playbook::schema();
    match &arguments.output {
        None => console.output.json(&schema),
        Some(file) => {
            replace_file(file, format!("{schema:#}\n").as_bytes(), None)
                .map_err(|error| Failure::of(ExitKind::Failed, &error))?;
            console.remark(format_args!("wrote {}", file.display()));
        }
    }
    Ok(ExitKind::Success)
}

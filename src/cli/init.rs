//! `prodigy init`: writes a commented example workflow.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use crate::exit::{ExitKind, Failure};

use super::args::Init;
use super::output::Console;

const EXAMPLE: &str = include_str!("example.yaml");
const SCHEMA: &str = "workflow.schema.json";

/// Writes the example; a file that is there stays.
pub(super) fn run(arguments: &Init, console: &mut Console) -> Result<ExitKind, Failure> {
    let file = &arguments.file;
    let mut opened =
        OpenOptions::new().write(true).create_new(true).open(file).map_err(|error| {
            if error.kind() == ErrorKind::AlreadyExists {
                return Failure::new(ExitKind::Usage, format!("{} exists already", file.display()))
                    .with_help("prodigy init OTHER_NAME.yaml");
            }
            not_written(file, &error)
        })?;
    opened.write_all(example_for(file).as_bytes()).map_err(|error| not_written(file, &error))?;
    let shown = quoted(file);
    console.output.line(format_args!("wrote {}", file.display()));
    console.output.line("next:");
    console.output.line(format_args!("  prodigy validate {shown}"));
    console.output.line(format_args!("  prodigy cook {shown}"));
    console.output.line(format_args!(
        "  prodigy schema -o {}   (so that the editor knows the keys)",
        quoted(&schema_beside(file))
    ));
    Ok(ExitKind::Success)
}

fn example_for(file: &Path) -> String {
    let stem = file.file_stem().map_or_else(|| "workflow".into(), |stem| stem.to_string_lossy());
    EXAMPLE
        .replace("{FILE}", &quoted(file))
        .replace("{SCHEMA}", &quoted(&schema_beside(file)))
        .replace("{SCHEMA_NAME}", SCHEMA)
        .replace("{NAME}", &serde_json::Value::from(stem).to_string())
}

fn schema_beside(file: &Path) -> PathBuf {
    file.with_file_name(SCHEMA)
}

fn quoted(path: &Path) -> String {
    crate::view::typed(&path.to_string_lossy())
}

fn not_written(file: &Path, error: &std::io::Error) -> Failure {
    let kind = match error.kind() {
        ErrorKind::NotFound => ExitKind::NotFound,
        _ => ExitKind::Failed,
    };
    Failure::new(kind, format!("cannot write {}", file.display())).because(error.to_string())
}

//! The files that a pattern fits, sorted: of `--map`, of `artifacts:`.

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// The files below `directory` that `pattern` fits, as paths relative to it (or absolute for an
/// absolute pattern); hidden ones only where the pattern names them. What is named without a
/// pattern may be of any kind.
///
/// # Errors
/// What is wrong with the pattern.
pub fn matching(pattern: &str, directory: &Path) -> Result<Vec<PathBuf>, String> {
    let glob = globset::GlobBuilder::new(pattern)
        .literal_separator(true)
        .build()
        .map_err(|error| error.to_string())?
        .compile_matcher();
    let fixed: PathBuf = Path::new(pattern)
        .components()
        .take_while(|part| !part.as_os_str().as_bytes().iter().any(|byte| b"*?[{".contains(byte)))
        .collect();
    if fixed == Path::new(pattern) {
        return Ok(if directory.join(&fixed).exists() { vec![fixed] } else { vec![] });
    }
    let mut found = Vec::new();
    let hidden = pattern.split('/').any(|part| part.starts_with('.') && part.len() > 2);
    let mut pending = vec![fixed];
    while let Some(part) = pending.pop() {
        let Ok(entries) = std::fs::read_dir(directory.join(&part)) else { continue };
        for entry in entries.flatten() {
            let path = part.join(entry.file_name());
            if !hidden && entry.file_name().as_bytes().starts_with(b".") {
                continue;
            }
            let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_directory {
                pending.push(path);
            } else if glob.is_match(&path) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

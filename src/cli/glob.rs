//! `--map GLOB`: the files that a pattern fits, sorted.

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// The files below the working directory that `pattern` fits, as paths relative to it (or
/// absolute for an absolute pattern); hidden ones only where the pattern names them.
pub(super) fn expand(pattern: &str) -> Result<Vec<Vec<u8>>, String> {
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
        return Ok(if fixed.exists() {
            vec![fixed.as_os_str().as_bytes().to_vec()]
        } else {
            vec![]
        });
    }
    let mut found = Vec::new();
    let hidden = pattern.split('/').any(|part| part.starts_with('.') && part.len() > 2);
    let mut pending = vec![fixed];
    while let Some(directory) = pending.pop() {
        let shown = if directory.as_os_str().is_empty() { Path::new(".") } else { &directory };
        let Ok(entries) = std::fs::read_dir(shown) else { continue };
        for entry in entries.flatten() {
            let path = directory.join(entry.file_name());
            if !hidden && entry.file_name().as_bytes().starts_with(b".") {
                continue;
            }
            let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_directory {
                pending.push(path);
            } else if glob.is_match(&path) {
                found.push(path.as_os_str().as_bytes().to_vec());
            }
        }
    }
    found.sort();
    Ok(found)
}

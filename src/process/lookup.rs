//! Finds programs as a shell would, and tells real ones from texts a shell has to read.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rustix::fs::{Access, access};

use super::run::Inherits;

/// Where a program of this name is: `name` itself (below `directory`) when it holds a slash,
/// else the first executable file of that name in `path`, a list of directories separated by
/// colons. An empty entry means `directory`.
#[must_use]
pub fn find_program(name: &OsStr, path: &OsStr, directory: &Path) -> Option<PathBuf> {
    if name.is_empty() {
        return None;
    }
    if name.as_bytes().contains(&b'/') {
        return Some(directory.join(name)).filter(|file| is_executable(file));
    }
    std::env::split_paths(path)
        .map(|entry| entry.join(name))
        .map(|file| if file.is_absolute() { file } else { directory.join(file) })
        .find(|file| is_executable(file))
}

/// Where a program with these variables looks for others: its own PATH, or ours.
#[must_use]
pub fn search_path(env: &[(OsString, OsString)], inherits: Inherits) -> Option<OsString> {
    match (env.iter().rev().find(|(name, _)| name == "PATH"), inherits) {
        (Some((_, path)), _) => Some(path.clone()),
        (None, Inherits::Everything) => std::env::var_os("PATH"),
        (None, Inherits::Nothing) => None,
    }
}

/// As [`find_program`]; `sh`, which nearly every step starts, is looked for once as long as
/// `path` stays the same and it stands where nothing moves.
pub(super) fn find_again(name: &OsStr, path: &OsStr, directory: &Path) -> Option<PathBuf> {
    static SHELL: Mutex<Option<(OsString, PathBuf)>> = Mutex::new(None);
    if name != "sh" {
        return find_program(name, path, directory);
    }
    let mut known = SHELL.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, found)) = known.as_ref().filter(|(of, _)| of == path) {
        return Some(found.clone());
    }
    let found = find_program(name, path, directory)?;
    if holds_still(&found) {
        *known = Some((path.to_owned(), found.clone()));
    }
    Some(found)
}

/// Only system directories hold still; a program a step has just built is looked at again.
fn holds_still(file: &Path) -> bool {
    file.starts_with("/usr/bin") || file.starts_with("/bin") || file.starts_with("/usr/local/bin")
}

/// True for an executable file that the kernel can start by itself: machine code, or a script
/// that names its interpreter. Others (a script without `#!`) need a shell to read them.
#[must_use]
pub fn starts_like_a_program(file: &Path) -> bool {
    static KNOWN: Mutex<Option<HashMap<PathBuf, bool>>> = Mutex::new(None);
    /// Workflows name few programs; one with more pays for a new look now and then.
    const MOST: usize = 256;

    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let known = known.get_or_insert_default();
    let holds_still = holds_still(file);
    if let (true, Some(answer)) = (holds_still, known.get(file)) {
        return *answer;
    }
    let answer = is_executable(file) && has_program_magic(file);
    if holds_still && known.len() < MOST {
        known.insert(file.to_owned(), answer);
    }
    answer
}

fn is_executable(file: &Path) -> bool {
    access(file, Access::EXEC_OK).is_ok() && file.is_file()
}

fn has_program_magic(file: &Path) -> bool {
    let mut start = [0; 4];
    let Ok(read) = File::open(file).and_then(|mut open| open.read(&mut start)) else {
        // Executable but not readable: the kernel knows what it is, no shell could read it.
        return true;
    };
    matches!(
        start.get(..read),
        Some(
            [b'#', b'!', ..]
            | [0x7f, b'E', b'L', b'F']
            // Mach-O, thin and fat.
            | [0xcf | 0xce, 0xfa, 0xed, 0xfe]
            | [0xca, 0xfe, 0xba, 0xbe]
        )
    )
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn write(file: &Path, text: &str, mode: u32) {
        std::fs::write(file, text).unwrap();
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn the_first_executable_in_the_path_wins() {
        let place = tempfile::tempdir().unwrap();
        let (one, two) = (place.path().join("one"), place.path().join("two"));
        std::fs::create_dir_all(one.join("folder")).unwrap();
        std::fs::create_dir(&two).unwrap();
        write(&one.join("tool"), "", 0o644);
        write(&two.join("tool"), "", 0o755);
        write(&two.join("folder"), "", 0o755);
        let path = OsStr::new("one:two");
        let find = |name: &str| find_program(name.as_ref(), path, place.path());
        assert_eq!(find("tool"), Some(two.join("tool")), "the first is not executable");
        assert_eq!(find("folder"), Some(two.join("folder")), "the first is a directory");
        assert_eq!(find("two/tool"), Some(two.join("tool")));
        assert_eq!(find("tool2"), None);
        assert_eq!(find(""), None);
        assert_eq!(find_program("tool".as_ref(), "".as_ref(), &two), Some(two.join("tool")));
    }

    #[test]
    fn scripts_without_interpreter_are_for_the_shell() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("it");
        write(&file, "echo hello\n", 0o755);
        assert!(!starts_like_a_program(&file));
        write(&file, "#!/bin/sh\n", 0o755);
        assert!(starts_like_a_program(&file));
        write(&file, "#!/bin/sh\n", 0o644);
        assert!(!starts_like_a_program(&file));
        write(&file, "", 0o755);
        assert!(!starts_like_a_program(&file));
        assert!(starts_like_a_program(Path::new("/bin/sh")));
        assert!(starts_like_a_program(Path::new("/bin/sh")), "from memory");
    }
}

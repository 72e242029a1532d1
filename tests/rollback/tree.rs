//! A working tree as it is, and as a plain git says it is.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What is at a path: enough to tell two states apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Thing {
    File { bytes: Vec<u8>, executable: bool },
    Link(PathBuf),
}

/// All files and links below a directory, without `.git` at its top.
pub fn files(top: &Path) -> BTreeMap<PathBuf, Thing> {
    let mut found = BTreeMap::new();
    collect(top, top, &mut found);
    found
}

fn collect(top: &Path, directory: &Path, found: &mut BTreeMap<PathBuf, Thing>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(top).unwrap().to_owned();
        if name == Path::new(".git") {
            continue;
        }
        let metadata = path.symlink_metadata().unwrap();
        if metadata.is_dir() {
            collect(top, &path, found);
        } else if metadata.is_symlink() {
            found.insert(name, Thing::Link(std::fs::read_link(path).unwrap()));
        } else {
            let executable = metadata.permissions().mode() & 0o100 != 0;
            found.insert(name, Thing::File { bytes: std::fs::read(path).unwrap(), executable });
        }
    }
}

/// Every byte of the user's own repository: branches, index, stash, configuration.
pub fn repository(top: &Path) -> BTreeMap<PathBuf, Thing> {
    files(&top.join(".git"))
}

/// What git answers in `directory`; an exit code of 1 is an empty answer.
pub fn git(directory: &Path, args: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new("git")
        .args(["-c", "core.fsmonitor=false"])
        .args(args)
        .current_dir(directory)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    std::io::Write::write_all(child.stdin.as_mut().unwrap(), input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(matches!(output.status.code(), Some(0 | 1)), "git {args:?}: {:?}", output.status);
    output.stdout
}

fn paths(output: &[u8]) -> BTreeSet<PathBuf> {
    let text = String::from_utf8(output.to_vec()).unwrap();
    text.split('\0').filter(|path| !path.is_empty()).map(PathBuf::from).collect()
}

/// Files that are there, and not ignored or tracked: what belongs to a checkpoint.
pub fn covered(top: &Path) -> BTreeSet<PathBuf> {
    let args = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let listed = paths(&git(top, &args, b""));
    files(top).into_keys().filter(|path| listed.contains(path)).collect()
}

/// Those of `asked` that the rules of this tree ignore. The rules stand at its top only, and
/// git is asked where nothing else is, because it does not look behind links.
pub fn ignored(top: &Path, asked: &BTreeSet<PathBuf>) -> BTreeSet<PathBuf> {
    let place = tempfile::tempdir().unwrap();
    git(place.path(), &["init", "--quiet"], b"");
    if let Ok(rules) = std::fs::read(top.join(".gitignore")) {
        std::fs::write(place.path().join(".gitignore"), rules).unwrap();
    }
    let asked: Vec<&str> = asked.iter().map(|path| path.to_str().unwrap()).collect();
    if asked.is_empty() {
        return BTreeSet::new();
    }
    let args = ["check-ignore", "-z", "--stdin", "--no-index"];
    let mut ignored = paths(&git(place.path(), &args, asked.join("\0").as_bytes()));
    let tracked = paths(&git(top, &["ls-files", "-z", "--cached"], b""));
    ignored.retain(|path| !tracked.contains(path));
    ignored
}

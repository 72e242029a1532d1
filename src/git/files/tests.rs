//! Against real git: what is kept comes back, and nothing else is touched.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::*;
use crate::git::Repository;

/// Who keeps.
const HOLDER: &str = "session-1";

/// A repository, and a store for its files.
pub(super) struct Place {
    directory: tempfile::TempDir,
}

impl Place {
    /// `None` with a message where there is no git.
    pub(super) fn new() -> Option<Self> {
        if Command::new("git").arg("--version").output().is_err() {
            println!("skipped: no git here");
            return None;
        }
        let place = Self { directory: tempfile::tempdir().unwrap() };
        fs::create_dir(place.top()).unwrap();
        place.git(&["init", "--quiet", "--initial-branch=main"]);
        place.git(&["config", "user.name", "Me"]);
        place.git(&["config", "user.email", "me@example.org"]);
        Some(place)
    }

    pub(super) fn top(&self) -> PathBuf {
        self.directory.path().canonicalize().unwrap().join("my repo")
    }

    pub(super) fn git(&self, args: &[&str]) -> Vec<u8> {
        let output = Command::new("git")
            .args(args)
            .current_dir(self.top())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        assert!(output.status.success(), "git {args:?}");
        output.stdout
    }

    pub(super) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.top().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn mode(&self, name: &str, mode: u32) {
        fs::set_permissions(self.top().join(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.top().join(name)).unwrap()
    }

    fn has(&self, name: &str) -> bool {
        self.top().join(name).symlink_metadata().is_ok()
    }

    pub(super) fn store(&self) -> FileStore {
        let repository = Repository::find(&self.top()).unwrap();
        FileStore::new(repository, self.directory.path().join("state/files.git"))
    }

    /// From now back to `then`; returns what was kept of now, and what was left.
    pub(super) fn go_back(&self, store: &FileStore, then: &Kept) -> (Kept, Vec<Left>) {
        let now = store.keep(HOLDER).unwrap();
        let plan = store.plan(HOLDER, &now, then).unwrap();
        let mut left = plan.left.clone();
        left.extend(store.restore(&plan, &self.top()).unwrap());
        (now, left)
    }

    /// Everything that is the user's and not the working tree's.
    pub(super) fn theirs(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        let mut waiting = vec![self.top().join(".git")];
        while let Some(directory) = waiting.pop() {
            for entry in fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    waiting.push(path);
                } else {
                    found.insert(path.clone(), fs::read(path).unwrap());
                }
            }
        }
        found
    }
}

#[test]
fn files_of_all_kinds_come_back_and_git_of_the_user_stays() {
    let Some(place) = Place::new() else { return };
    place.write("tracked", "one\n");
    place.write("a dir/x.sh", "#!/bin/sh\n");
    place.mode("a dir/x.sh", 0o755);
    place.git(&["add", "."]);
    place.git(&["commit", "--quiet", "-m", "first"]);
    place.write(".gitignore", "*.log\nout/\n");
    place.write("untracked", b"\0\xff binary \r\n");
    place.write("staged", "staged only\n");
    place.git(&["add", "staged"]);
    place.write("old.log", "ignored then\n");
    symlink("nowhere/at all", place.top().join("link")).unwrap();
    let store = place.store();
    let then = store.keep(HOLDER).unwrap();
    assert_eq!(then.head.as_deref(), Some(text(&place.git(&["rev-parse", "HEAD"])).as_str()));

    place.write("tracked", "two\n");
    place.git(&["commit", "--quiet", "-am", "second"]);
    place.git(&["stash", "--quiet", "--include-untracked"]);
    place.git(&["stash", "apply", "--quiet"]);
    fs::remove_file(place.top().join("a dir/x.sh")).unwrap();
    fs::remove_file(place.top().join("link")).unwrap();
    place.write("link/is now/a directory", "x");
    place.write("untracked", "changed\n");
    fs::remove_file(place.top().join("staged")).unwrap();
    place.write("new/deep/file", "made since\n");
    place.write("old.log", "changed\n");
    place.write("out/result", "ignored now\n");
    place.mode("tracked", 0o700);

    let theirs = place.theirs();
    let before_log = place.git(&["log", "--all", "--format=%H"]);
    let (now, left) = place.go_back(&store, &then);
    assert_eq!(left, []);
    assert_eq!(place.theirs(), theirs);
    assert_eq!(place.git(&["log", "--all", "--format=%H"]), before_log);
    assert_eq!(place.read("tracked"), "one\n");
    assert_eq!(fs::read(place.top().join("untracked")).unwrap(), b"\0\xff binary \r\n");
    assert_eq!(place.read("staged"), "staged only\n");
    let target = fs::read_link(place.top().join("link")).unwrap();
    assert_eq!(target, Path::new("nowhere/at all"));
    let mode = |name: &str| fs::metadata(place.top().join(name)).unwrap().permissions().mode();
    assert_eq!(mode("a dir/x.sh") & 0o111, 0o111 & mode("a dir/x.sh"));
    assert_ne!(mode("a dir/x.sh") & 0o100, 0);
    assert_eq!(mode("tracked") & 0o777, 0o600, "what was private stays private");
    assert!(!place.has("new"), "directories that get empty go too");
    assert_eq!(place.read("old.log"), "changed\n");
    assert_eq!(place.read("out/result"), "ignored now\n");

    let (_, left) = place.go_back(&store, &now);
    assert_eq!(left, []);
    assert_eq!(place.read("tracked"), "two\n");
    assert_eq!(place.read("untracked"), "changed\n");
    assert_eq!(place.read("link/is now/a directory"), "x");
    assert_eq!(place.read("new/deep/file"), "made since\n");
    assert!(!place.has("staged") && !place.has("a dir"));
    assert_eq!(store.keep(HOLDER).unwrap().tree, now.tree);
}

#[test]
fn no_configuration_changes_a_byte() {
    let Some(place) = Place::new() else { return };
    place.git(&["config", "core.autocrlf", "true"]);
    place.git(&["config", "core.fileMode", "false"]);
    place.git(&["config", "core.fsmonitor", "false-program-that-is-not-there"]);
    place.git(&["config", "filter.upper.clean", "tr a-z A-Z"]);
    place.git(&["config", "filter.upper.smudge", "tr A-Z a-z"]);
    place.git(&["config", "filter.upper.required", "true"]);
    place.git(&["config", "commit.gpgSign", "true"]);
    let attributes = "*.txt text eol=crlf ident\n*.up filter=upper\n\
                      *.u16 working-tree-encoding=UTF-16LE\n";
    place.write(".gitattributes", attributes);
    let contents = [
        ("a.txt", b"one\ntwo\r\n$Id$\n".to_vec()),
        ("b.up", b"mixed Case\n".to_vec()),
        ("c.u16", b"no utf-16".to_vec()),
        ("git~1", b"a name that Windows fears".to_vec()),
        (":(glob)**", b"a name that looks like a pattern".to_vec()),
    ];
    contents.iter().for_each(|(name, bytes)| place.write(name, bytes));
    place.mode("b.up", 0o755);
    let store = place.store();
    let then = store.keep(HOLDER).unwrap();
    contents.iter().for_each(|(name, _)| fs::remove_file(place.top().join(name)).unwrap());
    place.go_back(&store, &then);
    for (name, bytes) in &contents {
        assert_eq!(fs::read(place.top().join(name)).unwrap(), *bytes, "{name}");
    }
    let mode = fs::metadata(place.top().join("b.up")).unwrap().permissions().mode();
    assert_ne!(mode & 0o100, 0);
}

#[test]
fn what_is_ignored_then_or_now_stays_as_it_is() {
    let Some(place) = Place::new() else { return };
    place.write(".gitignore", "*.then\n");
    place.write(".git/info/exclude", "# a comment\n*.outside\n");
    place.write("a.now", "kept then\n");
    let store = place.store();
    let then = store.keep(HOLDER).unwrap();
    place.write(".gitignore", "*.now\n");
    place.write(".git/info/exclude", "");
    place.write("a.now", "ignored by now\n");
    place.write("b.now", "ignored by now\n");
    place.write("c.then", "ignored then\n");
    place.write("d.outside", "ignored then\n");
    let (_, left) = place.go_back(&store, &then);
    assert_eq!(place.read(".gitignore"), "*.then\n");
    assert_eq!(place.read("a.now"), "ignored by now\n");
    assert!(["b.now", "c.then", "d.outside"].iter().all(|name| place.has(name)));
    let left: Vec<_> = left.iter().map(|it| (it.path.to_str().unwrap(), it.why)).collect();
    let expected = [
        ("a.now", WhyLeft::IgnoredNow),
        ("c.then", WhyLeft::IgnoredThen),
        ("d.outside", WhyLeft::IgnoredThen),
    ];
    assert_eq!(left, expected);
}

#[test]
fn what_is_not_kept_is_told_and_never_touched() {
    let Some(place) = Place::new() else { return };
    place.write("nested/file", "x");
    let nested = place.top().join("nested");
    let made = Command::new("git").args(["init", "--quiet"]).arg(&nested).status().unwrap();
    assert!(made.success());
    let huge = fs::File::create(place.top().join("huge")).unwrap();
    huge.set_len((50 << 20) + 1).unwrap();
    place.write("grows", "small\n");
    let store = place.store();
    let then = store.keep(HOLDER).unwrap();
    let told: Vec<_> =
        then.left_out.iter().map(|it| (it.path.to_str().unwrap(), it.reason)).collect();
    assert_eq!(told, [("huge", WhyLeftOut::TooLarge), ("nested", WhyLeftOut::Repository)]);

    huge.set_len(3).unwrap();
    fs::File::create(place.top().join("grows")).unwrap().set_len(60 << 20).unwrap();
    fs::remove_dir_all(nested.join(".git")).unwrap();
    let (_, left) = place.go_back(&store, &then);
    let left: Vec<_> = left.iter().map(|it| (it.path.to_str().unwrap(), it.why)).collect();
    let large = WhyLeft::NotCovered(WhyLeftOut::TooLarge);
    let repository = WhyLeft::NotCovered(WhyLeftOut::Repository);
    assert_eq!(left, [("grows", large), ("huge", large), ("nested/file", repository)]);
    assert_eq!(fs::metadata(place.top().join("huge")).unwrap().len(), 3);
    assert_eq!(fs::metadata(place.top().join("grows")).unwrap().len(), 60 << 20);
    assert!(place.has("nested/file"));
}

#[test]
fn a_file_that_is_ignored_is_not_removed_to_make_room() {
    let Some(place) = Place::new() else { return };
    place.write(".gitignore", "*.log\n");
    place.write("thing", "a file\n");
    let store = place.store();
    let then = store.keep(HOLDER).unwrap();
    fs::remove_file(place.top().join("thing")).unwrap();
    place.write("thing/kept.log", "mine\n");
    place.write("thing/other", "goes\n");
    let (_, left) = place.go_back(&store, &then);
    assert_eq!(left, [Left { path: "thing".into(), why: WhyLeft::InTheWay }]);
    assert_eq!(place.read("thing/kept.log"), "mine\n");
    assert!(!place.has("thing/other"));
}

#[test]
fn kept_files_outlive_what_git_of_the_user_removes() {
    let Some(place) = Place::new() else { return };
    place.write("base", "base\n");
    place.git(&["add", "."]);
    place.git(&["commit", "--quiet", "-m", "base"]);
    place.write("staged", "only ever staged\n");
    place.git(&["add", "staged"]);
    let store = place.store();
    let then = store.keep(HOLDER).unwrap();
    place.git(&["rm", "--quiet", "--force", "staged"]);
    place.git(&["gc", "--quiet", "--prune=now"]);
    assert!(store.holds(&then.tree).unwrap());
    place.go_back(&store, &then);
    assert_eq!(place.read("staged"), "only ever staged\n");
    let other = place.store();
    other.keep("session-2").unwrap();
    store.forget(HOLDER).unwrap();
    assert!(!store.holds("0123456789012345678901234567890123456789").unwrap());
    assert!(store.holds(&then.tree).unwrap(), "the same files are kept for the other session");
}

#[test]
fn a_tree_whose_objects_are_gone_is_not_restored() {
    let Some(place) = Place::new() else { return };
    place.write("a", "one\n");
    let store = place.store();
    let then = store.keep(HOLDER).unwrap();
    place.write("a", "two\n");
    store.keep("session-2").unwrap();
    store.forget(HOLDER).unwrap();
    assert!(!store.holds(&then.tree).unwrap());
}

#[test]
fn before_the_first_commit_in_a_worktree_and_below_the_top() {
    let Some(place) = Place::new() else { return };
    let store = place.store();
    let empty = store.keep(HOLDER).unwrap();
    assert_eq!(empty.head, None);
    place.write("a", "1\n");
    place.git(&["add", "."]);
    place.git(&["commit", "--quiet", "-m", "a"]);
    let tree = place.directory.path().join("other tree");
    place.git(&["worktree", "add", "--quiet", "-b", "side", tree.to_str().unwrap()]);
    fs::create_dir(tree.join("sub")).unwrap();
    let repository = Repository::find(&tree.join("sub")).unwrap();
    let other = FileStore::new(repository, place.directory.path().join("state/other.git"));
    let then = other.keep(HOLDER).unwrap();
    fs::write(tree.join("a"), "2\n").unwrap();
    fs::write(tree.join("sub/b"), "b\n").unwrap();
    let now = other.keep(HOLDER).unwrap();
    let plan = other.plan(HOLDER, &now, &then).unwrap();
    assert_eq!(plan.changes.len(), 2);
    other.restore(&plan, &tree.join("sub")).unwrap();
    assert_eq!(fs::read_to_string(tree.join("a")).unwrap(), "1\n");
    assert!(tree.join("sub").exists(), "the directory of the session stays");
    assert!(!tree.join("sub/b").exists());

    place.go_back(&store, &empty);
    assert!(!place.has("a") && place.has(".git"));
}

#[test]
fn done_again_after_a_crash_it_ends_the_same() {
    let Some(place) = Place::new() else { return };
    for number in 0..20 {
        place.write(&format!("dir/file {number}"), format!("then {number}\n"));
    }
    let store = place.store();
    let then = store.keep(HOLDER).unwrap();
    fs::remove_dir_all(place.top().join("dir")).unwrap();
    place.write("dir", "now a file\n");
    place.write("made since", "x\n");
    let now = store.keep(HOLDER).unwrap();
    let plan = store.plan(HOLDER, &now, &then).unwrap();
    // As a kill leaves it: some files done, one half written, the rest not.
    fs::remove_file(place.top().join("dir")).unwrap();
    place.write("dir/file 3", "then 3\n");
    let half = super::apply::part_of(&place.top().join("dir/file 4"));
    fs::write(half, "th").unwrap();
    let again = place.store();
    let plan = again.planned(&plan.from, &plan.goal).unwrap();
    assert_eq!(again.restore(&plan, &place.top()).unwrap(), []);
    assert_eq!(again.keep(HOLDER).unwrap().tree, then.tree);
    assert_eq!(fs::read_dir(place.top().join("dir")).unwrap().count(), 20);
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}

//! Against real git, in a repository of hostile names.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::*;
use crate::process::Stop;

/// Names that only survive `-z`.
const NAMES: [&str; 3] = ["with space.txt", "quote\"'.txt", "line\nbreak\ttab.txt"];

struct Place {
    directory: tempfile::TempDir,
    env: Vec<(OsString, OsString)>,
}

impl Place {
    /// A new repository in a directory with a space, away from the user's configuration;
    /// `None` with a message where there is no git.
    fn new() -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let env = vec![
            ("PATH".into(), std::env::var_os("PATH").unwrap()),
            ("HOME".into(), directory.path().into()),
            ("GIT_CONFIG_NOSYSTEM".into(), "1".into()),
        ];
        let place = Self { directory, env };
        fs::create_dir(place.top()).unwrap();
        if Command::new("git").arg("--version").output().is_err() {
            println!("skipped: no git here");
            return None;
        }
        place.git(&["init", "--quiet", "--initial-branch=main"]);
        Some(place)
    }

    fn top(&self) -> PathBuf {
        self.directory.path().canonicalize().unwrap().join("my repo")
    }

    fn git_at(&self, directory: &Path, args: &[&str]) -> String {
        let output = Command::new("git")
            .args(args)
            .current_dir(directory)
            .env_clear()
            .envs(self.env.iter().cloned())
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        assert!(output.status.success(), "git {args:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn git(&self, args: &[&str]) -> String {
        self.git_at(&self.top(), args)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.top().join(name), text).unwrap();
    }

    fn hook(&self, script: &str) {
        let hook = self.top().join(".git/hooks/pre-commit");
        fs::create_dir_all(hook.parent().unwrap()).unwrap();
        fs::write(&hook, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn repository(&self) -> Repository {
        Repository::find(&self.top()).unwrap()
    }

    fn commit(&self) -> String {
        self.repository().commit_all("work", &self.env).unwrap().unwrap()
    }
}

fn paths(names: &[&str]) -> Vec<PathBuf> {
    let mut paths: Vec<_> = names.iter().map(PathBuf::from).collect();
    paths.sort();
    paths
}

#[test]
fn found_from_below_and_only_where_there_is_one() {
    let Some(place) = Place::new() else { return };
    let deep = place.top().join("a/b");
    fs::create_dir_all(&deep).unwrap();
    let repository = Repository::find(&deep).unwrap();
    assert_eq!(repository.top, place.top());
    assert_eq!(repository.git_dir, place.top().join(".git"));
    assert!(Repository::find(place.directory.path()).is_none());
    assert!(Repository::find(Path::new("/no/such/place")).is_none());
    fs::create_dir(deep.join(".git")).unwrap();
    assert_eq!(Repository::find(&deep).unwrap().top, place.top(), "an empty .git is none");
}

#[test]
fn head_is_what_git_says_however_it_is_stored() {
    let Some(place) = Place::new() else { return };
    let repository = place.repository();
    let asked = || place.git(&["rev-parse", "HEAD"]);
    assert_eq!(repository.head(), None);
    place.write("a", "1\n");
    assert_eq!(place.commit(), asked());
    assert_eq!(repository.head(), Some(asked()));
    place.git(&["pack-refs", "--all"]);
    assert_eq!(repository.head(), Some(asked()), "packed");
    place.write("a", "2\n");
    place.commit();
    assert_eq!(repository.head(), Some(asked()), "the loose one counts");
    place.git(&["checkout", "--quiet", "--detach", "HEAD~1"]);
    assert_eq!(repository.head(), Some(asked()), "detached");
    let tree = place.directory.path().join("other tree");
    place.git(&["worktree", "add", "--quiet", "-b", "side/branch", tree.to_str().unwrap(), "main"]);
    let other = Repository::find(&tree).unwrap();
    assert_eq!(other.head(), Some(place.git(&["rev-parse", "main"])), "of a working tree");
    assert_eq!(other.common_dir.canonicalize().unwrap(), repository.git_dir);
}

#[test]
fn head_of_a_repository_whose_references_only_git_can_read() {
    let Some(place) = Place::new() else { return };
    let top = place.directory.path().join("tables");
    let made = Command::new("git")
        .args(["init", "--quiet", "--ref-format=reftable"])
        .arg(&top)
        .output()
        .is_ok_and(|output| output.status.success());
    if !made {
        println!("skipped: this git knows no reftable");
        return;
    }
    let repository = Repository::find(&top).unwrap();
    assert_eq!(repository.head(), None);
    fs::write(top.join("a"), "1\n").unwrap();
    let id = repository.commit_all("work", &place.env).unwrap();
    assert_eq!(id, Some(place.git_at(&top, &["rev-parse", "HEAD"])));
}

#[test]
fn everything_is_committed_without_an_identity_and_nothing_twice() {
    let Some(place) = Place::new() else { return };
    let repository = place.repository();
    assert!(!repository.is_dirty().unwrap());
    assert_eq!(repository.commit_all("nothing", &place.env).unwrap(), None);
    NAMES.iter().for_each(|name| place.write(name, "text\n"));
    place.write("ignored.log", "");
    place.write(".gitignore", "*.log\n");
    assert!(repository.is_dirty().unwrap());
    let message = "Say \"it\"\n\nwith $HOME and `more`";
    let id = repository.commit_all(message, &place.env).unwrap();
    assert_eq!(id, Some(place.git(&["rev-parse", "HEAD"])));
    assert!(!repository.is_dirty().unwrap());
    assert_eq!(place.git(&["log", "-1", "--format=%B"]), message);
    assert_eq!(place.git(&["log", "-1", "--format=%an <%ae>"]), "Prodigy <prodigy@localhost>");
    assert_eq!(repository.commit_all("again", &place.env).unwrap(), None);
    fs::remove_file(place.top().join(NAMES[0])).unwrap();
    assert!(repository.is_dirty().unwrap());
    place.git(&["config", "user.name", "Me"]);
    place.git(&["config", "user.email", "me@example.org"]);
    assert!(repository.commit_all("gone", &place.env).unwrap().is_some());
    assert_eq!(place.git(&["log", "-1", "--format=%an <%ae>"]), "Me <me@example.org>");
}

#[test]
fn a_hook_that_hangs_ends_with_the_wish_to_stop() {
    let Some(place) = Place::new() else { return };
    let started = place.directory.path().join("started");
    place.hook(&format!("touch '{}'; sleep 1000", started.display()));
    place.write("a", "1\n");
    let stop = Stop::never();
    let repository = place.repository().heeding(&stop);
    std::thread::scope(|scope| {
        let committing = scope.spawn(|| repository.commit_all("work", &place.env));
        let limit = Instant::now() + Duration::from_secs(60);
        while !started.exists() {
            assert!(Instant::now() < limit, "the hook never ran");
            std::thread::yield_now();
        }
        stop.stop();
        assert!(matches!(committing.join().unwrap(), Err(GitError::Stopped)));
    });
    assert_eq!(repository.head(), None);
}

#[test]
fn a_hook_that_refuses_is_heard() {
    let Some(place) = Place::new() else { return };
    place.hook("echo not today >&2; exit 1");
    place.write("a", "1\n");
    let error = place.repository().commit_all("work", &place.env).unwrap_err();
    assert_eq!(error.to_string(), "git commit failed: not today");
}

#[test]
fn changes_since_a_commit_committed_or_not() {
    let Some(place) = Place::new() else { return };
    let repository = place.repository();
    assert_eq!(repository.changes(None).unwrap(), Changes::default());
    ["stays", "gone", "modified", "out of index"].iter().for_each(|name| {
        place.write(name, "one\ntwo\n");
    });
    let before = place.commit();
    assert_eq!(repository.changes(Some(&before)).unwrap(), Changes::default());

    place.write(NAMES[0], "a\nb\nc\n");
    place.write("modified", "one\n2\n3\n");
    let first = place.commit();
    fs::remove_file(place.top().join("gone")).unwrap();
    let second = place.commit();
    place.write(NAMES[1], "no newline");
    place.write(NAMES[2], "x\n");
    place.write("binary", "\0\n\n\n");
    place.git(&["add", NAMES[1]]);
    place.git(&["rm", "--quiet", "--cached", "out of index"]);

    let changes = repository.changes(Some(&before)).unwrap();
    assert_eq!(changes.files_added, paths(&[NAMES[0], NAMES[1], NAMES[2], "binary"]));
    assert_eq!(changes.files_modified, paths(&["modified", "out of index"]));
    assert_eq!(changes.files_deleted, paths(&["gone"]));
    assert_eq!(changes.commits, [first, second]);
    // Added 3 + 1 + 1, modified +2 -1, gone -2; out of the index: -2 +2.
    assert_eq!((changes.insertions, changes.deletions), (5 + 2 + 2, 1 + 2 + 2));
    assert_eq!(changes.files_changed().len(), 7);

    let everything = repository.changes(None).unwrap();
    assert_eq!(everything.commits.len(), 3);
    assert_eq!(everything.files_deleted, paths(&[]));
    let error = repository.changes(Some("0000000000000000000000000000000000000000"));
    assert!(error.unwrap_err().to_string().starts_with("git diff failed: "));
}

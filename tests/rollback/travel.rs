//! A session that moves to another machine takes the files of its checkpoints along.

use crate::commands::{WORKFLOW, id, sandbox};
use crate::support::{Ran, Sandbox};
use crate::tree::{files, git, repository};

/// A failed session in an archive, and the files as they were at its end.
fn packed(more: &[&str]) -> (Sandbox, std::path::PathBuf) {
    let from = sandbox(&WORKFLOW.replace(
        "echo three > a; rm b",
        "echo three > a; rm b; printf \"\\000\\377\" > c; chmod +x c; ln -s c d",
    ));
    from.run(&["cook", "flow.yml"]).exits(1);
    let archive = from.root().join("moved.prodigy");
    let words = ["checkpoints", "export", &id(&from), "-o", archive.to_str().unwrap()];
    let ran = from.run(&[&words[..], more].concat()).exits(0);
    assert_eq!(ran.stderr.contains("the files that were kept"), more.is_empty(), "{ran:#?}");
    (from, archive)
}

/// Another machine: its own home, and a repository with another history.
fn elsewhere() -> Sandbox {
    let to = Sandbox::new();
    let top = to.directory();
    git(&top, &["init", "--quiet", "--initial-branch=main"], b"");
    to.write("a", "here\n");
    git(&top, &["add", "."], b"");
    git(&top, &["-c", "user.name=y", "-c", "user.email=y@x", "commit", "-qm", "other"], b"");
    to
}

fn imported(to: &Sandbox, archive: &std::path::Path) -> Ran {
    to.run(&["checkpoints", "import", archive.to_str().unwrap()]).exits(0)
}

#[test]
fn the_files_come_along_and_can_be_gone_back_to() {
    let (from, archive) = packed(&[]);
    from.run(&["recovery", "rollback", "--checkpoint-id", "v2", "-y"]).exits(0);
    let wanted = files(&from.directory());
    // The machine it comes from is gone.
    std::fs::rename(from.directory(), from.root().join("gone")).unwrap();
    let to = elsewhere();
    let ran = imported(&to, &archive);
    assert!(ran.stderr.contains("are here, too"), "{ran:#?}");
    let theirs = repository(&to.directory());
    to.run(&["recovery", "rollback", "--checkpoint-id", "v2", "--yes"]).exits(0);
    assert_eq!(files(&to.directory()), wanted);
    assert_eq!(repository(&to.directory()), theirs);
    to.run(&["recovery", "rollback", "--undo", "--yes"]).exits(0);
    assert_eq!(to.read("a"), "here\n");
    // What was taken in is let go of with the session.
    to.run(&["checkpoints", "clean", "--workflow-id", &id(&to), "--force"]).exits(0);
    let store = to.state().join("state/work/files.git");
    let left = git(&to.directory(), &["--git-dir", store.to_str().unwrap(), "for-each-ref"], b"");
    assert!(left.is_empty());
}

#[test]
fn a_session_that_is_here_already_is_a_second_one_with_its_own_files() {
    let (from, archive) = packed(&[]);
    let first = id(&from);
    let ran = imported(&from, &archive);
    assert!(ran.stderr.contains("got a fresh id"), "{ran:#?}");
    let second = ran.stdout.split(' ').nth(1).unwrap().to_owned();
    assert_ne!(first, second);
    from.run(&["checkpoints", "clean", "--workflow-id", &first, "--force"]).exits(0);
    from.run(&["recovery", "rollback", &second, "--checkpoint-id", "v1", "--yes"]).exits(0);
    assert_eq!((from.read("a"), from.read("b")), ("two\n".into(), "new\n".into()));
}

#[test]
fn where_they_do_not_come_along_it_is_said_and_nothing_is_changed() {
    let (from, archive) = packed(&["--without-files"]);
    std::fs::rename(from.directory(), from.root().join("gone")).unwrap();
    let to = elsewhere();
    let ran = imported(&to, &archive);
    assert!(ran.stderr.contains("without the files that were kept"), "{ran:#?}");
    let refused = to.run(&["recovery", "rollback", "--checkpoint-id", "v2", "-y"]).exits(5);
    assert!(refused.stderr.contains("imported without them; nothing was changed"), "{refused:#?}");
    assert!(refused.stderr.contains("--from-checkpoint v2"), "{refused:#?}");
    assert_eq!(to.read("a"), "here\n");

    let (from, archive) = packed(&[]);
    std::fs::rename(from.directory(), from.root().join("gone")).unwrap();
    let nowhere = Sandbox::new();
    let ran = imported(&nowhere, &archive);
    assert!(ran.stderr.contains("lies in no git repository"), "{ran:#?}");
    let done = nowhere.run(&["recovery", "rollback", "--checkpoint-id", "v2", "-y"]).exits(0);
    assert!(done.stdout.contains("variables and position only"), "{done:#?}");
}

#[test]
fn an_archive_that_is_cut_is_not_taken_in() {
    let (from, archive) = packed(&[]);
    let text = std::fs::read_to_string(&archive).unwrap();
    assert!(
        text.starts_with("{\"archive\":{\"kind\":\"prodigy-session\",\"format\":2"),
        "{text:.80}"
    );
    let cut: String =
        text.lines().take(text.lines().count() - 2).map(|it| format!("{it}\n")).collect();
    std::fs::write(&archive, cut).unwrap();
    let to = elsewhere();
    to.run(&["checkpoints", "import", archive.to_str().unwrap()]).exits(5);
    assert_eq!(to.read("a"), "here\n");
    drop(from);
}

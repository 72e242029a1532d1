//! Several hundred workflow files of older versions: each is accepted, or refused with a
//! reason and a place (SPEC 3.5).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    dead_code,
    missing_docs,
    reason = "a test ends where something is not as it must be; each uses its part of support"
)]
use std::path::{Path, PathBuf};

use prodigy::playbook::{LoadError, Severity, load};

/// The directory with the files, when this machine has it.
fn corpus() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let shared = std::env::var_os("PRODIGY_SHARED").map_or(beside, PathBuf::from);
    let corpus = shared.join("corpus");
    corpus.is_dir().then_some(corpus)
}

fn workflow_files(directory: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(workflow_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "yml") {
            files.push(path);
        }
    }
    files.sort();
    files
}

#[test]
fn every_file_is_accepted_or_refused_with_a_reason_and_a_place() {
    let Some(corpus) = corpus() else {
        println!("skipped: there is no corpus here");
        return;
    };
    let (mut accepted, mut refused) = (0, 0);
    for file in workflow_files(&corpus) {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        match load(&file) {
            Ok(loaded) => {
                accepted += 1;
                println!("accepted {name}");
                for problem in &loaded.problems {
                    println!(
                        "  warning {}:{}: {}",
                        problem.at.line, problem.at.column, problem.message
                    );
                }
            }
            Err(LoadError::Read(path, error)) => panic!("{}: {error}", path.display()),
            Err(LoadError::Problems(problems, text)) => {
                refused += 1;
                println!("refused {name}");
                assert!(
                    problems.iter().any(|problem| problem.severity == Severity::Error),
                    "{name}"
                );
                for problem in &problems {
                    let (line, column) = (problem.at.line, problem.at.column);
                    println!(
                        "  {line}:{column}: {} [{}]",
                        problem.message,
                        problem.help.as_deref().unwrap_or("")
                    );
                    assert!(
                        !problem.message.is_empty() && !problem.message.contains('\n'),
                        "{name}"
                    );
                    assert!((1..=text.lines().count() + 1).contains(&line), "{name}:{line}");
                    assert!(column >= 1 && problem.length >= 1, "{name}:{line}");
                }
            }
        }
    }
    println!("{accepted} accepted, {refused} refused");
    assert!(accepted > refused, "{accepted} accepted, {refused} refused");
}

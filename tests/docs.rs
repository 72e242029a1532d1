//! The documents are executed. In `README.md` and `docs/*.md`
//!
//! - a block marked `yaml` is a whole workflow and must be valid without warnings; `yaml NAME.yaml` is also
//!   written under that name; `yaml warns` must have warnings; `yaml refused` must have errors;
//!   `yaml fragment` shows a part, and must not be a whole workflow;
//! - a block marked `console` holds commands (`$ …`) that must exit 0, or as a line `# exit: N` below them says.
//!   Output lines below a command, if any, must be what it prints; `[..]` stands for anything within a line and
//!   a line `...` for any lines.
//!
//! The blocks of one document share a directory, which holds a copy of `examples/`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    dead_code,
    missing_docs,
    reason = "a test ends where something is not as it must be; each uses its part of support"
)]

mod support;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use support::Sandbox;

/// One fenced block.
struct Block {
    /// Line of its fence, from 1.
    line: usize,
    /// What stands behind the fence.
    mark: String,
    text: String,
}

/// One command of a `console` block.
#[derive(Default)]
struct Shown {
    line: usize,
    command: String,
    exit: i32,
    output: String,
}

fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = vec![root.join("README.md")];
    for entry in std::fs::read_dir(root.join("docs")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn blocks(text: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut open: Option<(String, Block)> = None;
    for (index, line) in text.lines().enumerate() {
        match &mut open {
            Some((fence, _)) if line.trim() == fence => found.extend(open.take().map(|o| o.1)),
            Some((_, block)) => writeln!(block.text, "{line}").unwrap(),
            None if line.starts_with("```") => {
                let mark = line.trim_start_matches('`');
                let fence = line[..line.len() - mark.len()].to_owned();
                let block =
                    Block { line: index + 1, mark: mark.trim().to_owned(), text: String::new() };
                open = Some((fence, block));
            }
            None => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    found
}

fn commands(block: &Block) -> Vec<Shown> {
    let mut found: Vec<Shown> = Vec::new();
    for (index, line) in block.text.lines().enumerate() {
        if let Some(command) = line.strip_prefix("$ ") {
            let line = block.line + index + 1;
            found.push(Shown { line, command: command.to_owned(), ..Shown::default() });
            continue;
        }
        let Some(shown) = found.last_mut() else {
            panic!("line {}: output without a command", block.line);
        };
        match line.strip_prefix("# exit: ") {
            Some(code) => shown.exit = code.parse().unwrap(),
            None if shown.command.ends_with('\\') => write!(shown.command, "\n{line}").unwrap(),
            None => writeln!(shown.output, "{line}").unwrap(),
        }
    }
    found
}

/// A shell command with the binary in PATH, in the directory of a document.
fn shell(sandbox: &Sandbox, command: &str) -> Command {
    let binary = Path::new(env!("CARGO_BIN_EXE_prodigy")).parent().unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    let plain = sandbox.command(&[""; 0]);
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(format!("exec 2>&1\n{command}")).current_dir(sandbox.directory());
    shell.env_clear().envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.env("PATH", format!("{}:{path}", binary.display()));
    // Tables are as wide as in the documents.
    shell.env("COLUMNS", "100").stdin(Stdio::null());
    shell
}

/// What is wrong with a document.
fn check(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let sandbox = Sandbox::new();
    copy_examples(&sandbox);
    let name = path.file_name().unwrap().to_str().unwrap();
    let mut wrong = String::new();
    for block in blocks(&text) {
        let words: Vec<&str> = block.mark.split_whitespace().collect();
        match words[..] {
            ["yaml", ref kind @ ..] => {
                if let Err(why) = check_yaml(&sandbox, &block, kind) {
                    writeln!(wrong, "{name}:{}: {why}", block.line).unwrap();
                }
            }
            ["console"] => {
                for shown in commands(&block) {
                    if let Err(why) = check_command(&sandbox, &shown) {
                        let Shown { line, command, .. } = shown;
                        writeln!(wrong, "{name}:{line}: $ {command}\n{why}").unwrap();
                    }
                }
            }
            _ => {}
        }
    }
    wrong
}

fn check_yaml(sandbox: &Sandbox, block: &Block, kind: &[&str]) -> Result<(), String> {
    let file = match kind {
        [name] if name.ends_with(".yaml") => name,
        _ => "block.yaml",
    };
    sandbox.write(file, &block.text);
    let ran = sandbox.run(&["validate", file]);
    let told = |what: &str| Err(format!("{what}\n{}", ran.stderr));
    match (kind, ran.code, ran.stderr.is_empty()) {
        (["warns"], Some(0), false) | (["refused" | "fragment"], Some(2), _) => Ok(()),
        (["warns"], _, _) => told("should have warnings"),
        (["refused"], _, _) => told("should be refused"),
        (["fragment"], _, _) => told("is a whole workflow; mark it as `yaml`"),
        (_, Some(0), true) => Ok(()),
        _ => told("is not valid"),
    }
}

fn check_command(sandbox: &Sandbox, shown: &Shown) -> Result<(), String> {
    let output = shell(sandbox, &shown.command).output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.code() != Some(shown.exit) {
        return Err(format!("ended with {}, not {}:\n{printed}", output.status, shown.exit));
    }
    if shown.output.is_empty() {
        return Ok(());
    }
    snapbox::Assert::new()
        .normalize_paths(false)
        .try_eq(None, printed.into(), shown.output.clone().into())
        .map_err(|error| error.to_string())
}

fn copy_examples(sandbox: &Sandbox) {
    let copy = sandbox.directory().join("examples");
    std::fs::create_dir(&copy).unwrap();
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    for entry in std::fs::read_dir(examples).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, copy.join(path.file_name().unwrap())).unwrap();
    }
}

#[test]
fn the_documents_are_true() {
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let checks: Vec<_> =
            documents().into_iter().map(|path| scope.spawn(move || check(&path))).collect();
        checks.into_iter().map(|check| check.join().unwrap()).collect()
    });
    let wrong = wrong.concat();
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// Links between the documents lead somewhere.
#[test]
fn links_lead_to_files() {
    let mut count = 0;
    for path in documents() {
        let text = std::fs::read_to_string(&path).unwrap();
        for (start, _) in text.match_indices("](") {
            let link = text[start + 2..].split(')').next().unwrap();
            if link.contains("://") {
                continue;
            }
            count += 1;
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target =
                if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            assert!(target.exists(), "{}: {link}", path.display());
            if !heading.is_empty() {
                let headings = std::fs::read_to_string(&target).unwrap();
                let found = headings.lines().filter(|line| line.starts_with('#'));
                assert!(found.map(anchor).any(|a| a == heading), "{}: {link}", path.display());
            }
        }
    }
    assert!(count > 10, "only {count} links");
}

/// The anchor that a heading gets on the usual hosts.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// Every document is reached from the README.
#[test]
fn the_readme_names_every_document() {
    let readme =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    for path in documents() {
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(name == "README.md" || readme.contains(&format!("(docs/{name})")), "{name}");
    }
}

/// The recipe for checksums in `docs/state.md`, followed by hand.
#[test]
fn the_journal_is_checked_as_written() {
    let sandbox = Sandbox::new();
    copy_examples(&sandbox);
    sandbox.run(&["cook", "examples/captures.yaml"]).exits(0);
    let session = std::fs::read_dir(sandbox.state().join("sessions")).unwrap().next().unwrap();
    let journal = std::fs::read_to_string(session.unwrap().path().join("journal.jsonl")).unwrap();
    let mut before = "00000000".to_owned();
    for (index, line) in journal.lines().enumerate() {
        let rest = &line[line.find("\"seq\"").unwrap()..];
        let crc = format!("{:08x}", crc32fast::hash(format!("{before}{rest}").as_bytes()));
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(record["crc"], crc.as_str(), "{line}");
        assert_eq!(record["seq"], index + 1, "{line}");
        before = crc;
    }
}

#[test]
fn what_is_not_true_is_found() {
    let place = tempfile::tempdir().unwrap();
    let wrong = |text: &str| {
        let path = place.path().join("page.md");
        std::fs::write(&path, text).unwrap();
        check(&path).lines().count() > 0
    };
    for (is_wrong, text) in [
        (false, "```yaml\n- shell: echo hi\n```\n"),
        (true, "```yaml\n- shel: echo hi\n```\n"),
        (false, "```yaml refused\n- shel: echo hi\n```\n"),
        (true, "```yaml refused\n- shell: echo hi\n```\n"),
        (true, "```yaml fragment\n- shell: echo hi\n```\n"),
        (false, "```yaml fragment\nretry: 3\n```\n"),
        (
            false,
            "```yaml a.yaml\n- shell: echo hi\n```\n```console\n$ prodigy validate a.yaml\n```\n",
        ),
        (false, "```console\n$ echo one; echo two\none\n[..]w[..]\n```\n"),
        (true, "```console\n$ echo one\ntwo\n```\n"),
        (true, "```console\n$ exit 3\n```\n"),
        (false, "```console\n$ exit 3\n# exit: 3\n```\n"),
    ] {
        assert_eq!(wrong(text), is_wrong, "{text}");
    }
}

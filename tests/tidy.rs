//! The house rules, held against the source: who imports whom, what may stand where. Each breach is
//! told with file and line. What the rules are for stands in `docs/architecture.md`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    dead_code,
    missing_docs,
    reason = "a test ends where something is not as it must be; each uses its part of support"
)]

mod tidy_source;

use std::path::Path;

use tidy_source::{Source, sources};

/// A breach of a rule: the line (1-based) and what is wrong with it.
type Breach = (usize, String);

/// Which modules a module may import, beside itself. `cli` may import everything.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("exit", &[]),
    ("process", &[]),
    ("git", &["process"]),
    ("expr", &[]),
    ("session", &["expr"]),
    ("playbook", &["session", "expr"]),
    ("agent", &["session", "expr"]),
    ("mapreduce", &["playbook", "session", "expr"]),
    ("store", &["playbook", "session", "expr"]),
    ("view", &["playbook", "session", "expr"]),
    ("report", &["mapreduce", "store", "view", "playbook", "session", "expr"]),
    ("resume", &["mapreduce", "store", "view", "playbook", "session", "expr"]),
    (
        "recovery",
        &["resume", "mapreduce", "store", "view", "playbook", "session", "expr", "process", "git"],
    ),
    (
        "executor",
        &["mapreduce", "agent", "report", "store", "playbook", "session", "expr", "process", "git"],
    ),
];

/// Modules that touch nothing outside: no files, no clock, no environment, no threads.
const PURE: &[&str] = &["session", "expr", "view", "mapreduce", "agent"];

/// What pure modules must not name.
const OUTSIDE: &[&str] = &[
    "std::fs",
    "std::net",
    "std::process",
    "std::env",
    "std::thread",
    "Instant::now",
    "SystemTime::now",
    "Utc::now",
    "Local::now",
    "rustix",
];

/// Crates that one file names, so that they can be exchanged there.
const FENCED: &[(&str, &str)] = &[("serde_yaml", "src/playbook/"), ("fs2", "src/store/lock.rs")];

/// Type names that end in a word which says nothing.
const EMPTY_ENDINGS: &[&str] =
    &["Manager", "Handler", "Service", "Helper", "Helpers", "Util", "Utils"];

/// Data of the workflow and snapshot formats that is called so there.
const WORDS_OF_THE_FORMAT: &[&str] = &["Handler", "ActiveHandler"];

/// The longest file, in lines.
const LONGEST: usize = 500;

#[test]
fn the_source_keeps_the_house_rules() {
    let sources = sources(Path::new(env!("CARGO_MANIFEST_DIR")));
    assert!(sources.len() > 100, "only {} files found", sources.len());
    let mut breaches: Vec<String> = Vec::new();
    for source in &sources {
        for rule in RULES {
            for (line, what) in rule(source) {
                breaches.push(format!("{}:{line}: {what}", source.path));
            }
        }
    }
    breaches.extend(fences(&sources));
    assert!(breaches.is_empty(), "{} breaches:\n{}", breaches.len(), breaches.join("\n"));
}

const RULES: &[fn(&Source) -> Vec<Breach>] = &[
    first_line,
    length,
    imports,
    purity,
    module_files,
    forbidden_words,
    programs,
    type_names,
    sleeping_tests,
];

/// The first line of a file says what it is.
fn first_line(source: &Source) -> Vec<Breach> {
    let says = source.lines.first().is_some_and(|line| line.starts_with("//! ") && line.len() > 8);
    if says { Vec::new() } else { vec![(1, "the first line must be `//! what it is`".to_owned())] }
}

fn length(source: &Source) -> Vec<Breach> {
    let lines = source.lines.len();
    if lines <= LONGEST {
        return Vec::new();
    }
    vec![(lines, format!("{lines} lines; one idea a file, at most {LONGEST} lines"))]
}

/// Imports point one way.
fn imports(source: &Source) -> Vec<Breach> {
    let Some(module) = source.module() else { return Vec::new() };
    if matches!(module, "cli" | "lib" | "main") {
        return Vec::new();
    }
    let Some((_, allowed)) = MAY_IMPORT.iter().find(|(name, _)| *name == module) else {
        return vec![(1, format!("module `{module}` is not in the import table"))];
    };
    let mut breaches = Vec::new();
    for (line, other) in source.crate_paths() {
        if other != module && !allowed.contains(&other.as_str()) {
            breaches.push((line, format!("`{module}` must not import `{other}`")));
        }
    }
    breaches
}

/// Pure modules do no IO. Their tests may.
fn purity(source: &Source) -> Vec<Breach> {
    let Some(module) = source.module().filter(|module| PURE.contains(module)) else {
        return Vec::new();
    };
    source
        .words_of_product(OUTSIDE)
        .map(|(line, word)| (line, format!("`{module}` does no IO, and here is `{word}`")))
        .collect()
}

/// A `mod.rs` declares and re-exports, nothing else.
fn module_files(source: &Source) -> Vec<Breach> {
    if !source.path.ends_with("/mod.rs") || !source.path.starts_with("src/") {
        return Vec::new();
    }
    let mut breaches = Vec::new();
    let mut open = String::new();
    let mut start = 0;
    for (index, line) in source.code.iter().enumerate() {
        let line = line.trim();
        if line.is_empty() || (open.is_empty() && line.starts_with("#[")) {
            continue;
        }
        if open.is_empty() {
            start = index + 1;
        }
        open.push_str(line);
        if open.ends_with(';') {
            let words = open.trim_start_matches("pub").trim_start();
            let words = words.strip_prefix('(').and_then(|rest| rest.split_once(')'));
            let words = words.map_or(open.trim_start_matches("pub").trim_start(), |(_, rest)| rest);
            let words = words.trim_start();
            if !words.starts_with("use ") && !words.starts_with("mod ") {
                breaches.push((start, "a mod.rs only declares and re-exports".to_owned()));
            }
            open.clear();
        }
    }
    if !open.is_empty() {
        breaches.push((start, "a mod.rs only declares and re-exports".to_owned()));
    }
    breaches
}

/// Words that stand nowhere in the product.
fn forbidden_words(source: &Source) -> Vec<Breach> {
    const NOWHERE: &[&str] =
        &["println!", "eprintln!", "dbg!", "process::exit", "todo!", "unimplemented!"];
    const NOT_EVEN_IN_TESTS: &[&str] = &["unsafe", "untagged", "#[ignore", "todo!"];
    let breach = |(line, word): (usize, &str)| (line, format!("`{word}` is not used here"));
    let mut breaches: Vec<Breach> = source.words(NOT_EVEN_IN_TESTS).map(breach).collect();
    if source.path.starts_with("src/") {
        breaches.extend(source.words_of_product(NOWHERE).map(breach));
        let flat = source.code.iter().enumerate();
        let flat = flat.filter(|(_, line)| line.contains("serde(") && line.contains("flatten"));
        breaches.extend(flat.map(|(index, _)| (index + 1, "serde's `flatten`".to_owned())));
    }
    breaches
}

/// Programs are started in `process` only.
fn programs(source: &Source) -> Vec<Breach> {
    if !source.path.starts_with("src/") || source.path.starts_with("src/process/") {
        return Vec::new();
    }
    source
        .words_of_product(&["Command::new"])
        .filter(|(line, _)| !source.lines[line - 1].contains("clap::"))
        .map(|(line, _)| (line, "programs are started in `process` only".to_owned()))
        .collect()
}

fn type_names(source: &Source) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for (index, line) in source.code.iter().enumerate() {
        let mut words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
        while let Some(word) = words.next() {
            if !matches!(word, "struct" | "enum" | "trait" | "type" | "union") {
                continue;
            }
            let name = words.next().unwrap_or_default();
            let empty = EMPTY_ENDINGS.iter().any(|ending| name.ends_with(ending));
            if empty && !WORDS_OF_THE_FORMAT.contains(&name) {
                breaches.push((index + 1, format!("the type name `{name}` says nothing")));
            }
        }
    }
    breaches
}

/// Tests wait for a condition with a limit, in a function called `eventually` or `wait_until`; a
/// sleep elsewhere hopes that something has happened in the meantime.
fn sleeping_tests(source: &Source) -> Vec<Breach> {
    let mut breaches = Vec::new();
    let mut function = "";
    for (index, line) in source.code.iter().enumerate() {
        if let Some((_, rest)) = line.split_once("fn ") {
            function = rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("");
        }
        let in_test = index + 1 >= source.tests_from;
        let waits = matches!(function, "eventually" | "wait_until");
        if in_test && line.contains("thread::sleep") && !waits {
            breaches.push((index + 1, "a test sleeps instead of waiting `eventually`".to_owned()));
        }
    }
    breaches
}

/// Crates that are fenced into one file.
fn fences(sources: &[Source]) -> Vec<String> {
    let mut breaches = Vec::new();
    for (krate, place) in FENCED {
        let named: Vec<(&str, usize)> = sources
            .iter()
            .filter(|source| source.path.starts_with("src/"))
            .filter_map(|source| Some((source.path.as_str(), source.words(&[krate]).next()?.0)))
            .collect();
        for (path, line) in &named {
            if !path.starts_with(place) {
                breaches.push(format!("{path}:{line}: `{krate}` is only named in {place}"));
            }
        }
        if named.len() > 1 {
            let files: Vec<&str> = named.iter().map(|(path, _)| *path).collect();
            breaches.push(format!("`{krate}` is named in {} files: {files:?}", files.len()));
        }
    }
    breaches
}

/// Every rule finds what it is for.
#[test]
fn breaches_are_found() {
    let told = |path: &str, text: &str| {
        let source = Source::new(path.to_owned(), text);
        RULES.iter().flat_map(|rule| rule(&source)).map(|(line, _)| line).collect::<Vec<_>>()
    };
    assert_eq!(told("src/view/a.rs", "//! A view.\nuse crate::session::Event;\n"), [0; 0]);
    assert_eq!(told("src/view/a.rs", "use crate::session::Event;\n"), [1]);
    let long = format!("//! A long file.\n{}", "\n".repeat(LONGEST));
    assert_eq!(told("src/view/a.rs", &long), [LONGEST + 1]);
    let head = "//! What it is.\n";
    for (path, text, line) in [
        ("src/view/a.rs", "use crate::store::Home;", 2),
        ("src/view/a.rs", "use crate::{session::Event, executor};", 2),
        ("src/view/a/b.rs", "use super::super::super::store::Home;", 2),
        ("src/playbook/a.rs", "fn f() { crate::exit::door() }", 2),
        ("src/attic/a.rs", "fn f() {}", 1),
        ("src/session/a.rs", "\nlet now = Utc::now();", 3),
        ("src/session/mod.rs", "pub mod a;\npub use a::{\n    B, C,\n};\nfn f() {}", 6),
        ("src/session/mod.rs", "pub(super) use a::B;\nconst A: u8 = 1;", 3),
        ("src/cli/a.rs", "fn f() { println!(\"\") }", 2),
        ("src/cli/a.rs", "fn f() { std::process::exit(1) }", 2),
        ("src/cli/a.rs", "#[serde(default, flatten)]", 2),
        ("src/cli/a.rs", "#[serde(untagged)]", 2),
        ("tests/a.rs", "#[ignore = \"slow\"]", 2),
        ("src/cli/a.rs", "fn f() { Command::new(\"ls\") }", 2),
        ("src/cli/a.rs", "struct SessionManager;", 2),
        ("tests/a.rs", "fn f() { std::thread::sleep(SECOND) }", 2),
        ("src/cli/a.rs", "#[cfg(test)]\nmod tests {\n    fn f() { thread::sleep(SECOND) }", 4),
    ] {
        assert_eq!(told(path, &format!("{head}{text}\n")), [line], "{path}: {text}");
    }
    for (path, text) in [
        ("src/cli/a.rs", "// println! is not used\nlet a = \"unsafe { println!() }\";"),
        ("src/cli/a.rs", "let a = r#\"todo!(\" \"#; let b = '\"'; let c: &'static str = \"dbg!\";"),
        ("src/cli/a.rs", "/* unsafe /* todo! */ unsafe */"),
        ("src/cli/a.rs", "#[cfg(test)]\nmod tests {\n    fn f() { println!(\"skipped\") }"),
        ("tests/a.rs", "fn eventually() {\n    std::thread::sleep(SECOND)\n}"),
        (
            "src/session/mod.rs",
            "pub mod a;\n#[cfg(test)]\nmod tests;\n\npub use a::{\n    B, C,\n};",
        ),
        ("src/playbook/a.rs", "pub struct Handler;"),
    ] {
        assert_eq!(told(path, &format!("{head}{text}\n")), [0; 0], "{path}: {text}");
    }
    let yaml = |path: &str| Source::new(path.to_owned(), "use serde_yaml::Value;\n");
    assert_eq!(fences(&[yaml("src/playbook/a.rs")]).len(), 0);
    assert_eq!(fences(&[yaml("src/playbook/a.rs"), yaml("src/playbook/b.rs")]).len(), 1);
    assert_eq!(fences(&[yaml("src/cli/a.rs")]).len(), 1);
}

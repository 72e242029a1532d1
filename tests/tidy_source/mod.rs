//! Rust source as the house rules see it: lines, the same without comments and texts, imports.

use std::path::Path;

/// One file.
pub struct Source {
    /// Relative to the project, with `/`.
    pub path: String,
    /// The lines as they are.
    pub lines: Vec<String>,
    /// The same lines; comments are gone, and what stood in texts and characters is blank.
    pub code: Vec<String>,
    /// The line (1-based) from which on everything is test code; past the end when there is none.
    pub tests_from: usize,
}

impl Source {
    pub fn new(path: String, text: &str) -> Self {
        let code: Vec<String> = without_texts(text).lines().map(str::to_owned).collect();
        let is_test = !path.starts_with("src/")
            || path.ends_with("tests.rs")
            || path.contains("/tests/")
            || path.contains("_tests/");
        let tests_from = if is_test {
            1
        } else {
            let from = code.windows(2).position(|pair| {
                pair[0].trim() == "#[cfg(test)]" && pair[1].trim_start().starts_with("mod tests {")
            });
            from.map_or(code.len() + 1, |index| index + 1)
        };
        Self { path, lines: text.lines().map(str::to_owned).collect(), code, tests_from }
    }

    /// The top-level module: `session` for `src/session/event.rs` and `src/session.rs`.
    pub fn module(&self) -> Option<&str> {
        let rest = self.path.strip_prefix("src/")?;
        let first = rest.split('/').next()?;
        Some(first.strip_suffix(".rs").unwrap_or(first))
    }

    /// Where one of the words stands in the code, with its line (1-based).
    pub fn words<'a>(&'a self, words: &'a [&'a str]) -> impl Iterator<Item = (usize, &'a str)> {
        self.code.iter().enumerate().flat_map(move |(index, line)| {
            words.iter().filter(|word| holds(line, word)).map(move |word| (index + 1, *word))
        })
    }

    /// The same without test code.
    pub fn words_of_product<'a>(
        &'a self,
        words: &'a [&'a str],
    ) -> impl Iterator<Item = (usize, &'a str)> {
        self.words(words).filter(|(line, _)| *line < self.tests_from)
    }

    /// The top-level modules that are named through `crate::…` or enough of `super::`.
    pub fn crate_paths(&self) -> Vec<(usize, String)> {
        let text = self.code.join("\n");
        let mut found = Vec::new();
        let up = self.depth();
        // The module of the tests at the end of a file lies one deeper.
        let ways = [
            ("crate::".to_owned(), 1..=usize::MAX),
            ("super::".repeat(up), 1..=self.tests_from - 1),
            ("super::".repeat(up + 1), self.tests_from.max(2)..=usize::MAX),
        ];
        for (way, lines) in ways {
            for (start, _) in text.match_indices(way.as_str()) {
                if text[..start].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':') {
                    continue;
                }
                let line = text[..start].matches('\n').count() + 1;
                if !lines.contains(&line) {
                    continue;
                }
                let names = first_names(&text[start + way.len()..]);
                found.extend(names.into_iter().map(|name| (line, name)));
            }
        }
        found
    }

    /// How many `super::` lead from this file's module to the crate.
    fn depth(&self) -> usize {
        let rest = self.path.trim_start_matches("src/").trim_end_matches("/mod.rs");
        rest.matches('/').count() + 1
    }
}

/// The Rust files of the project, sorted.
pub fn sources(root: &Path) -> Vec<Source> {
    let mut found = Vec::new();
    for directory in ["src", "tests", "benches"] {
        collect(root, &root.join(directory), &mut found);
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn collect(root: &Path, directory: &Path, found: &mut Vec<Source>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            found.push(Source::new(name, &std::fs::read_to_string(&path).unwrap()));
        }
    }
}

/// `a` of `a::B`, and `a`, `b` of `{a::C, b}`.
fn first_names(text: &str) -> Vec<String> {
    let name = |text: &str| {
        let text = text.trim_start();
        let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
        text[..end].to_owned()
    };
    let Some(inside) = text.strip_prefix('{') else { return vec![name(text)] };
    let mut names = Vec::new();
    let mut depth = 0_usize;
    let mut start = 0;
    for (index, character) in inside.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                names.push(name(&inside[start..index]));
                start = index + 1;
                if character == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

/// True when the word stands there and is not part of a longer one.
fn holds(line: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(start, _)| {
        let before = word.starts_with(part) && line[..start].ends_with(part);
        let after = word.ends_with(part) && line[start + word.len()..].starts_with(part);
        !before && !after
    })
}

/// The source without comments and with blanks for what stands in texts and characters; the
/// lines stay where they are.
fn without_texts(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while at < characters.len() {
        let end = skipped(&characters, at);
        if end == at {
            code.push(characters[at]);
            at += 1;
        } else {
            code.extend(characters[at..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    code
}

/// The end of the comment, text or character that begins here; `at` itself when none does.
fn skipped(characters: &[char], at: usize) -> usize {
    let after = |count: usize| characters.get(at + count).copied();
    match (characters[at], after(1)) {
        ('/', Some('/')) => find(characters, at, "\n"),
        ('/', Some('*')) => comment_end(characters, at),
        ('"', _) => text_end(characters, at),
        ('r', Some('"' | '#')) if !follows_a_word(characters, at) => raw_end(characters, at),
        ('\'', Some('\\')) => find(characters, at + 3, "'") + 1,
        ('\'', Some(_)) if after(2) == Some('\'') => at + 3,
        _ => at,
    }
}

/// `r` is the end of a name, unless it is the `br` of bytes.
fn follows_a_word(characters: &[char], at: usize) -> bool {
    let before = at.checked_sub(1).map(|index| characters[index]);
    before.is_some_and(|c| (c.is_alphanumeric() || c == '_') && c != 'b')
}

fn find(characters: &[char], from: usize, what: &str) -> usize {
    let what: Vec<char> = what.chars().collect();
    let rest = characters.get(from..).unwrap_or_default();
    rest.windows(what.len())
        .position(|window| window == what)
        .map_or(characters.len(), |index| from + index)
}

fn comment_end(characters: &[char], mut at: usize) -> usize {
    let mut depth = 0_usize;
    while at + 1 < characters.len() {
        match (characters[at], characters[at + 1]) {
            ('/', '*') => (depth, at) = (depth + 1, at + 2),
            ('*', '/') => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    characters.len()
}

fn text_end(characters: &[char], mut at: usize) -> usize {
    at += 1;
    while let Some(character) = characters.get(at) {
        match character {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    characters.len()
}

/// `r"…"`, `r#"…"#`; `r#name` is no text.
fn raw_end(characters: &[char], at: usize) -> usize {
    let hashes = characters[at + 1..].iter().take_while(|c| **c == '#').count();
    if characters.get(at + 1 + hashes) != Some(&'"') {
        return at;
    }
    let close = format!("\"{}", "#".repeat(hashes));
    find(characters, at + 2 + hashes, &close) + close.chars().count()
}

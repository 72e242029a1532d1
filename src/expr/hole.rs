//! Reads texts with `${…}` holes, and what stands inside the holes (SPEC 4.2).

use super::{
    Path, SyntaxError,
    cursor::{Cursor, is_word},
    filter::Filter,
    nearest::did_you_mean,
    parser,
    tree::{Hole, Name, Node, Piece},
};

/// Where a text with holes ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// At the end of the source.
    Source,
    /// At a `}` that is not escaped: the text is a default.
    Brace,
}

/// Reads a text with holes; the cursor is left at its end.
pub(super) fn pieces(cursor: &mut Cursor<'_>, end: End) -> Result<Vec<Piece>, SyntaxError> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    loop {
        let start = cursor.at();
        if end == End::Brace && cursor.starts_with("}") {
            break;
        }
        if cursor.take("\\${") || cursor.take("$${") {
            text.push_str("${");
        } else if end == End::Brace && cursor.take("\\}") {
            text.push('}');
        } else if cursor.take("\\$ARG") {
            text.push_str("$ARG");
        } else if cursor.starts_with("${") {
            flush(&mut pieces, &mut text);
            pieces.push(Piece::Hole(Box::new(hole(cursor)?)));
        } else if let Some(name) = argument(cursor) {
            flush(&mut pieces, &mut text);
            pieces.push(Piece::Argument(name));
        } else {
            match cursor.next() {
                Some(character) => text.push(character),
                None if end == End::Source => break,
                None => return Err(cursor.error_at(start..start, "`}` is missing")),
            }
        }
    }
    flush(&mut pieces, &mut text);
    Ok(pieces)
}

fn flush(pieces: &mut Vec<Piece>, text: &mut String) {
    if !text.is_empty() {
        pieces.push(Piece::Text(std::mem::take(text)));
    }
}

/// `$ARG` as a whole word.
pub(super) fn argument(cursor: &mut Cursor<'_>) -> Option<Name> {
    let start = cursor.at();
    if !cursor.take("$ARG") {
        return None;
    }
    if cursor.peek().is_some_and(|c| c != '-' && is_word(c)) {
        cursor.go_to(start);
        return None;
    }
    Some(Name { path: Path { root: "ARG".to_owned(), rest: Vec::new() }, span: start..cursor.at() })
}

/// Reads `${…}`.
pub(super) fn hole(cursor: &mut Cursor<'_>) -> Result<Hole, SyntaxError> {
    let open = cursor.at();
    cursor.enter()?;
    cursor.take("${");
    let hole = inside(cursor, open).map_err(|error| unclosed(cursor, open, error))?;
    if !cursor.take("}") {
        return Err(unclosed(cursor, open, parser::unexpected(cursor)));
    }
    cursor.leave();
    Ok(hole)
}

/// When the source is at its end, the missing `}` is the better thing to say.
fn unclosed(cursor: &Cursor<'_>, open: usize, error: SyntaxError) -> SyntaxError {
    if cursor.rest().trim().is_empty() {
        return cursor
            .error_at(open..open + 2, "this `${` is not closed")
            .with_help("add `}`, or write `\\${` for a literal `${`");
    }
    error
}

fn inside(cursor: &mut Cursor<'_>, open: usize) -> Result<Hole, SyntaxError> {
    cursor.skip_space();
    if cursor.starts_with("{") {
        return Err(cursor
            .error_at(open..cursor.at() + 1, "`${{ … }}` belongs to another tool")
            .with_help("write `${name}`, or `\\${` for a literal `${`"));
    }
    if cursor.starts_with("}") {
        return Err(cursor
            .error_at(open..cursor.at() + 1, "a name is missing between `${` and `}`")
            .with_help("write `\\${}` for a literal `${}`"));
    }
    let start = cursor.at();
    if let Some(name) = cursor.path()? {
        if cursor.take(":-") {
            let default = Some(pieces(cursor, End::Brace)?);
            return Ok(Hole { body: Node::Name(name), default, filters: Vec::new() });
        }
        if cursor.starts_with(":") {
            let filters = vec![older_filter(cursor, &name)?];
            return Ok(Hole { body: Node::Name(name), default: None, filters });
        }
        let behind = cursor.at();
        cursor.skip_space();
        let plain =
            cursor.starts_with("}") || (cursor.starts_with("|") && !cursor.starts_with("||"));
        if plain && !is_constant(&name.path) {
            let filters = filters(cursor, &name)?;
            return Ok(Hole { body: Node::Name(name), default: None, filters });
        }
        cursor.go_to(behind);
        if let Some(error) = shell_operator(cursor, &name) {
            return Err(error);
        }
    }
    cursor.go_to(start);
    let body = parser::expression(cursor)?;
    cursor.skip_space();
    let whole = Name {
        path: Path { root: cursor.text(start..cursor.at()).trim().to_owned(), rest: Vec::new() },
        span: start..cursor.at(),
    };
    let filters = filters(cursor, &whole)?;
    Ok(Hole { body, default: None, filters })
}

fn is_constant(path: &Path) -> bool {
    path.rest.is_empty()
        && matches!(path.root.to_ascii_lowercase().as_str(), "true" | "false" | "null")
}

/// `| name | name`, up to the closing brace.
fn filters(cursor: &mut Cursor<'_>, of: &Name) -> Result<Vec<Filter>, SyntaxError> {
    let mut filters = Vec::new();
    loop {
        cursor.skip_space();
        if !cursor.take("|") {
            return Ok(filters);
        }
        cursor.skip_space();
        let start = cursor.at();
        let Some(word) = cursor.word() else {
            return Err(cursor.error("a filter name is missing after `|`"));
        };
        let span = start..cursor.at();
        if word == "default" {
            let value =
                cursor.text(cursor.at()..cursor.at() + cursor.rest().find('}').unwrap_or(0));
            let value = value.trim_start_matches([':', '(', ' ']).trim_end_matches([')', ' ']);
            let value = value.trim_matches(['\'', '"']);
            return Err(cursor
                .error_at(span, "`| default:…` is the older spelling of a default")
                .with_help(format!("write `${{{}:-{value}}}`", of.path)));
        }
        let Some(filter) = Filter::named(word) else {
            let known: Vec<String> = Filter::NAMES.map(str::to_owned).to_vec();
            let help = did_you_mean(word, &known)
                .unwrap_or_else(|| format!("the filters are {}", known.join(", ")));
            return Err(cursor
                .error_at(span, format!("there is no filter `{word}`"))
                .with_help(help));
        };
        if cursor.starts_with(":") || cursor.starts_with("(") {
            return Err(cursor.error(format!("the filter `{word}` takes no argument")));
        }
        filters.push(filter);
    }
}

/// `:json`, `:lines`, `:csv`, `:*.rs`, and the older forms that are refused.
fn older_filter(cursor: &mut Cursor<'_>, name: &Name) -> Result<Filter, SyntaxError> {
    let colon = cursor.at();
    cursor.take(":");
    let length = cursor.rest().find('}').unwrap_or(cursor.rest().len());
    let text = cursor.text(cursor.at()..cursor.at() + length);
    let whole = name.span.start..cursor.at() + length;
    if name.path.rest.is_empty()
        && let Some(help) = older_source(&name.path.root, text)
    {
        let written = cursor.text(whole.clone());
        return Err(cursor
            .error_at(whole, format!("`${{{written}}}` is an older form that is not read any more"))
            .with_help(help));
    }
    let filter = match text {
        "json" => Filter::Json,
        "lines" => Filter::OlderLines,
        "csv" => Filter::Csv,
        _ if text.starts_with(['=', '+', '?']) => {
            return Err(cursor
                .error_at(colon..whole.end, "only the shell knows this operator")
                .with_help(format!("a default is written `${{{}:-…}}`", name.path)));
        }
        _ if text.is_empty() || text.starts_with(|c: char| c.is_ascii_digit() || c == ' ') => {
            return Err(cursor.error_at(
                colon..whole.end,
                "after `:` comes `-` and a default, `json`, `lines`, `csv` or a file pattern",
            ));
        }
        pattern => Filter::glob(pattern)
            .map_err(|message| cursor.error_at(colon + 1..whole.end, message))?,
    };
    cursor.go_to(whole.end);
    Ok(filter)
}

/// The new spelling of `${env:X}` and its like.
pub(super) fn older_source(root: &str, text: &str) -> Option<String> {
    let shell = |command: &str| {
        format!("run `{command}` in a shell step with `capture: NAME` and write `${{NAME}}`")
    };
    match root {
        "env" => Some(format!("write `${{env.{text}}}`")),
        "file" => Some(shell(&format!("cat {text}"))),
        "cmd" => Some(shell(text)),
        "date" => Some(shell(&format!("date +'{text}'"))),
        "json" => Some(match text.split_once(":from:") {
            Some((path, variable)) => {
                let path = path.trim_start_matches("$.").trim_start_matches('.');
                format!("write `${{{variable}.{path}}}`")
            }
            None => "write `${name.field}`".to_owned(),
        }),
        "vault" | "aws" => Some("declare it under `secrets:` and write `${env.NAME}`".to_owned()),
        _ => None,
    }
}

/// `${x%.txt}`, `${x##*/}`: the shell's, which means nothing in a text.
fn shell_operator(cursor: &Cursor<'_>, name: &Name) -> Option<SyntaxError> {
    let next = cursor.peek()?;
    if !matches!(next, '%' | '#' | '/' | '^' | ',' | '+' | '?' | '=' | '@' | '*')
        || cursor.starts_with("==")
        || cursor.starts_with("=~")
    {
        return None;
    }
    let help = if next == '/' || next == '%' || next == '#' {
        "use `basename`, `dirname` or a shell step".to_owned()
    } else {
        format!("a default is written `${{{}:-…}}`", name.path)
    };
    Some(cursor.error(format!("`{next}` after a name is known to the shell only")).with_help(help))
}

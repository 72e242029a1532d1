//! Reads expressions: `or` binds weakest, then `and`, then `not`, then comparisons (SPEC 4.3, B34).

use serde_json::Number;

use super::{
    SyntaxError, Value,
    cursor::{Cursor, is_word},
    hole,
    pattern::Pattern,
    tree::{Comparison, Function, Name, Node, Piece},
};

/// Reads an expression and leaves the cursor behind it.
pub(super) fn expression(cursor: &mut Cursor<'_>) -> Result<Node, SyntaxError> {
    cursor.enter()?;
    let node = chain(cursor, "or", "||", Node::Any, |cursor| {
        chain(cursor, "and", "&&", Node::All, negation)
    })?;
    cursor.leave();
    Ok(node)
}

/// Reads operands with `word` or `sign` between them.
fn chain(
    cursor: &mut Cursor<'_>,
    word: &str,
    sign: &str,
    join: fn(Vec<Node>) -> Node,
    operand: impl Fn(&mut Cursor<'_>) -> Result<Node, SyntaxError>,
) -> Result<Node, SyntaxError> {
    let first = operand(cursor)?;
    let mut nodes = vec![first];
    loop {
        let before = cursor.at();
        cursor.skip_space();
        if !cursor.take(sign) && !cursor.keyword(word) {
            cursor.go_to(before);
            break;
        }
        nodes.push(operand(cursor)?);
    }
    if nodes.len() > 1 { Ok(join(nodes)) } else { nodes.pop().ok_or_else(|| missing(cursor)) }
}

fn negation(cursor: &mut Cursor<'_>) -> Result<Node, SyntaxError> {
    cursor.skip_space();
    let before = cursor.at();
    let sign = cursor.starts_with("!") && !cursor.starts_with("!=") && cursor.take("!");
    if !sign && (!cursor.keyword("not") || cursor.starts_with(".")) {
        cursor.go_to(before);
        return comparison(cursor);
    }
    cursor.enter()?;
    let operand = negation(cursor)?;
    cursor.leave();
    Ok(Node::Not(Box::new(operand)))
}

fn comparison(cursor: &mut Cursor<'_>) -> Result<Node, SyntaxError> {
    let left = operand(cursor)?;
    let Some(operator) = operator(cursor)? else {
        return Ok(left);
    };
    cursor.skip_space();
    let start = cursor.at();
    let right = operand(cursor)?;
    let end = cursor.at();
    let before_next = cursor.at();
    if self::operator(cursor)?.is_some() {
        cursor.go_to(before_next);
        cursor.skip_space();
        return Err(cursor
            .error("comparisons cannot be chained")
            .with_help("join them with `and`: `a < b and b < c`"));
    }
    match (operator, right) {
        (Comparison::Matches, Node::Constant(Value::String(source))) => {
            let pattern = Pattern::compile(&source)
                .map_err(|message| cursor.error_at(start..end, message))?;
            Ok(Node::Matches(Box::new(left), pattern))
        }
        (operator, right) => Ok(Node::Compare(Box::new(left), operator, Box::new(right))),
    }
}

/// The operator that comes next, if one does.
fn operator(cursor: &mut Cursor<'_>) -> Result<Option<Comparison>, SyntaxError> {
    const SIGNS: [(&str, Comparison); 7] = [
        ("==", Comparison::Equal),
        ("!=", Comparison::Unequal),
        ("<=", Comparison::LessOrEqual),
        (">=", Comparison::GreaterOrEqual),
        ("=~", Comparison::Matches),
        ("<", Comparison::Less),
        (">", Comparison::Greater),
    ];
    const WORDS: [(&str, Comparison); 3] = [
        ("matches", Comparison::Matches),
        ("contains", Comparison::Contains),
        ("in", Comparison::In),
    ];
    let before = cursor.at();
    cursor.skip_space();
    if let Some((_, comparison)) = SIGNS.iter().find(|(sign, _)| cursor.take(sign)) {
        return Ok(Some(*comparison));
    }
    if let Some((_, comparison)) = WORDS.iter().find(|(word, _)| cursor.keyword(word)) {
        return Ok(Some(*comparison));
    }
    if cursor.keyword("not") {
        cursor.skip_space();
        if cursor.keyword("in") {
            return Ok(Some(Comparison::NotIn));
        }
    } else if cursor.starts_with("=") {
        return Err(cursor.error("`=` does not compare").with_help("write `==`"));
    }
    cursor.go_to(before);
    Ok(None)
}

fn operand(cursor: &mut Cursor<'_>) -> Result<Node, SyntaxError> {
    cursor.skip_space();
    if cursor.starts_with("${") {
        return Ok(Node::Hole(Box::new(hole::hole(cursor)?)));
    }
    let start = cursor.at();
    match cursor.peek() {
        Some('(') => {
            cursor.next();
            let node = expression(cursor)?;
            cursor.skip_space();
            if cursor.take(")") {
                Ok(node)
            } else if cursor.peek().is_none() {
                Err(cursor.error_at(start..start + 1, "this `(` is not closed"))
            } else {
                Err(unexpected(cursor))
            }
        }
        Some('[') => {
            cursor.next();
            Ok(Node::List(list(cursor, "]", start)?))
        }
        Some('\'' | '"') => string(cursor),
        Some(c) if c.is_ascii_digit() || c == '-' => number(cursor),
        Some(c) if c.is_alphabetic() || c == '_' => named(cursor),
        Some('$') => Err(cursor
            .error("`$` is not part of an expression")
            .with_help("write `${name}` or just `name`")),
        _ => Err(missing(cursor)),
    }
}

/// Expressions with commas between them, up to `close`.
fn list(cursor: &mut Cursor<'_>, close: &str, open: usize) -> Result<Vec<Node>, SyntaxError> {
    let mut nodes = Vec::new();
    loop {
        cursor.skip_space();
        if cursor.take(close) {
            return Ok(nodes);
        }
        nodes.push(expression(cursor)?);
        cursor.skip_space();
        if !cursor.take(",") && !cursor.starts_with(close) {
            return Err(match cursor.peek() {
                None => {
                    let what = cursor.text(open..open + 1).to_owned();
                    cursor.error_at(open..open + 1, format!("this `{what}` is not closed"))
                }
                Some(_) => unexpected(cursor),
            });
        }
    }
}

/// `'…'` or `"…"`: a backslash escapes the quote and itself, `${…}` is a hole.
fn string(cursor: &mut Cursor<'_>) -> Result<Node, SyntaxError> {
    let start = cursor.at();
    let quote = cursor.next();
    let mut pieces = Vec::new();
    let mut text = String::new();
    loop {
        if cursor.starts_with("${") {
            pieces.push(Piece::Text(std::mem::take(&mut text)));
            pieces.push(Piece::Hole(Box::new(hole::hole(cursor)?)));
            continue;
        }
        match cursor.next() {
            None => return Err(cursor.error_at(start..start + 1, "this quote is not closed")),
            next if next == quote => break,
            Some('\\') if cursor.take("${") => text.push_str("${"),
            Some('\\') if cursor.peek() == quote || cursor.peek() == Some('\\') => {
                text.extend(cursor.next());
            }
            Some(character) => text.push(character),
        }
    }
    if pieces.is_empty() {
        return Ok(Node::Constant(Value::String(text)));
    }
    pieces.push(Piece::Text(text));
    Ok(Node::Text(pieces))
}

fn number(cursor: &mut Cursor<'_>) -> Result<Node, SyntaxError> {
    let start = cursor.at();
    cursor.next();
    while let Some(character) = cursor.peek() {
        let exponent =
            matches!(character, '-' | '+') && cursor.text(start..cursor.at()).ends_with(['e', 'E']);
        if !(exponent || character == '.' || (is_word(character) && character != '-')) {
            break;
        }
        cursor.next();
    }
    let span = start..cursor.at();
    let text = cursor.text(span.clone());
    match serde_json::from_str::<Number>(text) {
        Ok(number) => Ok(Node::Constant(Value::Number(number))),
        Err(_) => Err(cursor
            .error_at(span, format!("`{text}` is not a number"))
            .with_help(format!("write '{text}' if it is a text"))),
    }
}

/// A keyword constant, a function call or a path.
fn named(cursor: &mut Cursor<'_>) -> Result<Node, SyntaxError> {
    let start = cursor.at();
    for (word, value) in
        [("true", Value::Bool(true)), ("false", Value::Bool(false)), ("null", Value::Null)]
    {
        if cursor.keyword(word) {
            if !cursor.starts_with(".") && !cursor.starts_with("[") {
                return Ok(Node::Constant(value));
            }
            cursor.go_to(start);
        }
    }
    let Some(name) = cursor.path()? else {
        return Err(missing(cursor));
    };
    if matches!(name.path.root.as_str(), "and" | "or" | "AND" | "OR") && name.path.rest.is_empty() {
        return Err(cursor.error_at(name.span, "an operand is missing here"));
    }
    if cursor.starts_with("(") { call(cursor, name) } else { Ok(Node::Name(name)) }
}

fn call(cursor: &mut Cursor<'_>, name: Name) -> Result<Node, SyntaxError> {
    let open = cursor.at();
    cursor.next();
    if let [.., super::Segment::Field(method)] = name.path.rest.as_slice() {
        return Err(method_call(cursor, &name, method));
    }
    let start = name.span.start;
    let function = name.path.root.as_str();
    let mut arguments = list(cursor, ")", open)?;
    let span = start..cursor.at();
    let (kind, count) = match function {
        "exists" | "success" | "failed" => return test_of_name(cursor, function, arguments, span),
        "matches" => {
            if let (Some(right), Some(left), None) =
                (arguments.pop(), arguments.pop(), arguments.pop())
            {
                return match right {
                    Node::Constant(Value::String(source)) => Pattern::compile(&source)
                        .map(|pattern| Node::Matches(Box::new(left), pattern))
                        .map_err(|message| cursor.error_at(span, message)),
                    right => {
                        Ok(Node::Compare(Box::new(left), Comparison::Matches, Box::new(right)))
                    }
                };
            }
            return Err(cursor.error_at(span, "`matches` takes a text and a pattern"));
        }
        "contains" => (Function::Contains, 2),
        "starts_with" => (Function::StartsWith, 2),
        "ends_with" => (Function::EndsWith, 2),
        "length" => (Function::Length, 1),
        "lower" => (Function::Lower, 1),
        "upper" => (Function::Upper, 1),
        "is_null" => (Function::IsNull, 1),
        "is_number" => (Function::IsNumber, 1),
        "is_string" => (Function::IsString, 1),
        "is_bool" => (Function::IsBool, 1),
        "is_array" => (Function::IsArray, 1),
        "is_object" => (Function::IsObject, 1),
        _ => return Err(unknown_function(cursor, &name)),
    };
    if arguments.len() == count {
        return Ok(Node::Call(kind, arguments));
    }
    let values = if count == 1 { "one value" } else { "two values" };
    let mut error = cursor.error_at(span, format!("`{function}` takes {values}"));
    if kind == Function::Length && arguments.len() == 2 {
        error = error.with_help("compare the length: `length(x) == 3`");
    }
    Err(error)
}

/// `exists(path)`, `success(id)`, `failed(id)`.
fn test_of_name(
    cursor: &Cursor<'_>,
    function: &str,
    mut arguments: Vec<Node>,
    span: std::ops::Range<usize>,
) -> Result<Node, SyntaxError> {
    let name = match (arguments.pop(), arguments.pop()) {
        (Some(Node::Name(name)), None) => Some(name),
        (Some(Node::Hole(hole)), None) if hole.filters.is_empty() && hole.default.is_none() => {
            match hole.body {
                Node::Name(name) => Some(name),
                _ => None,
            }
        }
        (Some(Node::Constant(Value::String(text))), None) => {
            Cursor::new(&text, 0).path()?.map(|name| Name { path: name.path, span: span.clone() })
        }
        _ => None,
    };
    let Some(mut name) = name else {
        let what = if function == "exists" { "one name" } else { "the id of one step" };
        return Err(cursor.error_at(span, format!("`{function}` takes {what}")));
    };
    if function == "exists" {
        return Ok(Node::Exists(name));
    }
    name.path.rest.push(super::Segment::Field(function.to_owned()));
    Ok(Node::Name(name))
}

/// `x.startsWith('a')` of older files.
fn method_call(cursor: &Cursor<'_>, name: &Name, method: &str) -> SyntaxError {
    let function = match method {
        "startsWith" | "starts_with" => "starts_with",
        "endsWith" | "ends_with" => "ends_with",
        "contains" | "includes" => "contains",
        "matches" | "match" => "matches",
        "toLowerCase" | "lower" => "lower",
        "toUpperCase" | "upper" => "upper",
        _ => "length",
    };
    let whole = cursor.text(name.span.clone());
    let object = whole.strip_suffix(method).and_then(|text| text.strip_suffix('.'));
    let arguments = if matches!(function, "lower" | "upper" | "length") { "" } else { ", …" };
    cursor
        .error_at(name.span.start..cursor.at(), "there are no methods")
        .with_help(format!("write `{function}({}{arguments})`", object.unwrap_or(whole)))
}

fn unknown_function(cursor: &Cursor<'_>, name: &Name) -> SyntaxError {
    const KNOWN: [&str; 16] = [
        "contains",
        "starts_with",
        "ends_with",
        "matches",
        "length",
        "lower",
        "upper",
        "exists",
        "is_null",
        "is_number",
        "is_string",
        "is_bool",
        "is_array",
        "is_object",
        "success",
        "failed",
    ];
    let function = name.path.root.as_str();
    let help = match function {
        "is_not_null" => "write `not is_null(…)`".to_owned(),
        "startsWith" => "write `starts_with(…)`".to_owned(),
        "endsWith" => "write `ends_with(…)`".to_owned(),
        _ => super::nearest::did_you_mean(function, &KNOWN.map(str::to_owned))
            .unwrap_or_else(|| format!("the functions are {}", KNOWN.join(", "))),
    };
    cursor.error_at(name.span.clone(), format!("there is no function `{function}`")).with_help(help)
}

/// The error for something that does not fit where the cursor stands.
pub(super) fn unexpected(cursor: &Cursor<'_>) -> SyntaxError {
    let mut word = cursor.clone();
    let start = cursor.at();
    let text = word.word().map(str::to_owned);
    let text = text.or_else(|| cursor.peek().map(String::from)).unwrap_or_default();
    if text.is_empty() {
        return cursor.error("the expression ends too early");
    }
    let error = cursor.error_at(start..start + text.len(), format!("`{text}` does not fit here"));
    match text.as_str() {
        "&" => error.with_help("write `&&` or `and`"),
        "|" => error.with_help("write `||` or `or`; filters stand inside `${…}`"),
        _ => error,
    }
}

fn missing(cursor: &Cursor<'_>) -> SyntaxError {
    if matches!(cursor.peek(), None | Some(')' | ']' | '}' | ',')) {
        return cursor.error("a value is missing here");
    }
    unexpected(cursor)
}

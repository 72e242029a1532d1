//! Exact places inside texts that YAML writes in another way than it means them: folded,
//! over several lines, or with escapes.
//!
//! A text only knows where it begins. What counts its characters from there is right as long
//! as each stands in the file as it is; everything else is put right here, by counting the
//! characters that are no white space, which folding never changes.

use std::collections::HashMap;

use super::tree::{Content, Node, Style};

/// A place that was counted inside a text: line and column from 1.
pub type Counted = (usize, usize);

/// Where each of the `counted` places of the file `text` really is.
#[must_use]
pub fn unfold(root: &Node, text: &str, counted: &[Counted]) -> HashMap<Counted, Counted> {
    let mut places = HashMap::new();
    if !counted.is_empty() {
        let lines: Vec<&str> = text.split('\n').collect();
        visit(root, &mut |node, value, style| {
            for place in counted {
                if let Some(offset) = offset_in(node, value, style, *place)
                    && let Some(real) = find(&lines, node, value, style, offset)
                {
                    places.insert(*place, real);
                }
            }
        });
    }
    places
}

fn visit(node: &Node, found: &mut dyn FnMut(&Node, &str, Style)) {
    match &node.content {
        Content::Scalar(value, style) => found(node, value, *style),
        Content::List(items) => items.iter().for_each(|item| visit(item, found)),
        Content::Map(entries) => entries.iter().for_each(|entry| visit(&entry.value, found)),
    }
}

/// The character of `value` that a counted place means, if it lies inside of it.
fn offset_in(node: &Node, value: &str, style: Style, (line, column): Counted) -> Option<usize> {
    let (first_line, first_column, next_column) = match style {
        Style::Block(indent) => (node.line + 1, indent as usize + 1, indent as usize + 1),
        Style::Quoted => (node.line, node.column + 1, 1),
        Style::Plain => (node.line, node.column, 1),
    };
    let wanted = line.checked_sub(first_line)?;
    let mut before = 0;
    for (index, part) in value.split('\n').enumerate() {
        let length = part.chars().count();
        if index == wanted {
            let start = if index == 0 { first_column } else { next_column };
            let in_line = column.checked_sub(start)?;
            return (in_line < length).then_some(before + in_line);
        }
        before += length + 1;
    }
    None
}

/// Walks the file beside the value until `offset` characters of the value are passed.
fn find(lines: &[&str], node: &Node, value: &str, style: Style, offset: usize) -> Option<Counted> {
    let visible = value.chars().take(offset).filter(|c| !c.is_whitespace()).count();
    let (mut line, mut column) = match style {
        Style::Block(_) => (node.line + 1, 1),
        Style::Quoted => (node.line, node.column + 1),
        Style::Plain => (node.line, node.column),
    };
    let quote = lines.get(node.line - 1)?.chars().nth(node.column - 1);
    let quote = quote.filter(|_| style == Style::Quoted);
    let mut passed = 0;
    loop {
        let characters: Vec<char> = lines.get(line - 1)?.chars().collect();
        while let Some(rest) = characters.get(column - 1..).filter(|rest| !rest.is_empty()) {
            let (length, is_visible) = written(rest, quote);
            if is_visible && passed == visible {
                return Some((line, column));
            }
            passed += usize::from(is_visible);
            column += length;
        }
        line += 1;
        column = 1;
    }
}

/// How many characters of the file one character of the text takes, and whether it is one
/// that can be seen.
fn written(rest: &[char], quote: Option<char>) -> (usize, bool) {
    match (quote, rest) {
        (Some('\''), ['\'', '\'', ..]) => (2, true),
        (Some('"'), ['\\', 'x', ..]) => (4, true),
        (Some('"'), ['\\', 'u', ..]) => (6, true),
        (Some('"'), ['\\', 'U', ..]) => (10, true),
        (Some('"'), ['\\', 'n' | 't' | 'r' | 'v' | 'f' | ' ' | 'N' | '_' | 'L' | 'P', ..]) => {
            (2, false)
        }
        (Some('"'), ['\\', _, ..]) => (2, true),
        (Some('"'), ['\\']) => (1, false),
        (_, [first, ..]) => (1, !first.is_whitespace()),
        (_, []) => (1, false),
    }
}

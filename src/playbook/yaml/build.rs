//! Events of the YAML parser → tree, within fixed limits of depth and size.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};

use super::scalar::Kind;
use super::tree::{Content, Entry, Node, Style};

/// Deepest nesting of a file.
const MAX_DEPTH: usize = 64;
/// How much all aliases of a file together may add, in bytes.
const MAX_ALIAS_WEIGHT: usize = 10 << 20;

/// What is wrong with the YAML itself.
#[derive(Debug, Clone)]
pub struct Defect {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// Characters of that line.
    pub length: usize,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

/// The tree of the one document in `text`, and what is wrong with it; no tree when the
/// text cannot be read to its end or holds nothing.
#[must_use]
pub fn read(text: &str) -> (Option<Node>, Vec<Defect>) {
    let mut builder = Builder::new(text);
    for event in Parser::new_from_str(text) {
        let step = match event {
            Ok((event, span)) => builder.take(event, span),
            Err(error) => {
                let marker = error.marker();
                Err(Defect {
                    line: marker.line(),
                    column: marker.col() + 1,
                    length: 1,
                    message: format!("this is not valid YAML: {}", error.info()),
                    help: Some("the rest of the file is checked once it can be read".to_owned()),
                })
            }
        };
        if let Err(defect) = step {
            builder.defects.push(defect);
            return (None, builder.defects);
        }
    }
    if builder.root.is_none() && builder.defects.is_empty() {
        builder.defects.push(Defect {
            line: 1,
            column: 1,
            length: 1,
            message: "the file holds no workflow".to_owned(),
            help: Some("write a list of steps under `commands:`".to_owned()),
        });
    }
    (builder.root, builder.defects)
}

/// A collection that is not closed yet.
struct Open {
    node: Node,
    anchor: usize,
    key: Option<Node>,
    merged: Vec<Entry>,
}

struct Builder<'t> {
    lines: Vec<&'t str>,
    open: Vec<Open>,
    anchors: HashMap<usize, Anchored>,
    alias_weight: usize,
    documents: usize,
    root: Option<Node>,
    defects: Vec<Defect>,
}

struct Anchored {
    node: Node,
    height: usize,
    weight: usize,
}

impl<'t> Builder<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            lines: text.split('\n').collect(),
            open: Vec::new(),
            anchors: HashMap::new(),
            alias_weight: 0,
            documents: 0,
            root: None,
            defects: Vec::new(),
        }
    }

    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Defect> {
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    let help = "put the second workflow into a file of its own".to_owned();
                    return Err(defect_at(&span, "a file holds one YAML document", Some(help)));
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                let style = self.style_of(style, tag.as_deref(), &text, &span)?;
                let (line, column, length) = match style {
                    Style::Block(_) => self.header_of_block(&text, &span),
                    _ => (span.start.line(), span.start.col() + 1, self.length_of(&span)),
                };
                let node = Node {
                    line,
                    column,
                    length,
                    content: Content::Scalar(text.into_owned(), style),
                };
                self.close(node, anchor)?;
            }
            Event::SequenceStart(anchor, tag) => {
                check_tag(tag.as_deref(), "seq", &span)?;
                self.open(Content::List(Vec::new()), anchor, &span)?;
            }
            Event::MappingStart(anchor, tag) => {
                check_tag(tag.as_deref(), "map", &span)?;
                self.open(Content::Map(Vec::new()), anchor, &span)?;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(open) = self.open.pop() {
                    let node = self.finished(open.node, open.merged);
                    self.close(node, open.anchor)?;
                }
            }
            Event::Alias(anchor) => {
                let node = self.copy_of(anchor, &span)?;
                self.close(node, 0)?;
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn open(&mut self, content: Content, anchor: usize, span: &Span) -> Result<(), Defect> {
        if self.open.len() >= MAX_DEPTH {
            return Err(too_deep(span));
        }
        let node =
            Node { line: span.start.line(), column: span.start.col() + 1, length: 1, content };
        self.open.push(Open { node, anchor, key: None, merged: Vec::new() });
        Ok(())
    }

    /// Puts a complete node where it belongs.
    fn close(&mut self, node: Node, anchor: usize) -> Result<(), Defect> {
        if anchor > 0 {
            let (height, weight) = (node.height(), node.weight());
            self.anchors.insert(anchor, Anchored { node: node.clone(), height, weight });
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match &mut open.node.content {
            Content::List(items) => items.push(node),
            Content::Map(entries) => match open.key.take() {
                None => {
                    if node.text().is_none() {
                        return Err(defect_of(&node, "a key must be text", None));
                    }
                    open.key = Some(node);
                }
                Some(key) => {
                    let name = key.text().unwrap_or_default().to_owned();
                    let plain = matches!(key.content, Content::Scalar(_, Style::Plain));
                    if plain && name == "<<" {
                        match merged_entries(&node) {
                            Some(entries) => open.merged.extend(entries),
                            None => self.defects.push(defect_of(
                                &key,
                                "`<<` needs a mapping, or a list of mappings",
                                None,
                            )),
                        }
                    } else {
                        entries.push(Entry { name, key, value: node });
                    }
                }
            },
            Content::Scalar(..) => {}
        }
        Ok(())
    }

    /// A collection with its merge keys resolved and its duplicates reported.
    fn finished(&mut self, mut node: Node, merged: Vec<Entry>) -> Node {
        if let Content::Map(entries) = &mut node.content {
            let mut lines: HashMap<String, usize> = HashMap::with_capacity(entries.len());
            entries.retain(|entry| match lines.get(&entry.name) {
                Some(line) => {
                    self.defects.push(defect_of(
                        &entry.key,
                        &format!("`{}` is already given on line {line}", entry.name),
                        Some("keep one of the two".to_owned()),
                    ));
                    false
                }
                None => {
                    lines.insert(entry.name.clone(), entry.key.line);
                    true
                }
            });
            for entry in merged {
                if !lines.contains_key(&entry.name) {
                    lines.insert(entry.name.clone(), entry.key.line);
                    entries.push(entry);
                }
            }
            if let Some(first) = entries.first() {
                node.length = if first.key.line == node.line { first.key.length } else { 1 };
            }
        }
        node
    }

    fn copy_of(&mut self, anchor: usize, span: &Span) -> Result<Node, Defect> {
        let Some(anchored) = self.anchors.get(&anchor) else {
            return Err(defect_at(span, "an anchor cannot stand inside itself", None));
        };
        if self.open.len() + anchored.height > MAX_DEPTH {
            return Err(too_deep(span));
        }
        self.alias_weight = self.alias_weight.saturating_add(anchored.weight);
        if self.alias_weight > MAX_ALIAS_WEIGHT {
            return Err(defect_at(
                span,
                "the aliases of this file expand to more than 10 MB",
                Some("write out what is meant".to_owned()),
            ));
        }
        Ok(anchored.node.clone())
    }

    fn style_of(
        &self,
        style: ScalarStyle,
        tag: Option<&Tag>,
        text: &str,
        span: &Span,
    ) -> Result<Style, Defect> {
        let written = match style {
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Style::Quoted,
            ScalarStyle::Literal | ScalarStyle::Folded => {
                Style::Block(self.block_indent(self.header_of_block(text, span).0, text))
            }
        };
        let Some(tag) = tag else { return Ok(written) };
        if tag.handle.is_empty() && tag.suffix == "!" {
            return Ok(if written == Style::Plain { Style::Quoted } else { written });
        }
        let fits = |kind: Kind| match tag.suffix.as_str() {
            "int" | "float" => kind == Kind::Number,
            "bool" => matches!(kind, Kind::Bool(_)),
            "null" => kind == Kind::Null,
            _ => false,
        };
        let as_plain = Node {
            line: 1,
            column: 1,
            length: 1,
            content: Content::Scalar(text.to_owned(), Style::Plain),
        };
        if tag.is_yaml_core_schema() && tag.suffix == "str" {
            Ok(if written == Style::Plain { Style::Quoted } else { written })
        } else if tag.is_yaml_core_schema() && fits(Kind::of(&as_plain)) {
            Ok(Style::Plain)
        } else {
            Err(unknown_tag(tag, span))
        }
    }

    /// Line, column and length of the `|` or `>` of a block scalar. The parser says where its
    /// first line with something in it stands.
    fn header_of_block(&self, text: &str, span: &Span) -> (usize, usize, usize) {
        let empty = text.bytes().take_while(|byte| *byte == b'\n').count();
        let above = if empty == text.len() { 0 } else { empty + 1 };
        let line = span.start.line().saturating_sub(above).max(1);
        let written = self.lines.get(line - 1).copied().unwrap_or_default();
        let before_comment = written.split(" #").next().unwrap_or_default();
        let header = before_comment.rfind(['|', '>']).unwrap_or_default();
        (line, written.get(..header).unwrap_or_default().chars().count() + 1, 1)
    }

    /// By how much the content of the block scalar whose header is on `line` is indented.
    fn block_indent(&self, line: usize, text: &str) -> u32 {
        let leading = |line: &str| line.len() - line.trim_start_matches(' ').len();
        let written = self.lines.get(line..).unwrap_or_default();
        let raw =
            written.iter().find(|line| !line.trim().is_empty()).map_or(0, |line| leading(line));
        let kept = text.split('\n').find(|line| !line.trim().is_empty()).map_or(0, leading);
        u32::try_from(raw.saturating_sub(kept)).unwrap_or(0)
    }

    /// The characters of a scalar on its first line.
    fn length_of(&self, span: &Span) -> usize {
        if span.start.line() == span.end.line() {
            return span.len().max(1);
        }
        let line = self.lines.get(span.start.line().saturating_sub(1)).copied().unwrap_or_default();
        line.trim_end().chars().count().saturating_sub(span.start.col()).max(1)
    }
}

/// The entries that `<<: node` adds; the first mapping of a list wins.
fn merged_entries(node: &Node) -> Option<Vec<Entry>> {
    match &node.content {
        Content::Map(entries) => Some(entries.clone()),
        Content::List(items) => {
            let all = items.iter().map(Node::entries).collect::<Option<Vec<_>>>()?;
            Some(all.into_iter().flatten().cloned().collect())
        }
        Content::Scalar(..) => None,
    }
}

fn check_tag(tag: Option<&Tag>, expected: &str, span: &Span) -> Result<(), Defect> {
    match tag {
        None => Ok(()),
        Some(tag) if tag.is_yaml_core_schema() && tag.suffix == expected => Ok(()),
        Some(tag) if tag.handle.is_empty() && tag.suffix == "!" => Ok(()),
        Some(tag) => Err(unknown_tag(tag, span)),
    }
}

fn unknown_tag(tag: &Tag, span: &Span) -> Defect {
    defect_at(
        span,
        &format!("the tag `{tag}` does not fit here"),
        Some("leave the tag away; values need none in a workflow".to_owned()),
    )
}

fn too_deep(span: &Span) -> Defect {
    defect_at(span, &format!("this is nested deeper than {MAX_DEPTH} levels"), None)
}

fn defect_at(span: &Span, message: &str, help: Option<String>) -> Defect {
    let same_line = span.start.line() == span.end.line();
    Defect {
        line: span.start.line(),
        column: span.start.col() + 1,
        length: if same_line { span.len().max(1) } else { 1 },
        message: message.to_owned(),
        help,
    }
}

fn defect_of(node: &Node, message: &str, help: Option<String>) -> Defect {
    Defect {
        line: node.line,
        column: node.column,
        length: node.length,
        message: message.to_owned(),
        help,
    }
}

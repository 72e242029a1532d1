//! Where in the shell's grammar the scanner stands: quotes, substitutions, words, `case`, `[[`.

/// One level of nesting.
#[derive(Debug)]
pub(super) enum Frame {
    /// Commands: the whole text, `(…)`, `$(…)`, `<(…)`, the inside of backquotes.
    Command(Box<Command>),
    /// `"…"`.
    Double,
    /// `'…'`, or `$'…'` where backslashes escape.
    Single(Single),
    /// The body of a here-document in which the shell expands.
    HereDocument,
    /// `${name…}` that belongs to the shell, or the default of a hole.
    Parameter(Parameter),
    /// `$((…))`, `((…))`, `$[…]`, with the number of open parentheses.
    Arithmetic { closer: u8, parentheses: usize },
    /// `[…]` behind the name of `${name[…]}`.
    Subscript,
}

/// The two kinds of single quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Single {
    Plain,
    Dollar,
}

/// `${name…}` of the shell.
#[derive(Debug)]
pub(super) struct Parameter {
    /// What stands behind the name, once it has been reached.
    pub operator: Option<Operator>,
    /// True inside `"…"` or a here-document.
    pub double: bool,
    /// How many bytes of the name have been read.
    pub name: usize,
    /// The default of a hole that has a value: thrown away at the end.
    pub skipped: Option<Skipped>,
}

/// The operators of `${name…}` by what the shell does with what follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    /// `:-` and its like: a word.
    Word,
    /// `#`, `%`, `/` and others: a pattern, even inside double quotes.
    Pattern,
    /// `:` offsets: arithmetic.
    Offset,
}

/// The value that takes the place of a default, and where the output stood before it.
#[derive(Debug)]
pub(super) struct Skipped {
    pub hole: usize,
    pub output: usize,
    pub display: usize,
    pub patches: usize,
}

/// The state of a row of commands.
#[derive(Debug, Default)]
pub(super) struct Command {
    /// The byte that ends it, if it is nested.
    pub closer: Option<u8>,
    /// True in the parentheses of `name=(…)`, where words are no commands.
    pub list: bool,
    /// The unquoted text of the current word.
    pub word: Vec<u8>,
    /// True when the current word has begun.
    pub started: bool,
    /// True when it has quoted or expanded parts.
    pub mixed: bool,
    /// A value in the current word that is no number.
    pub data: Option<usize>,
    /// A value in the current word that is no name of a variable.
    pub no_name: Option<usize>,
    /// The same as `data` of the word before.
    pub previous_data: Option<usize>,
    /// The word before.
    pub previous: Vec<u8>,
    /// True when a command name has been read already.
    pub named: bool,
    /// The command name.
    pub name: Vec<u8>,
    /// True behind `>` and its like: the next word is a file name.
    pub redirected: bool,
    /// True between `[[` and `]]`.
    pub bracket: bool,
    pub loops: Loop,
    pub cases: Vec<Case>,
    /// Here-documents whose bodies begin after the next newline.
    pub pending: Vec<Pending>,
}

/// Data that the shell would evaluate although it is quoted, by its hole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Evaluated {
    /// As arithmetic.
    Number(usize),
    /// As the name of a variable.
    Name(usize),
}

/// How far `for name in …` has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Loop {
    #[default]
    None,
    Name,
    In,
    List,
}

/// How far `case word in pattern) … esac` has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    Subject,
    In,
    Pattern,
    Body,
}

/// A here-document that has been announced.
#[derive(Debug)]
pub(super) struct Pending {
    pub delimiter: Vec<u8>,
    pub quoted: bool,
    /// `<<-`.
    pub tabs: bool,
    /// Where the delimiter stands in the output.
    pub output: std::ops::Range<usize>,
}

impl Command {
    pub(super) fn nested(closer: u8) -> Self {
        Self { closer: Some(closer), ..Self::default() }
    }

    /// Whether the next word can be a command name, a reserved word or an assignment.
    pub(super) fn at_command(&self) -> bool {
        !self.named && !self.list && self.loops == Loop::None && !self.in_case_head()
    }

    pub(super) fn in_case_head(&self) -> bool {
        matches!(self.cases.last(), Some(Case::Subject | Case::In | Case::Pattern))
    }

    /// A byte of the current word, outside of quotes.
    pub(super) fn push(&mut self, byte: u8) {
        self.started = true;
        self.word.push(byte);
    }

    /// A quoted or expanded part of the current word.
    pub(super) fn mix(&mut self) {
        self.started = true;
        self.mixed = true;
    }

    /// The next word begins a new command.
    pub(super) fn separate(&mut self) {
        if !self.in_case_head() {
            self.named = false;
            self.name.clear();
            self.previous.clear();
            self.loops = Loop::None;
            self.redirected = false;
        }
    }

    /// Ends the current word; gives the hole whose data the shell would evaluate there.
    pub(super) fn end_word(&mut self) -> Option<Evaluated> {
        if !self.started {
            return None;
        }
        let word = std::mem::take(&mut self.word);
        let mixed = std::mem::take(&mut self.mixed);
        let data = self.data.take();
        let no_name = self.no_name.take();
        self.started = false;
        let mut evaluated = None;
        if self.bracket {
            let compares = |word: &[u8]| {
                matches!(word, b"-eq" | b"-ne" | b"-lt" | b"-le" | b"-gt" | b"-ge" | b"-v" | b"-R")
            };
            if compares(&self.previous) {
                evaluated = data;
            } else if compares(&word) && !mixed {
                evaluated = self.previous_data;
            }
        }
        let evaluated = evaluated
            .map(Evaluated::Number)
            .or_else(|| self.takes_name().then_some(no_name.map(Evaluated::Name)).flatten());
        self.previous_data = data;
        if declares(&self.name) && word.starts_with(b"-") && word.contains(&b'i') && !mixed {
            // `declare -i` evaluates what is assigned, as `let` does.
            self.name = b"let".to_vec();
        }
        self.read_word(&word, mixed);
        self.previous = word;
        evaluated
    }

    /// Whether the current word is the name of a variable for a built-in, which evaluates its subscript.
    fn takes_name(&self) -> bool {
        match self.name.as_slice() {
            name if declares(name) => true,
            b"unset" => true,
            b"read" | b"mapfile" | b"readarray" => !self.previous.starts_with(b"-"),
            b"test" | b"[" | b"printf" => self.previous == b"-v",
            _ => false,
        }
    }

    fn read_word(&mut self, word: &[u8], mixed: bool) {
        if std::mem::take(&mut self.redirected) {
            return;
        }
        match self.cases.last_mut() {
            Some(case @ Case::Subject) => {
                *case = Case::In;
                return;
            }
            Some(case @ Case::In) => {
                if word == b"in" && !mixed {
                    *case = Case::Pattern;
                }
                return;
            }
            Some(Case::Pattern) => {
                if word == b"esac" && !mixed {
                    self.cases.pop();
                    self.named = true;
                }
                return;
            }
            Some(Case::Body) | None => {}
        }
        match self.loops {
            Loop::Name => {
                self.loops = Loop::In;
                return;
            }
            Loop::In if word == b"in" && !mixed => {
                self.loops = Loop::List;
                return;
            }
            Loop::In if word == b"do" && !mixed => {
                self.separate();
                return;
            }
            Loop::In | Loop::List => return,
            Loop::None => {}
        }
        if self.bracket && word == b"]]" && !mixed {
            self.bracket = false;
        }
        if self.named || self.list {
            return;
        }
        match word {
            _ if mixed && !is_assignment(word) => self.named = true,
            b"case" => self.cases.push(Case::Subject),
            b"esac" => {
                self.cases.pop();
                self.named = true;
            }
            b"for" | b"select" => self.loops = Loop::Name,
            b"if" | b"then" | b"else" | b"elif" | b"while" | b"until" | b"do" | b"!" | b"{"
            | b"time" => {}
            b"[[" => {
                self.bracket = true;
                self.named = true;
            }
            word if is_assignment(word) => {}
            word => {
                self.named = true;
                self.name = word.to_vec();
            }
        }
    }

    /// Whether a list must stay one word here: an assignment, a file name, `[[ … ]]`, `case`.
    pub(super) fn joins(&self) -> bool {
        self.redirected || self.bracket || self.in_case_head() || is_assignment(&self.word)
    }

    /// Whether what stands here is evaluated as arithmetic: `let …`, `name[…]=`.
    pub(super) fn is_arithmetic(&self) -> bool {
        let subscript = self.word.iter().position(|byte| *byte == b'[').is_some_and(|open| {
            let name = self.word.get(..open).unwrap_or_default();
            let closed = self.word.get(open..).unwrap_or_default().contains(&b']');
            !closed
                && (if self.list { name.is_empty() } else { self.at_command() && is_name(name) })
        });
        subscript || self.name == b"let"
    }
}

/// The built-ins that declare variables.
fn declares(name: &[u8]) -> bool {
    matches!(name, b"declare" | b"typeset" | b"local" | b"export" | b"readonly" | b"integer")
}

pub(super) fn is_name(word: &[u8]) -> bool {
    word.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_')
        && word.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

/// Whether a word begins with `name=`, `name+=` or `name[…]=`.
fn is_assignment(word: &[u8]) -> bool {
    let Some(equals) = word.iter().position(|byte| *byte == b'=') else {
        return false;
    };
    let left = word.get(..equals).unwrap_or_default();
    let left = left.strip_suffix(b"+").unwrap_or(left);
    let name = left.split(|byte| *byte == b'[').next().unwrap_or_default();
    is_name(name) && (name.len() == left.len() || left.ends_with(b"]"))
}

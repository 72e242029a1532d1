//! Where a text stands in its file, so that a problem inside it can be pointed at.

/// Where a text begins; no part of its value: all places are equal.
#[derive(Debug, Clone, Copy, Default, Eq)]
pub struct Place {
    /// Line, from 1; 0 when unknown.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// For a block scalar (`|`, `>`): its content starts on the next line, indented by this many columns.
    pub block_indent: Option<u32>,
}

impl Place {
    /// Line and column of byte `offset` of `source`, which begins at this place.
    #[must_use]
    pub fn locate(&self, source: &str, offset: usize) -> (usize, usize) {
        let before = source.get(..offset).unwrap_or(source);
        let lines = before.matches('\n').count();
        let in_line = before.rsplit('\n').next().unwrap_or(before).chars().count();
        let (line, column) = (self.line as usize, self.column as usize);
        match self.block_indent {
            Some(indent) => (line + 1 + lines, indent as usize + in_line + 1),
            None if lines == 0 => (line, column + in_line),
            None => (line + lines, in_line + 1),
        }
    }
}

impl PartialEq for Place {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

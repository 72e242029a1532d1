//! Tables for terminals: columns as wide as their widest cell.

use super::{Ink, Style, line};

/// Rows under headings. A table without rows is no text at all.
#[derive(Debug, Default)]
pub struct Table {
    headings: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
}

/// One cell.
#[derive(Debug, Clone)]
pub struct Cell {
    text: String,
    ink: Option<Ink>,
}

impl Cell {
    /// Text in a colour; control characters are made visible.
    #[must_use]
    pub fn inked(ink: Ink, text: &str) -> Self {
        Self { text: line(text).into_owned(), ink: Some(ink) }
    }
}

impl<T: AsRef<str>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self { text: line(text.as_ref()).into_owned(), ink: None }
    }
}

impl Table {
    /// A table with these headings.
    #[must_use]
    pub fn new(headings: &[&'static str]) -> Self {
        Self { headings: headings.to_vec(), rows: Vec::new() }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl Into<Vec<Cell>>) {
        self.rows.push(cells.into());
    }

    /// The table, each line indented by `indent` spaces and ended by a newline.
    #[must_use]
    pub fn text(&self, indent: usize, style: Style) -> String {
        let mut text = String::new();
        if self.rows.is_empty() {
            return text;
        }
        let widths: Vec<usize> =
            (0..self.headings.len()).map(|column| self.width(column)).collect();
        let headings: Vec<Cell> =
            self.headings.iter().map(|heading| Cell::inked(Ink::Faint, heading)).collect();
        for row in std::iter::once(&headings).chain(&self.rows) {
            text.extend(std::iter::repeat_n(' ', indent));
            push_row(&mut text, row, &widths, style);
        }
        text
    }

    fn width(&self, column: usize) -> usize {
        let cells =
            self.rows.iter().filter_map(|row| row.get(column)).map(|cell| width(&cell.text));
        let heading = self.headings.get(column).map_or(0, |heading| width(heading));
        cells.max().unwrap_or(0).max(heading)
    }
}

fn push_row(text: &mut String, row: &[Cell], widths: &[usize], style: Style) {
    let begin = text.len();
    for (cell, column) in row.iter().zip(widths) {
        match cell.ink {
            Some(ink) => text.push_str(&style.paint(ink, &cell.text)),
            None => text.push_str(&cell.text),
        }
        let padding = column.saturating_sub(width(&cell.text)) + 2;
        text.extend(std::iter::repeat_n(' ', padding));
    }
    let end = text[begin..].trim_end_matches(' ').len();
    text.truncate(begin + end);
    text.push('\n');
}

fn width(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_also_in_colour() {
        let mut table = Table::new(&["NAME", "N"]);
        table.row([Cell::inked(Ink::Good, "a"), "1".into()]);
        table.row(["long\nname".into(), "22".into()]);
        assert_eq!(
            table.text(2, Style::Plain),
            "  NAME        N\n  a           1\n  long\\nname  22\n"
        );
        let coloured = table.text(0, Style::Coloured);
        assert!(coloured.contains("\u{1b}[32ma\u{1b}[0m           1\n"), "{coloured:?}");
        assert_eq!(Table::new(&["NAME"]).text(0, Style::Plain), "");
    }
}

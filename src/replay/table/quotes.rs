//! Rows that a stray quote swallowed: it opens in one row, the next one closes it lines below, and all between is a remark that nobody reads.
//!
//! The idea: a remark of several lines is honest, and rows within one are not, so each line of the file that such a row reaches over is read as if it stood alone: where it has as many
//! cells as a row, and its time and its figures can be read, it is one, and so are the others beside it whose time can. What is found so is told line by line; nothing of it is guessed at.

use super::file::{Cells, Lacks};
use csv::StringRecord;

/// What is read of each row.
#[derive(Clone, Copy)]
pub(super) struct Reads<'a> {
    /// The last column that is read at all.
    pub(super) last: usize,
    /// How cells look that may be a row's; none where their time cannot be read.
    pub(super) looks: &'a dyn Fn(&Cells<'_>) -> Option<Looks>,
}

/// How cells look of which the time can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Looks {
    /// The digits of a time that is a bare, short number: any number would look like it, so it must be as long as its row's.
    pub(super) short_number: Option<usize>,
    /// Whether all else can be read too, or is missing.
    pub(super) is_whole: bool,
}

/// Below so many digits a number is short: an epoch has more.
const SHORT: usize = 9;

impl Looks {
    /// How cells look with this time.
    pub(super) fn of(time: &str, is_whole: bool) -> Self {
        let is_short = time.len() < SHORT && time.bytes().all(|byte| byte.is_ascii_digit());
        Self { short_number: is_short.then_some(time.len()), is_whole }
    }
}

impl Reads<'_> {
    /// How a line's cells look.
    pub(super) fn looks(&self, cells: &StringRecord) -> Option<Looks> {
        (self.looks)(&Cells::Csv(cells, Lacks::Nothing))
    }
}

/// What rows have in common that stand on a line of their own.
#[derive(Debug)]
pub(super) struct Plain {
    delimiter: char,
    /// The cells of the header, but for those at its end without a name.
    named: usize,
    columns: usize,
    /// The fewest cells that any row had, and no more than there are columns: some writers drop empty ones at the end.
    fewest: Option<usize>,
}

/// What stands in a row that reaches over several lines.
#[derive(Debug, Default)]
pub(super) struct Within {
    /// The lines behind its first that look like rows: how far behind it each stands, and its cells.
    pub(super) rows: Vec<(u32, StringRecord)>,
    /// The cells of its own first line, where that begins as a row.
    pub(super) first: Option<StringRecord>,
}

impl Plain {
    /// Before the first row of a table.
    pub(super) fn of(columns: &[String], delimiter: u8) -> Self {
        let named = columns.iter().rposition(|name| !name.is_empty()).map_or(0, |last| last + 1);
        Self { delimiter: delimiter.into(), named, columns: columns.len(), fewest: None }
    }

    /// Whether cells stand between commas.
    pub(super) const fn is_of_commas(&self) -> bool {
        self.delimiter == ','
    }

    /// Takes a row in.
    pub(super) fn pass(&mut self, record: &StringRecord) {
        // A line of one cell is no row but a title or a sum.
        if record.len() > 1 {
            self.fewest = Some(record.len().min(self.fewest.unwrap_or(self.columns)));
        }
    }

    /// How many cells any row before had; before the first, how many the header names.
    fn fewest(&self) -> usize {
        self.fewest.unwrap_or(self.named)
    }

    /// Whether a row has fewer cells than any before it.
    pub(super) fn is_outdone_by(&self, record: &StringRecord) -> bool {
        record.len() < self.fewest()
    }

    /// Whether a row was before, and this one has fewer cells than any.
    pub(super) fn is_outdone_anew_by(&self, record: &StringRecord) -> bool {
        self.fewest.is_some_and(|fewest| record.len() < fewest)
    }

    /// Whether a cell of a row that has too few of them holds a delimiter and a quote, as `broken,"2` does: a quote that another cell's closes makes one of two.
    pub(super) fn is_shifted(&self, record: &StringRecord) -> bool {
        record.len() < self.named && record.iter().any(|cell| cell.contains('"') && cell.contains(self.delimiter))
    }

    /// What stands in a row that reaches over several lines, by its text in the file.
    pub(super) fn within(&self, text: &str, record: &StringRecord, reads: &Reads<'_>) -> Within {
        let mut lines: Vec<(u32, &str)> = lines_of(text).collect();
        let has_cells = |line: &str| line.matches(self.delimiter).count() + 1 >= self.fewest().max(2);
        if lines.len() < 2 || !lines[1..].iter().any(|(_, line)| has_cells(line)) {
            return Within::default();
        }
        let first = self.cells_of(lines[0].1);
        let (begins, whole) = (reads.looks(&first), reads.looks(record));
        if begins.is_none() && whole.is_some() {
            // Its own cells stand behind its remark.
            lines.pop();
        }
        let short_number = begins.or(whole).and_then(|looks| looks.short_number);
        let looks = |cells: &StringRecord| reads.looks(cells).filter(|looks| looks.short_number == short_number);
        let lines: Vec<_> = lines.into_iter().skip(1).map(|(behind, line)| (behind, self.cells_of(line))).collect();
        let is_as_long = |cells: &StringRecord| cells.len() >= self.fewest().max(2);
        if !lines.iter().any(|(_, cells)| is_as_long(cells) && looks(cells).is_some_and(|looks| looks.is_whole)) {
            return Within::default();
        }
        // Where one is a row, so are the others that have its cells, however their times are written, and those that have a time.
        let rows = lines.into_iter().filter(|(_, cells)| is_as_long(cells) || looks(cells).is_some()).collect();
        Within { rows, first: begins.map(|_| first) }
    }

    /// How many lines of a header that reaches over several look like rows.
    pub(super) fn rows_in_header(&self, text: &str, reads: &Reads<'_>) -> usize {
        let is_row = |line: &str| reads.looks(&self.cells_of(line)).is_some_and(|looks| looks.short_number.is_none());
        lines_of(text).skip(1).filter(|(_, line)| is_row(line)).count()
    }

    /// The cells of a line, as if it stood alone. Of a quote that it opens and does not close nothing is known, so a delimiter behind it is one.
    fn cells_of(&self, line: &str) -> StringRecord {
        let mut cells = StringRecord::new();
        let mut push = |cell: &str| cells.push_field(cell.trim_matches('"'));
        let (mut from, mut quoted, mut before) = (0, false, self.delimiter);
        for (at, c) in line.char_indices() {
            if c == '"' {
                // Two of them within a cell are one.
                quoted = !quoted && (before == self.delimiter || before == '"');
            } else if c == self.delimiter && !quoted {
                push(&line[from..at]);
                from = at + c.len_utf8();
            }
            before = c;
        }
        match &line[from..] {
            unclosed if quoted => unclosed.split(self.delimiter).for_each(push),
            last => push(last),
        }
        cells
    }
}

/// The lines of a text, with how many line breaks stand before each.
fn lines_of(text: &str) -> impl Iterator<Item = (u32, &str)> {
    (0..).zip(text.split('\n')).flat_map(|(behind, line)| line.trim_end_matches('\r').split('\r').map(move |line| (behind, line)))
}

#[cfg(test)]
mod tests;

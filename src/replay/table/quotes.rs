//! Rows that a stray quote swallowed: it opens in one row, the next one closes it lines below, and all between is a remark that nobody reads.
//!
//! The idea: a remark of several lines is honest, and rows within one are not, so the lines of a row that follow its first are held against a row that stands on a line of its own: as
//! many cells, and in the place of the time something that is written as its times are. What is found so is told line by line; nothing of it is guessed at.

use csv::StringRecord;

/// What is read of each row.
#[derive(Clone, Debug)]
pub(super) struct Reads {
    /// The columns of its time.
    pub(super) time: Vec<usize>,
    /// The last column that is read at all.
    pub(super) last: usize,
}

/// What rows look like that stand on a line of their own.
#[derive(Debug)]
pub(super) struct Plain {
    delimiter: char,
    /// The last of them; empty before the first.
    record: StringRecord,
    /// The fewest cells that any of them had: some writers drop empty ones at the end.
    fewest: usize,
}

impl Plain {
    /// Before the first row of a table of so many columns.
    pub(super) fn of(columns: usize, delimiter: u8) -> Self {
        Self { delimiter: delimiter.into(), record: StringRecord::new(), fewest: columns }
    }

    /// Takes a row in, and gives another to read into.
    pub(super) fn pass(&mut self, record: &mut StringRecord) {
        // A line of one cell is no row but a title or a sum.
        self.fewest = if record.len() > 1 { self.fewest.min(record.len()) } else { self.fewest };
        std::mem::swap(&mut self.record, record);
    }

    /// Whether a row has fewer cells than any before it.
    pub(super) fn is_outdone_by(&self, record: &StringRecord) -> bool {
        record.len() < self.fewest
    }

    /// The lines of a row that reaches over several that look like rows: how far behind its first each stands, and its cells.
    pub(super) fn within(&self, record: &StringRecord, reads: &Reads) -> Vec<(u32, StringRecord)> {
        let text = self.text_of(record);
        let Some((first, rest)) = text.split_once('\n') else { return Vec::new() };
        let split = |text: &str| masks(&text.split(self.delimiter).collect::<Vec<_>>(), &reads.time, 0);
        let own = masks(&record.iter().collect::<Vec<_>>(), &reads.time, 0).filter(|mask| !mask.contains('\n'));
        let mut known: Vec<String> = [split(&self.text_of(&self.record)), own].into_iter().flatten().filter(|mask| !mask.is_empty()).collect();
        if known.is_empty() || self.is_row(first, reads, &known) {
            known.extend(split(first));
        }
        // What does not begin as a row is one by the cells behind its remark, which stand in its last line.
        let is_begun = self.is_row(first, reads, &known);
        let count = rest.lines().count() - usize::from(!is_begun);
        let lines = || (1..).zip(rest.lines().take(count));
        // Where one is a row, so are the others that have its cells, however their times are written.
        let is_stray = lines().any(|(_, line)| self.is_row(line, reads, &known));
        lines().filter(|(_, line)| is_stray && self.spare_in(line).is_some()).map(|(behind, line)| (behind, self.cells_of(line))).collect()
    }

    /// What a row that swallowed others has in its own first line.
    pub(super) fn first_line_of(&self, record: &StringRecord) -> StringRecord {
        self.cells_of(self.text_of(record).lines().next().unwrap_or_default())
    }

    fn cells_of(&self, line: &str) -> StringRecord {
        line.split(self.delimiter).map(|cell| cell.trim_matches('"')).collect::<Vec<_>>().into()
    }

    /// How many cells a line has beyond those of a row; none where it has too few.
    fn spare_in(&self, line: &str) -> Option<usize> {
        line.split(self.delimiter).count().checked_sub(self.fewest.max(2))
    }

    fn is_row(&self, line: &str, reads: &Reads, known: &[String]) -> bool {
        let Some(spare) = self.spare_in(line) else { return false };
        let cells: Vec<&str> = line.split(self.delimiter).collect();
        // The line in which the quote closes may have quoted cells with delimiters in them before its time. A mere number or word further on says nothing.
        let shifts = |known: &str| if known.len() > 2 { spare } else { 0 };
        known.iter().any(|known| (0..=shifts(known)).any(|shift| masks(&cells, &reads.time, shift).as_ref() == Some(known)))
    }

    /// A row about as it stands in the file.
    fn text_of(&self, record: &StringRecord) -> String {
        let cells: Vec<&str> = record.iter().collect();
        cells.join(&self.delimiter.to_string()).replace("\r\n", "\n").replace('\r', "\n")
    }
}

/// The first cell that has a line break, where one has.
pub(super) fn first_broken(record: &StringRecord) -> Option<usize> {
    let is_broken = |cells: &str| cells.contains('\n') || cells.contains('\r');
    if is_broken(record.as_slice()) { record.iter().position(is_broken) } else { None }
}

/// How many lines of a header that reaches over several hold as many cells as it does, half of them with digits: no title of a column does.
pub(super) fn rows_in_header(header: &StringRecord, delimiter: u8) -> usize {
    let text = Plain::of(header.len(), delimiter).text_of(header);
    let is_row = |line: &&str| {
        let cells: Vec<&str> = line.split(char::from(delimiter)).collect();
        cells.len() >= header.len().max(2) && cells.iter().filter(|cell| cell.contains(|c: char| c.is_ascii_digit())).count() * 2 >= cells.len()
    };
    text.lines().skip(1).filter(is_row).count()
}

/// How the cells of the time are written, `shift` cells further on; none where one is not there.
fn masks(cells: &[&str], time: &[usize], shift: usize) -> Option<String> {
    let masks: Option<Vec<String>> = time.iter().map(|column| cells.get(column + shift).map(|cell| mask(cell))).collect();
    masks.map(|masks| masks.join(" ").trim().to_owned())
}

/// What stays of a text when each run of digits is a 9, each run of letters an a: `2020-06-01T10:00` is `9-9-9a9:9`. An epoch or a year keeps its length, or any number would look like it.
fn mask(cell: &str) -> String {
    let number = cell.trim().trim_matches('"');
    if number.len() > 2 && number.bytes().all(|byte| byte.is_ascii_digit()) {
        return "9".repeat(number.len());
    }
    let mut mask = String::new();
    for c in cell.chars().filter(|c| *c != '"') {
        let kind = match c {
            c if c.is_ascii_digit() => '9',
            c if c.is_alphabetic() => 'a',
            '\n' => '\n',
            c if c.is_whitespace() => ' ',
            c => c,
        };
        if !(mask.ends_with(kind) && matches!(kind, '9' | 'a' | ' ')) {
            mask.push(kind);
        }
    }
    mask.trim().to_owned()
}

#[cfg(test)]
mod tests;

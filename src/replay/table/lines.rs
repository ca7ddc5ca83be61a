//! The rows of a CSV: which of its lines each reaches over, and whether it stands whole.
//!
//! The idea: a reader of CSV knows cells, and a person at an editor knows lines. So a row is looked at as it is written too: its line is told, what a stray quote put into it is found
//! ([`super::quotes`]), and of the last row whether the file ends with it or was cut.

use super::TableError;
use super::faults::RowFault;
use super::file::{Cells, Lacks, Take, told};
use super::quotes::{Plain, Reads};
use csv::StringRecord;
use std::io::Read;
use std::path::Path;

/// What is put behind the text of every table. Where it does not come back as a row of its own, a quote before it is closed nowhere.
pub(super) const END: &str = "\u{1}\u{4}";
/// What programs of DOS put there, Ctrl-Z.
const END_OF_DOS: &str = "\u{1a}";

pub(super) fn is_end(record: &StringRecord) -> bool {
    record.len() == 1 && record.get(0) == Some(END)
}

/// Over how many lines a row reaches, by the line breaks in its cells.
pub(super) fn lines_of(cells: &str) -> usize {
    let text = cells.split(END).next().unwrap_or(cells);
    text.trim_end_matches(['\r', '\n']).lines().count()
}

pub(super) fn unclosed(path: &Path, (line, lines): (u32, usize)) -> TableError {
    let what = "the quote in it is closed nowhere, and all that follows would be one cell: close it, or take it out";
    TableError::malformed(path, format!("line {line} reaches over {lines} lines to the end of the file; {what}"))
}

/// What stands at the end of a line.
pub(super) const BREAKS: [char; 2] = ['\r', '\n'];

fn is_break(byte: &u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

pub(super) fn breaks_in(text: &[u8]) -> u32 {
    u32::try_from(text.iter().filter(|byte| **byte == b'\n').count()).unwrap_or(u32::MAX)
}

/// A file's bytes, of which the last that were read can be looked at again: a row as it is written.
pub(super) struct Kept {
    bytes: Box<dyn Read>,
    kept: Vec<u8>,
    /// Where in the file the first of the kept ones stands.
    first: u64,
    /// Before this none is needed any more.
    done: u64,
}

impl Kept {
    pub(super) fn of(bytes: Box<dyn Read>) -> Self {
        Self { bytes, kept: Vec::new(), first: 0, done: 0 }
    }

    /// The bytes from one place in the file to another.
    pub(super) fn between(&self, from: u64, to: u64) -> &[u8] {
        let at = |place: u64| usize::try_from(place.saturating_sub(self.first)).unwrap_or(usize::MAX);
        self.kept.get(at(from)..at(to)).unwrap_or_default()
    }
}

impl Read for Kept {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let done = usize::try_from(self.done - self.first).unwrap_or(usize::MAX).min(self.kept.len());
        self.kept.drain(..done);
        self.first += done as u64;
        let read = self.bytes.read(buffer)?;
        self.kept.extend_from_slice(&buffer[..read]);
        Ok(read)
    }
}

/// The rows of a CSV, one by one.
pub(super) struct Lines<'a> {
    /// The number of the header's cells, where there is one.
    pub(super) width: Option<usize>,
    pub(super) columns: usize,
    /// The line in which the next row begins, but for blank ones before it.
    pub(super) line: u32,
    pub(super) reads: &'a Reads<'a>,
    pub(super) plain: Plain,
}

impl Lines<'_> {
    pub(super) fn each(mut self, mut reader: csv::Reader<Kept>, path: &Path, row: &mut Take<'_>) -> Result<(), TableError> {
        let mut bytes = csv::ByteRecord::new();
        let mut last = (self.line, 1);
        // A short row is held back until the next comes: the last one tells of a file that is cut.
        let mut short: Option<(u32, StringRecord)> = None;
        loop {
            let begins = reader.position().byte();
            reader.get_mut().done = begins;
            // Nothing good follows.
            let is_row = reader.read_byte_record(&mut bytes).map_err(|err| TableError::malformed(path, format!("near line {}: {}", last.0, told(&err))))?;
            if !is_row {
                return Err(unclosed(path, last));
            }
            let ends = reader.position().byte();
            let (record, wrong) = text_of(std::mem::take(&mut bytes));
            let (line, text) = self.written(reader.get_ref().between(begins, ends));
            if is_end(&record) {
                // Before the mark stands its own line break; where that alone does, the last line has none.
                let is_ended = ends - begins > END.len() as u64 + 1;
                short.into_iter().for_each(|(line, record)| self.last(line, record, is_ended, row));
                return Ok(());
            }
            if let Some((line, record)) = short.take() {
                self.take(line, &record, row);
                self.plain.pass(&record);
            }
            let text = text.iter().any(is_break).then(|| String::from_utf8_lossy(text));
            last = (line, text.as_deref().map_or(1, lines_of));
            match (wrong, text) {
                (wrong, Some(text)) => self.of_several_lines(line, &text, &record, wrong, row),
                // A row that is not UTF-8 is only one row.
                (Some(wrong), None) => row(line, Cells::Csv(&record, Lacks::Figures(wrong))),
                (None, None) if self.plain.is_outdone_by(&record) || record.len() <= self.reads.last => {
                    short = Some((line, record));
                    continue;
                }
                (None, None) => {
                    self.take(line, &record, row);
                    self.plain.pass(&record);
                }
            }
            bytes = record.into_byte_record();
        }
    }

    /// The line in which a row begins, and its text without the line breaks around it.
    fn written<'t>(&mut self, text: &'t [u8]) -> (u32, &'t [u8]) {
        let begins = text.iter().position(|byte| !is_break(byte)).unwrap_or(text.len());
        let ends = text.iter().rposition(|byte| !is_break(byte)).map_or(begins, |last| last + 1);
        let line = self.line.saturating_add(breaks_in(&text[..begins]));
        self.line = line.saturating_add(breaks_in(&text[begins..]));
        (line, &text[begins..ends])
    }

    /// A row with its cells, and no more than there are columns.
    fn take(&self, line: u32, record: &StringRecord, row: &mut Take<'_>) {
        let lacks = match self.width {
            _ if self.plain.is_shifted(record) => Lacks::Figures(RowFault::QuoteWithin { cells: record.len(), columns: self.columns }),
            _ if record.len() <= self.reads.last => Lacks::Cells,
            _ if self.plain.is_outdone_anew_by(record) => Lacks::Unread,
            // A figure such as 1,000 without quotes is two cells, and what stands behind it in the wrong column; a delimiter at the end of every row is none.
            Some(width) if record.iter().skip(width).any(|cell| !cell.trim().is_empty()) => Lacks::Figures(RowFault::TooManyCells {
                cells: record.len(),
                columns: width,
                torn: if self.plain.is_of_commas() { torn_figure(record, width) } else { None },
            }),
            _ => Lacks::Nothing,
        };
        row(line, Cells::Csv(record, lacks));
    }

    /// The short row with which the file ends.
    fn last(&self, line: u32, mut record: StringRecord, is_ended: bool, row: &mut Take<'_>) {
        let (cells, columns) = (record.len(), self.columns);
        // What has no time is no row that was cut, but a sum or a remark.
        let is_whole = cells > self.reads.last || !self.plain.is_outdone_by(&record) || self.reads.looks(&record).is_none();
        if is_ended && is_whole || record.as_slice() == END_OF_DOS {
            return self.take(line, &record, row);
        }
        if !is_ended {
            // Of the last cell nobody knows how much is missing: 12 may have been 128.
            record.truncate(cells.saturating_sub(1));
        }
        row(line, Cells::Csv(&record, Lacks::Rest(RowFault::CutOff { cells, columns })));
    }

    /// A row of which a cell has a line break, which a remark may; where there are rows in it, each of these is a fault, and its own figures hold only if they stand before.
    fn of_several_lines(&self, line: u32, text: &str, record: &StringRecord, wrong: Option<RowFault>, row: &mut Take<'_>) {
        let lines = lines_of(text);
        let within = self.plain.within(text, record, self.reads);
        let is_read_before = record.iter().position(|cell| cell.contains(BREAKS)).is_none_or(|broken| broken > self.reads.last);
        let is_short = self.width.is_some_and(|width| record.len() < width);
        match (wrong, within.rows.len()) {
            (Some(wrong), _) => row(line, Cells::Csv(record, Lacks::Figures(wrong))),
            (None, 0) if !is_read_before && is_short => {
                row(line, Cells::Csv(record, Lacks::Figures(RowFault::SeveralLines { lines })));
            }
            (None, 0) => self.take(line, record, row),
            (None, _) if is_read_before => row(line, Cells::Csv(record, Lacks::Nothing)),
            (None, rows) => {
                let what = RowFault::RowsWithin { lines, rows };
                row(line, Cells::Csv(within.first.as_ref().unwrap_or(record), Lacks::Figures(what)));
            }
        }
        for (behind, cells) in within.rows {
            row(line.saturating_add(behind), Cells::Csv(&cells, Lacks::Place(RowFault::Swallowed { of: line })));
        }
    }
}

/// A row's text; of one that is not UTF-8 what can be read, and what is wrong.
fn text_of(bytes: csv::ByteRecord) -> (StringRecord, Option<RowFault>) {
    match StringRecord::from_byte_record(bytes) {
        Ok(record) => (record, None),
        Err(err) => {
            let wrong = not_utf8(err.utf8_error());
            (StringRecord::from_byte_record_lossy(err.into_byte_record()), Some(wrong))
        }
    }
}

/// What is said of a row that is not UTF-8.
pub(super) fn not_utf8(err: &csv::Utf8Error) -> RowFault {
    RowFault::NotUtf8 { why: err.to_string() }
}

/// The figure that makes two cells of one, where a row has one too many: digits on both sides of a comma, as in 1,000 or 0,5. Of several such pairs the likeliest.
fn torn_figure(record: &StringRecord, width: usize) -> Option<String> {
    let is_number = |cell: &str| !cell.is_empty() && cell.bytes().all(|byte| byte.is_ascii_digit());
    let cells: Vec<&str> = record.iter().map(str::trim).collect();
    let pairs = || cells.windows(2).filter(|pair| pair.iter().all(|cell| is_number(cell)));
    let pair = pairs().find(|pair| pair[0] == "0").or_else(|| pairs().find(|pair| pair[1].len() == 3)).or_else(|| pairs().next_back())?;
    (cells.len() == width + 1).then(|| format!("{},{}", pair[0], pair[1]))
}

//! A table of one's own: CSV, CSV.gz or Parquet and a mapping become a venue and neutral counts in event-time order.
//!
//! The idea: anybody must be able to try Midan on data they already have (FORMATS.md, "A table of one's own"), and the way there must be the live
//! one. So the table is turned into what a counting system would have sent: one source, one sensor and one zone for each of its series, a
//! `count` record per row, received when its interval ended, and a low-water mark at the end.
//!
//! ```text
//!   mapping (TOML) ─► what columns mean ┐
//!   file ─► rows ─► entries, sorted ────┴─► venue + records (+ zeros for absent rows, where the mapping says so)
//! ```
//!
//! The whole table is held in memory, 32 bytes a figure.

mod calendar;
mod entries;
mod file;
mod keys;
mod mapping;
mod records;
mod world;

pub use crate::time::stamp::{Ambiguous, Format, Meaning, Nonexistent, Stamps};
pub use calendar::{CalendarEntry, read_calendar};
pub use keys::MappingFault;
pub use mapping::{Absent, CalendarShape, Decimals, Direction, FileShape, Layout, Mapping, Repeated, SensorIs, StampIs, Values};
pub use records::Records;

use crate::time::{EventTime, PaneLength, Span};
use entries::{Entries, Entry};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// The id of the one source that a table becomes.
pub const SOURCE: &str = "table";

/// How many faulty rows a report names; the rest is only counted.
const NAMED_FAULTS: usize = 100;

/// Why a table cannot be read at all.
#[derive(Debug, Error)]
pub enum TableError {
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is not what it is said to be.
    #[error("{}: {detail}", path.display())]
    Malformed {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// The mapping names a column that is not there.
    #[error("{}: has no column \"{column}\"; nearest: {nearest}", path.display())]
    NoColumn {
        /// Which file.
        path: PathBuf,
        /// The column that the mapping names.
        column: String,
        /// The columns nearest to it.
        nearest: String,
    },
    /// No row of the table is of use.
    #[error("{}: no row is of use; the first fault: {first}", path.display())]
    Empty {
        /// Which file.
        path: PathBuf,
        /// What is wrong with the first row.
        first: String,
    },
    /// Absent rows cannot be told, for the rows follow no grid.
    #[error("{}: absent = \"zero\" needs rows on one grid of the step ({step}), but they are also found {off} beside it", path.display())]
    OffGrid {
        /// Which file.
        path: PathBuf,
        /// The step of the mapping.
        step: Span,
        /// How far beside it.
        off: Span,
    },
}

impl TableError {
    pub(in crate::replay::table) fn malformed(path: &Path, detail: impl ToString) -> Self {
        Self::Malformed { path: path.to_owned(), detail: detail.to_string() }
    }
}

/// What was found while reading.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The table's file.
    pub file: String,
    /// Rows read.
    pub rows: u64,
    /// Rows with a fault; what of them could be read goes on as a gap.
    pub faulty: u64,
    /// The first faults, as `file:line: what`.
    pub faults: Vec<String>,
    /// Rows that tell a step of a sensor anew, with other figures.
    pub contradicting: u64,
}

impl Report {
    pub(in crate::replay::table) fn fault(&mut self, line: u32, detail: impl AsRef<str>) {
        self.faulty += 1;
        if self.faults.len() < NAMED_FAULTS {
            self.faults.push(format!("{}:{line}: {}", self.file, detail.as_ref()));
        }
    }
}

/// A table, read and sorted.
#[derive(Debug)]
pub struct Table {
    mapping: Mapping,
    entries: Entries,
    report: Report,
    pane: PaneLength,
    directions: [bool; 3],
}

impl Table {
    /// Reads a table by its mapping.
    ///
    /// # Errors
    /// The file cannot be read, lacks a column, or no row of it is of use. A fault of single rows is no error: see [`Table::report`].
    pub fn open(path: &Path, mapping: Mapping) -> Result<Self, TableError> {
        let mut report = Report { file: path.display().to_string(), ..Report::default() };
        let entries = entries::read(path, &mapping, &mut report)?;
        let Some(first) = entries.list.first() else {
            return Err(TableError::Empty { path: path.to_owned(), first: report.faults.first().cloned().unwrap_or_else(|| "it has no rows".to_owned()) });
        };
        let step = mapping.step.as_millis();
        let off_grid = |entry: &Entry| entry.from.since(first.from).as_millis() % step;
        if mapping.absent == Absent::Zero
            && let Some(off) = entries.list.iter().map(off_grid).find(|off| *off != 0)
        {
            return Err(TableError::OffGrid { path: path.to_owned(), step: mapping.step, off: Span::from_millis(off) });
        }
        // Panes lie on the grid of the first row. Days that begin at local midnight leave it where a clock is changed: then panes are shorter.
        let first = first.from;
        let beside = |entry: &Entry| (entry.from.as_millis() - first.as_millis()).rem_euclid(step as i64) as u64;
        let pane = entries.list.iter().fold(step, |pane, entry| greatest_common_divisor(pane, beside(entry)));
        let Some(pane) = PaneLength::new(Span::from_millis(pane)) else {
            return Err(TableError::malformed(path, "its step is zero"));
        };
        report.contradicting = entries.list.windows(2).filter(|pair| pair[0].contradicts(&pair[1])).count() as u64;
        let pane = pane.through(first);
        let directions = directions(&mapping.layout);
        Ok(Self { mapping, entries, report, pane, directions })
    }

    /// The mapping.
    pub const fn mapping(&self) -> &Mapping {
        &self.mapping
    }

    /// What was found while reading.
    pub const fn report(&self) -> &Report {
        &self.report
    }

    /// The sensors' ids, in the order of their dense ids.
    pub fn sensors(&self) -> &[String] {
        &self.entries.sensors
    }

    /// Whether people can be there: the opening hours hold `at`.
    pub fn expects(&self, at: EventTime) -> bool {
        self.mapping.stamps.wall_clock(at).is_none_or(|local| self.mapping.opening.is_open(local))
    }

    /// The start of the first row's step and the end of the last one's.
    pub fn reach(&self) -> Option<(EventTime, EventTime)> {
        let (first, last) = (self.entries.list.first()?, self.entries.list.last()?);
        Some((first.from, last.from.after(self.mapping.step)))
    }

    /// The records, in event-time order: a count per figure, and a low-water mark at the end.
    pub fn records(&self) -> Records<'_> {
        Records::of(self)
    }

    /// Which of in, out and undirected the table tells.
    pub const fn directions(&self) -> [bool; 3] {
        self.directions
    }

    fn entries(&self) -> &[Entry] {
        &self.entries.list
    }

    const fn pane(&self) -> PaneLength {
        self.pane
    }

    /// Counts longer than a pane are known only when they end (DESIGN §4 rule 2).
    const fn as_of_lag(&self) -> Span {
        if self.pane.span().as_millis() == self.mapping.step.as_millis() { Span::ZERO } else { self.mapping.step }
    }
}

fn directions(layout: &Layout) -> [bool; 3] {
    let mut told = [false; 3];
    match layout {
        Layout::Long { values: Values::Columns(values), .. } => values.iter().for_each(|(direction, _)| told[*direction as usize] = true),
        Layout::Long { values: Values::Told { inwards, outwards, .. }, .. } => told = [!inwards.is_empty(), !outwards.is_empty(), false],
        Layout::Wide { measures, .. } => told[*measures as usize] = true,
    }
    told
}

const fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests;

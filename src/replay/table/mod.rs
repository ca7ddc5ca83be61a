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

mod absent;
mod calendar;
mod counters;
mod day_month;
mod doubled;
mod doubts;
mod entries;
mod entry;
mod error;
mod faults;
mod figure;
mod file;
mod grid;
mod keys;
mod lines;
mod mapping;
mod marks;
mod plan;
mod quotes;
mod reading;
mod records;
mod report;
mod sections;
mod sensors;
mod totals;
mod world;

pub use crate::time::stamp::{Ambiguous, Format, Meaning, Nonexistent, Stamps};
pub use calendar::{CalendarEntry, read_calendar};
pub use error::TableError;
pub use faults::FaultKind;
pub use figure::{Figures, Missing};
pub use keys::MappingFault;
pub use mapping::{Absent, CalendarShape, Decimals, Direction, FileShape, Layout, Mapping, OffGrid, Repeated, SensorIs, StampIs, StepClock, Values};
pub use records::Records;
pub use report::Report;

use crate::time::{EventTime, PaneLength};
use counters::{Counters, Place};
use entries::Entries;
use entry::Entry;
use report::Notes;
use sections::DIRECTIONS;
use std::path::Path;

/// The id of the one source that a table becomes.
pub const SOURCE: &str = "table";

/// A table, read and sorted.
#[derive(Debug)]
pub struct Table {
    mapping: Mapping,
    entries: Entries,
    report: Report,
    clock: StepClock,
    pane: PaneLength,
    counters: Counters,
}

impl Table {
    /// Reads a table by its mapping.
    ///
    /// # Errors
    /// The file cannot be read, lacks a column, or no row of it is of use. A fault of single rows is no error: see [`Table::report`].
    pub fn open(path: &Path, mapping: Mapping) -> Result<Self, TableError> {
        let Some(pane) = PaneLength::new(mapping.step) else {
            return Err(TableError::malformed(path, "its step is zero"));
        };
        let Read { clock, entries, notes } = read_by_the_better_clock(path, &mapping)?;
        let Some(first) = entries.list.first() else {
            return Err(nothing_told(path, notes));
        };
        let pane = pane.through(first.from);
        let mut table = Self { mapping, entries, report: Report::default(), clock, pane, counters: Counters::default() };
        table.complete();
        table.counters = Counters::of(&table.entries.sensors, &table.entries.list);
        let doubts = doubts::of(&table.entries, &table.mapping, &notes);
        table.report = Report { doubts, ..notes.into_report() };
        table.sum_up();
        Ok(table)
    }

    /// Says in the report what the figures amount to.
    fn sum_up(&mut self) {
        let list = &self.entries.list;
        let report = &mut self.report;
        // The engine keeps the first that tells a step, so each of the others is held against it.
        let again = || list.chunk_by(Entry::is_beside).flat_map(|of_one_step| of_one_step[1..].iter().map(|again| (&of_one_step[0], again)));
        let contradicting = || again().filter(|(first, again)| again.contradicts(first));
        report.contradicting = contradicting().count() as u64;
        report.repeating = again().count() as u64 - report.contradicting;
        report.first_contradicting = contradicting().map(|(first, again)| (again.line, first.line)).min();
        let is_doubled = |at| self.clock == StepClock::Elapsed && self.mapping.stamps.is_doubled(at);
        report.in_doubled_hours = contradicting().filter(|(first, _)| is_doubled(first.from)).count() as u64;
        report.counts = list.iter().filter(|entry| entry.knows()).count() as u64;
        report.missing = list.len() as u64 - report.counts;
        report.halves = list.iter().filter(|entry| self.counters.places[entry.sensor as usize].is_half_told_by(entry)).count() as u64;
        let mapped = self.mapping.layout.told();
        let places = self.entries.sensors.iter().zip(&self.counters.places);
        let mute_of = |(id, place): (&String, &Place)| {
            let ways = DIRECTIONS.iter().zip(mapped.iter().zip(place.told));
            ways.filter(|(_, (mapped, told))| **mapped && !told).map(|((word, _), _)| format!("{id}: {word}")).collect::<Vec<_>>()
        };
        report.mute_ways = places.flat_map(mute_of).collect();
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

    /// Which clock the steps follow.
    pub const fn clock(&self) -> StepClock {
        self.clock
    }

    /// The event time at which the table's steps show `at`: the same, but where they follow the clock on the wall.
    pub fn instant(&self, at: EventTime) -> EventTime {
        match self.clock {
            StepClock::Elapsed => at,
            StepClock::Wall => self.mapping.stamps.instant(at),
        }
    }

    /// Whether people can be there: the opening hours hold `at`.
    pub fn expects(&self, at: EventTime) -> bool {
        self.mapping.local(self.clock, at).is_none_or(|local| self.mapping.opening.is_open(local, &self.mapping.holidays))
    }

    /// The start of the first row's step and the end of the last one's.
    pub fn reach(&self) -> Option<(EventTime, EventTime)> {
        let (first, last) = (self.entries.list.first()?, self.entries.list.last()?);
        Some((self.instant(first.from), self.instant(last.from.after(self.mapping.step))))
    }

    /// The records, in event-time order: a count per figure, and a low-water mark at the end.
    pub fn records(&self) -> Records<'_> {
        Records::of(self)
    }

    fn entries(&self) -> &[Entry] {
        &self.entries.list
    }

    const fn pane(&self) -> PaneLength {
        self.pane
    }

    /// Where an event time lies on the clock of the steps; [`Self::instant`] leads back.
    fn step_time(&self, at: EventTime) -> EventTime {
        match (self.clock, self.mapping.stamps.wall_clock(at)) {
            (StepClock::Wall, Some(local)) => EventTime::from_millis(local.and_utc().timestamp_millis()),
            _ => at,
        }
    }

    /// The zone in which the steps' times are local times.
    fn zone(&self) -> chrono_tz::Tz {
        match self.clock {
            StepClock::Elapsed => self.mapping.stamps.zone.unwrap_or_default(),
            StepClock::Wall => chrono_tz::UTC,
        }
    }
}

/// What one reading of a table found.
struct Read {
    clock: StepClock,
    entries: Entries,
    notes: Notes,
}

impl Read {
    fn by(clock: StepClock, path: &Path, mapping: &Mapping) -> Result<Self, TableError> {
        let mut notes = Notes::of(path.display().to_string());
        entries::read(path, mapping, clock, &mut notes).map(|entries| Self { clock, entries, notes })
    }
}

/// Reads a table by time as it passes or, where more rows fit so, by the clock on the wall: rows of local days leave every grid where a clock is changed, and stay on that of the wall.
fn read_by_the_better_clock(path: &Path, mapping: &Mapping) -> Result<Read, TableError> {
    let elapsed = Read::by(StepClock::Elapsed, path, mapping);
    let is_in_trouble = || elapsed.as_ref().map_or_else(TableError::is_of_rows, |read| read.notes.trouble() > 0);
    if !mapping.may_follow_the_wall() || !is_in_trouble() {
        return elapsed;
    }
    if !file::can_be_read_again(path) {
        let why = "comes through a pipe, and would have to be read again to try steps by the clock on the wall, as not every row fits: give it as a file";
        return Err(TableError::malformed(path, why));
    }
    let by_the_wall = Read::by(StepClock::Wall, path, mapping);
    // Single passages lie on no grid of either clock, and their days are those of the wall.
    let are_passages = |notes: &Notes| mapping.repeated == Repeated::Sum && mapping.off_grid == OffGrid::Down && notes.is_scattered;
    let fits_better = match (&elapsed, &by_the_wall) {
        (Ok(Read { notes: elapsed, .. }), Ok(Read { notes: wall, .. })) if are_passages(elapsed) => wall.faults.count <= elapsed.faults.count,
        (Ok(Read { notes: elapsed, .. }), Ok(Read { notes: wall, .. })) => wall.trouble() < elapsed.trouble(),
        (Err(_), Ok(_)) => true,
        (Err(elapsed), Err(wall)) => wall.is_no_worse_than(elapsed),
        (Ok(_), Err(_)) => false,
    };
    if fits_better { by_the_wall } else { elapsed }
}

/// Why a table of which nothing is left is of no use.
fn nothing_told(path: &Path, notes: Notes) -> TableError {
    let (path, first) = (path.to_owned(), notes.faults.named.first().cloned());
    if notes.rows == 0 || notes.mute.is_empty() {
        return TableError::Empty { path, first: first.unwrap_or_else(|| "it has no rows".to_owned()) };
    }
    let what = first.or_else(|| doubts::backwards(&notes.backwards)).unwrap_or_else(|| "all are missing".to_owned());
    TableError::NoFigure { path, rows: notes.rows, what }
}

#[cfg(test)]
mod tests;

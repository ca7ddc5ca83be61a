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

use crate::time::{EventTime, PaneLength};
use counters::{Counters, Place};
use entries::Entries;
use entry::Entry;
use sections::DIRECTIONS;
use serde::Serialize;
use std::path::Path;

/// The id of the one source that a table becomes.
pub const SOURCE: &str = "table";

/// How many faulty rows a report names; the rest is only counted.
const NAMED_FAULTS: usize = 100;

/// What was found while reading.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The table's file.
    pub file: String,
    /// Rows read.
    pub rows: u64,
    /// Rows with a fault; what of them could be read goes on as a gap.
    pub faulty: u64,
    /// Rows that were left out because their time lies beside the grid of the step.
    pub beside_grid: u64,
    /// The first faults, as `file:line: what`.
    pub faults: Vec<String>,
    /// Their kinds, in the order of the first of each.
    pub kinds: Vec<FaultKind>,
    /// Figures that were read, a sensor's of a step each.
    pub counts: u64,
    /// Steps of a sensor that a row marks as missing, or of which it has no figure: gaps.
    pub missing: u64,
    /// Steps of a sensor of which one figure is known and another is not: a gap of that one alone.
    pub halves: u64,
    /// Rows that end before all cells are told that the mapping reads; what they lack is a gap.
    pub short: u64,
    /// The line of the first of them.
    #[serde(skip)]
    pub first_short: Option<u32>,
    /// The line of the first row that has fewer cells than any before it, though all that are read.
    #[serde(skip)]
    pub first_narrow: Option<u32>,
    /// Running totals that fell, or rose by more than anybody believes: gaps too.
    pub set_back: u64,
    /// Sensors whose totals mostly fall.
    pub backwards: Vec<String>,
    /// Rows that tell a step of a sensor anew, with other figures.
    pub contradicting: u64,
    /// Rows that tell a step of a sensor anew, with the same figures: the step counts once.
    pub repeating: u64,
    /// The lines of the first row that contradicts, and of the one that it contradicts.
    pub first_contradicting: Option<(u32, u32)>,
    /// Those of them that lie in a local hour that comes twice.
    pub in_doubled_hours: u64,
    /// Figures that were moved to the grid of the step, as the mapping says.
    pub moved: u64,
    /// Most figures lay about no grid: single passages do.
    #[serde(skip)]
    pub is_scattered: bool,
    /// Sensors of which no row has a figure; they are left out.
    pub mute: Vec<String>,
    /// Ways of other sensors of which no row has one, as `sensor: way`; they are left out too.
    pub mute_ways: Vec<String>,
    /// What the figures look like, and what the mapping may have meant instead.
    pub doubts: Vec<String>,
}

impl Report {
    pub(in crate::replay::table) fn fault(&mut self, line: u32, detail: impl AsRef<str>) {
        self.faulty += 1;
        faults::count(&mut self.kinds, || format!("{}:{line}", self.file), detail.as_ref());
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
        let read = |clock| {
            let mut report = Report { file: path.display().to_string(), ..Report::default() };
            entries::read(path, &mapping, clock, &mut report).map(|entries| (clock, entries, report))
        };
        let mut table = read(StepClock::Elapsed);
        let trouble = |report: &Report| report.faulty + report.moved;
        // Rows of local days leave every grid where a clock is changed, and stay on that of the clock on the wall.
        if mapping.may_follow_the_wall() && table.as_ref().map_or_else(TableError::is_of_rows, |(.., report)| trouble(report) > 0) {
            if !file::can_be_read_again(path) {
                let why =
                    "comes through a pipe, and would have to be read again to try steps by the clock on the wall, as not every row fits: give it as a file";
                return Err(TableError::malformed(path, why));
            }
            let by_the_wall = read(StepClock::Wall);
            // Single passages lie on no grid of either clock, and their days are those of the wall.
            let are_passages = |elapsed: &Report| mapping.repeated == Repeated::Sum && mapping.off_grid == OffGrid::Down && elapsed.is_scattered;
            let fits_better = match (&table, &by_the_wall) {
                (Ok((.., elapsed)), Ok((.., wall))) if are_passages(elapsed) => wall.faulty <= elapsed.faulty,
                (Ok((.., elapsed)), Ok((.., wall))) => trouble(wall) < trouble(elapsed),
                (Err(_), Ok(_)) => true,
                (Err(elapsed), Err(wall)) => wall.is_no_worse_than(elapsed),
                (Ok(_), Err(_)) => false,
            };
            if fits_better {
                table = by_the_wall;
            }
        }
        let (clock, entries, report) = table?;
        if entries.list.is_empty() {
            let first = report.faults.first().cloned();
            return Err(match (report.rows, report.mute.is_empty()) {
                (0, _) | (_, true) => TableError::Empty { path: path.to_owned(), first: first.unwrap_or_else(|| "it has no rows".to_owned()) },
                (rows, false) => {
                    let backwards = doubts::backwards(&report.backwards);
                    TableError::NoFigure { path: path.to_owned(), rows, what: first.or(backwards).unwrap_or_else(|| "all are missing".to_owned()) }
                }
            });
        }
        let Some(pane) = PaneLength::new(mapping.step) else {
            return Err(TableError::malformed(path, "its step is zero"));
        };
        let pane = pane.through(entries.list.first().map_or(EventTime::from_millis(0), |first| first.from));
        let mut table = Self { mapping, entries, report, clock, pane, counters: Counters::default() };
        table.complete();
        table.counters = Counters::of(&table.entries.sensors, &table.entries.list);
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
        report.doubts = doubts::of(&self.entries, &self.mapping, report);
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

#[cfg(test)]
mod tests;

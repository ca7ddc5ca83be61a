//! The calendar beside a table: what was on, when, and how many were expected.

use super::TableError;
use super::faults::RowFault;
use super::figure::MISSING;
use super::file::{Cells, Lacks, Rows, can_be_read_again};
use super::mapping::{FileShape, Mapping};
use super::quotes::{Looks, Reads};
use super::report::{Notes, Report};
use crate::time::EventTime;
use crate::time::stamp::{Format, Stamps};
use crate::venue::Match;
use std::path::Path;

/// One event of a calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalendarEntry {
    /// Its start.
    pub start: EventTime,
    /// Its planned end, where told.
    pub end: Option<EventTime>,
    /// Persons expected, where told.
    pub attendance: Option<u32>,
    /// Its name; empty where not told.
    pub name: String,
}

impl CalendarEntry {
    /// The event as a match of the venue's calendar.
    pub fn to_match(&self) -> Match {
        Match {
            id: format!("{}@{}", self.name, self.start).into(),
            home: self.name.clone(),
            away: String::new(),
            kick_off: self.start,
            planned_end: self.end,
            expected_attendance: self.attendance.unwrap_or_default(),
            plan: crate::venue::Plan::default(),
        }
    }
}

/// Reads the events of the mapping's venue from a CSV with a header; sorted by start. Rows with a fault are in the report, the rest goes on.
///
/// # Errors
/// The file cannot be read, or lacks the column of the start.
pub fn read_calendar(path: &Path, mapping: &Mapping) -> Result<(Vec<CalendarEntry>, Report), TableError> {
    let rows = open(path, mapping)?;
    let reader = EventReader::of(path, mapping, rows.columns())?;
    let mut notes = Notes::of(path.display().to_string());
    let mut events = Vec::new();
    let reads = Reads { looks: &|cells| reader.looks(cells), last: reader.last() };
    rows.each(path, &reads, |line, cells| {
        notes.rows += 1;
        let mut event = reader.event(&cells);
        if let Ok(Some(CalendarEntry { start, end, .. })) = &mut event
            && end.is_some_and(|end| end <= *start)
        {
            notes.fault(line, &RowFault::EndsBeforeItStarts);
            *end = None;
        }
        match (cells.lacks(), event) {
            (Lacks::Figures(fault) | Lacks::Place(fault), _) | (_, Err(fault)) => notes.fault(line, &fault),
            (Lacks::Rest(fault), Ok(event)) => {
                notes.fault(line, &fault);
                events.extend(event);
            }
            // Who knows no attendance leaves it out.
            (Lacks::Nothing | Lacks::Cells | Lacks::Unread, Ok(event)) if event.as_ref().is_some_and(|event| events.contains(event)) => {
                notes.fault(line, &RowFault::EventTwice);
            }
            (Lacks::Nothing | Lacks::Cells | Lacks::Unread, Ok(event)) => events.extend(event),
        }
    })?;
    events.sort_by(|a, b| (a.start, &a.name).cmp(&(b.start, &b.name)));
    Ok((events, notes.into_report()))
}

/// Opens a calendar: who keeps a table with semicolons keeps the calendar so too.
fn open(path: &Path, mapping: &Mapping) -> Result<Rows, TableError> {
    let by = |delimiter| Rows::open(path, &FileShape { parquet: None, header: true, skip: 0, delimiter, columns: Vec::new() });
    let rows = by(b',')?;
    if mapping.file.delimiter == b',' || rows.columns().contains(&mapping.calendar.start) {
        return Ok(rows);
    }
    if !can_be_read_again(path) {
        return Err(TableError::malformed(path, "comes through a pipe, and its cells stand between other marks than commas: give it as a file"));
    }
    by(mapping.file.delimiter)
}

/// Where in a row of a calendar things stand, and how its times are written.
struct EventReader<'a> {
    mapping: &'a Mapping,
    stamps: Stamps,
    /// By which a time is read that is not written as the mapping says.
    iso: Stamps,
    start: usize,
    venue: Option<usize>,
    end: Option<usize>,
    attendance: Option<usize>,
    name: Option<usize>,
}

impl<'a> EventReader<'a> {
    /// Finds the mapping's columns.
    fn of(path: &Path, mapping: &'a Mapping, columns: &[String]) -> Result<Self, TableError> {
        let calendar = &mapping.calendar;
        let column = |name: &str| columns.iter().position(|column| column == name);
        let missing = calendar.named.iter().chain([&calendar.start]).find(|name| column(name).is_none());
        if let Some(missing) = missing {
            return Err(TableError::no_column(path, missing, columns));
        }
        // Who writes a calendar goes by the clock on the wall, also where a system writes the table in UTC.
        let iso = Stamps { format: Format::Iso, written_in: calendar.written_in, ..mapping.stamps.clone() };
        Ok(Self {
            mapping,
            stamps: Stamps { format: calendar.format.clone(), written_in: calendar.written_in.or(calendar.written_in_by_pattern), ..iso.clone() },
            iso,
            start: column(&calendar.start).unwrap_or_default(),
            venue: column(&calendar.venue),
            end: column(&calendar.end),
            attendance: column(&calendar.attendance),
            name: column(&calendar.name),
        })
    }

    /// The last column that is read at all.
    fn last(&self) -> usize {
        [Some(self.start), self.venue, self.end, self.attendance, self.name].into_iter().flatten().max().unwrap_or_default()
    }

    /// How the cells of a line look that may be a row.
    fn looks(&self, cells: &Cells<'_>) -> Option<Looks> {
        let text = cells.get(self.start);
        let is_whole = || self.attendance.is_none_or(|column| persons(self.mapping, cells.get(column)).is_ok());
        self.time(text, "start").ok().map(|_| Looks::of(text, is_whole()))
    }

    /// The event of a row; none where it is another venue's.
    fn event(&self, cells: &Cells<'_>) -> Result<Option<CalendarEntry>, RowFault> {
        let get = |column: Option<usize>| column.map(|column| cells.get(column)).unwrap_or_default();
        if self.venue.is_some() && get(self.venue) != self.mapping.venue {
            return Ok(None);
        }
        let attendance = persons(self.mapping, get(self.attendance))?;
        let end = Some(get(self.end)).filter(|text| !text.is_empty()).map(|text| self.time(text, "end"));
        let start = self.time(cells.get(self.start), "start")?;
        Ok(Some(CalendarEntry { start, end: end.transpose()?, attendance, name: get(self.name).to_owned() }))
    }

    /// A time as the mapping says it is written, or as most write it.
    fn time(&self, text: &str, what: &'static str) -> Result<EventTime, RowFault> {
        let read = self.stamps.read(text).or_else(|why| self.iso.read(text).map_err(|_| why));
        let hint = || self.stamps.hint(text, "calendar");
        read.map(|meaning| meaning.near(None)).map_err(|why| RowFault::EventTime { what, text: text.to_owned(), why, hint: hint() })
    }
}

/// The attendance, written as the table writes its figures.
fn persons(mapping: &Mapping, text: &str) -> Result<Option<u32>, RowFault> {
    match mapping.figures.read(text) {
        Ok(MISSING) => Ok(None),
        Ok(persons) => Ok(Some(persons)),
        Err(_) => Err(RowFault::Attendance { text: text.to_owned() }),
    }
}

#[cfg(test)]
mod tests;

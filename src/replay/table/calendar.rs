//! The calendar beside a table: what was on, when, and how many were expected.

use super::figure::MISSING;
use super::file::{Cells, Lacks, Rows, can_be_read_again};
use super::mapping::{FileShape, Mapping};
use super::quotes::{Looks, Reads};
use super::{Report, TableError};
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
    let calendar = &mapping.calendar;
    let open = |delimiter| Rows::open(path, &FileShape { parquet: None, header: true, skip: 0, delimiter, columns: Vec::new() });
    let mut rows = open(b',')?;
    if mapping.file.delimiter != b',' && !rows.columns().contains(&calendar.start) {
        // Who keeps a table with semicolons keeps the calendar so too.
        if !can_be_read_again(path) {
            return Err(TableError::malformed(path, "comes through a pipe, and its cells stand between other marks than commas: give it as a file"));
        }
        rows = open(mapping.file.delimiter)?;
    }
    let column = |name: &str| rows.columns().iter().position(|column| column == name);
    let missing = calendar.named.iter().chain([&calendar.start]).find(|name| column(name).is_none());
    if let Some(missing) = missing {
        return Err(TableError::no_column(path, missing, rows.columns()));
    }
    let start = column(&calendar.start).unwrap_or_default();
    let (venue, end, attendance, name) = (column(&calendar.venue), column(&calendar.end), column(&calendar.attendance), column(&calendar.name));
    // Who writes a calendar goes by the clock on the wall, also where a system writes the table in UTC.
    let stamps = Stamps { format: calendar.format.clone(), written_in: calendar.written_in, ..mapping.stamps.clone() };
    let mut report = Report { file: path.display().to_string(), ..Report::default() };
    let mut events = Vec::new();
    let looks = |cells: &Cells<'_>| {
        let text = cells.get(start);
        time(&stamps, text, "start").ok().map(|_| Looks::of(text, attendance.is_none_or(|column| persons(mapping, cells.get(column)).is_ok())))
    };
    let reads = Reads { looks: &looks, last: [Some(start), venue, end, attendance, name].into_iter().flatten().max().unwrap_or_default() };
    let event_of = |cells: &Cells<'_>| {
        let get = |column: Option<usize>| column.map(|column| cells.get(column)).unwrap_or_default();
        if venue.is_some() && get(venue) != mapping.venue {
            return Ok(None);
        }
        let attendance = persons(mapping, get(attendance))?;
        let end = Some(get(end)).filter(|text| !text.is_empty()).map(|text| time(&stamps, text, "end"));
        Ok(Some(CalendarEntry { start: time(&stamps, cells.get(start), "start")?, end: end.transpose()?, attendance, name: get(name).to_owned() }))
    };
    rows.each(path, &reads, |line, cells| {
        report.rows += 1;
        let mut event = event_of(&cells);
        if let Ok(Some(CalendarEntry { start, end, .. })) = &mut event
            && end.is_some_and(|end| end <= *start)
        {
            report.fault(line, "the event ends no later than it starts: it is taken without its end");
            *end = None;
        }
        match (cells.lacks(), event) {
            (Lacks::Figures(detail) | Lacks::Place(detail), _) | (_, Err(detail)) => report.fault(line, detail),
            (Lacks::Rest(detail), Ok(event)) => {
                report.fault(line, detail);
                events.extend(event);
            }
            // Who knows no attendance leaves it out.
            (Lacks::Nothing | Lacks::Cells | Lacks::Unread, Ok(event)) if event.as_ref().is_some_and(|event| events.contains(event)) => {
                report.fault(line, "the event stands in the calendar before");
            }
            (Lacks::Nothing | Lacks::Cells | Lacks::Unread, Ok(event)) => events.extend(event),
        }
    })?;
    events.sort_by(|a, b| (a.start, &a.name).cmp(&(b.start, &b.name)));
    Ok((events, report))
}

/// The attendance, written as the table writes its figures.
fn persons(mapping: &Mapping, text: &str) -> Result<Option<u32>, String> {
    match mapping.figures.read(text) {
        Ok(MISSING) => Ok(None),
        Ok(persons) => Ok(Some(persons)),
        Err(_) => Err(format!("the attendance \"{text}\" is no number of persons, written as the table's figures are (thousands, decimal_mark)")),
    }
}

/// A time as the mapping says it is written, or as most write it.
fn time(stamps: &Stamps, text: &str, what: &str) -> Result<EventTime, String> {
    let iso = || Stamps { format: Format::Iso, ..stamps.clone() }.read(text);
    match stamps.read(text).or_else(|why| iso().map_err(|_| why)) {
        Ok(meaning) => Ok(meaning.near(None)),
        Err(detail) => Err(format!("the {what} {detail}")),
    }
}

#[cfg(test)]
mod tests;

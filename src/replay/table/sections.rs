//! The sections of a mapping (`[file]`, `[time]`, `[long]` or `[wide]`, …): each is read from its own keys.
//!
//! The idea: a section answers what it can and notes every fault, so that one reading of a mapping tells them all.

use super::keys::Keys;
use super::mapping::{AnomalyBudget, CalendarShape, Direction, FileShape, Layout, OffGrid, SensorIs, StampIs, Values};
use crate::time::Span;
use crate::time::stamp::{Ambiguous, Format, Nonexistent, Stamps};
use crate::venue::Holidays;
use crate::venue::load::quantity::parse_span;
use crate::venue::opening::{self, Opening};
use chrono::NaiveDate;
use chrono_tz::Tz;
use std::ops::Range;

/// Reads `[file]`.
pub(super) fn file_shape(keys: Keys<'_>) -> FileShape {
    let parquet = keys.word("format", &[("csv", false), ("parquet", true)]);
    let header = keys.flag("header").unwrap_or(true);
    let delimiter = keys.parsed("delimiter", |text| match text.as_bytes() {
        [byte] if byte.is_ascii() => Ok(*byte),
        _ => Err("must be one ASCII character".to_owned()),
    });
    let skip = keys.number("skip").unwrap_or(0.0);
    if skip < 0.0 || skip.fract() > 0.0 || skip > 10_000.0 {
        keys.fault("skip", "must be a whole number of lines, from 0");
    }
    let columns = keys.texts("columns").unwrap_or_default();
    if !header && columns.is_empty() {
        keys.fault("columns", "must name the columns, since the table has no header");
    }
    keys.finish();
    FileShape { parquet, header, skip: skip as u32, delimiter: delimiter.unwrap_or(b','), columns }
}

/// An IANA time zone.
pub(super) fn zone(text: &str) -> Result<Tz, String> {
    text.parse().map_err(|_| "is no IANA time zone, like \"Europe/Zurich\" or \"UTC\"".to_owned())
}

/// Reads `[time]`: the columns, how they are written, what a stamp is of, and what a row beside the grid means.
pub(super) fn time(keys: Keys<'_>, local: Option<Tz>) -> (Option<Vec<String>>, Stamps, StampIs, OffGrid) {
    let columns = keys.texts("columns").filter(|columns| !columns.is_empty());
    if columns.is_none() {
        keys.fault("columns", "must name the column of the time, or the two of date and time");
    }
    let format = keys.parsed("format", Format::read).unwrap_or(Format::Iso);
    let ambiguous = keys
        .word("ambiguous", &[("first", Ambiguous::First), ("second", Ambiguous::Second), ("in_order", Ambiguous::InOrder), ("reverse", Ambiguous::Reverse)]);
    if let Format::Pattern(pattern) = &format
        && ["%p", "%P"].iter().any(|half| pattern.contains(half))
        && ["%H", "%k", "%T", "%R"].iter().any(|hour| pattern.contains(hour))
    {
        keys.fault("format", "has AM or PM (%p), so its hour is one of twelve: %I");
    }
    let written_in = keys.parsed("zone", zone);
    let nonexistent = keys.word("nonexistent", &[("refuse", Nonexistent::Refuse), ("shift", Nonexistent::Shift)]);
    let stamp_is = keys.word("stamp", &[("from", StampIs::From), ("to", StampIs::To)]).unwrap_or(StampIs::From);
    let off_grid = keys.word("off_grid", &[("refuse", OffGrid::Refuse), ("down", OffGrid::Down), ("nearest", OffGrid::Nearest)]).unwrap_or(OffGrid::Refuse);
    keys.finish();
    let stamps =
        Stamps { format, zone: local, written_in, ambiguous: ambiguous.unwrap_or(Ambiguous::First), nonexistent: nonexistent.unwrap_or(Nonexistent::Refuse) };
    (columns, stamps, stamp_is, off_grid)
}

/// Reads `[long]` or `[wide]`, whichever is there.
pub(super) fn layout(root: &Keys<'_>) -> Option<Layout> {
    let (long, wide) = (root.table("long"), root.table("wide"));
    match (long.is_there(), wide.is_there()) {
        (true, false) => long_layout(long),
        (false, true) => Some(wide_layout(wide)),
        (true, true) => {
            root.fault("wide", "a table is either [long] or [wide]");
            None
        }
        (false, false) => {
            root.fault("long", "must be there, or [wide]: where the figures stand");
            None
        }
    }
}

/// What a figure counts, by its word.
pub(super) const DIRECTIONS: [(&str, Direction); 3] = [("in", Direction::In), ("out", Direction::Out), ("count", Direction::Undirected)];

fn long_layout(keys: Keys<'_>) -> Option<Layout> {
    let sensor = match (keys.texts("sensor").filter(|columns| !columns.is_empty()), keys.text("sensor_is")) {
        (Some(columns), None) => Some(SensorIs::Columns(columns)),
        (None, Some(id)) => Some(SensorIs::Fixed(id)),
        _ => {
            keys.fault("sensor", "must name the column of the sensor; or \"sensor_is\" the one sensor that the table is about");
            None
        }
    };
    let columns = [(Direction::In, keys.text("in")), (Direction::Out, keys.text("out")), (Direction::Undirected, keys.text("count"))];
    let columns: Vec<(Direction, Option<String>)> = columns.into_iter().filter(|(_, column)| column.is_some()).collect();
    let rows = keys.word("rows", &[("in", Some(Direction::In)), ("out", Some(Direction::Out)), ("count", Some(Direction::Undirected)), ("told", None)]);
    let (direction, value) = (keys.text("direction"), keys.text("value"));
    let (inwards, outwards) = (keys.texts("in_is").unwrap_or_default(), keys.texts("out_is").unwrap_or_default());
    let values = match (columns.is_empty(), direction, value, rows) {
        (false, None, None, None) => Some(Values::Columns(columns)),
        (true, None, None, Some(Some(rows))) if inwards.is_empty() && outwards.is_empty() => Some(Values::Columns(vec![(rows, None)])),
        // A value that was forgotten must not turn figures into rows.
        (true, Some(direction), value @ Some(_), None) | (true, Some(direction), value @ None, Some(None)) if !inwards.is_empty() || !outwards.is_empty() => {
            Some(Values::Told { direction, inwards, outwards, value })
        }
        _ => {
            keys.fault(
                "in",
                "must be there, or \"out\" or \"count\": the columns of the figures; or else \"direction\", \"value\" and \"in_is\" or \"out_is\"; or, where each row is a person, \"rows\" (\"told\" with a direction) instead of the figures",
            );
            None
        }
    };
    keys.finish();
    Some(Layout::Long { sensor: sensor?, values: values? })
}

fn wide_layout(keys: Keys<'_>) -> Layout {
    let measures = keys.word("measures", &DIRECTIONS).unwrap_or(Direction::Undirected);
    let (columns, except) = (keys.texts("columns").unwrap_or_default(), keys.texts("except").unwrap_or_default());
    if let Some((_, name)) = columns.iter().enumerate().find(|(i, name)| columns[..*i].contains(name)) {
        keys.fault("columns", format!("names \"{name}\" twice"));
    }
    keys.finish();
    Layout::Wide { measures, columns, except }
}

/// Reads `[opening]`.
pub(super) fn opening_hours(keys: Keys<'_>) -> Opening {
    let mut opening = Opening::default();
    let daily = keys.parsed("daily", opening::parse);
    for (weekday, key) in opening::WEEKDAYS.into_iter().enumerate() {
        if let Some(hours) = keys.parsed(key, opening::parse).or_else(|| daily.clone()) {
            opening.set(weekday, hours);
        }
    }
    keys.finish();
    opening
}

/// Reads `[holidays]`: dates by the weekday that they are like.
pub(super) fn holidays(keys: Keys<'_>) -> Holidays {
    let of = |(like, key): (u8, &'static str)| keys.texts(key).unwrap_or_default().into_iter().map(move |date| (like, date));
    let dates: Vec<(u8, String)> = (0..).zip(opening::WEEKDAYS).flat_map(of).collect();
    let holidays = Holidays::read(dates.iter().map(|(like, date)| (*like, date.as_str())), |like, what| keys.fault(opening::WEEKDAYS[usize::from(like)], what));
    keys.finish();
    holidays
}

/// Reads `without`: from each first day on to the day before the second nobody kept the table.
pub(super) fn without(root: &Keys<'_>) -> Vec<Range<NaiveDate>> {
    let date = |text: &str| text.parse::<NaiveDate>().map_err(|_| format!("\"{text}\" is no date, like \"2019-11-06\""));
    let days = |[from, to]: [String; 2]| match (date(&from)?, date(&to)?) {
        (first, end) if first < end => Ok(first..end),
        _ => Err(format!("{from} is not before {to}, the first day that is told again")),
    };
    let read: Result<_, String> = root.pairs("without").unwrap_or_default().into_iter().map(days).collect();
    read.unwrap_or_else(|why| {
        root.fault("without", why);
        Vec::new()
    })
}

/// Reads `[anomaly]`.
pub(super) fn anomaly_budget(keys: Keys<'_>) -> AnomalyBudget {
    let per_week = keys.number("budget_per_week");
    if per_week.is_some_and(|per_week| !(per_week > 0.0 && per_week.is_finite())) {
        keys.fault("budget_per_week", "must be above 0: false findings a week that somebody is ready to look at");
    }
    let is_shared = keys.word("group", &[("table", true), ("zone", false)]);
    keys.finish();
    AnomalyBudget { per_week, is_shared }
}

/// Reads `[calendar]`; its times are written as the table's where it does not say.
pub(super) fn calendar(keys: Keys<'_>, table: &Format) -> CalendarShape {
    let column = |key: &'static str| keys.text(key).unwrap_or_else(|| key.to_owned());
    let named = ["venue", "start", "end", "attendance", "name"].into_iter().filter_map(|key| keys.text(key)).collect();
    let shape = CalendarShape {
        venue: column("venue"),
        start: column("start"),
        end: column("end"),
        attendance: column("attendance"),
        name: column("name"),
        format: keys.parsed("format", Format::read).unwrap_or_else(|| table.clone()),
        written_in: keys.parsed("zone", zone),
        named,
    };
    keys.finish();
    shape
}

/// One character, as between thousands or before decimals.
pub(super) fn mark(text: &str) -> Result<char, String> {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(mark), None) if !mark.is_ascii_digit() => Ok(mark),
        _ => Err("must be one character, and no digit".to_owned()),
    }
}

/// Reads `30s`, `5m` or `5min`, `1h`, `1d`.
pub(super) fn duration(text: &str) -> Result<Span, String> {
    match parse_span(text) {
        // A month and more is no step of a count but a typing error.
        Ok(span) if (1_000..=2_678_400_000).contains(&span.as_millis()) && span.as_millis().is_multiple_of(1_000) => Ok(span),
        _ => Err("must be a length like \"30s\", \"5m\", \"1h\", \"1d\"".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_has_a_unit() {
        assert_eq!(duration("90s"), Ok(Span::from_secs(90)));
        assert_eq!(duration("1h"), Ok(Span::from_mins(60)));
        assert_eq!(duration("15min"), duration("15m"));
        assert!(duration("5").is_err() && duration("0m").is_err() && duration("1500ms").is_err() && duration("32d").is_err() && duration("-1m").is_err());
    }
}

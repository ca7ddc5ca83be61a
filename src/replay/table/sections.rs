//! The sections of a mapping (`[file]`, `[time]`, `[long]` or `[wide]`, …): each is read from its own keys.
//!
//! The idea: a section answers what it can and notes every fault, so that one reading of a mapping tells them all.

use super::figure::{Figures, Missing};
use super::keys::Keys;
use super::mapping::{AnomalyBudget, CalendarShape, Decimals, Direction, FileShape, Layout, OffGrid, Repeated, SensorIs, StampIs, Values};
use crate::time::Span;
use crate::time::stamp::{Ambiguous, Format, Nonexistent, Stamps};
use crate::venue::load::quantity::parse_span;
use crate::venue::opening::{self, Opening};
use crate::venue::{Holidays, Names};
use chrono::NaiveDate;
use chrono::format::{Fixed, Item, StrftimeItems};
use chrono_tz::Tz;
use std::ops::Range;

/// What figures are of.
pub(super) struct Amounts {
    /// What a second row of a sensor and step means.
    pub(super) repeated: Repeated,
    /// Whether they are running totals.
    pub(super) totals: bool,
    /// The most of a step, persons.
    pub(super) most: Option<u32>,
}

/// Reads how figures are written.
pub(super) fn figures(root: &Keys<'_>) -> Figures {
    let usual = Figures::default();
    let missing = root.texts("missing").map_or(usual.missing, Missing::of);
    let decimals = root.word("decimals", &[("refuse", Decimals::Refuse), ("round", Decimals::Round)]).unwrap_or(usual.decimals);
    let decimal_mark = root.parsed("decimal_mark", mark).unwrap_or(usual.decimal_mark);
    let thousands = root.parsed("thousands", mark);
    if thousands == Some(decimal_mark) {
        root.fault("thousands", "cannot be the mark before the decimals too (decimal_mark)");
    }
    Figures { missing, decimals, decimal_mark, thousands }
}

/// Reads what figures are of.
pub(super) fn amounts(root: &Keys<'_>) -> Amounts {
    let repeated = root.word("repeated", &[("judge", Repeated::Judge), ("sum", Repeated::Sum)]).unwrap_or(Repeated::Judge);
    let totals = root.flag("totals").unwrap_or(false);
    if totals && repeated == Repeated::Sum {
        root.fault("totals", "cannot be added up (repeated = \"sum\"): each total rises by itself; name every device as a place of its own");
    }
    let most = root.number("most");
    if most.is_some_and(|most| most < 1.0 || most.fract() > 0.0 || most > f64::from(u32::MAX / 2)) {
        root.fault("most", "must be a whole number of persons, from 1");
    }
    Amounts { repeated, totals, most: most.map(|most| most as u32) }
}

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
    text.parse().map_err(|_| format!("is no IANA time zone, like \"Europe/Zurich\" or \"UTC\"; nearest: {}", nearest_zones(text).join(", ")))
}

/// The zones whose names are nearest; most who write a name wrong know the city.
fn nearest_zones(text: &str) -> Vec<&'static str> {
    let city = |name: &'static str| name.rsplit('/').next().unwrap_or(name);
    let known = || chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name());
    let written = text.trim().replace(' ', "_").to_lowercase();
    let names: Vec<String> = known().map(|name| if written.contains('/') { name } else { city(name) }.to_lowercase()).collect();
    let near = Names::new(names.iter().map(String::as_str));
    let near = near.nearest(&written);
    near.iter().filter_map(|near| known().zip(&names).find(|(_, name)| name == near).map(|(zone, _)| zone)).collect()
}

/// What `[time]` says.
pub(super) struct TimeSection {
    /// The columns that make the time.
    pub(super) columns: Option<Vec<String>>,
    /// How they are read.
    pub(super) stamps: Stamps,
    /// Whether the pattern itself says that they are of UTC, and nothing else does.
    pub(super) is_utc_by_pattern: bool,
    /// What a stamp is of.
    pub(super) stamp_is: StampIs,
    /// What a row beside the grid means.
    pub(super) off_grid: OffGrid,
}

/// Reads `[time]`.
pub(super) fn time(keys: Keys<'_>, local: Option<Tz>) -> TimeSection {
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
    let by_pattern = zone_by_pattern(&keys, &format);
    let nonexistent = keys.word("nonexistent", &[("refuse", Nonexistent::Refuse), ("shift", Nonexistent::Shift)]);
    let stamp_is = keys.word("stamp", &[("from", StampIs::From), ("to", StampIs::To)]).unwrap_or(StampIs::From);
    let off_grid = keys.word("off_grid", &[("refuse", OffGrid::Refuse), ("down", OffGrid::Down), ("nearest", OffGrid::Nearest)]).unwrap_or(OffGrid::Refuse);
    keys.finish();
    let (ambiguous, nonexistent) = (ambiguous.unwrap_or(Ambiguous::First), nonexistent.unwrap_or(Nonexistent::Refuse));
    let stamps = Stamps { format, zone: local, written_in: written_in.or(by_pattern), ambiguous, nonexistent };
    TimeSection { columns, stamps, is_utc_by_pattern: by_pattern.is_some(), stamp_is, off_grid }
}

/// The zone that a pattern names where `zone` does not: UTC, where that stands in it or a Z does. A name that the rows bring (%Z) is only read over, so `zone` must say which it is.
fn zone_by_pattern(keys: &Keys<'_>, format: &Format) -> Option<Tz> {
    let Format::Pattern(pattern) = format else { return None };
    if keys.has("zone") || format.bears_offset() {
        return None;
    }
    let is_utc = |text: &str| matches!(text.trim_matches(|letter: char| !letter.is_alphabetic()), "Z" | "UTC" | "GMT");
    let mut is_of_utc = false;
    for item in StrftimeItems::new(pattern) {
        match item {
            Item::Literal(text) => is_of_utc |= is_utc(text),
            Item::Fixed(Fixed::TimezoneName) => {
                keys.fault(
                    "format",
                    "reads over the name of a zone (%Z), and does not understand it: `zone` must say of which zone the times are, such as zone = \"UTC\"",
                );
            }
            _ => {}
        }
    }
    is_of_utc.then_some(Tz::UTC)
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
    let sensor = match (keys.texts("sensor").filter(|columns| !columns.is_empty()), keys.name("sensor_is")) {
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
pub(super) fn calendar(keys: Keys<'_>, table: &Format, is_utc_by_pattern: bool) -> CalendarShape {
    let column = |key: &'static str| keys.text(key).unwrap_or_else(|| key.to_owned());
    let named = ["venue", "start", "end", "attendance", "name"].into_iter().filter_map(|key| keys.text(key)).collect();
    let format = keys.parsed("format", Format::read);
    let written_in_by_pattern = format.as_ref().map_or_else(|| is_utc_by_pattern.then_some(Tz::UTC), |format| zone_by_pattern(&keys, format));
    let shape = CalendarShape {
        venue: column("venue"),
        start: column("start"),
        end: column("end"),
        attendance: column("attendance"),
        name: column("name"),
        format: format.unwrap_or_else(|| table.clone()),
        written_in: keys.parsed("zone", zone),
        written_in_by_pattern,
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

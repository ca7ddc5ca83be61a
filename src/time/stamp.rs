//! From what a table or a device writes as time to event time: format, zone, and the local hours that come twice or never.
//!
//! A wall clock is no time until its zone is known, and once a year an hour of it means two times, and another hour none. What a
//! table does there cannot be guessed from it, so the mapping says so.

mod likely;
mod stuck;

use super::EventTime;
use chrono::format::{Item, Parsed, StrftimeItems, parse};
use chrono::{DateTime, FixedOffset, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, ParseError, ParseResult, TimeDelta, TimeZone};
use chrono_tz::Tz;
use std::fmt::Write;
use thiserror::Error;

/// How times are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Format {
    /// ISO 8601 or RFC 3339, with an offset or without.
    Iso,
    /// Seconds since the epoch.
    EpochSeconds,
    /// Milliseconds since the epoch.
    EpochMillis,
    /// Microseconds since the epoch.
    EpochMicros,
    /// Nanoseconds since the epoch.
    EpochNanos,
    /// A pattern of chrono's `strftime`.
    Pattern(String),
}

/// A local hour that comes twice (the clocks go back): which of the two a row means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ambiguous {
    /// The first, summer time.
    First,
    /// The second, winter time.
    Second,
    /// Both are in the table: of two rows of a sensor for one stamp, the one that stands earlier is the first.
    InOrder,
    /// Both are in the table, which runs backwards: the one that stands earlier is the second.
    Reverse,
}

/// A local hour that never comes (the clocks go forward): what a row in it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nonexistent {
    /// A fault of the row.
    Refuse,
    /// An hour later: the clock that wrote it had not been put forward.
    Shift,
}

/// Reads the times of one table or source.
#[derive(Clone, Debug)]
pub struct Stamps {
    /// How they are written.
    pub format: Format,
    /// The zone of the wall clock, by which days and hours are told; not needed where each time bears its offset.
    pub zone: Option<Tz>,
    /// The zone of times that bear no offset, where it is another one: a system may write UTC of a place that lives by its own clock.
    pub written_in: Option<Tz>,
    /// What an hour that comes twice means.
    pub ambiguous: Ambiguous,
    /// What an hour that never comes means.
    pub nonexistent: Nonexistent,
}

/// What a time cell means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// One point in time.
    Once(EventTime),
    /// One of two: which, only the neighbouring rows tell.
    Either(EventTime, EventTime),
    /// Of an hour that never was, an hour later: a row of that hour itself counts before it.
    Moved(EventTime),
}

/// Why a text is no time.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Unreadable {
    /// It is not written as the standard says.
    #[error("is no ISO 8601 time")]
    NotIso,
    /// It is not written as the pattern says.
    #[error("is not written as \"{pattern}\": {why}")]
    NotAsPattern {
        /// The pattern.
        pattern: String,
        /// What its reader says.
        why: ParseError,
    },
    /// It is no number.
    #[error("is no whole number since the epoch")]
    NoEpoch,
    /// It is further away than anybody counts years.
    #[error("is beyond the calendar")]
    BeyondTheCalendar,
    /// Nobody says which clock shows it.
    #[error("has no offset, and the mapping names no time_zone")]
    NoZone,
    /// No clock ever showed it.
    #[error("is an hour that never was in {zone}: the clocks went forward (nonexistent = \"shift\" takes it an hour later)")]
    NeverWas {
        /// Where.
        zone: Tz,
    },
    /// As [`Self::NeverWas`], and there is no hour to shift it from.
    #[error("is a time that never was in {zone}")]
    Nowhere {
        /// Where.
        zone: Tz,
    },
}

/// What a time cell says, before the zone gives it its meaning.
enum Written {
    Moment(EventTime),
    Local(NaiveDateTime),
}

impl Stamps {
    /// Reads one time.
    ///
    /// # Errors
    /// It is not written as the format says, has no zone, or never was.
    pub fn read(&self, text: &str) -> Result<Meaning, Unreadable> {
        match self.written(text)? {
            Written::Moment(at) => Ok(Meaning::Once(at)),
            Written::Local(local) => self.local(local),
        }
    }

    /// Reads one time as the wall clock shows it, on a scale on which every local day has 24 hours: for rows that cover whole days, of which two a year have 23
    /// and 25. [`Self::instant`] leads back.
    ///
    /// # Errors
    /// It is not written as the format says, or never was in another zone that it is written in.
    pub fn read_wall(&self, text: &str) -> Result<EventTime, Unreadable> {
        let shown = |at| self.wall_clock(at).ok_or(Unreadable::BeyondTheCalendar);
        let local = match self.written(text)? {
            Written::Moment(at) => shown(at)?,
            Written::Local(local) if self.writer() != self.zone => shown(self.local(local)?.near(None))?,
            Written::Local(local) => local,
        };
        Ok(EventTime::from_millis(local.and_utc().timestamp_millis()))
    }

    /// The event time at which the wall clock first shows what [`Self::read_wall`] read; where it never does, the end of the hour that it leaps over.
    pub fn instant(&self, wall: EventTime) -> EventTime {
        let local = DateTime::from_timestamp_millis(wall.as_millis()).map(|utc| utc.naive_utc());
        let Some((zone, local)) = self.zone.zip(local) else { return wall };
        match zone.from_local_datetime(&local) {
            MappedLocalTime::Single(at) | MappedLocalTime::Ambiguous(at, _) => millis(&at),
            MappedLocalTime::None => shifted(zone, local).map_or(wall, |meaning| meaning.near(None)),
        }
    }

    /// Whether rows could have told of this time at all: the half of a doubled hour that the table never means is a gap, not a zero.
    pub fn can_tell(&self, at: EventTime) -> bool {
        match (self.as_written(at), self.ambiguous) {
            (MappedLocalTime::Ambiguous(first, _), Ambiguous::First) => millis(&first) == at,
            (MappedLocalTime::Ambiguous(_, second), Ambiguous::Second) => millis(&second) == at,
            _ => true,
        }
    }

    /// Whether a time that is written so is one of the clock on the wall.
    pub fn is_of_wall(&self, text: &str) -> bool {
        match &self.format {
            Format::Iso => plain_iso(text).is_some() || with_offset(text).is_none(),
            format => !format.bears_offset(),
        }
    }

    /// What else to say of a time that [`Self::read`] refuses because of how it is written: the formats by which it could be read, or where its pattern stops. Too costly to say it of every row.
    /// `section` is the part of the mapping that says how.
    pub fn hint(&self, text: &str, section: &str) -> Option<String> {
        match (self.written(text).err()?, &self.format) {
            (Unreadable::NotIso, _) => Some(likely::hint(text, section)),
            (_, Format::Pattern(pattern)) => stuck::hint(pattern, text),
            _ => None,
        }
    }

    /// Whether the clock by which the times are written shows this one twice.
    pub fn is_doubled(&self, at: EventTime) -> bool {
        matches!(self.as_written(at), MappedLocalTime::Ambiguous(..))
    }

    /// The wall clock of the table's zone (UTC where it needs none).
    pub fn wall_clock(&self, at: EventTime) -> Option<NaiveDateTime> {
        clock_of(self.zone, at)
    }

    /// The zone of times that bear no offset.
    fn writer(&self) -> Option<Tz> {
        self.written_in.or(self.zone)
    }

    /// Every time that is written as this one is.
    fn as_written(&self, at: EventTime) -> MappedLocalTime<DateTime<Tz>> {
        let written = self.writer().and_then(|zone| Some((zone, clock_of(Some(zone), at)?)));
        written.map_or(MappedLocalTime::None, |(zone, local)| zone.from_local_datetime(&local))
    }

    fn written(&self, text: &str) -> Result<Written, Unreadable> {
        match &self.format {
            Format::EpochSeconds => epoch(text, 1_000, 1).map(Written::Moment),
            Format::EpochMillis => epoch(text, 1, 1).map(Written::Moment),
            Format::EpochMicros => epoch(text, 1, 1_000).map(Written::Moment),
            Format::EpochNanos => epoch(text, 1, 1_000_000).map(Written::Moment),
            Format::Iso => match plain_iso(text) {
                Some(local) => Ok(Written::Local(local)),
                None => match with_offset(text) {
                    Some(at) => Ok(Written::Moment(millis(&at))),
                    None => Ok(Written::Local(iso(text).ok_or(Unreadable::NotIso)?)),
                },
            },
            Format::Pattern(pattern) => {
                let wrong = |why| Unreadable::NotAsPattern { pattern: pattern.clone(), why };
                if has_offset(pattern) {
                    return DateTime::parse_from_str(text, pattern).map(|at| Written::Moment(millis(&at))).map_err(wrong);
                }
                wall_clock_of(pattern, text).map(Written::Local).map_err(wrong)
            }
        }
    }

    fn local(&self, local: NaiveDateTime) -> Result<Meaning, Unreadable> {
        let zone = self.writer().ok_or(Unreadable::NoZone)?;
        match (zone.from_local_datetime(&local), self.ambiguous, self.nonexistent) {
            (MappedLocalTime::Single(at), _, _) => Ok(once(&at)),
            (MappedLocalTime::Ambiguous(first, _), Ambiguous::First, _) => Ok(once(&first)),
            (MappedLocalTime::Ambiguous(_, second), Ambiguous::Second, _) => Ok(once(&second)),
            (MappedLocalTime::Ambiguous(first, second), _, _) => Ok(Meaning::Either(millis(&first), millis(&second))),
            (MappedLocalTime::None, _, Nonexistent::Refuse) => Err(Unreadable::NeverWas { zone }),
            (MappedLocalTime::None, _, Nonexistent::Shift) => shifted(zone, local).ok_or(Unreadable::Nowhere { zone }),
        }
    }
}

impl Format {
    /// The format of that word (`iso`, `epoch_s`, `epoch_ms`, `epoch_us`, `epoch_ns`); anything else is a pattern.
    pub fn of(text: &str) -> Self {
        match text {
            "iso" => Self::Iso,
            "epoch_s" => Self::EpochSeconds,
            "epoch_ms" => Self::EpochMillis,
            "epoch_us" => Self::EpochMicros,
            "epoch_ns" => Self::EpochNanos,
            pattern => Self::Pattern(pattern.to_owned()),
        }
    }

    /// As [`Self::of`], but for a pattern by which nothing can be read.
    ///
    /// # Errors
    /// The pattern is none, or tells no date.
    pub fn read(text: &str) -> Result<Self, String> {
        let format = Self::of(text);
        if let Self::Pattern(pattern) = &format {
            reads_itself(pattern).map_err(|why| {
                format!("\"{pattern}\" {why}; it must be \"iso\", \"epoch_s\", \"epoch_ms\", \"epoch_us\", \"epoch_ns\" or a pattern such as \"%d.%m.%Y %H:%M\" (%Y year, %m month, %d day, %H hour, %M minute, %S second)")
            })?;
        }
        Ok(format)
    }

    /// Whether every time written so bears its offset, so that no zone is needed.
    pub fn bears_offset(&self) -> bool {
        match self {
            Self::EpochSeconds | Self::EpochMillis | Self::EpochMicros | Self::EpochNanos => true,
            Self::Iso => false,
            Self::Pattern(pattern) => has_offset(pattern),
        }
    }
}

impl Meaning {
    /// The time; of two, the one nearer to when it was received, and the first where nobody knows that.
    pub fn near(self, received: Option<EventTime>) -> EventTime {
        match (self, received) {
            (Self::Once(at) | Self::Moved(at), _) | (Self::Either(at, _), None) => at,
            (Self::Either(first, second), Some(received)) => {
                let off = |at: EventTime| at.as_millis().abs_diff(received.as_millis());
                if off(second) < off(first) { second } else { first }
            }
        }
    }
}

/// Holds a pattern against a time that it has written itself: what it cannot read there it reads nowhere.
fn reads_itself(pattern: &str) -> Result<(), &'static str> {
    // A time with all its parts apart, an offset among them; the one item that can only be read stands for another that can be written.
    let Ok(moment) = DateTime::parse_from_rfc3339("2021-10-23T14:35:56+01:00") else { return Ok(()) };
    let writable = pattern.replace("%#z", "%z");
    let mut text = String::new();
    if StrftimeItems::new(&writable).any(|item| item == Item::Error) || write!(text, "{}", moment.format(&writable)).is_err() {
        return Err("has a % before what stands for nothing");
    }
    if text == pattern {
        return Err("has no % for anything, so it is no pattern of a time");
    }
    let stamps = Stamps {
        format: Format::Pattern(pattern.to_owned()),
        zone: Some(Tz::UTC),
        written_in: None,
        ambiguous: Ambiguous::First,
        nonexistent: Nonexistent::Refuse,
    };
    stamps.read(&text).map(|_| ()).map_err(|_| match has_offset(pattern) {
        true => "does not tell the whole time: beside an offset the day, month and year, the hour and the minute",
        false => "does not tell the whole time: the day, month and year, and the hour where it tells minutes",
    })
}

/// Whether a chrono pattern reads an offset or an epoch, so that no zone is needed.
fn has_offset(pattern: &str) -> bool {
    ["%z", "%:z", "%#z", "%+", "%s"].iter().any(|offset| pattern.contains(offset))
}

/// The time by the offset that held before the gap.
fn shifted(zone: Tz, local: NaiveDateTime) -> Option<Meaning> {
    let hours = TimeDelta::hours(3);
    let before = zone.from_local_datetime(&local.checked_sub_signed(hours)?).earliest()?;
    Some(Meaning::Moved(millis(&before.checked_add_signed(hours)?)))
}

/// RFC 3339, and what databases and data frames make of it: a blank for the T, no seconds, an offset of `+00` or `+0000`, or the word UTC.
fn with_offset(text: &str) -> Option<DateTime<FixedOffset>> {
    const FORMATS: [&str; 4] = ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M%#z", "%Y-%m-%d %H:%M%#z"];
    let strict = DateTime::parse_from_rfc3339(text).ok();
    let lenient = || FORMATS.iter().find_map(|format| DateTime::parse_from_str(text, format).ok());
    let of_utc = || iso(text.strip_suffix("UTC")?.trim_end()).map(|utc| utc.and_utc().fixed_offset());
    strict.or_else(lenient).or_else(of_utc)
}

/// `2020-06-01T10:00` or `2020-06-01 10:00:00`, as nearly all tables have it, without the detour of a pattern.
fn plain_iso(text: &str) -> Option<NaiveDateTime> {
    let bytes = text.as_bytes();
    let is_plain = matches!(bytes.len(), 16 | 19)
        && (bytes[4], bytes[7], bytes[13]) == (b'-', b'-', b':')
        && matches!(bytes[10], b'T' | b' ')
        && (bytes.len() == 16 || bytes[16] == b':');
    let number =
        |from: usize, to: usize| bytes[from..to].iter().try_fold(0_u32, |number, digit| digit.is_ascii_digit().then(|| number * 10 + u32::from(digit - b'0')));
    if !is_plain {
        return None;
    }
    let seconds = if bytes.len() == 19 { number(17, 19)? } else { 0 };
    NaiveDate::from_ymd_opt(number(0, 4)?.cast_signed(), number(5, 7)?, number(8, 10)?)?.and_hms_opt(number(11, 13)?, number(14, 16)?, seconds)
}

fn iso(text: &str) -> Option<NaiveDateTime> {
    const FORMATS: [&str; 7] = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H", "%Y-%m-%d %H", "%Y-%m-%d"];
    FORMATS.iter().find_map(|format| wall_clock_of(format, text).ok())
}

/// Reads a date with its time of day. An hour without minutes is the whole hour, a date alone its midnight, and 24:00 the end of the day.
fn wall_clock_of(pattern: &str, text: &str) -> ParseResult<NaiveDateTime> {
    by_pattern(pattern, text).or_else(|err| end_of_day(pattern, text).or_else(|| midnight(pattern, text)).ok_or(err))
}

/// A date alone where a time of day should follow: so R and spreadsheets write midnight, and no other time.
fn midnight(pattern: &str, text: &str) -> Option<NaiveDateTime> {
    let hour = ["%H", "%I", "%k", "%l", "%T", "%R"].iter().filter_map(|hour| pattern.find(hour)).min()?;
    let date = pattern[..hour].strip_suffix([' ', 'T'])?;
    by_pattern(date, text).ok().filter(|read| read.time() == NaiveTime::MIN)
}

/// A time that says 24 for the hour in which its day ends: the next midnight.
fn end_of_day(pattern: &str, text: &str) -> Option<NaiveDateTime> {
    text.match_indices("24").find_map(|(at, _)| {
        let with = |hour: &str| by_pattern(pattern, &[&text[..at], hour, &text[at + 2..]].concat()).ok();
        let (midnight, an_hour_later) = (with("00")?, with("01")?);
        // Whatever else is 24 (a year, a minute) moves the time by something else.
        let is_the_hour = an_hour_later - midnight == TimeDelta::hours(1) && midnight.time() == NaiveTime::MIN;
        is_the_hour.then(|| midnight.checked_add_signed(TimeDelta::days(1))).flatten()
    })
}

fn by_pattern(pattern: &str, text: &str) -> ParseResult<NaiveDateTime> {
    let mut parsed = Parsed::new();
    parse(&mut parsed, text, StrftimeItems::new(pattern))?;
    if parsed.hour_div_12().is_none() && parsed.hour_mod_12().is_none() {
        parsed.set_hour(0)?;
    }
    if parsed.minute().is_none() {
        parsed.set_minute(0)?;
    }
    Ok(parsed.to_naive_date()?.and_time(parsed.to_naive_time()?))
}

/// A number of units, each so many milliseconds or such a part of one; what is less than a millisecond is cut off.
fn epoch(text: &str, millis: i64, parts: i64) -> Result<EventTime, Unreadable> {
    // Spreadsheets and Parquet write whole seconds as 1577836800.0.
    let whole = text.strip_suffix(".0").unwrap_or(text);
    let number: i64 = whole.parse().map_err(|_| Unreadable::NoEpoch)?;
    number.checked_mul(millis).map(|units| EventTime::from_millis(units.div_euclid(parts))).ok_or(Unreadable::BeyondTheCalendar)
}

/// What a clock shows (that of UTC without a zone).
fn clock_of(zone: Option<Tz>, at: EventTime) -> Option<NaiveDateTime> {
    let utc = DateTime::from_timestamp_millis(at.as_millis())?;
    Some(zone.map_or_else(|| utc.naive_utc(), |zone| utc.with_timezone(&zone).naive_local()))
}

fn once<Z: TimeZone>(at: &DateTime<Z>) -> Meaning {
    Meaning::Once(millis(at))
}

const fn millis<Z: TimeZone>(at: &DateTime<Z>) -> EventTime {
    EventTime::from_millis(at.timestamp_millis())
}

#[cfg(test)]
mod tests;

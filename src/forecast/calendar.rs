//! The local week: which time of which kind of day an instant falls in.
//!
//! The idea: people keep the clock on the wall. A step belongs to the local time at which it starts, taken from the instant by the venue's time zone, so
//! that the night with one hour twice or none moves nothing by an hour.

use crate::time::{DAY_MS, EventTime, HOUR_MS, Span};
use crate::venue::{Holidays, Venue};
use chrono::Offset;
use chrono::TimeZone;
use serde::{Deserialize, Serialize};

/// When a day of people begins, ms after midnight: who leaves after midnight is of the evening.
pub(super) const DAWN_MS: i64 = 4 * HOUR_MS;

/// The three kinds of days that [`super::usual`] tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum DayKind {
    /// Monday to Friday.
    Working,
    /// Saturday.
    Saturday,
    /// Sunday.
    Sunday,
}

impl DayKind {
    /// The kind of a weekday, Monday = 0.
    pub const fn of_weekday(weekday: u8) -> Self {
        match weekday {
            5 => Self::Saturday,
            6 => Self::Sunday,
            _ => Self::Working,
        }
    }

    /// The weekday of the day of this kind before one on that weekday, holidays aside.
    pub const fn weekday_before(self, weekday: u8) -> u8 {
        match (self, weekday) {
            (Self::Saturday, _) => 5,
            (Self::Sunday, _) => 6,
            (Self::Working, 1..=4) => weekday - 1,
            (Self::Working, _) => 4,
        }
    }

    /// This kind, then those that are most like it.
    pub const fn and_then_others(self) -> [Self; 3] {
        match self {
            Self::Working => [Self::Working, Self::Sunday, Self::Saturday],
            Self::Saturday => [Self::Saturday, Self::Sunday, Self::Working],
            Self::Sunday => [Self::Sunday, Self::Saturday, Self::Working],
        }
    }

    /// One of its weekdays, Monday = 0.
    pub const fn one_weekday(self) -> u8 {
        match self {
            Self::Working => 2,
            Self::Saturday => 5,
            Self::Sunday => 6,
        }
    }

    /// How many of a week's days are of it.
    pub const fn days_a_week(self) -> i64 {
        match self {
            Self::Working => 5,
            Self::Saturday | Self::Sunday => 1,
        }
    }

    /// The word in state keys.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Working => "working",
            Self::Saturday => "saturday",
            Self::Sunday => "sunday",
        }
    }
}

/// Where in the local week an instant lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The kind of its day.
    pub kind: DayKind,
    /// Its weekday, Monday = 0; of a holiday the one that it is like.
    pub weekday: u8,
    /// The same of the day before.
    pub day_before: u8,
    /// The same of the day after.
    pub day_after: u8,
    /// Milliseconds since local midnight.
    pub millis_of_day: i64,
}

impl Place {
    /// That time of that weekday, of a week without holidays.
    pub const fn of_week(weekday: u8, millis_of_day: i64) -> Self {
        Self { kind: DayKind::of_weekday(weekday), weekday, day_before: (weekday + 6) % 7, day_after: (weekday + 1) % 7, millis_of_day }
    }
}

/// A venue's clock on the wall, cut in steps.
#[derive(Clone, Debug)]
pub struct Calendar {
    zone: chrono_tz::Tz,
    holidays: Holidays,
    step_ms: i64,
    phase_ms: i64,
}

/// An instant as the clock on the wall shows it: milliseconds of local time since a local 1970-01-01T00:00.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalTime(i64);

impl Calendar {
    /// The calendar of a zone with steps of `step`, which is at least a millisecond.
    pub fn new(zone: chrono_tz::Tz, step: Span) -> Self {
        Self { zone, holidays: Holidays::default(), step_ms: i64::try_from(step.as_millis()).unwrap_or(i64::MAX).max(1), phase_ms: 0 }
    }

    /// The calendar of a venue: its steps lie on the grid of its panes.
    pub fn of(venue: &Venue) -> Self {
        let phase_ms = i64::try_from(venue.pane.phase().as_millis()).unwrap_or(0);
        Self { holidays: venue.holidays.clone(), phase_ms, ..Self::new(venue.time_zone, venue.step) }
    }

    /// What the clock on the wall shows at `at`; UTC where the instant is beyond what the time zone database covers.
    pub fn local(&self, at: EventTime) -> LocalTime {
        let offset_secs = chrono::DateTime::from_timestamp_millis(at.as_millis())
            .map_or(0, |utc| self.zone.offset_from_utc_datetime(&utc.naive_utc()).fix().local_minus_utc());
        LocalTime(at.as_millis().saturating_add(i64::from(offset_secs) * 1_000))
    }

    /// Where in the local week `at` lies.
    pub fn place(&self, at: EventTime) -> Place {
        let local = self.local(at);
        let [day_before, weekday, day_after] = [-1, 0, 1].map(|days| self.holidays.weekday(local.day() + days));
        Place { kind: DayKind::of_weekday(weekday), weekday, day_before, day_after, millis_of_day: local.millis_of_day() }
    }

    /// The kind of the day of `local`.
    pub fn kind(&self, local: LocalTime) -> DayKind {
        DayKind::of_weekday(self.holidays.weekday(local.day()))
    }

    /// Whether the day of `local` is like another day of the week than its own.
    pub fn is_holiday(&self, local: LocalTime) -> bool {
        self.holidays.holds(local.day())
    }

    /// Whether a day begins after `before` and by `at`, at four in the morning.
    pub fn dawns(&self, before: EventTime, at: EventTime) -> bool {
        let day = |at: EventTime| self.local(at).earlier(DAWN_MS).day();
        day(before) < day(at)
    }

    /// Whether a step ends at `at`: steps are aligned as panes are.
    pub fn is_step_end(&self, at: EventTime) -> bool {
        (at.as_millis() - self.phase_ms).rem_euclid(self.step_ms) == 0
    }
}

impl LocalTime {
    /// What it showed so many milliseconds before, on a day without a change of the clocks.
    pub const fn earlier(self, millis: i64) -> Self {
        Self(self.0 - millis)
    }

    /// Days since 1970-01-01.
    pub const fn day(self) -> i64 {
        self.0.div_euclid(DAY_MS)
    }

    /// Milliseconds since local midnight.
    pub const fn millis_of_day(self) -> i64 {
        self.0.rem_euclid(DAY_MS)
    }

    /// Whole seconds since local midnight.
    pub const fn seconds_of_day(self) -> i64 {
        self.millis_of_day() / 1_000
    }

    /// The weekday, Monday = 0; day 0 of the epoch was a Thursday.
    pub const fn weekday(self) -> u8 {
        (self.0.div_euclid(DAY_MS) + 3).rem_euclid(7) as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> EventTime {
        EventTime::from_millis(chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis())
    }

    fn zurich() -> Calendar {
        Calendar::new(chrono_tz::Europe::Zurich, Span::from_mins(60))
    }

    fn hour(calendar: &Calendar, at: EventTime) -> i64 {
        calendar.place(at).millis_of_day / 3_600_000
    }

    #[test]
    fn a_place_is_read_from_the_clock_on_the_wall() {
        let of = |text: &str| (zurich().place(at(text)).kind, hour(&zurich(), at(text)));
        assert_eq!(of("2026-07-08T06:00:00Z"), (DayKind::Working, 8));
        assert_eq!(of("2026-01-07T07:59:59Z"), (DayKind::Working, 8));
    }

    #[test]
    fn friday_night_in_utc_is_saturday_in_zurich() {
        let kind = |text: &str| zurich().place(at(text)).kind;
        assert_eq!(kind("2026-07-10T22:00:00Z"), DayKind::Saturday);
        assert_eq!(kind("2026-07-12T21:59:59Z"), DayKind::Sunday);
        assert_eq!(kind("2026-07-12T22:00:00Z"), DayKind::Working);
    }

    #[test]
    fn the_hour_that_comes_twice_has_one_place_and_the_one_that_never_comes_has_none() {
        let hours = |from: &str, hours: u64| -> Vec<i64> { (0..hours).map(|h| hour(&zurich(), at(from).after(Span::from_mins(60 * h)))).collect() };
        assert_eq!(hours("2026-10-24T23:00:00Z", 4), [1, 2, 2, 3]);
        assert_eq!(hours("2026-03-28T23:00:00Z", 4), [0, 1, 3, 4]);
    }

    #[test]
    fn steps_end_on_the_epochs_grid() {
        assert!(zurich().is_step_end(at("2026-07-08T06:00:00Z")));
        assert!(!zurich().is_step_end(at("2026-07-08T06:00:10Z")));
    }
}

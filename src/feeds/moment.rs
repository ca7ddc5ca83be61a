//! Points in time as the wire writes them: epoch milliseconds, or RFC 3339 with an offset; a wall clock without zone is refused.
//!
//! A guess of the zone would be wrong by hours and right on the test bench, so there is none (crowd-science §2.7, traps seen in feeds).

use super::fault::Reason;
use crate::time::EventTime;
use crate::time::stamp::{Ambiguous, Format, Nonexistent, Stamps};
use chrono::{DateTime, NaiveDateTime};
use chrono_tz::Tz;

/// What is wrong with a time.
type Wrong = (Reason, &'static str);

/// Milliseconds since the epoch, within the years that a calendar can write.
pub(in crate::feeds) fn from_millis(millis: Option<i64>) -> Result<EventTime, Wrong> {
    // Beyond the year 9999 it is no time but a counter or nanoseconds.
    const LAST: i64 = 253_402_300_799_999;
    match millis {
        Some(millis) if (-LAST..=LAST).contains(&millis) => Ok(EventTime::from_millis(millis)),
        _ => Err((Reason::WrongValue, "is no epoch time in milliseconds")),
    }
}

/// POSIX seconds, as GTFS-Realtime writes them.
pub(in crate::feeds) fn from_posix_secs(secs: u64) -> Result<EventTime, Wrong> {
    from_millis(i64::try_from(secs).ok().and_then(|secs| secs.checked_mul(1_000)))
}

/// RFC 3339 with an offset; fractions beyond the millisecond are cut.
pub(in crate::feeds) fn from_text(text: &str) -> Result<EventTime, Wrong> {
    match DateTime::parse_from_rfc3339(text) {
        Ok(at) => from_millis(Some(at.timestamp_millis())),
        Err(_) if is_zoneless(text) => Err((Reason::ZonelessTime, "has no zone: write an offset (2030-06-15T20:00:00+01:00) or epoch milliseconds")),
        Err(_) => Err((Reason::WrongValue, "is no RFC 3339 time")),
    }
}

/// A wall clock of `zone`, written as the chrono pattern says. Of an hour that comes twice it is the time nearer to `received`.
pub(in crate::feeds) fn from_wall_clock(text: &str, pattern: &str, zone: Option<Tz>, received: Option<EventTime>) -> Result<EventTime, Wrong> {
    let zone = zone.ok_or((Reason::ZonelessTime, "bears no zone: give its source a `time_zone` in the venue file"))?;
    let stamps = Stamps {
        format: Format::Pattern(pattern.to_owned()),
        zone: Some(zone),
        written_in: None,
        ambiguous: Ambiguous::InOrder,
        nonexistent: Nonexistent::Refuse,
    };
    let meaning = stamps.read(text).map_err(|_| (Reason::WrongValue, "is no time of the source's zone, or not written as its format says"))?;
    from_millis(Some(meaning.near(received).as_millis()))
}

/// A time that its field says to be UTC: an offset may stand there or not.
pub(in crate::feeds) fn from_utc_text(text: &str) -> Result<EventTime, Wrong> {
    match from_text(text) {
        Err((Reason::ZonelessTime, _)) => from_wall_clock(&text.replace(' ', "T"), "%Y-%m-%dT%H:%M:%S%.f", Some(Tz::UTC), None),
        read => read,
    }
}

fn is_zoneless(text: &str) -> bool {
    const FORMATS: [&str; 6] = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y%m%dT%H%M%S", "%Y%m%d%H%M%S"];
    FORMATS.iter().any(|format| NaiveDateTime::parse_from_str(text, format).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_is_honoured() {
        assert_eq!(from_text("2030-06-15T20:00:00.250+01:00").map(EventTime::as_millis), Ok(1_907_780_400_250));
        assert_eq!(from_text("2030-06-15T19:00:00.250Z").map(EventTime::as_millis), Ok(1_907_780_400_250));
    }

    #[test]
    fn a_wall_clock_without_zone_is_told_apart_from_nonsense() {
        for text in ["2030-06-15T20:00:00", "2030-06-15 20:00", "20170503112756"] {
            assert_eq!(from_text(text).unwrap_err().0, Reason::ZonelessTime, "{text}");
        }
        assert_eq!(from_text("soon").unwrap_err().0, Reason::WrongValue);
    }

    #[test]
    fn what_lies_beyond_the_calendar_is_no_time() {
        assert!(from_millis(Some(i64::MAX)).is_err());
        assert!(from_millis(None).is_err());
        assert!(from_posix_secs(u64::MAX).is_err());
        assert_eq!(from_posix_secs(2), Ok(EventTime::from_millis(2_000)));
    }
}

//! Opening hours by weekday, on the wall clock of the venue's zone: outside them nobody is expected, and silence means nothing.

use super::holidays::Holidays;
use chrono::{NaiveDateTime, Timelike};

/// The weekdays' keys in a configuration, from Monday.
pub const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// When people can be there. Without any, always.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opening {
    /// By weekday from Monday: `None` is all day.
    days: [Option<Vec<Hours>>; 7],
}

/// Minutes since midnight, half-open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    from: u32,
    to: u32,
}

impl Opening {
    /// Sets the hours of a weekday (0 is Monday).
    pub fn set(&mut self, weekday: usize, hours: Vec<Hours>) {
        if let Some(day) = self.days.get_mut(weekday) {
            *day = Some(hours);
        }
    }

    /// Whether any hours are told: without, it is open and nobody says when people are expected.
    pub fn is_told(&self) -> bool {
        self.days.iter().any(Option::is_some)
    }

    /// Whether it is open at that time of the wall clock: a holiday has the hours of the day that it is like.
    pub fn is_open(&self, local: NaiveDateTime, holidays: &Holidays) -> bool {
        let day = &self.days[usize::from(holidays.weekday_of(local.date()))];
        let minute = local.hour() * 60 + local.minute();
        day.as_ref().is_none_or(|hours| hours.iter().any(|hours| (hours.from..hours.to).contains(&minute)))
    }
}

/// Reads `06:00-24:00`, several with commas between, or `closed`.
///
/// # Errors
/// The text is none of these; what is returned says what it must be.
pub fn parse(text: &str) -> Result<Vec<Hours>, String> {
    if text.trim() == "closed" {
        return Ok(Vec::new());
    }
    text.split(',')
        .map(|part| {
            range(part)
                .ok_or_else(|| "must be like \"06:00-24:00\", several with commas, or \"closed\"; past midnight is the next day's \"00:00-02:00\"".to_owned())
        })
        .collect()
}

fn range(text: &str) -> Option<Hours> {
    let (from, to) = text.split_once('-')?;
    let (from, to) = (minutes(from)?, minutes(to)?);
    (from < to && to <= 24 * 60).then_some(Hours { from, to })
}

fn minutes(text: &str) -> Option<u32> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let (hours, minutes): (u32, u32) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours <= 24 && minutes < 60).then_some(hours * 60 + minutes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_half_open_and_a_day_may_be_closed() {
        let mut opening = Opening::default();
        for day in 0..6 {
            opening.set(day, parse("06:00-24:00").unwrap());
        }
        opening.set(6, parse("closed").unwrap());
        let holidays = Holidays::read([(6, "2019-01-07")], |_, what| panic!("{what}"));
        let at = |text: &str| opening.is_open(text.parse().unwrap(), &holidays);
        assert!(!at("2019-01-05T05:59:00") && at("2019-01-05T06:00:00") && at("2019-01-05T23:50:00"));
        assert!(!at("2019-01-06T12:00:00"));
        assert!(!at("2019-01-07T12:00:00") && at("2019-01-08T12:00:00"), "a Monday that is like a Sunday");
        assert!(parse("24:00-06:00").is_err() && parse("6-24").is_err());
    }
}

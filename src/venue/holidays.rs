//! Days that people spend like another day of the week: holidays, bridging days, a Saturday that is worked.
//!
//! The idea: a holiday is a Sunday on a Thursday. Whoever asks which day of the week it is (what is usual, opening hours) asks here, so that such a day is held against days like it
//! and teaches nothing of Thursdays.

use chrono::NaiveDate;
use std::sync::Arc;

/// Which days are spent like another day of the week; none unless told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holidays {
    /// Days since 1970-01-01, ascending, each with the weekday that it is like, Monday = 0.
    days: Arc<[(i64, u8)]>,
}

impl Holidays {
    /// Reads dates, each with the weekday that it is like (Monday = 0); `fault(position, what)` hears of those that are none or come twice.
    pub fn read<'a>(dates: impl IntoIterator<Item = (u8, &'a str)>, mut fault: impl FnMut(u8, String)) -> Self {
        let mut days: Vec<(i64, u8)> = Vec::new();
        for (like, text) in dates {
            let Ok(date) = text.parse::<NaiveDate>() else {
                fault(like, format!("has \"{text}\"; write dates of the place's own wall clock like \"2030-06-10\""));
                continue;
            };
            let day = date.signed_duration_since(NaiveDate::default()).num_days();
            match days.binary_search_by_key(&day, |(day, _)| *day) {
                Ok(_) => fault(like, format!("has {date}, which is told already; a day is like one other")),
                Err(place) => days.insert(place, (day, like)),
            }
        }
        Self { days: days.into() }
    }

    /// The weekday that a day is like, Monday = 0; its own where nothing else is told. `day` counts from 1970-01-01, a Thursday.
    pub fn weekday(&self, day: i64) -> u8 {
        self.like(day).unwrap_or_else(|| own_weekday(day))
    }

    /// The weekday that `date` is like, Monday = 0.
    pub fn weekday_of(&self, date: NaiveDate) -> u8 {
        self.weekday(date.signed_duration_since(NaiveDate::default()).num_days())
    }

    /// Whether a day is told to be like another weekday than its own.
    pub fn holds(&self, day: i64) -> bool {
        self.like(day).is_some_and(|like| like != own_weekday(day))
    }

    fn like(&self, day: i64) -> Option<u8> {
        self.days.binary_search_by_key(&day, |(day, _)| *day).ok().map(|place| self.days[place].1)
    }
}

/// The day's own weekday, Monday = 0; day 0 of the epoch was a Thursday.
const fn own_weekday(day: i64) -> u8 {
    (day + 3).rem_euclid(7) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holiday_is_like_a_sunday_and_other_days_are_their_own() {
        let holidays = Holidays::read([(6, "2020-05-21"), (0, "2020-02-01"), (6, "2019-12-25")], |_, what| panic!("{what}"));
        let like = |date: &str| holidays.weekday_of(date.parse().unwrap());
        assert_eq!([like("2020-05-20"), like("2020-05-21"), like("2020-05-22"), like("2020-02-01"), like("2019-12-25")], [2, 6, 4, 0, 6]);
        let day = NaiveDate::from_ymd_opt(2020, 5, 21).unwrap().signed_duration_since(NaiveDate::default()).num_days();
        assert_eq!([day - 1, day, day + 1].map(|day| (holidays.weekday(day), holidays.holds(day))), [(2, false), (6, true), (4, false)]);
        let sunday = Holidays::read([(6, "2020-04-12")], |_, what| panic!("{what}"));
        assert!(!sunday.holds(day - 39), "Easter Sunday is a Sunday");
    }

    #[test]
    fn what_is_no_date_or_told_twice_is_named() {
        let mut faults = Vec::new();
        let dates = [(6, "2020-05-21"), (6, "21.5.2020"), (5, "2020-05-21"), (6, "2021-02-29")];
        let holidays = Holidays::read(dates, |like, what| faults.push((like, what)));
        assert_eq!(faults.iter().map(|(like, _)| *like).collect::<Vec<_>>(), [6, 5, 6]);
        assert!(faults[0].1.contains("21.5.2020") && faults[1].1.contains("told already") && faults[2].1.contains("2021-02-29"), "{faults:?}");
        assert_eq!(holidays.weekday_of("2020-05-21".parse().unwrap()), 6);
    }
}

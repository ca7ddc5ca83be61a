//! Whether day and month of a table's times could be taken for one another.
//!
//! The idea: 03/04 is the third of April or the fourth of March, and which of them nobody can tell from it. A day above the twelfth tells; a table without one may be read wrong from its first row to its last, and no
//! row has a fault.

use crate::time::stamp::{Ambiguous, Format, Nonexistent, Stamps};
use chrono::{DateTime, NaiveDate};

/// What the times of a table say of it.
#[derive(Debug, Default)]
pub(super) struct DayMonth {
    /// How the mapping reads a time and how it could be read, until one cannot be read so.
    either: Option<(Stamps, Stamps)>,
    /// The pattern the other way round.
    pattern: String,
    /// The first time that means two days.
    first: Option<(String, NaiveDate, NaiveDate)>,
    /// Times that can only be read the other way round.
    only_other: u64,
}

impl DayMonth {
    /// Before the first of them.
    pub(super) fn of(format: &Format) -> Self {
        let Some(pattern) = swapped(format) else { return Self::default() };
        let by = |format: Format| Stamps { format, zone: None, written_in: None, ambiguous: Ambiguous::First, nonexistent: Nonexistent::Refuse };
        Self { either: Some((by(format.clone()), by(Format::Pattern(pattern.clone())))), pattern, ..Self::default() }
    }

    /// Takes in a time that the mapping can read.
    pub(super) fn see(&mut self, text: &str) {
        let Some((mapped, other)) = &self.either else { return };
        let date = |stamps: &Stamps| DateTime::from_timestamp_millis(stamps.read_wall(text).ok()?.as_millis()).map(|at| at.date_naive());
        match date(mapped).zip(date(other)) {
            None => *self = Self::default(),
            Some((read, other)) if read != other && self.first.is_none() => self.first = Some((text.to_owned(), read, other)),
            Some(_) => {}
        }
    }

    /// Takes in a time that the mapping cannot read.
    pub(super) fn miss(&mut self, text: &str) {
        self.only_other += u64::from(self.either.as_ref().is_some_and(|(_, other)| other.read_wall(text).is_ok()));
    }

    /// What is said where no time has told.
    pub(super) fn doubt(&self) -> Option<String> {
        if self.only_other > 0 {
            let (count, pattern) = (self.only_other, &self.pattern);
            return Some(format!("{count} times can only be read with day and month the other way round, and all the others can be (format = \"{pattern}\")"));
        }
        let (text, read, other) = self.first.as_ref()?;
        let day = |date: &NaiveDate| date.format("%-d %B %Y");
        Some(format!(
            "no time tells day and month apart, for no day is after the 12th: \"{text}\" is read as {}, and could be {} (format = \"{}\")",
            day(read),
            day(other),
            self.pattern
        ))
    }
}

/// The pattern with day and month the other way round, where both are usual: a year before month and day, and dots, leave no choice.
pub(super) fn swapped(format: &Format) -> Option<String> {
    let Format::Pattern(pattern) = format else { return None };
    let pattern = pattern.replace("%D", "%m/%d/%y").replace("%e", "%d");
    let (day, month) = (pattern.find("%d")?, pattern.find("%m")?);
    let between = pattern.get(day.min(month) + 2..day.max(month))?;
    let is_after_the_year = ["%Y", "%y"].iter().any(|year| pattern.find(year).is_some_and(|year| year < day.min(month)));
    let has_no_choice = day < month && between == "." || is_after_the_year && month < day;
    let is_beside = between.chars().count() <= 1 && !between.starts_with(|letter: char| letter.is_alphanumeric() || letter == '%');
    (is_beside && !has_no_choice).then(|| pattern.replace("%d", "%\0").replace("%m", "%d").replace("%\0", "%m"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::table::tests::{LONG, table};

    #[test]
    fn day_and_month_can_change_places_where_both_ways_are_usual() {
        let other = |pattern: &str| swapped(&Format::of(pattern));
        assert_eq!(other("%d/%m/%Y %H:%M").as_deref(), Some("%m/%d/%Y %H:%M"));
        assert_eq!(other("%m-%d-%y").as_deref(), Some("%d-%m-%y"));
        assert_eq!(other("%D %R").as_deref(), Some("%d/%m/%y %R"));
        assert_eq!(other("%Y-%d-%m").as_deref(), Some("%Y-%m-%d"));
        for settled in ["iso", "%Y-%m-%d %H:%M", "%d.%m.%Y", "%Y%m%d", "%d %B %Y", "epoch_s", "%y/%m/%d"] {
            assert_eq!(other(settled), None, "{settled}");
        }
    }

    #[test]
    fn times_that_can_only_be_read_the_other_way_round_say_so() {
        let text = LONG.replace("[long]", "format = \"%m/%d/%Y %H:%M\"\n[long]");
        let read = table("a.csv", &text, b"t,s,i,o\n11/06/2024 10:00,a,1,2\n12/06/2024 10:00,a,1,2\n13/06/2024 10:00,a,1,2\n");
        assert_eq!(
            read.report().doubts,
            ["1 times can only be read with day and month the other way round, and all the others can be (format = \"%d/%m/%Y %H:%M\")"]
        );
    }

    #[test]
    fn a_table_of_which_no_day_is_after_the_12th_says_how_it_is_read() {
        let doubts = |pattern: &str, days: &[u32]| {
            let rows: String = days.iter().map(|day| format!("{day:02}/04/2024 10:00,a,1,2\n")).collect();
            let text = LONG.replace("[long]", &format!("format = \"{pattern}\"\n[long]"));
            table("a.csv", &text, format!("t,s,i,o\n{rows}").as_bytes()).report().doubts.join("\n")
        };
        let told = doubts("%d/%m/%Y %H:%M", &[4, 3, 5]);
        assert!(told.contains("\"03/04/2024 10:00\" is read as 3 April 2024, and could be 4 March 2024 (format = \"%m/%d/%Y %H:%M\")"), "{told}");
        assert!(doubts("%m/%d/%Y %H:%M", &[3]).contains("is read as 4 March 2024, and could be 3 April 2024"));
        assert_eq!(doubts("%d/%m/%Y %H:%M", &[3, 4, 13]), "");
        assert_eq!(doubts("%d/%m/%Y %H:%M", &[4]), "", "it is the fourth of April in any case");
    }
}

//! What is wrong with a row, and faults by their kind.
//!
//! The idea: a fault is told once, as what it is, and how it reads is the last step. A table of a million rows has few kinds of faults and many faults, and whoever mends a mapping needs one row of
//! each kind, not the first five of one.

use super::figure::FigureFault;
use crate::time::EventTime;
use crate::time::stamp::Unreadable;
use serde::Serialize;
use std::fmt;
use thiserror::Error;

/// How many faulty rows are named; the rest is only counted.
const NAMED: usize = 100;

/// What is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum RowFault {
    #[error("the time \"{text}\" {why}{}", hint.as_deref().unwrap_or_default())]
    Time { text: String, why: Unreadable, hint: Option<String> },
    #[error("the time \"{text}\" lies about the year {year}: a mistyped year, or another unit of an epoch (epoch_s, epoch_ms, epoch_us, epoch_ns)")]
    Year { text: String, year: i64 },
    #[error("the time lies {off} beside the grid of {step} that most rows are on; time.off_grid moves it there")]
    BesideGrid { off: Length, step: Length },
    #[error("the time lies {years} years from the rest of the table ({first} to {last}): mistyped?")]
    FarFromTheRest { years: u64, first: EventTime, last: EventTime },
    #[error("names no sensor")]
    Nameless,
    #[error("names no sensor of the table")]
    UnknownSensor,
    #[error("the direction \"{told}\" is neither one of in_is nor one of out_is{}", nearest.as_ref().map_or_else(String::new, |word| format!("; \"{word}\" is, and it is told letter by letter")))]
    Direction { told: String, nearest: Option<String> },
    #[error("column \"{column}\": {why}")]
    Figure { column: String, why: FigureFault },
    #[error("is not UTF-8 ({why}): an older Windows or Mac text; save it as UTF-8")]
    NotUtf8 { why: String },
    #[error("has {cells} cells, the header {columns}{}", torn.as_ref().map_or_else(String::new, |torn| format!(": is a figure such as {torn} torn at its comma? It must stand between quotes, or the cells between other marks")))]
    TooManyCells { cells: usize, columns: usize, torn: Option<String> },
    #[error("has {cells} of {columns} cells, and a quote within one of them: is it not closed?")]
    QuoteWithin { cells: usize, columns: usize },
    #[error("reaches over {lines} lines: is a quote not closed?")]
    SeveralLines { lines: usize },
    #[error("reaches over {lines} lines, {rows} of which look like rows: is a quote in it not closed?")]
    RowsWithin { lines: usize, rows: usize },
    #[error("stands between quotes of the row that begins in line {of}: is one of them too many?")]
    Swallowed { of: u32 },
    #[error("has {cells} of {columns} cells, and the file ends with it: is it cut off?")]
    CutOff { cells: usize, columns: usize },
    #[error("the {what} \"{text}\" {why}{}", hint.as_deref().unwrap_or_default())]
    EventTime { what: &'static str, text: String, why: Unreadable, hint: Option<String> },
    #[error("the attendance \"{text}\" is no number of persons, written as the table's figures are (thousands, decimal_mark)")]
    Attendance { text: String },
    #[error("the event ends no later than it starts: it is taken without its end")]
    EndsBeforeItStarts,
    #[error("the event stands in the calendar before")]
    EventTwice,
}

/// Faults that are mended in one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Written,
    NeverWas,
    Year,
    BesideGrid,
    FarFromTheRest,
    Sensor,
    Direction,
    NoNumber,
    AboveMost,
    NotUtf8,
    TooManyCells,
    Quote,
    Swallowed,
    CutOff,
    EventTime,
    Attendance,
    EndsBeforeItStarts,
    EventTwice,
}

impl RowFault {
    /// What it is one of.
    pub(super) const fn kind(&self) -> Kind {
        match self {
            Self::Time { why: Unreadable::NeverWas { .. } | Unreadable::Nowhere { .. }, .. } => Kind::NeverWas,
            Self::Time { .. } => Kind::Written,
            Self::Year { .. } => Kind::Year,
            Self::BesideGrid { .. } => Kind::BesideGrid,
            Self::FarFromTheRest { .. } => Kind::FarFromTheRest,
            Self::Nameless | Self::UnknownSensor => Kind::Sensor,
            Self::Direction { .. } => Kind::Direction,
            Self::Figure { why: FigureFault::AboveMost { .. }, .. } => Kind::AboveMost,
            Self::Figure { .. } => Kind::NoNumber,
            Self::NotUtf8 { .. } => Kind::NotUtf8,
            Self::TooManyCells { .. } => Kind::TooManyCells,
            Self::QuoteWithin { .. } | Self::SeveralLines { .. } | Self::RowsWithin { .. } => Kind::Quote,
            Self::Swallowed { .. } => Kind::Swallowed,
            Self::CutOff { .. } => Kind::CutOff,
            Self::EventTime { .. } => Kind::EventTime,
            Self::Attendance { .. } => Kind::Attendance,
            Self::EndsBeforeItStarts => Kind::EndsBeforeItStarts,
            Self::EventTwice => Kind::EventTwice,
        }
    }
}

/// Faults of a kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FaultKind {
    /// The first of them, as `file:line: what`.
    pub first: String,
    /// How many there are.
    pub count: u64,
}

/// The faults of a file's rows.
#[derive(Debug, Default)]
pub(super) struct RowFaults {
    file: String,
    /// How many rows have one.
    pub(super) count: u64,
    /// The first of them, as `file:line: what`.
    pub(super) named: Vec<String>,
    /// Their kinds, in the order of the first of each.
    kinds: Vec<(Kind, FaultKind)>,
}

impl RowFaults {
    /// None yet, of this file.
    pub(super) fn of(file: String) -> Self {
        Self { file, ..Self::default() }
    }

    /// Whether the next one is named.
    pub(super) const fn names_more(&self) -> bool {
        self.named.len() < NAMED
    }

    /// Notes one.
    pub(super) fn note(&mut self, line: u32, fault: &RowFault) {
        self.count += 1;
        let told = || format!("{}:{line}: {fault}", self.file);
        if self.names_more() {
            self.named.push(told());
        }
        match self.kinds.iter_mut().find(|(kind, _)| *kind == fault.kind()) {
            Some((_, of_kind)) => of_kind.count += 1,
            None => {
                let of_kind = FaultKind { first: told(), count: 1 };
                self.kinds.push((fault.kind(), of_kind));
            }
        }
    }

    /// How many are of a kind.
    pub(super) fn count_of(&self, kind: Kind) -> u64 {
        self.kinds.iter().find(|(known, _)| *known == kind).map_or(0, |(_, of_kind)| of_kind.count)
    }

    /// The kind of most of them.
    pub(super) fn commonest(&self) -> Option<Kind> {
        self.kinds.iter().rev().max_by_key(|(_, of_kind)| of_kind.count).map(|(kind, _)| *kind)
    }

    /// The faults by kind, in the order of the first of each.
    pub(super) fn into_kinds(self) -> Vec<FaultKind> {
        self.kinds.into_iter().map(|(_, of_kind)| of_kind).collect()
    }
}

/// A length of time as a mapping writes it, ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Length(pub(super) i64);

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            ms if ms % 1_000 != 0 => write!(f, "{ms} ms"),
            ms if ms % 60_000 != 0 => write!(f, "{} s", ms / 1_000),
            ms if ms % 3_600_000 != 0 => write!(f, "{} min", ms / 60_000),
            ms => write!(f, "{} h", ms / 3_600_000),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_counted_by_their_kind_and_the_first_of_each_is_told() {
        let mut faults = RowFaults::of("t.csv".to_owned());
        let no_number = |text: &str| RowFault::Figure { column: "n".to_owned(), why: FigureFault::NoNumber { text: text.to_owned(), is_marked_off: false } };
        let above_most = |persons| RowFault::Figure { column: "n".to_owned(), why: FigureFault::AboveMost { persons, most: 500 } };
        for (line, fault) in [(2, no_number("a 1")), (3, above_most(700)), (4, no_number("b;7")), (9, no_number("")), (12, above_most(9_999))] {
            faults.note(line, &fault);
        }
        assert_eq!((faults.count, faults.commonest(), faults.count_of(Kind::AboveMost)), (5, Some(Kind::NoNumber), 2));
        let told: Vec<_> = faults.into_kinds().into_iter().map(|kind| (kind.first, kind.count)).collect();
        assert!(told[0].0.starts_with("t.csv:2: column \"n\": \"a 1\" is no whole number") && told[0].1 == 3, "{told:?}");
        assert!(told[1].0.starts_with("t.csv:3: column \"n\": 700 is more than 500") && told[1].1 == 2, "{told:?}");
        assert_eq!(told.len(), 2);
    }

    #[test]
    fn no_more_faults_are_named_than_anybody_reads() {
        let mut faults = RowFaults::of("t.csv".to_owned());
        (0..1_000).for_each(|line| faults.note(line, &RowFault::Nameless));
        assert_eq!((faults.count, faults.named.len(), faults.into_kinds()[0].count), (1_000, NAMED, 1_000));
    }
}

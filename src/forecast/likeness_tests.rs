//! Days that are like today: a match that comes back is expected once it shows, an ordinary day is not taken for one.

use super::*;
use crate::time::Span;
use proptest::prelude::*;

const ARRIVAL: std::ops::Range<u16> = 36..42;
const EXIT: std::ops::Range<u16> = 50..53;
const SLOTS: u16 = 96;
const SERIES_SEEN: usize = 3;

/// A venue: on a match day two of its three series surge on arrival, and the third one at the exit.
#[derive(Clone, Copy, Debug)]
struct Town {
    level: f64,
    factor: f64,
}

impl Town {
    fn came(self, series: usize, day: i32, slot: u16, is_match: bool) -> f64 {
        let noise = f64::from((day * 31 + i32::from(slot) * 17 + series as i32 * 7) % 13) / 6.0 - 1.0;
        let surges = is_match && if series < 2 { ARRIVAL.contains(&slot) } else { EXIT.contains(&slot) };
        let ordinary = self.level + 1.2 * noise * self.level.sqrt();
        if surges { ordinary * self.factor } else { ordinary }
    }

    fn teach(self, matches: &[bool]) -> FaceBook {
        let mut book = FaceBook::new(SERIES_SEEN, Span::from_mins(15));
        for (day, is_match) in matches.iter().enumerate() {
            for slot in 0..SLOTS {
                book.learn(when(day as i32, slot), true, |series| Some(self.came(series, day as i32, slot, *is_match)));
            }
        }
        book
    }

    /// Expected of `series` in the slot `target` of the day after those, once its slots before `seen` have been seen; what comes of the calm face where there is but one.
    fn expected(self, matches: &[bool], is_match: bool, seen: u16, series: usize, target: u16) -> f64 {
        let (book, day) = (self.teach(matches), matches.len() as i32);
        let mut likeness = Likeness::default();
        for slot in 0..seen {
            likeness.see(&book, when(day, slot), SERIES_SEEN, |series| Some(self.came(series, day, slot, is_match)));
        }
        let recent = (seen - 12..seen).filter_map(|slot| Some((book.slot(when(day, slot))?, when(day, slot), self.came(series, day, slot, is_match))));
        let weights = likeness.weights(1.0, series, recent).unwrap();
        weights.expected(book.slot(when(day, target)).unwrap(), when(day, target), series).unwrap_or(self.level)
    }
}

fn when(day: i32, slot: u16) -> When {
    When { kind: DayKind::Saturday, day, slot }
}

const TOWN: Town = Town { level: 60.0, factor: 5.0 };

#[test]
fn the_third_surge_is_expected_when_it_begins_and_its_exit_hours_ahead() {
    let matches = [false, false, false, true, false, false, true, false];
    assert!(TOWN.expected(&matches, true, 38, 0, 40) > 4.0 * TOWN.level);
    assert!(TOWN.expected(&matches, true, 40, 2, 51) > 4.0 * TOWN.level);
}

#[test]
fn a_single_surge_changes_nothing() {
    let matches = [false, false, false, true, false, false];
    assert_eq!(TOWN.expected(&matches, true, 38, 0, 40), TOWN.level);
}

#[test]
fn what_comes_each_second_week_is_expected_before_it_shows() {
    let matches: Vec<bool> = (0..12).map(|week| week % 2 == 0).collect();
    assert!(TOWN.expected(&matches, true, 30, 0, 40) > 4.0 * TOWN.level);
    assert!(TOWN.expected(&matches[..11], false, 30, 0, 40) < 1.1 * TOWN.level);
    assert!(TOWN.expected(&matches, false, 41, 2, 51) < 1.1 * TOWN.level, "it has not come, so nobody will leave");
}

#[test]
fn of_another_day_nothing_is_said() {
    let book = TOWN.teach(&[false, true, false, true, false]);
    let mut likeness = Likeness::default();
    likeness.see(&book, when(5, 40), SERIES_SEEN, |series| Some(TOWN.came(series, 5, 40, true)));
    let weights = likeness.weights(1.0, 0, std::iter::empty()).unwrap();
    let slot = book.slot(when(6, 40)).unwrap();
    assert!(weights.expected(slot, when(5, 41), 0).is_some());
    assert_eq!(weights.expected(slot, when(6, 40), 0), None);
    assert!(Likeness::default().weights(1.0, 0, std::iter::empty()).is_none());
}

proptest! {
    #[test]
    fn a_surge_that_recurs_is_expected_and_an_ordinary_day_is_calm(level in 30.0f64..300.0, factor in 3.0f64..10.0, first in 1usize..6, gap in 1usize..4, more in 0usize..3) {
        let town = Town { level, factor };
        let mut matches = vec![false; first + (2 + more) * (gap + 1)];
        (0..2 + more).for_each(|of| matches[first + of * (gap + 1)] = true);
        let surge = town.expected(&matches, true, 39, 0, 40);
        prop_assert!(surge > 0.8 * factor * level, "{surge}");
        let exit = town.expected(&matches, true, 41, 2, 51);
        prop_assert!(exit > 0.8 * factor * level, "{exit}");
        let calm = town.expected(&matches, false, 39, 0, 40);
        prop_assert!(calm < 1.3 * level, "{calm}");
    }
}

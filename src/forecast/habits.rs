//! How far what tells of a place's habits has been right there: days alike place by place, this weekday place by place and quarter of the day.
//!
//! The idea: where a market is held each week they are right, and where days are only odd they are not. So beside what all places together have taught (`mixture`), each keeps a record of its own of
//! the cases in which such a voice spoke there. A street with one night a week is no judge of its other nights, so the weekday has one for each quarter of each day of the week.

use super::calendar::Place;
use super::mixture::{Record, Voices};
use crate::inference::ask::HORIZONS;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The quarters of a week's days.
const QUARTERS: u8 = 28;
const QUARTER_MS: i64 = 21_600_000;
/// With each case there the ones before count so much less.
const KEEPS: f64 = 0.98;

/// The records of days alike, by series.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AlikeHere(Vec<Record>);

/// The records of the weekday, by quarter of the week's days.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WeekdayHere {
    quarters: BTreeMap<Quarter, OfQuarter>,
}

/// A quarter of a day of the week, from Monday's first on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quarter(u8);

/// The records of one of them: by series, those that spoke, and horizon.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OfQuarter(BTreeMap<u32, [Record; HORIZONS]>);

impl AlikeHere {
    /// Learns one case of a series, whose errors count by `per` persons.
    pub fn learn(&mut self, series: usize, voices: &Voices, came: f64, per: f64) {
        let Some(alike) = voices.alike else { return };
        if self.0.len() <= series {
            self.0.resize(series + 1, Record::default());
        }
        self.0[series].learn(KEEPS, alike, voices, came, per);
    }

    /// Whether all of it are numbers; a stored one may not be.
    pub fn is_sound(&self) -> bool {
        self.0.iter().all(Record::is_sound)
    }

    /// How they have fared at a series.
    pub fn of(&self, series: usize) -> Record {
        self.0.get(series).copied().unwrap_or_default()
    }
}

impl Quarter {
    /// The one in which a place in the local week lies.
    pub fn of(place: Place) -> Self {
        Self(4 * place.weekday + place.millis_of_day.div_euclid(QUARTER_MS).clamp(0, 3) as u8)
    }

    /// The one that stands so in a stored name; `None` for one that no week has.
    pub fn numbered(nth: u8) -> Option<Self> {
        (nth < QUARTERS).then_some(Self(nth))
    }

    /// Its number in names.
    pub const fn number(self) -> u8 {
        self.0
    }
}

impl WeekdayHere {
    /// Learns one case of a horizon of a series, whose errors count by `per` persons.
    pub fn learn(&mut self, quarter: Quarter, (series, horizon): (usize, usize), voices: &Voices, came: f64, per: f64) {
        let Some(weekday) = voices.weekday else { return };
        let records = self.quarters.entry(quarter).or_default().0.entry(series as u32).or_default();
        records[horizon].learn(KEEPS, weekday, voices, came, per);
    }

    /// How it has fared at a horizon of a series.
    pub fn of(&self, quarter: Quarter, series: usize, horizon: usize) -> Record {
        let records = self.quarters.get(&quarter).and_then(|of| of.0.get(&(series as u32)));
        records.map_or_else(Record::default, |records| records[horizon])
    }

    /// The quarters of which anything was learnt.
    pub fn quarters(&self) -> impl Iterator<Item = Quarter> {
        self.quarters.keys().copied()
    }

    /// What the state stores of one of them.
    pub fn quarter(&self, quarter: Quarter) -> Option<&OfQuarter> {
        self.quarters.get(&quarter)
    }

    /// Puts it back. Returns `false` when it is of more series or not of numbers.
    pub fn restore(&mut self, quarter: Quarter, stored: OfQuarter, series: usize) -> bool {
        let is_sound = stored.0.iter().all(|(of, records)| (*of as usize) < series && records.iter().all(Record::is_sound));
        if is_sound {
            self.quarters.insert(quarter, stored);
        }
        is_sound
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forecast::mixture::{Here, Mixture};

    const NIGHT: Place = Place::of_week(2, 22 * 3_600_000);

    #[test]
    fn days_alike_are_heard_where_they_were_right_and_nowhere_else() {
        let market = Voices { plain: 50.0, learnt: 60.0, alike: Some(145.0), ..Voices::default() };
        let odd = Voices { plain: 50.0, learnt: 60.0, alike: Some(150.0), ..Voices::default() };
        let (mut mixture, mut alike) = (Mixture::default(), AlikeHere::default());
        for _ in 0..40 {
            mixture.forget(300.0);
            for (series, voices, came) in [(0, &market, 150.0), (1, &odd, 62.0), (2, &odd, 58.0)] {
                mixture.learn(voices, came, 10.0);
                alike.learn(series, voices, came, 10.0);
            }
        }
        let said = |series: usize| mixture.shares(&market, Here { alike: alike.of(series), ..Here::default() }).of(&market);
        assert!(said(0) > 140.0, "{}", said(0));
        assert!(said(1) < 62.0 && said(7) < 62.0, "{} {}", said(1), said(7));
    }

    #[test]
    fn a_weekday_is_heard_at_the_place_and_the_hours_at_which_it_was_right() {
        let street = Voices { plain: 50.0, learnt: 60.0, weekday: Some(290.0), ..Voices::default() };
        let (mut mixture, mut here) = (Mixture::default(), WeekdayHere::default());
        let (night, noon) = (Quarter::of(NIGHT), Quarter::of(Place::of_week(2, 12 * 3_600_000)));
        for _ in 0..40 {
            mixture.forget(3_600.0);
            for (quarter, series, came) in [(night, 0, 300.0), (noon, 0, 60.0), (night, 1, 61.0)] {
                mixture.learn(&street, came, 10.0);
                here.learn(quarter, (series, 4), &street, came, 10.0);
            }
        }
        let said = |quarter, series, horizon| mixture.shares(&street, Here { weekday: here.of(quarter, series, horizon), ..Here::default() }).of(&street);
        assert!(said(night, 0, 4) > 280.0, "{}", said(night, 0, 4));
        for (quarter, series, horizon) in [(noon, 0, 4), (night, 1, 4), (night, 0, 3), (night, 2, 4)] {
            assert!(said(quarter, series, horizon) < 75.0, "{quarter:?} {series} {horizon}: {}", said(quarter, series, horizon));
        }
    }

    #[test]
    fn a_quarter_comes_back_as_it_was_and_others_are_refused() {
        let mut here = WeekdayHere::default();
        let voices = Voices { learnt: 60.0, weekday: Some(290.0), ..Voices::default() };
        here.learn(Quarter::of(NIGHT), (3, 2), &voices, 300.0, 10.0);
        let mut back = WeekdayHere::default();
        for quarter in here.quarters() {
            let stored: OfQuarter = postcard::from_bytes(&postcard::to_stdvec(here.quarter(quarter).unwrap()).unwrap()).unwrap();
            assert!(!back.restore(quarter, stored.clone(), 3), "it is of four");
            assert!(back.restore(quarter, stored, 4));
        }
        assert_eq!(back, here);
        assert_eq!((Quarter::numbered(27).map(Quarter::number), Quarter::numbered(28)), (Some(27), None));
    }
}

//! A night each week at one place of several: it is expected there half a day ahead, nowhere else and on no other day, and a restart forgets nothing of it.

use crate::forecast::{Forecaster, Outlooks, sample};
use crate::inference::ask::{Answer, Outcome};
use crate::time::{EventTime, HOUR_MS, PaneLength, Span};
use crate::venue::{Venue, VenueId};
use std::collections::BTreeMap;

/// The epoch began on a Thursday, so this is a Wednesday.
const NIGHT: i64 = 6;
const PLACES: usize = 4;

fn venue() -> Venue {
    let mut venue = sample::large(PLACES);
    (venue.pane, venue.step) = (PaneLength::new(Span::from_mins(60)).unwrap(), Span::from_mins(60));
    venue
}

/// The first Wednesday on which nobody comes to it any more.
const LAST: i64 = 16 * 7 + NIGHT;

/// About 40 persons an hour at every place, and 70 at the first on Wednesdays from eight in the evening on: too few for a slot with two faces.
fn came(series: usize, hour: i64) -> u32 {
    let (day, of_day) = (hour.div_euclid(24), hour.rem_euclid(24));
    let is_night = series == 0 && day.rem_euclid(7) == NIGHT && day < LAST && of_day >= 20;
    let leaps = (day * 31 + of_day * 17 + series as i64 * 5).rem_euclid(13) as u32;
    if is_night { 64 + leaps } else { 34 + leaps }
}

fn close(forecaster: &mut Forecaster, hour: i64) -> Outlooks {
    let end = EventTime::from_millis((hour + 1) * HOUR_MS);
    let counts: Vec<Option<u32>> = (0..forecaster.series().len()).map(|series| Some(came(series, hour))).collect();
    forecaster.observe(end, &counts);
    let ask = forecaster.ask(VenueId(0), end);
    let answer = Answer { ticket: ask.ticket, flow: Outcome::Absent, anomaly: Outcome::Absent, by: Default::default() };
    drop(ask);
    forecaster.answer(&answer, &vec![sample::zone_figures(); PLACES])
}

#[test]
fn a_night_each_week_is_expected_half_a_day_ahead_at_its_place_and_nowhere_else() {
    let mut forecaster = Forecaster::new(&venue());
    // What was said twelve hours ahead of nine in the evening, in the ninth to twelfth week.
    let mut said = BTreeMap::new();
    for hour in 0..12 * 168 {
        let outlooks = close(&mut forecaster, hour);
        let target = hour + 12;
        if target % 24 == 21 && target >= 8 * 168 {
            let median = |series: usize| outlooks.series[series].horizons[4].q50;
            said.entry(target.div_euclid(24).rem_euclid(7)).or_insert_with(Vec::new).push((median(0), median(1)));
        }
    }
    for (day, medians) in &said {
        for (at_the_street, elsewhere) in medians {
            let expected = if *day == NIGHT { 60.0..80.0 } else { 30.0..50.0 };
            assert!(expected.contains(at_the_street) && (30.0..50.0).contains(elsewhere), "day {day}: {said:?}");
        }
    }
    assert_eq!(said[&NIGHT].len(), 4);
}

#[test]
fn a_night_that_is_no_more_is_expected_once_and_then_no_more() {
    let mut forecaster = Forecaster::new(&venue());
    let mut said = Vec::new();
    for hour in 0..(LAST + 22) * 24 {
        let outlooks = close(&mut forecaster, hour);
        let target = hour + 12;
        if target % 24 == 21 && target.div_euclid(24) >= LAST - 7 && target.div_euclid(24).rem_euclid(7) == NIGHT {
            said.push(outlooks.series[0].horizons[4].q50);
        }
    }
    let nights: Vec<bool> = said.iter().map(|median| *median >= 55.0).collect();
    assert_eq!(nights[..4], [true, true, false, false], "{said:?}");
}

#[test]
fn a_restart_forgets_nothing_of_it() {
    let mut undisturbed = Forecaster::new(&venue());
    let mut stored = BTreeMap::new();
    for hour in 0..6 * 168 {
        close(&mut undisturbed, hour);
        for (key, value) in undisturbed.take_changed() {
            match value {
                Some(value) => stored.insert(key, value),
                None => stored.remove(&key),
            };
        }
    }
    assert!(stored.keys().any(|key| key.starts_with("weekday/")), "something was learnt of it");
    let mut restarted = Forecaster::new(&venue());
    stored.iter().for_each(|(key, value)| restarted.restore(key, value).unwrap());
    for hour in 6 * 168..7 * 168 {
        assert_eq!(close(&mut undisturbed, hour), close(&mut restarted, hour), "hour {hour}");
        assert_eq!(undisturbed.take_changed(), restarted.take_changed(), "hour {hour}");
    }
}

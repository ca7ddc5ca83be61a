//! Two faces: when they are known, which day was of which, and what leaves no trace.

use super::*;
use crate::forecast::usual::Usual;

const STEP: Span = Span::from_mins(15);
const SLOT: u16 = 39;

fn saturday(day: i32, slot: u16) -> When {
    When { kind: DayKind::Saturday, day, slot }
}

/// Saturdays of one series, each with that count in one slot.
fn taught(counts: &[f64]) -> FaceBook {
    let mut book = FaceBook::new(1, STEP);
    for (day, count) in counts.iter().enumerate() {
        book.learn(saturday(day as i32, SLOT), true, |_| Some(*count));
    }
    book
}

fn faces(book: &FaceBook) -> Option<Faces> {
    book.slot(saturday(0, SLOT))?.of(0)
}

#[test]
fn what_comes_back_has_a_face_of_its_own() {
    let known = faces(&taught(&[50.0, 46.0, 260.0, 52.0, 300.0, 48.0])).unwrap();
    assert!((known.calm - 49.0).abs() < 2.0 && (known.high - 280.0).abs() < 10.0, "{known:?}");
    let before = |days| known.was_high(6, days);
    assert_eq!([1, 2, 3, 4, 5, 6, 7].map(before), [Some(false), Some(true), Some(false), Some(true), Some(false), Some(false), None]);
    assert!((known.frequency() - 2.0 / 6.0).abs() < 1e-9);
    assert_eq!((known.resembles_high(60.0), known.resembles_high(250.0)), (0.0, 1.0));
}

#[test]
fn a_single_surge_has_none() {
    assert_eq!(faces(&taught(&[50.0, 46.0, 260.0, 52.0, 47.0, 48.0, 50.0])), None);
}

#[test]
fn a_first_day_that_was_a_surge_is_known_as_one_afterwards() {
    let known = faces(&taught(&[300.0, 50.0, 260.0, 48.0])).unwrap();
    assert!(known.calm < 55.0 && known.high > 250.0, "{known:?}");
    assert_eq!(known.was_high(4, 4), Some(true));
}

#[test]
fn ordinary_scatter_has_one_face() {
    let even = |case: i32| f64::from(case * 37 % 13);
    for level in [0.0, 3.0, 20.0, 150.0] {
        let counts: Vec<f64> = (0..60).map(|day| level + (even(day) / 6.0 - 1.0) * 2.0 * (level + 1.0_f64).sqrt()).map(|count| count.max(0.0)).collect();
        assert_eq!(faces(&taught(&counts)), None, "{level}");
    }
}

#[test]
fn a_day_without_a_count_passes_all_the_same() {
    let mut book = taught(&[50.0, 260.0, 50.0, 260.0]);
    book.learn(saturday(6, SLOT), true, |_| Some(50.0));
    let known = faces(&book).unwrap();
    assert_eq!([1, 2, 3, 4, 5].map(|days| known.was_high(7, days)), [Some(false), Some(false), Some(false), Some(true), Some(false)]);
}

#[test]
fn who_leaves_after_midnight_is_of_the_evening_and_a_daily_step_of_its_own_day() {
    let calendar = Calendar::new(chrono_tz::UTC, STEP);
    let book = FaceBook::new(1, STEP);
    // The epoch's first Saturday is its third day.
    let at = |hours: u64| book.when(&calendar, EventTime::from_millis(0).after(Span::from_mins(60 * hours)));
    assert_eq!((at(48 + 23).kind, at(48 + 27).kind, at(48 + 28).kind), (DayKind::Saturday, DayKind::Saturday, DayKind::Sunday));
    assert_eq!(at(48 + 23).day, at(48 + 27).day);
    assert_eq!(at(48 + 7 * 24 + 12).day, at(48 + 12).day + 1);
    assert_eq!(at(4 * 24 + 12).day, at(24 + 12).day + 1, "Monday follows Friday");
    let daily = FaceBook::new(1, Span::from_mins(24 * 60));
    assert_eq!(daily.when(&calendar, EventTime::from_millis(2 * DAY_MS)).kind, DayKind::Saturday);
}

#[test]
fn a_slot_of_several_steps_is_learnt_with_its_last() {
    let mut book = FaceBook::new(2, Span::from_mins(5));
    let known = |series: usize| (series == 0).then_some(30.0);
    assert!(book.learn(saturday(0, SLOT), false, known).is_empty());
    assert_eq!(book.learn(saturday(0, SLOT), true, known), [(DayKind::Saturday, SLOT)]);
    assert!(book.learn(saturday(0, SLOT + 1), false, known).is_empty());
    assert_eq!(book.learn(saturday(0, SLOT + 2), false, known), [(DayKind::Saturday, SLOT + 1)], "its last step never came");
}

#[test]
fn a_stored_slot_comes_back_and_one_of_more_series_does_not() {
    let book = taught(&[50.0, 260.0, 50.0, 260.0]);
    let stored = book.stored(DayKind::Saturday, SLOT).unwrap().clone();
    let mut wider = FaceBook::new(2, STEP);
    assert!(wider.restore(DayKind::Saturday, SLOT, stored.clone()));
    assert_eq!((faces(&wider), wider.slot(saturday(0, SLOT)).unwrap().of(1)), (faces(&book), None));
    assert!(!FaceBook::new(0, STEP).restore(DayKind::Saturday, SLOT, stored.clone()));
    let high = stored.high[0];
    for odd in [vec![high, high], vec![High { series: 1, ..high }], vec![High { series: 1, ..high }, high]] {
        let odd = FaceSlot { high: odd, ..stored.clone() };
        assert!(!odd.is_sound(), "{odd:?}");
    }
    assert!(stored.is_sound() && !FaceSlot { known: vec![DAYS as u8 + 1], ..stored }.is_sound());
}

#[test]
fn a_series_that_came_later_has_its_own_high_face_before_and_after_a_restart() {
    let mut book = FaceBook::new(3, STEP);
    assert!(book.restore(DayKind::Saturday, SLOT, taught(&[50.0, 260.0, 50.0, 260.0]).stored(DayKind::Saturday, SLOT).unwrap().clone()));
    // The third comes to have one before the second does.
    let came = |day: i32| [50.0, if day >= 9 && day % 2 == 1 { 900.0 } else { 300.0 }, if day % 2 == 1 { 70.0 } else { 10.0 }];
    (4..16).for_each(|day| drop(book.learn(saturday(day, SLOT), true, |series| Some(came(day)[series]))));
    let of = |book: &FaceBook| -> Vec<(f64, f64)> {
        let slot = book.slot(saturday(0, SLOT)).unwrap();
        (0..3).map(|series| slot.of(series).map_or((-1.0, -1.0), |faces| (faces.calm.round(), faces.high.round()))).collect()
    };
    assert_eq!(of(&book), [(50.0, 260.0), (300.0, 900.0), (10.0, 70.0)]);
    let bytes = postcard::to_stdvec(book.stored(DayKind::Saturday, SLOT).unwrap()).unwrap();
    let mut again = FaceBook::new(3, STEP);
    assert!(again.restore(DayKind::Saturday, SLOT, postcard::from_bytes(&bytes).unwrap()));
    assert_eq!(of(&again), of(&book));
}

#[test]
fn what_was_gathered_of_fewer_series_is_settled_for_more() {
    let mut book = FaceBook::new(1, Span::from_mins(5));
    book.learn(saturday(0, SLOT), false, |_| Some(30.0));
    let mut wider = FaceBook::new(2, Span::from_mins(5));
    assert!(wider.restore_gathering(book.gathering().clone()));
    assert_eq!(wider.learn(saturday(0, SLOT + 1), false, |_| Some(1.0)), [(DayKind::Saturday, SLOT)]);
    assert!(!FaceBook::new(0, STEP).restore_gathering(book.gathering().clone()));
}

/// What is stored of a zone of two ways at steps of five minutes, bytes: usual and faces after six weeks in which each second Saturday has a surge of four hours.
#[test]
fn a_zone_with_two_ways_is_stored_in_sixteen_kilobytes() {
    const ZONES: usize = 10;
    const STEPS_A_DAY: i64 = 288;
    let (step, calendar) = (Span::from_mins(5), Calendar::new(chrono_tz::UTC, Span::from_mins(5)));
    let mut usual = Usual::new(2 * ZONES, step.as_millis() as i64);
    let mut book = FaceBook::new(2 * ZONES, step);
    for number in 0..42 * STEPS_A_DAY {
        let start = EventTime::from_millis(0).after(step.times(number as u64));
        let (place, when) = (calendar.place(start), book.when(&calendar, start));
        let is_surge = when.kind == DayKind::Saturday && when.day % 2 == 0 && (72..88).contains(&when.slot);
        let came = |series: usize| Some(if is_surge { 4_000.0 } else { 150.0 + 10.0 * series as f64 + (number % 7) as f64 });
        usual.learn(place, came);
        book.learn(when, book.when(&calendar, start.after(step)) != when, came);
    }
    let bytes = |value: Result<Vec<u8>, postcard::Error>| value.unwrap().len();
    let of_usual: usize = usual.slots().map(|slot| bytes(postcard::to_stdvec(&usual.stored(slot)))).sum();
    let of_faces: usize = book.names().map(|(kind, slot)| bytes(postcard::to_stdvec(&book.stored(kind, slot)))).sum();
    let high = book.names().filter(|(kind, slot)| book.stored(*kind, *slot).unwrap().of(0).is_some()).count();
    assert_eq!(high, 16, "four hours have two faces");
    let of_zone = (of_usual + of_faces) / ZONES;
    println!("{} + {} bytes a zone", of_usual / ZONES, of_faces / ZONES);
    assert!(of_zone <= 16 * 1024, "{of_zone} bytes: {of_usual} of the usual and {of_faces} of the faces in {ZONES} zones");
}

/// What comes without a surge on the working day after so many, of which each had that count in `surging` of twelve slots and 50 in the others; 100 is the level.
fn without_surges_after(counts: &[f64], surging: u16) -> f64 {
    let mut book = FaceBook::new(1, STEP);
    let working = |day: usize, slot| When { kind: DayKind::Working, day: day as i32, slot };
    for (day, count) in counts.iter().enumerate() {
        (0..12).for_each(|slot| drop(book.learn(working(day, slot), true, |_| Some(if slot < surging { *count } else { 50.0 }))));
    }
    book.without_surges(working(counts.len(), 0), 0, 100.0, 100.0).round()
}

#[test]
fn where_surges_come_and_go_a_day_is_held_against_one_without() {
    // Two weeks without a game, two with one each evening.
    let season: Vec<f64> = (0..40).map(|day| if day / 10 % 2 == 1 { 260.0 } else { 50.0 }).collect();
    for day in [22, 25, 28, 31, 36, 38] {
        assert_eq!(without_surges_after(&season[..day], 2), 50.0, "day {day}");
    }
    assert_eq!(without_surges_after(&season[..20], 2), 100.0, "nobody knows yet whether they will go");
    assert_eq!(without_surges_after(&season[..38], 3), 100.0, "much of the day: that is the weather");
}

#[test]
fn what_stays_or_comes_every_friday_is_usual() {
    let games = [50.0, 260.0, 50.0, 50.0, 260.0, 260.0, 50.0, 50.0, 260.0, 50.0];
    let then = |days: usize| [&games[..], &vec![260.0; days]].concat();
    assert_eq!([4, 5].map(|days| without_surges_after(&then(days), 2)), [50.0, 100.0], "longer than they ever stayed: here to stay");
    let fridays = |days: usize| -> Vec<f64> { (0..days).map(|day| if day % 5 == 4 { 260.0 } else { 50.0 }).collect() };
    assert_eq!([29, 30].map(|days| without_surges_after(&fridays(days), 2)), [100.0, 50.0], "on a Friday, on a Monday");
    // Tuesday had one in five of its last six weeks, and the other days in every second.
    let by_chance: Vec<f64> = (0..31).map(|day| if day % 2 == 0 || [11, 21].contains(&day) { 260.0 } else { 50.0 }).collect();
    assert_eq!(without_surges_after(&by_chance, 2), 50.0, "that is no Tuesday's habit");
}

#[test]
fn what_pulses_within_a_slot_still_does_without_surges() {
    let mut book = FaceBook::new(1, Span::from_mins(5));
    let working = |day: i32, slot| When { kind: DayKind::Working, day, slot };
    for day in 0..20 {
        for slot in 0..8 {
            // A train each quarter of an hour, and on some days a match in the first.
            let persons = if slot == 0 && [3, 4, 9, 10, 15].contains(&day) { [180.0, 60.0, 60.0] } else { [60.0, 0.0, 0.0] };
            persons.iter().enumerate().for_each(|(step, count)| drop(book.learn(working(day, slot), step == 2, |_| Some(*count))));
        }
    }
    let usual = [90.0, 15.0, 15.0].map(|level| book.without_surges(working(20, 0), 0, level, 40.0));
    assert!((usual[0] - 45.0).abs() < 2.0 && (usual[1] - 7.5).abs() < 1.0, "{usual:?}");
}

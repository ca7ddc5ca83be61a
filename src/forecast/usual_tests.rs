//! What is usual: how it learns, what it resists, and what it does not know.

use super::*;

const STEP_MS: i64 = 300_000;

fn place(day: i64, step: i64) -> Place {
    let weekday = day.rem_euclid(7) as u8;
    Place::of_week(weekday, step * STEP_MS)
}

/// Teaches whole days of one series, the first a Monday; `count(day, step)`.
fn taught(days: std::ops::Range<i64>, count: impl Fn(i64, i64) -> Option<f64>) -> Usual {
    let mut usual = Usual::new(1, STEP_MS);
    teach(&mut usual, days, count);
    usual
}

fn teach(usual: &mut Usual, days: std::ops::Range<i64>, count: impl Fn(i64, i64) -> Option<f64>) {
    for day in days {
        for step in 0..288 {
            usual.learn(place(day, step), |_| count(day, step));
        }
    }
    // The next day's first step closes the last slots.
    usual.learn(place(0, 0), |_| None);
}

fn level(usual: &Usual, day: i64, step: i64) -> f64 {
    usual.level(place(day, step)).of(0).unwrap().persons
}

#[test]
fn a_level_is_what_comes_on_days_of_its_kind() {
    let usual = taught(0..14, |day, step| Some(if day % 7 < 5 { 100.0 + step as f64 } else { 30.0 }));
    assert!((level(&usual, 1, 100) - 200.0).abs() < 1.0);
    assert!((level(&usual, 5, 100) - 30.0).abs() < 1.0);
    assert_eq!(usual.level(place(2, 3)).of(0).unwrap().taught.days(), 10);
}

#[test]
fn a_kind_of_day_not_seen_yet_borrows_of_another_and_says_so() {
    let usual = taught(0..3, |_, _| Some(50.0));
    let borrowed = usual.level(place(6, 40)).of(0).unwrap();
    assert!(borrowed.taught.figure() < 0.0 && (borrowed.persons - 50.0).abs() < 1.0);
    assert_eq!(Usual::new(1, STEP_MS).level(place(0, 0)).of(0), None);
}

#[test]
fn a_gap_teaches_nothing() {
    let usual = taught(0..10, |day, step| (day % 2 == 0 || step < 100).then_some(80.0));
    assert!((level(&usual, 2, 200) - 80.0).abs() < 1.0);
    assert_eq!(taught(0..3, |_, _| None).level(place(1, 5)).of(0), None);
}

#[test]
fn a_match_does_not_enter_the_ordinary_day_and_a_recurring_one_by_little() {
    let ordinary = |day: i64, step: i64| 40.0 + ((day * 31 + step * 17) % 13) as f64;
    let night = |day: i64, step: i64| day % 7 == 5 && (230..250).contains(&step);
    let once = taught(0..57, |day, step| Some(if day == 47 && night(day, step) { 2_000.0 } else { ordinary(day, step) }));
    assert!(level(&once, 5, 240) < 75.0, "{}", level(&once, 5, 240));
    let each_second = taught(0..57, |day, step| Some(if day % 14 == 5 && day > 20 && night(day, step) { 2_000.0 } else { ordinary(day, step) }));
    assert!(level(&each_second, 5, 240) < 75.0, "{}", level(&each_second, 5, 240));
}

#[test]
fn a_match_each_second_or_third_saturday_is_not_usual_on_saturdays_whenever_the_table_begins() {
    for (each, first) in [(2, 0), (2, 1), (3, 0), (3, 1), (3, 2)] {
        let mut usual = Usual::new(1, STEP_MS);
        for week in 0..40 {
            let is_match = |day: i64, step: i64| day % 7 == 5 && week % each == first && (230..250).contains(&step);
            let ordinary = |day: i64, step: i64| 40.0 + ((day * 31 + step * 17) % 13) as f64;
            teach(&mut usual, 7 * week..7 * week + 7, |day, step| Some(if is_match(day, step) { 2_000.0 } else { ordinary(day, step) }));
            let level = level(&usual, 5, 240);
            assert!(week == 0 || (35.0..75.0).contains(&level), "each {each}, first in week {first}, after week {week}: {level}");
        }
    }
}

#[test]
fn a_match_on_every_saturday_is_what_is_usual() {
    for first in [0, 1] {
        let is_match = |day: i64, step: i64| day % 7 == 5 && day / 7 >= first && (230..250).contains(&step);
        let usual = taught(0..21, |day, step| Some(if is_match(day, step) { 2_000.0 } else { 45.0 }));
        assert!(level(&usual, 5, 240) > 1_900.0, "from week {first} on: {}", level(&usual, 5, 240));
    }
}

#[test]
fn a_closed_day_that_was_the_first_of_its_kind_is_forgotten_after_two_open_ones() {
    let usual = taught(0..20, |day, _| Some(if day == 5 || day % 7 == 6 { 3.0 } else { 300.0 }));
    assert!((290.0..310.0).contains(&level(&usual, 5, 150)), "{}", level(&usual, 5, 150));
}

#[test]
fn a_lasting_change_is_followed_in_days() {
    let usual = taught(0..70, |day, step| Some(if day < 42 { 100.0 } else { 20.0 } + (step % 7) as f64));
    assert!(level(&usual, 1, 140) < 35.0, "{}", level(&usual, 1, 140));
}

#[test]
fn the_week_tells_a_weekday_that_differs() {
    let usual = taught(0..42, |day, _| Some(if day % 7 == 4 { 130.0 } else { 100.0 }));
    let friday = usual.week(place(4, 150));
    let shifted = friday.shifted(0, level(&usual, 4, 150));
    assert!((120.0..140.0).contains(&shifted), "{shifted}");
    assert_eq!(usual.week(place(5, 150)).day_before(0).map(f64::round), Some(130.0));
    assert_eq!(usual.week(place(4, 150)).week_before(0).map(f64::round), Some(130.0));
}

#[test]
fn minutes_lie_on_the_line_between_the_middles_of_slots() {
    let mut usual = Usual::new(1, 60_000);
    for minute in 0..1_440 {
        let at = Place::of_week(0, minute * 60_000);
        usual.learn(at, |_| Some(minute as f64));
    }
    usual.learn(Place::of_week(1, 0), |_| None);
    for minute in [600, 601, 602, 603, 604] {
        let at = Place::of_week(2, minute * 60_000);
        let level = usual.level(at).of(0).unwrap().persons;
        assert!((level - minute as f64).abs() < 2.0, "{minute}: {level}");
    }
}

#[test]
fn steps_that_begin_beside_the_grid_of_the_day_have_their_own_levels() {
    for (step_ms, from) in [(14_400_000, 10_800_000), (3_600_000, 1_800_000), (86_400_000, 21_600_000), (420_000, 0)] {
        let mut usual = Usual::new(1, step_ms);
        let starts = || (0..(DAY_MS - from + step_ms - 1) / step_ms).map(|step| from + step * step_ms);
        let count = |start: i64| (1 + start / step_ms % 7 * 100) as f64;
        for day in 0..3 {
            for start in starts() {
                usual.learn(Place::of_week(day, start), |_| Some(count(start)));
            }
        }
        for start in starts() {
            let level = usual.level(Place::of_week(3, start)).of(0).unwrap().persons;
            assert!((level - count(start)).abs() < 3.0, "a step of {step_ms} ms at {start}: {level} for {}", count(start));
        }
    }
}

#[test]
fn a_series_takes_no_more_than_eight_kilobytes() {
    let usual = taught(0..21, |_, _| Some(400.0));
    let stored = |key: SlotKey| usual.stored(key).map_or(0, |slot| postcard::to_stdvec(&slot).unwrap().len());
    let levels: usize = usual.levels.keys().map(|(kind, slot)| stored(SlotKey::Level(*kind, *slot))).sum();
    let spreads: usize = usual.spreads.keys().map(|(kind, slot)| stored(SlotKey::Spread(*kind, *slot))).sum();
    let weeks: usize = usual.weeks.keys().map(|(day, slot)| stored(SlotKey::Week(*day, *slot))).sum();
    // A slot of one series holds its lengths too, which many series share.
    assert!(levels + spreads + weeks < 16_000, "{levels} {spreads} {weeks}");
    let held = usual.levels.len() * 3 + usual.spreads.len() * 2 + usual.weeks.len() * 5;
    assert!(held <= 8_000, "{held} bytes");
}

#[test]
fn what_was_stored_comes_back() {
    let usual = taught(0..9, |day, step| Some((day * step % 91) as f64));
    let mut again = Usual::new(1, STEP_MS);
    let keys: Vec<SlotKey> =
        usual.levels.keys().map(|(kind, slot)| SlotKey::Level(*kind, *slot)).chain(usual.weeks.keys().map(|(day, slot)| SlotKey::Week(*day, *slot))).collect();
    for key in keys {
        assert!(again.restore(key, usual.stored(key).unwrap()));
    }
    assert_eq!(level(&again, 3, 77), level(&usual, 3, 77));
    assert!(!again.restore(SlotKey::Week(0, 0), usual.stored(SlotKey::Level(DayKind::Working, 0)).unwrap()));
    assert!(
        !Usual::new(0, STEP_MS).restore(SlotKey::Level(DayKind::Working, 0), usual.stored(SlotKey::Level(DayKind::Working, 0)).unwrap()),
        "it is of one series"
    );
}

#[test]
fn of_a_series_that_came_since_nothing_is_known() {
    // Steps of seven minutes: a slot is not over with its last step, so something is being gathered when it is stored.
    let step_ms = 420_000;
    let mut before = Usual::new(1, step_ms);
    let step = |at: i64| Place::of_week((at * step_ms).div_euclid(DAY_MS).rem_euclid(7) as u8, (at * step_ms).rem_euclid(DAY_MS));
    let steps_of_8_days = 8 * DAY_MS / step_ms;
    (0..steps_of_8_days).for_each(|at| drop(before.learn(step(at), |_| Some(50.0))));
    let mut after = Usual::new(2, step_ms);
    assert!(after.restore_gathering(before.gathering().clone()));
    for key in before.slots() {
        assert!(after.restore(key, before.stored(key).unwrap()), "{key:?}");
    }
    after.learn(step(steps_of_8_days + 3), |_| Some(50.0));
    let view = after.week(step(steps_of_8_days));
    assert!(view.day_before(0).is_some() && view.week_before(0).is_some());
    assert_eq!((view.day_before(1), view.week_before(1), view.spread(1)), (None, None, None), "nobody was counted there, which is not nobody");
}

//! A match night of which nobody has seen one before.

use super::super::event::Manner;
use super::*;
use crate::venue::{Match, ZoneId};

const STEP: Span = Span::from_mins(5);
const MANNER: Manner = Manner { arrival_median_s: 4_200.0, arrival_spread_s: 1_200.0, leaving_s: 480.0, lasts_s: 6_600.0 };
/// Rows of the sample: a gate in and out, a stand in and out.
const GATE_IN: usize = 0;
const STAND_IN: usize = 2;
const STAND_OUT: usize = 3;

fn at(minutes: i64) -> EventTime {
    EventTime::from_millis((1_000 * 60 + minutes) * 60_000)
}

fn programme(planned_end: Option<EventTime>) -> Programme {
    let game =
        Match { id: "m".into(), home: String::new(), away: String::new(), kick_off: at(0), planned_end, expected_attendance: 40_000, plan: Default::default() };
    Programme::new(&[game], MANNER)
}

fn sample() -> Vec<usize> {
    let of = |zone: u32, kind: SeriesKind| Series { zone: ZoneId(zone), kind };
    opposites(&[of(0, SeriesKind::In), of(0, SeriesKind::Out), of(1, SeriesKind::In), of(1, SeriesKind::Out), of(2, SeriesKind::Count)])
}

/// 9,000 persons pass the gate an hour before the start, and take their seats half an hour later.
fn before_the_start(programme: &Programme) -> Tonight {
    let mut tonight = Tonight::new(5);
    assert!(tonight.turn_to(programme, at(-90)));
    tonight.count(at(-60), GATE_IN, 9_000.0);
    tonight.count(at(-60), GATE_IN + 1, 9_000.0);
    tonight.count(at(-30), STAND_IN, 9_000.0);
    tonight
}

fn due(tonight: &Tonight, programme: &Programme, now: EventTime, row: usize, newest: f64, minutes: std::ops::Range<i64>) -> f64 {
    let seen = tonight.seen(programme, now, STEP).unwrap();
    minutes.step_by(5).map(|minute| seen.beyond(sample()[row], newest, at(minute))).sum()
}

#[test]
fn the_other_way_is_that_of_the_same_place() {
    assert_eq!(sample(), [1, 0, 3, 2, 4]);
}

#[test]
fn a_crowd_grows_and_ends_as_the_curve_does() {
    let programme = programme(None);
    let tonight = before_the_start(&programme);
    let next = |now: i64, ahead: i64| due(&tonight, &programme, at(now), GATE_IN, 100.0, now + ahead..now + ahead + 5);
    assert!(next(-120, 0) > 110.0, "it gathers");
    assert!((next(-70, 0) - 100.0).abs() < 5.0, "its height");
    assert!(next(-20, 40) < 30.0, "few come to a match that has begun");
}

#[test]
fn what_came_in_goes_out_after_the_end() {
    let programme = programme(None);
    let tonight = before_the_start(&programme);
    let out = due(&tonight, &programme, at(60), STAND_OUT, 0.0, 110..190);
    assert!((8_500.0..=9_000.0).contains(&out), "{out}");
    assert!(due(&tonight, &programme, at(60), STAND_IN, 0.0, 110..190) < 1.0, "nobody comes to a stand after the end");
}

#[test]
fn who_came_first_leaves_last() {
    let programme = programme(None);
    let tonight = before_the_start(&programme);
    let within = |row: usize| due(&tonight, &programme, at(60), row, 0.0, 110..130);
    assert!(within(STAND_OUT) > 5.0 * within(GATE_IN + 1).max(1.0), "the gate is half an hour away");
}

#[test]
fn a_match_that_is_not_over_yet_is_soon_and_a_planned_end_holds() {
    let overdue = programme(None);
    let mut tonight = before_the_start(&overdue);
    assert!(due(&tonight, &overdue, at(118), STAND_OUT, 0.0, 118..123) < 1.0, "not before the whistle");
    tonight.hear(&overdue, at(119), "m", at(0), true);
    assert!(due(&tonight, &overdue, at(120), STAND_OUT, 0.0, 120..125) > 500.0);

    let planned = programme(Some(at(180)));
    let mut concert = before_the_start(&planned);
    concert.hear(&planned, at(105), "m", at(0), true);
    assert!(due(&concert, &planned, at(110), STAND_OUT, 0.0, 110..175) < 1.0);
    assert!(due(&concert, &planned, at(110), STAND_OUT, 0.0, 180..230) > 7_000.0);
}

#[test]
fn a_late_start_ends_late_planned_or_not() {
    for planned_end in [None, Some(at(110))] {
        let programme = programme(planned_end);
        let mut tonight = before_the_start(&programme);
        assert!(tonight.hear(&programme, at(20), "m", at(30), false));
        assert!(due(&tonight, &programme, at(60), STAND_OUT, 0.0, 60..140) < 1.0, "not before 140 minutes: {planned_end:?}");
        assert!(due(&tonight, &programme, at(60), STAND_OUT, 0.0, 140..200) > 7_000.0, "{planned_end:?}");
    }
}

#[test]
fn what_is_told_of_another_match_is_not_of_this_one() {
    let programme = programme(None);
    let mut tonight = before_the_start(&programme);
    let before = tonight.clone();
    assert!(!tonight.hear(&programme, at(20), "the match of the afternoon", at(-300), true));
    assert_eq!(tonight, before);
}

#[test]
fn the_next_event_starts_anew() {
    let programme = programme(None);
    let mut tonight = before_the_start(&programme);
    assert!(!tonight.turn_to(&programme, at(24 * 60)));
    assert_eq!(tonight, Tonight::new(5));
}

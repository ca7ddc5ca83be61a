//! The scan statistic over one series: what stands out and since when, what is only noise, and what is the new usual.

use super::*;

const STEP: Span = Span::from_mins(30);

fn seen(came: f64, usual: f64, days: f64) -> Seen {
    Seen { came: Some(came), usual: Some((usual, days)), occasion: None, weekday: None, learnt: None }
}

/// A scan that has seen three weeks of a place with about 40 persons a step.
fn settled() -> Scan {
    let mut scan = Scan::default();
    for step in 0..1_000_u32 {
        let came = 40.0 + [6.0, -5.0, 3.0, -6.0, 7.0, -4.0, -1.0][step as usize % 7];
        scan.take(&seen(came, 40.0, 10.0), STEP, 2.0, false, false);
    }
    scan
}

fn after(mut scan: Scan, counts: &[f64], days: f64) -> Evidence {
    let mut last = None;
    for came in counts {
        last = scan.take(&seen(*came, 40.0, days), STEP, 2.0, false, false);
    }
    last.unwrap()
}

#[test]
fn the_usual_is_unusual_to_nobody() {
    let evidence = after(settled(), &[43.0], 10.0);
    assert!(evidence.high.score < 2.0 && evidence.low.score > -2.0, "{evidence:?}");
}

#[test]
fn a_surge_and_a_dip_stand_out_in_their_direction() {
    assert!(after(settled(), &[150.0], 10.0).high.score > 5.0);
    assert!(after(settled(), &[0.0, 0.0], 10.0).low.score < -4.0);
}

#[test]
fn mild_and_long_stands_out_in_a_long_window() {
    let one = after(settled(), &[58.0], 10.0);
    let four = after(settled(), &[58.0, 58.0, 58.0, 58.0], 10.0);
    assert!(four.high.score > one.high.score && four.high.steps > 1, "{one:?} {four:?}");
}

#[test]
fn a_young_profile_widens_the_law() {
    let (young, old) = (after(settled(), &[110.0], 2.0), after(settled(), &[110.0], 20.0));
    assert!(young.high.score < 0.85 * old.high.score, "{young:?} {old:?}");
    let mut scan = settled();
    assert_eq!(scan.take(&seen(500.0, 40.0, 1.0), STEP, 2.0, false, false), None, "with a day known nothing is judged");
}

#[test]
fn a_gap_is_not_judged_and_no_window_reaches_over_a_hole() {
    let mut scan = settled();
    let gap = Seen { came: None, usual: Some((40.0, 10.0)), occasion: None, weekday: None, learnt: None };
    assert!((0..7).all(|_| scan.take(&gap, STEP, 2.0, false, false).is_none()));
    let evidence = scan.take(&seen(41.0, 40.0, 10.0), STEP, 2.0, false, false).unwrap();
    assert_eq!((evidence.high.steps, evidence.low.steps), (1, 1));
}

#[test]
fn a_slow_day_is_not_a_surprise_at_every_step() {
    // Half the days run at 70 %, half at 130 %: the pace carries over.
    let mut scan = Scan::default();
    let day = |scan: &mut Scan, pace: f64| -> f64 {
        let scores = (0..48).map(|_| scan.take(&seen(200.0 * pace, 200.0, 10.0), STEP, 2.0, false, false).unwrap().low.score);
        scores.collect::<Vec<_>>().into_iter().skip(24).fold(0.0, f64::min)
    };
    for _ in 0..20 {
        day(&mut scan, 1.3);
        day(&mut scan, 0.7);
    }
    assert!(scan.carry() > 0.7, "{}", scan.carry());
    assert!(day(&mut scan, 0.7) > -3.0);
}

#[test]
fn few_people_at_night_are_no_event_in_a_busy_place() {
    let mut scan = settled();
    let night = scan.take(&seen(6.0, 0.2, 10.0), STEP, 2.0, false, false).unwrap();
    assert!(night.high.score < 3.0, "{night:?}");
}

#[test]
fn a_dead_counter_is_plainer_the_longer_nobody_comes_though_the_pace_follows() {
    let scores: Vec<f64> = [4, 8, 12, 24].iter().map(|steps| after(settled(), &vec![0.0; *steps], 10.0).low.score).collect();
    assert!(scores[3] < scores[2] && scores[2] < -5.0, "{scores:?}");
    let one_came = after(settled(), &[vec![0.0; 23], vec![1.0]].concat(), 10.0);
    assert!(one_came.low.score > 0.5 * scores[3], "{one_came:?} and {scores:?}");
}

/// How many steps the lowest window has after these.
fn lowest(scan: &mut Scan, steps: impl IntoIterator<Item = Seen>, in_finding: bool) -> (usize, f64) {
    let last = steps.into_iter().filter_map(|seen| scan.take(&seen, STEP, 2.0, in_finding, false)).last().unwrap();
    (last.low.steps, last.low.score)
}

#[test]
fn nobody_came_is_not_said_of_hours_in_which_somebody_did_or_of_which_nobody_knows() {
    let (nobody, gap) = (seen(0.0, 40.0, 10.0), Seen { came: None, ..seen(0.0, 40.0, 10.0) });
    let after = |between: &[Seen]| {
        let steps = [&[nobody; 7][..], between, &[nobody; 7]].concat();
        lowest(&mut settled(), steps, false).0
    };
    assert_eq!(after(&[]), 14);
    assert!(after(&[seen(30.0, 40.0, 1.0)]) <= 8, "though it is not judged");
    assert!(after(&[gap; 8]) <= 8, "four hours");
    assert_eq!(after(&[gap; 3]), 17, "an hour and a half");
    assert!(after(&[seen(0.0, 0.1, 10.0); 8]) <= 8, "an evening and the morning after a night");
}

#[test]
fn who_is_shut_on_mondays_is_missed_on_none() {
    let of = |weekday: Option<f64>| lowest(&mut settled(), [Seen { weekday, ..seen(0.0, 40.0, 10.0) }; 24], false);
    let (as_ever, on_mondays) = (of(None), of(Some(0.0)));
    assert!(as_ever.0 == 24 && on_mondays.0 <= 8 && on_mondays.1 > as_ever.1, "{as_ever:?} {on_mondays:?}");
}

#[test]
fn a_silence_that_was_told_is_not_told_again_and_one_that_was_not_is() {
    let nobody = seen(0.0, 40.0, 10.0);
    let after = |closed: Deviation| {
        let mut scan = settled();
        lowest(&mut scan, [nobody; 12], true);
        scan.restart(Some(closed));
        lowest(&mut scan, [nobody; 3], false).0
    };
    assert!(after(Deviation::Shortfall) <= 3 && after(Deviation::Surge) == 15, "{} {}", after(Deviation::Shortfall), after(Deviation::Surge));
}

#[test]
fn while_somebody_is_to_come_and_nobody_does_it_still_is_off_and_at_night_it_is_not() {
    let holds = |usual: f64| {
        let mut scan = settled();
        lowest(&mut scan, [seen(0.0, 40.0, 10.0); 12], true);
        (0..8).filter_map(|_| scan.take(&seen(0.0, usual, 10.0), STEP, 2.0, true, false)).last().unwrap().holds_low
    };
    assert!(holds(40.0) < -5.0 && holds(0.1) > -2.0, "{} {}", holds(40.0), holds(0.1));
}

#[test]
fn what_the_calendar_adds_is_expected_and_its_absence_is_not() {
    let expected = |came: f64| {
        let mut scan = settled();
        let seen = Seen { came: Some(came), usual: Some((40.0, 10.0)), occasion: Some((400.0, 60.0)), weekday: None, learnt: None };
        scan.take(&seen, STEP, 2.0, false, false).unwrap()
    };
    assert!(expected(430.0).high.score < 1.0 && expected(460.0).low.score > -1.0);
    assert!(expected(40.0).low.score < -4.0 && expected(1_200.0).high.score > 4.0);
}

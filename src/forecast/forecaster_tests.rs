//! The forecaster as the engine drives it.

use super::super::sample;
use super::*;
use crate::crowd::Estimate;
use crate::forecast::faces::FaceSlot;
use crate::forecast::history::HELD;
use crate::forecast::state::RestoreError;
use crate::forecast::watch::deviation::Deviation;
use crate::inference::ask::{HORIZONS, Outcome};
use crate::time::{PaneLength, Span};
use crate::venue::Holidays;
use proptest::prelude::*;
use std::collections::BTreeMap;

const VENUE: VenueId = VenueId(0);
const PANE_S: i64 = 10;
/// Panes in a step of the sample venue.
const STEP: i64 = 6;

fn end(pane: i64) -> EventTime {
    // A Thursday noon, so that all slots of a test are of weekdays.
    EventTime::from_millis((12 * 3_600 + (pane + 1) * PANE_S) * 1_000)
}

fn absent(ask: &Ask) -> Answer {
    Answer { ticket: ask.ticket, flow: Outcome::Absent, anomaly: Outcome::Absent, by: Default::default() }
}

/// A model that says "as plainly forecast, give or take one" for every flow, and scores by the last lag.
fn said(ask: &Ask) -> Answer {
    let flow = [-1.0, 0.0, 1.0].repeat(ask.rows * HORIZONS);
    let anomaly = ask.features.chunks_exact(FEATURES).map(|row| 0.5 + row[0] / 10.0).collect();
    Answer { ticket: ask.ticket, flow: Outcome::Ran(flow), anomaly: Outcome::Ran(anomaly), by: Default::default() }
}

fn close(forecaster: &mut Forecaster, pane: i64, counts: &[Option<u32>], model: fn(&Ask) -> Answer) -> Outlooks {
    forecaster.observe(end(pane), counts);
    let ask = forecaster.ask(VENUE, end(pane));
    let answer = model(&ask);
    drop(ask);
    let mut zones = vec![sample::zone_figures(); 3];
    zones[0].occupancy = Some(Estimate { v: 500.0, lo: 480.0, hi: 520.0 });
    forecaster.answer(&answer, &zones)
}

fn event_at(kick_off: EventTime) -> crate::venue::Match {
    crate::venue::Match {
        id: "m".into(),
        home: String::new(),
        away: String::new(),
        kick_off,
        expected_attendance: 1_000,
        planned_end: None,
        plan: Default::default(),
    }
}

fn counts(pane: i64) -> [Option<u32>; 5] {
    [Some(5 + (pane * 7 % 5) as u32), Some(2), Some(3), (pane % 4 == 0).then_some(9), None]
}

fn run(forecaster: &mut Forecaster, panes: std::ops::Range<i64>, model: fn(&Ask) -> Answer) -> Outlooks {
    let mut last = None;
    for pane in panes {
        last = Some(close(forecaster, pane, &counts(pane), model));
    }
    last.unwrap()
}

#[test]
fn a_model_speaks_for_every_series_that_has_a_lag() {
    let outlooks = run(&mut Forecaster::new(&sample::venue()), 0..STEP, said);
    let by_model: Vec<bool> = outlooks.series.iter().map(|outlook| outlook.by_model).collect();
    assert_eq!(by_model, [true, true, true, true, false]);
    let counted: u32 = (0..STEP).filter_map(|pane| counts(pane)[0]).sum();
    assert_eq!(outlooks.series[0].actual_last, Some(f64::from(counted)));
    assert_eq!(outlooks.series[0].horizons[4].q50, f64::from(counted));
    assert_eq!(outlooks.series[0].horizons.iter().map(|horizon| horizon.h_s).collect::<Vec<_>>(), [60, 120, 180, 360, 720]);
}

#[test]
fn a_series_never_heard_of_gets_no_forecast() {
    let outlooks = run(&mut Forecaster::new(&sample::venue()), 0..STEP, said);
    assert!(outlooks.series[4].horizons.is_empty());
    assert_eq!(outlooks.series[4].score, None);
}

#[test]
fn without_an_answer_the_fallback_speaks() {
    let outlooks = run(&mut Forecaster::new(&sample::venue()), 0..3 * STEP, absent);
    assert!(outlooks.series.iter().all(|outlook| !outlook.by_model));
    assert!((outlooks.series[1].horizons[0].q50 - 12.0).abs() < 1.0, "{:?}", outlooks.series[1]);
}

#[test]
fn an_answer_of_the_wrong_size_is_no_answer() {
    let short = |ask: &Ask| Answer { ticket: ask.ticket, flow: Outcome::Ran(vec![0.0; 15]), anomaly: Outcome::Missed, by: Default::default() };
    assert!(run(&mut Forecaster::new(&sample::venue()), 0..STEP, short).series.iter().all(|outlook| !outlook.by_model));
}

#[test]
fn what_was_expected_is_what_was_said_a_step_before() {
    let mut forecaster = Forecaster::new(&sample::venue());
    let early = run(&mut forecaster, 0..2 * STEP, said);
    assert_eq!(early.series[0].expected_last, Some(expected_early(&sample::venue())));
    let later = run(&mut forecaster, 2 * STEP..3 * STEP, said);
    assert_eq!(later.series[0].expected_last, Some(early.series[0].horizons[0].expected));
}

fn expected_early(venue: &Venue) -> f64 {
    run(&mut Forecaster::new(venue), 0..STEP, said).series[0].horizons[0].expected
}

#[test]
fn scores_come_after_the_warm_up_and_not_for_a_gap() {
    let mut forecaster = Forecaster::new(&sample::venue());
    assert_eq!(run(&mut forecaster, 0..STEP + 2, said).series[0].score, None);
    let warm = run(&mut forecaster, STEP + 2..STEP + 3, said);
    assert!(warm.series[0].score.is_some());
    assert_eq!(warm.series[4].score, None);
}

#[test]
fn a_leap_scores_lower_than_calm() {
    for model in [said as fn(&Ask) -> Answer, absent] {
        let mut forecaster = Forecaster::new(&sample::venue());
        let calm = run(&mut forecaster, 0..9 * STEP, model).series[1].score.unwrap();
        let mut leap = counts(9 * STEP);
        leap[1] = Some(900);
        let odd = close(&mut forecaster, 9 * STEP, &leap, model).series[1].score.unwrap();
        assert!(odd < 0.01 && odd < calm / 10.0, "{odd} {calm}");
    }
}

#[test]
fn only_a_closed_zone_has_a_head_count_ahead() {
    let outlooks = run(&mut Forecaster::new(&sample::venue()), 0..STEP, said);
    let [bowl] = &outlooks.occupancy[..] else { panic!("{:?}", outlooks.occupancy) };
    let net = outlooks.series[0].horizons[0].q50 - outlooks.series[1].horizons[0].q50;
    assert_eq!((bowl.zone, bowl.by_model, bowl.horizons[0].q50), (ZoneId(0), true, 500.0 + net));
}

/// What is usual of the second series in the five minutes with which a test begins.
fn usual_of_the_first_steps(forecaster: &Forecaster) -> Option<f64> {
    let usual = forecaster.usual.level(forecaster.layout.calendar.place(end(-1))).of(1)?;
    Some((usual.persons * 100.0).round() / 100.0)
}

#[test]
fn a_step_is_learned_when_no_window_that_looks_back_reaches_it() {
    let learnt_with_a_revision_at = |pane: i64| {
        let mut forecaster = Forecaster::new(&sample::venue());
        run(&mut forecaster, 0..pane, said);
        forecaster.revise(end(2), 1, 30);
        assert_eq!(usual_of_the_first_steps(&forecaster), None);
        run(&mut forecaster, pane..(HELD as i64 + 6) * STEP, said);
        usual_of_the_first_steps(&forecaster).unwrap()
    };
    let last = HELD as i64 * STEP;
    // Five steps of 12; 30 more in one of them are six more in each.
    assert!((learnt_with_a_revision_at(last - 1) - 18.0).abs() < 0.3, "with the revision that came meanwhile");
    assert!((learnt_with_a_revision_at(last) - 12.0).abs() < 0.3, "and not with one that came too late");
}

#[test]
fn a_step_before_a_silence_is_learned_all_the_same() {
    for silence in [1, STEP, 2 * STEP, 3 * STEP, 100 * STEP] {
        let mut forecaster = Forecaster::new(&sample::venue());
        run(&mut forecaster, 0..STEP, said);
        close(&mut forecaster, STEP + 3 + silence, &counts(0), said);
        let after = STEP + 4 + silence;
        run(&mut forecaster, after..after + (HELD as i64 + 6) * STEP, said);
        let usual = usual_of_the_first_steps(&forecaster).unwrap();
        assert!((usual - 12.0).abs() < 0.3, "{usual} after {silence} panes of silence");
    }
}

#[test]
fn the_tensor_is_used_again_once_it_is_let_go() {
    let mut forecaster = Forecaster::new(&sample::venue());
    forecaster.observe(end(0), &counts(0));
    let first = forecaster.ask(VENUE, end(0));
    let place = first.features.as_ptr();
    assert_eq!((first.rows, first.features.len()), (16, 16 * FEATURES));
    drop(first);
    forecaster.observe(end(1), &counts(1));
    let second = forecaster.ask(VENUE, end(1));
    assert_eq!(second.features.as_ptr(), place);
    forecaster.observe(end(2), &counts(2));
    assert_ne!(forecaster.ask(VENUE, end(2)).features.as_ptr(), place, "the second request is still held");
}

#[test]
fn a_restarted_forecaster_goes_on_as_if_nothing_had_happened() {
    for (model, panes) in [(said as fn(&Ask) -> Answer, 100), (absent, 100), (said, 17), (said, 18), (said, 19)] {
        let venue = sample::venue();
        let mut undisturbed = Forecaster::new(&venue);
        let mut stored = BTreeMap::new();
        for pane in 0..panes {
            close(&mut undisturbed, pane, &counts(pane), model);
            undisturbed.revise(end(pane - 3), 2, 4);
            for (key, value) in undisturbed.take_changed() {
                match value {
                    Some(value) => stored.insert(key, value),
                    None => stored.remove(&key),
                };
            }
        }
        let mut restarted = Forecaster::new(&venue);
        stored.iter().rev().for_each(|(key, value)| restarted.restore(key, value).unwrap());
        for pane in panes..panes + 40 {
            let (a, b) = (close(&mut undisturbed, pane, &counts(pane), model), close(&mut restarted, pane, &counts(pane), model));
            assert_eq!(a, b, "pane {pane} after {panes}");
            assert_eq!(undisturbed.take_changed(), restarted.take_changed());
        }
    }
}

#[test]
fn an_event_that_is_over_is_over_in_the_state_too() {
    let mut venue = sample::venue();
    let (kick_off, planned_end) = (end(30).before(Span::from_mins(5 * 60)), Some(end(30).before(Span::from_mins(4 * 60))));
    let (id, home, away) = ("m1".into(), "A".to_owned(), "B".to_owned());
    venue.matches.push(crate::venue::Match { id, home, away, kick_off, planned_end, expected_attendance: 900, plan: crate::venue::Plan::default() });
    let mut forecaster = Forecaster::new(&venue);
    let mut stored = BTreeMap::new();
    let mut was_on = false;
    for pane in 0..100 {
        close(&mut forecaster, pane, &counts(pane), absent);
        was_on |= forecaster.tonight.is_on();
        stored.extend(forecaster.take_changed().into_iter().filter_map(|(key, value)| value.map(|value| (key, value))));
    }
    assert!(was_on && !forecaster.tonight.is_on());
    let mut restarted = Forecaster::new(&venue);
    restarted.restore("tonight", &stored["tonight"]).unwrap();
    assert_eq!(restarted.tonight, forecaster.tonight);
}

#[test]
fn the_state_does_not_grow_with_the_night() {
    let mut forecaster = Forecaster::new(&sample::venue());
    let mut keys = std::collections::BTreeSet::new();
    for pane in 0..500 {
        close(&mut forecaster, pane, &counts(pane), said);
        for (key, value) in forecaster.take_changed() {
            if value.is_some() {
                keys.insert(key)
            } else {
                keys.remove(&key)
            };
        }
    }
    let of = |kind: &str| keys.iter().filter(|key| key.starts_with(kind)).count();
    assert_eq!((of("history/"), of("issued/"), of("step/")), (13 * STEP as usize, STEP as usize, 12));
}

#[test]
fn a_state_of_another_venue_is_refused_by_name() {
    let mut large = Forecaster::new(&sample::large(9));
    let mut other = Forecaster::new(&sample::venue());
    run(&mut large, 0..8, said);
    let stored = large.take_changed().into_iter().filter_map(|(key, value)| value.map(|value| (key, value)));
    // What is of no series, or of fewer, and a zone of as many series fits any venue: there the layout entry of the state refuses.
    for (key, value) in stored.filter(|(key, _)| !key.starts_with("calibration") && !key.starts_with("horizon") && !key.starts_with("watch")) {
        let refused = other.restore(&key, &value);
        assert_eq!(refused, Err(RestoreError::OtherLayout { key, series: 5 }));
    }
    assert!(matches!(other.restore("moods", &[]), Err(RestoreError::UnknownKey { .. })));
    assert!(matches!(other.restore("pulse", &[255, 1]), Err(RestoreError::Unreadable { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_later_pane_changes_what_was_seen_earlier(
        panes in proptest::collection::vec(proptest::collection::vec(proptest::option::weighted(0.8, 0u32..400), 5), 2..60),
        cut in 1usize..60,
    ) {
        let cut = cut.min(panes.len());
        type Seen = (Arc<Vec<f32>>, Arc<Vec<f32>>, Outlooks);
        // Half an hour of the day before, so that something is usual; and an event is on.
        const DAY: i64 = 86_400 / PANE_S;
        let mut venue = sample::venue();
        venue.matches.push(event_at(end(DAY + 20)));
        let features = |panes: &[Vec<Option<u32>>]| -> (Vec<Seen>, bool) {
            let mut forecaster = Forecaster::new(&venue);
            run(&mut forecaster, 0..30 * STEP, said);
            let seen = panes.iter().zip(DAY..).map(|(counts, pane)| {
                let outlooks = close(&mut forecaster, pane, counts, said);
                let Ask { features, flow, .. } = forecaster.ask(VENUE, end(pane));
                (features, flow, outlooks)
            }).collect();
            (seen, forecaster.sight.usual_of_last(0).is_some())
        };
        let ((whole, is_warm), (early, _)) = (features(&panes), features(&panes[..cut]));
        prop_assert!(is_warm, "something is usual");
        prop_assert_eq!(&whole[..cut], &early[..]);
    }

    #[test]
    fn what_is_issued_is_never_negative_and_never_crosses(
        panes in proptest::collection::vec(proptest::collection::vec(proptest::option::weighted(0.8, 0u32..100_000), 5), 1..40),
    ) {
        let mut forecaster = Forecaster::new(&sample::venue());
        for (pane, counts) in panes.iter().enumerate() {
            let outlooks = close(&mut forecaster, pane as i64, counts, absent);
            let flows = outlooks.series.iter().flat_map(|outlook| &outlook.horizons);
            for horizon in flows.chain(outlooks.occupancy.iter().flat_map(|zone| &zone.horizons)) {
                prop_assert!(0.0 <= horizon.q10 && horizon.q10 <= horizon.q50 && horizon.q50 <= horizon.q90);
            }
        }
    }
}

#[test]
fn a_model_that_is_worse_for_long_is_switched_off_by_itself() {
    let absurd = |ask: &Ask| {
        let flow = [19.0, 20.0, 21.0].repeat(ask.rows * HORIZONS);
        Answer { ticket: ask.ticket, flow: Outcome::Ran(flow), anomaly: Outcome::Absent, by: Default::default() }
    };
    let mut forecaster = Forecaster::new(&sample::venue());
    run(&mut forecaster, 0..120 * STEP, absurd);
    assert!(!forecaster.is_model_off(), "not on the first day");
    let outlooks = run(&mut forecaster, 120 * STEP..2_900 * STEP, absurd);
    assert!(forecaster.is_model_off());
    assert!(outlooks.series.iter().all(|outlook| !outlook.by_model), "what is not heard is not named");
}

#[test]
fn a_models_words_can_be_judged_by_the_requests_alone() {
    let mut forecaster = Forecaster::new(&sample::venue());
    let mut track = crate::inference::Track::default();
    let zones = vec![sample::zone_figures(); 3];
    let [mut plain, mut flow, mut shadow] = [(0, 0.0); 3];
    for pane in 0..40 * STEP {
        forecaster.observe(end(pane), &[Some(6), Some(60), None, None, None]);
        let ask = forecaster.ask(VENUE, end(pane));
        // The one that speaks says as plainly forecast; the shadow a unit more.
        let (as_plain, more) = ([-1.0, 0.0, 1.0].repeat(ask.rows * HORIZONS), [0.0, 1.0, 2.0].repeat(ask.rows * HORIZONS));
        if let Some(scores) = track.hear(&ask, Some(&as_plain), Some(&more)) {
            for (sum, score) in [&mut plain, &mut flow, &mut shadow].into_iter().zip(scores.into_iter().flatten()) {
                *sum = (sum.0 + score.cases, sum.1 + score.error);
            }
        }
        let answer = absent(&ask);
        drop(ask);
        forecaster.answer(&answer, &zones);
    }
    assert_eq!(flow, plain, "they said the same");
    assert!((2 * 37..=2 * 39).contains(&plain.0) && shadow.0 == plain.0, "two series are counted, once a step: {plain:?} {shadow:?}");
    assert!(plain.1 / (plain.0 as f64) < 20.0, "of 36 and 360 persons a step, always the same: {plain:?}");
    assert!(shadow.1 > plain.1, "{plain:?} {shadow:?}");
}

#[test]
fn however_counts_leap_no_forecast_is_absurd() {
    let mut venue = sample::large(1);
    (venue.step, venue.pane) = (Span::from_mins(60), crate::time::PaneLength::new(Span::from_mins(60)).unwrap());
    let mut forecaster = Forecaster::new(&venue);
    let series = forecaster.series().len();
    for hour in 0..40 * 24_i64 {
        let count = if hour < 20 * 24 || hour % 2 == 0 { 10 } else { 1_000_000 };
        let end = EventTime::from_millis((hour + 1) * 3_600_000);
        forecaster.observe(end, &vec![Some(count); series]);
        let ask = forecaster.ask(VENUE, end);
        let answer = absent(&ask);
        drop(ask);
        let said = forecaster.answer(&answer, &[sample::zone_figures()]);
        let highest = said.series.iter().flat_map(|outlook| &outlook.horizons).fold(0.0, |highest: f64, horizon| highest.max(horizon.q90));
        assert!(highest < 2e7, "{highest} persons an hour, where a million is the most that ever came; hour {hour}");
    }
}

#[test]
fn a_match_that_comes_back_is_forecast_and_an_ordinary_saturday_after_it_is_not() {
    let mut venue = sample::large(2);
    (venue.step, venue.pane) = (Span::from_mins(15), crate::time::PaneLength::new(Span::from_mins(15)).unwrap());
    let mut forecaster = Forecaster::new(&venue);
    let series = forecaster.series().len();
    let zones = vec![sample::zone_figures(); 2];
    // The epoch began on a Thursday; what is said on Saturdays at 13:45 for half past two, by week.
    let mut said = Vec::new();
    for step in 0..12 * 7 * 96_i64 {
        let (day, slot) = (step / 96, step % 96);
        let is_match = day % 7 == 2 && [3, 5, 7, 9, 11].contains(&(day / 7)) && (52..58).contains(&slot);
        let count = |series: usize| 40 + (day * 31 + slot * 17 + series as i64 * 5) % 13 + if is_match { 200 } else { 0 };
        let counts: Vec<Option<u32>> = (0..series).map(|series| Some(count(series) as u32)).collect();
        let end = EventTime::from_millis((step + 1) * 900_000);
        forecaster.observe(end, &counts);
        let answer = absent(&forecaster.ask(VENUE, end));
        let outlooks = forecaster.answer(&answer, &zones);
        if day % 7 == 2 && slot == 54 {
            said.push(outlooks.series[0].horizons[2].q50);
        }
    }
    assert!(said[11] > 200.0 && said[9] > said[3] + 50.0, "{said:?}");
    assert!(said[8] < 60.0 && said[10] < 60.0, "{said:?}");
}

#[test]
fn where_every_saturday_has_an_event_its_hours_stand_out_on_none() {
    let mut venue = sample::large(1);
    (venue.step, venue.pane) = (Span::from_mins(15), PaneLength::new(Span::from_mins(15)).unwrap());
    // At six in the evening, elsewhere: it brings nobody here. From two in the afternoon on what is usual learns only what it does not explain.
    venue.matches = (0..10).map(|week| event_at(EventTime::from_millis(((week * 7 + 2) * 96 + 72) * 900_000))).collect();
    let mut forecaster = Forecaster::new(&venue);
    let mut found = Vec::new();
    for step in 0..10 * 7 * 96_i64 {
        let (day, slot) = (step / 96, step % 96);
        let persons = if day % 7 == 2 { 120 } else { 40 } + (day * 31 + slot * 17) % 13;
        let end = EventTime::from_millis((step + 1) * 900_000);
        forecaster.observe(end, &vec![Some(persons as u32); forecaster.series().len()]);
        let answer = absent(&forecaster.ask(VENUE, end));
        let outlooks = forecaster.answer(&answer, &[sample::zone_figures()]);
        let exceeds = outlooks.series.iter().any(|outlook| outlook.watch.is_some_and(|verdict| verdict.exceeds));
        if exceeds && day % 7 == 2 && day > 28 {
            found.push((day, slot));
        }
    }
    assert_eq!(found, [], "(day, slot)");
}

/// A place of one way with steps of an hour, fed from Monday, 5 January 1970 on: 100 an hour on working days, 20 on others and on the holiday, Thursday of the third week.
fn with_a_holiday_in_the_third_week(holidays: Holidays, hours: std::ops::Range<i64>, mut hear: impl FnMut(i64, &Forecaster, &Outlooks)) {
    let mut venue = sample::large(1);
    (venue.pane, venue.step, venue.holidays) = (PaneLength::new(Span::from_mins(60)).unwrap(), Span::from_mins(60), holidays);
    let mut forecaster = Forecaster::new(&venue);
    for hour in hours {
        let (day, end) = (hour.div_euclid(24), EventTime::from_millis((4 * 24 + hour + 1) * 3_600_000));
        let is_off = day % 7 > 4 || day == HOLIDAY;
        forecaster.observe(end, &vec![Some(if is_off { 20 } else { 100 }); forecaster.series().len()]);
        let ask = forecaster.ask(VENUE, end);
        let outlooks = forecaster.answer(&absent(&ask), &[sample::zone_figures()]);
        hear(hour, &forecaster, &outlooks);
    }
}

/// Days after that Monday.
const HOLIDAY: i64 = 2 * 7 + 3;

fn told() -> Holidays {
    Holidays::read([(6, "1970-01-22")], |_, what| panic!("{what}"))
}

#[test]
fn a_holiday_is_forecast_as_the_day_that_it_is_like_and_teaches_nothing_of_its_own() {
    let before_noon = |holidays| {
        let mut said = [0.0; HORIZONS];
        with_a_holiday_in_the_third_week(holidays, 0..HOLIDAY * 24, |_, _, outlooks| {
            said = std::array::from_fn(|horizon| outlooks.series[0].horizons.get(horizon).map_or(f64::NAN, |horizon| horizon.q50));
        });
        said
    };
    let (told, untold) = (before_noon(told()), before_noon(Holidays::default()));
    assert!(told[2..].iter().all(|persons| *persons < 40.0), "from the third hour on, which the evening before says little of, a Sunday is expected: {told:?}");
    assert!(untold.iter().all(|persons| *persons > 80.0), "without the list a Thursday: {untold:?}");
    with_a_holiday_in_the_third_week(self::told(), 0..(HOLIDAY + 3) * 24, |hour, forecaster, _| {
        let usual = |day: i64| {
            let noon = EventTime::from_millis((4 * 24 + day * 24 + 12) * 3_600_000);
            forecaster.usual.level(forecaster.layout.calendar.place(noon)).of(0).map(|level| level.persons.round())
        };
        if hour == (HOLIDAY + 2) * 24 {
            assert_eq!([usual(HOLIDAY), usual(HOLIDAY + 1), usual(HOLIDAY + 7)], [Some(20.0), Some(100.0), Some(100.0)]);
        }
    });
}

#[test]
fn on_a_holiday_nothing_is_learnt_of_days_with_two_faces() {
    let high_faces_at_eight = |holidays| {
        let mut known: usize = 0;
        with_a_holiday_in_the_third_week(holidays, 0..(HOLIDAY + 2) * 24, |_, forecaster, _| {
            let at_eight = forecaster.faces.names().filter(|(_, slot)| *slot == 8);
            known = at_eight.filter_map(|(kind, slot)| forecaster.faces.stored(kind, slot)).map(FaceSlot::high_faces).sum();
        });
        known
    };
    assert_eq!(high_faces_at_eight(told()), 0);
    assert!(high_faces_at_eight(Holidays::default()) > 0);
}

#[test]
fn what_stands_out_for_two_steps_is_expected_to_stand_for_two_more() {
    let hours = 3 * 7 * 24;
    let mut venue = sample::large(1);
    (venue.pane, venue.step) = (PaneLength::new(Span::from_mins(60)).unwrap(), Span::from_mins(60));
    let mut forecaster = Forecaster::new(&venue);
    let mut standing = |hour: i64, persons: u32| {
        let end = EventTime::from_millis((4 * 24 + hour + 1) * 3_600_000);
        forecaster.observe(end, &vec![Some(persons + (hour * 7 % 5) as u32); forecaster.series().len()]);
        let ask = forecaster.ask(VENUE, end);
        forecaster.answer(&absent(&ask), &[sample::zone_figures()]);
        [0, 1, 2].map(|horizon| forecaster.sight.standing_of(0, horizon))
    };
    for hour in 0..hours {
        assert_eq!(standing(hour, 100)[0].filter(|_| hour > 7 * 24), None, "nothing stands out at hour {hour}");
    }
    assert_eq!(standing(hours, 400), [None; 3], "one step may be anything");
    let [next, second, third] = standing(hours + 1, 400);
    assert!(next.is_some_and(|persons| (380.0..420.0).contains(&persons)) && second.is_some() && third.is_none(), "{next:?} {second:?} {third:?}");
    assert_eq!(standing(hours + 2, 10), [None; 3], "it is over, and what fell once may rise again");
}

#[test]
fn nobody_is_missed_on_the_first_saturday_but_where_it_was_counted_that_morning() {
    let missed_at_noon = |counted_until: i64| {
        let mut venue = sample::large(1);
        (venue.pane, venue.step) = (PaneLength::new(Span::from_mins(60)).unwrap(), Span::from_mins(60));
        let mut forecaster = Forecaster::new(&venue);
        let mut usual = None;
        for hour in 0..5 * 24 + 13 {
            let end = EventTime::from_millis((4 * 24 + hour + 1) * 3_600_000);
            forecaster.observe(end, &vec![(hour < 5 * 24 + counted_until).then_some(100); forecaster.series().len()]);
            let ask = forecaster.ask(VENUE, end);
            usual = forecaster.answer(&absent(&ask), &[sample::zone_figures()]).series[0].usual_last;
        }
        usual
    };
    assert_eq!((missed_at_noon(0), missed_at_noon(6).map(f64::round)), (None, Some(100.0)));
}

#[test]
fn in_a_season_of_home_stands_each_game_stands_out_and_no_evening_without_one() {
    let mut venue = sample::large(1);
    (venue.pane, venue.step) = (PaneLength::new(Span::from_mins(60)).unwrap(), Span::from_mins(60));
    let mut forecaster = Forecaster::new(&venue);
    let (mut games, mut found, mut missed_nobody) = (0, 0, 0);
    // Six evenings with a game, seven without; the first is a Monday.
    for hour in 0..26 * 7 * 24_i64 {
        let (day, of_day) = (hour / 24, hour % 24);
        let is_game = day % 13 < 6 && (21..23).contains(&of_day);
        let usual = if of_day < 6 { 20 } else { 200 };
        let persons = (usual + i64::from(is_game) * 400 + (hour * 7 + day * 5) % 11 * usual / 100) as u32;
        let end = EventTime::from_millis((4 * 24 + hour + 1) * 3_600_000);
        forecaster.observe(end, &vec![Some(persons); forecaster.series().len()]);
        let ask = forecaster.ask(VENUE, end);
        let outlooks = forecaster.answer(&absent(&ask), &[sample::zone_figures()]);
        let verdict = outlooks.series.iter().find_map(|series| series.watch).filter(|_| day >= 10 * 7);
        games += i32::from(is_game && of_day == 21 && day >= 10 * 7);
        found += i32::from(is_game && of_day == 21 && verdict.is_some_and(|verdict| verdict.exceeds && verdict.deviation == Deviation::Surge));
        missed_nobody += i32::from(verdict.is_some_and(|verdict| verdict.exceeds && verdict.deviation == Deviation::Shortfall));
    }
    assert!(games > 40 && found >= games - 2, "{found} of {games}");
    assert_eq!(missed_nobody, 0, "evenings without a game");
}

#[test]
fn what_cannot_be_is_refused_and_what_was_known_stays() {
    let mut forecaster = Forecaster::new(&sample::venue());
    run(&mut forecaster, 0..40, said);
    let stored: BTreeMap<String, Vec<u8>> = forecaster.take_changed().into_iter().filter_map(|(key, value)| value.map(|value| (key, value))).collect();
    for key in ["pulse", "horizon/0", "likeness", "spent-like"] {
        let mut damaged = stored[key].clone();
        // Every figure of it becomes one that is no number.
        damaged.iter_mut().skip(1).for_each(|byte| *byte = 0xff);
        let refused = forecaster.restore(key, &damaged);
        assert!(matches!(refused, Err(RestoreError::Unsound { .. } | RestoreError::Unreadable { .. })), "{key}: {refused:?}");
        assert_eq!(forecaster.encoded(StateKey::parse(key).unwrap()), Some(stored[key].clone()), "{key} stays as it was");
    }
}

#[test]
fn a_zone_group_that_is_none_any_more_leaves_nothing_in_the_state_and_an_unchanged_one_stays() {
    let venue = sample::large(3);
    let grouped = |labels: [&str; 3]| {
        let mut venue = venue.clone();
        for (zone, label) in venue.zones.iter_mut().zip(labels) {
            zone.profile = crate::venue::Profile { label: label.into(), ..(*zone.profile).clone() }.into();
        }
        venue
    };
    let mut forecaster = Forecaster::new(&grouped(["a", "b", "a"]));
    forecaster.take_changed();
    forecaster.reload(&venue, &grouped(["a", "b", "a"]));
    assert_eq!(forecaster.take_changed(), Vec::new(), "nothing is written where nothing has changed");
    forecaster.reload(&venue, &grouped(["a", "a", "c"]));
    assert_eq!(forecaster.take_changed(), [("watch/budget/1".to_owned(), None)]);
}

//! From a model that does not serve to the alarm that says so: MODEL-OFF is raised, the forecast goes on without it, and it clears when the model serves again.

use crate::engine::OutTopic;
use crate::engine::story::{Run, SOURCES, START, all_low, count_over};
use crate::inference::ask::{Ask, HORIZONS, Outcome};

/// Length of a pane and of a step, s.
const PANE: i64 = 300;

/// Panes `from..to`: people come in, many and few by turns.
fn count_on(run: &mut Run, panes: std::ops::Range<i64>) {
    for pane in panes {
        let from = pane * PANE;
        run.read(&[count_over("counters", "c-in", from, from + PANE, 60 + (pane * 7 % 5) as u32, 3)], 1);
        run.read(&all_low(&SOURCES, from + PANE), 10);
    }
}

/// The changes of MODEL-OFF, each with the number of the pane at whose end it came.
fn model_off(run: &Run) -> Vec<(String, i64)> {
    let changes = run.outcome.of(OutTopic::Alarms).into_iter().filter(|change| change["code"] == "MODEL-OFF");
    changes.map(|change| (change["change"].as_str().unwrap().to_owned(), (change["event_time"].as_i64().unwrap() - START) / PANE / 1_000)).collect()
}

/// The newest record of the zone, which has its forecast and says who made it.
fn newest_forecast(run: &Run) -> serde_json::Value {
    let newest = run.outcome.place("queue").pop().unwrap();
    assert!(newest.to_string().contains("\"q50\""), "no pane without a forecast: {newest}");
    newest
}

fn says(ask: &Ask, quantiles: [f32; 3]) -> Outcome {
    Outcome::Ran(quantiles.repeat(ask.rows * HORIZONS))
}

/// As plainly forecast, give or take a deviation.
fn good(ask: &Ask) -> Outcome {
    says(ask, [-1.0, 0.0, 1.0])
}

/// A dozen deviations too many.
fn bad(ask: &Ask) -> Outcome {
    says(ask, [11.0, 12.0, 13.0])
}

#[test]
fn a_model_that_is_worse_for_two_days_is_off_and_the_alarm_says_so() {
    let mut run = Run::with_a_flow_model();
    run.flow = bad;
    count_on(&mut run, 0..500);
    assert_eq!(model_off(&run), [], "nothing is said on the first day");
    count_on(&mut run, 500..640);
    let changes = model_off(&run);
    assert_eq!(changes.first().map(|(change, _)| change.as_str()), Some("raised"), "{changes:?}");
    assert!((577..=600).contains(&changes[0].1), "two days are 576 panes: {changes:?}");
    let newest = newest_forecast(&run);
    assert!(!newest.to_string().contains("made-up"), "what is not heard is not named: {newest}");
    assert_eq!(run.outcome.place("queue").len(), 639, "no pane is missing; the newest waits for who is out of order");
}

#[test]
fn a_model_that_is_good_is_heard_and_no_alarm_is_raised() {
    let mut run = Run::with_a_flow_model();
    run.flow = good;
    count_on(&mut run, 0..640);
    assert_eq!(model_off(&run), []);
    assert!(newest_forecast(&run).to_string().contains("made-up"));
}

#[test]
fn a_model_that_misses_its_deadline_or_says_no_number_raises_the_alarm_and_clears_it() {
    for misses in [true, false] {
        let mut run = Run::with_a_flow_model();
        run.flow = good;
        count_on(&mut run, 0..12);
        assert_eq!(model_off(&run), []);
        if misses {
            run.misses = |_| true;
        } else {
            run.flow = |_| Outcome::Absent;
        }
        count_on(&mut run, 12..24);
        let raised = model_off(&run);
        assert_eq!(raised.first().map(|(change, _)| change.as_str()), Some("raised"), "{raised:?}");
        assert!((13..=15).contains(&raised[0].1), "{raised:?}");
        assert!(!newest_forecast(&run).to_string().contains("made-up"));
        let missed = run.outcome.of(OutTopic::Control).iter().filter(|entry| entry["kind"] == "model_missed").count();
        assert_eq!(missed, if misses { 12 } else { 0 }, "each missed deadline is journaled");
        run.misses = |_| false;
        run.flow = good;
        count_on(&mut run, 24..40);
        assert!(model_off(&run).iter().any(|(change, _)| change == "cleared"), "{:?}", model_off(&run));
        assert!(newest_forecast(&run).to_string().contains("made-up"));
    }
}

//! Both implementations of the feature set against the same numbers, and the cases at its edges.

use super::super::history::HistoryPane;
use super::*;
use crate::time::PaneLength;

/// What a series saw, step by step, as the specification tells it: features first, then the profile learns.
struct Told {
    history: History,
    profile: SeasonalProfile,
    calendar: Calendar,
    step: Span,
    now: EventTime,
}

impl Told {
    fn new(step_s: u64, start: EventTime) -> Self {
        let step = Span::from_secs(step_s);
        let history = History::new(1, PaneLength::new(step).unwrap(), step);
        Self { history, profile: SeasonalProfile::new(1), calendar: Calendar::new(chrono_tz::UTC, step), step, now: start }
    }

    fn push(&mut self, count: Option<u32>) -> Vec<f32> {
        let started = self.now;
        self.now = started.after(self.step);
        self.history.push(self.now, &[count]);
        let mut row = vec![0.0; FEATURES];
        let view = View { history: &self.history, profile: &self.profile, calendar: &self.calendar, step: self.step };
        view.fill(self.now, &mut row, &mut [Basis::default()]);
        self.profile.absorb(self.calendar.slot(started), |series| self.history.lag(0, series));
        row
    }
}

#[test]
fn the_features_are_those_that_the_models_were_trained_on() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/features-1.json")).unwrap();
    let fixture: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut compared = 0;
    for series in fixture["series"].as_array().unwrap() {
        let start = chrono::NaiveDateTime::parse_from_str(series["local_start"].as_str().unwrap(), "%Y-%m-%dT%H:%M:%S").unwrap();
        let mut told = Told::new(series["step_seconds"].as_u64().unwrap(), EventTime::from_millis(start.and_utc().timestamp_millis()));
        let counts = series["counts"].as_array().unwrap();
        let issued: Vec<Vec<f32>> = counts.iter().map(|count| told.push(count.as_u64().map(|persons| persons as u32))).collect();
        for row in series["rows"].as_array().unwrap() {
            let after = row["after_steps"].as_u64().unwrap() as usize;
            for (place, (ours, theirs)) in issued[after - 1].iter().zip(row["features"].as_array().unwrap()).enumerate() {
                let (ours, theirs) = (f64::from(*ours), theirs.as_f64().unwrap());
                assert!((ours - theirs).abs() <= 1e-6 * theirs.abs().max(1.0), "{} after {after}, f{place}: {ours} {theirs}", series["name"]);
                compared += 1;
            }
        }
    }
    assert!(compared > 10 * FEATURES, "only {compared} numbers compared");
}

#[test]
fn a_silent_series_says_nothing_but_the_time() {
    let mut told = Told::new(300, EventTime::from_millis(0));
    let row = told.push(None);
    assert!(row[..22].iter().all(|value| *value == 0.0), "{row:?}");
    assert_eq!(row[25], 0.0);
}

#[test]
fn the_level_skips_gaps_and_falls_back_to_all_lags() {
    let mut told = Told::new(300, EventTime::from_millis(0));
    for count in [Some(8), Some(4), None, None, None] {
        told.push(count);
    }
    let row = told.push(None);
    assert!((f64::from(row[12]) - 7f64.ln()).abs() < 1e-6, "the mean of 8 and 4");
    assert_eq!(row[21], 2.0 / 12.0);
}

#[test]
fn an_absurd_count_is_held_within_four() {
    let mut told = Told::new(300, EventTime::from_millis(0));
    told.push(Some(0));
    told.push(Some(0));
    assert_eq!(told.push(Some(4_000_000))[1], -4.0);
}

#[test]
fn rows_come_in_blocks_of_sixteen() {
    assert_eq!([0, 1, 16, 17, 2_000].map(rows_for), [16, 16, 16, 32, 2_000]);
}

#[test]
fn a_stored_pane_keeps_gaps_apart_from_zeros() {
    let mut told = Told::new(300, EventTime::from_millis(0));
    told.push(Some(0));
    let pane: HistoryPane = told.history.pane(told.now).unwrap();
    assert_eq!(pane.counts().collect::<Vec<_>>(), [Some(0)]);
}

//! What the flow model sees: the feature set `midan-features-2` (docs/FEATURES.md), one row of 105 numbers per series.
//!
//! The idea: the model is shown what the stream itself goes by (the signs, and the correction that was learnt here), the size and the time, and answers in the same unit:
//! deviations from the plain forecast. So it has only to find what the stream has not. `midan features` writes exactly these rows.

use super::calendar::{Calendar, DayKind};
use super::learner::{Learner, SIGN_GRAIN};
use super::sight::Sight;
use crate::inference::ask::{FLOW_FEATURES, HORIZONS};
use crate::inference::flow_row::{self, CORRECTION, PLAIN, SPREAD};
use crate::time::{DAY_MS, EventTime, Span};

/// Fills `rows` (at least `FLOW_FEATURES` numbers per series, the rest stays as it is).
pub fn fill(at: EventTime, sight: &Sight, learners: &[&Learner; HORIZONS], calendar: &Calendar, step: Span, rows: &mut [f32]) {
    let of_time = told_of_time(at, calendar, step);
    for (series, row) in rows.chunks_exact_mut(FLOW_FEATURES).take(sight.scale.len()).enumerate() {
        let (scale, size) = (f64::from(sight.scale[series]), f64::from(sight.size[series]));
        for horizon in 0..HORIZONS {
            let signs = sight.signs_of(series, horizon);
            for (value, sign) in row[flow_row::signs_of(horizon)].iter_mut().zip(signs) {
                *value = (f64::from(*sign) / SIGN_GRAIN) as f32;
            }
            let plain = sight.plain_of(series, horizon);
            row[SPREAD.start + horizon] = sight.log_spread(series, horizon) as f32;
            row[CORRECTION.start + horizon] = plain.map_or(0.0, |_| learners[horizon].correction(signs) as f32);
            row[PLAIN.start + horizon] = plain.map_or(-1.0, |plain| libm::log(plain + 1.0) as f32);
        }
        let plain = sight.plain_of(series, 0).unwrap_or(0.0);
        row[flow_row::SCALE] = libm::log(scale) as f32;
        row[flow_row::LEVEL] = libm::log((plain + 1.0) / (size + 1.0)) as f32;
        row[flow_row::SIZE] = libm::log(size + 1.0) as f32;
        row[flow_row::TAUGHT] = (sight.taught[series].figure() / 10.0) as f32;
        row[flow_row::NEWEST] = sight.came(series, 0).map_or(-1.0, |last| libm::log(last + 1.0)) as f32;
        row[flow_row::TIME].iter_mut().zip(of_time).for_each(|(value, told)| *value = told as f32);
    }
}

/// What both models are told of the time: length of a step, time of the day, Saturday, Sunday.
pub(super) fn told_of_time(at: EventTime, calendar: &Calendar, step: Span) -> [f64; 5] {
    let place = calendar.place(at);
    let angle = 2.0 * std::f64::consts::PI * place.millis_of_day as f64 / DAY_MS as f64;
    let is = |kind: DayKind| if place.kind == kind { 1.0 } else { 0.0 };
    [libm::log(step.as_secs_f64() / 300.0), libm::sin(angle), libm::cos(angle), is(DayKind::Saturday), is(DayKind::Sunday)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_as_wide_as_the_model_expects() {
        assert_eq!(
            (FLOW_FEATURES, PLAIN.start, SPREAD.start, flow_row::SCALE, flow_row::NEWEST, flow_row::COS),
            (105, 85, 90, 95, 99, 102),
            "what models were trained on"
        );
    }

    #[test]
    fn a_series_without_a_forecast_says_so() {
        let mut rows = vec![9.0; 2 * FLOW_FEATURES];
        let calendar = Calendar::new(chrono_tz::UTC, Span::from_mins(5));
        fill(EventTime::from_millis(0), &Sight::new(1), &[&Learner::default(); HORIZONS], &calendar, Span::from_mins(5), &mut rows);
        assert!(rows[..CORRECTION.end].iter().all(|value| *value == 0.0));
        assert_eq!((rows[PLAIN.start], rows[flow_row::NEWEST]), (-1.0, -1.0));
        assert!(rows[FLOW_FEATURES..].iter().all(|value| *value == 9.0), "padding stays");
    }
}

//! What the anomaly model sees: the feature set `midan-features-3` (docs/FEATURES.md), one row of 30 numbers per series.
//!
//! The idea: the shape of the last twelve steps, each in deviations from what was expected of it, and how the place, its neighbours and the hour stand, so that a turnstile and a station hall look
//! alike. It is read off the same [`Sight`] as the forecast, so there is one memory of what is usual. `midan features` writes exactly these rows.

use super::calendar::Calendar;
use super::history::LAGS;
use super::recent::Recent;
use super::sight::{Sight, unit};
use super::tensor::told_of_time;
use crate::inference::ask::FEATURES;
use crate::time::{EventTime, Span};

/// Rows of a tensor come in multiples of this.
pub const ROW_BLOCK: usize = 16;
/// Deviations are held within this, so that one absurd count does not drown the rest.
const FARTHEST: f64 = 12.0;
/// Before anything is usual, a step is held against the mean of so many before it.
const BEFORE: usize = 3;

/// Rows of the tensor for so many series, padding included.
pub const fn rows_for(series: usize) -> usize {
    let rows = series.next_multiple_of(ROW_BLOCK);
    if rows == 0 { ROW_BLOCK } else { rows }
}

/// Fills `rows` (at least `FEATURES` numbers per series, the rest stays as it is); `said(series)` is what the forecast of a step before said of the last one, persons.
pub fn fill(at: EventTime, sight: &Sight, said: impl Fn(usize) -> Option<f64>, calendar: &Calendar, step: Span, rows: &mut [f32]) {
    let of_time = told_of_time(at, calendar, step);
    for (series, row) in rows.chunks_exact_mut(FEATURES).take(sight.scale.len()).enumerate() {
        let (scale, size) = (f64::from(sight.scale[series]), f64::from(sight.size[series]));
        let recent = &sight.recent[series];
        let off = |came: Option<f64>, expected: Option<f64>| {
            came.zip(expected).map_or(0.0, |(came, expected)| ((came - expected) / unit(scale, expected)).clamp(-FARTHEST, FARTHEST))
        };
        let shape: [f64; LAGS] = std::array::from_fn(|lag| off(recent.came[lag], expected(recent, lag)));
        let of_series =
            [libm::log(scale), libm::log(size + 1.0), sight.taught[series].figure() / 10.0, recent.came.iter().flatten().count() as f64 / LAGS as f64];
        let told = shape
            .into_iter()
            .chain([expected(recent, 0).map_or(-1.0, |expected| libm::log(expected + 1.0))])
            .chain(sight.ratios[series])
            .chain(sight.others[series])
            .chain([sight.log_spread(series, 0)])
            .chain(of_series)
            .chain(of_time)
            .chain([off(recent.came[0], said(series))]);
        for (value, told) in row.iter_mut().zip(told) {
            *value = told as f32;
        }
    }
}

/// What was to be expected of the step `lag` before the last: the usual, or the mean of the three before it.
fn expected(recent: &Recent, lag: usize) -> Option<f64> {
    recent.usual[lag].or_else(|| {
        let before = recent.came.iter().skip(lag + 1).take(BEFORE).flatten();
        let (sum, known) = before.fold((0.0, 0.0), |(sum, known), came| (sum + came, known + 1.0));
        (known > 0.0).then(|| sum / known)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: Span = Span::from_mins(5);

    /// The row of one series, of which the forecast had said 100.
    fn row(sight: &Sight) -> Vec<f32> {
        let mut rows = vec![9.0; 2 * FEATURES];
        fill(EventTime::from_millis(0), sight, |_| Some(100.0), &Calendar::new(chrono_tz::UTC, STEP), STEP, &mut rows);
        assert!(rows[FEATURES..].iter().all(|value| *value == 9.0), "padding stays");
        rows.truncate(FEATURES);
        rows
    }

    fn seen(came: &[Option<f64>], usual: Option<f64>) -> Sight {
        let mut sight = Sight::new(1);
        sight.scale = vec![2.0];
        came.iter().zip(&mut sight.recent[0].came).for_each(|(came, place)| *place = *came);
        sight.recent[0].usual = [usual; LAGS];
        sight
    }

    #[test]
    fn a_row_is_as_wide_as_the_model_expects() {
        let row = row(&seen(&[Some(139.0)], Some(99.0)));
        assert!(row.iter().all(|value| *value != 9.0), "{row:?}");
    }

    #[test]
    fn a_step_is_told_in_deviations_from_the_usual_and_from_what_was_forecast() {
        let row = row(&seen(&[Some(139.0), None, Some(59.0)], Some(99.0)));
        assert_eq!(row[..4], [2.0, 0.0, -2.0, 0.0]);
        assert!((f64::from(row[12]) - 100f64.ln()).abs() < 1e-6);
        assert!((f64::from(row[29]) - 39.0 / (2.0 * 101f64.sqrt())).abs() < 1e-6);
    }

    #[test]
    fn before_anything_is_usual_a_step_is_held_against_those_before_it() {
        let row = row(&seen(&[Some(139.0), Some(100.0), None, Some(98.0)], None));
        assert_eq!(row[0], 2.0);
        assert!((f64::from(row[1]) - 2.0 / (2.0 * 99f64.sqrt())).abs() < 1e-6, "{}", row[1]);
        assert_eq!(row[3], 0.0, "nothing came before it");
    }

    #[test]
    fn a_silent_series_says_nothing_but_the_time() {
        let row = row(&Sight::new(1));
        assert!(row[..12].iter().all(|value| *value == 0.0), "{row:?}");
        assert_eq!((row[12], row[23], row[29]), (-1.0, 0.0, 0.0));
    }

    #[test]
    fn an_absurd_count_is_held_within_twelve() {
        assert_eq!(row(&seen(&[Some(4e6)], Some(0.0)))[0], 12.0);
    }

    #[test]
    fn rows_come_in_blocks_of_sixteen() {
        assert_eq!([0, 1, 16, 17, 2_000].map(rows_for), [16, 16, 16, 32, 2_000]);
    }
}

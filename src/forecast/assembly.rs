//! From what a model said to persons: quantiles per horizon, and the head count that follows from the flows.
//!
//! The idea: whoever spoke, the same few lines bring it into the units people use, hold it at zero or more, in order, and quantised to a thousandth of a person
//! before it enters state or a comparison (DESIGN §4 rule 6).

use super::fallback::Z90;
use super::features::Basis;
use super::outlook::{Horizon, OccupancyOutlook, Outlook};
use crate::crowd::Estimate;
use crate::inference::ask::{HORIZONS, QUANTILES};
use crate::time::Span;
use crate::venue::ZoneId;

/// Logarithms beyond this are no forecast of persons; the bound keeps the exponential finite.
const LARGEST_LOG: f64 = 16.0;
/// Half the width of a 90 % band in standard deviations.
const Z95: f64 = 1.644_853_626_951_5;

/// The numbers per series in the answer of the flow model.
pub const FLOW_WIDTH: usize = HORIZONS * QUANTILES;

/// Reads one row of the flow model's answer as persons: exp(q)·(b+1) − 1, at least 0. `None` when any of it is not a number.
pub fn from_model(row: &[f32], basis: &Basis) -> Option<[[f64; QUANTILES]; HORIZONS]> {
    if row.len() != FLOW_WIDTH || row.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let mut horizons = [[0.0; QUANTILES]; HORIZONS];
    for (horizon, said) in horizons.iter_mut().zip(row.chunks_exact(QUANTILES)) {
        for (persons, log) in horizon.iter_mut().zip(said) {
            *persons = (libm::exp(f64::from(*log).min(LARGEST_LOG)) * (basis.level + 1.0) - 1.0).max(0.0);
        }
        horizon.sort_unstable_by(f64::total_cmp);
    }
    Some(horizons)
}

/// The horizons as outputs carry them.
pub fn horizons(quantiles: &[[f64; QUANTILES]; HORIZONS], step: Span) -> Vec<Horizon> {
    let at = |(place, [low, median, high]): (usize, &[f64; QUANTILES])| horizon(step, place, *low, *median, *high);
    quantiles.iter().enumerate().map(at).collect()
}

/// The head count of a zone: `now`, plus what comes in, less what goes out, step by step. The band takes the errors of the flows as independent of each other, of those of
/// other steps and of that of `now`; it is held at zero. `None` where one of the flows has no forecast.
pub fn occupancy(zone: ZoneId, now: &Estimate, inwards: &Outlook, outwards: &Outlook, step: Span) -> Option<OccupancyOutlook> {
    if inwards.horizons.is_empty() || inwards.horizons.len() != outwards.horizons.len() {
        return None;
    }
    let mut persons = now.v;
    let mut variance = square((now.hi - now.lo) / (2.0 * Z95));
    let flows = inwards.horizons.iter().zip(&outwards.horizons);
    let horizons = flows.enumerate().map(|(place, (coming, going))| {
        persons = (persons + coming.q50 - going.q50).max(0.0);
        variance += flow_variance(coming) + flow_variance(going);
        let distance = Z90 * variance.sqrt();
        horizon(step, place, (persons - distance).max(0.0), persons, persons + distance)
    });
    Some(OccupancyOutlook { zone, horizons: horizons.collect(), by_model: inwards.by_model && outwards.by_model })
}

/// Persons to a thousandth.
pub fn quantised(persons: f64) -> f64 {
    (persons * 1_000.0).round() / 1_000.0
}

fn horizon(step: Span, place: usize, q10: f64, q50: f64, q90: f64) -> Horizon {
    let h_s = step.times(place as u64 + 1).as_millis() / 1_000;
    Horizon { h_s: u32::try_from(h_s).unwrap_or(u32::MAX), q10: quantised(q10), q50: quantised(q50), q90: quantised(q90) }
}

fn flow_variance(flow: &Horizon) -> f64 {
    square((flow.q90 - flow.q10) / (2.0 * Z90))
}

fn square(x: f64) -> f64 {
    x * x
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forecast::outlook::{Series, SeriesKind};
    use proptest::prelude::*;

    const STEP: Span = Span::from_mins(5);

    fn flow(kind: SeriesKind, persons: [f64; 3]) -> Outlook {
        let series = Series { zone: ZoneId(0), kind };
        Outlook {
            series,
            horizons: horizons(&[persons; HORIZONS], STEP),
            by_model: true,
            score: None,
            watch: None,
            expected_last: None,
            usual_last: None,
            actual_last: None,
        }
    }

    #[test]
    fn the_answer_is_read_against_the_level() {
        let basis = Basis { level: 99.0, ..Basis::default() };
        let mut row = [0.0; FLOW_WIDTH];
        row[..3].copy_from_slice(&[-4.0, 0.0, 1.0]);
        let first = from_model(&row, &basis).unwrap()[0];
        assert!((first[0] - 0.8315).abs() < 1e-3 && first[1] == 99.0 && (first[2] - 270.828).abs() < 1e-3, "{first:?}");
    }

    #[test]
    fn what_is_no_number_is_no_forecast() {
        let mut row = [0.0; FLOW_WIDTH];
        row[17] = f32::NAN;
        assert_eq!(from_model(&row, &Basis::default()), None);
        assert_eq!(from_model(&row[..16], &Basis::default()), None);
    }

    #[test]
    fn heads_are_what_came_less_what_went_and_the_band_adds_variances() {
        let now = Estimate { v: 1_000.0, lo: 1_000.0, hi: 1_000.0 };
        let outlook = occupancy(ZoneId(0), &now, &flow(SeriesKind::In, [70.0, 100.0, 130.0]), &flow(SeriesKind::Out, [0.0, 40.0, 80.0]), STEP).unwrap();
        let first = outlook.horizons[0];
        assert_eq!((first.h_s, first.q50, first.q10, first.q90), (300, 1_060.0, 1_010.0, 1_110.0));
        let last = outlook.horizons[5];
        assert_eq!((last.h_s, last.q50), (1_800, 1_360.0));
        assert!((last.q90 - last.q50 - 50.0 * 6.0_f64.sqrt()).abs() < 1e-2);
    }

    #[test]
    fn a_zone_cannot_hold_fewer_than_nobody() {
        let now = Estimate { v: 50.0, lo: 40.0, hi: 60.0 };
        let outlook = occupancy(ZoneId(0), &now, &flow(SeriesKind::In, [0.0; 3]), &flow(SeriesKind::Out, [30.0, 40.0, 50.0]), STEP).unwrap();
        assert!(outlook.horizons.iter().all(|horizon| horizon.q10 >= 0.0 && horizon.q50 >= 0.0));
        assert_eq!(outlook.horizons[5].q50, 0.0);
    }

    proptest! {
        #[test]
        fn persons_are_finite_in_order_and_not_negative(row in proptest::collection::vec(-90.0f32..90.0, FLOW_WIDTH), level in 0.0f64..1e6) {
            for [low, median, high] in from_model(&row, &Basis { level, ..Basis::default() }).unwrap() {
                prop_assert!(0.0 <= low && low <= median && median <= high && high.is_finite());
            }
        }
    }
}

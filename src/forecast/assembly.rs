//! From a model's answer to persons, and the head count that follows from the flows.
//!
//! The idea: whoever spoke, the same few lines bring it into the units people use, hold it at zero or more, in order, and quantised to a thousandth of a person
//! before it enters state or a comparison (DESIGN §4 rule 6).

use super::few::FEW;
use super::outlook::{Horizon, OccupancyOutlook, Outlook};
use crate::crowd::Estimate;
use crate::inference::ask::{HORIZONS, QUANTILES, STEPS};
use crate::time::Span;
use crate::venue::ZoneId;

/// Standard normal quantile of 90 %.
pub(super) const Z90: f64 = 1.281_551_565_544_6;
/// Half the width of a 90 % band in standard deviations.
const Z95: f64 = 1.644_853_626_951_5;
/// A model's word beyond so many deviations is held at that: nothing absurd leaves.
const FARTHEST: f64 = 12.0;
/// The numbers per series in the answer of the flow model.
pub const FLOW_WIDTH: usize = HORIZONS * QUANTILES;

/// Reads what the flow model said of one horizon, as persons: the plain forecast plus so many deviations, at least 0 and in order. `None` when any of it is not a number.
pub fn from_model(said: &[f32], plain: f64, unit: f64) -> Option<[f64; QUANTILES]> {
    if said.len() != QUANTILES || said.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let mut quantiles = [0.0; QUANTILES];
    for (persons, said) in quantiles.iter_mut().zip(said) {
        *persons = (plain + unit * f64::from(*said).clamp(-FARTHEST, FARTHEST)).max(0.0);
    }
    quantiles.sort_unstable_by(f64::total_cmp);
    Some(quantiles)
}

/// One horizon as outputs carry it.
pub fn horizon(step: Span, place: usize, expected: f64, [q10, q50, q90]: [f64; QUANTILES]) -> Horizon {
    let h_s = step.times(STEPS.get(place).map_or(1, |steps| u64::from(*steps))).as_millis() / 1_000;
    Horizon { h_s: u32::try_from(h_s).unwrap_or(u32::MAX), q10: quantised(q10), q50: quantised(q50), q90: quantised(q90), expected: quantised(expected) }
}

/// The head count of a zone: `now`, plus what comes in, less what goes out, step by step; the flow of a step between two horizons lies on the line between them. The band
/// takes the errors of the flows as independent of each other, of those of other steps and of that of `now`; it is held at zero. `None` where one of the flows has no forecast.
pub fn occupancy(zone: ZoneId, now: &Estimate, inwards: &Outlook, outwards: &Outlook, step: Span) -> Option<OccupancyOutlook> {
    if inwards.horizons.len() != HORIZONS || outwards.horizons.len() != HORIZONS {
        return None;
    }
    let mut persons = now.v;
    let mut variance = square((now.hi - now.lo) / (2.0 * Z95));
    let mut horizons = Vec::with_capacity(HORIZONS);
    for steps in 1..=STEPS[HORIZONS - 1] {
        let (coming, going) = (at_step(&inwards.horizons, steps), at_step(&outwards.horizons, steps));
        persons = (persons + coming.0 - going.0).max(0.0);
        variance += coming.1 + going.1;
        if let Some(place) = STEPS.iter().position(|known| *known == steps) {
            let distance = Z90 * variance.sqrt();
            horizons.push(horizon(step, place, persons, [(persons - distance).max(0.0), persons, persons + distance]));
        }
    }
    Some(OccupancyOutlook { zone, horizons, by_model: inwards.by_model && outwards.by_model })
}

/// What is expected of the flow, and its variance, in the step `steps` from now.
fn at_step(horizons: &[Horizon], steps: u32) -> (f64, f64) {
    let after = STEPS.iter().position(|known| *known >= steps).unwrap_or(HORIZONS - 1);
    let before = if STEPS[after] == steps { after } else { after.saturating_sub(1) };
    let of = |place: usize| (horizons[place].expected, flow_variance(&horizons[place]));
    if before == after {
        return of(after);
    }
    let share = f64::from(steps - STEPS[before]) / f64::from(STEPS[after] - STEPS[before]);
    let between = |from: f64, to: f64| from + share * (to - from);
    (between(of(before).0, of(after).0), between(of(before).1, of(after).1))
}

/// Persons to a thousandth.
pub fn quantised(persons: f64) -> f64 {
    (persons * 1_000.0).round() / 1_000.0
}

/// Of few no less than that of persons who come each for himself: both quantiles may be nobody.
fn flow_variance(flow: &Horizon) -> f64 {
    let of_few = if flow.expected < FEW { flow.expected } else { 0.0 };
    square((flow.q90 - flow.q10) / (2.0 * Z90)).max(of_few)
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
        let horizons = (0..HORIZONS).map(|place| horizon(STEP, place, persons[1], persons)).collect();
        Outlook { horizons, by_model: true, ..Outlook::silent(Series { zone: ZoneId(0), kind }) }
    }

    #[test]
    fn the_answer_is_read_against_the_plain_forecast() {
        assert_eq!(from_model(&[-1.0, 0.5, 2.0], 100.0, 10.0), Some([90.0, 105.0, 120.0]));
        assert_eq!(from_model(&[-2.0, 0.0, 1.0], 5.0, 10.0), Some([0.0, 5.0, 15.0]));
    }

    #[test]
    fn what_is_no_number_is_no_forecast() {
        assert_eq!(from_model(&[0.0, f32::NAN, 0.0], 1.0, 1.0), None);
        assert_eq!(from_model(&[0.0; 2], 1.0, 1.0), None);
    }

    #[test]
    fn heads_are_what_came_less_what_went_and_the_band_adds_variances() {
        let now = Estimate { v: 1_000.0, lo: 1_000.0, hi: 1_000.0 };
        let outlook = occupancy(ZoneId(0), &now, &flow(SeriesKind::In, [70.0, 100.0, 130.0]), &flow(SeriesKind::Out, [0.0, 40.0, 80.0]), STEP).unwrap();
        let first = outlook.horizons[0];
        assert_eq!((first.h_s, first.q50, first.q10, first.q90), (300, 1_060.0, 1_010.0, 1_110.0));
        let last = outlook.horizons[HORIZONS - 1];
        assert_eq!((last.h_s, last.q50), (3_600, 1_720.0));
        assert!((last.q90 - last.q50 - 50.0 * 12.0_f64.sqrt()).abs() < 1e-2);
    }

    #[test]
    fn between_two_horizons_a_flow_changes_evenly() {
        let mut flow = flow(SeriesKind::In, [10.0, 10.0, 10.0]);
        (flow.horizons[3].expected, flow.horizons[4].expected) = (16.0, 40.0);
        let expected: Vec<f64> = [1, 3, 4, 5, 6, 9].iter().map(|steps| at_step(&flow.horizons, *steps).0).collect();
        assert_eq!(expected, [10.0, 10.0, 12.0, 14.0, 16.0, 28.0]);
    }

    #[test]
    fn a_zone_cannot_hold_fewer_than_nobody() {
        let now = Estimate { v: 50.0, lo: 40.0, hi: 60.0 };
        let outlook = occupancy(ZoneId(0), &now, &flow(SeriesKind::In, [0.0; 3]), &flow(SeriesKind::Out, [30.0, 40.0, 50.0]), STEP).unwrap();
        assert!(outlook.horizons.iter().all(|horizon| horizon.q10 >= 0.0 && horizon.q50 >= 0.0));
        assert_eq!(outlook.horizons[4].q50, 0.0);
    }

    proptest! {
        #[test]
        fn persons_are_finite_in_order_and_not_negative(said in proptest::collection::vec(-90.0f32..90.0, QUANTILES), plain in 0.0f64..1e6, unit in 0.1f64..1e4) {
            let [low, median, high] = from_model(&said, plain, unit).unwrap();
            prop_assert!(0.0 <= low && low <= median && median <= high && high.is_finite());
        }
    }
}

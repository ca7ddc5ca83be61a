//! The plain forecast: what is usual for the target step, shifted by how the last hour and the last day compare with the usual.
//!
//! The idea: (usual + ½)·exp(0.7·(hour − day)·0.97^h + 0.9·day) − ½, where the ratio of a day that lasts ([`super::pulse`]) counts little at a few tens of percent and wholly at a
//! closure (x³/(x² + 0.09)). Before anything is usual it is the mean of the newest three steps, and while only a day or two are it has a share still. A ratio of what leaps about, or of the
//! few who wait before the doors open, says nothing of what comes, and a crowd by night is no multiple of the noon: so there are bounds. It is good enough to be published, and it fixes the
//! unit in which all else is told.

use super::pulse::{Pulse, believed, unexplained};
use super::recent::Recent;
use super::usual::Level;
use crate::inference::ask::{HORIZONS, STEPS};
use crate::time::Span;

/// How much of the last hour's ratio is believed, and how much of that lasts from step to step (a quick least-squares fit on the public tables' training parts).
pub(super) const BELIEVED: f64 = 0.7;
const LASTS: f64 = 0.97;
/// How much of a day's ratio is believed.
const DAY_BELIEVED: f64 = 0.9;
/// While fewer days of its kind than this taught what is usual, the mean of the newest steps has a share in the forecast: so much before the first of them, less for
/// longer steps (half at this length, s) and by this factor with each step ahead. Set on the first two weeks of the public tables.
const KNOWN_DAYS: u8 = 3;
const GREEN: f64 = 0.6;
const GREEN_STEP_S: f64 = 1_800.0;
const GREEN_FADES: f64 = 0.8;
/// While fewer than three days of its kind taught it, what is usual may be off by so much of it, where nothing newer corrects it: before the first, which borrows of another kind of day, and after each.
const UNSURE: [f64; KNOWN_DAYS as usize] = [0.22, 0.07, 0.03];
/// So much of a newer correction is left after an hour. By the hour and not by the step: at steps of a minute bands were three times too wide on a place's second day.
const CORRECTS_HOURLY: f64 = 0.8;
const HOUR_S: f64 = 3_600.0;
/// However the last hour ran, no more is forecast than so many times what is usual or has come in the last twelve steps, and no further off the usual than so many times the farthest of these was.
const MOST_TIMES: f64 = 4.0;
/// Beyond so many times more than what is usual and lasts, what is expected above it is no more than the newest step had, or two of the newest three, of which half is left in this time, s, or these steps.
const MOST_MORE: f64 = 1.5;
const EXCESS_HALF_LIFE_S: f64 = 6.0 * HOUR_S;
const EXCESS_HALF_LIFE_STEPS: f64 = 3.0;

/// `LASTS` to the power of each horizon's steps.
pub(super) const LASTING: [f64; HORIZONS] = powers(LASTS, 0);
/// How much of a share fades with the steps after the first, by horizon.
const FADES: [f64; HORIZONS] = powers(GREEN_FADES, 1);

/// By horizon, how much of what is usual nothing newer corrects.
pub(super) fn uncorrected(step: Span) -> [f64; HORIZONS] {
    STEPS.map(|steps| 1.0 - libm::pow(CORRECTS_HOURLY, f64::from(steps - 1) * step.as_secs_f64() / HOUR_S))
}

/// How far what is usual may be off because few days taught it, as a share of it; `uncorrected` is its horizon's ([`uncorrected`]).
pub(super) fn unsure(usual: Option<Level>, uncorrected: f64) -> f64 {
    UNSURE.get(own_days(usual)).map_or(0.0, |share| share * uncorrected)
}

/// How one series runs, and how far that may carry.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plain {
    /// ln(came/usual): of the hour beyond the day, and of the day.
    today: (f64, f64),
    /// The same for a step that lies beyond the next dawn.
    tomorrow: (f64, f64),
    /// The mean of the newest steps, persons.
    level: Option<f64>,
    /// The share of that where no day taught what is usual.
    level_share: f64,
    /// The most that came, the farthest that a step was off the usual, and what the newest had beyond it; persons.
    highest: f64,
    farthest: f64,
    excess: f64,
    step_s: f64,
}

impl Plain {
    /// Of a series as it runs now.
    pub(super) fn new(series: usize, recent: &Recent, pulse: &Pulse, step: Span) -> Self {
        let [hour, ..] = pulse.ratios(series);
        let (today, tomorrow) = pulse.today(series);
        let (scale, step_s) = (pulse.scale(series), step.as_secs_f64());
        let lasting = believed(pulse.lasting(series));
        Self {
            today: (hour - lasting, lasting),
            // Of another day, what counts of the hour is what today as a whole does not explain.
            tomorrow: (unexplained(hour, today), believed(tomorrow)),
            level: recent.level(),
            level_share: GREEN / (1.0 + step_s / GREEN_STEP_S),
            highest: recent.highest(),
            farthest: recent.farthest() + scale,
            excess: recent.excess() + scale,
            step_s,
        }
    }

    /// The mean of the newest steps, persons.
    pub(super) const fn level(&self) -> Option<f64> {
        self.level
    }

    /// What is expected of a horizon of which `usual` is known, persons; `is_tomorrow` where a day dawns between the newest step and it.
    pub(super) fn ahead(&self, horizon: usize, usual: Option<Level>, is_tomorrow: bool) -> Option<f64> {
        let Some(known) = usual else { return self.level };
        let shifted = self.shifted(horizon, known.persons, is_tomorrow);
        let days = own_days(usual).min(usize::from(KNOWN_DAYS));
        let share = self.level_share * (f64::from(KNOWN_DAYS) - days as f64) / f64::from(KNOWN_DAYS) * FADES[horizon];
        Some(self.level.map_or(shifted, |level| shifted + share * (level - shifted)))
    }

    /// What is usual, shifted by how things run.
    fn shifted(&self, horizon: usize, usual: f64, is_tomorrow: bool) -> f64 {
        let (hour, day) = if is_tomorrow { self.tomorrow } else { self.today };
        let shift = BELIEVED * hour * LASTING[horizon] + DAY_BELIEVED * day;
        let shifted = ((usual + 0.5) * libm::exp(shift) - 0.5).clamp(0.0, MOST_TIMES * self.highest.max(usual).max(1.0));
        let lasting = usual * libm::exp(DAY_BELIEVED * day.max(0.0));
        let half_life_s = EXCESS_HALF_LIFE_S.max(EXCESS_HALF_LIFE_STEPS * self.step_s);
        let excess = self.excess * libm::exp2(-self.step_s * f64::from(STEPS[horizon]) / half_life_s);
        shifted.clamp(usual - MOST_TIMES * self.farthest, lasting + (MOST_MORE * lasting).max(excess))
    }
}

/// Days of its own kind that taught what is usual.
fn own_days(usual: Option<Level>) -> usize {
    usual.map_or(0, |level| usize::from(level.taught.days()))
}

const fn powers(base: f64, from: u32) -> [f64; HORIZONS] {
    let mut powers = [1.0; HORIZONS];
    let mut horizon = 0;
    while horizon < HORIZONS {
        let mut step = from;
        while step < STEPS[horizon] {
            powers[horizon] *= base;
            step += 1;
        }
        horizon += 1;
    }
    powers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_days(days: u8) -> Option<Level> {
        Some(Level { persons: 100.0, taught: crate::forecast::usual::Taught::by(days) })
    }

    #[test]
    fn what_few_days_taught_is_unsure_by_the_hour_and_not_by_the_step() {
        let (minutes, hours) = (uncorrected(Span::from_mins(1)), uncorrected(Span::from_mins(60)));
        assert_eq!((minutes[0], hours[0]), (0.0, 0.0), "the newest step corrects the next");
        let twelve = HORIZONS - 1;
        assert!((hours[twelve] - 0.914).abs() < 0.001 && (minutes[twelve] - 0.040).abs() < 0.001, "{hours:?} {minutes:?}");
        assert!((uncorrected(Span::from_mins(60))[1] - uncorrected(Span::from_mins(30))[3]).abs() > 0.1, "of two hours and two and a half");
        let unsure = |days: u8| super::unsure(of_days(days), hours[twelve]);
        assert!(unsure(0) > 0.2 && unsure(0) > unsure(1) && unsure(1) > unsure(2) && unsure(2) > 0.0);
        assert_eq!((unsure(3), super::unsure(None, 1.0)), (0.0, UNSURE[0]));
    }

    #[test]
    fn the_newest_level_has_a_share_until_three_days_taught() {
        let plain = Plain {
            today: (0.0, 0.0),
            tomorrow: (0.0, 0.0),
            level: Some(200.0),
            level_share: 0.6,
            highest: 200.0,
            farthest: 100.0,
            excess: 100.0,
            step_s: 60.0,
        };
        let ahead = |days: u8| plain.ahead(0, of_days(days), false).unwrap();
        assert!((ahead(0) - 160.0).abs() < 1e-9 && (ahead(2) - 120.0).abs() < 1e-9 && (ahead(3) - 100.0).abs() < 1e-9);
        assert_eq!(plain.ahead(0, None, false), Some(200.0), "before anything is usual");
        assert_eq!(Plain { level: None, ..plain }.ahead(0, None, false), None);
    }

    #[test]
    fn a_crowd_by_night_is_no_multiple_of_the_noon() {
        // Ten times the usual by night: at a noon of 500 it would be 3,500.
        let plain = Plain {
            today: (libm::log(10.0), 0.0),
            tomorrow: (0.0, 0.0),
            level: Some(100.0),
            level_share: 0.0,
            highest: 100.0,
            farthest: 90.0,
            excess: 90.0,
            step_s: 3_600.0,
        };
        let noon = plain.ahead(HORIZONS - 1, Some(Level { persons: 500.0, taught: crate::forecast::usual::Taught::by(10) }), false).unwrap();
        assert_eq!(noon, 1_250.0, "two and a half times the usual, and not three");
    }
}

//! The last twelve steps of one series, beside what was usual for each: what the plain forecast, the signs and the voices of like days look at.

use super::calendar::DayKind;
use super::history::{History, LAGS};
use super::sight::unit;
use super::signs::Expected;

/// The recent level is the mean of so many newest steps.
const LEVEL_LAGS: usize = 3;
/// The twelve steps' ratio counts so many persons on both sides.
const CAUTION: f64 = 4.0;

/// The last twelve steps of one series and what was usual for each.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recent {
    /// What came, newest first.
    pub came: [Option<f64>; LAGS],
    /// What was usual.
    pub usual: [Option<f64>; LAGS],
    /// Whether days of its own kind have taught what was usual in the newest, or the series was counted on such a day in these steps.
    pub is_own: bool,
}

impl Recent {
    /// Of the steps that ended before the newest: `lags` tells what was expected of each, `kinds` the kind of its day.
    pub(super) fn of(history: &History, lags: &[Expected<'_>; LAGS], kinds: &[DayKind; LAGS], series: usize) -> Self {
        let came = std::array::from_fn(|lag| history.lag(lag, series).map(|persons| persons as f64));
        let is_counted_on_its_kind = || came.iter().zip(kinds).any(|(came, kind)| came.is_some() && *kind == kinds[0]);
        Self {
            came,
            usual: std::array::from_fn(|lag| lags[lag].of(series).map(|level| level.persons)),
            is_own: lags[0].of(series).is_some_and(|level| level.taught.days() > 0) || is_counted_on_its_kind(),
        }
    }

    /// The newest six steps against the usual of each, in deviations of a series of that scale.
    pub(super) fn residuals(&self, scale: f64) -> [Option<f64>; 6] {
        std::array::from_fn(|lag| self.came[lag].zip(self.usual[lag]).map(|(came, usual)| (came - usual) / unit(scale, usual)))
    }

    /// The most that came in a step, persons.
    pub(super) fn highest(&self) -> f64 {
        self.came.iter().flatten().fold(0.0, |highest, came| highest.max(*came))
    }

    /// How far the farthest step was off the usual, persons.
    pub(super) fn farthest(&self) -> f64 {
        let known = self.came.iter().zip(&self.usual).filter_map(|(came, usual)| came.zip(*usual));
        known.fold(0.0, |farthest, (came, usual)| farthest.max((came - usual).abs()))
    }

    /// How far the newest step was above the usual, or two of the newest three were, persons: one alone that is over has gone.
    pub(super) fn excess(&self) -> f64 {
        let known = self.came.iter().zip(&self.usual).take(LEVEL_LAGS).filter_map(|(came, usual)| came.zip(*usual));
        let mut above = known.map(|(came, usual)| (came - usual).max(0.0));
        let newest = above.next().unwrap_or(0.0);
        // Of three the second highest is the newest or, where that is lower than both others, the lower of these.
        newest.max(above.reduce(f64::min).unwrap_or(0.0))
    }

    /// The recent level: the mean of the newest three steps, of all where none of these is known, persons.
    pub(super) fn level(&self) -> Option<f64> {
        let mean = |came: &[Option<f64>]| {
            let count = came.iter().flatten().count();
            (count > 0).then(|| came.iter().flatten().sum::<f64>() / count as f64)
        };
        mean(&self.came[..LEVEL_LAGS]).or_else(|| mean(&self.came))
    }

    /// ln(came/usual) of all twelve.
    pub(super) fn twelve_steps(&self) -> f64 {
        let known = self.came.iter().zip(&self.usual).filter_map(|(came, usual)| came.zip(*usual));
        let (came, usual) = known.fold((0.0, 0.0), |(came, usual), (c, u)| (came + c, usual + u));
        log_ratio(came, usual, CAUTION)
    }
}

/// ln(came/usual), each with so many persons more: of few it tells little.
pub(super) fn log_ratio(came: f64, usual: f64, caution: f64) -> f64 {
    libm::log((came.max(0.0) + caution) / (usual.max(0.0) + caution))
}

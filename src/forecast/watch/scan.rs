//! One series under watch: windows of several lengths, each held against what is usual, at the pace at which things run right now.
//!
//! The idea: an event is short and violent or long and mild, and nobody knows which. So the newest quarter of an hour, half hour, hour, two and four hours are each compared with their
//! own expectation, and the most unusual speaks (a scan over run lengths, in the manner of Page's CUSUM restarted after each finding). What is expected is the usual, times the ratio of
//! the last hours to the usual, as far as that ratio has proved to carry over in this series: a rainy day is not four hundred surprises.
//!
//! ```text
//!   usual × pace^carry ──► expected ─┐
//!   came ────────────────────────────┴─► windows of 15 … 240 min ─► normal scores ─► the highest, the lowest
//! ```
//!
//! Where nobody comes any more the pace follows, and after some hours no window shows what a dead counter does not count. So what was to come since the last person did is one more window, as soon as
//! it is longer than the others: by the usual of the weekday, and by the pace of before.
//!
//! A profile of few days widens every law: its variance is multiplied by 1 + 6/days.

use super::deviation::Deviation;
use super::law::normal_score;
use super::spread::{Spread, square};
use crate::time::Span;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// The windows, minutes; those shorter than a step are the step.
const WINDOWS_MIN: [u64; 5] = [15, 30, 60, 120, 240];
/// So many of the shortest different windows tell whether a finding still holds.
const HOLDING: usize = 2;
/// A window in which less than this share of the steps was counted is not judged.
const COUNTED: f64 = 0.5;
/// How much the youth of a profile widens the law.
const YOUTH: f64 = 6.0;
/// Persons that everything is measured on top of.
const LEAST_GROUND: f64 = 0.25;
/// The memory of the pace, hours.
const PACE_HOURS: f64 = 3.0;
/// No single step is more of it than this.
const PACE_SHARE: f64 = 1.0 / 3.0;
/// The time in which it wears off while nothing is known, hours: the day goes on as it began, and the next is another.
const FORGOTTEN_HOURS: f64 = 24.0;
/// The pace is held within this.
const PACE: (f64, f64) = (0.3, 3.0);
/// A step moves the pace within so many deviations.
const PACE_ROBUST: f64 = 3.0;
/// Persons per step that draw the pace to 1.
const PACE_PRIOR: f64 = 0.2;
/// The prior of how far the pace carries over, and its weight in squared deviations.
const CARRY_PRIOR: (f64, f64) = (0.5, 20.0);
/// The memory of that, hours.
const CARRY_HOURS: f64 = 50.0;
/// By such a share whole days are off for all places at once: weather, and what an odd day left in what is usual.
const COMMON: f64 = 0.05;
/// The memory of the typical level, weeks.
const LEVEL_WEEKS: f64 = 3.0;
/// Hardly anybody is to come where less than this share of the typical level is usual.
const IDLE: f64 = 0.1;
/// The memory of the ratio that a lasting change is measured by, hours.
const REGIME_HOURS: f64 = 24.0;
/// That ratio is held within this.
const REGIME: (f64, f64) = (0.02, 20.0);
/// While a new regime is learnt, its shape of the day is not known: a variance of this share of the squared mean.
const REGIME_VARIANCE: f64 = 0.15;

/// What is known of one complete step of one series.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Seen {
    /// Persons that came; `None` in a gap.
    pub came: Option<f64>,
    /// What was usual, and how many days taught it; `None` where nothing did.
    pub usual: Option<(f64, f64)>,
    /// What was usual of it on this weekday, where that is known.
    pub weekday: Option<f64>,
    /// What the calendar adds, and one deviation of it, persons; `None` where it expects nothing in particular.
    pub occasion: Option<(f64, f64)>,
    /// The share of quiet steps with a higher learnt score; `None` where no model has spoken.
    pub learnt: Option<f64>,
}

impl Seen {
    /// Whether it can be held against what at least so many days have taught.
    pub fn is_judged(&self, min_days: f64) -> bool {
        self.came.is_some() && self.usual.is_some_and(|(_, days)| days >= min_days)
    }
}

/// What the windows say: normal scores.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Evidence {
    /// The highest over the windows.
    pub high: Window,
    /// The lowest.
    pub low: Window,
    /// The highest over the short windows.
    pub holds_high: f64,
    /// The lowest over the short windows.
    pub holds_low: f64,
    /// Whether more than expected came in the newest step.
    pub leads: bool,
}

/// One window.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Window {
    /// Its normal score.
    pub score: f64,
    /// Steps.
    pub steps: usize,
    /// Persons that came in it.
    pub came: f64,
    /// Persons that were expected.
    pub expected: f64,
}

/// The watch over one series.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Scan {
    cells: VecDeque<Cell>,
    spreads: [Spread; WINDOWS_MIN.len()],
    /// The typical level, persons per step, and how many steps taught it.
    level: (f64, u32),
    pace: Ratio,
    /// Running Σ miss·lead/variance and Σ lead²/variance: how far a lead of the pace carried over.
    carried: (f64, f64),
    regime: Ratio,
    silence: Silence,
    /// All its steps together may be off by this share without anything being the matter.
    common: f64,
}

/// One step in the ring; nobody knows what came where it was not judged.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Cell {
    came: Option<f32>,
    expected: f32,
    /// What was usual, without the pace and the new regime.
    usual: f32,
    youth: f32,
    occasion: f32,
}

/// The steps since the last person came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Silence {
    /// All of them, gaps among them, and those that were judged.
    steps: u32,
    judged: u32,
    /// Whether a finding has told of them.
    is_told: bool,
    /// So many of the newest in which hardly anybody was to come, or nothing is known.
    idle: u32,
    /// The share of the usual at which it ran when they began.
    pace: f64,
    /// What was to come in those that were judged, and their sums of youth and occasion.
    expected: f64,
    youth: f64,
    occasion: f64,
}

impl Silence {
    /// A step in which nobody came, where so many were usual and it ran at that pace; no more than so many persons in all count.
    fn take(&mut self, owed: f64, pace: f64, (youth, occasion): (f64, f64), most: f64) {
        if self.judged == 0 {
            self.pace = pace.min(1.0);
        }
        self.steps = self.steps.saturating_add(1);
        if self.expected < most {
            self.judged += 1;
            self.expected += self.pace * owed;
            self.youth += youth;
            self.occasion += occasion;
        }
    }

    /// A step of which nothing is known.
    fn pass(&mut self) {
        self.steps = if self.judged > 0 { self.steps.saturating_add(1) } else { 0 };
    }

    /// An evening on which the last went early and a morning on which the first came late are two: after so many steps in which nobody was to come it begins anew, unless a finding is of it.
    fn rest(&mut self, is_idle: bool, steps: usize, in_finding: bool) {
        self.idle = if is_idle { self.idle.saturating_add(1) } else { 0 };
        if self.idle as usize >= steps && !in_finding && !self.is_told {
            *self = Self { idle: self.idle, ..Self::default() };
        }
    }
}

/// Running means of what came and of what was usual.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Ratio {
    came: f64,
    usual: f64,
}

impl Ratio {
    fn learn(&mut self, came: f64, usual: f64, weight: f64) {
        self.came += weight * (came - self.came);
        self.usual += weight * (usual - self.usual);
    }

    fn within(self, prior: f64, (least, most): (f64, f64)) -> f64 {
        ((self.came + prior) / (self.usual + prior)).clamp(least, most)
    }
}

impl Scan {
    /// Takes in one complete step. `min_days` is how many days must have taught the usual; `in_finding` whether the zone's finding is open; `new_regime` whether what is usual has lasted to
    /// be wrong. `None` where the step cannot be judged.
    pub fn take(&mut self, seen: &Seen, step: Span, min_days: f64, in_finding: bool, new_regime: bool) -> Option<Evidence> {
        let hours = step.as_secs_f64() / 3_600.0;
        let longest = steps_of(WINDOWS_MIN[WINDOWS_MIN.len() - 1], step);
        let known = seen.came.zip(seen.usual).filter(|_| seen.is_judged(min_days));
        if seen.came.is_some_and(|came| came > 0.0) {
            self.silence = Silence::default();
        }
        let Some((came, (usual, days))) = known else {
            self.push(Cell { came: None, expected: 0.0, usual: 0.0, youth: 0.0, occasion: 0.0 }, longest);
            self.silence.pass();
            self.silence.rest(true, longest, in_finding);
            // How it ran before a gap, or before the doors were shut, wears off.
            self.pace.came += (hours / FORGOTTEN_HOURS).min(1.0) * (self.pace.usual - self.pace.came);
            return None;
        };
        let (added, doubt) = seen.occasion.unwrap_or_default();
        let usual = usual + added;
        self.regime.learn(came, usual, (hours / REGIME_HOURS).min(1.0));
        let level_weight = (1.0 / f64::from(self.level.1.saturating_add(1))).max(hours / (LEVEL_WEEKS * 168.0)).min(1.0);
        self.level = (self.level.0 + level_weight * (usual - self.level.0), self.level.1.saturating_add(1));
        let long_usual = usual;
        let usual = if new_regime { usual * self.regime_ratio() } else { usual };
        let pace = self.pace.within(PACE_PRIOR, PACE);
        let carried = libm::pow(pace, self.carry());
        let expected = usual * carried;
        let youth = (1.0 / days.max(1.0)) as f32;
        if came <= 0.0 {
            let owed = seen.weekday.map_or(long_usual, |weekday| weekday + added) * (usual / long_usual.max(1e-9)).min(1.0);
            let day = self.level.0 * steps_of((REGIME_HOURS * 60.0) as u64, step) as f64;
            self.silence.take(owed, carried, (f64::from(youth), doubt), day);
        }
        self.silence.rest(usual < IDLE * self.level.0, longest, in_finding);
        self.push(Cell { came: Some(came as f32), expected: expected as f32, usual: long_usual as f32, youth, occasion: doubt as f32 }, longest);
        let (mut evidence, variance) = self.judge(step, in_finding, new_regime);
        if let Some(silence) = self.judge_silence(longest, step, new_regime) {
            // As long as somebody is to come and nobody does a finding of it holds, but not beyond what has become usual.
            if !new_regime && (self.silence.idle as usize) < longest {
                evidence.holds_low = evidence.holds_low.min(silence.score);
            }
            if silence.score < evidence.low.score && !self.silence.is_told {
                evidence.low = silence;
            }
        }
        self.learn_pace(came, usual, expected, variance, (hours, pace, in_finding));
        Some(evidence)
    }

    /// It is over the sum of all places: where each is quiet by itself the sum is narrow, and yet no day is quite like another.
    pub const fn be_of_whole(&mut self) {
        self.common = COMMON;
    }

    /// Forgets the windows: what a finding was about is not to raise another, nor the silence that one of fewer was about.
    pub fn restart(&mut self, closed: Option<Deviation>) {
        self.cells.clear();
        self.silence.is_told |= closed == Some(Deviation::Shortfall) && self.silence.judged > 0;
    }

    /// What came to what was usual is learnt from the newest step on.
    pub fn begin_regime(&mut self) {
        self.regime = Ratio::default();
    }

    /// What came to what was usual over the last day.
    pub fn regime_ratio(&self) -> f64 {
        self.regime.within(0.01, REGIME)
    }

    /// What came in the last hour against what was usual of it; where nobody has come for longer, since then.
    pub fn times_usual(&self, step: Span) -> f64 {
        if self.silence.judged as usize > steps_of(60, step) {
            return (1.0 / (self.silence.expected + 1.0)).max(REGIME.0);
        }
        let hour = self.cells.iter().rev().take(steps_of(60, step)).filter_map(|cell| Some((f64::from(cell.came?), f64::from(cell.usual))));
        let (came, usual) = hour.fold((0.0, 0.0), |(came, usual), (persons, of_usual)| (came + persons, usual + of_usual));
        ((came + 1.0) / (usual + 1.0)).clamp(REGIME.0, REGIME.1)
    }

    /// What is usual of the newest step against the mean of all that were judged: over a day without closed hours it comes to one.
    pub fn share_of_day(&self) -> f64 {
        self.cells.back().map_or(0.0, |cell| f64::from(cell.usual) / self.level.0.max(1e-3))
    }

    /// The last day as one window, held against what was usual of it by the law of the longest one, which a day does not exceed.
    pub fn last_day(&self, step: Span) -> Window {
        let longest = steps_of(WINDOWS_MIN[WINDOWS_MIN.len() - 1], step);
        let (came, expected) = (self.regime.came * longest as f64, self.regime.usual * longest as f64);
        let ground = LEAST_GROUND + self.level.0 * longest as f64;
        let doubt = 1.0 + YOUTH * self.cells.back().map_or(1.0, |cell| f64::from(cell.youth));
        let score = normal_score(came + ground, expected + ground, self.longest(step).variance(expected, ground) * doubt + square(self.common * expected));
        let steps = steps_of((REGIME_HOURS * 60.0) as u64, step);
        Window { score, steps, came: self.regime.came * steps as f64, expected: self.regime.usual * steps as f64 }
    }

    /// How far the pace of the last hours has carried over to the next step, 0 to 1.
    pub fn carry(&self) -> f64 {
        let (prior, weight) = CARRY_PRIOR;
        ((self.carried.0 + prior * weight) / (self.carried.1 + weight)).clamp(0.0, 1.0)
    }

    fn push(&mut self, cell: Cell, longest: usize) {
        self.cells.push_back(cell);
        while self.cells.len() > longest {
            self.cells.pop_front();
        }
    }

    /// The evidence of all windows that end now, from which the spreads learn, and the variance of the newest step.
    fn judge(&mut self, step: Span, in_finding: bool, new_regime: bool) -> (Evidence, f64) {
        let mut evidence = Evidence { holds_high: f64::NEG_INFINITY, holds_low: f64::INFINITY, ..Evidence::default() };
        let mut newest_variance = 1.0;
        let (mut came, mut expected, mut usual, mut youth, mut occasion, mut counted) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
        let mut place = 0;
        let mut different = 0;
        let mut last = 0;
        // The steps back to the first that was counted.
        let mut first_counted = 1;
        for (back, cell) in self.cells.iter().rev().enumerate() {
            if let Some(persons) = cell.came {
                came += f64::from(persons);
                expected += f64::from(cell.expected);
                usual += f64::from(cell.usual);
                youth += f64::from(cell.youth);
                occasion += f64::from(cell.occasion);
                counted += 1.0;
                first_counted = back + 1;
            }
            while place < WINDOWS_MIN.len() && steps_of(WINDOWS_MIN[place], step) == back + 1 {
                let (spread, steps) = (&mut self.spreads[place], back + 1);
                place += 1;
                if steps == last || counted < COUNTED * steps as f64 {
                    continue;
                }
                last = steps;
                different += 1;
                let ground = LEAST_GROUND + self.level.0 * counted;
                let doubt = 1.0 + YOUTH * youth / counted;
                let regime = if new_regime { REGIME_VARIANCE * expected * expected } else { 0.0 };
                let common = square(self.common * expected);
                let variance = (spread.variance(expected, ground) + regime) * doubt + occasion * occasion + common;
                let score = normal_score(came + ground, expected + ground, variance);
                spread.learn(came - expected, expected, ground, variance, doubt, in_finding || occasion > 0.0);
                let by_regime = Window { score, steps: first_counted, came, expected };
                // Nobody knows whether what has lasted goes on: what lies between it and the usual is neither too many nor too few.
                let by_usual = new_regime.then(|| {
                    let variance = (spread.variance(usual, ground) + REGIME_VARIANCE * usual * usual) * doubt + occasion * occasion + common;
                    Window { score: normal_score(came + ground, usual + ground, variance), expected: usual, ..by_regime }
                });
                let high = by_usual.filter(|usual| usual.score < score).unwrap_or(by_regime);
                let low = by_usual.filter(|usual| usual.score > score).unwrap_or(by_regime);
                if different == 1 {
                    newest_variance = variance / steps as f64;
                    (evidence.high, evidence.low) = (high, low);
                    evidence.leads = score > 0.0;
                }
                if high.score > evidence.high.score {
                    evidence.high = high;
                }
                if low.score < evidence.low.score {
                    evidence.low = low;
                }
                if different <= HOLDING {
                    evidence.holds_high = evidence.holds_high.max(high.score);
                    evidence.holds_low = evidence.holds_low.min(low.score);
                }
            }
        }
        (evidence, newest_variance)
    }

    /// What was to come since the last person did, by the law of the longest window; `None` until that is longer.
    fn judge_silence(&self, longest: usize, step: Span, new_regime: bool) -> Option<Window> {
        let Silence { steps, judged, expected, youth, occasion, .. } = self.silence;
        if judged as usize <= longest {
            return None;
        }
        let ground = LEAST_GROUND + self.level.0 * longest as f64;
        let doubt = 1.0 + YOUTH * youth / f64::from(judged);
        let regime = if new_regime { REGIME_VARIANCE * expected * expected } else { 0.0 };
        let variance = (self.longest(step).variance(expected, ground) + regime) * doubt + square(occasion) + square(self.common * expected);
        Some(Window { score: normal_score(ground, expected + ground, variance), steps: steps as usize, came: 0.0, expected })
    }

    /// The law of the longest window; of windows of one length only the first learns.
    fn longest(&self, step: Span) -> &Spread {
        let steps = |window: u64| steps_of(window, step);
        let last = WINDOWS_MIN.len() - 1;
        let place = WINDOWS_MIN.iter().position(|window| steps(*window) == steps(WINDOWS_MIN[last])).unwrap_or(last);
        &self.spreads[place]
    }

    fn learn_pace(&mut self, came: f64, usual: f64, expected: f64, variance: f64, (hours, pace, in_finding): (f64, f64, bool)) {
        let deviation = variance.sqrt();
        let lead = (pace - 1.0) * usual;
        let miss = (came - usual).clamp(-PACE_ROBUST * deviation, PACE_ROBUST * deviation);
        let fade = 1.0 - (hours / CARRY_HOURS).min(1.0);
        self.carried = (fade * self.carried.0 + miss * lead / variance, fade * self.carried.1 + lead * lead / variance);
        if !in_finding {
            let held = came.clamp(expected - PACE_ROBUST * deviation, expected + PACE_ROBUST * deviation);
            self.pace.learn(held, usual, (hours / PACE_HOURS).min(PACE_SHARE));
        }
    }
}

/// Steps in a window; at least one.
fn steps_of(window_min: u64, step: Span) -> usize {
    usize::try_from(window_min * 60_000 / step.as_millis().max(1)).unwrap_or(usize::MAX).max(1)
}

#[cfg(test)]
#[path = "scan_tests.rs"]
mod tests;

//! From an operator's budget to a threshold: how high a score must be so that quiet times exceed it as often as the operator is ready to look, and no oftener.
//!
//! The idea: peaks over a low threshold (Davison & Smith 1990). The peaks of the scores of a zone group, one per episode, in units of z²/2, fall off exponentially beyond a low bar: a
//! normal score would with rate 1, real counts with a lesser one. How many there are a week and how fast they fall off is learnt in the stream; the threshold is where the fitted tail meets the budget.
//!
//! A group of zones is one: what counts is its strongest score, for one event at many places is one finding. The more zones, the more often that is high by chance, so its bar is higher.
//!
//! Where so few episodes pass the bar that no budget could be met above it (counts of one or two are never far from anything), the bar sinks, until enough do. The tail being exponential, a
//! bar that sinks by δ is passed e^(fall·δ) times as often: what was counted is kept in that measure. After a day in which nothing at all stood out, as where nobody comes for weeks, nothing is learnt of
//! the bar; and below a sunken bar an episode ends after a day at the latest, so that one too low is seen to be.
//!
//! Real events are among the peaks. Taken as noise they would raise the threshold over themselves; left out, the tail would shrink with every finding. Peaks above the threshold
//! therefore count partly as noise (censored at the threshold) and partly not at all (the others being a truncated sample). Where they are plain to see, because hardly a peak lies between them and the
//! quiet ones, they do not count: noise becomes rarer the higher, whatever its tail, and never more frequent again.

use super::spread::square;
use super::verdict::EPISODE_APART;
use crate::time::{EventTime, Span};
use serde::{Deserialize, Serialize};

/// The low bar of one zone: z = 2.45.
const BAR: f64 = 3.0;
/// The fall by which the bar rises with the logarithm of the number of zones: so that some ten episodes a week are above it, whatever the number.
const BAR_FALL: f64 = 0.85;
/// Width of a bin of peaks above the bar, up to so many of them; from there each is by so much higher than the last. What leaps about has peaks in the hundreds.
const BIN: f64 = 0.25;
const EVEN_BINS: usize = 80;
const BIN_GROWS: f64 = 1.05;
const BINS: usize = 160;
/// So much of a peak above the threshold is taken for noise, and all of it where there would be more real events a week than this, and so many for each zone.
const NOISE: f64 = 0.6;
const MOST_EVENTS: f64 = 2.0;
const MOST_EVENTS_A_ZONE: f64 = 0.2;
/// Peaks beyond a gap are events: where from a height (z) to so many times that there is at most so large a part of the quiet ones below and of those beyond, of which there are so many at least.
const GAP: f64 = 1.4;
const EMPTY: f64 = 0.1;
const BESIDE: (f64, f64) = (4.0, 10.0);
/// So many times the budget of them are; what comes oftener counts as noise again.
const MOST_APART: f64 = 10.0;
/// After so many weeks a peak counts half.
const HALF_LIFE_WEEKS: f64 = 8.0;
/// The prior: peaks a week, what that weighs in weeks; the rate at which they fall off, what that weighs in peaks.
const PRIOR_PEAKS: (f64, f64) = (10.0, 2.0);
const PRIOR_FALL: (f64, f64) = (0.9, 10.0);
/// A bar sinks where fewer episodes a week pass it than this, or than so many times the budget; by so much for each that is missing; to no less than this (z = 1.4).
const WANTED: f64 = 3.0;
const WANTED_PER_BUDGET: f64 = 2.0;
const SINKS: f64 = 0.2;
const LOWEST_BAR: f64 = 1.0;
const LONGEST_EPISODE: Span = Span::from_mins(24 * 60);
/// So long after the last score above the mean the bar still sinks. Of counts that are nearly always nought, watched for surges alone, most steps have none.
const SILENCE: Span = Span::from_mins(24 * 60);
/// The threshold is held within this, z; beyond the first of the highest only where more peaks a week lie there than there can be real events: a great event now and then stands apart from what is
/// quiet, what leaps about does not.
const THRESHOLD: (f64, f64) = (2.0, 40.0);
const ORDINARY_MOST: f64 = 9.0;
/// Within this of the bar nothing is above a threshold.
const LEAST_REACH: f64 = 1.0;
/// The threshold before any peak was seen, z.
const FIRST: f64 = 5.0;

/// The tail of one zone group's scores, and the threshold that follows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Budget {
    peaks: Vec<f64>,
    weeks: f64,
    threshold: f64,
    /// The rate at which the tail falls off.
    fall: f64,
    /// How far the bar has sunk below that of a group of this size.
    sunk: f64,
    episode: Option<Episode>,
    /// When a score was above the mean last.
    heard: Option<EventTime>,
}

/// Scores above the bar that belong together.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Episode {
    /// The strongest.
    peak: f64,
    began: EventTime,
    /// When it was last above the bar.
    last: EventTime,
}

impl Default for Budget {
    fn default() -> Self {
        Self { peaks: vec![0.0; BINS], weeks: 0.0, threshold: FIRST, fall: PRIOR_FALL.0, sunk: 0.0, episode: None, heard: None }
    }
}

/// The strength of a score: z²/2, in which tails are exponential; 0 for what is below the mean.
pub fn strength(score: f64) -> f64 {
    score.max(0.0) * score.max(0.0) / 2.0
}

impl Budget {
    /// Whether it is of the size that this binary uses; a stored one may not be.
    pub fn is_sound(&self) -> bool {
        let figures = [self.weeks, self.threshold, self.fall, self.sunk];
        self.peaks.len() == BINS && self.peaks.iter().chain(&figures).all(|figure| figure.is_finite())
    }

    /// The normal score from which on there is a finding.
    pub const fn threshold(&self) -> f64 {
        self.threshold
    }

    /// How much rarer quiet times bring a score than one that just reaches the threshold: 1 below it.
    pub fn rarity(&self, score: f64) -> f64 {
        libm::exp(-self.fall * (strength(score) - strength(self.threshold)).max(0.0))
    }

    /// Lets a judged step pass, of `weeks`, in which `strongest` was the strongest score (z²/2) of the group of `zones` zones; `per_week` is its budget. An episode counts when it is over.
    pub fn pass(&mut self, weeks: f64, strongest: f64, end: EventTime, zones: usize, per_week: f64) {
        // A group may have shrunk since.
        self.sunk = self.sunk.min(bar(zones) - LOWEST_BAR);
        let bar = bar(zones) - self.sunk;
        let ended = self.follow_episode(strongest, end, bar);
        let fade = libm::exp2(-weeks / HALF_LIFE_WEEKS);
        if self.weeks == 0.0 {
            // Of a large group even the first bar is high.
            self.fit(bar, zones, per_week);
            self.threshold = self.threshold.max(FIRST);
        }
        self.weeks = fade * self.weeks + weeks;
        self.peaks.iter_mut().for_each(|peaks| *peaks *= fade);
        if let Some(peak) = ended {
            self.peaks[bin(peak - bar)] += 1.0;
            self.fit(bar, zones, per_week);
        }
        if strongest > 0.0 {
            self.heard = Some(end);
        }
        let is_learning = self.heard.is_some_and(|heard| end.since(heard) < SILENCE) && self.episode.is_none();
        let wanted = if is_learning { WANTED.max(WANTED_PER_BUDGET * per_week) * weeks } else { 0.0 };
        self.sink(wanted - f64::from(u8::from(ended.is_some())), zones);
    }

    /// Lets the bar sink by the episodes that are missing, or rise again by those that were not.
    fn sink(&mut self, missing: f64, zones: usize) {
        let sunk = (self.sunk + SINKS * missing).clamp(0.0, bar(zones) - LOWEST_BAR);
        let passed = libm::exp(self.fall * (sunk - self.sunk));
        self.peaks.iter_mut().for_each(|peaks| *peaks *= passed);
        self.sunk = sunk;
    }

    /// The peak of the episode that ended with this step, if one did.
    fn follow_episode(&mut self, strength: f64, end: EventTime, bar: f64) -> Option<f64> {
        let mut episode = self.episode.unwrap_or(Episode { peak: 0.0, began: end, last: end });
        if strength > bar {
            (episode.peak, episode.last) = (episode.peak.max(strength), end);
        }
        let is_over = end.since(episode.last) >= EPISODE_APART || self.sunk > 0.0 && end.since(episode.began) >= LONGEST_EPISODE;
        let is_running = strength > bar || self.episode.is_some();
        self.episode = (is_running && !is_over).then_some(episode);
        (is_running && is_over).then_some(episode.peak)
    }

    /// The maximum-likelihood fall of the tail, by bisection, and the threshold where it meets the budget.
    fn fit(&mut self, bar: f64, zones: usize, per_week: f64) {
        let gap = self.gap(bar).unwrap_or(BINS);
        let apart: f64 = self.peaks[gap..].iter().sum();
        let most_apart = (MOST_APART * per_week + MOST_EVENTS_A_ZONE * zones as f64) * self.weeks.max(1.0);
        // Of those beyond the gap only what is too many counts, and then the threshold may go beyond it.
        let too_many = (1.0 - most_apart / apart.max(1e-9)).max(0.0);
        let counting = |bin: usize| if bin < gap { 1.0 } else { too_many };
        let farthest = lower_edge(if too_many > 0.0 { BINS } else { gap });
        let reach = (strength(self.threshold) - bar).max(LEAST_REACH).min(farthest);
        let (mut below, mut sum, mut above) = (0.0, 0.0, 0.0);
        for (bin, peaks) in self.peaks.iter().enumerate() {
            let (height, peaks) = (height(bin), counting(bin) * peaks);
            if height < reach {
                below += peaks;
                sum += peaks * height;
            } else {
                above += peaks;
            }
        }
        let events = (MOST_EVENTS + MOST_EVENTS_A_ZONE * zones as f64) * self.weeks.max(1.0);
        let noise = NOISE.max(1.0 - events / above.max(1e-9));
        let (fall_prior, fall_weight) = PRIOR_FALL;
        let total = sum + noise * above * reach + fall_weight / fall_prior;
        let fall = rising(0.005, 5.0, |fall| {
            let truncated = (1.0 - noise) * reach / libm::expm1(fall * reach);
            below * (1.0 / fall - truncated) + fall_weight / fall <= total
        });
        self.fall = fall;
        let quiet = (1.0 - noise) * below / -libm::expm1(-fall * reach) + noise * (below + above);
        let (peaks_prior, prior_weeks) = PRIOR_PEAKS;
        let rate = (quiet + peaks_prior * prior_weeks) / (self.weeks + prior_weeks);
        let meets = bar + libm::log((rate / per_week.max(1e-6)).max(1.0)) / fall;
        let extreme: f64 = (bin(strength(ORDINARY_MOST) - bar)..BINS).map(|bin| counting(bin) * self.peaks[bin]).sum();
        let most = if extreme > events { THRESHOLD.1 } else { ORDINARY_MOST };
        self.threshold = (2.0 * meets).sqrt().clamp(THRESHOLD.0, most);
    }

    /// The bin in which a gap begins that parts events from what is quiet: the lowest of the emptiest.
    fn gap(&self, bar: f64) -> Option<usize> {
        let mut below = vec![0.0; BINS + 1];
        for (bin, peaks) in self.peaks.iter().enumerate() {
            below[bin + 1] = below[bin] + peaks;
        }
        let emptiness = |from: usize| {
            let to = (bin(square(GAP) * (bar + lower_edge(from)) - bar) + 1).min(BINS);
            let (within, events) = (below[to] - below[from], below[BINS] - below[to]);
            // Weeks in which nothing quiet passed the bar tell as much.
            let quiet = below[from].max(self.weeks);
            let is_gap = quiet >= BESIDE.0 && events >= BESIDE.1 && within <= EMPTY * quiet.min(events);
            is_gap.then(|| (from, within / quiet.min(events)))
        };
        let gaps = (bin(LEAST_REACH)..BINS).filter_map(emptiness);
        gaps.min_by(|one, other| one.1.total_cmp(&other.1)).map(|(from, _)| from)
    }
}

/// Where between two numbers a statement becomes true that stays so, by bisection.
fn rising(mut low: f64, mut high: f64, is_true: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..40 {
        let middle = 0.5 * (low + high);
        if is_true(middle) { high = middle } else { low = middle }
    }
    0.5 * (low + high)
}

/// The bin of a peak so high above the bar.
fn bin(height: f64) -> usize {
    let even = EVEN_BINS as f64 * BIN;
    let bin = if height < even { height.max(0.0) / BIN } else { EVEN_BINS as f64 + libm::log(height / even) / libm::log(BIN_GROWS) };
    (bin as usize).min(BINS - 1)
}

/// The middle of a bin.
fn height(bin: usize) -> f64 {
    along(bin as f64 + 0.5)
}

/// Where a bin begins.
fn lower_edge(bin: usize) -> f64 {
    along(bin as f64)
}

/// The height at which so many bins end.
fn along(bins: f64) -> f64 {
    let even = EVEN_BINS as f64;
    if bins < even { bins * BIN } else { even * BIN * libm::pow(BIN_GROWS, bins - even) }
}

/// The bar (z²/2) of the strongest of so many zones.
fn bar(zones: usize) -> f64 {
    BAR + libm::log(zones.max(1) as f64) / BAR_FALL
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The `n`th episode: one step of `weeks` with this peak, and a quiet one three hours later.
    fn episode(budget: &mut Budget, n: u32, weeks: f64, peak: f64, per_week: f64) {
        let at = |hours: i64| EventTime::from_millis((i64::from(n) * 6 + hours) * 3_600_000);
        budget.pass(weeks, peak, at(0), 1, per_week);
        budget.pass(0.0, 0.0, at(3), 1, per_week);
    }

    /// Peaks that fall off with `fall`, evenly over the quantiles, ten a week, each in its own place; `events` strong ones a week among them. Answers the threshold, and how
    /// many quiet peaks a week exceeded it in the last half.
    fn run(fall: f64, events: u32, per_week: f64, weeks: u32) -> (f64, f64) {
        run_with(fall, (events, 10.0), per_week, weeks)
    }

    /// The same with events whose strength is at least that, and falls off slowly from there.
    fn run_with(fall: f64, (events, from): (u32, f64), per_week: f64, weeks: u32) -> (f64, f64) {
        let mut budget = Budget::default();
        let mut exceeded = 0;
        for week in 0..weeks {
            for peak in 0..10_u32 {
                // A low-discrepancy sequence stands for chance.
                let chance = (f64::from(week * 10 + peak) * 0.618_033_988_749_895).fract().max(1e-9);
                let height = BAR - chance.ln() / fall;
                exceeded += u32::from(week >= weeks / 2 && height > strength(budget.threshold()));
                episode(&mut budget, week * 20 + peak, 0.1, height, per_week);
            }
            for event in 10..10 + events {
                let chance = (f64::from(week * events + event) * 0.618_033_988_749_895).fract().max(1e-9);
                episode(&mut budget, week * 20 + event, 0.0, from - chance.ln() / 0.02, per_week);
            }
        }
        (budget.threshold(), f64::from(exceeded) / f64::from(weeks - weeks / 2))
    }

    #[test]
    fn the_budget_is_what_comes() {
        for fall in [0.5, 0.8, 1.2] {
            for per_week in [0.5, 1.0, 2.0] {
                let (threshold, came) = run(fall, 0, per_week, 200);
                assert!((0.7..1.4).contains(&(came / per_week)), "fall {fall}, budget {per_week}: {came} above {threshold}");
            }
        }
    }

    #[test]
    fn however_heavy_the_tail_the_budget_does_not_come_many_times_over() {
        // z²/2 falls off with 1/30 and less: what leaps about.
        for fall in [0.1, 0.03, 0.01] {
            let (threshold, came) = run(fall, 0, 1.0, 60);
            assert!(came < 2.0, "fall {fall}: {came} a week above {threshold}");
        }
    }

    #[test]
    fn a_great_event_every_day_is_no_heavy_tail() {
        const ZONES: usize = 60;
        let mut budget = Budget::default();
        for week in 0..60_u32 {
            for peak in 0..17_u32 {
                let chance = (f64::from(week * 17 + peak) * 0.618_033_988_749_895).fract().max(1e-9);
                // Ten quiet peaks, and seven events at twelve deviations.
                let height = if peak < 10 { bar(ZONES) - chance.ln() / 0.8 } else { 72.0 };
                let at = |hours: i64| EventTime::from_millis((i64::from(week * 17 + peak) * 6 + hours) * 3_600_000);
                budget.pass(1.0 / 17.0, height, at(0), ZONES, 1.0);
                budget.pass(0.0, 0.0, at(3), ZONES, 1.0);
            }
        }
        assert!(budget.threshold() <= ORDINARY_MOST, "{}", budget.threshold());
    }

    #[test]
    fn a_peak_lies_in_the_bin_of_its_height() {
        for at in 0..BINS {
            assert_eq!(bin(height(at)), at);
        }
        assert_eq!((bin(-1.0), bin(1e9)), (0, BINS - 1));
    }

    #[test]
    fn where_scores_are_never_high_the_bar_sinks_until_the_budget_is_what_comes() {
        // Ten a week, of which one in four weeks passes the bar of one zone. The priors hold the threshold high where peaks are few.
        for per_week in [0.5, 1.0, 2.0] {
            let mut budget = Budget::default();
            let mut exceeded = 0;
            for peak in 0..4_000_u32 {
                let chance = (f64::from(peak) * 0.618_033_988_749_895).fract().max(1e-9);
                let height = -chance.ln() / 1.2;
                exceeded += u32::from(peak >= 2_000 && height > strength(budget.threshold()));
                episode(&mut budget, peak, 0.1, height, per_week);
            }
            let came = f64::from(exceeded) / 200.0;
            assert!((0.3..1.3).contains(&(came / per_week)), "budget {per_week}: {came} a week above {}", budget.threshold());
        }
    }

    /// Scores of a group of many zones, of which the strongest is nearly always above a bar for one: normal weeks, weeks of silence, and normal ones again.
    #[test]
    fn a_season_of_silence_leaves_the_bar_where_it_was_and_no_bar_is_a_trap() {
        const ZONES: usize = 80;
        let mut budget = Budget::default();
        let mut step = 0_u32;
        let mut live = |budget: &mut Budget, weeks: u32, is_silent: bool| {
            let mut found = 0;
            for _ in 0..weeks * 336 {
                step += 1;
                // The strongest of so many normal scores, by its law: 1 − (1 − e^−x)^n of them are above x.
                let chance = (f64::from(step) * 0.618_033_988_749_895).fract().max(1e-9);
                let strongest = if is_silent { 0.0 } else { -libm::log(1.0 - libm::pow(chance, 1.0 / (ZONES as f64))) };
                found += u32::from(strongest > strength(budget.threshold()));
                budget.pass(1.0 / 336.0, strongest, EventTime::from_millis(i64::from(step) * 1_800_000), ZONES, 1.0);
            }
            found
        };
        live(&mut budget, 8, false);
        let (threshold, sunk) = (budget.threshold(), budget.sunk);
        live(&mut budget, 12, true);
        // What is missing in the first day of it.
        assert!(budget.threshold() <= threshold && budget.sunk >= sunk && budget.sunk < sunk + SINKS * WANTED / 7.0, "{} {}", budget.threshold(), budget.sunk);
        // However it came about, a bar that lies so low that it is passed at every step rises again.
        budget.sunk = bar(ZONES) - LOWEST_BAR;
        live(&mut budget, 8, false);
        assert!(budget.sunk < 2.0, "{}", budget.sunk);
        let found = live(&mut budget, 8, false);
        assert!(found < 40, "{found} steps of eight weeks above {}", budget.threshold());
    }

    #[test]
    fn a_bar_sinks_too_where_most_steps_are_below_the_mean() {
        // One step in forty is above it, and never by much.
        let mut budget = Budget::default();
        for step in 1..20_u32 * 336 {
            let chance = (f64::from(step) * 0.618_033_988_749_895).fract().max(1e-9);
            let strongest = if step.is_multiple_of(40) { BAR * chance } else { 0.0 };
            budget.pass(1.0 / 336.0, strongest, EventTime::from_millis(i64::from(step) * 1_800_000), 1, 1.0);
        }
        assert!(budget.sunk > 0.3, "{}", budget.sunk);
        assert!(budget.threshold() < 2.6, "{}", budget.threshold());
    }

    #[test]
    fn a_group_that_has_shrunk_has_a_bar_of_its_size() {
        let mut budget = Budget { sunk: bar(80) - LOWEST_BAR, ..Budget::default() };
        budget.pass(0.003, 0.5, EventTime::from_millis(0), 1, 1.0);
        assert_eq!(budget.episode, None);
    }

    #[test]
    fn beyond_the_threshold_rarity_falls_as_quiet_peaks_do() {
        let mut budget = Budget::default();
        (0..400).for_each(|peak| {
            let chance = (f64::from(peak) * 0.618_033_988_749_895).fract().max(1e-9);
            episode(&mut budget, peak, 0.1, BAR - chance.ln() / 0.8, 1.0);
        });
        let at = |higher: f64| budget.rarity((2.0 * (strength(budget.threshold()) + higher)).sqrt());
        assert!((at(0.0), at(-1.0)) == (1.0, 1.0) && (0.35..0.6).contains(&at(1.0)) && at(20.0) < 1e-5, "{} {}", at(1.0), at(20.0));
    }

    #[test]
    fn events_raise_the_threshold_by_little() {
        let (quiet, _) = run(0.8, 0, 1.0, 100);
        let (eventful, came) = run(0.8, 2, 1.0, 100);
        assert!(eventful > quiet && eventful < quiet + 1.2, "{quiet} {eventful}");
        assert!(came > 0.15, "{came}");
    }

    #[test]
    fn events_that_stand_apart_raise_nothing_up_to_ten_times_the_budget() {
        for per_week in [0.5, 1.0] {
            let (quiet, _) = run(1.2, 0, per_week, 60);
            // From seven deviations on.
            let with = |events: u32| run_with(1.2, (events, 24.5), per_week, 60).0;
            for events in [3, (10.0 * per_week) as u32] {
                assert!(with(events) < quiet + 0.2, "{events}: {quiet} {}", with(events));
            }
            let more: Vec<f64> = [12, 18, 30].map(|events| with((f64::from(events) * per_week) as u32)).to_vec();
            assert!(more.is_sorted() && more[2] > 9.0, "the more of them, the fewer are told: {more:?}");
        }
    }

    #[test]
    fn a_larger_budget_never_has_a_higher_threshold() {
        let thresholds: Vec<f64> = [0.2, 0.5, 1.0, 2.0, 5.0].map(|per_week| run(0.7, 1, per_week, 50).0).to_vec();
        assert!(thresholds.windows(2).all(|pair| pair[1] <= pair[0]), "{thresholds:?}");
    }
}

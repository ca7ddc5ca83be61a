//! How things run right now: what came against what was usual over the last hour, six hours and day, how wrong the forecasts are, and the size of each series.
//!
//! The idea: sums that forget. At each step's end the count and what was usual for it enter two sums that halve in their own time, and the logarithm of their quotient says by
//! how much the recent past is off the usual. In a step of which either is not known, closed hours or a gap, the ratios
//! drift towards what lasts: how it ran before the doors were shut says little of how it runs when they open again.

use super::room::widen;
use super::unrest::unrest;
use crate::time::Span;
use serde::{Deserialize, Serialize};

/// Half-lives of the ratios, s: an hour (two steps at least), six hours (four steps at least), a day (six at least).
const HALF_LIVES: [(f64, f64); RATIOS] = [(3_600.0, 2.0), (21_600.0, 4.0), (86_400.0, 6.0)];
/// Persons added to both sides of each ratio, so that few persons prove little.
const CAUTION: [f64; RATIOS] = [3.0, 4.0, 5.0];
const DAY_CAUTION: f64 = CAUTION[RATIOS - 1];
/// A day of fewer persons than this tells nothing.
const LEAST_DAY: f64 = 1.0;
/// The square of a day's ratio (as a logarithm) of which half counts.
const DAY_HALF: f64 = 0.09;
/// Once so much of a day's persons were to come, half of what it has in common with the one before is believed to last.
const MORNING: f64 = 0.03;
/// No more is believed of one step than so many times what was usual, came in the step before, or comes on the average, and so many persons, or than two steps had in the last weeks.
const AT_ONCE: (f64, f64) = (4.0, 30.0);
/// How many ratios there are.
pub const RATIOS: usize = 3;
/// The mean of |error|/√(expected+1) before any error was seen.
const PRIOR_SCALE: f64 = 1.2;
/// As if it had been seen so often.
const PRIOR_WEIGHT: f64 = 8.0;
/// The slowest that it learns, and what it never falls below.
const SLOWEST_SCALE: f64 = 0.005;
const LEAST_SCALE: f64 = 0.3;
/// How fast the newest errors are followed: half of what counts are the newest two.
const NEWEST: f64 = 0.3;
/// One error counts for at most so many times the running one.
const ROBUST: f64 = 5.0;
/// How fast it is learnt whether what stands out goes on; from which share on it is expected to.
const GOES_ON_LEARNS: f64 = 0.2;
const GOES_ON: f32 = 0.35;
/// Over which time the mean size of a series is taken, s.
const SIZE_WINDOW_S: f64 = 14.0 * 86_400.0;

/// The running numbers of one series.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Beat {
    came: [f32; RATIOS],
    usual: [f32; RATIOS],
    scale: f32,
    /// The same of the newest errors.
    newest: f32,
    errors: u16,
    size: f32,
    /// What came in the newest step that was counted, and the most that came in two steps one after the other, which fades.
    newest_came: f32,
    highest: f32,
    steps: u32,
    /// As `came` and `usual` of a day, but that each begins with what the two before it have in common.
    lasting: [f32; 2],
    /// What came and what was usual since dawn.
    today: [f32; 2],
    /// The logarithm of that on the last day on which anything was known.
    day_before: Option<f32>,
    /// In this share of the steps after one that stood out, at least half of it was left.
    goes_on: f32,
}

impl Default for Beat {
    fn default() -> Self {
        Self {
            came: [0.0; RATIOS],
            usual: [0.0; RATIOS],
            scale: PRIOR_SCALE as f32,
            newest: PRIOR_SCALE as f32,
            errors: 0,
            size: 0.0,
            newest_came: 0.0,
            highest: 0.0,
            steps: 0,
            lasting: [0.0; 2],
            today: [0.0; 2],
            day_before: None,
            goes_on: 1.0,
        }
    }
}

/// The running numbers of all series of a venue.
#[derive(Clone, Debug)]
pub struct Pulse {
    beats: Vec<Beat>,
    keeps: [f64; RATIOS],
    slowest_size: f64,
}

impl Pulse {
    /// Nothing seen yet of so many series.
    pub fn new(series: usize, step: Span) -> Self {
        let step_s = step.as_secs_f64().max(1e-3);
        let keeps = HALF_LIVES.map(|(seconds, steps)| libm::exp2(-step_s / f64::max(seconds, steps * step_s)));
        Self { beats: vec![Beat::default(); series], keeps, slowest_size: (step_s / SIZE_WINDOW_S).min(1.0) }
    }

    /// Takes a complete step of `series`: what came and what was usual, persons.
    pub fn count(&mut self, series: usize, came: f64, usual: Option<f64>) {
        let beat = &mut self.beats[series];
        let raw = came as f32;
        let came = at_once(came, beat, usual);
        beat.highest = (beat.highest * (1.0 - self.slowest_size as f32)).max(raw.min(beat.newest_came));
        beat.newest_came = raw;
        beat.steps = beat.steps.saturating_add(1);
        let weight = (1.0 / f64::from(beat.steps)).max(self.slowest_size);
        beat.size += (weight * (came - f64::from(beat.size))) as f32;
        let Some(usual) = usual else { return self.pass(series) };
        for (place, keep) in self.keeps.iter().enumerate() {
            beat.came[place] = (f64::from(beat.came[place]) * keep + came) as f32;
            beat.usual[place] = (f64::from(beat.usual[place]) * keep + usual) as f32;
        }
        let keep = self.keeps[RATIOS - 1];
        for (place, persons) in [came, usual].into_iter().enumerate() {
            beat.lasting[place] = (f64::from(beat.lasting[place]) * keep + persons) as f32;
            beat.today[place] += persons as f32;
        }
    }

    /// A step passes of which nothing is known.
    pub fn pass(&mut self, series: usize) {
        let lasting = self.lasting(series);
        let beat = &mut self.beats[series];
        for (place, keep) in self.keeps.iter().enumerate() {
            let usual = f64::from(beat.usual[place]);
            let drifted = (usual + CAUTION[place]) * libm::exp(lasting) - CAUTION[place];
            beat.came[place] = (drifted + keep * (f64::from(beat.came[place]) - drifted)).max(0.0) as f32;
        }
    }

    /// A new day dawns.
    pub fn dawn(&mut self) {
        for beat in &mut self.beats {
            let [came, usual] = std::mem::take(&mut beat.today).map(f64::from);
            if usual < LEAST_DAY {
                continue;
            }
            let ended = log_ratio(came, usual, DAY_CAUTION);
            let common = in_common(ended, beat.day_before.replace(ended as f32));
            let usual = f64::from(beat.lasting[1]);
            beat.lasting[0] = ((usual + DAY_CAUTION) * libm::exp(common) - DAY_CAUTION).max(0.0) as f32;
            // Of how the last hours ran goes on what the day that is over does not explain.
            let hours = beat.came.iter_mut().zip(&beat.usual).zip(CAUTION).take(RATIOS - 1);
            for ((came, usual), caution) in hours {
                let usual = f64::from(*usual);
                let beyond = unexplained(log_ratio(f64::from(*came), usual, caution), ended);
                *came = ((usual + caution) * libm::exp(beyond + believed(common)) - caution).max(0.0) as f32;
            }
        }
    }

    /// The same of today alone, and what of it will last beyond the next dawn if the day ends as it is; 0 while nothing is known of it.
    pub fn today(&self, series: usize) -> (f64, f64) {
        let beat = &self.beats[series];
        let [came, usual] = beat.today.map(f64::from);
        let today = if usual < LEAST_DAY { 0.0 } else { log_ratio(came, usual, DAY_CAUTION) };
        (today, in_common(today, beat.day_before))
    }

    /// ln(what came / what was usual) over the last day, as far as that lasts; 0 while nothing is known.
    pub fn lasting(&self, series: usize) -> f64 {
        let beat = &self.beats[series];
        let [came, usual] = beat.lasting.map(f64::from);
        let lasting = log_ratio(came, usual, DAY_CAUTION);
        // What yesterday and today have in common lasts already, as far as enough of today is over.
        let (_, common) = self.today(series);
        if common.abs() <= lasting.abs() {
            return lasting;
        }
        let (today, day) = (f64::from(beat.today[1]), f64::from(beat.usual[RATIOS - 1]));
        lasting + today / (today + MORNING * day) * (common - lasting)
    }

    /// Learns how wrong a forecast was: what had been expected of the step and what came, persons.
    pub fn err(&mut self, series: usize, expected: f64, came: f64) {
        let beat = &mut self.beats[series];
        let scale = f64::from(beat.scale);
        let error = ((came - expected).abs() / (expected + 1.0).sqrt()).min(ROBUST * scale);
        let weight = (1.0 / (f64::from(beat.errors) + PRIOR_WEIGHT)).max(SLOWEST_SCALE);
        beat.scale = (scale + weight * (error - scale)) as f32;
        beat.newest += (NEWEST * (error - f64::from(beat.newest))) as f32;
        beat.errors = beat.errors.saturating_add(1);
    }

    /// Learns whether what stood out went on a step later.
    pub fn stood(&mut self, series: usize, went_on: bool) {
        let beat = &mut self.beats[series];
        beat.goes_on += (GOES_ON_LEARNS * (f64::from(u8::from(went_on)) - f64::from(beat.goes_on))) as f32;
    }

    /// Whether what stands out is expected to go on: at a series where it often enough did.
    pub fn goes_on(&self, series: usize) -> bool {
        self.beats[series].goes_on >= GOES_ON
    }

    /// ln(what came / what was usual) over the last hour, six hours and day; 0 while nothing is known.
    pub fn ratios(&self, series: usize) -> [f64; RATIOS] {
        let beat = &self.beats[series];
        std::array::from_fn(|place| log_ratio(f64::from(beat.came[place]), f64::from(beat.usual[place]), CAUTION[place]))
    }

    /// What came and what was usual over the last hour, as the sums stand.
    pub fn last_hour(&self, series: usize) -> (f64, f64) {
        let beat = &self.beats[series];
        (f64::from(beat.came[0]), f64::from(beat.usual[0]))
    }

    /// What came and what was usual over the last day, of all series, as the sums stand.
    pub fn last_day(&self) -> (f64, f64) {
        self.beats.iter().fold((0.0, 0.0), |(came, usual), beat| (came + f64::from(beat.came[2]), usual + f64::from(beat.usual[2])))
    }

    /// How many series there are.
    pub const fn series(&self) -> usize {
        self.beats.len()
    }

    /// The mean of |error|/√(expected+1): one deviation about `e` expected persons is about scale·√(e+1).
    pub fn scale(&self, series: usize) -> f64 {
        f64::from(self.beats[series].scale).max(LEAST_SCALE)
    }

    /// How much larger the newest errors are than those as a rule ([`super::unrest`]).
    pub fn unrest(&self, series: usize) -> f64 {
        unrest(f64::from(self.beats[series].newest), self.scale(series))
    }

    /// The mean persons per step of the last two weeks.
    pub fn size(&self, series: usize) -> f64 {
        f64::from(self.beats[series].size)
    }

    /// What the state stores.
    pub fn stored(&self) -> &[Beat] {
        &self.beats
    }

    /// Puts it back. Returns `false` when it is of more series.
    pub fn restore(&mut self, mut stored: Vec<Beat>) -> bool {
        let fits = widen(&mut stored, self.beats.len(), Beat::default());
        if fits {
            self.beats = stored;
        }
        fits
    }
}

impl Beat {
    /// Whether its figures can be: persons and errors are numbers, and none is below 0.
    pub fn is_sound(&self) -> bool {
        let Self { came, usual, scale, newest, size, newest_came, highest, lasting, today, day_before, goes_on, .. } = self;
        let ratios = came.iter().chain(usual).chain(lasting).chain(today);
        let persons = ratios.chain([newest, size, newest_came, highest]).all(|figure| figure.is_finite() && *figure >= 0.0);
        persons && scale.is_finite() && *scale > 0.0 && day_before.is_none_or(f32::is_finite) && (0.0..=1.0).contains(goes_on)
    }
}

/// What of a count is believed at once: one wrong figure must not carry hours of forecasts, while a crowd is there in the next step too.
fn at_once(came: f64, beat: &Beat, usual: Option<f64>) -> f64 {
    let known = usual.unwrap_or(0.0).max(f64::from(beat.newest_came)).max(f64::from(beat.size));
    if beat.steps == 0 { came } else { came.min((AT_ONCE.0 * known + AT_ONCE.1).max(f64::from(beat.highest))) }
}

/// How much of a day's ratio counts: little at a few tens of percent, wholly at a closure.
pub(super) fn believed(off: f64) -> f64 {
    off * off * off / (off * off + DAY_HALF)
}

/// What of a ratio a whole day that was off so far does not explain.
pub(super) fn unexplained(ratio: f64, day: f64) -> f64 {
    Some(ratio - believed(day)).filter(|beyond| beyond * ratio > 0.0).unwrap_or(0.0)
}

/// What two days have in common, as logarithms; of a first one all.
fn in_common(day: f64, before: Option<f32>) -> f64 {
    let before = before.map_or(day, f64::from);
    if day * before > 0.0 { day.signum() * day.abs().min(before.abs()) } else { 0.0 }
}

fn log_ratio(came: f64, usual: f64, caution: f64) -> f64 {
    libm::log((came + caution) / (usual + caution))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twice_the_usual_for_long_is_a_ratio_of_two() {
        let mut pulse = Pulse::new(1, Span::from_mins(5));
        (0..3_000).for_each(|_| pulse.count(0, 200.0, Some(100.0)));
        for ratio in pulse.ratios(0) {
            assert!((ratio - 2f64.ln()).abs() < 0.01, "{ratio}");
        }
        assert!((pulse.size(0) - 200.0).abs() < 1e-3);
    }

    #[test]
    fn a_step_without_a_usual_moves_no_ratio() {
        let mut pulse = Pulse::new(1, Span::from_mins(5));
        pulse.count(0, 500.0, None);
        assert_eq!(pulse.ratios(0), [0.0; RATIOS]);
    }

    #[test]
    fn a_day_that_was_off_alone_says_nothing_of_the_next_and_two_do() {
        let mut pulse = Pulse::new(1, Span::from_mins(60));
        let live = |pulse: &mut Pulse, times: f64| {
            (0..24).for_each(|_| pulse.count(0, 100.0 * times, Some(100.0)));
            pulse.dawn();
            pulse.lasting(0)
        };
        assert!((0..3).all(|_| live(&mut pulse, 1.0).abs() < 1e-6));
        assert!(live(&mut pulse, 0.0).abs() < 1e-6, "a holiday");
        assert!(live(&mut pulse, 0.0) < -2.0, "closed for longer");
        assert!(live(&mut pulse, 0.2) < -1.0, "open again, for few");
        assert!(live(&mut pulse, 3.0).abs() < 1e-6, "fireworks");
    }

    #[test]
    fn a_day_that_is_off_is_known_by_its_evening_to_be_alone() {
        let mut pulse = Pulse::new(1, Span::from_mins(60));
        (0..24).for_each(|_| pulse.count(0, 100.0, Some(100.0)));
        pulse.dawn();
        (0..20).for_each(|_| pulse.count(0, 5.0, Some(100.0)));
        let (today, beyond) = pulse.today(0);
        assert!(today < -2.0 && beyond.abs() < 1e-6, "{today} {beyond}");
        pulse.dawn();
        (0..20).for_each(|_| pulse.count(0, 50.0, Some(100.0)));
        let (today, beyond) = pulse.today(0);
        assert!((today - beyond).abs() < 1e-6 && today < -0.6, "half of it is what both have in common: {today} {beyond}");
    }

    #[test]
    fn how_it_ran_before_the_doors_were_shut_is_forgotten_by_the_morning() {
        let mut pulse = Pulse::new(1, Span::from_mins(60));
        (0..200).for_each(|_| pulse.count(0, 100.0, Some(100.0)));
        (0..4).for_each(|_| pulse.count(0, 400.0, Some(100.0)));
        assert!(pulse.ratios(0)[0] > 1.0);
        (0..11).for_each(|_| pulse.pass(0));
        assert!((0.0..0.05).contains(&(pulse.ratios(0)[0] - pulse.lasting(0))), "{:?} {}", pulse.ratios(0), pulse.lasting(0));
    }

    #[test]
    fn after_a_shut_day_the_next_begins_as_usual_and_after_two_it_is_shut() {
        let mut pulse = Pulse::new(1, Span::from_mins(60));
        let mut day = |came: f64| {
            (0..24).for_each(|_| pulse.count(0, came, Some(100.0)));
            pulse.dawn();
            pulse.ratios(0)
        };
        day(100.0);
        let after_one = day(0.0);
        assert!(after_one[..2].iter().all(|ratio| ratio.abs() < 0.1), "{after_one:?}");
        let after_two = day(0.0);
        assert!(after_two[..2].iter().all(|ratio| *ratio < -2.0), "{after_two:?}");
        let slow = [day(100.0), day(100.0), day(90.0)][2];
        assert!(slow[0] < -0.05, "a slow evening goes on: {slow:?}");
    }

    #[test]
    fn a_figure_that_stands_alone_carries_no_more_than_a_crowd_does_at_first() {
        let after = |counts: &[f64]| {
            let mut pulse = Pulse::new(1, Span::from_mins(60));
            (0..48).for_each(|_| pulse.count(0, 50.0, Some(50.0)));
            counts.iter().for_each(|came| pulse.count(0, *came, Some(50.0)));
            (pulse.ratios(0)[0].exp(), pulse.size(0))
        };
        let (absurd, large) = (after(&[50_000.0]), after(&[230.0]));
        assert_eq!(absurd, large);
        assert!(absurd.0 < 2.5 && absurd.1 < 55.0, "{absurd:?}");
        let (crowd, _) = after(&[5_000.0, 5_000.0]);
        assert!(crowd > 20.0, "a crowd that stays is believed in its second step: {crowd}");
        let (again, _) = after(&[&[5_000.0, 5_000.0][..], &[50.0; 48], &[5_000.0]].concat());
        assert!(again > 20.0, "and at once where one came before: {again}");
    }

    #[test]
    fn a_place_is_restless_after_some_large_errors_and_calm_after_small_ones() {
        let mut pulse = Pulse::new(1, Span::from_mins(5));
        let mut err = |steps: u32, came: f64| {
            (0..steps).for_each(|_| pulse.err(0, 100.0, came));
            pulse.unrest(0)
        };
        let (as_ever, restless, calm) = (err(500, 115.0), err(3, 145.0), err(30, 105.0));
        assert!(as_ever.abs() < 0.05 && restless > 0.8 && calm < -1.0, "{as_ever} {restless} {calm}");
    }

    #[test]
    fn one_disaster_hardly_moves_the_scale() {
        let mut pulse = Pulse::new(1, Span::from_mins(5));
        (0..300).for_each(|_| pulse.err(0, 99.0, 109.0));
        let calm = pulse.scale(0);
        assert!((calm - 1.0).abs() < 0.05, "{calm}");
        pulse.err(0, 99.0, 90_000.0);
        assert!(pulse.scale(0) < 1.05 * calm);
    }
}

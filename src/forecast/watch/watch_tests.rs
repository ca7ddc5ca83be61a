//! The watch as a whole: its budget of false findings, what it judges and what it does not yet, and what it learns from.

use super::*;
use crate::forecast::{sample, series};

const HALF_HOUR: Span = Span::from_mins(30);
const STEPS_A_WEEK: u32 = 336;

/// Chance without a generator: a hash of the step's number, 0 to 1.
fn chance(n: u64) -> f64 {
    let mut x = n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((x ^ (x >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

/// About normal: twelve chances.
fn noise(n: u64) -> f64 {
    (0..12).map(|k| chance(n * 12 + k)).sum::<f64>() - 6.0
}

/// One undirected counter, usual by the hour of the day, counts over-dispersed by groups and by good and bad days.
struct Place {
    watch: Watch,
    step: u32,
    days: f64,
    seed: u64,
}

impl Place {
    fn new(seed: u64) -> Self {
        let mut venue = sample::venue();
        venue.step = HALF_HOUR;
        let only: Vec<_> = series::of(&venue).into_iter().filter(|series| series.kind == SeriesKind::Count).collect();
        Self { watch: Watch::new(&venue, &only), step: 0, days: 0.0, seed }
    }

    fn usual(step: u32) -> f64 {
        let hour = f64::from(step % 48) / 2.0;
        4.0 + 60.0 * libm::exp(-libm::pow((hour - 13.0) / 4.0, 2.0))
    }

    /// One step with `times` as many people as would have come; `None` is a gap. Returns whether a finding is open and holds.
    fn step(&mut self, times: Option<f64>) -> Option<Verdict> {
        let usual = Self::usual(self.step);
        let n = self.seed * 1_000_003 + u64::from(self.step);
        let day = 1.0 + 0.1 * noise(self.seed * 7_919 + u64::from(self.step / 48));
        let mean = usual * day;
        let came = times.map(|times| ((mean + (2.0 * mean).sqrt() * noise(n)).max(0.0) * times).round());
        self.step += 1;
        self.days = f64::from(self.step / 48);
        let mut seen = [Seen { came, usual: Some((usual, self.days.min(12.0))), occasion: None }];
        self.watch.take(EventTime::from_millis(i64::from(self.step) * 1_800_000), &mut seen);
        self.watch.verdicts().next().map(|(_, verdict)| *verdict)
    }

    /// So many steps; counts the findings that open.
    fn run(&mut self, steps: u32, mut times: impl FnMut(u32) -> Option<f64>) -> u32 {
        let (mut found, mut holds) = (0, self.watch.verdicts().next().is_some_and(|(_, verdict)| verdict.holds));
        for step in 0..steps {
            let now = self.step(times(step));
            let opens = now.is_some_and(|now| now.exceeds && !holds);
            found += u32::from(opens);
            holds = now.map_or(holds, |now| now.holds || (holds && !now.exceeds && self.is_open()));
        }
        found
    }

    fn is_open(&self) -> bool {
        self.watch.zone(0).is_some_and(ZoneWatch::is_open)
    }
}

fn settled(seed: u64) -> Place {
    let mut place = Place::new(seed);
    place.run(4 * STEPS_A_WEEK, |_| Some(1.0));
    place
}

#[test]
fn a_budget_of_one_a_week_is_spent_and_not_overspent() {
    let (mut found, weeks) = (0, 40);
    for seed in 1..=6 {
        found += settled(seed).run(weeks * STEPS_A_WEEK, |_| Some(1.0));
    }
    let a_week = f64::from(found) / f64::from(6 * weeks);
    assert!((0.5..=1.3).contains(&a_week), "{a_week} a week");
}

#[test]
fn the_first_days_are_no_flood() {
    let found: u32 = (1..=6).map(|seed| Place::new(seed).run(STEPS_A_WEEK, |_| Some(1.0))).sum();
    assert!(found <= 9, "{found} in six first weeks");
}

#[test]
fn one_event_is_one_finding() {
    for seed in 1..=6 {
        let mut place = settled(seed);
        place.run(20, |_| Some(1.0));
        let found = place.run(16, |step| Some(if (2..8).contains(&step) { 3.0 } else { 1.0 }));
        assert_eq!(found, 1, "seed {seed}");
        assert!(!place.is_open(), "four hours after it is over, seed {seed}");
    }
}

#[test]
fn a_gap_raises_nothing_and_neither_does_its_end() {
    for seed in 1..=6 {
        let mut place = settled(seed);
        place.run(20, |_| Some(1.0));
        assert_eq!(place.run(14, |step| (step >= 10).then_some(1.0)), 0, "seed {seed}");
    }
}

#[test]
fn a_change_of_regime_is_one_finding_and_then_the_usual() {
    for seed in 1..=4 {
        let mut place = settled(seed);
        let first_week = place.run(STEPS_A_WEEK, |_| Some(0.25));
        assert!((1..=3).contains(&first_week), "{first_week} in the first week, seed {seed}");
        let after = place.run(2 * STEPS_A_WEEK, |_| Some(0.25));
        assert!(after <= 4, "{after} in the two weeks after it, seed {seed}");
    }
}

#[test]
fn the_state_comes_back_whole() {
    let mut place = settled(3);
    let mut other = Place::new(3);
    (other.step, other.days) = (place.step, place.days);
    assert!(other.watch.restore_scores(place.watch.scores().clone()) && other.watch.restore_budget(0, place.watch.budget(0).unwrap().clone()));
    let zone = postcard::to_stdvec(place.watch.zone(0).unwrap()).unwrap();
    assert!(other.watch.restore_zone(0, postcard::from_bytes(&zone).unwrap()));
    for _ in 0..50 {
        assert_eq!(place.step(Some(1.3)), other.step(Some(1.3)));
    }
    assert!(!other.watch.restore_zone(0, ZoneWatch::new(2, true)), "a zone of other series is refused");
}

/// Four places of one group under one watch.
struct Neighbours {
    watch: Watch,
    step: u32,
    holds: [bool; 4],
}

impl Neighbours {
    fn settled(seed: u64) -> Self {
        let mut venue = sample::large(4);
        venue.step = HALF_HOUR;
        let only: Vec<_> = series::of(&venue).into_iter().filter(|series| series.kind == SeriesKind::In).collect();
        let mut all = Self { watch: Watch::new(&venue, &only), step: 0, holds: [false; 4] };
        all.run(4 * STEPS_A_WEEK, seed, |_, _| 1.0);
        all
    }

    /// So many steps with `times(step, place)` as many people; counts the findings that open.
    fn run(&mut self, steps: u32, seed: u64, times: impl Fn(u32, usize) -> f64) -> u32 {
        let mut found = 0;
        for step in 0..steps {
            let now = self.step;
            let usual = Place::usual(now);
            let came = |place: usize| {
                let n = (seed * 31 + place as u64) * 1_000_003 + u64::from(now);
                ((usual + (2.0 * usual).sqrt() * noise(n)).max(0.0) * times(step, place)).round()
            };
            self.step += 1;
            let days = f64::from(self.step / 48).min(12.0);
            let mut seen: Vec<Seen> = (0..4).map(|place| Seen { came: Some(came(place)), usual: Some((usual, days)), occasion: None }).collect();
            self.watch.take(EventTime::from_millis(i64::from(self.step) * 1_800_000), &mut seen);
            for (place, verdict) in self.watch.verdicts() {
                found += u32::from(verdict.exceeds && !self.holds[place]);
                self.holds[place] = verdict.holds;
            }
        }
        found
    }
}

#[test]
fn an_event_at_four_neighbours_is_one_finding_and_two_events_are_two() {
    for seed in 1..=4 {
        let mut all = Neighbours::settled(seed);
        all.run(20, seed, |_, _| 1.0);
        let spreads = |step: u32, place: usize| if (place as u32..8).contains(&step) { 3.0 } else { 1.0 };
        assert_eq!(all.run(28, seed, spreads), 1, "one that spreads from place to place, seed {seed}");
        all.run(20, seed, |_, _| 1.0);
        let two = |step: u32, place: usize| if place == 0 && step < 4 || place == 3 && (12..16).contains(&step) { 4.0 } else { 1.0 };
        assert_eq!(all.run(28, seed, two), 2, "one in the morning and one hours later elsewhere, seed {seed}");
    }
}

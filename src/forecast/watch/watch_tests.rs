//! The watch as a whole: its budget of false findings, what it judges and what it does not yet, and what it learns from.

use super::deviation::Deviation;
use super::joint::Voice;
use super::*;
use crate::forecast::{sample, series};
use crate::venue::Profile;

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

/// The share of a normal law farther from its mean than `deviations`, on both sides.
fn tail(deviations: f64) -> f64 {
    libm::erfc(deviations / std::f64::consts::SQRT_2)
}

/// One undirected counter, usual by the hour of the day, counts over-dispersed by groups and by good and bad days.
struct Place {
    watch: Watch,
    step: u32,
    days: f64,
    seed: u64,
    /// Whether a model scores each step.
    has_model: bool,
}

impl Place {
    fn new(seed: u64) -> Self {
        let mut venue = sample::venue();
        venue.step = HALF_HOUR;
        let only: Vec<_> = series::of(&venue).into_iter().filter(|series| series.kind == SeriesKind::Count).collect();
        Self { watch: Watch::new(&venue, &only, &vec![true; only.len()]), step: 0, days: 0.0, seed, has_model: false }
    }

    fn usual(step: u32) -> f64 {
        let hour = f64::from(step % 48) / 2.0;
        4.0 + 60.0 * libm::exp(-libm::pow((hour - 13.0) / 4.0, 2.0))
    }

    /// One step with `times` as many people as would have come; `None` is a gap. Returns whether a finding is open and holds.
    fn step(&mut self, times: Option<f64>) -> Option<Verdict> {
        let mut seen = [self.seen(times)];
        self.watch.take(EventTime::from_millis(i64::from(self.step) * 1_800_000), &mut seen);
        self.watch.verdicts().next().map(|(_, verdict)| *verdict)
    }

    fn seen(&mut self, times: Option<f64>) -> Seen {
        let usual = Self::usual(self.step);
        let n = self.seed * 1_000_003 + u64::from(self.step);
        let day = 1.0 + 0.1 * noise(self.seed * 7_919 + u64::from(self.step / 48));
        let mean = usual * day;
        let own = noise(n);
        let came = times.map(|times| ((mean + (2.0 * mean).sqrt() * own).max(0.0) * times).round());
        // A model that sees half of what the counts show and half of its own, and any surge.
        let learnt = self.has_model.then(|| if times.is_some_and(|times| times > 1.2) { 1e-4 } else { tail((0.7 * own + 0.7 * noise(n + 500_000)).abs()) });
        self.step += 1;
        self.days = f64::from(self.step / 48);
        Seen { came, usual: Some((usual, self.days.min(12.0))), occasion: None, weekday: None, learnt }
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

/// Places that share a budget, each with noise of its own.
struct Town {
    places: Vec<Place>,
    watch: Watch,
}

impl Town {
    fn new(places: u64) -> Self {
        let mut venue = sample::large(places as usize);
        venue.step = HALF_HOUR;
        let only: Vec<_> = series::of(&venue).into_iter().filter(|series| series.kind == SeriesKind::In).collect();
        let watch = Watch::new(&venue, &only, &vec![true; only.len()]);
        Self { places: (1..=places).map(Place::new).collect(), watch }
    }

    /// So many steps; counts the findings that open.
    fn run(&mut self, steps: u32, times: impl Fn(u32) -> f64) -> u32 {
        let (mut found, mut holds) = (0, vec![false; self.places.len()]);
        for step in 0..steps {
            let mut seen: Vec<Seen> = self.places.iter_mut().map(|place| place.seen(Some(times(step)))).collect();
            self.watch.take(EventTime::from_millis(i64::from(self.places[0].step) * 1_800_000), &mut seen);
            for (zone, verdict) in self.watch.verdicts() {
                found += u32::from(verdict.exceeds && !holds[zone]);
                holds[zone] = verdict.holds;
            }
        }
        found
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

fn settled_with_model(seed: u64) -> Place {
    let mut place = Place { has_model: true, ..Place::new(seed) };
    place.run(4 * STEPS_A_WEEK, |_| Some(1.0));
    place
}

#[test]
fn the_budget_is_the_same_with_the_learnt_score() {
    let (mut found, weeks) = (0, 40);
    for seed in 1..=6 {
        found += settled_with_model(seed).run(weeks * STEPS_A_WEEK, |_| Some(1.0));
    }
    let a_week = f64::from(found) / f64::from(6 * weeks);
    assert!((0.5..=1.3).contains(&a_week), "{a_week} a week");
}

#[test]
fn a_model_that_goes_or_comes_raises_no_storm_and_leaves_no_silence() {
    let event = |step: u32| Some(if (20..26).contains(&step) { 3.0 } else { 1.0 });
    let (mut first_fortnights, mut events) = (0, 0);
    for seed in 1..=6 {
        let mut place = settled_with_model(seed);
        for has_model in [false, true, false] {
            place.has_model = has_model;
            first_fortnights += place.run(2 * STEPS_A_WEEK, |_| Some(1.0));
            events += place.run(48, event);
        }
        // Now it misses every other step.
        events += (0..48)
            .map(|step| {
                place.has_model = step % 2 == 0;
                place.run(1, |_| event(step))
            })
            .sum::<u32>();
    }
    let a_week = f64::from(first_fortnights) / 36.0;
    assert!((0.3..=1.6).contains(&a_week), "{a_week} a week");
    assert!((24..=30).contains(&events), "{events} findings about 24 events");
}

#[test]
fn what_is_unusual_to_both_is_found_sooner() {
    let found = |has_model: bool| -> u32 {
        let of_seed = |seed| {
            let mut place = if has_model { settled_with_model(seed) } else { settled(seed) };
            let mut surge = || {
                // Half a quiet day before it, whose findings do not count.
                place.run(24, |_| Some(1.0));
                place.run(24, |step| Some(if step < 4 { 1.45 } else { 1.0 }))
            };
            (0..20).map(|_| surge()).sum::<u32>()
        };
        (1..=6).map(of_seed).sum()
    };
    let (with, without) = (found(true), found(false));
    assert!(with > without + 5, "{with} with the model, {without} without");
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
fn a_day_off_alone_is_no_new_usual() {
    for seed in 1..=6 {
        let mut place = settled(seed);
        assert_eq!(place.run(48, |_| Some(0.0)), 1, "seed {seed}");
        assert_eq!(place.run(48, |_| Some(1.0)), 0, "the day after it, seed {seed}");
        assert_eq!(place.run(48, |_| Some(0.0)), 1, "and nobody again, seed {seed}");
    }
}

#[test]
fn who_comes_back_after_a_change_is_no_surge() {
    for seed in 1..=6 {
        let mut place = settled(seed);
        place.run(5 * 48, |_| Some(0.15));
        assert_eq!(place.run(2 * 48, |_| Some(1.0)), 0, "seed {seed}");
        let mut place = settled(seed);
        place.run(5 * 48, |_| Some(0.15));
        assert_eq!(place.run(48, |step| Some(if step > 16 { 4.0 } else { 0.15 })), 1, "but far more than ever is, seed {seed}");
    }
}

#[test]
fn after_days_of_silence_the_days_before_it_are_no_change() {
    let (mut found, mut before) = (0, 0);
    for seed in 1..=4 {
        // It creeps in, so that no window finds it, and the counter falls silent on any of the days in which it might be told.
        for steps in (144..384).step_by(8) {
            let mut place = settled(seed);
            before += place.run(steps, |step| Some(libm::pow(1.12, f64::from(step / 48))));
            found += place.run(4 * 48 + 3, |step| (step >= 4 * 48).then_some(1.0));
        }
    }
    assert!(found <= 2 && before > 100, "{found} of 120, {before} told before");
}

#[test]
fn after_months_of_silence_nobody_knows_what_is_usual() {
    let (mut found, mut events) = (0, 0);
    for seed in 1..=6 {
        for times in [0.5, 1.0, 2.0] {
            let mut place = settled(seed);
            place.run(60 * 48 + 7, |_| None);
            found += place.run(STEPS_A_WEEK, |_| Some(times));
            events += place.run(48, |step| Some(if (20..26).contains(&step) { 4.0 * times } else { times }));
        }
    }
    assert!(found <= 12 && (16..=20).contains(&events), "{found} in 18 weeks, {events} about 18 events");
}

#[test]
fn what_creeps_in_is_told_once_for_all_its_places() {
    // A tenth less each day, down to a third: the pace follows, so no window sees it.
    let times = |step: u32| libm::pow(0.9, f64::from((step / 48).min(10)));
    let mut by_regime = 0;
    for seed in 1..=4 {
        let mut place = settled(seed);
        let (mut lasting, mut found, mut holds) = (0, 0, false);
        for step in 0..STEPS_A_WEEK * 4 {
            let verdict = place.step(Some(times(step))).unwrap();
            let opens = verdict.exceeds && !holds && verdict.deviation == Deviation::Shortfall;
            found += u32::from(opens);
            let end = EventTime::from_millis(i64::from(place.step) * 1_800_000);
            lasting += u32::from(opens && end.since(verdict.from) == Span::from_mins(24 * 60));
            holds = verdict.holds;
        }
        assert!(lasting <= 1 && (1..=4).contains(&found), "{lasting} of {found} in four weeks, seed {seed}");
        by_regime += lasting;
    }
    assert!(by_regime >= 1, "where no window saw it");
    let mut town = Town::new(6);
    town.run(4 * STEPS_A_WEEK, |_| 1.0);
    let found = town.run(2 * STEPS_A_WEEK, times);
    assert!((1..=4).contains(&found), "{found} of six places");
}

#[test]
fn what_creeps_in_at_a_place_weeks_after_it_did_at_another_is_told_too() {
    let creeps = |step: u32| libm::pow(0.9, f64::from((step / 48).min(10)));
    let mut town = Town::new(6);
    town.run(4 * STEPS_A_WEEK, |_| 1.0);
    let mut told = [0; 6];
    for step in 0..5 * STEPS_A_WEEK {
        let times = |place: usize| match place {
            0 => creeps(step),
            1 => creeps(step.saturating_sub(2 * STEPS_A_WEEK)),
            _ => 1.0,
        };
        let mut seen: Vec<Seen> = town.places.iter_mut().enumerate().map(|(nth, place)| place.seen(Some(times(nth)))).collect();
        let end = EventTime::from_millis(i64::from(town.places[0].step) * 1_800_000);
        town.watch.take(end, &mut seen);
        for (zone, verdict) in town.watch.verdicts() {
            told[zone] += u32::from(verdict.exceeds && verdict.deviation == Deviation::Shortfall && end.since(verdict.from) == Span::from_mins(24 * 60));
        }
    }
    assert_eq!(told, [1, 1, 0, 0, 0, 0], "lasting changes, by place");
}

#[test]
fn however_far_crowds_stand_out_here_an_empty_place_is_found() {
    for seed in 1..=4 {
        let mut place = Place::new(seed);
        // No two hours are alike, and there is a market on every third day: surges raise the threshold of surges.
        let mut hours = 0;
        let mut times = |step: u32| {
            hours += 1;
            let is_market = (step / 48).is_multiple_of(3) && (20..26).contains(&(step % 48));
            (1.0 + 0.5 * noise(seed * 40_009 + hours)).max(0.2) * if is_market { 4.0 } else { 1.0 }
        };
        place.run(8 * STEPS_A_WEEK, |step| Some(times(step)));
        place.run(16, |step| Some(times(step + 48)));
        let emptied: Vec<Verdict> = (0..24).filter_map(|_| place.step(Some(0.05))).collect();
        assert!(emptied.iter().any(|verdict| verdict.exceeds && verdict.deviation == Deviation::Shortfall), "seed {seed}: {:?}", emptied.last());
    }
}

#[test]
fn the_share_is_one_of_quiet_steps_however_long_events_last() {
    let mut place = settled(1);
    // A third of every second day stands out.
    let times = |step: u32| if (step / 48) % 2 == 1 && (16..32).contains(&(step % 48)) { 3.0 } else { 1.0 };
    let first: Vec<f64> = {
        let mut holds = false;
        let mut first = Vec::new();
        for step in 0..6 * STEPS_A_WEEK {
            let verdict = place.step(Some(times(step))).unwrap();
            first.extend((verdict.exceeds && !holds && step > 2 * STEPS_A_WEEK).then_some(verdict.share_above));
            holds = verdict.holds;
        }
        first
    };
    assert!(first.len() >= 2 && first.iter().all(|share| *share < 0.004), "{first:?}");
}

#[test]
fn what_stands_out_further_has_a_smaller_share() {
    let share = |times: f64| {
        let mut place = settled(2);
        place.run(30, |_| Some(1.0));
        let verdict = place.step(Some(times)).unwrap();
        (verdict.exceeds, verdict.share_above)
    };
    let ((is_found, of_much), (_, of_more)) = (share(4.0), share(8.0));
    assert!(is_found && of_more < 0.2 * of_much, "{of_much} {of_more}");
}

#[test]
fn the_state_comes_back_whole() {
    let mut place = settled(3);
    let mut other = Place::new(3);
    (other.step, other.days) = (place.step, place.days);
    assert!(other.watch.restore_scores(place.watch.scores().clone()) && other.watch.restore_budgets(0, place.watch.budgets(0).unwrap().clone()));
    let zone = postcard::to_stdvec(place.watch.zone(0).unwrap()).unwrap();
    assert!(other.watch.restore_zone(0, postcard::from_bytes(&zone).unwrap()));
    for _ in 0..50 {
        assert_eq!(place.step(Some(1.3)), other.step(Some(1.3)));
    }
    assert!(!other.watch.restore_zone(0, ZoneWatch::new(2, true)), "a zone of other series is refused");
}

/// Places of one group under one watch, which share a part of their good and bad days.
struct Neighbours {
    watch: Watch,
    step: u32,
    holds: Vec<bool>,
    /// One deviation of what they share, and of what each has to itself, for hours, as a share of the usual.
    shared: f64,
    own: f64,
}

impl Neighbours {
    fn new(places: usize, shared: f64, own: f64) -> Self {
        let mut venue = sample::large(places);
        venue.step = HALF_HOUR;
        let only: Vec<_> = series::of(&venue).into_iter().filter(|series| series.kind == SeriesKind::In).collect();
        Self { watch: Watch::new(&venue, &only, &vec![true; only.len()]), step: 0, holds: vec![false; places], shared, own }
    }

    fn settled(seed: u64) -> Self {
        let mut all = Self::new(4, 0.0, 0.0);
        all.run(4 * STEPS_A_WEEK, seed, |_, _| 1.0);
        all
    }

    /// So many steps with `times(step, place)` as many people; counts the findings that open.
    fn run(&mut self, steps: u32, seed: u64, times: impl Fn(u32, usize) -> f64) -> u32 {
        let mut found = 0;
        for step in 0..steps {
            let now = self.step;
            let usual = Place::usual(now);
            let shared = 1.0 + self.shared * noise(seed * 7_919 + u64::from(now / 24));
            let came = |place: usize| {
                let own = seed * 31 + place as u64;
                let mean = usual * shared * (1.0 + self.own * noise(own * 7_919 + u64::from(now / 12)));
                ((mean + (2.0 * mean).sqrt() * noise(own * 1_000_003 + u64::from(now))).max(0.0) * times(step, place)).round()
            };
            self.step += 1;
            let days = f64::from(self.step / 48).min(12.0);
            let seen = |place: usize| Seen { came: Some(came(place)), usual: Some((usual, days)), occasion: None, weekday: None, learnt: None };
            let mut seen: Vec<Seen> = (0..self.holds.len()).map(seen).collect();
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
fn a_group_spends_its_budget_however_many_places_it_has_and_whether_they_move_together() {
    for (places, shared, own) in [(4, 0.0, 0.15), (24, 0.0, 0.15), (24, 0.1, 0.1)] {
        let (mut found, weeks) = (0, 20);
        for seed in 1..=3 {
            let mut all = Neighbours::new(places, shared, own);
            all.run(6 * STEPS_A_WEEK, seed, |_, _| 1.0);
            found += all.run(weeks * STEPS_A_WEEK, seed, |_, _| 1.0);
        }
        let a_week = f64::from(found) / f64::from(3 * weeks);
        assert!((0.5..=1.3).contains(&a_week), "{a_week} a week of {places} places that share {shared}");
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

#[test]
fn zones_that_are_grouped_anew_take_no_other_groups_budget() {
    let venue = sample::large(3);
    let series = series::of(&venue);
    let counted = vec![true; series.len()];
    // Two groups: of the first zone and the last, and of the one between them.
    let grouped = |labels: [&str; 3]| {
        let mut venue = venue.clone();
        for (zone, label) in venue.zones.iter_mut().zip(labels) {
            zone.profile = Profile { label: label.into(), ..(*zone.profile).clone() }.into();
        }
        venue
    };
    let watch = |labels: [&str; 3]| Watch::new(&grouped(labels), &series, &counted);
    let learnt = |weeks: f64| {
        let mut budgets = Budgets::default();
        let per_week = Directed { surge: 0.6, shortfall: 0.4 };
        budgets.pass(weeks, Directed::default().map(|_: ()| Twofold { alone: 3.0, joint: None }), EventTime::from_millis(0), 1, per_week);
        budgets
    };
    let mut running = watch(["a", "b", "a"]);
    let (of_first, of_second) = (learnt(1.0), learnt(2.0));
    assert_eq!(running.groups().collect::<Vec<_>>(), [0, 1]);
    assert!(running.restore_budgets(0, of_first.clone()) && running.restore_budgets(1, of_second.clone()));
    // Now the first stands alone, and the last begins a group.
    running.reload(&grouped(["a", "b", "c"]), &series, &counted);
    assert_eq!(running.groups().collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!([0, 1, 2].map(|first| running.budgets(first).unwrap().clone()), [of_first.clone(), of_second.clone(), Budgets::default()]);
    // The first two are one group, so nobody begins with the second: what is stored of it is not wanted, and no fault.
    let mut restarted = watch(["a", "a", "c"]);
    assert!(restarted.restore_budgets(0, of_first.clone()) && restarted.restore_budgets(1, of_second));
    assert_eq!((restarted.budgets(0), restarted.budgets(1), restarted.budgets(2)), (Some(&of_first), None, Some(&Budgets::default())));
}

#[test]
fn a_step_without_the_models_word_is_as_rare_as_the_watch_alone_says() {
    let mut place = settled(4);
    place.has_model = true;
    // Until noon, when many are usual.
    place.run(2 * STEPS_A_WEEK + 25, |_| Some(1.0));
    assert_eq!(place.step(Some(1.0)).unwrap().voice, Voice::Joint);
    place.has_model = false;
    let verdict = place.step(Some(6.0)).unwrap();
    assert_eq!(verdict.voice, Voice::Alone);
    let budgets = place.watch.budgets(0).unwrap();
    let rarity = |voice: Voice| budgets.rarity(verdict.deviation, voice, verdict.score);
    assert_ne!(rarity(Voice::Alone), rarity(Voice::Joint), "the tails differ");
    assert!(verdict.share_above <= rarity(Voice::Alone), "{verdict:?}");
    assert_eq!(verdict.threshold, budgets.thresholds().of(verdict.deviation).of(Voice::Alone), "the last step was no quiet one");
}

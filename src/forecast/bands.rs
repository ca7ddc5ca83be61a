//! Honest bands: the quantiles of a horizon follow what comes, level by level and way by way.
//!
//! The idea: whatever spread is assumed, one counts how often reality fell below each quantile and moves it until the share is right (stochastic approximation of a quantile,
//! Robbins & Monro 1951; as a conformal method: Gibbs & Candès 2021). Distances are told in deviations, so that one set of numbers serves all series of a venue; levels are
//! told apart by the octave of what is expected, because the law of few persons is not that of many. Each octave starts from what the venue as a whole has learnt.
//!
//! People come in otherwise than they go: in groups to a start, one by one all day. So a quantile is the octave's and, on top of it, what the way adds in that octave; both are moved until
//! the share is right in the octave *and* in the way (overlapping groups: Bastani et al. 2022). Ways with bands wholly of their own would each learn from half the values, one band for both is
//! too wide for one and too narrow for the other; this is neither.
//!
//! A third part belongs to the quarter of its levels that a count lies in ([`Quarters`]): where all counts lie within two octaves, as a busy line's do, the quiet hours still spread otherwise
//! than the busy ones.
//!
//! A fourth belongs to the way's moment ([`TimeGroup`]): the evening of a working day is not as sure as its morning, and an event's last hour is less sure than either. It is that of the two hours
//! of the day about the target (`hours`), or of the hour of the event that is on then, and in the long run follows twice as fast as the others, for a moment comes but once a day.
//!
//! A fifth belongs to the unrest of the series when the band is told: errors come in clusters ([`super::unrest`]).
//!
//! Where few persons are expected the law is one of whole numbers and no bell: [`Few`] has the word there.

use super::calendar::Place;
use super::event::{Moment, PHASES};
use super::few::Few;
use super::hours::{self, Between};
use super::outlook::SeriesKind;
use super::quarters::Quarters;
use super::unrest::{LEVELS, levels};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The quantiles.
pub const TAU: [f64; 3] = [0.1, 0.5, 0.9];
/// Octaves of persons + 1 that are told apart.
const OCTAVES: usize = 24;
/// Where the quantiles start, deviations; the unit is a mean absolute error, so a normal law would say ± 1.6.
const START: [f64; 3] = [-1.6, 0.0, 1.6];
/// A quantile's first steps, and the smallest; the median's are smaller, since it is right by itself.
const FIRST: f64 = 3.0;
const FIRST_SEEN: f64 = 20.0;
const LEAST: [f64; 3] = [0.02, 0.004, 0.02];
/// Where a level has few cases a pane, each moves the outer quantiles by more: a venue of one counter must not take a season to learn that it is forecast better than it was.
const FEW: f64 = 0.1;
/// What was said of a step far ahead comes true late, and whoever corrects it at once corrects it again and again until then: with each further step the outer quantiles move by less.
const LATE: f64 = 0.2;
/// The most that one pane moves a quantile.
const MOST: [f64; 3] = [0.15, 0.03, 0.15];
/// The ways there are ([`SeriesKind`]).
const WAYS: usize = SeriesKind::Count as usize + 1;
/// Once many cases were seen, the quantiles of a moment move by so much more.
const OF_MOMENT: f64 = 2.0;
/// From so many cases on an octave goes its own way.
const OWN_WAY: f64 = 30.0;

/// When a case is, as far as bands are told apart by it; by default at no known time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TimeGroup(Between);

/// What a time adds to the bands of each way: looked up once for all series.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct AtTime {
    group: TimeGroup,
    added: [[f64; 3]; WAYS],
}

/// What a case is told apart by, beside what is expected of it.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances<'a> {
    /// The way.
    pub way: SeriesKind,
    /// The time.
    pub at: &'a AtTime,
    /// How restless the series is.
    pub unrest: f64,
}

/// The quantiles of one level, or what a way, a quarter or a moment adds to them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Law {
    quantiles: [f64; 3],
    seen: f64,
    /// What of the present pane was counted: cases below (by half where one lies on the quantile), and cases.
    #[serde(skip)]
    below: [f64; 3],
    #[serde(skip)]
    cases: f64,
}

impl Default for Law {
    fn default() -> Self {
        Self { quantiles: START, ..Self::NOTHING }
    }
}

/// The quantiles of one horizon.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bands {
    whole: Law,
    octaves: Vec<Law>,
    /// What a way adds, by way and octave, where anything was counted.
    ways: BTreeMap<(u8, u8), Law>,
    /// By way, where the quarters of its levels lie, and what each adds.
    quarters: BTreeMap<u8, (Quarters, [Law; 4])>,
    /// What a moment adds, by way and moment, where anything was counted.
    moments: BTreeMap<(u8, u8), Law>,
    /// By way, what each level of unrest adds.
    unrest: BTreeMap<u8, [Law; LEVELS]>,
    /// What comes where few are expected.
    few: Few,
}

impl Default for Bands {
    fn default() -> Self {
        Self {
            whole: Law::default(),
            octaves: vec![Law::default(); OCTAVES],
            ways: BTreeMap::new(),
            quarters: BTreeMap::new(),
            moments: BTreeMap::new(),
            unrest: BTreeMap::new(),
            few: Few::default(),
        }
    }
}

impl TimeGroup {
    /// The target's place in the local week, and in the event that is on then.
    pub fn new(place: Place, event: Option<Moment>) -> Self {
        Self(match event {
            Some(moment) => [(hours::ALL + moment.phase(), 1.0), (hours::ALL, 0.0)],
            None => hours::between(place),
        })
    }

    /// The moments that it lies between, and how far it belongs to each.
    fn shares(self) -> impl Iterator<Item = (u8, f64)> {
        self.0.into_iter().filter(|(_, share)| *share > 0.0)
    }
}

impl Bands {
    /// Whether it is of the size that this binary uses; a stored one may not be.
    pub fn is_sound(&self) -> bool {
        let are_moments = self.moments.keys().all(|(way, moment)| usize::from(*way) < WAYS && *moment < hours::ALL + PHASES);
        are_moments
            && self.unrest.keys().all(|way| usize::from(*way) < WAYS)
            && self.few.is_sound()
            && self.octaves.len() == OCTAVES
            && self.quarters.values().all(|(quarters, _)| quarters.is_sound())
    }

    /// What that time adds.
    pub fn at(&self, group: TimeGroup) -> AtTime {
        let mut added = [[0.0; 3]; WAYS];
        for (moment, share) in group.shares() {
            for (way, added) in (0..).zip(&mut added) {
                let Some(law) = self.moments.get(&(way, moment)) else { continue };
                added.iter_mut().zip(law.quantiles).for_each(|(added, quantile)| *added += share * quantile);
            }
        }
        AtTime { group, added }
    }

    /// The quantiles about `expected` persons, where one deviation downwards and upwards is so many.
    pub fn about(&self, case: Circumstances<'_>, expected: f64, deviations: (f64, f64)) -> [f64; 3] {
        let Circumstances { way, at, unrest } = case;
        let place = octave(expected);
        let octave = &self.octaves[place];
        let law = if octave.seen < OWN_WAY { &self.whole } else { octave };
        let own = self.ways.get(&(way as u8, place as u8)).copied().unwrap_or(Law::NOTHING);
        let quarters = self.quarters.get(&(way as u8));
        let of_quarter = quarters.and_then(|(quarters, laws)| Some(laws[quarters.of(expected)?])).unwrap_or(Law::NOTHING);
        let of_time = at.added[way as usize];
        let of_unrest = self.unrest.get(&(way as u8)).map_or([0.0; 3], |laws| added(laws, unrest));
        let mut quantiles = [0.0; 3];
        let few = self.few.about(way, expected, deviations);
        for (place, quantile) in quantiles.iter_mut().enumerate() {
            let shift = law.quantiles[place] + own.quantiles[place] + of_quarter.quantiles[place] + of_time[place] + of_unrest[place];
            let deviation = if shift < 0.0 { deviations.0 } else { deviations.1 };
            *quantile = few[place].or((expected + shift * deviation).max(0.0));
        }
        quantiles.sort_unstable_by(f64::total_cmp);
        quantiles
    }

    /// Counts one case: what had been expected, the deviations as they were, and what came.
    pub fn count(&mut self, case: Circumstances<'_>, expected: f64, deviations: (f64, f64), came: f64) {
        let Circumstances { way, at, unrest } = case;
        let far = came - expected;
        let distance = far / if far < 0.0 { deviations.0 } else { deviations.1 };
        let whole = self.whole.quantiles;
        let place = octave(expected);
        let octave = &mut self.octaves[place];
        if octave.seen <= 0.0 && octave.cases <= 0.0 {
            octave.quantiles = whole;
        }
        let own = self.ways.entry((way as u8, place as u8)).or_insert(Law::NOTHING);
        let (quarters, laws) = self.quarters.entry(way as u8).or_insert_with(|| (Quarters::default(), [Law::NOTHING; 4]));
        let mut unknown = Law::NOTHING;
        let quarter = quarters.of(expected).map_or(&mut unknown, |quarter| &mut laws[quarter]);
        let of_time = at.added[way as usize];
        let unrests = self.unrest.entry(way as u8).or_insert([Law::NOTHING; LEVELS]);
        let of_unrest = added(unrests, unrest);
        let said = std::array::from_fn(|place| octave.quantiles[place] + own.quantiles[place] + quarter.quantiles[place] + of_time[place] + of_unrest[place]);
        quarters.count(expected);
        quarter.count(said, distance, 1.0);
        octave.count(said, distance, 1.0);
        own.count(said, distance, 1.0);
        for (moment, share) in at.group.shares() {
            self.moments.entry((way as u8, moment)).or_insert(Law::NOTHING).count(said, distance, share);
        }
        for (level, share) in levels(unrest) {
            unrests[level].count(said, distance, share);
        }
        self.whole.count(whole, distance, 1.0);
        self.few.count(way, expected, deviations, came);
    }

    /// Moves the quantiles, which are of `steps` ahead, by what was counted since the last time, a step of `step_s` seconds ago.
    pub fn settle(&mut self, steps: u32, step_s: f64) {
        self.few.fade(step_s);
        let gently = 1.0 / (1.0 + LATE * f64::from(steps.saturating_sub(1)));
        for law in self.octaves.iter_mut().chain([&mut self.whole]) {
            law.settle(gently);
            law.quantiles.sort_unstable_by(f64::total_cmp);
        }
        self.ways.values_mut().for_each(|law| law.settle(gently));
        self.moments.values_mut().for_each(|law| law.settle(OF_MOMENT * gently));
        self.unrest.values_mut().flatten().for_each(|law| law.settle(gently));
        for (quarters, laws) in self.quarters.values_mut() {
            quarters.settle();
            laws.iter_mut().for_each(|law| law.settle(gently));
        }
    }
}

impl Law {
    /// That of what adds nothing.
    const NOTHING: Self = Self { quantiles: [0.0; 3], seen: 0.0, below: [0.0; 3], cases: 0.0 };

    /// Counts so much of one case, of which the quantiles `said` were said.
    fn count(&mut self, said: [f64; 3], distance: f64, share: f64) {
        for (below, quantile) in self.below.iter_mut().zip(said) {
            *below += 0.5 * share * f64::from(u8::from(distance < quantile) + u8::from(distance <= quantile));
        }
        self.cases += share;
    }

    fn settle(&mut self, gently: f64) {
        if self.cases <= 0.0 {
            return;
        }
        let cases = self.cases;
        for place in 0..TAU.len() {
            let least = gently * if place == 1 { LEAST[1] } else { LEAST[place].max(FEW / (1.0 + 0.5 * cases)) };
            let rate = (FIRST / (self.seen + FIRST_SEEN)).max(least);
            let off = TAU[place] * cases - self.below[place];
            self.quantiles[place] += (rate * off).clamp(-MOST[place], MOST[place]);
        }
        self.seen += cases;
        (self.below, self.cases) = ([0.0; 3], 0.0);
    }
}

/// What so much unrest adds.
fn added(laws: &[Law; LEVELS], unrest: f64) -> [f64; 3] {
    let [(low, most), (high, rest)] = levels(unrest);
    std::array::from_fn(|place| most * laws[low].quantiles[place] + rest * laws[high].quantiles[place])
}

/// The octave of what is expected.
pub(super) fn octave(expected: f64) -> usize {
    (libm::log2(expected.max(0.0) + 1.0) as usize).min(OCTAVES - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A case of a way at that time, as restless as ever.
    fn by(way: SeriesKind, at: &AtTime) -> Circumstances<'_> {
        Circumstances { way, at, unrest: 0.0 }
    }

    /// A number of 0..1 that jumps about, the same each time.
    fn even(case: u32) -> f64 {
        (f64::from(case) * 0.618_033_988_749).fract()
    }

    #[test]
    fn eight_in_ten_come_to_lie_within() {
        let mut bands = Bands::default();
        let mut within = 0;
        for case in 0..6_000 {
            let came = 100.0 + 240.0 * (even(case) - 0.5);
            let [low, median, high] = bands.about(by(SeriesKind::In, &AtTime::default()), 100.0, (10.0, 10.0));
            within += u32::from(case >= 2_000 && low <= came && came <= high);
            assert!(low <= median && median <= high);
            bands.count(by(SeriesKind::In, &AtTime::default()), 100.0, (10.0, 10.0), came);
            bands.settle(1, 300.0);
        }
        assert!((3_080..3_320).contains(&within), "{within} of 4000");
    }

    #[test]
    fn where_mostly_nobody_comes_the_low_quantiles_are_zero() {
        let mut bands = Bands::default();
        for case in 0..3_000 {
            bands.count(by(SeriesKind::In, &AtTime::default()), 0.3, (1.0, 1.0), if even(case) < 0.75 { 0.0 } else { 1.0 });
            bands.settle(1, 300.0);
        }
        let [low, median, high] = bands.about(by(SeriesKind::In, &AtTime::default()), 0.3, (1.0, 1.0));
        assert_eq!((low, median), (0.0, 0.0));
        assert!(high > 0.5, "{high}");
    }

    #[test]
    fn an_octave_that_was_never_seen_takes_the_venues_law() {
        let mut bands = Bands::default();
        for case in 0..3_000 {
            bands.count(by(SeriesKind::In, &AtTime::default()), 100.0, (10.0, 10.0), 100.0 + 240.0 * (even(case) - 0.5));
            bands.settle(1, 300.0);
        }
        let [low, _, high] = bands.about(by(SeriesKind::In, &AtTime::default()), 10_000.0, (100.0, 100.0));
        assert!(low < 10_000.0 - 700.0 && high > 10_000.0 + 700.0, "{low} {high}");
    }

    #[test]
    fn each_way_is_told_by_bands_that_fit_it() {
        let mut bands = Bands::default();
        let mut within = [0; 2];
        for case in 0..6_000 {
            for (place, (way, spread)) in [(SeriesKind::In, 60.0), (SeriesKind::Out, 240.0)].into_iter().enumerate() {
                let came = 100.0 + spread * (even(case + 7 * place as u32) - 0.5);
                let [low, _, high] = bands.about(by(way, &AtTime::default()), 100.0, (10.0, 10.0));
                within[place] += u32::from(case >= 2_000 && low <= came && came <= high);
                bands.count(by(way, &AtTime::default()), 100.0, (10.0, 10.0), came);
            }
            bands.settle(1, 300.0);
        }
        assert!(within.iter().all(|within| (3_080..3_320).contains(within)), "{within:?} of 4000");
    }

    #[test]
    fn quiet_hours_within_one_octave_are_told_by_bands_of_their_own() {
        let mut bands = Bands::default();
        let mut within = [0; 2];
        for case in 0..12_000 {
            let place = case as usize % 2;
            let (about, spread) = [(1_100.0, 60.0), (1_900.0, 240.0)][place];
            let came = about + spread * (even(case) - 0.5);
            let [low, _, high] = bands.about(by(SeriesKind::In, &AtTime::default()), about, (10.0, 10.0));
            within[place] += u32::from(case >= 4_000 && low <= came && came <= high);
            bands.count(by(SeriesKind::In, &AtTime::default()), about, (10.0, 10.0), came);
            bands.settle(1, 300.0);
        }
        assert!(within.iter().all(|within| (3_080..3_320).contains(within)), "{within:?} of 4000");
    }

    #[test]
    fn restless_hours_are_told_by_wider_bands_and_calm_ones_by_narrower() {
        let at = AtTime::default();
        let mut bands = Bands::default();
        let mut within = [0; 2];
        for case in 0..12_000 {
            let place = case as usize % 2;
            let circumstances = Circumstances { unrest: [-1.25, 1.0][place], ..by(SeriesKind::In, &at) };
            let came = 100.0 + [60.0, 240.0][place] * (even(case) - 0.5);
            let [low, _, high] = bands.about(circumstances, 100.0, (10.0, 10.0));
            within[place] += u32::from(case >= 4_000 && low <= came && came <= high);
            bands.count(circumstances, 100.0, (10.0, 10.0), came);
            bands.settle(1, 300.0);
        }
        assert!(within.iter().all(|within| (3_080..3_320).contains(within)), "{within:?} of 4000");
    }

    /// The share of values that lie within, of the last two thirds, where two groups of cases with different spreads take turns.
    fn within_by_time(groups: [TimeGroup; 2]) -> [f64; 2] {
        let mut bands = Bands::default();
        let mut within = [0.0; 2];
        for case in 0..12_000 {
            let place = case as usize % 2;
            let came = 100.0 + [60.0, 240.0][place] * (even(case) - 0.5);
            let [low, _, high] = bands.about(by(SeriesKind::In, &bands.at(groups[place])), 100.0, (10.0, 10.0));
            within[place] += f64::from(u8::from(case >= 4_000 && low <= came && came <= high)) / 4_000.0;
            let time = bands.at(groups[place]);
            bands.count(by(SeriesKind::In, &time), 100.0, (10.0, 10.0), came);
            bands.settle(1, 300.0);
        }
        within
    }

    fn at(hour: i64, event: Option<Moment>) -> TimeGroup {
        TimeGroup::new(Place::of_week(0, hour * 3_600_000), event)
    }

    #[test]
    fn a_morning_and_an_evening_of_one_level_are_told_by_bands_of_their_own() {
        let within = within_by_time([at(7, None), at(19, None)]);
        assert!(within.iter().all(|within| (0.77..0.83).contains(within)), "{within:?}");
        // Of one and the same hour nobody can tell them apart.
        let within = within_by_time([at(7, None); 2]);
        assert!(within[0] > 0.95 && within[1] < 0.65, "{within:?}");
    }

    #[test]
    fn an_event_is_told_by_bands_of_its_own_hours() {
        let within = within_by_time([at(19, None), at(19, Moment::of_phase(5))]);
        assert!(within.iter().all(|within| (0.77..0.83).contains(within)), "{within:?}");
    }

    #[test]
    fn a_stored_moment_that_no_day_and_no_event_has_is_refused() {
        let mut bands = Bands::default();
        let time = bands.at(at(19, Moment::of_phase(PHASES - 1)));
        bands.count(by(SeriesKind::In, &time), 100.0, (10.0, 10.0), 90.0);
        assert!(bands.is_sound());
        bands.moments.insert((0, hours::ALL + PHASES), Law::NOTHING);
        assert!(!bands.is_sound());
    }

    #[test]
    fn nobody_by_one_way_is_no_nobody_by_the_other() {
        let mut bands = Bands::default();
        for case in 0..3_000 {
            bands.count(by(SeriesKind::In, &AtTime::default()), 0.4, (1.0, 1.0), 0.0);
            bands.count(by(SeriesKind::Out, &AtTime::default()), 0.4, (1.0, 1.0), f64::from(u8::from(even(case) < 0.3)));
            bands.settle(1, 300.0);
        }
        let high = |way| bands.about(by(way, &AtTime::default()), 0.4, (1.0, 1.0))[2];
        assert!(high(SeriesKind::In) == 0.0 && high(SeriesKind::Out) > 0.5, "{} {}", high(SeriesKind::In), high(SeriesKind::Out));
    }

    proptest! {
        #[test]
        fn quantiles_never_cross_and_are_never_negative(cases in proptest::collection::vec((0.0f64..1e5, 0.0f64..1e6), 1..80), expected in 0.0f64..1e6) {
            let mut bands = Bands::default();
            for (about, came) in cases {
                bands.count(by(SeriesKind::In, &AtTime::default()), about, (about.sqrt() + 1.0, about.sqrt() + 1.0), came);
                bands.settle(1, 300.0);
            }
            let [low, median, high] = bands.about(by(SeriesKind::In, &AtTime::default()), expected, (3.0, 7.0));
            prop_assert!(0.0 <= low && low <= median && median <= high && high.is_finite());
        }
    }
}

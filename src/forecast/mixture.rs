//! Who is believed: the plain forecast, the one with what was learnt here, the same by the hours of the day, the model's, and some that speak at times, each by how it has fared on this venue.
//!
//! The idea: on a place that nobody has seen any of them may be the best, and on every place one of them is. Each voice is weighed by its error of the last week against
//! that of the learnt one, over the same cases: weight exp(−30·(ratio − 1)), so a voice that is 4 % worse counts a third, and one that is 16 % worse hardly (exponentially
//! weighted forecasters, Cesa-Bianchi & Lugosi 2006). What is published can thus not be much worse than the best of them for long.
//!
//! How a voice did before anything was usual says little of how it does after: all those cases together count as a few steps. And the many places of a venue are wrong together, so what is taken for
//! granted is so many steps, not so many cases.

use serde::{Deserialize, Serialize};

/// Half of what is remembered is older than this, s.
const HALF_LIFE_S: f64 = 7.0 * 86_400.0;
/// In the first weeks it is this share of the time since the first step, and no shorter than two days: how a voice did before a place was known says little of it.
const YOUNG: f64 = 0.5;
const YOUNGEST_S: f64 = 2.0 * 86_400.0;
/// How much one error counts at one place: a night that was foreseen is not to outweigh the next ones, on which it did not come.
const MOST_HERE: f64 = 4.0;
/// How sharply errors decide.
const SHARPNESS: f64 = 30.0;
/// A model is off while it is worse by this than what was learnt without it, over at least so many cases and days: in a place's first hours the learnt voice is lucky or not.
const OFF: f64 = 1.1;
const OFF_CASES: f64 = 200.0;
const OFF_AGE_S: f64 = 2.0 * 86_400.0;
/// And by so many deviations a case: where nobody errs, a tenth of that is nothing.
const OFF_LEAST: f64 = 0.01;
/// Cases that are taken for granted before the first is seen, at least those of so many steps; and how much worse the other voices are held to be in them, and what is usual: it has no past to show
/// on the day from which it can speak.
const GRANTED: f64 = 30.0;
const GRANTED_STEPS: f64 = 12.0;
const HELD_WORSE: f64 = 1.01;
const USUAL_HELD: f64 = 0.97;
/// All cases of before anything was usual count as those of so many steps at most.
const BEFORE_STEPS: f64 = 5.0;
/// Cases that are taken for granted at one place (`habits`), and how much worse who tells of habits is held to be in them.
const GRANTED_HERE: f64 = 10.0;
const HELD_WORSE_HERE: f64 = 1.1;

/// What the voices say of one horizon of one series, persons; the model may be silent.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Voices {
    /// The plain forecast.
    pub plain: f64,
    /// The plain forecast with the learnt correction.
    pub learnt: f64,
    /// The plain forecast with what was learnt of this time of the day (`hours`).
    pub hourly: Option<f64>,
    /// What is usual and nothing else, while few days have taught it: what to make of signs is not known then.
    pub usual: Option<f64>,
    /// The newest step, or its trend where nothing is usual: the best there is while a crowd gathers on a first night.
    pub latest: Option<f64>,
    /// The usual and what came beyond it in the newest step, where two steps stood out.
    pub standing: Option<f64>,
    /// What the event that is on brings (`tonight`), until events have shown it here.
    pub event: Option<f64>,
    /// What the days that were like today let expect (`likeness`), where that differs from the usual.
    pub alike: Option<f64>,
    /// What this weekday lets expect (`weekday`), where that differs from the others of its kind.
    pub weekday: Option<f64>,
    /// The model's median.
    pub model: Option<f64>,
}

/// How many voices are silent at times.
pub const SOMETIMES: usize = 8;
/// Which of them is the model's.
pub const MODEL: usize = 7;
/// And which are what is usual, what days alike and what this weekday let expect.
const USUAL: usize = 1;
const ALIKE: usize = 5;
const WEEKDAY: usize = 6;

/// How one voice has fared beside the learnt one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Record {
    own: f64,
    learnt: f64,
    cases: f64,
}

/// How all voices have fared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Records {
    plain: Record,
    sometimes: [Record; SOMETIMES],
}

/// How far each voice is believed for one horizon.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Mixture {
    now: Records,
    /// Before anything was usual.
    before: Records,
    /// Cases of the running step, and of the one in which there were most.
    running: u32,
    a_step: u32,
    /// Since the first step, s.
    age_s: f64,
    /// Since the model that speaks now was first asked, s; from the first step on at most.
    model_age_s: f64,
}

/// How the voices that tell of habits have fared at one place (`habits`).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Here {
    /// Days alike.
    pub alike: Record,
    /// This weekday.
    pub weekday: Record,
}

/// The shares of the voices.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shares {
    plain: f64,
    learnt: f64,
    sometimes: [f64; SOMETIMES],
}

impl Voices {
    /// Those that are silent at times, in a fixed order.
    pub const fn sometimes(&self) -> [Option<f64>; SOMETIMES] {
        [self.hourly, self.usual, self.latest, self.standing, self.event, self.alike, self.weekday, self.model]
    }

    /// The plain one, the learnt one, and those that are silent at times in the order of [`Self::sometimes`].
    pub const fn of(plain: f64, learnt: f64, [hourly, usual, latest, standing, event, alike, weekday, model]: [Option<f64>; SOMETIMES]) -> Self {
        Self { plain, learnt, hourly, usual, latest, standing, event, alike, weekday, model }
    }
}

impl Mixture {
    /// Whether its figures can be.
    pub fn is_sound(&self) -> bool {
        let records = [&self.now, &self.before].into_iter().flat_map(|of| of.sometimes.iter().chain([&of.plain]));
        let ages = [self.age_s, self.model_age_s].iter().all(|age| age.is_finite() && *age >= 0.0);
        ages && records.into_iter().all(Record::is_sound)
    }

    /// Lets a step of `step_s` seconds pass.
    pub fn forget(&mut self, step_s: f64) {
        self.age_s += step_s;
        self.model_age_s += step_s;
        let keep = libm::exp2(-step_s / (YOUNG * self.age_s).clamp(YOUNGEST_S, HALF_LIFE_S));
        self.now.fade(keep);
        self.before.fade(keep);
        let running = std::mem::take(&mut self.running);
        self.a_step = self.a_step.max(running);
    }

    /// Learns one case: what was said, what came, and what makes errors of different series comparable, persons.
    pub fn learn(&mut self, voices: &Voices, came: f64, per: f64) {
        self.now.count(voices, came, per);
        self.running += 1;
    }

    /// Learns one case in which nothing was usual yet, of those that are another trade.
    pub fn learn_before(&mut self, voices: &Voices, came: f64, per: f64) {
        self.before.count(voices, came, per);
        self.running += 1;
    }

    /// Another model speaks from now on: it is heard like one of the first day.
    pub fn judge_model_anew(&mut self) {
        (self.now.sometimes[MODEL], self.before.sometimes[MODEL], self.model_age_s) = Default::default();
    }

    /// The shares of those who speak; `here` is how those that tell of habits have fared there.
    pub fn shares(&self, voices: &Voices, here: Here) -> Shares {
        let said = Voices { model: voices.model.filter(|_| !self.is_model_off()), ..*voices }.sometimes();
        let a_step = f64::from(self.running.max(self.a_step));
        let merit = |now: &Record, before: &Record, held: f64| now.and(before, BEFORE_STEPS * a_step).merit(GRANTED.max(GRANTED_STEPS * a_step), held);
        let of = |place: usize| {
            let of_all = merit(&self.now.sometimes[place], &self.before.sometimes[place], if place == USUAL { USUAL_HELD } else { HELD_WORSE });
            let shown = |record: Record| record.merit(GRANTED_HERE, HELD_WORSE_HERE);
            match place {
                // Right everywhere or right here: either will do, until a weekday has shown here what it is worth.
                WEEKDAY if here.weekday.cases >= GRANTED_HERE => shown(here.weekday),
                WEEKDAY if here.weekday.cases > 0.0 => of_all.max(shown(here.weekday)),
                ALIKE if here.alike.cases > 0.0 => of_all.max(shown(here.alike)),
                _ => of_all,
            }
        };
        let merits: [Option<f64>; SOMETIMES] = std::array::from_fn(|place| said[place].map(|_| of(place)));
        let plain = merit(&self.now.plain, &self.before.plain, HELD_WORSE);
        let best = merits.iter().flatten().fold(plain.max(0.0), |best, merit| best.max(*merit));
        let weight = |merit: f64| libm::exp(merit - best);
        let (learnt, plain) = (weight(0.0), weight(plain));
        let sometimes = merits.map(|merit| merit.map_or(0.0, weight));
        let all = sometimes.iter().fold(learnt + plain, |all, weight| all + weight);
        Shares { plain: plain / all, learnt: learnt / all, sometimes: sometimes.map(|weight| weight / all) }
    }

    /// Whether the model has been so much worse for so long that it is better off. It is judged on, and so comes back when it is worth hearing.
    pub fn is_model_off(&self) -> bool {
        let Record { own, learnt, cases } = self.now.sometimes[MODEL].and(&self.before.sometimes[MODEL], f64::INFINITY);
        cases >= OFF_CASES && self.model_age_s >= OFF_AGE_S && own > OFF * learnt && own - learnt > OFF_LEAST * cases
    }
}

impl Records {
    fn fade(&mut self, keep: f64) {
        for record in [&mut self.plain].into_iter().chain(&mut self.sometimes) {
            record.fade(keep);
        }
    }

    fn count(&mut self, voices: &Voices, came: f64, per: f64) {
        let learnt = error(voices.learnt, came, per);
        self.plain.count(error(voices.plain, came, per), learnt);
        for (record, said) in self.sometimes.iter_mut().zip(voices.sometimes()) {
            if let Some(said) = said {
                record.count(error(said, came, per), learnt);
            }
        }
    }
}

/// How far off a voice was, in what makes errors of different series comparable.
fn error(said: f64, came: f64, per: f64) -> f64 {
    ((said - came).abs() / per).min(20.0)
}

impl Record {
    /// Learns what one voice said in a case, of which the ones before count this share from then on.
    pub(super) fn learn(&mut self, keep: f64, said: f64, voices: &Voices, came: f64, per: f64) {
        self.fade(keep);
        self.count(error(said, came, per).min(MOST_HERE), error(voices.learnt, came, per).min(MOST_HERE));
    }

    /// Whether all of it are numbers; a stored one may not be.
    pub(super) fn is_sound(&self) -> bool {
        [self.own, self.learnt, self.cases].iter().all(|sum| sum.is_finite())
    }

    fn fade(&mut self, keep: f64) {
        for sum in [&mut self.own, &mut self.learnt, &mut self.cases] {
            *sum *= keep;
        }
    }

    fn count(&mut self, own: f64, learnt: f64) {
        self.own += own;
        self.learnt += learnt;
        self.cases += 1.0;
    }

    /// This and another, of which so many cases count at most.
    fn and(&self, other: &Self, most: f64) -> Self {
        let share = if other.cases > most { most / other.cases } else { 1.0 };
        let sum = |own: f64, others: f64| own + share * others;
        Self { own: sum(self.own, other.own), learnt: sum(self.learnt, other.learnt), cases: sum(self.cases, other.cases) }
    }

    /// The logarithm of its weight against that of what was learnt, so many cases being granted in which it is held to be so many times as wrong.
    fn merit(&self, granted: f64, held: f64) -> f64 {
        let mean = if self.cases > 0.0 { self.learnt / self.cases } else { 1.0 };
        let granted = granted * mean.max(1e-3);
        let ratio = (self.own + held * granted) / (self.learnt + granted);
        -SHARPNESS * (ratio - 1.0)
    }
}

impl Shares {
    /// The mean of the voices by their shares, persons.
    pub fn of(&self, voices: &Voices) -> f64 {
        // One that is silent has no share.
        let said = voices.sometimes().map(|voice| voice.unwrap_or(0.0));
        let always = self.plain * voices.plain + self.learnt * voices.learnt;
        self.sometimes.iter().zip(said).fold(always, |sum, (share, said)| sum + share * said)
    }

    /// The model's share.
    pub const fn model(&self) -> f64 {
        self.sometimes[MODEL]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP_S: f64 = 300.0;

    fn after(cases: u32, voices: &Voices, came: f64) -> Mixture {
        let mut mixture = Mixture::default();
        for _ in 0..cases {
            mixture.forget(STEP_S);
            mixture.learn(voices, came, 10.0);
        }
        mixture
    }

    #[test]
    fn a_model_that_is_worse_is_hardly_heard() {
        let voices = Voices { plain: 108.0, learnt: 105.0, model: Some(150.0), ..Voices::default() };
        let said = after(500, &voices, 100.0).shares(&voices, Here::default()).of(&voices);
        assert!((said - 105.0).abs() < 0.1, "{said}");
    }

    #[test]
    fn a_model_that_is_worse_for_long_is_off_and_comes_back_when_it_is_better() {
        let bad = Voices { plain: 108.0, learnt: 105.0, model: Some(150.0), ..Voices::default() };
        let mut mixture = after(500, &bad, 100.0);
        assert!(!mixture.is_model_off(), "not on the first day");
        for _ in 0..100 {
            mixture.forget(STEP_S);
            mixture.learn(&bad, 100.0, 10.0);
        }
        assert!(mixture.is_model_off());
        assert_eq!(mixture.shares(&bad, Here::default()).model(), 0.0);
        let good = Voices { model: Some(101.0), ..bad };
        for _ in 0..20 * 288 {
            mixture.forget(STEP_S);
            mixture.learn(&good, 100.0, 10.0);
        }
        assert!(!mixture.is_model_off());
        assert!(mixture.shares(&good, Here::default()).model() > 0.9);
    }

    #[test]
    fn where_nobody_errs_a_model_that_errs_by_a_hair_more_is_not_off() {
        let voices = Voices { plain: 100.0, learnt: 100.000_1, model: Some(100.01), ..Voices::default() };
        let mixture = after(800, &voices, 100.0);
        assert!(mixture.now.sometimes[MODEL].own > 50.0 * mixture.now.sometimes[MODEL].learnt);
        assert!(!mixture.is_model_off());
    }

    #[test]
    fn a_model_that_is_better_is_believed() {
        let voices = Voices { plain: 130.0, learnt: 120.0, model: Some(102.0), ..Voices::default() };
        let said = after(500, &voices, 100.0).shares(&voices, Here::default()).of(&voices);
        assert!(said < 103.0, "{said}");
    }

    #[test]
    fn how_a_voice_did_before_anything_was_usual_hardly_counts_once_it_is() {
        let voices = Voices { plain: 100.0, learnt: 100.0, model: Some(101.0), ..Voices::default() };
        let (good, bad) = (Voices { plain: 180.0, learnt: 180.0, ..voices }, Voices { model: Some(140.0), ..voices });
        let after_both = |learn: fn(&mut Mixture, &Voices, f64, f64)| {
            let mut mixture = Mixture::default();
            for step in 0..128 {
                mixture.forget(STEP_S);
                if step < 96 { learn(&mut mixture, &good, 100.0, 10.0) } else { mixture.learn(&bad, 101.0, 10.0) }
            }
            mixture.shares(&bad, Here::default()).model()
        };
        assert!(after_both(Mixture::learn_before) < 0.01, "{}", after_both(Mixture::learn_before));
        assert!(after_both(Mixture::learn) > 0.9, "as if a day of it were one like the next: {}", after_both(Mixture::learn));
    }

    #[test]
    fn while_a_crowd_gathers_the_newest_step_is_believed() {
        let voices = Voices { plain: 60.0, learnt: 65.0, latest: Some(92.0), model: Some(50.0), ..Voices::default() };
        let said = after(100, &voices, 100.0).shares(&voices, Here::default()).of(&voices);
        assert!(said > 91.0, "{said}");
    }

    #[test]
    fn a_silent_model_takes_nothing_away() {
        let voices = Voices { plain: 100.0, learnt: 100.0, ..Voices::default() };
        assert!((Mixture::default().shares(&voices, Here::default()).of(&voices) - 100.0).abs() < 1e-9);
    }

    #[test]
    fn another_model_is_heard_like_one_of_the_first_day_and_has_two_days_of_its_own() {
        let bad = Voices { plain: 108.0, learnt: 105.0, model: Some(150.0), ..Voices::default() };
        let mut mixture = after(600, &bad, 100.0);
        assert!(mixture.is_model_off());
        mixture.judge_model_anew();
        assert!(!mixture.is_model_off());
        assert!(mixture.shares(&bad, Here::default()).model() > 0.1, "{:?}", mixture.shares(&bad, Here::default()));
        let mut steps = 0;
        while !mixture.is_model_off() {
            mixture.forget(STEP_S);
            mixture.learn(&bad, 100.0, 10.0);
            steps += 1;
        }
        assert!((576..600).contains(&steps), "{steps}");
    }

    #[test]
    fn a_change_for_the_worse_is_noticed_within_ten_days() {
        let good = Voices { plain: 130.0, learnt: 120.0, model: Some(101.0), ..Voices::default() };
        let bad = Voices { plain: 130.0, learnt: 101.0, model: Some(140.0), ..Voices::default() };
        let mut mixture = after(5_000, &good, 100.0);
        for _ in 0..10 * 288 {
            mixture.forget(STEP_S);
            mixture.learn(&bad, 100.0, 10.0);
        }
        assert!(mixture.shares(&bad, Here::default()).model() < 0.05);
    }
}

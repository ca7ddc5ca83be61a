//! The plain forecast, and the signs that speak for more or fewer: all that is read from the history and from what is usual, for every series and horizon.
//!
//! The idea: two steps. The *plain forecast* of a horizon is what is usual for the target step, shifted by how the last hour and the last day compare with the usual:
//! (usual + ½)·exp(0.7·(hour − day)·0.97^h + 0.9·day) − ½, where the ratio of a day that lasts (`pulse`) counts little at a few tens of percent and wholly at a closure (x³/(x² + 0.09));
//! before anything is usual it is the mean of the newest three steps, and while only a day or two are it has a share still. It is good enough to be published and it fixes the *unit* in
//! which all else is told: one deviation, scale·√(plain + 1). The *signs* are 16 numbers in that unit, within ± 3, in which a turnstile and a station hall look alike:
//!
//! | sign | what it tells |
//! |---|---|
//! | 0 | a constant, 0.3 |
//! | 1, 2, 3 | the newest three steps against the usual of each |
//! | 4 | the mean of the three before them |
//! | 5, 6, 7, 8 | ln(came/usual) over the last hour, six hours, day, and twelve steps |
//! | 9, 10 | the same of all other series of the venue: last step, last hour |
//! | 11, 12 | the usual of the target step, by its kind of day and by its weekday |
//! | 13, 14 | what came at the target's time yesterday and a week ago |
//! | 15 | the mean of the newest three steps |
//!
//! A sign that is not known is 0. Signs are whole 127ths of 3, so that what is learnt later is what was issued. Everything is a function of steps that ended at or before T.

use super::calendar::{Calendar, DayKind};
use super::event::{Excess, Moment, Programme};
use super::faces::FaceBook;
use super::history::{History, LAGS};
use super::learner::SIGN_GRAIN;
use super::likeness::{Alike, Likeness};
use super::pulse::{Pulse, believed, unexplained};
use super::spent_like::SpentLike;
use super::standing::{STANDING_STEPS, StandsOut};
use super::tonight::{self, Tonight};
use super::usual::{Level, LevelView, Usual, WeekView};
use super::weekday::Weekday;
use crate::inference::ask::{HORIZONS, STEPS};
use crate::time::{EventTime, Span};

/// Signs per series and horizon.
pub const SIGNS: usize = 16;
/// How much of the last hour's ratio is believed, and how much of that lasts from step to step (a quick least-squares fit on the public tables' training parts).
pub(super) const BELIEVED: f64 = 0.7;
const LASTS: f64 = 0.97;
/// How much of a day's ratio is believed.
const DAY_BELIEVED: f64 = 0.9;
/// While fewer days of its kind than this taught what is usual, the mean of the newest steps has a share in the plain forecast: so much before the first of them, less for
/// longer steps (half at this length, s) and by this factor with each step ahead. Set on the first two weeks of the public tables.
const KNOWN_DAYS: i8 = 3;
const GREEN: f64 = 0.6;
const GREEN_STEP_S: f64 = 1_800.0;
const GREEN_FADES: f64 = 0.8;
/// While fewer than three days of its kind taught it, what is usual may be off by so much of it, where nothing newer corrects it: before the first, which borrows of another kind of day, and after each.
const UNSURE: [f64; KNOWN_DAYS as usize] = [0.22, 0.07, 0.03];
/// However the last hour ran, no more is forecast than so many times what is usual or has come in the last twelve steps, and no further off the usual than so many times the farthest of these was: a ratio
/// of what leaps about, or of the few who wait before the doors open, says nothing of what comes.
const MOST_TIMES: f64 = 4.0;
/// Beyond so many times more than what is usual and lasts, what is expected above it is no more than the newest step had, or two of the newest three, of which half is left in this time, s, or these steps: a crowd by night is no multiple of the noon.
const MOST_MORE: f64 = 1.5;
const EXCESS_HALF_LIFE_S: f64 = 6.0 * 3_600.0;
const EXCESS_HALF_LIFE_STEPS: f64 = 3.0;
/// More than so many times the highest of the last twelve steps and the mean, or the plain forecast, and that by more than so many persons, is absurd.
const ABSURD: (f64, f64, f64) = (10.0, 3.0, 10.0);
/// Signs lie within this.
pub(super) const WITHIN: f64 = 3.0;
/// The recent level is the mean of so many newest steps.
const LEVEL_LAGS: usize = 3;
/// The twelve steps' ratio counts so many persons on both sides.
const CAUTION: f64 = 4.0;
/// The same of the other series' last step and hour.
const OTHERS_CAUTION: (f64, f64) = (3.0, 5.0);

/// What is seen at one moment, by series.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sight {
    /// Series × horizons: the plain forecast, persons; below 0 where there is none.
    pub plain: Vec<f32>,
    /// Series × horizons × signs.
    pub signs: Vec<i8>,
    /// Series × horizons: the usual distance from the usual of the target step, persons; below 0 where it is not known.
    pub spread: Vec<f32>,
    /// Series × horizons: what the event that is on lets expect, persons; below 0 where none is or events have shown it before.
    pub event: Vec<f32>,
    /// Series × horizons: what the days that were like today let expect, persons; below 0 where that is the usual.
    pub alike: Vec<f32>,
    /// Series × horizons: what this weekday lets expect, persons; below 0 where that is the usual.
    pub weekday: Vec<f32>,
    /// Series × horizons: what is usual for the target step, persons; below 0 where nothing is.
    pub usual: Vec<f32>,
    /// Series × horizons: the usual and what came beyond it in the newest step, where the newest two stand out; below 0 else.
    pub standing: Vec<f32>,
    /// Series × horizons: whether nothing is usual for the target yet.
    pub green: Vec<bool>,
    /// Series × horizons: how far what is usual may be off because few days taught it, as a share of it.
    pub unsure: Vec<f32>,
    /// By series: one deviation about `e` expected persons is scale·√(e+1).
    pub scale: Vec<f32>,
    /// By series: mean persons per step.
    pub size: Vec<f32>,
    /// By series: how restless it is (`unrest`).
    pub unrest: Vec<f32>,
    /// By series: days that taught what is usual for the next step, 10 at most; −1, −2 borrowed of another kind of day, −3 unknown.
    pub days: Vec<i8>,
    /// By series: the last twelve steps.
    pub recent: Vec<Recent>,
    /// By series: ln(came/usual) over the last hour, six hours, day and twelve steps.
    pub ratios: Vec<[f64; 4]>,
    /// By series: the same of all other series of the venue, last step and last hour.
    pub others: Vec<[f64; 2]>,
}

/// Everything that is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Looking<'a> {
    /// The steps.
    pub history: &'a History,
    /// What is usual.
    pub usual: &'a Usual,
    /// When matches are on, and what they add.
    pub programme: &'a Programme,
    /// See `programme`.
    pub excess: &'a Excess,
    /// The event that is on, and by series the series of the other way.
    pub tonight: &'a Tonight,
    /// See `tonight`.
    pub opposites: &'a [usize],
    /// Slots with two faces, and which days are like today.
    pub faces: &'a FaceBook,
    /// See `faces`.
    pub likeness: &'a Likeness,
    /// Which kind of day today is spent like.
    pub spent_like: &'a SpentLike,
    /// How things run.
    pub pulse: &'a Pulse,
    /// The clock on the wall.
    pub calendar: &'a Calendar,
    /// The length of a step.
    pub step: Span,
}

/// What is expected of one step: what is usual, and what a match adds.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    level: LevelView<'a>,
    event: Option<(Moment, &'a Excess)>,
}

impl Expected<'_> {
    /// Persons expected of `series`, and how the usual is known.
    pub fn of(&self, series: usize) -> Option<Level> {
        let level = self.level.of(series)?;
        let added = self.event.and_then(|(moment, excess)| excess.of(moment, series)).unwrap_or(0.0);
        Some(Level { persons: (level.persons + added).max(0.0), ..level })
    }

    /// Whether earlier events have shown what one brings.
    pub fn knows_event(&self, series: usize) -> bool {
        self.event.is_some_and(|(moment, excess)| excess.of(moment, series).is_some())
    }

    /// What a match adds, persons; 0 where none is on or none is known.
    pub fn added(&self, series: usize) -> f64 {
        self.event.and_then(|(moment, excess)| excess.of(moment, series)).unwrap_or(0.0)
    }
}

/// A step that is forecast.
#[derive(Clone, Copy, Debug)]
struct Ahead<'a> {
    of_kind: Expected<'a>,
    week: WeekView<'a>,
    /// Whether a day dawns between the newest step and it.
    is_tomorrow: bool,
}

/// What stands for a series and horizon, where anything does.
fn told(of: &[f32], series: usize, horizon: usize) -> Option<f64> {
    Some(f64::from(of[series * HORIZONS + horizon])).filter(|persons| *persons >= 0.0)
}

/// One deviation about `expected` persons.
pub fn unit(scale: f64, expected: f64) -> f64 {
    scale * (expected.max(0.0) + 1.0).sqrt()
}

impl Sight {
    /// Room for so many series.
    pub fn new(series: usize) -> Self {
        Self {
            plain: vec![-1.0; series * HORIZONS],
            signs: vec![0; series * HORIZONS * SIGNS],
            spread: vec![-1.0; series * HORIZONS],
            event: vec![-1.0; series * HORIZONS],
            alike: vec![-1.0; series * HORIZONS],
            weekday: vec![-1.0; series * HORIZONS],
            usual: vec![-1.0; series * HORIZONS],
            standing: vec![-1.0; series * HORIZONS],
            green: vec![true; series * HORIZONS],
            unsure: vec![0.0; series * HORIZONS],
            scale: vec![1.0; series],
            size: vec![0.0; series],
            unrest: vec![0.0; series],
            days: vec![-3; series],
            recent: vec![Recent::default(); series],
            ratios: vec![[0.0; 4]; series],
            others: vec![[0.0; 2]; series],
        }
    }

    /// Persons that came so many steps before the last one, at most eleven.
    pub fn came(&self, series: usize, before: usize) -> Option<f64> {
        self.recent[series].came[before]
    }

    /// More than this is not said of a horizon, persons: it would be absurd, whatever speaks for it.
    pub fn most(&self, series: usize, horizon: usize) -> f64 {
        let highest = self.recent[series].highest().max(f64::from(self.size[series]));
        (ABSURD.0 * highest).max(ABSURD.1 * f64::from(self.plain[series * HORIZONS + horizon])) + ABSURD.2
    }

    /// What was usual for the last step, persons.
    pub fn usual_of_last(&self, series: usize) -> Option<f64> {
        self.recent[series].usual[0]
    }

    /// The same where days of its own kind have taught it, or the series was counted on such a day lately: where nobody ever counted on a Saturday nobody is missed.
    pub fn own_usual_of_last(&self, series: usize) -> Option<f64> {
        self.recent[series].usual[0].filter(|_| self.recent[series].is_own)
    }

    /// The plain forecast of a horizon, persons.
    pub fn plain_of(&self, series: usize, horizon: usize) -> Option<f64> {
        told(&self.plain, series, horizon)
    }

    /// ln((spread + ½)/(unit + ½)) of a horizon; 0 where it is not known.
    pub fn log_spread(&self, series: usize, horizon: usize) -> f64 {
        let spread = f64::from(self.spread[series * HORIZONS + horizon]);
        let plain = self.plain_of(series, horizon).filter(|_| spread >= 0.0);
        plain.map_or(0.0, |plain| libm::log((spread + 0.5) / (unit(f64::from(self.scale[series]), plain) + 0.5)))
    }

    /// What the event that is on lets expect of a horizon, persons.
    pub fn event_of(&self, series: usize, horizon: usize) -> Option<f64> {
        told(&self.event, series, horizon)
    }

    /// What the days that were like today let expect of a horizon, persons.
    pub fn alike_of(&self, series: usize, horizon: usize) -> Option<f64> {
        told(&self.alike, series, horizon)
    }

    /// What this weekday lets expect of a horizon, persons.
    pub fn weekday_of(&self, series: usize, horizon: usize) -> Option<f64> {
        told(&self.weekday, series, horizon)
    }

    /// How far what is usual for a horizon may be off because few days taught it, as a share of it.
    pub fn unsure_of(&self, series: usize, horizon: usize) -> f64 {
        f64::from(self.unsure[series * HORIZONS + horizon])
    }

    /// What is usual for a horizon, persons.
    pub fn usual_of(&self, series: usize, horizon: usize) -> Option<f64> {
        told(&self.usual, series, horizon)
    }

    /// What is expected of a horizon where what stands out goes on, persons.
    pub fn standing_of(&self, series: usize, horizon: usize) -> Option<f64> {
        told(&self.standing, series, horizon)
    }

    /// The signs of a horizon.
    pub fn signs_of(&self, series: usize, horizon: usize) -> &[i8] {
        &self.signs[(series * HORIZONS + horizon) * SIGNS..][..SIGNS]
    }
}

impl Looking<'_> {
    /// Looks at the moment `at`, the end of the newest pane.
    pub fn fill(&self, at: EventTime, sight: &mut Sight) {
        let lags: [Expected<'_>; LAGS] = std::array::from_fn(|lag| self.expected(at.before(self.step.times(lag as u64 + 1))));
        let newest_start = at.before(self.step);
        let kinds: [DayKind; LAGS] = std::array::from_fn(|lag| self.calendar.place(at.before(self.step.times(lag as u64 + 1))).kind);
        let ahead: [Ahead<'_>; HORIZONS] = STEPS.map(|steps| {
            let start = at.after(self.step.times(u64::from(steps) - 1));
            Ahead { of_kind: self.expected(start), week: self.usual.week(self.calendar.place(start)), is_tomorrow: self.calendar.dawns(newest_start, start) }
        });
        let series = sight.scale.len();
        let newest = |series: usize| self.history.lag(0, series).zip(lags[0].of(series)).map(|(came, usual)| (came as f64, usual.persons));
        let (mut now, mut hour) = ((0.0, 0.0), (0.0, 0.0));
        for series in 0..series {
            let (came, usual) = newest(series).unwrap_or_default();
            let of_hour = self.pulse.last_hour(series);
            (now, hour) = ((now.0 + came, now.1 + usual), (hour.0 + of_hour.0, hour.1 + of_hour.1));
        }
        let alone = series < 2;
        let alike = Alike::new(self, at);
        let weekday = Weekday::new(self, at);
        let tonight = self.tonight.seen(self.programme, at, self.step);
        for series in 0..series {
            let recent = Recent::of(self.history, &lags, &kinds, series);
            let (came, usual) = newest(series).unwrap_or_default();
            let of_hour = self.pulse.last_hour(series);
            sight.others[series] = if alone {
                [0.0; 2]
            } else {
                [log_ratio(now.0 - came, now.1 - usual, OTHERS_CAUTION.0), log_ratio(hour.0 - of_hour.0, hour.1 - of_hour.1, OTHERS_CAUTION.1)]
            };
            for (horizon, steps) in STEPS.into_iter().enumerate() {
                let target = at.after(self.step.times(u64::from(steps) - 1));
                let said = tonight.as_ref().and_then(|tonight| self.tonight_of(tonight, series, &recent, target));
                sight.event[series * HORIZONS + horizon] = said.map_or(-1.0, |said| said as f32);
            }
            let usual = |horizon: usize| ahead[horizon].of_kind.of(series).map(|level| level.persons);
            for (voice, said) in [(&mut sight.alike, alike.of(series, &recent, usual)), (&mut sight.weekday, weekday.of(series, &recent, usual))] {
                for (place, said) in voice[series * HORIZONS..].iter_mut().zip(said) {
                    *place = said.map_or(-1.0, |said| said as f32);
                }
            }
            self.of_series(series, &recent, &ahead, sight);
            sight.recent[series] = recent;
        }
    }

    /// What the event that is on lets expect of the step that starts at `target`; `None` where earlier events have shown what they bring, or nothing was counted.
    fn tonight_of(&self, tonight: &tonight::Seen<'_>, series: usize, recent: &Recent, target: EventTime) -> Option<f64> {
        let expected = self.expected(target);
        if expected.knows_event(series) {
            return None;
        }
        let usual = |level: Option<Level>| level.map_or(0.0, |level| level.persons);
        let newest = recent.came[0]? - recent.usual[0].unwrap_or(0.0);
        Some(usual(expected.of(series)) + tonight.beyond(self.opposites[series], newest, target))
    }

    /// What is expected of the step that starts at `start`.
    pub fn expected(&self, start: EventTime) -> Expected<'_> {
        let event = self.programme.at(start).map(|moment| (moment, self.excess));
        Expected { level: self.usual.level(self.calendar.place(start)), event }
    }

    /// The series that had stood out when the step began that ends at `at`, and whether it went on.
    pub fn went_on(&self, at: EventTime) -> Vec<(usize, bool)> {
        let steps: [Expected<'_>; 3] = std::array::from_fn(|lag| self.expected(at.before(self.step.times(lag as u64 + 1))));
        let of_series = |series: usize| {
            let seen = |lag: usize| Some((self.history.lag(lag, series)? as f64, steps[lag].of(series)?.persons));
            Some((series, StandsOut::new(seen(1)?, seen(2)?, self.pulse.scale(series))?.went_on(seen(0)?)))
        };
        (0..self.pulse.series()).filter_map(of_series).collect()
    }

    fn of_series(&self, series: usize, recent: &Recent, ahead: &[Ahead<'_>; HORIZONS], sight: &mut Sight) {
        let scale = self.pulse.scale(series);
        let ratios = self.pulse.ratios(series);
        let unknown = GREEN / (1.0 + self.step.as_secs_f64() / GREEN_STEP_S);
        let (today, tomorrow) = self.pulse.today(series);
        // Of another day, what counts of the hour is what today as a whole does not explain.
        let (beyond_today, tomorrow) = (unexplained(ratios[0], today), believed(tomorrow));
        let lasting = believed(self.pulse.lasting(series));
        let twelve = recent.twelve_steps();
        let highest = recent.highest();
        let farthest = recent.farthest() + scale;
        let excess = recent.excess() + scale;
        let half_life_s = EXCESS_HALF_LIFE_S.max(EXCESS_HALF_LIFE_STEPS * self.step.as_secs_f64());
        let level = recent.level();
        let at = |lag: usize| recent.came[lag].zip(recent.usual[lag]);
        let residual = |lag: usize| at(lag).map(|(came, usual)| (came - usual) / unit(scale, usual));
        let stands_out = at(0).zip(at(1)).filter(|_| self.pulse.goes_on(series)).and_then(|(newest, before)| StandsOut::new(newest, before, scale));
        let before: [Option<f64>; 3] = [3, 4, 5].map(|lag| residual(lag).map(|residual| residual.clamp(-WITHIN, WITHIN)));
        let before = before.iter().flatten().sum::<f64>() / 3.0;
        sight.scale[series] = scale as f32;
        sight.size[series] = self.pulse.size(series) as f32;
        sight.unrest[series] = self.pulse.unrest(series) as f32;
        sight.days[series] = ahead[0].of_kind.of(series).map_or(-3, |level| level.days);
        sight.ratios[series] = [ratios[0], ratios[1], ratios[2], twelve];
        let others = sight.others[series];
        for (horizon, Ahead { of_kind, week, is_tomorrow }) in ahead.iter().enumerate() {
            let usual = of_kind.of(series).map(|level| level.persons);
            let ahead_s = self.step.as_secs_f64() * f64::from(STEPS[horizon]);
            let (hour, day) = if *is_tomorrow { (beyond_today, tomorrow) } else { (ratios[0] - lasting, lasting) };
            let shift = BELIEVED * hour * LASTING[horizon] + DAY_BELIEVED * day;
            let shifted = usual.map(|usual| {
                let shifted = ((usual + 0.5) * libm::exp(shift) - 0.5).clamp(0.0, MOST_TIMES * highest.max(usual).max(1.0));
                let lasting = usual * libm::exp(DAY_BELIEVED * day.max(0.0));
                shifted.clamp(usual - MOST_TIMES * farthest, lasting + (MOST_MORE * lasting).max(excess * libm::exp2(-ahead_s / half_life_s)))
            });
            let days = of_kind.of(series).map_or(0, |level| level.days.clamp(0, KNOWN_DAYS));
            let green = unknown * f64::from(KNOWN_DAYS - days) / f64::from(KNOWN_DAYS) * FADES[horizon];
            let plain = shifted.map(|shifted| level.map_or(shifted, |level| shifted + green * (level - shifted))).or(level);
            let place = series * HORIZONS + horizon;
            sight.green[place] = usual.is_none();
            sight.unsure[place] = UNSURE.get(days as usize).map_or(0.0, |share| (share * (1.0 - FADES[horizon])) as f32);
            let standing = usual.zip(stands_out.as_ref()).map(|(usual, beyond)| beyond.about(usual)).filter(|_| STEPS[horizon] <= STANDING_STEPS);
            sight.usual[place] = usual.map_or(-1.0, |usual| usual as f32);
            sight.standing[place] = standing.map_or(-1.0, |standing| standing as f32);
            sight.plain[place] = plain.map_or(-1.0, |plain| plain as f32);
            sight.spread[place] = week.spread(series).map_or(-1.0, |spread| spread as f32);
            let signs = &mut sight.signs[place * SIGNS..][..SIGNS];
            let Some(plain) = plain else {
                signs.fill(0);
                continue;
            };
            let deviation = unit(scale, plain);
            let of_log = (plain + 1.0).sqrt() / scale;
            let against = |persons: Option<f64>| persons.map(|persons| (persons - plain) / deviation);
            let told = [
                Some(0.3),
                residual(0),
                residual(1),
                residual(2),
                Some(before),
                Some(ratios[0] * of_log),
                Some(ratios[1] * of_log),
                Some(ratios[2] * of_log),
                Some(twelve * of_log),
                Some(others[0] * of_log),
                Some(others[1] * of_log),
                against(usual),
                against(usual.map(|usual| week.shifted(series, usual - of_kind.added(series)) + of_kind.added(series))),
                against(week.day_before(series)),
                against(week.week_before(series)),
                against(level),
            ];
            for (sign, told) in signs.iter_mut().zip(told) {
                *sign = told.map_or(0, grained);
            }
        }
    }
}

/// `LASTS` to the power of each horizon, and what fades from the first on.
pub(super) const LASTING: [f64; HORIZONS] = powers(LASTS, 0);
const FADES: [f64; HORIZONS] = powers(GREEN_FADES, 1);

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
    fn of(history: &History, lags: &[Expected<'_>; LAGS], kinds: &[DayKind; LAGS], series: usize) -> Self {
        let came = std::array::from_fn(|lag| history.lag(lag, series).map(|persons| persons as f64));
        let is_counted_on_its_kind = || came.iter().zip(kinds).any(|(came, kind)| came.is_some() && *kind == kinds[0]);
        Self {
            came,
            usual: std::array::from_fn(|lag| lags[lag].of(series).map(|level| level.persons)),
            is_own: lags[0].of(series).is_some_and(|level| level.days > 0) || is_counted_on_its_kind(),
        }
    }

    /// The most that came in a step, persons.
    fn highest(&self) -> f64 {
        self.came.iter().flatten().fold(0.0, |highest, came| highest.max(*came))
    }

    /// How far the farthest step was off the usual, persons.
    fn farthest(&self) -> f64 {
        let known = self.came.iter().zip(&self.usual).filter_map(|(came, usual)| came.zip(*usual));
        known.fold(0.0, |farthest, (came, usual)| farthest.max((came - usual).abs()))
    }

    /// How far the newest step was above the usual, or two of the newest three were, persons: one alone that is over has gone.
    fn excess(&self) -> f64 {
        let known = self.came.iter().zip(&self.usual).take(LEVEL_LAGS).filter_map(|(came, usual)| came.zip(*usual));
        let mut above = known.map(|(came, usual)| (came - usual).max(0.0));
        let newest = above.next().unwrap_or(0.0);
        // Of three the second highest is the newest or, where that is lower than both others, the lower of these.
        newest.max(above.reduce(f64::min).unwrap_or(0.0))
    }

    fn level(&self) -> Option<f64> {
        let mean = |came: &[Option<f64>]| {
            let count = came.iter().flatten().count();
            (count > 0).then(|| came.iter().flatten().sum::<f64>() / count as f64)
        };
        mean(&self.came[..LEVEL_LAGS]).or_else(|| mean(&self.came))
    }

    fn twelve_steps(&self) -> f64 {
        let known = self.came.iter().zip(&self.usual).filter_map(|(came, usual)| came.zip(*usual));
        let (came, usual) = known.fold((0.0, 0.0), |(came, usual), (c, u)| (came + c, usual + u));
        log_ratio(came, usual, CAUTION)
    }
}

fn log_ratio(came: f64, usual: f64, caution: f64) -> f64 {
    libm::log((came.max(0.0) + caution) / (usual.max(0.0) + caution))
}

fn grained(told: f64) -> i8 {
    (told.clamp(-WITHIN, WITHIN) * SIGN_GRAIN).round() as i8
}

//! The signs that speak for more or fewer than the plain forecast: all that is read from the history and from what is usual, for every series and horizon.
//!
//! The idea: two steps. The *plain forecast* (`plain`) fixes the *unit* in which all else is told: one deviation, scale·√(plain + 1). The *signs* are 16 numbers in that unit,
//! within ± 3, in which a turnstile and a station hall look alike:
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
use super::plain::{self, Plain};
use super::pulse::Pulse;
use super::recent::{Recent, log_ratio};
use super::sight::{Sight, unit};
use super::spent_like::SpentLike;
use super::standing::{STANDING_STEPS, StandsOut};
use super::tonight::{self, Tonight};
use super::usual::{Level, LevelView, Taught, Usual, WeekView};
use super::weekday::Weekday;
use crate::inference::ask::{HORIZONS, STEPS};
use crate::time::{EventTime, Span};

pub use crate::inference::flow_row::SIGNS;
/// Signs lie within this.
pub(super) const WITHIN: f64 = 3.0;
/// The ratio of the other series' last step and hour counts so many persons on both sides.
const OTHERS_CAUTION: (f64, f64) = (3.0, 5.0);

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
    start: EventTime,
    /// Whether a day dawns between the newest step and it.
    is_tomorrow: bool,
    /// How much of what is usual nothing newer corrects (`plain::uncorrected`).
    uncorrected: f64,
}

impl Looking<'_> {
    /// Looks at the moment `at`, the end of the newest pane.
    pub fn fill(&self, at: EventTime, sight: &mut Sight) {
        let before = |lag: usize| at.before(self.step.times(lag as u64 + 1));
        let lags: [Expected<'_>; LAGS] = std::array::from_fn(|lag| self.expected(before(lag)));
        let kinds: [DayKind; LAGS] = std::array::from_fn(|lag| self.calendar.place(before(lag)).kind);
        let ahead = self.ahead(at);
        let others = Others::new(self, &lags[0], sight.scale.len());
        let alike = Alike::new(self, at);
        let weekday = Weekday::new(self, at);
        let tonight = self.tonight.seen(self.programme, at, self.step);
        for series in 0..sight.scale.len() {
            let recent = Recent::of(self.history, &lags, &kinds, series);
            sight.others[series] = others.but(series);
            let places = series * HORIZONS..(series + 1) * HORIZONS;
            for (place, ahead) in sight.event[places.clone()].iter_mut().zip(&ahead) {
                *place = tonight.as_ref().and_then(|tonight| self.tonight_of(tonight, series, &recent, ahead)).into();
            }
            let usual = |horizon: usize| ahead[horizon].of_kind.of(series).map(|level| level.persons);
            for (voice, said) in [(&mut sight.alike, alike.of(series, &recent, usual)), (&mut sight.weekday, weekday.of(series, &recent, usual))] {
                voice[places.clone()].iter_mut().zip(said).for_each(|(place, said)| *place = said.into());
            }
            self.of_series(series, &recent, &ahead, sight);
            sight.recent[series] = recent;
        }
    }

    /// The steps that are forecast at `at`, by horizon.
    fn ahead(&self, at: EventTime) -> [Ahead<'_>; HORIZONS] {
        let (newest, uncorrected) = (at.before(self.step), plain::uncorrected(self.step));
        std::array::from_fn(|horizon| {
            let start = at.after(self.step.times(u64::from(STEPS[horizon]) - 1));
            Ahead {
                of_kind: self.expected(start),
                week: self.usual.week(self.calendar.place(start)),
                start,
                is_tomorrow: self.calendar.dawns(newest, start),
                uncorrected: uncorrected[horizon],
            }
        })
    }

    /// What the event that is on lets expect of a step; `None` where earlier events have shown what they bring, or nothing was counted.
    fn tonight_of(&self, tonight: &tonight::Seen<'_>, series: usize, recent: &Recent, ahead: &Ahead<'_>) -> Option<f64> {
        if ahead.of_kind.knows_event(series) {
            return None;
        }
        let newest = recent.came[0]? - recent.usual[0].unwrap_or(0.0);
        let usual = ahead.of_kind.of(series).map_or(0.0, |level| level.persons);
        Some(usual + tonight.beyond(self.opposites[series], newest, ahead.start))
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
        let plain = Plain::new(series, recent, self.pulse, self.step);
        let [hour, six_hours, day] = self.pulse.ratios(series);
        sight.scale[series] = scale as f32;
        sight.size[series] = self.pulse.size(series) as f32;
        sight.unrest[series] = self.pulse.unrest(series) as f32;
        sight.taught[series] = ahead[0].of_kind.of(series).map_or(Taught::BY_NONE, |level| level.taught);
        sight.ratios[series] = [hour, six_hours, day, recent.twelve_steps()];
        let newest = Newest { residuals: recent.residuals(scale), ratios: sight.ratios[series], others: sight.others[series], level: plain.level() };
        let at = |lag: usize| recent.came[lag].zip(recent.usual[lag]);
        let stands_out = at(0).zip(at(1)).filter(|_| self.pulse.goes_on(series)).and_then(|(newest, before)| StandsOut::new(newest, before, scale));
        for (horizon, ahead) in ahead.iter().enumerate() {
            let usual = ahead.of_kind.of(series);
            let place = series * HORIZONS + horizon;
            let expected = plain.ahead(horizon, usual, ahead.is_tomorrow);
            let standing = usual.zip(stands_out.as_ref()).map(|(usual, beyond)| beyond.about(usual.persons)).filter(|_| STEPS[horizon] <= STANDING_STEPS);
            sight.green[place] = usual.is_none();
            sight.unsure[place] = plain::unsure(usual, ahead.uncorrected) as f32;
            sight.usual[place] = usual.map(|usual| usual.persons).into();
            sight.standing[place] = standing.into();
            sight.plain[place] = expected.into();
            sight.spread[place] = ahead.week.spread(series).into();
            let signs = expected.map_or([0; SIGNS], |plain| newest.signs(series, ahead, plain, scale));
            sight.signs[place * SIGNS..][..SIGNS].copy_from_slice(&signs);
        }
    }
}

/// What came and what was usual in all series of a venue: in the newest step, and over the last hour.
struct Others<'a> {
    looking: &'a Looking<'a>,
    newest: &'a Expected<'a>,
    now: (f64, f64),
    hour: (f64, f64),
    is_alone: bool,
}

impl<'a> Others<'a> {
    fn new(looking: &'a Looking<'a>, newest: &'a Expected<'a>, series: usize) -> Self {
        let all = Self { looking, newest, now: (0.0, 0.0), hour: (0.0, 0.0), is_alone: series < 2 };
        let add = |sum: (f64, f64), of: (f64, f64)| (sum.0 + of.0, sum.1 + of.1);
        let (now, hour) =
            (0..series).fold((all.now, all.hour), |(now, hour), series| (add(now, all.newest(series)), add(hour, looking.pulse.last_hour(series))));
        Self { now, hour, ..all }
    }

    fn newest(&self, series: usize) -> (f64, f64) {
        let came = self.looking.history.lag(0, series).zip(self.newest.of(series));
        came.map(|(came, usual)| (came as f64, usual.persons)).unwrap_or_default()
    }

    /// ln(came/usual) of all but `series`, last step and last hour.
    fn but(&self, series: usize) -> [f64; 2] {
        if self.is_alone {
            return [0.0; 2];
        }
        let (now, hour) = (self.newest(series), self.looking.pulse.last_hour(series));
        [log_ratio(self.now.0 - now.0, self.now.1 - now.1, OTHERS_CAUTION.0), log_ratio(self.hour.0 - hour.0, self.hour.1 - hour.1, OTHERS_CAUTION.1)]
    }
}

/// What the signs of all horizons of a series have in common.
struct Newest {
    /// The newest six steps against the usual of each, in its deviations.
    residuals: [Option<f64>; 6],
    /// ln(came/usual) over the last hour, six hours, day and twelve steps.
    ratios: [f64; 4],
    /// The same of all other series.
    others: [f64; 2],
    /// The mean of the newest steps, persons.
    level: Option<f64>,
}

impl Newest {
    /// The signs of a horizon about the plain forecast of it.
    fn signs(&self, series: usize, Ahead { of_kind, week, .. }: &Ahead<'_>, plain: f64, scale: f64) -> [i8; SIGNS] {
        let (deviation, of_log) = (unit(scale, plain), (plain + 1.0).sqrt() / scale);
        let against = |persons: Option<f64>| persons.map(|persons| (persons - plain) / deviation);
        let usual = of_kind.of(series).map(|level| level.persons);
        let of_weekday = usual.map(|usual| week.shifted(series, usual - of_kind.added(series)) + of_kind.added(series));
        let before = self.residuals[3..].iter().flatten().map(|residual| residual.clamp(-WITHIN, WITHIN)).sum::<f64>() / 3.0;
        let told = [
            Some(0.3),
            self.residuals[0],
            self.residuals[1],
            self.residuals[2],
            Some(before),
            Some(self.ratios[0] * of_log),
            Some(self.ratios[1] * of_log),
            Some(self.ratios[2] * of_log),
            Some(self.ratios[3] * of_log),
            Some(self.others[0] * of_log),
            Some(self.others[1] * of_log),
            against(usual),
            against(of_weekday),
            against(week.day_before(series)),
            against(week.week_before(series)),
            against(self.level),
        ];
        told.map(|told| told.map_or(0, grained))
    }
}

fn grained(told: f64) -> i8 {
    (told.clamp(-WITHIN, WITHIN) * SIGN_GRAIN).round() as i8
}

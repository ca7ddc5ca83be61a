//! Everything that learns from a forecast once reality has come: the corrections, who is believed, and the bands, horizon by horizon.
//!
//! ```text
//!   step complete ─► what was issued 1, 2, 3, 6, 12 steps before ─► scale of errors, learner, mixture, bands
//! ```

use super::bands::{AtTime, Bands, Circumstances, TimeGroup};
use super::calendar::Place;
use super::event::Moment;
use super::green::{self, Green};
use super::habits::{AlikeHere, OfQuarter, Quarter, WeekdayHere};
use super::hours::{self, Between, Hours, Part};
use super::learner::{Learner, Sums, corrected};
use super::mixture::{Here, Mixture, Voices};
use super::outlook::{Series, SeriesKind};
use super::pulse::Pulse;
use super::sight::{Sight, unit};
use super::signs::SIGNS;
use super::steps::{IssuedCase, IssuedStep, IssuedSteps, KEPT};
use crate::inference::ask::{HORIZONS, QUANTILES, STEPS};
use crate::time::{EventTime, Span};
use serde::{Deserialize, Serialize};

/// At most so many series teach the corrections of one step; with more they take turns.
const PUPILS: usize = 64;
/// A series much larger than its own mean weighs at most so much.
const HEAVIEST: f64 = 3.0;
/// Where a 10 % or 90 % quantile of unit deviations starts (`bands`).
const BAND_START: f64 = 1.6;

/// While fewer days than this taught what is usual (`Sight::taught`), the newest step may speak for itself.
const GREEN_DAYS: u8 = 3;
/// While fewer days than this did, what is usual may.
const YOUNG_DAYS: u8 = 10;
/// So many steps ahead: further off it did harm on the second day of a metro.
const NEAR: u32 = 3;

/// What is learnt of one horizon.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OfHorizon {
    /// How much each sign is trusted.
    pub learner: Learner,
    /// Who is believed.
    pub mixture: Mixture,
    /// How far days alike are, place by place.
    pub alike_here: AlikeHere,
    /// The bands.
    pub bands: Bands,
    /// The same while nothing is usual.
    pub green: Green,
}

/// When a step is that is forecast.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Target {
    /// The parts of the day that its start lies between.
    pub between: Between,
    /// By what bands are told apart.
    group: TimeGroup,
    /// By what a weekday's records are.
    quarter: Quarter,
}

impl Target {
    /// A step that starts there in the local week, and at that moment of an event.
    pub fn new(place: Place, event: Option<Moment>) -> Self {
        Self { between: hours::between(place), group: TimeGroup::new(place, event), quarter: Quarter::of(place) }
    }

    /// The quarter of the week's days in which it lies.
    pub const fn quarter(self) -> Quarter {
        self.quarter
    }
}

/// What is learnt of all horizons of a venue.
#[derive(Clone, Debug)]
pub struct Judgement {
    horizons: [OfHorizon; HORIZONS],
    hours: [Hours; HORIZONS],
    /// By horizon, how much each sign is trusted at the time of the day that is forecast.
    hourly: [Option<[f64; SIGNS]>; HORIZONS],
    /// By horizon, what the time that is forecast adds to the bands.
    at: [AtTime; HORIZONS],
    /// How far this weekday has been right, place by place; and when what is forecast is, by horizon.
    weekday_here: WeekdayHere,
    quarters: [Quarter; HORIZONS],
    steps: IssuedSteps,
    step: Span,
    /// The way of each series.
    ways: Vec<SeriesKind>,
}

/// What is said of one horizon of one series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Said {
    /// What is expected, persons.
    pub expected: f64,
    /// The quantiles, whole persons: of what comes in whole numbers a quantile is one.
    pub quantiles: [f64; QUANTILES],
    /// Whether a model had a share in it.
    pub by_model: bool,
}

impl Judgement {
    /// Nothing learnt yet of the venue's series.
    pub fn new(step: Span, series: &[Series]) -> Self {
        Self {
            horizons: Default::default(),
            hours: Default::default(),
            hourly: [None; HORIZONS],
            at: Default::default(),
            weekday_here: WeekdayHere::default(),
            quarters: [Quarter::default(); HORIZONS],
            steps: IssuedSteps::default(),
            step,
            ways: series.iter().map(|series| series.kind).collect(),
        }
    }

    /// The learners, by horizon.
    pub fn learners(&self) -> [&Learner; HORIZONS] {
        std::array::from_fn(|horizon| &self.horizons[horizon].learner)
    }

    /// Holds the step that ended at `end`, and was `target` once, against what was issued for it: `came(series)` is its count, `None` where it is not known. Returns
    /// the steps that are forgotten.
    pub fn learn(&mut self, end: EventTime, target: Target, series: usize, came: impl Fn(usize) -> Option<f64>, pulse: &mut Pulse) -> Vec<EventTime> {
        let step_s = self.step.as_secs_f64();
        let turns = series.div_ceil(PUPILS).max(1);
        let turn = (end.as_millis().div_euclid(self.step.as_millis().max(1) as i64)).rem_euclid(turns as i64) as usize;
        for (place, of) in self.horizons.iter_mut().enumerate() {
            of.learner.forget(step_s);
            of.mixture.forget(step_s);
            of.green.mixture.forget(step_s);
            let Some(issued) = self.steps.at(end.before(self.step.times(u64::from(STEPS[place])))) else { continue };
            let mut sums = Sums::default();
            let at = of.bands.at(target.group);
            for series in 0..series {
                let Some((case, came)) = issued.case(series, place).zip(came(series)) else { continue };
                if place == 0 {
                    // What stands makes no one's unit: signs are told in it, and a surge must not be cut off by what foresaw it.
                    let said = if case.voices.standing.is_none() { case.said } else { case.voices.learnt };
                    pulse.err(series, said, came);
                }
                let per = unit(case.scale, case.size);
                of.alike_here.learn(series, &case.voices, came, per);
                self.weekday_here.learn(target.quarter, (series, place), &case.voices, came, per);
                of.judge(&case, (self.ways[series], &at), came, (series % turns == turn).then_some(&mut sums));
            }
            of.learner.take(&sums);
            of.learner.settle();
            self.hours[place].learn(target.between, end, &sums);
            of.bands.settle(STEPS[place], step_s);
            of.green.settle(STEPS[place]);
        }
        self.steps.forget_until(end.before(self.step.times(u64::from(KEPT))))
    }

    /// Turns to what is forecast at `now`, by horizon.
    pub fn turn_to(&mut self, now: EventTime, targets: [Target; HORIZONS]) {
        for (place, (target, of)) in targets.iter().zip(&self.horizons).enumerate() {
            self.hourly[place] = self.hours[place].weights(target.between, now, &of.learner);
            self.at[place] = of.bands.at(target.group);
            self.quarters[place] = target.quarter;
        }
    }

    /// What is said of one horizon, given what the model said (persons), and notes it in `issued`.
    pub fn say(&self, sight: &Sight, series: usize, horizon: usize, model: Option<[f64; QUANTILES]>, issued: Option<&mut IssuedStep>) -> Option<Said> {
        let plain = sight.plain_of(series, horizon)?;
        let of = &self.horizons[horizon];
        let scale = f64::from(sight.scale[series]);
        let is_green = sight.green[series * HORIZONS + horizon];
        let mixture = if is_green { &of.green.mixture } else { &of.mixture };
        let signs = sight.signs_of(series, horizon);
        let with = |correction: f64| (plain + unit(scale, plain) * correction).max(0.0);
        let learnt = with(of.learner.correction(signs));
        // Once enough is usual here, and soon for a time further off, the newest step alone has no say.
        let may_speak = is_green || sight.taught[series].days() < GREEN_DAYS && STEPS[horizon] <= NEAR;
        let latest = sight.came(series, 0).filter(|_| may_speak);
        let latest = latest.map(|latest| sight.came(series, 1).filter(|_| is_green).map_or(latest, |before| green::trend(latest, before, STEPS[horizon])));
        let voices = Voices {
            plain,
            learnt,
            hourly: self.hourly[horizon].map(|weights| with(corrected(&weights, signs))),
            usual: sight.usual_of(series, horizon).filter(|_| sight.taught[series].days() < YOUNG_DAYS),
            latest,
            standing: sight.standing_of(series, horizon),
            event: sight.event_of(series, horizon),
            alike: sight.alike_of(series, horizon),
            weekday: sight.weekday_of(series, horizon),
            model: model.map(|model| model[1]),
        };
        let here = Here { alike: of.alike_here.of(series), weekday: self.weekday_here.of(self.quarters[horizon], series, horizon) };
        let shares = mixture.shares(&voices, here);
        let most = sight.most(series, horizon);
        let expected = shares.of(&voices).min(most);
        let ahead_s = self.step.as_secs_f64() * f64::from(STEPS[horizon]);
        let even = if is_green { green::deviation(unit(scale, expected), expected, f64::from(sight.size[series]), ahead_s) } else { unit(scale, expected) };
        let spread = |even: f64| {
            model.filter(|_| !is_green).map_or((even, even), |[low, median, high]| {
                let blend = |distance: f64| ((1.0 - shares.model()) * even + shares.model() * distance / BAND_START).max(0.2 * even);
                (blend(median - low), blend(high - median))
            })
        };
        let mut deviations = spread(even);
        if let Some(issued) = issued {
            issued.note(series, horizon, &voices, expected, deviations, is_green);
        }
        if !is_green {
            // What a first Saturday is unsure of says nothing of other days, so the bands learn without it.
            deviations = spread(libm::hypot(even, sight.unsure_of(series, horizon) * expected));
        }
        let circumstances = Circumstances { way: self.ways[series], at: &self.at[horizon], unrest: f64::from(sight.unrest[series]) };
        let quantiles = if is_green { of.green.about(expected, deviations.0) } else { of.bands.about(circumstances, expected, deviations) };
        Some(Said { expected, quantiles: quantiles.map(|quantile| quantile.min(most).round()), by_model: shares.model() > 0.0 && model.is_some() })
    }

    /// Whether the model has been worse for long at every horizon, and is not heard.
    pub fn is_model_off(&self) -> bool {
        self.horizons.iter().all(|of| of.mixture.is_model_off())
    }

    /// Another model speaks from now on, and is judged by its own words alone. Returns the steps whose entries have changed.
    pub fn judge_model_anew(&mut self) -> Vec<EventTime> {
        for of in &mut self.horizons {
            of.mixture.judge_model_anew();
            of.green.mixture.judge_model_anew();
        }
        self.steps.forget_the_model()
    }

    /// Keeps what was issued at `end`.
    pub fn keep(&mut self, end: EventTime, step: IssuedStep) {
        self.steps.keep(end, step);
    }

    /// Forgets every step that was issued; returns them.
    pub fn forget_steps(&mut self) -> Vec<EventTime> {
        self.steps.forget_until(EventTime::from_millis(i64::MAX))
    }

    /// What was issued at `end`.
    pub fn step_at(&self, end: EventTime) -> Option<&IssuedStep> {
        self.steps.at(end)
    }

    /// Puts a stored step back. Returns `false` when it is of another number of series.
    pub fn restore_step(&mut self, end: EventTime, step: IssuedStep, series: usize) -> bool {
        self.steps.restore(end, step, series)
    }

    /// The parts of the day of which anything was learnt, by horizon.
    pub fn parts(&self) -> impl Iterator<Item = (u8, u8)> {
        (0..).zip(&self.hours).flat_map(|(horizon, hours)| hours.parts().map(move |part| (horizon, part)))
    }

    /// Those of them that a step learns which lies `between`.
    pub fn touched(&self, between: Between) -> impl Iterator<Item = (u8, u8)> {
        self.parts().filter(move |(_, part)| between.iter().any(|(touched, share)| touched == part && *share > 0.0))
    }

    /// What the state stores of one horizon and part of the day.
    pub fn part(&self, horizon: usize, part: u8) -> Option<&Part> {
        self.hours.get(horizon)?.part(part)
    }

    /// Puts it back. Returns `false` when this binary has no such horizon or part, or it is of another size.
    pub fn restore_part(&mut self, horizon: usize, part: u8, stored: Part) -> bool {
        self.hours.get_mut(horizon).is_some_and(|hours| hours.restore(part, stored))
    }

    /// The records of this weekday.
    pub const fn weekday_here(&self) -> &WeekdayHere {
        &self.weekday_here
    }

    /// Puts those of one quarter back. Returns `false` when they are of more series or not of numbers.
    pub fn restore_weekday(&mut self, quarter: Quarter, stored: OfQuarter, series: usize) -> bool {
        self.weekday_here.restore(quarter, stored, series)
    }

    /// What the state stores of one horizon.
    pub fn of_horizon(&self, horizon: usize) -> Option<&OfHorizon> {
        self.horizons.get(horizon)
    }

    /// Puts it back. Returns `false` when this binary has no such horizon.
    pub fn restore_horizon(&mut self, horizon: usize, stored: OfHorizon) -> bool {
        let Some(place) = self.horizons.get_mut(horizon) else { return false };
        *place = stored;
        true
    }
}

impl OfHorizon {
    /// Whether its figures can be.
    pub fn is_sound(&self) -> bool {
        self.learner.is_sound() && self.bands.is_sound() && self.alike_here.is_sound() && self.mixture.is_sound() && self.green.is_sound()
    }

    fn judge(&mut self, case: &IssuedCase<'_>, (way, at): (SeriesKind, &AtTime), came: f64, pupils: Option<&mut Sums>) {
        let Voices { plain, .. } = case.voices;
        if let Some(pupils) = pupils {
            let weight = ((plain + 1.0) / (case.size + 1.0)).sqrt().min(HEAVIEST);
            pupils.count(case.signs, (came - plain) / unit(case.scale, plain), weight);
        }
        let per = unit(case.scale, case.size);
        let circumstances = Circumstances { way, at, unrest: case.unrest };
        if case.is_green {
            // What the newest step says while nothing is usual, its trend, earns it no hearing later.
            self.mixture.learn_before(&Voices { latest: None, ..case.voices }, came, per);
            self.green.mixture.learn(&case.voices, came, per);
            self.green.count(case.said, case.deviations.0, came);
            // The first bands of the day after start from these: better too wide than too narrow.
            let even = unit(case.scale, case.said);
            self.bands.count(circumstances, case.said, (even, even), came);
        } else {
            self.mixture.learn(&case.voices, came, per);
            self.bands.count(circumstances, case.said, case.deviations, came);
        }
    }
}

//! What was issued at the ends of the last twelve steps, kept until what was forecast has come.
//!
//! The idea: a forecast is judged, and its signs are learnt from, exactly as it was issued. One entry per step, over all series and horizons.

use super::mixture::{MODEL, SOMETIMES, Voices};
use super::room::widen;
use super::signs::SIGNS;
use super::told::Told;
use crate::inference::ask::{HORIZONS, STEPS};
use crate::time::EventTime;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What was issued at the end of one step. Series × horizons each, persons.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct IssuedStep {
    plain: Vec<Told>,
    learnt: Vec<Told>,
    /// Those that are silent at times: each empty where it was at all series and horizons.
    sometimes: [Vec<Told>; SOMETIMES],
    /// Whether nothing was usual for the target yet.
    green: Vec<bool>,
    said: Vec<Told>,
    below: Vec<Told>,
    above: Vec<Told>,
    signs: Vec<i8>,
    /// By series: scale, size and unrest.
    scale: Vec<f32>,
    size: Vec<f32>,
    unrest: Vec<f32>,
}

/// One horizon of one series as it was issued.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct IssuedCase<'a> {
    /// What each voice said.
    pub voices: Voices,
    /// What was said, persons.
    pub said: f64,
    /// One deviation downwards and upwards, persons.
    pub deviations: (f64, f64),
    /// The signs.
    pub signs: &'a [i8],
    /// Whether nothing was usual for the target yet.
    pub is_green: bool,
    /// Scale of the series.
    pub scale: f64,
    /// Mean size of the series, persons per step.
    pub size: f64,
    /// How restless it was.
    pub unrest: f64,
}

impl IssuedStep {
    /// Nothing said of so many series.
    pub fn new(series: usize, signs: &[i8], scale: &[f32], size: &[f32], unrest: &[f32]) -> Self {
        let nothing = || vec![Told::NOTHING; series * HORIZONS];
        Self {
            plain: nothing(),
            learnt: nothing(),
            sometimes: Default::default(),
            green: vec![false; series * HORIZONS],
            said: nothing(),
            below: nothing(),
            above: nothing(),
            signs: signs.to_vec(),
            scale: scale.to_vec(),
            size: size.to_vec(),
            unrest: unrest.to_vec(),
        }
    }

    /// Notes what was said of one horizon of one series.
    pub fn note(&mut self, series: usize, horizon: usize, voices: &Voices, said: f64, deviations: (f64, f64), is_green: bool) {
        let place = series * HORIZONS + horizon;
        (self.plain[place], self.learnt[place], self.said[place]) = (voices.plain.into(), voices.learnt.into(), said.into());
        (self.below[place], self.above[place]) = (deviations.0.into(), deviations.1.into());
        self.green[place] = is_green;
        for (held, voice) in self.sometimes.iter_mut().zip(voices.sometimes()) {
            let Some(voice) = voice else { continue };
            if held.is_empty() {
                *held = vec![Told::NOTHING; self.said.len()];
            }
            held[place] = voice.into();
        }
    }

    /// What was issued of one horizon of one series.
    pub fn case(&self, series: usize, horizon: usize) -> Option<IssuedCase<'_>> {
        let place = series * HORIZONS + horizon;
        let said = self.said.get(place)?.get()?;
        let sometimes = std::array::from_fn(|voice| self.sometimes[voice].get(place).and_then(|said| said.get()));
        Some(IssuedCase {
            voices: Voices::of(self.plain[place].get()?, self.learnt[place].get()?, sometimes),
            said,
            deviations: (self.below[place].get()?, self.above[place].get()?),
            signs: self.signs.get(place * SIGNS..(place + 1) * SIGNS)?,
            is_green: self.green[place],
            scale: f64::from(self.scale[series]),
            size: f64::from(self.size[series]),
            unrest: f64::from(self.unrest[series]),
        })
    }

    /// Makes room for so many series. Returns `false` when it is of more.
    fn widen(&mut self, series: usize) -> bool {
        let cases = series * HORIZONS;
        let Self { plain, learnt, sometimes, green, said, below, above, signs, scale, size, unrest } = self;
        let always = [plain, learnt, said, below, above].into_iter().all(|voice| widen(voice, cases, Told::NOTHING));
        let sometimes = sometimes.iter_mut().all(|voice| voice.is_empty() || widen(voice, cases, Told::NOTHING));
        let of_series = [scale, size, unrest].into_iter().all(|figures| widen(figures, series, 0.0));
        always && sometimes && of_series && widen(green, cases, false) && widen(signs, cases * SIGNS, 0)
    }
}

/// The entries of the last twelve steps, by the step's end.
#[derive(Clone, Debug, Default)]
pub struct IssuedSteps {
    steps: BTreeMap<EventTime, IssuedStep>,
}

/// How many steps are kept.
pub const KEPT: u32 = STEPS[HORIZONS - 1];

impl IssuedSteps {
    /// What was issued at `end`.
    pub fn at(&self, end: EventTime) -> Option<&IssuedStep> {
        self.steps.get(&end)
    }

    /// Keeps what was issued at `end`.
    pub fn keep(&mut self, end: EventTime, step: IssuedStep) {
        self.steps.insert(end, step);
    }

    /// Puts a stored entry back. Returns `false` when it is of more series.
    pub fn restore(&mut self, end: EventTime, mut step: IssuedStep, series: usize) -> bool {
        let fits = step.widen(series);
        if fits {
            self.steps.insert(end, step);
        }
        fits
    }

    /// Forgets what the model said, of which another one is not to be judged; returns the steps in which it had.
    pub fn forget_the_model(&mut self) -> Vec<EventTime> {
        let said = self.steps.iter_mut().filter(|(_, step)| !step.sometimes[MODEL].is_empty());
        said.map(|(end, step)| {
            step.sometimes[MODEL].clear();
            *end
        })
        .collect()
    }

    /// Forgets what was issued at or before `end`; returns the steps forgotten.
    pub fn forget_until(&mut self, end: EventTime) -> Vec<EventTime> {
        let gone: Vec<EventTime> = self.steps.range(..=end).map(|(end, _)| *end).collect();
        gone.iter().for_each(|end| drop(self.steps.remove(end)));
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_comes_back_as_it_was_issued() {
        let mut step = IssuedStep::new(2, &[5; 2 * HORIZONS * SIGNS], &[1.5, 2.5], &[10.0, 20.0], &[0.0, 0.5]);
        let voices = Voices {
            plain: 4.0,
            learnt: 5.0,
            hourly: Some(8.0),
            usual: Some(6.0),
            standing: Some(2.5),
            latest: Some(3.0),
            event: Some(9.0),
            alike: Some(7.0),
            weekday: Some(11.0),
            model: Some(6.0),
        };
        step.note(1, 3, &voices, 5.5, (1.0, 2.0), true);
        let case = step.case(1, 3).unwrap();
        assert_eq!((case.voices, case.said, case.deviations, case.scale, case.size), (voices, 5.5, (1.0, 2.0), 2.5, 20.0));
        assert_eq!(case.signs, [5; SIGNS]);
        assert_eq!(step.case(1, 2), None);
        assert_eq!(step.case(0, 3), None);
        assert!(!step.clone().widen(1), "it is of two");
        assert!(step.widen(3));
        assert_eq!((step.case(1, 3).unwrap().said, step.case(2, 3)), (5.5, None), "of the third nothing was said");
    }

    #[test]
    fn old_steps_are_forgotten() {
        let at = EventTime::from_millis;
        let mut steps = IssuedSteps::default();
        (1..5).for_each(|k| steps.keep(at(k), IssuedStep::default()));
        assert_eq!(steps.forget_until(at(2)), [at(1), at(2)]);
        assert!(steps.at(at(3)).is_some());
    }
}

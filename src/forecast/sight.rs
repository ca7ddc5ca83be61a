//! What is seen at one moment, by series and horizon: all that the corrections, the mixture, the bands and the models go by.
//!
//! The idea: looked at once ([`super::signs`]), read by many. Nothing here knows how it came about.

use super::recent::Recent;
use super::signs::SIGNS;
use super::told::Told;
use super::usual::Taught;
use crate::inference::ask::HORIZONS;

/// More than so many times the highest of the last twelve steps and the mean, or the plain forecast, and that by more than so many persons, is absurd.
const ABSURD: (f64, f64, f64) = (10.0, 3.0, 10.0);

/// What is seen at one moment, by series.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sight {
    /// Series × horizons: the plain forecast, persons.
    pub plain: Vec<Told>,
    /// Series × horizons × signs.
    pub signs: Vec<i8>,
    /// Series × horizons: the usual distance from the usual of the target step, persons.
    pub spread: Vec<Told>,
    /// Series × horizons: what the event that is on lets expect, persons; nothing where none is on or events have shown it before.
    pub event: Vec<Told>,
    /// Series × horizons: what the days that were like today let expect, persons; nothing where that is the usual.
    pub alike: Vec<Told>,
    /// Series × horizons: what this weekday lets expect, persons; nothing where that is the usual.
    pub weekday: Vec<Told>,
    /// Series × horizons: what is usual for the target step, persons.
    pub usual: Vec<Told>,
    /// Series × horizons: the usual and what came beyond it in the newest step, where the newest two stand out.
    pub standing: Vec<Told>,
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
    /// By series: how well what is usual for the next step is known.
    pub taught: Vec<Taught>,
    /// By series: the last twelve steps.
    pub recent: Vec<Recent>,
    /// By series: ln(came/usual) over the last hour, six hours, day and twelve steps.
    pub ratios: Vec<[f64; 4]>,
    /// By series: the same of all other series of the venue, last step and last hour.
    pub others: Vec<[f64; 2]>,
}

/// One deviation about `expected` persons.
pub fn unit(scale: f64, expected: f64) -> f64 {
    scale * (expected.max(0.0) + 1.0).sqrt()
}

impl Sight {
    /// Room for so many series.
    pub fn new(series: usize) -> Self {
        Self {
            plain: vec![Told::NOTHING; series * HORIZONS],
            signs: vec![0; series * HORIZONS * SIGNS],
            spread: vec![Told::NOTHING; series * HORIZONS],
            event: vec![Told::NOTHING; series * HORIZONS],
            alike: vec![Told::NOTHING; series * HORIZONS],
            weekday: vec![Told::NOTHING; series * HORIZONS],
            usual: vec![Told::NOTHING; series * HORIZONS],
            standing: vec![Told::NOTHING; series * HORIZONS],
            green: vec![true; series * HORIZONS],
            unsure: vec![0.0; series * HORIZONS],
            scale: vec![1.0; series],
            size: vec![0.0; series],
            unrest: vec![0.0; series],
            taught: vec![Taught::BY_NONE; series],
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
        (ABSURD.0 * highest).max(ABSURD.1 * self.plain_of(series, horizon).unwrap_or(0.0)) + ABSURD.2
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
        self.plain[series * HORIZONS + horizon].get()
    }

    /// ln((spread + ½)/(unit + ½)) of a horizon; 0 where it is not known.
    pub fn log_spread(&self, series: usize, horizon: usize) -> f64 {
        let known = self.plain_of(series, horizon).zip(self.spread[series * HORIZONS + horizon].get());
        known.map_or(0.0, |(plain, spread)| libm::log((spread + 0.5) / (unit(f64::from(self.scale[series]), plain) + 0.5)))
    }

    /// What the event that is on lets expect of a horizon, persons.
    pub fn event_of(&self, series: usize, horizon: usize) -> Option<f64> {
        self.event[series * HORIZONS + horizon].get()
    }

    /// What the days that were like today let expect of a horizon, persons.
    pub fn alike_of(&self, series: usize, horizon: usize) -> Option<f64> {
        self.alike[series * HORIZONS + horizon].get()
    }

    /// What this weekday lets expect of a horizon, persons.
    pub fn weekday_of(&self, series: usize, horizon: usize) -> Option<f64> {
        self.weekday[series * HORIZONS + horizon].get()
    }

    /// How far what is usual for a horizon may be off because few days taught it, as a share of it.
    pub fn unsure_of(&self, series: usize, horizon: usize) -> f64 {
        f64::from(self.unsure[series * HORIZONS + horizon])
    }

    /// What is usual for a horizon, persons.
    pub fn usual_of(&self, series: usize, horizon: usize) -> Option<f64> {
        self.usual[series * HORIZONS + horizon].get()
    }

    /// What is expected of a horizon where what stands out goes on, persons.
    pub fn standing_of(&self, series: usize, horizon: usize) -> Option<f64> {
        self.standing[series * HORIZONS + horizon].get()
    }

    /// The signs of a horizon.
    pub fn signs_of(&self, series: usize, horizon: usize) -> &[i8] {
        &self.signs[(series * HORIZONS + horizon) * SIGNS..][..SIGNS]
    }
}

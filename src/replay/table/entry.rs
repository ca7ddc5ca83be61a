//! What one sensor counted in one step, as one row or several tell it.
//!
//! The idea: a figure is a number of persons, or it is missing (a row says that nobody knows), or nobody told it (it has no column, or another row). The three are never taken for one another:
//! what is missing is a gap, and what nobody told may be a zero where the mapping says so.

use super::figure::{MISSING, NONE};
use crate::time::EventTime;
use std::num::NonZeroU32;

/// What one sensor counted in one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    /// Start of the step.
    pub(super) from: EventTime,
    /// The sensor, by its place in the list of sensors.
    pub(super) sensor: u32,
    /// Its row's line, from 1.
    pub(super) line: u32,
    /// By way: in, out, undirected.
    pub(super) figures: [u32; 3],
    /// The row's hour comes twice, and its neighbours tell which it is: how long after this one the other is, ms.
    pub(super) later: Option<NonZeroU32>,
}

impl Entry {
    /// Persons in, out and undirected; `None` each where the row does not tell, and as a whole where nobody knows.
    pub(super) fn persons(&self) -> Option<[Option<u32>; 3]> {
        if self.figures.contains(&MISSING) {
            return None;
        }
        Some(self.figures.map(|figure| Some(figure).filter(|figure| *figure != NONE)))
    }

    /// Which of in, out and undirected it tells.
    pub(super) fn told(&self) -> [bool; 3] {
        self.figures.map(|figure| figure != NONE)
    }

    /// What came since `before`, where these figures and those are running totals: nobody knows where one is missing, where it fell (a reset), or where it rose by more than `most`.
    pub(super) fn rise_since(&self, before: &Self, most: u32) -> Self {
        let rise = |now: u32, then: u32| match (now, then) {
            (NONE, NONE) => NONE,
            (MISSING | NONE, _) | (_, MISSING | NONE) => MISSING,
            _ => now.checked_sub(then).filter(|rise| *rise <= most).unwrap_or(MISSING),
        };
        Self { figures: std::array::from_fn(|i| rise(self.figures[i], before.figures[i])), ..*self }
    }

    /// Whether a total is less than at `before`, and none is more.
    pub(super) fn fell_since(&self, before: &Self) -> bool {
        let known = |figure: &u32| *figure < MISSING;
        let pairs = || self.figures.iter().zip(&before.figures).filter(|(now, then)| known(now) && known(then));
        pairs().any(|(now, then)| now < then) && pairs().all(|(now, then)| now <= then)
    }

    /// The same step, of which nobody knows.
    pub(super) fn unknown(&self) -> Self {
        Self { figures: self.figures.map(|figure| if figure == NONE { NONE } else { MISSING }), ..*self }
    }

    /// The same figures, of another step.
    pub(super) fn at(self, from: EventTime) -> Self {
        Self { from, later: None, ..self }
    }

    /// Whether the two tell different directions of the same step, as rows of a table with a direction column do.
    pub(super) fn completes(&self, other: &Self) -> bool {
        let apart = self.figures.iter().zip(&other.figures).all(|(a, b)| *a == NONE || *b == NONE);
        apart && (self.from, self.sensor) == (other.from, other.sensor)
    }

    /// Whether the two tell the same step of a sensor differently.
    pub(super) fn contradicts(&self, other: &Self) -> bool {
        (self.from, self.sensor) == (other.from, other.sensor) && self.figures != other.figures
    }

    /// Of two that tell the same step, one of which does not know, keeps the one that does, whichever stands first.
    pub(super) fn is_filled_by(&mut self, other: &Self) -> bool {
        let (mine, others) = (self.persons().is_some(), other.persons().is_some());
        let alike = (self.from, self.sensor, self.told()) == (other.from, other.sensor, other.told());
        let fills = alike && !(mine && others);
        if fills && !mine {
            *self = *other;
        }
        fills
    }

    /// Takes from `other` what it does not tell itself.
    pub(super) fn join(&mut self, other: &Self) {
        for (mine, other) in self.figures.iter_mut().zip(other.figures) {
            if *mine == NONE {
                *mine = other;
            }
        }
    }

    /// Adds another part of the same whole; with a part missing nobody knows the whole.
    pub(super) fn add(&mut self, part: &Self) {
        for (mine, part) in self.figures.iter_mut().zip(part.figures) {
            *mine = match (*mine, part) {
                (MISSING, _) | (_, MISSING) => MISSING,
                (NONE, figure) | (figure, NONE) => figure,
                (a, b) => a.saturating_add(b).min(MISSING - 1),
            };
        }
    }
}

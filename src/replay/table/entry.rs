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
    /// Persons in, out and undirected, each where somebody knows.
    pub(super) fn known(&self) -> [Option<u32>; 3] {
        self.figures.map(|figure| Some(figure).filter(|figure| *figure < MISSING))
    }

    /// Whether it has any figure.
    pub(super) fn knows(&self) -> bool {
        self.figures.iter().any(|figure| *figure < MISSING)
    }

    /// Which of in, out and undirected it tells, be it that nobody knows.
    pub(super) fn told(&self) -> [bool; 3] {
        self.figures.map(|figure| figure != NONE)
    }

    /// The same step, of which nobody knows.
    pub(super) fn unknown(&self) -> Self {
        Self { figures: self.figures.map(|figure| if figure == NONE { NONE } else { MISSING }), ..*self }
    }

    /// The same step, of which nobody knows anything, whatever is told by itself.
    pub(super) fn unknown_all_ways(&self) -> Self {
        Self { figures: [MISSING; 3], ..*self }
    }

    /// The same figures, of another step.
    pub(super) fn at(self, from: EventTime) -> Self {
        Self { from, later: None, ..self }
    }

    /// Whether the two are of the same step of a sensor.
    pub(super) fn is_beside(&self, other: &Self) -> bool {
        (self.from, self.sensor) == (other.from, other.sensor)
    }

    /// Whether the two tell the same step of a sensor differently.
    pub(super) fn contradicts(&self, other: &Self) -> bool {
        self.is_beside(other) && self.figures != other.figures
    }

    /// Takes in what another row tells of the same step, and answers whether nothing of it is left: two that tell a direction each are one, and of two of which one does not know, the other
    /// holds. What both know is told twice.
    pub(super) fn takes(&mut self, next: &Self) -> bool {
        let both = || self.figures.iter().zip(&next.figures).filter(|(mine, next)| **mine < MISSING && **next < MISSING);
        let is_missing_somewhere = self.figures.contains(&MISSING) || next.figures.contains(&MISSING);
        let is_told_twice = both().next().is_some() && !is_missing_somewhere || both().any(|(mine, next)| mine != next);
        if !is_told_twice {
            // A figure is less than the mark of a missing one, and that less than none.
            self.figures.iter_mut().zip(next.figures).for_each(|(mine, next)| *mine = (*mine).min(next));
        }
        !is_told_twice
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

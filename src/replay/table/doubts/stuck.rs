//! Counters that stick: the same figure step after step, where figures never came so.
//!
//! The idea: two steps with one figure are chance, and how often is seen in the other steps of the place; where a run is so long that chance would not bring it, somebody ought to look. Nobody is no
//! figure that sticks: nights are empty, and a counter that is dead is found by what is missing.

use crate::replay::table::entry::Entry;
use crate::time::{EventTime, Span};

/// Pairs of steps beside the run that say how often figures come twice.
const ENOUGH: u64 = 24;
/// Chance brings no such run in so many tables.
const CHANCE: f64 = 1e-9;
/// Two counts of a mean of m persons are the same by 0.4/√m at most, where people come as they like (Poisson).
const ALIKE: f64 = 0.4;

/// A run of one figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) figure: u32,
    pub(super) line: u32,
    pub(super) steps: u64,
}

/// How often the figures of one way of one place come twice, and the longest run of one.
#[derive(Clone, Copy, Default)]
pub(super) struct Repeats {
    last: Option<(EventTime, Run)>,
    pairs: u64,
    twice: u64,
    longest: Option<Run>,
}

impl Repeats {
    pub(super) fn take(&mut self, entry: &Entry, figure: u32, step: Span) {
        let before = self.last.filter(|(from, _)| entry.from.since(*from) == step).map(|(_, run)| run);
        self.pairs += u64::from(before.is_some() && figure > 0);
        let run = match before.filter(|before| before.figure == figure) {
            Some(before) => Run { steps: before.steps + 1, ..before },
            None => Run { figure, line: entry.line, steps: 1 },
        };
        self.last = Some((entry.from, run));
        if figure > 0 {
            self.twice += u64::from(run.steps > 1);
            self.longest = self.longest.filter(|longest| longest.steps >= run.steps).or(Some(run));
        }
    }

    /// The longest run, where chance does not bring it.
    pub(super) fn stuck(&self) -> Option<Run> {
        let run = self.longest?;
        let (pairs, twice) = (self.pairs - (run.steps - 1), self.twice - (run.steps - 1));
        let alike = ((twice + 1) as f64 / (pairs + 2) as f64).max(ALIKE / f64::from(run.figure).sqrt());
        let is_chance = (run.steps - 1) as f64 * alike.ln() + (self.pairs as f64).ln() > CHANCE.ln();
        (pairs >= ENOUGH && !is_chance).then_some(run)
    }
}

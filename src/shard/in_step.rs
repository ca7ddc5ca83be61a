//! Catching up in step: of a venue's feeds none is read far ahead of one that has unread records.
//!
//! The idea: whether an event is late hangs on its own source's clock alone, so the order in which feeds are read makes nobody late. What it does make is memory: a pane
//! stays open until the slowest feed has passed it. So a feed whose event time is more than [`Spread::most`] ahead of another one's that has unread records is paused until
//! the other has come near. A feed that is read to its end holds nobody, one whose records do not come holds nobody for long, and the commands hold nobody either. Partitions of different numbers share no venue, hence no pane,
//! and need no common step.
//!
//! ```text
//!   sensors    ████████████████▌ paused
//!   ticketing  ██████████▌            ── most ──►|
//!   transport  ███████████▌
//! ```

use crate::log::Place;
use crate::time::{EventTime, Span};
use crate::venue::Feed;
use std::collections::{BTreeMap, BTreeSet};

/// How far the feeds of a partition number may be apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spread {
    /// A feed that is further ahead is paused.
    pub most: Span,
}

impl Default for Spread {
    /// Two minutes: more than sources of one venue are apart when all is read, so that nobody is paused who has caught up.
    fn default() -> Self {
        Self { most: Span::from_mins(2) }
    }
}

/// How far a feed has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Progress {
    pub(super) place: Place,
    /// Event time that its records have reached, as panes read it; `None` before the first that is believed.
    pub(super) reached: Option<EventTime>,
    /// Nothing is unread.
    pub(super) at_end: bool,
}

/// The feeds that are paused.
#[derive(Debug, Default)]
pub(super) struct InStep {
    paused: BTreeSet<Place>,
    /// How far each place had been read when it last moved, and how often it was looked at since.
    standing: BTreeMap<Place, (Option<EventTime>, u32)>,
}

/// After so many looks without progress a place is waited for no more: this is about memory, and a broker that does not bring its records must not stop the others.
const PATIENCE: u32 = 256;

/// What is to be done now.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Steps {
    pub(super) pause: Vec<Place>,
    pub(super) resume: Vec<Place>,
}

impl InStep {
    /// Judges the feeds of one partition number.
    pub(super) fn judge(&mut self, spread: Spread, feeds: &[Progress]) -> Steps {
        feeds.iter().for_each(|progress| self.look(progress));
        let is_waited_for = |progress: &&Progress| {
            let stands = self.standing.get(&progress.place).map_or(0, |(_, looks)| *looks);
            !progress.at_end && progress.place.feed != Feed::Commands && !self.paused.contains(&progress.place) && stands < PATIENCE
        };
        let floor = feeds.iter().filter(is_waited_for).map(|progress| progress.reached.unwrap_or(EventTime::MIN)).min();
        let mut steps = Steps::default();
        for Progress { place, reached, at_end } in feeds.iter().filter(|progress| progress.place.feed != Feed::Commands) {
            let is_paused = self.paused.contains(place);
            // Let go at half the spread, so that nobody is stopped and started at every poll.
            let most = if is_paused { Span::from_millis(spread.most.as_millis() / 2) } else { spread.most };
            // Of one at its end nothing is unread; and whoever is paused can prove no end.
            let is_ahead = !at_end && floor.is_some_and(|floor| reached.is_some_and(|reached| reached > floor.after(most)));
            match (is_paused, is_ahead) {
                (false, true) => steps.pause.push(*place),
                (true, false) => steps.resume.push(*place),
                _ => {}
            }
        }
        steps
    }

    /// The log has done them. One that could not is asked again: a feed whose resumption was forgotten would stand still for ever.
    pub(super) fn done(&mut self, steps: &Steps) {
        self.paused.extend(&steps.pause);
        self.paused.retain(|place| !steps.resume.contains(place));
    }

    fn look(&mut self, progress: &Progress) {
        let (reached, looks) = self.standing.entry(progress.place).or_insert((progress.reached, 0));
        if *reached == progress.reached && !progress.at_end {
            *looks = looks.saturating_add(1);
        } else {
            (*reached, *looks) = (progress.reached, 0);
        }
    }

    /// Whether it stands still because it was told to.
    pub(super) fn has_paused(&self, place: Place) -> bool {
        self.paused.contains(&place)
    }

    /// A partition number is read anew, or no more.
    pub(super) fn forget(&mut self, partition: u32) {
        self.standing.retain(|place, _| place.partition != partition);
        self.paused.retain(|place| place.partition != partition);
    }
}

#[cfg(test)]
#[path = "in_step_tests.rs"]
mod tests;

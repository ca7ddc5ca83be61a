//! What is usual: an exponential mean of every series per kind of day and step of day.
//!
//! The idea: a profile is learned one complete step at a time and after that step has been judged, so nothing is ever compared with itself. It is time-major, one array
//! over all series per slot, because a close looks at eight slots of all series and a step changes one. A slot is also the unit in which the state stores it.
//! The definition is that of `midan-features-1`: the first occurrence sets the mean, later ones move it by max(1/(n+1), 0.25).

use super::calendar::Slot;
use super::room::widen;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Below this share of the new value a mean does not learn, so that a season is followed.
const SLOWEST_LEARNING: f64 = 0.25;

/// The means of one slot, by series.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ProfileSlot {
    /// Persons per step.
    means: Vec<f64>,
    /// In how many steps the series was seen in this slot, up to 255.
    seen: Vec<u8>,
}

impl ProfileSlot {
    /// The mean of `series`, persons per step, and how often it was seen; `None` when never.
    pub fn get(&self, series: usize) -> Option<(f64, u8)> {
        let seen = *self.seen.get(series)?;
        (seen > 0).then(|| (self.means[series], seen))
    }

    fn absorb(&mut self, series: usize, persons: f64) {
        let (mean, seen) = (&mut self.means[series], &mut self.seen[series]);
        let weight = (1.0 / (f64::from(*seen) + 1.0)).max(SLOWEST_LEARNING);
        *mean = if *seen == 0 { persons } else { *mean + weight * (persons - *mean) };
        *seen = seen.saturating_add(1);
    }
}

/// The profile of all series of a venue.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SeasonalProfile {
    series: usize,
    slots: BTreeMap<Slot, ProfileSlot>,
}

impl SeasonalProfile {
    /// A profile that knows nothing yet of so many series.
    pub const fn new(series: usize) -> Self {
        Self { series, slots: BTreeMap::new() }
    }

    /// What is known of a slot.
    pub fn slot(&self, slot: Slot) -> Option<&ProfileSlot> {
        self.slots.get(&slot)
    }

    /// Learns one complete step: `persons(series)` is its count, `None` where it is not known. Returns whether anything was learned.
    pub fn absorb(&mut self, slot: Slot, persons: impl Fn(usize) -> Option<u64>) -> bool {
        let mut learned = false;
        for series in 0..self.series {
            let Some(count) = persons(series) else {
                continue;
            };
            let size = self.series;
            let means = self.slots.entry(slot).or_insert_with(|| ProfileSlot { means: vec![0.0; size], seen: vec![0; size] });
            means.absorb(series, count as f64);
            learned = true;
        }
        learned
    }

    /// Puts a stored slot back. Returns `false` when it is of more series.
    pub fn restore(&mut self, slot: Slot, mut stored: ProfileSlot) -> bool {
        let fits = widen(&mut stored.means, self.series, 0.0) && widen(&mut stored.seen, self.series, 0);
        if fits {
            self.slots.insert(slot, stored);
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forecast::calendar::DayType;

    const NOON: Slot = Slot { day: DayType::Weekday, step: 144 };

    fn after(counts: &[u64]) -> Option<(f64, u8)> {
        let mut profile = SeasonalProfile::new(1);
        for count in counts {
            profile.absorb(NOON, |_| Some(*count));
        }
        profile.slot(NOON).and_then(|slot| slot.get(0))
    }

    #[test]
    fn the_first_step_sets_the_mean_and_the_fourth_still_weighs_a_quarter() {
        assert_eq!(after(&[8]), Some((8.0, 1)));
        assert_eq!(after(&[8, 16]), Some((12.0, 2)));
        assert_eq!(after(&[12, 12, 12, 12, 12, 20]), Some((14.0, 6)));
    }

    #[test]
    fn a_step_that_is_not_known_teaches_nothing() {
        let mut profile = SeasonalProfile::new(2);
        assert!(!profile.absorb(NOON, |_| None));
        assert!(profile.absorb(NOON, |series| (series == 1).then_some(3)));
        let slot = profile.slot(NOON).unwrap();
        assert_eq!((slot.get(0), slot.get(1), slot.get(2)), (None, Some((3.0, 1)), None));
    }

    #[test]
    fn the_number_of_steps_seen_ends_at_255() {
        assert_eq!(after(&[7; 300]), Some((7.0, 255)));
    }

    #[test]
    fn a_slot_of_another_venue_is_refused() {
        assert!(!SeasonalProfile::new(1).restore(NOON, ProfileSlot { means: vec![1.0; 2], seen: vec![1; 2] }));
        let mut wider = SeasonalProfile::new(2);
        assert!(wider.restore(NOON, ProfileSlot { means: vec![1.0], seen: vec![1] }));
        assert_eq!(wider.slot(NOON).map(|slot| (slot.get(0), slot.get(1))), Some((Some((1.0, 1)), None)));
    }
}

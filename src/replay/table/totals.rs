//! From running totals to counts: what came between one row of a counter and the next.
//!
//! The idea: a turnstile shows how many have gone through it since it was built, so a step's count is the rise since the row one step before. Where that row is absent nobody
//! knows how the rise is spread over the steps between, unless an absent row means that nobody came; a row that is marked missing never means that. Where the total fell, the counter was set back.
//! What one way of a place lacks says nothing of the other; but both are told by one device, so that where one was set back nobody knows what the other rose by.

use super::entry::Entry;
use super::figure::{MISSING, NONE};
use super::mapping::{Absent, Mapping, StepClock};
use super::report::Notes;
use crate::time::EventTime;
use std::collections::BTreeMap;

/// Rises are below this where the mapping says nothing: nobody counts so many in a step, but a counter that is set to another number leaps so far.
const MOST: u32 = 10_000_000;

/// So many falls are no resets, where there are more of them than rises: the counter runs backwards.
const FALLS: usize = 3;

/// A total, and the step that it is of.
#[derive(Clone, Copy)]
struct Total {
    from: EventTime,
    persons: u32,
}

/// One way of one place, as far as it has been read.
#[derive(Clone, Copy, Default)]
struct Counter {
    /// The first of the newest step, be it that nobody knows it.
    newest: Option<Total>,
    /// The last one that is known of an earlier step.
    before: Option<Total>,
    /// Whether a row since then says that nobody knows.
    is_lost: bool,
}

impl Counter {
    /// Takes a total in; answers the last one that is known of an earlier step.
    fn turn(&mut self, total: Total) -> Option<Total> {
        match self.newest {
            Some(newest) if newest.from == total.from => {}
            newest => {
                self.is_lost = newest.is_some_and(|newest| newest.persons == MISSING);
                self.before = newest.filter(|newest| newest.persons < MISSING).or(self.before);
                self.newest = Some(total);
            }
        }
        self.before
    }
}

/// The counters of one place, and how often all that turned fell and how often all rose.
#[derive(Default)]
struct Place {
    ways: [Counter; 3],
    falls: usize,
    rises: usize,
}

/// Makes each total the rise to it; answers whose totals fall mostly. The list is sorted by time.
pub(super) fn to_rises(list: &mut Vec<Entry>, mapping: &Mapping, clock: StepClock, notes: &mut Notes) -> Vec<u32> {
    let most = mapping.most.unwrap_or(MOST);
    let mut places: BTreeMap<u32, Place> = BTreeMap::new();
    list.retain_mut(|entry| {
        let total = *entry;
        let place = places.entry(entry.sensor).or_default();
        let (mut is_based, mut is_set_back) = (false, false);
        let (mut falls, mut rises) = (0, 0);
        for (counter, figure) in place.ways.iter_mut().zip(&mut entry.figures) {
            if *figure == NONE {
                continue;
            }
            let now = std::mem::replace(figure, MISSING);
            let Some(before) = counter.turn(Total { from: total.from, persons: now }) else { continue };
            is_based = true;
            if now == MISSING {
                continue;
            }
            (falls, rises) = (falls + usize::from(now < before.persons), rises + usize::from(now > before.persons));
            let next = before.from.after(mapping.step);
            let are_zeros = mapping.absent == Absent::Zero && !counter.is_lost && !mapping.lacks(clock, next, total.from);
            if are_zeros || next == total.from {
                *figure = now.checked_sub(before.persons).filter(|rise| *rise <= most).unwrap_or(MISSING);
                is_set_back |= *figure == MISSING;
            }
        }
        place.falls += usize::from(falls > 0 && rises == 0);
        place.rises += usize::from(rises > 0 && falls == 0);
        if is_set_back {
            *entry = entry.unknown();
            notes.set_back += 1;
        }
        is_based
    });
    places.into_iter().filter(|(_, place)| place.falls >= FALLS && place.falls > place.rises).map(|(sensor, _)| sensor).collect()
}

#[cfg(test)]
mod tests;

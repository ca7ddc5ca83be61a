//! From running totals to counts: what came between one row of a counter and the next.
//!
//! The idea: a turnstile shows how many have gone through it since it was built, so a step's count is the rise since the row one step before. Where that row is absent nobody
//! knows how the rise is spread over the steps between, unless an absent row means that nobody came; a row that is marked missing never means that. Where the total fell, the counter was set back.

use super::Report;
use super::entry::Entry;
use super::mapping::{Absent, Mapping, StepClock};
use std::collections::BTreeMap;

/// Rises are below this where the mapping says nothing: nobody counts so many in a step, but a counter that is set to another number leaps so far.
const MOST: u32 = 10_000_000;

/// So many falls are no resets, where there are more of them than rises: the counter runs backwards.
const FALLS: usize = 3;

/// Makes each total the rise to it; answers whose totals fall mostly. The list is sorted by time.
pub(super) fn to_rises(list: &mut Vec<Entry>, mapping: &Mapping, clock: StepClock, report: &mut Report) -> Vec<u32> {
    let most = mapping.most.unwrap_or(MOST);
    // By sensor: the last total of an earlier step, whether a row since then says that nobody knows, and the first of the newest.
    let mut seen: BTreeMap<u32, (Option<Entry>, bool, Entry)> = BTreeMap::new();
    // By sensor: how often its totals fell and how often they rose.
    let mut turns: BTreeMap<u32, (usize, usize)> = BTreeMap::new();
    list.retain_mut(|entry| {
        let total = *entry;
        let (before, is_lost, newest) = seen.entry(entry.sensor).or_insert((None, false, total));
        if newest.from != total.from {
            *is_lost = newest.persons().is_none();
            if !*is_lost {
                *before = Some(*newest);
            }
            *newest = total;
        }
        let Some(before) = before else { return false };
        let (falls, rises) = turns.entry(entry.sensor).or_default();
        *falls += usize::from(total.fell_since(before));
        *rises += usize::from(before.fell_since(&total));
        let next = before.from.after(mapping.step);
        let are_zeros = mapping.absent == Absent::Zero && !*is_lost && !mapping.lacks(clock, next, total.from);
        let follows = are_zeros || next == total.from;
        *entry = if follows { total.rise_since(before, most) } else { total.unknown() };
        report.set_back += u64::from(follows && total.persons().is_some() && entry.persons().is_none());
        true
    });
    turns.into_iter().filter(|(_, (falls, rises))| *falls >= FALLS && falls > rises).map(|(sensor, _)| sensor).collect()
}

#[cfg(test)]
mod tests;

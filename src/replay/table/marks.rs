//! Steps of which a line may have told that is no row of the table: it stands between the quotes of another.
//!
//! The idea: such a line may be a row that a stray quote swallowed, or a remark. So it says nothing of what was counted, where the table begins and ends or which sensors there are; but
//! where a known sensor has no row for its step, nobody may take that step for one in which nobody came.

use super::entry::Entry;
use super::grid::Grid;
use super::mapping::Repeated;
use crate::time::{EventTime, Span};
use std::collections::BTreeMap;

/// What one sensor may have counted in one step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    pub(super) entry: Entry,
    /// Whether all that is read of its line can be: then it may be a part of a sum.
    pub(super) is_whole: bool,
}

/// Makes the steps unknown of which no row tells; the list is sorted and merged, and stays so.
pub(super) fn apply(list: &mut Vec<Entry>, marks: &[Mark], grid: &Grid, repeated: Repeated) {
    if marks.is_empty() {
        return;
    }
    let mut extents: BTreeMap<u32, (EventTime, EventTime)> = BTreeMap::new();
    for entry in &*list {
        extents.entry(entry.sensor).or_insert((entry.from, entry.from)).1 = entry.from;
    }
    let step = |entry: &Entry| (entry.from, entry.sensor);
    let mut unknown: Vec<Entry> = Vec::new();
    for (mark, is_whole) in marks.iter().flat_map(|mark| steps_of(mark, grid)) {
        if !extents.get(&mark.sensor).is_some_and(|(first, last)| (*first..=*last).contains(&mark.from)) {
            continue;
        }
        let at = list.partition_point(|entry| step(entry) < step(&mark));
        let told: &mut [Entry] = list[at..].chunk_by_mut(|a, b| step(a) == step(b)).next().unwrap_or_default();
        match told.first() {
            Some(first) if step(first) == step(&mark) => {
                // A row tells of it, but not of the other direction, or of all parts.
                let add = |entry: &mut Entry| if repeated == Repeated::Sum { entry.add(&mark) } else { entry.join(&mark) };
                told.iter_mut().filter(|_| is_whole).for_each(add);
            }
            // No row tells of it at all, and which way the line would have been of says nothing of the other.
            _ => unknown.push(mark.unknown_all_ways()),
        }
    }
    unknown.sort_unstable();
    unknown.dedup_by_key(|entry| step(entry));
    list.extend(unknown);
    list.sort_unstable();
}

/// The steps that a mark may mean, of which nobody knows: two in an hour that comes twice, none beside the grid.
fn steps_of<'a>(mark: &'a Mark, grid: &'a Grid) -> impl Iterator<Item = (Entry, bool)> + 'a {
    let Mark { entry, is_whole } = mark;
    let second = entry.later.map(|later| entry.from.after(Span::from_millis(later.get().into())));
    let steps = [Some(entry.from), second].into_iter().flatten().filter_map(|from| grid.place(from));
    steps.map(|from| (entry.unknown().at(from), *is_whole))
}

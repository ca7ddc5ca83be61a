//! Which of the two a row means whose local hour comes twice, where both stand in the table.
//!
//! The idea: in the order in which a place's rows were written, the stamps of such a day run through the hour, leap back and run through it again. Where they leap back
//! the second hour begins; where the rows stand sorted by their stamps they never do, and then each stamp has its rows of the first hour before those of the second.

use super::entry::Entry;
use super::mapping::{Mapping, Repeated};
use crate::time::Span;
use crate::time::stamp::Ambiguous;

/// Doubled hours of one place that lie further apart are of different days.
const DAY: Span = Span::from_mins(24 * 60);

/// Puts the rows of the second hour an hour later; those of the first are there already.
pub(super) fn tell_apart(list: &mut [Entry], mapping: &Mapping) {
    let mut doubled: Vec<usize> = (0..list.len()).filter(|i| list[*i].later.is_some()).collect();
    let is_reverse = mapping.stamps.ambiguous == Ambiguous::Reverse;
    // A table may tell the ways of a place one after the other.
    let series = |i: usize| (list[i].sensor, list[i].told());
    doubled.sort_unstable_by_key(|i| (series(*i), if is_reverse { u32::MAX - list[*i].line } else { list[*i].line }));
    let is_near = |a: usize, b: usize| list[a].from.since(list[b].from).max(list[b].from.since(list[a].from)) < DAY;
    let hours = || doubled.chunk_by(|a, b| series(*a) == series(*b) && is_near(*a, *b));
    // Where one place's stamps leap back, all do, and a stamp that stands again at once with other figures is a leap over rows that are missing. Parts of a whole share theirs.
    let leaps = mapping.repeated == Repeated::Judge && hours().any(|rows| rows.windows(2).any(|pair| list[pair[1]].from < list[pair[0]].from));
    let second: Vec<usize> = hours().flat_map(|rows| second_of(list, rows, mapping.repeated, leaps)).collect();
    for i in second {
        let later = list[i].later.map_or(0, std::num::NonZeroU32::get);
        list[i].from = list[i].from.after(Span::from_millis(later.into()));
    }
    doubled.into_iter().for_each(|i| list[i].later = None);
}

/// Those of a series' rows in one doubled hour, in the order in which they were written, that belong to the second.
fn second_of(list: &[Entry], rows: &[usize], repeated: Repeated, leaps: bool) -> Vec<usize> {
    let find = |is_leap: &dyn Fn(&Entry, &Entry) -> bool| (1..rows.len()).find(|i| is_leap(&list[rows[*i - 1]], &list[rows[*i]]));
    // A row that stands twice is no leap, nor is one that is corrected at once where the stamps leap back elsewhere.
    let leap = find(&|before, after| after.from < before.from).or_else(|| find(&|before, after| leaps && after.contradicts(before)));
    if let Some(leap) = leap {
        return rows[leap..].to_vec();
    }
    let of_the_first = |rows: &[usize]| match repeated {
        Repeated::Judge => 1,
        // As many parts the second time as the first.
        Repeated::Sum => rows.len().div_ceil(2),
    };
    rows.chunk_by(|a, b| list[*a].from == list[*b].from).flat_map(|of_one_stamp| &of_one_stamp[of_the_first(of_one_stamp)..]).copied().collect()
}

#[cfg(test)]
mod tests;

//! Where a table's rows lie in time: on one grid of the step, and not years from one another.
//!
//! The idea: counts cover steps that follow one another, so nearly all rows lie on one grid, and none lies years from the rest. A row that does not was mistyped, or
//! written by a clock that was wrong. Taken as it stands it would cut every other row's step into pieces, or make the replay tick through centuries in which nobody
//! counted; so it is named with its line and left out.

use super::entry::Entry;
use super::faults::{Length, RowFault};
use super::mapping::{Mapping, OffGrid, StepClock};
use super::report::Notes;
use super::{Absent, TableError};
use crate::time::{EventTime, Span};
use chrono::{Offset, TimeZone};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A gap that deserves a look: events that come every year lie that far apart.
const YEAR: Span = Span::from_mins(366 * 24 * 60);
/// A gap that no table of counts has.
const AGE: Span = Span::from_mins(10 * 366 * 24 * 60);
/// Rows beyond such a gap are mistyped where there are so many times as many on this side of it.
const MANY_TIMES: usize = 20;
/// Up to this part of the step a row lies on the grid all the same: a logger's clock is a little off.
const JITTER: i64 = 10;
/// Rows beside the grid are a few that somebody mistyped; a third of all and more, and the step is wrong: rows twice as close as it says leave one half beside it.
const TOO_MANY: usize = 3;
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// So late is a logger at most.
const LATE_MS: i64 = 300_000;
/// Times outside of these years are no times of a count.
const YEARS: (i64, i64) = (-2_208_988_800_000, 7_258_118_400_000); // 1900 to 2199

/// The year about which a time lies at which nobody can have counted anything.
pub(super) fn unbelievable_year(at: EventTime) -> Option<i64> {
    let is_believable = (YEARS.0..YEARS.1).contains(&at.as_millis());
    (!is_believable).then(|| at.as_millis().div_euclid(31_556_952_000).saturating_add(1970))
}

/// The grid of the step on which a table's rows lie.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grid {
    phase: i64,
    step: i64,
    off_grid: OffGrid,
}

impl Grid {
    /// How far behind the grid a time lies, ms.
    const fn beside(&self, at: EventTime) -> i64 {
        (at.as_millis() - self.phase).rem_euclid(self.step)
    }

    /// How far a time lies from the nearest point of the grid, ms.
    const fn off(&self, at: EventTime) -> i64 {
        let behind = self.beside(at);
        if 2 * behind <= self.step { behind } else { self.step - behind }
    }

    /// How many rows lie on this grid, or as little beside it as a clock that is a little off.
    fn holds(&self, list: &[Entry]) -> usize {
        list.iter().filter(|entry| JITTER * self.off(entry.from) <= self.step).count()
    }

    /// Whether most rows lie about no grid, as single passages do: a logger that writes a day's sum is not late by hours.
    fn is_scattered(&self, list: &[Entry]) -> bool {
        2 * list.iter().filter(|entry| self.off(entry.from) <= LATE_MS.min(self.step / JITTER)).count() < list.len()
    }

    /// Where on the grid a row of this time belongs; none where it belongs nowhere.
    pub(super) fn place(&self, at: EventTime) -> Option<EventTime> {
        let (beside, step) = (self.beside(at), self.step);
        let is_down = match self.off_grid {
            OffGrid::Down => true,
            OffGrid::Nearest => 2 * beside < step,
            // A clock that is a little off writes so; what it means is plain.
            OffGrid::Refuse if JITTER * beside <= step => true,
            OffGrid::Refuse if JITTER * (step - beside) <= step => false,
            OffGrid::Refuse => return None,
        };
        Some(EventTime::from_millis(at.as_millis() - beside + if is_down { 0 } else { step }))
    }
}

/// Puts every entry on the grid that most of them lie on, or leaves it out and says so.
pub(super) fn align(path: &Path, list: &mut Vec<Entry>, mapping: &Mapping, clock: StepClock, notes: &mut Notes) -> Result<Grid, TableError> {
    let grid = grid_of(list, mapping, clock);
    notes.is_scattered = grid.is_scattered(list);
    for entry in &mut *list {
        let from = grid.place(entry.from).unwrap_or(entry.from);
        notes.moved += u64::from(from != entry.from);
        entry.from = from;
    }
    let off: Vec<&Entry> = list.iter().filter(|entry| grid.beside(entry.from) != 0).collect();
    let is_another_step = TOO_MANY * off.len() > list.len();
    // With absent rows that mean zero, a row left out would become one; and what lies on no grid for the most part has another step.
    if let (true, Some(first)) = (is_another_step || mapping.absent == Absent::Zero, off.iter().min_by_key(|entry| entry.line)) {
        let lines: BTreeSet<u32> = off.iter().map(|entry| entry.line).collect();
        let why = if is_another_step { "is the step right?" } else { "absent = \"zero\" would make nobody of the row that is left out: mend it, or" };
        return Err(TableError::OffGrid {
            path: path.to_owned(),
            step: mapping.step,
            off: Span::from_millis(grid.off(first.from).unsigned_abs()),
            line: first.line,
            lines: lines.len() as u64,
            rows: notes.rows,
            why,
        });
    }
    notes.beside_grid = leave_out(list, notes, |at| grid.beside(at) != 0, |at| RowFault::BesideGrid { off: Length(grid.off(at)), step: Length(grid.step) });
    Ok(grid)
}

/// Leaves out what lies years from the rest; the list is sorted by time.
pub(super) fn leave_out_the_far(path: &Path, list: &mut Vec<Entry>, notes: &mut Notes) -> Result<(), TableError> {
    let cuts: Vec<usize> = (1..list.len()).filter(|i| list[*i].from.since(list[*i - 1].from) > YEAR).collect();
    if cuts.is_empty() {
        return Ok(());
    }
    let bounds: Vec<usize> = [0].into_iter().chain(cuts).chain([list.len()]).collect();
    let islands: Vec<std::ops::Range<usize>> = bounds.windows(2).map(|pair| pair[0]..pair[1]).collect();
    // The first of the largest: where nothing else decides, what came first does.
    let Some(body) = (0..islands.len()).max_by_key(|i| (islands[*i].len(), std::cmp::Reverse(*i))) else { return Ok(()) };
    let size = islands[body].len();
    let mut far = vec![false; list.len()];
    let (earlier, later) = (islands[..body].iter().rev(), islands[body + 1..].iter());
    for (side, islands) in [earlier.collect::<Vec<_>>(), later.collect()].into_iter().enumerate() {
        let mut edge = if side == 0 { bounds[body] } else { bounds[body + 1] - 1 };
        for island in islands {
            let near = if side == 0 { island.end - 1 } else { island.start };
            let gap = list[edge.max(near)].from.since(list[edge.min(near)].from);
            if island.len() * MANY_TIMES <= size || gap > AGE && island.len() < size {
                far[island.clone()].fill(true);
            } else if gap > AGE {
                let (before, after) = (list[edge.min(near)], list[edge.max(near)]);
                return Err(TableError::TornApart { path: path.to_owned(), years: gap.as_millis() / YEAR.as_millis(), before: before.line, after: after.line });
            } else {
                edge = if side == 0 { island.start } else { island.end - 1 };
            }
        }
    }
    let (first, last) = (list[bounds[body]].from, list[bounds[body + 1] - 1].from);
    let lines: Vec<(u32, EventTime)> = list.iter().zip(&far).filter(|(_, far)| **far).map(|(entry, _)| (entry.line, entry.from)).collect();
    let mut keep = far.iter().map(|far| !far);
    list.retain(|_| keep.next().unwrap_or(true));
    tell(notes, lines, |at| {
        let apart = first.since(at).max(at.since(last)).as_millis() as f64;
        RowFault::FarFromTheRest { years: (apart / YEAR.as_millis() as f64).round() as u64, first, last }
    });
    Ok(())
}

/// The grid on which most rows lie; where none has half of them, that of the clock on the wall, if that is what they lie about.
fn grid_of(list: &[Entry], mapping: &Mapping, clock: StepClock) -> Grid {
    let step = mapping.step.as_millis() as i64;
    let (most, rows) = phase_of_most(list, step);
    let [of_most, of_the_clock] = [most, phase_of_the_clock(list, mapping, clock)].map(|phase| Grid { phase, step, off_grid: mapping.off_grid });
    let is_of_the_clock = match mapping.off_grid {
        _ if 2 * rows >= list.len() => false,
        // Single passages follow no grid. Steps that are no part of an hour begin at midnight, where they follow the clock on the wall.
        OffGrid::Down if clock == StepClock::Wall => (DAY_MS % step == 0 || step % DAY_MS == 0) && of_most.is_scattered(list),
        OffGrid::Down => HOUR_MS % step == 0,
        // The second that chance has written most often says nothing: a clock that jitters writes about the full step.
        OffGrid::Refuse | OffGrid::Nearest => of_the_clock.holds(list) >= of_most.holds(list),
    };
    if is_of_the_clock { of_the_clock } else { of_most }
}

/// The place in the step at which most entries begin, ms, and how many do; of two with as many, the earlier in the step.
fn phase_of_most(list: &[Entry], step: i64) -> (i64, usize) {
    let mut counts: BTreeMap<i64, usize> = BTreeMap::new();
    let mut run = (0, 0);
    for entry in list {
        let phase = entry.from.as_millis().rem_euclid(step);
        if phase == run.0 {
            run.1 += 1;
        } else {
            *counts.entry(run.0).or_default() += run.1;
            run = (phase, 1);
        }
    }
    *counts.entry(run.0).or_default() += run.1;
    counts.into_iter().max_by_key(|(phase, count)| (*count, std::cmp::Reverse(*phase))).unwrap_or_default()
}

/// The place in the step at which it begins by the clock on the wall, whose steps are counted from midnight, ms.
fn phase_of_the_clock(list: &[Entry], mapping: &Mapping, clock: StepClock) -> i64 {
    if clock == StepClock::Wall {
        return 0;
    }
    // One of the middle: the first may be mistyped.
    let middle = list.get(list.len() / 2).map(|entry| entry.from.as_millis());
    let at = middle.and_then(chrono::DateTime::from_timestamp_millis).map(|at| at.naive_utc());
    let offset = mapping.stamps.zone.zip(at).map_or(0, |(zone, at)| i64::from(zone.offset_from_utc_datetime(&at).fix().local_minus_utc()));
    (-1_000 * offset).rem_euclid(mapping.step.as_millis() as i64)
}

/// Answers of how many lines.
fn leave_out(list: &mut Vec<Entry>, notes: &mut Notes, is_out: impl Fn(EventTime) -> bool, fault: impl Fn(EventTime) -> RowFault) -> u64 {
    let lines = list.iter().filter(|entry| is_out(entry.from)).map(|entry| (entry.line, entry.from)).collect();
    list.retain(|entry| !is_out(entry.from));
    tell(notes, lines, fault)
}

/// Names each line once, and answers how many there are.
fn tell(notes: &mut Notes, mut lines: Vec<(u32, EventTime)>, fault: impl Fn(EventTime) -> RowFault) -> u64 {
    lines.sort_unstable();
    lines.dedup_by_key(|(line, _)| *line);
    let count = lines.len() as u64;
    lines.into_iter().for_each(|(line, at)| notes.fault(line, &fault(at)));
    count
}

#[cfg(test)]
mod tests;

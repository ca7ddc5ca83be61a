//! The last thirteen steps of every series, pane by pane, with the count of each step kept ready.
//!
//! The idea: a lag is a window of one step that ends a whole number of steps ago, so at each pane every lag gains one pane and loses one. The ring is
//! time-major: one row of counts over all series per pane. A close then touches fourteen rows, each straight through memory, and no count twice.
//!
//! ```text
//!   age in steps    12        11                 1         0
//!                    ├─ lag 11 ┤  …    …  ├─ lag 1 ┤─ lag 0 ┤◄ newest pane
//!        leaves ◄────┘  crosses over ◄─────────────┘         └◄── enters
//! ```
//!
//! A gap is never a zero: a count is held as persons + 1, and 0 is "not reported". Sums are whole numbers, so the way they were reached leaves no trace.

use super::room::widen;
use crate::time::{EventTime, PaneLength, Span};
use serde::{Deserialize, Serialize};

/// How many steps the models look back.
pub const LAGS: usize = 12;
/// How many steps are held: one more, which is learnt when it is out of every window that looks back.
pub const HELD: usize = LAGS + 1;

/// After so long a step is learnt though windows of long steps reach back further.
const LEARNT_AFTER: Span = Span::from_mins(12 * 60);

/// How many steps before the newest one the step is that is learnt: the oldest that is held, but where steps are long one that has been over for half a day, and never the newest.
pub fn lag_learnt(step: Span) -> usize {
    (LEARNT_AFTER.as_millis() / step.as_millis().max(1)).clamp(1, HELD as u64 - 1) as usize
}

/// The counts of one closed pane, as the state stores them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryPane {
    /// End of the pane.
    pub end: EventTime,
    /// By series: persons + 1; 0 where nothing was reported.
    counts: Vec<u32>,
}

impl HistoryPane {
    /// The counts by series, `None` where nothing was reported.
    pub fn counts(&self) -> impl Iterator<Item = Option<u32>> + '_ {
        self.counts.iter().map(|held| held.checked_sub(1))
    }
}

/// The ring of closed panes, and the sums over each lag.
#[derive(Clone, Debug)]
pub struct History {
    series: usize,
    pane_ms: i64,
    panes_per_step: usize,
    /// Row by row, `HELD × panes_per_step` rows of `series`; the row of a pane is its number modulo the number of rows.
    counts: Vec<u32>,
    /// Which pane each row holds.
    ends: Vec<Option<EventTime>>,
    newest: Option<EventTime>,
    /// Persons by lag and series.
    sums: Vec<u64>,
    /// Panes with a report by lag and series.
    reported: Vec<u32>,
    /// Panes held by lag.
    held: [usize; HELD],
    /// Whether the sums are those of the rows; not so after a restored row.
    settled: bool,
}

impl History {
    /// An empty history of so many series.
    pub fn new(series: usize, pane: PaneLength, step: Span) -> Self {
        let panes_per_step = usize::try_from(step.as_millis() / pane.span().as_millis()).unwrap_or(usize::MAX).max(1);
        let rows = HELD * panes_per_step;
        Self {
            series,
            pane_ms: i64::try_from(pane.span().as_millis()).unwrap_or(i64::MAX),
            panes_per_step,
            counts: vec![0; rows * series],
            ends: vec![None; rows],
            newest: None,
            sums: vec![0; HELD * series],
            reported: vec![0; HELD * series],
            held: [0; HELD],
            settled: true,
        }
    }

    /// End of the newest pane; `None` before the first.
    pub const fn newest(&self) -> Option<EventTime> {
        self.newest
    }

    /// The ends of the panes that are held, in no order.
    pub fn ends(&self) -> impl Iterator<Item = EventTime> + '_ {
        self.ends.iter().flatten().copied()
    }

    /// Panes in a step.
    pub const fn panes_per_step(&self) -> usize {
        self.panes_per_step
    }

    /// Takes the pane ending at `end`: the count of each series, `None` where none of its sensors reported. A pane that is not newer than the newest is ignored.
    /// Panes that were skipped count as not held. Returns the panes that have left the ring, oldest first.
    pub fn push(&mut self, end: EventTime, counts: &[Option<u32>]) -> Vec<EventTime> {
        let left = self.advance(end);
        if self.newest == Some(end) && self.row_of(end).is_none() {
            self.write(end, counts);
        }
        left
    }

    /// Lets time pass to `end` without a pane that is held. Returns the panes that have left the ring, oldest first.
    pub fn advance(&mut self, end: EventTime) -> Vec<EventTime> {
        self.settle();
        let mut left = Vec::new();
        if self.newest.is_some_and(|newest| end <= newest) {
            return left;
        }
        let mut at = self.first_new_end(end, &mut left);
        while at <= end {
            left.extend(self.shift(at));
            self.newest = Some(at);
            at = self.moved(at, 1);
        }
        left
    }

    /// The ends of the panes that were skipped between the newest and `end`, as many as the ring is long at most: nothing is held of what came before those.
    pub fn skipped(&self, end: EventTime) -> Vec<EventTime> {
        let Some(newest) = self.newest else {
            return Vec::new();
        };
        let panes = i64::try_from((HELD + 1) * self.panes_per_step).unwrap_or(i64::MAX);
        (1..=panes).map(|pane| self.moved(newest, pane)).take_while(|at| *at < end).collect()
    }

    /// Corrects one count by `delta` persons, not below none. Returns whether the pane is still held.
    pub fn revise(&mut self, end: EventTime, series: usize, delta: i64) -> bool {
        self.settle();
        let (Some(row), Some(age)) = (self.row_of(end), self.age(end)) else {
            return false;
        };
        if series >= self.series {
            return false;
        }
        let lag = (age / self.panes_per_step) * self.series + series;
        let cell = &mut self.counts[row * self.series + series];
        let before = u64::from(cell.saturating_sub(1));
        let after = before.saturating_add_signed(delta).min(u64::from(u32::MAX) - 1);
        self.reported[lag] += u32::from(*cell == 0);
        self.sums[lag] = self.sums[lag] - before + after;
        *cell = u32::try_from(after).unwrap_or(u32::MAX - 1) + 1;
        true
    }

    /// The count of `series` in the step that ended `lag` steps before the end of the newest pane. `None` when none of its panes was reported, or when the
    /// history does not reach back over the whole of it: part of a step is not the count of a step.
    pub fn lag(&self, lag: usize, series: usize) -> Option<u64> {
        if self.held.get(lag) != Some(&self.panes_per_step) {
            return None;
        }
        let at = lag * self.series + series;
        (self.reported[at] > 0).then(|| self.sums[at])
    }

    /// What the state stores of the pane ending at `end`; `None` when it is not held.
    pub fn pane(&self, end: EventTime) -> Option<HistoryPane> {
        let row = self.row_of(end)?;
        Some(HistoryPane { end, counts: self.row(row).to_vec() })
    }

    /// Puts a stored pane back, in any order with the others; [`History::settle`] makes the sums good. Returns `false` when it is of more series.
    pub fn restore(&mut self, mut pane: HistoryPane) -> bool {
        if !widen(&mut pane.counts, self.series, 0) {
            return false;
        }
        let row = self.row_index(pane.end);
        if self.ends[row].is_some_and(|end| end >= pane.end) {
            return true;
        }
        self.ends[row] = Some(pane.end);
        self.counts[row * self.series..][..self.series].copy_from_slice(&pane.counts);
        self.newest = self.newest.max(Some(pane.end));
        self.settled = false;
        true
    }

    /// Makes the sums those of the rows, after rows were put back.
    pub fn settle(&mut self) {
        if self.settled {
            return;
        }
        self.sums.fill(0);
        self.reported.fill(0);
        self.held = [0; HELD];
        for row in 0..self.ends.len() {
            let Some(age) = self.ends[row].and_then(|end| self.age(end)) else {
                self.ends[row] = None;
                continue;
            };
            self.enter(age / self.panes_per_step, row);
        }
        self.settled = true;
    }

    /// Moves every lag on by one pane, to end at `end`; the row of `end` is empty then. Returns the pane that left.
    fn shift(&mut self, end: EventTime) -> Option<EventTime> {
        for steps in 1..=HELD {
            let Some(row) = self.row_of(self.moved(end, -i64::try_from(steps * self.panes_per_step).unwrap_or(i64::MAX))) else {
                continue;
            };
            self.leave(steps - 1, row);
            if steps < HELD {
                self.enter(steps, row);
            }
        }
        let row = self.row_index(end);
        self.ends[row].take()
    }

    fn write(&mut self, end: EventTime, counts: &[Option<u32>]) {
        let row = self.row_index(end);
        let cells = &mut self.counts[row * self.series..][..self.series];
        cells.fill(0);
        for (cell, count) in cells.iter_mut().zip(counts) {
            *cell = count.map_or(0, |persons| persons.saturating_add(1));
        }
        self.ends[row] = Some(end);
        self.enter(0, row);
    }

    fn enter(&mut self, lag: usize, row: usize) {
        self.held[lag] += 1;
        let cells = &self.counts[row * self.series..][..self.series];
        let sums = &mut self.sums[lag * self.series..][..self.series];
        let reported = &mut self.reported[lag * self.series..][..self.series];
        for ((sum, reports), cell) in sums.iter_mut().zip(reported).zip(cells) {
            *sum += u64::from(cell.saturating_sub(1));
            *reports += u32::from(*cell > 0);
        }
    }

    fn leave(&mut self, lag: usize, row: usize) {
        self.held[lag] -= 1;
        let cells = &self.counts[row * self.series..][..self.series];
        let sums = &mut self.sums[lag * self.series..][..self.series];
        let reported = &mut self.reported[lag * self.series..][..self.series];
        for ((sum, reports), cell) in sums.iter_mut().zip(reported).zip(cells) {
            *sum -= u64::from(cell.saturating_sub(1));
            *reports -= u32::from(*cell > 0);
        }
    }

    /// The first pane to be shifted in on the way to `end`. After a silence longer than the ring nothing of it is left, and it starts anew.
    fn first_new_end(&mut self, end: EventTime, left: &mut Vec<EventTime>) -> EventTime {
        let Some(newest) = self.newest else {
            return end;
        };
        let skipped = (end.as_millis() - newest.as_millis()) / self.pane_ms;
        if skipped < i64::try_from(self.ends.len()).unwrap_or(i64::MAX) {
            return self.moved(newest, 1);
        }
        left.extend(self.ends.iter_mut().filter_map(Option::take));
        left.sort_unstable();
        self.settled = false;
        self.settle();
        end
    }

    /// The row which holds the pane ending at `end`, where one does.
    fn row_of(&self, end: EventTime) -> Option<usize> {
        let row = self.row_index(end);
        (self.ends[row] == Some(end)).then_some(row)
    }

    fn row_index(&self, end: EventTime) -> usize {
        let rows = i64::try_from(self.ends.len()).unwrap_or(i64::MAX);
        usize::try_from((end.as_millis().div_euclid(self.pane_ms)).rem_euclid(rows)).unwrap_or(0)
    }

    fn row(&self, row: usize) -> &[u32] {
        &self.counts[row * self.series..][..self.series]
    }

    /// How many panes `end` lies before the newest; `None` beyond the ring.
    fn age(&self, end: EventTime) -> Option<usize> {
        let age = usize::try_from((self.newest?.as_millis() - end.as_millis()) / self.pane_ms).ok()?;
        (age < self.ends.len()).then_some(age)
    }

    fn moved(&self, end: EventTime, panes: i64) -> EventTime {
        EventTime::from_millis(end.as_millis().saturating_add(panes.saturating_mul(self.pane_ms)))
    }
}

#[cfg(test)]
#[path = "history_tests.rs"]
mod tests;

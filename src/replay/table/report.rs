//! What was found while reading, and what is remembered until it is.
//!
//! The idea: a report is what the owner of a table is told, and nothing in it is of use to the reader; what the reader needs to come to it is in its notes.

use super::day_month::DayMonth;
use super::faults::{FaultKind, RowFault, RowFaults};
use serde::Serialize;

/// What was found while reading.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The table's file.
    pub file: String,
    /// Rows read.
    pub rows: u64,
    /// Rows with a fault; what of them could be read counts, and the rest is a gap.
    pub faulty: u64,
    /// Rows that were left out because their time lies beside the grid of the step.
    pub beside_grid: u64,
    /// The first faults, as `file:line: what`.
    pub faults: Vec<String>,
    /// Their kinds, in the order of the first of each.
    pub kinds: Vec<FaultKind>,
    /// Figures that were read, a sensor's of a step each.
    pub counts: u64,
    /// Steps of a sensor that a row marks as missing, or of which it has no figure: gaps.
    pub missing: u64,
    /// Steps of a sensor of which one figure is known and another is not: a gap of that one alone.
    pub halves: u64,
    /// Rows that end before all cells are told that the mapping reads; what they lack is a gap.
    pub short: u64,
    /// Running totals that fell, or rose by more than anybody believes: gaps too.
    pub set_back: u64,
    /// Sensors whose totals mostly fall.
    pub backwards: Vec<String>,
    /// Rows that tell a step of a sensor anew, with other figures.
    pub contradicting: u64,
    /// Rows that tell a step of a sensor anew, with the same figures: the step counts once.
    pub repeating: u64,
    /// The lines of the first row that contradicts, and of the one that it contradicts.
    pub first_contradicting: Option<(u32, u32)>,
    /// Those of them that lie in a local hour that comes twice.
    pub in_doubled_hours: u64,
    /// Figures that were moved to the grid of the step, as the mapping says.
    pub moved: u64,
    /// Sensors of which no row has a figure; they are left out.
    pub mute: Vec<String>,
    /// Ways of other sensors of which no row has one, as `sensor: way`; they are left out too.
    pub mute_ways: Vec<String>,
    /// What the figures look like, and what the mapping may have meant instead.
    pub doubts: Vec<String>,
}

/// What is noted while rows are read.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// The table's file.
    pub(super) file: String,
    /// Rows read.
    pub(super) rows: u64,
    /// What is wrong with them.
    pub(super) faults: RowFaults,
    /// Rows that were left out because their time lies beside the grid of the step.
    pub(super) beside_grid: u64,
    /// Figures that were moved to the grid.
    pub(super) moved: u64,
    /// Most figures lay about no grid: single passages do.
    pub(super) is_scattered: bool,
    /// Rows that end before all cells are told that the mapping reads.
    pub(super) short: u64,
    /// The line of the first of them.
    pub(super) first_short: Option<u32>,
    /// The line of the first row that has fewer cells than any before it, though all that are read.
    pub(super) first_narrow: Option<u32>,
    /// Running totals that fell, or rose by more than anybody believes.
    pub(super) set_back: u64,
    /// Sensors whose totals mostly fall.
    pub(super) backwards: Vec<String>,
    /// Sensors of which no row has a figure.
    pub(super) mute: Vec<String>,
    /// Whether day and month could be taken for one another.
    pub(super) day_month: DayMonth,
}

impl Notes {
    /// Before the first row of a file.
    pub(super) fn of(file: String) -> Self {
        Self { faults: RowFaults::of(file.clone()), file, ..Self::default() }
    }

    pub(super) fn fault(&mut self, line: u32, fault: &RowFault) {
        self.faults.note(line, fault);
    }

    /// Why a second reading by another clock may do better: faults, and figures that had to be moved.
    pub(super) const fn trouble(&self) -> u64 {
        self.faults.count + self.moved
    }

    /// What is to be told of them; the figures are summed up elsewhere.
    pub(super) fn into_report(self) -> Report {
        Report {
            file: self.file,
            rows: self.rows,
            faulty: self.faults.count,
            faults: self.faults.named.clone(),
            kinds: self.faults.into_kinds(),
            beside_grid: self.beside_grid,
            moved: self.moved,
            short: self.short,
            set_back: self.set_back,
            backwards: self.backwards,
            mute: self.mute,
            ..Report::default()
        }
    }
}

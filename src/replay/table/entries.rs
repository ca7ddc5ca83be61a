//! The table's figures in event-time order: what each sensor counted in each step, and where somebody noted that nobody knows.
//!
//! The idea: a row's place in the file means nothing, so every row becomes a few small numbers, and they are sorted. A figure that is missing or faulty
//! stays as a mark: it is a gap, which an absent row may not be (`absent = "zero"`).

use super::entry::Entry;
use super::file::Rows;
use super::grid;
use super::mapping::{Layout, Mapping, Repeated, StepClock};
use super::marks::{self, Mark};
use super::plan::Plan;
use super::quotes::Reads;
use super::reading::{Reading, Rest};
use super::report::Notes;
use super::{TableError, doubled, totals};
use crate::time::stamp::Format;
use indexmap::IndexSet;
use std::collections::BTreeSet;
use std::path::Path;

/// The figures of a table.
#[derive(Debug, Default)]
pub(super) struct Entries {
    /// The sensors' ids: in the order of the columns of a wide table, by name for a long one.
    pub(super) sensors: Vec<String>,
    /// By time, then sensor.
    pub(super) list: Vec<Entry>,
    /// Whether any time is one of the clock on the wall, which shows an hour twice a year.
    pub(super) by_wall: bool,
}

/// Reads all rows; what is wrong with one is noted, and the rest goes on.
pub(super) fn read(path: &Path, mapping: &Mapping, clock: StepClock, notes: &mut Notes) -> Result<Entries, TableError> {
    let rows = Rows::open(path, &mapping.file)?;
    let plan = Plan::of(path, rows.columns(), mapping)?;
    let mut stamps = mapping.stamps.clone();
    if plan.only_time().is_some_and(|column| rows.is_of_stamps(column)) {
        stamps.format = Format::Iso;
    }
    let (plan, stamps) = (&plan, &stamps);
    let mut reading = Reading::new(mapping, stamps, clock, rows.columns().to_vec(), plan, notes);
    let reads = Reads { last: plan.last(), looks: &|cells| plan.looks(cells, mapping, stamps) };
    rows.each(path, &reads, |line, cells| reading.row(line, &cells))?;
    let Rest { sensors, mut list, mut marks, moved, by_wall } = reading.finish().map_err(|alike| TableError::malformed(path, alike))?;
    // Single passages tell by their own times that the hour begins anew; counts, by the steps that they stand for.
    if mapping.repeated == Repeated::Sum {
        doubled::tell_apart(&mut list, mapping);
    }
    let grid = grid::align(path, &mut list, mapping, clock, notes)?;
    if mapping.repeated == Repeated::Judge {
        doubled::tell_apart(&mut list, mapping);
    }
    let order = in_order(&sensors, &mut list, &mut marks, matches!(mapping.layout, Layout::Long { .. }));
    yield_to_the_real(&mut list, &moved);
    grid::leave_out_the_far(path, &mut list, notes)?;
    merge(&mut list, mapping.repeated);
    marks::apply(&mut list, &marks, &grid, mapping.repeated);
    let sensors: Vec<String> = order.into_iter().map(|old| sensors[old].clone()).collect();
    if mapping.totals {
        notes.backwards = totals::to_rises(&mut list, mapping, clock, notes).into_iter().map(|sensor| sensors[sensor as usize].clone()).collect();
    }
    Ok(Entries { by_wall, ..without_the_mute(sensors, list, notes) })
}

/// Sorts by time, then sensor; answers where each sensor was in the order of the file.
fn in_order(sensors: &IndexSet<String>, list: &mut [Entry], marks: &mut [Mark], sort_by_name: bool) -> Vec<usize> {
    let mut order: Vec<usize> = (0..sensors.len()).collect();
    if sort_by_name {
        // The order of the rows must not show: a table turned round is the same table.
        order.sort_by(|a, b| sensors[*a].cmp(&sensors[*b]));
    }
    let mut place = vec![0_u32; order.len()];
    for (new, old) in order.iter().enumerate() {
        place[*old] = new as u32;
    }
    for entry in list.iter_mut().chain(marks.iter_mut().map(|mark| &mut mark.entry)) {
        entry.sensor = place[entry.sensor as usize];
    }
    list.sort_unstable();
    order
}

/// Puts the rows of an hour that never was behind those of the hour that they were put into: of two that contradict each other the first counts.
fn yield_to_the_real(list: &mut [Entry], moved: &BTreeSet<u32>) {
    if !moved.is_empty() {
        list.sort_by_key(|entry| (entry.from, entry.sensor, moved.contains(&entry.line)));
    }
}

/// Makes one entry of what several rows tell of a sensor's step. What is told twice stays, each with what the first tells beside it: the engine judges whole steps.
fn merge(list: &mut Vec<Entry>, repeated: Repeated) {
    let (mut first, mut kept) = (0, 0);
    for next in 0..list.len() {
        let entry = list[next];
        if kept == 0 || !list[first].is_beside(&entry) {
            first = kept;
        }
        let taken = match repeated {
            Repeated::Sum => list[first..kept].first_mut().map(|whole| whole.add(&entry)).is_some(),
            Repeated::Judge => list[first..kept].iter_mut().any(|known| known.takes(&entry)),
        };
        if !taken {
            list[kept] = entry;
            kept += 1;
        }
    }
    list.truncate(kept);
    for of_one_step in list.chunk_by_mut(Entry::is_beside) {
        if let [whole, again @ ..] = of_one_step {
            again.iter_mut().for_each(|entry| entry.join(whole));
        }
    }
}

/// Leaves out the sensors of which no row has a figure, and says so: a column of texts is no place.
fn without_the_mute(sensors: Vec<String>, mut list: Vec<Entry>, notes: &mut Notes) -> Entries {
    let mut speaks = vec![false; sensors.len()];
    for entry in &list {
        speaks[entry.sensor as usize] |= entry.knows();
    }
    let place: Vec<u32> = speaks.iter().scan(0, |next, speaks| Some(std::mem::replace(next, *next + u32::from(*speaks)))).collect();
    if speaks.contains(&false) {
        list.retain(|entry| speaks[entry.sensor as usize]);
        list.iter_mut().for_each(|entry| entry.sensor = place[entry.sensor as usize]);
    }
    let (sensors, mute): (Vec<_>, Vec<_>) = sensors.into_iter().zip(speaks).partition(|(_, speaks)| *speaks);
    notes.mute = mute.into_iter().map(|(id, _)| id).collect();
    Entries { sensors: sensors.into_iter().map(|(id, _)| id).collect(), list, by_wall: false }
}

#[cfg(test)]
mod tests;

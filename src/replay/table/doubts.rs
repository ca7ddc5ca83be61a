//! What a mapping may have got wrong although every row can be read: figures that look like something else.
//!
//! The idea: a step that is too short, or a running total taken for a count, makes every figure wrong and no row faulty. Both show in the figures, so they are said;
//! nothing is changed, for only the owner of a table knows.

use super::Report;
use super::entries::Entries;
use super::mapping::{Absent, Mapping};
use crate::time::{EventTime, Span};
use std::collections::BTreeMap;

/// Pairs of rows that are enough to say something.
const ENOUGH: u64 = 24;
/// One row in so many with a fault is too many for faults of single rows.
const MANY_FAULTY: u64 = 4;
/// A count falls about as often as it rises; a running total hardly ever.
const RISES_A_FALL: u64 = 20;

/// What was seen of one sensor.
#[derive(Clone, Copy, Default)]
struct Seen {
    last: Option<(EventTime, [Option<u32>; 3])>,
    rises: u64,
    falls: u64,
}

/// What is doubtful, a sentence each, where `report` tells what came of reading the table.
pub(super) fn of(entries: &Entries, mapping: &Mapping, report: &Report) -> Vec<String> {
    let mut of_sensors = vec![Seen::default(); entries.sensors.len()];
    let mut apart: BTreeMap<u64, u64> = BTreeMap::new();
    for entry in &entries.list {
        let (seen, persons) = (&mut of_sensors[entry.sensor as usize], entry.persons().unwrap_or_default());
        if let Some((before, was)) = seen.last {
            let gap = entry.from.since(before).as_millis();
            if gap > 0 {
                *apart.entry(gap).or_default() += 1;
            }
            let told = was.iter().zip(&persons).filter_map(|(was, is)| was.zip(*is)).next();
            seen.rises += u64::from(told.is_some_and(|(was, is)| is > was));
            seen.falls += u64::from(told.is_some_and(|(was, is)| is < was));
        }
        seen.last = Some((entry.from, persons));
    }
    let mut doubts = Vec::new();
    let Report { rows, faulty, beside_grid, .. } = report;
    if *faulty >= ENOUGH && MANY_FAULTY * faulty > *rows {
        let guess = if 2 * beside_grid > *faulty {
            format!(
                "Of {beside_grid} of them the time lies beside the grid of the step, {}: is the step right? time.off_grid says where such a row belongs",
                mapping.step
            )
        } else {
            "Day and month taken for one another leave three rows in five, on wrong days".to_owned()
        };
        doubts.push(format!("{faulty} of {rows} rows have a fault: is the mapping right? {guess}"));
    }
    if entries.sensors.contains(&mapping.venue) {
        let venue = &mapping.venue;
        doubts.push(format!(
            "a place is called {venue} as the venue is, and a finding of one looks like one of the other: call the mapping's `venue` something else"
        ));
    }
    if let Some(first) = report.first_short {
        let rows = if report.short > 1 { format!("{} rows have", report.short) } else { "a row has".to_owned() };
        doubts.push(format!(
            "{rows} fewer cells than the mapping reads, the first in line {first}: what they lack is a gap. Does the table leave out empty cells at the end?"
        ));
    }
    if let Some(line) = report.first_narrow {
        doubts.push(format!(
            "the row of line {line} has fewer cells than any before it: does the table leave out empty cells at the end, or does one lack within, and all behind it stand in the wrong column?"
        ));
    }
    let all: u64 = apart.values().sum();
    let (gap, count) = apart.into_iter().max_by_key(|(_, count)| *count).unwrap_or_default();
    if mapping.absent == Absent::Gap && all >= ENOUGH && 2 * count > all && gap > mapping.step.as_millis() {
        let (gap, step) = (Span::from_millis(gap), mapping.step);
        doubts.push(format!("most rows of a place lie {gap} apart, and the mapping's step is {step}: all between is a gap. Is the step right?"));
    }
    doubts.extend(backwards(&report.backwards));
    let is_total = |seen: &Seen| seen.rises >= ENOUGH && seen.falls * RISES_A_FALL <= seen.rises;
    let totals: Vec<&str> = of_sensors.iter().zip(&entries.sensors).filter(|(seen, _)| is_total(seen)).map(|(_, id)| id.as_str()).collect();
    if let Some(whose) = named(&totals).filter(|_| !mapping.totals) {
        doubts.push(format!("the figures of {whose} hardly ever fall: running totals? totals = true counts their rise"));
    }
    doubts
}

/// What is said of sensors whose totals mostly fall.
pub(super) fn backwards(sensors: &[String]) -> Option<String> {
    let whose = named(&sensors.iter().map(String::as_str).collect::<Vec<_>>())?;
    Some(format!(
        "the totals of {whose} mostly fall, and only a rise is counted: is it a counter that runs backwards (subtract its totals from a great number), or are these no totals?"
    ))
}

/// The first of some sensors, and how many there are besides.
fn named(sensors: &[&str]) -> Option<String> {
    let more = if sensors.len() > 1 { format!(" and {} more", sensors.len() - 1) } else { String::new() };
    sensors.first().map(|first| format!("{first}{more}"))
}

//! What a mapping may have got wrong although every row can be read: figures that look like something else.
//!
//! The idea: a step that is too short, or a running total taken for a count, makes every figure wrong and no row faulty. Both show in the figures, so they are said;
//! nothing is changed, for only the owner of a table knows.

mod stuck;

use super::Report;
use super::entries::Entries;
use super::mapping::{Absent, Mapping};
use crate::time::{EventTime, Span};
use std::collections::BTreeMap;
use stuck::Repeats;

/// Pairs of rows that are enough to say something.
const ENOUGH: u64 = 24;
/// One row in so many with a fault is too many for faults of single rows.
const MANY_FAULTY: u64 = 4;
/// Of steps that are too short for the rows, where an absent row means nobody, the rows still lie on a grid of their own: all but one gap in so many.
const OFF_GRID: u64 = 20;
/// So many of a sensor's figures, at most and one in so many, are held against the next highest: so many times that is what nobody has ever seen.
const LONE: (usize, u64, u32) = (8, 200, 20);
/// A count falls about as often as it rises; a running total hardly ever.
const RISES_A_FALL: u64 = 20;

/// What was seen of one sensor.
#[derive(Clone, Default)]
struct Seen {
    last: Option<(EventTime, [Option<u32>; 3])>,
    rises: u64,
    falls: u64,
    figures: u64,
    /// Its highest figures and the lines they stand in, the highest first.
    highest: Vec<(u32, u32)>,
    /// By way: in, out, undirected.
    repeats: [Repeats; 3],
}

impl Seen {
    fn count(&mut self, figure: u32, line: u32) {
        self.figures += 1;
        if self.highest.last().is_none_or(|(least, _)| figure > *least) || self.highest.len() <= LONE.0 {
            let place = self.highest.partition_point(|(higher, _)| *higher >= figure);
            self.highest.insert(place, (figure, line));
            self.highest.truncate(LONE.0 + 1);
        }
    }

    /// The figures that stand alone far above all others, the highest first, and the next one.
    fn alone(&self) -> Option<(&[(u32, u32)], u32)> {
        let few = (self.figures / LONE.1).max(1) as usize;
        let far = |place: &usize| self.highest[*place - 1].0 > self.highest[*place].0.saturating_mul(LONE.2).max(100);
        let place = (1..self.highest.len()).take(few).find(far)?;
        Some((&self.highest[..place], self.highest[place].0))
    }
}

/// What is doubtful, a sentence each, where `report` tells what came of reading the table.
pub(super) fn of(entries: &Entries, mapping: &Mapping, report: &Report) -> Vec<String> {
    let mut of_sensors = vec![Seen::default(); entries.sensors.len()];
    let mut apart: BTreeMap<u64, u64> = BTreeMap::new();
    for entry in &entries.list {
        let (seen, persons) = (&mut of_sensors[entry.sensor as usize], entry.known());
        if let Some((before, was)) = seen.last {
            let gap = entry.from.since(before).as_millis();
            if gap > 0 {
                *apart.entry(gap).or_default() += 1;
            }
            let told = was.iter().zip(&persons).filter_map(|(was, is)| was.zip(*is)).next();
            seen.rises += u64::from(told.is_some_and(|(was, is)| is > was));
            seen.falls += u64::from(told.is_some_and(|(was, is)| is < was));
        }
        for (way, figure) in persons.iter().enumerate() {
            let Some(figure) = *figure else { continue };
            seen.count(figure, entry.line);
            seen.repeats[way].take(entry, figure, mapping.step);
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
    let (gap, count) = apart.iter().map(|(gap, count)| (*gap, *count)).max_by_key(|(_, count)| *count).unwrap_or_default();
    let beside: u64 = apart.iter().filter(|(apart, _)| *apart % gap.max(1) != 0).map(|(_, count)| count).sum();
    let is_zero = mapping.absent == Absent::Zero;
    if all >= ENOUGH && 2 * count > all && gap > mapping.step.as_millis() && !(is_zero && OFF_GRID * beside > all) {
        let (gap, step, meaning) = (Span::from_millis(gap), mapping.step, if is_zero { "is taken for nobody" } else { "is a gap" });
        doubts.push(format!("most rows of a place lie {gap} apart, and the mapping's step is {step}: all between {meaning}. Is the step right?"));
    }
    doubts.extend(alone(&of_sensors, entries, report).filter(|_| !mapping.totals));
    doubts.extend(stuck(&of_sensors, entries, report));
    doubts.extend(backwards(&report.backwards));
    let is_total = |seen: &Seen| seen.rises >= ENOUGH && seen.falls * RISES_A_FALL <= seen.rises;
    let totals: Vec<&str> = of_sensors.iter().zip(&entries.sensors).filter(|(seen, _)| is_total(seen)).map(|(_, id)| id.as_str()).collect();
    if let Some(whose) = named(&totals).filter(|_| !mapping.totals) {
        doubts.push(format!("the figures of {whose} hardly ever fall: running totals? totals = true counts their rise"));
    }
    doubts
}

/// What is said of figures that stand alone far above all others of their place.
fn alone(of_sensors: &[Seen], entries: &Entries, report: &Report) -> Option<String> {
    let mut places = of_sensors.iter().zip(&entries.sensors).filter_map(|(seen, id)| Some((seen.alone()?, id)));
    let ((figures, next), id) = places.next()?;
    let (figure, line) = figures[0];
    let more = figures.len() - 1 + places.map(|((figures, _), _)| figures.len()).sum::<usize>();
    let more = if more > 0 { format!(" (and {more} more like it)") } else { String::new() };
    Some(format!(
        "{}:{line}: {figure} of {id} stands alone, the next highest there is {next}{more}: was it a crowd, or is it a mistake? `most` says what a step can have at most",
        report.file
    ))
}

/// What is said of counters that stick at one figure.
fn stuck(of_sensors: &[Seen], entries: &Entries, report: &Report) -> Option<String> {
    let of_sensor = |(seen, id): (&Seen, _)| Some((seen.repeats.iter().filter_map(Repeats::stuck).max_by_key(|run| run.steps)?, id));
    let places: Vec<(stuck::Run, &String)> = of_sensors.iter().zip(&entries.sensors).filter_map(of_sensor).collect();
    let (stuck::Run { figure, line, steps }, id) = *places.first()?;
    let more = if places.len() > 1 { format!(" (and {} more places like it)", places.len() - 1) } else { String::new() };
    Some(format!(
        "{}:{line}: {figure} of {id} stands there for {steps} steps in a row{more}: does the counter stick? With a missing marker in their place they are a gap",
        report.file
    ))
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

#[cfg(test)]
mod tests;

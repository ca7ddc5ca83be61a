//! What a mapping may have got wrong although every row can be read: figures that look like something else.
//!
//! The idea: a step that is too short, or a running total taken for a count, makes every figure wrong and no row faulty. Both show in the figures, so they are said;
//! nothing is changed, for only the owner of a table knows.

mod columns;
mod seen;
mod stuck;

use super::day_month;
use super::entries::Entries;
use super::faults::Kind;
use super::mapping::{Absent, Layout, Mapping};
use super::report::Notes;
use seen::{OfTable, Seen};
use stuck::Repeats;

/// Pairs of rows that are enough to say something.
const ENOUGH: u64 = 24;
/// One row in so many with a fault is too many for faults of single rows.
const MANY_FAULTY: u64 = 4;
/// Of steps that are too short for the rows, where an absent row means nobody, the rows still lie on a grid of their own: all but one gap in so many.
const OFF_GRID: u64 = 20;
/// A count falls about as often as it rises; a running total hardly ever.
const RISES_A_FALL: u64 = 20;

/// What is doubtful, a sentence each, where `notes` tell what came of reading the table.
pub(super) fn of(entries: &Entries, mapping: &Mapping, notes: &Notes) -> Vec<String> {
    let seen = OfTable::of(entries.sensors.len(), &entries.list, mapping.step);
    let doubts = [
        faulty(mapping, notes),
        called_like_the_venue(entries, mapping),
        short(notes),
        narrow(notes),
        too_short_a_step(&seen, mapping),
        alone(&seen.sensors, entries, notes).filter(|_| !mapping.totals),
        stuck(&seen.sensors, entries, notes),
        backwards(&notes.backwards),
        totals(&seen.sensors, entries).filter(|_| !mapping.totals),
        utc_by_pattern(mapping),
        notes.day_month.doubt(),
        columns::that_are_no_places(&entries.sensors, mapping),
    ];
    doubts.into_iter().flatten().collect()
}

/// What is said where too many rows have a fault for faults of single rows.
fn faulty(mapping: &Mapping, notes: &Notes) -> Option<String> {
    let (rows, faulty) = (notes.rows, notes.faults.count);
    if faulty < ENOUGH || MANY_FAULTY * faulty <= rows {
        return None;
    }
    let kind = notes.faults.commonest().filter(|kind| 2 * notes.faults.count_of(*kind) > faulty);
    let guess = match kind {
        Some(Kind::BesideGrid) => format!(
            " Of {} of them the time lies beside the grid of the step, {}: is the step right? time.off_grid says where such a row belongs",
            notes.beside_grid, mapping.step
        ),
        Some(Kind::Written) if day_month::swapped(&mapping.stamps.format).is_some() => {
            " Day and month taken for one another leave three rows in five, on wrong days".to_owned()
        }
        Some(Kind::Written | Kind::Year | Kind::NeverWas) => " Does [time] say how the times are written, and where the clock hangs?".to_owned(),
        Some(Kind::Direction) => " Do long.in_is and long.out_is hold all words for in and out, letter by letter?".to_owned(),
        Some(Kind::NoNumber) => match mapping.layout {
            Layout::Wide { .. } => " Is the column that they name one of counts? wide.except leaves out what is no place".to_owned(),
            Layout::Long { .. } => " Is the column that they name the one of the counts?".to_owned(),
        },
        Some(Kind::AboveMost) => " Is `most` what a step can have, and not a day?".to_owned(),
        _ => String::new(),
    };
    Some(format!("{faulty} of {rows} rows have a fault: is the mapping right?{guess}"))
}

fn called_like_the_venue(entries: &Entries, mapping: &Mapping) -> Option<String> {
    let venue = &mapping.venue;
    let what =
        format!("a place is called {venue} as the venue is, and a finding of one looks like one of the other: call the mapping's `venue` something else");
    entries.sensors.contains(venue).then_some(what)
}

/// What is said of rows that end before all cells are told that the mapping reads.
fn short(notes: &Notes) -> Option<String> {
    let rows = if notes.short > 1 { format!("{} rows have", notes.short) } else { "a row has".to_owned() };
    notes.first_short.map(|first| {
        format!(
            "{rows} fewer cells than the mapping reads, the first in line {first}: what they lack is a gap. Does the table leave out empty cells at the end?"
        )
    })
}

fn narrow(notes: &Notes) -> Option<String> {
    notes.first_narrow.map(|line| {
        format!(
            "the row of line {line} has fewer cells than any before it: does the table leave out empty cells at the end, or does one lack within, and all behind it stand in the wrong column?"
        )
    })
}

fn too_short_a_step(seen: &OfTable, mapping: &Mapping) -> Option<String> {
    let (all, step, (gap, count)) = (seen.pairs(), mapping.step, seen.usual_gap());
    let is_zero = mapping.absent == Absent::Zero;
    let is_so = all >= ENOUGH && 2 * count > all && gap > step && !(is_zero && OFF_GRID * seen.beside(gap) > all);
    let meaning = if is_zero { "is taken for nobody" } else { "is a gap" };
    is_so.then(|| format!("most rows of a place lie {gap} apart, and the mapping's step is {step}: all between {meaning}. Is the step right?"))
}

fn totals(of_sensors: &[Seen], entries: &Entries) -> Option<String> {
    let is_total = |seen: &Seen| seen.rises >= ENOUGH && seen.falls * RISES_A_FALL <= seen.rises;
    let totals: Vec<&str> = of_sensors.iter().zip(&entries.sensors).filter(|(seen, _)| is_total(seen)).map(|(_, id)| id.as_str()).collect();
    named(&totals).map(|whose| format!("the figures of {whose} hardly ever fall: running totals? totals = true counts their rise"))
}

/// What is said where the pattern of the times names the zone, and the mapping another for the days.
fn utc_by_pattern(mapping: &Mapping) -> Option<String> {
    let zone = mapping.stamps.zone.filter(|zone| mapping.is_utc_by_pattern && *zone != chrono_tz::UTC)?;
    Some(format!(
        "the pattern of the times says that they are of UTC, so they are read as such, and days and hours are those of {zone}: if they are of {zone} all the same, zone = \"{zone}\" under [time] says so"
    ))
}

/// What is said of figures that stand alone far above all others of their place.
fn alone(of_sensors: &[Seen], entries: &Entries, notes: &Notes) -> Option<String> {
    let mut places = of_sensors.iter().zip(&entries.sensors).filter_map(|(seen, id)| Some((seen.alone()?, id)));
    let ((figures, next), id) = places.next()?;
    let (figure, line) = figures[0];
    let more = figures.len() - 1 + places.map(|((figures, _), _)| figures.len()).sum::<usize>();
    let more = if more > 0 { format!(" (and {more} more like it)") } else { String::new() };
    Some(format!(
        "{}:{line}: {figure} of {id} stands alone, the next highest there is {next}{more}: was it a crowd, or is it a mistake? `most` says what a step can have at most",
        notes.file
    ))
}

/// What is said of counters that stick at one figure.
fn stuck(of_sensors: &[Seen], entries: &Entries, notes: &Notes) -> Option<String> {
    let of_sensor = |(seen, id): (&Seen, _)| Some((seen.repeats.iter().filter_map(Repeats::stuck).max_by_key(|run| run.steps)?, id));
    let places: Vec<(stuck::Run, &String)> = of_sensors.iter().zip(&entries.sensors).filter_map(of_sensor).collect();
    let (stuck::Run { figure, line, steps }, id) = *places.first()?;
    let more = if places.len() > 1 { format!(" (and {} more places like it)", places.len() - 1) } else { String::new() };
    Some(format!(
        "{}:{line}: {figure} of {id} stands there for {steps} steps in a row{more}: does the counter stick? With a missing marker in their place they are a gap",
        notes.file
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

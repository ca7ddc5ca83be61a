//! The table's figures in event-time order: what each sensor counted in each step, and where somebody noted that nobody knows.
//!
//! The idea: a row's place in the file means nothing, so every row becomes a few small numbers, and they are sorted. A figure that is missing or faulty
//! stays as a mark: it is a gap, which an absent row may not be (`absent = "zero"`).

use super::figure::{MISSING, NONE};
use super::file::{Cells, Lacks, Rows};
use super::grid;
use super::mapping::{Direction, Layout, Mapping, Repeated, StampIs, StepClock};
use super::marks::{self, Mark};
use super::plan::{Places, Plan};
use super::quotes::Reads;
use super::sensors::{Sensors, in_one_line};
use super::{Report, TableError, doubled, totals};
use crate::time::EventTime;
use crate::time::stamp::{Format, Meaning, Stamps};
use csv::StringRecord;
use indexmap::IndexSet;
use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::path::Path;

/// What one sensor counted in one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    /// Start of the step.
    pub(super) from: EventTime,
    /// The sensor, by its place in the list of sensors.
    pub(super) sensor: u32,
    /// Its row's line, from 1.
    pub(super) line: u32,
    figures: [u32; 3],
    /// The row's hour comes twice, and its neighbours tell which it is: how long after this one the other is, ms.
    pub(super) later: Option<NonZeroU32>,
}

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

impl Entry {
    /// Persons in, out and undirected; `None` each where the row does not tell, and as a whole where nobody knows.
    pub(super) fn persons(&self) -> Option<[Option<u32>; 3]> {
        if self.figures.contains(&MISSING) {
            return None;
        }
        Some(self.figures.map(|figure| Some(figure).filter(|figure| *figure != NONE)))
    }

    /// Which of in, out and undirected it tells.
    pub(super) fn told(&self) -> [bool; 3] {
        self.figures.map(|figure| figure != NONE)
    }

    /// What came since `before`, where these figures and those are running totals: nobody knows where one is missing, where it fell (a reset), or where it rose by more than `most`.
    pub(super) fn rise_since(&self, before: &Self, most: u32) -> Self {
        let rise = |now: u32, then: u32| match (now, then) {
            (NONE, NONE) => NONE,
            (MISSING | NONE, _) | (_, MISSING | NONE) => MISSING,
            _ => now.checked_sub(then).filter(|rise| *rise <= most).unwrap_or(MISSING),
        };
        Self { figures: std::array::from_fn(|i| rise(self.figures[i], before.figures[i])), ..*self }
    }

    /// Whether a total is less than at `before`, and none is more.
    pub(super) fn fell_since(&self, before: &Self) -> bool {
        let known = |figure: &u32| *figure < MISSING;
        let pairs = || self.figures.iter().zip(&before.figures).filter(|(now, then)| known(now) && known(then));
        pairs().any(|(now, then)| now < then) && pairs().all(|(now, then)| now <= then)
    }

    /// The same step, of which nobody knows.
    pub(super) fn unknown(&self) -> Self {
        Self { figures: self.figures.map(|figure| if figure == NONE { NONE } else { MISSING }), ..*self }
    }

    /// The same figures, of another step.
    pub(super) fn at(self, from: EventTime) -> Self {
        Self { from, later: None, ..self }
    }

    /// Whether the two tell different directions of the same step, as rows of a table with a direction column do.
    fn completes(&self, other: &Self) -> bool {
        let apart = self.figures.iter().zip(&other.figures).all(|(a, b)| *a == NONE || *b == NONE);
        apart && (self.from, self.sensor) == (other.from, other.sensor)
    }

    /// Whether the two tell the same step of a sensor differently.
    pub(super) fn contradicts(&self, other: &Self) -> bool {
        (self.from, self.sensor) == (other.from, other.sensor) && self.figures != other.figures
    }

    /// Of two that tell the same step, one of which does not know, keeps the one that does, whichever stands first.
    fn is_filled_by(&mut self, other: &Self) -> bool {
        let (mine, others) = (self.persons().is_some(), other.persons().is_some());
        let alike = (self.from, self.sensor, self.told()) == (other.from, other.sensor, other.told());
        let fills = alike && !(mine && others);
        if fills && !mine {
            *self = *other;
        }
        fills
    }

    /// Takes from `other` what it does not tell itself.
    pub(super) fn join(&mut self, other: &Self) {
        for (mine, other) in self.figures.iter_mut().zip(other.figures) {
            if *mine == NONE {
                *mine = other;
            }
        }
    }

    /// Adds another part of the same whole; with a part missing nobody knows the whole.
    pub(super) fn add(&mut self, part: &Self) {
        for (mine, part) in self.figures.iter_mut().zip(part.figures) {
            *mine = match (*mine, part) {
                (MISSING, _) | (_, MISSING) => MISSING,
                (NONE, figure) | (figure, NONE) => figure,
                (a, b) => a.saturating_add(b).min(MISSING - 1),
            };
        }
    }
}

/// Reads all rows; what is wrong with one is noted in the report, and the rest goes on.
pub(super) fn read(path: &Path, mapping: &Mapping, clock: StepClock, report: &mut Report) -> Result<Entries, TableError> {
    let rows = Rows::open(path, &mapping.file)?;
    let plan = Plan::of(path, rows.columns(), mapping)?;
    let mut stamps = mapping.stamps.clone();
    if plan.only_time().is_some_and(|column| rows.is_of_stamps(column)) {
        stamps.format = Format::Iso;
    }
    let columns = rows.columns().to_vec();
    let (plan, stamps) = (&plan, &stamps);
    let sensors = Sensors::default();
    let mut reading = Reading {
        mapping,
        stamps,
        clock,
        columns,
        plan,
        sensors,
        list: Vec::new(),
        suspected: Vec::new(),
        moved: BTreeSet::new(),
        last_time: None,
        by_wall: false,
        has_hinted: false,
        report,
    };
    if let Places::Wide { columns, .. } = &plan.layout {
        reading.sensors.ids.extend(columns.iter().map(|(_, name)| in_one_line(name).into_owned()));
    }
    let reads = Reads { last: plan.last(), looks: &|cells| plan.looks(cells, mapping, stamps) };
    rows.each(path, &reads, |line, cells| reading.row(line, &cells))?;
    let mut marks = reading.marks();
    let Reading { sensors: Sensors { ids: sensors, alike, .. }, mut list, moved, by_wall, .. } = reading;
    if let Some(alike) = alike {
        return Err(TableError::malformed(path, alike));
    }
    // Single passages tell by their own times that the hour begins anew; counts, by the steps that they stand for.
    if mapping.repeated == Repeated::Sum {
        doubled::tell_apart(&mut list, mapping);
    }
    let grid = grid::align(path, &mut list, mapping, clock, report)?;
    if mapping.repeated == Repeated::Judge {
        doubled::tell_apart(&mut list, mapping);
    }
    let order = in_order(&sensors, &mut list, &mut marks, matches!(mapping.layout, Layout::Long { .. }));
    yield_to_the_real(&mut list, &moved);
    grid::leave_out_the_far(path, &mut list, report)?;
    merge(&mut list, mapping);
    marks::apply(&mut list, &marks, &grid, mapping.repeated);
    let sensors: Vec<String> = order.into_iter().map(|old| sensors[old].clone()).collect();
    if mapping.totals {
        report.backwards = totals::to_rises(&mut list, mapping, clock, report).into_iter().map(|sensor| sensors[sensor as usize].clone()).collect();
    }
    Ok(Entries { by_wall, ..without_the_mute(sensors, list, report) })
}

/// When what a row covers starts.
#[derive(Clone, Copy)]
struct Start {
    from: EventTime,
    /// Of an hour that comes twice, how long after it the other one is, ms.
    later: Option<NonZeroU32>,
    /// Whether it was put there out of an hour that never was.
    is_moved: bool,
}

struct Reading<'a> {
    mapping: &'a Mapping,
    stamps: &'a Stamps,
    clock: StepClock,
    columns: Vec<String>,
    plan: &'a Plan,
    sensors: Sensors,
    list: Vec<Entry>,
    /// Lines within other rows that look like rows.
    suspected: Vec<(u32, StringRecord)>,
    /// Lines of an hour that never was.
    moved: BTreeSet<u32>,
    /// The last time that was read, and what it means: the next row's is often the same.
    last_time: Option<(String, Start)>,
    /// Whether any time was one of the clock on the wall.
    by_wall: bool,
    /// Whether it has been said how a time could be read that cannot: once is enough.
    has_hinted: bool,
    report: &'a mut Report,
}

impl Reading<'_> {
    fn row(&mut self, line: u32, cells: &Cells<'_>) {
        self.report.rows += 1;
        if let Cells::Csv(record, Lacks::Place(detail)) = cells {
            self.report.fault(line, detail);
            self.suspected.push((line, (*record).clone()));
            return;
        }
        let before = self.list.len();
        let read = self.figures(line, cells);
        match (read, cells.lacks()) {
            (_, Lacks::Figures(detail)) => {
                self.list.iter_mut().skip(before).for_each(|entry| *entry = entry.unknown());
                self.report.fault(line, detail);
            }
            (_, Lacks::Rest(detail) | Lacks::Place(detail)) | (Err(detail), _) => self.report.fault(line, detail),
            (Ok(()), Lacks::Cells) => {
                self.report.short += 1;
                self.report.first_short.get_or_insert(line);
            }
            (Ok(()), Lacks::Unread) => {
                self.report.first_narrow.get_or_insert(line);
            }
            (Ok(()), Lacks::Nothing) => {}
        }
    }

    /// What the suspected lines may have told, of the sensors that the rows name.
    fn marks(&mut self) -> Vec<Mark> {
        self.sensors.are_all = true;
        let rows = std::mem::take(&mut self.list);
        let mut marks = Vec::new();
        for (line, cells) in std::mem::take(&mut self.suspected) {
            let is_whole = self.figures(line, &Cells::Csv(&cells, Lacks::Nothing)).is_ok();
            marks.extend(self.list.drain(..).map(|entry| Mark { entry, is_whole }));
        }
        self.list = rows;
        marks
    }

    fn figures(&mut self, line: u32, cells: &Cells<'_>) -> Result<(), String> {
        let plan = self.plan;
        let Start { from, later, is_moved } = self.time(cells)?;
        if is_moved {
            self.moved.insert(line);
        }
        let entry = |sensor| Entry { from, sensor, line, figures: [NONE; 3], later };
        let persons = |column: Option<usize>| column.map_or(Ok(1), |column| self.mapping.read_figure(cells.get(column)));
        match &plan.layout {
            Places::Wide { measures, columns } => {
                let mut wrong = None;
                for (sensor, (column, name)) in columns.iter().enumerate() {
                    let figure = self.mapping.read_figure(cells.get(*column)).unwrap_or_else(|detail| {
                        wrong.get_or_insert_with(|| of_column(name, &detail));
                        MISSING
                    });
                    let mut entry = entry(sensor as u32);
                    entry.figures[*measures as usize] = figure;
                    self.list.push(entry);
                }
                wrong.map_or(Ok(()), Err)
            }
            Places::Columns { sensor, values } => {
                let mut entry = entry(self.sensors.of(sensor, cells, self.mapping)?);
                let mut wrong = None;
                for (direction, column) in values {
                    entry.figures[*direction as usize] = persons(*column).unwrap_or_else(|detail| {
                        wrong.get_or_insert_with(|| self.of_figure(*column, &detail));
                        MISSING
                    });
                }
                self.list.push(entry);
                wrong.map_or(Ok(()), Err)
            }
            Places::Told { sensor, direction, value, inwards, outwards } => {
                let mut entry = entry(self.sensors.of(sensor, cells, self.mapping)?);
                let told = in_one_line(cells.get(*direction));
                let is = |words: &[String]| words.iter().any(|word| *word == told);
                let place = match (is(inwards), is(outwards)) {
                    (true, _) => Direction::In,
                    (_, true) => Direction::Out,
                    _ => return Err(format!("the direction \"{told}\" is neither one of in_is nor one of out_is")),
                };
                let read = persons(*value);
                entry.figures[place as usize] = *read.as_ref().unwrap_or(&MISSING);
                self.list.push(entry);
                read.map(|_| ()).map_err(|detail| self.of_figure(*value, &detail))
            }
        }
    }

    /// What is wrong with a figure, with the name of its column.
    fn of_figure(&self, column: Option<usize>, detail: &str) -> String {
        of_column(column.and_then(|column| self.columns.get(column)).map_or("", String::as_str), detail)
    }

    fn time(&mut self, cells: &Cells<'_>) -> Result<Start, String> {
        let text = &*self.plan.time_of(cells);
        if let Some((last, start)) = &self.last_time
            && last == text
        {
            return Ok(*start);
        }
        let start = match self.start(text) {
            Ok(start) => start,
            Err(detail) => {
                let hint = if std::mem::replace(&mut self.has_hinted, true) { None } else { self.stamps.hint(text) };
                return Err(format!("the time \"{text}\" {detail}{}", hint.unwrap_or_default()));
            }
        };
        self.by_wall = self.by_wall || self.stamps.is_of_wall(text);
        let (last, meaning) = self.last_time.get_or_insert_with(|| (String::new(), start));
        text.clone_into(last);
        *meaning = start;
        Ok(start)
    }

    fn start(&self, text: &str) -> Result<Start, String> {
        let stamps = self.stamps;
        let meaning = match self.clock {
            StepClock::Wall => Meaning::Once(stamps.read_wall(text)?),
            StepClock::Elapsed => stamps.read(text)?,
        };
        let later = match meaning {
            Meaning::Either(first, second) => u32::try_from(second.since(first).as_millis()).ok().and_then(NonZeroU32::new),
            Meaning::Once(_) | Meaning::Moved(_) => None,
        };
        let at = grid::believable(meaning.near(None))?;
        let from = if self.mapping.stamp_is == StampIs::To { at.before(self.mapping.step) } else { at };
        Ok(Start { from, later, is_moved: matches!(meaning, Meaning::Moved(_)) })
    }
}

fn of_column(name: &str, detail: &str) -> String {
    format!("column \"{name}\": {detail}")
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

/// Makes one entry of what several rows tell of a sensor's step.
fn merge(list: &mut Vec<Entry>, mapping: &Mapping) {
    list.dedup_by(|next, kept| {
        if mapping.repeated == Repeated::Sum && (kept.from, kept.sensor) == (next.from, next.sensor) {
            kept.add(next);
            return true;
        }
        let completes = kept.completes(next);
        if completes {
            kept.join(next);
        }
        completes || kept.is_filled_by(next)
    });
}

/// Leaves out the sensors of which no row has a whole figure, and says so: a column of texts is no place.
fn without_the_mute(sensors: Vec<String>, mut list: Vec<Entry>, report: &mut Report) -> Entries {
    let mut speaks = vec![false; sensors.len()];
    for entry in &list {
        speaks[entry.sensor as usize] |= entry.persons().is_some();
    }
    let place: Vec<u32> = speaks.iter().scan(0, |next, speaks| Some(std::mem::replace(next, *next + u32::from(*speaks)))).collect();
    if speaks.contains(&false) {
        list.retain(|entry| speaks[entry.sensor as usize]);
        list.iter_mut().for_each(|entry| entry.sensor = place[entry.sensor as usize]);
    }
    let (sensors, mute): (Vec<_>, Vec<_>) = sensors.into_iter().zip(speaks).partition(|(_, speaks)| *speaks);
    report.mute = mute.into_iter().map(|(id, _)| id).collect();
    Entries { sensors: sensors.into_iter().map(|(id, _)| id).collect(), list, by_wall: false }
}

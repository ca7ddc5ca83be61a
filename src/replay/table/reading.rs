//! From rows to entries: the time, the sensor and the figures of each, and what is wrong with it.
//!
//! The idea: a row with a fault costs what is at fault and no more. It is named with its line, its figures that can be read count, and those that cannot stay as marks.

use super::day_month::DayMonth;
use super::entry::Entry;
use super::faults::RowFault;
use super::figure::{FigureFault, MISSING, NONE};
use super::file::{Cells, Lacks};
use super::grid;
use super::mapping::{Direction, Mapping, StampIs, StepClock};
use super::marks::Mark;
use super::plan::{Places, Plan};
use super::report::Notes;
use super::sensors::{Sensors, in_one_line};
use crate::time::EventTime;
use crate::time::stamp::{Format, Meaning, Stamps, Unreadable};
use csv::StringRecord;
use indexmap::IndexSet;
use std::collections::BTreeSet;
use std::num::NonZeroU32;

/// When what a row covers starts.
#[derive(Clone, Copy)]
struct Start {
    from: EventTime,
    /// Of an hour that comes twice, how long after it the other one is, ms.
    later: Option<NonZeroU32>,
    /// Whether it was put there out of an hour that never was.
    is_moved: bool,
}

/// A table of which the rows are being read.
pub(super) struct Reading<'a> {
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
    notes: &'a mut Notes,
}

/// What remains when all rows are read.
pub(super) struct Rest {
    /// The sensors' ids in the order of the file.
    pub(super) sensors: IndexSet<String>,
    /// What the rows tell, in the order of the file.
    pub(super) list: Vec<Entry>,
    /// What lines within other rows may have told.
    pub(super) marks: Vec<Mark>,
    /// Lines of an hour that never was.
    pub(super) moved: BTreeSet<u32>,
    /// Whether any time was one of the clock on the wall.
    pub(super) by_wall: bool,
}

impl<'a> Reading<'a> {
    /// Before the first row; `columns` are the names of the file's.
    pub(super) fn new(mapping: &'a Mapping, stamps: &'a Stamps, clock: StepClock, columns: Vec<String>, plan: &'a Plan, notes: &'a mut Notes) -> Self {
        notes.day_month = DayMonth::of(&stamps.format);
        let mut sensors = Sensors::default();
        if let Places::Wide { columns, .. } = &plan.layout {
            sensors.ids.extend(columns.iter().map(|(_, name)| in_one_line(name).into_owned()));
        }
        Self {
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
            notes,
        }
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// Two sensors of several columns have the same id: what to do.
    pub(super) fn finish(mut self) -> Result<Rest, String> {
        let marks = self.marks();
        match self.sensors.alike {
            Some(alike) => Err(alike),
            None => Ok(Rest { sensors: self.sensors.ids, list: self.list, marks, moved: self.moved, by_wall: self.by_wall }),
        }
    }

    pub(super) fn row(&mut self, line: u32, cells: &Cells<'_>) {
        self.notes.rows += 1;
        if let Cells::Csv(record, Lacks::Place(fault)) = cells {
            self.notes.fault(line, fault);
            self.suspected.push((line, (*record).clone()));
            return;
        }
        let before = self.list.len();
        let read = self.figures(line, cells);
        match (read, cells.lacks()) {
            (_, Lacks::Figures(fault)) => {
                self.list.iter_mut().skip(before).for_each(|entry| *entry = entry.unknown());
                self.notes.fault(line, &fault);
            }
            (_, Lacks::Rest(fault) | Lacks::Place(fault)) | (Err(fault), _) => self.notes.fault(line, &fault),
            (Ok(()), Lacks::Cells) => {
                self.notes.short += 1;
                self.notes.first_short.get_or_insert(line);
            }
            (Ok(()), Lacks::Unread) => {
                self.notes.first_narrow.get_or_insert(line);
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

    fn figures(&mut self, line: u32, cells: &Cells<'_>) -> Result<(), RowFault> {
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
                    let figure = self.mapping.read_figure(cells.get(*column)).unwrap_or_else(|why| {
                        wrong.get_or_insert(RowFault::Figure { column: name.clone(), why });
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
                    entry.figures[*direction as usize] = persons(*column).unwrap_or_else(|why| {
                        wrong.get_or_insert(self.of_figure(*column, why));
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
                    _ => return Err(no_direction(told.into_owned(), inwards.iter().chain(outwards))),
                };
                let read = persons(*value);
                entry.figures[place as usize] = *read.as_ref().unwrap_or(&MISSING);
                self.list.push(entry);
                read.map(|_| ()).map_err(|why| self.of_figure(*value, why))
            }
        }
    }

    /// What is wrong with a figure, with the name of its column.
    fn of_figure(&self, column: Option<usize>, why: FigureFault) -> RowFault {
        RowFault::Figure { column: column.and_then(|column| self.columns.get(column)).cloned().unwrap_or_default(), why }
    }

    fn time(&mut self, cells: &Cells<'_>) -> Result<Start, RowFault> {
        let text = &*self.plan.time_of(cells);
        if let Some((last, start)) = &self.last_time
            && last == text
        {
            return Ok(*start);
        }
        let start = self.start(text).map_err(|why| {
            // Where a pattern stops differs from row to row; by which format all could be read does not.
            let is_worth_it = !self.has_hinted || matches!(self.stamps.format, Format::Pattern(_)) && self.notes.faults.names_more();
            let hint = if is_worth_it { self.stamps.hint(text, "time") } else { None };
            self.has_hinted |= hint.is_some();
            self.notes.day_month.miss(text);
            RowFault::Time { text: text.to_owned(), why, hint }
        })?;
        let at = if self.mapping.stamp_is == StampIs::To { start.from.after(self.mapping.step) } else { start.from };
        if let Some(year) = grid::unbelievable_year(at) {
            return Err(RowFault::Year { text: text.to_owned(), year });
        }
        self.notes.day_month.see(text);
        self.by_wall = self.by_wall || self.stamps.is_of_wall(text);
        let (last, meaning) = self.last_time.get_or_insert_with(|| (String::new(), start));
        text.clone_into(last);
        *meaning = start;
        Ok(start)
    }

    fn start(&self, text: &str) -> Result<Start, Unreadable> {
        let stamps = self.stamps;
        let meaning = match self.clock {
            StepClock::Wall => Meaning::Once(stamps.read_wall(text)?),
            StepClock::Elapsed => stamps.read(text)?,
        };
        let later = match meaning {
            Meaning::Either(first, second) => u32::try_from(second.since(first).as_millis()).ok().and_then(NonZeroU32::new),
            Meaning::Once(_) | Meaning::Moved(_) => None,
        };
        let at = meaning.near(None);
        let from = if self.mapping.stamp_is == StampIs::To { at.before(self.mapping.step) } else { at };
        Ok(Start { from, later, is_moved: matches!(meaning, Meaning::Moved(_)) })
    }
}

/// What is wrong with a word for a direction, and the word that differs from it in its case alone.
fn no_direction<'w>(told: String, mut words: impl Iterator<Item = &'w String>) -> RowFault {
    let nearest = words.find(|word| word.to_lowercase() == told.to_lowercase()).cloned();
    RowFault::Direction { told, nearest }
}

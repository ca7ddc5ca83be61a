//! Whether the flow model is shown what it was trained on, and what it used to be shown on a venue: the population stability index of its inputs.
//!
//! The idea: a model is as good as its inputs are like those that it is known on. Each column of `midan-features-2` is counted into bins, once a step; the counts of the last seven
//! days are held against a reference by PSI = Σ (a − r)·ln(a/r), a and r the shares of a bin now and in the reference (S. Lewis, *An Introduction to Credit Scoring*, 1994;
//! below 0.1 is commonly read as stable, above 0.25 as shifted). There are two references: the rows that the model was trained on, which its manifest carries ([`Reference`]), and the
//! second week that was heard of the venue, for in the first the stream learns what is usual, and the inputs move by themselves. The one tells a place unlike those of the training, the
//! other a place that has changed. Whole weeks are counted, so that a Sunday is no drift.

use super::ask::{Ask, FLOW_FEATURES};
use super::flow_row;
use super::track::{rows, step_of};
use crate::time::{DAY_MS, EventTime};
use crate::venue::VenueId;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

/// Bins of a column.
pub const BINS: usize = 14;
const WEEK: usize = 7;

/// The parts of a row (docs/FEATURES.md): name, columns, where the first bin begins and how wide a bin is. What follows the calendar (days learnt, time, step) is left out.
const PARTS: [(&str, Range<usize>, f32, f32); 7] = [
    ("signs", flow_row::OF_SIGNS, -3.5, 0.5),
    ("correction", flow_row::CORRECTION, -3.5, 0.5),
    ("plain", flow_row::PLAIN, -1.0, 1.0),
    ("spread", flow_row::SPREAD, -3.5, 0.5),
    ("scale", only(flow_row::SCALE), -3.5, 0.5),
    ("level", only(flow_row::LEVEL), -3.5, 0.5),
    ("newest", only(flow_row::NEWEST), -1.0, 1.0),
];

const fn only(column: usize) -> Range<usize> {
    column..column + 1
}

/// What a model was trained on, as its manifest carries it: by part and column, how many of the rows fall into each bin (`models/train/flow_reference.py`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// Rows that were counted.
    pub rows: u64,
    /// The name of a part → by column, of 10,000 rows those in each bin.
    pub parts: BTreeMap<String, Vec<Vec<u32>>>,
}

impl Reference {
    /// Whether it is of the parts, columns and bins that this binary counts; else what is wrong.
    ///
    /// # Errors
    /// The first part that does not fit, with what was expected.
    pub fn check(&self) -> Result<(), String> {
        if let Some(unknown) = self.parts.keys().find(|name| PARTS.iter().all(|(part, ..)| part != name)) {
            return Err(format!("part `{unknown}` is none of {}", PARTS.map(|(part, ..)| part).join(", ")));
        }
        for (part, columns, ..) in PARTS {
            let Some(found) = self.parts.get(part) else { return Err(format!("part `{part}` is missing")) };
            if found.len() != columns.len() || found.iter().any(|bins| bins.len() != BINS) {
                return Err(format!("part `{part}` must have {} columns of {BINS} bins", columns.len()));
            }
        }
        Ok(())
    }

    fn counts(&self) -> Counts {
        let mut counts = Counts::none();
        for (part, columns, ..) in PARTS {
            for (column, bins) in columns.zip(self.parts.get(part).into_iter().flatten()) {
                counts.0[column * BINS..][..BINS].iter_mut().zip(bins).for_each(|(count, bin)| *count = *bin);
            }
        }
        counts
    }
}

/// What the present week is held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Against {
    /// The rows that the model was trained on.
    Training,
    /// The second week that was heard of the venue.
    SecondWeek,
}

impl Against {
    /// The word in labels.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Training => "training",
            Self::SecondWeek => "second_week",
        }
    }
}

/// The watch over the inputs, by venue.
#[derive(Clone, Debug, Default)]
pub struct Drift {
    venues: BTreeMap<VenueId, OfVenue>,
}

#[derive(Clone, Debug)]
struct OfVenue {
    due: EventTime,
    day: i64,
    today: Counts,
    /// The last days before today, the newest last.
    days: VecDeque<Counts>,
    has_settled: bool,
    reference: Option<Counts>,
    /// Days since the reference week was over.
    since_reference: usize,
}

/// How often each bin of each column was met.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Counts(Vec<u32>);

/// How far a part of the inputs has moved.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moved {
    /// Which part.
    pub part: &'static str,
    /// Against what.
    pub against: Against,
    /// The index of its column that moved most.
    pub psi: f64,
}

impl Drift {
    /// Hears a request to a model that was trained on `training`. At the first of a day (UTC) it answers how far each part has moved, once there is a week that can be held against a
    /// reference; else nothing. The first week is let pass.
    pub fn hear(&mut self, ask: &Ask, training: Option<&Reference>) -> Vec<Moved> {
        let pane = ask.ticket.pane;
        let Some(step) = step_of(ask) else { return Vec::new() };
        let day = pane.as_millis().div_euclid(DAY_MS);
        let of = self.venues.entry(ask.ticket.venue).or_insert_with(|| OfVenue::new(day));
        let moved = if day == of.day { Vec::new() } else { of.turn(day, training) };
        // What lies further ahead was set before the venue's time began again elsewhere.
        if pane >= of.due || of.due > pane.after(step) {
            of.due = pane.after(step);
            rows(ask).for_each(|row| of.today.add(row));
        }
        moved
    }
}

impl OfVenue {
    fn new(day: i64) -> Self {
        Self { due: EventTime::MIN, day, today: Counts::none(), days: VecDeque::new(), has_settled: false, reference: None, since_reference: 0 }
    }

    /// A day is over.
    fn turn(&mut self, day: i64, training: Option<&Reference>) -> Vec<Moved> {
        self.day = day;
        self.days.push_back(std::mem::replace(&mut self.today, Counts::none()));
        if self.days.len() < WEEK {
            return Vec::new();
        }
        let week = self.week();
        if !self.has_settled {
            self.days.clear();
            self.has_settled = true;
            return Vec::new();
        }
        let mut moved = training.map_or_else(Vec::new, |training| week.moved(&training.counts(), Against::Training));
        self.days.pop_front();
        match &self.reference {
            Some(reference) if self.since_reference >= WEEK => moved.extend(week.moved(reference, Against::SecondWeek)),
            Some(_) => {}
            None => self.reference = Some(week),
        }
        self.since_reference += 1;
        moved
    }

    fn week(&self) -> Counts {
        let mut week = Counts::none();
        for day in &self.days {
            week.0.iter_mut().zip(&day.0).for_each(|(sum, count)| *sum += count);
        }
        week
    }
}

impl Counts {
    fn none() -> Self {
        Self(vec![0; FLOW_FEATURES * BINS])
    }

    fn add(&mut self, row: &[f32]) {
        for (_, columns, from, width) in PARTS {
            for column in columns {
                // The cast holds what is below the first bin at 0; what is above the last is in it.
                let bin = (((row[column] - from) / width) as usize).min(BINS - 1);
                self.0[column * BINS + bin] += 1;
            }
        }
    }

    /// How far each part has moved from a reference.
    fn moved(&self, reference: &Self, against: Against) -> Vec<Moved> {
        let of_part = |(part, columns, ..): (&'static str, Range<usize>, f32, f32)| Moved {
            part,
            against,
            psi: columns.map(|column| self.psi(reference, column)).fold(0.0, f64::max),
        };
        PARTS.map(of_part).to_vec()
    }

    /// Half a case in every bin keeps an empty one from deciding alone.
    fn psi(&self, reference: &Self, column: usize) -> f64 {
        let shares = |counts: &Self| -> [f64; BINS] {
            let bins = &counts.0[column * BINS..][..BINS];
            let all: f64 = bins.iter().map(|count| f64::from(*count) + 0.5).sum();
            std::array::from_fn(|bin| (f64::from(bins[bin]) + 0.5) / all)
        };
        shares(self).into_iter().zip(shares(reference)).map(|(now, then)| (now - then) * libm::log(now / then)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inference::ask::{FEATURES, Ticket};
    use std::sync::Arc;

    /// A request every quarter of an hour, of a step of five minutes; the signs swing through the day about `level`.
    fn ask(quarter: i64, level: f32) -> Ask {
        let mut flow = vec![0.0f32; 16 * FLOW_FEATURES];
        for (place, row) in flow.chunks_exact_mut(FLOW_FEATURES).take(10).enumerate() {
            row[..80].fill(level + ((quarter * 7 + place as i64 * 13) % 31) as f32 / 15.0 - 1.0);
            row[102] = 1.0;
        }
        let ticket = Ticket { venue: VenueId(0), pane: EventTime::from_millis(quarter * 900_000) };
        Ask { ticket, rows: 16, features: Arc::new(vec![0.0; 16 * FEATURES]), flow: Arc::new(flow), calls: Default::default() }
    }

    /// What is told in the days `from..to`, as (day, part, index).
    fn told(drift: &mut Drift, days: Range<i64>, level: f32) -> Vec<(i64, &'static str, f64)> {
        heard(drift, days, level, None).into_iter().map(|(day, moved)| (day, moved.part, moved.psi)).collect()
    }

    fn heard(drift: &mut Drift, days: Range<i64>, level: f32, training: Option<&Reference>) -> Vec<(i64, Moved)> {
        let quarters = days.start * 96..days.end * 96;
        quarters.flat_map(|quarter| drift.hear(&ask(quarter, level), training).into_iter().map(move |moved| (quarter / 96, moved))).collect()
    }

    /// The reference of a model that was trained on a week of [`ask`] about `level`.
    fn trained_on(level: f32) -> Reference {
        let mut counts = Counts::none();
        (0..672).for_each(|quarter| rows(&ask(quarter, level)).for_each(|row| counts.add(row)));
        let of = |column: usize| counts.0[column * BINS..][..BINS].iter().map(|count| count * 10_000 / 6_720).collect();
        Reference { rows: 6_720, parts: PARTS.map(|(part, columns, ..)| (part.to_owned(), columns.map(of).collect())).into() }
    }

    #[test]
    fn inputs_that_stay_as_they_were_have_not_moved_and_those_that_shift_have() {
        let mut drift = Drift::default();
        // The week in which the stream learns is another one, and is no reference.
        assert_eq!(told(&mut drift, 0..7, 2.0), []);
        assert_eq!(told(&mut drift, 7..21, 0.0), []);
        let stable = told(&mut drift, 21..30, 0.0);
        assert_eq!(stable.len(), 9 * PARTS.len(), "once a day");
        assert!(stable.iter().all(|(.., psi)| *psi < 0.01), "{stable:?}");
        let shifted = told(&mut drift, 30..38, 1.5);
        let of_signs: Vec<f64> = shifted.iter().filter(|(_, part, _)| *part == "signs").map(|(.., psi)| *psi).collect();
        assert!(of_signs.last().is_some_and(|psi| *psi > 1.0) && of_signs.is_sorted(), "{of_signs:?}");
        assert!(shifted.iter().all(|(_, part, psi)| *part == "signs" || *psi < 0.01), "only what moved: {shifted:?}");
    }

    #[test]
    fn a_place_unlike_those_of_the_training_is_told_from_the_second_week_on() {
        let training = trained_on(0.0);
        assert_eq!(training.check(), Ok(()));
        let like = heard(&mut Drift::default(), 0..16, 0.0, Some(&training));
        assert_eq!(like.first().map(|(day, _)| *day), Some(14), "the first week is let pass");
        assert!(like.iter().all(|(_, moved)| moved.against == Against::Training && moved.psi < 0.01), "{like:?}");
        let unlike = heard(&mut Drift::default(), 0..16, 1.5, Some(&training));
        assert!(unlike.iter().all(|(_, moved)| (moved.psi > 1.0) == (moved.part == "signs")), "{unlike:?}");
    }

    #[test]
    fn a_place_that_never_changed_is_stable_however_unlike_the_training_it_is() {
        let told = heard(&mut Drift::default(), 0..24, 1.5, Some(&trained_on(0.0)));
        let worst = |against: Against| told.iter().filter(|(_, moved)| moved.against == against).map(|(_, moved)| moved.psi).fold(0.0, f64::max);
        assert!(worst(Against::Training) > 1.0 && worst(Against::SecondWeek) < 0.01, "{told:?}");
    }

    #[test]
    fn a_reference_of_other_parts_or_bins_is_refused_in_words() {
        let mut of_more = trained_on(0.0);
        of_more.parts.insert("weather".to_owned(), Vec::new());
        assert!(of_more.check().unwrap_err().contains("`weather` is none of signs, correction"));
        let mut of_less = trained_on(0.0);
        of_less.parts.get_mut("level").unwrap()[0].pop();
        assert_eq!(of_less.check().unwrap_err(), "part `level` must have 1 columns of 14 bins");
        of_less.parts.remove("level");
        assert_eq!(of_less.check().unwrap_err(), "part `level` is missing");
    }

    #[test]
    fn the_trainer_counts_into_the_same_bins() {
        let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/input-bins.json")).unwrap();
        let fixture: serde_json::Value = serde_json::from_str(&text).unwrap();
        let mut counts = Counts::none();
        for value in fixture["values"].as_array().unwrap() {
            counts.add(&[value.as_f64().unwrap() as f32; FLOW_FEATURES]);
        }
        for (part, columns, ..) in PARTS {
            let expected: Vec<u32> = fixture["bins"][part].as_array().unwrap().iter().map(|count| count.as_u64().unwrap() as u32).collect();
            assert!(columns.clone().all(|column| counts.0[column * BINS..][..BINS] == expected), "{part}");
        }
    }

    #[test]
    fn the_index_is_the_published_sum() {
        let of = |first: u32, second: u32| {
            let mut counts = Counts::none();
            (counts.0[0], counts.0[1]) = (first, second);
            counts
        };
        // Shares of one half each against 0.2 and 0.8; the half cases hardly matter among millions.
        let psi = of(5_000_000, 5_000_000).psi(&of(2_000_000, 8_000_000), 0);
        assert!((psi - (0.3 * 2.5f64.ln() - 0.3 * 0.625f64.ln())).abs() < 1e-4, "{psi}");
    }
}

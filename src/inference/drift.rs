//! Whether the flow model is still shown what it used to be shown on a venue: the population stability index of its inputs.
//!
//! The idea: a model is as good as its inputs are like those that it is known on. Each column of `midan-features-2` is counted into bins, once a step; the counts of the last seven
//! days are held against those of a reference week by PSI = Σ (a − r)·ln(a/r), a and r the shares of a bin now and then (S. Lewis, *An Introduction to Credit Scoring*, 1994;
//! below 0.1 is commonly read as stable, above 0.25 as shifted). The reference is the second week that was heard: in the first the stream learns what is usual,
//! and the inputs move by themselves. Whole weeks against whole weeks, so that a Sunday is no drift.

use super::ask::{Ask, FLOW_FEATURES};
use super::track::{rows, step_of};
use crate::time::EventTime;
use crate::venue::VenueId;
use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

const BINS: usize = 14;
const WEEK: usize = 7;
const DAY_MS: i64 = 86_400_000;

/// The parts of a row (docs/FEATURES.md): name, columns, where the first bin begins and how wide a bin is. What follows the calendar (days learnt, time, step) is left out.
const PARTS: [(&str, Range<usize>, f32, f32); 7] = [
    ("signs", 0..80, -3.5, 0.5),
    ("correction", 80..85, -3.5, 0.5),
    ("plain", 85..90, -1.0, 1.0),
    ("spread", 90..95, -3.5, 0.5),
    ("scale", 95..96, -3.5, 0.5),
    ("level", 96..97, -3.5, 0.5),
    ("newest", 99..100, -1.0, 1.0),
];

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
}

/// How often each bin of each column was met.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Counts(Vec<u32>);

/// How far a part of the inputs has moved.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moved {
    /// Which part.
    pub part: &'static str,
    /// The index of its column that moved most.
    pub psi: f64,
}

impl Drift {
    /// Hears a request. At the first of a day (UTC) it answers how far each part has moved, once a week of the present can be held against the reference; else nothing.
    pub fn hear(&mut self, ask: &Ask) -> Vec<Moved> {
        let pane = ask.ticket.pane;
        let Some(step) = step_of(ask) else { return Vec::new() };
        let day = pane.as_millis().div_euclid(DAY_MS);
        let of = self.venues.entry(ask.ticket.venue).or_insert_with(|| OfVenue::new(day));
        let moved = if day == of.day { Vec::new() } else { of.turn(day) };
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
        Self { due: EventTime::MIN, day, today: Counts::none(), days: VecDeque::new(), has_settled: false, reference: None }
    }

    /// A day is over.
    fn turn(&mut self, day: i64) -> Vec<Moved> {
        self.day = day;
        self.days.push_back(std::mem::replace(&mut self.today, Counts::none()));
        if self.days.len() < WEEK {
            return Vec::new();
        }
        let Some(reference) = &self.reference else {
            let week = self.week();
            self.days.clear();
            // The first week is let pass.
            self.reference = self.has_settled.then_some(week);
            self.has_settled = true;
            return Vec::new();
        };
        let week = self.week();
        let moved = PARTS.map(|(part, columns, ..)| Moved { part, psi: columns.map(|column| week.psi(reference, column)).fold(0.0, f64::max) });
        self.days.pop_front();
        moved.to_vec()
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
    fn told(drift: &mut Drift, days: std::ops::Range<i64>, level: f32) -> Vec<(i64, &'static str, f64)> {
        let quarters = days.start * 96..days.end * 96;
        quarters.flat_map(|quarter| drift.hear(&ask(quarter, level)).into_iter().map(move |moved| (quarter / 96, moved.part, moved.psi))).collect()
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

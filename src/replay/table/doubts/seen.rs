//! What the figures of one place look like, and how far its rows lie apart.

use super::stuck::Repeats;
use crate::replay::table::entry::Entry;
use crate::time::{EventTime, Span};
use std::collections::BTreeMap;

/// So many of a sensor's figures, at most and one in so many, are held against the next highest: so many times that is what nobody has ever seen.
const LONE: (usize, u64, u32) = (8, 200, 20);
/// What was seen of one sensor.
#[derive(Clone, Default)]
pub(super) struct Seen {
    last: Option<(EventTime, [Option<u32>; 3])>,
    pub(super) rises: u64,
    pub(super) falls: u64,
    figures: u64,
    /// Its highest figures and the lines they stand in, the highest first.
    highest: Vec<(u32, u32)>,
    /// By way: in, out, undirected.
    pub(super) repeats: [Repeats; 3],
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
    pub(super) fn alone(&self) -> Option<(&[(u32, u32)], u32)> {
        let few = (self.figures / LONE.1).max(1) as usize;
        let far = |place: &usize| self.highest[*place - 1].0 > self.highest[*place].0.saturating_mul(LONE.2).max(100);
        let place = (1..self.highest.len()).take(few).find(far)?;
        Some((&self.highest[..place], self.highest[place].0))
    }
}

/// What was seen of a table.
pub(super) struct OfTable {
    /// By sensor.
    pub(super) sensors: Vec<Seen>,
    /// How often rows of a place lie so far apart, ms.
    apart: BTreeMap<u64, u64>,
}

impl OfTable {
    /// Looks at entries in the order of their time.
    pub(super) fn of(sensors: usize, list: &[Entry], step: Span) -> Self {
        let mut table = Self { sensors: vec![Seen::default(); sensors], apart: BTreeMap::new() };
        for entry in list {
            let (seen, persons) = (&mut table.sensors[entry.sensor as usize], entry.known());
            if let Some((before, was)) = seen.last {
                let gap = entry.from.since(before).as_millis();
                if gap > 0 {
                    *table.apart.entry(gap).or_default() += 1;
                }
                let told = was.iter().zip(&persons).filter_map(|(was, is)| was.zip(*is)).next();
                seen.rises += u64::from(told.is_some_and(|(was, is)| is > was));
                seen.falls += u64::from(told.is_some_and(|(was, is)| is < was));
            }
            for (way, figure) in persons.iter().enumerate() {
                let Some(figure) = *figure else { continue };
                seen.count(figure, entry.line);
                seen.repeats[way].take(entry, figure, step);
            }
            seen.last = Some((entry.from, persons));
        }
        table
    }

    /// Pairs of rows of a place.
    pub(super) fn pairs(&self) -> u64 {
        self.apart.values().sum()
    }

    /// How far most of them lie apart, and how many do; of two that are as many, the further.
    pub(super) fn usual_gap(&self) -> (Span, u64) {
        let (gap, count) = self.apart.iter().map(|(gap, count)| (*gap, *count)).max_by_key(|(_, count)| *count).unwrap_or_default();
        (Span::from_millis(gap), count)
    }

    /// How many lie apart by what is no multiple of that.
    pub(super) fn beside(&self, gap: Span) -> u64 {
        self.apart.iter().filter(|(apart, _)| *apart % gap.as_millis().max(1) != 0).map(|(_, count)| count).sum()
    }
}

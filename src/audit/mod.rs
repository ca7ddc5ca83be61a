//! The ledger held against the topics, from outside: what was read is counted again, and a difference is named by partition and offsets.
//!
//! The idea: a row of `midan.ledger` became final by the record that its header `midan-position` names, so it covers the records from the row before up to that one. Of that
//! stretch everything but the split among what was used can be counted again without an engine: the records, what decodes from them, the lines of `midan.late` and
//! `midan.quarantine` that name a position in it. What the row says must be that, and its two sums must hold.
//!
//! ```text
//!   input     0 1 2 3 4 5 6 7 8 9 …
//!   rows      ├──────┤├────────┤├──  (open)
//!   late            ·      ··         lines that name their position
//! ```

pub mod reopen;

use crate::engine::{Row, Sums};
use crate::feeds::{self, Item, RecordRef};
use crate::venue::partition::partition_of;
use crate::venue::{Feed, World};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// A place of the input: a feed and a partition.
pub type Place = (Feed, u32);

/// A difference between a row and the topics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Where.
    pub place: Place,
    /// From this offset on.
    pub from: i64,
    /// Up to this offset, not included.
    pub to: i64,
    /// What is counted.
    pub what: &'static str,
    /// What the row says.
    pub told: u64,
    /// What the topics say.
    pub found: u64,
}

/// What an audit found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Rows that were checked.
    pub rows: usize,
    /// Records of the input that lie in them.
    pub records: u64,
    /// Records behind the last row of their partition: their row is still open.
    pub open: u64,
    /// Records before the first row that is kept, or of rows that retention has cut into.
    pub before: u64,
    /// All rows together.
    pub sums: Sums,
    /// Every difference.
    pub differences: Vec<Difference>,
}

/// Counts again.
#[derive(Debug)]
pub struct Audit {
    world: Arc<World>,
    partitions: u32,
    books: BTreeMap<Place, Book>,
}

#[derive(Debug, Default)]
struct Book {
    /// By the offset that it ends before.
    rows: BTreeMap<i64, Entry>,
    first_kept: Option<i64>,
    open: u64,
}

#[derive(Debug)]
struct Entry {
    row: Sums,
    found: Sums,
    /// Lines of `midan.quarantine`: records and observations alike.
    lines: u64,
}

impl Audit {
    /// An audit of topics with so many partitions.
    pub fn new(world: Arc<World>, partitions: u32) -> Self {
        Self { world, partitions, books: BTreeMap::new() }
    }

    /// A row of the ledger and the position in its header; all rows come before anything else.
    ///
    /// # Errors
    /// The position or the topic is none.
    pub fn row(&mut self, row: &Row, position: &str) -> Result<(), String> {
        let (place, end) = read_position(position).ok_or_else(|| format!("a row of {}/{} whose position is {position:?}", row.topic, row.partition))?;
        if place.0.topic() != &*row.topic || place.1 != row.partition {
            return Err(format!("a row of {}/{} that ends at {position}", row.topic, row.partition));
        }
        let entry = Entry { row: row.sums, found: Sums::default(), lines: 0 };
        self.books.entry(place).or_default().rows.insert(end, entry);
        Ok(())
    }

    /// A line of `midan.late`.
    pub fn late(&mut self, position: &str) {
        if let Some(entry) = self.entry(position) {
            entry.found.late += 1;
        }
    }

    /// A line of `midan.quarantine`.
    pub fn quarantined(&mut self, position: &str) {
        if let Some(entry) = self.entry(position) {
            entry.lines += 1;
        }
    }

    /// A record of the input, each partition's in their order.
    pub fn record(&mut self, record: &RecordRef<'_>) {
        let book = self.books.entry((record.feed, record.partition)).or_default();
        book.first_kept.get_or_insert(record.offset);
        let Some((_, entry)) = book.rows.range_mut(record.offset + 1..).next() else {
            book.open += 1;
            return;
        };
        count(record, &self.world, self.partitions, &mut entry.found);
    }

    /// What was found.
    pub fn finish(self) -> Report {
        let mut report = Report::default();
        for (place, book) in self.books {
            report.open += book.open;
            let mut from = None;
            for (to, entry) in book.rows {
                let start = from.replace(to);
                report.sums.add(&entry.row);
                // Of the first row that is kept nobody can tell where it begins, unless it is the first of all.
                let is_whole = start.map_or(book.first_kept == Some(0), |start| book.first_kept.is_some_and(|kept| kept <= start));
                if !is_whole {
                    report.before += entry.found.read;
                    continue;
                }
                report.rows += 1;
                report.records += entry.found.read;
                report.differences.extend(differences(place, start.unwrap_or(0), to, &entry));
            }
        }
        report
    }

    fn entry(&mut self, position: &str) -> Option<&mut Entry> {
        let (place, offset) = read_position(position)?;
        self.books.get_mut(&place)?.rows.range_mut(offset + 1..).next().map(|(_, entry)| entry)
    }
}

/// Counts what a record is, as the engine does before it looks at any time.
fn count(record: &RecordRef<'_>, world: &World, partitions: u32, found: &mut Sums) {
    found.read += 1;
    let is_misplaced = record.key.is_some_and(|key| partition_of(key, partitions) != record.partition);
    let mut items = Vec::new();
    if is_misplaced || feeds::decode(record, world, &mut |item| items.push(item)).is_err() {
        found.undecodable += 1;
        return;
    }
    if matches!(items.first(), Some(Item::Command(_))) {
        found.command += 1;
        return;
    }
    found.decoded += 1;
    for item in items {
        match item {
            Item::UnknownFields(_) => continue,
            Item::Ignored | Item::Command(_) => found.ignored += 1,
            Item::Unusable { .. } | Item::Observation(_) => {}
        }
        found.observations += 1;
    }
}

fn differences(place: Place, from: i64, to: i64, entry: &Entry) -> Vec<Difference> {
    let (row, found) = (&entry.row, &entry.found);
    let used = row.windowed + row.revised + row.duplicate;
    let rest = found.observations.saturating_sub(found.late + row.quarantined + found.ignored);
    let mut pairs = vec![
        ("read", row.read, found.read),
        ("decoded", row.decoded, found.decoded),
        ("undecodable", row.undecodable, found.undecodable),
        ("command", row.command, found.command),
        ("observations", row.observations, found.observations),
        ("late", row.late, found.late),
        ("ignored", row.ignored, found.ignored),
        ("windowed + revised + duplicate", used, rest),
    ];
    // A command that is refused has a line too, and no place in the sums of observations.
    if place.0 != Feed::Commands {
        pairs.push(("undecodable + quarantined", row.undecodable + row.quarantined, entry.lines));
    }
    let difference = |(what, told, found)| (told != found).then_some(Difference { place, from, to, what, told, found });
    pairs.into_iter().filter_map(difference).collect()
}

/// `topic/partition/offset`.
fn read_position(position: &str) -> Option<(Place, i64)> {
    let mut parts = position.split('/');
    let topic = parts.next()?;
    let feed = Feed::ALL.into_iter().find(|feed| feed.topic() == topic)?;
    Some(((feed, parts.next()?.parse().ok()?), parts.next()?.parse().ok()?))
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place: (feed, partition), from, to, what, told, found } = self;
        write!(f, "{}/{partition} offsets {from} to {}: {what} is {told} in the ledger, {found} in the topics", feed.topic(), to - 1)
    }
}

#[cfg(test)]
mod tests;

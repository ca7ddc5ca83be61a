//! The engine's laws, each held against a small world (`super::story`).

mod ahead;
mod bad_input;
mod cameras;
mod clocks;
mod comings;
mod commands;
mod fast;
mod fast_counts;
mod follow;
mod late;
mod models;
mod order;
mod recovery;
mod reload;
mod silence;
mod swap;
mod threads;

use super::story::{Record, SOURCES, command, count, count_over, lanes, low_water, passengers, raw, scan};

/// Numbers that look like chance, from a seed.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(2).wrapping_add(0x9E37_79B9_7F4A_7C15))
    }

    /// Below `n`.
    pub(super) fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % n.max(1)
    }
}

/// A quarter of an hour with everything in it: all sources, late events within and beyond their lateness, repeats, conflicts, broken records, commands in and
/// out of order. By time of arrival; each source's own order is what it promises.
pub(super) fn busy(seed: u64) -> Vec<Record> {
    let mut dice = Dice::new(seed);
    let mut records = Vec::new();
    for ten in 0..90_i64 {
        let now = ten * 10;
        records.push(count("c-in", now - 10, dice.below(80) as u32, dice.below(5) as u32));
        records.push(count("c-g1", now - 10, dice.below(40) as u32, dice.below(3) as u32));
        for nth in 0..dice.below(6) {
            records.push(scan((ten as u32) * 10 + nth as u32, now + dice.below(5) as i64));
        }
        if ten % 6 == 0 {
            records.push(lanes(now, 1 + dice.below(4) as u32));
            records.push(passengers(now - 60, dice.below(200) as u32));
        }
        if ten % 30 == 0 {
            records.push(count_over("slow", "c-door", now - 300, now, dice.below(90) as u32, dice.below(9) as u32));
        }
        records.extend(odd(ten, &mut dice));
        records.extend(SOURCES.map(|source| low_water(source, now)));
    }
    records
}

/// What goes wrong in the ten seconds that begin at `ten`.
fn odd(ten: i64, dice: &mut Dice) -> Option<Record> {
    let now = ten * 10;
    let late = |by: i64, dice: &mut Dice| count("c-in", now - by, 100 + dice.below(20) as u32, 0).in_place();
    // What is not on the grid of the on-time counts has an identity of its own.
    let off_grid = |from: i64, persons: u32| count_over("counters", "c-g1", from + 1, from + 8, persons, 0).in_place();
    match dice.below(16) {
        0 => Some(off_grid(now - 40, 7)),
        1 => Some(off_grid(now - 100, 9)),
        2 => Some(off_grid(now - 190, 11)),
        3 => Some(late(30, dice)),
        4 => Some(scan(ten as u32 * 10 + 9, now - 70).in_place()),
        5 => Some(raw("counters", now, "no JSON").in_place()),
        6 => Some(raw("tickets", now, r#"{"type":"scan","venue":"small"}"#).in_place()),
        7 => Some(count_over("slow", "c-door", now - 500, now - 200, 30, 0).in_place()),
        8 => Some(command(&format!("c-{ten}"), now - dice.below(60) as i64, r#""action":"recount","zone":"bowl","persons":300"#)),
        9 => Some(command(&format!("a-{ten}"), now, r#""action":"ack","alarm_id":"none""#)),
        10 => Some(
            raw(
                "ops",
                now - 5,
                format!(r#"{{"type":"match","match_id":"m1","venue":"small","at":{},"event":"kick_off_planned"}}"#, super::story::START + now * 1_000 - 5_000),
            )
            .in_place(),
        ),
        11 => Some(passengers(now - 217, 50).in_place()),
        _ => None,
    }
}

/// The same records by source, each source's in order.
pub(super) fn by_source(records: &[Record]) -> Vec<Vec<Record>> {
    SOURCES.iter().map(|source| records.iter().filter(|record| record.source == *source).cloned().collect()).collect()
}

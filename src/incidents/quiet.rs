//! Quiet nights from a seed: matches of every size at which nobody comes to harm, a third of them near misses.
//!
//! The idea: false findings are counted on nights that look like real ones, with trains in bursts, late spectators, a gate that fails and heals, a counter that dies, a
//! kick-off put off, extra time. What is invented: all of it. The venue is drawn with the night, so that no threshold can be fitted to one ground.
//!
//! [`Night::draw`] says what the night is like; [`super::quiet_flow`] plays it, minute by minute.

use super::library::world_of;
use super::stream::Record;
use crate::simulate::chance::{Chance, Part};
use crate::venue::{SourceFile, World};
use std::fmt::Write as _;
use std::sync::Arc;

/// What nearly went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NearMiss {
    /// The crowd comes half an hour early.
    EarlyCrowd,
    /// A railway line is out for a while; its people come by road.
    LineOut,
    /// A third of a gate's lanes fail, and are mended.
    GateFault,
}

/// What a quiet night is like.
#[derive(Clone, Debug)]
pub struct Night {
    /// Its seed.
    pub seed: u64,
    /// What nearly went wrong, in a third of them.
    pub near_miss: Option<NearMiss>,
    /// Persons who come.
    pub attendance: u32,
    /// Planned kick-off, epoch ms; a full minute.
    pub kick_off: i64,
    /// By how much it is put off, min.
    pub delay_min: i64,
    /// Whether there is extra time.
    pub extra_time: bool,
    pub(super) expected: u32,
    pub(super) groups: Vec<Group>,
    pub(super) rail_share: f64,
    pub(super) early_min: f64,
    pub(super) spread_min: f64,
    pub(super) headway_min: i64,
    pub(super) is_scanned: bool,
    pub(super) wbgt_c: f64,
    pub(super) rain_mm_h: f64,
    /// A counter that says nothing for a while: which of the gates' counters, from when (minutes before kick-off), for how long.
    pub(super) dead_counter: Option<(usize, i64, i64)>,
    /// All counters say nothing for a while.
    pub(super) gap: Option<(i64, i64)>,
    /// When the near miss begins, minutes before kick-off, and how long it lasts.
    pub(super) miss: (i64, i64),
}

/// Gates that stand together before one queue.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) lanes: u32,
    pub(super) share: f64,
}

/// Persons a lane lets through in an hour, with a bag check.
pub(super) const LANE_PER_H: f64 = 225.0;
/// The id of every quiet venue: what differs is the night.
pub(super) const VENUE: &str = "quiet";
/// 2030-06-01T00:00:00Z.
const SEASON: i64 = 1_906_502_400_000;
const MINUTE: i64 = 60_000;
/// From kick-off to the final whistle, stoppages included, without and with extra time, min.
const REGULAR_MIN: i64 = 112;
const EXTRA_MIN: i64 = 150;

impl Night {
    /// The night of a seed.
    pub fn draw(seed: u64) -> Self {
        let mut dice = Chance::new(seed, VENUE, Part::Script);
        let expected = libm::round(libm::exp(dice.between(libm::log(4_000.0), libm::log(60_000.0)))) as u32;
        let near_miss = match seed % 9 {
            0 => Some(NearMiss::EarlyCrowd),
            3 => Some(NearMiss::LineOut),
            6 => Some(NearMiss::GateFault),
            _ => None,
        };
        let kick_off =
            SEASON + i64::from(dice.whole(0, 30)) * 1_440 * MINUTE + (i64::from(dice.whole(14, 21)) * 60 + i64::from(dice.whole(0, 4)) * 15) * MINUTE;
        let lanes = f64::from(expected) / LANE_PER_H / dice.between(0.7, 0.95);
        let groups = 2 + dice.index(3);
        let weights: Vec<f64> = (0..groups).map(|_| dice.between(0.8, 1.2)).collect();
        let sum: f64 = weights.iter().sum();
        let group = |weight: &f64| Group { lanes: (libm::ceil(lanes * weight / sum) as u32).max(2), share: weight / sum };
        let is_hot = dice.happens(0.2);
        Self {
            seed,
            near_miss,
            attendance: libm::round(f64::from(expected) * dice.between(0.93, 1.01)) as u32,
            kick_off,
            delay_min: if dice.happens(0.12) { 15 * i64::from(dice.whole(1, 3)) } else { 0 },
            extra_time: dice.happens(0.15),
            expected,
            groups: weights.iter().map(group).collect(),
            rail_share: dice.between(0.15, 0.55),
            early_min: 78.0 + dice.normal(0.0, 5.0) + if near_miss == Some(NearMiss::EarlyCrowd) { 30.0 } else { 0.0 },
            spread_min: dice.between(24.0, 32.0),
            headway_min: i64::from(dice.whole(5, 11)),
            is_scanned: expected < 9_000,
            wbgt_c: if is_hot { dice.between(27.0, 31.0) } else { dice.between(12.0, 26.0) },
            rain_mm_h: if dice.happens(0.25) { dice.between(0.5, 8.0) } else { 0.0 },
            dead_counter: dice.happens(0.25).then(|| (dice.index(groups), i64::from(dice.whole(10, 120)), i64::from(dice.whole(5, 30)))),
            gap: dice.happens(0.1).then(|| (i64::from(dice.whole(10, 150)), i64::from(dice.whole(2, 5)))),
            miss: (i64::from(dice.whole(60, 100)), i64::from(dice.whole(8, 20))),
        }
    }

    /// Its records and the world that they are read in.
    ///
    /// # Errors
    /// When the profiles or the drawn venue have faults.
    pub fn stage(&self, profiles: &[SourceFile]) -> Result<(Arc<World>, Vec<Record>), String> {
        let world = world_of(profiles, "quiet.toml", self.venue())?;
        Ok((world, super::quiet_flow::records(self)))
    }

    /// How long it is watched, h.
    pub fn hours(&self) -> f64 {
        let (from, to) = self.watched();
        (to - from) as f64 / (60 * MINUTE) as f64
    }

    /// From four hours before kick-off to an hour and a half after the end, epoch ms.
    pub(super) fn watched(&self) -> (i64, i64) {
        (self.kick_off - 240 * MINUTE, self.end() + 90 * MINUTE)
    }

    /// The final whistle.
    pub(super) fn end(&self) -> i64 {
        self.kick_off + (self.delay_min + if self.extra_time { EXTRA_MIN } else { REGULAR_MIN }) * MINUTE
    }

    /// The services that are planned for the way home. A plan knows neither of a delay nor of extra time: it begins at the regular end, and runs for an hour and a half after the latest that
    /// a cup match may come to.
    fn services(&self) -> (i64, i64) {
        (self.kick_off + REGULAR_MIN * MINUTE, self.kick_off + (EXTRA_MIN + 90) * MINUTE)
    }

    /// Share of the spectators planned to have come so many minutes before kick-off.
    pub(super) fn planned_share(minutes_before: f64) -> f64 {
        logistic((78.0 - minutes_before) / 16.0)
    }

    /// The venue's file: approaches, forecourt, a queue and a gate for each group, bowl, exits and a platform, sized for those who are expected.
    fn venue(&self) -> String {
        let mut text = format!(
            "id = \"{VENUE}\"\nname = \"Quiet\"\ncity = \"Nowhere\"\nregion = \"quiet\"\ntime_zone = \"Africa/Casablanca\"\ncapacity = {c}\nillustrative = true\nprofile = \"fr-ma-2030\"\npane = \"1min\"\n",
            c = self.capacity()
        );
        let expected = f64::from(self.expected);
        let _ = writeln!(text, "zones = [");
        let _ = writeln!(
            text,
            "  {{ id = \"platform\", kind = \"platform\", area_m2 = {:.0}, capacity = {:.0} }},",
            500.0 + expected * 0.06,
            1_000.0 + expected * self.rail_share * 0.8
        );
        let _ = writeln!(text, "  {{ id = \"forecourt\", kind = \"forecourt\", area_m2 = {:.0}, closed = true }},", 1_000.0 + expected * 0.3);
        let _ = writeln!(text, "  {{ id = \"bowl\", kind = \"bowl\", area_m2 = {:.0}, capacity = {}, closed = true }},", expected * 0.5, self.capacity());
        for (i, group) in self.groups.iter().enumerate() {
            let _ = writeln!(text, "  {{ id = \"queue-{i}\", kind = \"gate_queue\", area_m2 = {:.0}, closed = true }},", 50.0 * f64::from(group.lanes));
        }
        let exit_m = expected / 82.0 / 8.0 * 1.5;
        let _ = writeln!(text, "]\nlinks = [");
        let _ = writeln!(
            text,
            "  {{ id = \"from-rail\", kind = \"corridor\", from = \"platform\", to = \"forecourt\", width_m = {:.0} }},",
            6.0 + expected / 6_000.0
        );
        let _ = writeln!(text, "  {{ id = \"road\", kind = \"open\", to = \"forecourt\", width_m = {:.0} }},", 10.0 + expected / 5_000.0);
        for i in 0..self.groups.len() {
            let _ = writeln!(text, "  {{ id = \"to-{i}\", kind = \"open\", from = \"forecourt\", to = \"queue-{i}\", width_m = 8 }},");
            let _ = writeln!(text, "  {{ id = \"g{i}\", kind = \"gate\", from = \"queue-{i}\", to = \"bowl\", width_m = 6 }},");
        }
        for name in ["exit-a", "exit-b", "exit-c"] {
            let _ = writeln!(
                text,
                "  {{ id = \"{name}\", kind = \"door\", from = \"bowl\", width_m = {exit_m:.1}, exit_of = \"bowl\", opens_before_end = \"10min\" }},"
            );
        }
        let _ = writeln!(text, "]\ngates = [");
        for (i, group) in self.groups.iter().enumerate() {
            let _ = writeln!(text, "  {{ id = \"g{i}\", link = \"g{i}\", queue = \"queue-{i}\", lanes = {}, lane_rate_per_h = {LANE_PER_H} }},", group.lanes);
        }
        let _ = writeln!(text, "]\nstops = [ {{ id = \"RAIL\", zone = \"platform\" }} ]");
        let _ = writeln!(text, "approaches = [ {{ id = \"rail\", stops = [\"RAIL\"] }}, {{ id = \"road\", links = [\"road\"] }} ]");
        text.push_str(SOURCES);
        let _ = writeln!(text, "sensors = [");
        for link in ["from-rail", "road", "exit-a", "exit-b", "exit-c"] {
            let _ = writeln!(text, "  {{ id = \"c-{link}\", source = \"counters\", link = \"{link}\" }},");
        }
        for i in 0..self.groups.len() {
            let _ = writeln!(
                text,
                "  {{ id = \"c-to-{i}\", source = \"counters\", link = \"to-{i}\" }},\n  {{ id = \"c-g{i}\", source = \"counters\", link = \"g{i}\" }},"
            );
            let _ = writeln!(text, "  {{ id = \"s-g{i}\", source = \"counters\", gate = \"g{i}\", interval = \"5min\" }},");
        }
        for name in ["exit-a", "exit-b", "exit-c"] {
            let _ = writeln!(text, "  {{ id = \"s-{name}\", source = \"counters\", door = \"{name}\", interval = \"5min\" }},");
        }
        let _ = writeln!(text, "]");
        let curve: Vec<String> = (0..=16).map(|k| 240 - k * 15).map(|m| format!("[{}, {:.4}]", -m, Self::planned_share(f64::from(m)))).collect();
        let (from, to) = self.services();
        let seats = expected * self.rail_share;
        let _ = writeln!(
            text,
            "matches = [ {{ id = \"m\", home = \"A\", away = \"B\", kick_off = \"{}\", expected_attendance = {}, tickets = {{ bowl = {} }}, approach_shares = {{ rail = {:.3}, road = {:.3} }}, arrival_curve = [{}], services = [ {{ stop = \"RAIL\", from = \"{}\", to = \"{}\", vehicles = {}, capacity = 1000 }} ] }} ]",
            rfc3339(self.kick_off),
            self.expected,
            self.expected,
            self.rail_share,
            1.0 - self.rail_share,
            curve.join(", "),
            rfc3339(from),
            rfc3339(to),
            libm::ceil(seats * 3.5 / 1_000.0 * (to - from) as f64 / (90 * MINUTE) as f64),
        );
        text
    }

    fn capacity(&self) -> u32 {
        libm::ceil(f64::from(self.expected) * 1.06) as u32
    }
}

const SOURCES: &str = r#"sources = [
  { id = "counters", feed = "sensors", disorder = "0s", lateness = "2min", silence = "5min" },
  { id = "rail", feed = "transport", disorder = "0s", lateness = "5min", silence = "10min" },
  { id = "tickets", feed = "ticketing", disorder = "0s", lateness = "15min", silence = "10min" },
  { id = "ops", feed = "commands", disorder = "0s", lateness = "1h", silence = "5min" },
]
"#;

pub(super) fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-x))
}

fn rfc3339(at: i64) -> String {
    chrono::DateTime::from_timestamp_millis(at).map_or_else(String::new, |at| at.to_rfc3339())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_third_are_near_misses_and_nights_differ_in_every_way() {
        let nights: Vec<Night> = (0..180).map(Night::draw).collect();
        assert_eq!(nights.iter().filter(|night| night.near_miss.is_some()).count(), 60);
        let some = |what: fn(&Night) -> bool| (1..nights.len()).contains(&nights.iter().filter(|night| what(night)).count());
        assert!(some(|n| n.delay_min > 0) && some(|n| n.extra_time) && some(|n| n.rain_mm_h > 0.0) && some(|n| n.wbgt_c > 28.0));
        assert!(some(|n| n.dead_counter.is_some()) && some(|n| n.gap.is_some()) && some(|n| n.attendance > 30_000));
    }
}

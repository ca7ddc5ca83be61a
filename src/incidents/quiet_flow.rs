//! A quiet night, minute by minute: people come in trains and on foot, stand in line, sit, and go home; counters, gates, doors and scanners tell of it.

use super::quiet::{LANE_PER_H, NearMiss, Night, VENUE, logistic};
use super::stream::Record;
use crate::simulate::chance::{Chance, Part};
use crate::venue::Feed;
use serde_json::{Value, json};

const MINUTE: i64 = 60_000;
/// Walks: from the train to the forecourt, and from there to the queue, min.
const WALK: usize = 4;

/// Everything that the night's systems say, in the order in which it comes.
pub(super) fn records(night: &Night) -> Vec<Record> {
    let mut play = Play::new(night);
    let (from, to) = night.watched();
    play.low_water(from);
    let mut at = from;
    while at < to {
        play.minute(at);
        at += MINUTE;
        play.low_water(at);
    }
    // Scans of several gates lie between one another; stable, so that at one instant what was said first stays first.
    play.records.sort_by_key(|record| record.at);
    play.records
}

struct Play<'a> {
    night: &'a Night,
    dice: Chance,
    records: Vec<Record>,
    /// Persons who arrived by rail and wait for the next train's minute.
    on_trains: f64,
    /// Persons on their way to the forecourt and to the queues, by minute to go.
    walking: [u32; WALK],
    queues: Vec<u32>,
    inside: u32,
    came: u32,
    going_by_rail: u32,
    scans: u64,
}

impl<'a> Play<'a> {
    fn new(night: &'a Night) -> Self {
        let dice = Chance::new(night.seed, VENUE, Part::People);
        let queues = vec![0; night.groups.len()];
        Self { night, dice, records: Vec::new(), on_trains: 0.0, walking: [0; WALK], queues, inside: 0, came: 0, going_by_rail: 0, scans: 0 }
    }

    /// The minute that begins at `at`.
    fn minute(&mut self, at: i64) {
        self.match_events(at);
        self.weather(at);
        self.states(at);
        let (rail, road) = self.arrivals(at);
        let boarding = self.boarding(at);
        let value = json!({"type": "passengers", "stop": "RAIL", "from": at, "to": at + MINUTE, "alighting": rail, "boarding": boarding});
        self.tell(Feed::Transport, "rail", at + MINUTE - 1, value);
        self.count(at, "c-from-rail", rail, 0);
        self.count(at, "c-road", road, 0);
        self.entry(at, rail + road);
        self.egress(at);
        if self.dice.happens(f64::from(self.inside).min(40_000.0) / 40_000.0 * 0.01) {
            let id = format!("{}-{at}", self.night.seed);
            self.tell(Feed::Sensors, "counters", at, json!({"type": "call", "call_id": id, "at": at, "zone": "bowl", "kind": "first_aid"}));
        }
    }

    /// Minutes before the planned kick-off.
    fn before(&self, at: i64) -> i64 {
        (self.night.kick_off - at) / MINUTE
    }

    fn is_missing(&self, at: i64) -> bool {
        let (begin, length) = self.night.miss;
        let since = begin - self.before(at);
        (0..length).contains(&since)
    }

    /// Persons who arrive in the minute, by rail and by road.
    fn arrivals(&mut self, at: i64) -> (u32, u32) {
        let night = self.night;
        let share = |minutes: i64| logistic((night.early_min - minutes as f64) / (night.spread_min * 0.6));
        let (before, wet) = (self.before(at), if night.rain_mm_h > 2.0 { 6 } else { 0 });
        let mean = f64::from(night.attendance) * (share(before - 1 + wet) - share(before + wet));
        let noise = self.dice.normal(0.0, libm::sqrt(mean.max(0.0)) * 1.2);
        let due = (mean + noise).max(0.0).min(f64::from(night.attendance.saturating_sub(self.came)));
        let is_out = night.near_miss == Some(NearMiss::LineOut) && self.is_missing(at);
        let rail_share = if is_out { 0.35 * night.rail_share } else { night.rail_share };
        self.on_trains += due * rail_share;
        let is_train = before.rem_euclid(night.headway_min) == 0;
        let rail = if is_train { std::mem::take(&mut self.on_trains) } else { 0.0 };
        let (rail, road) = (libm::round(rail) as u32, libm::round(due * (1.0 - rail_share)) as u32);
        self.came += rail + road;
        (rail, road)
    }

    fn entry(&mut self, at: i64, arriving: u32) {
        let ready = self.walking[0];
        self.walking.rotate_left(1);
        self.walking[WALK - 1] = arriving;
        let mut left = ready;
        for i in 0..self.night.groups.len() {
            let share = if i + 1 == self.night.groups.len() { left } else { (libm::round(f64::from(ready) * self.night.groups[i].share) as u32).min(left) };
            left -= share;
            self.count(at, &format!("c-to-{i}"), share, 0);
            self.queues[i] += share;
            let lanes = self.lanes_open(i, at);
            let rate = f64::from(lanes) * LANE_PER_H / 60.0 * self.dice.between(0.95, 1.05);
            let passed = (libm::round(rate) as u32).min(self.queues[i]);
            self.queues[i] -= passed;
            self.inside += passed;
            self.count(at, &format!("c-g{i}"), passed, 0);
            if self.night.is_scanned {
                self.scan(at, i, passed);
            }
        }
    }

    fn lanes_open(&self, group: usize, at: i64) -> u32 {
        let lanes = self.night.groups[group].lanes;
        let is_faulty = self.night.near_miss == Some(NearMiss::GateFault) && group == 0 && self.is_missing(at);
        if is_faulty { lanes - lanes / 3 } else { lanes }
    }

    fn scan(&mut self, at: i64, group: usize, passed: u32) {
        let rejected = (0..passed).filter(|_| self.dice.happens(0.012)).count() as u32;
        for n in 0..passed + rejected {
            let time = at + MINUTE * i64::from(n) / i64::from(passed + rejected);
            let result = if n < passed { "ok" } else { "rejected" };
            self.scans += 1;
            let id = format!("{}-{}", self.night.seed, self.scans);
            self.tell(
                Feed::Ticketing,
                "tickets",
                time,
                json!({"type": "scan", "scan_id": id, "gate": format!("g{group}"), "result": result, "event_time": time}),
            );
        }
    }

    /// A few leave early, most in a quarter of an hour after the whistle.
    fn egress(&mut self, at: i64) {
        let after = (at - self.night.end()) / MINUTE;
        let share = match after {
            -12..0 => 0.004,
            0..6 => 0.10,
            6.. => 0.16,
            _ => 0.0,
        };
        let going = (libm::ceil(f64::from(self.inside) * share) as u32).min(self.inside);
        self.inside -= going;
        let by_rail = libm::round(f64::from(going) * self.night.rail_share) as u32;
        self.going_by_rail += by_rail;
        let third = going / 3;
        for (name, persons) in [("c-exit-a", third), ("c-exit-b", third), ("c-exit-c", going - 2 * third)] {
            self.count(at, name, persons, 0);
        }
    }

    fn boarding(&mut self, at: i64) -> u32 {
        let after = (at - self.night.end()) / MINUTE;
        if after < 10 || after % 4 != 0 {
            return 0;
        }
        let boarding = self.going_by_rail.min(4_000);
        self.going_by_rail -= boarding;
        boarding
    }

    fn match_events(&mut self, at: i64) {
        let (night, delay) = (self.night, self.night.delay_min * MINUTE);
        let since = (at - night.kick_off - delay) / MINUTE;
        if delay > 0 && at == night.kick_off - 30 * MINUTE {
            let to = night.kick_off + delay;
            self.tell(Feed::Commands, "ops", at, json!({"type": "match", "match_id": "m", "at": at, "event": "delayed_to", "to": to}));
        }
        let event = match since {
            0 => "kick_off",
            47 => "half_time",
            62 => "second_half",
            111 if night.extra_time => "extra_time",
            _ if at == night.end() => "final_whistle",
            _ => return,
        };
        self.tell(Feed::Commands, "ops", at, json!({"type": "match", "match_id": "m", "at": at, "event": event}));
    }

    fn weather(&mut self, at: i64) {
        if self.before(at) % 10 == 0 {
            let cooling = (at - self.night.watched().0) as f64 / (180 * MINUTE) as f64;
            let (wbgt, rain) = (tenth(self.night.wbgt_c - cooling), tenth(self.night.rain_mm_h));
            self.tell(Feed::Sensors, "counters", at, json!({"type": "weather", "station": "roof", "at": at, "wbgt_c": wbgt, "rain_mm_h": rain}));
        }
    }

    fn states(&mut self, at: i64) {
        if self.before(at) % 5 == 0 || self.is_missing(at) {
            for i in 0..self.night.groups.len() {
                let lanes = self.lanes_open(i, at);
                self.tell(Feed::Sensors, "counters", at, json!({"type": "state", "sensor": format!("s-g{i}"), "at": at, "state": "open", "lanes_open": lanes}));
            }
        }
        // The exits are opened by the clock of the plan, a quarter of an hour before the regular end.
        let opening = self.night.kick_off + (self.night.delay_min + 90) * MINUTE;
        let is_open = at >= opening;
        if self.before(at) % 5 == 0 || at == opening {
            for name in ["s-exit-a", "s-exit-b", "s-exit-c"] {
                let state = if is_open { "open" } else { "closed" };
                self.tell(Feed::Sensors, "counters", at, json!({"type": "state", "sensor": name, "at": at, "state": state}));
            }
        }
    }

    /// A count of the minute, unless its counter says nothing; counters miss or add a few.
    fn count(&mut self, at: i64, sensor: &str, inwards: u32, outwards: u32) {
        let is_in = |begin: i64, length: i64, before: i64| (0..length).contains(&(begin - before));
        let before = self.before(at);
        let is_dead = self.night.dead_counter.is_some_and(|(group, begin, length)| sensor == format!("c-g{group}") && is_in(begin, length, before));
        if is_dead || self.night.gap.is_some_and(|(begin, length)| is_in(begin, length, before)) {
            return;
        }
        let seen = libm::round(f64::from(inwards) * self.dice.normal(1.0, 0.004)).max(0.0) as u32;
        self.tell(
            Feed::Sensors,
            "counters",
            at + MINUTE - 1,
            json!({"type": "count", "sensor": sensor, "from": at, "to": at + MINUTE, "in": seen, "out": outwards}),
        );
    }

    fn low_water(&mut self, at: i64) {
        for (source, feed) in [("counters", Feed::Sensors), ("rail", Feed::Transport), ("tickets", Feed::Ticketing), ("ops", Feed::Commands)] {
            self.tell(feed, source, at, json!({"type": "low_water", "at": at}));
        }
    }

    fn tell(&mut self, feed: Feed, source: &str, at: i64, mut value: Value) {
        value["venue"] = VENUE.into();
        self.records.push(Record { at, feed, source: source.to_owned(), value: value.to_string() });
    }
}

fn tenth(value: f64) -> f64 {
    libm::round(value * 10.0) / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_who_comes_goes_in_and_home_again() {
        let night = Night { dead_counter: None, gap: None, ..Night::draw(4) };
        let mut sums = std::collections::BTreeMap::<String, u64>::new();
        for record in records(&night) {
            let value: Value = serde_json::from_str(&record.value).unwrap();
            if value["type"] == "count" {
                *sums.entry(value["sensor"].as_str().unwrap().to_owned()).or_default() += value["in"].as_u64().unwrap();
            }
        }
        let sum = |prefix: &str| sums.iter().filter(|(name, _)| name.starts_with(prefix)).map(|(_, sum)| *sum).sum::<u64>() as f64;
        let attendance = f64::from(night.attendance);
        assert!((sum("c-g") / attendance - 1.0).abs() < 0.03, "{} of {attendance}", sum("c-g"));
        assert!((sum("c-exit") / sum("c-g") - 1.0).abs() < 0.03);
    }

    #[test]
    fn a_night_is_a_function_of_its_seed() {
        assert_eq!(records(&Night::draw(7)), records(&Night::draw(7)));
        assert_ne!(records(&Night::draw(7)), records(&Night::draw(8)));
    }
}

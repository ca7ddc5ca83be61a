//! The devices: counters that miss some, cameras that guess, gates that tell their state, scanners that lose the network.

use super::Options;
use super::chance::Chance;
use super::flow::{Flow, ScanResult, Scanned};
use super::outbox::{Keeping, Outbox};
use super::routes::Routes;
use super::script::Script;
use crate::venue::{Feed, GateId, Measures, SensorId, SourceId, Venue};

/// An hour: how far the wrong clock is ahead, ms.
const WRONG_BY_MS: i64 = 3_600_000;

/// All devices of a venue.
pub(super) struct Devices {
    sensors: Vec<Device>,
    scans: Option<SourceId>,
    scan_numbers: Vec<u32>,
    /// Where each ticket's pseudonym begins: another one every night.
    salt: u64,
}

struct Device {
    source: SourceId,
    measures: Measures,
    interval: u32,
    /// Shares of the people whom a counter overlooks and counts twice.
    misses: f64,
    doubles: f64,
    is_dead: bool,
    seen: [u64; 2],
    number: u64,
    said: Option<(&'static str, u32)>,
}

/// What devices look at.
pub(super) struct Sight<'a> {
    pub(super) venue: &'a Venue,
    pub(super) routes: &'a Routes,
    pub(super) script: &'a Script,
    pub(super) flow: &'a Flow,
}

impl Devices {
    pub(super) fn new(venue: &Venue, options: &Options, chance: &mut Chance) -> Self {
        let is_gate = |measures: Measures| matches!(measures, Measures::Link { link, .. } if venue.gates.iter().any(|gate| gate.link == link));
        let sensors = venue.sensors.iter().map(|sensor| {
            // A turnstile counts arms that turn; a camera counts heads.
            let (misses, doubles) = if is_gate(sensor.measures) { (0.002, 0.0005) } else { (chance.between(0.008, 0.02), chance.between(0.004, 0.012)) };
            let gain = options.gain_error_permille.map(|permille| chance.normal(0.0, f64::from(permille) / 1_000.0));
            let (misses, doubles) = gain.map_or((misses, doubles), |gain| ((-gain).max(0.0), gain.max(0.0)));
            let is_dead = options.dead_counter.as_deref() == Some(&*sensor.id);
            let interval = u32::try_from(sensor.interval.as_millis() / 1_000).unwrap_or(10).max(1);
            Device { source: sensor.source, measures: sensor.measures, interval, misses, doubles, is_dead, seen: [0; 2], number: 0, said: None }
        });
        Self {
            sensors: sensors.collect(),
            scans: venue.sources.iter().position(|source| source.feed == Feed::Ticketing).map(SourceId::from),
            scan_numbers: vec![0; venue.gates.len()],
            salt: (chance.unit() * 1e15) as u64,
        }
    }

    /// What the sensors say at the beginning of a second.
    pub(super) fn report(&mut self, now: u32, sight: &Sight<'_>, outbox: &mut Outbox, chance: &mut Chance) {
        for index in 0..self.sensors.len() {
            let device = &mut self.sensors[index];
            let id = SensorId::from(index);
            let is_silent = sight.script.silent.is_some_and(|spell| spell.holds(id, now));
            let ahead = if sight.script.wrong_clock.is_some_and(|spell| spell.holds(id, now)) { WRONG_BY_MS } else { 0 };
            match device.measures {
                // What is read at the very end would be the first word of a pane that the night does not play.
                Measures::Nothing => {}
                Measures::Gate(_) | Measures::Door(_) | Measures::Zone(_) if now == sight.script.seconds => {}
                Measures::Gate(gate) => device.tell_state(now, gate, id, sight, outbox, chance),
                Measures::Door(_) => device.tell_door(now, id, sight, outbox, chance),
                _ if now == 0 || !now.is_multiple_of(device.interval) => {}
                Measures::Zone(zone) => {
                    let persons = f64::from(sight.flow.occupancy[zone.index()]);
                    let guess = chance.normal(persons, 0.05 * persons + 1.0).max(0.0) as u32;
                    device.say_heads(now, guess, id, sight, outbox, chance);
                }
                Measures::Link { link, reversed } => {
                    let totals = sight.flow.crossed[link.index()];
                    let counted = [0, 1].map(|side| device.count((totals[side] - device.seen[side]) as u32, chance));
                    device.seen = totals;
                    let counted = if reversed { [counted[1], counted[0]] } else { counted };
                    if !is_silent && !device.is_dead {
                        device.say_count(now, counted, ahead, id, sight, outbox, chance);
                    }
                }
            }
        }
    }

    /// What the scanners saw in a second.
    pub(super) fn scan(&mut self, seen: &Scanned, sight: &Sight<'_>, outbox: &mut Outbox, chance: &mut Chance) {
        let Some(source) = self.scans else {
            return;
        };
        let gate = sight.routes.gates[usize::from(seen.gate)].gate;
        let configured = &sight.venue.gates[gate.index()];
        let number = &mut self.scan_numbers[gate.index()];
        *number += 1;
        let at = sight.script.millis(seen.second) + i64::from(chance.whole(0, 1_000));
        let direction = if seen.what == ScanResult::Left { "exit" } else { "entry" };
        let result = match seen.what {
            ScanResult::Rejected(reason) => format!(r#""rejected","reason":"{reason}""#),
            ScanResult::Entered | ScanResult::Left => r#""ok""#.to_owned(),
        };
        let lane = 1 + chance.whole(0, configured.lanes);
        let ticket = xxhash_rust::xxh3::xxh3_64_with_seed(&seen.person.to_le_bytes(), self.salt);
        let (venue, id, visitor) = (&sight.venue.id, &configured.id, sight.flow.people[seen.person as usize].visitor.word());
        let upload = sight.script.offline.iter().find(|spell| spell.holds(gate, seen.second)).map(|spell| upload_time(sight.script, spell.to, lane));
        let offline = upload.map_or_else(String::new, |upload| format!(r#","offline":true,"recorded_time":{upload}"#));
        let value = format!(
            r#"{{"type":"scan","scan_id":"{venue}-{id}-{number}","venue":"{venue}","gate":"{id}","result":{result},"event_time":{at},"direction":"{direction}","perimeter":"inner","lane":"{lane}","device":"{id}-{lane}","ticket":"{ticket:016x}","visitor":"{visitor}"{offline}}}"#
        );
        match upload {
            Some(upload) => outbox.put(source, at, upload + i64::from(chance.whole(0, 4_000)), None, value.into_bytes()),
            None => outbox.send(source, at, Keeping::Prompt, value.into_bytes(), chance),
        }
    }
}

/// When an offline lane uploads: each a little later than the one before, eight to ten minutes after the network is back.
fn upload_time(script: &Script, back: u32, lane: u32) -> i64 {
    script.millis(back + 480 + (lane * 10).min(110))
}

impl Device {
    /// How many of `n` the counter counts.
    fn count(&self, n: u32, chance: &mut Chance) -> u32 {
        n - chance.share(n, self.misses) + chance.share(n, self.doubles)
    }

    #[allow(clippy::too_many_arguments, reason = "what is said, when, and what carries it")]
    fn say_count(&mut self, now: u32, [inwards, outwards]: [u32; 2], ahead: i64, id: SensorId, sight: &Sight<'_>, outbox: &mut Outbox, chance: &mut Chance) {
        self.number += 1;
        let to = sight.script.millis(now);
        let from = sight.script.millis(now - self.interval.min(now));
        let value = format!(
            r#"{{"type":"count","sensor":"{}","venue":"{}","from":{},"to":{},"in":{inwards},"out":{outwards},"seq":{}}}"#,
            sight.venue.sensors[id.index()].id,
            sight.venue.id,
            from + ahead,
            to + ahead,
            self.number
        );
        if ahead == 0 {
            outbox.send(self.source, to - 1, Keeping::Prompt, value.into_bytes(), chance);
        } else {
            // Only the device's own clock is wrong: the receipt is right.
            outbox.put(self.source, to - 1 + ahead, to + 200 + i64::from(chance.whole(0, 1_000)), None, value.into_bytes());
        }
    }

    fn say_heads(&mut self, now: u32, persons: u32, id: SensorId, sight: &Sight<'_>, outbox: &mut Outbox, chance: &mut Chance) {
        self.number += 1;
        let at = sight.script.millis(now);
        let sensor = &sight.venue.sensors[id.index()].id;
        let value = format!(r#"{{"type":"occupancy","sensor":"{sensor}","venue":"{}","at":{at},"persons":{persons},"seq":{}}}"#, sight.venue.id, self.number);
        outbox.send(self.source, at, Keeping::Prompt, value.into_bytes(), chance);
    }

    /// Exits stand open the whole night.
    fn tell_door(&self, now: u32, id: SensorId, sight: &Sight<'_>, outbox: &mut Outbox, chance: &mut Chance) {
        if now.is_multiple_of(self.interval) {
            let (sensor, venue, at) = (&sight.venue.sensors[id.index()].id, &sight.venue.id, sight.script.millis(now));
            let value = format!(r#"{{"type":"state","sensor":"{sensor}","venue":"{venue}","at":{at},"state":"open"}}"#);
            outbox.send(self.source, at, Keeping::Prompt, value.into_bytes(), chance);
        }
    }

    /// A gate tells its state at every change, and once in its interval all the same.
    fn tell_state(&mut self, now: u32, gate: GateId, id: SensorId, sight: &Sight<'_>, outbox: &mut Outbox, chance: &mut Chance) {
        let lanes = sight.script.lanes_open(gate, sight.venue.gates[gate.index()].lanes, now);
        let word = match lanes {
            _ if sight.script.broken_gate.holds(gate, now) => "fault",
            0 => "closed",
            _ => "open",
        };
        if self.said == Some((word, lanes)) && !now.is_multiple_of(self.interval) {
            return;
        }
        self.said = Some((word, lanes));
        let at = sight.script.millis(now);
        let sensor = &sight.venue.sensors[id.index()].id;
        let value = format!(r#"{{"type":"state","sensor":"{sensor}","venue":"{}","at":{at},"state":"{word}","lanes_open":{lanes}}}"#, sight.venue.id);
        outbox.send(self.source, at, Keeping::Prompt, value.into_bytes(), chance);
    }
}

//! Records that are broken on purpose, one of each kind in turn: whatever reads them must name them and move nothing.

use super::chance::Chance;
use super::outbox::Outbox;
use crate::venue::{Feed, Measures, Sensor, SourceId, Venue};

/// A broken record comes so often, s.
const EVERY_S: u32 = 40;

/// Breaks records.
pub(super) struct Breakage {
    next: usize,
    chance: Chance,
}

/// (feed, what is sent): `{v}` is the venue, `{t}` the time, `{f}` ten seconds before it, `{s}` a sensor that exists.
const KINDS: [(Feed, &str); 12] = [
    (Feed::Sensors, "this is not JSON"),
    (Feed::Sensors, r#"{"type":"count","sensor":"no-such-sensor","venue":"{v}","from":{f},"to":{t},"in":1}"#),
    (Feed::Sensors, r#"{"type":"count","sensor":"{s}","venue":"{v}","from":{f},"in":1}"#),
    (Feed::Sensors, r#"{"type":"count","sensor":"{s}","venue":"{v}","from":{f},"to":{t},"in":-3}"#),
    (Feed::Sensors, r#"{"type":"count","sensor":"{s}","venue":"{v}","from":{f},"to":{t},"in":"seven"}"#),
    (Feed::Sensors, r#"{"type":"occupancy","sensor":"{s}","venue":"{v}","at":"2030-06-16T20:00:00","persons":5}"#),
    (Feed::Sensors, r#"{"type":"occupancy","sensor":"{s}","venue":"{v}","at":2223000000000,"persons":5}"#),
    (Feed::Sensors, r#"{"type":"count","sensor":"{s}","venue":"nowhere","from":{f},"to":{t},"in":1}"#),
    (Feed::Sensors, r#"{"type":"mood","sensor":"{s}","venue":"{v}","at":{t}}"#),
    (Feed::Ticketing, r#"{"type":"scan","scan_id":"broken-{t}","venue":"{v}","gate":"no-such-gate","result":"ok","event_time":{t}}"#),
    (Feed::Ticketing, r#"{"type":"scan","venue":"{v}","result":"ok","event_time":{t}"#),
    // A protobuf frame that ends in the middle of its header.
    (Feed::Transport, "\u{a}\u{d}\u{a}\u{3}2.0"),
];

impl Breakage {
    pub(super) fn new(chance: Chance) -> Self {
        Self { next: 0, chance }
    }

    /// Sends the next broken record, if it is time.
    pub(super) fn report(&mut self, now: u32, at: i64, venue: &Venue, outbox: &mut Outbox) {
        if now == 0 || !now.is_multiple_of(EVERY_S) {
            return;
        }
        let (feed, text) = KINDS[self.next % KINDS.len()];
        let is_first_round = self.next == KINDS.len() - 1;
        self.next += 1;
        // The record comes from the source of the sensor that it names, so that only its own fault is wrong with it.
        let heads = text.contains("\"occupancy\"");
        let fits = |sensor: &&Sensor| matches!((sensor.measures, heads), (Measures::Zone(_), true) | (Measures::Link { .. }, false));
        let sensors: Vec<&Sensor> = venue.sensors.iter().filter(fits).collect();
        let sensor = sensors.get(self.chance.index(sensors.len())).filter(|_| feed == Feed::Sensors);
        let of_feed = || venue.sources.iter().position(|source| source.feed == feed).map(SourceId::from);
        let Some(source) = sensor.map(|sensor| sensor.source).or_else(of_feed) else {
            return;
        };
        let sensor = sensor.map_or("", |sensor| &*sensor.id);
        let mut value =
            text.replace("{v}", &venue.id).replace("{t}", &at.to_string()).replace("{f}", &(at - 10_000).to_string()).replace("{s}", sensor).into_bytes();
        if is_first_round {
            // Once in a night, one that is far too large.
            value.resize(2_000_000, b' ');
        }
        let format = (feed == Feed::Transport).then_some(super::railway::FRAME_FORMAT);
        outbox.put(source, at, at + 200 + i64::from(self.chance.whole(0, 1_000)), format, value);
    }
}

//! A small world and its records, so that the engine's tests read as stories: `night().with(count("c-in", 0, 7, 0)).with(low_water("counters", 30))`.
//!
//! ```text
//!  outside ─in (c-in)─► queue ─g1 (c-g1, scans)─► bowl ─door (c-door, in 5 min)─► lounge      stop rail ─► queue
//! ```
//!
//! Times are seconds after [`START`], which begins a pane. Sources: `counters`, `slow` (5-minute counts, as of 310 s ago), `tickets`, `rail`, `ops`.

use super::journal::Line;
use super::{Alert, Control, Effects, Engine, OutTopic, Placement, Settings, StateChange, Sums};
use crate::feeds::{Batch, REOPENED, RecordRef};
use crate::inference::{Answer, Ask, Call, ModelCardRef, Outcome as ModelOutcome};
use crate::time::EventTime;
use crate::venue::load::{SourceFile, load};
use crate::venue::{Feed, World};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Two hours before kick-off, epoch ms.
pub(crate) const START: i64 = 1_907_863_200_000;

const VENUE: &str = r#"
id = "small"
name = "Small"
city = "Here"
region = "r"
time_zone = "Africa/Casablanca"
capacity = 5000
profile = "fr-ma-2030"
pane = "10s"
keep_panes = "1min"
zones = [
  { id = "queue", kind = "gate_queue", area_m2 = 400, capacity = 1000 },
  { id = "bowl", kind = "bowl", area_m2 = 2000, capacity = 5000 },
  { id = "lounge", kind = "stand", area_m2 = 300, capacity = 500 },
]
links = [
  { id = "in", kind = "open", to = "queue", width_m = 4 },
  { id = "g1", kind = "gate", from = "queue", to = "bowl", width_m = 3 },
  { id = "door", kind = "door", from = "bowl", to = "lounge", width_m = 2 },
]
gates = [ { id = "g1", link = "g1", queue = "queue", lanes = 4, lane_rate_per_h = 600 } ]
stops = [ { id = "RAIL", zone = "queue" } ]
sources = [
  { id = "counters", feed = "sensors", disorder = "5s", lateness = "2min", interval = "10s", silence = "60s" },
  { id = "slow", feed = "sensors", disorder = "5s", lateness = "10min", as_of_lag = "310s", interval = "5min", silence = "10min" },
  { id = "tickets", feed = "ticketing", disorder = "5s", lateness = "2min", silence = "60s" },
  { id = "rail", feed = "transport", disorder = "10s", lateness = "5min", as_of_lag = "90s", interval = "1min", silence = "3min" },
  { id = "ops", feed = "commands", disorder = "0s", lateness = "1h", silence = "30s" },
]
sensors = [
  { id = "c-in", source = "counters", link = "in" },
  { id = "c-g1", source = "counters", link = "g1" },
  { id = "s-g1", source = "counters", gate = "g1", interval = "1min" },
  { id = "c-door", source = "slow", link = "door", interval = "5min" },
]
matches = [ { id = "m1", home = "A", away = "B", kick_off = "2030-06-16T21:40:00Z", expected_attendance = 4000 } ]
"#;

/// The world: the venue above.
pub(crate) fn world() -> Arc<World> {
    world_with("")
}

/// The world with more sensors, each with a comma behind it.
pub(crate) fn world_with(sensors: &str) -> Arc<World> {
    world_of(|venue| venue.replace("sensors = [\n", &format!("sensors = [\n{sensors}\n")))
}

/// The world with its venue's file changed.
pub(crate) fn world_of(change: impl Fn(String) -> String) -> Arc<World> {
    world_of_files(|venue| vec![change(venue.to_owned())])
}

/// The world of the files that are made of its venue's.
pub(crate) fn world_of_files(files: impl Fn(&str) -> Vec<String>) -> Arc<World> {
    let profile = include_str!("../../config/profiles/fr-ma-2030.toml");
    let file = |path: &str, text: &str| SourceFile { path: path.into(), text: text.into() };
    let kick_off = chrono::DateTime::from_timestamp_millis(START + 7_200_000).unwrap().to_rfc3339();
    let venues = files(&VENUE.replace("2030-06-16T21:40:00Z", &kick_off));
    let venues = venues.iter().enumerate().map(|(number, text)| file(&format!("small-{number}.toml"), text));
    Arc::new(load(&std::iter::once(file("profile.toml", profile)).chain(venues).collect::<Vec<_>>()).unwrap())
}

/// A record to be read.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) feed: Feed,
    pub(crate) source: &'static str,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Vec<u8>,
    pub(crate) format: Option<&'static str>,
    pub(crate) received: Option<i64>,
    pub(crate) appended: Option<i64>,
    pub(crate) partition: u32,
    /// Event time, seconds, for those who put records in order.
    pub(crate) at: i64,
    /// Where it was late, if it is taken back in.
    pub(crate) reopens: Option<String>,
    /// Whether it must keep its place among its source's records: it is late, or promises something of those around it.
    pub(crate) keeps_place: bool,
}

impl Record {
    /// Received so many seconds after [`START`].
    pub(crate) fn received(mut self, secs: i64) -> Self {
        self.received = Some(START + secs * 1_000);
        self
    }

    /// Appended by the broker so many seconds after [`START`].
    pub(crate) fn appended(mut self, secs: i64) -> Self {
        self.appended = Some(START + secs * 1_000);
        self
    }

    /// As it is read at an offset.
    pub(crate) fn as_read(&self, offset: i64) -> RecordRef<'_> {
        RecordRef {
            feed: self.feed,
            partition: self.partition,
            offset,
            appended: self.appended,
            received: self.received,
            key: self.key.as_deref(),
            value: &self.value,
            source: Some(self.source),
            format: self.format,
            cloud_event: self.reopens.as_deref().map(|position| (REOPENED, position)),
            attributes: crate::feeds::Attributes::default(),
        }
    }

    /// Taken back in: it was late at `position`.
    pub(crate) fn reopened(mut self, position: &str) -> Self {
        (self.reopens, self.keeps_place) = (Some(position.to_owned()), true);
        self
    }

    pub(crate) fn in_place(mut self) -> Self {
        self.keeps_place = true;
        self
    }
}

const fn ms(secs: i64) -> i64 {
    START + secs * 1_000
}

/// A record of `source` with any value.
pub(crate) fn raw(source: &'static str, at: i64, value: impl Into<Vec<u8>>) -> Record {
    let feed = match source {
        "tickets" => Feed::Ticketing,
        "rail" => Feed::Transport,
        "ops" => Feed::Commands,
        _ => Feed::Sensors,
    };
    Record {
        feed,
        source,
        key: Some(b"small".to_vec()),
        value: value.into(),
        format: None,
        received: None,
        appended: None,
        partition: 0,
        at,
        reopens: None,
        keeps_place: false,
    }
}

/// A count of the ten seconds from `from` on.
pub(crate) fn count(sensor: &str, from: i64, inwards: u32, outwards: u32) -> Record {
    count_over("counters", sensor, from, from + 10, inwards, outwards)
}

/// A count of `[from, to)` by a sensor of `source`.
pub(crate) fn count_over(source: &'static str, sensor: &str, from: i64, to: i64, inwards: u32, outwards: u32) -> Record {
    let value = format!(r#"{{"type":"count","sensor":"{sensor}","venue":"small","from":{},"to":{},"in":{inwards},"out":{outwards}}}"#, ms(from), ms(to));
    raw(source, to, value)
}

/// A scanned ticket.
pub(crate) fn scan(id: u32, at: i64) -> Record {
    raw("tickets", at, format!(r#"{{"type":"scan","scan_id":"t-{id}","venue":"small","gate":"g1","result":"ok","event_time":{},"ticket":"x{id}"}}"#, ms(at)))
}

/// Passengers who alighted in the minute from `from` on.
pub(crate) fn passengers(from: i64, alighting: u32) -> Record {
    let to = from + 60;
    let value = format!(
        r#"{{"type":"passengers","stop":"RAIL","venue":"small","from":{},"to":{},"alighting":{alighting},"boarding":0,"trip":"r{from}"}}"#,
        ms(from),
        ms(to)
    );
    raw("rail", to, value)
}

/// The gate's open lanes.
pub(crate) fn lanes(at: i64, open: u32) -> Record {
    raw("counters", at, format!(r#"{{"type":"state","sensor":"s-g1","venue":"small","at":{},"state":"open","lanes_open":{open}}}"#, ms(at)))
}

/// A source's word that nothing earlier is to come.
pub(crate) fn low_water(source: &'static str, at: i64) -> Record {
    raw(source, at, format!(r#"{{"type":"low_water","venue":"small","at":{}}}"#, ms(at))).in_place()
}

/// A command with the fields that its action needs.
pub(crate) fn command(id: &str, at: i64, action: &str) -> Record {
    raw("ops", at, format!(r#"{{"type":"command","command_id":"{id}","venue":"small","operator":"ops-1","at":{},{action}}}"#, ms(at))).in_place()
}

/// Low-water marks of these sources.
pub(crate) fn all_low(sources: &[&'static str], at: i64) -> Vec<Record> {
    sources.iter().map(|source| low_water(source, at)).collect()
}

pub(crate) const SOURCES: [&str; 5] = ["counters", "slow", "tickets", "rail", "ops"];

/// What came out: by key and in order, with what is compared in any order by source.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Outcome {
    /// Zones and alarms in order by (topic, key); late and quarantine in order by (topic, source).
    pub(crate) records: BTreeMap<(OutTopic, String), Vec<String>>,
    pub(crate) positions: Vec<String>,
    pub(crate) alerts: Vec<(Alert, bool)>,
}

impl Outcome {
    /// The JSON values of a topic, in order within each key.
    pub(crate) fn of(&self, topic: OutTopic) -> Vec<serde_json::Value> {
        let lines = self.records.iter().filter(|((of, _), _)| *of == topic).flat_map(|(_, lines)| lines);
        lines.map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The records of a place of `midan.zones`.
    pub(crate) fn place(&self, id: &str) -> Vec<serde_json::Value> {
        let lines = self.records.get(&(OutTopic::Zones, format!("small/{id}"))).into_iter().flatten();
        lines.map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The record of a place whose pane ends at `end`, of a revision.
    pub(crate) fn pane(&self, id: &str, end: i64, revision: u64) -> Option<serde_json::Value> {
        self.place(id).into_iter().find(|record| record["to"] == ms(end) && record["revision"] == revision)
    }

    /// What is compared: without the ledger's rows, which follow each partition's own order, and without positions.
    pub(crate) fn compared(&self) -> BTreeMap<(OutTopic, String), Vec<String>> {
        self.records.iter().filter(|((topic, _), _)| *topic != OutTopic::Ledger).map(|(key, lines)| (key.clone(), lines.clone())).collect()
    }
}

/// An engine that is driven as a shard drives it, with what it has said and its compacted state.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) engine: Engine,
    world: Arc<World>,
    settings: Settings,
    /// Whether the models miss their deadline at a pane.
    pub(crate) misses: fn(EventTime) -> bool,
    /// Which models the instance has beside the one that is configured, by their hashes.
    pub(crate) models: Vec<&'static str>,
    /// What the flow model says where it does not miss it.
    pub(crate) flow: fn(&Ask) -> ModelOutcome,
    /// The same of the one that was ordered.
    pub(crate) ordered: fn(&Ask) -> ModelOutcome,
    pub(crate) outcome: Outcome,
    pub(crate) state: BTreeMap<String, Vec<u8>>,
    offsets: [i64; Feed::ALL.len()],
    positioned: Vec<(OutTopic, String, String)>,
}

impl Run {
    pub(crate) fn new(placement: Placement) -> Self {
        Self::from_offsets(world(), placement, [0; Feed::ALL.len()])
    }

    /// In another world, whose venue is called `small` too.
    pub(crate) fn of(world: Arc<World>, placement: Placement) -> Self {
        Self::from_offsets(world, placement, [0; Feed::ALL.len()])
    }

    /// With a flow model, by whose name outputs tell it, and panes of five minutes.
    pub(crate) fn with_a_flow_model() -> Self {
        let card = ModelCardRef { name: "made-up".into(), version: "1.0.0".into(), sha256: "00".into() };
        Self::with(
            world_of(|venue| venue.replace("\"10s\"", "\"5min\"").replace("\"1min\"", "\"5min\"")),
            Settings { flow: Some(card), ..Settings::default() },
            [0; Feed::ALL.len()],
        )
    }

    /// A replay that follows the journal of a run.
    pub(crate) fn following(journal: Vec<Line>) -> Self {
        Self::following_in(world(), journal)
    }

    /// The same in another world.
    pub(crate) fn following_in(world: Arc<World>, journal: Vec<Line>) -> Self {
        let settings = Settings { placement: Placement::ByPane, journal: Some(Arc::new(journal)), ..Settings::default() };
        Self::with(world, settings, [0; Feed::ALL.len()])
    }

    /// A replay of this run on an instance like its own, which follows its journal and has these models beside the configured one.
    pub(crate) fn replay(&self, models: &[&'static str]) -> Self {
        self.replay_of(&[self], models)
    }

    /// The same of a night of several lives, the first of them begun on an instance like this one's.
    pub(crate) fn replay_of(&self, lives: &[&Self], models: &[&'static str]) -> Self {
        let journal = lives.iter().flat_map(|life| life.journal()).collect();
        let settings = Settings { placement: Placement::ByPane, journal: Some(Arc::new(journal)), ..self.settings.clone() };
        let (flow, ordered) = (self.flow, self.ordered);
        Self { flow, ordered, models: models.to_vec(), ..Self::with(Arc::clone(&self.world), settings, [0; Feed::ALL.len()]) }
    }

    fn from_offsets(world: Arc<World>, placement: Placement, offsets: [i64; Feed::ALL.len()]) -> Self {
        Self::with(world, Settings { placement, ..Settings::default() }, offsets)
    }

    fn with(world: Arc<World>, settings: Settings, offsets: [i64; Feed::ALL.len()]) -> Self {
        let engine = Engine::new(Arc::clone(&world), 0, 1, settings.clone());
        Self {
            engine,
            world,
            settings,
            misses: |_| false,
            models: Vec::new(),
            flow: |_| ModelOutcome::Absent,
            ordered: |_| ModelOutcome::Absent,
            outcome: Outcome::default(),
            state: BTreeMap::new(),
            offsets,
            positioned: Vec::new(),
        }
    }

    /// The records of a topic with the positions in their headers, in order.
    pub(crate) fn positioned(&self, topic: OutTopic) -> Vec<(String, String)> {
        let of_topic = self.positioned.iter().filter(|(of, ..)| *of == topic);
        of_topic.map(|(_, value, position)| (value.clone(), position.clone())).collect()
    }

    /// What it has journaled.
    pub(crate) fn journal(&self) -> Vec<Line> {
        let lines = self.outcome.records.iter().filter(|((topic, _), _)| *topic == OutTopic::Control).flat_map(|(_, lines)| lines);
        lines.map(|line| Line::read(line.as_bytes()).unwrap()).collect()
    }

    /// Reads records in batches of `size`, and commits after each.
    pub(crate) fn read(&mut self, records: &[Record], size: usize) -> &mut Self {
        for records in records.chunks(size.max(1)) {
            let mut batch = Batch::default();
            for record in records {
                let offset = &mut self.offsets[record.feed as usize];
                batch.push(&record.as_read(*offset));
                *offset += 1;
            }
            self.step(&batch, &[]);
        }
        self
    }

    /// Reads to the end of every partition, and ends.
    pub(crate) fn end(&mut self) -> &mut Self {
        self.control(&[Control::EndOfInput])
    }

    pub(crate) fn control(&mut self, controls: &[Control]) -> &mut Self {
        self.step(&Batch::default(), controls);
        self
    }

    /// Every partition is read to its end, and broker time has come so far.
    pub(crate) fn quiet_until(&mut self, secs: i64) -> &mut Self {
        let ends = Feed::ALL.map(|feed| Control::ReadToEnd { feed, next_offset: self.offsets[feed as usize] });
        self.control(&ends);
        self.control(&[Control::Tick { at: EventTime::from_millis(ms(secs)) }])
    }

    fn step(&mut self, batch: &Batch, controls: &[Control]) {
        let mut effects = self.engine.step(batch, controls);
        loop {
            let answers: Vec<Control> = effects
                .asks
                .iter()
                .map(|ask| {
                    let ordered = self.asked(&ask.calls[0]);
                    let says = match ordered {
                        Some(_) => self.ordered,
                        None if ask.calls[0].nobody => |_: &Ask| ModelOutcome::Absent,
                        None => self.flow,
                    };
                    let flow = if (self.misses)(ask.ticket.pane) { ModelOutcome::Missed } else { says(ask) };
                    Control::Models(Answer { ticket: ask.ticket, flow, anomaly: ModelOutcome::Absent, by: [ordered, None] })
                })
                .collect();
            self.note(effects);
            for (_, ledger) in self.engine.ledgers() {
                assert_eq!(ledger.total().imbalance(), (0, 0), "both sums hold after every step");
            }
            if answers.is_empty() {
                break;
            }
            effects = self.engine.step(&Batch::default(), &answers);
        }
        self.commit();
    }

    fn asked(&self, call: &Call) -> Option<ModelCardRef> {
        call.now.iter().find(|card| self.models.contains(&&*card.sha256)).cloned()
    }

    fn commit(&mut self) {
        for StateChange { key, value } in self.engine.take_state_changes() {
            let key = String::from_utf8(key).unwrap();
            match value {
                Some(value) => drop(self.state.insert(key, value)),
                None => drop(self.state.remove(&key)),
            }
        }
        self.engine.committed();
    }

    fn note(&mut self, effects: Effects) {
        for record in effects.records {
            let value = String::from_utf8(record.value).unwrap();
            if let Some(position) = &record.position {
                self.positioned.push((record.topic, value.clone(), position.clone()));
            }
            let key = match record.topic {
                OutTopic::Late | OutTopic::Quarantine => {
                    self.outcome.positions.push(record.position.expect("late and quarantined records name their position"));
                    let json: serde_json::Value = serde_json::from_str(&value).unwrap();
                    json["source"].as_str().unwrap_or("").to_owned()
                }
                _ => String::from_utf8(record.key).unwrap(),
            };
            self.outcome.records.entry((record.topic, key)).or_default().push(value);
        }
        self.outcome.alerts.extend(effects.alerts.into_iter().map(|alert| (alert.clone(), alert.after_commit)));
    }

    /// A new process: another engine that takes the state over and goes on from here.
    pub(crate) fn restarted(&self, placement: Placement) -> Self {
        self.restarted_in(Arc::clone(&self.world), placement)
    }

    /// The same under another configuration.
    pub(crate) fn restarted_in(&self, world: Arc<World>, placement: Placement) -> Self {
        self.heir(world, Settings { placement, ..self.settings.clone() }, self)
    }

    /// The same on an instance that can load no model at all.
    pub(crate) fn restarted_without_models(&self) -> Self {
        let bare = self.heir(Arc::clone(&self.world), Settings { flow: None, ..self.settings.clone() }, self);
        Self { models: Vec::new(), flow: |_| ModelOutcome::Absent, ..bare }
    }

    /// A new process on an instance like this one's, which goes on where another life ended.
    pub(crate) fn heir_of(&self, life: &Self) -> Self {
        self.heir(Arc::clone(&self.world), self.settings.clone(), life)
    }

    fn heir(&self, world: Arc<World>, settings: Settings, life: &Self) -> Self {
        let (models, offsets) = (self.models.clone(), life.offsets);
        let mut heir = Self { misses: self.misses, models, flow: self.flow, ordered: self.ordered, ..Self::with(world, settings, offsets) };
        for (key, value) in &life.state {
            heir.engine.restore(key.as_bytes(), value).unwrap();
        }
        heir.engine.restored();
        heir.state.clone_from(&life.state);
        heir
    }

    /// The state after compaction without the ledger's rows, which follow each partition's own order.
    pub(crate) fn site_state(&self) -> BTreeMap<String, Vec<u8>> {
        self.state.iter().filter(|(key, _)| !key.starts_with('~')).map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    /// The ledger of all partitions together.
    pub(crate) fn sums(&self) -> Sums {
        let mut sums = Sums::default();
        self.engine.ledgers().for_each(|(_, ledger)| sums.add(&ledger.total()));
        sums
    }
}

/// Reads all records in batches of `size` to the end, commands by pane.
pub(crate) fn played(records: &[Record], size: usize) -> Run {
    let mut run = Run::new(Placement::ByPane);
    run.read(records, size).end();
    run
}

/// The same in another world.
pub(crate) fn played_in(world: Arc<World>, records: &[Record]) -> Run {
    let mut run = Run::of(world, Placement::ByPane);
    run.read(records, 64).end();
    run
}

/// What a run said.
pub(crate) fn said(records: &[Record]) -> Outcome {
    played(records, 64).outcome
}

//! The miniature: three small venues on three partitions, two hundred seconds, 645 records, with what makes engines stumble: late and repeated records, broken ones,
//! a crowd that raises alarms, and operators' commands. The models are a stub that answers by its request alone.

use super::shaken::Shared;
use midan::engine::{Engine, Placement, Settings};
use midan::feeds::RecordRef;
use midan::inference::ask::{HORIZONS, QUANTILES};
use midan::inference::{Answer, Ask, ModelCardRef, Outcome};
use midan::shard::Models;
use midan::venue::load::{SourceFile, load};
use midan::venue::partition::partition_of;
use midan::venue::{Feed, World};
use std::sync::{Arc, OnceLock};

/// The profile of its venues.
pub(crate) const PROFILE: &str = include_str!("../../../config/profiles/fr-ma-2030.toml");
pub(super) const PARTITIONS: u32 = 3;
const VENUES: [&str; 3] = ["agadir", "fes", "oujda"];
/// Epoch ms; begins a pane.
pub(crate) const START: i64 = 1_907_863_200_000;
const LENGTH_S: i64 = 200;

const VENUE: &str = r#"
id = "NAME"
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
]
links = [
  { id = "in", kind = "open", to = "queue", width_m = 4 },
  { id = "g1", kind = "gate", from = "queue", to = "bowl", width_m = 3 },
]
gates = [ { id = "g1", link = "g1", queue = "queue", lanes = 4, lane_rate_per_h = 600 } ]
sources = [
  { id = "NAME-counters", feed = "sensors", disorder = "5s", lateness = "2min", interval = "10s", silence = "60s" },
  { id = "NAME-tickets", feed = "ticketing", disorder = "5s", lateness = "2min", silence = "60s" },
  { id = "NAME-ops", feed = "commands", disorder = "0s", lateness = "1h", silence = "30s" },
]
sensors = [
  { id = "NAME-in", source = "NAME-counters", link = "in" },
  { id = "NAME-g1", source = "NAME-counters", link = "g1" },
]
matches = [ { id = "NAME-1", home = "A", away = "B", kick_off = "KICK_OFF", expected_attendance = 4000 } ]
"#;

/// The file of a venue of this name.
pub(crate) fn venue_file(name: &str) -> String {
    let kick_off = chrono::DateTime::from_timestamp_millis(START + 7_200_000).unwrap().to_rfc3339();
    VENUE.replace("NAME", name).replace("KICK_OFF", &kick_off)
}

/// The same with a plaza that a camera watches.
fn filmed(file: &str, name: &str) -> String {
    let source = format!("sources = [\n  {{ id = \"{name}-cameras\", feed = \"sensors\", disorder = \"5s\", lateness = \"2min\", silence = \"60s\" }},\n");
    let sensor = format!("sensors = [\n  {{ id = \"{name}-cam\", source = \"{name}-cameras\", zone = \"plaza\" }},\n");
    file.replace("zones = [\n", "zones = [\n  { id = \"plaza\", kind = \"plaza\", area_m2 = 100, closed = false },\n")
        .replace("sources = [\n", &source)
        .replace("sensors = [\n", &sensor)
}

pub(super) fn world() -> Arc<World> {
    static WORLD: OnceLock<Arc<World>> = OnceLock::new();
    let built = WORLD.get_or_init(|| {
        let mut files = vec![SourceFile { path: "profile.toml".into(), text: PROFILE.into() }];
        files.extend(VENUES.iter().map(|name| SourceFile { path: format!("{name}.toml"), text: filmed(&venue_file(name), name) }));
        Arc::new(load(&files).unwrap())
    });
    Arc::clone(built)
}

pub(super) fn engine_of(partition: u32, settings: Settings) -> Engine {
    Engine::new(world(), partition, PARTITIONS, Settings { flow: Some(configured()), ..settings })
}

/// Decides by the records alone.
pub(super) fn engine(partition: u32) -> Engine {
    engine_of(partition, Settings { placement: Placement::ByPane, ..Settings::default() })
}

/// Commands take effect when they are read.
pub(super) fn live_engine(partition: u32) -> Engine {
    engine_of(partition, Settings { placement: Placement::OnArrival, ..Settings::default() })
}

/// Answers what its request alone tells it; live it is sometimes too slow, and sometimes the model that was ordered is not there.
#[derive(Default)]
pub(super) struct Stub {
    pub(super) weather: Option<Shared>,
}

impl Models for Stub {
    fn run(&mut self, ask: &Ask) -> Answer {
        let mut answer = self.run_unhurried(ask);
        if let Some(weather) = &self.weather
            && answer.by[0].is_some()
            && weather.borrow_mut().chance.hits(50)
        {
            weather.borrow_mut().tell("ordered model missing");
            answer = said(ask, None);
        }
        if let Some(weather) = &self.weather
            && weather.borrow_mut().chance.hits(20)
        {
            weather.borrow_mut().tell("deadline missed");
            answer.flow = Outcome::Missed;
        }
        answer
    }

    fn run_unhurried(&mut self, ask: &Ask) -> Answer {
        said(ask, ask.calls[0].now.first().filter(|card| card.sha256 == ORDERED))
    }
}

/// What the flow model `by`, or the configured one, and the anomaly model say to a request.
fn said(ask: &Ask, by: Option<&ModelCardRef>) -> Answer {
    let width = ask.features.len() / ask.rows.max(1);
    let of_row: Vec<f32> = (0..ask.rows).map(|row| ask.features[row * width..(row + 1) * width].iter().sum()).collect();
    let off = if by.is_some() { 0.3 } else { 0.0 };
    let flow = of_row.iter().flat_map(|sum| (0..HORIZONS * QUANTILES).map(move |i| (sum + off + i as f32 * 0.01).clamp(-3.0, 3.0))).collect();
    let anomaly = of_row.iter().map(|sum| sum.abs().min(1.0)).collect();
    Answer { ticket: ask.ticket, flow: Outcome::Ran(flow), anomaly: Outcome::Ran(anomaly), by: [by.cloned(), None] }
}

/// The hash of the model that an operator orders.
const ORDERED: &str = "abababababababababababababababababababababababababababababababab";

fn configured() -> ModelCardRef {
    ModelCardRef { name: "stub".into(), version: "1".into(), sha256: "00".into() }
}

/// A record of the miniature.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) feed: Feed,
    venue: &'static str,
    pub(super) source: String,
    value: String,
    pub(super) received: i64,
}

impl Line {
    pub(super) fn record(&self) -> RecordRef<'_> {
        RecordRef {
            feed: self.feed,
            partition: partition_of(self.venue.as_bytes(), PARTITIONS),
            offset: 0,
            appended: None,
            received: Some(self.received),
            key: Some(self.venue.as_bytes()),
            value: self.value.as_bytes(),
            source: Some(&self.source),
            format: None,
            cloud_event: None,
            attributes: Default::default(),
        }
    }
}

/// The records, in the order of their sending; `alarm` is acknowledged and put aside where one is named.
pub(super) fn lines(alarm: Option<&str>) -> Vec<Line> {
    let mut lines = Vec::new();
    for now in (0..LENGTH_S).step_by(10) {
        for (number, venue) in VENUES.into_iter().enumerate() {
            of_venue(venue, number as i64, now, alarm, &mut lines);
        }
    }
    lines
}

fn of_venue(venue: &'static str, number: i64, now: i64, alarm: Option<&str>, lines: &mut Vec<Line>) {
    let end = START + (now + 10) * 1_000;
    let mut send = |source: &str, at: i64, value: String| {
        let feed = match source {
            "counters" | "cameras" => Feed::Sensors,
            "tickets" => Feed::Ticketing,
            _ => Feed::Commands,
        };
        lines.push(Line { feed, venue, source: format!("{venue}-{source}"), value, received: at });
    };
    let count = |sensor: &str, from: i64, inwards: i64| {
        format!(r#"{{"type":"count","sensor":"{venue}-{sensor}","venue":"{venue}","from":{from},"to":{},"in":{inwards},"out":0}}"#, from + 10_000)
    };
    let scan = |id: i64, at: i64| {
        format!(r#"{{"type":"scan","scan_id":"{venue}-{id}","venue":"{venue}","gate":"g1","result":"ok","event_time":{at},"ticket":"x{id}"}}"#)
    };
    // A queue that fills until the middle and then empties slowly.
    let crowd = if now < 100 { 150 + 20 * number } else { 0 };
    send("counters", end, count("in", end - 10_000, crowd));
    send("counters", end, count("g1", end - 10_000, if now > 120 { 60 } else { 3 }));
    send("tickets", end, scan(now, end - 4_000));
    // A plaza that is dense from the middle of a pane on: judged on fast panes.
    for at in (end - 10_000..end).step_by(2_000) {
        let density = if (START + 64_000..START + 140_000).contains(&at) { 3.5 } else { 0.5 };
        let value = format!(
            r#"{{"type":"grid","sensor":"{venue}-cam","venue":"{venue}","at":{at},"cell_m":5,"nx":2,"ny":2,"density":[{density},{density},{density},{density}]}}"#
        );
        send("cameras", end, value);
    }
    send("cameras", end, format!(r#"{{"type":"low_water","venue":"{venue}","at":{end}}}"#));
    match (now / 10 + number) % 7 {
        // Late, but allowed: its pane is revised.
        1 => send("tickets", end, scan(10_000 + now, end - 40_000)),
        // A repeat.
        2 => send("counters", end, count("in", end - 10_000, crowd)),
        // Too late.
        3 if now > 150 => send("counters", end, count("g1", end - 150_000, 9)),
        // Not to be used.
        4 => send("tickets", end, "{\"type\":\"scan\"".to_owned()),
        // The same identity with another content.
        5 => send("counters", end, count("in", end - 10_000, crowd + 1)),
        _ => {}
    }
    let command = |id: &str, at: i64, action: String| {
        format!(r#"{{"type":"command","command_id":"{venue}-{id}","venue":"{venue}","operator":"ops-1","at":{at},{action}}}"#)
    };
    if now == 80 {
        send("ops", end, command("k-1", end - 3_000, r#""action":"recount","zone":"bowl","persons":300"#.to_owned()));
    }
    if now == 90 {
        let from = end + 25_000;
        let action = format!(r#""action":"swap_model","model":"stub","version":"2","sha256":"{ORDERED}","from":{from}"#);
        send("ops", end, command("k-4", end - 3_000, action));
    }
    if let Some(alarm) = alarm.filter(|alarm| alarm.contains(venue) && now == 150) {
        send("ops", end, command("k-2", end - 3_000, format!(r#""action":"ack","alarm_id":"{alarm}""#)));
        send("ops", end, command("k-3", end - 2_000, format!(r#""action":"shelve","alarm_id":"{alarm}","until":{},"reason":"works""#, end + 30_000)));
    }
    send("ops", end, format!(r#"{{"type":"low_water","venue":"{venue}","at":{end}}}"#));
}

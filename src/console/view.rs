//! The live view: what was published of each venue, ready to be served.
//!
//! A pane is shown when it is whole: the venue's own record comes last and turns what came before into the next picture. Readers never wait for the writer: each
//! venue's finished picture is one shared text, replaced at a stroke.

use super::alarms::AlarmList;
use super::place::{PlaceRecord, PlaceView, Point};
use super::questions::Questions;
use crate::alarm::{AlarmState, Change};
use crate::engine::{OutTopic, Row, Sums};
use crate::venue::Venue;
use chrono::{Offset, TimeZone};
use dashmap::DashMap;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// What a stream sends: the finished text of each kind of message, and how often it was replaced.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    /// The last whole picture.
    pub picture: Option<Arc<str>>,
    /// The alarm list.
    pub alarms: Option<Arc<str>>,
}

/// The state of one model, for the console.
#[derive(Clone, Debug, Serialize)]
pub struct ModelState {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The hash of its file.
    pub sha256: String,
    /// `active` or `fallback`.
    pub state: &'static str,
    /// Why the fallback stands in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// Everything that the console shows of all venues.
#[derive(Debug)]
pub struct LiveView {
    venues: DashMap<String, VenueView>,
    ledger: Mutex<BTreeMap<(Box<str>, u32), Sums>>,
    /// Broker time, epoch ms: the wall clock live, the simulated one in a demonstration.
    now: AtomicI64,
    models: Mutex<BTreeMap<&'static str, ModelState>>,
    questions: Questions,
}

#[derive(Debug)]
struct VenueView {
    time_zone: chrono_tz::Tz,
    places: BTreeMap<(String, String), PlaceView>,
    alarms: AlarmList,
    quarantined: BTreeMap<String, BTreeSet<String>>,
    event_time: i64,
    frames: watch::Sender<Frame>,
}

/// The venue's own record, as far as the picture needs it.
#[derive(Deserialize)]
struct VenueRecord<'a> {
    event_time: i64,
    watermark: i64,
    coverage: f64,
    #[serde(rename = "match", default, borrow)]
    match_day: Option<&'a RawValue>,
    #[serde(default, borrow)]
    entry_eta: Option<&'a RawValue>,
    #[serde(default)]
    sources: Vec<SourceReport>,
    #[serde(default, borrow)]
    model: Option<&'a RawValue>,
}

#[derive(Deserialize, Serialize)]
struct SourceReport {
    source: String,
    feed: String,
    #[serde(default)]
    age_s: Option<f64>,
    reporting: u32,
    expected: u32,
    #[serde(default)]
    quarantined: BTreeSet<String>,
}

#[derive(Serialize)]
struct Picture<'a> {
    venue: &'a str,
    event_time: i64,
    watermark: i64,
    coverage: f64,
    delay_s: f64,
    utc_offset_s: i32,
    #[serde(rename = "match")]
    match_day: Option<&'a RawValue>,
    entry_eta: Option<&'a RawValue>,
    model: &'a BTreeMap<&'static str, ModelState>,
    forecast_by: Option<&'a RawValue>,
    ledger: LedgerLine,
    places: Vec<&'a RawValue>,
    feeds: Vec<SourceReport>,
}

#[derive(Serialize)]
struct LedgerLine {
    imbalance: i64,
    #[serde(flatten)]
    sums: Sums,
}

#[derive(Serialize)]
struct Alarms<'a> {
    venue: &'a str,
    event_time: i64,
    alarms: Vec<&'a Change>,
    load: super::alarms::Load,
}

#[derive(Deserialize)]
struct QuarantineRecord {
    #[serde(default)]
    venue: Option<String>,
    #[serde(default)]
    source: Option<String>,
    #[serde(default)]
    observation: Option<QuarantinedObservation>,
}

#[derive(Deserialize)]
struct QuarantinedObservation {
    #[serde(default)]
    sensor: Option<String>,
}

impl LiveView {
    /// A view of these venues, nothing published yet.
    pub fn new<'a>(venues: impl IntoIterator<Item = &'a Venue>) -> Self {
        let view = |venue: &Venue| {
            let empty = VenueView {
                time_zone: venue.time_zone,
                places: BTreeMap::new(),
                alarms: AlarmList::default(),
                quarantined: BTreeMap::new(),
                event_time: 0,
                frames: watch::Sender::new(Frame::default()),
            };
            (venue.id.to_string(), empty)
        };
        Self {
            venues: venues.into_iter().map(view).collect(),
            ledger: Mutex::default(),
            now: AtomicI64::new(0),
            models: Mutex::default(),
            questions: Questions::default(),
        }
    }

    /// Tells the view what broker time it is, epoch ms.
    pub fn set_now(&self, now: i64) {
        self.now.fetch_max(now, Ordering::Relaxed);
    }

    /// Broker time as last told, epoch ms.
    pub fn now(&self) -> i64 {
        self.now.load(Ordering::Relaxed)
    }

    /// Tells the view how a model stands; `kind` is `flow` or `anomaly`.
    pub fn set_model(&self, kind: &'static str, state: ModelState) {
        self.models.lock().unwrap_or_else(PoisonError::into_inner).insert(kind, state);
    }

    /// Takes one output record in. What it cannot read it leaves: the topics are the service's own.
    pub fn take(&self, topic: OutTopic, value: &[u8]) {
        match topic {
            OutTopic::Zones => self.take_place(value),
            OutTopic::Alerts => self.take_change(value),
            OutTopic::Ledger => self.take_row(value),
            OutTopic::Quarantine => self.take_quarantined(value),
            OutTopic::Alarms | OutTopic::Late | OutTopic::Control | OutTopic::State => {}
        }
    }

    /// Questions to the engines.
    pub const fn questions(&self) -> &Questions {
        &self.questions
    }

    /// A stream of the venue's frames.
    pub fn watch(&self, venue: &str) -> Option<watch::Receiver<Frame>> {
        self.venues.get(venue).map(|view| view.frames.subscribe())
    }

    /// The history of a place, oldest first; empty where nothing has been published of it.
    pub fn history(&self, venue: &str, place: &str, minutes: usize) -> Vec<Point> {
        let Some(view) = self.venues.get(venue) else { return Vec::new() };
        let found = view.places.iter().find(|((_, id), _)| id == place);
        found.map(|(_, place)| place.history(minutes)).unwrap_or_default()
    }

    /// End of the last whole pane of the venue, epoch ms; 0 before the first.
    pub fn event_time(&self, venue: &str) -> Option<i64> {
        self.venues.get(venue).map(|view| view.event_time)
    }

    /// Whether that alarm stands at the venue.
    ///
    /// # Errors
    /// It does not; with those that do.
    pub(super) fn find_alarm(&self, venue: &str, alarm_id: &str) -> Result<(), String> {
        let standing: Vec<Box<str>> = self
            .venues
            .get(venue)
            .map(|view| view.alarms.list().into_iter().filter(|change| change.state != AlarmState::Normal).map(|change| change.alarm_id.clone()).collect())
            .unwrap_or_default();
        if standing.iter().any(|id| **id == *alarm_id) {
            return Ok(());
        }
        let known = if standing.is_empty() { "there is none".to_owned() } else { format!("there are {}", standing.join(", ")) };
        Err(format!("alarm_id: no alarm {alarm_id} stands at {venue}; {known}"))
    }

    /// How many alarms of each priority are active at the venue.
    pub fn active_by_priority(&self, venue: &str) -> [(&'static str, i64); 4] {
        let mut counts = [("low", 0), ("medium", 0), ("high", 0), ("top", 0)];
        if let Some(view) = self.venues.get(venue) {
            for change in view.alarms.list().into_iter().filter(|change| change.state != AlarmState::Normal) {
                counts[change.priority as usize].1 += 1;
            }
        }
        counts
    }

    fn take_place(&self, value: &[u8]) {
        let Ok(record) = serde_json::from_slice::<PlaceRecord>(value) else { return };
        let Ok(raw) = serde_json::from_slice::<Box<RawValue>>(value) else { return };
        let Some(venue) = serde_json::from_slice::<Named>(value).ok() else { return };
        let Some(mut view) = self.venues.get_mut(&venue.venue) else { return };
        if record.kind == "venue" {
            return self.finish_pane(&mut view, &venue.venue, &raw);
        }
        let key = (record.kind.clone(), record.zone.clone());
        view.places.entry(key).or_default().take(&record, raw);
    }

    fn finish_pane(&self, view: &mut VenueView, venue: &str, raw: &RawValue) {
        let Ok(record) = serde_json::from_str::<VenueRecord>(raw.get()) else { return };
        if record.event_time < view.event_time {
            return;
        }
        view.event_time = record.event_time;
        view.alarms.pass(record.event_time);
        let sums = self.ledger_sums();
        let feeds = record.sources.into_iter().map(|mut report| {
            report.quarantined = view.quarantined.get(&report.source).cloned().unwrap_or_default();
            report
        });
        let models = self.models.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let picture = Picture {
            venue,
            event_time: record.event_time,
            watermark: record.watermark,
            coverage: record.coverage,
            delay_s: (self.now() - record.event_time).max(0) as f64 / 1_000.0,
            utc_offset_s: offset_at(view.time_zone, record.event_time),
            match_day: record.match_day,
            entry_eta: record.entry_eta,
            model: &models,
            forecast_by: record.model,
            ledger: LedgerLine { imbalance: sums.imbalance().0.abs() + sums.imbalance().1.abs(), sums },
            places: view.places.values().filter_map(PlaceView::latest).collect(),
            feeds: feeds.collect(),
        };
        let Ok(text) = serde_json::to_string(&picture) else { return };
        let alarms = alarm_text(venue, view);
        view.frames.send_modify(|frame| {
            frame.picture = Some(text.into());
            frame.alarms = alarms;
        });
    }

    fn take_change(&self, value: &[u8]) {
        let Ok(change) = serde_json::from_slice::<Change>(value) else { return };
        let venue = change.venue.to_string();
        let Some(mut view) = self.venues.get_mut(&venue) else { return };
        if view.alarms.take(change) {
            let alarms = alarm_text(&venue, &view);
            view.frames.send_modify(|frame| frame.alarms = alarms);
        }
    }

    fn take_row(&self, value: &[u8]) {
        let Ok(row) = serde_json::from_slice::<Row>(value) else { return };
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        ledger.entry((row.topic, row.partition)).or_default().add(&row.sums);
    }

    fn take_quarantined(&self, value: &[u8]) {
        let Ok(record) = serde_json::from_slice::<QuarantineRecord>(value) else { return };
        let (Some(venue), Some(source)) = (record.venue, record.source) else { return };
        let Some(sensor) = record.observation.and_then(|observation| observation.sensor) else { return };
        if let Some(mut view) = self.venues.get_mut(&venue) {
            view.quarantined.entry(source).or_default().insert(sensor);
        }
    }

    fn ledger_sums(&self) -> Sums {
        let mut all = Sums::default();
        for sums in self.ledger.lock().unwrap_or_else(PoisonError::into_inner).values() {
            all.add(sums);
        }
        all
    }
}

#[derive(Deserialize)]
struct Named {
    venue: String,
}

/// The venue's offset from UTC at a time, s: told by the service, since browsers differ on years to come.
fn offset_at(zone: chrono_tz::Tz, at_ms: i64) -> i32 {
    let at = chrono::DateTime::from_timestamp_millis(at_ms).unwrap_or_default().naive_utc();
    zone.offset_from_utc_datetime(&at).fix().local_minus_utc()
}

fn alarm_text(venue: &str, view: &VenueView) -> Option<Arc<str>> {
    let alarms = Alarms { venue, event_time: view.event_time, alarms: view.alarms.list(), load: view.alarms.load() };
    serde_json::to_string(&alarms).ok().map(Arc::from)
}

//! The records of `midan.zones` as the console keeps them: the latest of each place as it was published, and a history by minute.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Minutes of history kept per place: a match night.
const KEPT_MINUTES: usize = 8 * 60;
const MINUTE_MS: i64 = 60_000;

/// What the console itself needs of a place record; the rest is passed on as it came.
#[derive(Debug, Deserialize)]
pub struct PlaceRecord {
    /// `zone`, `gate`, `link` or `venue`.
    pub kind: String,
    /// The place's id.
    pub zone: String,
    /// End of the pane, epoch ms.
    pub event_time: i64,
    /// Revision of the record.
    pub revision: u32,
    /// Share of expected sensors that reported.
    pub coverage: f64,
    /// Persons in.
    #[serde(rename = "in", default)]
    pub inwards: Option<u64>,
    /// Persons out.
    #[serde(rename = "out", default)]
    pub outwards: Option<u64>,
    /// Occupancy.
    #[serde(default)]
    pub occupancy: Option<Band>,
    /// Density.
    #[serde(default)]
    pub density: Option<Band>,
    /// Queue.
    #[serde(default)]
    pub queue: Option<Band>,
}

/// An estimate as published.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
pub struct Band {
    /// Best value.
    pub v: f64,
    /// 5 % quantile.
    pub lo: f64,
    /// 95 % quantile.
    pub hi: f64,
}

/// One minute of a place: flows summed, the rest as of its end.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Point {
    /// End of the minute, epoch ms.
    pub t: i64,
    /// Persons in.
    #[serde(rename = "in")]
    pub inwards: u64,
    /// Persons out.
    pub out: u64,
    /// Occupancy at the end.
    pub occupancy: Option<Band>,
    /// Density at the end, persons/m².
    pub density: Option<f64>,
    /// Persons queueing at the end.
    pub queue: Option<f64>,
}

/// One place: its latest record and its history.
#[derive(Debug, Default)]
pub struct PlaceView {
    latest: Option<(i64, Box<RawValue>)>,
    minutes: BTreeMap<i64, Point>,
    /// Flows of the last panes by their end, so that a revision replaces and does not add.
    panes: BTreeMap<i64, (u64, u64)>,
}

impl PlaceView {
    /// Takes a record in, new or revised.
    pub fn take(&mut self, record: &PlaceRecord, raw: Box<RawValue>) {
        let flows = (record.inwards.unwrap_or(0), record.outwards.unwrap_or(0));
        let before = self.panes.insert(record.event_time, flows).unwrap_or_default();
        while self.panes.len() > 120 {
            self.panes.pop_first();
        }
        self.add_to_minute(record, flows, before);
        if self.latest.as_ref().is_none_or(|(at, _)| record.event_time >= *at) {
            self.latest = Some((record.event_time, raw));
        }
    }

    /// The latest record as it was published.
    pub fn latest(&self) -> Option<&RawValue> {
        self.latest.as_ref().map(|(_, raw)| &**raw)
    }

    /// The history, oldest first, of the last `minutes`.
    pub fn history(&self, minutes: usize) -> Vec<Point> {
        let skip = self.minutes.len().saturating_sub(minutes);
        self.minutes.values().skip(skip).cloned().collect()
    }

    fn add_to_minute(&mut self, record: &PlaceRecord, flows: (u64, u64), before: (u64, u64)) {
        let end = record.event_time.saturating_sub(1).div_euclid(MINUTE_MS).saturating_add(1).saturating_mul(MINUTE_MS);
        let empty = || Point { t: end, inwards: 0, out: 0, occupancy: None, density: None, queue: None };
        let point = self.minutes.entry(end).or_insert_with(empty);
        point.inwards = (point.inwards + flows.0).saturating_sub(before.0);
        point.out = (point.out + flows.1).saturating_sub(before.1);
        if record.revision == 0 {
            point.occupancy = record.occupancy;
            point.density = record.density.map(|density| density.v);
            point.queue = record.queue.map(|queue| queue.v);
        }
        while self.minutes.len() > KEPT_MINUTES {
            self.minutes.pop_first();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(event_time: i64, revision: u32, inwards: u64) -> (PlaceRecord, Box<RawValue>) {
        let text = format!(r#"{{"kind":"zone","zone":"bowl","event_time":{event_time},"revision":{revision},"coverage":1.0,"in":{inwards},"out":0}}"#);
        (serde_json::from_str(&text).unwrap(), RawValue::from_string(text).unwrap())
    }

    #[test]
    fn a_revision_replaces_its_pane_in_the_minute() {
        let mut place = PlaceView::default();
        for (event_time, revision, inwards) in [(10_000, 0, 5), (20_000, 0, 7), (10_000, 1, 6)] {
            let (record, raw) = record(event_time, revision, inwards);
            place.take(&record, raw);
        }
        assert_eq!(place.history(10)[0].inwards, 13);
        assert!(place.latest().unwrap().get().contains("20000"));
    }
}

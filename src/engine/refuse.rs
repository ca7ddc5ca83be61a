//! What goes to `midan.late` and `midan.quarantine`: the reason, and the neutral form without identifiers; the input's position stands in the header.

use super::effects::{OutRecord, OutTopic};
use super::placement::RefusedCommand;
use crate::feeds::observation::What;
use crate::feeds::{Fault, Observation, RecordRef, neutral};
use crate::time::{EventTime, Span};
use crate::venue::Venue;
use serde::Serialize;
use serde_json::Value;

#[derive(Serialize)]
struct Late<'a> {
    v: u32,
    venue: &'a str,
    source: &'a str,
    reason: &'static str,
    lag_ms: u64,
    from: EventTime,
    to: EventTime,
    #[serde(skip_serializing_if = "Option::is_none")]
    observation: Option<Value>,
}

#[derive(Serialize)]
struct Quarantined<'a> {
    v: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    venue: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
    reason: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    field: &'a str,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    observation: Option<Value>,
}

/// `topic/partition/offset`.
pub(super) fn position(record: &RecordRef<'_>) -> String {
    format!("{}/{}/{}", record.feed.topic(), record.partition, record.offset)
}

/// How many persons or cells of a snapshot are written out. With more of them the text could outgrow a message; the input stands at the position.
const READABLE: usize = 8_192;

fn readable(observation: &Observation, venue: &Venue) -> Option<Value> {
    let size = match &observation.what {
        What::Tracks(tracks) => tracks.len(),
        What::Grid(grid) => grid.density.len(),
        _ => 0,
    };
    (size <= READABLE).then(|| neutral::to_json(observation, venue))
}

/// An observation that came later than its source is allowed.
pub(super) fn late(venue: &Venue, observation: &Observation, lag: Span, record: &RecordRef<'_>) -> OutRecord {
    let source = &venue.sources[observation.source.index()];
    let to = venue.pane.end_of(observation.at.after(source.as_of_lag));
    let value = Late {
        v: 1,
        venue: &venue.id,
        source: &source.id,
        reason: "late",
        lag_ms: lag.as_millis(),
        from: venue.pane.start(to),
        to,
        observation: readable(observation, venue),
    };
    OutRecord {
        topic: OutTopic::Late,
        key: venue.id.as_bytes().to_vec(),
        value: serde_json::to_vec(&value).unwrap_or_default(),
        position: Some(position(record)),
    }
}

/// An observation that cannot be used.
pub(super) fn observation(venue: &Venue, observation: &Observation, fault: &Fault, record: &RecordRef<'_>) -> OutRecord {
    let source = venue.sources.get(observation.source.index()).map(|source| &*source.id);
    quarantined(Some(&venue.id), source, fault, readable(observation, venue), venue.id.as_bytes(), position(record))
}

/// Part of a record, or a whole one, that cannot be used.
pub(super) fn record(venue: Option<&Venue>, source: Option<&str>, fault: &Fault, record: &RecordRef<'_>) -> OutRecord {
    // A key that is no venue's, or a source that is none of its, may be anything, a ticket too: neither is repeated.
    let key = venue.map_or(&[][..], |venue| venue.id.as_bytes());
    let source = source.filter(|name| venue.is_some_and(|venue| venue.find_source(name).is_some()));
    quarantined(venue.map(|venue| &*venue.id), source, fault, None, key, position(record))
}

/// A command that could not be carried out when its place came.
pub(super) fn command(venue: &Venue, refused: &RefusedCommand) -> OutRecord {
    quarantined(Some(&venue.id), None, &refused.fault, None, venue.id.as_bytes(), refused.position.clone())
}

fn quarantined(venue: Option<&str>, source: Option<&str>, fault: &Fault, observation: Option<Value>, key: &[u8], position: String) -> OutRecord {
    let value = Quarantined { v: 1, venue, source, reason: fault.reason.word(), field: &fault.field, detail: &fault.detail, observation };
    OutRecord { topic: OutTopic::Quarantine, key: key.to_vec(), value: serde_json::to_vec(&value).unwrap_or_default(), position: Some(position) }
}

//! What the railway tells: passengers when a train has left, and a GTFS-Realtime frame every half minute.
//!
//! The few messages of GTFS-Realtime that a frame needs are written out here with their tags, so that the simulation does not lean on the decoder
//! that it is to test.

use super::chance::Chance;
use super::outbox::{Keeping, Outbox};
use super::script::Script;
use super::trains::{Platform, TRAIN_CAPACITY, Train};
use crate::venue::{Feed, SourceId, StopId, Venue};
use prost::Message;
use std::collections::BTreeMap;

/// The content type of a frame.
pub(super) const FRAME_FORMAT: &str = "application/x-protobuf";
const FRAME_EVERY_S: u32 = 30;
/// Trains are announced so long before they come, s.
const ANNOUNCED_S: u32 = 1_800;

/// The railway's own systems.
pub(super) struct Railway {
    source: Option<SourceId>,
    /// By entry: its stop and the next train to be counted.
    stops: BTreeMap<usize, (StopId, usize)>,
}

impl Railway {
    /// A railway whose platforms stand at these entries; each must have a stop to be told of.
    pub(super) fn new(venue: &Venue, platforms: &BTreeMap<usize, Platform>, routes: &super::routes::Routes) -> Self {
        let stop_at = |entry: usize| venue.stops.iter().position(|stop| stop.zone == Some(routes.entries[entry].zone)).map(StopId::from);
        Self {
            source: venue.sources.iter().position(|source| source.feed == Feed::Transport).map(SourceId::from),
            stops: platforms.keys().filter_map(|entry| Some((*entry, (stop_at(*entry)?, 0)))).collect(),
        }
    }

    /// What it says at the beginning of a second.
    pub(super) fn report(&mut self, now: u32, venue: &Venue, script: &Script, platforms: &BTreeMap<usize, Platform>, outbox: &mut Outbox, chance: &mut Chance) {
        let Some(source) = self.source else {
            return;
        };
        for (entry, (stop, next)) in &mut self.stops {
            let Some(train) = platforms.get(entry).and_then(|platform| platform.trains.get(*next)) else {
                continue;
            };
            if train.departure <= now {
                *next += 1;
                let value = passengers(train, *stop, venue, script);
                outbox.send(source, script.millis(train.departure) - 1, Keeping::Slow, value, chance);
            }
        }
        if now.is_multiple_of(FRAME_EVERY_S) && !self.stops.is_empty() {
            let at = script.millis(now);
            let frame = self.frame(now, venue, script, platforms, chance).encode_to_vec();
            outbox.put(source, at, at + 500 + i64::from(chance.whole(0, 1_500)), Some(FRAME_FORMAT), frame);
        }
    }

    fn frame(&self, now: u32, venue: &Venue, script: &Script, platforms: &BTreeMap<usize, Platform>, chance: &mut Chance) -> FeedMessage {
        let mut entities = Vec::new();
        for (entry, (stop, next)) in &self.stops {
            let trains = platforms.get(entry).and_then(|platform| platform.trains.get(*next..)).unwrap_or_default();
            for train in trains.iter().take_while(|train| train.arrival < now + ANNOUNCED_S) {
                let stop = venue.stops[stop.index()].id.to_string();
                let age = i64::from(chance.whole(3, 60));
                entities.push(trip_update(train, &stop, now, script));
                entities.push(vehicle(train, stop, now, script.millis(now) / 1_000 - age));
            }
        }
        let header = FeedHeader { version: "2.0".into(), incrementality: 0, timestamp: (script.millis(now) / 1_000) as u64 };
        FeedMessage { header: Some(header), entity: entities }
    }
}

fn passengers(train: &Train, stop: StopId, venue: &Venue, script: &Script) -> Vec<u8> {
    let value = serde_json::json!({
        "type": "passengers",
        "stop": &*venue.stops[stop.index()].id,
        "venue": &*venue.id,
        "from": script.millis(train.arrival),
        "to": script.millis(train.departure),
        "alighting": train.load,
        "boarding": train.boarded,
        "line": line_of(train),
        "trip": train.trip,
        "occupancy_percentage": train.load * 100 / TRAIN_CAPACITY,
    });
    value.to_string().into_bytes()
}

/// A line is named by the letter that its trips begin with.
fn line_of(train: &Train) -> String {
    train.trip.chars().take(1).collect()
}

fn trip(train: &Train) -> Option<TripDescriptor> {
    Some(TripDescriptor { trip_id: train.trip.clone(), route_id: line_of(train) })
}

fn trip_update(train: &Train, stop: &str, now: u32, script: &Script) -> FeedEntity {
    let delay = train.arrival as i32 - train.planned as i32;
    let event = |second: u32| Some(StopTimeEvent { delay, time: script.millis(second) / 1_000 });
    let status = Some(occupancy_status(train.load));
    let update = StopTimeUpdate { stop_id: stop.to_owned(), arrival: event(train.arrival), departure: event(train.departure), occupancy: status };
    let trip_update = TripUpdate { trip: trip(train), stop_time_update: vec![update], timestamp: (script.millis(now) / 1_000) as u64 };
    FeedEntity { id: format!("t-{}", train.trip), trip_update: Some(trip_update), vehicle: None }
}

fn vehicle(train: &Train, stop_id: String, now: u32, timestamp: i64) -> FeedEntity {
    let current_status = match train.arrival.saturating_sub(now) {
        0 => STOPPED_AT,
        1..=60 => INCOMING_AT,
        _ => IN_TRANSIT_TO,
    };
    let position = VehiclePosition {
        trip: trip(train),
        current_status,
        timestamp: timestamp as u64,
        stop_id,
        occupancy_status: Some(occupancy_status(train.load)),
        occupancy_percentage: Some(train.load * 100 / TRAIN_CAPACITY),
    };
    FeedEntity { id: format!("v-{}", train.trip), trip_update: None, vehicle: Some(position) }
}

const INCOMING_AT: i32 = 0;
const STOPPED_AT: i32 = 1;
const IN_TRANSIT_TO: i32 = 2;

/// From EMPTY (0) to FULL (5).
fn occupancy_status(load: u32) -> i32 {
    match load * 100 / TRAIN_CAPACITY {
        0..5 => 0,
        5..35 => 1,
        35..60 => 2,
        60..90 => 3,
        90..99 => 4,
        _ => 5,
    }
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct FeedMessage {
    #[prost(message, optional, tag = "1")]
    header: Option<FeedHeader>,
    #[prost(message, repeated, tag = "2")]
    pub(super) entity: Vec<FeedEntity>,
}

#[derive(Clone, PartialEq, Message)]
struct FeedHeader {
    #[prost(string, required, tag = "1")]
    version: String,
    #[prost(int32, required, tag = "2")]
    incrementality: i32,
    #[prost(uint64, required, tag = "3")]
    timestamp: u64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct FeedEntity {
    #[prost(string, required, tag = "1")]
    id: String,
    #[prost(message, optional, tag = "3")]
    trip_update: Option<TripUpdate>,
    #[prost(message, optional, tag = "4")]
    vehicle: Option<VehiclePosition>,
}

#[derive(Clone, PartialEq, Message)]
struct TripUpdate {
    #[prost(message, optional, tag = "1")]
    trip: Option<TripDescriptor>,
    #[prost(message, repeated, tag = "2")]
    stop_time_update: Vec<StopTimeUpdate>,
    #[prost(uint64, required, tag = "4")]
    timestamp: u64,
}

#[derive(Clone, PartialEq, Message)]
struct StopTimeUpdate {
    #[prost(message, optional, tag = "2")]
    arrival: Option<StopTimeEvent>,
    #[prost(message, optional, tag = "3")]
    departure: Option<StopTimeEvent>,
    #[prost(string, required, tag = "4")]
    stop_id: String,
    #[prost(int32, optional, tag = "7")]
    occupancy: Option<i32>,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct StopTimeEvent {
    #[prost(int32, required, tag = "1")]
    delay: i32,
    #[prost(int64, required, tag = "2")]
    time: i64,
}

#[derive(Clone, PartialEq, Message)]
struct TripDescriptor {
    #[prost(string, required, tag = "1")]
    trip_id: String,
    #[prost(string, required, tag = "5")]
    route_id: String,
}

#[derive(Clone, PartialEq, Message)]
struct VehiclePosition {
    #[prost(message, optional, tag = "1")]
    trip: Option<TripDescriptor>,
    #[prost(int32, required, tag = "4")]
    current_status: i32,
    #[prost(uint64, required, tag = "5")]
    timestamp: u64,
    #[prost(string, required, tag = "7")]
    stop_id: String,
    #[prost(int32, optional, tag = "9")]
    occupancy_status: Option<i32>,
    #[prost(uint32, optional, tag = "10")]
    occupancy_percentage: Option<u32>,
}

//! What public transport sends: GTFS-Realtime frames, SIRI deliveries, and counts of passengers; and the static timetable that names its stops.

pub mod gtfs_realtime;
pub mod gtfs_static;
pub mod passengers;
pub mod siri;

/// GTFS-Realtime's messages, made from `proto/gtfs-realtime.proto` when the crate is built.
pub mod wire {
    #![allow(missing_docs, reason = "the proto file documents them")]
    include!(concat!(env!("OUT_DIR"), "/transit_realtime.rs"));
}

//! Midan: event-time operations for major sporting events.
//!
//! The crate is built in layers; a lower one never imports a higher one (`tests/it/layers.rs` fails when one does).
//!
//! ```text
//!  5  edges      audit config kafka log onnx door shard simulate incidents replay console publish telemetry cli …    everything that touches the outside
//!  4  engine     one partition's venues: step(records, controls) → effects, snapshot, restore
//!  3  detect     picture + forecast + scores → findings          alarm     findings → alarms with an operator life cycle
//!  2  crowd      panes → picture      forecast   features, profiles      inference   manifests, tensors, requests
//!  1  feeds      wire format → observation                        window    panes, lateness, revisions, duplicates
//!  0  time       event time, clocks                               venue     the static world, names interned to dense ids
//! ```
//!
//! Within a layer: `venue` → `time`; `window` → `feeds`; `forecast` → `crowd`, `inference`; `inference` stands alone; `alarm` → `detect`.
//! Layers 0 to 4 are the pure core: no clock, no randomness, no environment, no I/O, no logging. Time comes in with the data,
//! so the same records give the same bytes, live, in replay and in the tests.

pub mod alarm;
pub mod audit;
pub mod cli;
pub mod config;
pub mod console;
pub mod crowd;
pub mod detect;
pub mod door;
pub mod engine;
pub mod feeds;
pub mod forecast;
pub mod incidents;
pub mod inference;
pub mod kafka;
pub mod log;
pub mod onnx;
pub mod replay;
pub mod results;
pub mod shard;
pub mod simulate;
pub mod summary;
pub mod telemetry;
pub mod time;
pub mod venue;
pub mod window;

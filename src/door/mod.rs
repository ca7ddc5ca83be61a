//! The door: what is not keyed by venue and co-partitioned comes in here (DESIGN §3).
//!
//! The idea: the door keeps no state but offsets. It takes a payload from a webhook, a polled address, a foreign topic or a file, looks into it only as far as it must
//! (to find the venue, to refuse what nobody could read, to take tickets out), and writes it to the right partition with its content type, its source and the time
//! at which it came. Whoever sent a payload hears that it was taken only when the log has it; so a restart, a repeat or a rebalance loses nothing, and what is
//! written twice collapses downstream, by the identities of the formats.
//!
//! ```text
//!   webhook ─┐                                                 ┌─► feeds.transport
//!   polled  ─┼─► admit: venue? readable? tickets out ─► queue ─► writer ─► feeds.ticketing
//!   topic   ─┤     │            │                      (bounded)└─► feeds.sensors
//!   file    ─┘     └ ignored    └ refused: told to the sender, or to midan.quarantine
//! ```
//!
//! - [`settings`]: `config/door.toml`; [`route`]: from a payload to records; [`split`]: a network-wide frame by venue; [`schema`], [`avro`], [`registry`]: Avro and Protobuf.
//! - [`webhook`], [`poll`], [`topic`], [`files`]: where payloads come from; [`writer`]: where they go; [`ledger`]: what became of each.

mod ask;
pub mod avro;
pub mod files;
pub mod ledger;
pub mod poll;
pub mod rate;
pub mod registry;
pub mod route;
pub mod run;
pub mod schema;
pub mod settings;
pub mod split;
pub mod topic;
pub mod webhook;
pub mod writer;

pub use run::{Door, DoorError};
pub use settings::DoorSettings;

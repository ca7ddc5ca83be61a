//! The static world: regions, venues and what stands in them, with every name interned to a dense id.
//!
//! The idea: names are for people and for the wire; inside, a zone is a small number, so that a pane is a handful of dense arrays.
//! The world is read once (`load`), checked whole (every fault at once, each with its place), and changes only by a reload at an event time.
//!
//! - [`ids`]: the dense ids; [`names`]: name → id.
//! - [`world`]: all venues; [`model`]: what a venue consists of; [`section`]: what a zone may safely hold; [`plan`]: what is planned for a match; [`opening`]: when people are expected there; [`holidays`]: which days are like another day of the week; [`profile`]: the thresholds that a venue's zones choose from.
//! - [`roll`]: all that a venue's configurations have, under one numbering; [`frame`]: what of a configuration its state hangs on; [`quick`]: which sources judge what cannot wait, and how far ahead of the others.
//! - [`load`]: configuration texts → world, or every fault in them; [`report`](mod@report): a sound world in a few lines.
//! - [`wire`]: what a source's records mean beyond their format; [`mapping`]: what any other JSON or CSV means.
//! - [`mod@layout`]: an illustrative venue from a stadium's public facts; [`geojson`]: zones drawn in a geographic information system.
//! - [`partition`]: which partition a venue's records belong on.

pub mod frame;
pub mod geojson;
pub mod holidays;
pub mod ids;
pub mod layout;
pub mod load;
pub mod mapping;
pub mod model;
pub mod names;
pub mod opening;
pub mod partition;
pub mod plan;
pub mod profile;
pub mod quick;
pub mod report;
pub mod roll;
pub mod section;
pub mod wire;
pub mod world;

/// A time zone of the IANA database.
pub use chrono_tz::Tz as TimeZone;
pub use holidays::Holidays;
pub use ids::{ApproachId, GateId, LinkId, PerimeterId, SensorId, SourceId, StopId, VenueId, ZoneId};
pub use layout::layout;
pub use load::{ConfigFault, SourceFile, load, load_mapping, load_profile};
pub use model::{Exit, Feed, FlowTable, Gate, Link, LinkKind, Match, Measures, Perimeter, PerimeterKind, Sensor, Shape, Source, Stop, Venue, Zone, ZoneKind};
pub use names::Names;
pub use opening::Opening;
pub use plan::{Approach, Plan, Service};
pub use profile::Profile;
pub use report::report;
pub use section::{SafeCapacity, Section};
pub use wire::{Called, TicketKeys, Wire};
pub use world::{Later, World};

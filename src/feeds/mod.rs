//! From bytes to observations: one folder a feed, one file a format, one list of formats.
//!
//! The idea: a decoder knows the wire and the world's names, and nothing of windows or crowds. It turns one record into observations
//! whose names are already dense ids, or says what is wrong and where. It never panics, whatever the bytes.
//!
//! ```text
//!   record ─► size ─► key = venue ─► source ─► which format? ─► decoder ─► items
//!                                              header, source's, "type"
//! ```
//!
//! - [`record`]: a record as it was read, in a batch that shares one buffer.
//! - [`observation`]: what was observed, with its event time and identity.
//! - [`fault`]: why a record or an observation is of no use.
//! - [`FORMATS`]: every format, with a sample; a new one is a file and a line there (and a row in `docs/FORMATS-IN.md`).
//! - [`sensors`], [`ticketing`], [`transport`], [`operations`]: the formats, by the feed they come on.
//! - [`neutral`]: an observation written back as neutral JSON, for `midan.late` and `midan.quarantine`.

mod canonical;
pub mod fault;
mod fields;
mod format;
pub mod mapped;
mod moment;
pub mod neutral;
pub mod observation;
pub mod operations;
mod origin;
mod plain;
pub mod record;
#[cfg(test)]
pub(crate) mod sample;
pub mod sensors;
pub mod ticketing;
pub mod transport;
mod vendor;

pub use fault::{Fault, Reason};
pub use format::Format;
pub use observation::{Entity, Observation, What};
pub use record::{Attributes, Batch, REOPENED, RecordRef};

use crate::venue::World;
use fields::Fields;
use format::Decoder;
use origin::Origin;

/// The largest record that is looked into, in bytes: above Kafka's default for a producer (1 MB), and a network-wide frame of a large city is
/// about 300 kB. A larger one is a fault of its sender and is not parsed.
pub const MAX_RECORD_BYTES: usize = 1 << 20;

/// Every format that comes in. A test walks the list: each sample decodes, each has its row in the docs, and none panics on any bytes.
pub const FORMATS: &[Format] = &[
    sensors::count::FORMAT,
    sensors::occupancy::FORMAT,
    sensors::state::FORMAT,
    sensors::tracks::FORMAT,
    sensors::grid::FORMAT,
    sensors::call::FORMAT,
    sensors::weather::FORMAT,
    sensors::health::FORMAT,
    sensors::axis_push::FORMAT,
    sensors::axis_pull::FORMAT,
    sensors::xovis::FORMAT,
    ticketing::scan::FORMAT,
    ticketing::pretix::FORMAT,
    transport::gtfs_realtime::FORMAT,
    transport::siri::FORMAT,
    transport::passengers::FORMAT,
    operations::match_event::FORMAT,
    operations::plan::FORMAT,
    operations::command::FORMAT,
    operations::low_water::FORMAT,
    mapped::FORMAT,
];

/// What a decoder hands on for one thing that it found in a record.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// Something was observed.
    Observation(Observation),
    /// An operator's command.
    Command(observation::Command),
    /// An observation that cannot be used; the rest of the record can.
    Unusable {
        /// Its source, where that could be told.
        source: Option<crate::venue::SourceId>,
        /// Why.
        fault: Fault,
    },
    /// Something that concerns no configured place of the venue (a train elsewhere): counted, not lost.
    Ignored,
    /// So many fields of the record are in no contract: not an observation, but a number that tells of a sender's new version. Comes last, and only if there are any.
    UnknownFields(u32),
}

/// Decodes a record: hands each thing found in it to `each`, in the record's own order.
///
/// # Errors
/// The whole record is of no use, and `each` was not called: too large, no configured venue or source, no known format, not
/// what the format says, a field missing or wrong.
pub fn decode(record: &RecordRef<'_>, world: &World, each: &mut dyn FnMut(Item)) -> Result<(), Fault> {
    if record.value.len() > MAX_RECORD_BYTES {
        return Err(Fault::new(Reason::TooLarge, format!("has {} bytes, more than {MAX_RECORD_BYTES}", record.value.len())));
    }
    let origin = Origin::of(record, world)?;
    origin.check_attributes(record)?;
    let told = format::told(record, &origin)?;
    if let Some(Decoder::Bytes(decode)) = told.map(|format| format.decoder) {
        return decode(record.value, &origin.without_cloud_event(), each);
    }
    let mut fields = Fields::default();
    fields.read(record.value)?;
    let format = match told {
        Some(format) => format,
        None => format::of_type(&fields, record.feed)?,
    };
    json(format, &fields, &origin, each)
}

fn json(format: &Format, fields: &Fields<'_>, origin: &Origin<'_>, each: &mut dyn FnMut(Item)) -> Result<(), Fault> {
    let Decoder::Json(known, decode) = format.decoder else {
        return Err(Fault::in_field(Reason::UnknownFormat, "type", format!("\"{}\" is not a JSON format", format.name)));
    };
    format.check_type(fields)?;
    origin.check_venue(fields)?;
    match decode(fields, origin) {
        Ok(item) => each(item),
        // The record reads well; only the place that it names is not configured (or is another kind of place).
        Err(fault) if fault.reason == Reason::UnknownName => each(Item::Unusable { source: origin.source_id(), fault }),
        Err(fault) => return Err(fault),
    }
    match fields.unknown(known) {
        0 => {}
        unknown => each(Item::UnknownFields(unknown)),
    }
    Ok(())
}

#[cfg(test)]
mod tests;

//! `occupancy`: heads in a zone at an instant, as a camera or a floor sensor sees them. Never a share of time, never a percentage.

use crate::feeds::Item;
use crate::feeds::canonical::Canonical;
use crate::feeds::fault::Fault;
use crate::feeds::fields::{Field, FieldSet, Fields};
use crate::feeds::format::{Decoder, Format};
use crate::feeds::observation::{Entity, Observation, What};
use crate::feeds::origin::{Kind, Origin};
use crate::time::EventTime;
use crate::venue::Feed;

/// The format.
pub const FORMAT: Format = Format {
    name: "occupancy",
    type_name: "midan.occupancy.v1",
    media_types: &["application/vnd.midan.occupancy+json"],
    folder: "sensors",
    feeds: &[Feed::Sensors],
    sample: br#"{"type":"occupancy","sensor":"cas-cam-fan","venue":"casablanca","at":1907863200000,"persons":412}"#,
    decoder: Decoder::Json(FieldSet::of(&[Field::Sensor, Field::At, Field::Persons, Field::Seq]), decode),
};

fn decode(fields: &Fields<'_>, origin: &Origin<'_>) -> Result<Item, Fault> {
    let at = fields.time(Field::At)?;
    let persons = fields.number(Field::Persons)?;
    let seq = origin.seq(fields)?;
    heads(origin, (Field::Sensor.word(), fields.text(Field::Sensor)?), at, persons, seq).map(Item::Observation)
}

/// The heads that a sensor, which the record calls so in that field, sees at an instant.
pub(in crate::feeds) fn heads(origin: &Origin<'_>, (field, name): (&str, &str), at: EventTime, persons: u32, seq: u64) -> Result<Observation, Fault> {
    let (sensor, name) = origin.sensor_named(field, name, Kind::Zone)?;
    let identity = Canonical::of("occupancy").text(name).number(at.as_millis());
    let content = identity.number(persons.into()).number(seq as i64);
    origin.observation(at, Entity::Sensor(sensor), identity, content, What::Occupancy { persons, seq })
}

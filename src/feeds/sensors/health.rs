//! `health`: how a sensor itself is. A gateway that hears of births and deaths (Sparkplug B, an MQTT last will) says them so: a death makes the sensor
//! unheard at once, long before its silence would.

use crate::feeds::Item;
use crate::feeds::canonical::Canonical;
use crate::feeds::fault::Fault;
use crate::feeds::fields::{Field, FieldSet, Fields};
use crate::feeds::format::{Decoder, Format};
use crate::feeds::observation::{Entity, Health, Observation, What};
use crate::feeds::origin::Origin;
use crate::time::EventTime;
use crate::venue::Feed;

/// The format.
pub const FORMAT: Format = Format {
    name: "health",
    type_name: "midan.health.v1",
    media_types: &["application/vnd.midan.health+json"],
    folder: "sensors",
    feeds: &[Feed::Sensors],
    sample: br#"{"type":"health","sensor":"cas-n-g12","venue":"casablanca","at":1907863200000,"health":"down","seq":255}"#,
    decoder: Decoder::Json(FieldSet::of(&[Field::Sensor, Field::At, Field::Health, Field::Seq]), decode),
};

/// The words of the field `health`.
pub(in crate::feeds) const WORDS: &[(&str, Health)] = &[("up", Health::Up), ("degraded", Health::Degraded), ("failed", Health::Failed), ("down", Health::Down)];

fn decode(fields: &Fields<'_>, origin: &Origin<'_>) -> Result<Item, Fault> {
    let at = fields.time(Field::At)?;
    let health = fields.word(Field::Health, WORDS)?;
    let seq = origin.seq(fields)?;
    certificate(origin, (Field::Sensor.word(), fields.text(Field::Sensor)?), at, health, seq).map(Item::Observation)
}

/// What is said of the health of a sensor, which the record calls so in that field.
pub(in crate::feeds) fn certificate(origin: &Origin<'_>, (field, name): (&str, &str), at: EventTime, health: Health, seq: u64) -> Result<Observation, Fault> {
    let (sensor, name, _) = origin.any_sensor(field, name)?;
    let identity = Canonical::of("health").text(name).number(at.as_millis()).number(seq as i64);
    origin.observation(at, Entity::Sensor(sensor), identity, identity.number(health as i64), What::Health { health, seq })
}

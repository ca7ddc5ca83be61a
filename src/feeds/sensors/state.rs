//! `state`: whether a gate, lane, door or barrier is open, and how many of its lanes.

use crate::feeds::Item;
use crate::feeds::canonical::Canonical;
use crate::feeds::fault::Fault;
use crate::feeds::fields::{Field, FieldSet, Fields};
use crate::feeds::format::{Decoder, Format};
use crate::feeds::observation::{DoorState, Entity, What};
use crate::feeds::origin::{Kind, Origin};
use crate::venue::Feed;

/// The format.
pub const FORMAT: Format = Format {
    name: "state",
    type_name: "midan.state.v1",
    media_types: &["application/vnd.midan.state+json"],
    folder: "sensors",
    feeds: &[Feed::Sensors],
    sample: br#"{"type":"state","sensor":"cas-n-g12-state","venue":"casablanca","at":"2030-06-16T18:00:00+01:00","state":"open","lanes_open":7}"#,
    decoder: Decoder::Json(FieldSet::of(&[Field::Sensor, Field::At, Field::State, Field::LanesOpen]), decode),
};

/// The words of the field `state`.
pub(in crate::feeds) const STATES: &[(&str, DoorState)] =
    &[("open", DoorState::Open), ("closed", DoorState::Closed), ("forced", DoorState::Forced), ("fault", DoorState::Fault), ("ok", DoorState::Ok)];

fn decode(fields: &Fields<'_>, origin: &Origin<'_>) -> Result<Item, Fault> {
    let at = fields.time(Field::At)?;
    let state = fields.word(Field::State, STATES)?;
    let lanes_open = fields.may_number(Field::LanesOpen)?;
    let (sensor, name) = origin.sensor(fields, Kind::Gate)?;
    let identity = Canonical::of("state").text(name).number(at.as_millis());
    let content = Canonical::of("state").text(name).number(at.as_millis()).number(state as i64).may_number(lanes_open.map(i64::from));
    let what = What::State { state, lanes_open };
    Ok(Item::Observation(origin.observation(at, Entity::Sensor(sensor), identity, content, what)?))
}

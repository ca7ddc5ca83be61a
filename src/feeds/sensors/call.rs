//! `call`: somebody asked for help, somewhere. Who, and in what words, does not come this far: a kind out of a closed list, a place, a time.

use crate::feeds::Item;
use crate::feeds::canonical::Canonical;
use crate::feeds::fault::Fault;
use crate::feeds::fields::{Field, FieldSet, Fields, missing};
use crate::feeds::format::{Decoder, Format};
use crate::feeds::observation::{Call, CallKind, Entity, What};
use crate::feeds::origin::Origin;
use crate::venue::Feed;

/// The format.
pub const FORMAT: Format = Format {
    name: "call",
    type_name: "midan.call.v1",
    media_types: &["application/vnd.midan.call+json"],
    folder: "sensors",
    feeds: &[Feed::Sensors],
    sample: br#"{"type":"call","call_id":"c-8812","venue":"casablanca","at":1907863200000,"zone":"fan","x":41.5,"y":12.0,"kind":"first_aid"}"#,
    decoder: Decoder::Json(FieldSet::of(&[Field::CallId, Field::At, Field::Zone, Field::X, Field::Y, Field::Kind]), decode),
};

/// The words of the field `kind`; any other is `other`, and is not kept, for it may be what the caller said.
pub(in crate::feeds) const KINDS: &[(&str, CallKind)] = &[
    ("first_aid", CallKind::FirstAid),
    ("emergency", CallKind::Emergency),
    ("crush", CallKind::Crush),
    ("fire", CallKind::Fire),
    ("security", CallKind::Security),
    ("lost_person", CallKind::LostPerson),
    ("other", CallKind::Other),
];

/// Nothing of a venue is farther than this from its origin, m.
const FARTHEST_M: f64 = 50_000.0;

fn decode(fields: &Fields<'_>, origin: &Origin<'_>) -> Result<Item, Fault> {
    let call_id = fields.text(Field::CallId)?;
    let at = fields.time(Field::At)?;
    let kind = fields.may_text(Field::Kind)?.and_then(|word| KINDS.iter().find(|(known, _)| *known == word)).map_or(CallKind::Other, |(_, kind)| *kind);
    let within = || -FARTHEST_M..=FARTHEST_M;
    let at_m = match (fields.may_real(Field::X, within())?, fields.may_real(Field::Y, within())?) {
        (Some(x), Some(y)) => Some((x, y)),
        (None, None) => None,
        (Some(_), None) => return Err(missing(Field::Y)),
        (None, Some(_)) => return Err(missing(Field::X)),
    };
    let (entity, zone) = match fields.may_text(Field::Zone)? {
        Some(name) => (Entity::Zone(origin.zone(fields)?), name),
        None if at_m.is_some() => (Entity::Venue, ""),
        None => return Err(Fault { detail: "must be there, or \"x\" and \"y\"".to_owned(), ..missing(Field::Zone) }),
    };
    let identity = Canonical::of("call").text(call_id);
    let content = Canonical::of("call").number(at.as_millis()).number(kind as i64).text(zone).may_real(at_m.map(|(x, _)| x)).may_real(at_m.map(|(_, y)| y));
    Ok(Item::Observation(origin.observation(at, entity, identity, content, What::Call(Call { kind, at_m }))?))
}

//! `low_water`: a source has nothing earlier than `at` to send. It moves the source's clock and is counted nowhere: the end of a table, the
//! word of a polling door that a feed was there and empty.

use crate::feeds::Item;
use crate::feeds::canonical::Canonical;
use crate::feeds::fault::Fault;
use crate::feeds::fields::{Field, FieldSet, Fields};
use crate::feeds::format::{Decoder, Format};
use crate::feeds::observation::{Entity, What};
use crate::feeds::origin::Origin;
use crate::venue::Feed;

/// The format.
pub const FORMAT: Format = Format {
    name: "low_water",
    type_name: "midan.low_water.v1",
    media_types: &["application/vnd.midan.low-water+json"],
    folder: "operations",
    feeds: &Feed::ALL,
    sample: br#"{"type":"low_water","venue":"casablanca","at":1907863210000}"#,
    decoder: Decoder::Json(FieldSet::of(&[Field::At]), decode),
};

fn decode(fields: &Fields<'_>, origin: &Origin<'_>) -> Result<Item, Fault> {
    let at = fields.time(Field::At)?;
    let word = || Canonical::of("low_water").number(at.as_millis());
    Ok(Item::Observation(origin.observation(at, Entity::Venue, word(), word(), What::LowWater)?))
}

//! `passengers`: how many alighted and boarded at a stop in an interval, as counting systems in trains and stations report it.

use crate::feeds::Item;
use crate::feeds::canonical::Canonical;
use crate::feeds::fault::Fault;
use crate::feeds::fields::{Field, FieldSet, Fields, missing};
use crate::feeds::format::{Decoder, Format};
use crate::feeds::observation::{Entity, Passengers, What};
use crate::feeds::origin::{Origin, last_instant};
use crate::venue::Feed;

/// The format.
pub const FORMAT: Format = Format {
    name: "passengers",
    type_name: "midan.passengers.v1",
    media_types: &["application/vnd.midan.passengers+json"],
    folder: "transport",
    feeds: &[Feed::Transport],
    sample: br#"{"type":"passengers","stop":"BENSLIMANE_STADE","venue":"casablanca","from":1907863200000,"to":1907863260000,"alighting":842,"line":"RER-A"}"#,
    decoder: Decoder::Json(KNOWN, decode),
};

const KNOWN: FieldSet =
    FieldSet::of(&[Field::Stop, Field::From, Field::To, Field::Alighting, Field::Boarding, Field::Line, Field::Trip, Field::OccupancyPercentage]);

fn decode(fields: &Fields<'_>, origin: &Origin<'_>) -> Result<Item, Fault> {
    let (from, to) = origin.interval(fields)?;
    let (alighting, boarding) = (fields.may_number(Field::Alighting)?, fields.may_number(Field::Boarding)?);
    if alighting.is_none() && boarding.is_none() {
        return Err(Fault { detail: "one of \"alighting\", \"boarding\" must be there".to_owned(), ..missing(Field::Alighting) });
    }
    fields.may_number(Field::OccupancyPercentage)?;
    let (line, trip) = (fields.may_text(Field::Line)?.unwrap_or_default(), fields.may_text(Field::Trip)?.unwrap_or_default());
    let (stop, name) = origin.stop(fields)?;
    let service = || Canonical::of("passengers").text(name).text(line).text(trip).number(from.as_millis()).number(to.as_millis());
    let passengers = Passengers { from, to, alighting: alighting.unwrap_or_default(), boarding: boarding.unwrap_or_default() };
    let content = service().number(passengers.alighting.into()).number(passengers.boarding.into());
    Ok(Item::Observation(origin.observation(last_instant(to), Entity::Stop(stop), service(), content, What::Passengers(passengers))?))
}

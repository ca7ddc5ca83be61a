//! `weather`: what a station measured. Heat makes a queue dangerous before it is long.

use crate::feeds::Item;
use crate::feeds::canonical::Canonical;
use crate::feeds::fault::Fault;
use crate::feeds::fields::{Field, FieldSet, Fields, missing};
use crate::feeds::format::{Decoder, Format};
use crate::feeds::observation::{Entity, Weather, What};
use crate::feeds::origin::Origin;
use crate::venue::Feed;

/// The format.
pub const FORMAT: Format = Format {
    name: "weather",
    type_name: "midan.weather.v1",
    media_types: &["application/vnd.midan.weather+json"],
    folder: "sensors",
    feeds: &[Feed::Sensors],
    sample: br#"{"type":"weather","station":"cas-roof","venue":"casablanca","at":1907863200000,"air_c":31.5,"wbgt_c":28.0,"rain_mm_h":0,"wind_m_s":3.2}"#,
    decoder: Decoder::Json(FieldSet::of(&[Field::Station, Field::At, Field::AirC, Field::WbgtC, Field::RainMmH, Field::WindMS]), decode),
};

fn decode(fields: &Fields<'_>, origin: &Origin<'_>) -> Result<Item, Fault> {
    let station = fields.text(Field::Station)?;
    let at = fields.time(Field::At)?;
    // Beyond what has ever been measured on Earth it is another unit (kelvin, tenths).
    let air_c = fields.may_real(Field::AirC, -95.0..=65.0)?;
    let wbgt_c = fields.may_real(Field::WbgtC, -95.0..=65.0)?;
    let rain_mm_h = fields.may_real(Field::RainMmH, 0.0..=2_000.0)?;
    let wind_m_s = fields.may_real(Field::WindMS, 0.0..=150.0)?;
    let readings = [air_c, wbgt_c, rain_mm_h, wind_m_s];
    if readings.iter().all(Option::is_none) {
        return Err(Fault { detail: "one of \"air_c\", \"wbgt_c\", \"rain_mm_h\", \"wind_m_s\" must be there".to_owned(), ..missing(Field::AirC) });
    }
    let identity = Canonical::of("weather").text(station).number(at.as_millis());
    let content = readings.into_iter().fold(identity, Canonical::may_real);
    let what = What::Weather(Box::new(Weather { station: station.into(), air_c, wbgt_c, rain_mm_h, wind_m_s }));
    Ok(Item::Observation(origin.observation(at, Entity::Venue, identity, content, what)?))
}

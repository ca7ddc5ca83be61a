//! `count`: people who crossed a line in an interval, or, with `cumulative: true`, the totals since the sensor's last reset.

use crate::feeds::Item;
use crate::feeds::canonical::Canonical;
use crate::feeds::fault::Fault;
use crate::feeds::fields::{Field, FieldSet, Fields, missing};
use crate::feeds::format::{Decoder, Format};
use crate::feeds::observation::{Count, Entity, Observation, Total, What};
use crate::feeds::origin::{Kind, Origin, last_instant, ordered_interval};
use crate::time::EventTime;
use crate::venue::Feed;

/// The format.
pub const FORMAT: Format = Format {
    name: "count",
    type_name: "midan.count.v1",
    media_types: &["application/vnd.midan.count+json"],
    folder: "sensors",
    feeds: &[Feed::Sensors],
    sample: br#"{"type":"count","sensor":"cas-n-g12","venue":"casablanca","from":1907863200000,"to":1907863210000,"in":14,"out":1,"seq":88121}"#,
    decoder: Decoder::Json(KNOWN, decode),
};

const KNOWN: FieldSet =
    FieldSet::of(&[Field::Sensor, Field::From, Field::To, Field::In, Field::Out, Field::Count, Field::Seq, Field::Recorded, Field::Cumulative]);

fn decode(fields: &Fields<'_>, origin: &Origin<'_>) -> Result<Item, Fault> {
    let seq = origin.seq(fields)?;
    fields.may_time(Field::Recorded)?;
    let sensor = Field::Sensor.word();
    // A total has no length: its interval says since when, not over which panes, so it may be as long as the day.
    let read = if fields.flag(Field::Cumulative)? {
        let (from, to) = ordered_interval(fields)?;
        let persons = counted(fields.may_whole(Field::In)?, fields.may_whole(Field::Out)?, fields.may_whole(Field::Count)?)?;
        let name = fields.text(Field::Sensor)?;
        total(origin, (sensor, name), (from, to), persons, seq)?
    } else {
        let (from, to) = origin.interval(fields)?;
        let persons = counted(fields.may_number(Field::In)?, fields.may_number(Field::Out)?, fields.may_number(Field::Count)?)?;
        let name = fields.text(Field::Sensor)?;
        crossings(origin, (sensor, name), (from, to), persons)?
    };
    Ok(Item::Observation(read))
}

/// The count of a sensor, which the record calls so in that field: persons inwards, outwards and without direction. A sensor's own number is none of its
/// content: one that repeats an interval under a new number says nothing new.
pub(in crate::feeds) fn crossings(
    origin: &Origin<'_>,
    (field, name): (&str, &str),
    (from, to): (EventTime, EventTime),
    [inwards, outwards, undirected]: [u32; 3],
) -> Result<Observation, Fault> {
    let (sensor, name) = origin.sensor_named(field, name, Kind::Link)?;
    let what = What::Count(Count { from, to, inwards, outwards, undirected });
    let said = [inwards.into(), outwards.into(), undirected.into(), 0];
    origin.observation(last_instant(to), Entity::Sensor(sensor), interval_of("count", name, from, to), content("count", name, (from, to), said), what)
}

/// The totals of a sensor since its last reset, as of `to`. Its own number orders totals of one instant, so it is content.
pub(in crate::feeds) fn total(
    origin: &Origin<'_>,
    (field, name): (&str, &str),
    (from, to): (EventTime, EventTime),
    [inwards, outwards, undirected]: [u64; 3],
    seq: u64,
) -> Result<Observation, Fault> {
    let (sensor, name) = origin.sensor_named(field, name, Kind::Link)?;
    let modulus = origin.wire().and_then(|wire| wire.modulus);
    let what = What::Total(Total { inwards, outwards, undirected, seq, modulus });
    let said = [inwards, outwards, undirected, seq];
    origin.observation(last_instant(to), Entity::Sensor(sensor), interval_of("count", name, from, to), content("total", name, (from, to), said), what)
}

fn interval_of(kind: &str, name: &str, from: EventTime, to: EventTime) -> Canonical {
    Canonical::of(kind).text(name).number(from.as_millis()).number(to.as_millis())
}

fn content(kind: &str, name: &str, (from, to): (EventTime, EventTime), said: [u64; 4]) -> Canonical {
    said.iter().fold(interval_of(kind, name, from, to), |content, number| content.number(*number as i64))
}

fn counted<T: Default>(inwards: Option<T>, outwards: Option<T>, undirected: Option<T>) -> Result<[T; 3], Fault> {
    if inwards.is_none() && outwards.is_none() && undirected.is_none() {
        return Err(Fault { detail: "one of \"in\", \"out\", \"count\" must be there".to_owned(), ..missing(Field::In) });
    }
    Ok([inwards.unwrap_or_default(), outwards.unwrap_or_default(), undirected.unwrap_or_default()])
}

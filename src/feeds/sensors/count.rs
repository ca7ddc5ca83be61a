//! `count`: people who crossed a line in an interval, or, with `cumulative: true`, the totals since the sensor's last reset.

use crate::feeds::Item;
use crate::feeds::canonical::Canonical;
use crate::feeds::fault::Fault;
use crate::feeds::fields::{Field, FieldSet, Fields, missing};
use crate::feeds::format::{Decoder, Format};
use crate::feeds::observation::{Count, Entity, Total, What};
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
    let seq = fields.may_whole(Field::Seq)?.unwrap_or_default();
    fields.may_time(Field::Recorded)?;
    // A total has no length: its interval says since when, not over which panes, so it may be as long as the day.
    let cumulative = fields.flag(Field::Cumulative)?;
    let (from, to) = if cumulative { ordered_interval(fields)? } else { origin.interval(fields)? };
    let said = Canonical::of(if cumulative { "total" } else { "count" });
    let (what, persons) = if cumulative { totals(fields, seq)? } else { crossings(fields, from, to)? };
    let (sensor, name) = origin.sensor(fields, Kind::Link)?;
    let identity = Canonical::of("count").text(name).number(from.as_millis()).number(to.as_millis());
    let content = persons.iter().fold(said.text(name).number(from.as_millis()).number(to.as_millis()), |said, number| said.number(*number as i64));
    Ok(Item::Observation(origin.observation(last_instant(to), Entity::Sensor(sensor), identity, content, what)?))
}

/// The count, and the numbers that are its content. `seq` is none of them: a sensor that repeats an interval under a new number says nothing new.
fn crossings(fields: &Fields<'_>, from: EventTime, to: EventTime) -> Result<(What, [u64; 4]), Fault> {
    let [inwards, outwards, undirected] = counted(fields.may_number(Field::In)?, fields.may_number(Field::Out)?, fields.may_number(Field::Count)?)?;
    let what = What::Count(Count { from, to, inwards, outwards, undirected });
    Ok((what, [inwards.into(), outwards.into(), undirected.into(), 0]))
}

/// The totals, and the numbers that are their content; `seq` is one of them, for it orders totals of one instant.
fn totals(fields: &Fields<'_>, seq: u64) -> Result<(What, [u64; 4]), Fault> {
    let [inwards, outwards, undirected] = counted(fields.may_whole(Field::In)?, fields.may_whole(Field::Out)?, fields.may_whole(Field::Count)?)?;
    Ok((What::Total(Total { inwards, outwards, undirected, seq }), [inwards, outwards, undirected, seq]))
}

fn counted<T: Default>(inwards: Option<T>, outwards: Option<T>, undirected: Option<T>) -> Result<[T; 3], Fault> {
    if inwards.is_none() && outwards.is_none() && undirected.is_none() {
        return Err(Fault { detail: "one of \"in\", \"out\", \"count\" must be there".to_owned(), ..missing(Field::In) });
    }
    Ok([inwards.unwrap_or_default(), outwards.unwrap_or_default(), undirected.unwrap_or_default()])
}

//! `mapping`: any JSON or CSV that its source's mapping explains ([`crate::venue::mapping`]). Each entry of a record becomes a neutral event, which the
//! event's own decoder reads.
//!
//! The idea: a mapping only moves and renames. What the result means, and whether it can be so, the neutral decoder alone says; so a mapped event obeys
//! the contract as any other does, and its identity is the neutral one.

use super::Item;
use super::fault::{Fault, Reason};
use super::fields::{Field, Fields};
use super::format::{Decoder, Format};
use super::origin::Origin;
use crate::time::EventTime;
use crate::venue::mapping::{self, Encoding, EventRule, FieldKind, FieldRule, Mapping, Path, Shift, Sign};
use crate::venue::{Feed, Venue};
use serde_json::{Map, Number, Value};

/// The format.
pub const FORMAT: Format = Format {
    name: "mapping",
    type_name: "midan.mapping.v1",
    media_types: &["application/vnd.midan.mapping"],
    folder: "",
    feeds: &[Feed::Sensors, Feed::Ticketing, Feed::Transport],
    sample: br#"{"site":"casablanca","events":[{"id":71,"kind":"pulse","counter":"cas-n-g12","when":"15.06.2030 20:00:10","delta":14},{"id":72,"kind":"heartbeat"}]}"#,
    decoder: Decoder::Bytes(decode),
};

/// The most entries that are read of one record.
const MOST_ENTRIES: usize = 100_000;

fn decode(bytes: &[u8], origin: &Origin<'_>, each: &mut dyn FnMut(Item)) -> Result<(), Fault> {
    let mapping = origin.wire().and_then(|wire| wire.mapping.as_deref());
    let mapping = mapping.ok_or_else(|| Fault::new(Reason::UnknownFormat, "has no mapping: give its source a `mapping` in the venue file"))?;
    let mut items = Vec::new();
    for mapped in events(mapping, bytes, &origin.venue.id, origin.received_at())? {
        match mapped {
            None => items.push(Item::Ignored),
            Some((becomes, event)) => items.extend(neutral(becomes, &event, origin)?),
        }
    }
    items.into_iter().for_each(each);
    Ok(())
}

/// Whether a neutral event is whole and every field of it can be so, as far as that can be told without a venue.
///
/// # Errors
/// What its decoder finds wrong, but for names that are not configured.
pub fn check(event: &[u8]) -> Result<(), Fault> {
    let mut fields = Fields::default();
    fields.read(event)?;
    let becomes = fields.may_text(Field::Type)?.unwrap_or_default();
    let Some(Decoder::Json(_, read)) = Format::find(becomes).map(|format| format.decoder) else {
        return Err(Fault::in_field(Reason::UnknownFormat, Field::Type.word(), "is no neutral event"));
    };
    let nowhere = Venue::nowhere();
    match read(&fields, &Origin::nowhere(&nowhere)) {
        Err(fault) if fault.reason != Reason::UnknownName => Err(fault),
        _ => Ok(()),
    }
}

/// What the event's own decoder makes of it.
fn neutral(becomes: &str, event: &Value, origin: &Origin<'_>) -> Result<Vec<Item>, Fault> {
    let format = Format::find(becomes).ok_or_else(|| Fault::new(Reason::UnknownFormat, format!("a mapping cannot become \"{becomes}\"")))?;
    let Decoder::Json(_, read) = format.decoder else { return Err(Fault::new(Reason::UnknownFormat, format!("\"{becomes}\" is no neutral event"))) };
    if let Some(feed) = origin.source().map(|source| source.feed).filter(|feed| !format.feeds.contains(feed)) {
        return Err(Fault::new(Reason::UnknownFormat, format!("\"{becomes}\" does not come on {}", feed.topic())));
    }
    let text = event.to_string();
    let mut fields = Fields::default();
    fields.read(text.as_bytes())?;
    match read(&fields, &origin.without_cloud_event()) {
        Ok(item) => Ok(vec![item]),
        Err(fault) if fault.reason == Reason::UnknownName => Ok(vec![Item::Unusable { source: origin.source_id(), fault }]),
        Err(fault) => Err(fault),
    }
}

/// A neutral event, by the word of its format; none where no condition of the mapping holds.
pub type Mapped<'m> = Option<(&'m str, Value)>;

/// What each entry of a record becomes.
///
/// # Errors
/// The record is not what the mapping says, or a field of an entry cannot be read.
pub fn events<'m>(mapping: &'m Mapping, record: &[u8], venue: &str, received: Option<EventTime>) -> Result<Vec<Mapped<'m>>, Fault> {
    let entries = entries(mapping, record)?;
    if entries.len() > MOST_ENTRIES {
        return Err(Fault::new(Reason::TooLarge, format!("has {} entries, more than {MOST_ENTRIES}", entries.len())));
    }
    let mut events = Vec::with_capacity(entries.len());
    for entry in &entries {
        events.extend(events_of(mapping, entry, venue, received)?);
    }
    Ok(events)
}

/// What one entry becomes: an event for each condition that holds.
///
/// # Errors
/// A field of the entry cannot be read.
pub fn events_of<'m>(mapping: &'m Mapping, entry: &Value, venue: &str, received: Option<EventTime>) -> Result<Vec<Mapped<'m>>, Fault> {
    let holding = mapping.events.iter().filter(|rule| holds(rule, entry));
    let events: Vec<Mapped<'m>> = holding.map(|rule| Ok(Some((&*rule.becomes, event(rule, entry, venue, received)?)))).collect::<Result<_, Fault>>()?;
    Ok(if events.is_empty() { vec![None] } else { events })
}

/// The entries of a record: what happened, one by one.
///
/// # Errors
/// The record is not JSON or CSV, or has no list where the mapping says.
pub fn entries(mapping: &Mapping, record: &[u8]) -> Result<Vec<Value>, Fault> {
    match &mapping.encoding {
        Encoding::Json { entries } => json_entries(record, entries.as_ref()),
        Encoding::Csv { delimiter, columns } => csv_entries(record, *delimiter, columns),
    }
}

fn json_entries(record: &[u8], at: Option<&Path>) -> Result<Vec<Value>, Fault> {
    let whole: Value = super::vendor::read(record, "JSON")?;
    let list = match at {
        Some(path) => {
            find(&whole, path).cloned().ok_or_else(|| Fault::in_field(Reason::MissingField, slashed(path), "must be there: the mapping's `entries`"))?
        }
        None => whole,
    };
    Ok(match list {
        Value::Array(list) => list,
        single => vec![single],
    })
}

fn csv_entries(record: &[u8], delimiter: u8, columns: &[Box<str>]) -> Result<Vec<Value>, Fault> {
    let malformed = |_: csv::Error| Fault::new(Reason::Malformed, "is no CSV in UTF-8 with the same number of cells in each line");
    let mut table = csv::ReaderBuilder::new().delimiter(delimiter).has_headers(columns.is_empty()).trim(csv::Trim::All).from_reader(record);
    let named = table.headers().map_err(malformed)?.clone();
    let names: Vec<&str> = if columns.is_empty() { named.iter().collect() } else { columns.iter().map(|column| &**column).collect() };
    let mut entries = Vec::new();
    for row in table.records() {
        let row = row.map_err(malformed)?;
        entries.push(Value::Object(names.iter().zip(&row).map(|(name, cell)| ((*name).to_owned(), Value::from(cell))).collect()));
    }
    Ok(entries)
}

fn holds(rule: &EventRule, entry: &Value) -> bool {
    rule.when.iter().all(|(path, words)| find(entry, path).and_then(scalar).is_some_and(|said| words.iter().any(|word| **word == *said)))
}

fn event(rule: &EventRule, entry: &Value, venue: &str, received: Option<EventTime>) -> Result<Value, Fault> {
    let mut event = Map::new();
    event.insert("type".to_owned(), Value::from(&*rule.becomes));
    event.insert("venue".to_owned(), Value::from(venue));
    for field in &rule.fields {
        if let Some(value) = value_of(field, entry, received)? {
            event.insert(field.field.to_owned(), value);
        }
    }
    Ok(Value::Object(event))
}

fn value_of(rule: &FieldRule, entry: &Value, received: Option<EventTime>) -> Result<Option<Value>, Fault> {
    let wrong = |detail: &str| Fault::in_field(Reason::WrongValue, rule.field, detail);
    let found = match &rule.from {
        mapping::Origin::Constant(constant) => Some(Value::from(&**constant)),
        mapping::Origin::Path(path) => find(entry, path).filter(|value| !value.is_null()).cloned(),
    };
    let Some(found) = found else { return Ok(None) };
    if rule.kind == FieldKind::List {
        return Ok(Some(found));
    }
    let said = scalar(&found).ok_or_else(|| wrong("stands at a list or an object"))?;
    if rule.missing.iter().any(|missing| **missing == *said) {
        return Ok(None);
    }
    let said = match rule.words.get(&*said) {
        Some(meaning) => meaning.to_string(),
        None if rule.words.is_empty() => said,
        None => return Err(wrong("is none of the words that the mapping explains")),
    };
    read(rule, &said, received).map(Some)
}

fn read(rule: &FieldRule, said: &str, received: Option<EventTime>) -> Result<Value, Fault> {
    let wrong = |detail: &str| Fault::in_field(Reason::WrongValue, rule.field, detail);
    match rule.kind {
        FieldKind::Text | FieldKind::List => Ok(Value::from(said)),
        FieldKind::Flag => match said {
            "true" | "1" | "yes" => Ok(Value::from(true)),
            "false" | "0" | "no" => Ok(Value::from(false)),
            _ => Err(wrong("is neither true nor false")),
        },
        FieldKind::Time => {
            let zoneless = rule.stamps.zone.is_none() && !rule.stamps.format.bears_offset();
            let meaning = rule.stamps.read(said).map_err(|_| {
                let reason = if zoneless { Reason::ZonelessTime } else { Reason::WrongValue };
                Fault::in_field(reason, rule.field, "is no time as the mapping says, or bears no zone and the mapping names none")
            })?;
            let at = meaning.near(received);
            let at = match rule.shift {
                Shift::Later(span) => at.after(span),
                Shift::Earlier(span) => at.before(span),
            };
            Ok(Value::from(at.as_millis()))
        }
        FieldKind::Whole | FieldKind::Real => number(rule, said).ok_or_else(|| wrong("is no number, or no whole one where persons are counted")),
    }
}

fn number(rule: &FieldRule, said: &str) -> Option<Value> {
    let plain = rule.unit == (1.0, 0.0) && rule.sign.is_none();
    if plain && rule.kind == FieldKind::Whole {
        // Totals go beyond what a fraction can hold.
        if let Ok(whole) = said.parse::<u64>() {
            return Some(Value::from(whole));
        }
    }
    let told: f64 = said.parse().ok().filter(|number: &f64| number.is_finite())?;
    let number = match rule.sign {
        None => told,
        Some(Sign::Positive) => told.max(0.0),
        Some(Sign::Negative) => (-told).max(0.0),
    };
    let number = number * rule.unit.0 + rule.unit.1;
    if rule.kind == FieldKind::Real {
        return Number::from_f64(number).map(Value::Number);
    }
    let whole = libm::round(number);
    // A unit such as hundreds is written with a fraction; what is left over beyond rounding is no count.
    (libm::fabs(whole - number) < 1e-6 && (0.0..9.0e15).contains(&whole)).then(|| Value::from(whole as u64))
}

/// The scalar's text, as a condition or a word names it.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn find<'v>(value: &'v Value, path: &Path) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, key| match value {
        Value::Object(fields) => fields.get(&**key),
        Value::Array(list) => list.get(key.parse::<usize>().ok()?),
        _ => None,
    })
}

fn slashed(path: &Path) -> String {
    path.iter().map(|key| format!("/{key}")).collect()
}

#[cfg(test)]
#[path = "mapped_tests.rs"]
mod tests;

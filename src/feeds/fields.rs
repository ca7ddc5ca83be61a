//! A neutral JSON record, read once into the scalars of the fields that the contract knows; nothing is copied.
//!
//! The idea: every neutral format is one object that is flat but for a few lists, so one pass reads them all, whichever format it turns out to be. Strings are borrowed
//! from the record, so that a count costs no allocation; a list is left as it stands until its own decoder asks for it. What is wrong is said by the accessor that wanted the field, which knows its name and
//! what belongs there; values themselves are never repeated, for one of them may be a ticket.

use super::fault::{Fault, Reason};
use super::{moment, plain};
use crate::time::EventTime;
use serde::Deserialize;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use smallvec::SmallVec;
use std::borrow::Cow;
use std::fmt;
use std::ops::RangeInclusive;

macro_rules! fields {
    ($($name:ident = $word:literal),* $(,)?) => {
        /// The fields of the neutral formats.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(in crate::feeds) enum Field { $($name),* }

        impl Field {
            /// The name on the wire.
            pub(in crate::feeds) const fn word(self) -> &'static str {
                match self { $(Self::$name => $word),* }
            }

            pub(in crate::feeds) fn of(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$name),)* _ => None }
            }
        }
    };
}

fields! {
    Type = "type", Sensor = "sensor", Venue = "venue", From = "from", To = "to", In = "in", Out = "out", Count = "count", Seq = "seq",
    Recorded = "recorded", Cumulative = "cumulative", At = "at", Persons = "persons", State = "state", LanesOpen = "lanes_open",
    ScanId = "scan_id", Gate = "gate", Result = "result", EventTime = "event_time", Ticket = "ticket", Perimeter = "perimeter", Lane = "lane",
    Device = "device", Direction = "direction", Reason = "reason", RecordedTime = "recorded_time", Offline = "offline", Visitor = "visitor",
    Stop = "stop", Alighting = "alighting", Boarding = "boarding", Line = "line", Trip = "trip", OccupancyPercentage = "occupancy_percentage",
    MatchId = "match_id", Event = "event", ExpectedAttendance = "expected_attendance", CommandId = "command_id", Operator = "operator",
    Action = "action", AlarmId = "alarm_id", Until = "until", Zone = "zone", Tracks = "tracks", CellM = "cell_m", Nx = "nx", Ny = "ny",
    Density = "density", Vx = "vx", Vy = "vy", CallId = "call_id", X = "x", Y = "y", Kind = "kind", Station = "station", AirC = "air_c",
    WbgtC = "wbgt_c", RainMmH = "rain_mm_h", WindMS = "wind_m_s", Version = "version", ApproachShares = "approach_shares",
    ArrivalCurve = "arrival_curve", Tickets = "tickets", Services = "services", Health = "health",
    Model = "model", Sha256 = "sha256", Role = "role",
}

impl Field {
    /// Its value may be a list or an object, which its own decoder reads.
    const fn is_nested(self) -> bool {
        matches!(self, Self::Tracks | Self::Density | Self::Vx | Self::Vy | Self::ApproachShares | Self::ArrivalCurve | Self::Tickets | Self::Services)
    }
}

/// A set of fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::feeds) struct FieldSet(u128);

impl FieldSet {
    /// The set of these, and of `type` and `venue`, which every format has.
    pub(in crate::feeds) const fn of(fields: &[Field]) -> Self {
        let mut bits = 1 << Field::Type as u128 | 1 << Field::Venue as u128;
        let mut i = 0;
        while i < fields.len() {
            bits |= 1 << fields[i] as u128;
            i += 1;
        }
        Self(bits)
    }

    const fn holds(self, field: Field) -> bool {
        self.0 & (1 << field as u128) != 0
    }
}

/// One value of the object.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::feeds) enum Scalar<'a> {
    Null,
    Flag(bool),
    Whole(u64),
    Negative(i64),
    Real(f64),
    Text(Cow<'a, str>),
    Nested,
    /// The JSON of a field that may be a list or an object, not looked into yet.
    Raw(&'a str),
}

/// The known fields of one record.
#[derive(Debug, Default)]
pub(in crate::feeds) struct Fields<'a> {
    values: SmallVec<[(Field, Scalar<'a>); 12]>,
    present: FieldSet,
    foreign: u32,
    twice: Option<Field>,
}

impl<'a> Fields<'a> {
    /// Reads a record, which must be one JSON object in UTF-8, in place: the fields are too large to be handed about.
    pub(in crate::feeds) fn read(&mut self, bytes: &'a [u8]) -> Result<(), Fault> {
        // Checked once for the whole record, which is quicker than text by text.
        let text = std::str::from_utf8(bytes).map_err(|_| Fault::new(Reason::Malformed, "is not UTF-8"))?;
        if !plain::read(text, |name, value| self.take(name, value)) {
            *self = Self::default();
            let mut json = serde_json::Deserializer::from_str(text);
            serde::Deserializer::deserialize_map(&mut json, ObjectVisitor(self)).and_then(|()| json.end()).map_err(|err| malformed(&err))?;
        }
        match self.twice {
            Some(field) => Err(Fault::in_field(Reason::WrongValue, field.word(), "stands twice in the record")),
            None => Ok(()),
        }
    }

    /// How many fields the record has that a format with the fields `known` does not read.
    pub(in crate::feeds) const fn unknown(&self, known: FieldSet) -> u32 {
        self.foreign + (self.present.0 & !known.0).count_ones()
    }

    /// A text that must be there and not be empty.
    pub(in crate::feeds) fn text(&self, field: Field) -> Result<&str, Fault> {
        self.may_text(field)?.ok_or_else(|| missing(field))
    }

    /// A text that may be there; if so it is not empty.
    pub(in crate::feeds) fn may_text(&self, field: Field) -> Result<Option<&str>, Fault> {
        match self.get(field) {
            None | Some(Scalar::Null) => Ok(None),
            Some(Scalar::Text(text)) if !text.is_empty() => Ok(Some(text)),
            Some(other) => Err(wrong(field, "a text that is not empty", other)),
        }
    }

    /// A number of persons or things that must be there.
    pub(in crate::feeds) fn number(&self, field: Field) -> Result<u32, Fault> {
        self.may_number(field)?.ok_or_else(|| missing(field))
    }

    /// A number of persons or things, 0 to 2³² − 1, that may be there.
    pub(in crate::feeds) fn may_number(&self, field: Field) -> Result<Option<u32>, Fault> {
        let Some(number) = self.may_whole(field)? else { return Ok(None) };
        u32::try_from(number).map(Some).map_err(|_| Fault::in_field(Reason::WrongValue, field.word(), format!("is {number}, more than {}", u32::MAX)))
    }

    /// A whole number from 0, that may be there.
    pub(in crate::feeds) fn may_whole(&self, field: Field) -> Result<Option<u64>, Fault> {
        match self.get(field) {
            None | Some(Scalar::Null) => Ok(None),
            Some(Scalar::Whole(number)) => Ok(Some(*number)),
            Some(other) => Err(wrong(field, "a whole number, 0 or more", other)),
        }
    }

    /// Yes or no; no where the field is not there.
    pub(in crate::feeds) fn flag(&self, field: Field) -> Result<bool, Fault> {
        match self.get(field) {
            None | Some(Scalar::Null) => Ok(false),
            Some(Scalar::Flag(flag)) => Ok(*flag),
            Some(other) => Err(wrong(field, "true or false", other)),
        }
    }

    /// A time that must be there.
    pub(in crate::feeds) fn time(&self, field: Field) -> Result<EventTime, Fault> {
        self.may_time(field)?.ok_or_else(|| missing(field))
    }

    /// A time that may be there: epoch milliseconds, or RFC 3339 with an offset.
    pub(in crate::feeds) fn may_time(&self, field: Field) -> Result<Option<EventTime>, Fault> {
        let read = match self.get(field) {
            None | Some(Scalar::Null) => return Ok(None),
            Some(Scalar::Whole(millis)) => moment::from_millis(i64::try_from(*millis).ok()),
            Some(Scalar::Negative(millis)) => moment::from_millis(Some(*millis)),
            Some(Scalar::Text(text)) => moment::from_text(text),
            Some(other) => return Err(wrong(field, "epoch milliseconds or RFC 3339 with an offset", other)),
        };
        read.map(Some).map_err(|(reason, detail)| Fault::in_field(reason, field.word(), detail))
    }

    /// A number within `within`, in the unit that the field's name tells, that may be there.
    pub(in crate::feeds) fn may_real(&self, field: Field, within: RangeInclusive<f64>) -> Result<Option<f64>, Fault> {
        let number = match self.get(field) {
            None | Some(Scalar::Null) => return Ok(None),
            Some(Scalar::Whole(number)) => *number as f64,
            Some(Scalar::Negative(number)) => *number as f64,
            Some(Scalar::Real(number)) => *number,
            Some(other) => return Err(wrong(field, "a number", other)),
        };
        if within.contains(&number) {
            // A zero has one form only, so that equal readings have equal content.
            return Ok(Some(number + 0.0));
        }
        Err(Fault::in_field(Reason::WrongValue, field.word(), format!("is not within {} to {}", within.start(), within.end())))
    }

    /// A number within `within` that must be there.
    pub(in crate::feeds) fn real(&self, field: Field, within: RangeInclusive<f64>) -> Result<f64, Fault> {
        self.may_real(field, within)?.ok_or_else(|| missing(field))
    }

    /// A list or an object of the form `T`, that may be there; `form` says in words what belongs there.
    pub(in crate::feeds) fn may_nested<T: Deserialize<'a>>(&self, field: Field, form: &str) -> Result<Option<T>, Fault> {
        match self.get(field) {
            None | Some(Scalar::Null | Scalar::Raw("null")) => Ok(None),
            // serde's own message may quote a value.
            Some(Scalar::Raw(json)) => {
                serde_json::from_str(json).map(Some).map_err(|_| Fault::in_field(Reason::WrongValue, field.word(), format!("must be {form}")))
            }
            Some(other) => Err(wrong(field, form, other)),
        }
    }

    /// A list or an object of the form `T`, that must be there.
    pub(in crate::feeds) fn nested<T: Deserialize<'a>>(&self, field: Field, form: &str) -> Result<T, Fault> {
        self.may_nested(field, form)?.ok_or_else(|| missing(field))
    }

    /// One of `words`, which may be there.
    pub(in crate::feeds) fn may_word<T: Copy>(&self, field: Field, words: &[(&str, T)]) -> Result<Option<T>, Fault> {
        let Some(text) = self.may_text(field)? else { return Ok(None) };
        match words.iter().find(|(word, _)| *word == text) {
            Some((_, value)) => Ok(Some(*value)),
            None => Err(Fault::in_field(Reason::WrongValue, field.word(), format!("must be one of {}", list(words)))),
        }
    }

    /// One of `words`, which must be there.
    pub(in crate::feeds) fn word<T: Copy>(&self, field: Field, words: &[(&str, T)]) -> Result<T, Fault> {
        self.may_word(field, words)?.ok_or_else(|| missing(field))
    }

    fn get(&self, field: Field) -> Option<&Scalar<'a>> {
        if !self.present.holds(field) {
            return None;
        }
        self.values.iter().find(|(name, _)| *name == field).map(|(_, value)| value)
    }

    /// Takes a field of a plain record by its name; one that no contract knows is counted. Answers whether plain records have it.
    fn take(&mut self, name: &str, value: Scalar<'a>) -> bool {
        match Field::of(name) {
            Some(field) if field.is_nested() => return false,
            Some(field) => self.put(field, value),
            None => self.foreign = self.foreign.saturating_add(1),
        }
        true
    }

    fn put(&mut self, field: Field, value: Scalar<'a>) {
        if self.present.holds(field) {
            self.twice = self.twice.or(Some(field));
        }
        self.present.0 |= 1 << field as u128;
        self.values.push((field, value));
    }
}

/// The fault of a field that must be there and is not (or is null).
pub(in crate::feeds) fn missing(field: Field) -> Fault {
    Fault::in_field(Reason::MissingField, field.word(), "must be there")
}

fn wrong(field: Field, wanted: &str, found: &Scalar<'_>) -> Fault {
    let found = match found {
        Scalar::Null => "null",
        Scalar::Flag(_) => "true or false",
        Scalar::Whole(_) => "a whole number",
        Scalar::Negative(_) => "a negative number",
        Scalar::Real(_) => "a number with a fraction or beyond 64 bits",
        Scalar::Text(text) if text.is_empty() => "an empty text",
        Scalar::Text(_) => "a text",
        Scalar::Nested | Scalar::Raw(_) => "a list or an object",
    };
    Fault::in_field(Reason::WrongValue, field.word(), format!("must be {wanted}, is {found}"))
}

fn list<T>(words: &[(&str, T)]) -> String {
    words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ")
}

/// serde's own message may quote a value of the record, so only its place is told.
fn malformed(err: &serde_json::Error) -> Fault {
    let what = match err.classify() {
        serde_json::error::Category::Eof => "the JSON ends too early",
        serde_json::error::Category::Data => "is not one JSON object",
        serde_json::error::Category::Syntax | serde_json::error::Category::Io => "is not JSON",
    };
    Fault::new(Reason::Malformed, format!("{what}, at line {} column {}", err.line(), err.column()))
}

struct ObjectVisitor<'f, 'de>(&'f mut Fields<'de>);

impl<'de> Visitor<'de> for ObjectVisitor<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key_seed(KeySeed)? {
            match key {
                Some(field) if field.is_nested() => self.0.put(field, Scalar::Raw(map.next_value::<&RawValue>()?.get())),
                Some(field) => self.0.put(field, map.next_value_seed(ScalarSeed)?),
                None => {
                    map.next_value::<IgnoredAny>()?;
                    self.0.foreign = self.0.foreign.saturating_add(1);
                }
            }
        }
        Ok(())
    }
}

struct KeySeed;

impl<'de> DeserializeSeed<'de> for KeySeed {
    type Value = Option<Field>;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Option<Field>, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for KeySeed {
    type Value = Option<Field>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Option<Field>, E> {
        Ok(Field::of(name))
    }
}

struct ScalarSeed;

impl<'de> DeserializeSeed<'de> for ScalarSeed {
    type Value = Scalar<'de>;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Scalar<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ScalarSeed {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Flag(flag))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Whole(number))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Scalar<'de>, E> {
        Ok(u64::try_from(number).map_or(Scalar::Negative(number), Scalar::Whole))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Real(number))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Scalar<'de>, E> {
        // Only a text with escapes comes this way; it has to be put together.
        Ok(Scalar::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Scalar<'de>, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Nested)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar<'de>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Nested)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn try_read(json: &[u8]) -> Result<Fields<'_>, Fault> {
        let mut fields = Fields::default();
        fields.read(json).map(|()| fields)
    }

    fn read(json: &str) -> Fields<'_> {
        try_read(json.as_bytes()).unwrap()
    }

    fn reason<T: fmt::Debug>(result: Result<T, Fault>) -> (Reason, String) {
        let fault = result.unwrap_err();
        (fault.reason, fault.field)
    }

    #[test]
    fn texts_without_escapes_are_borrowed() {
        let fields = read(r#"{"sensor":"a","gate":"\u0041"}"#);
        assert!(matches!(fields.get(Field::Sensor), Some(Scalar::Text(Cow::Borrowed("a")))));
        assert_eq!(fields.text(Field::Gate), Ok("A"));
    }

    #[test]
    fn null_is_the_same_as_absent() {
        let fields = read(r#"{"sensor":null,"in":null}"#);
        assert_eq!(reason(fields.text(Field::Sensor)), (Reason::MissingField, "sensor".into()));
        assert_eq!(fields.may_number(Field::In), Ok(None));
    }

    #[test]
    fn a_number_must_be_whole_and_within_bounds() {
        for wrong in ["-1", "1.5", "4294967296", "1e30", "\"3\"", "true", "[1]", "{}"] {
            let json = format!(r#"{{"in":{wrong}}}"#);
            assert_eq!(reason(read(&json).number(Field::In)), (Reason::WrongValue, "in".into()), "{wrong}");
        }
        assert_eq!(read(r#"{"in":4294967295}"#).number(Field::In), Ok(u32::MAX));
    }

    #[test]
    fn unknown_fields_are_counted_by_what_the_format_reads() {
        let fields = read(r#"{"type":"count","in":1,"gate":"g","vendor":{"a":[1,2]},"x":null}"#);
        assert_eq!(fields.unknown(FieldSet::of(&[Field::In])), 3);
        assert_eq!(fields.unknown(FieldSet::of(&[Field::In, Field::Gate])), 2);
    }

    #[test]
    fn a_field_that_stands_twice_is_refused_rather_than_chosen() {
        assert_eq!(reason(try_read(br#"{"in":1,"in":2}"#)), (Reason::WrongValue, "in".into()));
    }

    #[test]
    fn malformed_records_tell_the_place_and_never_the_content() {
        for json in [&b"\"secret-ticket\""[..], b"{\"a\":secret", b"", b"[1]", b"{} {}", b"\xff\xfe", b"{\"sensor\":\"\xff\"}"] {
            let fault = try_read(json).unwrap_err();
            assert_eq!(fault.reason, Reason::Malformed);
            assert!(!fault.detail.contains("secret"), "{}", fault.detail);
        }
    }
}

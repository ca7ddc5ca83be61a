//! What a format is, and how a record tells which one it has: by its headers, by its source's configuration, else by its field `type`.

use super::fault::{Fault, Reason};
use super::fields::{Field, FieldSet, Fields};
use super::origin::Origin;
use super::record::RecordRef;
use super::{FORMATS, Item};
use crate::venue::{Feed, Names};

/// One format of the list.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// Its word: the JSON field `type`, and what a source's configuration says.
    pub name: &'static str,
    /// Its name in `ce_type`, with the version.
    pub type_name: &'static str,
    /// Its content types; the first is the one to write.
    pub media_types: &'static [&'static str],
    /// The folder of its file.
    pub folder: &'static str,
    /// The feeds on which it may come.
    pub feeds: &'static [Feed],
    /// A record that decodes, for tests and fuzzing.
    pub sample: &'static [u8],
    pub(in crate::feeds) decoder: Decoder,
}

/// Reads the one thing that a flat record is.
type ReadOne = fn(&Fields<'_>, &Origin<'_>) -> Result<Item, Fault>;

/// Reads bytes and hands on what they hold, in order.
type ReadMany = fn(&[u8], &Origin<'_>, &mut dyn FnMut(Item)) -> Result<(), Fault>;

/// How a format is read.
#[derive(Clone, Copy, Debug)]
pub(in crate::feeds) enum Decoder {
    /// A flat JSON object that is one thing: the fields it knows, and what they mean.
    Json(FieldSet, ReadOne),
    /// Bytes that hold many things.
    Bytes(ReadMany),
}

impl Format {
    /// The format of that word, type name or content type.
    pub fn find(named: &str) -> Option<&'static Self> {
        FORMATS.iter().find(|format| format.is_called(named))
    }

    fn is_called(&self, named: &str) -> bool {
        named == self.name || named == self.type_name || self.media_types.iter().any(|media| named.eq_ignore_ascii_case(media))
    }

    /// A record whose header tells its format may leave `type` out, but not contradict the header.
    pub(in crate::feeds) fn check_type(&self, fields: &Fields<'_>) -> Result<(), Fault> {
        match fields.may_text(Field::Type)? {
            Some(name) if !self.is_called(name) => {
                Err(Fault::in_field(Reason::WrongValue, Field::Type.word(), format!("is not the format \"{}\" that the record is said to have", self.name)))
            }
            _ => Ok(()),
        }
    }

    fn on(&'static self, feed: Feed) -> Result<&'static Self, Fault> {
        if self.feeds.contains(&feed) {
            return Ok(self);
        }
        let topics: Vec<&str> = self.feeds.iter().map(|feed| feed.topic()).collect();
        Err(Fault::new(Reason::UnknownFormat, format!("\"{}\" comes on {}, not on {}", self.name, topics.join(" or "), feed.topic())))
    }
}

/// The format that the headers or the source's configuration tell; `None` leaves it to the field `type`.
pub(in crate::feeds) fn told(record: &RecordRef<'_>, origin: &Origin<'_>) -> Result<Option<&'static Format>, Fault> {
    let configured = || origin.source().and_then(|source| source.format.as_deref());
    let Some(named) = record.format.map(essence).filter(|named| !says_nothing(named)).or_else(configured) else {
        return Ok(None);
    };
    match Format::find(named) {
        Some(format) => format.on(record.feed).map(Some),
        None => Err(unknown(named)),
    }
}

/// The format that the record's own field `type` tells.
pub(in crate::feeds) fn of_type(fields: &Fields<'_>, feed: Feed) -> Result<&'static Format, Fault> {
    let Some(named) = fields.may_text(Field::Type)? else {
        return Err(Fault::in_field(
            Reason::UnknownFormat,
            Field::Type.word(),
            "neither a header nor the source's configuration nor this field tells the format",
        ));
    };
    match Format::find(named) {
        Some(format) => format.on(feed),
        None => Err(unknown(named)),
    }
}

/// A media type without its parameters.
fn essence(named: &str) -> &str {
    named.split(';').next().unwrap_or_default().trim()
}

/// These content types name an encoding, not a format.
fn says_nothing(named: &str) -> bool {
    ["", "application/json", "text/json", "application/octet-stream", "text/plain"].iter().any(|general| named.eq_ignore_ascii_case(general))
}

fn unknown(named: &str) -> Fault {
    let names = Names::new(FORMATS.iter().map(|format| format.name));
    // The name may be a whole media type or anything else: its length is bounded, and it is not repeated.
    let named: String = named.trim_start_matches("midan.").chars().take(64).collect();
    Fault::new(Reason::UnknownFormat, format!("the format is not known; nearest known: {}", names.nearest(&named).join(", ")))
}

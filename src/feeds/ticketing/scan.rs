//! `scan`: one ticket at one gate. Who held it does not come this far: device and visitor are read past, and of the ticket at most a pseudonym
//! remains, under a key that is destroyed after the match; without a key, nothing.
//!
//! The content hash covers the result, the direction, the gate and the event time, and nothing that could tell a person.

use crate::feeds::Item;
use crate::feeds::canonical::Canonical;
use crate::feeds::fault::Fault;
use crate::feeds::fields::{Field, FieldSet, Fields};
use crate::feeds::format::{Decoder, Format};
use crate::feeds::observation::{Entity, Observation, Rejection, Scan, What};
use crate::feeds::origin::Origin;
use crate::time::EventTime;
use crate::venue::Feed;

/// The format.
pub const FORMAT: Format = Format {
    name: "scan",
    type_name: "midan.scan.v1",
    media_types: &["application/vnd.midan.scan+json"],
    folder: "ticketing",
    feeds: &[Feed::Ticketing],
    sample:
        br#"{"type":"scan","scan_id":"s-1","venue":"casablanca","gate":"N12","result":"ok","event_time":1907863204250,"ticket":"p-71c9","direction":"entry"}"#,
    decoder: Decoder::Json(KNOWN, decode),
};

const KNOWN: FieldSet = FieldSet::of(&[
    Field::ScanId,
    Field::Gate,
    Field::Result,
    Field::EventTime,
    Field::Ticket,
    Field::Perimeter,
    Field::Lane,
    Field::Device,
    Field::Direction,
    Field::Reason,
    Field::RecordedTime,
    Field::Offline,
    Field::Visitor,
]);

/// The words of the field `result`: whether the holder was let through.
pub(in crate::feeds) const RESULTS: &[(&str, bool)] = &[("ok", true), ("rejected", false)];

/// The words of the field `direction`: whether it was on the way out.
pub(in crate::feeds) const DIRECTIONS: &[(&str, bool)] = &[("entry", false), ("exit", true)];

/// The words of the field `reason`.
pub(in crate::feeds) const REASONS: &[(&str, Rejection)] = &[
    ("invalid", Rejection::Invalid),
    ("unpaid", Rejection::Unpaid),
    ("blocked", Rejection::Blocked),
    ("invalid_time", Rejection::InvalidTime),
    ("canceled", Rejection::Canceled),
    ("already_redeemed", Rejection::AlreadyRedeemed),
    ("product", Rejection::Product),
    ("rules", Rejection::Rules),
    ("ambiguous", Rejection::Ambiguous),
    ("revoked", Rejection::Revoked),
    ("unapproved", Rejection::Unapproved),
    ("error", Rejection::Error),
    ("other", Rejection::Other),
];

/// What a reason means; a word that is none of [`REASONS`] is not kept, for it may be somebody's explanation.
pub(in crate::feeds) fn rejection(word: &str) -> Rejection {
    REASONS.iter().find(|(known, _)| *known == word).map_or(Rejection::Other, |(_, reason)| *reason)
}

/// What tells a repeat from a conflict: result, direction, gate and time. The reason is left out, for the same scan may come with it and without it.
pub(in crate::feeds) fn content(scan: &Scan, gate: &str, at: EventTime) -> Canonical {
    Canonical::of("scan").number(scan.accepted.into()).number(scan.exit.into()).text(gate).number(at.as_millis())
}

fn decode(fields: &Fields<'_>, origin: &Origin<'_>) -> Result<Item, Fault> {
    let scan_id = fields.text(Field::ScanId)?;
    let at = fields.time(Field::EventTime)?;
    let accepted = fields.word(Field::Result, RESULTS)?;
    let exit = fields.may_word(Field::Direction, DIRECTIONS)?.unwrap_or(false);
    let reason = fields.may_text(Field::Reason)?.filter(|_| !accepted).map(rejection);
    let ticket = fields.may_text(Field::Ticket)?.and_then(|ticket| origin.pseudonym(ticket, at));
    let scan = Scan { accepted, exit, reason, ticket };
    fields.may_time(Field::RecordedTime)?;
    let offline = fields.flag(Field::Offline)?;
    let (gate, name) = origin.gate(fields)?;
    let identity = Canonical::of("scan").text(scan_id);
    let content = content(&scan, name, at);
    let observation = origin.observation(at, Entity::Gate(gate), identity, content, What::Scan(scan))?;
    Ok(Item::Observation(Observation { offline, ..observation }))
}

//! `match`: what happens in the match and to its timetable. A kick-off delay moves every baseline, so it is an event like any other.

use crate::feeds::Item;
use crate::feeds::canonical::Canonical;
use crate::feeds::fault::Fault;
use crate::feeds::fields::{Field, FieldSet, Fields, missing};
use crate::feeds::format::{Decoder, Format};
use crate::feeds::observation::{Entity, MatchEvent, MatchEventKind, What};
use crate::feeds::origin::Origin;
use crate::time::EventTime;
use crate::venue::Feed;

/// The format.
pub const FORMAT: Format = Format {
    name: "match",
    type_name: "midan.match.v1",
    media_types: &["application/vnd.midan.match+json"],
    folder: "operations",
    feeds: &[Feed::Commands],
    sample: br#"{"type":"match","match_id":"m-104","venue":"casablanca","at":1907863200000,"event":"delayed_to","to":1907865000000}"#,
    decoder: Decoder::Json(FieldSet::of(&[Field::MatchId, Field::At, Field::Event, Field::ExpectedAttendance, Field::To]), decode),
};

/// The words of the field `event`.
pub(in crate::feeds) const EVENTS: &[(&str, MatchEventKind)] = &[
    ("kick_off_planned", MatchEventKind::KickOffPlanned),
    ("kick_off", MatchEventKind::KickOff),
    ("delayed_to", MatchEventKind::DelayedTo),
    ("half_time", MatchEventKind::HalfTime),
    ("second_half", MatchEventKind::SecondHalf),
    ("extra_time", MatchEventKind::ExtraTime),
    ("penalties", MatchEventKind::Penalties),
    ("final_whistle", MatchEventKind::FinalWhistle),
    ("abandoned", MatchEventKind::Abandoned),
];

fn decode(fields: &Fields<'_>, origin: &Origin<'_>) -> Result<Item, Fault> {
    let match_id = fields.text(Field::MatchId)?;
    let at = fields.time(Field::At)?;
    let event = fields.word(Field::Event, EVENTS)?;
    let expected_attendance = fields.may_number(Field::ExpectedAttendance)?;
    let to = fields.may_time(Field::To)?;
    if event == MatchEventKind::DelayedTo && to.is_none() {
        return Err(missing(Field::To));
    }
    let identity = Canonical::of("match").text(match_id).number(event as i64).number(at.as_millis());
    let content = Canonical::of("match").text(match_id).number(event as i64).number(at.as_millis());
    let content = content.may_number(expected_attendance.map(i64::from)).may_number(to.map(EventTime::as_millis));
    let what = What::Match(MatchEvent { match_id: match_id.into(), event, expected_attendance, to });
    Ok(Item::Observation(origin.observation(at, Entity::Venue, identity, content, what)?))
}

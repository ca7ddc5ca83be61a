//! `command`: what an operator does to an alarm, a count made by eye, or the order that another model speaks. Each action says what it needs; a command without it is refused here, before anything acts on it.

use crate::feeds::Item;
use crate::feeds::fault::{Fault, Reason};
use crate::feeds::fields::{Field, FieldSet, Fields};
use crate::feeds::format::{Decoder, Format};
use crate::feeds::observation::{Action, Command, ModelRole};
use crate::feeds::origin::Origin;
use crate::venue::Feed;

/// The format.
pub const FORMAT: Format = Format {
    name: "command",
    type_name: "midan.command.v1",
    media_types: &["application/vnd.midan.command+json"],
    folder: "operations",
    feeds: &[Feed::Commands],
    sample: br#"{"type":"command","command_id":"c-1","venue":"casablanca","operator":"ops-3","at":1907863200000,"action":"shelve","alarm_id":"a-9","until":1907863800000,"reason":"known works"}"#,
    decoder: Decoder::Json(KNOWN, decode),
};

const KNOWN: FieldSet = FieldSet::of(&[
    Field::CommandId,
    Field::Operator,
    Field::At,
    Field::Action,
    Field::AlarmId,
    Field::Until,
    Field::Reason,
    Field::Zone,
    Field::Persons,
    Field::Model,
    Field::Version,
    Field::Sha256,
    Field::Role,
    Field::From,
]);

/// Takes from the fields what one action needs.
type Needs = fn(&Fields<'_>, &Origin<'_>) -> Result<Action, Fault>;

/// The words of the field `action`, each with what it needs.
const ACTIONS: &[(&str, Needs)] = &[
    ("ack", |fields, _| Ok(Action::Ack { alarm_id: alarm(fields)? })),
    ("unack", |fields, _| Ok(Action::Unack { alarm_id: alarm(fields)? })),
    ("shelve", |fields, _| Ok(Action::Shelve { alarm_id: alarm(fields)?, until: fields.time(Field::Until)? })),
    ("unshelve", |fields, _| Ok(Action::Unshelve { alarm_id: alarm(fields)? })),
    ("suppress", |fields, _| Ok(Action::Suppress { alarm_id: alarm(fields)? })),
    ("out_of_service", |fields, _| Ok(Action::OutOfService { alarm_id: alarm(fields)? })),
    ("return", |fields, _| Ok(Action::Return { alarm_id: alarm(fields)? })),
    ("escalate", |fields, _| Ok(Action::Escalate { alarm_id: alarm(fields)? })),
    ("comment", comment),
    ("recount", |fields, origin| Ok(Action::Recount { persons: fields.number(Field::Persons)?, zone: origin.zone(fields)? })),
    ("swap_model", swap),
];

/// What a model is for, as the field `role` has it.
const ROLES: &[(&str, ModelRole)] = &[("flow", ModelRole::Flow), ("anomaly", ModelRole::Anomaly)];

fn decode(fields: &Fields<'_>, origin: &Origin<'_>) -> Result<Item, Fault> {
    let command_id = fields.text(Field::CommandId)?.into();
    let operator = fields.text(Field::Operator)?.into();
    let at = fields.time(Field::At)?;
    let reason = fields.may_text(Field::Reason)?.map(Box::from);
    let action = fields.word(Field::Action, ACTIONS)?(fields, origin)?;
    Ok(Item::Command(Command { command_id, venue: origin.venue_id, operator, at, action, reason }))
}

fn alarm(fields: &Fields<'_>) -> Result<Box<str>, Fault> {
    fields.text(Field::AlarmId).map(Box::from)
}

/// A comment without words says nothing: its text is the reason.
fn comment(fields: &Fields<'_>, _: &Origin<'_>) -> Result<Action, Fault> {
    fields.text(Field::Reason)?;
    Ok(Action::Comment { alarm_id: alarm(fields)? })
}

/// A model is named whole: by its hash, which decides, and by what people call it.
fn swap(fields: &Fields<'_>, _: &Origin<'_>) -> Result<Action, Fault> {
    let sha256 = fields.text(Field::Sha256)?;
    if sha256.len() != 64 || !sha256.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')) {
        return Err(Fault::in_field(Reason::WrongValue, Field::Sha256.word(), "is not 64 lower-case hexadecimal digits"));
    }
    Ok(Action::SwapModel {
        role: fields.may_word(Field::Role, ROLES)?.unwrap_or(ModelRole::Flow),
        model: fields.text(Field::Model)?.into(),
        version: fields.text(Field::Version)?.into(),
        sha256: sha256.into(),
        from: fields.may_time(Field::From)?.map_or_else(|| fields.time(Field::At), Ok)?,
    })
}

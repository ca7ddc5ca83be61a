//! What an operator may order: a command that the engine would set aside is refused here, with its field, before anybody believes that it was carried out.

use super::api::{CommandRequest, Service};
use crate::feeds::{self, Attributes, Item, RecordRef};
use crate::venue::{Feed, World};

/// Whether `request` names what there is: a venue, an action, a zone or an alarm that stands, a time to come.
///
/// # Errors
/// The field, what is wrong with it, and the nearest that there is.
pub(super) fn check(service: &Service, request: &CommandRequest) -> Result<(), String> {
    const ACTIONS: [&str; 11] = ["ack", "unack", "shelve", "unshelve", "suppress", "out_of_service", "return", "escalate", "comment", "recount", "swap_model"];
    let Some(venue) = service.world.find(&request.venue) else {
        return Err(format!("venue: {} is not configured", request.venue));
    };
    if request.operator.trim().is_empty() {
        return Err("operator: an account id is wanted".to_owned());
    }
    if !ACTIONS.contains(&request.action.as_str()) {
        return Err(format!("action: {} is none; the actions are {}", request.action, ACTIONS.join(", ")));
    }
    if request.action == "recount" {
        if request.zone.is_none() || request.persons.is_none() {
            return Err("zone, persons: a recount wants both".to_owned());
        }
        let (known, zone) = (service.world.venue(venue), request.zone.as_deref().unwrap_or_default());
        if known.find_zone(zone).is_none() {
            return Err(format!("zone: {} has no zone {zone}; the nearest are {}", known.id, known.zone_names.nearest(zone).join(", ")));
        }
    } else if request.action != "swap_model" {
        let Some(alarm_id) = request.alarm_id.as_deref() else { return Err(format!("alarm_id: {} wants it", request.action)) };
        service.view.find_alarm(&request.venue, alarm_id)?;
    }
    let reasoned = ["shelve", "suppress", "out_of_service", "comment"].contains(&request.action.as_str());
    if reasoned && request.reason.as_deref().is_none_or(|reason| reason.trim().is_empty()) {
        return Err(format!("reason: {} wants one", request.action));
    }
    let now = service.view.event_time(&request.venue).unwrap_or(0);
    match request.until {
        None if request.action == "shelve" => return Err("until: shelve wants a time, epoch ms".to_owned()),
        Some(until) if until <= now => return Err(format!("until: {until} is past; the data reaches until {now}")),
        _ => {}
    }
    Ok(())
}

/// Whether the engine will read `value`, a command of `venue` given at `at` (epoch ms): by the decoder that it uses.
///
/// # Errors
/// What the decoder says.
pub(super) fn read_back(world: &World, venue: &str, at: i64, value: &[u8]) -> Result<(), String> {
    let record = RecordRef {
        feed: Feed::Commands,
        partition: 0,
        offset: 0,
        appended: None,
        received: Some(at),
        key: Some(venue.as_bytes()),
        value,
        source: None,
        format: None,
        cloud_event: None,
        attributes: Attributes::NONE,
    };
    let mut unusable = None;
    let read = feeds::decode(&record, world, &mut |item| {
        if let Item::Unusable { fault, .. } = item {
            unusable = Some(fault);
        }
    });
    read.err().or(unusable).map_or(Ok(()), |fault| Err(fault.to_string()))
}

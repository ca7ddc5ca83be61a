//! A frame of a whole network, split by venue: each gets the frame's header and the entities that name one of its stops. A venue that none names gets the header alone, for
//! its clock must move too.

use super::route::{Payload, Route};
use crate::feeds::transport::wire::{FeedEntity, FeedMessage};
use crate::feeds::{Fault, Format, Reason};
use crate::venue::{Called, Source, Venue, VenueId, World};
use prost::Message;

/// The part of each venue. What is no GTFS-Realtime goes to each as it is: its decoder passes over what is elsewhere.
///
/// # Errors
/// The payload is no frame.
pub(super) fn by_venue(route: &Route, world: &World, payload: &Payload<'_>) -> Result<Vec<(VenueId, Vec<u8>)>, Fault> {
    let told = payload.content_type.and_then(|told| Format::find(told.split(';').next().unwrap_or_default().trim())).map(|format| format.name);
    let of = |id: VenueId| world.venue(id).find_source(&route.source).and_then(|source| world.venue(id).sources.get(source.index()));
    let is_frame = |source: &Source| told.or(source.format.as_deref()) == Some("gtfs_realtime");
    if !route.venues.iter().filter_map(|id| of(*id)).all(is_frame) {
        return Ok(route.venues.iter().map(|id| (*id, payload.bytes.to_vec())).collect());
    }
    let frame = FeedMessage::decode(payload.bytes).map_err(|_| Fault::new(Reason::Malformed, "is no GTFS-Realtime message: not protobuf, or cut short"))?;
    let mut parts = Vec::with_capacity(route.venues.len());
    for id in &route.venues {
        let Some(source) = of(*id) else { continue };
        let entity = frame.entity.iter().filter(|entity| concerns(world.venue(*id), source, entity)).cloned().collect();
        parts.push((*id, FeedMessage { header: frame.header.clone(), entity }.encode_to_vec()));
    }
    Ok(parts)
}

fn concerns(venue: &Venue, source: &Source, entity: &FeedEntity) -> bool {
    let here = |stop: Option<&String>| {
        stop.is_some_and(|stop| match source.wire.called(stop) {
            Called::Name(name) => venue.find_stop(name).is_some(),
            Called::LeftOut => false,
        })
    };
    let vehicle = || entity.vehicle.as_ref().is_some_and(|vehicle| here(vehicle.stop_id.as_ref()));
    let calls = || entity.trip_update.as_ref().is_some_and(|update| update.stop_time_update.iter().any(|call| here(call.stop_id.as_ref())));
    let alert = || entity.alert.as_ref().is_some_and(|alert| alert.informed_entity.iter().any(|informed| here(informed.stop_id.as_ref())));
    vehicle() || calls() || alert()
}

#[cfg(test)]
mod tests {
    use super::super::route::Admission;
    use super::*;
    use crate::feeds::sample::{venue, wired_venue};
    use crate::feeds::transport::gtfs_realtime::FORMAT;
    use crate::feeds::transport::wire::{FeedHeader, VehiclePosition};
    use crate::feeds::{Attributes, Item, Observation, RecordRef};
    use crate::venue::{Feed, Names, Stop};

    fn world() -> World {
        let mut other = venue();
        other.id = "rabat".into();
        other.stops = vec![Stop { id: "AGDAL".into(), name: String::new(), zone: None }];
        other.stop_names = Names::new(["AGDAL"]);
        World::new(vec![wired_venue(), other])
    }

    fn frame(stops: &[&str]) -> Vec<u8> {
        let vehicle = |(i, stop): (usize, &&str)| FeedEntity {
            id: Some(format!("v{i}")),
            vehicle: Some(VehiclePosition { stop_id: Some((*stop).to_owned()), ..VehiclePosition::default() }),
            ..FeedEntity::default()
        };
        let header = Some(FeedHeader { timestamp: Some(1_907_863_200), ..FeedHeader::default() });
        FeedMessage { header, entity: stops.iter().enumerate().map(vehicle).collect() }.encode_to_vec()
    }

    #[test]
    fn each_venue_gets_what_names_its_stops_and_the_clock() {
        let world = world();
        let route = Route::find(&world, None, "rail").unwrap();
        let bytes = frame(&["BENSLIMANE_STADE", "ELSEWHERE", "AGDAL", "AGDAL", "Q:BENSLIMANE:1"]);
        let payload = Payload { bytes: &bytes, content_type: Some("application/x-protobuf"), received: 0, cloud_event: None, attributes: Attributes::NONE };
        let Admission::Written { records, .. } = route.admit(&world, &payload, 32) else { panic!() };
        let seen = |i: usize| {
            let (mut vehicles, mut marks) = (0, 0);
            let record = RecordRef {
                feed: Feed::Transport,
                partition: 0,
                offset: 0,
                appended: None,
                received: None,
                key: Some(world.venue(records[i].venue).id.as_bytes()),
                value: &records[i].value,
                source: Some("rail"),
                format: Some(FORMAT.media_types[0]),
                cloud_event: None,
                attributes: Attributes::NONE,
            };
            crate::feeds::decode(&record, &world, &mut |item| match item {
                Item::Observation(Observation { what: crate::feeds::What::LowWater, .. }) => marks += 1,
                Item::Observation(_) => vehicles += 1,
                other => panic!("{other:?}"),
            })
            .unwrap();
            (vehicles, marks)
        };
        assert_eq!((records.len(), seen(0), seen(1)), (2, (2, 1), (2, 1)));
        let nobodys = frame(&["ELSEWHERE"]);
        let Admission::Written { records, .. } = route.admit(&world, &Payload { bytes: &nobodys, ..payload }, 32) else { panic!() };
        assert_eq!(records.len(), 2, "the clocks move all the same");
    }
}

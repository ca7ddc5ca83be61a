//! GTFS-Realtime 2.0: one frame becomes what it says of the venue's own stops; trains elsewhere are counted as ignored.
//!
//! The idea: a frame's clock is its header. Whatever the frame says was said at that time, so every observation of it bears the header's time, and
//! how old a vehicle's position was by then is a staleness value, never lateness (DESIGN §4 rule 2). A frame that says nothing of the venue
//! still moves the clock: each ends with a low-water mark at its own time.
//!
//! A stop matches by its GTFS id as the venue configures it. An agency that reports platforms (`A27N`) where a venue names the station
//! (`A27`) is resolved when the venue is loaded, from the static feed's `parent_station` ([`super::gtfs_static::Timetable::add_platforms`]),
//! not by guessing at the letters of an id.

use super::wire::{Alert, FeedMessage, TripDescriptor, TripUpdate, VehiclePosition};
use super::wire::{
    feed_header::Incrementality, trip_update::StopTimeUpdate, trip_update::stop_time_update::ScheduleRelationship, vehicle_position::VehicleStopStatus,
};
use crate::feeds::Item;
use crate::feeds::canonical::Canonical;
use crate::feeds::fault::{Fault, Reason};
use crate::feeds::format::{Decoder, Format};
use crate::feeds::moment;
use crate::feeds::observation::{Arrival, Entity, Vehicle, What};
use crate::feeds::origin::Origin;
use crate::time::EventTime;
use crate::venue::{Feed, StopId};
use prost::Message;

/// The format.
pub const FORMAT: Format = Format {
    name: "gtfs_realtime",
    type_name: "midan.gtfs_realtime.v2",
    media_types: &["application/x-protobuf", "application/protobuf", "application/x-google-protobuf", "application/vnd.google.protobuf"],
    folder: "transport",
    feeds: &[Feed::Transport],
    sample: SAMPLE,
    decoder: Decoder::Bytes(decode),
};

/// A frame of one train that stands at `BENSLIMANE_STADE` with 85 % of its places taken, 20 s old.
const SAMPLE: &[u8] = b"\n\r\n\x032.0\x10\x00\x18\xa0\xdd\xde\x8d\x07\x12*\n\x02v1\"$\n\x04\n\x02t7 \x01(\x8c\xdd\xde\x8d\x07:\x10BENSLIMANE_STADEH\x03PU";

/// `TripDescriptor.ScheduleRelationship`: trips that do not run (CANCELED, DELETED). All others do: NEW and REPLACEMENT, and the deprecated ADDED as well.
const NOT_RUNNING: [i32; 2] = [3, 7];

/// The time of a frame: that of its header, read without the entities.
///
/// # Errors
/// The bytes do not begin with a header that bears a time.
pub fn frame_time(frame: &[u8]) -> Result<EventTime, Fault> {
    // The header is the first field of every frame in the wild; so a frame cut short after it still shows its time.
    let malformed = || Fault::new(Reason::Malformed, "does not begin with a GTFS-Realtime header");
    let rest = frame.strip_prefix(&[0x0a]).ok_or_else(malformed)?;
    let mut rest = rest;
    let length = prost::encoding::decode_varint(&mut rest).map_err(|_| malformed())?;
    let header = usize::try_from(length).ok().and_then(|length| rest.get(..length)).ok_or_else(malformed)?;
    let header = super::wire::FeedHeader::decode(header).map_err(|_| malformed())?;
    time_of(header.timestamp)
}

fn time_of(timestamp: Option<u64>) -> Result<EventTime, Fault> {
    match timestamp {
        // Agencies write 0 for "not set".
        None | Some(0) => Err(Fault::in_field(Reason::MissingField, "header.timestamp", "must be there: it is the frame's clock")),
        Some(secs) => moment::from_posix_secs(secs).map_err(|(reason, _)| Fault::in_field(reason, "header.timestamp", "is no POSIX time in seconds")),
    }
}

fn decode(bytes: &[u8], origin: &Origin<'_>, each: &mut dyn FnMut(Item)) -> Result<(), Fault> {
    let message = FeedMessage::decode(bytes).map_err(|_| Fault::new(Reason::Malformed, "is no GTFS-Realtime message: not protobuf, or cut short"))?;
    let header = message.header.as_ref().ok_or_else(|| Fault::in_field(Reason::MissingField, "header", "must be there"))?;
    if header.incrementality() == Incrementality::Differential {
        let detail = "is DIFFERENTIAL, whose meaning the specification leaves open: have the source send full frames";
        return Err(Fault::in_field(Reason::WrongValue, "header.incrementality", detail));
    }
    let at = time_of(header.timestamp)?;
    let word = || Canonical::of("frame").number(at.as_millis());
    let low_water = origin.part(at, Entity::Venue, word(), word(), What::LowWater)?;
    let mut frame = Frame { origin, at, found: 0, each };
    for entity in &message.entity {
        frame.entity(entity);
    }
    // Last, so that no entity of this frame is judged by its own frame's clock.
    each(Item::Observation(low_water));
    Ok(())
}

struct Frame<'a> {
    origin: &'a Origin<'a>,
    at: EventTime,
    found: u32,
    each: &'a mut dyn FnMut(Item),
}

impl<'a> Frame<'a> {
    fn entity(&mut self, entity: &super::wire::FeedEntity) {
        self.found = 0;
        if !entity.is_deleted() {
            let id = entity.id.as_deref().unwrap_or_default();
            if let Some(vehicle) = &entity.vehicle {
                self.vehicle(id, vehicle);
            }
            if let Some(update) = &entity.trip_update {
                self.trip(id, update);
            }
            if let Some(alert) = &entity.alert {
                self.alert(id, alert);
            }
        }
        if self.found == 0 {
            (self.each)(Item::Ignored);
        }
    }

    fn vehicle(&mut self, id: &str, vehicle: &VehiclePosition) {
        let Some((stop, name)) = self.stop(vehicle.stop_id.as_deref()) else { return };
        let measured = vehicle.timestamp.filter(|secs| *secs > 0).and_then(|secs| moment::from_posix_secs(secs).ok()).unwrap_or(self.at);
        let trip = trip_hash(vehicle.trip.as_ref());
        let stopped = vehicle.current_status() == VehicleStopStatus::StoppedAt;
        let (occupancy_status, occupancy_percentage) = occupancy(vehicle);
        // The age is left out of the content: the same position, told again by the next frame, is a repeat.
        let content = Canonical::of("vehicle").text(name).number(trip as i64).number(stopped.into());
        let content = content.may_number(occupancy_status.map(i64::from)).may_number(occupancy_percentage.map(i64::from));
        let identity = Canonical::of("vehicle").text(id).number(measured.as_millis()).text(name);
        let age = self.at.since(measured);
        self.emit(stop, identity, content, What::Vehicle(Vehicle { trip, stopped, occupancy_status, occupancy_percentage, age, on_board: None }));
    }

    fn trip(&mut self, id: &str, update: &TripUpdate) {
        if update.trip.as_ref().and_then(|trip| trip.schedule_relationship).is_some_and(|relationship| NOT_RUNNING.contains(&relationship)) {
            return;
        }
        let trip = trip_hash(update.trip.as_ref());
        for (position, call) in update.stop_time_update.iter().enumerate() {
            let Some((stop, name)) = self.stop(call.stop_id.as_deref()) else { continue };
            match expected_arrival(call) {
                Expected::At(expected) => {
                    // A loop line calls twice at a stop; which call it is belongs to the identity.
                    let call_number = call.stop_sequence.map_or(position as i64, i64::from);
                    let identity = Canonical::of("arrival").text(id).number(self.at.as_millis()).text(name).number(call_number);
                    let occupancy_status = call.departure_occupancy_status;
                    let content = Canonical::of("arrival").number(trip as i64).number(expected.as_millis()).may_number(occupancy_status.map(i64::from));
                    self.emit(stop, identity, content, What::Arrival(Arrival { trip, expected, occupancy_status }));
                }
                Expected::OnlyDelay => self.unusable("trip_update.stop_time_update.arrival.time", "tells only a delay; an absolute time is needed"),
                Expected::None => {}
            }
        }
    }

    fn alert(&mut self, id: &str, alert: &Alert) {
        let mut told: Vec<StopId> = Vec::new();
        for informed in &alert.informed_entity {
            let Some((stop, name)) = self.stop(informed.stop_id.as_deref()) else { continue };
            // One alert names a stop once for each line that calls there.
            if told.contains(&stop) {
                continue;
            }
            told.push(stop);
            // 1 and 8 are what the specification says for a missing cause and effect: unknown.
            let (cause, effect) = (alert.cause.unwrap_or(1), alert.effect.unwrap_or(8));
            let identity = Canonical::of("alert").text(id).number(self.at.as_millis()).text(name);
            let content = Canonical::of("alert").text(name).number(cause.into()).number(effect.into());
            self.emit(stop, identity, content, What::ServiceAlert { cause, effect });
        }
    }

    fn stop(&self, stop_id: Option<&str>) -> Option<(StopId, &'a str)> {
        self.origin.stop_called(stop_id?)
    }

    fn emit(&mut self, stop: StopId, identity: Canonical, content: Canonical, what: What) {
        self.found += 1;
        (self.each)(match self.origin.part(self.at, Entity::Stop(stop), identity, content, what) {
            Ok(observation) => Item::Observation(observation),
            Err(fault) => Item::Unusable { source: self.origin.source_id(), fault },
        });
    }

    fn unusable(&mut self, field: &str, detail: &str) {
        self.found += 1;
        (self.each)(Item::Unusable { source: self.origin.source_id(), fault: Fault::in_field(Reason::MissingField, field, detail) });
    }
}

/// `OccupancyStatus` of GTFS-Realtime whose number tells nothing of how full a vehicle is: NO_DATA_AVAILABLE.
const NO_DATA: i32 = 7;

/// How full a vehicle is: as it says of itself, else as its carriages say, which are taken to be of one size: the mean of their percentages, and the
/// level of the fullest one that takes passengers.
fn occupancy(vehicle: &VehiclePosition) -> (Option<i32>, Option<u32>) {
    let carriages = &vehicle.multi_carriage_details;
    let status = vehicle.occupancy_status.filter(|status| *status != NO_DATA);
    let fullest = || carriages.iter().filter_map(|carriage| carriage.occupancy_status).filter(|status| (0..=5).contains(status)).max();
    // −1 says that a carriage has no data.
    let told: Vec<u32> = carriages.iter().filter_map(|carriage| u32::try_from(carriage.occupancy_percentage()).ok()).collect();
    let mean = || (!told.is_empty()).then(|| (told.iter().map(|share| u64::from(*share)).sum::<u64>() / told.len() as u64) as u32);
    (status.or_else(fullest).or(vehicle.occupancy_status), vehicle.occupancy_percentage.or_else(mean))
}

enum Expected {
    At(EventTime),
    OnlyDelay,
    None,
}

/// A call without arrival is where the trip begins: nobody arrives there.
fn expected_arrival(call: &StopTimeUpdate) -> Expected {
    if matches!(call.schedule_relationship(), ScheduleRelationship::Skipped | ScheduleRelationship::NoData) {
        return Expected::None;
    }
    let Some(arrival) = call.arrival.as_ref() else { return Expected::None };
    match arrival.time.and_then(|secs| u64::try_from(secs).ok()).filter(|secs| *secs > 0).map(moment::from_posix_secs) {
        Some(Ok(at)) => Expected::At(at),
        _ => Expected::OnlyDelay,
    }
}

/// A trip of one day: the id alone comes again tomorrow.
fn trip_hash(trip: Option<&TripDescriptor>) -> u64 {
    let Some(trip) = trip else { return 0 };
    let parts = [&trip.trip_id, &trip.route_id, &trip.start_date, &trip.start_time];
    parts.iter().fold(Canonical::of("trip"), |hash, part| hash.text(part.as_deref().unwrap_or_default())).hash()
}

#[cfg(test)]
mod tests {
    use super::super::wire::{EntitySelector, FeedEntity, FeedHeader, trip_update::StopTimeEvent, vehicle_position::CarriageDetails};
    use super::*;
    use crate::feeds::observation::Observation;
    use crate::feeds::sample;

    const NOW: u64 = 1_907_863_200;
    const HERE: &str = "BENSLIMANE_STADE";

    fn frame(entity: Vec<FeedEntity>) -> FeedMessage {
        FeedMessage { header: Some(FeedHeader { timestamp: Some(NOW), ..FeedHeader::default() }), entity }
    }

    fn items(message: &FeedMessage) -> Result<Vec<Item>, Fault> {
        let (bytes, world, mut items) = (message.encode_to_vec(), sample::world(), Vec::new());
        let mut record = sample::record(Feed::Transport, &bytes);
        record.format = Some("application/x-protobuf");
        crate::feeds::decode(&record, &world, &mut |item| items.push(item)).map(|()| items)
    }

    /// What one entity becomes, without the low-water mark that ends the frame.
    fn of(entity: FeedEntity) -> Vec<Item> {
        let mut items = items(&frame(vec![entity])).unwrap();
        let last = items.pop();
        assert!(matches!(last, Some(Item::Observation(Observation { what: What::LowWater, .. }))));
        items
    }

    fn call(stop: &str, arrival: Option<StopTimeEvent>) -> StopTimeUpdate {
        StopTimeUpdate { stop_id: Some(stop.to_owned()), arrival, ..StopTimeUpdate::default() }
    }

    fn at(secs: u64) -> Option<StopTimeEvent> {
        Some(StopTimeEvent { time: Some(secs as i64), delay: None })
    }

    fn trip(calls: Vec<StopTimeUpdate>, schedule_relationship: Option<i32>) -> FeedEntity {
        let trip = Some(TripDescriptor { trip_id: Some("t".into()), schedule_relationship, ..TripDescriptor::default() });
        FeedEntity { id: Some("u1".into()), trip_update: Some(TripUpdate { trip, stop_time_update: calls, timestamp: None }), ..FeedEntity::default() }
    }

    #[test]
    fn an_empty_frame_still_moves_the_clock() {
        let items = items(&frame(vec![])).unwrap();
        assert!(matches!(items[..], [Item::Observation(Observation { what: What::LowWater, at, .. })] if at == EventTime::from_millis(NOW as i64 * 1_000)));
    }

    #[test]
    fn a_frame_without_a_time_or_of_differences_is_refused() {
        let mut message = frame(vec![]);
        message.header.as_mut().unwrap().timestamp = None;
        assert_eq!(items(&message).unwrap_err().field, "header.timestamp");
        message.header.as_mut().unwrap().timestamp = Some(u64::MAX);
        assert_eq!(items(&message).unwrap_err().reason, Reason::WrongValue);
        message.header.as_mut().unwrap().timestamp = Some(NOW);
        message.header.as_mut().unwrap().incrementality = Some(Incrementality::Differential as i32);
        assert_eq!((items(&message).unwrap_err().reason, items(&message).unwrap_err().field.as_str()), (Reason::WrongValue, "header.incrementality"));
        message.header = None;
        assert_eq!(items(&message).unwrap_err().reason, Reason::MissingField);
    }

    #[test]
    fn trains_elsewhere_are_ignored_one_by_one() {
        let elsewhere = trip(vec![call("X", at(NOW)), call("Y", at(NOW))], None);
        assert_eq!(of(elsewhere), [Item::Ignored]);
        assert_eq!(of(FeedEntity { is_deleted: Some(true), ..trip(vec![call(HERE, at(NOW))], None) }), [Item::Ignored]);
        assert_eq!(of(FeedEntity::default()), [Item::Ignored]);
    }

    #[test]
    fn an_arrival_needs_a_trip_that_runs_and_a_time() {
        let arrivals = of(trip(vec![call("X", at(NOW)), call(HERE, at(NOW + 300))], None));
        assert!(
            matches!(arrivals[..], [Item::Observation(Observation { what: What::Arrival(arrival), .. })] if arrival.expected.as_secs() == NOW as i64 + 300)
        );
        let skipped = StopTimeUpdate { schedule_relationship: Some(ScheduleRelationship::Skipped as i32), ..call(HERE, at(NOW)) };
        assert_eq!(of(trip(vec![skipped], None)), [Item::Ignored]);
        assert_eq!(of(trip(vec![call(HERE, at(NOW))], Some(3))), [Item::Ignored], "cancelled");
        assert_eq!(of(trip(vec![call(HERE, None)], None)), [Item::Ignored], "the trip begins here");
        let delay = of(trip(vec![call(HERE, Some(StopTimeEvent { delay: Some(60), time: None }))], None));
        assert!(matches!(&delay[..], [Item::Unusable { fault, .. }] if fault.reason == Reason::MissingField));
    }

    #[test]
    fn trips_that_are_new_replace_another_or_are_added_run_and_a_deleted_one_does_not() {
        for (relationship, runs) in [(0, true), (1, true), (2, true), (5, true), (6, true), (8, true), (3, false), (7, false)] {
            let arrivals = of(trip(vec![call(HERE, at(NOW + 60))], Some(relationship)));
            assert_eq!(matches!(arrivals[..], [Item::Observation(_)]), runs, "{relationship}");
        }
    }

    #[test]
    fn a_train_that_tells_only_its_carriages_is_as_full_as_they_are() {
        let carriage = |status: Option<i32>, percentage: Option<i32>| CarriageDetails {
            occupancy_status: status,
            occupancy_percentage: percentage,
            ..CarriageDetails::default()
        };
        let full = |own: (Option<i32>, Option<u32>), carriages: Vec<CarriageDetails>| {
            occupancy(&VehiclePosition {
                occupancy_status: own.0,
                occupancy_percentage: own.1,
                multi_carriage_details: carriages,
                ..VehiclePosition::default()
            })
        };
        let three = || vec![carriage(Some(1), Some(30)), carriage(Some(5), Some(100)), carriage(Some(8), Some(-1))];
        assert_eq!(full((None, None), three()), (Some(5), Some(65)), "the closed carriage has no say");
        assert_eq!(full((Some(2), Some(40)), three()), (Some(2), Some(40)), "what it says of itself goes first");
        assert_eq!(full((Some(7), None), vec![]), (Some(7), None));
        assert_eq!(full((Some(7), None), three()).0, Some(5));
    }

    #[test]
    fn a_line_that_calls_twice_gives_two_identities() {
        let twice = of(trip(vec![call(HERE, at(NOW)), call(HERE, at(NOW + 900))], None));
        match &twice[..] {
            [Item::Observation(a), Item::Observation(b)] => assert_ne!(a.identity, b.identity),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_same_position_told_again_is_a_repeat_and_its_age_is_staleness() {
        let seen = |now: u64| {
            let position =
                VehiclePosition { stop_id: Some(HERE.into()), timestamp: Some(NOW - 90), occupancy_percentage: Some(130), ..VehiclePosition::default() };
            let mut message = frame(vec![FeedEntity { id: Some("v".into()), vehicle: Some(position), ..FeedEntity::default() }]);
            message.header.as_mut().unwrap().timestamp = Some(now);
            match items(&message).unwrap().remove(0) {
                Item::Observation(observation) => observation,
                other => panic!("{other:?}"),
            }
        };
        let (first, again) = (seen(NOW), seen(NOW + 30));
        assert_eq!((first.identity, first.content), (again.identity, again.content));
        assert_eq!(again.at.as_secs(), NOW as i64 + 30);
        assert!(
            matches!(again.what, What::Vehicle(vehicle) if vehicle.age.as_millis() == 120_000 && vehicle.occupancy_percentage == Some(130) && !vehicle.stopped)
        );
    }

    #[test]
    fn an_alert_names_each_stop_once() {
        let informed = |stop: &str| EntitySelector { stop_id: Some(stop.to_owned()) };
        let alert = Alert { informed_entity: vec![informed(HERE), informed("X"), informed(HERE)], cause: Some(4), effect: None };
        let items = of(FeedEntity { id: Some("a".into()), alert: Some(alert), ..FeedEntity::default() });
        assert!(matches!(items[..], [Item::Observation(Observation { what: What::ServiceAlert { cause: 4, effect: 8 }, .. })]), "{items:?}");
    }

    #[test]
    fn a_frame_that_was_cut_short_still_shows_its_time() {
        let bytes = frame(vec![trip(vec![call(HERE, at(NOW))], None)]).encode_to_vec();
        assert_eq!(frame_time(&bytes[..bytes.len() - 3]).map(EventTime::as_secs), Ok(NOW as i64));
        assert!(frame_time(b"").is_err() && frame_time(b"<html>").is_err() && frame_time(b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f").is_err());
    }
}

//! SIRI 2.1 StopMonitoring and VehicleMonitoring: one delivery becomes what it says of the venue's own stops, with how full the vehicles are.
//!
//! The idea: like a GTFS-Realtime frame, a delivery was said at one time, its `ResponseTimestamp`; how old a vehicle's record was by then is staleness. Each ends with
//! a low-water mark. Elements are told by their local names, so any namespace prefix will do; what is not named here is skipped.
//!
//! SIRI's occupancy levels are turned into the codes of GTFS-Realtime, with which version 2.1 has aligned them. A visit that has left and says how many alighted and
//! boarded is a count of passengers besides.

use crate::feeds::Item;
use crate::feeds::canonical::Canonical;
use crate::feeds::fault::{Fault, Reason};
use crate::feeds::format::{Decoder, Format};
use crate::feeds::moment;
use crate::feeds::observation::{Arrival, Entity, Passengers, Vehicle, What};
use crate::feeds::origin::Origin;
use crate::feeds::vendor::{missing, time};
use crate::time::{EventTime, Span};
use crate::venue::Feed;
use quick_xml::Reader;
use quick_xml::events::Event;

/// The format.
pub const FORMAT: Format = Format {
    name: "siri",
    type_name: "siri.v2",
    media_types: &["application/vnd.siri+xml", "application/xml", "text/xml"],
    folder: "transport",
    feeds: &[Feed::Transport],
    sample: SAMPLE.as_bytes(),
    decoder: Decoder::Bytes(decode),
};

const SAMPLE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<Siri xmlns="http://www.siri.org.uk/siri" version="2.1"><ServiceDelivery><ResponseTimestamp>2030-06-15T20:00:00+01:00</ResponseTimestamp>
<StopMonitoringDelivery version="2.1"><MonitoredStopVisit><RecordedAtTime>2030-06-15T19:59:40+01:00</RecordedAtTime><MonitoringRef>Q:BENSLIMANE:1</MonitoringRef>
<MonitoredVehicleJourney><LineRef>RER-A</LineRef><FramedVehicleJourneyRef><DataFrameRef>2030-06-15</DataFrameRef><DatedVehicleJourneyRef>t7</DatedVehicleJourneyRef></FramedVehicleJourneyRef>
<Occupancy>standingAvailable</Occupancy><MonitoredCall><StopPointRef>Q:BENSLIMANE:1</StopPointRef><Order>12</Order><VehicleAtStop>true</VehicleAtStop>
<ExpectedArrivalTime>2030-06-15T19:59:50+01:00</ExpectedArrivalTime><ExpectedDepartureOccupancy><OccupancyLevel>standingRoomOnly</OccupancyLevel><OccupancyPercentage>92</OccupancyPercentage><OnboardCount>1012</OnboardCount></ExpectedDepartureOccupancy></MonitoredCall>
</MonitoredVehicleJourney></MonitoredStopVisit></StopMonitoringDelivery></ServiceDelivery></Siri>"#;

/// The deepest element that is looked into; a deeper document is no delivery.
const DEEPEST: usize = 64;

/// SIRI's words for how full a vehicle is, and GTFS-Realtime's codes for them: those of version 2.1, then the three older ones.
const LEVELS: &[(&str, i32)] = &[
    ("empty", 0),
    ("manySeatsAvailable", 1),
    ("fewSeatsAvailable", 2),
    ("standingRoomOnly", 3),
    ("crushedStandingRoomOnly", 4),
    ("full", 5),
    ("notAcceptingPassengers", 6),
    ("unknown", 7),
    ("undefined", 7),
    ("notBoardable", 8),
    ("seatsAvailable", 1),
    ("standingAvailable", 3),
];

/// What is read of one visit or activity.
#[derive(Default)]
struct Visit {
    recorded: Option<String>,
    line: String,
    journey: String,
    day: String,
    fullness: Fullness,
    calls: Vec<Call>,
}

/// A call of the vehicle at a stop.
#[derive(Default)]
struct Call {
    /// Where the vehicle is, or is going to next.
    monitored: bool,
    stop: String,
    order: String,
    at_stop: bool,
    expected: Option<String>,
    aimed: Option<String>,
    departed: Option<String>,
    cancelled: bool,
    fullness: Fullness,
}

/// How full the vehicle is, as far as it is told.
#[derive(Clone, Copy, Default)]
struct Fullness {
    level: Option<i32>,
    percentage: Option<u32>,
    on_board: Option<u32>,
    alighting: Option<u32>,
    boarding: Option<u32>,
}

/// A delivery, read.
#[derive(Default)]
struct Delivery {
    at: Option<String>,
    visits: Vec<Visit>,
}

fn decode(bytes: &[u8], origin: &Origin<'_>, each: &mut dyn FnMut(Item)) -> Result<(), Fault> {
    let delivery = read(bytes)?;
    let said =
        delivery.at.as_deref().ok_or_else(|| Fault { detail: "must be there: it is the delivery's clock".to_owned(), ..missing("ResponseTimestamp") })?;
    let at = time("ResponseTimestamp", text_time(said, origin))?;
    let word = || Canonical::of("frame").number(at.as_millis());
    let low_water = origin.part(at, Entity::Venue, word(), word(), What::LowWater)?;
    let mut items = Vec::new();
    for visit in &delivery.visits {
        let before = items.len();
        visit_of(visit, at, origin, &mut items)?;
        if items.len() == before {
            items.push(Item::Ignored);
        }
    }
    items.into_iter().for_each(&mut *each);
    // Last, so that no visit is judged by its own delivery's clock.
    each(Item::Observation(low_water));
    Ok(())
}

/// SIRI wants an offset; systems that leave it out mean their own wall clock.
fn text_time(text: &str, origin: &Origin<'_>) -> Result<EventTime, (Reason, &'static str)> {
    match moment::from_text(text) {
        Err((Reason::ZonelessTime, _)) => {
            moment::from_wall_clock(text, "%Y-%m-%dT%H:%M:%S%.f", origin.wire().and_then(|wire| wire.time_zone), origin.received_at())
        }
        read => read,
    }
}

fn visit_of(visit: &Visit, at: EventTime, origin: &Origin<'_>, items: &mut Vec<Item>) -> Result<(), Fault> {
    let trip = Canonical::of("trip").text(&visit.journey).text(&visit.line).text(&visit.day).hash();
    let recorded = visit.recorded.as_deref().map(|text| time("RecordedAtTime", text_time(text, origin))).transpose()?.unwrap_or(at);
    for call in &visit.calls {
        let Some((stop, name)) = origin.stop_called(&call.stop) else { continue };
        let entity = Entity::Stop(stop);
        let fullness = call.fullness.or(visit.fullness);
        if call.monitored {
            let vehicle = Vehicle {
                trip,
                stopped: call.at_stop,
                occupancy_status: fullness.level,
                occupancy_percentage: fullness.percentage,
                age: at.since(recorded),
                on_board: fullness.on_board,
            };
            let identity = Canonical::of("siri.vehicle").number(trip as i64).number(recorded.as_millis()).text(name);
            let content = identity.number(call.at_stop.into()).may_number(fullness.level.map(i64::from)).may_number(fullness.percentage.map(i64::from));
            let content = content.may_number(fullness.on_board.map(i64::from));
            items.push(Item::Observation(origin.part(at, entity, identity, content, What::Vehicle(vehicle))?));
        }
        if let Some(text) = call.expected.as_deref().or(call.aimed.as_deref()).filter(|_| !call.cancelled) {
            let expected = time("ExpectedArrivalTime", text_time(text, origin))?;
            let identity = Canonical::of("siri.arrival").number(trip as i64).number(at.as_millis()).text(name).text(&call.order);
            let content = identity.number(expected.as_millis()).may_number(fullness.level.map(i64::from));
            let arrival = Arrival { trip, expected, occupancy_status: fullness.level };
            items.push(Item::Observation(origin.part(at, entity, identity, content, What::Arrival(arrival))?));
        }
        if let (Some(text), Some((alighting, boarding))) = (call.departed.as_deref(), call.fullness.counted()) {
            let to = time("ActualDepartureTime", text_time(text, origin))?;
            let from = to.before(Span::from_millis(1));
            let identity = Canonical::of("siri.passengers").number(trip as i64).text(name).text(&call.order);
            let content = identity.number(to.as_millis()).number(alighting.into()).number(boarding.into());
            let passengers = Passengers { from, to, alighting, boarding };
            items.push(Item::Observation(origin.part(from, entity, identity, content, What::Passengers(passengers))?));
        }
    }
    Ok(())
}

impl Fullness {
    fn or(self, other: Self) -> Self {
        Self {
            level: self.level.or(other.level),
            percentage: self.percentage.or(other.percentage),
            on_board: self.on_board.or(other.on_board),
            alighting: self.alighting,
            boarding: self.boarding,
        }
    }

    fn counted(&self) -> Option<(u32, u32)> {
        (self.alighting.is_some() || self.boarding.is_some()).then(|| (self.alighting.unwrap_or(0), self.boarding.unwrap_or(0)))
    }
}

fn read(bytes: &[u8]) -> Result<Delivery, Fault> {
    let malformed = |detail: &str| Fault::new(Reason::Malformed, format!("is no SIRI delivery: {detail}"));
    let mut reader = Reader::from_reader(bytes);
    reader.config_mut().trim_text(true);
    let (mut delivery, mut path, mut text): (Delivery, Vec<String>, String) = Default::default();
    let mut buffer = Vec::new();
    loop {
        match reader.read_event_into(&mut buffer).map_err(|_| malformed("the XML is not well formed"))? {
            Event::Start(start) => {
                if path.len() == DEEPEST {
                    return Err(malformed("its elements lie too deep"));
                }
                path.push(String::from_utf8_lossy(start.local_name().as_ref()).into_owned());
                text.clear();
                delivery.open(&path);
            }
            Event::Text(piece) => text.push_str(&piece.decode().map_err(|_| malformed("it is not UTF-8"))?),
            Event::End(_) => {
                delivery.close(&path, std::mem::take(&mut text));
                path.pop();
            }
            // An entity of its own would have to be expanded, and nothing that is read here needs one.
            Event::DocType(_) => return Err(malformed("it has a document type")),
            Event::Eof if path.is_empty() => break,
            Event::Eof => return Err(malformed("it ends too early")),
            _ => {}
        }
        buffer.clear();
    }
    if delivery.at.is_none() && delivery.visits.is_empty() {
        return Err(malformed("it has neither a ResponseTimestamp nor a visit"));
    }
    Ok(delivery)
}

impl Delivery {
    fn open(&mut self, path: &[String]) {
        match path.last().map(String::as_str) {
            Some("MonitoredStopVisit" | "VehicleActivity") => self.visits.push(Visit::default()),
            Some(call @ ("MonitoredCall" | "OnwardCall")) => {
                if let Some(visit) = self.visits.last_mut() {
                    visit.calls.push(Call { monitored: call == "MonitoredCall", ..Call::default() });
                }
            }
            _ => {}
        }
    }

    fn close(&mut self, path: &[String], text: String) {
        let Some(name) = path.last() else { return };
        let within = |element: &str| path.iter().any(|open| open == element);
        if name == "ResponseTimestamp" && !within("MonitoredStopVisit") && !within("VehicleActivity") {
            // The first is the delivery's, others are of its parts.
            self.at.get_or_insert(text);
            return;
        }
        let Some(visit) = self.visits.last_mut().filter(|_| within("MonitoredStopVisit") || within("VehicleActivity")) else { return };
        let call = if within("MonitoredCall") || within("OnwardCall") { visit.calls.last_mut() } else { None };
        match call {
            Some(call) => call.note(name, text),
            None if !within("PreviousCall") => visit.note(name, text),
            None => {}
        }
    }
}

impl Visit {
    fn note(&mut self, name: &str, text: String) {
        match name {
            "RecordedAtTime" => self.recorded = Some(text),
            "LineRef" => self.line = text,
            "DatedVehicleJourneyRef" => self.journey = text,
            "DataFrameRef" => self.day = text,
            _ => self.fullness.note(name, &text),
        }
    }
}

impl Call {
    fn note(&mut self, name: &str, text: String) {
        match name {
            "StopPointRef" => self.stop = text,
            "Order" | "VisitNumber" => self.order = text,
            "VehicleAtStop" => self.at_stop = matches!(text.as_str(), "true" | "1"),
            "ExpectedArrivalTime" => self.expected = Some(text),
            "AimedArrivalTime" => self.aimed = Some(text),
            "ActualDepartureTime" => self.departed = Some(text),
            "ArrivalStatus" => self.cancelled = text == "cancelled",
            _ => self.fullness.note(name, &text),
        }
    }
}

impl Fullness {
    fn note(&mut self, name: &str, text: &str) {
        let number = || text.trim().parse::<f64>().ok().filter(|number| (0.0..=1.0e6).contains(number)).map(|number| libm::round(number) as u32);
        match name {
            "Occupancy" | "OccupancyLevel" => self.level = LEVELS.iter().find(|(word, _)| *word == text).map(|(_, code)| *code).or(self.level),
            "OccupancyPercentage" => self.percentage = number(),
            "OnboardCount" => self.on_board = number(),
            "AlightingCount" => self.alighting = number(),
            "BoardingCount" => self.boarding = number(),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feeds::observation::Observation;
    use crate::feeds::sample;

    fn items(record: &str) -> Result<Vec<Item>, Fault> {
        sample::items_of(&FORMAT, record.as_bytes())
    }

    fn seen(record: &str) -> Vec<What> {
        items(record).unwrap().into_iter().filter_map(|item| if let Item::Observation(seen) = item { Some(seen.what) } else { None }).collect()
    }

    #[test]
    fn a_visit_tells_where_the_vehicle_is_how_full_and_when_it_comes() {
        let seen = seen(SAMPLE);
        let [What::Vehicle(vehicle), What::Arrival(arrival), What::LowWater] = &seen[..] else { panic!("{seen:?}") };
        assert!(vehicle.stopped);
        assert_eq!((vehicle.occupancy_status, vehicle.occupancy_percentage, vehicle.on_board), (Some(3), Some(92), Some(1_012)));
        assert_eq!(vehicle.age, Span::from_secs(20));
        assert_eq!(arrival.expected.as_millis(), 1_907_780_390_000);
    }

    #[test]
    fn the_journeys_own_occupancy_stands_where_the_call_tells_none() {
        let from = SAMPLE.find("<ExpectedDepartureOccupancy>").unwrap();
        let to = SAMPLE.find("</ExpectedDepartureOccupancy>").unwrap() + "</ExpectedDepartureOccupancy>".len();
        let without = format!("{}{}", &SAMPLE[..from], &SAMPLE[to..]);
        assert!(matches!(seen(&without)[0], What::Vehicle(Vehicle { occupancy_status: Some(3), occupancy_percentage: None, .. })));
    }

    #[test]
    fn a_visit_that_has_left_with_counts_is_a_count_of_passengers() {
        let counted = SAMPLE.replace("<OnboardCount>1012</OnboardCount>", "<AlightingCount>640</AlightingCount><BoardingCount>12</BoardingCount>");
        assert!(!seen(&counted).iter().any(|what| matches!(what, What::Passengers(_))), "it has not left");
        let left = counted.replace("<Order>", "<ActualDepartureTime>2030-06-15T19:59:59+01:00</ActualDepartureTime><Order>");
        let passengers: Vec<What> = seen(&left).into_iter().filter(|what| matches!(what, What::Passengers(_))).collect();
        assert!(matches!(passengers[..], [What::Passengers(Passengers { alighting: 640, boarding: 12, .. })]));
    }

    #[test]
    fn vehicles_elsewhere_are_ignored_one_by_one_and_onward_calls_are_arrivals() {
        let elsewhere = SAMPLE.replace("<StopPointRef>Q:BENSLIMANE:1", "<StopPointRef>Q:ELSEWHERE");
        assert!(matches!(&items(&elsewhere).unwrap()[..], [Item::Ignored, Item::Observation(Observation { what: What::LowWater, .. })]));
        let vehicle = r#"<s:Siri xmlns:s="http://www.siri.org.uk/siri"><s:ServiceDelivery><s:ResponseTimestamp>2030-06-15T19:00:00Z</s:ResponseTimestamp><s:VehicleMonitoringDelivery><s:VehicleActivity><s:RecordedAtTime>2030-06-15T18:58:20Z</s:RecordedAtTime><s:MonitoredVehicleJourney><s:LineRef>A</s:LineRef><s:MonitoredCall><s:StopPointRef>X</s:StopPointRef></s:MonitoredCall><s:OnwardCalls><s:OnwardCall><s:StopPointRef>Q:BENSLIMANE:1</s:StopPointRef><s:ExpectedArrivalTime>2030-06-15T19:05:00Z</s:ExpectedArrivalTime></s:OnwardCall></s:OnwardCalls></s:MonitoredVehicleJourney></s:VehicleActivity></s:VehicleMonitoringDelivery></s:ServiceDelivery></s:Siri>"#;
        assert!(matches!(&seen(vehicle)[..], [What::Arrival(arrival), What::LowWater] if arrival.expected.as_millis() == 1_907_780_700_000));
    }

    #[test]
    fn what_is_no_delivery_is_refused() {
        for text in ["", "<Siri>", "<Siri></Sari>", "<html/>", "<!DOCTYPE x [<!ENTITY a \"b\">]><Siri/>", "no xml"] {
            assert_eq!(items(text).unwrap_err().reason, Reason::Malformed, "{text}");
        }
        let deep = "<a>".repeat(200);
        assert!(items(&deep).unwrap_err().detail.contains("deep"));
        assert_eq!(items(&SAMPLE.replace("ResponseTimestamp", "Stamp")).unwrap_err().field, "ResponseTimestamp");
    }
}

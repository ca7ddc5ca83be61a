//! An observation written back as the neutral JSON of its format, for `midan.late` and `midan.quarantine`.
//!
//! The idea: what was late must be readable by a person and able to come back in (`midan reopen`), without holding anything that
//! was not kept. Where a format's identity was an identifier (a scan, a trip), its hash stands instead. What comes in by a
//! neutral format reads back as the same observation; an entity of a GTFS-Realtime frame is written as `vehicle`, `arrival` or `service_alert`, for reading only.

use super::observation::{DoorState, Entity, MatchEventKind, Observation, Plan, Service, What};
use super::{operations, sensors, ticketing};
use crate::time::{EventTime, Span};
use crate::venue::Venue;
use serde_json::{Map, Value, json};

/// The neutral form. Equal observations give equal text: keys stand in one fixed order, times are epoch milliseconds.
pub fn to_json(observation: &Observation, venue: &Venue) -> Value {
    let mut fields = what(observation, venue);
    fields.insert("venue".to_owned(), Value::from(&*venue.id));
    if let Some((key, name)) = place(observation.entity, venue) {
        fields.insert(key.to_owned(), Value::from(name));
    }
    if observation.offline {
        fields.insert("offline".to_owned(), Value::from(true));
    }
    // Sorted by hand, so that the text does not hang on a feature of serde_json that some other crate may switch on.
    let mut entries: Vec<(String, Value)> = fields.into_iter().filter(|(_, value)| !value.is_null()).collect();
    entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    Value::Object(entries.into_iter().collect())
}

fn place(entity: Entity, venue: &Venue) -> Option<(&'static str, &str)> {
    match entity {
        Entity::Sensor(id) => Some(("sensor", venue.sensor_names.name(id.index()))),
        Entity::Gate(id) => Some(("gate", venue.gate_names.name(id.index()))),
        Entity::Stop(id) => Some(("stop", venue.stop_names.name(id.index()))),
        Entity::Zone(id) => Some(("zone", venue.zone_names.name(id.index()))),
        Entity::Link(id) => Some(("link", venue.link_names.name(id.index()))),
        Entity::Venue => None,
    }
}

fn what(observation: &Observation, venue: &Venue) -> Map<String, Value> {
    let at = observation.at.as_millis();
    let hashed = |hash: u64| format!("{hash:016x}");
    let value = match &observation.what {
        What::Count(count) => json!({
            "type": "count", "from": millis(count.from), "to": millis(count.to),
            "in": above_zero(count.inwards), "out": above_zero(count.outwards),
            // One of the three must be there, be it 0.
            "count": if count.inwards == 0 && count.outwards == 0 { Value::from(count.undirected) } else { above_zero(count.undirected) },
        }),
        // Since when it counts is not kept; the shortest interval that ends there stands for it.
        What::Total(total) => json!({
            "type": "count", "cumulative": true, "from": at, "to": millis(observation.at.after(Span::from_millis(1))),
            "in": total.inwards, "out": total.outwards, "count": total.undirected, "seq": total.seq,
        }),
        What::Occupancy { persons, seq } => json!({ "type": "occupancy", "at": at, "persons": persons, "seq": seq }),
        What::State { state, lanes_open } => json!({ "type": "state", "at": at, "state": door(*state), "lanes_open": lanes_open }),
        What::Scan(scan) => json!({
            "type": "scan", "scan_id": hashed(observation.identity), "event_time": at,
            "result": word(ticketing::scan::RESULTS, scan.accepted), "direction": word(ticketing::scan::DIRECTIONS, scan.exit),
            "reason": scan.reason.map(|reason| word(ticketing::scan::REASONS, reason)), "ticket": scan.ticket.map(hashed),
        }),
        What::Passengers(passengers) => json!({
            "type": "passengers", "from": millis(passengers.from), "to": millis(passengers.to),
            "alighting": passengers.alighting, "boarding": passengers.boarding,
        }),
        What::Vehicle(vehicle) => json!({
            "type": "vehicle", "at": at, "trip": hashed(vehicle.trip), "stopped": vehicle.stopped, "age_ms": vehicle.age.as_millis(),
            "occupancy_status": vehicle.occupancy_status, "occupancy_percentage": vehicle.occupancy_percentage, "on_board": vehicle.on_board,
        }),
        What::Arrival(arrival) => json!({
            "type": "arrival", "at": at, "trip": hashed(arrival.trip), "expected": millis(arrival.expected), "occupancy_status": arrival.occupancy_status,
        }),
        What::ServiceAlert { cause, effect } => json!({ "type": "service_alert", "at": at, "cause": cause, "effect": effect }),
        What::Match(event) => json!({
            "type": "match", "match_id": &*event.match_id, "at": at, "event": match_event(event.event),
            "expected_attendance": event.expected_attendance, "to": event.to.map(millis),
        }),
        What::Tracks(tracks) => {
            json!({ "type": "tracks", "at": at, "tracks": tracks.iter().map(|track| json!([track.id, track.x_m, track.y_m])).collect::<Vec<_>>() })
        }
        What::Grid(grid) => json!({
            "type": "grid", "at": at, "cell_m": grid.cell_m, "nx": grid.nx, "ny": grid.ny, "density": grid.density,
            "vx": grid.velocity.as_ref().map(|(vx, _)| vx), "vy": grid.velocity.as_ref().map(|(_, vy)| vy),
        }),
        What::Call(call) => json!({
            "type": "call", "call_id": hashed(observation.identity), "at": at, "kind": word(sensors::call::KINDS, call.kind),
            "x": call.at_m.map(|(x, _)| x), "y": call.at_m.map(|(_, y)| y),
        }),
        What::Weather(weather) => json!({
            "type": "weather", "station": &*weather.station, "at": at, "air_c": weather.air_c, "wbgt_c": weather.wbgt_c,
            "rain_mm_h": weather.rain_mm_h, "wind_m_s": weather.wind_m_s,
        }),
        What::Plan(plan) => plan_of(plan, at, venue),
        What::Health { health, seq } => json!({ "type": "health", "at": at, "health": word(sensors::health::WORDS, *health), "seq": seq }),
        What::LowWater => json!({ "type": "low_water", "at": at }),
    };
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn plan_of(plan: &Plan, at: i64, venue: &Venue) -> Value {
    let shares: Map<String, Value> =
        plan.approach_shares.iter().filter_map(|(approach, share)| Some((place(*approach, venue)?.1.to_owned(), Value::from(*share)))).collect();
    let tickets: Map<String, Value> =
        plan.tickets.iter().map(|(zone, tickets)| (venue.zone_names.name(zone.index()).to_owned(), Value::from(*tickets))).collect();
    let curve: Vec<Value> = plan.arrival_curve.iter().map(|(at, share)| json!([*at as f64 / 60_000.0, share])).collect();
    let services: Vec<Value> = plan.services.iter().map(|service| service_of(service, venue)).collect();
    json!({
        "type": "plan", "match_id": &*plan.match_id, "version": plan.version, "at": at,
        "approach_shares": shares, "arrival_curve": curve, "tickets": tickets, "services": services,
    })
}

fn service_of(service: &Service, venue: &Venue) -> Value {
    json!({
        "stop": venue.stop_names.name(service.stop.index()), "line": service.line, "from": millis(service.from), "to": millis(service.to),
        "vehicles": service.vehicles, "capacity": service.capacity,
    })
}

const fn millis(at: EventTime) -> i64 {
    at.as_millis()
}

fn above_zero(persons: u32) -> Value {
    if persons == 0 { Value::Null } else { Value::from(persons) }
}

fn door(state: DoorState) -> &'static str {
    word(sensors::state::STATES, state)
}

fn match_event(event: MatchEventKind) -> &'static str {
    word(operations::match_event::EVENTS, event)
}

fn word<T: PartialEq>(words: &[(&'static str, T)], value: T) -> &'static str {
    words.iter().find(|(_, of)| *of == value).map_or("", |(word, _)| word)
}

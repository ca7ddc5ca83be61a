//! A stadium of which only the public facts are known becomes a venue that can be tried: an illustrative layout, drawn from its name, place and capacity.
//!
//! The idea: nothing in the layout is the stadium's own but those facts, and the file says so (`illustrative = true`). The ring is cut into sectors of about
//! eight thousand places; each has a forecourt, gates with their queues, a concourse, a way to the seats and an exit that opens outwards only. People come by rail, by
//! bus and on foot. Lanes are as many as let everybody in within the entry period; widths as many as let everybody out within the normal egress time.

use super::load::ConfigFault;
use super::load::stadium::Stadium;
use std::f64::consts::PI;
use std::fmt::Write as _;

/// Persons a sector is drawn for.
const SECTOR: f64 = 8_000.0;
/// Persons per lane and hour that an illustrative lane lets through.
const LANE_PER_H: f64 = 225.0;
/// In which all are to be let in, h.
const ENTRY_H: f64 = 5.0 / 3.0;
/// Lanes of a gate.
const LANES: f64 = 9.0;
/// Persons per metre that an exit lets out in the normal egress time of the Green Guide: 60/m/min × 8 min, more careful than its 82.
const PER_METRE: f64 = 480.0;

/// The parts of a layout, as text.
#[derive(Default)]
struct Parts {
    zones: String,
    links: String,
    gates: String,
    sensors: String,
}

/// The venue file of an illustrative layout, from the text of a stadium's file.
///
/// # Errors
/// Every fault of the stadium's file, by line.
pub fn layout(path: &str, text: &str) -> Result<String, Vec<ConfigFault>> {
    super::load::stadium::read(path, text).map(|stadium| draw(&stadium))
}

fn draw(stadium: &Stadium) -> String {
    let capacity = f64::from(stadium.capacity);
    let sectors = libm::round(capacity / SECTOR).clamp(4.0, 12.0) as usize;
    let lanes = libm::ceil(capacity / (LANE_PER_H * ENTRY_H)) as usize;
    let gates = libm::round(lanes as f64 / LANES).max(sectors as f64) as usize;
    let mut parts = Parts::default();
    outside(&mut parts, capacity);
    for sector in 0..sectors {
        ring(&mut parts, sector, sectors, capacity);
    }
    for gate in 0..gates {
        let own = lanes * (gate + 1) / gates - lanes * gate / gates;
        entrance(&mut parts, gate, gate * sectors / gates, own, angle(gate, gates));
    }
    let Parts { zones, links, gates, sensors } = parts;
    let Stadium { id, name, city, country, region, time_zone, profile, .. } = stadium;
    let [lat, lon] = stadium.coordinates;
    format!(
        r#"# {name}, {city} ({country}): an ILLUSTRATIVE layout, drawn by `midan layout` from the public facts alone: name, place, time zone and capacity. Zones, widths,
# gates, lanes and sensors are made up so that Midan can be tried, and must be replaced by the survey of the site.
id = "{id}"
name = "{name}"
city = "{city}"
region = "{region}"
time_zone = "{time_zone}"
coordinates = [{lat}, {lon}]
capacity = {}
illustrative = true
profile = "{profile}"
perimeters = [
  {{ id = "outer", name = "Outer perimeter", kind = "outer", shape = {{ kind = "ellipse", cx = 500, cy = 420, rx = 346, ry = 300 }} }},
  {{ id = "inner", name = "Inner perimeter", kind = "inner", shape = {{ kind = "ellipse", cx = 500, cy = 420, rx = 201, ry = 169 }} }},
]
zones = [
{zones}  {{ id = "bowl", name = "Bowl", kind = "bowl", perimeter = "inner", capacity = {}, seats = {}, entry_period = "100min", shape = {{ kind = "ellipse", cx = 500, cy = 420, rx = 154, ry = 124 }} }},
]
links = [
{links}]
gates = [
{gates}]
stops = [
  {{ id = "{id}:rail", name = "{name}", zone = "platform" }},
]
approaches = [
  {{ id = "rail", name = "Railway", stops = ["{id}:rail"] }},
  {{ id = "bus", name = "Buses", links = ["hub-e"] }},
  {{ id = "walk", name = "On foot", links = ["walk-n", "walk-e", "walk-s", "walk-w"] }},
]
sources = [
  {{ id = "counters", feed = "sensors", disorder = "5s", lateness = "2min" }},
  {{ id = "states", feed = "sensors", disorder = "5s", lateness = "2min", silence = "150s" }},
  {{ id = "tickets", feed = "ticketing", disorder = "5s", lateness = "15min" }},
  {{ id = "rail", feed = "transport", disorder = "30s", lateness = "5min", as_of_lag = "90s", interval = "1min", silence = "3min" }},
  {{ id = "ops", feed = "commands", disorder = "0s", lateness = "1h", silence = "30s" }},
]
sensors = [
{sensors}]
"#,
        stadium.capacity, stadium.capacity, stadium.capacity
    )
}

/// Station, buses, approaches and checks: what lies outside the outer perimeter, and on it.
fn outside(parts: &mut Parts, capacity: f64) {
    let area = |share: f64| libm::round(capacity * share);
    let zone = |parts: &mut Parts, id: &str, name: &str, kind: &str, area: f64, shape: &str| {
        line(
            &mut parts.zones,
            &format!(r#"id = "{id}", name = "{name}", kind = "{kind}", area_m2 = {area}, capacity = {}, shape = {{ {shape} }}"#, libm::floor(area * 2.5)),
        );
    };
    zone(parts, "platform", "Station platform", "platform", area(0.05), r#"kind = "box", x = 20, y = 20, w = 190, h = 96"#);
    zone(parts, "hall", "Station hall", "station_hall", area(0.04), r#"kind = "box", x = 222, y = 20, w = 170, h = 96"#);
    zone(parts, "bus-hub", "Buses", "plaza", area(0.08), r#"kind = "box", x = 800, y = 90, w = 180, h = 110"#);
    let sides = [
        ("n", "North", "[[425, 20], [575, 20], [545, 116], [455, 116]]", -90),
        ("e", "East", "[[850, 375], [850, 465], [930, 490], [930, 350]]", 0),
        ("s", "South", "[[455, 724], [545, 724], [575, 820], [425, 820]]", 90),
        ("w", "West", "[[150, 375], [150, 465], [70, 490], [70, 350]]", 180),
    ];
    for (id, name, points, middle) in sides {
        zone(parts, &format!("approach-{id}"), &format!("Approach {name}"), "approach", area(0.06), &format!(r#"kind = "polygon", points = {points}"#));
        zone(
            parts,
            &format!("check-{id}"),
            &format!("Check {name}"),
            "checkpoint",
            area(0.02),
            &arc((306, 262), (338, 292), f64::from(middle - 23), f64::from(middle + 23)),
        );
        counted(parts, &format!("walk-{id}"), &format!("On foot from the {name}"), "open", None, Some(&format!("approach-{id}")), 10.0, "");
        counted(
            parts,
            &format!("check-in-{id}"),
            &format!("Into check {name}"),
            "open",
            Some(&format!("approach-{id}")),
            Some(&format!("check-{id}")),
            24.0,
            "",
        );
    }
    link(parts, "trains", "Trains", "door", None, Some("platform"), 40.0, "");
    counted(parts, "stairs", "Stairs of the platform", "stairs", Some("platform"), Some("hall"), 14.0, "");
    counted(parts, "hall-n", "Station hall to approach North", "corridor", Some("hall"), Some("approach-n"), 16.0, "");
    link(parts, "buses", "Buses", "door", None, Some("bus-hub"), 40.0, "");
    counted(parts, "hub-e", "Buses to approach East", "corridor", Some("bus-hub"), Some("approach-e"), 14.0, "");
}

/// A sector of the ring: forecourt, concourse, the way to the seats and the exit, which is wide enough without one of the others.
fn ring(parts: &mut Parts, sector: usize, sectors: usize, capacity: f64) {
    let (n, next) = (sector + 1, (sector + 1) % sectors + 1);
    let width = 360.0 / sectors as f64;
    let from = -90.0 + width * (sector as f64 - 0.5);
    let (area, exit) = (libm::round(0.2 * capacity / sectors as f64), libm::ceil(capacity / PER_METRE / (sectors - 1) as f64));
    let shape = arc((208, 176), (298, 254), from + 0.6, from + width - 0.6);
    line(
        &mut parts.zones,
        &format!(
            r#"id = "forecourt-{n}", name = "Forecourt {n}", kind = "forecourt", perimeter = "outer", area_m2 = {area}, capacity = {}, shape = {{ {shape} }}"#,
            area * 2.0
        ),
    );
    let shape = arc((160, 130), (194, 162), from + 0.6, from + width - 0.6);
    line(
        &mut parts.zones,
        &format!(
            r#"id = "concourse-{n}", name = "Concourse {n}", kind = "concourse", perimeter = "inner", area_m2 = {area}, capacity = {}, shape = {{ {shape} }}"#,
            area * 2.0
        ),
    );
    let (forecourt, concourse) = (format!("forecourt-{n}"), format!("concourse-{n}"));
    let side = ["n", "e", "s", "w"][(libm::round(4.0 * sector as f64 / sectors as f64) as usize) % 4];
    counted(parts, &format!("to-{n}"), &format!("Check to forecourt {n}"), "open", Some(&format!("check-{side}")), Some(&forecourt), 12.0, "");
    counted(parts, &format!("ring-{n}"), &format!("Forecourt {n} to {next}"), "open", Some(&forecourt), Some(&format!("forecourt-{next}")), 12.0, "");
    counted(parts, &format!("vom-{n}"), &format!("Vomitories {n}"), "door", Some(&concourse), Some("bowl"), exit, r#", exit_of = "bowl""#);
    counted(parts, &format!("exit-{n}"), &format!("Exit {n}"), "door", Some(&concourse), Some(&forecourt), exit, &format!(r#", exit_of = "{concourse}""#));
}

/// A gate with its lanes and the queue before it.
fn entrance(parts: &mut Parts, gate: usize, sector: usize, lanes: usize, angle: f64) {
    let (n, sector) = (gate + 1, sector + 1);
    let area = lanes * 36;
    line(
        &mut parts.zones,
        &format!(r#"id = "queue-g{n}", name = "Queue of gate {n}", kind = "gate_queue", perimeter = "outer", area_m2 = {area}, capacity = {}"#, area * 5 / 2),
    );
    counted(
        parts,
        &format!("q{n}"),
        &format!("Into the queue of gate {n}"),
        "open",
        Some(&format!("forecourt-{sector}")),
        Some(&format!("queue-g{n}")),
        4.0,
        "",
    );
    let at = [500.0 + 201.0 * libm::cos(angle), 420.0 + 169.0 * libm::sin(angle)].map(libm::round);
    let more = format!(", at = [{}, {}]", at[0], at[1]);
    counted(
        parts,
        &format!("g{n}"),
        &format!("Gate {n}"),
        "gate",
        Some(&format!("queue-g{n}")),
        Some(&format!("concourse-{sector}")),
        lanes as f64 * 0.6,
        &more,
    );
    line(&mut parts.gates, &format!(r#"id = "g{n}", link = "g{n}", queue = "queue-g{n}", lanes = {lanes}, lane_rate_per_h = {LANE_PER_H}"#));
    line(&mut parts.sensors, &format!(r#"id = "state-g{n}", source = "states", gate = "g{n}", interval = "1min""#));
}

/// The middle of the `i`th of `n` parts of the ring, from the top clockwise, rad.
fn angle(i: usize, n: usize) -> f64 {
    2.0 * PI * (i as f64 + 0.5) / n as f64 - PI / 2.0 - PI / n as f64
}

fn arc(inner: (u32, u32), outer: (u32, u32), from: f64, to: f64) -> String {
    let ((rx0, ry0), (rx1, ry1)) = (inner, outer);
    format!(r#"kind = "arc", cx = 500, cy = 420, rx0 = {rx0}, ry0 = {ry0}, rx1 = {rx1}, ry1 = {ry1}, from_deg = {from:.1}, to_deg = {to:.1}"#)
}

/// A link with a counter on it.
#[allow(clippy::too_many_arguments, reason = "the fields of a link")]
fn counted(parts: &mut Parts, id: &str, name: &str, kind: &str, from: Option<&str>, to: Option<&str>, width_m: f64, more: &str) {
    link(parts, id, name, kind, from, to, width_m, more);
    line(&mut parts.sensors, &format!(r#"id = "c-{id}", source = "counters", link = "{id}""#));
}

#[allow(clippy::too_many_arguments, reason = "the fields of a link")]
fn link(parts: &mut Parts, id: &str, name: &str, kind: &str, from: Option<&str>, to: Option<&str>, width_m: f64, more: &str) {
    let end = |key: &str, zone: Option<&str>| zone.map_or_else(String::new, |zone| format!(r#", {key} = "{zone}""#));
    line(&mut parts.links, &format!(r#"id = "{id}", name = "{name}", kind = "{kind}"{}{}, width_m = {width_m:.1}{more}"#, end("from", from), end("to", to)));
}

fn line(list: &mut String, fields: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(list, "  {{ {fields} }},");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::venue::{SafeCapacity, SourceFile, Venue, load};

    const STADIUM: &str = r#"id = "porto"
name = "Estádio do Dragão"
city = "Porto"
country = "Portugal"
region = "pt-porto"
time_zone = "Europe/Lisbon"
coordinates = [41.1618, -8.5836]
capacity = 50033
profile = "iberia-2030"
source = "test"
"#;

    fn drawn(text: &str) -> Venue {
        let file = |path: &str, text: &str| SourceFile { path: path.into(), text: text.into() };
        let venue = layout("stadium.toml", text).unwrap();
        let profile = file("p", include_str!("../../config/profiles/iberia-2030.toml"));
        load(&[profile, file("v", &venue)]).unwrap_or_else(|faults| panic!("{faults:#?}\n{venue}")).venues.remove(0)
    }

    #[test]
    fn a_layout_is_a_sound_venue_that_says_it_is_illustrative() {
        let venue = drawn(STADIUM);
        assert_eq!((venue.capacity, venue.illustrative, &*venue.id), (50_033, true, "porto"));
        assert_eq!(venue.coordinates, Some([41.1618, -8.5836]));
        assert!(venue.zones.iter().filter(|zone| !["platform", "bus-hub"].contains(&&*zone.id)).all(|zone| zone.closed), "counted all round");
    }

    #[test]
    fn its_bowl_lets_in_holds_and_lets_out_its_capacity() {
        for capacity in ["40000", "50033", "115000"] {
            let venue = drawn(&STADIUM.replace("50033", capacity));
            let bowl = venue.zones.iter().find(|zone| &*zone.id == "bowl").unwrap();
            let safe = bowl.section.safe.as_ref().and_then(SafeCapacity::persons).unwrap();
            assert!(f64::from(safe) >= 0.98 * f64::from(venue.capacity), "{safe} of {capacity}: {}", bowl.section.safe.as_ref().unwrap());
        }
    }

    #[test]
    fn a_broken_stadium_is_named_by_its_line() {
        let faults = layout("s.toml", &STADIUM.replace("capacity = 50033", "capacity = 0")).unwrap_err();
        assert_eq!((faults[0].line, faults[0].file.as_str()), (8, "s.toml"));
    }
}

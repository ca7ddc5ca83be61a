//! Configurations that have more and less than each other, under one numbering.

use super::*;
use crate::venue::World;
use crate::venue::load::tests::{SMALL, load_later};

const AT: &str = "2030-06-16T20:00:00+01:00";

/// Before all others a fan zone with a gate to it, a counter on that and a source of its own; the first stop and the counter on the way in are gone.
fn changed(text: &str) -> String {
    let put = [
        ("zones = [\n", "zones = [\n  { id = \"fans\", kind = \"fan_zone\", capacity = 10 },\n"),
        ("links = [\n", "links = [\n  { id = \"g0\", kind = \"gate\", from = \"queue\", to = \"fans\" },\n"),
        ("gates = [\n", "gates = [\n  { id = \"g0\", link = \"g0\", queue = \"queue\", lanes = 1, lane_rate_per_h = 600, entry = false },\n"),
        (
            "sources = [\n",
            "sources = [\n  { id = \"new\", feed = \"sensors\", disorder = \"5s\", lateness = \"2min\", interval = \"10s\", names = { \"X\" = \"c-g0\" } },\n",
        ),
        ("  { id = \"c-in\", source = \"cams\", link = \"in\" },\n", "  { id = \"c-g0\", source = \"new\", link = \"g0\" },\n"),
        ("  { id = \"S 1/a\", zone = \"queue\" },\n", "  { id = \"S2\", zone = \"queue\" },\n"),
    ];
    put.into_iter().fold(text.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    })
}

fn world() -> World {
    // The way in is counted no more, so the queue's balance is said to hold by hand.
    let closed = |text: &str| text.replace("kind = \"gate_queue\",", "kind = \"gate_queue\", closed = true,");
    load_later(AT, &closed(SMALL), |text| changed(&text)).unwrap()
}

#[test]
fn what_the_first_has_keeps_its_number_and_what_comes_stands_behind() {
    let world = world();
    let venue = &world.venues[0];
    let names = |list: &Names| list.iter().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(names(&venue.zone_names), ["queue", "bowl", "fans"]);
    assert_eq!(names(&venue.sensor_names), ["c-in", "c-g1", "c-g0"]);
    assert_eq!(names(&venue.stop_names), ["S 1/a", "S2"]);
    for version in [venue, venue.version(0), venue.version(1)] {
        assert!(lists(version).into_iter().zip(lists(venue)).all(|(a, b)| a.iter().eq(b.iter())));
        assert!(version.zones.iter().map(|zone| &*zone.id).eq(venue.zone_names.iter()));
        assert!(version.sensors.iter().map(|sensor| &*sensor.id).eq(venue.sensor_names.iter()));
    }
}

#[test]
fn what_a_configuration_lacks_is_inert_in_it_and_whole_for_whoever_reads_records() {
    let world = world();
    let venue = &world.venues[0];
    let (first, later) = (venue.version(0), venue.version(1));
    assert_eq!((&first.absent.zones, &later.absent.zones), (&BTreeSet::from([ZoneId(2)]), &BTreeSet::new()));
    assert_eq!((&first.absent.sensors, &later.absent.sensors), (&BTreeSet::from([SensorId(2)]), &BTreeSet::from([SensorId(0)])));
    assert_eq!((&first.absent.stops, &later.absent.stops), (&BTreeSet::from([StopId(1)]), &BTreeSet::from([StopId(0)])));
    assert_eq!((first.sensors[2].measures, later.sensors[0].measures), (Measures::Nothing, Measures::Nothing));
    let of_link = |link| Measures::Link { link: LinkId(link), reversed: false };
    assert_eq!((venue.sensors[2].measures, later.sensors[2].measures, venue.sensors[0].measures), (of_link(2), of_link(2), of_link(0)));
    assert_eq!((first.links[2].from, later.links[2].from, later.links[2].to), (None, Some(ZoneId(0)), Some(ZoneId(2))));
    assert_eq!((first.gates[1].lanes, later.gates[1].lanes, later.gates[1].link), (0, 1, LinkId(2)));
    assert!(venue.absent == Absent::default());
}

#[test]
fn a_name_on_the_wire_is_known_to_whoever_reads_records_and_the_first_configuration_says_whose_nameless_records_are() {
    let world = world();
    let venue = &world.venues[0];
    let new = venue.find_source("new").unwrap();
    assert_eq!(venue.sources[new.index()].wire.names.get("X").map(|name| &**name), Some("c-g0"));
    assert_eq!(venue.sole_source(crate::venue::Feed::Sensors), venue.find_source("cams"));
}

#[test]
fn an_older_roll_is_what_the_newer_begins_with_or_the_difference_is_named() {
    let (before, now) = (Roll::of(&load_later(AT, SMALL, |text| text).unwrap().venues[0]), Roll::of(&world().venues[0]));
    assert_eq!(before.parts_from(&now), None);
    assert_eq!(now.parts_from(&before).as_deref(), Some("where it had zone fans there is none"));
    let other =
        Roll::of(&load_later(AT, &SMALL.replace("id = \"bowl\"", "id = \"arena\"").replace("to = \"bowl\"", "to = \"arena\""), |text| text).unwrap().venues[0]);
    assert_eq!(before.parts_from(&other).as_deref(), Some("where it had zone bowl there is arena"));
}

#[test]
fn configurations_of_the_same_things_in_another_order_are_brought_to_one_order() {
    let (a, b) = ("  { id = \"c-in\", source = \"cams\", link = \"in\" },\n", "  { id = \"c-g1\", source = \"cams\", link = \"g1\" },\n");
    let world = load_later(AT, SMALL, |text| text.replace(&format!("{a}{b}"), &format!("{b}{a}"))).unwrap();
    let venue = &world.venues[0];
    assert_eq!(&*venue.version(1).sensors[0].id, "c-in");
    assert!([venue.version(0), venue.version(1)].iter().all(|version| version.absent == Absent::default()));
}

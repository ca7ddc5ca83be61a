//! What may change under a running venue, and what may not.

use super::*;
use crate::venue::World;
use crate::venue::load::tests::{SMALL, load_small};

fn world_of(change: impl Fn(String) -> String) -> World {
    load_small(&change(SMALL.to_owned())).unwrap()
}

fn of(from: &str, to: &str) -> Frame {
    let world = world_of(|venue| {
        assert!(venue.contains(from), "{from}");
        venue.replace(from, to)
    });
    frame(&world.venues[0])
}

#[test]
fn thresholds_capacities_lanes_and_matches_leave_the_frame_as_it_is() {
    let before = of("", "");
    let changes = [
        ("capacity = 100\nprofile", "capacity = 90\nprofile"),
        ("area_m2 = 20.5, capacity = 50", "area_m2 = 18.5, capacity = 40"),
        ("lanes = 2, lane_rate_per_h = 600", "lanes = 3, lane_rate_per_h = 500"),
        ("expected_attendance = 90", "expected_attendance = 95"),
        ("width_m = 4 }", "width_m = 3 }"),
        ("interval = \"10s\"", "interval = \"10s\", silence = \"40s\""),
    ];
    for (from, to) in changes {
        assert_eq!(difference(&before, &of(from, to)), None, "{from}");
    }
}

#[test]
fn what_is_counted_where_and_by_which_clock_is_the_frame() {
    let before = of("", "");
    let changes = [
        ("{ id = \"c-in\", source = \"cams\", link = \"in\" }", "{ id = \"c-in\", source = \"cams\", link = \"g1\" }"),
        ("{ id = \"in\", kind = \"open\", to = \"queue\"", "{ id = \"in\", kind = \"open\", to = \"bowl\""),
        ("capacity = 100\nprofile", "capacity = 100\npane = \"20s\"\nprofile"),
        ("disorder = \"5s\", lateness = \"2min\"", "disorder = \"6s\", lateness = \"2min\""),
        ("time_zone = \"Africa/Casablanca\"", "time_zone = \"Europe/Madrid\""),
    ];
    for (from, to) in changes {
        assert!(difference(&before, &of(from, to)).is_some(), "{from}");
    }
}

#[test]
fn what_comes_and_goes_is_no_difference() {
    let before = of("", "");
    let more = of("sensors = [\n", "sensors = [\n  { id = \"c-new\", source = \"cams\", link = \"in\" },\n");
    assert_eq!((difference(&before, &more), difference(&more, &before)), (None, None));
}

#[test]
fn a_difference_is_named() {
    let told =
        difference(&of("", ""), &of("{ id = \"c-in\", source = \"cams\", link = \"in\" }", "{ id = \"c-in\", source = \"cams\", link = \"g1\" }")).unwrap();
    assert_eq!(told, "sensor c-in was \"of cams on link in reversed false\" and is \"of cams on link g1 reversed false\"");
}

#[test]
fn the_fingerprint_tells_configurations_apart() {
    let of = |from: &str, to: &str| fingerprint(&world_of(|venue| venue.replace(from, to)).venues[0]);
    assert_eq!(of("", ""), of("", ""));
    assert_ne!(of("", ""), of("lanes = 2", "lanes = 5"));
}

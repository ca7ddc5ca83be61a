//! What may change under a running venue, and what may not.

use super::*;
use crate::engine::story::world_of;

fn of(from: &str, to: &str) -> Vec<String> {
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
        ("capacity = 5000\nprofile", "capacity = 4000\nprofile"),
        ("area_m2 = 400, capacity = 1000", "area_m2 = 350, capacity = 800"),
        ("lanes = 4, lane_rate_per_h = 600", "lanes = 6, lane_rate_per_h = 500"),
        ("expected_attendance = 4000", "expected_attendance = 4500"),
        ("width_m = 4 }", "width_m = 3 }"),
        ("silence = \"30s\"", "silence = \"40s\""),
    ];
    for (from, to) in changes {
        assert_eq!(difference(&before, &of(from, to)), None, "{from}");
    }
}

#[test]
fn what_is_counted_where_and_by_which_clock_is_the_frame() {
    let before = of("", "");
    let changes = [
        ("sensors = [\n", "sensors = [\n  { id = \"c-new\", source = \"counters\", link = \"in\" },\n"),
        ("pane = \"10s\"", "pane = \"20s\""),
        ("disorder = \"5s\", lateness = \"2min\"", "disorder = \"6s\", lateness = \"2min\""),
        ("time_zone = \"Africa/Casablanca\"", "time_zone = \"Europe/Madrid\""),
    ];
    for (from, to) in changes {
        assert!(difference(&before, &of(from, to)).is_some(), "{from}");
    }
    let salon = world_of(|venue| venue.replace("\"lounge\"", "\"salon\""));
    assert!(difference(&before, &frame(&salon.venues[0])).is_some_and(|told| told.contains("zone lounge") && told.contains("zone salon")));
}

#[test]
fn a_difference_is_named() {
    let told = difference(&of("", ""), &of("sensors = [\n", "sensors = [\n  { id = \"c-new\", source = \"counters\", link = \"in\" },\n")).unwrap();
    assert!(told.contains("sensor c-in of counters on link in") && told.contains("sensor c-new of counters on link in"), "{told}");
}

#[test]
fn the_fingerprint_tells_configurations_apart() {
    let of = |from: &str, to: &str| fingerprint(&world_of(|venue| venue.replace(from, to)).venues[0]);
    assert_eq!(of("", ""), of("", ""));
    assert_ne!(of("", ""), of("lanes = 4", "lanes = 5"));
}

//! The shipped configuration is sound, and a broken one says where and how.

use super::*;
use crate::time::Span;
use crate::venue::report;
use proptest::prelude::*;

const CASABLANCA: &str = include_str!("../../../config/venues/casablanca.toml");
const RABAT: &str = include_str!("../../../config/venues/rabat.toml");
const MOROCCO: &str = include_str!("../../../config/profiles/fr-ma-2030.toml");
const IBERIA: &str = include_str!("../../../config/profiles/iberia-2030.toml");

/// A venue in which everything refers to something, one fact a line, so that a case of the table breaks just one.
pub(in crate::venue) const SMALL: &str = r#"id = "small"
name = "Small"
city = "Here"
region = "r"
time_zone = "Africa/Casablanca"
capacity = 100
profile = "fr-ma-2030"
perimeters = [
  { id = "outer", shape = { kind = "ellipse", cx = 0, cy = 0, rx = 20, ry = 20 } },
  { id = "inner", shape = { kind = "box", x = -5, y = -5, w = 10, h = 10 } },
]
zones = [
  { id = "queue", kind = "gate_queue", perimeter = "outer", area_m2 = 20.5, capacity = 50 },
  { id = "bowl", kind = "bowl", perimeter = "inner", capacity = 100 },
]
links = [
  { id = "in", kind = "open", to = "queue", width_m = 4 },
  { id = "g1", kind = "gate", from = "queue", to = "bowl", width_m = 1.2 },
]
gates = [
  { id = "g1", link = "g1", queue = "queue", lanes = 2, lane_rate_per_h = 600 },
]
sources = [
  { id = "cams", feed = "sensors", disorder = "5s", lateness = "2min", interval = "10s" },
]
sensors = [
  { id = "c-in", source = "cams", link = "in" },
  { id = "c-g1", source = "cams", link = "g1" },
]
stops = [
  { id = "S 1/a", zone = "queue" },
]
matches = [
  { id = "m1", home = "A", away = "B", kick_off = "2030-06-16T21:00:00+01:00", expected_attendance = 90 },
]
"#;

fn file(path: &str, text: &str) -> SourceFile {
    SourceFile { path: path.into(), text: text.into() }
}

pub(in crate::venue) fn load_small(text: &str) -> Result<World, Vec<ConfigFault>> {
    load(&[file("fr-ma-2030.toml", MOROCCO), file("small.toml", text)])
}

fn shipped() -> World {
    load(&[file("p1", MOROCCO), file("p2", IBERIA), file("v1", CASABLANCA), file("v2", RABAT)]).unwrap()
}

#[test]
fn the_shipped_configuration_is_sound() {
    let world = shipped();
    let casablanca = world.venue(world.find("casablanca").unwrap());
    assert_eq!((casablanca.gates.len(), casablanca.zones.len(), casablanca.capacity), (36, 75, 115_000));
    assert_eq!(casablanca.matches[0].kick_off.as_millis(), 1_907_870_400_000);
    let rabat = world.venue(world.find("rabat").unwrap());
    assert_eq!((rabat.gates.len(), rabat.matches.len()), (20, 1));
}

#[test]
fn every_zone_of_the_stadium_itself_is_counted_all_round() {
    for venue in &shipped().venues {
        let open: Vec<&str> = venue.zones.iter().filter(|zone| !zone.closed).map(|zone| &*zone.id).collect();
        // Trains, buses and cars bring people whom no line counter sees.
        assert!(open.iter().all(|id| id.starts_with("platform") || ["bus-hub", "parking"].contains(id)), "{open:?}");
    }
}

#[test]
fn the_gates_admit_the_expected_spectators_in_about_an_hour_and_a_half() {
    for venue in &shipped().venues {
        let per_hour: f64 = venue.gates.iter().map(|gate| f64::from(gate.lanes) * gate.lane_rate_per_h).sum();
        let minutes = 60.0 * f64::from(venue.matches[0].expected_attendance) / per_hour;
        assert!((90.0..=100.0).contains(&minutes), "{}: {minutes}", venue.id);
    }
}

#[test]
fn the_report_counts_what_stands_there() {
    let text = report(&shipped());
    for expected in ["36 gates, 300 entry lanes, 67500 persons/h", "source cas-rail on transport", "2 venues, 2 matches: no fault"] {
        assert!(text.contains(expected), "{expected} in\n{text}");
    }
}

#[test]
fn closed_can_be_overridden_and_follows_from_the_sensors_otherwise() {
    let closed = |text: &str| load_small(text).unwrap().venues[0].zones.iter().map(|zone| zone.closed).collect::<Vec<_>>();
    assert_eq!(closed(SMALL), [true, true]);
    assert_eq!(closed(&SMALL.replace(r#"kind = "bowl","#, r#"kind = "bowl", closed = false,"#)), [true, false]);
    let uncounted = SMALL.replace("  { id = \"c-g1\", source = \"cams\", link = \"g1\" },\n", "");
    assert_eq!(closed(&uncounted), [false, false]);
    let scanned = uncounted.replace("sources = [", "sources = [\n  { id = \"t\", feed = \"ticketing\", disorder = \"0s\", lateness = \"0s\" },");
    assert_eq!(closed(&scanned), [true, true]);
}

#[test]
fn what_is_left_out_has_the_usual_value() {
    let world = load_small(SMALL).unwrap();
    let venue = &world.venues[0];
    assert_eq!(venue.fast_pane.map(|fast| fast.span()), Some(Span::from_secs(2)));
    assert_eq!((venue.pane.span(), venue.step, venue.keep_panes), (Span::from_secs(10), Span::from_mins(5), Span::from_mins(10)));
    assert_eq!((venue.sensors[0].interval, venue.sources[0].as_of_lag), (Span::from_secs(10), Span::ZERO));
    assert_eq!(venue.hash.len(), 64);
    assert_ne!(venue.hash, venue.zones[0].profile.hash);
}

/// Each case: what is replaced, by what, the line of the fault, a part of its message, the nearest valid name (or empty).
const BROKEN: &[(&str, &str, u32, &str, &str)] = &[
    (r#"city = "Here""#, "", 0, "`city` is missing", ""),
    (r#"city = "Here""#, "city = 5", 3, "`city` must be a text", ""),
    (r#"city = "Here""#, "city = [", 4, "not TOML", ""),
    ("capacity = 100\n", "capcity = 100\n", 6, "unknown key `capcity`", "capacity"),
    ("capacity = 100\n", "capacity = -1\n", 6, "`capacity` must be a whole number from 1", ""),
    ("Africa/Casablanca", "Africa/Casablanka", 5, "unknown time zone", "Africa/Casablanca"),
    (r#"profile = "fr-ma-2030""#, r#"profile = "fr-ma-2031""#, 7, "unknown profile \"fr-ma-2031\"", "fr-ma-2030"),
    (r#"profile = "fr-ma-2030""#, "", 13, "has no `profile`", ""),
    (r#"profile = "fr-ma-2030""#, "pane = \"7s\"\nprofile = \"fr-ma-2030\"", 0, "`step` is 300 s and must be a whole number of panes", ""),
    (r#"profile = "fr-ma-2030""#, "pane = \"0s\"\nprofile = \"fr-ma-2030\"", 7, "`pane` must be longer than nothing", ""),
    (r#"profile = "fr-ma-2030""#, "step = \"5\"\nprofile = \"fr-ma-2030\"", 7, "is no length of time", ""),
    (r#"profile = "fr-ma-2030""#, "keep_panes = \"1s\"\nprofile = \"fr-ma-2030\"", 7, "shorter than a pane", ""),
    (r#"profile = "fr-ma-2030""#, "fast_pane = \"3s\"\nprofile = \"fr-ma-2030\"", 7, "must go into a pane (10 s) a whole number of times", ""),
    (r#"profile = "fr-ma-2030""#, "trust = { leep = \"1d\" }\nprofile = \"fr-ma-2030\"", 7, "unknown key `leep`", "leap"),
    ("rx = 20", "rx = 2", 10, "does not lie within perimeter \"outer\"", ""),
    ("w = 10, h = 10", "w = 10", 10, "`h` is missing", ""),
    (r#""box""#, r#""bocks""#, 10, "unknown word \"bocks\"", "box"),
    (r#""bowl", kind"#, r#""queue", kind"#, 14, "stands in the list more than once", ""),
    (r#"kind = "bowl""#, r#"kind = "bowls""#, 14, "`kind` names an unknown word \"bowls\"", "bowl"),
    (r#"kind = "bowl", "#, "", 14, "`kind` is missing", ""),
    ("area_m2 = 20.5", "area_m2 = 0", 13, "must be greater than zero", ""),
    (r#"perimeter = "inner""#, r#"perimeter = "innner""#, 14, "unknown perimeter", "inner"),
    (r#"to = "queue", width"#, r#"to = "quue", width"#, 17, "unknown zone \"quue\"", "queue"),
    (r#"to = "queue", width"#, "width", 17, "neither `from` nor `to`", ""),
    (r#"from = "queue", to = "bowl""#, r#"from = "bowl", to = "bowl""#, 18, "is the zone that the link comes from", ""),
    ("width_m = 4", "width_m = -4", 17, "must be greater than zero", ""),
    (r#"link = "g1", queue"#, r#"link = "g2", queue"#, 21, "unknown link \"g2\"", "g1"),
    ("lanes = 2,", "lanes = 0,", 21, "`lanes` must be a whole number from 1", ""),
    ("gates = [", "gates = [\n  { id = \"g2\", link = \"g1\", lanes = 1, lane_rate_per_h = 1 },", 22, "is the link of another gate too", ""),
    (r#"interval = "10s""#, r#"interval = "5min""#, 24, "need a lag of at least that", ""),
    (r#"feed = "sensors""#, r#"feed = "sensor""#, 24, "unknown word \"sensor\"", "sensors"),
    (r#"disorder = "5s", "#, "", 24, "`disorder` is missing", ""),
    (r#""c-in", source = "cams""#, r#""c-in", source = "cam""#, 27, "unknown source \"cam\"", "cams"),
    (r#"link = "in" }"#, r#"link = "im" }"#, 27, "unknown link \"im\"", "in"),
    (r#"link = "in" }"#, "}", 27, "must measure one of", ""),
    (r#"link = "in" }"#, r#"link = "in", zone = "bowl" }"#, 27, "must measure one of", ""),
    (r#"id = "c-in""#, r#"id = "c/in""#, 27, "holds '/'", ""),
    ("21:00:00+01:00", "21:00:00", 34, "write RFC 3339 with an offset", ""),
    (r#"{ id = "m1","#, r#"5, { id = "m1","#, 34, "must be a table of named fields", ""),
    (
        "matches = [",
        "matches = [\n  { id = \"m1\", home = \"A\", away = \"C\", kick_off = \"2030-06-17T21:00:00+01:00\", expected_attendance = 9 },",
        35,
        "is the id of another match too",
        "",
    ),
];

#[test]
fn holidays_are_read_by_the_day_that_they_are_like() {
    let with = |holidays: &str| load_small(&SMALL.replacen("perimeters = [", &format!("holidays = {holidays}\nperimeters = ["), 1));
    let world = with("{ sunday = [\"2030-06-10\", 2030-07-30], monday = \"2030-06-15\" }").unwrap();
    let like = |date: &str| world.venues[0].holidays.weekday_of(date.parse().unwrap());
    assert_eq!([like("2030-06-10"), like("2030-07-30"), like("2030-06-15"), like("2030-06-11")], [6, 6, 0, 1]);
    for (wrong, what) in [("{ sunday = [\"10 June\"] }", "10 June"), ("{ sunday = 5 }", "list of texts or dates"), ("{ easter = [] }", "unknown key `easter`")]
    {
        let faults = with(wrong).unwrap_err();
        assert!(faults.iter().any(|fault| fault.line == 8 && fault.what.contains(what)), "{what}: {faults:#?}");
    }
}

#[test]
fn a_broken_configuration_names_line_and_fault() {
    assert!(load_small(SMALL).is_ok());
    for (find, replace, line, what, nearest) in BROKEN {
        assert!(SMALL.contains(find), "the table's own case is wrong: {find}");
        let faults = load_small(&SMALL.replacen(find, replace, 1)).unwrap_err();
        let line = (*line).max(1);
        let hit = faults.iter().find(|fault| fault.line == line && fault.what.contains(what) && fault.file == "small.toml");
        assert!(hit.is_some(), "{what:?} on line {line} of {faults:#?}");
        let first = hit.and_then(|fault| fault.nearest.first()).map_or("", String::as_str);
        assert_eq!(first, *nearest, "{what}");
    }
}

#[test]
fn every_fault_comes_at_once() {
    let text = SMALL.replace("capacity = 100\n", "capacity = 0\n").replace("lanes = 2", "lanes = 0").replace("2030-06-16T21", "never");
    assert_eq!(load_small(&text).unwrap_err().iter().map(|fault| fault.line).collect::<Vec<_>>(), [6, 21, 34]);
}

#[test]
fn a_profile_must_hold_every_threshold_in_its_unit() {
    let fault =
        |text: &str| load(&[file("p.toml", text), file("small.toml", SMALL)]).unwrap_err().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    assert!(fault(&MOROCCO.replace("\"dens.p\"", "\"dens.q\"")).contains("unknown threshold \"dens.q\"; nearest valid: dens.p"));
    assert!(fault(&MOROCCO.replace("\"dens.p\"", "\"dens.q\"")).contains("threshold \"dens.p\" (1) is missing"));
    assert!(fault(&MOROCCO.replacen("persons/m2", "persons/ft2", 1)).contains("is \"persons/ft2\" but must be \"persons/m2\""));
    assert!(fault(&MOROCCO.replacen("mark = \"C\"", "mark = \"X\"", 1)).contains("unknown word \"X\""));
    assert!(fault(&MOROCCO.replacen("value = 0.31", "value = inf", 1)).contains("must be a number"));
}

#[test]
fn ids_of_venues_and_matches_hold_in_the_whole_world() {
    let faults = load(&[file("p", MOROCCO), file("a.toml", SMALL), file("b.toml", SMALL)]).unwrap_err();
    let found: Vec<_> = faults.iter().map(|fault| (fault.file.as_str(), fault.line)).collect();
    assert_eq!(found, [("b.toml", 1), ("b.toml", 34)]);
}

#[test]
fn no_files_are_no_world() {
    assert_eq!(load(&[]).unwrap_err()[0].to_string(), "no venue is configured");
}

#[test]
fn every_stadium_of_the_world_cup_becomes_a_sound_venue() {
    let profiles = [file("p1", MOROCCO), file("p2", IBERIA)];
    let mut by_country: BTreeMap<String, u32> = BTreeMap::new();
    for entry in std::fs::read_dir("config/stadiums").unwrap() {
        let path = entry.unwrap().path().display().to_string();
        let text = std::fs::read_to_string(&path).unwrap();
        let stadium = stadium::read(&path, &text).unwrap();
        let venue = crate::venue::layout(&path, &text).unwrap();
        let world = load(&[profiles[0].clone(), profiles[1].clone(), file(&path, &venue)]).unwrap_or_else(|faults| panic!("{path}: {faults:#?}"));
        assert_eq!((world.venues[0].capacity, world.venues[0].illustrative), (stadium.capacity, true));
        *by_country.entry(stadium.country).or_default() += 1;
    }
    let counted: Vec<(&str, u32)> = by_country.iter().map(|(country, stadiums)| (country.as_str(), *stadiums)).collect();
    assert_eq!(counted, [("Morocco", 6), ("Portugal", 3), ("Spain", 11)]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,200}") {
        let _ = load_small(&text);
    }

    #[test]
    fn no_damage_to_a_sound_file_makes_it_panic(at in 0..SMALL.len(), cut in 0usize..40, put in "[\\PC\n]{0,8}") {
        let end = (at + cut).min(SMALL.len());
        let _ = load_small(&format!("{}{put}{}", &SMALL[..at], &SMALL[end..]));
    }
}

/// A venue beside another file of it, changed, that holds from a time on.
pub(in crate::venue) fn load_later(from: &str, venue: &str, change: impl Fn(String) -> String) -> Result<World, Vec<ConfigFault>> {
    let later = change(venue.replacen("id = ", &format!("from = \"{from}\"\nid = "), 1));
    load(&[file("p.toml", MOROCCO), file("later.toml", &later), file("small.toml", venue)])
}

#[test]
fn a_file_with_a_time_takes_the_place_of_its_venue_from_then_on() {
    let world = load_later("2030-06-16T20:00:00+01:00", SMALL, |text| text.replace("lanes = 2", "lanes = 3")).unwrap();
    let venue = &world.venues[0];
    assert_eq!((world.venues.len(), venue.later.len()), (1, 1));
    let from = venue.later[0].from;
    let lanes = |end| venue.version(venue.version_at(end)).gates[0].lanes;
    assert_eq!((lanes(from), lanes(from.after(Span::from_millis(1)))), (2, 3));
    assert_ne!(venue.fingerprint, venue.later[0].venue.fingerprint);
}

#[test]
fn a_file_with_a_time_that_changes_more_than_it_may_is_refused() {
    let at = "2030-06-16T20:00:00+01:00";
    let fault = |change: &dyn Fn(String) -> String| load_later(at, SMALL, change).unwrap_err().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    let other = fault(&|text| text.replace("{ id = \"c-in\", source = \"cams\", link = \"in\" }", "{ id = \"c-in\", source = \"cams\", link = \"g1\" }"));
    assert!(other.contains("later.toml") && other.contains("sensor c-in was \"of cams on link in reversed false\""), "{other}");
    let ungated = fault(&|text| text.replace("  { id = \"g1\", link = \"g1\", queue = \"queue\", lanes = 2, lane_rate_per_h = 600 },\n", ""));
    assert!(ungated.contains("link g1"), "the link stays without its gate: {ungated}");
    let renamed = fault(&|text| text.replace("interval = \"10s\" }", "interval = \"10s\", names = { \"c-in\" = \"c-g1\" } }"));
    assert!(renamed.contains("source cams are read"), "what stood for itself stands for another: {renamed}");
    let read = fault(&|text| text.replace("interval = \"10s\" }", "interval = \"10s\", time_zone = \"Europe/Madrid\" }"));
    assert!(read.contains("later.toml") && read.contains("source cams are read"), "{read}");
    assert!(fault(&|text| text.replacen("id = \"", "id = \"no", 1)).contains("is the id of no venue"));
    let twice = SMALL.replacen("id = ", &format!("from = \"{at}\"\nid = "), 1);
    let told = load(&[file("p.toml", MOROCCO), file("a.toml", &twice), file("b.toml", &twice), file("small.toml", SMALL)]).unwrap_err();
    assert!(told.iter().any(|fault| fault.file == "b.toml" && fault.what.contains("another file of this venue")), "{told:?}");
}

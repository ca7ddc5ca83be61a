//! Calendars beside a table.

use super::read_calendar;
use crate::replay::table::tests::{LONG, mapping, profile, table};

#[test]
fn the_calendar_of_a_table_of_days_stands_on_the_same_clock() {
    let table = table("a.csv", &LONG.replace("30m", "1d"), b"t,s,i,o\n2020-03-28,a,1,2\n2020-03-29,a,3,4\n2020-03-30,a,5,6\n");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("games.csv");
    std::fs::write(&path, "start\n2020-03-30T20:00\n").unwrap();
    let (events, _) = read_calendar(&path, table.mapping()).unwrap();
    let venue = table.venue(&profile(), vec![events[0].to_match()]);
    assert_eq!(venue.matches[0].kick_off.to_string(), "2020-03-30T20:00:00.000Z");
}

#[test]
fn a_calendar_becomes_the_venues_matches() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("games.csv");
    std::fs::write(&path, "venue,start,end,attendance,name\nv,2020-06-01T20:00,,41000,Final\nw,2020-06-02T20:00,,1,Other\nv,late,,1,Bad\n").unwrap();
    let (events, report) = read_calendar(&path, &mapping(LONG)).unwrap();
    assert_eq!((events.len(), report.faulty), (1, 1));
    let event = events[0].to_match();
    assert_eq!((event.home.as_str(), event.expected_attendance, event.kick_off.to_string().as_str()), ("Final", 41_000, "2020-06-01T18:00:00.000Z"));
    assert!(report.faults[0].contains("the start \"late\" is no ISO 8601 time; a pattern under [calendar] says how it is written"), "{report:?}");
    let pattern = read_calendar(&path, &mapping(&(LONG.to_owned() + "[calendar]\nformat = \"%d.%m.%Y %H:%M\"\n"))).unwrap().1;
    assert!(pattern.faults[0].contains("the start \"late\" is not written as \"%d.%m.%Y %H:%M\""), "{pattern:?}");
    let named = read_calendar(&path, &mapping(&(LONG.to_owned() + "[calendar]\nattendance = \"crowd\"\n"))).unwrap_err().to_string();
    assert!(named.contains("has no column \"crowd\""), "{named}");
    std::fs::write(&path, "start,attendance\n2020-06-01T20:00,\"41,000\"\n06/02/2020 20:00,NA\n").unwrap();
    let american =
        LONG.replace("missing", "thousands = \",\"\nmissing").replace("[\"\", \"-1\"]", "\"NA\"").replace("[long]", "format = \"%m/%d/%Y %H:%M\"\n[long]");
    let (events, report) = read_calendar(&path, &mapping(&american)).unwrap();
    assert_eq!(
        (events.iter().map(|event| event.attendance).collect::<Vec<_>>(), report.faulty),
        (vec![Some(41_000), None], 0),
        "written as the table or as ISO"
    );
    std::fs::write(&path, "start;attendance\n2020-06-01T20:00;7\n").unwrap();
    let (events, _) = read_calendar(&path, &mapping(&(LONG.to_owned() + "[file]\ndelimiter = \";\"\n"))).unwrap();
    assert_eq!(events[0].attendance, Some(7), "kept with semicolons, as the table");
    std::fs::write(&path, "start,attendance\n2020-06-01T20:00,7\n2020-06-02T20:00").unwrap();
    let (events, report) = read_calendar(&path, &mapping(LONG)).unwrap();
    assert_eq!((events.len(), report.faulty), (1, 1), "cut off within a row");
}

#[test]
fn an_event_that_ends_before_it_starts_is_taken_without_its_end_and_one_that_stands_twice_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("games.csv");
    std::fs::write(&path, "start,end,name\n2020-06-01T20:00,2020-06-01T18:00,a\n2020-06-02T20:00,,b\n2020-06-02T20:00,,b\n2020-06-02T20:00,,c\n").unwrap();
    let (events, report) = read_calendar(&path, &mapping(LONG)).unwrap();
    let told: Vec<&str> = report.kinds.iter().map(|kind| kind.first.as_str()).collect();
    assert_eq!((events.len(), events[0].end, report.faulty), (3, None, 2));
    assert!(
        told[0].ends_with("games.csv:2: the event ends no later than it starts: it is taken without its end")
            && told[1].ends_with("games.csv:4: the event stands in the calendar before"),
        "{told:?}"
    );
}

#[test]
fn a_calendar_goes_by_the_clock_on_the_wall_where_it_does_not_say_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("games.csv");
    std::fs::write(&path, "start\n2020-06-01T20:00\n2020-06-02T20:00Z\n").unwrap();
    let starts = |text: &str| read_calendar(&path, &mapping(text)).unwrap().0.iter().map(|event| event.start.to_string()[5..16].to_owned()).collect::<Vec<_>>();
    let utc = LONG.replace("[long]", "zone = \"UTC\"\n[long]");
    assert_eq!(starts(&utc), ["06-01T18:00", "06-02T20:00"]);
    assert_eq!(starts(&(utc + "[calendar]\nzone = \"UTC\"\n")), ["06-01T20:00", "06-02T20:00"]);
}

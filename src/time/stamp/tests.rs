//! What times as tables write them mean.

use super::*;

fn zurich(ambiguous: Ambiguous, nonexistent: Nonexistent) -> Stamps {
    Stamps { format: Format::Iso, zone: Some(chrono_tz::Europe::Zurich), written_in: None, ambiguous, nonexistent }
}

#[test]
fn a_pattern_that_tells_no_whole_time_says_what_it_lacks() {
    let told = |pattern: &str| Format::read(pattern).unwrap_err();
    assert!(told("%Y-%m-%d%z").contains("beside an offset the day, month and year, the hour and the minute"), "{}", told("%Y-%m-%d%z"));
    assert!(told("%Y-%m").contains("the hour where it tells minutes"), "{}", told("%Y-%m"));
}

fn utc(meaning: Meaning) -> String {
    match meaning {
        Meaning::Once(at) => at.to_string(),
        Meaning::Moved(at) => format!("moved to {at}"),
        Meaning::Either(first, second) => format!("{first} or {second}"),
    }
}

#[test]
fn the_hour_that_comes_twice_is_read_as_the_mapping_says() {
    let read = |ambiguous| utc(zurich(ambiguous, Nonexistent::Refuse).read("2020-10-25T02:30:00").unwrap());
    assert_eq!(read(Ambiguous::First), "2020-10-25T00:30:00.000Z");
    assert_eq!(read(Ambiguous::Second), "2020-10-25T01:30:00.000Z");
    assert_eq!(read(Ambiguous::InOrder), "2020-10-25T00:30:00.000Z or 2020-10-25T01:30:00.000Z");
}

#[test]
fn the_hour_that_never_comes_is_refused_or_shifted() {
    assert!(zurich(Ambiguous::First, Nonexistent::Refuse).read("2020-03-29T02:30:00").is_err());
    assert_eq!(utc(zurich(Ambiguous::First, Nonexistent::Shift).read("2020-03-29T02:30:00").unwrap()), "moved to 2020-03-29T01:30:00.000Z");
}

#[test]
fn the_half_of_a_doubled_hour_that_the_table_never_means_cannot_be_told() {
    let stamps = zurich(Ambiguous::First, Nonexistent::Refuse);
    let at = |text: &str| EventTime::from_millis(DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis());
    assert!(stamps.can_tell(at("2020-10-25T00:30:00Z")));
    assert!(!stamps.can_tell(at("2020-10-25T01:30:00Z")));
    assert!(stamps.can_tell(at("2020-10-25T02:30:00Z")));
}

#[test]
fn on_the_wall_clock_every_day_has_24_hours_and_leads_back_to_its_own_midnight() {
    let stamps = zurich(Ambiguous::First, Nonexistent::Refuse);
    let day = |text: &str| stamps.read_wall(text).unwrap();
    assert_eq!(day("2020-03-30").since(day("2020-03-29")), crate::time::Span::from_mins(24 * 60));
    assert_eq!(day("2020-03-29"), day("2020-03-28T23:00:00Z"), "with an offset or without, it is the same midnight");
    let back = ["2020-03-29", "2020-03-30", "2020-10-25 02:30", "2020-03-29 02:30"].map(|text| stamps.instant(day(text)).to_string());
    assert_eq!(back, ["2020-03-28T23:00:00.000Z", "2020-03-29T22:00:00.000Z", "2020-10-25T00:30:00.000Z", "2020-03-29T01:30:00.000Z"]);
    let beirut = Stamps { zone: Some(chrono_tz::Asia::Beirut), ..zurich(Ambiguous::First, Nonexistent::Refuse) };
    assert!(beirut.read("2021-03-28").is_err(), "the clock leaps over that midnight");
    assert_eq!(beirut.instant(beirut.read_wall("2021-03-28").unwrap()).to_string(), "2021-03-27T22:00:00.000Z");
}

#[test]
fn formats_other_than_iso_are_read_too() {
    let read = |format, text: &str| {
        Stamps { format, zone: Some(chrono_tz::America::Los_Angeles), ..zurich(Ambiguous::First, Nonexistent::Refuse) }.read(text).map(utc)
    };
    assert_eq!(read(Format::Pattern("%m/%d/%y %H:%M:%S".into()), "07/24/05 00:30:00").unwrap(), "2005-07-24T07:30:00.000Z");
    assert_eq!(read(Format::EpochSeconds, "1577836800.0").unwrap(), "2020-01-01T00:00:00.000Z");
    assert_eq!(read(Format::Iso, "2020-01-01T01:00:00+01:00").unwrap(), "2020-01-01T00:00:00.000Z");
    assert!(read(Format::Iso, "soon").is_err());
}

#[test]
fn an_hour_without_minutes_is_that_hour_and_a_date_alone_its_midnight() {
    let read = |format, text: &str| Stamps { format, ..zurich(Ambiguous::First, Nonexistent::Refuse) }.read(text).map(utc);
    let pattern = |pattern: &str| Format::Pattern(pattern.to_owned());
    assert_eq!(read(pattern("%Y-%m-%d %H"), "2023-01-01 5").unwrap(), "2023-01-01T04:00:00.000Z");
    assert_eq!(read(pattern("%d.%m.%Y %I %p"), "01.01.2023 05 PM").unwrap(), "2023-01-01T16:00:00.000Z");
    assert_eq!(read(pattern("%Y%m%d"), "20230101").unwrap(), "2022-12-31T23:00:00.000Z");
    assert_eq!(read(Format::Iso, "2023-01-01T05").unwrap(), "2023-01-01T04:00:00.000Z");
    assert!(read(pattern("%Y-%m-%d %H"), "2023-01").is_err());
}

#[test]
fn a_date_without_the_time_that_the_pattern_has_is_midnight() {
    let read = |pattern: &str, text: &str| Stamps { format: Format::of(pattern), ..zurich(Ambiguous::First, Nonexistent::Refuse) }.read(text);
    for (pattern, text) in [("%d.%m.%Y %H:%M", "01.02.2024"), ("%Y/%m/%dT%H", "2024/02/01"), ("%a %m/%d/%Y %I:%M %p", "Thu 02/01/2024"), ("iso", "2024-02-01")]
    {
        assert_eq!(utc(read(pattern, text).unwrap()), "2024-01-31T23:00:00.000Z", "{pattern}");
    }
    // A date of which a time is begun, and what is no date by the pattern, stay faults; so does a date that has no room for a time.
    for (pattern, text) in [
        ("%d.%m.%Y %H:%M", "01.02.2024 "),
        ("%d.%m.%Y %H:%M", "01.02.2024 1"),
        ("%d.%m.%Y %H:%M", "2024-02-01"),
        ("%Y%m%d%H", "20240201"),
        ("%H:%M %d.%m.%Y", "01.02.2024"),
    ] {
        assert!(read(pattern, text).is_err(), "{pattern} {text}");
    }
}

#[test]
fn what_data_frames_make_of_rfc_3339_is_read_too() {
    let read = |text: &str| zurich(Ambiguous::First, Nonexistent::Refuse).read(text).map(utc);
    assert_eq!(read("2023-01-01 05:00:00+00:00").unwrap(), "2023-01-01T05:00:00.000Z");
    assert_eq!(read("2023-01-01T05:00:00.000000000+0100").unwrap(), "2023-01-01T04:00:00.000Z");
    assert_eq!(read("2023-01-01 05:00:00Z").unwrap(), "2023-01-01T05:00:00.000Z");
    for text in ["2023-01-01T05:00+02:00", "2023-01-01 05:00 +0200", "2023-01-01T03:00Z", "2023-01-01 03:00:00 UTC", "2023-01-01 03:00:00.000 UTC"] {
        assert_eq!(read(text).unwrap(), "2023-01-01T03:00:00.000Z", "{text}");
    }
}

#[test]
fn a_pattern_that_can_read_nothing_is_told_from_one_that_can() {
    for right in [
        "iso",
        "epoch_s",
        "epoch_ms",
        "%Y-%m-%d %H",
        "%m/%d/%y %H:%M:%S",
        "%d.%m.%Y %I %p",
        "%Y%m%d",
        "%m/%d/%Y 12:00:00 AM %H:%M",
        "%y%m%d %H",
        "%+",
        "%Y-%m-%dT%H:%M:%S%.f%#z",
        "%d-%b-%Y %l:%M %P",
        "%A, %e %B %Y %T",
        "%s",
        "%Y-%j %R",
        "%G-W%V-%u",
        "%Y-%m-%d %H:%M %Z",
        "%Y-%m-%d %H:%M:%S %:z",
        "%c",
        "%D %X",
        "%Y-%m-%d %H:%M:%S.%3f",
        "%d/%m/%Y %-H:%M",
        "%F%n%T",
    ] {
        assert_eq!(Format::read(right), Ok(Format::of(right)), "{right}");
    }
    for (wrong, why) in [
        ("excel", "no %"),
        ("yyyy-MM-dd", "no %"),
        ("", "no %"),
        ("%Q", "stands for nothing"),
        ("%Y-%m-%d %", "stands for nothing"),
        ("%H:%M", "whole time"),
        ("%Y-%m", "whole time"),
        ("%d.%m.%Y %I:%M", "whole time"),
    ] {
        let told = Format::read(wrong).unwrap_err();
        assert!(told.contains(why) && told.contains("%d.%m.%Y %H:%M"), "{wrong}: {told}");
    }
}

#[test]
fn an_epoch_of_any_unit_is_the_same_time() {
    let stamps = |format| Stamps { format: Format::of(format), ..zurich(Ambiguous::First, Nonexistent::Refuse) };
    for (format, text) in [
        ("epoch_s", "1577836800"),
        ("epoch_ms", "1577836800000"),
        ("epoch_us", "1577836800000999"),
        ("epoch_ns", "1577836800000000001"),
        ("epoch_ns", "1577836800000000000.0"),
    ] {
        assert_eq!(utc(stamps(format).read(text).unwrap()), "2020-01-01T00:00:00.000Z", "{format} {text}");
        assert!(!stamps(format).is_of_wall(text) && Format::read(format).is_ok_and(|format| format.bears_offset()), "{format}");
    }
    assert_eq!(utc(stamps("epoch_us").read("-1").unwrap()), "1969-12-31T23:59:59.999Z");
}

#[test]
fn the_hour_24_is_the_next_midnight() {
    let read = |format, text: &str| Stamps { format, ..zurich(Ambiguous::First, Nonexistent::Refuse) }.read(text).map(utc);
    let pattern = |pattern: &str| Format::Pattern(pattern.to_owned());
    for (format, text) in [
        (Format::Iso, "2024-02-29T24:00:00"),
        (Format::Iso, "2024-02-29 24:00"),
        (pattern("%d.%m.%Y %H:%M"), "29.02.2024 24:00"),
        (pattern("%y%m%d %H"), "240229 24"),
    ] {
        assert_eq!(read(format, text).unwrap(), "2024-02-29T23:00:00.000Z", "{text}");
    }
    for text in ["2024-02-29 24:01", "2024-02-29 25:00", "2024-02-30 24:00", "2024-13-24 00:00", "24:00"] {
        assert!(read(Format::Iso, text).is_err(), "{text}");
    }
}

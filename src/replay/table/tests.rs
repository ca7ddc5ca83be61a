//! Tables of a few rows, each with one of the traps that real tables hold; and the real ones, where the data folder is given (`MIDAN_DATA`).

use super::*;
use crate::feeds::{Item, Observation, What, decode};
use crate::time::Span;
use crate::venue::{Measures, Profile};
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;

pub(super) fn profile() -> Arc<Profile> {
    Arc::new(Profile { label: "test/1".into(), thresholds: BTreeMap::new(), hash: String::new() })
}

pub(super) fn mapping(text: &str) -> Mapping {
    Mapping::read("test.toml", text).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

pub(super) fn table(name: &str, mapping_text: &str, bytes: &[u8]) -> Table {
    try_table(name, mapping_text, bytes).unwrap()
}

pub(super) fn try_table(name: &str, mapping_text: &str, bytes: &[u8]) -> Result<Table, TableError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    Table::open(&path, mapping(mapping_text))
}

/// The table's counts, through the very decoder that serves live: place, start, and persons where somebody knows.
pub(super) fn counts(table: &Table) -> Vec<(String, String, [Option<u32>; 3])> {
    let world = table.world(&profile(), Vec::new());
    let venue = &world.venues[0];
    let mut seen: Vec<(String, String, [Option<u32>; 3])> = Vec::new();
    let mut last = EventTime::MIN;
    for (offset, record) in table.records().enumerate() {
        decode(&record.as_read(0, offset as i64), &world, &mut |item| match item {
            Item::Observation(Observation { at, what, entity, .. }) => {
                assert!(at >= last, "event time goes back");
                last = at;
                if let (What::Count(count), crate::feeds::Entity::Sensor(sensor)) = (what, entity) {
                    let Measures::Link { link, .. } = venue.sensors[sensor.index()].measures else { panic!("{sensor:?}") };
                    let link = &venue.links[link.index()];
                    let (zone, from) = (&*venue.zones[link.to.or(link.from).unwrap().index()].id, count.from.to_string());
                    let is_apart = venue.links.iter().filter(|other| other.to.or(other.from) == link.to.or(link.from)).count() > 1;
                    let [way_in, way_out] = [link.from.is_none(), link.to.is_none()].map(|is_it| is_it || !is_apart);
                    let persons = [Some(count.inwards).filter(|_| way_in), Some(count.outwards).filter(|_| way_out), Some(count.undirected)];
                    match seen.last_mut() {
                        Some((place, since, [_, known, _])) if is_apart && way_out && (&**place, &*since) == (zone, &from) && known.is_none() => {
                            *known = persons[1]
                        }
                        _ => seen.push((zone.to_owned(), from, persons)),
                    }
                }
            }
            other => panic!("{other:?}"),
        })
        .unwrap();
    }
    seen
}

pub(super) fn short(counts: &[(String, String, [Option<u32>; 3])]) -> Vec<String> {
    let told = |persons: &Option<u32>| persons.map_or_else(|| "-".to_owned(), |persons| persons.to_string());
    counts.iter().map(|(place, from, persons)| format!("{place} {} {}", &from[5..16], persons.each_ref().map(told).join("/"))).collect()
}

pub(super) const LONG: &str = "venue = \"v\"\ntime_zone = \"Europe/Zurich\"\nstep = \"30m\"\nmissing = [\"\", \"-1\"]\n[time]\ncolumns = [\"t\"]\n[long]\nsensor = \"s\"\nin = \"i\"\nout = \"o\"\n";

#[test]
fn rows_in_any_order_come_out_in_event_time_order() {
    let forward = table("a.csv", LONG, b"t,s,i,o\n2020-06-01T10:00,b,1,2\n2020-06-01T10:00,a,3,4\n2020-06-01T10:30,a,5,6\n");
    let backward = table("a.csv", LONG, b"t,s,i,o\n2020-06-01T10:30,a,5,6\n2020-06-01T10:00,a,3,4\n2020-06-01T10:00,b,1,2\n");
    assert_eq!(short(&counts(&forward)), ["a 06-01T08:00 3/4/0", "b 06-01T08:00 1/2/0", "a 06-01T08:30 5/6/0"]);
    assert_eq!(counts(&forward), counts(&backward));
    assert_eq!(forward.sensors(), ["a", "b"]);
}

#[test]
fn the_last_record_says_that_nothing_earlier_is_to_come() {
    let table = table("a.csv", LONG, b"t,s,i,o\n2020-06-01T10:00,a,1,2\n");
    let records: Vec<_> = table.records().collect();
    assert_eq!(records.len(), 2);
    assert_eq!(std::str::from_utf8(&records[1].value).unwrap(), r#"{"type":"low_water","venue":"v","at":1591000199999}"#);
    assert_eq!(records[0].received, Some(EventTime::from_millis(1_591_000_200_000)));
}

#[test]
fn a_faulty_row_is_named_with_its_line_and_the_rest_goes_on() {
    let table = table(
        "a.csv",
        LONG,
        b"t,s,i,o\n2020-06-01T10:00,a,1,2\nsoon,a,1,2\n2020-06-01T10:30,a,-3,2\n2020-06-01T11:00,,1,2\n2020-06-01T11:30,a,\xff,2\n2020-06-01T12:00,a,1,1\n",
    );
    assert_eq!(short(&counts(&table)), ["a 06-01T08:00 1/2/0", "a 06-01T08:30 -/2/0", "a 06-01T10:00 1/1/0"], "a fault costs what is at fault");
    assert_eq!((table.report().rows, table.report().faulty), (6, 4));
    let lines: Vec<&str> = table.report().faults.iter().map(|fault| fault.split("a.csv:").nth(1).unwrap().split(':').next().unwrap()).collect();
    assert_eq!(lines, ["3", "4", "5", "6"]);
}

#[test]
fn an_absent_row_is_a_gap_or_a_zero_as_the_mapping_says_and_a_missing_figure_is_always_a_gap() {
    let rows = b"t,s,i,o\n2020-06-01T10:00,a,1,2\n2020-06-01T11:00,a,-1,\n2020-06-01T12:00,a,7,8\n2020-06-01T10:30,b,1,1\n2020-06-01T11:30,b,1,1\n";
    assert_eq!(counts(&table("a.csv", LONG, rows)).len(), 4);
    let zero = table("a.csv", &LONG.replace("missing", "absent = \"zero\"\nmissing"), rows);
    let expected = [
        "a 06-01T08:00 1/2/0",
        "a 06-01T08:30 0/0/0",
        "b 06-01T08:30 1/1/0",
        "b 06-01T09:00 0/0/0",
        "a 06-01T09:30 0/0/0",
        "b 06-01T09:30 1/1/0",
        "a 06-01T10:00 7/8/0",
    ];
    assert_eq!(short(&counts(&zero)), expected, "nothing before a sensor's first row, nothing after its last, and a gap where the figure is missing");
}

#[test]
fn where_nobody_kept_the_table_an_absent_row_is_a_gap_and_a_row_counts() {
    let without = |days: &str| LONG.replace("30m", "6h").replace("missing", &format!("absent = \"zero\"\nwithout = {days}\nmissing"));
    let rows = b"t,s,i,o\n2020-06-01T12:00,a,1,1\n2020-06-02T12:00,a,2,2\n2020-06-04T06:00,a,3,3\n";
    let told = ["a 06-01T10:00 1/1/0", "a 06-01T16:00 0/0/0", "a 06-02T10:00 2/2/0", "a 06-03T22:00 0/0/0", "a 06-04T04:00 3/3/0"];
    for days in ["[[\"2020-06-02\", \"2020-06-04\"]]", "[[2020-06-02, 2020-06-03], [2020-06-03, 2020-06-04]]"] {
        assert_eq!(short(&counts(&table("a.csv", &without(days), rows))), told, "{days}");
    }
    // What a running total rose by meanwhile is of no step.
    let totals = without("[[2020-06-03, 2020-06-04]]").replace("missing", "totals = true\nmissing");
    let read = table("a.csv", &totals, rows);
    assert_eq!(short(&counts(&read)), ["a 06-02T10:00 1/1/0", "a 06-02T16:00 0/0/0", "a 06-03T22:00 0/0/0"]);
    for (wrong, why) in [
        ("[\"2020-06-02\", \"2020-06-04\"]", "list of pairs"),
        ("[[\"2020-06-04\", \"2020-06-02\"]]", "is not before"),
        ("[[\"June\", \"July\"]]", "\"June\" is no date"),
    ] {
        let faults = Mapping::read("m.toml", &without(wrong)).unwrap_err();
        assert!(faults.len() == 1 && faults[0].key == "without" && faults[0].detail.contains(why), "{faults:#?}");
    }
}

#[test]
fn outside_the_opening_hours_an_absent_row_means_nothing() {
    let hours = LONG.replace("missing", "absent = \"zero\"\nmissing") + "[opening]\ndaily = \"06:00-24:00\"\n";
    let table = table("a.csv", &hours, b"t,s,i,o\n2020-06-01T23:00,a,1,2\n2020-06-02T06:30,a,1,2\n");
    assert_eq!(short(&counts(&table)), ["a 06-01T21:00 1/2/0", "a 06-01T21:30 0/0/0", "a 06-02T04:00 0/0/0", "a 06-02T04:30 1/2/0"]);
}

#[test]
fn a_holiday_has_the_opening_hours_of_the_day_that_it_is_like() {
    let hours = LONG.replace("missing", "absent = \"zero\"\nmissing") + "[opening]\nsunday = \"closed\"\n[holidays]\nsunday = [2020-06-01, \"2020-12-25\"]\n";
    let rows = b"t,s,i,o\n2020-05-30T23:30,a,1,2\n2020-06-02T00:30,a,1,2\n";
    let hours_of = |mapping: &str| short(&counts(&table("a.csv", mapping, rows))).len();
    assert_eq!((hours_of(&hours), hours_of(&hours.replace("2020-06-01", "2020-06-08"))), (3, 3 + 48), "Whit Monday is shut as the Sunday before it");
}

#[test]
fn a_slip_in_a_mapping_of_a_table_does_not_make_it_one_of_records() {
    for slip in ["[holidays]\n[holidays]\n", "[opening\ndaily = 5\n", "x = = 3\n"] {
        let text = LONG.to_owned() + slip;
        assert!(Mapping::is_of_table(&text), "{slip}");
        let faults = Mapping::read("m.toml", &text).unwrap_err();
        assert!(faults.iter().any(|fault| fault.detail.starts_with("is not TOML") && fault.line >= LONG.lines().count()), "{faults:?}");
    }
    assert!(!Mapping::is_of_table("mapping = \"m\"\n[[events]]\nkind = \n"));
}

#[test]
fn what_is_no_holiday_is_named_with_its_line() {
    let text = LONG.to_owned() + "[holidays]\nsunday = [\"1.6.2020\", 2020-06-01]\nmonday = \"2020-06-01\"\neaster = []\n";
    let line = text.lines().position(|line| line == "[holidays]").unwrap() + 1;
    let faults = Mapping::read("m.toml", &text).unwrap_err();
    let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[0].starts_with(&format!("m.toml:{}: holidays.sunday: has \"1.6.2020\"", line + 1)), "{told:?}");
    assert!(told.iter().any(|told| told.starts_with(&format!("m.toml:{}: holidays.sunday: has 2020-06-01, which is told already", line + 1))), "{told:?}");
    assert!(told.iter().any(|told| told.starts_with(&format!("m.toml:{}: holidays.easter: ", line + 3))), "{told:?}");
}

#[test]
fn how_a_time_could_be_read_is_said_once() {
    let table = table("a.csv", LONG, b"t,s,i,o\n2020-06-01T10:00,a,1,2\n01.06.2020 10:30,a,1,2\n01.06.2020 11:00,a,1,2\n");
    let faults: Vec<String> = table.report().faults.iter().map(ToString::to_string).collect();
    assert_eq!(faults.len(), 2);
    assert!(faults[0].contains("could be read with format = \"%d.%m.%Y %H:%M\""), "{faults:?}");
    assert!(faults[1].ends_with("is no ISO 8601 time"), "{faults:?}");
}

#[test]
fn a_row_of_more_cells_than_the_header_is_a_fault() {
    let table = table("a.csv", LONG, b"t,s,i,o\n2020-06-01T10:00,a,1,2\n2020-06-01T10:30,a,1,1,000\n");
    assert_eq!(short(&counts(&table)), ["a 06-01T08:00 1/2/0"]);
    assert!(
        table.report().faults[0].contains("a.csv:3: has 5 cells, the header 4: is a figure such as 1,000 torn at its comma?"),
        "{:?}",
        table.report().faults
    );
    let decimals = self::table("a.csv", LONG, b"t,s,i,o\n2020-06-01T10:00,a,1,2\n2020-06-01T10:30,a,0,5,1\n2020-06-01T11:00,a,1,2,,x\n");
    let faults = &decimals.report().faults;
    assert!(faults[0].contains("a.csv:3: has 5 cells, the header 4: is a figure such as 0,5 torn at its comma?"), "{faults:?}");
    assert!(faults[1].ends_with("a.csv:4: has 6 cells, the header 4"), "{faults:?}");
}

#[test]
fn where_a_pattern_stops_is_said_of_each_row_that_is_named() {
    let text = LONG.replace("[long]", "format = \"%d. %B %Y %I:%M %p\"\n[long]");
    let rows = "t,s,i,o\n5. March 2024 10:00 AM,a,1,2\n5. März 2024 10:30 AM,a,1,2\n5. March 2024 11:00 a.m.,a,1,2\n";
    let faults = table("a.csv", &text, rows.as_bytes()).report().faults.clone();
    assert!(faults[0].ends_with("; at \"März 2024 10:30 AM\" it is not %B (the English name of a month)"), "{faults:?}");
    assert!(faults[1].ends_with("; at \"a.m.\" it is not %p (AM or PM)"), "{faults:?}");
}

#[test]
fn several_columns_can_name_the_sensor() {
    let text = LONG.replace("sensor = \"s\"", "sensor = [\"s\", \"l\"]");
    let table = table("a.csv", &text, b"t,s,l,i,o\n2020-06-01T10:00,a,1,1,2\n2020-06-01T10:00,a,2,3,4\n");
    assert_eq!(table.sensors(), ["a/1", "a/2"]);
}

#[test]
fn a_sensor_that_is_called_like_the_venue_is_said() {
    let doubts = |rows: &[u8]| table("a.csv", LONG, rows).report().doubts.join("\n");
    assert!(doubts(b"t,s,i,o\n2020-06-01T10:00,v,1,2\n2020-06-01T10:00,a,1,2\n").contains("a place is called v as the venue is"));
    assert_eq!(doubts(b"t,s,i,o\n2020-06-01T10:00,a,1,2\n"), "");
}

#[test]
fn a_figure_that_is_none_is_named_with_its_column() {
    let table = table("a.csv", LONG, b"t,s,i,o\n2020-06-01T10:00,a,1,2\n2020-06-01T10:30,a,1,many\n");
    assert!(table.report().faults[0].contains("a.csv:3: column \"o\": \"many\" is no whole number"), "{:?}", table.report().faults);
    let told = LONG.replace("in = \"i\"\nout = \"o\"", "direction = \"d\"\nvalue = \"n\"\nin_is = \"x\"\nout_is = \"y\"");
    let table = self::table("a.csv", &told, b"t,s,d,n\n2020-06-01T10:00,a,x,1\n2020-06-01T10:30,a,y,few\n");
    assert!(table.report().faults[0].contains("a.csv:3: column \"n\": \"few\" is no whole number"), "{:?}", table.report().faults);
}

#[test]
fn estimates_are_rounded_only_where_the_mapping_says_so() {
    let rows = b"t,s,i,o\n2020-06-01T10:00,a,1.00,2\n2020-06-01T10:30,a,1.5,2.4\n";
    assert_eq!(short(&counts(&table("a.csv", LONG, rows))), ["a 06-01T08:00 1/2/0"]);
    let round = LONG.replace("missing", "decimals = \"round\"\nmissing");
    assert_eq!(short(&counts(&table("a.csv", &round, rows))), ["a 06-01T08:00 1/2/0", "a 06-01T08:30 2/2/0"]);
}

#[test]
fn a_wide_table_has_a_sensor_per_column() {
    let text = "venue = \"v\"\ntime_zone = \"Asia/Shanghai\"\nstep = \"10m\"\n[time]\ncolumns = [\"time\"]\nstamp = \"to\"\n[wide]\nmeasures = \"count\"\nexcept = [\"weather\"]\n";
    let table = table("a.csv", text, b"time,S1,weather,S0\n2019-01-01 06:10,3,sun,4\n2019-01-01 06:20,5,rain,\n");
    assert_eq!(short(&counts(&table)), ["S1 12-31T22:00 0/0/3", "S0 12-31T22:00 0/0/4", "S1 12-31T22:10 0/0/5"]);
}

#[test]
fn gzip_reads_like_the_plain_file_and_a_cut_one_says_so() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(b"t,s,i,o\n2020-06-01T10:00,a,1,2\n").unwrap();
    let bytes = gzip.finish().unwrap();
    assert_eq!(counts(&table("a.csv.gz", LONG, &bytes)).len(), 1);
    let with_behind = [&bytes, b"what no gzip begins with".as_slice()].concat();
    for damaged in [&bytes[..bytes.len() / 2], &with_behind] {
        let told = try_table("cut.csv.gz", LONG, damaged).map(|_| ()).unwrap_err().to_string();
        assert!(told.contains("cut.csv.gz: near line 2: the gzip is cut short or damaged"), "{told}");
    }
}

#[test]
fn parquet_reads_like_csv() {
    use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
    use parquet::file::writer::SerializedFileWriter;
    let schema = "message m { required int64 t (TIMESTAMP(MICROS,false)); required binary s (UTF8); required int64 i; optional int64 o; }";
    let schema = Arc::new(parquet::schema::parser::parse_message_type(schema).unwrap());
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let local = 1_591_005_600_000_000_i64; // 2020-06-01T10:00 on the wall
    for column in 0..4 {
        let mut writer = group.next_column().unwrap().unwrap();
        match column {
            0 => _ = writer.typed::<Int64Type>().write_batch(&[local, local + 1_800_000_000], None, None).unwrap(),
            1 => _ = writer.typed::<ByteArrayType>().write_batch(&[ByteArray::from("North\ngate"), ByteArray::from("North  gate")], None, None).unwrap(),
            2 => _ = writer.typed::<Int64Type>().write_batch(&[1, 3], None, None).unwrap(),
            _ => _ = writer.typed::<Int64Type>().write_batch(&[2], Some(&[1, 0]), None).unwrap(),
        }
        writer.close().unwrap();
    }
    group.close().unwrap();
    let bytes = writer.into_inner().unwrap();
    assert_eq!(
        short(&counts(&table("a.parquet", LONG, &bytes))),
        ["North gate 06-01T08:00 1/2/0", "North gate 06-01T08:30 3/-/0"],
        "the second row has no figure for out"
    );
    assert_eq!(table("a.parquet", LONG, &bytes).sensors(), ["North gate"]);
    let of_texts = LONG.replace("[long]", "format = \"%d.%m.%Y %H:%M\"\n[long]");
    assert_eq!(counts(&table("a.parquet", &of_texts, &bytes)), counts(&table("a.parquet", LONG, &bytes)), "a time stamp needs no format");
}

#[test]
fn a_column_that_is_not_there_is_named_with_its_neighbours() {
    let error = try_table("a.csv", LONG, b"time,s,i,o\n").unwrap_err().to_string();
    assert!(error.contains("has no column \"t\"; nearest: i, o, s; its columns are: time, s, i, o"), "{error}");
}

#[test]
fn a_zone_of_half_hours_has_whole_panes_on_its_own_grid() {
    let text = LONG.replace("30m", "1h").replace("Europe/Zurich", "Asia/Kolkata");
    let table = table("a.csv", &text, b"t,s,i,o\n2020-06-01T08:00,a,1,2\n2020-06-01T09:00,a,3,4\n");
    let venue = table.venue(&profile(), Vec::new());
    assert_eq!((venue.pane.span(), venue.pane.phase(), venue.sources[0].as_of_lag), (Span::from_mins(60), Span::from_mins(30), Span::ZERO));
    assert_eq!(counts(&table).len(), 2);
}

#[test]
fn days_on_both_sides_of_a_change_of_the_clock_are_a_step_each() {
    let rows: &[u8] = b"t,s,i,o\n2020-03-28,a,1,2\n2020-03-29,a,3,4\n2020-03-30,a,5,6\n2020-10-25,a,7,7\n2020-10-26,a,8,8\n";
    let table = table("a.csv", &LONG.replace("30m", "1d"), rows);
    let venue = table.venue(&profile(), Vec::new());
    assert_eq!((venue.pane.span(), venue.step, venue.sources[0].as_of_lag), (Span::from_mins(24 * 60), Span::from_mins(24 * 60), Span::ZERO));
    assert_eq!((table.clock(), venue.time_zone, table.report().faulty), (StepClock::Wall, chrono_tz::UTC, 0));
    let told = ["a 03-28T00:00 1/2/0", "a 03-29T00:00 3/4/0", "a 03-30T00:00 5/6/0", "a 10-25T00:00 7/7/0", "a 10-26T00:00 8/8/0"];
    assert_eq!(short(&counts(&table)), told, "by the clock on the wall");
    let starts: Vec<String> = table.entries().iter().map(|entry| table.instant(entry.from).to_string()[..16].to_owned()).collect();
    assert_eq!(starts, ["2020-03-27T23:00", "2020-03-28T23:00", "2020-03-29T22:00", "2020-10-24T22:00", "2020-10-25T23:00"], "each at its own midnight");
    assert_eq!(table.reach().map(|(_, last)| last.to_string()[..16].to_owned()).as_deref(), Some("2020-10-26T23:00"));
}

#[test]
fn days_are_the_same_days_with_an_offset_at_their_end_or_where_midnight_never_was() {
    let day = LONG.replace("30m", "1d");
    let read = |text: &str, rows: &str| {
        let table = table("a.csv", text, rows.as_bytes());
        assert_eq!((table.report().faulty, table.venue(&profile(), Vec::new()).sources[0].as_of_lag), (0, Span::ZERO));
        short(&counts(&table)).iter().map(|told| told[2..7].to_owned()).collect::<Vec<_>>()
    };
    let days = ["03-28", "03-29", "03-30"];
    assert_eq!(read(&day, "t,s,i,o\n2020-03-28T00:00:00+01:00,a,1,1\n2020-03-29T00:00:00+01:00,a,1,1\n2020-03-30T00:00:00+02:00,a,1,1\n"), days);
    let to = day.replace("[long]", "stamp = \"to\"\n[long]");
    assert_eq!(read(&to, "t,s,i,o\n2020-03-29,a,1,1\n2020-03-30,a,1,1\n2020-03-31,a,1,1\n"), days);
    let beirut = day.replace("Europe/Zurich", "Asia/Beirut");
    assert_eq!(read(&beirut, "t,s,i,o\n2020-03-28,a,1,1\n2020-03-29,a,1,1\n2020-03-30,a,1,1\n"), days, "the clock leaps over a midnight");
    let zero = day.replace("missing", "absent = \"zero\"\nmissing");
    assert_eq!(read(&zero, "t,s,i,o\n2020-03-28,a,1,1\n2020-03-30,a,1,1\n"), days);
    let quarters = LONG.replace("30m", "6h");
    let told = read(&quarters, "t,s,i,o\n2020-03-28T18:00,a,1,1\n2020-03-29T00:00,a,1,1\n2020-03-29T06:00,a,1,1\n");
    assert_eq!(told, ["03-28", "03-29", "03-29"]);
}

#[test]
fn a_table_written_in_utc_has_the_days_and_hours_of_its_own_zone() {
    let utc = |text: &str| text.replace("[long]", "zone = \"UTC\"\n[long]");
    let open = |mapping: &str| mapping.replace("missing", "absent = \"zero\"\nmissing") + "[opening]\ndaily = \"06:00-24:00\"\n";
    let evening = table("a.csv", &open(&utc(LONG)), b"t,s,i,o\n2020-06-01T21:00,a,1,2\n2020-06-02T04:30,a,1,2\n");
    assert_eq!(short(&counts(&evening)), ["a 06-01T21:00 1/2/0", "a 06-01T21:30 0/0/0", "a 06-02T04:00 0/0/0", "a 06-02T04:30 1/2/0"]);
    assert_eq!(evening.venue(&profile(), Vec::new()).time_zone, chrono_tz::Europe::Zurich);
    // Neither night on which the clock in Zürich is changed has an hour too many or too few in UTC.
    let nights = utc(LONG).replace("missing", "absent = \"zero\"\nmissing");
    for night in ["2020-10-25", "2020-03-29"] {
        let rows = format!("t,s,i,o\n{night}T00:30,a,1,1\n{night}T01:30,a,1,1\n{night}T02:30,a,1,1\n");
        let read = table("a.csv", &nights, rows.as_bytes());
        assert_eq!((counts(&read).len(), read.report().faulty), (5, 0), "{night}: zeros between");
    }
    // Local days that are written by their start in UTC.
    let days = b"t,s,i,o\n2020-03-27T23:00,a,1,1\n2020-03-28T23:00,a,2,2\n2020-03-29T22:00,a,3,3\n2020-03-30T22:00,a,4,4\n";
    let days = table("a.csv", &utc(&LONG.replace("30m", "1d")), days);
    assert_eq!((days.clock(), days.report().faulty), (StepClock::Wall, 0));
    assert_eq!(short(&counts(&days)), ["a 03-28T00:00 1/1/0", "a 03-29T00:00 2/2/0", "a 03-30T00:00 3/3/0", "a 03-31T00:00 4/4/0"]);
}

#[test]
fn a_pattern_that_says_utc_is_taken_at_its_word_and_that_is_said() {
    let by = |keys: &str| LONG.replace("[long]", &format!("{keys}\n[long]"));
    for (pattern, time) in
        [("%Y-%m-%dT%H:%M:%SZ", "2020-06-01T10:00:00Z"), ("%d.%m.%Y %H:%M UTC", "01.06.2020 10:00 UTC"), ("%d.%m.%Y %H:%M:%S.000Z", "01.06.2020 10:00:00.000Z")]
    {
        let rows = format!("t,s,i,o\n{time},a,1,2\n");
        let read = |zone: &str| table("a.csv", &by(&format!("format = \"{pattern}\"{zone}")), rows.as_bytes());
        assert_eq!(short(&counts(&read(""))), ["a 06-01T10:00 1/2/0"], "{pattern}");
        assert!(read("").report().doubts[0].starts_with("the pattern of the times says that they are of UTC"), "{:?}", read("").report().doubts);
        let all_the_same = read("\nzone = \"Europe/Zurich\"");
        assert_eq!((short(&counts(&all_the_same)), all_the_same.report().doubts.len()), (vec!["a 06-01T08:00 1/2/0".to_owned()], 0), "{pattern}");
    }
}

#[test]
fn the_doubled_hour_of_a_table_is_that_of_the_zone_in_which_it_is_written() {
    let text = LONG.replace("missing", "absent = \"zero\"\nmissing").replace("Europe/Zurich", "UTC").replace("[long]", "zone = \"Europe/Zurich\"\n[long]");
    let read = table("a.csv", &text, b"t,s,i,o\n2020-10-25T02:30,a,1,1\n2020-10-25T03:00,a,2,2\n");
    assert_eq!(short(&counts(&read)), ["a 10-25T00:30 1/1/0", "a 10-25T02:00 2/2/0"], "the second hour is a gap");
    let gone = table("a.csv", &text, b"t,s,i,o\n2020-03-29T01:30,a,1,1\n2020-03-29T02:30,a,1,1\n2020-03-29T03:00,a,2,2\n");
    assert!(gone.report().faults[0].contains("never was in Europe/Zurich"), "{:?}", gone.report().faults);
    assert_eq!(gone.venue(&profile(), Vec::new()).time_zone, chrono_tz::UTC);
}

#[test]
fn a_row_of_an_hour_that_never_was_yields_to_one_of_the_hour_that_it_is_put_into() {
    let text = LONG.replace("[long]", "nonexistent = \"shift\"\n[long]");
    let read = table("a.csv", &text, b"t,s,i,o\n2020-03-29T02:00,a,9,9\n2020-03-29T02:30,a,8,8\n2020-03-29T03:30,a,1,2\n");
    // Of two that tell the same step the first counts, and the other is set aside.
    assert_eq!(short(&counts(&read)), ["a 03-29T01:00 9/9/0", "a 03-29T01:30 1/2/0", "a 03-29T01:30 8/8/0"]);
    assert_eq!(read.report().first_contradicting, Some((3, 4)), "{:?}", read.report());
}

#[test]
fn a_delimiter_at_the_end_of_every_row_is_no_cell_too_many() {
    let rows = b"t,s,i,o\n2020-06-01T10:00,a,1,2,\n2020-06-01T10:30,a,3,4,\n2020-06-01T11:00,a,5,6,7\n";
    let table = table("a.csv", LONG, rows);
    assert_eq!(short(&counts(&table)), ["a 06-01T08:00 1/2/0", "a 06-01T08:30 3/4/0"]);
    assert!(table.report().faults[0].contains("a.csv:4: has 5 cells, the header 4"), "{:?}", table.report().faults);
}

#[test]
fn epochs_of_the_wrong_unit_are_named() {
    let told = try_table("a.csv", &LONG.replace("[long]", "format = \"epoch_s\"\n[long]"), b"t,s,i,o\n1590998400000,a,1,1\n").unwrap_err().to_string();
    assert!(told.contains("another unit of an epoch"), "{told}");
}

#[test]
fn a_table_without_one_figure_is_refused_and_a_mute_column_is_left_out() {
    let told = try_table("a.csv", LONG, b"t,s,i,o\n2020-06-01T10:00,a,-1,\n2020-06-01T10:30,a,,\n").unwrap_err().to_string();
    assert!(told.contains("2 rows, and not one has a figure: all are missing"), "{told}");
    let wide = "venue = \"v\"\ntime_zone = \"UTC\"\nstep = \"30m\"\n[time]\ncolumns = [\"t\"]\n[wide]\n";
    let table = table("a.csv", wide, b",Unnamed: 0,t,weather,S1,dead\n0,0,2020-06-01T10:00,sun,3,\n1,1,2020-06-01T10:30,rain,4,\n");
    assert_eq!((table.sensors(), table.report().mute.as_slice()), (&["S1".to_owned()][..], &["weather".to_owned(), "dead".to_owned()][..]));
    assert_eq!(short(&counts(&table)), ["S1 06-01T10:00 0/0/3", "S1 06-01T10:30 0/0/4"]);
}

#[test]
fn two_columns_of_one_name_are_refused() {
    let told = try_table("a.csv", LONG, b"t,s,i,i,o\n2020-06-01T10:00,a,1,2,3\n").unwrap_err().to_string();
    assert!(told.contains("two columns are called \"i\""), "{told}");
}

#[test]
fn what_is_more_than_the_most_of_a_step_is_a_fault_of_the_row() {
    let table = table("a.csv", &LONG.replace("missing", "most = 500\nmissing"), b"t,s,i,o\n2020-06-01T10:00,a,500,2\n2020-06-01T10:30,a,9999,2\n");
    assert_eq!(short(&counts(&table)), ["a 06-01T08:00 500/2/0", "a 06-01T08:30 -/2/0"]);
    assert!(table.report().faults[0].contains("9999 is more than 500"), "{:?}", table.report().faults);
    assert_eq!((table.report().counts, table.report().halves), (2, 1));
}

#[test]
fn a_title_before_the_header_is_passed_over_and_lines_keep_their_numbers() {
    let text = LONG.to_owned() + "[file]\nskip = 2\n";
    let table = table("a.csv", &text, b"Counts of 2020\n\nt,s,i,o\n2020-06-01T10:00,a,1,2\nTotal,,1,2\n");
    assert_eq!(short(&counts(&table)), ["a 06-01T08:00 1/2/0"]);
    assert!(table.report().faults[0].contains("a.csv:5: "), "{:?}", table.report().faults);
}

#[test]
fn a_fault_has_the_line_that_an_editor_shows_whatever_ends_the_lines() {
    let headless = LONG.to_owned() + "[file]\nheader = false\ncolumns = [\"t\", \"s\", \"i\", \"o\", \"r\"]\n";
    for (mapping, header, line) in [(LONG, "t,s,i,o,r\n", 6), (headless.as_str(), "", 5)] {
        for end in ["\n", "\r\n"] {
            let rows = format!("{header}2020-06-01T10:00,a,1,2,\"x\ny\"\n\n\n2020-06-01T10:30,a,b,2,\n2020-06-01T11:00,a,1,2,\n").replace('\n', end);
            let told = table("a.csv", mapping, rows.as_bytes()).report().faults.join("\n");
            assert!(told.contains(&format!("a.csv:{line}: column \"i\"")), "{line} {end:?}: {told}");
        }
    }
}

#[test]
fn a_file_of_another_kind_says_what_to_do() {
    let refused = |bytes: &[u8]| try_table("a.csv", LONG, bytes).unwrap_err().to_string();
    assert!(refused(b"t;s;i;o\n2020-06-01T10:00;a;1;2\n").contains("is it the delimiter?"));
    assert!(refused(b"Counts\n\nt,s,i,o\n").contains("`skip` under [file]"));
    assert!(refused(b"t,Stra\xdfe\n").contains("save it as UTF-8"));
    assert!(refused(b"\xff\xfet\0,\0n\0").contains("is UTF-16"));
    assert!(refused(b"t\0,\0n\0\n\0").contains("is UTF-16") && refused(b"\0t\0,\0n\0\n").contains("is UTF-16"), "without its mark");
    assert!(refused(b"time,\x01\0\x02\n1,2\n").contains("or no text at all"));
    assert!(refused(b"PK\x03\x04t,n\n").contains("zip archive, or a workbook"));
    assert!(refused(b"").contains("the file is empty"));
    assert!(refused(b"t,s,i,o\n").contains("it has no rows"));
}

#[test]
fn what_spreadsheets_write_is_read() {
    let german = "venue = \"v\"\ntime_zone = \"Europe/Berlin\"\nstep = \"1h\"\ndecimal_mark = \",\"\nthousands = \".\"\n[file]\ndelimiter = \";\"\n[time]\ncolumns = [\"Zeit\"]\nformat = \"%d.%m.%Y %H:%M\"\n[wide]\nexcept = [\"Summe\"]\n";
    let table_of = |mapping: &str, text: &str| short(&counts(&table("a.csv", mapping, text.as_bytes())));
    let rows = "\u{feff}Zeit;Tür 1;Tür 2;Summe\r\n01.06.2023 10:00;1.234,0;5;1.239,0\r\n";
    assert_eq!(table_of(german, rows), ["Tür 1 06-01T08:00 0/0/1234", "Tür 2 06-01T08:00 0/0/5"]);
    let american = "venue = \"v\"\ntime_zone = \"America/New_York\"\nstep = \"1h\"\nthousands = \",\"\n[time]\ncolumns = [\"Date\"]\nformat = \"%m/%d/%Y %I:%M:%S %p\"\n[long]\nsensor = \"Gate\"\nin = \"Entries\"\n";
    let rows = "Date,Gate,Entries,Note\n\"6/1/2023 1:00:00 PM\",\"North, 1\",\"2,500\",\"two\nlines\"\n\"6/1/2023 12:00:00 AM\",\"North, 1\",7,\n";
    assert_eq!(table_of(american, rows), ["North, 1 06-01T04:00 7/0/0", "North, 1 06-01T17:00 2500/0/0"]);
}

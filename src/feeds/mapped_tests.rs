//! Mappings: what moves where, and what is refused.

use super::*;
use crate::feeds::observation::{Observation, What};
use crate::feeds::sample;
use crate::venue::mapping::TARGETS;
use crate::venue::{SourceFile, load_mapping};

fn mapping(text: &str) -> Mapping {
    load_mapping(&SourceFile { path: "m.toml".to_owned(), text: text.to_owned() }).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

fn event_of(mapping: &Mapping, record: &str) -> Result<Value, Fault> {
    events(mapping, record.as_bytes(), "casablanca", None).map(|mut events| events.remove(0).unwrap().1)
}

#[test]
fn every_target_is_a_field_of_the_formats() {
    for (target, _) in TARGETS {
        assert!(crate::feeds::fields::Field::of(target).is_some(), "{target}");
    }
}

#[test]
fn an_entry_becomes_what_its_condition_says_and_others_are_ignored() {
    let items = sample::items_of(&FORMAT, FORMAT.sample).unwrap();
    let [Item::Observation(Observation { what: What::Count(count), .. }), Item::Ignored] = &items[..] else { panic!("{items:?}") };
    assert_eq!((count.inwards, count.outwards), (14, 0));
    assert_eq!((count.from.as_millis(), count.to.as_millis()), (1_907_780_400_000, 1_907_780_410_000));
}

#[test]
fn the_sign_tells_the_direction() {
    let out = String::from_utf8(FORMAT.sample.to_vec()).unwrap().replace("\"delta\":14", "\"delta\":-3");
    let items = sample::items_of(&FORMAT, out.as_bytes()).unwrap();
    assert!(matches!(&items[0], Item::Observation(Observation { what: What::Count(count), .. }) if (count.inwards, count.outwards) == (0, 3)), "{items:?}");
}

#[test]
fn units_words_constants_and_missing_values() {
    let mapping = mapping(
        r#"mapping = "m"
        [[events]]
        becomes = "weather"
        [events.fields]
        station = { is = "roof" }
        at = { path = "t", format = "epoch_s" }
        air_c = { path = "temp", unit = "F", missing = ["-99"] }
        wind_m_s = { path = "wind", unit = "km/h" }"#,
    );
    let event = event_of(&mapping, r#"{"t":1907863200,"temp":95,"wind":"36"}"#).unwrap();
    assert_eq!(event["station"], "roof");
    assert_eq!(event["at"], 1_907_863_200_000_i64);
    assert!((event["air_c"].as_f64().unwrap() - 35.0).abs() < 1e-9 && (event["wind_m_s"].as_f64().unwrap() - 10.0).abs() < 1e-9);
    assert!(event_of(&mapping, r#"{"t":1907863200,"temp":-99,"wind":1}"#).unwrap().get("air_c").is_none());
    assert_eq!(event_of(&mapping, r#"{"t":"soon"}"#).unwrap_err().field, "at");
}

#[test]
fn a_csv_has_columns_for_paths() {
    let mapping = mapping(
        r#"mapping = "m"
        encoding = "csv"
        delimiter = ";"
        [time]
        format = "%Y-%m-%d %H:%M"
        time_zone = "Europe/Lisbon"
        [[events]]
        becomes = "count"
        [events.fields]
        sensor = "door"
        from = "start"
        to = { path = "start", plus = "5min" }
        count = { path = "n", scale = 10 }"#,
    );
    let events = events(&mapping, b"door;start;n\na;2030-06-15 20:00;7\nb;2030-06-15 20:05;0.5\n", "v", None).unwrap();
    let second = &events[1].as_ref().unwrap().1;
    assert_eq!((second["sensor"].as_str(), second["count"].as_u64()), (Some("b"), Some(5)));
    assert_eq!(second["to"].as_i64().unwrap() - second["from"].as_i64().unwrap(), 300_000);
    assert!(super::events(&mapping, b"door;start;n\na;b\n", "v", None).is_err());
}

#[test]
fn a_time_without_zone_is_refused_unless_the_mapping_names_one() {
    let mapping = mapping("mapping = \"m\"\n[[events]]\nbecomes = \"occupancy\"\nfields = { sensor = \"s\", at = \"t\", persons = \"n\" }");
    let fault = event_of(&mapping, r#"{"s":"a","t":"2030-06-15T20:00:00","n":1}"#).unwrap_err();
    assert_eq!((fault.reason, fault.field.as_str()), (Reason::ZonelessTime, "at"));
    assert!(event_of(&mapping, r#"{"s":"a","t":"2030-06-15T20:00:00Z","n":1}"#).is_ok());
    assert_eq!(event_of(&mapping, r#"{"s":"a","t":"2030-06-15T20:00:00Z","n":1.5}"#).unwrap_err().field, "n".replace('n', "persons"));
}

#[test]
fn a_word_that_the_mapping_does_not_explain_is_a_fault_and_is_not_repeated() {
    let mapping =
        mapping("mapping = \"m\"\n[[events]]\nbecomes = \"scan\"\n[events.fields]\nresult = { path = \"ok\", words = { Y = \"ok\", N = \"rejected\" } }");
    let fault = event_of(&mapping, r#"{"ok":"T-secret-77"}"#).unwrap_err();
    assert!(fault.field == "result" && !fault.to_string().contains("secret"));
}

#[test]
fn a_pattern_by_which_no_time_can_be_read_is_a_fault_of_the_mapping() {
    let text = "mapping = \"m\"\n[time]\nformat = \"yyyy-MM-dd\"\n[[events]]\nbecomes = \"occupancy\"\nfields = { sensor = \"s\", at = { path = \"t\", format = \"%Q\" }, persons = \"n\" }\n";
    let faults = load_mapping(&SourceFile { path: "m.toml".to_owned(), text: text.to_owned() }).unwrap_err();
    assert_eq!(faults.iter().map(|fault| fault.line).collect::<Vec<_>>(), [3, 6], "{faults:#?}");
    assert!(faults[0].to_string().contains("a pattern such as"), "{}", faults[0]);
}

#[test]
fn a_mapping_names_every_fault_of_its_own_with_its_line() {
    let text = "mapping = \"m\"\nencoding = \"xml\"\n[[events]]\nbecomes = \"counts\"\n[events.fields]\nsensr = \"s\"\nin = { pth = \"n\" }\nat = { path = \"t\", time_zone = \"Africa/Casa\" }\n";
    let faults = load_mapping(&SourceFile { path: "m.toml".to_owned(), text: text.to_owned() }).unwrap_err();
    let lines: Vec<u32> = faults.iter().map(|fault| fault.line).collect();
    assert_eq!(lines, [2, 4, 6, 7, 8], "{faults:#?}");
}

//! The list of formats, walked; and the door to decoding, tried with everything that may come.

#[path = "broken_tests.rs"]
mod broken;
#[path = "speed_tests.rs"]
mod speed;

use super::sample::{record, source, venue, world};
use super::*;
use crate::time::EventTime;
use crate::venue::{Feed, World};

fn items_in(record: &RecordRef<'_>, world: &World) -> Result<Vec<Item>, Fault> {
    let mut items = Vec::new();
    decode(record, world, &mut |item| items.push(item)).map(|()| items)
}

fn items(feed: Feed, json: &str) -> Result<Vec<Item>, Fault> {
    items_in(&record(feed, json.as_bytes()), &world())
}

fn observation(feed: Feed, json: &str) -> Observation {
    match items(feed, json).unwrap().into_iter().next() {
        Some(Item::Observation(observation)) => observation,
        other => panic!("{other:?}"),
    }
}

fn fault(feed: Feed, json: &str) -> (Reason, String) {
    let fault = items(feed, json).unwrap_err();
    (fault.reason, fault.field)
}

fn count(rest: &str) -> String {
    format!(r#"{{"type":"count","sensor":"cas-n-g12","venue":"casablanca","from":1907863200000,"to":1907863210000,{rest}}}"#)
}

fn scan(rest: &str) -> String {
    format!(r#"{{"type":"scan","scan_id":"s","venue":"casablanca","gate":"N12","result":"ok","event_time":1907863200000{rest}}}"#)
}

fn wired_world() -> World {
    World::new(vec![super::sample::wired_venue()])
}

fn holds_many(format: &Format) -> bool {
    matches!(format.decoder, Decoder::Bytes(_))
}

#[test]
fn the_sample_of_every_format_decodes() {
    for format in FORMATS {
        let mut record = record(format.feeds[0], format.sample);
        record.format = holds_many(format).then_some(format.media_types[0]);
        record.received = Some(1_907_863_300_000);
        let items = items_in(&record, &wired_world()).unwrap_or_else(|fault| panic!("{}: {fault}", format.name));
        assert!(items.iter().any(|item| matches!(item, Item::Observation(_) | Item::Command(_))), "{}: {items:?}", format.name);
        assert!(!items.iter().any(|item| matches!(item, Item::Unusable { .. } | Item::UnknownFields(_))), "{}: {items:?}", format.name);
    }
}

#[test]
fn every_format_has_its_row_in_the_docs_its_fuzz_target_and_a_name_of_its_own() {
    let docs = include_str!("../../docs/FORMATS-IN.md");
    let fuzzed = include_str!("../../fuzz/Cargo.toml");
    for (i, format) in FORMATS.iter().enumerate() {
        for told in [format.name, format.type_name, format.media_types[0]] {
            assert!(docs.contains(&format!("`{told}`")), "docs/FORMATS-IN.md does not mention `{told}`");
            assert_eq!(FORMATS.iter().position(|other| Format::find(told).is_some_and(|found| found.name == other.name)), Some(i), "{told}");
        }
        assert!(fuzzed.contains(&format!("path = \"fuzz_targets/{}.rs\"", format.name)), "fuzz/Cargo.toml lacks {}", format.name);
        let target = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fuzz/fuzz_targets/{}.rs", format.name));
        assert!(std::fs::read_to_string(&target).is_ok_and(|text| text.contains(&format!("\"{}\"", format.name))), "{}", target.display());
        if !holds_many(format) {
            assert!(docs.contains(std::str::from_utf8(format.sample).unwrap()), "the docs lack the sample of {}", format.name);
        }
    }
}

#[test]
fn the_door_checks_size_then_venue_then_source_then_format() {
    let world = world();
    let big = vec![b' '; MAX_RECORD_BYTES + 1];
    let with = |change: &dyn Fn(&mut RecordRef<'_>)| {
        let mut record = record(Feed::Sensors, sensors::count::FORMAT.sample);
        change(&mut record);
        items_in(&record, &world).map_err(|fault| fault.reason)
    };
    assert_eq!(items_in(&record(Feed::Sensors, &big), &world).unwrap_err().reason, Reason::TooLarge);
    assert_eq!(with(&|record| record.key = None), Err(Reason::WrongKey));
    assert_eq!(with(&|record| record.key = Some(b"casablance")), Err(Reason::UnknownVenue));
    assert_eq!(with(&|record| record.key = Some(b"\xff")), Err(Reason::UnknownVenue));
    assert_eq!(with(&|record| record.source = Some("counter")), Err(Reason::UnknownName));
    assert_eq!(with(&|record| record.source = Some("tickets")), Err(Reason::UnknownName));
    assert_eq!(with(&|record| record.format = Some("midan.counts.v1")), Err(Reason::UnknownFormat));
    assert_eq!(with(&|record| record.feed = Feed::Ticketing), Err(Reason::UnknownFormat));
    assert_eq!(with(&|record| record.format = Some("midan.scan.v1")), Err(Reason::UnknownFormat), "scans do not come on feeds.sensors");
    assert!(with(&|record| record.format = Some("application/json; charset=utf-8")).is_ok());
    assert!(with(&|record| record.format = Some("application/vnd.midan.count+json;v=1")).is_ok());
    assert_eq!(with(&|record| record.format = Some("midan.occupancy.v1")), Err(Reason::WrongValue), "the field says count");
}

#[test]
fn an_unknown_name_lists_the_nearest_valid_ones_and_never_itself() {
    let world = world();
    let mut stray = record(Feed::Sensors, sensors::count::FORMAT.sample);
    stray.key = Some(b"casablance");
    let fault = items_in(&stray, &world).unwrap_err();
    assert!(fault.detail.contains("nearest known: casablanca") && !fault.detail.contains("casablance;"), "{fault}");
    match items(Feed::Sensors, &sample_with("cas-n-g12\"", "cas-n-g13\"")).unwrap().as_slice() {
        [Item::Unusable { source: Some(_), fault }] => {
            assert_eq!((fault.reason, fault.field.as_str()), (Reason::UnknownName, "sensor"));
            assert!(fault.detail.contains("nearest known: cas-n-g12"), "{fault}");
        }
        other => panic!("{other:?}"),
    }
}

fn sample_with(old: &str, new: &str) -> String {
    std::str::from_utf8(sensors::count::FORMAT.sample).unwrap().replace(old, new)
}

#[test]
fn the_source_is_the_only_one_of_the_feed_unless_the_header_names_it() {
    let mut venue = venue();
    venue.sources.push(source("doors", Feed::Sensors));
    venue.source_names = crate::venue::Names::new(venue.sources.iter().map(|source| &*source.id));
    let world = World::new(vec![venue]);
    let mut count = record(Feed::Sensors, sensors::count::FORMAT.sample);
    let fault = items_in(&count, &world).unwrap_err();
    assert_eq!((fault.reason, fault.field.as_str()), (Reason::UnknownName, "midan-source"));
    count.source = Some("counters");
    assert!(matches!(items_in(&count, &world).unwrap()[..], [Item::Observation(_)]));
    count.source = Some("doors");
    assert!(matches!(items_in(&count, &world).unwrap()[..], [Item::Unusable { .. }]), "the sensor follows another source's clock");
}

#[test]
fn the_sources_configuration_tells_the_format_where_the_record_does_not() {
    let mut venue = venue();
    venue.sources[2].format = Some("gtfs_realtime".into());
    let world = World::new(vec![venue]);
    let frame = record(Feed::Transport, transport::gtfs_realtime::FORMAT.sample);
    assert_eq!(items_in(&frame, &world).unwrap().len(), 2);
    assert_eq!(items(Feed::Sensors, r#"{"sensor":"cas-n-g12"}"#).unwrap_err().reason, Reason::UnknownFormat);
}

#[test]
fn a_field_that_must_be_there_is_named() {
    let cases = [("\"in\":14,\"out\":1,", "", "in"), ("\"sensor\":\"cas-n-g12\",", "", "sensor"), ("\"venue\":\"casablanca\",", "", "venue")];
    for (old, new, field) in cases {
        assert_eq!(fault(Feed::Sensors, &sample_with(old, new)), (Reason::MissingField, field.to_owned()));
    }
    assert_eq!(fault(Feed::Sensors, &sample_with("\"to\":1907863210000,", "")), (Reason::MissingField, "to".to_owned()));
}

#[test]
fn a_field_of_the_wrong_value_is_named() {
    let cases = [
        ("\"in\":14", "\"in\":-14", Reason::WrongValue, "in"),
        ("\"in\":14", "\"in\":\"14\"", Reason::WrongValue, "in"),
        ("\"in\":14", "\"in\":99999999999", Reason::WrongValue, "in"),
        ("1907863200000", "1907863210000", Reason::WrongValue, "to"),
        ("1907863200000", "\"2030-06-16T18:00:00\"", Reason::ZonelessTime, "from"),
        ("1907863200000", "\"yesterday\"", Reason::WrongValue, "from"),
        ("\"venue\":\"casablanca\"", "\"venue\":\"rabat\"", Reason::WrongKey, "venue"),
        ("1907863200000", "1907863140000", Reason::WrongValue, "to"),
    ];
    for (old, new, reason, field) in cases {
        assert_eq!(fault(Feed::Sensors, &sample_with(old, new)), (reason, field.to_owned()), "{new}");
    }
    let too_long = items(Feed::Sensors, &sample_with("1907863200000", "1907863140000")).unwrap_err();
    assert!(too_long.detail.contains("covers 70 s") && too_long.detail.contains("\"counters\" is configured to count at most 60 s"), "{too_long}");
}

#[test]
fn a_count_lies_in_the_pane_that_it_ends() {
    let seen = observation(Feed::Sensors, &count("\"in\":3"));
    assert_eq!(seen.at, EventTime::from_millis(1_907_863_209_999));
    assert!(matches!(seen.what, What::Count(count) if (count.inwards, count.outwards, count.undirected) == (3, 0, 0)));
}

#[test]
fn a_cumulative_count_is_a_total_of_any_length() {
    let total = sample_with("1907863200000", "1907820000000").replace("\"seq\"", "\"cumulative\":true,\"seq\"").replace("\"in\":14", "\"in\":9999999999");
    let seen = observation(Feed::Sensors, &total);
    assert_eq!(seen.what, What::Total(observation::Total { inwards: 9_999_999_999, outwards: 1, undirected: 0, seq: 88_121, modulus: None }));
}

#[test]
fn a_repeat_has_the_same_identity_and_a_differing_one_another_content() {
    let (first, again) = (observation(Feed::Sensors, &count("\"in\":3,\"seq\":1")), observation(Feed::Sensors, &count("\"seq\":2,\"in\":3,\"x\":0")));
    let differing = observation(Feed::Sensors, &count("\"in\":4"));
    assert_eq!((first.identity, first.content), (again.identity, again.content));
    assert_eq!(first.identity, differing.identity);
    assert_ne!(first.content, differing.content);
}

#[test]
fn the_cloudevents_identity_goes_before_the_formats_own() {
    let world = world();
    let identity = |value: &str, id: &str| {
        let mut record = record(Feed::Sensors, value.as_bytes());
        record.cloud_event = Some(("/counters", id));
        match items_in(&record, &world).unwrap().remove(0) {
            Item::Observation(observation) => observation.identity,
            other => panic!("{other:?}"),
        }
    };
    let sample = count("\"in\":3");
    assert_eq!(identity(&sample, "1"), identity(&sample.replace("1907863210000", "1907863209000"), "1"));
    assert_ne!(identity(&sample, "1"), identity(&sample, "2"));
}

#[test]
fn cloudevents_attributes_are_held_against_the_record() {
    let world = world();
    let with = |name: &str, value: &'static str| {
        let mut record = record(Feed::Sensors, br#"{"type":"occupancy","sensor":"cas-cam-fan","venue":"casablanca","at":1907863200000,"persons":412}"#);
        record.attributes.take(name, value);
        items_in(&record, &world).map_err(|fault| (fault.reason, fault.field))
    };
    assert!(matches!(&with("ce_sequence", "17").unwrap()[..], [Item::Observation(Observation { what: What::Occupancy { seq: 17, .. }, .. })]));
    assert!(with("ce_partitionkey", "casablanca").is_ok() && with("ce_specversion", "1.0").is_ok() && with("ce_recordedtime", "2030-06-16T20:00:00Z").is_ok());
    assert_eq!(with("ce_partitionkey", "rabat"), Err((Reason::WrongKey, "ce_partitionkey".to_owned())));
    assert_eq!(with("ce_specversion", "0.3"), Err((Reason::UnknownFormat, "ce_specversion".to_owned())));
    assert_eq!(with("ce_recordedtime", "soon"), Err((Reason::WrongValue, "ce_recordedtime".to_owned())));
}

#[test]
fn a_ticket_becomes_a_pseudonym_under_the_matchs_key_and_nothing_without_one() {
    let ticketed = scan(r#","ticket":"T-77""#);
    let mut venue = venue();
    let mut keys = crate::venue::TicketKeys::default();
    keys.add(EventTime::from_millis(1_907_863_200_000), b"the match's key");
    venue.sources[1].wire.tickets = std::sync::Arc::new(keys);
    let keyed = items_in(&record(Feed::Ticketing, ticketed.as_bytes()), &World::new(vec![venue.clone()])).unwrap();
    let [Item::Observation(seen)] = &keyed[..] else { panic!("{keyed:?}") };
    assert!(matches!(seen.what, What::Scan(scan) if scan.ticket.is_some()));
    assert!(!neutral::to_json(seen, &venue).to_string().contains("T-77"));
    assert!(matches!(observation(Feed::Ticketing, &ticketed).what, What::Scan(scan) if scan.ticket.is_none()));
}

#[test]
fn a_ticket_leaves_no_trace_in_what_is_handed_on() {
    let plain = observation(Feed::Ticketing, &scan(""));
    let with_ticket = observation(Feed::Ticketing, &scan(r#","ticket":"T-77","device":"d-1","visitor":"u-3","lane":"4","perimeter":"outer""#));
    assert_eq!(plain, with_ticket);
}

#[test]
fn a_scan_is_an_entry_on_line_unless_it_says_otherwise() {
    let seen = observation(Feed::Ticketing, &scan(r#","direction":"exit","offline":true,"recorded_time":"2030-06-16T21:00:00Z""#));
    assert!(seen.offline);
    assert_eq!(seen.what, What::Scan(observation::Scan { accepted: true, exit: true, ..observation::Scan::default() }));
    assert_eq!(observation(Feed::Ticketing, &scan("")).what, What::Scan(observation::Scan { accepted: true, ..observation::Scan::default() }));
    assert_eq!(fault(Feed::Ticketing, &scan(r#","direction":"in""#)), (Reason::WrongValue, "direction".to_owned()));
}

#[test]
fn unknown_fields_are_counted_and_cost_nothing_else() {
    let items = items(Feed::Sensors, &count(r#""in":3,"firmware":{"v":[1,2]},"gate":"N12""#)).unwrap();
    assert!(matches!(items[..], [Item::Observation(_), Item::UnknownFields(2)]), "{items:?}");
}

#[test]
fn a_command_without_what_its_action_needs_is_refused() {
    let command = |rest: &str| format!(r#"{{"type":"command","command_id":"c","venue":"casablanca","operator":"o","at":1907863200000,{rest}}}"#);
    let needs = [
        (r#""action":"ack""#, Reason::MissingField, "alarm_id"),
        (r#""action":"shelve","alarm_id":"a""#, Reason::MissingField, "until"),
        (r#""action":"comment","alarm_id":"a""#, Reason::MissingField, "reason"),
        (r#""action":"recount","zone":"fan""#, Reason::MissingField, "persons"),
        (r#""action":"recount","persons":0"#, Reason::MissingField, "zone"),
        (r#""action":"silence""#, Reason::WrongValue, "action"),
    ];
    for (rest, reason, field) in needs {
        assert_eq!(fault(Feed::Commands, &command(rest)), (reason, field.to_owned()), "{rest}");
    }
    let recount = items(Feed::Commands, &command(r#""action":"recount","zone":"fan","persons":0"#)).unwrap();
    assert!(matches!(&recount[..], [Item::Command(command)] if matches!(command.action, observation::Action::Recount { persons: 0, .. })));
    assert!(matches!(items(Feed::Commands, &command(r#""action":"recount","zone":"bowl","persons":0"#)).unwrap()[..], [Item::Unusable { .. }]));
}

#[test]
fn a_delay_says_until_when() {
    let delayed = std::str::from_utf8(operations::match_event::FORMAT.sample).unwrap().replace(",\"to\":1907865000000", "");
    assert_eq!(fault(Feed::Commands, &delayed), (Reason::MissingField, "to".to_owned()));
}

fn sample_of(format: &Format, old: &str, new: &str) -> String {
    let sample = std::str::from_utf8(format.sample).unwrap();
    assert!(sample.contains(old), "{old}");
    sample.replace(old, new)
}

#[test]
fn tracks_are_read_in_any_order_and_an_id_stands_once() {
    let seen = |list: &str| items(Feed::Sensors, &sample_of(&sensors::tracks::FORMAT, "[[17,3.25,8.5],[18,4.0,8.1]]", list));
    let (one, other) = (seen("[[17,3.25,8.5],[18,4,8.1]]").unwrap(), seen("[ [18,4.0,8.1], [17,3.25,8.5] ]").unwrap());
    assert_eq!(one, other);
    assert!(matches!(&one[..], [Item::Observation(Observation { what: What::Tracks(tracks), .. })] if tracks[1].x_m == 4.0));
    assert!(seen("[]").is_ok(), "nobody is there");
    for wrong in ["[[17,1,1],[17,2,2]]", "[[17,1]]", "[[17,1,1e9]]", "[[-1,1,1]]", "[[17,\"1\",1]]", "{}", "3", "\"secret\""] {
        let fault = seen(wrong).unwrap_err();
        assert_eq!((fault.reason, fault.field.as_str()), (Reason::WrongValue, "tracks"), "{wrong}");
        assert!(!fault.detail.contains("secret"));
    }
    assert_eq!(seen("null").unwrap_err().reason, Reason::MissingField);
}

#[test]
fn a_grid_has_a_number_for_each_cell() {
    let grid = |old: &str, new: &str| items(Feed::Sensors, &sample_of(&sensors::grid::FORMAT, old, new)).map_err(|fault| (fault.reason, fault.field));
    assert_eq!(grid("\"nx\":3", "\"nx\":4"), Err((Reason::WrongValue, "density".to_owned())));
    assert_eq!(grid("\"nx\":3", "\"nx\":4294967295"), Err((Reason::WrongValue, "density".to_owned())));
    assert_eq!(grid("0.4,1.1", "0.4,-1.1"), Err((Reason::WrongValue, "density".to_owned())));
    assert_eq!(grid("0.4,1.1", "0.4,null"), Err((Reason::WrongValue, "density".to_owned())));
    assert_eq!(grid("\"vx\"", "\"ux\""), Err((Reason::MissingField, "vx".to_owned())));
    assert_eq!(grid("\"cell_m\":2.0", "\"cell_m\":0"), Err((Reason::WrongValue, "cell_m".to_owned())));
}

#[test]
fn a_call_keeps_a_kind_and_a_place_and_no_words() {
    let call = |old: &str, new: &str| observation(Feed::Sensors, &sample_of(&sensors::call::FORMAT, old, new));
    let said = call("first_aid", "Mrs Smith has fainted");
    assert!(matches!(said.what, What::Call(observation::Call { kind: observation::CallKind::Other, .. })));
    let metres = call("\"zone\":\"fan\",", "");
    assert_eq!(metres.entity, Entity::Venue);
    assert_eq!(
        fault(Feed::Sensors, &sample_of(&sensors::call::FORMAT, "\"zone\":\"fan\",\"x\":41.5,\"y\":12.0,", "")),
        (Reason::MissingField, "zone".to_owned())
    );
    assert_eq!(fault(Feed::Sensors, &sample_of(&sensors::call::FORMAT, "\"y\":12.0,", "")), (Reason::MissingField, "y".to_owned()));
    let unknown = items(Feed::Sensors, &sample_of(&sensors::call::FORMAT, "\"fan\"", "\"fun\"")).unwrap();
    assert!(matches!(&unknown[..], [Item::Unusable { .. }]));
}

#[test]
fn weather_in_another_unit_is_refused() {
    let kelvin = sample_of(&sensors::weather::FORMAT, "31.5", "304.6");
    assert_eq!(fault(Feed::Sensors, &kelvin), (Reason::WrongValue, "air_c".to_owned()));
    let nothing = r#"{"type":"weather","station":"s","venue":"casablanca","at":1}"#;
    assert_eq!(fault(Feed::Sensors, nothing), (Reason::MissingField, "air_c".to_owned()));
}

#[test]
fn a_plan_holds_from_when_it_was_loaded() {
    let plan = |old: &str, new: &str| sample_of(&operations::plan::FORMAT, old, new);
    let undated = plan("\"at\":1907820000000,", "");
    assert_eq!(fault(Feed::Commands, &undated), (Reason::MissingField, "at".to_owned()));
    let mut received = record(Feed::Commands, undated.as_bytes());
    received.received = Some(1_907_820_000_000);
    let loaded = items_in(&received, &world()).unwrap();
    assert_eq!(loaded, items(Feed::Commands, &plan("\"version\":3", "\"version\":3")).unwrap());
    let wrong = [
        ("0.55", "0.65", "approach_shares"),
        ("[-90,0.4]", "[-90,0.01]", "arrival_curve"),
        ("[-90,0.4]", "[-190,0.4]", "arrival_curve"),
        ("18500", "-1", "tickets"),
        ("\"vehicles\":24,", "", "services"),
        ("\"to\":1907863200000", "\"to\":1907845200000", "services"),
    ];
    for (old, new, field) in wrong {
        assert_eq!(fault(Feed::Commands, &plan(old, new)), (Reason::WrongValue, field.to_owned()), "{new}");
    }
    assert!(matches!(&items(Feed::Commands, &plan("\"n12\"", "\"n13\"")).unwrap()[..], [Item::Unusable { .. }]));
}

#[test]
fn what_is_written_back_reads_as_the_same_observation() {
    let venue = venue();
    let more =
        [(Feed::Sensors, count("\"count\":0")), (Feed::Sensors, count("\"in\":5,\"seq\":7,\"cumulative\":true")), (Feed::Ticketing, scan(",\"offline\":true"))];
    let samples = FORMATS.iter().filter(|format| !holds_many(format) && format.name != "command");
    let samples = samples.map(|format| (format.feeds[0], String::from_utf8(format.sample.to_vec()).unwrap()));
    for (feed, sample) in samples.chain(more) {
        let first = observation(feed, &sample);
        let written = neutral::to_json(&first, &venue).to_string();
        let again = observation(feed, &written);
        let said = |seen: &Observation| (seen.at, seen.entity, seen.offline, seen.what.clone());
        assert_eq!(said(&first), said(&again), "{written}");
        assert!(!written.contains("p-71c9"), "{written}");
    }
}

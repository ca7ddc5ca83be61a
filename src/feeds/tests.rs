//! The list of formats, walked; and the door to decoding, tried with everything that may come.

use super::sample::{record, source, venue, world};
use super::*;
use crate::time::EventTime;
use crate::venue::{Feed, World};
use proptest::prelude::*;

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

fn is_protobuf(format: &Format) -> bool {
    matches!(format.decoder, Decoder::Bytes(_))
}

#[test]
fn the_sample_of_every_format_decodes() {
    for format in FORMATS {
        let mut record = record(format.feeds[0], format.sample);
        record.format = is_protobuf(format).then_some(format.media_types[0]);
        let items = items_in(&record, &world()).unwrap_or_else(|fault| panic!("{}: {fault}", format.name));
        assert!(items.iter().all(|item| matches!(item, Item::Observation(_) | Item::Command(_))), "{}: {items:?}", format.name);
    }
}

#[test]
fn every_format_has_its_row_in_the_docs_and_a_name_of_its_own() {
    let docs = include_str!("../../docs/FORMATS-IN.md");
    for (i, format) in FORMATS.iter().enumerate() {
        for told in [format.name, format.type_name, format.media_types[0]] {
            assert!(docs.contains(&format!("`{told}`")), "docs/FORMATS-IN.md does not mention `{told}`");
            assert_eq!(FORMATS.iter().position(|other| Format::find(told).is_some_and(|found| found.name == other.name)), Some(i), "{told}");
        }
        if !is_protobuf(format) {
            assert!(docs.contains(std::str::from_utf8(format.sample).unwrap()), "the docs lack the sample of {}", format.name);
        }
    }
}

#[test]
fn a_sample_cut_short_is_a_fault_or_less_but_never_a_panic() {
    for format in FORMATS {
        for end in 0..format.sample.len() {
            let mut record = record(format.feeds[0], &format.sample[..end]);
            record.format = Some(format.media_types[0]);
            let outcome = items_in(&record, &world());
            assert!(outcome.is_err() || is_protobuf(format), "{} cut at {end} went through", format.name);
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), format in 0..FORMATS.len()) {
        let mut record = record(FORMATS[format].feeds[0], &bytes);
        let _ = items_in(&record, &world());
        record.format = Some(FORMATS[format].media_types[0]);
        let _ = items_in(&record, &world());
    }

    #[test]
    fn a_sample_with_bytes_changed_never_panics(format in 0..FORMATS.len(), changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut bytes = FORMATS[format].sample.to_vec();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let mut record = record(FORMATS[format].feeds[0], &bytes);
        record.format = Some(FORMATS[format].media_types[0]);
        let _ = items_in(&record, &world());
    }

    #[test]
    fn any_json_object_of_known_fields_never_panics(fields in prop::collection::vec((0..42_usize, value()), 0..12)) {
        let names = ["type", "sensor", "venue", "from", "to", "in", "out", "count", "seq", "recorded", "cumulative", "at", "persons", "state",
            "lanes_open", "scan_id", "gate", "result", "event_time", "ticket", "perimeter", "lane", "device", "direction", "reason", "recorded_time",
            "offline", "visitor", "stop", "alighting", "boarding", "line", "trip", "match_id", "event", "to", "command_id", "operator", "action", "alarm_id", "until", "zone"];
        let body: Vec<String> = fields.iter().map(|(name, value)| format!("\"{}\":{value}", names[*name])).collect();
        for feed in Feed::ALL {
            let _ = items(feed, &format!("{{{}}}", body.join(",")));
        }
    }
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<i64>().prop_map(|n| n.to_string()),
        any::<u64>().prop_map(|n| n.to_string()),
        any::<f64>().prop_filter_map("JSON has only finite numbers", |x| x.is_finite().then(|| x.to_string())),
        prop::sample::select(vec!["\"count\"", "\"casablanca\"", "\"cas-n-g12\"", "\"N12\"", "\"scan\"", "true", "null", "[]", "{}", "\"\\u0000\""])
            .prop_map(str::to_owned),
    ]
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
    assert_eq!(seen.what, What::Total(observation::Total { inwards: 9_999_999_999, outwards: 1, undirected: 0, seq: 88_121 }));
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
fn a_ticket_leaves_no_trace_in_what_is_handed_on() {
    let plain = observation(Feed::Ticketing, &scan(""));
    let with_ticket = observation(Feed::Ticketing, &scan(r#","ticket":"T-77","device":"d-1","visitor":"u-3","lane":"4","perimeter":"outer""#));
    assert_eq!(plain, with_ticket);
}

#[test]
fn a_scan_is_an_entry_on_line_unless_it_says_otherwise() {
    let seen = observation(Feed::Ticketing, &scan(r#","direction":"exit","offline":true,"recorded_time":"2030-06-16T21:00:00Z""#));
    assert!(seen.offline);
    assert_eq!(seen.what, What::Scan(observation::Scan { accepted: true, exit: true }));
    assert_eq!(observation(Feed::Ticketing, &scan("")).what, What::Scan(observation::Scan { accepted: true, exit: false }));
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

#[test]
fn what_is_written_back_reads_as_the_same_observation() {
    let venue = venue();
    let more =
        [(Feed::Sensors, count("\"count\":0")), (Feed::Sensors, count("\"in\":5,\"seq\":7,\"cumulative\":true")), (Feed::Ticketing, scan(",\"offline\":true"))];
    let samples = FORMATS.iter().filter(|format| !is_protobuf(format) && format.name != "command");
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

/// How long a count takes to decode. Run with `--ignored --nocapture`, optimised: see `docs/FORMATS-IN.md`, "Speed".
#[test]
#[ignore = "a measurement, not a check"]
#[allow(clippy::disallowed_methods, reason = "a measurement needs a clock")]
fn measure_nanoseconds_per_count() {
    let world = world();
    let record = record(Feed::Sensors, sensors::count::FORMAT.sample);
    let mut persons = 0_u64;
    for _ in 0..5 {
        let start = std::time::Instant::now();
        for _ in 0..1_000_000 {
            let _ = decode(std::hint::black_box(&record), &world, &mut |item| {
                if let Item::Observation(Observation { what: What::Count(count), .. }) = item {
                    persons += u64::from(count.inwards);
                }
            });
        }
        println!("{} ns per count", start.elapsed().as_nanos() / 1_000_000);
    }
    assert_eq!(persons, 5 * 14_000_000);
}

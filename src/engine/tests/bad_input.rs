//! Promise 1, at its worst: each kind of bad record is in the ledger, named in quarantine with its position, and moves nothing else.

use super::busy;
use crate::engine::story::Run;
use crate::engine::story::{Record, START, count, count_over, played, raw};
use crate::engine::{OutTopic, Placement};
use crate::venue::partition::partition_of;

/// A frame of GTFS-Realtime, cut off.
const TRUNCATED: &[u8] = &[0x0a, 0x0d, 0x0a, 0x03, 0x32, 0x2e];

/// (what it is, the record, the reason in quarantine, whether the whole record is undecodable)
fn bad() -> Vec<(&'static str, Record, &'static str, bool)> {
    let of = |value: String| raw("counters", 450, value).received(450);
    let with = |fields: &str| of(format!(r#"{{"type":"count","venue":"small","sensor":"c-in",{fields}}}"#));
    let span = format!(r#""from":{},"to":{}"#, START + 440_000, START + 450_000);
    let keyed = |key: &str| Record { key: Some(key.as_bytes().to_vec()), ..count("c-in", 440, 3, 0) };
    vec![
        ("not JSON", of("{oops".to_owned()), "malformed", true),
        ("wrong type", with(&format!(r#"{span},"in":"many""#)), "wrong_value", true),
        ("missing field", with(r#""in":3"#), "missing_field", true),
        ("time without zone", with(r#""from":"2030-06-16T19:00:00","to":"2030-06-16T19:00:10","in":3"#), "zoneless_time", true),
        ("unknown sensor", of(format!(r#"{{"type":"count","venue":"small","sensor":"c-nobody",{span},"in":3}}"#)), "unknown_name", false),
        ("negative count", with(&format!(r#"{span},"in":-3"#)), "wrong_value", true),
        ("a clock ten years ahead", count("c-in", 440 + 315_360_000, 3, 0).received(450), "clock", false),
        ("a clock ten years ahead without a receipt", count("c-in", 440 + 315_360_000, 3, 0), "clock", false),
        ("2 MB", of(format!(r#"{{"type":"count","x":"{}"}}"#, "x".repeat(2 << 20))), "too_large", true),
        ("truncated protobuf", Record { format: Some("application/x-protobuf"), ..raw("rail", 450, TRUNCATED) }, "malformed", true),
        (
            "wrong key",
            Record { value: count("c-in", 440, 3, 0).value.iter().map(|byte| if *byte == b'm' { b'n' } else { *byte }).collect(), ..count("c-in", 440, 3, 0) },
            "wrong_key",
            true,
        ),
        ("no key", Record { key: None, ..count("c-in", 440, 3, 0) }, "wrong_key", true),
        ("unknown venue", keyed("nowhere"), "unknown_venue", true),
        ("unknown source", Record { source: "nobody", ..count("c-in", 440, 3, 0) }, "unknown_name", true),
        ("a count longer than its source's", count_over("counters", "c-in", 300, 450, 3, 0), "wrong_value", true),
        ("an unknown format", of(r#"{"type":"horoscope"}"#.to_owned()), "unknown_format", true),
    ]
}

#[test]
fn each_kind_is_accounted_for_named_and_moves_nothing_else() {
    let clean = busy(11);
    let place = clean.iter().position(|record| record.at >= 450).unwrap();
    let expected = played(&clean, 50);
    for (what, record, reason, is_undecodable) in bad() {
        let mut records = clean.clone();
        records.insert(place, record);
        let run = played(&records, 50);
        let (sums, before) = (run.sums(), expected.sums());
        assert_eq!(sums.read, before.read + 1, "{what}");
        let expected_sums = if is_undecodable { (before.undecodable + 1, before.quarantined) } else { (before.undecodable, before.quarantined + 1) };
        assert_eq!((sums.undecodable, sums.quarantined), expected_sums, "{what}");
        let (mut said, mut said_before) = (run.outcome.compared(), expected.outcome.compared());
        let mut quarantined = run.outcome.of(OutTopic::Quarantine);
        // A sensor's wrong clock is named: an alarm is live then, which the refusal of a command for another one tells too.
        let names_a_clock = what == "a clock ten years ahead";
        let is_refusal = |line: &serde_json::Value| names_a_clock && line["reason"] == "refused";
        quarantined.retain(|line| !is_refusal(line));
        for known in expected.outcome.of(OutTopic::Quarantine).into_iter().filter(|line| !is_refusal(line)) {
            let at = quarantined.iter().position(|record| *record == known).unwrap_or_else(|| panic!("{what}: {known}"));
            quarantined.remove(at);
        }
        assert_eq!(quarantined.len(), 1, "{what}");
        assert_eq!(quarantined[0]["reason"], reason, "{what}: {}", quarantined[0]);
        assert!(run.outcome.positions.iter().any(|position| position.starts_with("feeds.")), "{what}");
        for outputs in [&mut said, &mut said_before] {
            outputs.retain(|(topic, key), _| *topic != OutTopic::Quarantine && !key.starts_with("CLOCK/"));
        }
        assert!(said == said_before, "{what} moved something else");
        let moved: Vec<String> = run.site_state().into_iter().filter(|(key, value)| expected.state.get(key) != Some(value)).map(|(key, _)| key).collect();
        // Commands waiting for their pane know their positions, which are later by one here.
        let of_clocks = |key: &str| names_a_clock && ["small/alarms", "small/guard/c-in"].contains(&key);
        assert!(moved.iter().all(|key| key == "small/rest" || of_clocks(key)), "{what} moved {moved:?}");
    }
}

/// Records in which something personal stands wherever a sender could put it, good ones and bad ones of every kind.
fn planted() -> Vec<Record> {
    let of = |source: &'static str, at: i64, value: String| raw(source, at, value).received(at);
    let scan = |at: i64, id: &str, more: &str| {
        format!(
            r#"{{"type":"scan","scan_id":"planted-{id}","venue":"small","event_time":{},"ticket":"planted-ticket","device":"planted-device","visitor":"planted-visitor"{more}}}"#,
            START + at * 1_000
        )
    };
    let good = r#","gate":"g1","result":"ok""#;
    let redeem = String::from_utf8(crate::feeds::Format::find("pretix").unwrap().sample.to_vec())
        .unwrap()
        .replace("Peter", "planted-name")
        .replace("z3fsn8", "planted-");
    let pretix = |value: String| Record { format: Some("application/vnd.pretix.checkin+json"), ..of("tickets", 450, value) };
    vec![
        of("tickets", 450, scan(450, "good", good)),
        // A repeat with another result, a late one, one far in the future, a gate and a reason of nobody's.
        of("tickets", 450, scan(450, "good", r#","gate":"g1","result":"rejected","reason":"planted-reason""#)),
        of("tickets", 450, scan(-900, "late", good)),
        of("tickets", 450, scan(315_360_000, "clock", good)),
        of("tickets", 450, scan(450, "gate", r#","gate":"planted-gate","result":"ok""#)),
        of("tickets", 450, scan(450, "word", r#","gate":"g1","result":"planted-result""#)),
        of("tickets", 450, scan(450, "type", r#","gate":"g1","result":"ok","offline":"planted-flag""#)),
        of("tickets", 450, r#"{"planted-field":"planted-value","#.to_owned()),
        Record { key: Some(b"planted-key".to_vec()), ..of("tickets", 450, scan(450, "key", good)) },
        Record { source: "planted-source", feed: crate::venue::Feed::Ticketing, ..of("tickets", 450, scan(450, "source", good)) },
        Record { format: Some("planted-format"), ..of("tickets", 450, scan(450, "format", good)) },
        pretix(redeem.clone()),
        pretix(redeem.replace("\"ok\"", "\"planted-status\"")),
        pretix(redeem.replace("2030-06-15T20:00:04+01:00", "planted-time")),
        of("counters", 450, r#"{"type":"call","call_id":"planted-call","venue":"small","at":0,"x":1,"y":1,"kind":"planted-words"}"#.to_owned()),
    ]
}

#[test]
fn a_planted_identifier_reaches_no_output_and_no_state() {
    let mut records = busy(11);
    let place = records.iter().position(|record| record.at >= 450).unwrap();
    records.splice(place..place, planted());
    let run = played(&records, 50);
    assert!(run.sums().quarantined > 0 && run.sums().undecodable > 0 && run.sums().late > 0);
    let said = run.outcome.records.iter().flat_map(|((_, key), values)| values.iter().chain([key]));
    for text in said.chain(&run.outcome.positions) {
        assert!(!text.contains("planted"), "{text}");
    }
    let holds = |bytes: &[u8]| bytes.windows(7).any(|window| window == b"planted");
    let kept: Vec<&String> = run.state.iter().filter(|(key, value)| holds(key.as_bytes()) || holds(value)).map(|(key, _)| key).collect();
    assert!(kept.is_empty(), "{kept:?}");
}

#[test]
fn a_record_on_the_wrong_partition_is_named_with_the_right_one() {
    let mut run = Run::new(Placement::ByPane);
    run.engine = crate::engine::Engine::new(crate::engine::story::world(), partition_of(b"small", 4), 4, crate::engine::Settings::default());
    let right = partition_of(b"small", 4);
    let record = |partition| Record { partition, ..count("c-in", 0, 3, 0) };
    run.read(&[record(right), record((right + 1) % 4)], 10);
    let quarantined = run.outcome.of(OutTopic::Quarantine);
    assert_eq!(quarantined.len(), 1);
    assert_eq!(quarantined[0]["reason"], "wrong_partition");
    assert_eq!(run.outcome.positions, [format!("feeds.sensors/{}/1", (right + 1) % 4)]);
    assert_eq!((run.sums().undecodable, run.sums().windowed), (1, 1));
}

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
        for known in expected.outcome.of(OutTopic::Quarantine) {
            let at = quarantined.iter().position(|record| *record == known).unwrap();
            quarantined.remove(at);
        }
        assert_eq!(quarantined.len(), 1, "{what}");
        assert_eq!(quarantined[0]["reason"], reason, "{what}: {}", quarantined[0]);
        assert!(run.outcome.positions.iter().any(|position| position.starts_with("feeds.")), "{what}");
        for outputs in [&mut said, &mut said_before] {
            outputs.retain(|(topic, _), _| *topic != OutTopic::Quarantine);
        }
        assert!(said == said_before, "{what} moved something else");
        let moved: Vec<String> = run.site_state().into_iter().filter(|(key, value)| expected.state.get(key) != Some(value)).map(|(key, _)| key).collect();
        // Commands waiting for their pane know their positions, which are later by one here.
        assert!(moved.iter().all(|key| key == "small/rest"), "{what} moved {moved:?}");
    }
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

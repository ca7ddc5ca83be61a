//! Records that are broken in every way: a fault each, never a panic.

use super::*;
use proptest::prelude::*;

#[test]
fn a_sample_cut_short_is_a_fault_or_less_but_never_a_panic() {
    let wired_world = wired_world();
    for format in FORMATS {
        for end in 0..format.sample.len() {
            let mut record = record(format.feeds[0], &format.sample[..end]);
            record.format = Some(format.media_types[0]);
            let outcome = items_in(&record, &wired_world);
            assert!(outcome.is_err() || format.name == "gtfs_realtime" || format.name == "siri", "{} cut at {end} went through", format.name);
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), format in 0..FORMATS.len()) {
        let mut record = record(FORMATS[format].feeds[0], &bytes);
        let world = wired_world();
        let _ = items_in(&record, &world);
        record.format = Some(FORMATS[format].media_types[0]);
        let _ = items_in(&record, &world);
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
        let _ = items_in(&record, &wired_world());
    }

    #[test]
    fn any_json_object_of_known_fields_never_panics(fields in prop::collection::vec((0..54_usize, value()), 0..12)) {
        let names = ["type", "sensor", "venue", "from", "to", "in", "out", "count", "seq", "recorded", "cumulative", "at", "persons", "state",
            "lanes_open", "scan_id", "gate", "result", "event_time", "ticket", "perimeter", "lane", "device", "direction", "reason", "recorded_time",
            "offline", "visitor", "stop", "alighting", "boarding", "line", "trip", "match_id", "event", "to", "command_id", "operator", "action", "alarm_id", "until", "zone",
            "tracks", "density", "vx", "vy", "nx", "ny", "cell_m", "approach_shares", "arrival_curve", "tickets", "services", "air_c"];
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
        prop::sample::select(vec![
            "\"count\"",
            "\"casablanca\"",
            "\"cas-n-g12\"",
            "\"N12\"",
            "\"scan\"",
            "true",
            "null",
            "[]",
            "{}",
            "[[1,2,3]]",
            "{\"fan\":1}",
            "[[1,0.5],[2,1e300]]",
            "\"\\u0000\""
        ])
        .prop_map(str::to_owned),
    ]
}

/// Records that were changed at random, as many of each format as `MIDAN_HAMMER` says (`docs/FORMATS-IN.md`, "Broken records").
#[test]
#[ignore = "takes minutes"]
#[allow(clippy::disallowed_methods, reason = "how long a fuzzing run lasts is the caller's to say")]
fn changed_records_never_panic() {
    let each: u64 = std::env::var("MIDAN_HAMMER").ok().and_then(|n| n.parse().ok()).unwrap_or(10_000);
    let (world, mut state, mut read) = (wired_world(), 0x9e37_79b9_7f4a_7c15_u64, 0_u64);
    let mut next = move || {
        // xorshift64 (Marsaglia 2003).
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let words: [&[u8]; 12] =
        [b"null", b"-1", b"1e308", b"18446744073709551616", b"\"\"", b"[", b"{}", b"\xff", b"9223372036854775807", b"0", b"<a>", b"\\u0000"];
    for format in FORMATS {
        for _ in 0..each {
            let mut bytes = format.sample.to_vec();
            for _ in 0..1 + next() % 4 {
                let at = (next() % bytes.len().max(1) as u64) as usize;
                match next() % 5 {
                    0 => bytes[at] = next() as u8,
                    1 => bytes.truncate(at.max(1)),
                    2 => drop(bytes.splice(at..at, words[(next() % 12) as usize].iter().copied())),
                    3 => drop(bytes.drain(at..(at + (next() % 9) as usize).min(bytes.len()))),
                    _ => bytes[at] ^= 1 << (next() % 8),
                }
                if bytes.is_empty() {
                    bytes.push(b'{');
                }
            }
            let mut record = record(format.feeds[0], &bytes);
            record.format = Some(format.media_types[0]);
            let _ = items_in(&record, &world);
            read += 1;
        }
    }
    println!("{read} records of {} formats", FORMATS.len());
}

//! How fast records are decoded: measurements, run by hand.

use super::*;

/// How many samples of each format one core decodes a second. Run with `--ignored --nocapture`, optimised: see `docs/FORMATS-IN.md`, "Speed".
#[test]
#[ignore = "a measurement, not a check"]
#[allow(clippy::disallowed_methods, reason = "a measurement needs a clock")]
fn measure_each_format() {
    let world = wired_world();
    for format in FORMATS {
        let mut record = record(format.feeds[0], format.sample);
        record.format = Some(format.media_types[0]);
        record.received = Some(1_907_863_300_000);
        let (mut best, mut seen) = (0.0_f64, 0_u64);
        for _ in 0..3 {
            let start = std::time::Instant::now();
            for _ in 0..100_000 {
                let _ = decode(std::hint::black_box(&record), &world, &mut |_| seen += 1);
            }
            best = best.max(100_000.0 / start.elapsed().as_secs_f64());
        }
        println!("{:<14} {:>10.0} records/s, {} bytes each", format.name, best, format.sample.len());
        assert!(seen >= 300_000);
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

//! The fuzz targets without a fuzzer: mutated samples of every format through the very function that `fuzz/` hands to libFuzzer, on the stable toolchain.
//!
//! No coverage guides it; what it has instead is every format's own sample, the samples of the others to splice in, and speed. The short run is part of the suite;
//! `MIDAN_FUZZ_RUNS=10000000 cargo test --profile ci --test it fuzz::every_target -- --nocapture` is the long one.

#[path = "../../fuzz/src/lib.rs"]
mod targets;

use midan::feeds::FORMATS;

/// Values that often stand at an edge.
const EDGES: [&[u8]; 16] = [
    b"0",
    b"-1",
    b"1e308",
    b"-1e999",
    b"4294967296",
    b"9223372036854775808",
    b"18446744073709551616",
    b"null",
    b"[]",
    b"{}",
    b"\"\"",
    b"\xff\xfe",
    b"\x00",
    b"\\ud800",
    b"\xef\xbb\xbf",
    b"1970-01-01T00:00:00-23:59",
];

/// A generator whose numbers follow from its seed: splitmix64.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }
}

/// Changes `bytes` in one way.
fn mutate(bytes: &mut Vec<u8>, dice: &mut Dice) {
    let at = dice.below(bytes.len() + 1);
    let length = dice.below(24).min(bytes.len() - at);
    match dice.below(9) {
        0 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
        1 if at < bytes.len() => bytes[at] = dice.next() as u8,
        2 => bytes.insert(at, dice.next() as u8),
        3 => drop(bytes.drain(at..at + length)),
        4 => bytes.truncate(at),
        5 => {
            let edge = EDGES[dice.below(EDGES.len())];
            drop(bytes.splice(at..at + length, edge.iter().copied()));
        }
        6 => {
            let again = bytes[at..at + length].to_vec();
            drop(bytes.splice(at..at, again));
        }
        7 => {
            let other = FORMATS[dice.below(FORMATS.len())].sample;
            let from = dice.below(other.len());
            let to = (from + dice.below(40)).min(other.len());
            drop(bytes.splice(at..at + length, other[from..to].iter().copied()));
        }
        _ => {
            // A number of the sample becomes one at an edge.
            let digits = bytes[at..].iter().position(u8::is_ascii_digit).map(|skip| at + skip);
            if let Some(start) = digits {
                let end = bytes[start..].iter().position(|byte| !byte.is_ascii_digit()).map_or(bytes.len(), |skip| start + skip);
                drop(bytes.splice(start..end, EDGES[dice.below(7)].iter().copied()));
            }
        }
    }
}

#[test]
fn every_target_takes_whatever_comes_without_a_panic() {
    let runs: u64 = std::env::var("MIDAN_FUZZ_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(20_000);
    let seed: u64 = std::env::var("MIDAN_FUZZ_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(2_030);
    let each = runs.div_ceil(FORMATS.len() as u64);
    for (number, format) in FORMATS.iter().enumerate() {
        let mut dice = Dice(seed.wrapping_mul(31).wrapping_add(number as u64));
        let mut bytes: Vec<u8> = format.sample.to_vec();
        targets::decode(format.name, &bytes);
        for run in 0..each {
            // Changes pile up for a while, then it begins again with the sample: few changes reach deep, many reach far.
            if run % 6 == 0 || bytes.len() > 64 * 1024 {
                bytes.clear();
                bytes.extend_from_slice(format.sample);
            }
            mutate(&mut bytes, &mut dice);
            targets::decode(format.name, &bytes);
        }
        println!("{:16} {each} executions", format.name);
    }
    println!("{} executions of {} targets, seed {seed}, no panic", each * FORMATS.len() as u64, FORMATS.len());
}

#[test]
fn every_format_has_its_target() {
    for format in FORMATS {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fuzz/fuzz_targets/{}.rs", format.name));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
        assert!(text.contains(&format!("midan_fuzz::decode(\"{}\", bytes)", format.name)), "{}", path.display());
    }
}

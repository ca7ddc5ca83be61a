//! What a pane close of a large venue costs: 1,000 zones, 2,000 series, both models. It measures and so runs alone:
//!
//! ```text
//! CARGO_PROFILE_CI_OPT_LEVEL=3 MIDAN_ONNXRUNTIME=… cargo test --profile ci --lib -- --ignored --nocapture --exact onnx::tests::figures::a_pane_close_of_a_thousand_zones
//! ```

use super::*;
use crate::forecast::usual::StoredSlot;
use crate::forecast::{Forecaster, sample};
use std::time::{Duration, Instant};

const ZONES: usize = 1_000;
/// Panes before measuring: all lags are there.
const WARM_UP: i64 = 400;
const MEASURED: i64 = 200;

#[allow(clippy::disallowed_methods, reason = "it measures")]
fn timed<T>(into: &mut Vec<Duration>, work: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let done = work();
    into.push(started.elapsed());
    done
}

#[test]
#[ignore = "it measures; the module's comment has the command"]
fn a_pane_close_of_a_thousand_zones() {
    let venue = sample::large(ZONES);
    let mut forecaster = Forecaster::new(&venue);
    let mut models = library_path().map_or_else(|| Models::none("no library"), |path| Models::load(&Settings { rows: 2 * ZONES, ..settings(path) }));
    models.status().iter().for_each(|status| println!("{}: {:?}", status.role.word(), status.state));
    // What is usual of a whole day, as the state stores it: 300 persons as 32·√persons, and how often each was seen, by series.
    let stored = |slot: &StoredSlot| postcard::to_stdvec(slot).unwrap();
    let (levels, seen) = (vec![554_u16; 2 * ZONES], vec![7_u8; 2 * ZONES]);
    for slot in 0..288 {
        let level = StoredSlot::Level(postcard::from_bytes(&postcard::to_stdvec(&(&levels, &seen)).unwrap()).unwrap());
        forecaster.restore(&format!("level/working/{slot}"), &stored(&level)).unwrap();
    }
    for slot in 0..96 {
        let spread = StoredSlot::Spread(postcard::from_bytes(&postcard::to_stdvec(&vec![100_u16; 2 * ZONES]).unwrap()).unwrap());
        forecaster.restore(&format!("spread/working/{slot}"), &stored(&spread)).unwrap();
        let week = StoredSlot::Week(postcard::from_bytes(&postcard::to_stdvec(&(&levels, &seen, &levels)).unwrap()).unwrap());
        forecaster.restore(&format!("week/3/{slot}"), &stored(&week)).unwrap();
    }
    let mut zones = vec![sample::zone_figures(); ZONES];
    zones.iter_mut().for_each(|zone| zone.occupancy = Some(crate::crowd::Estimate { v: 900.0, lo: 850.0, hi: 950.0 }));
    let stages = ["observe", "ask", "run", "answer", "take_changed"];
    let mut times: [Vec<Duration>; 5] = Default::default();
    let mut bytes = 0;
    for pane in 0..WARM_UP + MEASURED {
        if pane == WARM_UP {
            times.iter_mut().for_each(Vec::clear);
            bytes = 0;
        }
        let end = EventTime::from_millis((pane + 1) * 10_000);
        let counts: Vec<Option<u32>> = (0..2 * ZONES as i64).map(|series| Some(((series * 31 + pane * 17) % 23) as u32)).collect();
        timed(&mut times[0], || forecaster.observe(end, &counts));
        let ask = timed(&mut times[1], || forecaster.ask(VenueId(0), end));
        let answer = timed(&mut times[2], || models.run(&ask));
        drop(ask);
        let outlooks = timed(&mut times[3], || forecaster.answer(&answer, &zones));
        assert!(pane < WARM_UP || outlooks.occupancy.len() == ZONES);
        let changed = timed(&mut times[4], || forecaster.take_changed());
        bytes += changed.iter().filter_map(|(_, value)| value.as_ref()).map(Vec::len).sum::<usize>();
    }
    for (stage, times) in stages.iter().zip(&mut times) {
        times.sort_unstable();
        println!("{stage:>12}: median {:?}, 90 % {:?}, worst {:?}", times[times.len() / 2], times[times.len() * 9 / 10], times[times.len() - 1]);
    }
    println!("state written: {} bytes a pane", bytes / MEASURED as usize);
}

/// What a run of a model costs beside the bare run of its session on the same batch: from the features, which the engine computes where the session reads them, to checked numbers of one's own.
#[test]
#[ignore = "it measures; the module's comment has the command, with this name"]
fn a_run_beside_the_bare_session() {
    let Some(path) = library_path() else { return };
    let library = Library::load(&path).unwrap();
    for (name, role) in [("crowd-flow", Role::Flow), ("crowd-anomaly", Role::Anomaly)] {
        let rows = 2 * ZONES;
        let mut model = Model::load(&library, &root().join(format!("models/{name}.toml")), role, rows).unwrap();
        let input: Vec<f32> = (0..rows * role.features()).map(|place| ((place * 37 % 101) as f32 - 50.0) / 50.0).collect();
        let (mut whole, mut bare) = (Vec::new(), Vec::new());
        for _ in 0..500 {
            timed(&mut bare, || model.run_bare(&input, rows).unwrap());
            timed(&mut whole, || model.run(&input, rows).unwrap());
        }
        whole.sort_unstable();
        bare.sort_unstable();
        let ratio = |nth: usize| whole[nth].as_secs_f64() / bare[nth].as_secs_f64();
        println!("{name}: {:?} for {:?} at the median, {:.3} times; {:.3} times at the first tenth", whole[250], bare[250], ratio(250), ratio(50));
    }
}

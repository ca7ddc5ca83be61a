//! One pane close of a large venue, stage by stage, both models included.
//!
//! The engine is driven by hand, as the shard drives it: the first record of a round moves the venue's clock past the pane, which is the step that begins the close;
//! the models answer; the answer is the step that finishes it. The other records of the round come in between two closes and are not measured.

use super::usage;
use crate::cli::load;
use crate::cli::service::{Around, Seat, stopwatch};
use crate::cli::settings::Settings;
use crate::engine::{Control, Engine, Placement};
use crate::feeds::{Batch, RecordRef};
use crate::shard::Models;
use crate::simulate::{Load, LoadPlan};
use crate::venue::Feed;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// Counters at each zone, as the load's venue files have them.
const SENSORS_PER_ZONE: u32 = 10;
/// Closes before the first that counts: caches, the forecaster's history, the models' memory.
const WARM_UP: u32 = 40;

/// The stages, in the order of [`Closing::step`]'s figures.
const STAGES: [&str; 5] = ["begin: picture, features", "both models", "finish: detect, alarm, publish", "pane close", "beside it: state written"];

/// Measures.
pub(super) fn run(settings: &Settings, zones: u32, closes: u32) -> anyhow::Result<ExitCode> {
    let plan = load::one_venue(zones.max(1) * SENSORS_PER_ZONE);
    let around = Around::new(load::world_of(&plan, &settings.world.folder)?)?;
    let seat = Seat::load(settings, &around, false, None);
    let faults = seat.faults();
    let mut closing = Closing::new(&plan, &around, seat);
    let mut stages: [Vec<Took>; STAGES.len()] = Default::default();
    let mut outputs = 0;
    for round in 0..WARM_UP + closes.max(1) {
        let Some(figures) = closing.round() else { continue };
        if round < WARM_UP {
            continue;
        }
        outputs = figures.outputs;
        stages.iter_mut().zip(figures.stages).for_each(|(stage, took)| stage.push(took));
    }
    println!("{} pane closes of a venue with {zones} zones and {} sensors, {outputs} records each; ms", stages[0].len(), plan.sensors);
    println!("  {:<32} {:>8} {:>8} {:>8} {:>8} {:>8}", "", "CPU 50 %", "CPU 90 %", "median", "90 %", "max");
    for (name, took) in STAGES.into_iter().zip(stages) {
        let sorted = |of: fn(&Took) -> Duration| {
            let mut lengths: Vec<Duration> = took.iter().map(of).collect();
            lengths.sort_unstable();
            move |share: f64| at(&lengths, share).as_secs_f64() * 1e3
        };
        let (cpu, wall) = (sorted(|took| took.cpu), sorted(|took| took.wall));
        println!("  {name:<32} {:>8.2} {:>8.2} {:>8.2} {:>8.2} {:>8.2}", cpu(0.5), cpu(0.9), wall(0.5), wall(0.9), wall(1.0));
    }
    faults.iter().for_each(|fault| println!("  {fault}"));
    Ok(ExitCode::SUCCESS)
}

/// The value below which `share` of the sorted values lie.
fn at(sorted: &[Duration], share: f64) -> Duration {
    let place = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(place.saturating_sub(1)).copied().unwrap_or_default()
}

/// The engine, and what it is fed with.
struct Closing {
    engine: Engine,
    seat: Seat,
    load: Load,
    sensors: u32,
    offset: i64,
}

/// One close.
struct Figures {
    stages: [Took; STAGES.len()],
    outputs: usize,
}

/// How long something took, by the clock on the wall and by this thread's CPU time, which others on the machine do not lengthen.
#[derive(Clone, Copy, Default)]
struct Took {
    wall: Duration,
    cpu: Duration,
}

impl Took {
    fn of<T>(work: impl FnOnce() -> T) -> (T, Self) {
        let (before, began) = (usage::cpu_of_this_thread(), stopwatch());
        let result = work();
        let wall = began.elapsed();
        (result, Self { wall, cpu: usage::cpu_of_this_thread().saturating_sub(before) })
    }

    fn plus(self, other: Self) -> Self {
        Self { wall: self.wall + other.wall, cpu: self.cpu + other.cpu }
    }
}

impl Closing {
    fn new(plan: &LoadPlan, around: &Around, seat: Seat) -> Self {
        let engine = Engine::new(Arc::clone(&around.world), 0, 1, seat.engine_settings(Placement::ByPane));
        Self { engine, seat, load: Load::new(*plan), sensors: plan.sensors, offset: 0 }
    }

    /// One count of every sensor, and the pane that the first of them closes, once there is one.
    fn round(&mut self) -> Option<Figures> {
        let (first, rest) = (self.batch(1), self.batch(self.sensors - 1));
        let (asked, begin) = Took::of(|| self.engine.step(&first, &[]));
        let figures = asked.asks.first().map(|ask| {
            let (answer, models) = Took::of(|| self.seat.run(ask));
            let (effects, finish) = Took::of(|| self.engine.step(&Batch::default(), &[Control::Models(answer)]));
            let (_, state) = Took::of(|| drop(self.engine.take_state_changes()));
            Figures { stages: [begin, models, finish, begin.plus(models).plus(finish), state], outputs: effects.records.len() }
        });
        self.engine.step(&rest, &[]);
        // What the records left behind is written before the next close, so that only the close's own entries are measured with it.
        drop(self.engine.take_state_changes());
        self.engine.committed();
        figures
    }

    fn batch(&mut self, records: u32) -> Batch {
        let mut batch = Batch::default();
        for _ in 0..records {
            let Some(record) = self.load.next() else { break };
            batch.push(&RecordRef {
                feed: Feed::Sensors,
                partition: 0,
                offset: self.offset,
                appended: None,
                received: Some(record.received),
                key: Some(record.venue.as_bytes()),
                value: record.value,
                source: Some(record.source),
                format: None,
                cloud_event: None,
                attributes: crate::feeds::Attributes::default(),
            });
            self.offset += 1;
        }
        batch
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_the_values_lies_below_its_place() {
        let sorted: Vec<Duration> = (1..=10).map(Duration::from_millis).collect();
        assert_eq!([0.5, 0.9, 1.0].map(|share| at(&sorted, share).as_millis()), [5, 9, 10]);
    }
}

//! The whole pipeline: engines, models, outputs, state, ledger and transactions, driven by the same loop as the service.

use super::place::Place;
use super::{Cost, Meter, usage};
use crate::cli::args::BenchArgs;
use crate::cli::load;
use crate::cli::service::{Around, Seat, Told};
use crate::cli::settings::Settings;
use crate::engine::{Placement, Sums};
use crate::shard::{self, Mode, Stats};
use std::sync::Barrier;
use std::sync::atomic::AtomicBool;

/// What came of it.
pub(super) struct Piped {
    pub(super) cost: Cost,
    pub(super) sums: Sums,
    /// Outputs, commits and models in a line.
    pub(super) detail: String,
}

/// Reads every record once, and does with it what is to be done.
pub(super) fn run(settings: &Settings, args: &BenchArgs, place: &Place) -> anyhow::Result<Piped> {
    let around = Around::new(load::world_of(&load::unpaced(), &settings.world.folder)?)?;
    // The models are loaded before anything is read: a service does it once.
    let seats: Vec<Seat> = (0..args.shards).map(|_| Seat::load(settings, &around, false, None)).collect();
    let faults = seats.first().map(Seat::faults).unwrap_or_default();
    let (meter, all_ended) = (Meter::default(), Barrier::new(seats.len()));
    usage::forget_peak();
    let shards = Shards { settings, args, place, around: &around, meter: &meter, all_ended: &all_ended };
    let stats = std::thread::scope(|scope| -> anyhow::Result<Stats> {
        let threads: Vec<_> = seats.into_iter().zip(0..).map(|(seat, number)| scope.spawn(move || shards.run(number, seat))).collect();
        let mut ended = threads.into_iter().map(|thread| thread.join().map_err(|_| anyhow::anyhow!("a shard panicked"))?);
        ended.try_fold(Stats::default(), |all, stats| Ok(sum(all, stats?)))
    })?;
    let models = if faults.is_empty() { "both models ran".to_owned() } else { faults.join("; ") };
    let Stats { outputs, commits, commit_seconds, .. } = stats;
    let detail = format!("{outputs} outputs and state entries in {commits} commits, which took {commit_seconds:.2} s; {models}");
    Ok(Piped { cost: meter.read()?, sums: around.totals.sum(), detail })
}

/// What the shards share.
#[derive(Clone, Copy)]
struct Shards<'a> {
    settings: &'a Settings,
    args: &'a BenchArgs,
    place: &'a Place,
    around: &'a Around,
    meter: &'a Meter,
    all_ended: &'a Barrier,
}

impl Shards<'_> {
    fn run(self, number: u32, mut seat: Seat) -> anyhow::Result<Stats> {
        let engine = seat.engine_settings(Placement::ByPane);
        let mut make = |partition| Told::new(self.around.clone(), partition, self.args.partitions, engine.clone());
        let mut open = || self.place.join("pipeline", number);
        let (commit_interval, poll_records) = (self.settings.shards.commit_interval.0, self.settings.shards.max_batch);
        let how = shard::Settings { mode: Mode::ToEnd, commit_interval, poll_records, ..shard::Settings::default() };
        let ended = shard::run(&mut open, &mut make, &mut seat, &how, &First(self.meter), &AtomicBool::new(false));
        // A membership that ended early would hand its partitions to the others.
        self.all_ended.wait();
        Ok(ended?.stats)
    }
}

/// Starts the meter with the first records.
struct First<'a>(&'a Meter);

impl shard::Watch for First<'_> {
    fn polled(&self, _records: usize, _bytes: usize) {
        self.0.first_records();
    }
}

fn sum(a: Stats, b: Stats) -> Stats {
    Stats {
        records: a.records + b.records,
        outputs: a.outputs + b.outputs,
        alerts: a.alerts + b.alerts,
        commits: a.commits + b.commits,
        aborts: a.aborts + b.aborts,
        rebuilds: a.rebuilds + b.rebuilds,
        commit_seconds: a.commit_seconds + b.commit_seconds,
    }
}

//! The whole pipeline: engines, models, outputs, state, ledger and transactions, driven by the same loop as the service.

use super::paced::Beside;
use super::place::Place;
use super::{Cost, Meter, usage};
use crate::cli::args::BenchArgs;
use crate::cli::load;
use crate::cli::service::{Around, Seat, Told, Totals};
use crate::cli::settings::Settings;
use crate::engine::{Placement, Sums};
use crate::shard::{self, Mode, Stats};
use crate::simulate::LoadPlan;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What came of it.
pub(super) struct Piped {
    pub(super) cost: Cost,
    pub(super) sums: Sums,
    /// Outputs, commits and models in a line.
    pub(super) detail: String,
}

/// Reads every record of the load once, and does with it what is to be done.
pub(super) fn run(settings: &Settings, args: &BenchArgs, place: &Place, load: &LoadPlan, beside: &Beside) -> anyhow::Result<Piped> {
    let around = Around::new(load::world_of(load, &settings.world.folder)?)?;
    // The models are loaded before anything is read: a service does it once.
    let seats: Vec<Seat> = (0..args.shards).map(|_| Seat::load(settings, &around, false, None)).collect();
    let faults = seats.first().map(Seat::faults).unwrap_or_default();
    let all_ended = Barrier::new(seats.len());
    let reading = Reading { meter: Meter::new(beside), totals: &around.totals, until: args.events };
    usage::forget_peak();
    let shards = Shards { settings, args, place, around: &around, reading: &reading, all_ended: &all_ended };
    let stats = std::thread::scope(|scope| -> anyhow::Result<Stats> {
        let threads: Vec<_> = seats.into_iter().zip(0..).map(|(seat, number)| scope.spawn(move || shards.run(number, seat))).collect();
        let mut ended = threads.into_iter().map(|thread| thread.join().map_err(|_| anyhow::anyhow!("a shard panicked"))?);
        ended.try_fold(Stats::default(), |all, stats| Ok(sum(all, stats?)))
    })?;
    let models = if faults.is_empty() { "both models ran".to_owned() } else { faults.join("; ") };
    let Stats { outputs, commits, commit_seconds, .. } = stats;
    let detail = format!("{outputs} outputs and state entries in {commits} commits, which took {commit_seconds:.2} s; {models}");
    Ok(Piped { cost: reading.meter.read()?, sums: around.totals.sum(), detail })
}

/// What the shards share.
#[derive(Clone, Copy)]
struct Shards<'a> {
    settings: &'a Settings,
    args: &'a BenchArgs,
    place: &'a Place,
    around: &'a Around,
    reading: &'a Reading<'a>,
    all_ended: &'a Barrier,
}

impl Shards<'_> {
    fn run(self, number: u32, mut seat: Seat) -> anyhow::Result<Stats> {
        let engine = seat.engine_settings(Placement::ByPane);
        let mut make = |partition| Told::new(self.around.clone(), partition, self.args.partitions, engine.clone());
        let mut open = || self.place.join("pipeline", number);
        let (commit_interval, poll_records) = (self.settings.shards.commit_interval.0, self.settings.shards.max_batch);
        // A load that still comes has no end yet; it lives like the service, and is stopped when it is read.
        let (mode, never) = (if self.args.rate.is_some() { Mode::Serve } else { Mode::ToEnd }, AtomicBool::new(false));
        let stop = if mode == Mode::Serve { &self.reading.meter.beside.stop } else { &never };
        let how = shard::Settings { mode, commit_interval, poll_records, ..shard::Settings::default() };
        let ended = shard::run(&mut open, &mut make, &mut seat, &how, self.reading, stop);
        // A membership that ended early would hand its partitions to the others.
        self.all_ended.wait();
        Ok(ended?.stats)
    }
}

/// How far the load is read: the meter starts with the first records, and when a commit holds the last the shards may stop.
struct Reading<'a> {
    meter: Meter<'a>,
    /// What was polled would not do: records of a partition that moves are polled twice.
    totals: &'a Totals,
    until: u64,
}

impl shard::Watch for Reading<'_> {
    fn polled(&self, records: usize, _bytes: usize) {
        if records > 0 {
            self.meter.first_records();
        }
    }

    fn committed(&self, _outputs: u64, _took: Duration) {
        if self.totals.sum().read >= self.until {
            self.meter.beside.stop.store(true, Ordering::Relaxed);
        }
    }

    fn restored(&self, _partition: u32, _entries: u64, _took: Duration) {
        self.meter.beside.start(1);
    }
}

fn sum(a: Stats, b: Stats) -> Stats {
    Stats {
        records: a.records + b.records,
        outputs: a.outputs + b.outputs,
        alerts: a.alerts + b.alerts,
        alerts_made_again: a.alerts_made_again + b.alerts_made_again,
        commits: a.commits + b.commits,
        aborts: a.aborts + b.aborts,
        rebuilds: a.rebuilds + b.rebuilds,
        commit_seconds: a.commit_seconds + b.commit_seconds,
    }
}

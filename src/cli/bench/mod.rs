//! `midan bench`: what the pipeline costs, next to what cannot be saved.
//!
//! The idea: a figure in events per second says as much about the machine as about the program. So the same topic is read twice in one run, first by a loop that
//! only consumes and decodes it, then by the whole pipeline, and the ratio of their CPU time is what is printed last. Nothing else runs in the process meanwhile:
//! the topic is filled before.
//!
//! ```text
//!   load ─► fill the topic ─► loop: poll, decode ─────────────────────────────► events/s, CPU-s per million
//!                        └──► pipeline: shard::run (engine, models, outputs, state, commits) ─► the same, and the ratio
//! ```
//!
//! - [`place`]: the log that holds it; [`consume`]: the loop; [`pipeline`]: everything; [`usage`]: CPU time and memory.
//! - [`paced`]: the same with a load that comes at a pace while it is read, once for the loop and once for the pipeline.
//! - [`close`]: instead of all that, one pane close of a large venue, stage by stage.

mod close;
mod consume;
mod paced;
mod pipeline;
mod place;
mod usage;

use super::args::BenchArgs;
use super::load;
use super::service::stopwatch;
use super::settings::Settings;
use crate::engine::Sums;
use crate::simulate::LoadPlan;
use paced::{Beside, Pace};
use place::Place;
use std::process::ExitCode;
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use usage::Usage;

/// Measures.
pub(super) fn run(settings: &Settings, args: &BenchArgs) -> anyhow::Result<ExitCode> {
    if let Some(zones) = args.close_zones {
        return close::run(settings, zones, args.closes);
    }
    let plan = args.rate.map_or_else(load::unpaced, load::paced);
    let pace = args.rate.map(|rate| format!(", {rate} events/s")).unwrap_or_default();
    println!(
        "{} count events of {} venues with {} sensors each{pace}, {} partitions, {} shards, {} log",
        args.events, plan.venues, plan.sensors, args.partitions, args.shards, args.log
    );
    let mut best = Best::default();
    for number in 1..=args.repeat.max(1) {
        let round = round(settings, args, &plan, number)?;
        print!("{round}");
        best.take(&round);
        if round.sums.imbalance() != (0, 0) || round.sums.windowed != args.events {
            println!("not every event was counted: the figures are worth nothing");
            return Ok(ExitCode::FAILURE);
        }
    }
    print!("{best}");
    Ok(ExitCode::SUCCESS)
}

/// One filling of the topic, read twice.
struct Round {
    number: u32,
    events: u64,
    consumed: Cost,
    piped: Cost,
    sums: Sums,
    detail: String,
}

fn round(settings: &Settings, args: &BenchArgs, plan: &LoadPlan, number: u32) -> anyhow::Result<Round> {
    let (consumed, piped) = match args.rate {
        Some(rate) => {
            let pace = Pace { rate, events: args.events, partitions: args.partitions };
            (
                at_pace(settings, args, number, pace, |place, beside| consume::run(settings, args, place, plan, beside))?,
                at_pace(settings, args, number, pace, |place, beside| pipeline::run(settings, args, place, plan, beside))?,
            )
        }
        None => {
            let place = Place::fill(settings, args, number)?;
            let nothing = Beside::default();
            let both = (consume::run(settings, args, &place, plan, &nothing)?, pipeline::run(settings, args, &place, plan, &nothing)?);
            place.clear()?;
            both
        }
    };
    Ok(Round { number, events: args.events, consumed, piped: piped.cost, sums: piped.sums, detail: piped.detail })
}

/// Lets `read` read topics that are written meanwhile.
fn at_pace<T: Send>(
    settings: &Settings,
    args: &BenchArgs,
    number: u32,
    pace: Pace,
    read: impl FnOnce(&Place, &Beside) -> anyhow::Result<T> + Send,
) -> anyhow::Result<T> {
    let place = Place::empty(settings, args, number)?;
    let beside = Beside::default();
    let read = beside.fed(settings, &place, pace, || read(&place, &beside));
    place.clear()?;
    read
}

/// What reading the topic cost.
#[derive(Clone, Copy, Debug)]
struct Cost {
    wall: Duration,
    /// User and system time of the whole process.
    cpu: Duration,
    peak_bytes: Option<u64>,
}

/// When the first records came: joining a group and loading models are no part of the cost.
#[derive(Debug)]
struct Meter<'a> {
    beside: &'a Beside,
    first: OnceLock<(Instant, Duration)>,
}

impl<'a> Meter<'a> {
    fn new(beside: &'a Beside) -> Self {
        Self { beside, first: OnceLock::new() }
    }

    fn first_records(&self) {
        // Whoever is later finds it set.
        self.first.get_or_init(|| (stopwatch(), self.cpu(&Usage::now())));
    }

    fn read(&self) -> anyhow::Result<Cost> {
        let (began, before) = self.first.get().ok_or_else(|| anyhow::anyhow!("the topic brought no record"))?;
        let now = Usage::now();
        Ok(Cost { wall: began.elapsed(), cpu: self.cpu(&now).saturating_sub(*before), peak_bytes: now.peak_bytes })
    }

    fn cpu(&self, used: &Usage) -> Duration {
        used.cpu.saturating_sub(self.beside.cpu())
    }
}

impl Cost {
    fn events_per_s(&self, events: u64) -> f64 {
        events as f64 / self.wall.as_secs_f64().max(1e-9)
    }

    /// Cores that were kept busy.
    fn cores(&self) -> f64 {
        self.cpu.as_secs_f64() / self.wall.as_secs_f64().max(1e-9)
    }

    fn cpu_per_million(&self, events: u64) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / events.max(1) as f64
    }
}

impl std::fmt::Display for Round {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "run {:<21} {:>10}  {:>17}  {:>6}  {:>10}", self.number, "events/s", "CPU-s per million", "cores", "peak RSS")?;
        for (name, cost) in [("consume and decode", &self.consumed), ("whole pipeline", &self.piped)] {
            let memory = cost.peak_bytes.map_or_else(|| "unknown".to_owned(), |bytes| format!("{} MB", bytes / 1_000_000));
            let (rate, cpu, cores) = (cost.events_per_s(self.events), cost.cpu_per_million(self.events), cost.cores());
            writeln!(f, "  {name:<23} {rate:>10.0}  {cpu:>17.2}  {cores:>6.2}  {memory:>10}")?;
        }
        writeln!(f, "  ratio of CPU time {:>36.2}", self.piped.cpu.as_secs_f64() / self.consumed.cpu.as_secs_f64().max(1e-9))?;
        writeln!(f, "  {}", self.detail)?;
        let (records, observations) = self.sums.imbalance();
        writeln!(f, "  ledger: {} read, {} windowed, {records} records and {observations} observations unaccounted for", self.sums.read, self.sums.windowed)
    }
}

/// The best of several runs, each figure by itself: on a shared machine the least disturbed one.
#[derive(Debug, Default)]
struct Best {
    rounds: u32,
    rates: [f64; 2],
    cpu: [f64; 2],
}

impl Best {
    fn take(&mut self, round: &Round) {
        for (index, cost) in [&round.consumed, &round.piped].into_iter().enumerate() {
            let cpu = cost.cpu_per_million(round.events);
            self.rates[index] = self.rates[index].max(cost.events_per_s(round.events));
            self.cpu[index] = if self.rounds == 0 { cpu } else { self.cpu[index].min(cpu) };
        }
        self.rounds += 1;
    }
}

impl std::fmt::Display for Best {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.rounds < 2 {
            return Ok(());
        }
        writeln!(f, "best of {}", self.rounds)?;
        for (name, index) in [("consume and decode", 0), ("whole pipeline", 1)] {
            writeln!(f, "  {name:<23} {:>10.0}  {:>17.2}", self.rates[index], self.cpu[index])?;
        }
        writeln!(f, "  ratio of CPU time {:>36.2}", self.cpu[1] / self.cpu[0].max(1e-9))
    }
}

//! `midan demo`: a whole match night through the real pipeline on the log inside the process, with nothing else installed.
//!
//! ```text
//!  simulated night ──► embedded log ──► shard (engines, models) ──► embedded log ──► console, summary, a line a minute
//! ```
//!
//! At `--speed max` the run decides by rule (the whole night is read to its end), so the same seed gives the same summary; at a paced speed broker time and
//! operators' commands come in as they do live.

use super::args::{DemoArgs, Speed};
use super::drive::{Folder, Raises};
use super::night;
use super::pump::{Until, WATCHED, Watchers};
use super::run::serving;
use super::service::{Around, Seat, Told, Watch, stopwatch, wall_ms};
use super::settings::Settings;
use super::terminal::Terminal;
use crate::config::read_world;
use crate::console::Service;
use crate::console::api::Status;
use crate::engine::Placement;
use crate::log::embedded::{EmbeddedFeeder, EmbeddedLog, Faults, Options, Retention};
use crate::log::{Feeder, Freshest, InRecord, ShardLog, Since};
use crate::shard::{self, Mode};
use crate::simulate::{self, Nights};
use crate::summary::Summary;
use crate::venue::{Feed, Venue, World};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// How often the feeder's clock may run ahead of what is unread, bytes: keeps a night at full speed in bounded memory.
const UNREAD_BYTES: usize = 32 << 20;

/// Runs the demonstration.
pub(super) fn run(settings: &Settings, args: &DemoArgs) -> anyhow::Result<ExitCode> {
    let world = Arc::new(playing(read_world(&settings.world.folder)?, &args.venues)?);
    let around = Around::new(Arc::clone(&world))?;
    let folder = Folder::new("midan-demo")?;
    let options = Options { retention: Retention::UntilRead, unread_bytes: Some(UNREAD_BYTES), ..Options::new(folder.path(), args.partitions) };
    let log = EmbeddedLog::open(options)?;
    let stop = Arc::new(AtomicBool::new(false));
    let ended = AtomicBool::new(false);
    let ready = Arc::new(AtomicBool::new(false));
    let (served, stop_serving) = watch::channel(false);
    let began = stopwatch();
    let console = (!args.exit || args.port.is_some()).then(|| console(settings, args, &around, &log, &ready, stop_serving)).transpose()?;
    on_signal(&stop)?;
    let feeder = log.feeder();
    let mut tail = log.tail(&WATCHED, Since::Beginning);
    let summary = std::thread::scope(|scope| -> anyhow::Result<Summary> {
        let feeding = scope.spawn(|| feed(args, &world, feeder, &log, &stop));
        let sharding = scope.spawn(|| {
            let _ended = Raises(&ended);
            shard(settings, args, &around, &log, &ready, &stop)
        });
        let mut terminal = Terminal::of(world.venues.first().map(|venue| venue.id.clone()).unwrap_or_default());
        let mut watchers = Watchers {
            around: &around,
            summary: Summary::default(),
            freshest: Freshest::default(),
            results: None,
            now: Box::new(|| log.clock()),
            told: Box::new(move |news| {
                if let Some(line) = terminal.line(news) {
                    println!("{line}");
                }
            }),
        };
        watchers.follow(&mut tail, &ended, Until::Read)?;
        feeding.join().map_err(|_| anyhow::anyhow!("the simulation panicked"))??;
        sharding.join().map_err(|_| anyhow::anyhow!("the shard panicked"))??;
        Ok(watchers.summary)
    })?;
    let seconds = began.elapsed().as_secs_f64();
    report(summary, &around, seconds);
    if console.is_some() && !args.exit && !stop.load(Ordering::Relaxed) {
        println!("The night is over; the console stays up. End with Ctrl-C.");
        wait_for(&stop);
    }
    served.send_replace(true);
    if let Some(console) = console {
        console.join().map_err(|_| anyhow::anyhow!("the console panicked"))??;
    }
    let unaccounted = around.totals.sum().imbalance();
    Ok(if unaccounted == (0, 0) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The world of the venues that play: those named, else the one whose match expects most people.
fn playing(world: World, names: &[String]) -> anyhow::Result<World> {
    for name in names {
        if world.find(name).is_none() {
            anyhow::bail!("--venue {name}: no such venue; there are {}", world.names.iter().collect::<Vec<_>>().join(", "));
        }
    }
    let expected = |venue: &Venue| venue.matches.first().map(|day| day.expected_attendance);
    let largest = world.venues.iter().max_by_key(|venue| expected(venue)).map(|venue| venue.id.clone());
    let plays = |venue: &Venue| {
        expected(venue).is_some() && if names.is_empty() { Some(&venue.id) == largest.as_ref() } else { names.iter().any(|name| **name == *venue.id) }
    };
    let venues: Vec<Venue> = world.venues.into_iter().filter(plays).collect();
    if venues.is_empty() {
        anyhow::bail!("no venue to play has a match: add a [[match]] to its file");
    }
    Ok(World::new(venues))
}

fn feed(args: &DemoArgs, world: &World, mut feeder: EmbeddedFeeder, log: &EmbeddedLog, stop: &AtomicBool) -> anyhow::Result<u64> {
    let mut nights = Nights::of_world(world, args.seed, &simulate::Options::default())?;
    let sent = night::feed(&mut nights, &mut feeder, args.speed, stop, |now| log.set_clock(now))?;
    // The inputs count as closed when their writer is gone.
    drop(feeder);
    if let Some(path) = &args.truth {
        night::write_truth(&nights, path)?;
    }
    Ok(sent)
}

fn shard(settings: &Settings, args: &DemoArgs, around: &Around, log: &EmbeddedLog, ready: &Arc<AtomicBool>, stop: &AtomicBool) -> anyhow::Result<()> {
    let to_end = args.speed == Speed::Max;
    let mut seat = Seat::load(settings, around, !to_end, None);
    for fault in seat.faults() {
        eprintln!("midan: {fault}");
    }
    let placement = if to_end { Placement::ByPane } else { Placement::OnArrival };
    let engine_settings = seat.engine_settings(placement);
    let mut make = |partition| Told::new(around.clone(), partition, args.partitions, engine_settings.clone());
    let mut open = || Ok(Box::new(log.member("midan", Faults::none())) as Box<dyn ShardLog>);
    let of_shard = shard::Settings {
        commit_interval: settings.shards.commit_interval.0,
        poll_records: settings.shards.max_batch,
        commands_on_arrival: !to_end,
        mode: Mode::ToEnd,
        ..shard::Settings::default()
    };
    let of_shard = if to_end { of_shard } else { shard::Settings { mode: Mode::ServeToEnd, ..of_shard } };
    let watch = Watch { telemetry: Arc::clone(&around.telemetry), shard: 0, ready: Arc::clone(ready) };
    shard::run(&mut open, &mut make, &mut seat, &of_shard, &watch, stop)?;
    Ok(())
}

/// Starts the console.
fn console(
    settings: &Settings,
    args: &DemoArgs,
    around: &Around,
    log: &EmbeddedLog,
    ready: &Arc<AtomicBool>,
    stop: watch::Receiver<bool>,
) -> anyhow::Result<std::thread::JoinHandle<anyhow::Result<()>>> {
    let mut address: SocketAddr = settings.console.listen;
    address.set_port(args.port.unwrap_or(address.port()));
    let speed = match args.speed {
        Speed::Times(times) => Some(times),
        Speed::Max => None,
    };
    let service = Service {
        world: Arc::clone(&around.world),
        view: Arc::clone(&around.view),
        commands: Box::new(Commands { feeder: Mutex::new(log.side_feeder()), clock: log.clone() }),
        status: Status { version: env!("CARGO_PKG_VERSION").to_owned(), started: wall_ms(), shards: 1, mode: "demo", speed },
        telemetry: Arc::clone(&around.telemetry),
        ready: Arc::clone(ready),
        token: settings.console.token.clone(),
    };
    serving(service, address, stop)
}

/// The console's commands go to the log like anybody's.
struct Commands {
    feeder: Mutex<EmbeddedFeeder>,
    clock: EmbeddedLog,
}

impl crate::console::api::CommandSink for Commands {
    fn send(&self, venue: &str, value: Vec<u8>) -> Result<(), String> {
        let mut feeder = self.feeder.lock().unwrap_or_else(PoisonError::into_inner);
        let record = InRecord {
            feed: Feed::Commands,
            key: venue.as_bytes(),
            value: &value,
            source: None,
            format: None,
            received: Some(self.clock.clock()),
            cloud_event: None,
            attributes: crate::feeds::Attributes::NONE,
        };
        feeder.send(&record).and_then(|()| feeder.flush()).map_err(|why| why.to_string())
    }
}

fn report(mut summary: Summary, around: &Around, seconds: f64) {
    let totals = around.totals.sum();
    summary.set_ledger(totals);
    println!("\n{summary}");
    println!("              {:.0} records/s over {seconds:.1} s", totals.read as f64 / seconds);
}

/// Turns `stop` on at the first interrupt or termination; the second ends at once.
pub(super) fn on_signal(stop: &Arc<AtomicBool>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let stop = Arc::clone(stop);
    std::thread::spawn(move || {
        runtime.block_on(async {
            for last in [false, true] {
                signalled().await;
                stop.store(true, Ordering::Relaxed);
                if last {
                    std::process::exit(130);
                }
            }
        });
    });
    Ok(())
}

async fn signalled() {
    let Ok(mut terminate) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) else { return };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

#[allow(clippy::disallowed_methods, reason = "waiting for a person")]
fn wait_for(stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(100));
    }
}

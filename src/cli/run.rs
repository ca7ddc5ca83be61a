//! `midan run`: the service. Shards on threads, each a member of the consumer group; the console and its reader beside them.

use super::args::RunArgs;
use super::demo::on_signal;
use super::pump::{Until, WATCHED, Watchers, patiently};
use super::service::{self, Around, Seat, Told, Watch, wall_ms};
use super::settings::{PlacementName, Settings};
use crate::console::api::{CommandSink, Status};
use crate::console::{Service, serve};
use crate::kafka::{self, KafkaAdmin, KafkaFeeder, KafkaShard, KafkaTail};
use crate::log::{Answer, Feeder, Freshest, InRecord, LogError, ShardLog, Since, TopicAdmin, topics};
use crate::shard::{self, Mode};
use crate::summary::Summary;
use crate::venue::Feed;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// Runs until it is told to stop (or, with `--until-end`, until every input is read to its end).
pub(super) fn run(settings: &Settings, args: &RunArgs) -> anyhow::Result<ExitCode> {
    let around = Around::new(service::world(settings)?)?;
    let kafka = kafka::Settings { memory: settings.shards.memory(), ..settings.kafka.clients() };
    let plan = super::topics::plan(settings);
    let stop = Arc::new(AtomicBool::new(false));
    on_signal(&stop)?;
    end_within(settings.shards.stop_within.0, &stop);
    let Some(faults) = checked(&kafka, &plan, &stop)? else {
        return Ok(ExitCode::SUCCESS);
    };
    if !faults.is_empty() {
        let list = faults.iter().map(|fault| format!("\n  {fault}")).collect::<String>();
        anyhow::bail!("the topics are not as Midan needs them; `midan topics create` makes what is missing:{list}");
    }
    let ended = AtomicBool::new(false);
    let ready = Arc::new(AtomicBool::new(false));
    let (served, stop_serving) = watch::channel(false);
    let shards = args.shards.unwrap_or(settings.shards.count).max(1);
    let console = (!args.no_console).then(|| console(settings, &around, &kafka, shards, &ready, stop_serving)).transpose()?;
    let door = args.door.as_ref().map(|file| super::door::open(settings, file, Arc::clone(&around.world), Arc::clone(&around.telemetry))).transpose()?;
    std::thread::scope(|scope| -> anyhow::Result<()> {
        let watching = scope.spawn(|| follow(&around, &kafka, &ended));
        let running: Vec<_> = (0..shards)
            .map(|number| {
                let (around, kafka, ready, stop) = (&around, &kafka, &ready, &stop);
                scope.spawn(move || shard(settings, args, around, kafka, ready, stop, number))
            })
            .collect();
        let results: Vec<anyhow::Result<()>> =
            running.into_iter().map(|shard| shard.join().unwrap_or_else(|_| Err(anyhow::anyhow!("a shard panicked")))).collect();
        ended.store(true, Ordering::Relaxed);
        let watched = watching.join().map_err(|_| anyhow::anyhow!("the reader of the outputs panicked"));
        results.into_iter().collect::<anyhow::Result<()>>()?;
        watched?
    })?;
    if let Some(door) = door {
        super::door::close(door);
    }
    served.send_replace(true);
    if let Some(console) = console {
        console.join().map_err(|_| anyhow::anyhow!("the console panicked"))??;
    }
    Ok(ExitCode::SUCCESS)
}

/// A broker that restarts while this process starts is waited for so long; a wrong address still ends with its message.
const BROKER_PATIENCE: Duration = Duration::from_secs(30);

/// What is wrong with the topics; `None` when it is told to stop before the broker has answered.
fn checked(kafka: &kafka::Settings, plan: &topics::Plan, stop: &AtomicBool) -> anyhow::Result<Option<Vec<topics::Fault>>> {
    let began = service::stopwatch();
    loop {
        match KafkaAdmin::new(kafka).and_then(|admin| admin.check(plan)) {
            _ if stop.load(Ordering::Relaxed) => return Ok(None),
            Err(why) if why.answer() == Answer::Retry && began.elapsed() < BROKER_PATIENCE => {
                tracing::warn!(%why, "The broker does not answer yet.");
                rest(Duration::from_secs(1));
            }
            result => return Ok(Some(result?)),
        }
    }
}

/// Once it is told to stop, the process has so long: a broker that does not answer must not keep it. What is open then is aborted by whoever comes next,
/// as after a kill.
fn end_within(limit: Duration, stop: &Arc<AtomicBool>) {
    let stop = Arc::clone(stop);
    std::thread::spawn(move || {
        while !stop.load(Ordering::Relaxed) {
            rest(Duration::from_millis(50));
        }
        rest(limit);
        eprintln!("midan: not done within {limit:?} of being told to stop; what is open is given up, nothing is lost");
        std::process::exit(GAVE_UP);
    });
}

/// The exit code of a process that did not come to its end in time.
const GAVE_UP: i32 = 3;

#[allow(clippy::disallowed_methods, reason = "a limit on how long a process may take to end")]
fn rest(length: Duration) {
    std::thread::sleep(length);
}

fn shard(
    settings: &Settings,
    args: &RunArgs,
    around: &Around,
    kafka: &kafka::Settings,
    ready: &Arc<AtomicBool>,
    stop: &AtomicBool,
    number: usize,
) -> anyhow::Result<()> {
    let mut seat = Seat::load(settings, around, !(args.until_end || args.by_records), None);
    for fault in seat.faults() {
        tracing::warn!("{fault}");
    }
    let engine = seat.engine_settings(settings.commands.placement.into());
    let partitions = settings.kafka.partitions;
    let mut make = |partition| Told::new(around.clone(), partition, partitions, engine.clone());
    let mut open = || KafkaShard::join(kafka, u32::try_from(number).unwrap_or(u32::MAX)).map(|shard| Box::new(shard) as Box<dyn ShardLog>);
    let mode = match (args.until_end, args.by_records) {
        (true, _) => Mode::ToEnd,
        (false, true) => Mode::ServeByRecords,
        (false, false) => Mode::Serve,
    };
    let how = shard::Settings {
        commit_interval: settings.shards.commit_interval.0,
        poll_records: settings.shards.max_batch,
        stall_patience: settings.shards.stall_patience.0,
        // An eighth of the memory: half of it is for what is fetched, a quarter for what is being sent.
        waiting_bytes: settings.shards.memory() / 8,
        session_timeout: kafka.session_timeout(),
        commands_on_arrival: settings.commands.placement == PlacementName::OnArrival,
        mode,
        ..shard::Settings::default()
    };
    let watch = Watch { telemetry: Arc::clone(&around.telemetry), shard: number, ready: Arc::clone(ready) };
    let ended = shard::run(&mut open, &mut make, &mut seat, &how, &watch, stop)?;
    tracing::info!(shard = number, records = ended.stats.records, commits = ended.stats.commits, aborts = ended.stats.aborts, "Shard ended.");
    Ok(())
}

/// Reads the outputs for the console and the metrics; it is no part of any group.
fn follow(around: &Around, kafka: &kafka::Settings, ended: &AtomicBool) -> anyhow::Result<()> {
    let mut tail = patiently(|| KafkaTail::new(kafka, &WATCHED, Since::Beginning), ended)?;
    let (summary, freshest) = (Summary::default(), Freshest::default());
    let mut watchers = Watchers { around, summary, freshest, results: None, now: Box::new(wall_ms), told: Box::new(|_| {}) };
    watchers.follow(&mut tail, ended, Until::Told)
}

fn console(
    settings: &Settings,
    around: &Around,
    kafka: &kafka::Settings,
    shards: usize,
    ready: &Arc<AtomicBool>,
    stop: watch::Receiver<bool>,
) -> anyhow::Result<std::thread::JoinHandle<anyhow::Result<()>>> {
    let service = Service {
        world: Arc::clone(&around.world),
        view: Arc::clone(&around.view),
        commands: Box::new(Commands(Mutex::new(KafkaFeeder::new(kafka)?))),
        status: Status { version: env!("CARGO_PKG_VERSION").to_owned(), started: wall_ms(), shards, mode: "live", speed: None },
        telemetry: Arc::clone(&around.telemetry),
        ready: Arc::clone(ready),
        token: settings.console.token.clone(),
    };
    serving(service, settings.console.listen, stop)
}

/// Serves the console on a thread of its own; prints its address when the page is ready.
pub(super) fn serving(
    service: Service,
    address: std::net::SocketAddr,
    stop: watch::Receiver<bool>,
) -> anyhow::Result<std::thread::JoinHandle<anyhow::Result<()>>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let (told, bound) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        // The receiver waits for just this, or has given up.
        let listening = move |address| {
            let _ = told.send(address);
        };
        runtime.block_on(serve(service, address, listening, stop))
    });
    match bound.recv() {
        Ok(address) => {
            println!("The console is on http://{address}");
            Ok(thread)
        }
        // The thread ended before it listened: it knows why.
        Err(_) => match thread.join() {
            Ok(Err(why)) => Err(why),
            _ => Err(anyhow::anyhow!("the console ended before it listened")),
        },
    }
}

/// The console's commands go to Kafka like anybody's.
struct Commands(Mutex<KafkaFeeder>);

impl CommandSink for Commands {
    fn send(&self, venue: &str, value: Vec<u8>) -> Result<(), String> {
        let mut feeder = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let record = InRecord {
            feed: Feed::Commands,
            key: venue.as_bytes(),
            value: &value,
            source: None,
            format: None,
            received: Some(wall_ms()),
            cloud_event: None,
            attributes: crate::feeds::Attributes::NONE,
        };
        let sent: Result<(), LogError> = feeder.send(&record).and_then(|()| feeder.flush());
        sent.map_err(|why| why.to_string())
    }
}

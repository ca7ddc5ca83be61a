//! A load that comes at a pace, while it is read: the events of a service's day, not those of a catch-up.
//!
//! Whoever writes the load is not measured. On Kafka it is a process of its own (`midan simulate --rate`); on the embedded log it is a thread whose CPU time is taken off.
//! It begins when the readers have all partitions, so that nothing is a backlog.

use super::place::Place;
use super::usage;
use crate::cli::drive::Folder;
use crate::cli::settings::Settings;
use crate::cli::simulate::send_load;
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// How often the writer looks whether the readers are ready.
const LOOK: Duration = Duration::from_millis(10);
/// How long readers may take to join.
const PATIENCE: u32 = 6_000;

/// What runs beside the readers.
#[derive(Debug, Default)]
pub(super) struct Beside {
    /// Partitions that a reader has taken up.
    started: AtomicU64,
    /// The writing thread's id, if it is one of this process.
    writer: OnceLock<String>,
    /// What the writer had used when it ended.
    ended: OnceLock<Duration>,
    /// Everything is read, or nothing more will come.
    pub(super) stop: AtomicBool,
}

/// The load of a paced run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// Events per second.
    pub(super) rate: u64,
    /// How many.
    pub(super) events: u64,
    /// Over how many partitions.
    pub(super) partitions: u32,
}

impl Beside {
    /// A reader has taken up so many partitions.
    pub(super) fn start(&self, partitions: usize) {
        self.started.fetch_add(partitions as u64, Ordering::Relaxed);
    }

    /// The CPU time of this process that is no reader's.
    pub(super) fn cpu(&self) -> Duration {
        let running = || self.writer.get().and_then(|id| usage::cpu_of_thread(id));
        self.ended.get().copied().or_else(running).unwrap_or_default()
    }

    /// Lets `read` read while the load is written to `place`.
    pub(super) fn fed<T: Send>(&self, settings: &Settings, place: &Place, pace: Pace, read: impl FnOnce() -> anyhow::Result<T> + Send) -> anyhow::Result<T> {
        std::thread::scope(|scope| {
            let writing = scope.spawn(|| {
                let written = self.await_readers(pace.partitions).and_then(|()| self.write(settings, place, pace));
                if written.is_err() {
                    self.stop.store(true, Ordering::Relaxed);
                }
                written
            });
            let read = read();
            writing.join().map_err(|_| anyhow::anyhow!("the writer panicked"))??;
            read
        })
    }

    #[allow(clippy::disallowed_methods, reason = "a membership gives no signal to other threads")]
    fn await_readers(&self, partitions: u32) -> anyhow::Result<()> {
        for _ in 0..PATIENCE {
            if self.started.load(Ordering::Relaxed) >= u64::from(partitions) {
                return Ok(());
            }
            std::thread::sleep(LOOK);
        }
        anyhow::bail!("the readers have not taken up their partitions in a minute")
    }

    fn write(&self, settings: &Settings, place: &Place, pace: Pace) -> anyhow::Result<()> {
        match place {
            Place::Embedded { log, .. } => {
                let id = usage::this_thread();
                self.writer.get_or_init(|| id.clone());
                send_load(&mut log.feeder(), pace.rate, pace.events)?;
                self.ended.get_or_init(|| usage::cpu_of_thread(&id).unwrap_or_default());
                Ok(())
            }
            Place::Kafka { plan, .. } => simulate(settings, &plan.prefix, pace),
        }
    }
}

/// `midan simulate --to kafka --rate …` with these settings, on the topics of that prefix.
fn simulate(settings: &Settings, prefix: &str, pace: Pace) -> anyhow::Result<()> {
    let mut settings = settings.clone();
    prefix.clone_into(&mut settings.kafka.topic_prefix);
    let folder = Folder::new("midan-bench-writer")?;
    let config = folder.path().join("midan.toml");
    std::fs::write(&config, toml::to_string(&settings)?)?;
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("--config").arg(&config).args(["simulate", "--to", "kafka", "--rate", &pace.rate.to_string(), "--events", &pace.events.to_string()]);
    let output = command.output()?;
    anyhow::ensure!(output.status.success(), "the writer of the load failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}

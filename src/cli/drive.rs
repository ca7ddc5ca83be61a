//! A finite run: records go into the log inside the process, one shard reads them to the end, and whoever watches sees what came out.
//!
//! What `replay` and `bench` share. The run decides by rule (every partition is read to its end, no broker time, no deadline), so the same records give the same bytes.

use super::args::ReplayArgs;
use super::pump::{Until, WATCHED, Watchers};
use super::service::{Around, Seat, Told, Watch};
use super::settings::Settings;
use crate::engine::journal::Line;
use crate::engine::{self, Placement};
use crate::inference::Role;
use crate::log::embedded::{EmbeddedFeeder, EmbeddedLog, Faults, Options, Retention};
use crate::log::{Freshest, ShardLog, Since};
use crate::results::Results;
use crate::results::features::FeatureFile;
use crate::shard::{self, Mode, Stats};
use crate::summary::Summary;
use anyhow::Context;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Input that may wait unread before the feeder is made to wait, bytes: keeps a fast feeder in bounded memory.
const UNREAD_BYTES: usize = 32 << 20;
/// What of the log may stay in memory before files are written, bytes: what waits unread, and what the readers of the outputs have yet to take of two commits. So a run whose readers
/// keep up writes nothing but its results.
const RESIDENT_BYTES: usize = 3 * UNREAD_BYTES;

/// How a finite run is driven.
pub(super) struct Drive<'a> {
    pub(super) settings: &'a Settings,
    pub(super) around: &'a Around,
    pub(super) partitions: u32,
    /// Which models speak.
    pub(super) models: Speakers<'a>,
    /// What was decided live, to be done again.
    pub(super) journal: Option<Arc<Vec<Line>>>,
    /// The folder in which the requests are written down, as Parquet.
    pub(super) features: Option<&'a Path>,
}

/// Which models speak in a run.
#[derive(Clone, Copy, Debug)]
pub(super) enum Speakers<'a> {
    /// Those of the settings.
    Configured,
    /// A forecast model of one's own, and the settings' anomaly model.
    Own(&'a Path),
    /// None: what is learnt in the stream speaks alone.
    Learnt,
    /// Nobody, not even what is learnt in the stream.
    Nobody,
}

impl<'a> From<&'a ReplayArgs> for Speakers<'a> {
    fn from(args: &'a ReplayArgs) -> Self {
        match &args.model {
            _ if args.counts_only => Self::Nobody,
            _ if args.no_models => Self::Learnt,
            Some(file) => Self::Own(file),
            None => Self::Configured,
        }
    }
}

/// What a finite run leaves.
pub(super) struct Driven {
    pub(super) summary: Summary,
    pub(super) results: Option<Results>,
    pub(super) stats: Stats,
}

impl Drive<'_> {
    /// Feeds, reads to the end, and lets `results` watch.
    pub(super) fn to_end(
        &self,
        results: Option<Results>,
        feed: impl FnOnce(&mut EmbeddedFeeder, &EmbeddedLog) -> anyhow::Result<()> + Send,
    ) -> anyhow::Result<Driven> {
        let folder = Folder::new("midan-run")?;
        let (unread_bytes, resident_bytes) = (Some(UNREAD_BYTES), RESIDENT_BYTES);
        let options = Options { retention: Retention::UntilRead, unread_bytes, resident_bytes, ..Options::new(folder.path(), self.partitions) };
        let log = EmbeddedLog::open(options)?;
        let mut feeder = log.feeder();
        let mut tail = log.tail(&WATCHED, Since::Beginning);
        let (stop, ended) = (AtomicBool::new(false), AtomicBool::new(false));
        std::thread::scope(|scope| {
            let feeding = named("feeder").spawn_scoped(scope, || {
                let fed = feed(&mut feeder, &log);
                // The inputs count as closed when their writer is gone.
                drop(feeder);
                if fed.is_err() {
                    stop.store(true, Ordering::Relaxed);
                }
                fed
            })?;
            let sharding = named("shard").spawn_scoped(scope, || {
                let _ended = Raises(&ended);
                self.shard(&log, &stop)
            })?;
            let (summary, freshest) = (Summary::default(), Freshest::default());
            let mut watchers = Watchers { around: self.around, summary, freshest, results, now: Box::new(|| log.clock()), told: Box::new(|_| {}) };
            watchers.follow(&mut tail, &ended, Until::Read)?;
            feeding.join().map_err(|_| anyhow::anyhow!("the feeder panicked"))??;
            let stats = sharding.join().map_err(|_| anyhow::anyhow!("the shard panicked"))??;
            let mut summary = watchers.summary;
            summary.set_ledger(self.around.totals.sum());
            let mut results = watchers.results;
            if let Some(results) = &mut results {
                self.around.totals.open_rows().into_iter().for_each(|row| results.add_open_row(row));
            }
            Ok(Driven { summary, results, stats })
        })
    }

    fn shard(&self, log: &EmbeddedLog, stop: &AtomicBool) -> anyhow::Result<Stats> {
        let mut seat = match self.models {
            Speakers::Configured => Seat::load(self.settings, self.around, false, None),
            Speakers::Own(file) => Seat::load(self.settings, self.around, false, Some(file)),
            Speakers::Learnt | Speakers::Nobody => Seat::empty(self.around),
        };
        let forecasts = !matches!(self.models, Speakers::Nobody);
        if matches!(self.models, Speakers::Configured | Speakers::Own(_)) {
            seat.faults().iter().for_each(|fault| tracing::warn!("{fault}"));
        }
        if let (Speakers::Own(file), Some(why)) = (self.models, seat.flow_fault()) {
            anyhow::bail!("--model {}: {why}", file.display());
        }
        if let Some(folder) = self.features {
            seat.write_down(Role::ALL.into_iter().map(|role| FeatureFile::create(folder, role, &self.around.world)).collect::<std::io::Result<_>>()?);
        }
        let engine = engine::Settings { journal: self.journal.clone(), forecasts, ..seat.engine_settings(Placement::ByPane) };
        let mut make = |partition| Told::new(self.around.clone(), partition, self.partitions, engine.clone());
        let mut open = || Ok(Box::new(log.member("midan", Faults::none())) as Box<dyn ShardLog>);
        let settings = shard::Settings { mode: Mode::ToEnd, poll_records: self.settings.shards.max_batch, ..shard::Settings::default() };
        let watch = Watch { telemetry: Arc::clone(&self.around.telemetry), shard: 0, ready: Arc::default() };
        let stats = shard::run(&mut open, &mut make, &mut seat, &settings, &watch, stop)?.stats;
        for (role, rows) in Role::ALL.into_iter().zip(seat.written().context("the features cannot be written")?) {
            println!("features      {rows} rows, in {}", self.features.unwrap_or(Path::new("")).join(FeatureFile::name(role)).display());
        }
        Ok(stats)
    }
}

/// Raises a flag when it goes, by a panic too: nobody must wait forever for a thread that is no more.
pub(super) struct Raises<'a>(pub(super) &'a AtomicBool);

impl Drop for Raises<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A thread of that name, as a debugger or a profile shows it.
fn named(name: &str) -> std::thread::Builder {
    std::thread::Builder::new().name(name.to_owned())
}

/// The folders of the runs of this process.
static FOLDERS: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Clears away the folders of runs that do not come to their end.
pub(super) fn clear_folders() {
    for path in FOLDERS.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
        // What cannot be removed lies in the system's folder for temporary files.
        let _ = std::fs::remove_dir_all(path);
    }
}

/// A folder for the length of a run; it is gone afterwards.
pub(super) struct Folder(PathBuf);

impl Folder {
    /// Makes one in the system's folder for temporary files.
    pub(super) fn new(name: &str) -> anyhow::Result<Self> {
        let path = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).map_err(|why| anyhow::anyhow!("{}: {why}", path.display()))?;
        FOLDERS.lock().unwrap_or_else(PoisonError::into_inner).push(path.clone());
        Ok(Self(path))
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed lies in the system's folder for temporary files.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

//! A running door: its threads, and what they share.

use super::files;
use super::ledger::{Fate, Ledger};
use super::poll::Poller;
use super::route::{Admission, Outgoing, Payload, Route};
use super::settings::DoorSettings;
use super::topic;
use super::webhook::{Hook, Hooks};
use super::writer::{self, Queue, Refused};
use crate::feeds::{Fault, operations};
use crate::log::{Feeder, LogError};
use crate::telemetry::Telemetry;
use crate::telemetry::happening::{ClocksCompared, PayloadSettled};
use crate::venue::World;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long a thread sleeps at a time, so that it hears when the door closes.
const NAP: Duration = Duration::from_millis(100);
/// A sender that has not been heard for so many times what it vouches for is silent: nobody vouches for it then.
const SILENT: u32 = 3;

/// Why a door does not open.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    /// Its settings name something that is not there.
    #[error("{0}")]
    Settings(String),
    /// The log does not answer.
    #[error(transparent)]
    Log(#[from] LogError),
    /// It cannot listen, or not start its threads.
    #[error("the door cannot listen on {address}: {why}; name a free address in `listen`")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// What the system says.
        why: std::io::Error,
    },
}

/// What the threads of a door share.
#[derive(Clone)]
pub struct Context {
    /// The configured world.
    pub world: Arc<World>,
    /// The settings.
    pub settings: Arc<DoorSettings>,
    /// What became of each payload.
    pub ledger: Ledger,
    /// To the writer.
    pub queue: Queue,
    /// Metrics and log lines.
    pub telemetry: Arc<Telemetry>,
    stop: Arc<AtomicBool>,
    start: Instant,
}

/// A running door.
pub struct Door {
    context: Context,
    listens_on: Option<SocketAddr>,
    threads: Vec<JoinHandle<()>>,
    writer: Option<JoinHandle<()>>,
}

/// What is to be written together, and the fates that hang on it.
#[derive(Default)]
pub struct Gathered {
    records: Vec<Outgoing>,
    refused: Vec<Refused>,
    fates: Vec<(Box<str>, Fate)>,
}

/// The Kafka of the deployment, for foreign topics that lie on it.
#[derive(Clone, Debug, Default)]
pub struct Cluster {
    /// `host:port`, several separated by commas.
    pub bootstrap_servers: String,
    /// Properties of librdkafka for all clients.
    pub properties: BTreeMap<String, String>,
}

impl Door {
    /// Opens a door that writes through `feeder`.
    ///
    /// # Errors
    /// A source or venue that is not configured, a token that is missing, an address that is taken.
    pub fn open(
        world: Arc<World>,
        settings: DoorSettings,
        mut feeder: Box<dyn Feeder + Send>,
        telemetry: Arc<Telemetry>,
        cluster: &Cluster,
    ) -> Result<Self, DoorError> {
        let (queue, jobs) = Queue::new(settings.queue);
        let stop = Arc::new(AtomicBool::new(false));
        let context = Context {
            world: Arc::clone(&world),
            settings: Arc::new(settings),
            ledger: Ledger::default(),
            queue,
            telemetry,
            stop: Arc::clone(&stop),
            start: now(),
        };
        let hooks = Arc::new(context.hooks()?);
        let mut sources = context.sources(cluster)?;
        let listener = context.settings.listen.map(listen).transpose()?;
        let listens_on = listener.as_ref().and_then(|listener| listener.local_addr().ok());
        let mut threads = Vec::new();
        if let Some(listener) = listener {
            let (hooks, context) = (Arc::clone(&hooks), context.clone());
            threads.push(std::thread::spawn(move || serve(listener, &hooks, &context)));
        }
        for source in sources.drain(..) {
            let context = context.clone();
            threads.push(std::thread::spawn(move || source(&context)));
        }
        let heart = context.clone();
        threads.push(std::thread::spawn(move || heart.beat(&hooks)));
        // The writer ends last: what the others have put must reach the log.
        let telemetry = Arc::clone(&context.telemetry);
        let compare = move |log_ms: i64| telemetry.emit(ClocksCompared { ahead_s: (wall_ms() - log_ms) as f64 / 1_000.0 });
        let writer = std::thread::spawn(move || writer::run(&world, &mut *feeder, &jobs, &stop, &compare));
        Ok(Self { context, listens_on, threads, writer: Some(writer) })
    }

    /// Where webhooks come in.
    pub const fn listens_on(&self) -> Option<SocketAddr> {
        self.listens_on
    }

    /// What became of each payload.
    pub const fn ledger(&self) -> &Ledger {
        &self.context.ledger
    }

    /// Takes nothing more, and waits until the log has what was taken.
    pub fn close(mut self) {
        self.context.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
        let writer = self.writer.take();
        // The last queue goes with the context, and the writer with the queue.
        drop(self);
        if let Some(writer) = writer {
            let _ = writer.join();
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "the edge notes when a payload came")]
fn wall_ms() -> i64 {
    chrono::Utc::now().timestamp_millis()
}

/// Where payloads come from, each with a thread of its own.
type Source = Box<dyn FnOnce(&Context) + Send>;

impl Context {
    /// Whether the door closes.
    pub fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Sleeps, but not past the door's closing.
    #[allow(clippy::disallowed_methods, reason = "a poll waits for its interval")]
    pub fn sleep(&self, long: Duration) {
        let until = self.since_start() + long;
        while !self.stopped() && self.since_start() < until {
            std::thread::sleep(NAP.min(until.saturating_sub(self.since_start())));
        }
    }

    /// How long the door has been open.
    pub fn since_start(&self) -> Duration {
        self.start.elapsed()
    }

    /// Wall time, epoch ms.
    pub fn now_ms(&self) -> i64 {
        wall_ms()
    }

    /// Writes a payload's fate down.
    pub fn settle(&self, source: &str, fate: Fate) {
        self.ledger.settle(source, fate);
        self.telemetry.emit(PayloadSettled { source, fate });
    }

    /// Gathers a payload of a source that nobody can tell about a fault: what is refused goes to quarantine.
    pub fn gather(&self, route: &Route, payload: &Payload<'_>, position: &str, gathered: &mut Gathered) {
        match route.admit(&self.world, payload, self.settings.max_depth) {
            Admission::Written { records, unusable } => {
                let fate = Fate::Written { records: records.len() as u64 };
                gathered.records.extend(records);
                self.gather_fate(route, unusable, fate, position, gathered);
            }
            Admission::Ignored => self.gather_fate(route, Vec::new(), Fate::Ignored, position, gathered),
            Admission::Refused(fault) => self.gather_fate(route, vec![fault], Fate::Refused, position, gathered),
        }
    }

    /// Gathers a payload that could not even be looked into.
    pub fn gather_refused(&self, route: &Route, fault: Fault, position: &str, gathered: &mut Gathered) {
        self.gather_fate(route, vec![fault], Fate::Refused, position, gathered);
    }

    fn gather_fate(&self, route: &Route, faults: Vec<Fault>, fate: Fate, position: &str, gathered: &mut Gathered) {
        self.ledger.came_in(&route.source);
        // A network's frame is of no one venue.
        let venue = if route.network_wide { None } else { route.venues.first().copied() };
        let refused = faults.into_iter().map(|fault| Refused { venue, source: route.source.clone(), position: position.to_owned(), fault });
        gathered.refused.extend(refused);
        gathered.fates.push((route.source.clone(), fate));
    }

    /// Writes what was gathered, and waits until the log has it. Answers the last payload's fate.
    ///
    /// # Errors
    /// The log does not take it: it must be gathered again.
    pub fn write(&self, gathered: Gathered) -> Result<Option<Fate>, String> {
        let Gathered { records, refused, fates } = gathered;
        if !(records.is_empty() && refused.is_empty())
            && let Err(why) = self.queue.write(records, refused)
        {
            fates.iter().for_each(|(source, _)| self.ledger.given_back(source));
            return Err(why);
        }
        fates.iter().for_each(|(source, fate)| self.settle(source, *fate));
        Ok(fates.last().map(|(_, fate)| *fate))
    }

    /// Says for a source that nothing older than `at` is still to come.
    pub fn vouch(&self, route: &Route, at: i64) {
        let format = operations::low_water::FORMAT;
        let mark = |venue: &crate::venue::VenueId| Outgoing {
            venue: *venue,
            feed: route.feed,
            source: route.source.clone(),
            content_type: Some(format.media_types[0].into()),
            value: serde_json::json!({ "type": "low_water", "venue": &*self.world.venue(*venue).id, "at": at }).to_string().into_bytes(),
            received: self.now_ms(),
            cloud_event: None,
            attributes: Vec::new(),
        };
        if let Err(why) = self.queue.write(route.venues.iter().map(mark).collect(), Vec::new()) {
            tracing::warn!(source = %route.source, %why, "A low-water mark was not written.");
        }
    }

    fn hooks(&self) -> Result<Hooks, DoorError> {
        let mut hooks = Vec::new();
        for hook in &self.settings.webhooks {
            let route = Route::find(&self.world, Some(&hook.venue), &hook.source).map_err(|why| DoorError::Settings(format!("webhook: {why}")))?;
            let token = hook.secret().map_err(DoorError::Settings)?;
            hooks.push(((hook.venue.clone(), hook.source.clone()), Hook::new(route, token, hook.rate_per_s, hook.burst)));
        }
        Ok(Hooks::new(hooks, self.clone()))
    }

    fn sources(&self, cluster: &Cluster) -> Result<Vec<Source>, DoorError> {
        let route = |what: &str, venue: Option<&str>, source: &str| {
            Route::find(&self.world, venue, source).map_err(|why| DoorError::Settings(format!("{what}: {why}")))
        };
        let mut sources: Vec<Source> = Vec::new();
        for poll in &self.settings.polls {
            let poller = Poller::new(poll.clone(), route("poll", poll.venue.as_deref(), &poll.source)?);
            sources.push(Box::new(move |context| poller.run(context)));
        }
        for topic in &self.settings.topics {
            let route = route("topic", topic.venue.as_deref(), &topic.source)?;
            let reader = topic::Reader::new(topic.clone(), route, &cluster.bootstrap_servers, &cluster.properties).map_err(DoorError::Settings)?;
            sources.push(Box::new(move |context| reader.run(context)));
        }
        for file in &self.settings.files {
            let reader = files::Reader::new(file.clone(), route("file", file.venue.as_deref(), &file.source)?);
            sources.push(Box::new(move |context| reader.run(context)));
        }
        Ok(sources)
    }

    /// Vouches for the senders that vouch for themselves, as long as they are heard.
    fn beat(&self, hooks: &Hooks) {
        while !self.stopped() {
            for hook in &self.settings.webhooks {
                let Some((vouches, known)) = hook.vouches.zip(hooks.find(&hook.venue, &hook.source)) else { continue };
                let silence = self.now_ms() - known.last.load(Ordering::Relaxed);
                if silence < (vouches * SILENT).as_millis() as i64 {
                    self.vouch(&known.route, self.now_ms() - vouches.as_millis() as i64);
                }
            }
            self.sleep(self.settings.heartbeat);
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "the edge measures how long it has been open")]
pub(super) fn now() -> Instant {
    Instant::now()
}

fn listen(address: SocketAddr) -> Result<std::net::TcpListener, DoorError> {
    let listener = std::net::TcpListener::bind(address).map_err(|why| DoorError::Listen { address, why })?;
    listener.set_nonblocking(true).map_err(|why| DoorError::Listen { address, why })?;
    Ok(listener)
}

fn serve(listener: std::net::TcpListener, hooks: &Arc<Hooks>, context: &Context) {
    let served = tokio::runtime::Builder::new_current_thread().enable_all().build().and_then(|runtime| {
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            let context = context.clone();
            let closing = async move {
                while !context.stopped() {
                    tokio::time::sleep(NAP).await;
                }
            };
            axum::serve(listener, hooks.router()).with_graceful_shutdown(closing).await
        })
    });
    if let Err(why) = served {
        tracing::error!(%why, "The door's webhooks ended.");
    }
}

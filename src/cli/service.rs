//! What every run of the engine needs around it: the world, the models, the telemetry, and a core that tells what it did.

use super::settings::{LogFormat, PlacementName, Settings, TelemetrySettings};
use crate::config::{give_ticket_keys, read_world};
use crate::console::LiveView;
use crate::console::view::ModelState as ConsoleModel;
use crate::engine::{self, Control, Effects, Engine, Placement, Row, StateChange, Sums};
use crate::feeds::Batch;
use crate::forecast::features::rows_for;
use crate::forecast::series;
use crate::inference::track::VOICES;
use crate::inference::{Answer, Ask, Drift, ModelCardRef, Orders, Outcome, Role, Track};
use crate::onnx::{self, Deadline, ModelState, News};
use crate::results::features::FeatureFile;
use crate::shard::{self, Core};
use crate::telemetry::Telemetry;
use crate::telemetry::happening::{
    Aborted, Committed, InputsMoved, ModelJudged, ModelLacked, ModelNamed, ModelRan, ModelSwapped, PanesClosed, Polled, SourceAdvanced, VenueAdvanced,
};
use crate::telemetry::taking_up::{AlertUnproven, Stalled, TakenUpElsewhere};
use crate::time::EventTime;
use crate::venue::{Feed, VenueId, World};
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tracing_subscriber::EnvFilter;

/// The models that come with Midan, by their manifests in `models.folder`.
pub(super) const MODELS: [(Role, &str); 2] = [(Role::Flow, "crowd-flow.toml"), (Role::Anomaly, "crowd-anomaly.toml")];

/// Where log lines go: standard error, so that a command's own output can be piped.
pub(super) fn log_to(settings: &TelemetrySettings) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&settings.level).map_err(|why| anyhow::anyhow!("telemetry.level = {:?}: {why}", settings.level))?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    // A line that nobody reads (`2>&1 | head`) is lost; told of itself it would panic, in whichever thread wrote it.
    let lines = lines.log_internal_errors(false);
    let set = match settings.format {
        LogFormat::Text => lines.with_target(false).try_init(),
        LogFormat::Json => lines.json().try_init(),
    };
    // A second run in one process (a test) keeps the first one's lines.
    drop(set);
    Ok(())
}

/// The configured world.
pub(super) fn world(settings: &Settings) -> anyhow::Result<Arc<World>> {
    let mut world = read_world(&settings.world.folder)?;
    if let Some(keys) = &settings.world.ticket_keys {
        give_ticket_keys(&mut world, keys)?;
    }
    Ok(Arc::new(world))
}

/// Wall time, epoch ms: broker time where the log is Kafka.
#[allow(clippy::disallowed_methods, reason = "the edge stands on the wall clock; the core never sees it but as a control")]
pub(super) fn wall_ms() -> i64 {
    chrono::Utc::now().timestamp_millis()
}

#[allow(clippy::disallowed_methods, reason = "the edge measures how long things take")]
pub(super) fn stopwatch() -> Instant {
    Instant::now()
}

/// The ledger's totals by input partition, as of the last commit, and the row of each that is still open.
#[derive(Clone, Debug, Default)]
pub(super) struct Totals(Arc<Mutex<BTreeMap<(Feed, u32), Account>>>);

#[derive(Clone, Copy, Debug)]
struct Account {
    total: Sums,
    open: (Option<EventTime>, Sums),
}

impl Totals {
    /// All partitions together.
    pub(super) fn sum(&self) -> Sums {
        let mut all = Sums::default();
        for account in self.0.lock().unwrap_or_else(PoisonError::into_inner).values() {
            all.add(&account.total);
        }
        all
    }

    /// The rows that are still open: they are on no topic yet.
    pub(super) fn open_rows(&self) -> Vec<Row> {
        let accounts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let open = accounts.iter().filter(|(_, account)| account.open.1 != Sums::default());
        open.map(|((feed, partition), Account { open: (pane, sums), .. })| Row {
            v: 1,
            topic: feed.topic().into(),
            partition: *partition,
            pane: *pane,
            sums: *sums,
        })
        .collect()
    }

    fn set(&self, feed: Feed, partition: u32, account: Account) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert((feed, partition), account);
    }
}

/// What the shards of a process share.
#[derive(Clone)]
pub(super) struct Around {
    pub(super) world: Arc<World>,
    pub(super) telemetry: Arc<Telemetry>,
    pub(super) view: Arc<LiveView>,
    pub(super) totals: Totals,
    /// What their venues order.
    pub(super) orders: Arc<Mutex<Orders>>,
}

impl Around {
    pub(super) fn new(world: Arc<World>) -> anyhow::Result<Self> {
        let view = LiveView::new(&world.venues);
        Ok(Self { telemetry: Telemetry::new()?, view: Arc::new(view), totals: Totals::default(), orders: Arc::default(), world })
    }
}

/// The models of a shard, and how its engines name them.
pub(super) struct Seat {
    models: onnx::Models,
    telemetry: Arc<Telemetry>,
    track: Track,
    drift: Drift,
    /// Who was asked last.
    asked: BTreeMap<(VenueId, Role), ModelCardRef>,
    world: Arc<World>,
    orders: Arc<Mutex<Orders>>,
    /// Where the requests are written down, by model; empty where they are not.
    features: Vec<FeatureFile>,
    /// Why they could not be written any further.
    unwritten: Option<std::io::Error>,
}

impl Seat {
    /// Loads the models for the venues of the world; what cannot be loaded says so, and the rules go on.
    ///
    /// `deadline`: whether a request may be given up; a run that must give the same bytes waits.
    pub(super) fn load(settings: &Settings, around: &Around, deadline: bool, flow: Option<&Path>) -> Self {
        let manifest = |name: &str| settings.models.folder.join(name);
        let rows = around.world.venues.iter().map(|venue| rows_for(series::of(venue).len())).max().unwrap_or(0);
        let at_least = settings.models.deadline.0.filter(|_| deadline);
        let of_models = onnx::Settings {
            library: settings.models.library.clone(),
            flow: Some(flow.map_or_else(|| manifest(MODELS[0].1), |file| file.with_extension("toml"))),
            anomaly: Some(manifest(MODELS[1].1)),
            // One that is late is sent away; where nothing is late none is heard.
            shadow: at_least.and(settings.models.shadow.clone()),
            folder: Some(settings.models.folder.clone()),
            deadline: at_least.map(|at_least| Deadline { at_least, ..Deadline::default() }),
            rows,
        };
        let seat = Self::of(onnx::Models::load(&of_models), around);
        seat.tell(&around.view);
        seat
    }

    /// A seat in which no model sits.
    pub(super) fn empty(around: &Around) -> Self {
        Self::of(onnx::Models::none("none is asked for"), around)
    }

    fn of(models: onnx::Models, around: &Around) -> Self {
        Self {
            models,
            telemetry: Arc::clone(&around.telemetry),
            track: Track::default(),
            drift: Drift::default(),
            asked: BTreeMap::new(),
            world: Arc::clone(&around.world),
            orders: Arc::clone(&around.orders),
            features: Vec::new(),
            unwritten: None,
        }
    }

    /// Writes the requests down from now on, and answers none of them: what is learnt in the stream must not hang on the model that is to be trained.
    pub(super) fn write_down(&mut self, features: Vec<FeatureFile>) {
        self.models = onnx::Models::none("the requests are written down for training");
        self.features = features;
    }

    /// Ends the writing down; answers how many rows there are in each file, in their order.
    ///
    /// # Errors
    /// When a file could not be written to its end.
    pub(super) fn written(&mut self) -> std::io::Result<Vec<u64>> {
        self.unwritten.take().map_or(Ok(()), Err)?;
        self.features.drain(..).map(FeatureFile::finish).collect()
    }

    /// The engine's settings that go with these models.
    pub(super) fn engine_settings(&self, placement: Placement) -> engine::Settings {
        let card = |role| self.models.card(role).cloned();
        engine::Settings { placement, flow: card(Role::Flow), anomaly: card(Role::Anomaly), ..engine::Settings::default() }
    }

    /// Why the fallback stands in, for each model for which it does.
    pub(super) fn faults(&self) -> Vec<String> {
        let why = |status: &onnx::ModelStatus, what: &str| match &status.state {
            ModelState::Fallback { why } => Some(format!("{what}, {why}")),
            ModelState::Active { .. } => None,
        };
        let speaking = self.models.status().into_iter().filter_map(|status| why(status, &format!("model {}: fallback", status.role.word())));
        speaking.chain(self.models.shadow().and_then(|status| why(status, "shadow: not run"))).collect()
    }

    /// Why the flow model does not speak, if it does not.
    pub(super) fn flow_fault(&self) -> Option<String> {
        self.models.card(Role::Flow).is_none().then(|| self.faults().first().cloned()).flatten()
    }

    fn tell(&self, view: &LiveView) {
        for status in self.models.status() {
            let state = match &status.state {
                ModelState::Active { card, .. } => {
                    ConsoleModel { name: card.name.clone(), version: card.version.clone(), sha256: card.sha256.clone(), state: "active", why: None }
                }
                ModelState::Fallback { why } => ConsoleModel {
                    name: status.role.word().to_owned(),
                    version: String::new(),
                    sha256: String::new(),
                    state: "fallback",
                    why: Some(why.clone()),
                },
            };
            view.set_model(status.role.word(), state);
        }
    }
}

impl shard::Models for Seat {
    fn run(&mut self, ask: &Ask) -> Answer {
        self.measured(ask, onnx::Models::run)
    }

    fn run_unhurried(&mut self, ask: &Ask) -> Answer {
        self.measured(ask, onnx::Models::run_unhurried)
    }
}

impl Seat {
    /// Which models have been got for swaps, which cannot be had, and who speaks now.
    fn tell_of_swaps(&mut self, ask: &Ask, answer: &Answer) {
        let changes = self.orders.lock().unwrap_or_else(PoisonError::into_inner).hear(ask, |role, card| self.models.lacks(role, card));
        for ((role, sha256), lacking) in changes {
            self.telemetry.emit(ModelLacked { model: role.word(), sha256: &sha256, lacking });
        }
        for News { role, card, fault } in self.models.take_news() {
            self.telemetry.emit(ModelNamed { model: role.word(), card: &card, fault: fault.as_deref() });
        }
        let venue = answer.ticket.venue;
        for (role, by) in Role::ALL.into_iter().zip(&answer.by) {
            let asked = by.as_ref().or_else(|| self.models.card(role));
            let before = self.asked.get(&(venue, role));
            if let Some(card) = asked
                && before.is_none_or(|before| before.sha256 != card.sha256)
            {
                // The first is no swap, unless an order of before this life is in force.
                if by.is_some() || before.is_some() {
                    let venue = self.world.venues.get(venue.index()).map_or("", |venue| &venue.id);
                    self.telemetry.emit(ModelSwapped { venue, model: role.word(), card, pane: answer.ticket.pane });
                }
                self.asked.insert((venue, role), card.clone());
            }
        }
    }

    fn measured(&mut self, ask: &Ask, run: impl FnOnce(&mut onnx::Models, &Ask) -> Answer) -> Answer {
        if self.unwritten.is_none() {
            self.unwritten = self.features.iter_mut().try_for_each(|file| file.take(ask)).err();
        }
        let answer = run(&mut self.models, ask);
        self.tell_of_swaps(ask, &answer);
        let took = self.models.took().map(|took| took.as_secs_f64());
        for ((model, outcome), seconds) in [("flow", &answer.flow), ("anomaly", &answer.anomaly)].into_iter().zip(took) {
            self.telemetry.emit(ModelRan { model, outcome: word(outcome), seconds });
        }
        let shadow = self.models.take_murmured();
        if let Some((outcome, status)) = shadow.as_ref().zip(self.models.shadow()) {
            self.telemetry.emit(ModelRan { model: "shadow", outcome: word(outcome), seconds: status.last_run.as_secs_f64() });
        }
        let spoken = |outcome: Option<&'_ Outcome>| match outcome {
            Some(Outcome::Ran(values)) => Some(values.clone()),
            _ => None,
        };
        let (flow, shadow) = (spoken(Some(&answer.flow)), spoken(shadow.as_ref()));
        if let Some(scores) = self.track.hear(ask, flow.as_deref(), shadow.as_deref()) {
            for (model, score) in VOICES.into_iter().zip(scores).filter_map(|(model, score)| Some((model, score?))) {
                self.telemetry.emit(ModelJudged { model, cases: score.cases, error: score.error, inside: score.inside });
            }
        }
        let venue = self.world.venues.get(ask.ticket.venue.index()).map_or("", |venue| &venue.id);
        let training = self.models.reference(answer.by[Role::Flow as usize].as_ref());
        for moved in self.drift.hear(ask, training) {
            self.telemetry.emit(InputsMoved { venue, part: moved.part, against: moved.against.word(), psi: moved.psi });
        }
        answer
    }
}

const fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Ran(_) => "ok",
        Outcome::Missed => "missed",
        Outcome::Absent => "fallback",
    }
}

/// An engine that tells the telemetry what it did.
pub(super) struct Told {
    engine: Engine,
    partition: u32,
    around: Around,
    closed_to: BTreeMap<Box<str>, EventTime>,
}

impl Told {
    pub(super) fn new(around: Around, partition: u32, partitions: u32, settings: engine::Settings) -> Self {
        let engine = Engine::new(Arc::clone(&around.world), partition, partitions, settings);
        Self { engine, partition, around, closed_to: BTreeMap::new() }
    }
}

impl Core for Told {
    fn step(&mut self, batch: &Batch, controls: &[Control]) -> Effects {
        let began = stopwatch();
        let effects = self.engine.step(batch, controls);
        self.around.view.questions().answer(|question| self.engine.explain(&question.venue, question.zone, question.at));
        if !effects.asks.is_empty() {
            self.around.telemetry.emit(PanesClosed { seconds: began.elapsed().as_secs_f64() });
        }
        effects
    }

    fn hold(&mut self, holds: bool) {
        self.engine.hold(holds);
    }

    fn reached(&self, feed: Feed) -> Option<EventTime> {
        self.engine.reached(feed)
    }

    fn take_state_changes(&mut self) -> Vec<StateChange> {
        self.engine.take_state_changes()
    }

    fn committed(&mut self) {
        self.engine.committed();
        for (feed, ledger) in self.engine.ledgers() {
            let sums = ledger.total();
            if sums != Sums::default() {
                self.around.telemetry.ledger(feed, self.partition, &sums);
                self.around.totals.set(feed, self.partition, Account { total: sums, open: ledger.open_row() });
            }
        }
        for (venue, closed_to) in self.engine.closed_to().filter(|(_, at)| *at > EventTime::MIN) {
            let before = self.closed_to.insert(venue.id.clone(), closed_to).unwrap_or(closed_to);
            let panes = closed_to.since(before).as_millis() / venue.pane.span().as_millis().max(1);
            self.around.telemetry.emit(VenueAdvanced { venue: &venue.id, closed_to, now: self.around.view.now(), panes });
        }
        for (venue, source, watermark, _) in self.engine.sources().filter(|(.., watermark, _)| *watermark > EventTime::MIN) {
            self.around.telemetry.emit(SourceAdvanced { venue: &venue.id, source: &source.id, watermark });
        }
    }

    fn restore(&mut self, key: &[u8], value: &[u8]) -> Result<(), String> {
        self.engine.restore(key, value)
    }

    fn restored(&mut self) -> Result<(), String> {
        for venue in self.engine.restored() {
            tracing::info!(venue = &*venue.id, "The configuration has changed since the state was written; all that lasts goes on under it.");
        }
        Ok(())
    }
}

/// Tells the telemetry what a shard did.
pub(super) struct Watch {
    pub(super) telemetry: Arc<Telemetry>,
    pub(super) shard: usize,
    pub(super) ready: Arc<std::sync::atomic::AtomicBool>,
}

impl shard::Watch for Watch {
    fn polled(&self, _records: usize, _bytes: usize) {
        self.telemetry.emit(Polled { shard: self.shard, at_s: wall_ms() as f64 / 1_000.0 });
    }

    fn restored(&self, partition: u32, entries: u64, took: Duration) {
        tracing::info!(shard = self.shard, partition, entries, seconds = took.as_secs_f64(), "Partition restored.");
        self.ready.store(true, std::sync::atomic::Ordering::Relaxed);
    }

    fn revoked(&self, partition: u32) {
        tracing::info!(shard = self.shard, partition, "Partition given back.");
    }

    fn committed(&self, _outputs: u64, took: Duration) {
        self.telemetry.emit(Committed { seconds: took.as_secs_f64() });
    }

    fn aborted(&self, why: &crate::log::LogError) {
        self.telemetry.emit(Aborted { why: &why.to_string() });
    }

    fn rebuilding(&self, why: &crate::log::LogError) {
        tracing::warn!(shard = self.shard, %why, "Clients are built again.");
    }

    fn alert_differs(&self, partition: u32, alert: &engine::Alert) {
        let alarm_id = &String::from_utf8_lossy(&alert.key);
        self.telemetry.emit(AlertUnproven { partition, alarm_id, change_no: alert.change_no, differs: true });
    }

    fn alert_not_made_again(&self, partition: u32, alarm: &[u8], change_no: u32) {
        self.telemetry.emit(AlertUnproven { partition, alarm_id: &String::from_utf8_lossy(alarm), change_no, differs: false });
    }

    fn fencing(&self, id: &str) {
        tracing::info!(shard = self.shard, id, "A shard that is gone had this partition; its id is fenced.");
    }

    fn stalled(&self, place: crate::log::Place, lag: i64) {
        self.telemetry.emit(Stalled { topic: place.feed.topic(), partition: place.partition, lag });
    }

    fn disagrees(&self, place: crate::log::Place, what: shard::Disagreement) {
        self.telemetry.emit(TakenUpElsewhere { topic: place.feed.topic(), partition: place.partition, what });
    }

    fn group_at_work(&self, partition: u32, group: &str) {
        tracing::warn!(shard = self.shard, partition, group, "A group of another name had this partition: it waits until that group is known to be empty.");
    }

    fn retried(&self, why: &crate::log::LogError) {
        tracing::debug!(shard = self.shard, %why, "A call is made again.");
    }
}

impl From<PlacementName> for Placement {
    fn from(name: PlacementName) -> Self {
        match name {
            PlacementName::OnArrival => Self::OnArrival,
            PlacementName::ByPane => Self::ByPane,
        }
    }
}

//! Both models of a shard: the request in, the answer out, whatever happens in between.
//!
//! The idea: each model sits in a seat that is taken or says why not. A run is measured; one that took longer than its deadline counts as missed although its
//! numbers are there, because the pane was to be out by then and its replay must say the same (the answer is journaled, DESIGN §4 rule 5). A run cannot
//! be broken off half way: the deadline bounds what counts, and the fixed shape bounds what a run can take.
//!
//! A request may name other models than the configured ones, which an operator has ordered ([`super::shelf`]); the first that is at hand is asked, and the answer says which.
//!
//! A third seat is the *shadow's*: a flow model that hears every request and is in no answer. It may cost the panes no more than the deadline: once late, it is sent away.

use super::shelf::{News, Shelf};
use super::{Library, Model};
use crate::inference::{Answer, Ask, ModelCardRef, Outcome, Reference, Role};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Rows of the runs that tell whether a model may be served: enough to see one row hang on another, few enough to hold up no start.
const CHECKED: usize = 16;

/// What is configured.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The shared library of ONNX Runtime.
    pub library: PathBuf,
    /// The manifest of the flow model; `None` when it is switched off.
    pub flow: Option<PathBuf>,
    /// The manifest of the anomaly model; `None` when it is switched off.
    pub anomaly: Option<PathBuf>,
    /// The manifest of a flow model that only listens; `None` for none.
    pub shadow: Option<PathBuf>,
    /// Where the models lie that may be ordered: a folder of manifests; `None` where none may.
    pub folder: Option<PathBuf>,
    /// How long one run may take; `None` for as long as it takes, which a run that must be the same again needs.
    pub deadline: Option<Deadline>,
    /// Rows of the largest request that is to be expected: the warm-up plans memory for it.
    pub rows: usize,
}

/// How long one model's run may take, by the size of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// Never less than this.
    pub at_least: Duration,
    /// For each hundred rows begun.
    pub per_hundred_rows: Duration,
}

/// How one model stands, for the console and the metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelStatus {
    /// What it is for.
    pub role: Role,
    /// Whether it speaks.
    pub state: ModelState,
    /// Runs that were answered.
    pub ran: u64,
    /// Runs that missed their deadline.
    pub missed: u64,
    /// Runs that gave no numbers.
    pub failed: u64,
    /// How long the last run took.
    pub last_run: Duration,
}

/// Whether a model speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelState {
    /// It does.
    Active {
        /// Which.
        card: ModelCardRef,
        /// Why its last run was not used, if it was not.
        last_fault: Option<String>,
    },
    /// The fallback speaks instead.
    Fallback {
        /// Why.
        why: String,
    },
}

/// The models of one shard.
#[derive(Debug)]
pub struct Models {
    flow: Seat,
    anomaly: Seat,
    shadow: Option<Seat>,
    shelf: Option<Shelf>,
    /// How long the last runs took, by role.
    took: [Duration; Role::ALL.len()],
    /// What the shadow said to the last request.
    murmured: Option<Outcome>,
    deadline: Option<Deadline>,
}

/// A place for one model.
#[derive(Debug)]
pub(super) struct Seat {
    model: Option<Model>,
    status: ModelStatus,
}

impl Default for Deadline {
    /// 20 ms, and for large venues 5 ms per hundred zones (two rows each): room for a busy machine over a run of a few milliseconds.
    fn default() -> Self {
        Self { at_least: Duration::from_millis(20), per_hundred_rows: Duration::from_micros(2_500) }
    }
}

impl Deadline {
    /// The deadline of a request of so many rows.
    pub fn of(self, rows: usize) -> Duration {
        let hundreds = u32::try_from(rows.div_ceil(100)).unwrap_or(u32::MAX);
        self.at_least.max(self.per_hundred_rows.saturating_mul(hundreds))
    }
}

impl Models {
    /// Loads what is configured. Never fails: what cannot be loaded says so in [`Models::status`], and its answers are [`Outcome::Absent`].
    pub fn load(settings: &Settings) -> Self {
        let library = Library::load(&settings.library).map_err(|fault| fault.to_string());
        let seat = |role: Role, manifest: &Option<PathBuf>| {
            let Some(manifest) = manifest else {
                return Seat::empty(role, "switched off in the configuration".to_owned());
            };
            let loaded = library.as_ref().map_err(String::clone);
            let model = loaded.and_then(|library| load(library, manifest, role, settings.rows.max(1)));
            model.map_or_else(|why| Seat::empty(role, why), |model| Seat::taken(role, model))
        };
        let elsewhere = [&settings.flow, &settings.anomaly, &settings.shadow].into_iter().flatten().cloned().collect();
        Self {
            flow: seat(Role::Flow, &settings.flow),
            anomaly: seat(Role::Anomaly, &settings.anomaly),
            shadow: settings.shadow.as_ref().map(|_| seat(Role::Flow, &settings.shadow)),
            shelf: Some(Shelf::new(library.clone(), settings.folder.clone(), elsewhere, settings.rows.max(1))),
            took: Default::default(),
            murmured: None,
            deadline: settings.deadline,
        }
    }

    /// No models at all, and why.
    pub fn none(why: &str) -> Self {
        let [flow, anomaly] = Role::ALL.map(|role| Seat::empty(role, why.to_owned()));
        Self { flow, anomaly, shadow: None, shelf: None, took: Default::default(), murmured: None, deadline: None }
    }

    /// Answers a request: one batched run per model.
    pub fn run(&mut self, ask: &Ask) -> Answer {
        self.run_within(ask, self.deadline.map(|deadline| deadline.of(ask.rows)))
    }

    /// Answers a request, however long that takes.
    pub fn run_unhurried(&mut self, ask: &Ask) -> Answer {
        self.run_within(ask, None)
    }

    fn run_within(&mut self, ask: &Ask, within: Option<Duration>) -> Answer {
        let [flow, anomaly] = Role::ALL.map(|role| self.run_one(role, ask, within));
        let answer = Answer { ticket: ask.ticket, flow: flow.0, anomaly: anomaly.0, by: [flow.1, anomaly.1] };
        self.murmured = self.shadow.as_mut().map(|shadow| shadow.run(ask, within));
        if self.murmured == Some(Outcome::Missed)
            && let Some(shadow) = &mut self.shadow
        {
            let why = format!("sent away, for its run took {:?}: a shadow must not hold up the panes", shadow.status.last_run);
            (shadow.model, shadow.status.state) = (None, ModelState::Fallback { why });
        }
        answer
    }

    /// Asks the first at hand of those whom the request is for. What lies ahead is loaded by the way; that counts in no run's time.
    fn run_one(&mut self, role: Role, ask: &Ask, within: Option<Duration>) -> (Outcome, Option<ModelCardRef>) {
        let call = &ask.calls[role as usize];
        if call.nobody {
            return (Outcome::Absent, None);
        }
        let asked = call.now.iter().find(|card| self.is_configured(role, card) || self.shelf.as_mut().is_some_and(|shelf| shelf.has(role, card)));
        let configured = match role {
            Role::Flow => &mut self.flow,
            Role::Anomaly => &mut self.anomaly,
        };
        let ordered = asked.and_then(|card| self.shelf.as_mut()?.seat(role, card));
        let seat = ordered.unwrap_or(configured);
        let outcome = seat.run(ask, within);
        self.took[role as usize] = seat.status.last_run;
        let by = asked.and(seat.model.as_ref().map(Model::card));
        if let Some(ahead) = call.ahead.as_ref().filter(|card| !self.is_configured(role, card))
            && let Some(shelf) = &mut self.shelf
        {
            shelf.has(role, ahead);
        }
        (outcome, by)
    }

    fn is_configured(&self, role: Role, card: &ModelCardRef) -> bool {
        self.card(role).is_some_and(|configured| configured.sha256 == card.sha256)
    }

    /// How long the last runs took, by role.
    pub const fn took(&self) -> [Duration; Role::ALL.len()] {
        self.took
    }

    /// How the inputs were spread that the flow model was trained on which spoke as `by`, or else the configured one; `None` where its manifest does not say.
    pub fn reference(&self, by: Option<&ModelCardRef>) -> Option<&Reference> {
        let ordered = by.filter(|card| !self.is_configured(Role::Flow, card)).and_then(|card| self.shelf.as_ref()?.peek(Role::Flow, card));
        ordered.unwrap_or(&self.flow).model.as_ref()?.manifest().reference.as_ref()
    }

    /// Whether a model that was ordered has been looked for and cannot be had here.
    pub fn lacks(&self, role: Role, card: &ModelCardRef) -> bool {
        self.shelf.as_ref().is_some_and(|shelf| shelf.lacks(role, card))
    }

    /// What became of models that were ordered, since the last call.
    pub fn take_news(&mut self) -> Vec<News> {
        self.shelf.as_mut().map(Shelf::take_news).unwrap_or_default()
    }

    /// What the shadow said to the last request; `None` where there is no shadow.
    pub const fn take_murmured(&mut self) -> Option<Outcome> {
        self.murmured.take()
    }

    /// How the shadow stands; `None` where none is configured.
    pub fn shadow(&self) -> Option<&ModelStatus> {
        self.shadow.as_ref().map(|shadow| &shadow.status)
    }

    /// How the models stand.
    pub const fn status(&self) -> [&ModelStatus; 2] {
        [&self.flow.status, &self.anomaly.status]
    }

    /// The model that is configured for a role, as outputs name it; `None` when the fallback speaks in its place.
    pub const fn card(&self, role: Role) -> Option<&ModelCardRef> {
        let seat = match role {
            Role::Flow => &self.flow,
            Role::Anomaly => &self.anomaly,
        };
        match &seat.status.state {
            ModelState::Active { card, .. } => Some(card),
            ModelState::Fallback { .. } => None,
        }
    }
}

/// A model that may be served, warmed up for so many rows.
pub(super) fn load(library: &Library, manifest: &Path, role: Role, rows: usize) -> Result<Model, String> {
    Model::load(library, manifest, role, rows).and_then(|model| model.conforming(CHECKED.min(rows))).map_err(|fault| fault.to_string())
}

impl Seat {
    fn empty(role: Role, why: String) -> Self {
        Self { model: None, status: ModelStatus::new(role, ModelState::Fallback { why }) }
    }

    pub(super) fn taken(role: Role, model: Model) -> Self {
        let state = ModelState::Active { card: model.card(), last_fault: None };
        Self { status: ModelStatus::new(role, state), model: Some(model) }
    }

    #[allow(clippy::disallowed_methods, reason = "the deadline is wall time by definition; what it decides is journaled")]
    fn run(&mut self, ask: &Ask, within: Option<Duration>) -> Outcome {
        let Some(model) = &mut self.model else {
            return Outcome::Absent;
        };
        let started = Instant::now();
        let said = model.run(ask.shown(self.status.role), ask.rows);
        self.status.judge(said.map_err(|fault| fault.to_string()), started.elapsed(), within)
    }
}

impl ModelStatus {
    const fn new(role: Role, state: ModelState) -> Self {
        Self { role, state, ran: 0, missed: 0, failed: 0, last_run: Duration::ZERO }
    }

    /// What becomes of a run that took `took`.
    fn judge(&mut self, said: Result<Vec<f32>, String>, took: Duration, within: Option<Duration>) -> Outcome {
        self.last_run = took;
        let late = within.filter(|within| took > *within).map(|within| format!("took {took:?}, {within:?} were allowed"));
        let (outcome, fault) = match (said, late) {
            (Err(why), _) => (Outcome::Absent, Some(why)),
            (Ok(_), Some(why)) => (Outcome::Missed, Some(why)),
            (Ok(values), None) => (Outcome::Ran(values), None),
        };
        match outcome {
            Outcome::Ran(_) => self.ran += 1,
            Outcome::Missed => self.missed += 1,
            Outcome::Absent => self.failed += 1,
        }
        if let ModelState::Active { last_fault, .. } = &mut self.state {
            *last_fault = fault;
        }
        outcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn active() -> ModelStatus {
        let card = ModelCardRef { name: "m".into(), version: "1".into(), sha256: "00".into() };
        ModelStatus::new(Role::Flow, ModelState::Active { card, last_fault: None })
    }

    #[test]
    fn a_deadline_grows_with_the_venue() {
        let deadline = Deadline::default();
        assert_eq!((deadline.of(16), deadline.of(800), deadline.of(2_000)), (Duration::from_millis(20), Duration::from_millis(20), Duration::from_millis(50)));
    }

    #[test]
    fn a_late_answer_is_no_answer() {
        let mut status = active();
        let ms = Duration::from_millis;
        assert_eq!(status.judge(Ok(vec![1.0]), ms(21), Some(ms(20))), Outcome::Missed);
        assert!(matches!(&status.state, ModelState::Active { last_fault: Some(why), .. } if why.contains("21ms")));
        assert_eq!(status.judge(Ok(vec![1.0]), ms(21), None), Outcome::Ran(vec![1.0]));
        assert!(matches!(&status.state, ModelState::Active { last_fault: None, .. }));
        assert_eq!((status.ran, status.missed, status.failed), (1, 1, 0));
    }

    #[test]
    fn what_is_no_number_is_absent_with_a_reason() {
        let mut status = active();
        assert_eq!(status.judge(Err("no number in row 3".into()), Duration::ZERO, None), Outcome::Absent);
        assert!(matches!(&status.state, ModelState::Active { last_fault: Some(why), .. } if why.contains("row 3")));
    }
}

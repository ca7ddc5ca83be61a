//! One venue's running state, from an observation to the pane it counts in.
//!
//! The idea: nothing here depends on how sources interleave. Each observation is judged by its own source's clock; a pane closes when every
//! clock that is not idle has passed it; and what closing does is a function of what the pane collected (DESIGN §4, rules 1 to 4).
//!
//! `observe` takes one observation; [`super::close`] closes panes; [`super::idle`] sets silent sources aside; [`super::state`] saves and restores.

use super::close::Waiting;
use super::closed::ClosedPane;
use super::effects::Effects;
use super::explain::{MovedBy, Refusals};
use super::fast::Fast;
use super::journal::Entry;
use super::placement::Placed;
use super::taken_back::TakenBack;
use crate::alarm::AlarmBook;
use crate::crowd::{CrowdState, Topology};
use crate::detect::WrongClock;
use crate::feeds::Observation;
use crate::feeds::observation::{Entity, What};
use crate::forecast::Forecaster;
use crate::inference::Podium;
use crate::time::{Distrust, EventTime, Guard, SourceClock, Span, Verdict};
use crate::venue::{Feed, SensorId, Source, Venue, VenueId};
use crate::window::{Identities, LateArrival, OpenPanes, Reached, Sighting};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// What became of one observation at its venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reception {
    /// It entered its pane.
    Windowed,
    /// It was late, or its pane had closed while its source was set aside: it revises.
    Revised,
    /// It was later than its source is allowed, or what a camera saw, which revises nothing.
    Late {
        /// By how much, by its own clock.
        lag: Span,
    },
    /// It was too late once, and is taken back in: it revises.
    Reopened,
    /// It had come before.
    Duplicate,
    /// Its identity had come before with another content.
    Conflict,
    /// Its time cannot be believed.
    Distrusted(Distrust),
    /// It only moved the clock.
    Heard,
}

/// How a record came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    /// When it was received, where anybody told.
    pub(super) received: Option<EventTime>,
    /// Its offset.
    pub(super) offset: i64,
    /// An operator takes it back in, however late it is.
    pub(super) is_reopened: bool,
}

/// A source of the venue: its clock, and whether it is set aside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct SourceState {
    pub(super) clock: SourceClock,
    /// Set aside: it holds nobody.
    pub(super) idle: bool,
    /// Set aside and silent for longer than its limit: ticks may carry the venue on.
    pub(super) silent: bool,
    /// End of the last pane that had closed when it was set aside last.
    pub(super) idle_since: EventTime,
    /// What moved its clock last.
    #[serde(skip)]
    pub(super) moved_by: Option<MovedBy>,
    /// Broker time of its last record.
    pub(super) last_received: EventTime,
    #[serde(skip)]
    pub(super) dirty: bool,
}

/// One venue, running.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) id: VenueId,
    pub(super) sources: Vec<SourceState>,
    pub(super) identities: Identities,
    pub(super) open: OpenPanes,
    /// End of the last closed pane; [`EventTime::MIN`] before the first.
    pub(super) closed_to: EventTime,
    /// Its fast panes.
    pub(super) fast: Fast,
    pub(super) topology: Topology,
    /// By configuration: the venue turned round by it; empty where there is only one.
    pub(super) topologies: Vec<Topology>,
    pub(super) crowd: CrowdState,
    pub(super) forecaster: Forecaster,
    /// Which models have the word.
    pub(super) podium: Podium,
    pub(super) podium_dirty: bool,
    /// By series, the counts of the pane that closes; used again.
    pub(super) counts: Vec<Option<u32>>,
    pub(super) alarms: AlarmBook,
    /// The alarms have changed within a pane.
    pub(super) alarms_dirty: bool,
    pub(super) closed: BTreeMap<EventTime, ClosedPane>,
    pub(super) closed_changed: Vec<EventTime>,
    /// The latest event time heard from each source in a closed pane.
    pub(super) heard: Vec<EventTime>,
    /// Coverage of the venue at the last closed pane.
    pub(super) coverage: f64,
    /// By sensor: what speaks against its clock.
    pub(super) guards: Vec<Guard>,
    pub(super) guards_changed: Vec<SensorId>,
    /// The sensors whose clocks are wrong, or were a moment ago, as of the last closed pane.
    pub(super) clocks: BTreeMap<SensorId, WrongClock>,
    /// What was turned away, for those who ask why.
    pub(super) turned_away: Refusals,
    pub(super) taken_back: TakenBack,
    pub(super) waiting: Option<Waiting>,
    /// Commands that wait for their place between two panes.
    pub(super) commands: Vec<Placed>,
    /// The last command ids carried out, to tell repeats.
    pub(super) commands_seen: VecDeque<u64>,
    /// Broker time up to which ticks have advanced an all-idle venue.
    pub(super) ticked_to: EventTime,
    pub(super) first_tick: Option<EventTime>,
    /// No record will ever follow.
    pub(super) ended: bool,
    /// What a replay has yet to follow.
    pub(super) journal: Option<VecDeque<Entry>>,
    /// Entries of it that found no place.
    pub(super) unplaced: usize,
    /// Something uncommitted besides the logs has influenced an output: alerts wait for the commit.
    pub(super) tainted: bool,
    /// The same, of what is in the commit under way.
    pub(super) tainted_in_commit: bool,
    pub(super) dirty: bool,
    /// Which configuration of the venue its panes are closed by (`Venue::version`).
    pub(super) version: usize,
    /// The fingerprint of the configuration by which its last pane was closed; empty before the first.
    pub(super) in_force: String,
    /// What the state hangs on is not written down yet, or has changed.
    pub(super) unsaved: bool,
}

/// The time by which an observation is judged: of a count longer than a pane its start, for its first part must still find its pane open.
fn earliest_part(observation: &Observation, venue: &Venue) -> EventTime {
    match &observation.what {
        What::Count(count) if count.to.since(count.from) > venue.pane.span() => count.from,
        _ => observation.at,
    }
}

/// How far an observation lets its source's clock come: no further than its receipt. What clocks may differ by is believed, but a sensor that is so much ahead must not make
/// the others of its source late.
fn provable(observation: &Observation, received: Option<EventTime>) -> EventTime {
    received.map_or(observation.at, |received| observation.at.min(received))
}

/// What an event's time tells by itself. What was uploaded later than it happened may have waited for days.
pub(super) fn believed_alone(venue: &Venue, observation: &Observation, received: Option<EventTime>, greatest: EventTime) -> Result<(), Distrust> {
    match venue.trust.judge(observation.at, received, greatest) {
        Err(Distrust::LongBefore { .. }) if observation.offline => Ok(()),
        verdict => verdict,
    }
}

impl Site {
    pub(super) fn new(id: VenueId, venue: &Venue, forecasts: bool) -> Self {
        let fresh = |source: &Source| SourceState {
            clock: SourceClock::new(venue.reach(source)),
            idle: false,
            silent: false,
            idle_since: EventTime::MIN,
            moved_by: None,
            last_received: EventTime::MIN,
            dirty: false,
        };
        let first = venue.version(0);
        let topology = Topology::new(first);
        Self {
            id,
            sources: venue.sources.iter().map(fresh).collect(),
            identities: Identities::new(venue),
            open: OpenPanes::default(),
            closed_to: EventTime::MIN,
            fast: Fast::default(),
            crowd: CrowdState::new(first, &topology),
            forecaster: if forecasts { Forecaster::new(venue) } else { Forecaster::silent(venue) },
            podium: Podium::default(),
            podium_dirty: false,
            counts: Vec::new(),
            alarms: AlarmBook::default(),
            alarms_dirty: false,
            closed: BTreeMap::new(),
            closed_changed: Vec::new(),
            heard: vec![EventTime::MIN; venue.sources.len()],
            coverage: 0.0,
            guards: vec![Guard::Good; venue.sensors.len()],
            guards_changed: Vec::new(),
            clocks: BTreeMap::new(),
            turned_away: Refusals::new(),
            taken_back: TakenBack::default(),
            waiting: None,
            commands: Vec::new(),
            commands_seen: VecDeque::new(),
            ticked_to: EventTime::MIN,
            first_tick: None,
            ended: false,
            journal: None,
            unplaced: 0,
            tainted: false,
            tainted_in_commit: false,
            dirty: false,
            version: 0,
            in_force: String::new(),
            unsaved: true,
            topologies: if venue.later.is_empty() {
                Vec::new()
            } else {
                (0..=venue.later.len()).map(|version| Topology::new(venue.version(version))).collect()
            },
            topology,
        }
    }

    /// Takes one observation: judges it by its own clock, tells repeats, and puts it where it counts.
    pub(super) fn observe(&mut self, venue: &Venue, observation: &Observation, arrival: Arrival, effects: &mut Effects) -> Reception {
        let received = arrival.received;
        if arrival.is_reopened {
            return self.reopen(venue, observation);
        }
        let source = &venue.sources[observation.source.index()];
        let clock = &self.sources[observation.source.index()].clock;
        let verdict = clock.judge(earliest_part(observation, venue));
        let too_late = match verdict {
            Verdict::Late { lag } if lag > source.lateness => Some(lag),
            // Before the clock's first event there is nothing but the receipt to judge by; a venue does not begin in a year in which a device's clock was never set.
            Verdict::OnTime if observation.offline && !clock.has_started() => {
                received.map(|received| received.since(observation.at)).filter(|lag| *lag > source.lateness)
            }
            _ => None,
        };
        let alone = believed_alone(venue, observation, received, clock.greatest());
        if let Err(distrust) = self.trusted(venue, observation, received, too_late.is_some(), alone) {
            return Reception::Distrusted(distrust);
        }
        // An offline upload tells of another day, not that this is one.
        if !observation.offline {
            self.begin_anew(venue, observation.at);
        }
        let state = &mut self.sources[observation.source.index()];
        state.dirty = true;
        state.last_received = state.last_received.max(received.unwrap_or(observation.at));
        if !observation.offline && observation.at > state.clock.greatest() {
            state.moved_by = Some(MovedBy { entity: observation.entity, offset: arrival.offset, at: observation.at, received });
        }
        if state.idle {
            self.wake(venue, observation.source, arrival.offset, effects);
        }
        if matches!(observation.what, What::LowWater) {
            self.hear(venue, observation, source, provable(observation, received));
            return Reception::Heard;
        }
        if let Some(lag) = too_late {
            return Reception::Late { lag };
        }
        let reception = match self.identities.see(observation.entity, observation.at, observation.identity, observation.content) {
            Sighting::First => return self.place(venue, source, observation, verdict, provable(observation, received)),
            Sighting::Repeat => Reception::Duplicate,
            Sighting::Conflict => Reception::Conflict,
        };
        self.repeated(venue, observation, received);
        reception
    }

    /// The event time that every source which is not idle has passed, as panes read it; ticks stand in when all are idle.
    pub(super) fn watermark(&self, venue: &Venue) -> EventTime {
        let holding = self.next_version(venue).with_sources(&self.sources).filter(|(_, state)| !state.idle);
        let least = holding.map(|(source, state)| state.clock.watermark().after(source.as_of_lag)).min();
        least.unwrap_or(self.ticked_to)
    }

    /// The last pane that anything had happened in, at the end of all input. Panes beyond it hold only what is read as of later: nobody was silent in them.
    pub(super) fn last_happened(&self, venue: &Venue) -> Option<EventTime> {
        let there = self.next_version(venue);
        let started = || there.with_sources(&self.sources).filter(|(_, state)| state.clock.has_started());
        let latest = started().map(|(_, state)| state.clock.greatest()).max()?;
        let least_lag = started().map(|(source, _)| source.as_of_lag).min()?;
        Some(self.open.last()?.min(venue.pane.end_of(latest.after(least_lag))))
    }

    /// Whether an alert must wait for a commit: what it hangs on besides the logs does not stand yet. While a source is set aside, that is also how far the others were read before it
    /// spoke again: whoever reads the same records once more may hear it earlier. Not so the operators: an alert says how far their commands were read, and whoever makes it again keeps
    /// back what lies beyond. And while a model stands in for one that this instance lacks: the next life may have it.
    pub(super) fn hangs_on_a_commit(&self, venue: &Venue) -> bool {
        let is_set_aside = |(source, state): (&Source, &SourceState)| state.idle && source.feed != Feed::Commands;
        self.tainted || self.tainted_in_commit || self.podium.is_stood_in_for() || venue.with_sources(&self.sources).any(is_set_aside)
    }

    fn hear(&mut self, venue: &Venue, observation: &Observation, source: &Source, reached: EventTime) {
        let clock = &mut self.sources[observation.source.index()].clock;
        // Its pane may have closed; whether it has must not show, so a late mark is not heard at all. One that others have overtaken is.
        if clock.judge(observation.at) != Verdict::OnTime {
            return;
        }
        clock.advance(reached);
        self.open.hear(venue, observation, source.as_of_lag, self.closed_to);
    }

    /// Lets an observation that tells nothing move its clock all the same: a source that is about to go must not hold the panes in which it is still there.
    pub(super) fn only_hear(&mut self, venue: &Venue, observation: &Observation, arrival: Arrival) {
        let source = &venue.sources[observation.source.index()];
        let state = &mut self.sources[observation.source.index()];
        let is_good = |entity: Entity| !matches!(entity, Entity::Sensor(sensor) if self.guards[sensor.index()] != Guard::Good);
        let is_believed = believed_alone(venue, observation, arrival.received, state.clock.greatest()).is_ok() && is_good(observation.entity);
        if observation.offline || arrival.is_reopened || !is_believed {
            return;
        }
        state.dirty = true;
        state.last_received = state.last_received.max(arrival.received.unwrap_or(observation.at));
        self.hear(venue, observation, source, provable(observation, arrival.received));
    }

    /// Takes back in what was too late: it moves no clock and wakes nobody, and revises at the next close.
    fn reopen(&mut self, venue: &Venue, observation: &Observation) -> Reception {
        let (source, clock) = (&venue.sources[observation.source.index()], &self.sources[observation.source.index()].clock);
        let lag = clock.watermark().since(observation.at);
        let is_of_the_past = self.closed_to > EventTime::MIN && clock.has_started() && observation.at < clock.watermark();
        if !is_of_the_past || observation.what.is_snapshot() || matches!(observation.what, What::LowWater) {
            return Reception::Late { lag };
        }
        if !self.taken_back.take(observation.identity, clock.watermark()) {
            return Reception::Duplicate;
        }
        self.dirty = true;
        let home = venue.pane.end_of(clock.watermark().after(source.as_of_lag)).max(venue.pane.next(self.closed_to));
        self.open.keep_late(venue, home, LateArrival { observation: observation.clone(), lag });
        Reception::Reopened
    }

    fn place(&mut self, venue: &Venue, source: &Source, observation: &Observation, verdict: Verdict, reached: EventTime) -> Reception {
        let clock = &mut self.sources[observation.source.index()].clock;
        // The pane that holds the clock's own watermark on arrival is open by construction, unless the source was set aside.
        let home = venue.pane.end_of(clock.watermark().after(source.as_of_lag));
        if !observation.offline {
            clock.advance(reached);
        }
        let own = venue.pane.end_of(observation.at.after(source.as_of_lag));
        let lag = match verdict {
            Verdict::OnTime if own > self.closed_to => {
                let reached = Reached { closed: self.closed_to, judged: self.reached(venue) };
                self.open.add(venue, observation, source.as_of_lag, reached);
                return Reception::Windowed;
            }
            Verdict::OnTime => Span::ZERO,
            Verdict::Late { lag } => lag,
        };
        if observation.what.is_snapshot() {
            // There is nothing that it could revise.
            return Reception::Late { lag };
        }
        let first_open = if self.closed_to == EventTime::MIN { home } else { home.max(venue.pane.next(self.closed_to)) };
        self.open.keep_late(venue, first_open, LateArrival { observation: observation.clone(), lag });
        Reception::Revised
    }
}

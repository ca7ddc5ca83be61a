//! Why a window is open, closed or revised: which source holds time, since when and at which offset, and what would let it go.
//!
//! For people, never for outputs: the answer hangs on what has been read so far, and what was turned away is counted only since the partition was taken up.

use super::Engine;
use super::site::Site;
use crate::feeds::Observation;
use crate::feeds::observation::Entity;
use crate::time::{EventTime, Span};
use crate::venue::{Measures, SensorId, Venue, ZoneId};
use crate::window::PaneContent;
use serde::Serialize;
use std::collections::BTreeMap;

/// How long what was turned away is remembered.
const REMEMBERED: Span = Span::from_mins(6 * 60);
/// Of so many windows and entities at most: the oldest go first.
const MOST_REMEMBERED: usize = 200_000;

/// How a window stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WindowState {
    /// Its venue has not closed a pane yet.
    NotBegun,
    /// It collects.
    Open,
    /// Its picture stands; the models are at work.
    Asking,
    /// It is published, and may still be revised.
    Closed,
    /// It has been published again.
    Revised,
    /// It is published and kept no more: what comes now corrects the totals.
    Past,
}

/// A source that has not passed the window.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Holder {
    /// Which.
    pub source: Box<str>,
    /// Its feed's topic.
    pub topic: &'static str,
    /// The partition.
    pub partition: u32,
    /// Its watermark; `None` before its first event.
    pub watermark: Option<EventTime>,
    /// An event of this time, or a low-water mark, lets go.
    pub wants: EventTime,
    /// What moved its clock last.
    pub last: Option<LastEvent>,
    /// The next offset of its partition, where that is read to its end.
    pub read_to: Option<i64>,
    /// Read to its end, or to a record that was appended then, and silent until then, by the broker's time, it is set aside; `None` where nothing proves how far its partition is read.
    pub set_aside_at: Option<EventTime>,
    /// After how much silence.
    pub silence: Span,
}

/// The event that moved a source's clock last.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LastEvent {
    /// Of which sensor, gate or stop; `None` for a mark of the source itself.
    pub of: Option<Box<str>>,
    /// Its offset.
    pub offset: i64,
    /// Its event time.
    pub at: EventTime,
    /// When it was received.
    pub received: Option<EventTime>,
}

/// A sensor whose clock is wrong.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WrongSensor {
    /// Which.
    pub sensor: Box<str>,
    /// By how much it is ahead, ms; behind when negative.
    pub offset_ms: i64,
    /// Its events that were not believed.
    pub events: u64,
}

/// What was turned away of a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TurnedAway {
    /// Too late.
    pub late: u64,
    /// Not believed, or in conflict with an earlier one.
    pub quarantined: u64,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// The venue.
    pub venue: Box<str>,
    /// The zone.
    pub zone: Box<str>,
    /// Start of the window.
    pub from: EventTime,
    /// Its end.
    pub to: EventTime,
    /// How it stands.
    pub state: WindowState,
    /// Its last revision, where it is kept.
    pub revision: Option<u32>,
    /// End of the last closed pane; `None` before the first.
    pub closed_to: Option<EventTime>,
    /// Who holds it, the one furthest behind first.
    pub holders: Vec<Holder>,
    /// Sources that are set aside: they hold nobody.
    pub set_aside: Vec<Box<str>>,
    /// Reports of the zone's sensors and scans of its gates that are in it, where its content is still there.
    pub reports: Option<u64>,
    /// What was turned away of it since the partition was taken up.
    pub turned_away: TurnedAway,
    /// Late events of the venue that will take effect at the next close.
    pub late_waiting: usize,
    /// Sensors of the zone whose clocks are wrong.
    pub wrong_clocks: Vec<WrongSensor>,
}

/// By the end of the window and the entity: what was turned away.
pub(super) type Refusals = BTreeMap<(EventTime, Entity), TurnedAway>;

impl Engine {
    /// Explains the window of `venue` that holds `at`, for one zone; `None` for a venue of another partition.
    pub fn explain(&self, venue: &str, zone: ZoneId, at: EventTime) -> Option<Explanation> {
        let id = self.world.find(venue)?;
        let site = self.sites.get(&id.0)?;
        Some(site.explain(self.world.venue(id), zone, at, self))
    }
}

impl Site {
    /// Counts an event that was turned away.
    pub(super) fn turn_away(&mut self, venue: &Venue, observation: &Observation, is_late: bool) {
        let lag = venue.sources[observation.source.index()].as_of_lag;
        let window = venue.pane.end_of(observation.at.after(lag));
        let counted = self.turned_away.entry((window, observation.entity)).or_default();
        if is_late {
            counted.late += 1;
        } else {
            counted.quarantined += 1;
        }
        // A wrong clock names any time at all: what lies long before is forgotten, and what lies far ahead with it.
        let (horizon, ahead) = (self.closed_to.before(REMEMBERED), self.closed_to.after(REMEMBERED));
        while self.turned_away.first_key_value().is_some_and(|((window, _), _)| *window <= horizon || self.turned_away.len() > MOST_REMEMBERED) {
            self.turned_away.pop_first();
        }
        while self.turned_away.last_key_value().is_some_and(|((window, _), _)| *window >= ahead && self.closed_to > EventTime::MIN) {
            self.turned_away.pop_last();
        }
    }

    fn explain(&self, venue: &Venue, zone: ZoneId, at: EventTime, engine: &Engine) -> Explanation {
        let to = venue.pane.end_of(at);
        let kept = self.closed.get(&to);
        let revision = kept.and_then(|pane| pane.revisions.get(zone.index()).copied());
        let open = kept.is_none().then(|| self.open.content(venue, to)).flatten();
        let content = kept.map(|pane| &pane.content).or(open.as_ref()).or(self.waiting.as_ref().filter(|w| w.end == to).map(|w| &w.content));
        let state = match revision {
            _ if self.waiting.as_ref().is_some_and(|waiting| waiting.end == to) => WindowState::Asking,
            _ if self.closed_to == EventTime::MIN => WindowState::NotBegun,
            Some(0) => WindowState::Closed,
            Some(_) => WindowState::Revised,
            None if to <= self.closed_to => WindowState::Past,
            None => WindowState::Open,
        };
        let is_held = matches!(state, WindowState::Open | WindowState::NotBegun);
        let of_zone = |entity: &Entity| concerns(venue, *entity, zone);
        let mut turned_away = TurnedAway::default();
        for (_, counted) in self.turned_away.range((to, LEAST)..).take_while(|((window, _), _)| *window == to).filter(|((_, entity), _)| of_zone(entity)) {
            turned_away.late += counted.late;
            turned_away.quarantined += counted.quarantined;
        }
        let wrong = |clock: &&crate::detect::WrongClock| clock.right_since.is_none() && of_zone(&Entity::Sensor(clock.sensor));
        let named = |clock: &crate::detect::WrongClock| WrongSensor {
            sensor: venue.sensors[clock.sensor.index()].id.clone(),
            offset_ms: clock.offset_ms,
            events: clock.events,
        };
        Explanation {
            venue: venue.id.clone(),
            zone: venue.zones[zone.index()].id.clone(),
            from: venue.pane.start(to),
            to,
            state,
            revision,
            closed_to: (self.closed_to > EventTime::MIN).then_some(self.closed_to),
            holders: if is_held { self.holders(venue, to, engine) } else { Vec::new() },
            set_aside: self.next_version(venue).with_sources(&self.sources).filter(|(_, state)| state.idle).map(|(source, _)| source.id.clone()).collect(),
            reports: content.map(|content| reports(venue, content, zone)),
            turned_away,
            late_waiting: self.open.late_waiting(),
            wrong_clocks: self.clocks.values().filter(wrong).map(named).collect(),
        }
    }

    fn holders(&self, venue: &Venue, to: EventTime, engine: &Engine) -> Vec<Holder> {
        let mut holders: Vec<Holder> = Vec::new();
        for (source, state) in self.next_version(venue).with_sources(&self.sources) {
            let watermark = state.clock.watermark();
            if state.idle || watermark.after(source.as_of_lag) >= to {
                continue;
            }
            let behind = state.clock.greatest().since(watermark);
            let read = &engine.read[source.feed as usize];
            let heard = state.last_received.max(self.first_tick.unwrap_or(EventTime::MIN));
            holders.push(Holder {
                source: source.id.clone(),
                topic: source.feed.topic(),
                partition: engine.partition,
                watermark: state.clock.has_started().then_some(watermark),
                wants: to.before(source.as_of_lag).after(if state.clock.has_started() { behind } else { source.disorder }),
                last: state.moved_by.as_ref().map(|moved| LastEvent {
                    of: name_of(venue, moved.entity),
                    offset: moved.offset,
                    at: moved.at,
                    received: moved.received,
                }),
                read_to: read.to_end(),
                set_aside_at: (read.is_proven() && heard > EventTime::MIN).then(|| heard.after(source.silence)),
                silence: source.silence,
            });
        }
        holders.sort_by_key(|holder| holder.watermark);
        holders
    }
}

/// The first of all entities.
const LEAST: Entity = Entity::Sensor(SensorId(0));

/// Whether an entity's events say something of a zone.
pub fn concerns(venue: &Venue, entity: Entity, zone: ZoneId) -> bool {
    let by_link = |link: crate::venue::LinkId| {
        let link = &venue.links[link.index()];
        link.from == Some(zone) || link.to == Some(zone)
    };
    match entity {
        Entity::Sensor(sensor) => match venue.sensors[sensor.index()].measures {
            Measures::Zone(of) => of == zone,
            Measures::Link { link, .. } | Measures::Door(link) => by_link(link),
            Measures::Gate(gate) => by_link(venue.gates[gate.index()].link),
            Measures::Nothing => false,
        },
        Entity::Gate(gate) => by_link(venue.gates[gate.index()].link),
        Entity::Stop(stop) => venue.stops[stop.index()].zone == Some(zone),
        Entity::Zone(of) => of == zone,
        Entity::Link(link) => by_link(link),
        Entity::Venue => true,
    }
}

fn name_of(venue: &Venue, entity: Entity) -> Option<Box<str>> {
    match entity {
        Entity::Sensor(sensor) => Some(venue.sensors[sensor.index()].id.clone()),
        Entity::Gate(gate) => Some(venue.gates[gate.index()].id.clone()),
        Entity::Stop(stop) => Some(venue.stops[stop.index()].id.clone()),
        Entity::Zone(zone) => Some(venue.zones[zone.index()].id.clone()),
        Entity::Link(link) => Some(venue.links[link.index()].id.clone()),
        Entity::Venue => None,
    }
}

fn reports(venue: &Venue, content: &PaneContent, zone: ZoneId) -> u64 {
    let sensors = content.counts.iter().enumerate().filter(|(index, _)| concerns(venue, Entity::Sensor((*index).into()), zone));
    let gates = content.scans.iter().enumerate().filter(|(index, _)| concerns(venue, Entity::Gate((*index).into()), zone));
    let counted: u64 = sensors.map(|(_, count)| u64::from(count.reports)).sum();
    counted + gates.map(|(_, scans)| u64::from(scans.entered) + u64::from(scans.left) + u64::from(scans.rejected)).sum::<u64>()
}

/// What moved a source's clock last; remembered for people, and not part of the state, which tells of no offsets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct MovedBy {
    pub(super) entity: Entity,
    pub(super) offset: i64,
    pub(super) at: EventTime,
    pub(super) received: Option<EventTime>,
}

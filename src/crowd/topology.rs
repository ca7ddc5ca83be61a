//! Who stands where: the venue's lists turned round once, so that closing a pane looks nothing up.
//!
//! The idea: people enter or leave a zone by *crossings*. A crossing is a link, or a stop of public transport whose passengers appear in a zone (a link
//! to the outside that the transport feed counts). Crossings have one index space: links first, then stops.
//!
//! A stop's passengers enter its zone unless a counted link already joins that zone to the outside: its counters have seen them, and nobody is counted twice.

use super::arrivals::TransportLimits;
use super::dense::{Measure, Polygon};
use super::limits::{CallLimits, GateLimits, SplitLimits, ZoneLimits, measure};
use crate::time::Span;
use crate::venue::section::exit_rate;
use crate::venue::{FlowTable, Gate, GateId, Link, LinkId, Measures, Profile, SensorId, StopId, Venue, ZoneId, ZoneKind};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The venue, turned round. Made once per venue (and again on a reload).
#[derive(Clone, Debug)]
pub struct Topology {
    /// Links, then stops.
    pub crossings: Vec<Crossing>,
    /// By zone.
    pub zones: Vec<ZonePlan>,
    /// By gate.
    pub gates: Vec<GatePlan>,
    /// Concourses between counted gates and seats.
    pub passages: Vec<Passage>,
    /// By link: its sensors.
    pub link_sensors: Vec<Vec<LinkSensor>>,
    /// By link: sensors that tell whether its door is open; those of its gate, where it has one.
    pub doors: Vec<Vec<SensorId>>,
    /// By link: whether it would only say again what its zone says.
    pub echoes: Vec<bool>,
    /// By zone: its exits.
    pub exits: Vec<Vec<ExitPlan>>,
    /// By sensor: whether this configuration has it.
    pub has_sensor: Vec<bool>,
    /// By sensor: how long after its last report it still counts as reporting, ms.
    pub patience_ms: Vec<u64>,
    /// Counted ways between the venue and the outside: position among the crossings, and whether forward is into the venue.
    pub border: Vec<(usize, bool)>,
    /// What calls for help are looked at with.
    pub calls: CallLimits,
    /// Thresholds of the arrivals.
    pub split: SplitLimits,
    /// How vehicles are read, by the profile of the zone that speaks for the venue.
    pub transport: Option<TransportLimits>,
    /// The zone that speaks for the venue (the bowl, else the first): thresholds of the venue as a whole are its.
    pub lead: Option<ZoneId>,
}

/// A way in or out of zones; `None` is the outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crossing {
    /// Where forward flow comes from.
    pub from: Option<ZoneId>,
    /// Where forward flow goes.
    pub to: Option<ZoneId>,
}

/// A way over which people cross, by what it is: the same in every configuration of the venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the words are the venue's own")]
pub enum Way {
    Link(LinkId),
    Stop(StopId),
}

/// What is known of a zone without any event.
#[derive(Clone, Debug)]
pub struct ZonePlan {
    /// Its ways in and out: position among the crossings, and whether forward is into the zone.
    pub ways: Vec<(usize, bool)>,
    /// The same ways by what they are.
    pub over: Vec<Way>,
    /// Sensors that count its heads.
    pub heads: Vec<SensorId>,
    /// All sensors that concern it: on its links, counting its heads, at its gates.
    pub concerned: Vec<SensorId>,
    /// Gates that it is the queue of.
    pub queue_of: Vec<GateId>,
    /// Its thresholds.
    pub limits: ZoneLimits,
    /// By what its dense crowd is measured.
    pub measure: Measure,
    /// The outline of its ground, where it has been surveyed.
    pub ground: Option<Polygon>,
}

/// A concourse through which people pass from gates with counters to the seats over one counted way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage {
    /// The concourse.
    pub zone: ZoneId,
    /// Its gates.
    pub gates: Vec<GateId>,
    /// The way to the seats among the crossings, and whether forward leads to them.
    pub way: usize,
    /// See above.
    pub is_out: bool,
    /// Its position among the ways of the concourse.
    pub at: usize,
    /// The bowl or stand.
    pub seats: ZoneId,
    /// The way's position among theirs.
    pub there: usize,
    /// How many concourses lead to these seats, this one among them.
    pub beside: u32,
}

/// What is known of a gate without any event.
#[derive(Clone, Debug)]
pub struct GatePlan {
    /// Whether its scans are its flow, for no sensor counts its link.
    pub by_scans: bool,
    /// Sensors that tell its state.
    pub states: Vec<SensorId>,
    /// All sensors that concern it.
    pub concerned: Vec<SensorId>,
    /// Its thresholds.
    pub limits: GateLimits,
}

/// An exit of a zone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExitPlan {
    /// Over which link.
    pub link: LinkId,
    /// Whether forward is outwards.
    pub is_forward: bool,
    /// Whether it is a gate too: who comes in over it is no intruder.
    pub gate: Option<GateId>,
    /// Clear width, m; 0 where nobody knows it.
    pub width_m: f64,
    /// What it lets out when open, persons/min.
    pub per_min: f64,
    /// So long before the end of the match it is to be opened; `None` for one that is always to be open.
    pub opens_before_end: Option<Span>,
}

impl ExitPlan {
    /// Whether nobody should come in over it: over a gate, or a door that leads out backwards, people come in as they should.
    pub const fn is_one_way(&self) -> bool {
        self.gate.is_none() && self.is_forward
    }
}

/// A sensor on a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkSensor {
    /// Which.
    pub sensor: SensorId,
    /// Whether its `in` is the link's backward direction.
    pub reversed: bool,
}

impl Topology {
    /// Turns `venue` round.
    pub fn new(venue: &Venue) -> Self {
        let link_sensors = link_sensors(venue);
        let crossings = crossings(venue, &link_sensors);
        let gates: Vec<GatePlan> = venue.gates.iter().enumerate().map(|(i, gate)| gate_plan(venue, GateId::from(i), gate, &link_sensors)).collect();
        let zones: Vec<ZonePlan> = (0..venue.zones.len()).map(|i| zone_plan(venue, ZoneId::from(i), &crossings, &link_sensors, &gates)).collect();
        let passages = passages(venue, &crossings, &zones, &gates, &link_sensors);
        Self {
            zones,
            passages,
            has_sensor: venue.sensors.iter().map(|sensor| sensor.measures != Measures::Nothing).collect(),
            patience_ms: venue.sensors.iter().map(|sensor| patience_ms(venue, sensor)).collect(),
            doors: doors(venue),
            echoes: echoes(venue),
            exits: (0..venue.zones.len()).map(|i| exits(venue, ZoneId::from(i))).collect(),
            border: border(venue, &crossings, &link_sensors),
            calls: CallLimits::of(lead_zone(venue).and_then(|lead| venue.zones.get(lead.index())).map(|zone| &*zone.profile)),
            split: SplitLimits::of(lead_zone(venue).and_then(|lead| venue.zones.get(lead.index())).map(|zone| &*zone.profile), venue.pane),
            transport: lead_zone(venue).and_then(|lead| venue.zones.get(lead.index())).map(|zone| TransportLimits::of(&zone.profile)),
            lead: lead_zone(venue),
            crossings,
            gates,
            link_sensors,
        }
    }

    /// The crossing of a link.
    pub const fn of_link(link: LinkId) -> usize {
        link.index()
    }

    /// Whether nothing is heard of who comes in to (or goes out of) a counted place, though something may be of the other direction: each has a counter of its own there.
    pub fn is_unheard(&self, venue: &Venue, zone: ZoneId, inwards: bool, is_silent: impl Fn(usize) -> bool) -> bool {
        let (place, plan) = (&venue.zones[zone.index()], &self.zones[zone.index()]);
        let tells = |(way, is_in): &&(usize, bool)| venue.links.get(*way).is_some_and(|link| !link.one_way || *is_in == inwards);
        let mut ways = plan.ways.iter().filter(tells).peekable();
        place.kind == ZoneKind::Counted && ways.peek().is_some() && ways.all(|(way, _)| is_silent(*way))
    }

    /// What a crossing is.
    pub fn way(&self, crossing: usize) -> Way {
        way(crossing, self.link_sensors.len())
    }

    /// The crossing of a stop.
    pub fn of_stop(&self, stop: StopId) -> usize {
        self.link_sensors.len() + stop.index()
    }
}

fn way(crossing: usize, links: usize) -> Way {
    crossing.checked_sub(links).map_or(Way::Link(crossing.into()), |stop| Way::Stop(stop.into()))
}

impl Crossing {
    /// The zone that figures without direction are booked on: where forward flow goes, else where it comes from.
    pub fn undirected_zone(self) -> Option<ZoneId> {
        self.to.or(self.from)
    }
}

/// Of a place of a table nothing is known but its counts, and they come over one link, or one for each direction, whose width nobody knows.
fn echoes(venue: &Venue) -> Vec<bool> {
    let ends = |link: &Link| match (link.from, link.to) {
        (Some(zone), None) | (None, Some(zone)) => Some(zone.index()),
        (Some(from), Some(to)) if from == to => Some(to.index()),
        _ => None,
    };
    // By zone, the links that tell who comes in, and those that tell who goes out.
    let mut links_of = vec![[0, 0]; venue.zones.len()];
    for link in &venue.links {
        let ways = [(link.to, 0), (link.from, 1)];
        let both_ways = ways.into_iter().flat_map(|(zone, way)| [Some((zone, way)), (!link.one_way && link.from != link.to).then_some((zone, 1 - way))]);
        both_ways.flatten().filter_map(|(zone, way)| Some((zone?, way))).for_each(|(zone, way)| links_of[zone.index()][way] += 1);
    }
    let is_alone = |zone: usize| venue.zones[zone].kind == ZoneKind::Counted && links_of[zone].iter().all(|links| *links <= 1);
    let is_echo = |link: &Link| link.width_m.is_none() && ends(link).is_some_and(is_alone);
    venue.links.iter().map(is_echo).collect()
}

/// The zone that speaks for the venue.
pub fn lead_zone(venue: &Venue) -> Option<ZoneId> {
    let bowl = venue.zones.iter().position(|zone| zone.kind == ZoneKind::Bowl);
    bowl.or((!venue.zones.is_empty()).then_some(0)).map(ZoneId::from)
}

/// The profile that a gate follows: that of its queue zone, else of the zone that it leads to, else of where it comes from, else the venue's lead zone.
pub fn gate_profile<'a>(venue: &'a Venue, gate: &Gate) -> Option<&'a Profile> {
    let link = venue.links.get(gate.link.index());
    let zone = gate.queue.or(link.and_then(|link| link.to)).or(link.and_then(|link| link.from)).or(lead_zone(venue))?;
    venue.zones.get(zone.index()).map(|zone| &*zone.profile)
}

/// A sensor may be silent for its interval, and for as long as its source is read late.
fn patience_ms(venue: &Venue, sensor: &crate::venue::Sensor) -> u64 {
    let lag = venue.sources.get(sensor.source.index()).map_or(0, |source| source.as_of_lag.as_millis());
    sensor.interval.as_millis().saturating_add(lag)
}

fn link_sensors(venue: &Venue) -> Vec<Vec<LinkSensor>> {
    let mut of_link = vec![Vec::new(); venue.links.len()];
    for (i, sensor) in venue.sensors.iter().enumerate() {
        let Measures::Link { link, reversed } = sensor.measures else {
            continue;
        };
        if let Some(sensors) = of_link.get_mut(link.index()) {
            sensors.push(LinkSensor { sensor: SensorId::from(i), reversed });
        }
    }
    of_link
}

fn crossings(venue: &Venue, link_sensors: &[Vec<LinkSensor>]) -> Vec<Crossing> {
    let is_counted = |link: &Link, i: usize| !link_sensors[i].is_empty() || venue.gates.iter().any(|gate| gate.link.index() == i && link.to.is_some());
    let mut counted_to_outside = BTreeSet::new();
    for (i, link) in venue.links.iter().enumerate() {
        if link.from.is_some() != link.to.is_some() && is_counted(link, i) {
            counted_to_outside.extend(link.from.or(link.to));
        }
    }
    let links = venue.links.iter().map(|link| Crossing { from: link.from, to: link.to });
    let stops = venue.stops.iter().map(|stop| Crossing { from: None, to: stop.zone.filter(|zone| !counted_to_outside.contains(zone)) });
    links.chain(stops).collect()
}

/// The ways over which the venue's people are counted in and out: counted links to the outside, gates that are scanned there, and stops.
///
/// A fan zone beside a stadium is outside: its guests need no ticket. Where there is no stadium, it is inside.
fn border(venue: &Venue, crossings: &[Crossing], link_sensors: &[Vec<LinkSensor>]) -> Vec<(usize, bool)> {
    let is_counted = |way: usize| match link_sensors.get(way) {
        Some(sensors) => !sensors.is_empty() || venue.gates.iter().any(|gate| gate.link.index() == way),
        None => true,
    };
    let is_fan_zone = |zone: ZoneId| venue.zones.get(zone.index()).is_some_and(|zone| zone.kind == ZoneKind::FanZone);
    let is_itself = !venue.zones.iter().any(|zone| matches!(zone.kind, ZoneKind::Bowl | ZoneKind::Stand));
    let inside = |zone: Option<ZoneId>| zone.is_some_and(|zone| is_itself || !is_fan_zone(zone));
    let joins_outside = |crossing: &Crossing| inside(crossing.from) != inside(crossing.to);
    let ways = crossings.iter().enumerate().filter(|(way, crossing)| joins_outside(crossing) && is_counted(*way));
    ways.map(|(way, crossing)| (way, inside(crossing.to))).collect()
}

fn doors(venue: &Venue) -> Vec<Vec<SensorId>> {
    let tells = |link: usize, measures: Measures| match measures {
        Measures::Door(door) => door.index() == link,
        Measures::Gate(gate) => venue.gates.get(gate.index()).is_some_and(|gate| gate.link.index() == link),
        _ => false,
    };
    let mut doors = vec![Vec::new(); venue.links.len()];
    for (i, sensor) in venue.sensors.iter().enumerate() {
        if !matches!(sensor.measures, Measures::Door(_) | Measures::Gate(_)) {
            continue;
        }
        if let Some(link) = (0..venue.links.len()).find(|link| tells(*link, sensor.measures)) {
            doors[link].push(SensorId::from(i));
        }
    }
    doors
}

fn exits(venue: &Venue, zone: ZoneId) -> Vec<ExitPlan> {
    let profile = &venue.zones[zone.index()].profile;
    let plan = |(i, link): (usize, &Link)| {
        let exit = link.exit.filter(|exit| exit.of == zone)?;
        let width_m = link.width_m.unwrap_or(0.0);
        Some(ExitPlan {
            link: LinkId::from(i),
            is_forward: link.from == Some(zone),
            gate: venue.gates.iter().position(|gate| gate.link.index() == i).map(GateId::from),
            width_m,
            per_min: width_m * exit_rate(link.kind, profile),
            opens_before_end: exit.opens_before_end,
        })
    };
    venue.links.iter().enumerate().filter_map(plan).collect()
}

fn gate_plan(venue: &Venue, id: GateId, gate: &Gate, link_sensors: &[Vec<LinkSensor>]) -> GatePlan {
    let on_link: &[LinkSensor] = link_sensors.get(gate.link.index()).map_or(&[], Vec::as_slice);
    let tells_state = |measures: Measures| measures == Measures::Gate(id);
    let states: Vec<SensorId> = venue.sensors.iter().enumerate().filter(|(_, s)| tells_state(s.measures)).map(|(i, _)| SensorId::from(i)).collect();
    let concerned: BTreeSet<SensorId> = on_link.iter().map(|s| s.sensor).chain(states.iter().copied()).collect();
    GatePlan { by_scans: on_link.is_empty(), states, concerned: concerned.into_iter().collect(), limits: GateLimits::of(gate_profile(venue, gate), venue.pane) }
}

fn passages(venue: &Venue, crossings: &[Crossing], zones: &[ZonePlan], gates: &[GatePlan], link_sensors: &[Vec<LinkSensor>]) -> Vec<Passage> {
    let mut passages: Vec<Passage> = (0..venue.zones.len()).filter_map(|i| passage(venue, ZoneId::from(i), crossings, zones, gates, link_sensors)).collect();
    let seats: Vec<ZoneId> = passages.iter().map(|passage| passage.seats).collect();
    for passage in &mut passages {
        passage.beside = seats.iter().filter(|known| **known == passage.seats).count() as u32;
    }
    passages
}

fn passage(venue: &Venue, id: ZoneId, crossings: &[Crossing], zones: &[ZonePlan], gates: &[GatePlan], link_sensors: &[Vec<LinkSensor>]) -> Option<Passage> {
    let (zone, plan) = (&venue.zones[id.index()], &zones[id.index()]);
    if zone.kind != ZoneKind::Concourse || !zone.closed || !plan.heads.is_empty() {
        return None;
    }
    let seats_over = |way: usize, is_inwards: bool| {
        let ends = crossings.get(way)?;
        let other = if is_inwards { ends.from } else { ends.to }?;
        let place = &venue.zones[other.index()];
        (place.closed && matches!(place.kind, ZoneKind::Bowl | ZoneKind::Stand) && zones[other.index()].heads.is_empty()).then_some(other)
    };
    let mut to_seats = plan.ways.iter().enumerate().filter_map(|(at, (way, is_inwards))| Some((at, *way, !is_inwards, seats_over(*way, *is_inwards)?)));
    let (Some((at, way, is_out, seats)), None) = (to_seats.next(), to_seats.next()) else { return None };
    let leads_here = |gate: &Gate| crossings.get(gate.link.index()).is_some_and(|ends| ends.to == Some(id) && ends.from != Some(id));
    let into: Vec<GateId> = venue.gates.iter().enumerate().filter(|(_, gate)| leads_here(gate)).map(|(i, _)| GateId::from(i)).collect();
    let is_counted = link_sensors.get(way).is_some_and(|counters| !counters.is_empty()) && into.iter().all(|gate| !gates[gate.index()].by_scans);
    let there = zones[seats.index()].ways.iter().position(|(known, _)| *known == way)?;
    (is_counted && !into.is_empty()).then_some(Passage { zone: id, gates: into, way, is_out, at, seats, there, beside: 1 })
}

fn zone_plan(venue: &Venue, id: ZoneId, crossings: &[Crossing], link_sensors: &[Vec<LinkSensor>], gates: &[GatePlan]) -> ZonePlan {
    let zone = &venue.zones[id.index()];
    let touches = |crossing: &Crossing| (crossing.to == Some(id)) != (crossing.from == Some(id));
    let ways: Vec<(usize, bool)> = crossings.iter().enumerate().filter(|(_, c)| touches(c)).map(|(i, c)| (i, c.to == Some(id))).collect();
    let heads: Vec<SensorId> = venue.sensors.iter().enumerate().filter(|(_, s)| s.measures == Measures::Zone(id)).map(|(i, _)| SensorId::from(i)).collect();
    let queue_of: Vec<GateId> = venue.gates.iter().enumerate().filter(|(_, g)| g.queue == Some(id)).map(|(i, _)| GateId::from(i)).collect();
    let mut concerned: BTreeSet<SensorId> = heads.iter().copied().collect();
    // Who passes within the zone changes no head count, but a silent counter there leaves the zone unheard.
    let within = crossings.iter().enumerate().filter(|(_, c)| c.from == Some(id) && c.to == Some(id)).map(|(i, _)| i);
    for way in ways.iter().map(|(way, _)| *way).chain(within) {
        concerned.extend(link_sensors.get(way).into_iter().flatten().map(|s| s.sensor));
    }
    for (gate, plan) in venue.gates.iter().zip(gates) {
        if gate.queue == Some(id) || ways.iter().any(|(way, _)| *way == gate.link.index()) {
            concerned.extend(&plan.concerned);
        }
    }
    let table: FlowTable = zone.table;
    ZonePlan {
        over: ways.iter().map(|(crossing, _)| way(*crossing, link_sensors.len())).collect(),
        ways,
        heads,
        concerned: concerned.into_iter().collect(),
        queue_of,
        limits: ZoneLimits::of(&zone.profile, table),
        measure: measure(&zone.profile),
        ground: Polygon::new(zone.ground_m.clone()),
    }
}

//! The roll of a venue: everything that any of its configurations has, by name, and each configuration brought to the numbers of the roll.
//!
//! The idea: inside, a zone or a sensor is a number, and what lasts is kept by numbers. A configuration that takes another's place may have a gate or a sensor more, or one less. So the
//! numbers are those of all configurations together: what the first has, in its order, then what each later one adds. What a configuration does not have stands in it at its number,
//! inert: it measures nothing, joins nothing and lets nobody in, so whoever goes through a list finds nothing to do there. [`Absent`] names it, for those who would publish it or wait for it.
//!
//! ```text
//!   first        gate a, gate b            ─►  gate a, gate b, (gate c)
//!   from 20:00   gate a, gate c            ─►  gate a, (gate b), gate c
//!   read by      ────                      ─►  gate a, gate b, gate c     whoever reads a record knows them all
//! ```

use super::ids::{ApproachId, GateId, LinkId, SensorId, SourceId, StopId, ZoneId};
use super::model::{Gate, Link, Match, Measures, Sensor, Source, Stop, Venue, Zone, ZoneKind};
use super::names::Names;
use super::plan::{Approach, Plan};
use super::section::Section;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What a configuration lacks of its venue's roll.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are the venue's lists")]
pub struct Absent {
    pub zones: BTreeSet<ZoneId>,
    pub links: BTreeSet<LinkId>,
    pub gates: BTreeSet<GateId>,
    pub stops: BTreeSet<StopId>,
    pub approaches: BTreeSet<ApproachId>,
    pub sensors: BTreeSet<SensorId>,
    pub sources: BTreeSet<SourceId>,
}

/// The names of a venue's things, list by list, in the order of their numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roll {
    lists: Vec<(String, Vec<Box<str>>)>,
}

impl Roll {
    /// The roll of a venue that [`bring_to_one_roll`] has been through.
    pub fn of(venue: &Venue) -> Self {
        let kinds = ["zone", "link", "gate", "stop", "approach", "sensor", "source"];
        let names = |names: &Names| names.iter().map(Box::from).collect();
        Self { lists: kinds.into_iter().zip(lists(venue)).map(|(kind, list)| (kind.to_owned(), names(list))).collect() }
    }

    /// Where this roll, an older one, is not what `now` begins with list by list, in words: then the numbers are of other things. `None` where it is.
    pub fn parts_from(&self, now: &Self) -> Option<String> {
        for ((kind, before), (_, now)) in self.lists.iter().zip(&now.lists) {
            if let Some(at) = (0..before.len()).find(|at| before.get(*at) != now.get(*at)) {
                let now = now.get(at).map_or_else(|| "there is none".to_owned(), |now| format!("there is {now}"));
                return Some(format!("where it had {kind} {} {now}", before[at]));
            }
        }
        None
    }
}

fn lists(venue: &Venue) -> [&Names; 7] {
    let Venue { zone_names, link_names, gate_names, stop_names, approach_names, sensor_names, source_names, .. } = venue;
    [zone_names, link_names, gate_names, stop_names, approach_names, sensor_names, source_names]
}

/// Brings a venue and its later configurations to one roll. The venue itself then has everything, for whoever reads records; what held at first is [`Venue::version`] 0.
pub fn bring_to_one_roll(venue: &mut Venue) {
    if venue.later.is_empty() {
        return;
    }
    let is_one = |later: &Venue| lists(venue).into_iter().zip(lists(later)).all(|(a, b)| a.iter().eq(b.iter()));
    if !venue.later.iter().all(|later| is_one(&later.venue)) {
        renumber_all(venue);
    }
    let first = Venue { later: Vec::new(), ..venue.clone() };
    let mut has_come = false;
    for source in &mut venue.sources {
        // A name on the wire is read before its pane is known.
        for later in venue.later.iter().flat_map(|later| &later.venue.sources).filter(|later| later.id == source.id) {
            for (name, called) in &later.wire.names {
                has_come |= !source.wire.names.contains_key(name);
                source.wire.names.entry(name.clone()).or_insert_with(|| called.clone());
            }
        }
    }
    if has_come && venue.first.is_none() {
        venue.first = Some(Box::new(first));
    }
}

fn renumber_all(venue: &mut Venue) {
    let mut first = venue.clone();
    first.later.clear();
    let mut versions: Vec<Venue> = [first].into_iter().chain(venue.later.iter().map(|later| later.venue.clone())).collect();
    let names: Vec<Names> = (0..7).map(|list| Names::new(versions.iter().flat_map(|version| lists(version)[list].iter()))).collect();
    for version in &mut versions {
        renumber(version, &names);
    }
    venue.zones = bring(&mut versions, &names[0], |version| (&mut version.zones, &mut version.absent.zones), |zone| &zone.id, inert_zone);
    venue.links = bring(&mut versions, &names[1], |version| (&mut version.links, &mut version.absent.links), |link| &link.id, inert_link);
    venue.gates = bring(&mut versions, &names[2], |version| (&mut version.gates, &mut version.absent.gates), |gate| &gate.id, inert_gate);
    venue.stops =
        bring(&mut versions, &names[3], |version| (&mut version.stops, &mut version.absent.stops), |stop| &stop.id, |stop| Stop { zone: None, ..stop });
    venue.approaches = bring(&mut versions, &names[4], |version| (&mut version.approaches, &mut version.absent.approaches), |way| &way.id, inert_approach);
    let inert_sensor = |sensor| Sensor { measures: Measures::Nothing, ..sensor };
    venue.sensors = bring(&mut versions, &names[5], |version| (&mut version.sensors, &mut version.absent.sensors), |sensor| &sensor.id, inert_sensor);
    venue.sources = bring(&mut versions, &names[6], |version| (&mut version.sources, &mut version.absent.sources), |source| &source.id, |source| source);
    for version in versions.iter_mut().chain([&mut *venue]) {
        let known = names.clone();
        let Ok([zones, links, gates, stops, approaches, sensors, sources]) = <[Names; 7]>::try_from(known) else { continue };
        (version.zone_names, version.link_names, version.gate_names, version.stop_names) = (zones, links, gates, stops);
        (version.approach_names, version.sensor_names, version.source_names) = (approaches, sensors, sources);
    }
    let mut versions = versions.into_iter();
    venue.first = versions.next().map(Box::new);
    venue.matches = venue.version(0).matches.clone();
    venue.later.iter_mut().zip(versions).for_each(|(later, version)| later.venue = version);
}

/// Brings one list of each configuration to the numbers of `names`; gives the whole list, each thing as the first configuration that has it says.
fn bring<T: Clone, Id: From<usize> + Ord>(
    versions: &mut [Venue],
    names: &Names,
    list: impl Fn(&mut Venue) -> (&mut Vec<T>, &mut BTreeSet<Id>),
    id: impl Fn(&T) -> &str,
    inert: impl Fn(T) -> T,
) -> Vec<T> {
    let mut placed: Vec<Vec<Option<T>>> = Vec::with_capacity(versions.len());
    for version in versions.iter_mut() {
        let mut by_number: Vec<Option<T>> = vec![None; names.len()];
        for thing in list(version).0.drain(..) {
            if let Some(at) = names.position(id(&thing)) {
                by_number[at] = Some(thing);
            }
        }
        placed.push(by_number);
    }
    let whole: Vec<T> = (0..names.len()).filter_map(|at| placed.iter().find_map(|list| list[at].clone())).collect();
    for (version, placed) in versions.iter_mut().zip(placed) {
        let (own, absent) = list(version);
        absent.extend(placed.iter().enumerate().filter(|(_, thing)| thing.is_none()).map(|(at, _)| Id::from(at)));
        own.extend(placed.into_iter().zip(&whole).map(|(thing, whole)| thing.unwrap_or_else(|| inert(whole.clone()))));
    }
    whole
}

/// Nobody knows who is in it.
fn inert_zone(zone: Zone) -> Zone {
    Zone {
        kind: ZoneKind::Counted,
        perimeter: None,
        area_m2: None,
        capacity: None,
        closed: false,
        ground_m: Vec::new(),
        section: Section::default(),
        shape: None,
        ..zone
    }
}

fn inert_link(link: Link) -> Link {
    Link { from: None, to: None, width_m: None, exit: None, at: None, ..link }
}

fn inert_gate(gate: Gate) -> Gate {
    Gate { queue: None, lanes: 0, entry: false, ..gate }
}

fn inert_approach(approach: Approach) -> Approach {
    Approach { links: Vec::new(), stops: Vec::new(), gates: Vec::new(), ..approach }
}

/// Turns every number that a thing of `venue` has for another into that of the roll.
fn renumber(venue: &mut Venue, names: &[Names]) {
    let of = |list: usize, own: &Names| -> Vec<usize> { own.iter().map(|name| names[list].position(name).unwrap_or_default()).collect() };
    let numbers: Vec<Vec<usize>> = lists(venue).into_iter().enumerate().map(|(list, own)| of(list, own)).collect();
    let zone = |id: ZoneId| ZoneId::from(numbers[0][id.index()]);
    let link = |id: LinkId| LinkId::from(numbers[1][id.index()]);
    let gate = |id: GateId| GateId::from(numbers[2][id.index()]);
    let stop = |id: StopId| StopId::from(numbers[3][id.index()]);
    let approach = |id: ApproachId| ApproachId::from(numbers[4][id.index()]);
    for place in &mut venue.zones {
        place.section.entry_gates.iter_mut().for_each(|id| *id = gate(*id));
    }
    for way in &mut venue.links {
        (way.from, way.to) = (way.from.map(zone), way.to.map(zone));
        if let Some(exit) = &mut way.exit {
            exit.of = zone(exit.of);
        }
    }
    for entrance in &mut venue.gates {
        (entrance.link, entrance.queue) = (link(entrance.link), entrance.queue.map(zone));
    }
    venue.stops.iter_mut().for_each(|place| place.zone = place.zone.map(zone));
    for way in &mut venue.approaches {
        way.links.iter_mut().for_each(|id| *id = link(*id));
        way.stops.iter_mut().for_each(|id| *id = stop(*id));
        way.gates.iter_mut().for_each(|id| *id = gate(*id));
    }
    for sensor in &mut venue.sensors {
        sensor.source = SourceId::from(numbers[6][sensor.source.index()]);
        sensor.measures = match sensor.measures {
            Measures::Link { link: of, reversed } => Measures::Link { link: link(of), reversed },
            Measures::Zone(of) => Measures::Zone(zone(of)),
            Measures::Gate(of) => Measures::Gate(gate(of)),
            Measures::Door(of) => Measures::Door(link(of)),
            Measures::Nothing => Measures::Nothing,
        };
    }
    for of_the_day in &mut venue.matches {
        let Plan { approach_shares, arrival_curve: _, tickets, services } = &mut of_the_day.plan;
        approach_shares.iter_mut().for_each(|(id, _)| *id = approach(*id));
        tickets.iter_mut().for_each(|(id, _)| *id = zone(*id));
        services.iter_mut().for_each(|service| service.stop = stop(service.stop));
    }
}

/// What of a list by the roll's numbers a configuration has, each with its number.
pub fn numbered<'a, T, Id: From<usize> + Ord>(list: &'a [T], absent: &'a BTreeSet<Id>) -> impl Iterator<Item = (usize, &'a T)> + Clone {
    list.iter().enumerate().filter(|(index, _)| !absent.contains(&Id::from(*index)))
}

/// The same without the numbers.
pub fn there<'a, T, Id: From<usize> + Ord>(list: &'a [T], absent: &'a BTreeSet<Id>) -> impl Iterator<Item = &'a T> {
    numbered(list, absent).map(|(_, thing)| thing)
}

impl Venue {
    /// Which configuration is in force in the pane ending at `end`: 0 for the first, else the place among the later ones, from 1.
    pub fn version_at(&self, end: crate::time::EventTime) -> usize {
        self.later.partition_point(|later| later.from < end)
    }

    /// The configuration of that number.
    pub fn version(&self, version: usize) -> &Self {
        let later = version.checked_sub(1).and_then(|place| self.later.get(place)).map(|later| &later.venue);
        later.or(self.first.as_deref()).unwrap_or(self)
    }

    /// What it has and another configuration of the venue has not, each thing by kind and name.
    pub fn beyond(&self, other: &Self) -> Vec<String> {
        let (a, b) = (&self.absent, &other.absent);
        fn names<Id: Copy + Ord + Into<usize>>(kind: &str, own: &BTreeSet<Id>, others: &BTreeSet<Id>, names: &Names) -> Vec<String> {
            others.difference(own).map(|id| format!("{kind} {}", names.name((*id).into()))).collect()
        }
        [
            names("zone", &a.zones, &b.zones, &self.zone_names),
            names("link", &a.links, &b.links, &self.link_names),
            names("gate", &a.gates, &b.gates, &self.gate_names),
            names("stop", &a.stops, &b.stops, &self.stop_names),
            names("approach", &a.approaches, &b.approaches, &self.approach_names),
            names("sensor", &a.sensors, &b.sensors, &self.sensor_names),
            names("source", &a.sources, &b.sources, &self.source_names),
        ]
        .concat()
    }

    /// Its matches, each with the configuration that is in force at its kick-off.
    pub fn match_days(&self) -> impl Iterator<Item = (&Self, &Match)> {
        let in_force = move |version: usize| {
            let venue = self.version(version);
            venue.matches.iter().filter(move |day| self.version_at(day.kick_off) == version).map(move |day| (venue, day))
        };
        (0..=self.later.len()).flat_map(in_force)
    }

    /// The sources that it has, each with what stands at its number in `list`.
    pub fn with_sources<'a, T>(&'a self, list: &'a [T]) -> impl Iterator<Item = (&'a Source, &'a T)> + Clone {
        numbered(&self.sources, &self.absent.sources).filter_map(|(index, source)| Some((source, list.get(index)?)))
    }

    /// The number of the configuration with this fingerprint, where it is one of this venue's.
    pub fn version_of(&self, fingerprint: &str) -> Option<usize> {
        (0..=self.later.len()).find(|version| self.version(*version).fingerprint == fingerprint)
    }
}

#[cfg(test)]
#[path = "roll_tests.rs"]
mod tests;

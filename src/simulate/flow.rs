//! How people move: second by second, over links of limited width, into zones of limited room.
//!
//! A person is either crossing a zone (and stands in the diary of the second at which that ends) or waits in line at a link. Lines are served in
//! order of arrival; a line moves as fast as its link lets it and the zone behind has room, so that queues spill back by themselves.

use super::chance::Chance;
use super::people::{Aim, Person};
use super::routes::{Hop, Mode, Routes, length_m, origin, target};
use super::script::Script;
use super::trains::Platform;
use crate::venue::{LinkId, LinkKind, Venue, ZoneId, ZoneKind};
use std::collections::{BTreeMap, VecDeque};

/// What a scanner at a gate saw.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scanned {
    /// Position in [`Routes::gates`].
    pub(super) gate: u16,
    pub(super) person: u32,
    pub(super) second: u32,
    pub(super) what: ScanResult,
    /// How long the person had queued, s.
    pub(super) waited: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScanResult {
    Entered,
    Left,
    Rejected(&'static str),
}

/// Everybody, and where each of them is.
pub(super) struct Flow {
    pub(super) people: Vec<Person>,
    /// By zone.
    pub(super) occupancy: Vec<u32>,
    /// By link: totals forwards and backwards since the beginning.
    pub(super) crossed: Vec<[u64; 2]>,
    /// Persons who have come from outside and gone there.
    pub(super) came: u32,
    pub(super) went: u32,
    /// What scanners saw in the last second.
    pub(super) scanned: Vec<Scanned>,
    places: Vec<Option<ZoneId>>,
    lines: Vec<Line>,
    diary: Vec<Vec<u32>>,
    room: Vec<u32>,
    lengths: Vec<f64>,
    /// By gate of [`Routes`]: how fast its crew is.
    crew: Vec<f64>,
    gate_of_line: Vec<Option<u16>>,
    entry_of_line: Vec<Option<u16>>,
}

/// People in line at one side of a link.
#[derive(Default)]
struct Line {
    waiting: VecDeque<u32>,
    /// Persons per second.
    rate: f64,
    credit: f64,
    into: Option<ZoneId>,
    out_of: Option<ZoneId>,
}

fn line_of(hop: Hop) -> usize {
    hop.link.index() * 2 + usize::from(!hop.forward)
}

fn hop_of(line: usize) -> Hop {
    Hop { link: LinkId::from(line / 2), forward: line.is_multiple_of(2) }
}

impl Flow {
    pub(super) fn new(venue: &Venue, routes: &Routes, script: &Script, people: Vec<Person>, chance: &mut Chance) -> Self {
        let line_count = venue.links.len() * 2;
        let mut diary = vec![Vec::new(); script.seconds as usize + 1];
        for (index, person) in people.iter().enumerate() {
            if let Some(page) = diary.get_mut(person.comes as usize) {
                page.push(index as u32);
            }
        }
        let position = |hops: Vec<Hop>| {
            let mut of_line = vec![None; line_count];
            for (index, hop) in hops.into_iter().enumerate() {
                of_line[line_of(hop)] = Some(index as u16);
            }
            of_line
        };
        let back = |hop: Hop| Hop { forward: !hop.forward, ..hop };
        Self {
            occupancy: vec![0; venue.zones.len()],
            crossed: vec![[0; 2]; venue.links.len()],
            came: 0,
            went: 0,
            scanned: Vec::new(),
            places: vec![None; people.len()],
            lines: (0..line_count).map(|line| Line::new(venue, routes, hop_of(line), people.len())).collect(),
            diary,
            room: (0..venue.zones.len()).map(|zone| room(venue, ZoneId::from(zone))).collect(),
            lengths: (0..venue.zones.len()).map(|zone| length_m(venue, ZoneId::from(zone))).collect(),
            crew: routes.gates.iter().map(|_| chance.factor(0.06)).collect(),
            gate_of_line: position(routes.gates.iter().map(|gate| gate.through).collect()),
            entry_of_line: position(routes.entries.iter().map(|entry| back(entry.hop)).collect()),
            people,
        }
    }

    /// Plays one second.
    pub(super) fn step(&mut self, now: u32, world: &mut Surroundings<'_>, chance: &mut Chance) {
        self.scanned.clear();
        let Some(page) = self.diary.get_mut(now as usize) else {
            return;
        };
        for index in std::mem::take(page) {
            self.wake(index, now, world, chance);
        }
        for line in 0..self.lines.len() {
            self.serve(line, now, world, chance);
        }
    }

    /// Persons waiting in a zone's line through `hop`.
    pub(super) fn in_line(&self, hop: Hop) -> usize {
        self.lines[line_of(hop)].waiting.len()
    }

    fn wake(&mut self, index: u32, now: u32, world: &Surroundings<'_>, chance: &mut Chance) {
        let person = self.people[index as usize];
        let routes = world.routes;
        let gate = &routes.gates[usize::from(person.gate)];
        let zone = self.places[index as usize];
        let Some(zone) = zone else {
            self.lines[line_of(routes.entries[usize::from(person.entry)].hop)].waiting.push_back(index);
            return;
        };
        let aim = match person.aim {
            Aim::FanFirst => Aim::Gate,
            Aim::FanOnly => Aim::Home,
            Aim::Seated if now < person.leaves && person.snack > 0 => Aim::Snack,
            Aim::Seated => if_early(now, world.script),
            Aim::Snack => Aim::Seat,
            other => other,
        };
        self.people[index as usize].aim = aim;
        if aim == Aim::Gate && zone == gate.before {
            self.choose_gate(index, now, world, chance);
        }
        match self.next_hop(index, zone, routes) {
            Some(hop) => self.lines[line_of(hop)].waiting.push_back(index),
            // At the way out already.
            None => self.lines[line_of(reversed(routes.entries[usize::from(person.exit)].hop))].waiting.push_back(index),
        }
    }

    fn next_hop(&self, index: u32, zone: ZoneId, routes: &Routes) -> Option<Hop> {
        let person = &self.people[index as usize];
        let gate = &routes.gates[usize::from(person.gate)];
        match person.aim {
            Aim::Gate | Aim::FanFirst | Aim::FanOnly if zone == gate.queue => Some(gate.through),
            Aim::Gate | Aim::FanFirst | Aim::FanOnly => gate.to_queue.next(zone),
            Aim::Seat | Aim::Seated => gate.to_seat.next(zone),
            Aim::Snack => gate.to_concourse.next(zone),
            Aim::HomeByGate if zone == gate.queue => Some(reversed(gate.join)),
            Aim::HomeByGate if zone == gate.concourse => Some(reversed(gate.through)),
            Aim::Home | Aim::HomeByGate => gate.to_concourse.next(zone).or_else(|| routes.home[usize::from(person.exit)].next(zone)),
        }
    }

    /// Before the gates of a sector some go where the line is shorter, and stewards send people away from a gate that has failed.
    fn choose_gate(&mut self, index: u32, now: u32, world: &Surroundings<'_>, chance: &mut Chance) {
        let own = usize::from(self.people[index as usize].gate);
        let before = world.routes.gates[own].before;
        let load = |flow: &Self, gate: usize| {
            let gate = &world.routes.gates[gate];
            let lanes = world.venue.gates[gate.gate.index()].lanes.max(1);
            (flow.in_line(gate.through) + flow.in_line(gate.join)) as f64 / f64::from(lanes)
        };
        let siblings = (0..world.routes.gates.len()).filter(|gate| world.routes.gates[*gate].before == before);
        let Some(best) = siblings.min_by(|a, b| load(self, *a).total_cmp(&load(self, *b))) else {
            return;
        };
        let failed = world.script.broken_gate.holds(world.routes.gates[own].gate, now);
        let tempted = load(self, own) > 1.5 * load(self, best) + 8.0;
        if (failed && chance.happens(0.35)) || (tempted && chance.happens(0.25)) {
            self.people[index as usize].gate = best as u16;
        }
    }

    fn serve(&mut self, line: usize, now: u32, world: &mut Surroundings<'_>, chance: &mut Chance) {
        if self.lines[line].waiting.is_empty() {
            self.lines[line].credit = 0.0;
            return;
        }
        let gate = self.gate_of_line[line];
        let rate = match gate {
            Some(gate) => self.gate_rate(gate, now, world),
            None => self.lines[line].rate,
        };
        self.lines[line].credit = (self.lines[line].credit + rate).min(rate + 1.0);
        while self.lines[line].credit >= 1.0 {
            let has_room = self.lines[line].into.is_none_or(|zone| self.occupancy[zone.index()] < self.room[zone.index()]);
            let has_train = self.entry_of_line[line].is_none_or(|entry| world.has_train(entry, now));
            let Some(index) = self.lines[line].waiting.front().copied().filter(|_| has_room && has_train) else {
                return;
            };
            self.lines[line].credit -= 1.0;
            self.lines[line].waiting.pop_front();
            match gate {
                Some(gate) => self.scan(line, gate, index, now, world, chance),
                None => self.cross(line, index, now, world, chance),
            }
        }
    }

    fn gate_rate(&self, gate: u16, now: u32, world: &Surroundings<'_>) -> f64 {
        let routes = &world.routes.gates[usize::from(gate)];
        let configured = &world.venue.gates[routes.gate.index()];
        let lanes = world.script.lanes_open(routes.gate, configured.lanes, now);
        f64::from(lanes) * configured.lane_rate_per_h / 3_600.0 * self.crew[usize::from(gate)]
    }

    /// A ticket is held to the scanner: most are let in, some must try again, a few are turned away.
    fn scan(&mut self, line: usize, gate: u16, index: u32, now: u32, world: &mut Surroundings<'_>, chance: &mut Chance) {
        let person = &mut self.people[index as usize];
        let waited = now - person.queued.min(now);
        let mut seen = |what| self.scanned.push(Scanned { gate, person: index, second: now, what, waited });
        if person.again || !chance.happens(0.01) {
            seen(ScanResult::Entered);
            person.aim = Aim::Seat;
            self.cross(line, index, now, world, chance);
            return;
        }
        if chance.happens(0.8) {
            seen(ScanResult::Rejected("unreadable"));
            person.again = true;
            self.lines[line].waiting.push_front(index);
            return;
        }
        seen(ScanResult::Rejected(if chance.happens(0.5) { "already_redeemed" } else { "invalid" }));
        person.aim = Aim::HomeByGate;
        let back = reversed(world.routes.gates[usize::from(gate)].join);
        self.lines[line_of(back)].waiting.push_back(index);
    }

    /// Moves a person over a link.
    fn cross(&mut self, line: usize, index: u32, now: u32, world: &mut Surroundings<'_>, chance: &mut Chance) {
        let hop = hop_of(line);
        self.crossed[hop.link.index()][usize::from(!hop.forward)] += 1;
        let (out_of, into) = (self.lines[line].out_of, self.lines[line].into);
        match out_of {
            Some(zone) => self.occupancy[zone.index()] -= 1,
            None => self.came += 1,
        }
        self.places[index as usize] = into;
        let Some(zone) = into else {
            self.went += 1;
            if let Some(entry) = self.entry_of_line[line] {
                world.board(entry, now);
            }
            return;
        };
        self.occupancy[zone.index()] += 1;
        let person = self.people[index as usize];
        let gate = &world.routes.gates[usize::from(person.gate)];
        if person.aim == Aim::HomeByGate && reversed(gate.through) == hop {
            self.scanned.push(Scanned { gate: person.gate, person: index, second: now, what: ScanResult::Left, waited: 0 });
        }
        if zone == gate.queue && person.aim == Aim::Gate {
            self.people[index as usize].queued = now;
            self.lines[line_of(gate.through)].waiting.push_back(index);
            return;
        }
        if zone == gate.seat && person.aim == Aim::Seat {
            self.sit_down(index, now);
            return;
        }
        let until = now + self.stay(&person, zone, now, world, chance).max(1);
        self.note(index, until);
    }

    fn sit_down(&mut self, index: u32, now: u32) {
        let person = &mut self.people[index as usize];
        person.aim = Aim::Seated;
        if person.snack > 0 && person.snack <= now {
            person.snack = 0;
        }
        let next = if person.snack > 0 { person.snack } else { person.leaves.max(now + 5) };
        self.note(index, next);
    }

    fn note(&mut self, index: u32, second: u32) {
        // What would happen after the night's end does not.
        if let Some(page) = self.diary.get_mut(second as usize) {
            page.push(index);
        }
    }

    /// How long a person is in a zone before standing in line for the next, s.
    fn stay(&mut self, person: &Person, zone: ZoneId, now: u32, world: &Surroundings<'_>, chance: &mut Chance) -> u32 {
        let area = world.venue.zones[zone.index()].area_m2.unwrap_or(10_000.0);
        let density = f64::from(self.occupancy[zone.index()]) / area;
        let walk = self.lengths[zone.index()] / walking_speed(density) * chance.factor(0.22);
        let gate = &world.routes.gates[usize::from(person.gate)];
        let linger = match person.aim {
            Aim::FanFirst if is_fan_zone(world.venue, zone) => f64::from(person.leaves_fan_zone.saturating_sub(now)),
            Aim::FanOnly => f64::from(person.leaves.saturating_sub(now)),
            // Friends are waited for, scarves bought; less so when the match is near.
            Aim::Gate if zone == gate.before => chance.wait(if now + 1_800 < world.script.planned_kick_off { 540.0 } else { 90.0 }),
            Aim::Seat if zone == gate.concourse && now + 600 < world.script.kick_off => chance.wait(200.0),
            Aim::Snack => chance.between(180.0, 600.0),
            _ => 0.0,
        };
        (walk + linger) as u32
    }
}

/// What the people move in: the venue and its ways, the script, the trains.
pub(super) struct Surroundings<'a> {
    pub(super) venue: &'a Venue,
    pub(super) routes: &'a Routes,
    pub(super) script: &'a Script,
    pub(super) platforms: &'a mut BTreeMap<usize, Platform>,
}

impl Surroundings<'_> {
    /// Whether people can leave through an entry now; a railway takes them only while a train stands there.
    fn has_train(&mut self, entry: u16, now: u32) -> bool {
        self.platforms.get_mut(&usize::from(entry)).is_none_or(|platform| platform.boarding(now).is_some())
    }

    fn board(&mut self, entry: u16, now: u32) {
        if let Some(train) = self.platforms.get_mut(&usize::from(entry)).and_then(|platform| platform.boarding(now)) {
            train.boarded += 1;
        }
    }
}

impl Line {
    fn new(venue: &Venue, routes: &Routes, hop: Hop, people: usize) -> Self {
        let link = &venue.links[hop.link.index()];
        let (out_of, into) = (origin(venue, hop), target(venue, hop));
        let kind = |zone: Option<ZoneId>| zone.map(|zone| venue.zones[zone.index()].kind);
        let per_metre = match (link.kind, kind(out_of), kind(into)) {
            // A bag check and a look at the ticket.
            (_, Some(ZoneKind::Checkpoint), Some(ZoneKind::Forecourt)) => 0.26,
            (LinkKind::Stairs, ..) => 1.0,
            _ => 1.2,
        };
        let by_width = link.width_m.unwrap_or(6.0) * per_metre;
        let outwards = routes.entries.iter().find(|entry| into.is_none() && entry.hop.link == hop.link).map(|entry| entry.mode);
        // Buses and cars take an hour to take away those who came with them.
        let rate = match outwards {
            Some(Mode::Bus) => people as f64 * 0.22 / 3_000.0,
            Some(Mode::Car) => people as f64 * 0.12 / 3_600.0,
            _ => by_width,
        };
        Self { waiting: VecDeque::new(), rate, credit: 0.0, into, out_of }
    }
}

/// Those who get up before the end find the exits shut and leave by their gate.
fn if_early(now: u32, script: &Script) -> Aim {
    if now < script.final_whistle { Aim::HomeByGate } else { Aim::Home }
}

fn reversed(hop: Hop) -> Hop {
    Hop { forward: !hop.forward, ..hop }
}

fn is_fan_zone(venue: &Venue, zone: ZoneId) -> bool {
    venue.zones[zone.index()].kind == ZoneKind::FanZone
}

/// Weidmann's speed at a density (persons/m²), m/s; even the densest crowd creeps.
fn walking_speed(density: f64) -> f64 {
    const CREEP: f64 = 0.15;
    if density <= 0.01 {
        return 1.34;
    }
    (1.34 * (1.0 - libm::exp(-1.913 * (1.0 / density - 1.0 / 5.4)))).max(CREEP)
}

/// How many persons stewards let into a zone: by area and kind, else by its capacity.
fn room(venue: &Venue, zone: ZoneId) -> u32 {
    let zone = &venue.zones[zone.index()];
    let per_m2 = match zone.kind {
        ZoneKind::Platform => 1.6,
        ZoneKind::StationHall => 2.2,
        ZoneKind::Bowl | ZoneKind::Stand => return u32::MAX,
        ZoneKind::Forecourt => 3.6,
        _ => 3.1,
    };
    zone.area_m2.map_or_else(|| zone.capacity.unwrap_or(u32::MAX), |area| (area * per_m2) as u32)
}

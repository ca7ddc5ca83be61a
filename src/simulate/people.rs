//! Who comes, when, by what, through which gate, and when each goes home. Drawn once for the whole night.

use super::chance::Chance;
use super::routes::{Mode, Routes};
use super::script::Script;
use super::trains::Platform;
use crate::venue::{Match, Venue, ZoneKind};
use std::collections::BTreeMap;

/// Kinds of spectators; each has its own arrival curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Visitor {
    Local,
    Away,
    Family,
    Hospitality,
}

impl Visitor {
    /// The word in a scan's `visitor`.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Away => "away",
            Self::Family => "family",
            Self::Hospitality => "hospitality",
        }
    }
}

/// (kind, share of the spectators, beta parameters of the arrival between three hours before kick-off and twenty minutes after it).
const VISITORS: [(Visitor, f64, (usize, usize)); 4] =
    [(Visitor::Local, 0.66, (5, 4)), (Visitor::Away, 0.14, (4, 6)), (Visitor::Family, 0.14, (3, 5)), (Visitor::Hospitality, 0.06, (3, 6))];

/// By what people come, as shares; what a venue has not falls to the others.
const MODES: [(Mode, f64); 5] = [(Mode::Rail, 0.34), (Mode::Bus, 0.22), (Mode::Car, 0.12), (Mode::Walk, 0.26), (Mode::Fan, 0.06)];

/// How strongly organisers match a gate to the side people come from: the attraction falls to a third over this many metres.
const ATTRACTION_M: f64 = 500.0;

/// What a person is about to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aim {
    /// To the fan zone first, ticket in the pocket.
    FanFirst,
    /// To the fan zone, without a ticket.
    FanOnly,
    Gate,
    Seat,
    Seated,
    /// From the seat to the concourse for something to eat.
    Snack,
    Home,
    /// Home through the gate by which one came (early leavers, people turned away).
    HomeByGate,
}

/// One person. Times are seconds of the night.
#[derive(Clone, Copy, Debug)]
pub(super) struct Person {
    pub(super) visitor: Visitor,
    pub(super) aim: Aim,
    /// Position in [`Routes::gates`].
    pub(super) gate: u16,
    /// Position in [`Routes::entries`].
    pub(super) entry: u16,
    pub(super) exit: u16,
    /// When the person comes.
    pub(super) comes: u32,
    /// When the person leaves the fan zone for the gate.
    pub(super) leaves_fan_zone: u32,
    /// When the person gets up for a break, 0 for never.
    pub(super) snack: u32,
    pub(super) leaves: u32,
    /// When the person joined the queue of the gate.
    pub(super) queued: u32,
    /// A ticket that was refused once and is tried again.
    pub(super) again: bool,
}

/// Draws everybody, and fills the trains.
pub(super) fn draw(
    venue: &Venue,
    game: &Match,
    routes: &Routes,
    script: &Script,
    platforms: &mut BTreeMap<usize, Platform>,
    chance: &mut Chance,
) -> Vec<Person> {
    let crowd = Crowd::new(venue, routes, chance);
    let spectators = f64::from(game.expected_attendance) * chance.normal(1.0, 0.006);
    let spectators = (spectators as u32).min(venue.capacity);
    let mut people: Vec<Person> = (0..spectators).map(|_| crowd.spectator(routes, script, platforms, chance)).collect();
    people.extend((0..crowd.fan_zone_guests).filter_map(|_| crowd.guest(routes, script, chance)));
    people
}

/// How gates and means of transport are chosen.
struct Crowd {
    shares: Vec<f64>,
    home_gates: Vec<f64>,
    away_gates: Vec<f64>,
    /// By gate, by entry.
    entries: Vec<Vec<f64>>,
    walks: Vec<usize>,
    fan_zone_guests: u32,
}

impl Crowd {
    fn new(venue: &Venue, routes: &Routes, chance: &mut Chance) -> Self {
        // Tickets are sold by section, never quite as the lanes would like.
        let size = |gate: &super::routes::GateRoutes, chance: &mut Chance| f64::from(venue.gates[gate.gate.index()].lanes) * chance.factor(0.13);
        let sizes: Vec<f64> = routes.gates.iter().map(|gate| size(gate, chance)).collect();
        let away = away_gates(sizes.len(), chance);
        let of_side = |away_side: bool| sizes.iter().zip(&away).map(|(size, is_away)| if *is_away == away_side { *size } else { 0.0 }).collect();
        let fan_capacity: u32 = venue.zones.iter().filter(|zone| zone.kind == ZoneKind::FanZone).filter_map(|zone| zone.capacity).sum();
        let has_fan_entry = routes.entries.iter().any(|entry| entry.mode == Mode::Fan);
        let guests = if has_fan_entry { f64::from(fan_capacity) * chance.between(0.4, 0.55) } else { 0.0 };
        Self {
            shares: VISITORS.iter().map(|(_, share, _)| *share).collect(),
            home_gates: if sizes.len() > 1 { of_side(false) } else { sizes.clone() },
            away_gates: of_side(true),
            entries: entry_weights(routes),
            walks: (0..routes.entries.len()).filter(|index| routes.entries[*index].mode == Mode::Walk).collect(),
            fan_zone_guests: guests as u32,
        }
    }

    fn spectator(&self, routes: &Routes, script: &Script, platforms: &mut BTreeMap<usize, Platform>, chance: &mut Chance) -> Person {
        let (visitor, _, (a, b)) = VISITORS[chance.weighted(&self.shares)];
        let gate = chance.weighted(if visitor == Visitor::Away { &self.away_gates } else { &self.home_gates });
        let entry = chance.weighted(&self.entries[gate]);
        let mode = routes.entries[entry].mode;
        let from = script.planned_kick_off - 180 * 60;
        let wish = from + (chance.beta(a, b) * 200.0 * 60.0) as u32;
        let leaves = leaving(script, visitor, chance);
        let snack = if chance.happens(0.42) { script.half_time.saturating_sub(150) + (chance.beta(2, 4) * 900.0) as u32 } else { 0 };
        let mut person = Person {
            visitor,
            aim: Aim::Gate,
            gate: gate as u16,
            entry: entry as u16,
            exit: entry as u16,
            comes: wish,
            leaves_fan_zone: 0,
            snack,
            leaves: leaves.0,
            queued: 0,
            again: false,
        };
        if leaves.1 {
            person.snack = 0;
        }
        match mode {
            Mode::Rail => person.comes = platforms.get_mut(&entry).and_then(|platform| platform.ride(wish, chance)).unwrap_or(wish),
            Mode::Fan => {
                person.aim = Aim::FanFirst;
                person.leaves_fan_zone = wish;
                person.comes = wish.saturating_sub(chance.whole(1_800, 6_000));
                person.exit = self.walks.get(chance.index(self.walks.len())).map_or(entry, |walk| *walk) as u16;
            }
            Mode::Bus | Mode::Car | Mode::Walk => {}
        }
        person
    }

    /// Someone without a ticket, who watches the match in the fan zone.
    fn guest(&self, routes: &Routes, script: &Script, chance: &mut Chance) -> Option<Person> {
        let fans: Vec<usize> = (0..routes.entries.len()).filter(|index| routes.entries[*index].mode == Mode::Fan && !self.entries.is_empty()).collect();
        let entry = *fans.get(chance.index(fans.len()))? as u16;
        Some(Person {
            visitor: Visitor::Local,
            aim: Aim::FanOnly,
            gate: 0,
            entry,
            exit: entry,
            comes: (chance.beta(3, 3) * f64::from(script.planned_kick_off + 1_200)) as u32,
            leaves_fan_zone: 0,
            snack: 0,
            leaves: leaving(script, Visitor::Local, chance).0,
            queued: 0,
            again: false,
        })
    }
}

/// Neighbouring gates for the visiting side, about its share of them; none where there is but one gate.
fn away_gates(gates: usize, chance: &mut Chance) -> Vec<bool> {
    let count = ((gates as f64 * VISITORS[1].1) as usize).clamp(1, gates);
    let first = chance.index(gates);
    (0..gates).map(|gate| gates == 1 || (gate + gates - first) % gates < count).collect()
}

/// How people of each gate come: the shares of the means of transport, drawn towards the gates that lie near.
fn entry_weights(routes: &Routes) -> Vec<Vec<f64>> {
    let near = |gate: usize, entry: usize| libm::exp(-routes.gates[gate].to_queue.metres(routes.entries[entry].zone) / ATTRACTION_M);
    let gates = routes.gates.len();
    let weight_of = |entry: usize| {
        let mode = routes.entries[entry].mode;
        let doors = routes.entries.iter().filter(|other| other.mode == mode).count() as f64;
        let share = MODES.iter().find(|(of, _)| *of == mode).map_or(0.0, |(_, share)| *share);
        let mean = (0..gates).map(|gate| near(gate, entry)).sum::<f64>() / gates as f64;
        if mean > 0.0 { share / doors / mean } else { 0.0 }
    };
    let weights: Vec<f64> = (0..routes.entries.len()).map(weight_of).collect();
    (0..gates).map(|gate| weights.iter().enumerate().map(|(entry, weight)| weight * near(gate, entry)).collect()).collect()
}

/// When a person gets up to go home, and whether that is before the end. A match that is decided empties earlier.
fn leaving(script: &Script, visitor: Visitor, chance: &mut Chance) -> (u32, bool) {
    let home_goals = script.goals.iter().filter(|(_, home)| *home).count();
    let decided = home_goals.abs_diff(script.goals.len() - home_goals) >= 2;
    let early = if decided { 0.05 } else { 0.02 };
    if chance.happens(early) {
        return (script.final_whistle - chance.whole(180, 1_500), true);
    }
    let lingers = if visitor == Visitor::Hospitality { 0.8 } else { 0.35 };
    let minutes = if chance.happens(lingers) { chance.wait(8.0) + chance.wait(8.0) } else { chance.wait(2.0) + chance.wait(2.0) };
    (script.final_whistle + (minutes * 60.0) as u32, false)
}

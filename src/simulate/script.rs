//! What the night has in store: when the match is played, when gates open, and what goes wrong. Drawn before the first person comes.

use super::chance::Chance;
use super::{Options, SimError};
use crate::venue::{Feed, GateId, Match, Measures, SensorId, Venue};

/// The night begins so long before the planned kick-off, s.
pub(super) const BEFORE_KICK_OFF_S: u32 = 4 * 3_600;
/// And ends so long after it, s.
pub(super) const AFTER_KICK_OFF_S: u32 = 7 * 1_800;

const MINUTE: u32 = 60;

/// A thing and when something is wrong with it: `[from, to)`, seconds of the night.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spell<T> {
    pub(super) of: T,
    pub(super) from: u32,
    pub(super) to: u32,
}

impl<T: PartialEq + Copy> Spell<T> {
    pub(super) fn holds(&self, of: T, now: u32) -> bool {
        self.of == of && (self.from..self.to).contains(&now)
    }
}

/// The night's timetable, in seconds since its beginning.
#[derive(Clone, Debug)]
pub(super) struct Script {
    /// The beginning, epoch ms.
    pub(super) start_ms: i64,
    pub(super) seconds: u32,
    pub(super) planned_kick_off: u32,
    /// When a later kick-off was announced.
    pub(super) delay_announced: Option<u32>,
    pub(super) kick_off: u32,
    pub(super) half_time: u32,
    pub(super) second_half: u32,
    pub(super) final_whistle: u32,
    pub(super) gates_open: u32,
    /// Goals: when, and whether the home side scored.
    pub(super) goals: Vec<(u32, bool)>,
    /// A gate that fails while people come.
    pub(super) broken_gate: Spell<GateId>,
    /// Gates whose scanners have lost the network.
    pub(super) offline: Vec<Spell<GateId>>,
    /// A counter whose clock is an hour ahead.
    pub(super) wrong_clock: Option<Spell<SensorId>>,
    /// A counter that says nothing.
    pub(super) silent: Option<Spell<SensorId>>,
}

impl Script {
    pub(super) fn new(venue: &Venue, game: &Match, options: &Options, chance: &mut Chance) -> Result<Self, SimError> {
        if venue.gates.is_empty() {
            return Err(SimError::NoWayIn { venue: venue.id.to_string() });
        }
        let planned_kick_off = BEFORE_KICK_OFF_S;
        let minutes = |minutes: u32| minutes * MINUTE;
        let drawn_delay = if chance.happens(0.3) { minutes(15) } else { 0 };
        let delay = options.kick_off_delay.map_or(drawn_delay, |delay| u32::try_from(delay.as_millis() / 1_000).unwrap_or(0).min(minutes(60)));
        let kick_off = planned_kick_off + delay;
        let half_time = kick_off + minutes(45) + chance.whole(30, 260);
        let second_half = half_time + minutes(15) + chance.whole(0, 120);
        let final_whistle = second_half + minutes(45) + chance.whole(120, 480);
        let goal = |chance: &mut Chance| {
            let half = if chance.happens(0.5) { kick_off } else { second_half };
            (half + chance.whole(60, minutes(45)), chance.happens(0.55))
        };
        let goals = (0..chance.whole(0, 6)).map(|_| goal(chance)).collect();
        let broken = GateId::from(chance.index(venue.gates.len()));
        let broken_from = planned_kick_off - chance.whole(minutes(50), minutes(70));
        let counters: Vec<usize> = (0..venue.sensors.len()).filter(|index| is_counter(venue, *index)).collect();
        let pick = |chance: &mut Chance| counters.get(chance.index(counters.len())).map(|index| SensorId::from(*index));
        let clock_from = planned_kick_off - minutes(120) + chance.whole(0, minutes(30));
        let silent_from = planned_kick_off - minutes(90) + chance.whole(0, minutes(30));
        let wrong_clock = pick(chance).map(|of| Spell { of, from: clock_from, to: clock_from + minutes(75) });
        let silent = pick(chance).filter(|of| wrong_clock.is_none_or(|other| other.of != *of));
        Ok(Self {
            start_ms: game.kick_off.as_millis() - i64::from(planned_kick_off) * 1_000,
            seconds: BEFORE_KICK_OFF_S + AFTER_KICK_OFF_S,
            planned_kick_off,
            delay_announced: (delay > 0).then_some(planned_kick_off - minutes(25)),
            kick_off,
            half_time,
            second_half,
            final_whistle,
            gates_open: planned_kick_off - minutes(180),
            goals,
            broken_gate: Spell { of: broken, from: broken_from, to: broken_from + minutes(20) },
            offline: offline_spells(venue, broken, planned_kick_off, chance),
            wrong_clock,
            silent: silent.map(|of| Spell { of, from: silent_from, to: silent_from + minutes(30) }),
        })
    }

    /// A second of the night as epoch ms.
    pub(super) fn millis(&self, second: u32) -> i64 {
        self.start_ms + i64::from(second) * 1_000
    }

    /// How many lanes of a gate let people in.
    pub(super) fn lanes_open(&self, gate: GateId, lanes: u32, now: u32) -> u32 {
        let first_hour = self.gates_open..self.gates_open + 60 * MINUTE;
        if self.broken_gate.holds(gate, now) || now < self.gates_open || now >= self.final_whistle {
            return 0;
        }
        if first_hour.contains(&now) {
            // Crews come in steps: the early crowd is small.
            return (lanes * 3).div_ceil(5);
        }
        if now < self.kick_off + 30 * MINUTE { lanes } else { lanes.min(2) }
    }
}

fn is_counter(venue: &Venue, sensor: usize) -> bool {
    let sensor = &venue.sensors[sensor];
    // Not a turnstile: scans would still show what it hides.
    let Measures::Link { link, .. } = sensor.measures else {
        return false;
    };
    venue.sources[sensor.source.index()].feed == Feed::Sensors && venue.gates.iter().all(|gate| gate.link != link)
}

/// Two gates, neither the broken one, lose the network for a quarter of an hour.
fn offline_spells(venue: &Venue, broken: GateId, kick_off: u32, chance: &mut Chance) -> Vec<Spell<GateId>> {
    let mut gates: Vec<GateId> = (0..venue.gates.len()).map(GateId::from).filter(|gate| *gate != broken).collect();
    let mut spells = Vec::new();
    while spells.len() < 2 && !gates.is_empty() {
        let of = gates.swap_remove(chance.index(gates.len()));
        let from = kick_off - chance.whole(55 * MINUTE, 85 * MINUTE);
        spells.push(Spell { of, from, to: from + 15 * MINUTE });
    }
    spells
}

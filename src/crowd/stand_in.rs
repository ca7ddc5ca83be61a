//! Gates whose counter is silent: who has passed them all the same, so that nobody is admitted unseen.
//!
//! The idea: a counter that says nothing has not counted nobody. What else tells of the gate stands in for it, the surest first:
//!
//! 1. its *scans*, where its scanners are heard: who was let in is known to the person;
//! 2. its *queue*, where everybody who joins it is counted: a fluid of so many heads passes at what the open lanes let through, min(Q, C·t) (crowd-science §2.5);
//! 3. its *pace* before it fell silent, where its surroundings are silent too, as long as the rate window still remembers it.
//!
//! Silence of less than `blind.age_s` is mere lateness: nothing is inferred yet, and what passed meanwhile is brought in when it lasts. Of a counter that never spoke only scans are
//! believed. A gate that is shut lets nobody through. What was inferred is remembered, so that a count which is told late after all moves nobody twice; and what was inferred without scans
//! widens the bands by the spread of a lane's rate.

use super::correct::Correction;
use super::coverage::Hearing;
use super::figures::Phase;
use super::silence::Silences;
use super::state::CrowdState;
use super::topology::Topology;
use super::unheard::Unheard;
use crate::time::EventTime;
use crate::venue::{GateId, Venue, ZoneId, ZoneKind};
use crate::window::pane::GateScans;
use serde::{Deserialize, Serialize};

/// What is remembered of a gate whose counter has been silent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoodIn {
    /// Whether something stood in for it in the last pane.
    pub silent: bool,
    /// Scans in and out since its counter was last heard, while its silence may still be mere lateness.
    pub pending: (u32, u32),
    /// Persons let in who are known by their scans alone, tonight.
    pub scanned: u32,
    /// Persons let in who are inferred from the queue or the pace, tonight.
    pub guessed: u32,
    /// Persons of these whom its silent way was inferred to have brought, and whose scans have not been taken in.
    pub ahead: u32,
    /// When it was silent.
    pub silences: Silences,
}

/// How the flow of a gate was learnt in a pane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passed {
    /// Its counter was heard, or it has none.
    Counted,
    /// Its counter may only be late.
    Awaited,
    /// By its scans: in and out.
    Scanned(u32, u32),
    /// From its queue or its pace.
    Guessed(u32),
}

impl StoodIn {
    /// Sets a late count of the pane that ended at `end` against what was inferred in the silence in which it lies, and hands back what is new.
    pub(super) fn settle(&mut self, end: EventTime, inwards: i64) -> i64 {
        let inferred = inwards.clamp(0, i64::from(self.silences.inferred(end))) as u32;
        let guessed = inferred.min(self.guessed);
        self.guessed -= guessed;
        self.ahead = self.ahead.min(self.guessed);
        let scanned = (inferred - guessed).min(self.scanned);
        self.scanned -= scanned;
        self.silences.tell(end, guessed + scanned);
        inwards - i64::from(guessed + scanned)
    }

    /// The balances say that `forward` persons more came through unseen (negative: fewer).
    pub(super) fn infer(&mut self, forward: i64) {
        let on = |persons: u32| u32::try_from(i64::from(persons) + forward).unwrap_or(0);
        self.silences.infer(forward);
        (self.guessed, self.ahead) = (on(self.guessed), on(self.ahead));
    }

    /// Takes in scans of `inwards` persons, and hands back how many of them the balances had brought in already.
    fn take_scans(&mut self, inwards: u32) -> u32 {
        let held = inwards.min(self.ahead).min(self.guessed);
        self.ahead -= held;
        self.guessed -= held;
        self.scanned = self.scanned.saturating_add(inwards);
        self.silences.infer(i64::from(inwards - held));
        held
    }

    /// A late scan of somebody let in; whether what was inferred without scans holds him already.
    fn settle_scan(&mut self) -> bool {
        let is_held = self.guessed > 0;
        self.guessed -= u32::from(is_held);
        self.ahead = self.ahead.min(self.guessed);
        self.scanned = self.scanned.saturating_add(1);
        self.silences.infer(i64::from(!is_held));
        is_held
    }
}

/// What the pane gives to go by.
pub(super) struct Silence<'a> {
    pub(super) venue: &'a Venue,
    pub(super) topology: &'a Topology,
    pub(super) end: EventTime,
    pub(super) scans: &'a [GateScans],
    pub(super) hearing: &'a Hearing,
    pub(super) phase: Phase,
}

impl CrowdState {
    /// Lets those pass who must have passed the gates that nobody counts just now, and says how each gate's flow was learnt.
    pub(super) fn stand_in(&mut self, pane: &Silence<'_>) -> Vec<Passed> {
        (0..pane.venue.gates.len()).map(|i| self.stand_in_at(pane, GateId::from(i))).collect()
    }

    fn stand_in_at(&mut self, pane: &Silence<'_>, id: GateId) -> Passed {
        let limits = pane.topology.gates[id.index()].limits;
        let scans = pane.scans.get(id.index()).copied().unwrap_or_default();
        let Some(silent_since) = self.silent_since(pane, id) else {
            let stood_in = &mut self.gates[id.index()].stood_in;
            (stood_in.silent, stood_in.pending, stood_in.ahead) = (false, (0, 0), 0);
            return Passed::Counted;
        };
        let silent_ms = pane.end.since(silent_since).as_millis() as f64;
        let stood_in = &mut self.gates[id.index()].stood_in;
        stood_in.silences.hush(silent_since, pane.end);
        if silent_ms < limits.silence_ms {
            stood_in.pending = (stood_in.pending.0.saturating_add(scans.entered), stood_in.pending.1.saturating_add(scans.left));
            return Passed::Awaited;
        }
        // Its silence is no lateness any more: what has passed since its last report is still to be brought in.
        let first = !std::mem::replace(&mut stood_in.silent, true);
        let pending = std::mem::take(&mut stood_in.pending);
        let over_ms = if first { silent_ms } else { pane.venue.pane.span().as_millis() as f64 };
        let passed = match self.learn(pane, id, silent_since, over_ms) {
            Passed::Scanned(inwards, outwards) => Passed::Scanned(inwards.saturating_add(pending.0), outwards.saturating_add(pending.1)),
            other => other,
        };
        match passed {
            Passed::Scanned(inwards, outwards) => {
                let held = self.gates[id.index()].stood_in.take_scans(inwards);
                self.know_over(pane, id, held);
                self.move_over(pane, id, inwards - held, outwards, true);
            }
            Passed::Guessed(inwards) => {
                let stood_in = &mut self.gates[id.index()].stood_in;
                stood_in.guessed = stood_in.guessed.saturating_add(inwards);
                stood_in.silences.infer(i64::from(inwards));
                self.move_over(pane, id, inwards, 0, false);
            }
            Passed::Counted | Passed::Awaited => {}
        }
        passed
    }

    /// When the last of a gate's counters was heard, if it has any and none is heard now.
    fn silent_since(&self, pane: &Silence<'_>, id: GateId) -> Option<EventTime> {
        let way = pane.venue.gates[id.index()].link.index();
        if !pane.hearing.is_silent(pane.topology, way) {
            return None;
        }
        self.last_heard(pane.topology.link_sensors.get(way)?)
    }

    fn learn(&self, pane: &Silence<'_>, id: GateId, silent_since: EventTime, over_ms: f64) -> Passed {
        let (gate, plan) = (&pane.venue.gates[id.index()], &pane.topology.gates[id.index()]);
        let scans = pane.scans.get(id.index()).copied().unwrap_or_default();
        let window = self.gates[id.index()].sum();
        if scans.entered + scans.left + scans.rejected + window.scanned + window.rejected > 0 {
            return Passed::Scanned(scans.entered, scans.left);
        }
        let counters = pane.topology.link_sensors.get(gate.link.index()).map_or(&[][..], Vec::as_slice);
        if !counters.iter().any(|on_link| self.sensor(on_link.sensor).is_some_and(|known| known.reported.is_some())) {
            return Passed::Awaited;
        }
        if let Some(queue) = self.counted_queue(pane, id) {
            let lanes = super::gate::lanes_open(self, pane.venue, pane.topology, id);
            let (rate, _) = super::gate::rate_of(gate, &plan.limits, &window);
            return Passed::Guessed(libm::floor((f64::from(lanes) * rate * over_ms / 1_000.0).min(f64::from(queue))) as u32);
        }
        if self.passes_on(pane, id) {
            return Passed::Guessed(0);
        }
        let (persons, seen_ms) = self.gates[id.index()].before(silent_since, &plan.limits);
        let passed = if seen_ms > 0 { f64::from(persons) / f64::from(seen_ms) * over_ms } else { 0.0 };
        Passed::Guessed(libm::round(passed) as u32)
    }

    /// Whether the gate leads out of a concourse, whose rule lets them pass.
    fn passes_on(&self, pane: &Silence<'_>, id: GateId) -> bool {
        let from = pane.topology.crossings.get(pane.venue.gates[id.index()].link.index()).and_then(|crossing| crossing.from);
        from.and_then(|zone| pane.venue.zones.get(zone.index())).is_some_and(|zone| zone.closed && zone.kind == ZoneKind::Concourse)
    }

    /// The heads in the queue before a gate, where all that leads into it is counted and heard.
    fn counted_queue(&self, pane: &Silence<'_>, id: GateId) -> Option<u32> {
        let gate = &pane.venue.gates[id.index()];
        let zone = gate.queue?;
        let place = pane.venue.zones.get(zone.index())?;
        // A concourse is no queue: who is in it passes on by another rule.
        if pane.topology.crossings.get(gate.link.index())?.from != Some(zone) || !place.closed || place.kind == ZoneKind::Concourse {
            return None;
        }
        let others = pane.topology.zones.get(zone.index())?.ways.iter().filter(|(way, _)| !is_gate_of(pane.venue, zone, *way));
        let mut any = false;
        for (way, _) in others {
            if !pane.hearing.hears_way(pane.topology, *way) {
                return None;
            }
            any = true;
        }
        self.zones[zone.index()].persons.filter(|_| any)
    }

    /// A scan came late at a gate with a counter: it counts where that counter was silent then, and is still.
    pub(super) fn correct_stand_in(&mut self, venue: &Venue, topology: &Topology, id: GateId, exit: bool, late: &Correction<'_>) {
        let at = late.at;
        let crossing = venue.gates[id.index()].link.index();
        let counters = topology.link_sensors.get(crossing).map_or(&[][..], Vec::as_slice);
        let heard = counters.iter().filter_map(|on_link| self.sensor(on_link.sensor)?.reported).max();
        let stood_in = &mut self.gates[id.index()].stood_in;
        if heard.is_some_and(|heard| at < heard) {
            return;
        }
        if !stood_in.silent {
            // Its silence may still be mere lateness.
            let (entered, left) = stood_in.pending;
            stood_in.pending = (entered.saturating_add(u32::from(!exit)), left.saturating_add(u32::from(exit)));
            return;
        }
        if !exit && stood_in.settle_scan() {
            return;
        }
        let (inwards, outwards) = (u32::from(!exit), u32::from(exit));
        if let Some(ends) = topology.crossings.get(crossing).copied().filter(|ends| ends.from != ends.to) {
            let sides = [(ends.from, (outwards, inwards)), (ends.to, (inwards, outwards))];
            for (zone, moved) in sides {
                let zone = zone.filter(|zone| self.zones[zone.index()].anchored.is_none_or(|anchored| at >= anchored));
                if let Some(zone) = zone {
                    self.bring_to(topology, zone, crossing, moved, true);
                }
            }
        }
        self.arrivals.pass(topology, crossing, i64::from(inwards), i64::from(outwards));
        self.admit_late(venue, id, i64::from(inwards), i64::from(outwards), at);
    }

    /// Moves persons over a gate's link whom nobody counted; `known` where they were scanned. Who was not seen to come into the queue is not taken from it.
    fn move_over(&mut self, pane: &Silence<'_>, id: GateId, inwards: u32, outwards: u32, known: bool) {
        let crossing = pane.venue.gates[id.index()].link.index();
        let Some(ends) = pane.topology.crossings.get(crossing).copied() else { return };
        let takes = known || self.counted_queue(pane, id).is_some();
        if let Some(since) = self.silent_since(pane, id) {
            self.on_both_sides(pane, id, |unheard| unheard.silences.hush(since, pane.end));
        }
        if ends.from != ends.to {
            if let Some(from) = ends.from.filter(|_| takes) {
                self.bring_to(pane.topology, from, crossing, (outwards, inwards), known);
            }
            if let Some(to) = ends.to {
                self.bring_to(pane.topology, to, crossing, (inwards, outwards), known);
            }
        }
        if pane.venue.gates[id.index()].entry {
            self.night.admit(i64::from(inwards), i64::from(outwards), pane.phase);
            self.arrivals.admit(pane.venue, id, i64::from(inwards) - if pane.phase == Phase::Before { i64::from(outwards) } else { 0 });
        }
        self.arrivals.pass(pane.topology, crossing, i64::from(inwards), i64::from(outwards));
    }

    /// Whom the balances had brought over a gate's link already is known by scans now.
    fn know_over(&mut self, pane: &Silence<'_>, id: GateId, held: u32) {
        self.on_both_sides(pane, id, |unheard| unheard.know(held));
        self.arrivals.pass(pane.topology, pane.venue.gates[id.index()].link.index(), i64::from(held), 0);
    }

    /// What the zones on both sides of a gate's link remember of it.
    fn on_both_sides(&mut self, pane: &Silence<'_>, id: GateId, mut change: impl FnMut(&mut Unheard)) {
        let crossing = pane.venue.gates[id.index()].link.index();
        let Some(ends) = pane.topology.crossings.get(crossing).filter(|ends| ends.from != ends.to) else { return };
        for zone in [ends.from, ends.to].into_iter().flatten() {
            let at = pane.topology.zones[zone.index()].ways.iter().position(|(way, _)| *way == crossing);
            if let Some(unheard) = at.and_then(|at| self.zones[zone.index()].unheard.get_mut(at)) {
                change(unheard);
            }
        }
    }

    fn bring_to(&mut self, topology: &Topology, zone: ZoneId, crossing: usize, (inwards, outwards): (u32, u32), known: bool) {
        let Some(at) = topology.zones[zone.index()].ways.iter().position(|(way, _)| *way == crossing) else { return };
        let state = &mut self.zones[zone.index()];
        state.unheard[at].stand_in(inwards, outwards, known);
        state.gross[at] = state.gross[at].saturating_add(u64::from(inwards) + u64::from(outwards));
        state.came = state.came.saturating_add(u64::from(inwards));
        if let Some(persons) = state.persons {
            state.hold(i64::from(persons) + i64::from(inwards) - i64::from(outwards));
        }
    }
}

fn is_gate_of(venue: &Venue, queue: ZoneId, way: usize) -> bool {
    venue.gates.iter().any(|gate| gate.link.index() == way && gate.queue == Some(queue))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::VenueFigures;
    use crate::crowd::correct::Correction;
    use crate::crowd::sample::{KICK_OFF, Site, count, site};
    use crate::feeds::observation::{DoorState, Entity, Scan, What};
    use crate::time::Span;

    /// Gate A counts for a minute, and then its counter is silent for ten panes in which `persons` join its queue each; scans and states as `fill` tells them.
    fn silent(site: &Site, state: &mut CrowdState, persons: u32, fill: impl Fn(&mut crate::window::PaneContent)) -> VenueFigures {
        let begin = site.panes_to(KICK_OFF.before(Span::from_mins(60)));
        for n in 0..6 {
            site.close(state, begin + n, |pane| {
                pane.add_count(site.sensor("lane-a"), &count(persons, 0));
                pane.add_count(site.sensor("gate-a"), &count(persons, 0));
            });
        }
        let step = |state: &mut CrowdState, n| {
            site.close(state, begin + n, |pane| {
                pane.add_count(site.sensor("lane-a"), &count(persons, 0));
                fill(pane);
            })
        };
        (6..15).for_each(|n| _ = step(state, n));
        step(state, 15)
    }

    fn pane_of(site: &Site, at: EventTime) -> EventTime {
        site.venue.pane.end_of(at)
    }

    fn of(state: &CrowdState, site: &Site) -> (i64, Option<u32>, Option<u32>) {
        (state.night.admitted, state.zones[site.zone("queue-a")].persons, state.zones[site.zone("bowl")].persons)
    }

    /// 6 × 5 are counted, 10 × 5 are not: all of them have passed, for 44 a minute could.
    #[test]
    fn who_joins_the_queue_of_a_gate_whose_counter_is_dead_is_admitted() {
        let site = site();
        let mut state = site.state();
        let figures = silent(&site, &mut state, 5, |_| ());
        assert_eq!(of(&state, &site), (80, Some(0), Some(80)));
        assert_eq!(figures.night.unwrap().admitted, Some(80));
        assert!((figures.gates[site.gate("a")].capacity_per_min - 44.0).abs() < 1e-9, "a counter that is silent measures no rate");
    }

    /// 4 lanes at 660/h let 7 through in a pane of 10 s, where 20 join.
    #[test]
    fn no_more_pass_than_the_lanes_let_through() {
        let site = site();
        let mut state = site.state();
        silent(&site, &mut state, 20, |_| ());
        let (admitted, queue, bowl) = of(&state, &site);
        assert_eq!(bowl, Some(admitted as u32));
        assert_eq!((admitted + i64::from(queue.unwrap()), queue.unwrap() > 100), (320, true), "the others stand in line: {queue:?}");
    }

    #[test]
    fn a_gate_that_is_shut_lets_nobody_through() {
        let site = site();
        let mut state = site.state();
        silent(&site, &mut state, 5, |pane| site.tells(pane, "state-a", (DoorState::Closed, None)));
        assert_eq!(of(&state, &site), (30, Some(50), Some(30)));
    }

    #[test]
    fn scans_go_before_the_queue_and_narrow_the_band() {
        let site = site();
        let (mut scanned, mut guessed) = (site.state(), site.state());
        let by_scans = silent(&site, &mut scanned, 5, |pane| pane.scans[site.gate("a")].entered = 4);
        let by_queue = silent(&site, &mut guessed, 5, |_| ());
        assert_eq!(of(&scanned, &site), (70, Some(10), Some(70)));
        let sigma = |figures: &VenueFigures| figures.zones[site.zone("bowl")].occupancy.unwrap().sigma();
        assert!(sigma(&by_queue) > 2.0 * sigma(&by_scans), "{} {}", sigma(&by_queue), sigma(&by_scans));
    }

    #[test]
    fn a_gate_whose_surroundings_are_silent_too_goes_on_at_its_pace_for_a_while() {
        let site = site();
        let mut state = site.state();
        let begin = site.panes_to(KICK_OFF.before(Span::from_mins(60)));
        for n in 0..6 {
            site.close(&mut state, begin + n, |pane| {
                pane.add_count(site.sensor("lane-a"), &count(5, 0));
                pane.add_count(site.sensor("gate-a"), &count(5, 0));
            });
        }
        (6..11).for_each(|n| _ = site.close(&mut state, begin + n, |_| ()));
        assert_eq!(of(&state, &site), (30, Some(0), Some(30)), "it may only be late");
        site.close(&mut state, begin + 11, |_| ());
        assert_eq!(of(&state, &site), (60, Some(0), Some(60)));
        (12..200).for_each(|n| _ = site.close(&mut state, begin + n, |_| ()));
        let (admitted, ..) = of(&state, &site);
        assert!((100..=190).contains(&admitted), "{admitted}: the rate window is five minutes");
    }

    #[test]
    fn a_count_that_is_told_late_after_all_admits_nobody_twice() {
        let site = site();
        let mut state = site.state();
        silent(&site, &mut state, 5, |_| ());
        let at = EventTime::from_millis(KICK_OFF.before(Span::from_mins(60)).as_millis() + 80_000);
        let what = What::Count(count(58, 0));
        state.correct(
            &site.venue,
            &site.topology,
            &Correction { at, end: pane_of(&site, at), entity: Entity::Sensor(site.sensor("gate-a")), what: &what, pane: None },
        );
        assert_eq!(state.night.admitted, 88, "fifty of the 58 were known");
        assert_eq!(state.zones[site.zone("bowl")].persons, Some(88));
    }

    /// The counter is back, and tells late of a pane after its return: nobody stood in for it then.
    #[test]
    fn a_late_count_of_a_time_in_which_it_was_heard_is_new() {
        let site = site();
        let mut state = site.state();
        silent(&site, &mut state, 5, |_| ());
        let begin = site.panes_to(KICK_OFF.before(Span::from_mins(60)));
        (16..20).for_each(|n| _ = site.close(&mut state, begin + n, |pane| pane.add_count(site.sensor("gate-a"), &count(5, 0))));
        assert_eq!(of(&state, &site).0, 100);
        let what = What::Count(count(7, 0));
        let mut tell = |n| {
            let end = site.end(begin + n);
            let at = EventTime::from_millis(end.as_millis() - 1);
            state.correct(&site.venue, &site.topology, &Correction { at, end, entity: Entity::Sensor(site.sensor("gate-a")), what: &what, pane: None });
            of(&state, &site)
        };
        let queue = Some(0);
        assert_eq!(tell(5), (107, queue, Some(107)), "before it fell silent");
        assert_eq!(tell(17), (114, queue, Some(114)), "since it is back");
        assert_eq!([tell(6), tell(15)].map(|(admitted, ..)| admitted), [114, 114], "when it was silent: they are known");
    }

    /// Five joined the queue and four were scanned in each pane; thirty-four of the thirty in the bowl leave it before the scans are believed, so four must have come.
    #[test]
    fn whom_a_balance_brought_in_is_not_admitted_again_when_the_scans_take_over() {
        let site = site();
        let mut state = site.state();
        let begin = site.panes_to(KICK_OFF.before(Span::from_mins(60)));
        for n in 0..6 {
            site.close(&mut state, begin + n, |pane| {
                ["lane-a", "gate-a"].iter().for_each(|name| pane.add_count(site.sensor(name), &count(5, 0)));
            });
        }
        for n in 6..16 {
            site.close(&mut state, begin + n, |pane| {
                pane.add_count(site.sensor("lane-a"), &count(5, 0));
                pane.add_count(site.sensor("exit"), &count(0, if n == 7 { 34 } else { 0 }));
                pane.scans[site.gate("a")].entered = 4;
            });
            let stood_in = &state.gates[site.gate("a")].stood_in;
            assert_eq!(
                (stood_in.guessed, stood_in.scanned),
                if n < 7 {
                    (0, 0)
                } else if n < 11 {
                    (4, 0)
                } else {
                    (0, 4 * (n as u32 - 5))
                },
                "pane {n}"
            );
        }
        assert_eq!(of(&state, &site), (70, Some(10), Some(36)), "30 and ten times 4; 34 have left");
        let bowl = &state.zones[site.zone("bowl")];
        assert!(bowl.unheard.iter().all(|unheard| unheard.guessed() == 0), "all of them are known by their scans: {:?}", bowl.unheard);
    }

    #[test]
    fn a_late_scan_at_a_silent_counter_is_held_against_what_was_inferred() {
        let site = site();
        let mut state = site.state();
        silent(&site, &mut state, 5, |_| ());
        let at = EventTime::from_millis(KICK_OFF.before(Span::from_mins(60)).as_millis() + 100_000);
        let what = What::Scan(Scan { accepted: true, ..Scan::default() });
        let late = Correction { at, end: pane_of(&site, at), entity: Entity::Gate(site.gate("a").into()), what: &what, pane: None };
        (0..51).for_each(|_| state.correct(&site.venue, &site.topology, &late));
        assert_eq!(of(&state, &site).0, 81, "fifty were inferred, one is new");
        assert_eq!((state.gates[site.gate("a")].stood_in.guessed, state.zones[site.zone("bowl")].persons), (0, Some(81)));
    }
}

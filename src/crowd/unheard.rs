//! Ways that were not heard for a while: who crossed them unseen is missing on one side and too many on the other.
//!
//! The idea: a balance that would go below zero has missed entries. Where just one of the zone's ways has been unheard since its anchor, they came over that way, so
//! they are taken from its other side. A counter that was silent for half an hour then leaves no crowd behind that nobody can ever see go. What is told late after
//! all is set against what was inferred, so nobody moves twice.
//!
//! A concourse is passed through. Where the one unheard way of a concourse leads to a bowl or a stand, whoever the others let in and not out has gone to the seats: waiting for a
//! proof would leave a share of the house standing in the concourse for the whole match. The other way round the proof is waited for, unless there are concourses beside it that tell how many are still,
//! or again, in it ([`super::beside`]). Of no other zone this is assumed: before a gate that is shut people really do stand.

use super::coverage::Hearing;
use super::figures::Phase;
use super::flow::ZoneFlows;
use super::silence::Silences;
use super::stand_in::{Passed, Silence};
use super::state::CrowdState;
use super::topology::{LinkSensor, Passage, Topology};
use crate::time::EventTime;
use crate::venue::{SensorId, Venue, ZoneId, ZoneKind};
use serde::{Deserialize, Serialize};

/// What is remembered of a way into or out of a zone since the zone's anchor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unheard {
    /// When it was not heard.
    pub silences: Silences,
    /// Persons who must have come in over it unseen.
    pub came: u32,
    /// Persons who must have gone out over it unseen.
    pub went: u32,
    /// How many of both are known to the person all the same, by their scans.
    pub known: u32,
}

impl Unheard {
    /// Sets what is told late of the pane that ended at `end` against what was inferred, if it was silent then, and hands back what is new.
    pub(super) fn settle(&mut self, end: EventTime, inwards: i64, outwards: i64) -> (i64, i64) {
        let mut left = self.silences.inferred(end);
        let mut settle = |inferred: &mut u32, told: i64| {
            let known = told.clamp(0, i64::from(left.min(*inferred))) as u32;
            (*inferred, left) = (*inferred - known, left - known);
            self.silences.tell(end, known);
            told - i64::from(known)
        };
        let new = (settle(&mut self.came, inwards), settle(&mut self.went, outwards));
        self.known = self.known.min(self.came.saturating_add(self.went));
        new
    }

    /// Takes in who crossed while nobody counted; `known` where they were scanned.
    pub(super) fn stand_in(&mut self, came: u32, went: u32, known: bool) {
        self.came = self.came.saturating_add(came);
        self.went = self.went.saturating_add(went);
        self.silences.infer(i64::from(came) + i64::from(went));
        if known {
            self.known = self.known.saturating_add(came).saturating_add(went);
        }
    }

    /// Of those who were inferred, `persons` are known by their scans now.
    pub(super) fn know(&mut self, persons: u32) {
        self.known = self.known.saturating_add(persons).min(self.came.saturating_add(self.went));
    }

    /// Persons who were inferred, and whom nothing has told to the person.
    pub(super) fn guessed(&self) -> u32 {
        self.came.saturating_add(self.went).saturating_sub(self.known)
    }
}

/// A zone at one side of a way, with the way's position among its own.
#[derive(Clone, Copy)]
struct Side {
    zone: usize,
    at: usize,
}

impl CrowdState {
    /// Notes which ways are not heard in the pane that closes.
    pub(super) fn note_unheard(&mut self, topology: &Topology, hearing: &Hearing, end: EventTime) {
        let lost_since = |sensor: SensorId| self.sensor(sensor)?.reported.filter(|_| !hearing.hears(sensor));
        let lost: Vec<Option<EventTime>> = topology
            .link_sensors
            .iter()
            .map(|sensors| {
                let since: Option<Vec<EventTime>> = sensors.iter().map(|on_link| lost_since(on_link.sensor)).collect();
                since?.into_iter().max()
            })
            .collect();
        if lost.iter().all(Option::is_none) {
            return;
        }
        for (state, plan) in self.zones.iter_mut().zip(&topology.zones) {
            for (unheard, (way, _)) in state.unheard.iter_mut().zip(&plan.ways) {
                if let Some(since) = lost.get(*way).copied().flatten() {
                    unheard.silences.hush(since, end);
                }
            }
        }
    }

    /// When one of these counters was last heard, or since when it could have been.
    pub(super) fn last_heard(&self, counters: &[LinkSensor]) -> Option<EventTime> {
        let reported = counters.iter().filter_map(|on_link| self.sensor(on_link.sensor)?.reported).max();
        reported.or(self.night.since)
    }

    /// Takes what the pane's balances missed from the other side of the one way that was unheard; `before` are the deficits as they were.
    pub(super) fn infer_unheard(&mut self, venue: &Venue, topology: &Topology, before: &[u32], phase: Phase) {
        for (i, known) in before.iter().enumerate() {
            let missed = self.zones[i].deficit.saturating_sub(*known);
            if missed == 0 {
                continue;
            }
            let mut unheard = self.zones[i].unheard.iter().enumerate().filter(|(_, unheard)| !unheard.silences.is_empty()).map(|(at, _)| at);
            if let (Some(at), None) = (unheard.next(), unheard.next()) {
                let brought = i64::from(self.bring(topology, i, at, missed));
                let (way, is_inwards) = topology.zones[i].ways[at];
                self.admit_unseen(venue, way, if is_inwards { brought } else { -brought }, phase);
            }
        }
    }

    /// Lets who came into a concourse pass on over its one unheard way to the seats, unless scans tell of it; `flows` are the counted flows of the pane.
    pub(super) fn pass_unheard(&mut self, pane: &Silence<'_>, flows: &[ZoneFlows], passed: &[Passed]) {
        let (venue, topology, hearing) = (pane.venue, pane.topology, pane.hearing);
        let is_scanned = |way: usize| venue.gates.iter().zip(passed).any(|(gate, passed)| gate.link.index() == way && matches!(passed, Passed::Scanned(..)));
        let is_silent = |way: usize| hearing.is_silent(topology, way) && !is_scanned(way);
        for (i, _) in venue.zones.iter().enumerate().filter(|(_, zone)| zone.kind == ZoneKind::Concourse && zone.closed) {
            let net = flows[i].inwards.saturating_sub(flows[i].outwards);
            let mut silent = topology.zones[i].ways.iter().enumerate().filter(|(_, (way, _))| is_silent(*way)).map(|(at, _)| at);
            let (Some(at), None) = (silent.next(), silent.next()) else { continue };
            let (way, is_inwards) = topology.zones[i].ways[at];
            let ends = topology.crossings[way];
            let seats = (if is_inwards { ends.from } else { ends.to }).map(ZoneId::index);
            let is_seats = |j: &usize| matches!(venue.zones[*j].kind, ZoneKind::Bowl | ZoneKind::Stand) && venue.zones[*j].closed;
            let Some(j) = seats.filter(is_seats) else { continue };
            let Some(there) = topology.zones[j].ways.iter().position(|(known, _)| *known == way) else { continue };
            if let Some(since) = self.last_heard(topology.link_sensors.get(way).map_or(&[], Vec::as_slice)) {
                self.zones[i].unheard[at].silences.hush(since, pane.end);
                self.zones[j].unheard[there].silences.hush(since, pane.end);
            }
            if let Some(passage) = topology.passages.iter().find(|passage| passage.zone.index() == i && passage.at == at) {
                self.settle_beside(pane, passage);
                continue;
            }
            if net > 0 {
                self.admit_unseen(venue, way, if is_inwards { -i64::from(net) } else { i64::from(net) }, pane.phase);
                self.bring_over(Side { zone: i, at }, Side { zone: j, at: there }, net);
            }
        }
    }

    /// Lets as many be in a passage's concourse as in those beside it, its way to the seats being unheard.
    fn settle_beside(&mut self, pane: &Silence<'_>, passage: &Passage) {
        let (n, _) = self.content_beside(pane, passage);
        let concourse = Side { zone: passage.zone.index(), at: passage.at };
        let seats = Side { zone: passage.seats.index(), at: passage.there };
        let zone = &self.zones[concourse.zone];
        let Some(heads) = zone.persons else { return };
        let beyond = i64::from(heads) - i64::from(zone.deficit) - libm::round(n) as i64;
        let persons = u32::try_from(beyond.unsigned_abs()).unwrap_or(u32::MAX);
        if beyond > 0 { self.bring_over(concourse, seats, persons) } else { self.bring_back(seats, concourse, persons) }
    }

    /// Whoever crossed an entry gate unseen was admitted; one who must have come back out was not. `forward` persons over the crossing at `way`.
    fn admit_unseen(&mut self, venue: &Venue, way: usize, forward: i64, phase: Phase) {
        let Some(gate) = venue.gates.iter().position(|gate| gate.link.index() == way) else { return };
        let stood_in = &mut self.gates[gate].stood_in;
        // Who leaves once the match is on has been in; only a guess can be taken back.
        let forward = if phase == Phase::Before { forward } else { forward.max(-i64::from(stood_in.guessed)) };
        stood_in.infer(forward);
        if !venue.gates[gate].entry {
            return;
        }
        self.night.admit(forward, 0, phase);
        if phase != Phase::After {
            self.arrivals.admit(venue, gate.into(), forward);
        }
    }

    /// Brings up to `missed` persons into zone `i` over its way at `at`, and says how many.
    fn bring(&mut self, topology: &Topology, i: usize, at: usize, missed: u32) -> u32 {
        let (way, is_inwards) = topology.zones[i].ways[at];
        let Some(ends) = topology.crossings.get(way) else { return 0 };
        let other = if is_inwards { ends.from } else { ends.to };
        let Some(j) = other.map(ZoneId::index).filter(|j| *j != i) else { return 0 };
        let there = topology.zones[j].ways.iter().position(|(known, _)| *known == way);
        let (Some(there), Some(persons)) = (there, self.zones[j].persons) else { return 0 };
        let brought = missed.min(persons);
        self.zones[i].deficit -= brought;
        let heads = self.zones[i].persons;
        self.bring_over(Side { zone: j, at: there }, Side { zone: i, at }, brought);
        // Who made good a deficit has been counted out again already.
        self.zones[i].persons = heads;
        brought
    }

    /// Takes up to `persons` back over a way: first those who were inferred to have gone over it, so that going and coming back leave nothing to be unsure of.
    fn bring_back(&mut self, from: Side, to: Side, persons: u32) {
        let Some(heads) = self.zones[from.zone].persons else { return };
        let back = persons.min(heads);
        let inferred = back.min(self.zones[to.zone].unheard[to.at].went).min(self.zones[from.zone].unheard[from.at].came);
        let more = back - inferred;
        for side in [from, to] {
            let zone = &mut self.zones[side.zone];
            zone.unheard[side.at].silences.infer(-i64::from(inferred));
            zone.gross[side.at] = zone.gross[side.at].saturating_sub(u64::from(inferred)).saturating_add(u64::from(more));
        }
        let source = &mut self.zones[from.zone];
        source.persons = Some(heads - back);
        source.unheard[from.at].came -= inferred;
        source.unheard[from.at].stand_in(0, more, false);
        let target = &mut self.zones[to.zone];
        target.unheard[to.at].went -= inferred;
        target.unheard[to.at].stand_in(more, 0, false);
        target.take_in(i64::from(back));
    }

    /// Takes up to `persons` from one side of a way to the other, and remembers that nobody counted them.
    fn bring_over(&mut self, from: Side, to: Side, persons: u32) {
        let Some(heads) = self.zones[from.zone].persons else { return };
        let brought = persons.min(heads);
        let source = &mut self.zones[from.zone];
        source.persons = Some(heads - brought);
        source.unheard[from.at].stand_in(0, brought, false);
        source.gross[from.at] = source.gross[from.at].saturating_add(u64::from(brought));
        let target = &mut self.zones[to.zone];
        target.persons = target.persons.map(|heads| heads.saturating_add(brought));
        target.came = target.came.saturating_add(u64::from(brought));
        target.unheard[to.at].stand_in(brought, 0, false);
        target.gross[to.at] = target.gross[to.at].saturating_add(u64::from(brought));
    }
}

#[cfg(test)]
mod tests {
    use crate::crowd::correct::Correction;
    use crate::crowd::sample::{Site, count, site};
    use crate::crowd::state::CrowdState;
    use crate::feeds::observation::{Entity, What};
    use crate::time::EventTime;

    /// A hundred come to the forecourt; the counter of the lane falls silent, and thirty pass the gate behind it in each pane.
    fn silent_lane(site: &Site, state: &mut CrowdState) {
        site.close(state, 1, |pane| {
            for name in ["approach-1", "approach-2"] {
                pane.add_count(site.sensor(name), &count(100, 0));
            }
            pane.add_count(site.sensor("lane-a"), &count(10, 0));
            pane.add_count(site.sensor("gate-a"), &count(0, 0));
        });
        for n in 2..=3 {
            site.close(state, n, |pane| pane.add_count(site.sensor("gate-a"), &count(30, 0)));
        }
    }

    /// The only way from the concourse behind lane a to the bowl falls silent: who is let in goes to the seats.
    #[test]
    fn who_comes_into_a_concourse_passes_on_over_its_silent_way_to_the_seats() {
        let mut site = site();
        let concourse = site.zone("queue-a");
        site.venue.zones[concourse].kind = crate::venue::ZoneKind::Concourse;
        site.turn_round();
        let mut state = site.state();
        for n in 1..=3 {
            site.close(&mut state, n, |pane| pane.add_count(site.sensor("lane-a"), &count(40, 0)));
        }
        let heads = |name: &str| state.zones[site.zone(name)].persons;
        assert_eq!((heads("queue-a"), heads("bowl")), (Some(0), Some(120)), "nobody is left standing in the concourse");
        let after = site.close(&mut state, 4, |pane| {
            pane.add_count(site.sensor("lane-a"), &count(10, 0));
            pane.add_count(site.sensor("gate-a"), &count(5, 0));
        });
        assert_eq!(after.zones[concourse].occupancy.map(|heads| heads.v), Some(5.0), "once it is heard again it is counted again");
    }

    #[test]
    fn who_passed_an_unheard_way_is_taken_from_its_other_side() {
        let site = site();
        let mut state = site.state();
        silent_lane(&site, &mut state);
        let of = |name: &str| (state.zones[site.zone(name)].persons, state.zones[site.zone(name)].deficit);
        assert_eq!([of("forecourt"), of("queue-a"), of("bowl")], [(Some(40), 0), (Some(0), 0), (Some(60), 0)]);
    }

    #[test]
    fn what_is_told_late_after_all_moves_nobody_twice() {
        let site = site();
        let mut state = site.state();
        silent_lane(&site, &mut state);
        let what = What::Count(count(55, 0));
        let at = EventTime::from_millis(site.end(2).as_millis() - 1);
        let late = Correction { at, end: site.end(2), entity: Entity::Sensor(site.sensor("lane-a")), what: &what, pane: None };
        state.correct(&site.venue, &site.topology, &late);
        let of = |name: &str| state.zones[site.zone(name)].persons;
        assert_eq!((of("forecourt"), of("queue-a")), (Some(35), Some(5)), "fifty of them were known");
    }

    #[test]
    fn where_every_way_is_heard_a_deficit_is_only_remembered() {
        let site = site();
        let mut state = site.state();
        for n in 1..=2 {
            site.close(&mut state, n, |pane| {
                pane.add_count(site.sensor("lane-a"), &count(0, 0));
                pane.add_count(site.sensor("gate-a"), &count(30, 0));
            });
        }
        let queue = &state.zones[site.zone("queue-a")];
        assert_eq!((queue.persons, queue.deficit), (Some(0), 60));
    }
}

//! The entry of the spectators: who is in, what the gates let through, when all will be in (crowd-science §2.5).
//!
//! - *Admitted*: inward flow over the entry gates since the match's night began, less outward flow before kick-off (who leaves later has been in). A gate's flow is
//!   that of its counters, or that of its scans where its link has no counter; while its counter is silent, what stands in for it ([`super::stand_in`]).
//! - *Entry-completion ETA* = now + (expected − admitted)/capacity. It is the time that the gates need, not a forecast of arrivals: it is late only when
//!   the gates are what holds people up.
//! - *Probability of being late*: the persons still outside at the deadline are R − C·T with R = expected − admitted (σ = share·expected), C the capacity
//!   (relative σ of a lane's rate) and T the time left; all normal, P(R − C·T > 0). This is P(eta > deadline), and needs no quotient of normal quantities.
//!   Or it is the probability that more sit in vehicles which arrive after the deadline less the walk than usually come late, where that is greater.

use super::figures::{EntryFigures, Estimate, GateFigures, Grade, NightFigures, Phase, ZoneFigures};
use super::limits::{SplitLimits, ZoneLimits};
use super::normal::{Z90, probability_above};
use super::phase::Tonight;
use super::planned::p_planned;
use super::queue::minutes_to_serve;
use super::state::{CrowdState, NightState};
use super::topology::Topology;
use crate::time::EventTime;
use crate::venue::{Venue, ZoneKind};

/// Milliseconds in a minute.
const MINUTE: f64 = 60_000.0;

impl NightState {
    /// Counts what a pane (or a late event) moved over the entry gates.
    pub(super) fn admit(&mut self, inwards: i64, outwards: i64, phase: Phase) {
        match phase {
            Phase::Before => self.admitted += inwards - outwards,
            Phase::After => {}
            _ => self.admitted += inwards,
        }
    }

    /// Turns to the match of the night, and says whether it is another one: it begins with nobody admitted.
    pub(super) fn turn_to(&mut self, tonight: Option<&Tonight>) -> bool {
        let match_id = tonight.map(|tonight| tonight.match_id.clone());
        let is_another = self.match_id != match_id;
        if is_another {
            self.match_id = match_id;
            self.admitted = 0;
        }
        is_another
    }
}

impl NightState {
    /// What the picture says of the match itself.
    pub(super) fn figures(&self, tonight: Tonight, venue: &Venue) -> NightFigures {
        let is_counted = venue.gates.iter().any(|gate| gate.entry);
        NightFigures {
            match_id: tonight.match_id,
            kick_off: tonight.kick_off,
            expected: tonight.expected,
            admitted: is_counted.then(|| u32::try_from(self.admitted.max(0)).unwrap_or(u32::MAX)),
        }
    }
}

/// Who is in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Admitted {
    /// Persons.
    pub(super) persons: i64,
    /// How many of them were inferred while their gate's counter was silent.
    pub(super) guessed: u32,
}

impl CrowdState {
    /// Who has been admitted tonight.
    pub(super) fn admitted(&self, venue: &Venue) -> Admitted {
        let entries = venue.gates.iter().zip(&self.gates).filter(|(gate, _)| gate.entry);
        Admitted { persons: self.night.admitted, guessed: entries.map(|(_, state)| state.stood_in.guessed).fold(0, u32::saturating_add) }
    }
}

/// What the pane tells of the entry.
pub(super) struct Seen<'a> {
    pub(super) admitted: Admitted,
    /// Persons on vehicles that arrive too late.
    pub(super) coming_late: Option<Estimate>,
    pub(super) gates: &'a [GateFigures],
    pub(super) zones: &'a [ZoneFigures],
    pub(super) end: EventTime,
}

/// The entry of tonight's match as of `end`; `None` without a match, an expected attendance or an entry gate, and after the final whistle.
pub(super) fn entry(venue: &Venue, topology: &Topology, limits: &ZoneLimits, tonight: &Tonight, seen: Seen<'_>) -> Option<EntryFigures> {
    let Seen { admitted, coming_late, gates, zones, end } = seen;
    if tonight.phase == Phase::After || !venue.gates.iter().any(|gate| gate.entry) {
        return None;
    }
    let expected = tonight.expected?;
    let guessed = f64::from(admitted.guessed) * limits.lane_rate;
    let admitted = u32::try_from(admitted.persons.max(0)).unwrap_or(u32::MAX);
    let capacity_per_min: f64 = venue.gates.iter().zip(gates).filter(|(gate, _)| gate.entry).map(|(_, figures)| figures.capacity_per_min).sum();
    let is_complete = end >= tonight.kick_off && capacity_per_min > 0.0 && is_nobody_outside(venue, topology, gates, zones);
    let coming = f64::from(if is_complete { admitted } else { expected });
    let load = Load { expected: coming, admitted: f64::from(admitted), admitted_sigma: guessed, capacity_per_min };
    // More are still on trains than usually come late: the gates cannot make up for that.
    let p_coming_late = coming_late.map_or(0.0, |late| probability_above(topology.split.missing * f64::from(expected), late.v, late.sigma()));
    let deadline = tonight.kick_off.as_millis() as f64 - limits.entry_margin_ms;
    Some(EntryFigures {
        end,
        kick_off: tonight.kick_off,
        expected,
        admitted,
        capacity_per_min,
        eta: load.eta(limits, end.as_millis() as f64),
        p_planned: p_planned(venue, tonight, &topology.split).unwrap_or(0.0),
        is_complete,
        coming_late,
        p_after_deadline: if is_complete {
            0.0
        } else {
            load.p_after((deadline - end.as_millis() as f64) / MINUTE, limits.attendance, limits.lane_rate).max(p_coming_late)
        },
    })
}

/// Whether nobody is held up outside that anybody can see: no shut gate is busy with its queue, the queues of the open ones together would not keep them busy (one alone drifts with
/// its counters), and the ways to them are free by their own table. Who has not come by then does not come.
fn is_nobody_outside(venue: &Venue, topology: &Topology, gates: &[GateFigures], zones: &[ZoneFigures]) -> bool {
    let told = |zone: &ZoneFigures| zone.occupancy.filter(|_| zone.coverage > 0.0);
    let is_free = |zone: &ZoneFigures| told(zone).is_some() && zone.los.is_some_and(|los| los.grade == Grade::A);
    let entries = venue.gates.iter().zip(&topology.gates).zip(gates).filter(|((gate, _), _)| gate.entry);
    let mut beyond_open = 0.0;
    for ((gate, plan), figures) in entries {
        let Some(queue) = gate.queue else { continue };
        let Some(heads) = zones.get(queue.index()).and_then(told) else { return false };
        let beyond = heads.v - plan.limits.busy;
        if figures.capacity_per_min > 0.0 {
            beyond_open += beyond;
        } else if beyond >= 0.0 {
            return false;
        }
    }
    let mut ways = venue.zones.iter().zip(zones).filter(|(zone, _)| matches!(zone.kind, ZoneKind::Approach | ZoneKind::Checkpoint | ZoneKind::Forecourt));
    beyond_open < 0.0 && ways.all(|(_, figures)| is_free(figures))
}

impl SplitLimits {
    /// The probability that the share of the spectators that comes over one approach is not inside by the deadline: `admitted` are, at `capacity` persons/min of its own gates.
    pub(super) fn p_late(&self, entry: &EntryFigures, share: f64, admitted: u64, capacity: f64) -> f64 {
        if entry.is_complete {
            return 0.0;
        }
        let load = Load { expected: f64::from(entry.expected) * share, admitted: admitted as f64, admitted_sigma: 0.0, capacity_per_min: capacity };
        load.p_after((entry.kick_off.as_millis() as f64 - self.entry_margin_ms - entry.end.as_millis() as f64) / MINUTE, self.attendance, self.lane_rate)
    }
}

/// What the entry has still to do, and with what.
struct Load {
    expected: f64,
    admitted: f64,
    /// One standard deviation of who is in, persons: of those who were inferred.
    admitted_sigma: f64,
    capacity_per_min: f64,
}

impl Load {
    /// One standard deviation of who is still outside, persons.
    fn persons_sigma(&self, attendance: f64) -> f64 {
        libm::hypot(attendance * self.expected, self.admitted_sigma)
    }

    fn remaining(&self) -> f64 {
        (self.expected - self.admitted).max(0.0)
    }

    /// When entry is complete, epoch ms; by the law of propagation σ² = (σ_R/C)² + (R·σ_C/C²)². Never before now.
    fn eta(&self, limits: &ZoneLimits, now: f64) -> Option<Estimate> {
        let minutes = minutes_to_serve(self.remaining(), self.capacity_per_min)?;
        let of_persons = if self.capacity_per_min > 0.0 { self.persons_sigma(limits.attendance) / self.capacity_per_min } else { 0.0 };
        let of_rate = minutes * limits.lane_rate;
        let sigma = libm::sqrt(of_persons * of_persons + of_rate * of_rate);
        let half = if sigma.is_finite() { Z90 * sigma } else { 0.0 };
        Some(Estimate { v: now + minutes * MINUTE, lo: now + (minutes - half).max(0.0) * MINUTE, hi: now + (minutes + half) * MINUTE })
    }

    /// The probability that somebody is still outside in `minutes`; once that time is past, that somebody is outside now.
    fn p_after(&self, minutes: f64, attendance: f64, lane_rate: f64) -> f64 {
        let left = minutes.max(0.0);
        let served = self.capacity_per_min * left;
        let of_persons = self.persons_sigma(attendance);
        let of_rate = lane_rate * served;
        // The estimate of who is outside is not cut off at zero here: more may have come than were expected.
        probability_above(0.0, self.expected - self.admitted - served, libm::sqrt(of_persons * of_persons + of_rate * of_rate))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::sample::{KICK_OFF, count, profile, site};
    use crate::venue::FlowTable;

    fn limits() -> ZoneLimits {
        ZoneLimits::of(&profile(), FlowTable::Walkway)
    }

    fn late(load: &Load, minutes: f64) -> f64 {
        load.p_after(minutes, limits().attendance, limits().lane_rate)
    }

    /// Hillsborough (crowd-science §2.5): 10,100 persons at 7 × 750/h need 1.92 h.
    #[test]
    fn the_eta_is_what_the_gates_need() {
        let load = Load { expected: 10_100.0, admitted: 0.0, admitted_sigma: 0.0, capacity_per_min: 7.0 * 750.0 / 60.0 };
        let eta = load.eta(&limits(), 0.0).unwrap();
        assert!((eta.v / 3_600_000.0 - 1.92).abs() < 0.005);
        assert!(eta.lo < eta.v && eta.v < eta.hi);
        assert!(late(&load, 60.0) > 0.99, "an hour is not enough");
        assert!(late(&load, 180.0) < 0.01, "three hours are");
    }

    #[test]
    fn at_the_deadline_it_is_even_odds() {
        let load = Load { expected: 8_000.0, admitted: 2_000.0, admitted_sigma: 0.0, capacity_per_min: 100.0 };
        assert!((late(&load, 60.0) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn with_everything_shut_there_is_no_eta_and_it_will_be_late() {
        let load = Load { expected: 8_000.0, admitted: 2_000.0, admitted_sigma: 0.0, capacity_per_min: 0.0 };
        assert_eq!(load.eta(&limits(), 0.0), None);
        assert!(late(&load, 60.0) > 0.999);
    }

    #[test]
    fn who_leaves_before_kick_off_is_not_in_and_who_leaves_later_was() {
        let mut site = site();
        site.venue.matches[0].expected_attendance = 900;
        let mut state = site.state();
        let admitted = |figures: &crate::crowd::VenueFigures| figures.entry.as_ref().map(|entry| entry.admitted);
        let to_kick_off = site.panes_to(KICK_OFF);
        let figures = site.close(&mut state, to_kick_off - 1, |pane| pane.add_count(site.sensor("gate-a"), &count(500, 30)));
        assert_eq!(admitted(&figures), Some(470));
        let figures = site.close(&mut state, to_kick_off + 1, |pane| {
            pane.add_count(site.sensor("gate-a"), &count(20, 100));
            pane.scans[site.gate("b")].entered = 5;
        });
        assert_eq!(admitted(&figures), Some(495), "gate B has no counter: its scans count");
        let figures = site.close(&mut state, to_kick_off + 6 * 110, |_| ());
        assert_eq!((figures.phase, figures.entry), (Phase::After, None));
        let night = figures.night.expect("the night goes on until everybody is home");
        assert_eq!((night.kick_off, night.expected, night.admitted), (KICK_OFF, Some(900), Some(495)));
    }

    #[test]
    fn after_kick_off_entry_is_complete_when_nobody_stands_outside_that_anybody_can_see() {
        let mut site = site();
        site.venue.matches[0].expected_attendance = 900;
        let entered = |came: u32, through: u32, to_kick_off: i64| {
            let mut state = site.state();
            let entry = (0..2).map(|n| {
                let figures = site.close(&mut state, site.panes_to(KICK_OFF) + to_kick_off + n, |pane| {
                    for (name, persons) in [("approach-1", came), ("approach-2", 0), ("lane-a", came), ("gate-a", through)] {
                        pane.add_count(site.sensor(name), &count(persons, 0));
                    }
                });
                figures.entry.unwrap()
            });
            entry.last().map(|entry| (entry.is_complete, entry.p_after_deadline)).unwrap()
        };
        assert_eq!(entered(400, 400, 1), (true, 0.0), "a hundred are missing, and nobody stands outside");
        assert!(!entered(400, 350, 1).0, "a hundred stand in the queue");
        assert!(!entered(400, 400, -3).0, "before kick-off they may still come");
        assert!(entered(400, 400, -3).1 > 0.9);
        let mut state = site.state();
        let unseen = site.close(&mut state, site.panes_to(KICK_OFF) + 1, |pane| pane.add_count(site.sensor("gate-a"), &count(800, 0)));
        assert!(!unseen.entry.unwrap().is_complete, "nobody sees the forecourt");
    }

    #[test]
    fn another_match_begins_with_nobody_admitted() {
        let site = site();
        let mut night = NightState { admitted: 7, match_id: Some("m0".into()), ..NightState::default() };
        night.turn_to(NightState::default().tonight(&site.venue, KICK_OFF).as_ref());
        assert_eq!((night.match_id.as_deref(), night.admitted), (Some("m1"), 0));
    }
}

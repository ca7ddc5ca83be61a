//! Zero points: a zone over whose counted ways nobody has passed for long, outside a match, is empty, whatever its balance says.
//!
//! The idea: counters drift, and a balance carries the drift on for ever (crowd-science §2.5: vendors correct only after the nightly reset). A venue that has been still for an hour
//! when no match is on holds nobody; what the balance still has is the drift, and it is named before it is forgotten. A recount since then goes before: somebody was there and looked.

use super::figures::{Against, Disagreement, Phase};
use super::flow::ZoneFlows;
use super::limits::ZoneLimits;
use super::phase::Tonight;
use super::stand_in::Silence;
use super::state::{CrowdState, ZoneState};

impl CrowdState {
    /// Sets zones to nobody that have been still for long enough.
    pub(super) fn empty_what_is_still(&mut self, pane: &Silence<'_>, tonight: Option<&Tonight>, flows: &[ZoneFlows]) {
        let is_on = tonight.is_some_and(|tonight| tonight.phase != Phase::After);
        for (i, plan) in pane.topology.zones.iter().enumerate().filter(|(i, plan)| pane.venue.zones[*i].closed && plan.heads.is_empty()) {
            let is_still = flows[i] == ZoneFlows::default() && plan.ways.iter().all(|(way, _)| pane.hearing.hears_way(pane.topology, *way));
            let state = &mut self.zones[i];
            let stirred = *state.stirred.get_or_insert(pane.end);
            if !is_still || is_on {
                state.stirred = Some(pane.end);
                continue;
            }
            let is_recounted = state.anchored.is_some_and(|anchored| anchored > stirred);
            if !is_recounted && pane.end.since(stirred).as_millis() as f64 >= plan.limits.quiet_ms && state.persons.is_some_and(|persons| persons > 0) {
                state.part(Against::Empty, 0, 0.0, &plan.limits);
                state.anchor(0, pane.end);
            }
        }
    }
}

impl ZoneState {
    /// Notes by how much head counts of a counted zone part from its balance.
    pub(super) fn part_from(&mut self, heads: u32, closed: bool, limits: &ZoneLimits) {
        if closed {
            let sigma = libm::hypot(limits.occupancy_sensor * f64::from(heads), limits.occupancy_floor);
            self.part(Against::Heads, heads, sigma, limits);
        }
    }

    fn part(&mut self, with: Against, heads: u32, sigma: f64, limits: &ZoneLimits) {
        let Some(balance) = self.estimate(limits) else { return };
        let (by, sigma) = (f64::from(heads) - balance.v, libm::hypot(balance.sigma(), sigma));
        self.parted = Disagreement::between(with, by, sigma, limits.parting);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::sample::{KICK_OFF, Site, count, site};
    use crate::time::Span;

    /// A hundred are left in the bowl by the balance; then nobody moves for `minutes`, from `begin` on.
    fn still(site: &Site, state: &mut CrowdState, begin: i64, minutes: i64) -> Option<Disagreement> {
        let step = |state: &mut CrowdState, n: i64, persons: u32| {
            let figures = site.close(state, n, |pane| {
                for name in ["approach-1", "lane-a", "gate-a", "exit"] {
                    pane.add_count(site.sensor(name), &count(if name == "gate-a" { persons } else { 0 }, 0));
                }
            });
            figures.zones[site.zone("bowl")].disagrees
        };
        step(state, begin, 100);
        (1..=minutes * 6).filter_map(|n| step(state, begin + n, 0)).last()
    }

    /// The bowl with its counted ways only: gate B has no counter.
    fn counted() -> Site {
        let mut site = site();
        site.venue.gates.pop();
        site.venue.gate_names = crate::venue::Names::new(["a"]);
        site.venue.links.remove(3);
        site.venue.link_names = crate::venue::Names::new(site.venue.links.iter().map(|link| &*link.id).collect::<Vec<_>>());
        for sensor in &mut site.venue.sensors {
            if let crate::venue::Measures::Link { link, .. } = &mut sensor.measures {
                link.0 = link.0.min(3);
            }
        }
        site.turn_round();
        site
    }

    #[test]
    fn a_zone_that_is_still_for_an_hour_after_a_match_is_empty_and_the_drift_is_named() {
        let site = counted();
        let after = site.panes_to(KICK_OFF.after(Span::from_mins(200)));
        let mut state = site.state();
        assert_eq!(still(&site, &mut state, after, 59), None);
        let mut state = site.state();
        let drift = still(&site, &mut state, after, 60).unwrap();
        assert_eq!((drift.with, drift.by, state.zones[site.zone("bowl")].persons), (Against::Empty, -100.0, Some(0)));
    }

    #[test]
    fn during_a_match_a_still_bowl_is_full_of_people() {
        let site = counted();
        let mut state = site.state();
        still(&site, &mut state, site.panes_to(KICK_OFF), 80);
        assert_eq!(state.zones[site.zone("bowl")].persons, Some(100));
    }

    #[test]
    fn who_was_counted_by_hand_since_stays() {
        let site = counted();
        let after = site.panes_to(KICK_OFF.after(Span::from_mins(200)));
        let mut state = site.state();
        still(&site, &mut state, after, 10);
        state.recount(&site.topology, site.zone("bowl").into(), 40, site.end(after + 60));
        (61..600).for_each(|n| {
            site.close(&mut state, after + n, |pane| {
                ["approach-1", "lane-a", "gate-a", "exit"].iter().for_each(|name| pane.add_count(site.sensor(name), &count(0, 0)))
            });
        });
        assert_eq!(state.zones[site.zone("bowl")].persons, Some(40));
    }
}

//! Late events: what lasts (heads, admitted persons) is corrected once, now; past pictures are revised elsewhere, by [`super::flows`].
//!
//! The idea: a correction is the difference that the late event makes to its own pane's flow. An anchor that lies after the event has seen its effect already,
//! and is left alone. A total corrects only when it is the newest of its sensor: an older one lies between two that were counted.

use super::flow::{CrossingFlow, mean, sensor_flow, total_step};
use super::gate::told_lanes;
use super::state::CrowdState;
use super::topology::Topology;
use crate::feeds::observation::{Count, Entity, Scan, Total, What};
use crate::time::EventTime;
use crate::venue::{GateId, LinkId, Measures, SensorId, Venue, ZoneId};
use crate::window::PaneContent;
use std::collections::BTreeMap;

/// One late event.
#[derive(Clone, Copy, Debug)]
pub struct Correction<'a> {
    /// Its event time.
    pub at: EventTime,
    /// The end of the pane it belongs to.
    pub end: EventTime,
    /// What it is about.
    pub entity: Entity,
    /// What it says; of a count longer than a pane, the part that falls in the pane.
    pub what: &'a What,
    /// The content of its own pane, the event already in it, where that pane is still kept whole.
    pub pane: Option<&'a PaneContent>,
}

/// Persons by whom a crossing's flow was wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Difference {
    forward: i64,
    backward: i64,
}

impl CrowdState {
    /// Corrects what lasts by one late event. Of the windows of gates only tickets and who was counted inwards: late scans would else look like a breach; rates look back minutes only.
    pub fn correct(&mut self, venue: &Venue, topology: &Topology, late: &Correction<'_>) {
        match (late.entity, late.what) {
            (Entity::Sensor(sensor), What::Count(count)) => {
                if let Some((link, difference)) = counted(venue, topology, sensor, count, late.pane) {
                    self.revise_window(venue, topology, link, difference, late.at);
                    self.shift(venue, topology, Topology::of_link(link), difference, late);
                }
            }
            (Entity::Sensor(sensor), What::Total(total)) => self.correct_total(venue, topology, sensor, total, late),
            (Entity::Sensor(sensor), What::State { state, lanes_open }) => {
                if let Some(known) = self.sensor_mut(sensor).filter(|known| known.reported.is_none_or(|reported| late.at >= reported)) {
                    known.door = Some(*state);
                }
                let lanes = told_lanes(venue, topology, sensor, (*state, *lanes_open));
                let known = self.sensor_mut(sensor);
                if let (Some(lanes), Some(known)) = (lanes, known.filter(|known| known.reported.is_none_or(|reported| late.at >= reported))) {
                    known.reading = Some(lanes);
                }
            }
            (Entity::Gate(gate), What::Scan(scan)) => self.correct_scan(venue, topology, gate, *scan, late),
            (Entity::Stop(stop), What::Passengers(passengers)) => {
                let difference = Difference { forward: i64::from(passengers.alighting), backward: i64::from(passengers.boarding) };
                self.shift(venue, topology, topology.of_stop(stop), difference, late);
                self.arrivals.count_instead(venue, topology, stop, late.end, passengers.alighting);
            }
            (_, What::Match(event)) => self.night.learn(late.at, event),
            (entity, What::Call(call)) => self.night.hear_call(&topology.calls, late.at, entity, *call),
            (_, What::Weather(weather)) => self.night.feel(late.at, weather),
            _ => {}
        }
    }

    fn correct_scan(&mut self, venue: &Venue, topology: &Topology, gate: GateId, scan: Scan, late: &Correction<'_>) {
        let limits = topology.gates.get(gate.index()).map(|plan| plan.limits);
        if let (Some(limits), Some(window), false) = (limits, self.gates.get_mut(gate.index()), scan.exit) {
            if scan.accepted {
                window.compared.scanned = window.compared.scanned.saturating_add(1);
                window.compared.tell();
            }
            window.revise(late.at, &limits, |slice| if scan.accepted { slice.scanned += 1 } else { slice.rejected += 1 });
        }
        let is_flow = topology.gates.get(gate.index()).is_some_and(|plan| plan.by_scans);
        if !is_flow && scan.accepted {
            self.correct_stand_in(venue, topology, gate, scan.exit, late);
        }
        if !is_flow || !scan.accepted {
            return;
        }
        let difference = if scan.exit { Difference { backward: 1, ..Difference::default() } } else { Difference { forward: 1, ..Difference::default() } };
        self.shift(venue, topology, Topology::of_link(venue.gates[gate.index()].link), difference, late);
    }

    fn revise_window(&mut self, venue: &Venue, topology: &Topology, link: LinkId, difference: Difference, at: EventTime) {
        let Some(gate) = venue.gates.iter().position(|gate| gate.link == link) else {
            return;
        };
        let limits = topology.gates[gate].limits;
        let compared = &mut self.gates[gate].compared;
        compared.counted = u32::try_from(i64::from(compared.counted) + difference.forward).unwrap_or(0);
        self.gates[gate].revise(at, &limits, |slice| slice.inwards = u32::try_from(i64::from(slice.inwards) + difference.forward).unwrap_or(0));
    }

    fn correct_total(&mut self, venue: &Venue, topology: &Topology, sensor: SensorId, total: &Total, late: &Correction<'_>) {
        let Some(Measures::Link { link, reversed }) = venue.sensors.get(sensor.index()).map(|sensor| sensor.measures) else {
            return;
        };
        let alone = is_alone(topology, link);
        let Some(known) = self.sensor_mut(sensor) else {
            return;
        };
        if known.total.is_some_and(|(last, _)| late.at <= last) {
            return;
        }
        let step = total_step(known.total.as_ref().map(|(_, total)| total), total).turned(reversed);
        known.total = Some((late.at, *total));
        if alone {
            self.shift(venue, topology, Topology::of_link(link), Difference::of(step), late);
        }
    }

    /// Moves the heads on both sides of a crossing, and who was admitted over it.
    fn shift(&mut self, venue: &Venue, topology: &Topology, crossing: usize, difference: Difference, late: &Correction<'_>) {
        let Some(ends) = topology.crossings.get(crossing) else {
            return;
        };
        if ends.from != ends.to {
            self.shift_zone(venue, topology, ends.to, crossing, (difference.forward, difference.backward), late);
            self.shift_zone(venue, topology, ends.from, crossing, (difference.backward, difference.forward), late);
        }
        for (zone, exits) in self.zones.iter_mut().zip(&topology.exits) {
            if exits.iter().any(|exit| exit.is_one_way() && Topology::of_link(exit.link) == crossing) {
                zone.correct_intruders(late.end, difference.backward);
            }
        }
        let gate = venue.gates.iter().position(|gate| gate.link.index() == crossing);
        // What stood in for a silent counter holds them already.
        let new = gate.map_or(difference.forward, |gate| self.gates[gate].stood_in.settle(late.end, difference.forward));
        self.arrivals.correct(venue, topology, crossing, new, difference.backward);
        if let Some(gate) = gate {
            self.admit_late(venue, gate.into(), new, difference.backward, late.at);
        }
    }

    /// Who went through a gate at `at`, and is told of now.
    pub(super) fn admit_late(&mut self, venue: &Venue, gate: GateId, inwards: i64, outwards: i64, at: EventTime) {
        let tonight = self.night.tonight(venue, at).filter(|tonight| Some(&tonight.match_id) == self.night.match_id.as_ref());
        let Some(tonight) = tonight.filter(|_| venue.gates[gate.index()].entry) else { return };
        let then = if at < tonight.kick_off { super::Phase::Before } else { tonight.phase };
        self.night.admit(inwards, outwards, then);
        self.arrivals.admit(venue, gate, inwards - if then == super::Phase::Before { outwards } else { 0 });
    }

    fn shift_zone(&mut self, venue: &Venue, topology: &Topology, zone: Option<ZoneId>, crossing: usize, moved: (i64, i64), late: &Correction<'_>) {
        let Some(i) = zone.map(ZoneId::index).filter(|i| venue.zones.get(*i).is_some_and(|zone| zone.closed)) else {
            return;
        };
        let state = &mut self.zones[i];
        if state.anchored.is_some_and(|anchored| late.at < anchored) {
            return;
        }
        // A way that has gone since has moved heads all the same.
        let at = state.over.iter().position(|way| *way == topology.way(crossing));
        state.correct(at, late.end, moved.0, moved.1);
    }
}

impl Difference {
    fn of(flow: CrossingFlow) -> Self {
        Self { forward: i64::from(flow.forward), backward: i64::from(flow.backward) }
    }

    fn between(before: CrossingFlow, after: CrossingFlow) -> Self {
        let (before, after) = (Self::of(before), Self::of(after));
        Self { forward: after.forward - before.forward, backward: after.backward - before.backward }
    }
}

/// What a late count changes on its link. One of several redundant sensors changes a mean; where the pane is no longer known, the others have stood in for it.
fn counted(venue: &Venue, topology: &Topology, sensor: SensorId, count: &Count, pane: Option<&PaneContent>) -> Option<(LinkId, Difference)> {
    let Measures::Link { link, reversed } = venue.sensors.get(sensor.index())?.measures else {
        return None;
    };
    let late = CrossingFlow { forward: count.inwards, backward: count.outwards, undirected: 0 };
    if is_alone(topology, link) {
        return Some((link, Difference::of(late.turned(reversed))));
    }
    let pane = pane?;
    Some((link, Difference::between(mean_without(topology, link, sensor, count, pane), mean_of(topology, link, pane))))
}

fn is_alone(topology: &Topology, link: LinkId) -> bool {
    topology.link_sensors.get(link.index()).is_some_and(|sensors| sensors.len() == 1)
}

fn mean_of(topology: &Topology, link: LinkId, pane: &PaneContent) -> CrossingFlow {
    let mut sum = CrossingFlow::default();
    let mut reporting = 0;
    for on_link in &topology.link_sensors[link.index()] {
        if let Some(flow) = sensor_flow(on_link.sensor, pane, &BTreeMap::new()) {
            sum = sum.plus(flow.turned(on_link.reversed));
            reporting += 1;
        }
    }
    mean(sum, reporting)
}

fn mean_without(topology: &Topology, link: LinkId, sensor: SensorId, count: &Count, pane: &PaneContent) -> CrossingFlow {
    let mut sum = CrossingFlow::default();
    let mut reporting = 0;
    for on_link in &topology.link_sensors[link.index()] {
        let Some(mut counted) = pane.counts.get(on_link.sensor.index()).copied() else {
            continue;
        };
        if on_link.sensor == sensor {
            counted.inwards = counted.inwards.saturating_sub(count.inwards);
            counted.outwards = counted.outwards.saturating_sub(count.outwards);
            counted.reports = counted.reports.saturating_sub(1);
        }
        if counted.reports > 0 {
            let flow = CrossingFlow { forward: counted.inwards, backward: counted.outwards, undirected: 0 };
            sum = sum.plus(flow.turned(on_link.reversed));
            reporting += 1;
        }
    }
    mean(sum, reporting)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::sample::{Site, count, site, total};
    use proptest::prelude::*;

    fn late<'a>(site: &Site, pane: i64, entity: Entity, what: &'a What, content: Option<&'a PaneContent>) -> Correction<'a> {
        Correction { at: EventTime::from_millis(site.end(pane).as_millis() - 1), end: site.end(pane), entity, what, pane: content }
    }

    fn correct(site: &Site, state: &mut CrowdState, late: &Correction<'_>) {
        state.correct(&site.venue, &site.topology, late);
    }

    #[test]
    fn a_late_count_moves_heads_and_the_admitted_once() {
        let site = site();
        let mut state = site.state();
        site.close(&mut state, 1, |pane| pane.add_count(site.sensor("lane-a"), &count(50, 0)));
        let what = What::Count(count(20, 0));
        correct(&site, &mut state, &late(&site, 1, Entity::Sensor(site.sensor("gate-a")), &what, None));
        assert_eq!(state.zones[site.zone("bowl")].persons, Some(20));
        assert_eq!(state.zones[site.zone("queue-a")].persons, Some(30));
        assert_eq!(state.night.admitted, 20);
    }

    #[test]
    fn a_late_entry_makes_good_a_deficit_first() {
        let site = site();
        let mut state = site.state();
        site.close(&mut state, 1, |pane| pane.add_count(site.sensor("exit"), &count(0, 30)));
        let what = What::Count(count(40, 0));
        correct(&site, &mut state, &late(&site, 1, Entity::Sensor(site.sensor("gate-a")), &what, None));
        let bowl = &state.zones[site.zone("bowl")];
        assert_eq!((bowl.persons, bowl.deficit), (Some(10), 0), "as if it had been on time");
    }

    #[test]
    fn an_anchor_has_seen_what_happened_before_it() {
        let site = site();
        let mut state = site.state();
        site.close(&mut state, 1, |_| ());
        let bowl = site.zone("bowl");
        state.recount(&site.topology, bowl.into(), 100, site.end(1));
        let what = What::Count(count(40, 0));
        correct(&site, &mut state, &late(&site, 1, Entity::Sensor(site.sensor("gate-a")), &what, None));
        assert_eq!(state.zones[bowl].persons, Some(100));
    }

    #[test]
    fn a_late_scan_counts_where_scans_are_the_flow() {
        let site = site();
        let mut state = site.state();
        site.close(&mut state, 1, |pane| pane.add_count(site.sensor("gate-a"), &count(0, 0)));
        for gate in ["a", "b"] {
            for (accepted, exit) in [(true, false), (true, false), (false, false), (true, true)] {
                let what = What::Scan(Scan { accepted, exit, ..Scan::default() });
                correct(&site, &mut state, &late(&site, 1, Entity::Gate(site.gate(gate).into()), &what, None));
            }
        }
        assert_eq!((state.zones[site.zone("bowl")].persons, state.night.admitted), (Some(1), 1));
    }

    #[test]
    fn only_the_newest_total_corrects() {
        let site = site();
        let mut state = site.state();
        let sensor = site.sensor("gate-a");
        let bowl = site.zone("bowl");
        for (n, inwards) in [(1, 100), (2, 140)] {
            let (order, total) = total(site.end(n).as_millis() - 1, inwards, 0);
            site.close(&mut state, n, |pane| _ = pane.totals.insert((sensor, order), total));
        }
        let between = What::Total(total(0, 120, 0).1);
        correct(&site, &mut state, &late(&site, 1, Entity::Sensor(sensor), &between, None));
        assert_eq!(state.zones[bowl].persons, Some(40), "it lies between two that were counted");
        let newest = What::Total(total(0, 150, 0).1);
        correct(&site, &mut state, &late(&site, 3, Entity::Sensor(sensor), &newest, None));
        assert_eq!(state.zones[bowl].persons, Some(50));
    }

    #[test]
    fn a_late_count_of_a_redundant_sensor_changes_the_mean_only() {
        let site = site();
        let mut state = site.state();
        let mut pane = site.pane();
        pane.add_count(site.sensor("approach-1"), &count(10, 0));
        state.close(&site.venue, &site.topology, site.end(1), &pane, Vec::new());
        let what = What::Count(count(14, 0));
        let entity = Entity::Sensor(site.sensor("approach-2"));
        correct(&site, &mut state, &late(&site, 1, entity, &what, None));
        assert_eq!(state.zones[site.zone("forecourt")].persons, Some(10), "the other one has stood in");
        pane.add_count(site.sensor("approach-2"), &count(14, 0));
        correct(&site, &mut state, &late(&site, 1, entity, &what, Some(&pane)));
        assert_eq!(state.zones[site.zone("forecourt")].persons, Some(12));
    }

    /// Counts of one pane: sensor, persons in, whether it comes late.
    fn events() -> impl Strategy<Value = Vec<Vec<(usize, u32, bool)>>> {
        prop::collection::vec(prop::collection::vec((0usize..4, 0u32..40, any::<bool>()), 0..8), 1..7)
    }

    proptest! {
        /// As long as nobody leaves, so that no balance is held at zero, and as long as no counter is silent for a minute, what lasts is the same whether events were late or on time.
        #[test]
        fn late_or_on_time_the_heads_are_the_same(panes in events()) {
            let site = site();
            let sensors = ["approach-1", "approach-2", "gate-a", "exit"].map(|name| site.sensor(name));
            let mut on_time = site.state();
            let mut corrected = site.state();
            for state in [&mut on_time, &mut corrected] {
                state.recount(&site.topology, site.zone("queue-a").into(), 1_000_000, EventTime::MIN);
            }
            for (n, events) in (1..).zip(&panes) {
                let mut whole = site.pane();
                let mut partial = site.pane();
                for (sensor, persons, is_late) in events {
                    whole.add_count(sensors[*sensor], &count(*persons, 0));
                    if !is_late {
                        partial.add_count(sensors[*sensor], &count(*persons, 0));
                    }
                }
                on_time.close(&site.venue, &site.topology, site.end(n), &whole, Vec::new());
                corrected.close(&site.venue, &site.topology, site.end(n), &partial, Vec::new());
                for (sensor, persons, _) in events.iter().filter(|event| event.2) {
                    partial.add_count(sensors[*sensor], &count(*persons, 0));
                    let what = What::Count(count(*persons, 0));
                    correct(&site, &mut corrected, &late(&site, n, Entity::Sensor(sensors[*sensor]), &what, Some(&partial)));
                }
                let revised = super::super::flows(&site.venue, &site.topology, &partial, &BTreeMap::new());
                prop_assert_eq!(revised, super::super::flows(&site.venue, &site.topology, &whole, &BTreeMap::new()));
            }
            for (a, b) in on_time.zones.iter().zip(&corrected.zones) {
                prop_assert_eq!((a.persons, a.came, &a.gross, a.deficit), (b.persons, b.came, &b.gross, b.deficit));
            }
            prop_assert_eq!(on_time.night.admitted, corrected.night.admitted);
        }
    }
}

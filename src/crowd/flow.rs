//! From what sensors counted to who crossed where: sensors → crossings → zones.
//!
//! The idea: a pure function of one pane's content (and, for sensors that send running totals, of the last total before it), so that a revised pane
//! gives what it would have given with every event on time.
//!
//! - A sensor that stands the other way round (`reversed`) has its directions swapped.
//! - Two or more sensors on one link are redundant: their mean counts, rounded half up, over those that reported in the pane. They must report at the same
//!   interval, else the mean of a pane mixes unequal times.
//! - Running totals: differences in order; a total that went down was reset and counts from zero; the first total ever is a base and counts nobody.
//! - A gate whose link nobody counts flows by its scans.
//! - Passengers who alight enter the stop's zone, those who board leave it ([`super::topology`] says when).

use super::topology::{LinkSensor, Topology};
use crate::feeds::observation::Total;
use crate::venue::{SensorId, Venue};
use crate::window::PaneContent;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Persons over one crossing in one pane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CrossingFlow {
    /// Forward.
    pub forward: u32,
    /// Backward.
    pub backward: u32,
    /// Without direction.
    pub undirected: u32,
}

/// Persons into and out of one zone in one pane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZoneFlows {
    /// In.
    pub inwards: u32,
    /// Out.
    pub outwards: u32,
    /// Without direction.
    pub undirected: u32,
}

impl ZoneFlows {
    /// What the balance of heads makes of them: where one direction of a counted place is unheard, as many went the one way as the other, as far as anybody knows, and the balance stands still.
    pub(super) fn balanced(self, is_unheard: impl Fn(bool) -> bool) -> Self {
        match (is_unheard(true), is_unheard(false)) {
            (true, false) => Self { inwards: self.outwards, ..self },
            (false, true) => Self { outwards: self.inwards, ..self },
            _ => self,
        }
    }
}

/// The last total before a pane, by sensor, for the sensors that sent totals in it. Keep it beside a closed pane, to revise it with.
pub type TotalBases = BTreeMap<SensorId, Total>;

/// The flow into and out of every zone in a pane.
pub fn flows(venue: &Venue, topology: &Topology, content: &PaneContent, bases: &TotalBases) -> Vec<ZoneFlows> {
    zone_flows(topology, &crossing_flows(venue, topology, content, bases))
}

/// The flow over every crossing in a pane, links first, then stops.
pub fn crossing_flows(venue: &Venue, topology: &Topology, content: &PaneContent, bases: &TotalBases) -> Vec<CrossingFlow> {
    let totals = total_flows(content, bases);
    let mut flows: Vec<CrossingFlow> = topology.link_sensors.iter().map(|sensors| link_flow(sensors, content, &totals)).collect();
    for ((gate, plan), scans) in venue.gates.iter().zip(&topology.gates).zip(&content.scans) {
        if let (true, Some(flow)) = (plan.by_scans, flows.get_mut(gate.link.index())) {
            flow.forward = flow.forward.saturating_add(scans.entered);
            flow.backward = flow.backward.saturating_add(scans.left);
        }
    }
    let passengers = content.passengers.iter().map(|p| CrossingFlow { forward: p.alighting, backward: p.boarding, undirected: 0 });
    flows.extend(passengers);
    flows.resize(topology.crossings.len(), CrossingFlow::default());
    flows
}

/// The flow into and out of every zone, given that over every crossing.
pub fn zone_flows(topology: &Topology, crossings: &[CrossingFlow]) -> Vec<ZoneFlows> {
    let mut zones = vec![ZoneFlows::default(); topology.zones.len()];
    for (crossing, flow) in topology.crossings.iter().zip(crossings) {
        // A link that leads back to where it came from moves nobody.
        if crossing.from != crossing.to {
            if let Some(zone) = crossing.to.and_then(|zone| zones.get_mut(zone.index())) {
                zone.inwards = zone.inwards.saturating_add(flow.forward);
                zone.outwards = zone.outwards.saturating_add(flow.backward);
            }
            if let Some(zone) = crossing.from.and_then(|zone| zones.get_mut(zone.index())) {
                zone.inwards = zone.inwards.saturating_add(flow.backward);
                zone.outwards = zone.outwards.saturating_add(flow.forward);
            }
        }
        if let Some(zone) = crossing.undirected_zone().and_then(|zone| zones.get_mut(zone.index())) {
            zone.undirected = zone.undirected.saturating_add(flow.undirected);
        }
    }
    zones
}

/// What one step from `base` to `next` of a running total counts.
pub(super) fn total_step(base: Option<&Total>, next: &Total) -> CrossingFlow {
    let Some(base) = base else {
        return CrossingFlow::default();
    };
    let was_reset = [(next.inwards, base.inwards), (next.outwards, base.outwards), (next.undirected, base.undirected)]
        .iter()
        .any(|(now, before)| now < before && rolled_over(*now, *before, next.modulus).is_none());
    let gain = |now: u64, before: u64| {
        let step = if was_reset { now } else { now.checked_sub(before).or_else(|| rolled_over(now, before, next.modulus)).unwrap_or(now) };
        u32::try_from(step).unwrap_or(u32::MAX)
    };
    CrossingFlow { forward: gain(next.inwards, base.inwards), backward: gain(next.outwards, base.outwards), undirected: gain(next.undirected, base.undirected) }
}

/// What a counter that begins again at 0 after `modulus` values has counted since `before`, if it did so: from its last quarter into its first. A
/// fall from elsewhere, or to elsewhere, is a reset.
fn rolled_over(now: u64, before: u64, modulus: Option<u64>) -> Option<u64> {
    let modulus = modulus.filter(|modulus| before < *modulus)?;
    (now < modulus / 4 && before >= modulus - modulus / 4).then(|| modulus - before + now)
}

/// The mean of what redundant sensors say: sums over `reporting` of them, rounded half up.
pub(super) fn mean(sum: CrossingFlow, reporting: u32) -> CrossingFlow {
    let share = |sum: u32| match u64::from(reporting) {
        0 => 0,
        n => ((2 * u64::from(sum) + n) / (2 * n)) as u32,
    };
    CrossingFlow { forward: share(sum.forward), backward: share(sum.backward), undirected: share(sum.undirected) }
}

impl CrossingFlow {
    /// Persons in all, whichever way.
    pub fn gross(self) -> u64 {
        u64::from(self.forward) + u64::from(self.backward)
    }

    /// Seen from the other side, if `reversed`.
    pub(super) fn turned(self, reversed: bool) -> Self {
        if reversed { Self { forward: self.backward, backward: self.forward, ..self } } else { self }
    }

    /// Both together.
    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            forward: self.forward.saturating_add(other.forward),
            backward: self.backward.saturating_add(other.backward),
            undirected: self.undirected.saturating_add(other.undirected),
        }
    }
}

/// What one sensor counted in the pane, as it says it; `None` where it did not report.
pub(super) fn sensor_flow(sensor: SensorId, content: &PaneContent, totals: &BTreeMap<SensorId, CrossingFlow>) -> Option<CrossingFlow> {
    let counted = content.counts.get(sensor.index()).filter(|count| count.reports > 0);
    let counted = counted.map(|c| CrossingFlow { forward: c.inwards, backward: c.outwards, undirected: c.undirected });
    match (counted, totals.get(&sensor)) {
        (None, None) => None,
        (counted, total) => Some(counted.unwrap_or_default().plus(total.copied().unwrap_or_default())),
    }
}

/// What running totals add in the pane, by sensor.
pub(super) fn total_flows(content: &PaneContent, bases: &TotalBases) -> BTreeMap<SensorId, CrossingFlow> {
    let mut flows: BTreeMap<SensorId, CrossingFlow> = BTreeMap::new();
    let mut last: Option<(SensorId, &Total)> = None;
    for ((sensor, _), total) in &content.totals {
        let base = match last {
            Some((of, total)) if of == *sensor => Some(total),
            _ => bases.get(sensor),
        };
        let flow = flows.entry(*sensor).or_default();
        *flow = flow.plus(total_step(base, total));
        last = Some((*sensor, total));
    }
    flows
}

fn link_flow(sensors: &[LinkSensor], content: &PaneContent, totals: &BTreeMap<SensorId, CrossingFlow>) -> CrossingFlow {
    let mut sum = CrossingFlow::default();
    let mut reporting = 0;
    for LinkSensor { sensor, reversed } in sensors {
        if let Some(flow) = sensor_flow(*sensor, content, totals) {
            sum = sum.plus(flow.turned(*reversed));
            reporting += 1;
        }
    }
    mean(sum, reporting)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::sample::{Site, count, site, total};

    fn flows_of(site: &Site, content: &PaneContent) -> Vec<ZoneFlows> {
        flows(&site.venue, &site.topology, content, &TotalBases::new())
    }

    #[test]
    fn forward_flow_leaves_one_zone_and_enters_the_other() {
        let site = site();
        let mut pane = site.pane();
        pane.add_count(site.sensor("gate-a"), &count(30, 4));
        let flows = flows_of(&site, &pane);
        assert_eq!(flows[site.zone("queue-a")], ZoneFlows { inwards: 4, outwards: 30, undirected: 0 });
        assert_eq!(flows[site.zone("bowl")], ZoneFlows { inwards: 30, outwards: 4, undirected: 0 });
    }

    #[test]
    fn a_reversed_sensor_is_turned_round() {
        let site = site();
        let mut pane = site.pane();
        pane.add_count(site.sensor("exit"), &count(5, 9));
        assert_eq!(flows_of(&site, &pane)[site.zone("bowl")], ZoneFlows { inwards: 5, outwards: 9, undirected: 0 });
    }

    #[test]
    fn redundant_sensors_give_their_mean_rounded_half_up() {
        let site = site();
        let mut pane = site.pane();
        pane.add_count(site.sensor("approach-1"), &count(10, 1));
        assert_eq!(flows_of(&site, &pane)[site.zone("forecourt")].inwards, 10, "one alone speaks for both");
        pane.add_count(site.sensor("approach-2"), &count(13, 0));
        let flows = flows_of(&site, &pane)[site.zone("forecourt")];
        assert_eq!((flows.inwards, flows.outwards), (12, 1), "11.5 and 0.5, half up");
    }

    #[test]
    fn a_gate_that_nobody_counts_flows_by_its_scans() {
        let site = site();
        let mut pane = site.pane();
        pane.scans[site.gate("b")] = crate::window::pane::GateScans { entered: 7, left: 2, rejected: 3 };
        pane.scans[site.gate("a")] = crate::window::pane::GateScans { entered: 99, left: 0, rejected: 0 };
        let bowl = flows_of(&site, &pane)[site.zone("bowl")];
        assert_eq!((bowl.inwards, bowl.outwards), (7, 2));
    }

    #[test]
    fn totals_count_by_their_differences_and_start_anew_after_a_reset() {
        let site = site();
        let sensor = site.sensor("gate-a");
        let mut pane = site.pane();
        for (at, inwards, outwards) in [(1, 100, 10), (2, 130, 10), (3, 5, 1), (4, 9, 1)] {
            let (order, total) = total(at, inwards, outwards);
            pane.totals.insert((sensor, order), total);
        }
        let bowl = site.zone("bowl");
        let unbased = flows(&site.venue, &site.topology, &pane, &TotalBases::new())[bowl];
        assert_eq!((unbased.inwards, unbased.outwards), (30 + 5 + 4, 1), "the first total is a base");
        let bases = TotalBases::from([(sensor, total(0, 90, 10).1)]);
        let based = flows(&site.venue, &site.topology, &pane, &bases)[bowl];
        assert_eq!((based.inwards, based.outwards), (10 + 30 + 5 + 4, 1));
    }

    #[test]
    fn figures_without_direction_go_to_where_forward_leads() {
        let site = site();
        let mut pane = site.pane();
        pane.add_count(site.sensor("gate-a"), &crate::feeds::observation::Count { undirected: 8, ..count(0, 0) });
        let flows = flows_of(&site, &pane);
        assert_eq!((flows[site.zone("bowl")].undirected, flows[site.zone("queue-a")].undirected), (8, 0));
    }

    #[test]
    fn passengers_enter_the_zone_of_their_stop() {
        let site = site();
        let mut pane = site.pane();
        pane.passengers[0] = crate::window::pane::StopPassengers { alighting: 400, boarding: 30 };
        let platform = flows_of(&site, &pane)[site.zone("platform")];
        assert_eq!((platform.inwards, platform.outwards), (400, 30));
    }

    #[test]
    fn passengers_of_a_zone_with_a_counted_border_are_not_counted_twice() {
        let mut site = site();
        site.venue.stops[0].zone = Some(crate::venue::ZoneId::from(site.zone("forecourt")));
        site.turn_round();
        let mut pane = site.pane();
        pane.passengers[0].alighting = 400;
        assert_eq!(flows_of(&site, &pane)[site.zone("forecourt")].inwards, 0);
    }
}

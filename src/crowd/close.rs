//! The close of a pane: flows, then heads, then gates, then the entry, each from what stands before it, in the fixed order of the venue's lists.

use super::approaches::Sight;
use super::coverage::{Hearing, note_reports};
use super::dense::DenseFigures;
use super::figures::{LinkFigures, Phase, VenueFigures, ZoneFigures};
use super::flow::{CrossingFlow, ZoneFlows, crossing_flows, zone_flows};
use super::gate::{Passage, gates, is_forced, note_states};
use super::grade::level_of_service;
use super::reconcile::Learnt;
use super::stand_in::Silence;
use super::state::{Compared, CrowdState};
use super::topology::Topology;
use super::{entry, figures::Estimate};
use crate::time::{EventTime, Span};
use crate::venue::{Feed, LinkId, SensorId, Venue, ZoneId};
use crate::window::PaneContent;
use std::sync::Arc;

impl CrowdState {
    /// Goes on by one closed pane, which ends at `end` and holds `content`, and gives its picture. `ages` is how old each feed was, and goes into the picture as it is.
    pub fn close(&mut self, venue: &Venue, topology: &Topology, end: EventTime, content: &PaneContent, ages: Vec<(Feed, Span)>) -> VenueFigures {
        let since = *self.night.since.get_or_insert(venue.pane.start(end));
        let crossings = crossing_flows(venue, topology, content, &self.bases(content));
        let flows = zone_flows(topology, &crossings);
        self.note(venue, topology, end, content);
        let hearing = Hearing::at(end, since, self, topology);
        self.note_unheard(topology, &hearing, end);
        self.night.hear_surroundings(venue, &topology.calls, end, content);
        self.night.forget(venue, end);
        let tonight = self.night.tonight(venue, end);
        if self.night.turn_to(tonight.as_ref()) {
            for gate in &mut self.gates {
                (gate.stood_in.scanned, gate.stood_in.guessed, gate.stood_in.ahead) = (0, 0, 0);
                gate.compared = Compared::default();
            }
            for zone in &mut self.zones {
                zone.learnt = Learnt::default();
                zone.known.fill(None);
            }
        }
        let phase = tonight.as_ref().map_or(Phase::default(), |tonight| tonight.phase);
        self.arrivals.turn_to(venue, topology, tonight.as_ref());
        let deficits: Vec<u32> = self.zones.iter().map(|zone| zone.deficit).collect();
        self.move_heads(venue, topology, end, content, (&crossings, &flows), &hearing);
        self.infer_unheard(venue, topology, &deficits, phase);
        let silence = Silence { venue, topology, end, scans: &content.scans, hearing: &hearing, phase };
        let passed = self.stand_in(&silence);
        self.pass_unheard(&silence, &flows, &passed);
        self.reconcile(&silence, &flows, &crossings);
        self.empty_what_is_still(&silence, tonight.as_ref(), &flows);
        let dense = self.dense_figures(topology, end, content);
        let mut zones = self.zone_figures(venue, topology, &flows, dense, &hearing);
        let passage = Passage { venue, topology, end, crossings: &crossings, scans: &content.scans, flows: &flows, zones: &zones, passed: &passed };
        let gates = gates(self, &passage, &hearing);
        let little: Vec<_> = zones.iter().enumerate().map(|(i, figures)| passage.against_little(self, ZoneId::from(i), figures)).collect();
        for (figures, little) in zones.iter_mut().zip(little) {
            figures.disagrees = figures.disagrees.or(little);
        }
        let (inwards, outwards) = over_entry_gates(venue, &crossings);
        self.night.admit(inwards, outwards, phase);
        let limits = topology.lead.and_then(|lead| topology.zones.get(lead.index())).map(|plan| &plan.limits);
        self.arrivals.take(venue, topology, end, &crossings, tonight.as_ref());
        self.arrivals.expect(topology, end, content, tonight.as_ref());
        self.arrivals.alight(venue, topology, end, content, tonight.as_ref());
        self.arrivals.take_known(venue, topology, end, &zones);
        let coming_late = tonight.as_ref().and_then(|tonight| self.arrivals.coming_late(&topology.split, tonight));
        let seen = entry::Seen { admitted: self.admitted(venue), coming_late, gates: &gates, zones: &zones, end };
        let entry = limits.zip(tonight.as_ref()).and_then(|(limits, tonight)| entry::entry(venue, topology, limits, tonight, seen));
        let links = links(self, venue, topology, &crossings, &hearing);
        self.egress(venue, topology, end, &crossings, tonight.as_ref(), &mut zones);
        let mut sight = Sight { end, venue, topology, tonight: tonight.as_ref(), entry: entry.as_ref(), gates: &gates, zones: &zones, inside: None };
        let presence = limits.zip(tonight.as_ref()).and_then(|(limits, tonight)| self.arrivals.presence(&sight, tonight, limits.counter_gain));
        sight.inside = presence.as_ref().filter(|_| !topology.border.is_empty()).map(|presence| presence.inside);
        let approaches = self.arrivals.figures(&sight);
        let sold = tonight.as_ref().map_or_else(Vec::new, |tonight| tonight.plan.tickets.clone());
        let (calls, wbgt_c) = (self.night.call_figures(&topology.calls, end), self.night.heat_at(end, topology.calls.heat_age_ms));
        let night = tonight.map(|tonight| self.night.figures(tonight, venue));
        VenueFigures { end, zones, gates, links, approaches, calls, wbgt_c, sold, presence, night, entry, coverage: hearing.venue(), ages, phase }
    }

    /// Remembers what the pane's reports say beyond its flows.
    pub(super) fn note(&mut self, venue: &Venue, topology: &Topology, end: EventTime, content: &PaneContent) {
        note_reports(self, end, content);
        note_states(self, venue, topology, content);
        for ((sensor, (at, _, _)), total) in &content.totals {
            if let Some(sensor) = self.sensor_mut(*sensor) {
                sensor.total = Some((*at, *total));
            }
        }
        for (sensor, heads) in &content.occupancies {
            if let Some(sensor) = self.sensor_mut(*sensor) {
                sensor.reading = Some(heads.value);
            }
        }
        for ((at, _, _), event) in &content.matches {
            self.night.learn(*at, event);
        }
    }

    pub(super) fn move_heads(
        &mut self,
        venue: &Venue,
        topology: &Topology,
        end: EventTime,
        content: &PaneContent,
        (crossings, flows): (&[CrossingFlow], &[ZoneFlows]),
        hearing: &Hearing,
    ) {
        self.zones.iter_mut().for_each(|zone| zone.parted = None);
        for (i, (zone, plan)) in venue.zones.iter().zip(&topology.zones).enumerate() {
            if zone.closed {
                let is_unheard = |inwards| topology.is_unheard(venue, ZoneId::from(i), inwards, |way| hearing.is_silent(topology, way));
                self.zones[i].flow(plan, crossings, flows[i].balanced(is_unheard));
            }
            if let Some(heads) = self.measured_heads(topology, ZoneId::from(i), end, content, zone.closed) {
                let before = self.zones[i].persons.filter(|_| !zone.closed);
                self.zones[i].part_from(heads, zone.closed, &plan.limits);
                self.zones[i].anchor(heads, end);
                self.zones[i].moved = before.map_or(0, |before| before.abs_diff(heads));
            }
        }
    }

    /// What a zone's head counts say, if any came in this pane: the sum of the last reading of each, for each sees its own part.
    ///
    /// A closed zone is set only by a whole count, that is when all of them are heard: else its balance knows better. In an open zone nothing else is known; what is
    /// missing shows in its coverage.
    fn measured_heads(&self, topology: &Topology, zone: ZoneId, end: EventTime, content: &PaneContent, closed: bool) -> Option<u32> {
        let sensors = &topology.zones[zone.index()].heads;
        if !sensors.iter().any(|sensor| content.occupancies.contains_key(sensor)) {
            return None;
        }
        let is_heard = |sensor| {
            let reported = self.sensor(sensor).and_then(|state| state.reported);
            reported.is_some_and(|at| end == at || end.since(at).as_millis() < topology.patience_ms[sensor.index()])
        };
        if closed && !sensors.iter().all(|sensor| is_heard(*sensor)) {
            return None;
        }
        let readings = sensors.iter().filter_map(|sensor| self.sensor(*sensor)?.reading);
        Some(readings.fold(0, u32::saturating_add))
    }

    /// What the cameras of each zone make of the pane's snapshots.
    fn dense_figures(&mut self, topology: &Topology, end: EventTime, content: &PaneContent) -> Vec<Option<Box<DenseFigures>>> {
        let zones = topology.zones.iter().zip(&mut self.zones);
        let figures = zones.map(|(plan, state)| {
            // Of several cameras in one zone the first in the venue's list that tells anything leads: their frames are not one frame.
            let of = |sensor: &SensorId| {
                let from = (*sensor, i64::MIN);
                let to = (*sensor, i64::MAX);
                content.snapshots.range(from..=to).map(|(_, reading)| (reading.order.0, &reading.value))
            };
            let leading = plan.heads.iter().find(|sensor| of(sensor).next().is_some());
            let dense = Arc::make_mut(&mut state.dense);
            let figures = match leading {
                Some(sensor) => dense.close(end, of(sensor), plan.ground.as_ref(), &plan.measure),
                None => dense.close(end, std::iter::empty(), None, &plan.measure),
            };
            figures.map(Box::new)
        });
        figures.collect()
    }

    pub(super) fn zone_figures(
        &self,
        venue: &Venue,
        topology: &Topology,
        flows: &[ZoneFlows],
        dense: Vec<Option<Box<DenseFigures>>>,
        hearing: &Hearing,
    ) -> Vec<ZoneFigures> {
        let places = venue.zones.iter().zip(&topology.zones).zip(&self.zones).zip(flows).zip(dense);
        let figures = places.map(|((((zone, plan), state), flows), dense)| {
            let occupancy = state.estimate(&plan.limits);
            let counted = occupancy.zip(zone.area_m2.filter(|area| *area > 0.0)).map(|(heads, area)| density(heads, area));
            // Where nobody counts heads, what a camera sees of the ground stands for all of it.
            let seen = || dense.as_ref().map(|dense| Estimate::normal(dense.density, dense.density * plan.limits.occupancy_sensor));
            let density = counted.or_else(seen);
            let coverage = hearing.of(plan.concerned.iter().copied());
            ZoneFigures {
                inwards: flows.inwards,
                outwards: flows.outwards,
                undirected: flows.undirected,
                occupancy,
                egress: None,
                density,
                los: density.map(|density| level_of_service(density.v, zone.table, &plan.limits)),
                dense,
                coverage: coverage.share,
                expected: coverage.expected,
                disagrees: state.parted,
                silent_for: coverage.silent_for,
            }
        });
        figures.collect()
    }
}

/// Persons over the entry gates in a pane, inwards and outwards.
pub(super) fn over_entry_gates(venue: &Venue, crossings: &[CrossingFlow]) -> (i64, i64) {
    let flows = venue.gates.iter().filter(|gate| gate.entry).filter_map(|gate| crossings.get(gate.link.index()));
    flows.fold((0, 0), |(inwards, outwards), flow| (inwards + i64::from(flow.forward), outwards + i64::from(flow.backward)))
}

fn density(heads: Estimate, area: f64) -> Estimate {
    Estimate { v: heads.v / area, lo: heads.lo / area, hi: heads.hi / area }
}

pub(super) fn links(state: &CrowdState, venue: &Venue, topology: &Topology, crossings: &[CrossingFlow], hearing: &Hearing) -> Vec<LinkFigures> {
    let pane_s = venue.pane.span().as_secs_f64();
    let figures = venue.links.iter().enumerate().map(|(i, link)| {
        let flow = crossings.get(Topology::of_link(LinkId::from(i))).copied().unwrap_or_default();
        let persons = flow.gross() as f64 + f64::from(flow.undirected);
        let sensors = topology.link_sensors[i].iter().map(|on_link| on_link.sensor);
        LinkFigures {
            forward_per_min: f64::from(flow.forward) * 60.0 / pane_s,
            backward_per_min: f64::from(flow.backward) * 60.0 / pane_s,
            specific_flow: link.width_m.filter(|width| *width > 0.0).map(|width| persons / (pane_s * width)),
            forced: is_forced(state, &topology.doors[i]),
            coverage: hearing.of(sensors).share,
        }
    });
    figures.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::figures::{Grade, LevelOfService};
    use crate::crowd::glimpse::{Look, Part};
    use crate::crowd::sample::{Site, count, site, stadium};
    use crate::venue::FlowTable;

    #[test]
    fn density_is_heads_over_area_and_is_graded_by_the_zones_own_table() {
        let site = site();
        let figures = site.close(&mut site.state(), 1, |pane| pane.add_count(site.sensor("lane-a"), &count(200, 0)));
        let queue = &figures.zones[site.zone("queue-a")];
        assert_eq!(queue.density.unwrap().v, 2.0, "200 on 100 m²");
        assert_eq!(queue.los, Some(LevelOfService { table: FlowTable::Queue, grade: Grade::D }));
    }

    #[test]
    fn where_the_area_is_unknown_there_is_no_density() {
        let mut site = site();
        let bowl = site.zone("bowl");
        site.venue.zones[bowl].area_m2 = None;
        let figures = site.close(&mut site.state(), 1, |pane| pane.add_count(site.sensor("gate-a"), &count(200, 0)));
        assert!(figures.zones[bowl].occupancy.is_some());
        assert_eq!((figures.zones[bowl].density, figures.zones[bowl].los), (None, None));
    }

    /// 90 + 30 persons in 10 s over 6 m = 2 persons/m/s.
    #[test]
    fn specific_flow_is_persons_per_metre_and_second() {
        let site = site();
        let figures = site.close(&mut site.state(), 1, |pane| pane.add_count(site.sensor("gate-a"), &count(90, 30)));
        let link = &figures.links[site.venue.gates[site.gate("a")].link.index()];
        assert_eq!((link.forward_per_min, link.backward_per_min, link.specific_flow), (540.0, 180.0, Some(2.0)));
    }

    #[test]
    fn the_same_panes_give_the_same_picture_from_a_stored_state() {
        let site = site();
        let mut state = site.state();
        site.close(&mut state, 1, |pane| pane.add_count(site.sensor("gate-a"), &count(90, 30)));
        let stored = postcard::to_stdvec(&state).unwrap();
        let mut restored: CrowdState = postcard::from_bytes(&stored).unwrap();
        assert!(restored.fits(&site.venue, &site.topology));
        let next = |state: &mut CrowdState| site.close(state, 2, |pane| pane.add_count(site.sensor("exit"), &count(1, 30)));
        assert_eq!(next(&mut restored), next(&mut state));
        assert_eq!(restored, state);
    }

    #[test]
    fn parts_of_the_state_are_small() {
        let site = stadium(40);
        let mut state = site.state();
        for n in 1..=60 {
            site.close(&mut state, n, |pane| pane.counts.iter_mut().for_each(|count| (count.inwards, count.reports) = (200, 1)));
        }
        let size = |bytes: Vec<u8>| bytes.len();
        assert!(state.zones.iter().all(|zone| size(postcard::to_stdvec(zone).unwrap()) <= 300));
        assert!(state.gates.iter().all(|gate| size(postcard::to_stdvec(gate).unwrap()) <= 300));
        assert!(size(postcard::to_stdvec(&state.night).unwrap()) <= 300);
    }

    /// What the picture of a thousand zones takes: twenty venues after an hour of panes, by what the process holds more than before.
    #[test]
    #[ignore = "measures memory"]
    fn measure_the_memory_of_a_thousand_zones() {
        let resident = || {
            let text = std::fs::read_to_string("/proc/self/status").unwrap();
            let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
            line.trim().trim_end_matches(" kB").trim().parse::<f64>().unwrap() * 1_024.0
        };
        let site = stadium(1_000);
        let mut pane = site.pane();
        pane.counts.iter_mut().for_each(|count| (count.inwards, count.outwards, count.reports) = (3, 2, 1));
        let close = |state: &mut CrowdState, n| state.close(&site.venue, &site.topology, site.end(n), &pane, Vec::new());
        let mut warm = site.state();
        (1..=360).for_each(|n| drop(close(&mut warm, n)));
        let zones = 20.0 * 1_000.0;
        let before = resident();
        let kept: Vec<(CrowdState, VenueFigures)> = (0..20)
            .map(|_| {
                let mut state = site.state();
                (1..360).for_each(|n| drop(close(&mut state, n)));
                let figures = close(&mut state, 360);
                (state, figures)
            })
            .collect();
        println!("state and picture: {:.0} bytes a zone", (resident() - before) / zones);
        let before = resident();
        let panes: Vec<(PaneContent, VenueFigures)> = kept.iter().map(|(_, figures)| (pane.clone(), figures.clone())).collect();
        println!("each closed pane that is kept for late events: {:.0} bytes a zone", (resident() - before) / zones);
        assert_eq!(panes.len(), kept.len());
    }

    /// A thousand zones, and a pane in which every sensor has counted a few.
    fn busy() -> (Site, PaneContent) {
        let site = stadium(1_000);
        let mut pane = site.pane();
        pane.counts.iter_mut().for_each(|count| (count.inwards, count.reports) = (3, 1));
        (site, pane)
    }

    /// Run with `--release -- --ignored --nocapture` for a figure worth quoting.
    #[test]
    #[ignore = "measures time"]
    #[allow(clippy::disallowed_methods, reason = "a measurement reads the clock")]
    fn measure_the_close_of_a_thousand_zones() {
        let (site, pane) = busy();
        let mut state = site.state();
        let start = std::time::Instant::now();
        let times = 500;
        for n in 1..=times {
            std::hint::black_box(state.close(&site.venue, &site.topology, site.end(n), &pane, Vec::new()));
        }
        println!("{} zones, {} sensors: {:?} per close", site.venue.zones.len(), site.venue.sensors.len(), start.elapsed() / times as u32);
    }

    /// What a fast pane costs where a slow source keeps panes open: 2 min of disorder are thirteen panes of 10 s.
    #[test]
    #[ignore = "measures time"]
    #[allow(clippy::disallowed_methods, reason = "a measurement reads the clock")]
    fn measure_a_look_across_open_panes() {
        let (site, pane) = busy();
        let mut state = site.state();
        state.close(&site.venue, &site.topology, site.end(1), &pane, Vec::new());
        for open in [1, 13] {
            let parts: Vec<Part<'_>> = (2..2 + open).map(|n| Part { end: site.end(n), content: &pane }).collect();
            let end = site.end(1 + open);
            let start = std::time::Instant::now();
            for _ in 0..200 {
                let look = Look { since: end.before(Span::from_secs(2)), end, parts: parts.clone(), snapshots: Vec::new() };
                std::hint::black_box(state.glimpse(&site.venue, &site.topology, &look));
            }
            println!("{} zones, {open} open panes: {:?} a look", site.venue.zones.len(), start.elapsed() / 200);
        }
    }
}

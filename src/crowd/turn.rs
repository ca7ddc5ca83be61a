//! Going on under another configuration: what lasts goes with its name, what comes begins, what goes is forgotten.
//!
//! The idea: zones, gates and sensors have one number in all configurations of a venue (`venue::roll`), so their state stays where it is. What changes its place are lists that are cut by the
//! ways in force: of each zone its ways in and out, of the venue the ways over its border. They are kept with the ways that they are of ([`Way`]), and sorted anew here.
//!
//! A zone that comes is empty where its ways are counted, like every zone before its first pane, and a sensor that comes is silent since then and not since the venue's first pane. Of a way
//! that goes, who went over it stays counted in the heads; how much went over it, the measure of their error, goes with it.

use super::alighted::Alighted;
use super::approaches::ApproachTally;
use super::state::{CrowdState, GateState, SensorState, ZoneState};
use super::topology::{Topology, Way};
use crate::time::EventTime;
use crate::venue::Venue;
use crate::venue::roll::Absent;

impl CrowdState {
    /// Turns to the configuration `venue`, whose first pane begins at `at`; `before` is what was absent until then. What the state has no room for yet comes too.
    pub fn turn_to(&mut self, venue: &Venue, topology: &Topology, before: &Absent, at: EventTime) {
        let now = &venue.absent;
        for (i, (zone, plan)) in venue.zones.iter().zip(&topology.zones).enumerate() {
            let was_there = i < self.zones.len() && !before.zones.contains(&i.into());
            match self.zones.get_mut(i) {
                Some(state) if was_there && !now.zones.contains(&i.into()) => state.sort_by(&plan.over),
                Some(state) => *state = ZoneState::new(zone.closed, plan),
                None => self.zones.push(ZoneState::new(zone.closed, plan)),
            }
        }
        begin(&mut self.gates, venue.gates.len(), |i| before.gates.contains(&i.into()), GateState::default());
        let comes = SensorState { since: Some(at), ..SensorState::default() };
        begin(&mut self.sensors, venue.sensors.len(), |i| before.sensors.contains(&i.into()), comes);
        let arrivals = &mut self.arrivals;
        begin(&mut arrivals.approaches, venue.approaches.len(), |i| before.approaches.contains(&i.into()), ApproachTally::default());
        begin(&mut arrivals.alighted, venue.stops.len(), |i| before.stops.contains(&i.into()), Alighted::default());
        let over: Vec<Way> = topology.border.iter().map(|(way, _)| topology.way(*way)).collect();
        arrivals.gross = sorted(&arrivals.over, &over, &arrivals.gross);
        arrivals.over = over;
    }
}

impl ZoneState {
    fn sort_by(&mut self, over: &[Way]) {
        if self.over == over {
            return;
        }
        self.gross = sorted(&self.over, over, &self.gross);
        self.unheard = sorted(&self.over, over, &self.unheard);
        self.known = sorted(&self.over, over, &self.known);
        self.over = over.to_vec();
    }
}

/// Makes room for `len`, and lets begin what was absent.
fn begin<T: Clone>(list: &mut Vec<T>, len: usize, was_absent: impl Fn(usize) -> bool, fresh: T) {
    list.iter_mut().enumerate().filter(|(i, _)| was_absent(*i)).for_each(|(_, state)| *state = fresh.clone());
    list.resize(len, fresh);
}

/// What was kept by the ways `before`, by those of now.
fn sorted<T: Clone + Default>(before: &[Way], now: &[Way], kept: &[T]) -> Vec<T> {
    let of = |way: &Way| before.iter().position(|known| known == way).and_then(|at| kept.get(at)).cloned().unwrap_or_default();
    now.iter().map(of).collect()
}

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
use std::collections::BTreeSet;

impl CrowdState {
    /// Turns to the configuration `venue`, whose first pane begins at `at`; `before` is what was absent until then. What the state has no room for yet comes too.
    pub fn turn_to(&mut self, venue: &Venue, topology: &Topology, before: &Absent, at: EventTime) {
        let now = &venue.absent;
        for (i, (zone, plan)) in venue.zones.iter().zip(&topology.zones).enumerate() {
            let stays = before.zones.contains(&i.into()) == now.zones.contains(&i.into());
            match self.zones.get_mut(i) {
                Some(state) if stays => state.sort_by(&plan.over),
                Some(state) => *state = ZoneState::new(zone.closed, plan),
                None => self.zones.push(ZoneState::new(zone.closed, plan)),
            }
        }
        begin(&mut self.gates, venue.gates.len(), (&before.gates, &now.gates), GateState::default());
        let comes = SensorState { since: Some(at).filter(|at| *at > EventTime::MIN), ..SensorState::default() };
        begin(&mut self.sensors, venue.sensors.len(), (&before.sensors, &now.sensors), comes);
        begin(&mut self.arrivals.approaches, venue.approaches.len(), (&before.approaches, &now.approaches), ApproachTally::default());
        begin(&mut self.arrivals.alighted, venue.stops.len(), (&before.stops, &now.stops), Alighted::default());
        let arrivals = &mut self.arrivals;
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

/// Makes room for `len`, lets what was absent, or had no room yet, begin as `fresh`, and forgets what goes.
fn begin<T: Clone + Default, Id: From<usize> + Ord>(list: &mut Vec<T>, len: usize, (before, now): (&BTreeSet<Id>, &BTreeSet<Id>), fresh: T) {
    let known = list.len();
    list.resize(len, T::default());
    for (i, state) in list.iter_mut().enumerate() {
        let (was_there, is_there) = (i < known && !before.contains(&i.into()), !now.contains(&i.into()));
        if was_there != is_there {
            *state = if is_there { fresh.clone() } else { T::default() };
        }
    }
}

/// What was kept by the ways `before`, by those of now.
fn sorted<T: Clone + Default>(before: &[Way], now: &[Way], kept: &[T]) -> Vec<T> {
    let of = |way: &Way| before.iter().position(|known| known == way).and_then(|at| kept.get(at)).cloned().unwrap_or_default();
    now.iter().map(of).collect()
}

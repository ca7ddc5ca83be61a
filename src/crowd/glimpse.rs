//! What is seen within a pane that is still open: the picture of a fast pane, for the alarms that cannot wait.
//!
//! The idea: a look ahead that leaves no trace. It is a function of what lasts since the last closed pane and of what the open ones have collected up to the fast pane's end, from
//! quick sources; the panes themselves take the same at their close as if nobody had looked. So there is no second state that could part from the first.
//!
//! Heads go on from the last pane by what has been counted since. Who must have passed a silent counter is inferred at the close of the pane: the heads beside one are not told here. What is
//! read as of later is in it no sooner than then. Its rates are of whole panes and mean nothing: nobody is to read them.

use super::coverage::Hearing;
use super::dense::DenseFigures;
use super::figures::{Phase, VenueFigures};
use super::flow::{crossing_flows, zone_flows};
use super::gate::{Passage, gates};
use super::state::CrowdState;
use super::topology::Topology;
use crate::time::EventTime;
use crate::venue::{SensorId, Venue};
use crate::window::{PaneContent, Snapshots, slot_end};

/// What a fast pane is looked at by.
#[derive(Debug)]
pub struct Look<'a> {
    /// Its start.
    pub since: EventTime,
    /// Its end.
    pub end: EventTime,
    /// What each pane that is still open has collected, but for what cameras saw; the last of them up to the end.
    pub parts: Vec<Part<'a>>,
    /// What cameras saw in those panes where anything came, in order of time.
    pub snapshots: Vec<&'a Snapshots>,
}

/// What an open pane has collected, of quick sources.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// Its end, or of the last one that of the fast pane.
    pub end: EventTime,
    /// What came.
    pub content: &'a PaneContent,
}

impl CrowdState {
    /// The picture of a fast pane: heads and what cameras see of each zone, exits, breaches, calls. Approaches, entry, weather and ages are left out.
    ///
    /// `None` where there is no part to look at.
    pub fn glimpse(&self, venue: &Venue, topology: &Topology, look: &Look<'_>) -> Option<VenueFigures> {
        let mut ahead = self.clone();
        let (last, whole) = look.parts.split_last()?;
        for part in whole {
            ahead.go_through(venue, topology, part, topology.zones.iter().map(|_| None).collect());
        }
        Some(ahead.go_through(venue, topology, last, self.seen(venue, topology, look)))
    }

    /// Goes through what an open pane has collected, and tells the picture at its end.
    fn go_through(&mut self, venue: &Venue, topology: &Topology, part: &Part<'_>, dense: Vec<Option<Box<DenseFigures>>>) -> VenueFigures {
        let Part { end, content } = *part;
        let crossings = crossing_flows(venue, topology, content, &self.bases(content));
        let flows = zone_flows(topology, &crossings);
        self.note(venue, topology, end, content);
        self.night.hear_surroundings(venue, &topology.calls, end, content);
        let tonight = self.night.tonight(venue, end);
        let hearing = Hearing::at(end, self.night.since.unwrap_or(end), self, topology);
        self.move_heads(venue, topology, end, content, (&crossings, &flows), &hearing);
        let mut zones = self.zone_figures(venue, topology, &flows, dense, &hearing);
        for (figures, plan) in zones.iter_mut().zip(&topology.zones) {
            if figures.occupancy.is_some() && plan.ways.iter().any(|(way, _)| hearing.is_silent(topology, *way)) {
                (figures.occupancy, figures.density, figures.los) = (None, None, None);
            }
        }
        let passage = Passage { venue, topology, end, crossings: &crossings, scans: &content.scans, flows: &flows, zones: &zones, passed: &[] };
        let gates = gates(self, &passage, &hearing);
        let links = super::close::links(self, venue, topology, &crossings, &hearing);
        self.egress(venue, topology, end, &crossings, tonight.as_ref(), &mut zones);
        VenueFigures {
            end,
            zones,
            gates,
            links,
            approaches: Vec::new(),
            calls: self.night.call_figures(&topology.calls, end),
            wbgt_c: None,
            sold: Vec::new(),
            presence: None,
            phase: tonight.as_ref().map_or(Phase::default(), |tonight| tonight.phase),
            night: tonight.map(|tonight| self.night.figures(tonight, venue)),
            entry: None,
            coverage: hearing.venue(),
            ages: Vec::new(),
        }
    }

    /// What the cameras of each zone make of the fast pane.
    fn seen(&self, venue: &Venue, topology: &Topology, look: &Look<'_>) -> Vec<Option<Box<DenseFigures>>> {
        let is_quick = |sensor: &&SensorId| venue.is_quick(&venue.sources[venue.sensors[sensor.index()].source.index()]);
        let zones = topology.zones.iter().zip(&self.zones).map(|(plan, state)| {
            let of = |sensor: &SensorId| {
                let kept = look.snapshots.iter().flat_map(|pane| pane.range((*sensor, i64::MIN)..=(*sensor, i64::MAX)));
                // A slot that is not over yet could still change.
                let kept: Vec<_> =
                    kept.take_while(|((_, slot), _)| slot_end(*slot) <= look.end).map(|(_, reading)| (reading.order.0, &reading.value)).collect();
                (!kept.is_empty()).then_some(kept)
            };
            // As at the close: of several cameras the first that tells anything leads.
            let leading = plan.heads.iter().filter(is_quick).find_map(of)?;
            state.dense.glimpse((look.since, look.end), &leading, plan.ground.as_ref(), &plan.measure).map(Box::new)
        });
        zones.collect()
    }
}

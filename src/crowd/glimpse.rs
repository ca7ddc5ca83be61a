//! What cameras tell within a pane that is still open: the picture of a fast pane, for the alarms that cannot wait.
//!
//! The idea: a look ahead that leaves no trace. It is a function of what lasts since the last closed pane and of the snapshots of the open one up to the fast pane's end;
//! the pane itself takes the same snapshots at its close as if nobody had looked. So there is no second state that could part from the first.
//!
//! Only what cameras see is here. A counter tells ten seconds or a minute at a time: what hangs on counts is no sooner known than its pane.

use super::dense::DenseFigures;
use super::figures::{Estimate, Phase, VenueFigures, ZoneFigures};
use super::state::CrowdState;
use super::topology::Topology;
use crate::time::EventTime;
use crate::venue::{SensorId, Venue};
use crate::window::{PaneContent, slot_end};

impl CrowdState {
    /// The picture of the fast pane from `since` to `end`, by what `content`, the open pane, has of the cameras for which `is_fast`; `None` where they saw nothing in it.
    ///
    /// Zones hold what cameras make of them, and a density where nobody counts heads; all else is empty.
    pub fn glimpse(
        &self,
        venue: &Venue,
        topology: &Topology,
        (since, end): (EventTime, EventTime),
        content: &PaneContent,
        is_fast: impl Fn(SensorId) -> bool,
    ) -> Option<VenueFigures> {
        let seen: Vec<Option<DenseFigures>> = topology
            .zones
            .iter()
            .zip(&self.zones)
            .map(|(plan, state)| {
                let of = |sensor: &SensorId| {
                    let kept = content.snapshots.range((*sensor, i64::MIN)..=(*sensor, i64::MAX));
                    // A slot that is not over yet could still change.
                    kept.take_while(|((_, slot), _)| slot_end(*slot) <= end).map(|(_, reading)| (reading.order.0, &reading.value)).collect::<Vec<_>>()
                };
                // As at the close: of several cameras the first that tells anything leads.
                let leading = plan.heads.iter().filter(|sensor| is_fast(**sensor)).map(of).find(|snapshots| !snapshots.is_empty())?;
                state.dense.glimpse((since, end), &leading, plan.ground.as_ref(), &plan.measure)
            })
            .collect();
        if seen.iter().all(Option::is_none) {
            return None;
        }
        let zone = |(i, dense): (usize, Option<DenseFigures>)| {
            let limits = &topology.zones[i].limits;
            let is_counted = self.zones[i].persons.is_some() && venue.zones[i].area_m2.is_some_and(|area| area > 0.0);
            let density = dense.as_ref().filter(|_| !is_counted).map(|dense| Estimate::normal(dense.density, dense.density * limits.occupancy_sensor));
            ZoneFigures { density, dense: dense.map(Box::new), ..ZoneFigures::UNSEEN }
        };
        let zones = seen.into_iter().enumerate().map(zone).collect();
        Some(VenueFigures {
            end,
            zones,
            gates: Vec::new(),
            links: Vec::new(),
            approaches: Vec::new(),
            calls: Vec::new(),
            wbgt_c: None,
            sold: Vec::new(),
            presence: None,
            night: None,
            entry: None,
            coverage: 0.0,
            ages: Vec::new(),
            phase: Phase::default(),
        })
    }
}

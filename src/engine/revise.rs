//! What late events do, at the close of the pane that held their clock on arrival.
//!
//! A pane that is still kept is revised: its figures are corrected and published again with the next revision. An older one is past: the running totals are
//! corrected once, now. Past forecasts and alarms stay as they were (DESIGN §4 rule 3).

use super::effects::Effects;
use super::publish;
use super::site::Site;
use crate::crowd::{self, ZoneFlows};
use crate::feeds::observation::{Entity, What};
use crate::time::EventTime;
use crate::venue::Venue;
use crate::window::{LateArrival, PaneContent, apportion};
use std::collections::BTreeSet;

impl Site {
    /// Lets `late` take effect; `present` is the pane that closes now.
    pub(super) fn revise(&mut self, venue: &Venue, late: Vec<LateArrival>, present: &mut PaneContent, effects: &mut Effects) {
        let mut revised: BTreeSet<(EventTime, usize)> = BTreeSet::new();
        for arrival in late {
            // What happened in the match holds from now on, whenever it is told.
            if matches!(arrival.observation.what, What::Match(_)) {
                present.add(&arrival.observation);
                continue;
            }
            for (end, part) in parts(venue, &arrival) {
                revised.extend(self.revise_pane(venue, end, &part).into_iter().map(|zone| (end, zone)));
            }
        }
        for (end, zone) in revised {
            let Some(pane) = self.closed.get_mut(&end) else { continue };
            pane.revisions[zone] += 1;
            publish::revision(venue, zone, &pane.figures, pane.revisions[zone], self.closed_to, effects);
            self.closed_changed.push(end);
        }
    }

    /// Corrects the running totals by what `part` adds to the pane ending at `end`; hands out the zones whose figures changed, if that pane is kept.
    fn revise_pane(&mut self, venue: &Venue, end: EventTime, part: &PaneContent) -> Vec<usize> {
        let added = crowd::flows(venue, &self.topology, part);
        let Some(pane) = self.closed.get_mut(&end) else {
            self.crowd.correct(venue, &self.topology, &added, part);
            self.forecaster.revise(venue, end, &added);
            return Vec::new();
        };
        let before = crowd::flows(venue, &self.topology, &pane.content);
        pane.content.merge(part);
        let after = crowd::flows(venue, &self.topology, &pane.content);
        let delta: Vec<ZoneFlows> = after.iter().zip(&before).map(|(after, before)| after.less(before)).collect();
        self.crowd.correct(venue, &self.topology, &delta, part);
        self.forecaster.revise(venue, end, &delta);
        let changed = delta.iter().enumerate().filter(|(_, flows)| !flows.is_zero()).map(|(zone, _)| zone);
        let changed: Vec<usize> = changed.collect();
        for zone in &changed {
            pane.figures.zones[*zone].correct(&delta[*zone]);
        }
        changed
    }
}

/// A late arrival as what it adds to each pane.
fn parts(venue: &Venue, arrival: &LateArrival) -> Vec<(EventTime, PaneContent)> {
    let lag = venue.sources[arrival.observation.source.index()].as_of_lag;
    if let (Entity::Sensor(sensor), What::Count(count)) = (arrival.observation.entity, &arrival.observation.what) {
        let shares = apportion(count, lag, venue.pane).into_iter();
        return shares
            .map(|(end, share)| {
                let mut part = PaneContent::new(venue);
                part.add_count(sensor, &share);
                (end, part)
            })
            .collect();
    }
    let mut part = PaneContent::new(venue);
    part.add(&arrival.observation);
    vec![(venue.pane.end_of(arrival.observation.at.after(lag)), part)]
}

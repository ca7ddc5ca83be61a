//! What late events do, at the close of the pane that held their clock on arrival.
//!
//! A pane that is still kept is revised: its figures are corrected and published again with the next revision. An older one is past: what it lacked is published as a
//! correction, and the running totals are corrected once, now. Past forecasts and alarms stay as they were (DESIGN §4 rule 3). A revision is of its pane, so it goes by the configuration by which
//! that was closed, for what lasts too: who went over a way that is gone by now is in the zone all the same.

use super::closed::ClosedPane;
use super::effects::Effects;
use super::publish;
use super::site::Site;
use crate::crowd::grade::level_of_service;
use crate::crowd::limits::ZoneLimits;
use crate::crowd::{self, Correction, Topology, TotalBases, ZoneFlows};
use crate::feeds::Observation;
use crate::feeds::observation::{Entity, What};
use crate::forecast::{Series, SeriesKind};
use crate::time::EventTime;
use crate::venue::Venue;
use crate::window::{LateArrival, PaneContent, apportion};
use std::cmp::Ordering;
use std::collections::{BTreeSet, VecDeque};

/// By zone: persons more than were counted before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Delta {
    pub(super) inwards: i64,
    pub(super) outwards: i64,
    pub(super) undirected: i64,
}

/// What a late observation adds to the pane ending at `end`.
#[derive(Debug)]
pub(super) struct Part {
    end: EventTime,
    observation: Observation,
}

impl Site {
    /// Lets what came late for earlier panes take effect; `present` is the pane ending at `closing`. Hands back what came late for that pane itself. `base` knows all
    /// configurations of the venue, here and below.
    pub(super) fn revise_past(
        &mut self,
        base: &Venue,
        closing: EventTime,
        late: Vec<LateArrival>,
        present: &mut PaneContent,
        effects: &mut Effects,
    ) -> Vec<Part> {
        let venue = base.version(self.version);
        let mut past = Vec::new();
        let mut of_the_pane = Vec::new();
        for LateArrival { observation, .. } in late {
            // What happened in the match, and what was planned for it, holds from now on, whenever it is told.
            if matches!(observation.what, What::Match(_) | What::Plan(_)) {
                present.add(&observation);
                continue;
            }
            for part in parts(venue, observation) {
                match part.end.cmp(&closing) {
                    Ordering::Less => past.push(part),
                    Ordering::Equal => of_the_pane.push(part),
                    // The rest of a count whose start was late.
                    Ordering::Greater => self.open.add_part(venue, part.end, &part.observation),
                }
            }
        }
        self.revise(base, past, effects);
        of_the_pane
    }

    /// At the end of all input, when the last pane has closed: what came late and waits for a pane that never will takes effect now, where its own pane has closed.
    pub(super) fn settle_late(&mut self, base: &Venue, effects: &mut Effects) {
        let is_over = self.ended && self.waiting.is_none() && self.closed_to > EventTime::MIN && self.journal.as_ref().is_none_or(VecDeque::is_empty);
        if !is_over {
            return;
        }
        let venue = base.version(self.version);
        let closed_to = self.closed_to;
        let mut past = Vec::new();
        for LateArrival { observation, .. } in self.open.take_late() {
            // What happened in the match holds from a close on, and there is none any more.
            if matches!(observation.what, What::Match(_) | What::Plan(_)) {
                continue;
            }
            for part in parts(venue, observation) {
                if part.end <= closed_to {
                    past.push(part);
                } else {
                    self.open.add_part(venue, part.end, &part.observation);
                }
            }
        }
        if !past.is_empty() {
            self.dirty = true;
            self.revise(base, past, effects);
        }
    }

    /// Lets parts of late events take effect on panes that have closed.
    pub(super) fn revise(&mut self, base: &Venue, late: Vec<Part>, effects: &mut Effects) {
        let mut revised: BTreeSet<(EventTime, usize)> = BTreeSet::new();
        for Part { end, observation } in late {
            revised.extend(self.revise_pane(base, end, &observation, effects).into_iter().map(|zone| (end, zone)));
        }
        for (end, zone) in revised {
            let venue = base.version(self.version_that_closed(base, end));
            let Some(pane) = self.closed.get_mut(&end) else { continue };
            pane.revisions[zone] += 1;
            publish::revision(venue, zone, &pane.figures, pane.revisions[zone], self.closed_to, effects);
            self.closed_changed.push(end);
        }
    }

    /// Adds `part` to the pane ending at `end`, corrects what lasts, and hands out the zones whose figures changed, if that pane is kept.
    fn revise_pane(&mut self, base: &Venue, end: EventTime, part: &Observation, effects: &mut Effects) -> Vec<usize> {
        let version = self.version_that_closed(base, end);
        let venue = base.version(version);
        let topology = self.topologies.get(version).unwrap_or(&self.topology);
        let deltas = match self.closed.get_mut(&end) {
            Some(pane) => revise_kept(venue, topology, pane, part),
            None => alone(venue, topology, part),
        };
        let content = self.closed.get(&end).map(|pane| &pane.content);
        let is_kept = content.is_some();
        self.crowd.correct(venue, topology, &Correction { at: part.at, end, entity: part.entity, what: &part.what, pane: content });
        self.revise_forecaster(end, &deltas);
        if !is_kept {
            for (zone, delta) in deltas.iter().enumerate().filter(|(_, delta)| **delta != Delta::default()) {
                publish::correction(venue, zone, end, *delta, self.closed_to, effects);
            }
            return Vec::new();
        }
        self.closed_changed.push(end);
        deltas.iter().enumerate().filter(|(_, delta)| **delta != Delta::default()).map(|(zone, _)| zone).collect()
    }

    fn revise_forecaster(&mut self, end: EventTime, deltas: &[Delta]) {
        let of = |Series { zone, kind }: &Series| {
            let delta = deltas.get(zone.index())?;
            let persons = match kind {
                SeriesKind::In => delta.inwards,
                SeriesKind::Out => delta.outwards,
                SeriesKind::Count => delta.undirected,
            };
            (persons != 0).then_some(persons)
        };
        let changed: Vec<(usize, i64)> = self.forecaster.series().iter().enumerate().filter_map(|(row, series)| Some((row, of(series)?))).collect();
        for (row, persons) in changed {
            self.forecaster.revise(end, row, persons);
        }
    }
}

/// Revises a pane that is still whole.
fn revise_kept(venue: &Venue, topology: &Topology, pane: &mut ClosedPane, part: &Observation) -> Vec<Delta> {
    let before = crowd::flows(venue, topology, &pane.content, &pane.bases);
    pane.content.add(part);
    let after = crowd::flows(venue, topology, &pane.content, &pane.bases);
    let mut deltas = differences(&before, &after);
    // A zone that has come since has no figures there.
    deltas.truncate(pane.figures.zones.len());
    for (zone, (delta, flows)) in deltas.iter().zip(&after).enumerate() {
        if *delta != Delta::default() {
            correct_figures(venue, zone, pane, *delta, flows);
        }
    }
    deltas
}

fn correct_figures(venue: &Venue, zone: usize, pane: &mut ClosedPane, delta: Delta, flows: &ZoneFlows) {
    let (place, figures) = (&venue.zones[zone], &mut pane.figures.zones[zone]);
    (figures.inwards, figures.outwards, figures.undirected) = (flows.inwards, flows.outwards, flows.undirected);
    let shift = (delta.inwards - delta.outwards) as f64;
    if let Some(heads) = &mut figures.occupancy {
        for value in [&mut heads.v, &mut heads.lo, &mut heads.hi] {
            *value = (*value + shift).max(0.0);
        }
    }
    let (Some(heads), Some(area)) = (figures.occupancy, place.area_m2) else { return };
    let density = heads.scaled(1.0 / area);
    figures.density = Some(density);
    figures.los = Some(level_of_service(density.v, place.table, &ZoneLimits::of(&place.profile, place.table)));
}

/// What `part` alone adds: for a pane that is kept no more.
fn alone(venue: &Venue, topology: &Topology, part: &Observation) -> Vec<Delta> {
    let mut content = PaneContent::new(venue);
    content.add(part);
    let after = crowd::flows(venue, topology, &content, &TotalBases::new());
    differences(&vec![ZoneFlows::default(); after.len()], &after)
}

fn differences(before: &[ZoneFlows], after: &[ZoneFlows]) -> Vec<Delta> {
    let difference = |(before, after): (&ZoneFlows, &ZoneFlows)| Delta {
        inwards: i64::from(after.inwards) - i64::from(before.inwards),
        outwards: i64::from(after.outwards) - i64::from(before.outwards),
        undirected: i64::from(after.undirected) - i64::from(before.undirected),
    };
    before.iter().zip(after).map(difference).collect()
}

/// A late observation as what it adds to each pane.
fn parts(venue: &Venue, observation: Observation) -> Vec<Part> {
    let lag = venue.sources[observation.source.index()].as_of_lag;
    if let (Entity::Sensor(_), What::Count(count)) = (observation.entity, &observation.what) {
        let shares = apportion(count, lag, venue.pane).into_iter();
        let part = |(end, share)| Part { end, observation: Observation { what: What::Count(share), ..observation.clone() } };
        return shares.map(part).collect();
    }
    vec![Part { end: venue.pane.end_of(observation.at.after(lag)), observation }]
}

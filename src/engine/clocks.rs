//! The sensors' clocks: whom the guard does not believe, and from which pane on the picture says so.
//!
//! A wrong clock is told of in the pane that its event was received in, less what clocks may differ by: a place that hangs on the record alone, and that is open by
//! construction, since no clock of the venue is believed further ahead of its receipt.

use super::effects::StateChange;
use super::site::Site;
use super::state::encode;
use crate::detect::WrongClock;
use crate::detect::clock::memory;
use crate::feeds::Observation;
use crate::feeds::observation::Entity;
use crate::time::guard::{Finding, Timed};
use crate::time::{Distrust, EventTime};
use crate::venue::{SensorId, Venue};
use crate::window::{ClockNote, PaneContent};

impl Site {
    /// Whether an event's time is believed; `alone` is what the event tells by itself. What its sensor has told before counts only where a receive time is known.
    pub(super) fn trusted(
        &mut self,
        venue: &Venue,
        observation: &Observation,
        received: Option<EventTime>,
        too_late: bool,
        alone: Result<(), Distrust>,
    ) -> Result<(), Distrust> {
        let Some((sensor, timed)) = timed(venue, observation, received, too_late) else { return alone };
        let (guard, trust) = (&mut self.guards[sensor.index()], &venue.trust);
        let before = *guard;
        let (verdict, finding) = guard.judge(trust, &timed, alone);
        if *guard != before {
            self.guards_changed.push(sensor);
        }
        self.note_clock(venue, observation, sensor, &timed, finding);
        verdict
    }

    /// An event came again, or another with its identity: a clock that stands still does that.
    pub(super) fn repeated(&mut self, venue: &Venue, observation: &Observation, received: Option<EventTime>) {
        let Some((sensor, timed)) = timed(venue, observation, received, false) else { return };
        let guard = &mut self.guards[sensor.index()];
        let before = *guard;
        let finding = guard.repeated(&timed);
        if *guard != before {
            self.guards_changed.push(sensor);
        }
        self.note_clock(venue, observation, sensor, &timed, finding.unwrap_or(Finding::Nothing));
    }

    fn note_clock(&mut self, venue: &Venue, observation: &Observation, sensor: SensorId, timed: &Timed, finding: Finding) {
        let note = match finding {
            Finding::Nothing => return,
            Finding::Wrong { fault, offset_ms } => ClockNote { fault: Some(fault), offset_ms, events: 1 },
            Finding::Returned => ClockNote { fault: None, offset_ms: 0, events: 0 },
        };
        let source = observation.source.index();
        let (clock, lag) = (&self.sources[source].clock, venue.sources[source].as_of_lag);
        if !clock.has_started() {
            // No pane is open by it yet; each further bad event tells again.
            return;
        }
        // A receipt of another day than its source's clock (a record without the header, in a recorded night) names no pane of the venue.
        let reached = clock.greatest();
        let is_of_the_night = reached.since(timed.received).max(timed.received.since(reached)) <= venue.trust.leap;
        let at = if is_of_the_night { timed.received.after(venue.trust.ahead_of_receipt) } else { clock.watermark() };
        self.open.note_clock(venue, venue.pane.end_of(at.after(lag)), self.closed_to, sensor, note);
    }

    /// Takes over what the pane ending at `end` tells of clocks, and forgets those that have been right for long enough.
    pub(super) fn follow_clocks(&mut self, venue: &Venue, end: EventTime, pane: &PaneContent) {
        for (sensor, note) in &pane.clocks {
            let Some(fault) = note.fault else {
                if let Some(clock) = self.clocks.get_mut(sensor) {
                    clock.right_since = Some(end);
                }
                continue;
            };
            let fresh = WrongClock { sensor: *sensor, fault, offset_ms: 0, events: 0, since: end, right_since: None };
            let clock = self.clocks.entry(*sensor).or_insert(fresh);
            (clock.fault, clock.offset_ms, clock.right_since) = (fault, note.offset_ms, None);
            clock.events += u64::from(note.events);
        }
        if !self.clocks.is_empty() {
            let memory = memory(venue);
            self.clocks.retain(|_, clock| clock.right_since.is_none_or(|since| end.since(since) <= memory));
        }
    }

    /// Writes down the guards that changed.
    pub(super) fn take_guard_changes(&mut self, venue: &Venue, changes: &mut Vec<StateChange>) {
        self.guards_changed.sort_unstable();
        self.guards_changed.dedup();
        for sensor in std::mem::take(&mut self.guards_changed) {
            let guard = &self.guards[sensor.index()];
            let key = format!("{}/guard/{}", venue.id, venue.sensors[sensor.index()].id).into_bytes();
            let value = (*guard != crate::time::Guard::Good).then(|| encode(guard)).flatten();
            changes.push(StateChange { key, value });
        }
    }
}

/// A sensor's event with its receipt; none where nobody told it, or where the event was uploaded later than it happened.
fn timed(venue: &Venue, observation: &Observation, received: Option<EventTime>, too_late: bool) -> Option<(SensorId, Timed)> {
    let Entity::Sensor(sensor) = observation.entity else { return None };
    let received = received.filter(|_| !observation.offline)?;
    Some((sensor, Timed { at: observation.at, received, too_late, interval: venue.sensors[sensor.index()].interval }))
}

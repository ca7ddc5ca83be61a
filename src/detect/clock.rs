//! CLOCK: a sensor whose clock is wrong. Its events are in quarantine and move nobody; the finding names it, and by how much it is off.
//!
//! It is found where the events are judged (`time::guard`); here it only becomes a finding. A sensor that is right again is told so for as long as the
//! alarm needs to clear, and then no more.

use super::finding::{Code, Finding, Place, PlaceKind, Priority};
use super::scene::{Manner, Scene, Standing, profile_of, seconds};
use crate::crowd::topology::lead_zone;
use crate::time::{ClockFault, EventTime, Span};
use crate::venue::{Profile, SensorId, Venue};
use serde::{Deserialize, Serialize};

/// A sensor whose clock is wrong, or was a moment ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrongClock {
    /// Which sensor.
    pub sensor: SensorId,
    /// What is wrong with its clock.
    pub fault: ClockFault,
    /// By how much it is ahead, ms; behind when negative.
    pub offset_ms: i64,
    /// Events that were not believed.
    pub events: u64,
    /// End of the pane in which it was found.
    pub since: EventTime,
    /// End of the pane in which it was right again.
    pub right_since: Option<EventTime>,
}

const MANNER: Manner =
    Manner { code: Code::Clock, headline: "alarm.clock", would_clear: "clear.clock", certainty: "observed", urgency: "expected", severity: "minor" };

/// One finding per sensor with a wrong clock.
pub(super) fn detect(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    let Some(profile) = profile(scene.venue) else { return };
    let delays = (seconds(profile, "clock.on_s"), seconds(profile, "clock.off_s"));
    findings.extend(scene.clocks.iter().map(|clock| finding(scene, clock, delays, profile)));
}

/// For how long a clock that is right again is still told of: until its alarm can have cleared.
pub(crate) fn memory(venue: &Venue) -> Span {
    let off = profile(venue).map_or(Span::ZERO, |profile| seconds(profile, "clock.off_s"));
    off.plus(venue.pane.span().times(2))
}

fn finding(scene: &Scene<'_>, clock: &WrongClock, delays: (Span, Span), profile: &Profile) -> Finding {
    let is_wrong = clock.right_since.is_none().then_some(Priority::Low);
    let offset_s = clock.offset_ms as f64 / 1_000.0;
    let place = Place { kind: PlaceKind::Sensor, id: scene.venue.sensors[clock.sensor.index()].id.clone() };
    let standing = Standing { exceeds: is_wrong, holds: is_wrong };
    let good = f64::from(scene.venue.trust.return_after);
    let mut finding = MANNER.finding(place, standing, delays, &[("offset_s", offset_s)], &[("events", good)]);
    let limit = scene.venue.trust.ahead_of_receipt.as_secs_f64();
    finding.evidence.push(scene.held("clock_offset_s", offset_s, "s", limit, profile));
    if is_wrong.is_some() {
        finding.evidence.push(scene.figure("clock_events", clock.events as f64, "1"));
    }
    finding
}

fn profile(venue: &Venue) -> Option<&Profile> {
    lead_zone(venue).and_then(|lead| venue.zones.get(lead.index())).map(profile_of)
}

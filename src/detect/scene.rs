//! What a detector is shown, and the words it answers in.

use super::clock::WrongClock;
use super::finding::{Code, Evidence, Finding, Message, Place, PlaceKind, Priority};
use crate::crowd::VenueFigures;
use crate::crowd::topology::lead_zone;
use crate::forecast::{OfAll, Outlook};
use crate::time::{EventTime, Span};
use crate::venue::{Profile, Venue, Zone};
use smallvec::SmallVec;
use std::sync::Arc;

/// One closed pane of one venue: the picture, and what the forecast says.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// The venue.
    pub venue: &'a Venue,
    /// The picture.
    pub figures: &'a VenueFigures,
    /// The forecast, series by series.
    pub outlooks: &'a [Outlook],
    /// What is said of all places together.
    pub of_all: Option<&'a OfAll>,
    /// Whether the configured models spoke.
    pub models: ModelsSeen,
    /// Sensors whose clocks are wrong, or were a moment ago.
    pub clocks: &'a [WrongClock],
    /// Start of the pane.
    pub pane_start: EventTime,
    /// End of the pane.
    pub end: EventTime,
}

/// Whether each model spoke in the pane; `None` for one that is not configured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ModelsSeen {
    /// The model of flows.
    pub flow: Option<bool>,
    /// The model of anomalies.
    pub anomaly: Option<bool>,
}

/// How urgent a value is, and what would keep it so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    /// The greatest priority whose threshold is exceeded.
    pub(super) exceeds: Option<Priority>,
    /// The same with thresholds eased by the deadband.
    pub(super) holds: Option<Priority>,
}

/// What all findings of one detector have in common.
pub(super) struct Manner {
    pub(super) code: Code,
    pub(super) headline: &'static str,
    pub(super) would_clear: &'static str,
    pub(super) certainty: &'static str,
    pub(super) urgency: &'static str,
    pub(super) severity: &'static str,
}

/// Thresholds of the profile last asked for: zones that follow one another mostly share theirs, and a name is then looked up once a pane.
pub(super) struct PerProfile<'a, T> {
    read: fn(&Profile) -> T,
    last: Option<(&'a Profile, T)>,
}

impl Standing {
    /// Below every threshold.
    pub(super) const QUIET: Self = Self { exceeds: None, holds: None };

    /// Judges by `is_over(limit, eased)` for each step of rising priority; `eased` tells that the deadband is to be given.
    pub(super) fn of<const N: usize>(steps: [(Priority, f64); N], is_over: impl Fn(f64, bool) -> bool) -> Self {
        let greatest = |eased| steps.iter().filter(|(_, limit)| is_over(*limit, eased)).map(|(priority, _)| *priority).max();
        let exceeds = greatest(false);
        Self { exceeds, holds: greatest(true).max(exceeds) }
    }

    /// The same where the deadband is taken off each limit, and what is over a limit is over every lower one: mostly one look at the lowest tells that all is quiet.
    pub(super) fn above<const N: usize>(steps: [(Priority, f64); N], deadband: f64, is_over: impl Fn(f64) -> bool) -> Self {
        let lowest = steps.iter().map(|(_, limit)| *limit).fold(f64::INFINITY, f64::min);
        if !is_over(lowest - deadband.max(0.0)) {
            return Self::QUIET;
        }
        Self::of(steps, |limit, eased| is_over(limit - if eased { deadband } else { 0.0 }))
    }

    /// Whether nothing is exceeded and nothing kept up.
    pub(super) fn is_quiet(self) -> bool {
        self.holds.is_none()
    }

    /// The threshold that the value is to be seen against: of the priority that it has, else the lowest.
    pub(super) fn threshold<const N: usize>(self, steps: [(Priority, f64); N]) -> f64 {
        let reached = steps.iter().rev().find(|(priority, _)| Some(*priority) == self.exceeds.or(self.holds));
        reached.or(steps.first()).map_or(f64::NAN, |(_, limit)| *limit)
    }
}

impl<'a, T> PerProfile<'a, T> {
    /// Reads thresholds with `read`.
    pub(super) const fn new(read: fn(&Profile) -> T) -> Self {
        Self { read, last: None }
    }

    /// The thresholds of `profile`.
    pub(super) fn of(&mut self, profile: &'a Profile) -> &T {
        let is_same = self.last.as_ref().is_some_and(|(known, _)| std::ptr::eq(*known, profile));
        if !is_same {
            self.last = None;
        }
        &self.last.get_or_insert_with(|| (profile, (self.read)(profile))).1
    }
}

impl Scene<'_> {
    /// The `i`th zone as a place.
    pub(super) fn zone(&self, i: usize) -> Place {
        Place { kind: PlaceKind::Zone, id: self.venue.zones[i].id.clone() }
    }

    /// The venue as a place, and the profile of the zone that leads it; `None` where a zone bears the venue's own name and speaks for it, for two alarms must not share an id.
    pub(super) fn whole(&self) -> Option<(Place, &Zone)> {
        let lead = lead_zone(self.venue).and_then(|lead| self.venue.zones.get(lead.index()))?;
        let is_named_by_a_zone = self.venue.find_zone(&self.venue.id).is_some();
        (!is_named_by_a_zone).then(|| (Place { kind: PlaceKind::Venue, id: self.venue.id.clone() }, lead))
    }

    /// A figure of this pane.
    pub(super) fn figure(&self, what: &'static str, value: f64, unit: &'static str) -> Evidence {
        Evidence { what: what.into(), value, unit: unit.into(), threshold: None, profile: None, from: self.pane_start, to: self.end }
    }

    /// A figure of this pane, held against a threshold.
    pub(super) fn held(&self, what: &'static str, value: f64, unit: &'static str, threshold: f64, profile: &Profile) -> Evidence {
        Evidence { threshold: Some(threshold), profile: Some(profile.label.clone()), ..self.figure(what, value, unit) }
    }
}

impl Manner {
    /// A finding; the headline and the clearing message take their arguments, the rest is the detector's to fill.
    pub(super) fn finding(
        &self,
        place: Place,
        standing: Standing,
        delays: (Span, Span),
        headline: &[(&'static str, f64)],
        clear: &[(&'static str, f64)],
    ) -> Finding {
        Finding {
            code: self.code,
            place,
            exceeds: standing.exceeds,
            holds: standing.holds,
            on_delay: delays.0,
            off_delay: delays.1,
            headline: message(self.headline, headline),
            evidence: SmallVec::new(),
            against: SmallVec::new(),
            would_clear: message(self.would_clear, clear),
            certainty: self.certainty,
            urgency: self.urgency,
            severity: self.severity,
            score: None,
            way: None,
        }
    }
}

/// A delay of the profile. A missing one is none.
pub(super) fn seconds(profile: &Profile, name: &str) -> Span {
    // A float that is not a number or negative becomes zero here.
    Span::from_millis((profile.value(name) * 1_000.0) as u64)
}

/// The profile of a zone.
pub(super) fn profile_of(zone: &Zone) -> &Profile {
    Arc::as_ref(&zone.profile)
}

fn message(key: &'static str, args: &[(&'static str, f64)]) -> Message {
    Message { key: key.into(), args: args.iter().map(|(name, value)| ((*name).into(), *value)).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: [(Priority, f64); 3] = [(Priority::Low, 0.9), (Priority::Medium, 0.97), (Priority::High, 1.0)];

    fn standing(value: f64) -> Standing {
        Standing::of(STEPS, |limit, eased| value >= limit - if eased { 0.02 } else { 0.0 })
    }

    #[test]
    fn the_deadband_holds_what_it_would_not_raise() {
        let (low, medium, high) = (Some(Priority::Low), Some(Priority::Medium), Some(Priority::High));
        let cases =
            [(0.5, None, None), (0.89, None, low), (0.9, low, low), (0.96, low, medium), (0.975, medium, medium), (0.99, medium, high), (1.2, high, high)];
        for (value, exceeds, holds) in cases {
            assert_eq!(standing(value), Standing { exceeds, holds }, "{value}");
        }
    }

    #[test]
    fn a_value_is_seen_against_the_threshold_that_it_exceeds() {
        for (value, threshold) in [(0.5, 0.9), (0.89, 0.9), (0.98, 0.97), (2.0, 1.0)] {
            assert_eq!(standing(value).threshold(STEPS), threshold, "{value}");
        }
    }
}

//! BREACH: more people are counted in at a gate than tickets are scanned, over an exit where nobody should come in, or doors are forced (Wembley 2021).
//!
//! A scanner that lost the network scans on, but tells late: slices without any scan say nothing of tickets. There only a crowd faster than the lanes could ever let in
//! speaks; else it is the scanner that is missing, and that is what is said against it.

use super::finding::{Code, Finding, Place, PlaceKind, Priority};
use super::scene::{Manner, PerProfile, Scene, Standing, profile_of, seconds};
use crate::crowd::ScanWindow;
use crate::crowd::topology::{gate_profile, lead_zone};
use crate::time::Span;
use crate::venue::Profile;

const MANNER: Manner =
    Manner { code: Code::Breach, headline: "alarm.breach", would_clear: "clear.breach", certainty: "observed", urgency: "immediate", severity: "severe" };

struct Limits {
    persons: f64,
    sigmas: f64,
    gain: f64,
    lane_max_per_s: f64,
    delays: (Span, Span),
}

/// One finding per gate with a counter and a scanner, per zone with exits that are counted, and one for the doors of the venue.
pub(super) fn detect(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    let mut limits = PerProfile::new(read);
    for (gate, figures) in scene.venue.gates.iter().zip(&scene.figures.gates) {
        let profile = gate_profile(scene.venue, gate).filter(|_| figures.scans.is_counted && gate.entry);
        if let Some(profile) = profile {
            let place = Place { kind: PlaceKind::Gate, id: gate.id.clone() };
            findings.push(at_gate(scene, place, &figures.scans, gate.lanes, limits.of(profile), profile));
        }
    }
    for (i, (zone, figures)) in scene.venue.zones.iter().zip(&scene.figures.zones).enumerate() {
        if let Some(egress) = figures.egress {
            let profile = profile_of(zone);
            findings.push(excess(scene, scene.zone(i), f64::from(egress.counted_in), 0.0, limits.of(profile), profile));
        }
    }
    let lead = lead_zone(scene.venue).and_then(|lead| scene.venue.zones.get(lead.index()));
    if let Some(lead) = lead.filter(|_| scene.venue.find_zone(&scene.venue.id).is_none()) {
        findings.extend(at_doors(scene, limits.of(profile_of(lead)), profile_of(lead)));
    }
}

fn at_gate(scene: &Scene<'_>, place: Place, window: &ScanWindow, lanes: u32, limits: &Limits, profile: &Profile) -> Finding {
    let unscanned = f64::from(window.counted_unscanned);
    let possible = f64::from(lanes) * limits.lane_max_per_s * window.seconds_unscanned;
    let (counted, explained) = (f64::from(window.counted) + unscanned, f64::from(window.scanned) + unscanned.min(possible));
    let mut finding = excess(scene, place, counted, explained, limits, profile);
    if unscanned > 0.0 && finding.holds.is_some() {
        finding.against.push(scene.figure("counted_unscanned", unscanned, "persons"));
    }
    finding
}

/// `counted` came in where `explained` may have: the excess against the greater of a number and its own spread.
fn excess(scene: &Scene<'_>, place: Place, counted: f64, explained: f64, limits: &Limits, profile: &Profile) -> Finding {
    // A counter's gain, and the chance of a count.
    let sigma = libm::sqrt(counted * counted * limits.gain * limits.gain + counted);
    let limit = limits.persons.max(limits.sigmas * sigma);
    let excess = counted - explained;
    let urgency = (excess > limit).then_some(Priority::High);
    let headline = [("counted", counted), ("scanned", explained)];
    let mut finding = MANNER.finding(place, Standing { exceeds: urgency, holds: urgency }, limits.delays, &headline, &[("excess", limit)]);
    finding.evidence.push(scene.held("breach_excess", excess, "persons", limit, profile));
    if urgency.is_some() {
        finding.evidence.push(scene.figure("counted", counted, "persons"));
        finding.evidence.push(scene.figure("scanned", explained, "persons"));
    }
    finding
}

/// Doors, gates and barriers that were last said to be forced; silent where no door tells anything.
fn at_doors(scene: &Scene<'_>, limits: &Limits, profile: &Profile) -> Option<Finding> {
    let has_doors = scene.venue.sensors.iter().any(|sensor| matches!(sensor.measures, crate::venue::Measures::Gate(_) | crate::venue::Measures::Door(_)));
    let forced = scene.figures.links.iter().filter(|link| link.forced).count() as f64;
    let limit = profile.value("breach.doors");
    let urgency = (forced >= limit).then_some(Priority::High);
    let place = Place { kind: PlaceKind::Venue, id: scene.venue.id.clone() };
    let mut finding = MANNER.finding(place, Standing { exceeds: urgency, holds: urgency }, limits.delays, &[("doors", forced)], &[("doors", limit)]);
    finding.evidence.push(scene.held("doors_forced", forced, "1", limit, profile));
    has_doors.then_some(finding)
}

fn read(profile: &Profile) -> Limits {
    Limits {
        persons: profile.value("breach.persons"),
        sigmas: profile.value("breach.sigmas"),
        gain: profile.value("sigma.counter_gain"),
        lane_max_per_s: profile.value("capacity.lane_max_per_h") / 3_600.0,
        delays: (seconds(profile, "breach.on_s"), seconds(profile, "breach.off_s")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::EgressFigures;
    use crate::crowd::sample::KICK_OFF;
    use crate::detect::sample::Stage;

    fn stage() -> Stage {
        let mut stage = Stage::at(KICK_OFF.before(Span::from_mins(40)));
        stage.figures.gates.iter_mut().for_each(|gate| gate.scans = ScanWindow::default());
        stage
    }

    fn at(stage: &Stage, kind: PlaceKind) -> Finding {
        stage.all(detect).into_iter().find(|finding| finding.place.kind == kind).unwrap()
    }

    fn gate(window: ScanWindow) -> Finding {
        let mut stage = stage();
        stage.figures.gates[0].scans = ScanWindow { is_counted: true, ..window };
        at(&stage, PlaceKind::Gate)
    }

    /// At least 20 persons and 3 σ; gain 2 %: of 100 counted σ = 10.2, so the limit is 31.
    #[test]
    fn it_judges_who_came_in_without_a_ticket() {
        let high = Some(Priority::High);
        for (counted, scanned, expected) in [(100, 98, None), (100, 70, None), (100, 69, high), (40, 20, None), (41, 20, high), (0, 30, None)] {
            let finding = gate(ScanWindow { counted, scanned, ..ScanWindow::default() });
            assert_eq!((finding.exceeds, finding.holds), (expected, expected), "{counted} counted, {scanned} scanned");
        }
    }

    /// Gate a has 4 lanes: at most 22 persons in 30 s.
    #[test]
    fn a_scanner_that_is_silent_is_no_breach() {
        let silent = |counted_unscanned| gate(ScanWindow { counted_unscanned, seconds_unscanned: 120.0, ..ScanWindow::default() });
        assert_eq!(silent(80).exceeds, None, "88 could have passed with tickets");
        let crowd = silent(200);
        assert_eq!(crowd.exceeds, Some(Priority::High), "no lanes let so many in");
        assert_eq!(&*crowd.against[0].what, "counted_unscanned");
    }

    #[test]
    fn nobody_should_come_in_over_an_exit() {
        let exits = |counted_in| {
            let mut stage = stage();
            stage.zone("bowl").egress =
                Some(EgressFigures { exits: 2, shut: 0, untold: 2, open_width_m: 12.0, open_per_min: 984.0, all_per_min: 984.0, counted_in, empty_s: None });
            at(&stage, PlaceKind::Zone)
        };
        assert_eq!((exits(0).exceeds, exits(19).exceeds, exits(60).exceeds), (None, None, Some(Priority::High)));
        assert_eq!(&*exits(60).place.id, "bowl");
    }

    #[test]
    fn two_forced_doors_are_a_breach() {
        let mut stage = stage();
        stage.figures.links[0].forced = true;
        assert_eq!(at(&stage, PlaceKind::Venue).exceeds, None, "one may be a fault");
        stage.figures.links[4].forced = true;
        let finding = at(&stage, PlaceKind::Venue);
        assert_eq!((finding.exceeds, finding.headline.args["doors"]), (Some(Priority::High), 2.0));
    }

    #[test]
    fn a_gate_that_only_scans_is_not_judged() {
        assert!(stage().all(detect).iter().all(|finding| finding.place.kind == PlaceKind::Venue));
    }
}

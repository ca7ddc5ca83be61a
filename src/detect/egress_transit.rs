//! EGRESS-TRANSIT: after the match more people will wait at a station than it has room for.
//!
//! The peak of the queue is the picture's (`crowd::transit`), drawn from who is inside, the share of the approach, the open exits and the planned services.

use super::finding::{Code, Finding, Place, PlaceKind, Priority};
use super::scene::{Manner, Scene, Standing, profile_of, seconds};
use crate::crowd::StationFigures;
use crate::crowd::normal::probability_above;
use crate::crowd::topology::lead_zone;
use crate::venue::Profile;

const MANNER: Manner = Manner {
    code: Code::EgressTransit,
    headline: "alarm.egress_transit",
    would_clear: "clear.egress_transit",
    certainty: "likely",
    urgency: "expected",
    severity: "moderate",
};

/// One finding per approach whose station is looked at.
pub(super) fn detect(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    let Some(lead) = lead_zone(scene.venue).and_then(|lead| scene.venue.zones.get(lead.index())) else {
        return;
    };
    for (approach, figures) in scene.venue.approaches.iter().zip(&scene.figures.approaches) {
        if let Some(station) = &figures.station {
            let place = Place { kind: PlaceKind::Approach, id: approach.id.clone() };
            findings.push(judge(scene, place, station, profile_of(lead)));
        }
    }
}

fn judge(scene: &Scene<'_>, place: Place, station: &StationFigures, profile: &Profile) -> Finding {
    let (p, deadband) = (profile.value("egress_transit.p"), profile.value("egress_transit.deadband"));
    let p_over = |room: f64| probability_above(room, station.peak.v, station.peak.sigma());
    let urgency = |room: f64| (p_over(room) >= p).then_some(Priority::Medium);
    let standing = Standing { exceeds: urgency(station.room), holds: urgency(station.room * (1.0 - deadband)) };
    let delays = (seconds(profile, "egress_transit.on_s"), seconds(profile, "egress_transit.off_s"));
    let headline = [("waiting", station.peak.v), ("room", station.room)];
    let mut finding = MANNER.finding(place, standing, delays, &headline, &[("waiting", station.room * (1.0 - deadband))]);
    finding.evidence.push(scene.held("waiting_peak", station.peak.v, "persons", station.room, profile));
    if !standing.is_quiet() {
        finding.evidence.push(scene.held("p_platform_over", p_over(station.room), "1", p, profile));
        finding.evidence.push(scene.figure("heading_home", station.heading, "persons"));
        finding.evidence.push(scene.figure("services_per_min", station.services_per_min, "persons/min"));
        if station.peak.lo < station.room {
            finding.against.push(scene.held("waiting_peak", station.peak.lo, "persons", station.room, profile));
        }
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::sample::KICK_OFF;
    use crate::crowd::{ApproachFigures, Estimate};
    use crate::detect::sample::{Stage, approach};
    use crate::time::Span;
    use crate::venue::{Approach, StopId};

    fn stage(station: Option<StationFigures>) -> Stage {
        let mut stage = Stage::at(KICK_OFF.after(Span::from_mins(80)));
        stage.site.venue.approaches = vec![Approach { id: "rail".into(), name: "Rail".into(), links: vec![], stops: vec![StopId(0)], gates: vec![] }];
        stage.figures.approaches = vec![ApproachFigures { station, ..approach() }];
        stage
    }

    fn find(peak: f64) -> Finding {
        stage(Some(StationFigures { room: 5_000.0, peak: Estimate::normal(peak, 500.0), heading: 20_000.0, services_per_min: 400.0 })).only(detect)
    }

    /// Room for 5,000, P ≥ 0.5, deadband 10 %.
    #[test]
    fn it_judges_the_peak_against_the_room() {
        let medium = Some(Priority::Medium);
        for (peak, exceeds, holds) in [(2_000.0, None, None), (4_400.0, None, None), (4_700.0, None, medium), (5_100.0, medium, medium)] {
            let finding = find(peak);
            assert_eq!((finding.exceeds, finding.holds), (exceeds, holds), "{peak}");
        }
    }

    #[test]
    fn it_says_who_waits_and_what_takes_them() {
        let finding = find(5_400.0);
        assert_eq!((&*finding.place.id, finding.headline.args["room"], finding.would_clear.args["waiting"]), ("rail", 5_000.0, 4_500.0));
        assert_eq!(&*finding.against[0].what, "waiting_peak");
    }

    #[test]
    fn without_planned_services_it_cannot_tell() {
        assert!(stage(None).all(detect).is_empty());
    }
}

//! CAP-OCC: a zone's occupancy against its capacity (Green Guide: the final capacity of a section is the least of what it can let in, hold and let out).
//!
//! It fires on the probability of being over a step, not on the point value: heads that are badly known must be more to be believed.

use super::finding::{Code, Finding, Priority};
use super::scene::{Manner, PerProfile, Scene, Standing, profile_of, seconds};
use crate::crowd::normal::probability_above;
use crate::time::Span;
use crate::venue::Profile;

const MANNER: Manner =
    Manner { code: Code::CapOcc, headline: "alarm.cap_occ", would_clear: "clear.cap_occ", certainty: "observed", urgency: "expected", severity: "severe" };

struct Limits {
    steps: [(Priority, f64); 3],
    p: f64,
    deadband: f64,
    delays: (Span, Span),
}

/// One finding per zone that has a capacity and an occupancy.
pub(super) fn detect(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    let mut limits = PerProfile::new(read);
    for (i, (zone, figures)) in scene.venue.zones.iter().zip(&scene.figures.zones).enumerate() {
        let (Some(heads), Some(capacity)) = (figures.occupancy, zone.final_capacity().filter(|capacity| *capacity > 0)) else {
            continue;
        };
        let profile = profile_of(zone);
        let Limits { steps, p, deadband, delays } = limits.of(profile);
        let capacity = f64::from(capacity);
        let share = heads.v / capacity;
        let over = |limit: f64| probability_above(limit * capacity, heads.v, heads.sigma());
        let standing = Standing::above(*steps, *deadband, |limit| over(limit) >= *p);
        let headline = [("share", share), ("occupancy", heads.v), ("capacity", capacity)];
        let threshold = standing.threshold(*steps);
        let mut finding = MANNER.finding(scene.zone(i), standing, *delays, &headline, &[("share", steps[0].1 - deadband)]);
        finding.evidence.push(scene.held("occupancy_share", share, "1", threshold, profile));
        if !standing.is_quiet() {
            finding.evidence.push(scene.held("p_occupancy_over", over(threshold), "1", *p, profile));
            finding.evidence.push(scene.figure("occupancy", heads.v, "persons"));
            if heads.lo / capacity < threshold {
                finding.against.push(scene.held("occupancy_share", heads.lo / capacity, "1", threshold, profile));
            }
        }
        findings.push(finding);
    }
}

fn read(profile: &Profile) -> Limits {
    Limits {
        steps: [
            (Priority::Low, profile.value("cap_occ.low")),
            (Priority::Medium, profile.value("cap_occ.medium")),
            (Priority::High, profile.value("cap_occ.high")),
        ],
        p: profile.value("cap_occ.p"),
        deadband: profile.value("cap_occ.deadband"),
        delays: (seconds(profile, "cap_occ.on_s"), seconds(profile, "cap_occ.off_s")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::Estimate;
    use crate::crowd::sample::KICK_OFF;
    use crate::detect::sample::Stage;

    fn find(heads: f64) -> Finding {
        let mut stage = Stage::at(KICK_OFF);
        stage.zone("bowl").occupancy = Some(Estimate { v: heads, lo: heads - 300.0, hi: heads + 300.0 });
        stage.only(detect)
    }

    /// The sample's bowl holds 10,000; steps at 90, 97 and 100 %, deadband 2 %.
    #[test]
    fn it_judges_the_share_of_the_capacity() {
        use Priority::{High, Low, Medium};
        let cases = [
            (5_000.0, None, None),
            (8_799.0, None, None),
            (8_801.0, None, Some(Low)),
            (9_000.0, Some(Low), Some(Low)),
            (9_600.0, Some(Low), Some(Medium)),
            (9_700.0, Some(Medium), Some(Medium)),
            (10_000.0, Some(High), Some(High)),
        ];
        for (heads, exceeds, holds) in cases {
            let finding = find(heads);
            assert_eq!((finding.exceeds, finding.holds), (exceeds, holds), "{heads}");
        }
    }

    #[test]
    fn it_shows_what_speaks_for_it_and_against() {
        let finding = find(9_100.0);
        assert_eq!((&*finding.evidence[0].what, finding.evidence[0].value, finding.evidence[0].threshold), ("occupancy_share", 0.91, Some(0.9)));
        assert_eq!(finding.against[0].value, 0.88, "the low end of the band is below the threshold");
        assert!((finding.would_clear.args["share"] - 0.88).abs() < 1e-12);
    }

    #[test]
    fn a_zone_of_unknown_occupancy_is_not_judged() {
        assert!(Stage::at(KICK_OFF).all(detect).is_empty());
    }
}

//! DENS: is a zone denser than its limit, with the probability that the profile asks for?
//!
//! The density's band is drawn by a normal law, and P(ρ > limit) is read from the same law: a dense but badly counted place must be denser, to be believed.

use super::finding::{Code, Finding, Priority};
use super::scene::{Manner, PerProfile, Scene, Standing, profile_of, seconds};
use crate::crowd::normal::probability_above;
use crate::time::Span;
use crate::venue::Profile;

const MANNER: Manner =
    Manner { code: Code::Dens, headline: "alarm.dens", would_clear: "clear.dens", certainty: "observed", urgency: "immediate", severity: "severe" };

struct Limits {
    steps: [(Priority, f64); 3],
    p: f64,
    deadband: f64,
    delays: (Span, Span),
}

/// One finding per zone that has a density.
pub(super) fn detect(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    let mut limits = PerProfile::new(read);
    for (i, (zone, figures)) in scene.venue.zones.iter().zip(&scene.figures.zones).enumerate() {
        let Some(density) = figures.density else {
            continue;
        };
        let profile = profile_of(zone);
        let Limits { steps, p, deadband, delays } = limits.of(profile);
        let over = |limit: f64| probability_above(limit, density.v, density.sigma());
        let standing = Standing::above(*steps, *deadband, |limit| over(limit) >= *p);
        let limit = standing.threshold(*steps);
        let headline = [("density", density.v), ("limit", limit), ("p", over(limit))];
        let mut finding = MANNER.finding(scene.zone(i), standing, *delays, &headline, &[("density", steps[0].1 - deadband)]);
        finding.evidence.push(scene.held("density", density.v, "persons/m2", limit, profile));
        if !standing.is_quiet() {
            finding.evidence.push(scene.held("p_density_over", over(limit), "1", *p, profile));
            if density.lo < limit {
                finding.against.push(scene.held("density", density.lo, "persons/m2", limit, profile));
            }
        }
        findings.push(finding);
    }
}

fn read(profile: &Profile) -> Limits {
    Limits {
        steps: [(Priority::Low, profile.value("dens.low")), (Priority::Medium, profile.value("dens.medium")), (Priority::High, profile.value("dens.high"))],
        p: profile.value("dens.p"),
        deadband: profile.value("dens.deadband"),
        delays: (seconds(profile, "dens.on_s"), seconds(profile, "dens.off_s")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::Estimate;
    use crate::crowd::sample::KICK_OFF;
    use crate::detect::sample::Stage;
    use Priority::{High, Low, Medium};

    fn find(density: f64, sigma: f64) -> Finding {
        let mut stage = Stage::at(KICK_OFF);
        stage.zone("forecourt").density = Some(Estimate::normal(density, sigma));
        stage.only(detect)
    }

    /// Limits 2, 3, 4 persons/m², deadband 0.5, P ≥ 0.8 (0.8416 standard deviations).
    #[test]
    fn it_judges_the_probability_of_being_over_the_limit() {
        let cases = [
            (1.0, 0.0, None, None),
            (1.49, 0.0, None, None),
            (1.6, 0.0, None, Some(Low)),
            (2.0, 0.0, None, Some(Low)),
            (2.01, 0.0, Some(Low), Some(Low)),
            (3.2, 0.0, Some(Medium), Some(Medium)),
            (4.5, 0.0, Some(High), Some(High)),
            (2.4, 0.5, None, Some(Low)),
            (2.43, 0.5, Some(Low), Some(Low)),
        ];
        for (density, sigma, exceeds, holds) in cases {
            let finding = find(density, sigma);
            assert_eq!((finding.exceeds, finding.holds), (exceeds, holds), "{density} ± {sigma}");
        }
    }

    #[test]
    fn it_shows_the_density_first_and_the_low_end_against() {
        let finding = find(2.6, 0.5);
        let shown: Vec<&str> = finding.evidence.iter().map(|evidence| &*evidence.what).collect();
        assert_eq!(shown, ["density", "p_density_over"]);
        assert!(finding.against[0].value < 2.0);
    }

    #[test]
    fn a_zone_without_density_is_not_judged() {
        assert!(Stage::at(KICK_OFF).all(detect).is_empty());
    }
}

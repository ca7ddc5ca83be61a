//! COUNTER: do two streams meet in a dense crowd (crowd-science §2.4; Itaewon 2022)?

use super::finding::{Code, Finding, Priority};
use super::scene::{Manner, PerProfile, Scene, Standing, profile_of, seconds};
use crate::time::Span;
use crate::venue::Profile;

const MANNER: Manner =
    Manner { code: Code::Counter, headline: "alarm.counter", would_clear: "clear.counter", certainty: "observed", urgency: "immediate", severity: "moderate" };

struct Limits {
    share: f64,
    density: f64,
    deadband: f64,
    delays: (Span, Span),
}

/// One finding per zone that a camera watches and whose crowd has a main direction.
pub(super) fn detect(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    let mut limits = PerProfile::new(read);
    for (i, (zone, figures)) in scene.venue.zones.iter().zip(&scene.figures.zones).enumerate() {
        let Some(dense) = &figures.dense else { continue };
        let Ok(share) = dense.counterflow else { continue };
        let profile = profile_of(zone);
        let Limits { share: limit, density, deadband, delays } = limits.of(profile);
        let standing = Standing::of([(Priority::Medium, *limit)], |limit, eased| {
            let ease = if eased { *deadband } else { 0.0 };
            share > limit - ease && dense.density > density * (1.0 - ease)
        });
        let headline = [("share", share), ("density", dense.density)];
        let mut finding = MANNER.finding(scene.zone(i), standing, *delays, &headline, &[("share", limit - deadband)]);
        finding.evidence.push(scene.held("counterflow", share, "1", *limit, profile));
        if !standing.is_quiet() {
            finding.evidence.push(scene.held("density", dense.density, "persons/m2", *density, profile));
        }
        findings.push(finding);
    }
}

fn read(profile: &Profile) -> Limits {
    Limits {
        share: profile.value("counter.share"),
        density: profile.value("counter.density"),
        deadband: profile.value("counter.deadband"),
        delays: (seconds(profile, "counter.on_s"), seconds(profile, "counter.off_s")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::dense::Unfit;
    use crate::crowd::sample::KICK_OFF;
    use crate::detect::sample::Stage;
    use Priority::Medium;

    /// Limits 20 % at more than 2 persons/m², deadband 0.05.
    #[test]
    fn it_judges_the_share_against_the_stream_where_it_is_dense() {
        let cases = [
            ("quiet", 2.5, 0.02, None, None),
            ("fires", 2.5, 0.3, Some(Medium), Some(Medium)),
            ("near miss: thin", 1.2, 0.45, None, None),
            ("near miss: few", 3.0, 0.19, None, Some(Medium)),
            ("clear", 2.5, 0.14, None, None),
        ];
        for (case, density, share, exceeds, holds) in cases {
            let mut stage = Stage::at(KICK_OFF);
            stage.watch("forecourt", density).counterflow = Ok(share);
            let finding = stage.only(detect);
            assert_eq!((finding.exceeds, finding.holds), (exceeds, holds), "{case}");
        }
    }

    #[test]
    fn a_crowd_without_a_direction_is_not_judged() {
        let mut stage = Stage::at(KICK_OFF);
        stage.watch("forecourt", 4.0).counterflow = Err(Unfit::NoDirection);
        assert!(stage.all(detect).is_empty());
    }
}

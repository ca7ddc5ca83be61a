//! TURB: is a dense crowd shaken as a whole, or does it begin to circle (crowd-science §2.4, Helbing 2007 and Gu 2025)?
//!
//! Pressure and spectrum mean something only where people stand close: in a thin crowd that walks every which way the velocities vary more, and harm nobody. So both
//! count only from `turb.density` on.

use super::finding::{Code, Finding, Priority};
use super::scene::{Manner, PerProfile, Scene, Standing, profile_of, seconds};
use crate::time::Span;
use crate::venue::Profile;

const MANNER: Manner =
    Manner { code: Code::Turb, headline: "alarm.turb", would_clear: "clear.turb", certainty: "observed", urgency: "immediate", severity: "extreme" };

struct Limits {
    pressure: f64,
    peak: f64,
    chirality: f64,
    density: f64,
    deadband: f64,
    delays: (Span, Span),
}

/// One finding per zone that a camera watches and of which pressure or spectrum is known.
pub(super) fn detect(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    let mut limits = PerProfile::new(read);
    for (i, (zone, figures)) in scene.venue.zones.iter().zip(&scene.figures.zones).enumerate() {
        let Some(dense) = &figures.dense else { continue };
        if dense.pressure.is_err() && dense.peak.is_err() {
            continue;
        }
        let profile = profile_of(zone);
        let Limits { pressure: limit, peak: ratio, chirality, density, deadband, delays } = limits.of(profile);
        let pressure = dense.pressure.ok();
        // Waves of standing have a peak of their own, to and fro; only circling has a sense.
        let peak = dense.peak.ok().map(|peak| if peak.chirality >= *chirality { peak.ratio } else { 0.0 });
        // The share by which the deadband eases every limit.
        let is_over = |eased: bool| {
            let ease = if eased { 1.0 - deadband } else { 1.0 };
            let is_close = dense.density >= density * ease;
            is_close && (pressure.is_some_and(|pressure| pressure > limit * ease) || peak.is_some_and(|peak| peak > ratio * ease))
        };
        let standing = Standing::of([(Priority::Top, 1.0)], |_, eased| is_over(eased));
        let mut headline = vec![("density", dense.density)];
        headline.extend(pressure.map(|pressure| ("pressure", pressure)));
        let mut finding = MANNER.finding(scene.zone(i), standing, *delays, &headline, &[("pressure", limit * (1.0 - deadband))]);
        let shown = [pressure.map(|pressure| ("pressure", pressure, "1/s2", *limit)), peak.map(|peak| ("chiral_peak", peak, "1", *ratio))];
        for (what, value, unit, limit) in shown.into_iter().flatten() {
            let evidence = scene.held(what, value, unit, limit, profile);
            if value > limit || standing.is_quiet() { &mut finding.evidence } else { &mut finding.against }.push(evidence);
        }
        if !standing.is_quiet() {
            finding.evidence.push(scene.held("density", dense.density, "persons/m2", *density, profile));
        }
        findings.push(finding);
    }
}

fn read(profile: &Profile) -> Limits {
    Limits {
        pressure: profile.value("turb.pressure"),
        peak: profile.value("turb.peak"),
        chirality: profile.value("turb.chirality"),
        density: profile.value("turb.density"),
        deadband: profile.value("turb.deadband"),
        delays: (seconds(profile, "turb.on_s"), seconds(profile, "turb.off_s")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::dense::Unfit;
    use crate::crowd::dense::chiral::Peak;
    use crate::crowd::sample::KICK_OFF;
    use crate::detect::sample::Stage;
    use Priority::Top;

    fn stage(density: f64, pressure: f64, ratio: f64) -> Stage {
        let mut stage = Stage::at(KICK_OFF);
        let dense = stage.watch("forecourt", density);
        (dense.pressure, dense.peak) = (Ok(pressure), Ok(Peak { omega: 0.35, ratio, chirality: 0.8 }));
        stage
    }

    /// Limits 0.02 s⁻², peak 4, from 4 persons/m² on; deadband a fifth.
    #[test]
    fn it_judges_pressure_and_spectrum_where_people_stand_close() {
        let cases = [
            ("quiet", 5.0, 0.002, 1.2, None, None),
            ("pressure fires", 5.0, 0.021, 1.2, Some(Top), Some(Top)),
            ("circling fires", 4.2, 0.002, 5.0, Some(Top), Some(Top)),
            ("near miss: shaken, but thin", 2.5, 0.4, 1.2, None, None),
            ("near miss: short of the limit", 5.0, 0.0199, 3.9, None, Some(Top)),
            ("held by the deadband", 3.5, 0.017, 1.0, None, Some(Top)),
            ("clear", 3.1, 0.03, 5.0, None, None),
        ];
        for (case, density, pressure, ratio, exceeds, holds) in cases {
            let finding = stage(density, pressure, ratio).only(detect);
            assert_eq!((finding.exceeds, finding.holds), (exceeds, holds), "{case}");
        }
    }

    #[test]
    fn it_shows_what_speaks_for_and_against() {
        let finding = stage(5.0, 0.05, 1.5).only(detect);
        let words = |evidence: &[super::super::Evidence]| evidence.iter().map(|evidence| evidence.what.to_string()).collect::<Vec<_>>();
        assert_eq!((words(&finding.evidence), words(&finding.against)), (vec!["pressure".into(), "density".into()], vec!["chiral_peak".into()]));
    }

    #[test]
    fn waves_to_and_fro_are_no_circling() {
        let mut stage = stage(5.0, 0.01, 40.0);
        stage.watch("forecourt", 5.0).peak = Ok(Peak { omega: 0.4, ratio: 40.0, chirality: 0.05 });
        assert_eq!(stage.only(detect).exceeds, None);
    }

    #[test]
    fn where_neither_has_a_value_nothing_is_judged() {
        let mut stage = stage(6.0, 0.0, 0.0);
        let dense = stage.watch("forecourt", 6.0);
        (dense.pressure, dense.peak) = (Err(Unfit::TooShort), Err(Unfit::TooShort));
        assert!(stage.all(detect).is_empty());
    }
}

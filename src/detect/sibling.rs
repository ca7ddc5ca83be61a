//! SIBLING: a section is nearly full while one beside it is not half as full (Hillsborough 1989: the pens behind the goal above their limit, their neighbours half empty).
//!
//! Sections are beside each other when the venue says so (`siblings`). Each is held against the emptiest of its group, by shares of their capacities.

use super::finding::{Code, Finding, Priority};
use super::scene::{Manner, PerProfile, Scene, Standing, profile_of, seconds};
use crate::crowd::Estimate;
use crate::crowd::normal::probability_above;
use crate::time::Span;
use crate::venue::Profile;
use std::collections::BTreeMap;

const MANNER: Manner =
    Manner { code: Code::Sibling, headline: "alarm.sibling", would_clear: "clear.sibling", certainty: "observed", urgency: "expected", severity: "moderate" };

struct Limits {
    share: f64,
    ratio: f64,
    p: f64,
    deadband: f64,
    delays: (Span, Span),
}

/// One finding per section that has others beside it, as far as their shares are known.
pub(super) fn detect(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    let mut groups: BTreeMap<&str, Vec<(usize, Estimate)>> = BTreeMap::new();
    for (i, (zone, figures)) in scene.venue.zones.iter().zip(&scene.figures.zones).enumerate() {
        let capacity = zone.final_capacity().filter(|capacity| *capacity > 0);
        if let (Some(group), Some(heads), Some(capacity)) = (zone.section.siblings.as_deref(), figures.occupancy, capacity) {
            groups.entry(group).or_default().push((i, heads.scaled(1.0 / f64::from(capacity))));
        }
    }
    let mut limits = PerProfile::new(read);
    for sections in groups.into_values().filter(|sections| sections.len() > 1) {
        let Some(emptiest) = sections.iter().min_by(|a, b| a.1.v.total_cmp(&b.1.v)).copied() else {
            continue;
        };
        for section in sections.iter().filter(|section| section.0 != emptiest.0) {
            let profile = profile_of(&scene.venue.zones[section.0]);
            findings.push(judge(scene, *section, emptiest.1, limits.of(profile), profile));
        }
    }
}

fn judge(scene: &Scene<'_>, (i, share): (usize, Estimate), least: Estimate, limits: &Limits, profile: &Profile) -> Finding {
    let is_over = |eased: bool| {
        let ease = if eased { 1.0 - limits.deadband } else { 1.0 };
        let ratio = limits.ratio * ease;
        // P(share > ratio × least): the difference of two normal quantities.
        let unequal = probability_above(0.0, share.v - ratio * least.v, libm::hypot(share.sigma(), ratio * least.sigma()));
        probability_above(limits.share * ease, share.v, share.sigma()).min(unequal)
    };
    let urgency = |eased| (is_over(eased) >= limits.p).then_some(Priority::Medium);
    let standing = Standing { exceeds: urgency(false), holds: urgency(true) };
    let headline = [("share", share.v), ("least", least.v)];
    let mut finding = MANNER.finding(scene.zone(i), standing, limits.delays, &headline, &[("share", limits.share * (1.0 - limits.deadband))]);
    finding.evidence.push(scene.held("occupancy_share", share.v, "1", limits.share, profile));
    if !standing.is_quiet() {
        finding.evidence.push(scene.held("sibling_ratio", share.v / least.v.max(f64::MIN_POSITIVE), "1", limits.ratio, profile));
        finding.evidence.push(scene.held("p_sibling_over", is_over(false), "1", limits.p, profile));
        finding.evidence.push(scene.figure("sibling_share", least.v, "1"));
        if share.lo < limits.share {
            finding.against.push(scene.held("occupancy_share", share.lo, "1", limits.share, profile));
        }
    }
    finding
}

fn read(profile: &Profile) -> Limits {
    Limits {
        share: profile.value("sibling.share"),
        ratio: profile.value("sibling.ratio"),
        p: profile.value("sibling.p"),
        deadband: profile.value("sibling.deadband"),
        delays: (seconds(profile, "sibling.on_s"), seconds(profile, "sibling.off_s")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::sample::KICK_OFF;
    use crate::detect::sample::Stage;

    /// Two pens of 1,000 beside each other.
    fn stage(full: f64, other: f64, sigma: f64) -> Stage {
        let mut stage = Stage::at(KICK_OFF);
        for (name, heads) in [("forecourt", full), ("plaza", other)] {
            let zone = stage.site.zone(name);
            stage.site.venue.zones[zone].capacity = Some(1_000);
            stage.site.venue.zones[zone].section.siblings = Some("pens".into());
            stage.zone(name).occupancy = Some(Estimate::normal(heads, sigma));
        }
        stage
    }

    #[test]
    fn it_judges_a_full_section_beside_an_empty_one() {
        let medium = Some(Priority::Medium);
        let cases = [
            ((500.0, 100.0, 10.0), None, None),
            ((780.0, 300.0, 10.0), None, medium),
            ((900.0, 450.0, 10.0), None, medium),
            ((900.0, 600.0, 10.0), None, None),
            ((850.0, 300.0, 10.0), medium, medium),
            ((1_100.0, 500.0, 10.0), medium, medium),
        ];
        for ((full, other, sigma), exceeds, holds) in cases {
            let finding = stage(full, other, sigma).only(detect);
            assert_eq!((finding.exceeds, finding.holds, &*finding.place.id), (exceeds, holds, "forecourt"), "{full} beside {other}");
        }
        assert_eq!(stage(850.0, 300.0, 100.0).only(detect).exceeds, None, "badly counted, it must be fuller to be believed");
    }

    #[test]
    fn it_says_how_full_both_are() {
        let finding = stage(900.0, 300.0, 10.0).only(detect);
        let shown: Vec<&str> = finding.evidence.iter().map(|evidence| &*evidence.what).collect();
        assert_eq!(shown, ["occupancy_share", "sibling_ratio", "p_sibling_over", "sibling_share"]);
        assert!((finding.headline.args["least"] - 0.3).abs() < 1e-12);
    }

    #[test]
    fn a_section_alone_is_not_judged() {
        let mut stage = stage(900.0, 300.0, 10.0);
        stage.zone("plaza").occupancy = None;
        assert!(stage.all(detect).is_empty());
    }
}
